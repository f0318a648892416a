//! A pool, and waiting for a connection of it.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use super::builder::PoolBuilder;
use super::error::GetError;
use super::manage::Manage;
use super::pooled::Pooled;
use super::shared::{Shared, StateOf};
use super::state::{State, Status};
use crate::backend;
use crate::kernel::{Access, Verb};
use crate::sync::primitive::{Line, Wait};
use crate::time::{Instant, Sleep, sleep_until};

/// Connections that are made once and used by one task after the other.
///
/// Callers get one in the order in which they asked. An idle connection is used before a new one is
/// made, the one that became idle last first. A connection that comes back goes to the first who
/// waits. A clone is another handle of the same pool.
///
/// ```text
///               get                      dropped
///   connecting ────> borrowed ─────────────────────────> idle
///        |              ^      `─> poisoned: closed      |  ^
///        |              `──────────── get ───────────────'  |
///        `───── nobody waits any more ──────────────────────'
/// ```
///
/// # Examples
/// ```
/// # parcae::Sim::new(7).run(|| async {
/// use parcae::pool::{Manage, Pool};
/// use std::convert::Infallible;
///
/// struct Database;
///
/// impl Manage for Database {
///     type Connection = Vec<&'static str>;
///     type Error = Infallible;
///
///     async fn connect(&self) -> Result<Self::Connection, Infallible> {
///         Ok(Vec::new())
///     }
///
///     async fn is_healthy(&self, _: &mut Self::Connection) -> bool {
///         true
///     }
/// }
///
/// let pool = Pool::builder(Database).min(1).max(5).build().await.unwrap();
/// let mut connection = pool.get().await.unwrap();
/// connection.push("select 1");
/// drop(connection); // it goes back
/// assert_eq!(pool.status().idle, 1);
/// pool.close().await;
/// assert!(pool.get().await.is_err());
/// # }).unwrap();
/// ```
///
/// A connection that nobody gives back is a deadlock, and the report names the pool:
/// ```
/// # use parcae::{Sim, pool::{Manage, Pool}};
/// # struct Database;
/// # impl Manage for Database {
/// #     type Connection = ();
/// #     type Error = std::convert::Infallible;
/// #     async fn connect(&self) -> Result<(), Self::Error> { Ok(()) }
/// #     async fn is_healthy(&self, _: &mut ()) -> bool { true }
/// # }
/// let outcome = Sim::new(7).run(|| async {
///     let pool = Pool::builder(Database).max(1).named("database").build().await.unwrap();
///     let _first = pool.get().await.unwrap();
///     let _second = pool.get().await.unwrap();
/// });
/// let failure = outcome.into_result().unwrap_err().to_string();
/// assert!(failure.contains("`main` waits for Pool get of `database`"));
/// ```
pub struct Pool<M: Manage> {
    shared: Arc<Shared<M>>,
}

impl<M: Manage + 'static> Pool<M> {
    const GETTERS: Line<StateOf<M>> = Line { verb: &GET, waiters: |state| &mut state.getters };
    const CLOSERS: Line<StateOf<M>> = Line { verb: &CLOSE, waiters: |state| &mut state.closers };

    /// Begins a pool of the connections that the manager makes.
    pub fn builder(manager: M) -> PoolBuilder<M> {
        PoolBuilder::new(manager)
    }

    pub(super) fn new(shared: Arc<Shared<M>>) -> Self {
        Self { shared }
    }

    /// Waits for a connection that is free, or that is made for this call.
    ///
    /// The place in the line is taken at the first poll; the time of
    /// [`PoolBuilder::acquire_timeout`] begins with the call.
    ///
    /// # Errors
    /// [`GetError`]: the pool was closed, there was none in time, or one could not be made.
    ///
    /// # Panics
    /// Outside of a parcae runtime.
    ///
    /// # Cancel safety
    /// Cancel safe: a connection that was assigned to the future, is being made or is being tested
    /// goes to the next caller or to the idle ones. Only the place in the line is lost.
    #[track_caller]
    pub fn get(&self) -> Get<'_, M> {
        let timeout = self.shared.options.acquire_timeout;
        let deadline = timeout.map(|timeout| Instant::now().saturating_add(timeout));
        Get { pool: self, wait: Wait::new(), deadline, timer: None }
    }

    /// Closes the pool, and waits until every connection in use has come back.
    ///
    /// Once it has begun, [`Pool::get`] fails, and so do those who wait, in the order in which they
    /// came. Idle connections are closed at once, those in use when they come back, one that is
    /// being made or tested as soon as that is over; `close` does not wait for the latter.
    ///
    /// # Cancel safety
    /// A future that is dropped while it waits has closed the pool all the same.
    #[track_caller]
    pub fn close(&self) -> Close<'_, M> {
        Close { pool: self, wait: Wait::new() }
    }

    /// Tells whether it was closed.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.shared.primitive.read(|state| state.is_closed)
    }

    /// Returns how many connections there are and where.
    #[must_use]
    pub fn status(&self) -> Status {
        self.shared.primitive.read(StateOf::<M>::status)
    }

    /// Returns the manager.
    #[must_use]
    pub fn manager(&self) -> &M {
        &self.shared.manager
    }
}

