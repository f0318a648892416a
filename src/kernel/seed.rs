//! The number that decides a run.

use std::fmt;
use std::str::FromStr;

/// The number that, with program and config, decides everything in a run.
///
/// Written as decimal (`17`), as hexadecimal (`0x11`), or as a git commit hash of 40 hexadecimal
/// digits, of which the first 16 count. Printed as decimal.
///
/// # Examples
/// ```
/// use parcae::Seed;
/// assert_eq!("17".parse(), Ok(Seed::new(17)));
/// assert_eq!("0x11".parse(), Ok(Seed::new(17)));
/// assert_eq!(Seed::new(17).to_string(), "17");
///
/// let error = "seventeen".parse::<Seed>().unwrap_err();
/// assert!(error.to_string().contains("\"seventeen\""));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Seed(u64);

impl Seed {
    /// Makes the seed with this number.
    #[must_use]
    pub const fn new(number: u64) -> Self {
        Self(number)
    }

    /// Reads a seed from text; the same as [`str::parse`].
    ///
    /// # Errors
    /// [`ParseSeedError`] with the text when it is none of the three forms.
    pub fn parse(text: &str) -> Result<Self, ParseSeedError> {
        text.parse()
    }

    /// Returns the number.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }
}

impl FromStr for Seed {
    type Err = ParseSeedError;

    fn from_str(text: &str) -> Result<Self, ParseSeedError> {
        let error = || ParseSeedError { text: text.to_owned() };
        let only = |is_digit: fn(&u8) -> bool, text: &str| text.bytes().all(|byte| is_digit(&byte));
        if text.len() == GIT_HASH_DIGITS && only(u8::is_ascii_hexdigit, text) {
            return u64::from_str_radix(&text[..16], 16).map(Self).map_err(|_| error());
        }
        let (digits, radix) = match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
            Some(digits) => (digits, 16),
            None => (text, 10),
        };
        // `from_str_radix` would accept a leading plus sign.
        if digits.is_empty() || !only(u8::is_ascii_hexdigit, digits) {
            return Err(error());
        }
        u64::from_str_radix(digits, radix).map(Self).map_err(|_| error())
    }
}

impl fmt::Display for Seed {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, formatter)
    }
}

impl From<u64> for Seed {
    fn from(number: u64) -> Self {
        Self(number)
    }
}

/// A text that is not a seed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParseSeedError {
    /// What was given.
    pub text: String,
}

impl fmt::Display for ParseSeedError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "{:?} is not a seed: expected a decimal number up to {}, a hexadecimal one such as \
             0x11, or a git hash of 40 digits",
            self.text,
            u64::MAX
        )
    }
}

impl std::error::Error for ParseSeedError {}

const GIT_HASH_DIGITS: usize = 40;
