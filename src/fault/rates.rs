//! How often `buggify!` does something.

use std::fmt;
use std::str::FromStr;

use crate::kernel::Ratio;

/// How often [`buggify!`](crate::buggify!) is true, and in how many runs there is anything of it and of
/// [`knob!`](crate::knob!).
///
/// Another run of a seed is another one under other rates; what was shrunk is the same.
///
/// # Examples
/// ```
/// use parcae::explore::Check;
/// use parcae::fault::BuggifyRates;
///
/// // Each place in each run, and at every second time.
/// let often: BuggifyRates = "100,100,50".parse().expect("three shares in percent");
/// let report = Check::new("reads").seeds(10).buggify_rates(often).run(|| async {
///     for _ in 0..20 {
///         let _is_short = parcae::buggify!("short read");
///     }
/// });
/// assert_eq!(report.buggified()[0].seeds_fired(), 10);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct BuggifyRates {
    /// In how many runs anything happens. Default 80 %.
    pub runs: Ratio,
    /// How many of the places are active in such a run. Default 25 %.
    pub active: Ratio,
    /// How often an active place is true, unless it says so itself. Default 25 %.
    pub fires: Ratio,
}

impl Default for BuggifyRates {
    fn default() -> Self {
        let [runs, quarter] = [Ratio::percent(80), Ratio::percent(25)];
        Self { runs, active: quarter, fires: quarter }
    }
}

/// Reads `80,25,25`: the three shares in percent.
impl FromStr for BuggifyRates {
    type Err = ParseRatesError;

    fn from_str(text: &str) -> Result<Self, ParseRatesError> {
        let share = |text: &str| text.trim().parse().ok().filter(|percent| *percent <= 100);
        let shares: Option<Vec<u32>> = text.split(',').map(share).collect();
        match shares.as_deref() {
            Some([runs, active, fires]) => {
                let [runs, active, fires] = [runs, active, fires].map(|it| Ratio::percent(*it));
                Ok(Self { runs, active, fires })
            }
            _ => Err(ParseRatesError { text: text.to_owned() }),
        }
    }
}

/// A text that is not three shares in percent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParseRatesError {
    /// What was given.
    pub text: String,
}

impl fmt::Display for ParseRatesError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = &self.text;
        write!(formatter, "{text:?} is not three shares in percent such as `80,25,25`")
    }
}

impl std::error::Error for ParseRatesError {}
