//! A task and its output.

use std::fmt::{self, Debug};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};

use super::Worker;
use super::core::{Ownership, TaskCore};
use super::run::Trouble;
use crate::context;
use crate::ending::{JoinEnd, PanicNote, TaskPanic};

/// A task and where its output is left. As `Send` as the output.
pub(crate) struct Handle<T> {
    pub(crate) core: Arc<TaskCore>,
    output: Arc<Output<T>>,
}

struct Output<T> {
    end: Mutex<Option<JoinEnd<T>>>,
    /// The error in it that nobody may overlook.
    error_of: fn(&T) -> Option<&dyn Debug>,
}

impl<T> Handle<T> {
    pub(super) fn new(core: TaskCore, error_of: fn(&T) -> Option<&dyn Debug>) -> Self {
        Self { core: Arc::new(core), output: Arc::new(Output { end: Mutex::new(None), error_of }) }
    }

    /// Takes the end of a task that has ended, once; else joins it.
    pub(crate) fn poll_join(&self, waker: &Waker) -> Poll<JoinEnd<T>> {
        self.core.poll_finished(waker).map(|()| self.lock().take().unwrap_or(JoinEnd::Gone))
    }

    /// Takes what a task has left that has come to its end, also before its cleanups have ended; else
    /// waits for that.
    pub(crate) fn poll_left(&self, waker: &Waker) -> Poll<JoinEnd<T>> {
        if let poll @ Poll::Ready(_) = self.poll_join(waker) {
            return poll;
        }
        // It may have been left since the first look, which is before the waker was.
        self.lock().take().map_or(Poll::Pending, Poll::Ready)
    }

    /// Lets go of the task: cancels it, or reports what nobody observed.
    pub(crate) fn abandon(&self) {
        if self.core.let_go() {
            self.overlook();
        } else {
            self.core.cancel();
        }
    }

    /// Lets the task go on without a handle.
    pub(crate) fn detach(&self) {
        if self.core.let_go() {
            self.overlook();
        }
    }

    /// Leaves an end to whoever joins the task.
    pub(super) fn leave(&self, end: JoinEnd<T>) {
        let replaced = self.lock().replace(end);
        assert!(replaced.is_none(), "a task ends once");
    }

    /// Ends the task, whose end was left here, unless cleanups are ahead; tells the run if nobody will
    /// look at it.
    pub(super) fn end(&self) -> Poll<()> {
        // The function is ours, so the end may be held meanwhile.
        let has_failed = match &*self.lock() {
            Some(JoinEnd::Value(value)) => (self.output.error_of)(value).is_some(),
            Some(JoinEnd::Panicked(_)) => true,
            Some(JoinEnd::Cancelled | JoinEnd::Gone) | None => false,
        };
        self.core.end(has_failed).map(|ownership| {
            if ownership == Ownership::Nobody {
                self.overlook();
            }
        })
    }

    /// Ends a task whose future will not be polled again, or never was.
    pub(super) fn end_now(&self) {
        self.lock().get_or_insert(JoinEnd::Gone);
        self.core.forget_cleanups();
        let _ = self.end();
    }

    /// Tells the run of a panic or an error that nobody observed.
    fn overlook(&self) {
        let end = self.lock().take();
        // What an error shows of itself, and how a value is dropped, is code of the user's.
        let trouble = catch_unwind(AssertUnwindSafe(|| match end {
            Some(JoinEnd::Panicked(panic)) => Some(Trouble::panicked(&self.core, *panic)),
            Some(JoinEnd::Value(value)) => {
                (self.output.error_of)(&value).map(|error| Trouble::error(&self.core, error))
            }
            Some(JoinEnd::Cancelled | JoinEnd::Gone) | None => None,
        }));
        let trouble = trouble.unwrap_or_else(|payload| {
            let seen = context::with(|worker: &Worker| worker.note_of(&*payload));
            let note = seen.unwrap_or_else(|| PanicNote::of_payload(&*payload));
            Some(Trouble::panicked(&self.core, TaskPanic::new(payload, note)))
        });
        if let Some(trouble) = trouble {
            self.core.run.tell(trouble);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Option<JoinEnd<T>>> {
        self.output.end.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> Clone for Handle<T> {
    fn clone(&self) -> Self {
        Self { core: self.core.clone(), output: self.output.clone() }
    }
}

impl<T> Debug for Handle<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.core.fmt(formatter)
    }
}
