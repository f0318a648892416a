//! A future and its output, in one allocation.

use std::any::Any;
use std::fmt::Debug;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use pin_project_lite::pin_project;

/// A task's future, later its output, behind one vtable.
pub(super) trait TaskCell {
    /// Polls the future; keeps its output.
    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()>;

    /// Returns the `Option<T>` that holds the output, for a task that is done.
    fn output(self: Pin<&mut Self>) -> Option<&mut dyn Any>;

    /// Returns the text of the error, if the output is one.
    fn error(&self) -> Option<String>;

    /// Drops the future or the output, whichever there is.
    fn clear(self: Pin<&mut Self>);
}

/// Returns the text of an output that is an error.
pub(super) type Describe<T> = fn(&T) -> Option<String>;

pin_project! {
    /// States: running -> done (output taken later) ; either -> empty.
    #[project = FutureCellProjection]
    pub(super) enum FutureCell<F, T> {
        Running { #[pin] future: F, describe: Option<Describe<T>> },
        Done { output: Option<T>, describe: Option<Describe<T>> },
        Empty,
    }
}

impl<F, T> FutureCell<F, T> {
    pub(super) fn new(future: F, describe: Option<Describe<T>>) -> Self {
        Self::Running { future, describe }
    }
}

impl<F: Future<Output = T>, T: 'static> TaskCell for FutureCell<F, T> {
    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let FutureCellProjection::Running { future, describe } = self.as_mut().project() else {
            unreachable!("a task that ended is not polled");
        };
        let describe = *describe;
        let output = ready!(future.poll(context));
        self.set(Self::Done { output: Some(output), describe });
        Poll::Ready(())
    }

    fn output(self: Pin<&mut Self>) -> Option<&mut dyn Any> {
        match self.project() {
            FutureCellProjection::Done { output, .. } => Some(output),
            FutureCellProjection::Running { .. } | FutureCellProjection::Empty => None,
        }
    }

    fn error(&self) -> Option<String> {
        match self {
            Self::Done { output: Some(output), describe: Some(describe) } => describe(output),
            _ => None,
        }
    }

    fn clear(mut self: Pin<&mut Self>) {
        self.set(Self::Empty);
    }
}

/// Returns the text of an `Err`, for the tasks of `spawn_try`.
pub(super) fn describe_result<V, E: Debug>(output: &Result<V, E>) -> Option<String> {
    output.as_ref().err().map(|error| format!("{error:?}"))
}

/// This file, in which futures of tasks are polled.
pub(super) const FILE: &str = file!();
