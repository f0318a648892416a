//! Cleanup that awaits, and happens whatever becomes of the task.

use std::future::{Future, IntoFuture, poll_fn};
use std::panic::Location;
use std::time::Duration;

use crate::backend::{self, CleanupSpan, cleanups_of};
use crate::time::timeout;

/// Awaits a body, and then a cleanup: when the body has ended, when it panics and when it is cancelled.
///
/// The cleanup runs once, as a task of its own (`…/cleanup`), in the same virtual time and world. It
/// is *shielded*: cancelling whoever waits for it does not reach it. And it is *bounded*: after
/// [`GRACE`] it is dropped where it waits; [`finally_within`] takes another bound.
///
/// Who waits for it: the returned future, if it is still there; else
/// [`Task::cancel`](super::Task::cancel) and [`Task::join`](super::Task::join) of the task that was
/// cancelled, the [`timeout`] or group that dropped the body, and the end of the run. Other ways
/// to drop the future, [`select!`](crate::select) for one, do not wait themselves; but the task that did
/// so has not ended before the cleanup has.
///
/// **When not to use it**: where cleaning up needs no await. A destructor does it with less.
///
/// # Panics
/// Outside of a parcae runtime. A panic of the cleanup fails the run.
///
/// # Cancel safety
/// Dropping the returned future drops the body and leaves the cleanup behind. It is left out where
/// nothing can run any more (the domain of the task was killed, or is paused when the run ends; the run has
/// failed), and where the body never began.
///
/// # Examples
/// ```
/// # parcae::Sim::new(7).run(|| async {
/// use parcae::task::finally;
/// use parcae::time::{Instant, sleep, timeout};
/// use std::{future::pending, time::Duration};
///
/// let second = Duration::from_secs(1);
/// let start = Instant::now();
/// let work = finally(pending::<()>(), async move || sleep(second).await);
/// assert!(timeout(second, work).await.is_err());
/// assert_eq!(start.elapsed(), 2 * second, "the time-out waits for the cleanup");
/// # }).unwrap();
/// ```
#[track_caller]
pub fn finally<B, C>(body: B, cleanup: C) -> impl Future<Output = B::Output>
where
    B: IntoFuture,
    C: AsyncFnOnce() + 'static,
{
    finally_within(GRACE, body, cleanup)
}

/// Does what [`finally`] does, with another bound on the cleanup.
///
/// # Panics
/// Outside of a parcae runtime.
///
/// # Cancel safety
/// As [`finally`].
#[track_caller]
pub fn finally_within<B, C>(grace: Duration, body: B, cleanup: C) -> impl Future<Output = B::Output>
where
    B: IntoFuture,
    C: AsyncFnOnce() + 'static,
{
    let guard = Cleanup::new("parcae::task::finally", grace);
    let body = body.into_future();
    async move {
        let mut guard = guard.armed((), async move |()| cleanup().await);
        let output = body.await;
        guard.finish().await;
        output
    }
}

/// Opens a resource, lets a body use it, and closes it: when the body has ended, when it fails, when it
/// panics and when it is cancelled.
///
/// Closing is done as [`finally`] does it: once, shielded, within [`GRACE`]. When opening fails there is
/// nothing to close; whatever an `open` that is cancelled has opened, it owns. `close` returns
/// nothing: what it cannot do it has to say itself.
///
/// # Errors
/// That of `open` or of `body`.
///
/// # Panics
/// Outside of a parcae runtime. A panic of `close` fails the run.
///
/// # Cancel safety
/// Dropping the returned future drops the body and leaves the closing behind, as [`finally`] does.
///
/// # Examples
/// ```
/// # parcae::Sim::new(7).run(|| async {
/// use parcae::task::scope;
/// use parcae::time::sleep;
/// use std::time::Duration;
///
/// let result: Result<usize, String> = scope(
///     async { Ok(Vec::new()) },
///     async |lines: Vec<&str>| {
///         sleep(Duration::from_millis(5)).await; // flush
///         assert_eq!(lines, ["Nona"]);
///     },
///     async |lines| {
///         lines.push("Nona");
///         Ok(lines.len())
///     },
/// )
/// .await;
/// assert_eq!(result, Ok(1));
/// # }).unwrap();
/// ```
#[track_caller]
pub fn scope<O, C, B, R, T, E>(open: O, close: C, body: B) -> impl Future<Output = Result<T, E>>
where
    O: IntoFuture<Output = Result<R, E>>,
    C: AsyncFnOnce(R) + 'static,
    B: AsyncFnOnce(&mut R) -> Result<T, E>,
    R: 'static,
{
    let guard = Cleanup::new("parcae::task::scope", GRACE);
    let open = open.into_future();
    async move {
        let mut guard = guard.armed(open.await?, close);
        let result = body(guard.resource()).await;
        guard.finish().await;
        result
    }
}

/// How long a cleanup may take if it is not told otherwise.
pub const GRACE: Duration = Duration::from_secs(5);

/// How a cleanup is made, before there is anything to clean up.
struct Cleanup {
    grace: Duration,
    at: &'static Location<'static>,
}

impl Cleanup {
    #[track_caller]
    fn new(call: &str, grace: Duration) -> Self {
        backend::expect(call);
        Self { grace, at: Location::caller() }
    }

    fn armed<R, C>(self, resource: R, cleanup: C) -> Guard<R, C>
    where
        R: 'static,
        C: AsyncFnOnce(R) + 'static,
    {
        Guard { armed: Some((resource, cleanup)), how: self }
    }
}

/// Spawns a cleanup: when it is told to, or else when it is dropped.
struct Guard<R: 'static, C: AsyncFnOnce(R) + 'static> {
    armed: Option<(R, C)>,
    how: Cleanup,
}

impl<R: 'static, C: AsyncFnOnce(R) + 'static> Guard<R, C> {
    fn resource(&mut self) -> &mut R {
        &mut self.armed.as_mut().expect("a cleanup is armed until the body has ended").0
    }

    /// Spawns the cleanup and waits for it.
    async fn finish(&mut self) {
        let Some(span) = self.spawn() else { return };
        let at = self.how.at;
        poll_fn(|context| backend::poll_cleanups(&span, context.waker(), at)).await;
    }

    fn spawn(&mut self) -> Option<CleanupSpan> {
        let (resource, cleanup) = self.armed.take()?;
        let Cleanup { grace, at } = self.how;
        let bounded = async move {
            if timeout(grace, cleanup(resource)).await.is_err() {
                backend::note(|| format!("cleanup is cut after {grace:?} ({at})"));
                tracing::warn!(target: "parcae", %at, ?grace, "cleanup is cut");
            }
        };
        cleanups_of(|| backend::spawn_cleanup(bounded, at))
    }
}

impl<R: 'static, C: AsyncFnOnce(R) + 'static> Drop for Guard<R, C> {
    fn drop(&mut self) {
        self.spawn();
    }
}
