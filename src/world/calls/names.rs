//! System calls of the resolver.

use std::io;
use std::net::SocketAddr;
use std::panic::Location;
use std::task::{Poll, Waker};

use super::super::host::Driver;
use super::super::socket::LookupKey;
use super::super::state::{State, with_state, with_state_if_any};
use crate::executor::{Resource, WakeTarget};

/// A lookup, as who waits for it holds it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct LookupHandle {
    pub(crate) key: LookupKey,
    pub(crate) serial: u64,
    /// Number of the resource, for points and reports.
    pub(crate) resource: u64,
}

impl LookupHandle {
    /// Returns the identity of the lookup, for points and what waits for it.
    pub(crate) fn identity(self, made_at: &'static Location<'static>) -> Resource {
        Resource::rebuilt(self.serial, self.resource, "Lookup", made_at)
    }
}

/// Asks for the addresses of a name, on the machine of the running task. A numeric address is its own
/// answer. The answer may be there at once.
#[track_caller]
pub(crate) fn lookup_start(name: &str, port: u16) -> LookupHandle {
    with_state("parcae::net::lookup_host", |state, driver| {
        let owner = state.nodes.owner_of(driver.running_domain());
        let (serial, resource) = (driver.serial(), driver.next_resource());
        if !state.nodes.is_alive(owner) {
            // It finds nothing, so polling it says that the machine is dead.
            let (sockets, mut outside) = state.parts(driver);
            let key = sockets.resolver.start(&mut outside, owner, ("0.0.0.0", port), resource);
            sockets.resolver.remove(&mut outside, key);
            return LookupHandle { key, serial, resource };
        }
        let (sockets, mut outside) = state.parts(driver);
        let key = sockets.resolver.start(&mut outside, owner, (name, port), resource);
        LookupHandle { key, serial, resource }
    })
}

/// Returns the answer, or has the task woken when it comes.
#[track_caller]
pub(crate) fn lookup_poll(
    handle: LookupHandle,
    waker: &Waker,
) -> Poll<io::Result<Vec<SocketAddr>>> {
    // Unborrowed: a foreign waker is code of the user's.
    let target = WakeTarget::of(waker);
    with_state("LookupHost::poll", |state, driver| {
        let is_own = is_used_at_home(state, driver, handle);
        let (sockets, mut outside) = state.parts(driver);
        if is_own {
            return sockets.resolver.poll(&mut outside, handle.key, target);
        }
        outside.wakes.let_go(target);
        let message = "the machine of this lookup is dead";
        Poll::Ready(Err(io::Error::new(io::ErrorKind::NotConnected, message)))
    })
}

/// Tells whether a lookup goes on or was answered; false when its process is dead.
///
/// # Panics
/// In another simulation, and when a task of another machine uses it.
#[track_caller]
fn is_used_at_home(state: &State, driver: &Driver<'_>, handle: LookupHandle) -> bool {
    assert!(
        handle.serial == driver.serial(),
        "a lookup was used inside of another simulation than its own"
    );
    let Some(lookup) = state.sockets.resolver.get(handle.key) else { return false };
    let user = state.nodes.of_domain(driver.running_domain());
    let name = |node| &*state.nodes.get(node).name;
    assert!(
        user == lookup.owner.node,
        "a lookup of `{}` was used by a task of `{}`",
        name(lookup.owner.node),
        name(user)
    );
    true
}

/// Forgets a lookup, from the destructor of who waits for it. It is no act, so it happens on a dead
/// machine too.
pub(crate) fn lookup_drop(handle: LookupHandle) {
    let _ = with_state_if_any(|state, driver| {
        if handle.serial == driver.serial() {
            let (sockets, mut outside) = state.parts(driver);
            sockets.resolver.remove(&mut outside, handle.key);
        }
    });
}
