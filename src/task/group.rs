//! Tasks that end before the code that started them goes on.

mod error;
mod state;
mod task;

use std::fmt;
use std::future::Future;
use std::panic::Location;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use pin_project_lite::pin_project;

pub use self::error::GroupError;
pub use self::task::{GroupJoin, GroupTask, GroupTaskError};

use self::state::{Child, Outcome, Shared};
use super::builder::Builder;
use super::end_order::leave_behind;
use crate::backend::{self, CleanupSpan, catch_panic, cleanups_of};
use crate::ending::{JoinEnd, TaskPanic};

/// Runs a body that may spawn children, and waits for it and for all of them.
///
/// The body gets a [`Group`], through which it spawns; children may spawn into the same group while
/// it is open. What the group promises:
///
/// * It is ready only when the body and all children have ended, with their cleanups (see
///   [`finally`](super::finally)).
/// * The first failure (an error of the body or of a child made by [`Group::spawn_try`]) drops the
///   body's future and cancels all children. A child whose cancellation was asked for by
///   [`GroupTask::cancel`] has not failed.
/// * No error is lost: [`GroupError`] has them all, in the order in which they came.
/// * A panic of the body or of a child does the same as a failure, and goes on here when all have
///   ended, as in [`std::thread::scope`]. Errors are then lost behind it; of several panics the first
///   goes on.
/// * Dropping the returned future cancels the body and all children; nothing is detached. The task that
///   dropped it ends, and a [`timeout`](crate::time::timeout()) that did returns, after they have ended.
/// * A group that has failed or ended takes no more children: the future is dropped unpolled, and its
///   handle says so. So children that keep spawning cannot keep a failed group alive.
///
/// Give the type of the error where nothing else does: `Ok::<_, Infallible>(value)`. The error of a
/// group inside of a group is a [`GroupError`] too: nested groups keep their shape.
///
/// **When not to use it**: for a fixed set of tasks with one type of value,
/// [`gather`](super::gather()) and [`try_gather`](super::try_gather()) are shorter.
///
/// # Errors
/// [`GroupError`] when the body or a child failed.
///
/// # Panics
/// When the body or a child panicked, with its panic. When it is polled outside of a parcae runtime
/// and has children.
///
/// # Cancel safety
/// Dropping the future cancels the body and the children.
///
/// # Examples
/// ```
/// # parcae::Sim::new(7).run(|| async {
/// use parcae::task::group;
/// use parcae::time::sleep;
/// use std::time::Duration;
///
/// let sum = group(async |group| {
///     let one = group.spawn(async { 1 });
///     let two = group.spawn_try(async { "2".parse::<i32>() });
///     Ok(one.await + two.await)
/// });
/// assert_eq!(sum.await.unwrap(), 3);
///
/// let failed = group(async |group| {
///     group.spawn_try(async { "x".parse::<i32>() });
///     sleep(Duration::from_secs(3600)).await; // cut short
///     Ok(())
/// });
/// assert_eq!(failed.await.unwrap_err().errors().len(), 1);
/// # }).unwrap();
/// ```
#[track_caller]
pub fn group<E, T, B, F>(body: B) -> RunGroup<F, T, E>
where
    B: FnOnce(Group<E>) -> F,
    F: Future<Output = Result<T, E>>,
{
    let mut group = RunGroup {
        body: None,
        shared: Arc::new(Shared::new()),
        value: None,
        panic: None,
        cleanups: None,
        at: Location::caller(),
    };
    // Called when there is a group to drop: it may spawn and panic.
    group.body = Some(body(Group { shared: group.shared.clone() }));
    group
}

/// Spawns into a group; given to the body of [`group()`]. Clones spawn into the same group.
///
/// It is `Send` and `Sync` if the error is `Send`.
pub struct Group<E> {
    shared: Arc<Shared<E>>,
}

