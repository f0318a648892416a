//! The handle of a child of a group.

use std::fmt;
use std::future::Future;
use std::panic::Location;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use super::state::Outcome;
use crate::task::handle::CancelHandle;

/// A child of a [`Group`](super::Group). Await it for its value; dropping it changes nothing, for the
/// child is the group's.
///
/// It is ready as soon as the child's future has ended: its cleanups are waited for by the group. When
/// the group has ended, every handle is ready.
///
/// # Panics
/// Awaiting a child that gave no value: it failed, panicked, was cancelled or refused. In the body
/// and in other children that shows only where a child is cancelled by hand, for they are dropped
/// when one fails; [`GroupTask::join`] returns it instead.
///
/// # Cancel safety
/// Awaiting `&mut task` is cancel safe.
pub struct GroupTask<V> {
    outcome: Arc<Outcome<V>>,
    /// None when the child was refused.
    handle: Option<CancelHandle>,
}

impl<V> GroupTask<V> {
    pub(super) fn new(outcome: Arc<Outcome<V>>, handle: Option<CancelHandle>) -> Self {
        Self { outcome, handle }
    }

    /// Cancels the child: its future is destroyed at its next turn. That is no failure of the group.
    /// Nothing happens when it has ended.
    ///
    /// # Examples
    /// ```
    /// # parcae::Sim::new(7).run(|| async {
    /// use parcae::task::{GroupTaskError, group};
    ///
    /// let end = group(async |group| {
    ///     let child = group.spawn(std::future::pending::<()>());
    ///     child.cancel();
    ///     Ok::<_, std::convert::Infallible>(child.join().await)
    /// });
    /// assert_eq!(end.await.unwrap(), Err(GroupTaskError::Cancelled));
    /// # }).unwrap();
    /// ```
    pub fn cancel(&self) {
        if let Some(handle) = &self.handle {
            handle.cancel();
        }
    }

    /// Waits for the child and returns its value, or why there is none.
    ///
    /// # Errors
    /// [`GroupTaskError`] says how it ended otherwise.
    ///
    /// # Cancel safety
    /// Dropping the future loses the value; the child runs on.
    #[track_caller]
    pub fn join(self) -> GroupJoin<V> {
        GroupJoin { task: self, at: Location::caller() }
    }

    /// Takes the value, or why there is none, if the child has ended and it was not taken before.
    ///
    /// # Examples
    /// ```
    /// # parcae::Sim::new(7).run(|| async {
    /// use parcae::task::group;
    ///
    /// let mut child = group(async |group| {
    ///     let mut child = group.spawn(async { 42 });
    ///     assert_eq!(child.result(), None);
    ///     Ok::<_, std::convert::Infallible>(child)
    /// })
    /// .await
    /// .unwrap();
    /// assert_eq!(child.result(), Some(Ok(42)));
    /// # }).unwrap();
    /// ```
    pub fn result(&mut self) -> Option<Result<V, GroupTaskError>> {
        self.outcome.take()
    }

    /// Tells whether the child's future has ended and its result was not taken.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        self.outcome.is_set()
    }

    fn poll_result(
        &self,
        context: &Context<'_>,
        at: &'static Location<'static>,
    ) -> Poll<Result<V, GroupTaskError>> {
        let poll = self.outcome.poll(context);
        if poll.is_pending()
            && let Some(handle) = &self.handle
        {
            handle.note_join(at);
        }
        poll
    }
}

impl<V> Future for GroupTask<V> {
    type Output = V;

    #[track_caller]
    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<V> {
        match ready!(self.poll_result(context, Location::caller())) {
            Ok(value) => Poll::Ready(value),
            Err(error) => panic!("a child of a group was awaited that gave no value: {error}"),
        }
    }
}

impl<V> fmt::Debug for GroupTask<V> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("GroupTask")
            .field("is_finished", &self.is_finished())
            .finish_non_exhaustive()
    }
}

/// Future of [`GroupTask::join`].
#[derive(Debug)]
#[must_use = "futures do nothing unless you `.await` or poll them"]
pub struct GroupJoin<V> {
    task: GroupTask<V>,
    at: &'static Location<'static>,
}

impl<V> Future for GroupJoin<V> {
    type Output = Result<V, GroupTaskError>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        self.task.poll_result(context, self.at)
    }
}

/// Why a child of a group gave no value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum GroupTaskError {
    /// It never began: its group had failed or ended when it was spawned.
    Refused,
    /// It was cancelled: by hand, with its group, or with its domain.
    Cancelled,
    /// It returned an error, which the group returns.
    Failed,
    /// It panicked, and the panic goes on where the group is awaited.
    Panicked,
}

impl fmt::Display for GroupTaskError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Refused => "the group takes no more children",
            Self::Cancelled => "the child was cancelled",
            Self::Failed => "the child failed",
            Self::Panicked => "the child panicked",
        })
    }
}

impl std::error::Error for GroupTaskError {}
