//! How much may begin: so many in a second, or nothing while the other side is broken.
//!
//! | you want | use |
//! |---|---|
//! | at most `k` calls in a second, the others wait | [`Rate::acquire`] |
//! | the same, the others are told when to come back | [`Rate::try_acquire`] |
//! | calls of different weights | [`Rate::acquire_many`] |
//! | no calls to something that keeps failing | [`Breaker`] |
//!
//! **When not to use them**: to bound how many calls are *under way* at a time, whatever they take;
//! that is a pool or a set of permits. To make retries few, use a [`crate::retry::RetryBudget`].
//!
//! Both work across threads, and need the time of a parcae runtime.

mod breaker;
mod limit;

pub use breaker::{AnyError, Breaker, BreakerError, BreakerState, Call};
pub use limit::{Acquire, Rate, RetryAfter};