impl<M: Manage> Clone for Pool<M> {
    fn clone(&self) -> Self {
        Self { shared: self.shared.clone() }
    }
}

impl<M: Manage + 'static> fmt::Debug for Pool<M> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Pool").field("status", &self.status()).finish_non_exhaustive()
    }
}

/// Future of [`Pool::get`].
#[must_use = "futures do nothing unless you `.await` or poll them"]
pub struct Get<'a, M: Manage + 'static> {
    pool: &'a Pool<M>,
    wait: Wait,
    deadline: Option<Instant>,
    /// Set once it waits.
    timer: Option<Sleep>,
}

impl<M: Manage + 'static> Future for Get<'_, M> {
    type Output = Result<Pooled<M>, GetError<M::Error>>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let shared = &self.pool.shared;
        let now = Instant::now();
        let served =
            self.wait.poll(context, &shared.primitive, &Pool::<M>::GETTERS, |state, place| {
                if state.is_closed { Some(None) } else { state.serve(place, now).map(Some) }
            });
        shared.drive();
        match served {
            Poll::Ready(None) => Poll::Ready(Err(GetError::Closed)),
            Poll::Ready(Some(Err(error))) => Poll::Ready(Err(GetError::Connect(error))),
            Poll::Ready(Some(Ok(idle))) => Poll::Ready(Ok(Pooled::new(shared.clone(), idle))),
            // Preempted is not "not ready", as in `timeout`.
            Poll::Pending if backend::is_preempted() => {
                context.waker().wake_by_ref();
                Poll::Pending
            }
            Poll::Pending => self.poll_timer(context).map(Err),
        }
    }
}

impl<M: Manage + 'static> Get<'_, M> {
    /// Waits for the end of the caller's patience, and leaves the line then.
    fn poll_timer(&mut self, context: &mut Context<'_>) -> Poll<GetError<M::Error>> {
        let shared = &self.pool.shared;
        let bound = self.deadline.zip(shared.options.acquire_timeout);
        let Some((deadline, after)) = bound else { return Poll::Pending };
        let timer = self.timer.get_or_insert_with(|| sleep_until(deadline));
        ready!(Pin::new(timer).poll(context));
        self.wait.leave(&shared.primitive, &Pool::<M>::GETTERS);
        shared.drive();
        Poll::Ready(GetError::TimedOut { after })
    }
}

impl<M: Manage + 'static> Drop for Get<'_, M> {
    fn drop(&mut self) {
        self.wait.leave(&self.pool.shared.primitive, &Pool::<M>::GETTERS);
        self.pool.shared.drive();
    }
}

impl<M: Manage + 'static> fmt::Debug for Get<'_, M> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Get").field("pool", &self.pool).finish_non_exhaustive()
    }
}

/// Future of [`Pool::close`].
#[must_use = "futures do nothing unless you `.await` or poll them"]
pub struct Close<'a, M: Manage + 'static> {
    pool: &'a Pool<M>,
    wait: Wait,
}

impl<M: Manage + 'static> Future for Close<'_, M> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let shared = &self.pool.shared;
        ready!(self.wait.arrive(context, &shared.primitive, &Pool::<M>::CLOSERS));
        shared.primitive.change(State::close);
        let poll = self.wait.poll(context, &shared.primitive, &Pool::<M>::CLOSERS, |state, _| {
            (state.borrowed == 0).then_some(())
        });
        shared.drive();
        poll
    }
}

impl<M: Manage + 'static> Drop for Close<'_, M> {
    fn drop(&mut self) {
        self.wait.leave(&self.pool.shared.primitive, &Pool::<M>::CLOSERS);
    }
}

impl<M: Manage + 'static> fmt::Debug for Close<'_, M> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Close").field("pool", &self.pool).finish_non_exhaustive()
    }
}

static GET: Verb = Verb::new("get", Access::Write);
static CLOSE: Verb = Verb::new("close", Access::Write);
