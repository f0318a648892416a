//! One property at one place in a program.

use std::fmt;

use super::compare::{Aim, Subject};
#[cfg(feature = "simulation")]
use crate::context::{Numbered, Numbers};
use crate::kernel::Place;

/// A property that a program states, where it does.
#[derive(Debug)]
pub struct Property {
    kind: PropertyKind,
    message: &'static str,
    place: CodePlace,
    #[cfg(feature = "simulation")]
    aim: Option<(Aim, Subject)>,
    #[cfg(feature = "simulation")]
    number: Numbered,
}

/// What a property says of its condition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum PropertyKind {
    /// It is true whenever it is come to, and that happens.
    Always,
    /// It is true whenever it is come to, if that happens.
    AlwaysOrUnreached,
    /// It is true once or more.
    Sometimes,
    /// The place is come to.
    Reachable,
    /// The place is never come to.
    Unreachable,
}

impl PropertyKind {
    /// Returns the name of its macro.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Always => "always!",
            Self::AlwaysOrUnreached => "always_or_unreached!",
            Self::Sometimes => "sometimes!",
            Self::Reachable => "reachable!",
            Self::Unreachable => "unreachable!",
        }
    }

    /// Tells whether one evaluation in which the condition is false fails the run.
    #[must_use]
    pub const fn fails_at_once(self) -> bool {
        matches!(self, Self::Always | Self::AlwaysOrUnreached | Self::Unreachable)
    }

    /// Tells whether it has to be come to in some seed.
    #[must_use]
    pub const fn must_be_hit(self) -> bool {
        matches!(self, Self::Always | Self::Sometimes | Self::Reachable)
    }
}

/// Where a macro stands.
#[derive(Clone, Copy, Debug)]
pub struct CodePlace {
    /// Path of the module.
    pub module: &'static str,
    /// Says the path of something inside of the function.
    pub inside: fn() -> &'static str,
    /// File, as the compiler was given it.
    pub file: &'static str,
    /// Line, from 1.
    pub line: u32,
    /// Column, from 1.
    pub column: u32,
}

impl Property {
    /// Makes the static of a macro.
    #[doc(hidden)]
    #[must_use]
    pub const fn new(
        kind: PropertyKind,
        message: &'static str,
        place: CodePlace,
        aim: Option<(Aim, Subject)>,
    ) -> Self {
        #[cfg(not(feature = "simulation"))]
        let _ = aim;
        Self {
            kind,
            message,
            place,
            #[cfg(feature = "simulation")]
            aim,
            #[cfg(feature = "simulation")]
            number: Numbered::new(),
        }
    }

    /// Returns what it says of its condition.
    #[must_use]
    pub fn kind(&self) -> PropertyKind {
        self.kind
    }

    /// Returns its message, by which it is known.
    #[must_use]
    pub fn message(&self) -> &'static str {
        self.message
    }

    /// Returns the path of its module.
    #[must_use]
    pub fn module(&self) -> &'static str {
        self.place.module
    }

    /// Returns the path of the function that it stands in.
    #[must_use]
    pub fn function(&self) -> &'static str {
        let inside = (self.place.inside)();
        let path = inside.rsplit_once("::").map_or(inside, |(path, _)| path);
        // Asynchronous functions and blocks are closures of their functions.
        let mut path = path;
        while let Some(outer) = path.strip_suffix("::{{closure}}") {
            path = outer;
        }
        path
    }

    /// Returns the file, line and column that it stands at.
    #[must_use]
    pub fn place(&self) -> Place {
        let CodePlace { file, line, column, .. } = self.place;
        Place { file: file.to_owned(), line, column }
    }

    /// Returns what its numbers are driven to by whoever searches with them.
    #[cfg(feature = "simulation")]
    pub(crate) fn aim(&self) -> Option<Aim> {
        self.aim.map(|(aim, _)| aim)
    }

    /// Returns what its aim is about.
    #[cfg(feature = "simulation")]
    pub(crate) fn subject(&self) -> Option<Subject> {
        self.aim.map(|(_, subject)| subject)
    }

    /// Returns where a run keeps its counts.
    #[inline]
    #[cfg(feature = "simulation")]
    pub(super) fn index(&self) -> usize {
        self.number.index(&NUMBERS)
    }

    /// Tells whether both are one property, at two places.
    #[cfg(feature = "simulation")]
    pub(super) fn is_same(&self, other: &Self) -> bool {
        self.key() == other.key()
    }

    /// Returns what it is known by.
    #[cfg(feature = "simulation")]
    pub(super) fn key(&self) -> (&'static str, PropertyKind) {
        (self.message, self.kind)
    }

    /// Returns what it is sorted by in everything that is shown.
    #[cfg(feature = "simulation")]
    pub(crate) fn order(&self) -> (&'static str, u32, u32, &'static str, PropertyKind) {
        let CodePlace { file, line, column, .. } = self.place;
        (file, line, column, self.message, self.kind)
    }
}

impl fmt::Display for Property {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let CodePlace { file, line, .. } = self.place;
        write!(formatter, "{}({:?}) at {file}:{line}", self.kind.name(), self.message)
    }
}

#[cfg(feature = "simulation")]
static NUMBERS: Numbers = Numbers::new();
