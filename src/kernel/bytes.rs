//! Bytes that answer choices, for fuzzers.

use super::Space;

/// Bytes in the order in which choices take them: as many as the number of values needs, the least first.
///
/// A zero is the default of whatever it answers, and a small number is near to it where values have an order.
/// So a fuzzer that makes its input shorter, or zeroes it, comes nearer to the default world.
#[derive(Clone, Debug)]
pub(super) struct Bytes {
    bytes: Box<[u8]>,
    next: usize,
}

impl Bytes {
    pub(super) fn new(bytes: &[u8]) -> Self {
        Self { bytes: bytes.into(), next: 0 }
    }

    /// Returns the value of the next choice; none when the bytes are used up.
    pub(super) fn value(&mut self, space: Space) -> Option<u64> {
        let value = match space {
            Space::Integer { low, high, .. }
            | Space::Nanos { low, high }
            | Space::Knob { low, high, .. } => {
                let default = space.default_value();
                around(self.number(high - low)?, default - low, high - low) + low
            }
            Space::Signed { low, high } => {
                let span = high.abs_diff(low);
                let default = space.default_value().cast_signed().abs_diff(low);
                low.wrapping_add_unsigned(around(self.number(span)?, default, span)).cast_unsigned()
            }
            Space::Index { count } => around(self.number(count - 1)?, 0, count - 1),
            // The upper bits decide, and small ones are true or long: turned around, so that zero is neither.
            Space::Chance { .. } => match self.number(u64::from(u8::MAX))? {
                0 => 0,
                number => space.sample(!(number << 56)),
            },
            Space::Skewed { .. } => match self.number(u64::from(u16::MAX))? {
                0 => space.default_value(),
                number => space.sample(!(number << 48)),
            },
        };
        Some(value)
    }

    /// Takes as many bytes as numbers up to `most` need, or what there is.
    fn number(&mut self, most: u64) -> Option<u64> {
        let rest = &self.bytes[self.next..];
        if rest.is_empty() {
            return None;
        }
        let width = u64::BITS.div_ceil(8) - most.leading_zeros() / 8;
        let width = usize::try_from(width.max(1)).expect("at most 8").min(rest.len());
        self.next += width;
        Some(rest[..width].iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte)))
    }
}

/// Returns the number that is so far behind the default, in a circle from 0 to `span`.
fn around(number: u64, default: u64, span: u64) -> u64 {
    match span.checked_add(1) {
        Some(size) => {
            let number = u128::from(number % size) + u128::from(default);
            u64::try_from(number % u128::from(size)).expect("below the size")
        }
        None => number.wrapping_add(default),
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Ratio, Shape};
    use super::{Bytes, Space};

    fn spaces() -> Vec<Space> {
        vec![
            Space::Integer { low: 3, high: 300, default: 7 },
            Space::Integer { low: 0, high: u64::MAX, default: 9 },
            Space::Signed { low: -5, high: 5 },
            Space::Signed { low: i64::MIN, high: i64::MAX },
            Space::Signed { low: -9, high: -2 },
            Space::Index { count: 3 },
            Space::Index { count: 256 },
            Space::Index { count: 257 },
            Space::Chance { probability: Ratio::new(1, 3) },
            Space::Nanos { low: 5, high: 1 << 40 },
            Space::Skewed { low: 5, high: 1 << 40, shape: Shape::Exponential { mean: 1 << 20 } },
            Space::Knob { low: 1, high: 1 << 20, default: 64 },
        ]
    }

    #[test]
    fn zeros_are_defaults_and_used_up_bytes_are_nothing() {
        for space in spaces() {
            let mut bytes = Bytes::new(&[0; 8]);
            assert_eq!(bytes.value(space), Some(space.default_value()), "{space:?}");
            let mut bytes = Bytes::new(&[]);
            assert_eq!(bytes.value(space), None, "{space:?}");
        }
    }

    #[test]
    fn every_byte_gives_a_value_of_the_space_and_each_small_space_is_reached_wholly() {
        for space in spaces() {
            for byte in 0..=u8::MAX {
                for rest in [0, 1, 0x80, 0xff] {
                    let value = Bytes::new(&[byte, rest, rest, byte, rest]).value(space).unwrap();
                    assert!(space.contains(value), "{space:?}: {value}");
                }
            }
        }
        let all = |space| {
            let mut all: Vec<u64> =
                (0..=u8::MAX).map(|byte| Bytes::new(&[byte]).value(space).unwrap()).collect();
            all.sort_unstable();
            all.dedup();
            all.len()
        };
        assert_eq!(all(Space::Index { count: 3 }), 3);
        assert_eq!(all(Space::Index { count: 256 }), 256);
        assert_eq!(all(Space::Signed { low: -5, high: 5 }), 11);
        assert_eq!(all(Space::Chance { probability: Ratio::new(1, 3) }), 2);
    }

    #[test]
    fn each_choice_takes_the_bytes_that_its_values_need() {
        let mut bytes = Bytes::new(&[1, 2, 1, 3, 0, 0, 4, 2]);
        assert_eq!(bytes.value(Space::Index { count: 200 }), Some(1));
        assert_eq!(bytes.value(Space::Index { count: 257 }), Some((256 + 2) % 257));
        assert_eq!(bytes.value(Space::Nanos { low: 10, high: 10 + (1 << 23) }), Some(13));
        assert_eq!(bytes.value(Space::Integer { low: 0, high: 1 << 20, default: 0 }), Some(0x204));
        assert_eq!(bytes.value(Space::Index { count: 2 }), None);
    }
}
