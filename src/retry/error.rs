//! How a call ends that was tried in vain.

use std::error::Error;
use std::fmt;
use std::time::Duration;

/// Why [`super::Retry::run`] gave up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RetryError<E> {
    /// Every attempt failed.
    Exhausted {
        /// How many attempts were made.
        attempts: u32,
        /// How the last one failed.
        last: Cause<E>,
    },
    /// An attempt failed with an error that is not worth another one.
    NotRetryable(E),
    /// There is no time left, or not enough for the back-off.
    DeadlineExceeded {
        /// How many attempts were begun.
        attempts: u32,
        /// How the last one failed that came to an end; none if the first was cut off.
        last: Option<Cause<E>>,
    },
    /// The budget has no token for another attempt.
    BudgetExhausted {
        /// How many attempts were made.
        attempts: u32,
        /// How the last one failed.
        last: Cause<E>,
    },
}

impl<E> RetryError<E> {
    /// Returns the last error of the operation itself, unless that was a time-out.
    ///
    /// # Examples
    /// ```
    /// use parcae::retry::RetryError;
    /// assert_eq!(RetryError::NotRetryable(404).into_error(), Some(404));
    /// ```
    pub fn into_error(self) -> Option<E> {
        match self {
            Self::NotRetryable(error) => Some(error),
            Self::Exhausted { last, .. } | Self::BudgetExhausted { last, .. } => last.into_error(),
            Self::DeadlineExceeded { last, .. } => last.and_then(Cause::into_error),
        }
    }
}

impl<E> fmt::Display for RetryError<E> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exhausted { attempts, .. } => {
                write!(formatter, "all {attempts} attempts failed")
            }
            Self::NotRetryable(_) => formatter.write_str("the error is not worth another attempt"),
            Self::DeadlineExceeded { attempts, .. } => {
                write!(formatter, "no time is left after {attempts} attempts")
            }
            Self::BudgetExhausted { attempts, .. } => {
                write!(formatter, "the retry budget is exhausted after {attempts} attempts")
            }
        }
    }
}

impl<E: Error + 'static> Error for RetryError<E> {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::NotRetryable(error) => Some(error),
            Self::Exhausted { last, .. } | Self::BudgetExhausted { last, .. } => Some(last),
            Self::DeadlineExceeded { last, .. } => {
                let last = last.as_ref()?;
                Some(last)
            }
        }
    }
}

/// How one attempt failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Cause<E> {
    /// It returned an error.
    Error(E),
    /// It took longer than [`super::RetryBuilder::timeout_each`] and was cancelled. It may have had
    /// its effect.
    TimedOut {
        /// How long it was given.
        after: Duration,
    },
}

impl<E> Cause<E> {
    /// Returns the error, unless it was a time-out.
    pub fn into_error(self) -> Option<E> {
        match self {
            Self::Error(error) => Some(error),
            Self::TimedOut { .. } => None,
        }
    }
}

impl<E> fmt::Display for Cause<E> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Error(_) => formatter.write_str("the attempt failed"),
            Self::TimedOut { after } => write!(formatter, "the attempt timed out after {after:?}"),
        }
    }
}

impl<E: Error + 'static> Error for Cause<E> {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Error(error) => Some(error),
            Self::TimedOut { .. } => None,
        }
    }
}
