//! A future and its output, in one allocation.

use std::any::Any;
use std::fmt::Debug;
use std::future::Future;
use std::marker::PhantomData;
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

/// Which outputs are errors. A type and not a function, which would be kept in every task.
pub(super) trait Describe<T> {
    /// Returns the text of an output that is an error.
    fn describe(output: &T) -> Option<String>;
}

/// No output is, for the tasks of `spawn`.
pub(super) enum NoError {}

impl<T> Describe<T> for NoError {
    fn describe(_: &T) -> Option<String> {
        None
    }
}

/// An `Err` is, for the tasks of `spawn_try`.
pub(super) enum DebugError {}

impl<V, E: Debug> Describe<Result<V, E>> for DebugError {
    fn describe(output: &Result<V, E>) -> Option<String> {
        output.as_ref().err().map(|error| format!("{error:?}"))
    }
}

pin_project! {
    /// States: running -> done (output taken later) ; either -> empty.
    #[project = FutureCellProjection]
    pub(super) enum FutureCell<F, T, D> {
        Running { #[pin] future: F },
        Done { output: Option<T>, errors: PhantomData<D> },
        Empty,
    }
}

impl<F, T, D> FutureCell<F, T, D> {
    pub(super) fn new(future: F) -> Self {
        Self::Running { future }
    }
}

impl<F: Future<Output = T>, T: 'static, D: Describe<T>> TaskCell for FutureCell<F, T, D> {
    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let FutureCellProjection::Running { future } = self.as_mut().project() else {
            unreachable!("a task that ended is not polled");
        };
        let output = ready!(future.poll(context));
        self.set(Self::Done { output: Some(output), errors: PhantomData });
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
            Self::Done { output: Some(output), .. } => D::describe(output),
            _ => None,
        }
    }

    fn clear(mut self: Pin<&mut Self>) {
        self.set(Self::Empty);
    }
}

/// This file, in which futures of tasks are polled.
pub(super) const FILE: &str = file!();
