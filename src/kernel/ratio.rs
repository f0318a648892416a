//! Probabilities without floating point.

use std::fmt;

/// A probability as a fraction, so that no rounding mode can reach a run.
///
/// # Examples
/// ```
/// use parcae::kernel::Ratio;
/// assert_eq!(Ratio::percent(25), Ratio::new(25, 100));
/// assert_eq!(Ratio::new(1, 4).to_string(), "1/4");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Ratio {
    numerator: u32,
    denominator: u32,
}

impl Ratio {
    /// Never.
    pub const ZERO: Self = Self { numerator: 0, denominator: 1 };

    /// Makes the fraction `numerator / denominator`.
    ///
    /// # Panics
    /// When the denominator is 0 or the fraction is greater than 1.
    #[must_use]
    #[track_caller]
    pub const fn new(numerator: u32, denominator: u32) -> Self {
        assert!(denominator > 0, "a ratio needs a denominator above 0");
        assert!(numerator <= denominator, "a ratio is at most 1");
        Self { numerator, denominator }
    }

    /// Makes `percent / 100`.
    ///
    /// # Panics
    /// When `percent` is above 100.
    #[must_use]
    #[track_caller]
    pub const fn percent(percent: u32) -> Self {
        Self::new(percent, 100)
    }

    pub(crate) const fn numerator(self) -> u32 {
        self.numerator
    }

    pub(crate) const fn denominator(self) -> u32 {
        self.denominator
    }

    /// Tells whether evenly distributed bits fall within the fraction.
    #[must_use]
    pub(crate) const fn accepts(self, bits: u64) -> bool {
        let scaled = (bits as u128 * self.denominator as u128) >> 64;
        scaled < self.numerator as u128
    }

    /// As [`Ratio::accepts`], with bits for a second choice that do not depend on the first.
    #[must_use]
    #[expect(clippy::cast_possible_truncation, reason = "the lower half is what is wanted")]
    pub(crate) const fn split(self, bits: u64) -> (bool, u64) {
        let scaled = bits as u128 * self.denominator as u128;
        let rest = scaled as u64;
        (scaled >> 64 < self.numerator as u128, rest)
    }
}

impl fmt::Display for Ratio {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.numerator, self.denominator)
    }
}
