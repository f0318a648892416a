//! The handle of a task.

use std::fmt;
use std::future::Future;
use std::panic::Location;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use crate::backend::{Handle, TaskRef};
use crate::ending::{JoinEnd, TaskPanic};
use crate::kernel::Place;

/// A task that was spawned. Await it for its output; dropping it cancels it.
///
/// The handle is `Send` and `Sync` if the output is `Send`. In a simulation it is a number, and of use
/// only inside of the run that made it: awaiting it elsewhere panics, dropping it elsewhere does nothing.
/// On real time any thread may await or drop it, also one outside of the runtime.
///
/// A task that panicked panics on in whoever awaits it; [`Task::join`] returns the panic instead. A
/// panic that nobody observes fails the run.
///
/// # Cancel safety
/// Awaiting `&mut task` is cancel safe. Dropping the task itself cancels it: the future is
/// destroyed at the task's next turn, in its own context, before time moves.
///
/// # Examples
/// ```
/// # parcae::Sim::new(7).run(|| async {
/// use std::time::Duration;
/// let task = parcae::spawn(async {
///     parcae::time::sleep(Duration::from_secs(3600)).await;
/// });
/// drop(task); // cancelled
/// # }).unwrap();
/// ```
#[must_use = "dropping a task cancels it: await it, or call `detach`"]
pub struct Task<T> {
    /// None when it was let go.
    handle: Option<Handle<T>>,
}

impl<T> Task<T> {
    pub(super) fn new(handle: Handle<T>) -> Self {
        Self { handle: Some(handle) }
    }

    /// Lets the task go on without its handle. It must end before the program does: if it is still
    /// alive then, a simulation fails with `Failure::Leak`. On real time it is cancelled, as those that
    /// are in the background.
    pub fn detach(mut self) {
        self.let_go(false);
    }

    /// Lets the task go on without its handle, and be cancelled when the program ends.
    pub fn background(mut self) {
        self.let_go(true);
    }

    fn let_go(&mut self, is_background: bool) {
        if let Some(handle) = self.handle.take() {
            handle.detach(is_background);
        }
    }

    /// Cancels the task and waits until its future is destroyed. Returns the output if it had ended
    /// before.
    ///
    /// # Panics
    /// If the task had panicked, with its panic.
    ///
    /// # Cancel safety
    /// Dropping the returned future leaves the task cancelled.
    ///
    /// # Examples
    /// ```
    /// # parcae::Sim::new(7).run(|| async {
    /// let task = parcae::spawn(std::future::pending::<()>());
    /// assert_eq!(task.cancel().await, None);
    /// # }).unwrap();
    /// ```
    #[track_caller]
    pub fn cancel(self) -> Cancel<T> {
        self.handle().cancel();
        Cancel { task: self, at: Location::caller() }
    }

    /// Waits for the task and returns its output, or how else it ended.
    ///
    /// # Errors
    /// [`JoinError::Panicked`] if it panicked, [`JoinError::Cancelled`] if it was cancelled (through a
    /// [`CancelHandle`]), [`JoinError::Gone`] if it was destroyed with its domain.
    ///
    /// # Cancel safety
    /// Dropping the returned future cancels the task.
    ///
    /// # Examples
    /// ```
    /// # parcae::Sim::new(7).run(|| async {
    /// let task = parcae::spawn(async { panic!("out of cheese") });
    /// let error: parcae::task::JoinError = task.join().await.unwrap_err();
    /// assert!(error.to_string().contains("out of cheese"));
    /// # }).unwrap();
    /// ```
    #[track_caller]
    pub fn join(self) -> Join<T> {
        Join { task: self, at: Location::caller() }
    }

    /// Waits for its end: none if it ended without a value. A panic goes on here, with its place.
    #[track_caller]
    pub(crate) fn end(self) -> Cancel<T> {
        Cancel { task: self, at: Location::caller() }
    }

    /// Returns what cancels the task from elsewhere, while this handle is awaited or given away.
    ///
    /// # Examples
    /// ```
    /// # parcae::Sim::new(7).run(|| async {
    /// use parcae::task::JoinError;
    ///
    /// let task = parcae::spawn(std::future::pending::<()>());
    /// let handle = task.cancel_handle();
    /// parcae::spawn(async move { handle.cancel() }).detach();
    /// assert!(matches!(task.join().await, Err(JoinError::Cancelled)));
    /// # }).unwrap();
    /// ```
    pub fn cancel_handle(&self) -> CancelHandle {
        CancelHandle { task: self.task_ref() }
    }

