//! Looking up the addresses of a name.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::vec;

use super::address::ToSocketAddrs;
use super::candidates::Candidates;
use super::socket::expect_backend;

/// Looks up the addresses of a host: `"db-1:80"`, `("db-1", 80)`.
///
/// Numeric addresses are returned as they are, and no resolver is asked.
///
/// # Errors
/// [`InvalidInput`](io::ErrorKind::InvalidInput) for a text without a port; what the resolver says of a
/// name that it does not know.
///
/// # Panics
/// Outside of a parcae runtime, and in a simulation, which has no network yet.
///
/// # Cancel safety
/// Cancel safe. A lookup of the system goes on on its thread, and its result is dropped.
///
/// # Examples
/// ```
/// # #[cfg(feature = "real")]
/// parcae::real::run(async {
///     let mut addresses = parcae::net::lookup_host("localhost:80").await.unwrap();
///     assert!(addresses.all(|address| address.ip().is_loopback() && address.port() == 80));
/// });
/// ```
#[track_caller]
pub fn lookup_host(host: impl ToSocketAddrs) -> LookupHost {
    expect_backend("parcae::net::lookup_host");
    LookupHost { candidates: host.candidates() }
}

/// Future of [`lookup_host`].
#[derive(Debug)]
#[must_use = "futures do nothing unless you `.await` or poll them"]
pub struct LookupHost {
    candidates: Candidates,
}

impl Future for LookupHost {
    type Output = io::Result<vec::IntoIter<SocketAddr>>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        self.candidates.poll_all(context)
    }
}
