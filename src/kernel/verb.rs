//! Names of what tasks do to what they share.

use super::mix::hash_text;

/// What a task does to a resource at a point.
#[derive(Debug, PartialEq, Eq)]
pub struct Verb {
    /// Name as reports print it: `lock`, `get`.
    pub name: &'static str,
    /// Whether two of them on one resource commute.
    pub access: Access,
    /// A number for the hash chain, unlike those of other verbs.
    pub(crate) number: u64,
}

impl Verb {
    /// Makes a verb.
    pub(crate) const fn new(name: &'static str, access: Access) -> Self {
        Self { name, access, number: hash_text(name) }
    }
}

/// Whether an operation changes what it operates on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Two reads in either order give the same.
    Read,
    /// The order matters.
    Write,
}
