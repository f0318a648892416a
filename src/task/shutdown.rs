//! Being asked to end.

use super::CancelToken;
use crate::backend;
#[cfg(feature = "simulation")]
use crate::context;
#[cfg(feature = "simulation")]
use crate::executor::{DomainId, Executor};

/// Returns the token that is cancelled when this program is to end.
///
/// On real time it is cancelled by Ctrl-C and SIGTERM, if the runtime was told to hear of them, as
/// `#[parcae::main]` does. Then the program has its grace to end by itself: to take no more work, to finish
/// what it has, to say good-bye. In a simulation nobody cancels it but the test. Each simulated machine has
/// one of its own; on real time the program has one, whichever worker asks.
///
/// # Panics
/// Outside of a parcae runtime.
///
/// # Examples
/// ```
/// # parcae::Sim::new(7).run(|| async {
/// use parcae::task::{CancelReason, shutdown_token};
///
/// let service = parcae::spawn(async { shutdown_token().cancelled().await });
/// shutdown_token().cancel("SIGTERM");
/// assert_eq!(service.await, CancelReason::from("SIGTERM"));
/// # }).unwrap();
/// ```
#[must_use]
#[track_caller]
pub fn shutdown_token() -> CancelToken {
    let make = || Shutdown(CancelToken::new().named("shutdown"));
    backend::shared_local("parcae::task::shutdown_token", make).0
}

/// Returns the token of a domain's tasks.
#[cfg(feature = "simulation")]
pub(crate) fn shutdown_token_of(domain: DomainId) -> CancelToken {
    let make = || Shutdown(CancelToken::new().named("shutdown"));
    let local =
        context::expect("Node::stop", |executor: &Executor| executor.domain_local_of(domain, make));
    local.0.clone()
}

/// Tells the token from others that a run may keep.
#[derive(Clone)]
struct Shutdown(CancelToken);
