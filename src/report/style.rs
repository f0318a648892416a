//! Colour, or none.

/// Whether a report uses colour.
///
/// Nothing here looks at the machine: whoever prints knows whether it prints to a terminal.
///
/// # Examples
/// ```
/// use parcae::report::Style;
/// assert_eq!(Style::for_terminal(true, None), Style::Coloured);
/// assert_eq!(Style::for_terminal(true, Some("1")), Style::Plain);
/// assert_eq!(Style::for_terminal(false, None), Style::Plain);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Style {
    /// Text only.
    #[default]
    Plain,
    /// With ANSI codes for colour and weight; without them the text is the same.
    Coloured,
}

impl Style {
    /// Returns the style for an output that is a terminal or not, given the variable `NO_COLOR`:
    /// set to anything but nothing, it turns colour off.
    #[must_use]
    pub fn for_terminal(is_terminal: bool, no_color: Option<&str>) -> Self {
        let is_refused = no_color.is_some_and(|value| !value.is_empty());
        if is_terminal && !is_refused { Self::Coloured } else { Self::Plain }
    }

    /// Returns the text in an ink.
    pub(super) fn paint(self, ink: Ink, text: &str) -> String {
        match (self, ink.code()) {
            (Self::Coloured, Some(code)) if !text.is_empty() => {
                format!("\u{1b}[{code}m{text}\u{1b}[0m")
            }
            _ => text.to_owned(),
        }
    }
}

/// What a piece of text is, for its colour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Ink {
    /// Like the text around it.
    #[default]
    Normal,
    /// What failed.
    Failure,
    /// What went well.
    Success,
    /// What the shrunk world forces.
    Forced,
    /// Names of sections and columns.
    Label,
    /// What is there for completeness.
    Quiet,
}

impl Ink {
    fn code(self) -> Option<&'static str> {
        match self {
            Self::Normal => None,
            Self::Failure => Some("1;31"),
            Self::Success => Some("32"),
            Self::Forced => Some("33"),
            Self::Label => Some("1"),
            Self::Quiet => Some("2"),
        }
    }
}
