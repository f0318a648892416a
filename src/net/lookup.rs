//! Looking up the addresses of a name.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::panic::Location;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::vec;

use super::address::ToSocketAddrs;
use super::candidates::Candidates;
use crate::backend;

/// Looks up the addresses of a host: `"db-1:80"`, `("db-1", 80)`.
///
/// Numeric addresses are returned as they are, and no resolver is asked.
///
/// # Errors
/// [`InvalidInput`](io::ErrorKind::InvalidInput) for a text without a port; what the resolver says of a
/// name that it does not know.
///
/// # Panics
/// Outside of a parcae runtime.
///
/// # Cancel safety
/// Cancel safe. A lookup of the system goes on on its thread, and its result is dropped.
///
/// # Determinism
/// In a simulation, names of machines and of their groups are known; others are told by
/// [`Network::name`](crate::world::Network::name), with delays and failures, which are drawn.
///
/// # Examples
/// ```
/// # #[cfg(feature = "simulation")]
/// # parcae::Sim::new(7).run(|| async {
/// use parcae::{net::lookup_host, world};
///
/// let node = world::node("db-1").idle();
/// let address = lookup_host("db-1:80").await.unwrap().next().unwrap();
/// assert!(node.addresses().contains(&address.ip()));
/// # }).unwrap();
/// ```
///
/// ```
/// # #[cfg(feature = "real")]
/// parcae::real::run(async {
///     let mut addresses = parcae::net::lookup_host("localhost:80").await.unwrap();
///     assert!(addresses.all(|address| address.ip().is_loopback() && address.port() == 80));
/// });
/// ```
#[track_caller]
pub fn lookup_host(host: impl ToSocketAddrs) -> LookupHost {
    backend::expect("parcae::net::lookup_host");
    LookupHost { candidates: host.candidates(), at: Location::caller() }
}

/// Future of [`lookup_host`].
#[derive(Debug)]
#[must_use = "futures do nothing unless you `.await` or poll them"]
pub struct LookupHost {
    candidates: Candidates,
    at: &'static Location<'static>,
}

impl Future for LookupHost {
    type Output = io::Result<vec::IntoIter<SocketAddr>>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let at = self.at;
        self.candidates.poll_all(context, at)
    }
}
