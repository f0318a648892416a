//! What a property says of the moment it is evaluated at.

use std::fmt;

/// Names and values, in the order of the program.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Details {
    list: Vec<(&'static str, String)>,
}

impl Details {
    /// Adds a value.
    #[doc(hidden)]
    pub fn add(&mut self, name: &'static str, value: &dyn fmt::Debug) {
        self.list.push((name, format!("{value:?}")));
    }

    /// Adds a value that has a form for people.
    #[doc(hidden)]
    pub fn add_shown(&mut self, name: &'static str, value: &dyn fmt::Display) {
        self.list.push((name, value.to_string()));
    }

    /// Returns the names with their values as text.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.list.iter().map(|(name, value)| (*name, value.as_str()))
    }

    /// Makes those of a run in another process.
    #[cfg(all(feature = "simulation", target_os = "linux"))]
    pub(crate) fn of_list(list: Vec<(&'static str, String)>) -> Self {
        Self { list }
    }

    /// Tells whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    pub(super) fn into_list(self) -> Vec<(&'static str, String)> {
        self.list
    }
}
