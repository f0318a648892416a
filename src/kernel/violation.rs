//! A property of a program that did not hold.

use std::fmt;

use super::Place;

/// A rule that a program states about itself and that was broken.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Violation {
    /// What states such rules: `always`, `unreachable`, `invariant`, `eventually`.
    pub rule: &'static str,
    /// What was to hold, in the words of the program: the same in all its runs.
    pub message: String,
    /// Where that stands.
    pub place: Option<Place>,
    /// What the program says of the moment: names and values, in its order.
    pub details: Vec<(&'static str, String)>,
}

impl Violation {
    /// Makes one without details.
    pub(crate) fn new(rule: &'static str, message: &str, place: Option<Place>) -> Self {
        Self { rule, message: message.to_owned(), place, details: Vec::new() }
    }

    /// Sets what is known of the moment.
    pub(crate) fn with_details(self, details: Vec<(&'static str, String)>) -> Self {
        Self { details, ..self }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}({:?})", self.rule, self.message)?;
        if let Some(place) = &self.place {
            write!(formatter, " at {place}")?;
        }
        for (index, (name, value)) in self.details.iter().enumerate() {
            write!(formatter, "{} {name}={value}", if index == 0 { ":" } else { "," })?;
        }
        Ok(())
    }
}
