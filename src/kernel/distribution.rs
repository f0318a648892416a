//! Distributions of durations that are not even, without floating point.
//!
//! One draw of 64 bits gives one duration, by the inverse of the distribution in fixed point (32
//! bits before the point, 32 behind it), so that no rounding mode or library can reach a run.

use super::Ratio;

/// How durations are spread between a least and a greatest one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Shape {
    /// Beyond the least, each further stretch of the same length is reached with the same
    /// probability: waiting times of a queue.
    Exponential {
        /// Mean of what comes on top of the least duration, in nanoseconds.
        mean: u64,
    },
    /// A tail that falls off with a power of the duration: rare ones are very long. It is Lomax's,
    /// which begins at the least duration.
    Pareto {
        /// Mean of what comes on top of the least duration, in nanoseconds.
        mean: u64,
        /// The power times 10; 11 at least (below, there is no mean). The less, the longer the tail.
        alpha_tenths: u16,
    },
    /// Even in one of two ranges: from the least duration to `fast_high`, or from `slow_low` to the
    /// greatest one.
    Bimodal {
        /// Greatest duration of the fast range, in nanoseconds.
        fast_high: u64,
        /// Least duration of the slow range, in nanoseconds.
        slow_low: u64,
        /// How often it is the slow one.
        slow: Ratio,
    },
    /// Even in a part of the range.
    Even {
        /// Least duration that is drawn, in nanoseconds.
        from: u64,
        /// Greatest duration that is drawn, in nanoseconds.
        to: u64,
    },
}

impl Shape {
    /// Maps evenly distributed bits to a duration in `low..=high`.
    #[expect(
        clippy::cast_possible_truncation,
        reason = "an exponent is below 64 in 32.32; compared"
    )]
    pub(super) const fn sample(self, bits: u64, low: u64, high: u64) -> u64 {
        let value = match self {
            Self::Exponential { mean } => {
                // -ln u = -log2 u * ln 2
                let in_means = (minus_log2(bits) as u128 * LN_2 as u128) >> 32;
                low as u128 + ((in_means * mean as u128) >> 32)
            }
            Self::Pareto { mean, alpha_tenths } => {
                let exponent = minus_log2(bits) as u128 * 10 / alpha_tenths as u128;
                let factor = exp2(exponent as u64) - ONE as u128;
                let scale = mean as u128 * (alpha_tenths as u128 - 10) / 10;
                low as u128 + times(factor, scale)
            }
            Self::Bimodal { fast_high, slow_low, slow } => {
                let (is_slow, rest) = slow.split(bits);
                let (from, to) = if is_slow { (slow_low, high) } else { (low, fast_high) };
                from as u128 + ((rest as u128 * (to - from + 1) as u128) >> 64)
            }
            Self::Even { from, to } => {
                from as u128 + ((bits as u128 * ((to - from) as u128 + 1)) >> 64)
            }
        };
        if value > high as u128 { high } else { value as u64 }
    }

    /// Panics on a shape that has no mean or does not lie in `low..=high`.
    #[track_caller]
    pub(super) fn check(self, low: u64, high: u64) {
        match self {
            Self::Exponential { .. } => {}
            Self::Pareto { alpha_tenths, .. } => assert!(
                alpha_tenths > 10,
                "a Pareto tail needs an alpha above 1, or it has no mean: {alpha_tenths} tenths"
            ),
            Self::Bimodal { fast_high, slow_low, .. } => assert!(
                low <= fast_high && fast_high <= slow_low && slow_low <= high,
                "two ranges of durations that are not in order: \
                 {low}..={fast_high} ns, {slow_low}..={high} ns"
            ),
            Self::Even { from, to } => assert!(
                low <= from && from <= to && to <= high,
                "{from}..={to} ns is no part of {low}..={high} ns"
            ),
        }
    }
}

/// Returns -log2((bits + 1) / 2^64) in 32.32: 0 to 64.
const fn minus_log2(bits: u64) -> u64 {
    // One more would not fit into 64 bits; it is 1, whose logarithm is 0.
    if bits == u64::MAX {
        return 0;
    }
    (64 << 32) - log2(bits + 1)
}

/// Returns the logarithm to base 2 of a number above 0, in 32.32.
///
/// # Source
/// Bit by bit: squaring a number doubles its logarithm (Knuth, TAOCP 1.2.2, exercise 25).
const fn log2(number: u64) -> u64 {
    let whole = 63 - number.leading_zeros();
    // 1 to 2 in 1.63.
    let mut rest = (number << (63 - whole)) as u128;
    let (mut fraction, mut bit) = (0, 1 << 31);
    while bit > 0 {
        rest = (rest * rest) >> 63;
        if rest >> 64 != 0 {
            rest >>= 1;
            fraction |= bit;
        }
        bit >>= 1;
    }
    (whole as u64) << 32 | fraction
}

/// Returns 2 to the power of a number in 32.32, in 96.32.
const fn exp2(exponent: u64) -> u128 {
    let whole = (exponent >> 32) as u32;
    // 2^f = e^(f ln 2), by its series, in 2.62; the 20th term is below the last bit.
    let power = ((exponent & (ONE - 1)) as u128 * LN_2_62) >> 32;
    let (mut sum, mut term) = (1_u128 << 62, 20);
    while term > 0 {
        sum = (1 << 62) + ((power * sum) >> 62) / term;
        term -= 1;
    }
    if whole >= 30 { sum << (whole - 30) } else { sum >> (30 - whole) }
}

