//! Trying again what failed: how often, when, and when not.
//!
//! | you want | use |
//! |---|---|
//! | to try something again when it fails | [`Retry`] |
//! | to say which errors are worth it | [`RetryBuilder::when`]; all of them: [`RetryBuilder::always`] |
//! | to wait between attempts | [`Backoff`], [`Jitter`] |
//! | to wait as long as the server says | [`Retry::retry_after`] |
//! | an end to all of it | [`RetryBuilder::deadline`], [`RetryBuilder::timeout_each`] |
//! | that retries do not multiply an overload | [`RetryBudget`] |
//! | delays alone, to reconnect for ever | [`Backoff::delays`] |
//!
//! # Retry what can be retried
//! A 404 is the same the second time: **which errors are worth another attempt has to be said**, and
//! there is no [`Retry`] without it. An attempt that timed out, or whose reply was lost, may have
//! had its effect all the same: retry only what may happen twice, or send an **idempotency key**
//! (one for all attempts of a call, drawn before `run`) that the server remembers.
//!
//! # Take permits inside of the attempt
//! A task that backs off does nothing and must hold nothing: a permit, lock or connection that is
//! taken *around* [`Retry::run`] is held while it sleeps, and keeps out calls that would succeed.
//!
//! ```
//! # parcae::Sim::new(7).run(|| async {
//! # use parcae::{retry::Retry, sync::Mutex};
//! # async fn call(_: u32) -> Result<u32, &'static str> { Ok(7) }
//! # let line = Mutex::new(());
//! # let retry = Retry::builder().always::<&str>();
//! let reply = retry.run(async |attempt| {
//!     let _permit = line.lock().await; // let go before the back-off
//!     call(attempt).await
//! });
//! assert_eq!(reply.await, Ok(7));
//! # }).unwrap();
//! ```
//!
//! # Retry in one place
//! Three layers of three attempts each are 27 attempts at the bottom. Retry at one layer, or give
//! each a [`RetryBudget`].
//!
//! **When not to use it**: for a program's own bugs; to wait for something that says when it
//! happens ([`crate::sync::Event`]); where a late answer is as bad as none.
//!
//! It needs a parcae runtime as soon as it waits.

mod backoff;
mod budget;
mod error;
mod policy;

pub use backoff::{Backoff, Delays, Jitter};
pub use budget::RetryBudget;
pub use error::{Cause, RetryError};
pub use policy::{Retry, RetryBuilder};
