//! How the program of a machine has ended.

use std::fmt::{self, Debug};

/// How the program of a machine has ended.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Exit {
    /// It returned without an error.
    Returned,
    /// It returned an error, shown by `Debug`.
    Failed(String),
    /// It panicked with this message.
    Panicked(String),
    /// Its process was ended from outside.
    Killed,
    /// Its machine lost its power.
    PoweredOff,
}

impl fmt::Display for Exit {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Returned => formatter.write_str("returned"),
            Self::Failed(error) => write!(formatter, "failed: {error}"),
            Self::Panicked(message) => write!(formatter, "panicked: {message}"),
            Self::Killed => formatter.write_str("was killed"),
            Self::PoweredOff => formatter.write_str("lost its power"),
        }
    }
}

/// What the program of a machine may return.
pub trait Exits {
    /// Returns how the program has ended.
    fn into_exit(self) -> Exit;
}

impl Exits for () {
    fn into_exit(self) -> Exit {
        Exit::Returned
    }
}

/// A program that serves for ever, as a `loop` without a `break` does.
impl Exits for Never {
    fn into_exit(self) -> Exit {
        self
    }
}

/// The type `!`, which has no name of its own outside of a return type yet.
type Never = <fn() -> ! as Returns>::Output;

/// A function that returns something.
#[expect(unnameable_types, reason = "it only gives the type a name")]
pub trait Returns {
    /// What it returns.
    type Output;
}

impl<T> Returns for fn() -> T {
    type Output = T;
}

impl<T: Exits, E: Debug> Exits for Result<T, E> {
    fn into_exit(self) -> Exit {
        match self {
            Ok(value) => value.into_exit(),
            Err(error) => Exit::Failed(format!("{error:?}")),
        }
    }
}
