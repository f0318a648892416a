//! A connection in use.

use std::fmt;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use super::manage::Manage;
use super::shared::{Shared, now};
use super::state::Idle;
use crate::time::Instant;

/// A connection of a pool. Dropping it gives it back.
///
/// # Examples
/// A request that is cancelled halfway leaves a reply on its way: the next user of the connection would
/// take it for its own. So the connection counts as broken until the reply is there:
/// ```
/// # use parcae::pool::{Manage, Pooled};
/// # struct Database;
/// # impl Manage for Database {
/// #     type Connection = Vec<u32>;
/// #     type Error = std::convert::Infallible;
/// #     async fn connect(&self) -> Result<Vec<u32>, Self::Error> { Ok(Vec::new()) }
/// #     async fn is_healthy(&self, _: &mut Vec<u32>) -> bool { true }
/// # }
/// # async fn round_trip(_: &mut Vec<u32>) -> u32 { 42 }
/// async fn request(connection: &mut Pooled<Database>) -> u32 {
///     connection.poison();
///     let reply = round_trip(connection).await; // may be cancelled here
///     connection.clear_poison();
///     reply
/// }
/// ```
#[must_use = "dropping a connection gives it back at once"]
pub struct Pooled<M: Manage + 'static> {
    shared: Arc<Shared<M>>,
    /// None only while it is dropped.
    connection: Option<M::Connection>,
    made_at: Instant,
    is_poisoned: bool,
}

impl<M: Manage + 'static> Pooled<M> {
    pub(super) fn new(shared: Arc<Shared<M>>, idle: Idle<M::Connection>) -> Self {
        let Idle { connection, made_at, .. } = idle;
        Self { shared, connection: Some(connection), made_at, is_poisoned: false }
    }

    /// Lets the connection be closed instead of going back.
    pub fn poison(&mut self) {
        self.is_poisoned = true;
    }

    /// Takes [`Pooled::poison`] back.
    pub fn clear_poison(&mut self) {
        self.is_poisoned = false;
    }

    /// Tells whether the connection will be closed instead of going back.
    #[must_use]
    pub fn is_poisoned(&self) -> bool {
        self.is_poisoned
    }
}

impl<M: Manage + 'static> Deref for Pooled<M> {
    type Target = M::Connection;

    fn deref(&self) -> &M::Connection {
        self.connection.as_ref().expect(HELD)
    }
}

impl<M: Manage + 'static> DerefMut for Pooled<M> {
    fn deref_mut(&mut self) -> &mut M::Connection {
        self.connection.as_mut().expect(HELD)
    }
}

impl<M: Manage + 'static> Drop for Pooled<M> {
    fn drop(&mut self) {
        let Some(connection) = self.connection.take() else { return };
        let made_at = self.made_at;
        let now_in_run = now();
        let now = now_in_run.unwrap_or(made_at);
        let idle = Idle { connection, made_at, idle_since: now };
        self.shared.primitive.change(|state| {
            state.borrowed -= 1;
            state.unattended += usize::from(now_in_run.is_none());
            if self.is_poisoned {
                state.discard(idle);
            } else {
                state.put(idle, now);
            }
        });
        self.shared.drive();
    }
}

impl<M: Manage<Connection: fmt::Debug> + 'static> fmt::Debug for Pooled<M> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&**self, formatter)
    }
}

const HELD: &str = "a connection in use is held until it is dropped";