impl<E: 'static> Group<E> {
    /// Spawns a child that cannot fail. A `Result` that it returns is a value like any other.
    ///
    /// Dropping the handle does not cancel the child: it is the group's.
    ///
    /// # Panics
    /// Outside of a parcae runtime.
    ///
    /// # Examples
    /// ```
    /// # parcae::Sim::new(7).run(|| async {
    /// use parcae::task::group;
    /// use std::convert::Infallible;
    ///
    /// let sum = group(async |group| {
    ///     let parts = [group.spawn(async { 1 }), group.spawn(async { 2 })];
    ///     let mut sum = 0;
    ///     for part in parts {
    ///         sum += part.await;
    ///     }
    ///     Ok::<_, Infallible>(sum)
    /// });
    /// assert_eq!(sum.await.unwrap(), 3);
    /// # }).unwrap();
    /// ```
    #[track_caller]
    pub fn spawn<F>(&self, future: F) -> GroupTask<F::Output>
    where
        F: Future + 'static,
    {
        self.spawn_with(Builder::new(), future)
    }

    /// Spawns a child that cannot fail, with a name; see [`Group::spawn`].
    ///
    /// # Panics
    /// Outside of a parcae runtime.
    #[track_caller]
    pub fn spawn_named<F>(
        &self,
        name: impl Into<std::borrow::Cow<'static, str>>,
        future: F,
    ) -> GroupTask<F::Output>
    where
        F: Future + 'static,
    {
        self.spawn_with(Builder::new().name(name), future)
    }

    /// Spawns a child whose error fails the group.
    ///
    /// # Panics
    /// Outside of a parcae runtime.
    ///
    /// # Examples
    /// ```
    /// # parcae::Sim::new(7).run(|| async {
    /// use parcae::task::group;
    ///
    /// let failed = group(async |group| {
    ///     group.spawn_try(async { Err::<(), _>("no") });
    ///     std::future::pending().await
    /// });
    /// let result: Result<(), _> = failed.await;
    /// assert_eq!(result.unwrap_err().into_errors(), ["no"]);
    /// # }).unwrap();
    /// ```
    #[track_caller]
    pub fn spawn_try<F, V>(&self, future: F) -> GroupTask<V>
    where
        F: Future<Output = Result<V, E>> + 'static,
        V: 'static,
    {
        self.spawn_try_with(Builder::new(), future)
    }

    /// Spawns a child that cannot fail, with a name or other options; see [`Group::spawn`].
    ///
    /// # Panics
    /// Outside of a parcae runtime.
    ///
    /// # Examples
    /// ```
    /// # parcae::Sim::new(7).run(|| async {
    /// use parcae::task::{Builder, group};
    ///
    /// let result = group(async |group| {
    ///     let flush = group.spawn_with(Builder::new().name("flush"), async { 42 });
    ///     Ok::<_, std::convert::Infallible>(flush.await)
    /// });
    /// assert_eq!(result.await.unwrap(), 42);
    /// # }).unwrap();
    /// ```
    #[track_caller]
    pub fn spawn_with<F>(&self, builder: Builder, future: F) -> GroupTask<F::Output>
    where
        F: Future + 'static,
    {
        self.spawn_child(builder, future, Ok)
    }

    /// Spawns a child whose error fails the group, with a name or other options.
    ///
    /// # Panics
    /// Outside of a parcae runtime.
    #[track_caller]
    pub fn spawn_try_with<F, V>(&self, builder: Builder, future: F) -> GroupTask<V>
    where
        F: Future<Output = Result<V, E>> + 'static,
        V: 'static,
    {
        self.spawn_child(builder, future, |result| result)
    }

    #[track_caller]
    fn spawn_child<F, V>(
        &self,
        builder: Builder,
        future: F,
        split: fn(F::Output) -> Result<V, E>,
    ) -> GroupTask<V>
    where
        F: Future + 'static,
        V: 'static,
    {
        let outcome = Arc::new(Outcome::new());
        let Some(number) = self.shared.admit() else {
            outcome.refuse();
            drop(future);
            return GroupTask::new(outcome, None);
        };
        let child = Child::new(future, split, number, self.shared.clone(), outcome.clone());
        let task = builder.spawn(child);
        let handle = task.cancel_handle();
        self.shared.add(number, task);
        GroupTask::new(outcome, Some(handle))
    }

    /// Fails the group with an error that no child returned, such as one of a destructor or cleanup.
    /// It stands among the errors in its turn; if it is the first, everything is cancelled.
    ///
    /// # Errors
    /// The error, when the group has ended.
    ///
    /// # Examples
    /// ```
    /// # parcae::Sim::new(7).run(|| async {
    /// use parcae::task::{Group, group};
    ///
    /// struct Session(Group<&'static str>);
    /// impl Drop for Session {
    ///     fn drop(&mut self) {
    ///         self.0.fail("the session was cut off").expect("children end before their group");
    ///     }
    /// }
    ///
    /// let result: Result<(), _> = group(async |group| {
    ///     let session = Session(group.clone());
    ///     group.spawn(async move {
    ///         let _session = session;
    ///         std::future::pending::<()>().await;
    ///     });
    ///     parcae::task::yield_now().await;
    ///     Err("the server failed")
    /// })
    /// .await;
    /// let errors = result.unwrap_err().into_errors();
    /// assert_eq!(errors, ["the server failed", "the session was cut off"]);
    /// # }).unwrap();
    /// ```
    pub fn fail(&self, error: E) -> Result<(), E> {
        self.shared.fail(error)
    }

    /// Counts the children that have not ended, or that the group has not noticed yet: it does when
    /// it is polled, which the end of a child brings about. Ended children are forgotten.
    #[must_use]
    pub fn child_count(&self) -> usize {
        self.shared.child_count()
    }

    /// Tells whether the group takes children: it has not failed, and not ended.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.shared.is_open()
    }
}