    /// Tells whether the task has ended: returned, panicked or been destroyed. True outside of its
    /// run.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        self.handle().is_finished()
    }

    /// Returns the name that reports use, or an empty text when the task or its run is gone.
    #[must_use]
    pub fn name(&self) -> String {
        self.handle().name()
    }

    #[inline]
    fn handle(&self) -> &Handle<T> {
        self.handle.as_ref().expect("a task that is let go is not used again")
    }

    pub(super) fn task_ref(&self) -> TaskRef {
        self.handle().task()
    }
}

impl<T: 'static> Task<T> {
    pub(super) fn poll_end(
        &self,
        context: &Context<'_>,
        at: &'static Location<'static>,
    ) -> Poll<JoinEnd<T>> {
        self.handle().poll_join(context.waker(), at)
    }
}

impl<T: 'static> Future for Task<T> {
    type Output = T;

    #[track_caller]
    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<T> {
        match ready!(self.poll_end(context, Location::caller())) {
            JoinEnd::Value(value) => Poll::Ready(value),
            JoinEnd::Panicked(panic) => panic.resume(),
            JoinEnd::Cancelled => panic!("a task was awaited that was cancelled"),
            JoinEnd::Gone => panic!(
                "a task was awaited that was destroyed with its domain, whose run was over, or that \
                 has given its output before"
            ),
        }
    }
}

impl<T> Drop for Task<T> {
    fn drop(&mut self) {
        if let Some(handle) = &self.handle {
            handle.abandon();
        }
    }
}

impl<T> fmt::Debug for Task<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Task").field(&self.name()).finish()
    }
}

/// Cancels a task whose handle somebody else has; made by [`Task::cancel_handle`].
///
/// It is `Send` and `Sync` whatever the output is, and of use where the [`Task`] is. Dropping it does
/// nothing.
#[derive(Clone, Debug)]
#[must_use = "it does nothing before `cancel`"]
pub struct CancelHandle {
    task: TaskRef,
}

impl CancelHandle {
    /// Cancels the task: its future is destroyed at its next turn. Nothing happens when it has ended:
    /// what it returned stays its output.
    pub fn cancel(&self) {
        self.task.cancel();
    }

    /// Tells whether the task has ended, as [`Task::is_finished`] does.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        self.task.is_finished()
    }

    pub(super) fn note_join(&self, at: &'static Location<'static>) {
        self.task.note_join(at);
    }
}

/// Future of [`Task::cancel`].
#[derive(Debug)]
#[must_use = "futures do nothing unless you `.await` or poll them"]
pub struct Cancel<T> {
    task: Task<T>,
    at: &'static Location<'static>,
}

impl<T: 'static> Future for Cancel<T> {
    type Output = Option<T>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<T>> {
        match ready!(self.task.poll_end(context, self.at)) {
            JoinEnd::Value(value) => Poll::Ready(Some(value)),
            JoinEnd::Panicked(panic) => panic.resume(),
            JoinEnd::Cancelled | JoinEnd::Gone => Poll::Ready(None),
        }
    }
}

/// Future of [`Task::join`].
#[derive(Debug)]
#[must_use = "futures do nothing unless you `.await` or poll them"]
pub struct Join<T> {
    task: Task<T>,
    at: &'static Location<'static>,
}

impl<T: 'static> Future for Join<T> {
    type Output = Result<T, JoinError>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<T, JoinError>> {
        self.task.poll_end(context, self.at).map(JoinError::result_of)
    }
}

/// How a task ended that did not return.
#[derive(Debug)]
#[non_exhaustive]
pub enum JoinError {
    /// It panicked.
    Panicked {
        /// The panic's message.
        message: String,
        /// Where it panicked, where that is known.
        place: Option<Place>,
        /// What it panicked with.
        payload: Box<dyn std::any::Any + Send>,
    },
    /// It was cancelled before it returned.
    Cancelled,
    /// It was destroyed with its domain or its run, or never began there.
    Gone,
}

impl JoinError {
    pub(super) fn result_of<T>(end: JoinEnd<T>) -> Result<T, Self> {
        match end {
            JoinEnd::Value(value) => Ok(value),
            JoinEnd::Panicked(panic) => Err(Self::panicked(*panic)),
            JoinEnd::Cancelled => Err(Self::Cancelled),
            JoinEnd::Gone => Err(Self::Gone),
        }
    }

    fn panicked(panic: TaskPanic) -> Self {
        let (message, place) = (panic.message(), panic.place());
        Self::Panicked { message, place, payload: panic.payload }
    }
}

impl fmt::Display for JoinError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Panicked { message, place: Some(place), .. } => {
                write!(formatter, "the task panicked at {place}: {message}")
            }
            Self::Panicked { message, .. } => write!(formatter, "the task panicked: {message}"),
            Self::Cancelled => formatter.write_str("the task was cancelled"),
            Self::Gone => {
                formatter.write_str("the task was destroyed with its domain, or its run was over")
            }
        }
    }
}

impl std::error::Error for JoinError {}
