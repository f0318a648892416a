//! How tasks end, as both backends tell it.

use std::any::Any;
use std::cell::Cell;
use std::fmt;
use std::panic::PanicHookInfo;

use crate::kernel::Place;

/// How a task ended, for whoever joins it.
#[derive(Debug)]
pub(crate) enum JoinEnd<T> {
    /// It returned.
    Value(T),
    /// It panicked with this payload. Boxed, so that an end that is a value is small.
    Panicked(Box<TaskPanic>),
    /// It was cancelled before it returned.
    Cancelled,
    /// It was destroyed with its domain, or at the end of the run.
    Gone,
}

/// A panic that ended a task.
#[derive(Debug)]
pub(crate) struct TaskPanic {
    pub(crate) payload: Box<dyn Any + Send>,
    /// None for one that was caught outside of any task.
    pub(crate) note: Option<PanicNote>,
}

impl TaskPanic {
    pub(crate) fn new(payload: Box<dyn Any + Send>, note: PanicNote) -> Self {
        Self { payload, note: Some(note) }
    }

    /// Returns the message.
    pub(crate) fn message(&self) -> String {
        self.noted().message
    }

    /// Returns the place.
    pub(crate) fn place(&self) -> Option<Place> {
        self.noted().place
    }

    /// Returns message and place.
    pub(crate) fn noted(&self) -> PanicNote {
        self.note.clone().unwrap_or_else(|| PanicNote::of_payload(&*self.payload))
    }
}

/// What is known of a panic.
#[derive(Clone, Debug)]
pub(crate) struct PanicNote {
    pub(crate) message: String,
    pub(crate) place: Option<Place>,
}

impl PanicNote {
    /// Returns what the panic hook sees.
    pub(crate) fn of(info: &PanicHookInfo<'_>) -> Self {
        Self { message: message(info.payload()), place: info.location().map(Place::from) }
    }

    /// Returns what is known of a payload that the hook did not see (`resume_unwind`).
    pub(crate) fn of_payload(payload: &(dyn Any + Send)) -> Self {
        Self { message: message(payload), place: None }
    }
}

/// What the panic hook saw last on this thread. Boxed, because nearly always there is none.
#[derive(Default)]
pub(crate) struct LastPanic(Cell<Option<Box<PanicNote>>>);

impl LastPanic {
    pub(crate) fn keep(&self, note: PanicNote) {
        self.0.set(Some(Box::new(note)));
    }

    /// Returns what is known of a panic that was caught.
    pub(crate) fn note_of(&self, payload: &(dyn Any + Send)) -> PanicNote {
        let plain = PanicNote::of_payload(payload);
        // The hook may have seen another panic last, one that the program has caught itself.
        let noted = self.0.take();
        noted.filter(|noted| noted.message == plain.message).map_or(plain, |noted| *noted)
    }
}

impl fmt::Debug for LastPanic {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("LastPanic")
    }
}

fn message(payload: &(dyn Any + Send)) -> String {
    if let Some(text) = payload.downcast_ref::<&str>() {
        (*text).to_owned()
    } else if let Some(text) = payload.downcast_ref::<String>() {
        text.clone()
    } else {
        "a panic whose payload is not text".to_owned()
    }
}