impl<E> Clone for Group<E> {
    fn clone(&self) -> Self {
        Self { shared: self.shared.clone() }
    }
}

impl<E> fmt::Debug for Group<E> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Group")
            .field("child_count", &self.shared.child_count())
            .field("is_open", &self.shared.is_open())
            .finish_non_exhaustive()
    }
}

pin_project! {
    /// Future of [`group()`].
    #[must_use = "futures do nothing unless you `.await` or poll them"]
    pub struct RunGroup<F, T, E> {
        // None when it has ended.
        #[pin]
        body: Option<F>,
        shared: Arc<Shared<E>>,
        value: Option<T>,
        // The first panic of the body or a child.
        panic: Option<Box<TaskPanic>>,
        // What the body left behind when it was dropped.
        cleanups: Option<CleanupSpan>,
        at: &'static Location<'static>,
    }

    impl<F, T, E> PinnedDrop for RunGroup<F, T, E> {
        fn drop(this: Pin<&mut Self>) {
            let this = this.project();
            leave_behind(this.shared.close().into_values().collect(), this.at);
        }
    }
}

impl<F, T, E> Future for RunGroup<F, T, E>
where
    F: Future<Output = Result<T, E>>,
{
    type Output = Result<T, GroupError<E>>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        self.shared.watch(context);
        loop {
            self.as_mut().reap();
            if self.body.is_none() {
                break;
            }
            ready!(self.as_mut().poll_body(context));
        }
        ready!(self.as_mut().poll_last());
        ready!(self.as_mut().poll_cleanups(context));
        let this = self.project();
        let children = this.shared.close();
        assert!(children.is_empty(), "a group ends after its children");
        if let Some(panic) = this.panic.take() {
            panic.resume();
        }
        let errors = this.shared.take_errors();
        Poll::Ready(match this.value.take() {
            Some(value) if errors.is_empty() => Ok(value),
            _ => Err(GroupError::new(errors)),
        })
    }
}

impl<F, T, E> RunGroup<F, T, E>
where
    F: Future<Output = Result<T, E>>,
{
    /// Polls the body, or drops it if the group has failed. Ready when there is no body any more.
    fn poll_body(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let mut this = self.project();
        if let Some(body) = this.body.as_mut().as_pin_mut()
            && this.shared.is_open()
        {
            match catch_panic(|| body.poll(context)) {
                Ok(Poll::Pending) => return Poll::Pending,
                Ok(Poll::Ready(Ok(value))) => *this.value = Some(value),
                Ok(Poll::Ready(Err(error))) => drop(this.shared.fail(error)),
                Err(panic) => {
                    this.panic.get_or_insert(panic);
                    this.shared.abort();
                }
            }
        }
        *this.cleanups = cleanups_of(|| this.body.set(None));
        Poll::Ready(())
    }

    /// Waits for what the body left behind when it was dropped.
    fn poll_cleanups(self: Pin<&mut Self>, context: &Context<'_>) -> Poll<()> {
        let Some(span) = &self.cleanups else { return Poll::Ready(()) };
        backend::poll_cleanups(span, context.waker(), self.at)
    }

    /// Lets go of the children that have ended.
    fn reap(self: Pin<&mut Self>) {
        let this = self.project();
        while let Some(number) = this.shared.next_end() {
            if let Some(Poll::Ready(JoinEnd::Panicked(panic))) =
                this.shared.poll_child(number, this.at)
            {
                this.panic.get_or_insert(panic);
                this.shared.abort();
            }
        }
    }

    /// Waits for the children that are left, now that there is no body.
    fn poll_last(self: Pin<&mut Self>) -> Poll<()> {
        let this = self.project();
        while let Some(number) = this.shared.first_child() {
            // Its end is noticed without this; but a report of a deadlock says who is waited for. One of
            // another thread may have ended since its end was looked for.
            match this.shared.poll_child(number, this.at) {
                Some(Poll::Pending) => return Poll::Pending,
                Some(Poll::Ready(JoinEnd::Panicked(panic))) => {
                    this.panic.get_or_insert(panic);
                    this.shared.abort();
                }
                Some(Poll::Ready(_)) | None => {}
            }
        }
        if this.shared.awaits_child() { Poll::Pending } else { Poll::Ready(()) }
    }
}

impl<F, T, E> fmt::Debug for RunGroup<F, T, E> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("RunGroup")
            .field("child_count", &self.shared.child_count())
            .field("is_open", &self.shared.is_open())
            .finish_non_exhaustive()
    }
}