/// Returns the product of a number in 96.32 and a whole one, or what is longer than any duration.
const fn times(factor: u128, number: u128) -> u128 {
    match factor.checked_mul(number) {
        Some(product) => product >> 32,
        None => u64::MAX as u128,
    }
}

const ONE: u64 = 1 << 32;

/// ln 2 in 32.32.
const LN_2: u64 = 2_977_044_472;

/// ln 2 in 2.62.
const LN_2_62: u128 = 3_196_577_161_300_663_915;

#[cfg(test)]
mod tests {
    use super::super::Space;
    use super::*;

    fn even(index: u64, count: u64) -> u64 {
        u64::try_from((u128::from(index) * 2 + 1) * (1 << 63) / u128::from(count)).expect("64 bits")
    }

    /// Mean of `count` draws that are spread evenly, low is 0.
    fn mean(shape: Shape, high: u64, count: u64) -> u64 {
        let sum: u128 =
            (0..count).map(|index| u128::from(shape.sample(even(index, count), 0, high))).sum();
        u64::try_from(sum / u128::from(count)).expect("a mean fits")
    }

    #[test]
    fn logarithms_and_powers_are_those_of_the_book() {
        for (number, expected) in
            [(1, 0), (2, 1 << 32), (1 << 63, 63 << 32), (3, 6_807_362_105), (10, 14_267_572_527)]
        {
            assert!(log2(number).abs_diff(expected) <= 1, "log2 {number} is {}", log2(number));
        }
        for (exponent, expected) in [
            (0, u128::from(ONE)),
            (1 << 31, 6_074_000_999),
            (1 << 32, 2 << 32),
            (40 << 32, 1 << 72),
            (6_807_362_105, 3 << 32),
        ] {
            assert!(exp2(exponent).abs_diff(expected) <= 3, "2^{exponent} is {}", exp2(exponent));
        }
        assert_eq!(minus_log2(u64::MAX), 0);
        assert_eq!(minus_log2(0), 64 << 32);
    }

    #[test]
    fn an_exponential_has_its_mean_its_median_and_its_floor() {
        let shape = Shape::Exponential { mean: 1_000_000 };
        assert!(mean(shape, u64::MAX, 100_000).abs_diff(1_000_000) < 100);
        // The median is ln 2 means.
        assert!(shape.sample(1 << 63, 0, u64::MAX).abs_diff(693_147) <= 1);
        assert_eq!(shape.sample(u64::MAX, 500, u64::MAX), 500);
        assert_eq!(shape.sample(0, 500, 7_000), 7_000, "no more than the greatest");
        assert_eq!(shape.sample(0, 0, u64::MAX), 44_361_419, "64 ln 2 means at the most");
    }

    #[test]
    fn a_pareto_tail_has_its_mean_and_its_quantiles() {
        // With alpha 3 and a mean of 1 ms the scale is 2 ms; the median is 2 (2^(1/3) - 1) ms.
        let shape = Shape::Pareto { mean: 1_000_000, alpha_tenths: 30 };
        assert!(shape.sample((1 << 63) - 1, 0, u64::MAX).abs_diff(519_842) <= 1);
        assert!(mean(shape, u64::MAX, 100_000).abs_diff(1_000_000) < 2_000);
        // One in a million: 2 (100 - 1) ms.
        let rare = shape.sample(u64::MAX / 1_000_000, 0, u64::MAX);
        assert!(rare.abs_diff(198_000_000) < 1_000, "{rare}");
        let long = Shape::Pareto { mean: u64::MAX, alpha_tenths: 11 };
        assert_eq!(long.sample(0, 0, u64::MAX), u64::MAX, "too long for 64 bits is the greatest");
    }

    #[test]
    fn a_part_of_a_range_is_drawn_from_as_if_it_were_the_whole() {
        let shape = Shape::Even { from: 100, to: 199 };
        for index in 0..1_000 {
            let bits = even(index, 1_000);
            let expected = Space::Nanos { low: 100, high: 199 }.sample(bits);
            assert_eq!(shape.sample(bits, 50, 7_000), expected);
        }
        assert_eq!(Shape::Even { from: 0, to: u64::MAX }.sample(u64::MAX, 0, u64::MAX), u64::MAX);
    }

    #[test]
    fn a_bimodal_is_even_in_each_range_and_never_between_them() {
        let slow = Ratio::percent(10);
        let shape = Shape::Bimodal { fast_high: 20, slow_low: 1_000, slow };
        let mut counts = [0_u32; 2];
        for index in 0..10_000 {
            match shape.sample(even(index, 10_000), 11, 1_009) {
                value @ 11..=20 => counts[0] += u32::from(value < 16),
                value @ 1_000..=1_009 => counts[1] += u32::from(value < 1_005),
                value => panic!("{value} lies between the ranges"),
            }
        }
        assert_eq!(counts, [4_500, 500]);
    }
}
