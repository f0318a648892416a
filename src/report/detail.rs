//! What a report holds.

use super::Style;

/// What a report holds beside what every report does.
///
/// # Examples
/// ```
/// use parcae::report::{Detail, Style};
/// let detail = Detail::default().with_times(false).with_style(Style::Coloured);
/// assert!(!detail.times);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Detail {
    /// Whether it holds what differs between machines: figures of wall time and, for a foreign wake,
    /// the backtrace of the other thread. Without them, two reports of one check are equal, whatever
    /// machine and number of threads they come from. Default true.
    pub times: bool,
    /// Whether it has colours. Default [`Style::Plain`].
    pub style: Style,
    /// Whether long lists and timelines are complete, as in a saved report. Default false.
    pub is_complete: bool,
}

impl Default for Detail {
    fn default() -> Self {
        Self { times: true, style: Style::Plain, is_complete: false }
    }
}

impl Detail {
    /// Sets whether it holds figures of wall time, and the backtrace of a foreign wake.
    #[must_use]
    pub fn with_times(self, times: bool) -> Self {
        Self { times, ..self }
    }

    /// Sets whether it has colours.
    #[must_use]
    pub fn with_style(self, style: Style) -> Self {
        Self { style, ..self }
    }

    /// Sets whether long lists and timelines are complete.
    #[must_use]
    pub fn with_complete_lists(self, is_complete: bool) -> Self {
        Self { is_complete, ..self }
    }
}
