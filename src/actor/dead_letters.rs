//! Messages that nobody handled.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::fmt;

use super::any_ref::ActorId;
use super::system::System;
use crate::sync::Queue;
use crate::sync::spin::SpinLock;

/// A message that nobody handled.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DeadLetter {
    /// What reports call the actor that it was for.
    pub to: Cow<'static, str>,
    /// The kind of the message; `reply` for an answer.
    pub kind: &'static str,
    /// Why nobody did.
    pub why: Undelivered,
    /// The actor that sent it, if that was one and is known.
    pub from: Option<ActorId>,
}

/// Why nobody handled a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Undelivered {
    /// The actor ended before it came to it.
    Ended,
    /// The actor was started again, and its messages were to be dropped then.
    Restarted,
    /// The mailbox had no place.
    Overflow,
    /// The actor had ended when a timer or a future of its own would have sent it.
    Closed,
    /// It was an answer that nobody waited for any more.
    Late,
    /// A fault dropped it.
    Fault,
}

/// The dead letters of the machine that the caller runs on: the last 1,000, and how many there were.
///
/// What is refused comes back to whoever sends it, and is none.
///
/// # Panics
/// Outside of a parcae runtime.
///
/// # Examples
/// ```
/// # parcae::Sim::new(7).run(|| async {
/// assert_eq!(parcae::actor::dead_letters().count(), 0);
/// # }).unwrap();
/// ```
#[must_use]
#[track_caller]
pub fn dead_letters() -> DeadLetters {
    DeadLetters(System::here("parcae::actor::dead_letters"))
}

/// The dead letters of one machine.
#[derive(Clone, Debug)]
pub struct DeadLetters(System);

impl DeadLetters {
    /// Counts all that there were.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.0.letters().state.with(|state| state.count)
    }

    /// Takes those that are kept, in the order in which they came.
    #[must_use]
    pub fn take(&self) -> Vec<DeadLetter> {
        self.0.letters().state.with(|state| std::mem::take(&mut state.kept)).into()
    }

    /// Returns a queue of those to come. One that is not emptied misses those after the first 1,000.
    #[must_use]
    #[track_caller]
    pub fn subscribe(&self) -> Queue<DeadLetter> {
        let queue = Queue::bounded(KEPT_MAX);
        self.0.letters().state.with(|state| state.subscribers.push(queue.clone()));
        queue
    }
}

/// Where they are kept.
#[derive(Default)]
pub(crate) struct Letters {
    state: SpinLock<LettersState>,
}

#[derive(Default)]
struct LettersState {
    kept: VecDeque<DeadLetter>,
    count: u64,
    subscribers: Vec<Queue<DeadLetter>>,
}

impl Letters {
    pub(crate) fn add(&self, letter: DeadLetter) {
        let (oldest, subscribers) = self.state.with(|state| {
            state.count += 1;
            let is_full = state.kept.len() == KEPT_MAX;
            let oldest = if is_full { state.kept.pop_front() } else { None };
            state.kept.push_back(letter.clone());
            (oldest, state.subscribers.clone())
        });
        drop(oldest);
        for queue in subscribers {
            // Full or closed: it is counted nevertheless.
            drop(queue.try_put(letter.clone()));
        }
    }
}

impl fmt::Debug for Letters {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = self.state.with(|state| state.count);
        formatter.debug_struct("Letters").field("count", &count).finish()
    }
}

const KEPT_MAX: usize = 1_000;
