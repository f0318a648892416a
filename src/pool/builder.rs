//! Options of a pool.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::get::Pool;
use super::manage::Manage;
use super::shared::Shared;
use crate::task::{Task, spawn};

/// Options of a [`Pool`]; made by [`Pool::builder`].
///
/// # Examples
/// ```
/// # use parcae::pool::{Manage, Pool};
/// # struct Database;
/// # impl Manage for Database {
/// #     type Connection = ();
/// #     type Error = std::convert::Infallible;
/// #     async fn connect(&self) -> Result<(), Self::Error> { Ok(()) }
/// #     async fn is_healthy(&self, _: &mut ()) -> bool { true }
/// # }
/// # parcae::Sim::new(7).run(|| async {
/// use std::time::Duration;
///
/// let pool = Pool::builder(Database)
///     .min(5)
///     .max(20)
///     .overflow(10)
///     .acquire_timeout(Duration::from_secs(1))
///     .idle_timeout(Duration::from_secs(600))
///     .max_lifetime(Duration::from_secs(3600))
///     .test_on_acquire(true)
///     .named("database")
///     .build()
///     .await
///     .unwrap();
/// assert_eq!(pool.status().idle, 5);
/// # }).unwrap();
/// ```
#[must_use = "a builder does nothing before `build`"]
pub struct PoolBuilder<M> {
    manager: M,
    name: Option<&'static str>,
    options: Options,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Options {
    pub(super) min: usize,
    pub(super) max: usize,
    pub(super) overflow: usize,
    pub(super) acquire_timeout: Option<Duration>,
    pub(super) idle_timeout: Option<Duration>,
    pub(super) max_lifetime: Option<Duration>,
    pub(super) is_tested: bool,
}

impl Options {
    /// Returns how many connections there may be, those that do not stay among them.
    pub(super) fn limit(&self) -> usize {
        self.max.saturating_add(self.overflow)
    }
}

impl<M: Manage + 'static> PoolBuilder<M> {
    pub(super) fn new(manager: M) -> Self {
        let options = Options {
            min: 0,
            max: MAX_DEFAULT,
            overflow: 0,
            acquire_timeout: None,
            idle_timeout: None,
            max_lifetime: None,
            is_tested: false,
        };
        Self { manager, name: None, options }
    }

    /// Keeps at least so many connections; 0 if it is not set. They are made by
    /// [`PoolBuilder::build`], and made anew when one is closed.
    pub fn min(mut self, min: usize) -> Self {
        self.options.min = min;
        self
    }

    /// Keeps at most so many connections; 10 if it is not set.
    pub fn max(mut self, max: usize) -> Self {
        self.options.max = max;
        self
    }

    /// Makes so many more when all are in use; they are closed when they come back and nobody waits.
    pub fn overflow(mut self, count: usize) -> Self {
        self.options.overflow = count;
        self
    }

    /// Lets [`Pool::get`] give up after so long.
    pub fn acquire_timeout(mut self, timeout: Duration) -> Self {
        self.options.acquire_timeout = Some(timeout);
        self
    }

    /// Closes a connection that was idle for so long, when the pool is next used; but keeps
    /// [`PoolBuilder::min`] connections.
    pub fn idle_timeout(mut self, timeout: Duration) -> Self {
        self.options.idle_timeout = Some(timeout);
        self
    }

    /// Closes a connection that was made so long ago, when it is idle and the pool is next used.
    pub fn max_lifetime(mut self, lifetime: Duration) -> Self {
        self.options.max_lifetime = Some(lifetime);
        self
    }

    /// Tests an idle connection ([`Manage::is_healthy`]) before it is handed out.
    pub fn test_on_acquire(mut self, is_tested: bool) -> Self {
        self.options.is_tested = is_tested;
        self
    }

    /// Gives it a name for reports.
    pub fn named(mut self, name: &'static str) -> Self {
        self.name = Some(name);
        self
    }

    /// Makes the pool with its least number of connections, which are made beside each other. So a
    /// pool that cannot connect is found out at the start, and one that is not connected has no name.
    ///
    /// # Errors
    /// The first error, in the order of the connections; the others are given up.
    ///
    /// # Panics
    /// When `max` is 0 or less than `min`, and when connections are to be kept that live for no time.
    /// Outside of a parcae runtime.
    ///
    /// # Cancel safety
    /// Cancel safe: what was being made is given up.
    pub async fn build(self) -> Result<Pool<M>, M::Error> {
        let Options { min, max, max_lifetime, .. } = self.options;
        assert!(max > 0, "a pool has at least one connection");
        assert!(min <= max, "a pool keeps {min} connections and has at most {max}");
        // Each would be closed and made anew, for ever.
        let is_kept_for_no_time = min > 0 && max_lifetime == Some(Duration::ZERO);
        assert!(!is_kept_for_no_time, "a pool keeps {min} connections, but none for any time");
        let shared = Arc::new(Shared::new(self.manager, self.options, self.name));
        let first: Vec<Task<_>> = (0..min)
            .map(|_| {
                let shared = shared.clone();
                spawn(async move { shared.manager.connect().await })
            })
            .collect();
        let mut connections = Vec::with_capacity(min);
        for connection in first {
            connections.push(connection.await?);
        }
        shared.fill(connections);
        Ok(Pool::new(shared))
    }
}

impl<M> fmt::Debug for PoolBuilder<M> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("PoolBuilder")
            .field("name", &self.name)
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}

const MAX_DEFAULT: usize = 10;
