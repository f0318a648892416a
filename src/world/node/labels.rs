//! Failure domains: labels of machines, such as their zone or rack.

/// All machines with a label; made by [`label`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Label<'a> {
    pub(super) kind: &'a str,
    pub(super) value: &'a str,
}

/// Names all machines that were given this label with
/// [`NodeBuilder::label`](super::NodeBuilder::label).
#[must_use]
pub const fn label<'a>(kind: &'a str, value: &'a str) -> Label<'a> {
    Label { kind, value }
}

/// All machines, the test among them; made by [`everyone`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Everyone;

/// Names all machines that there are when the verb is called, the test among them.
#[must_use]
pub const fn everyone() -> Everyone {
    Everyone
}
