//! The errors of a group.

use std::fmt;

/// Everything that failed in a [`group`](crate::task::group()): the errors of the body and of the children, in
/// the order in which they came, those included that came while the others were ending.
///
/// The error of a group inside of a group is one error of the outer one: `GroupError<GroupError<E>>`,
/// or an enum of the user's that holds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupError<E> {
    errors: Vec<E>,
}

impl<E> GroupError<E> {
    pub(super) fn new(errors: Vec<E>) -> Self {
        assert!(!errors.is_empty(), "a group fails with an error");
        Self { errors }
    }

    /// Returns the error that came first, and cancelled everything else.
    #[must_use]
    pub fn first(&self) -> &E {
        &self.errors[0]
    }

    /// Returns all errors, in the order in which they came; there is at least one.
    #[must_use]
    pub fn errors(&self) -> &[E] {
        &self.errors
    }

    /// Returns all errors, in the order in which they came; there is at least one.
    #[must_use]
    pub fn into_errors(self) -> Vec<E> {
        self.errors
    }
}

impl<E> IntoIterator for GroupError<E> {
    type Item = E;
    type IntoIter = std::vec::IntoIter<E>;

    fn into_iter(self) -> Self::IntoIter {
        self.errors.into_iter()
    }
}

impl<E> fmt::Display for GroupError<E> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.errors.len() {
            1 => formatter.write_str("a group failed with an error"),
            count => write!(formatter, "a group failed with {count} errors"),
        }
    }
}

/// Its source is the first error.
impl<E: std::error::Error + 'static> std::error::Error for GroupError<E> {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(self.first())
    }
}
