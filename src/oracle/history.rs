//! What clients have asked of a system, and what came of it.

use std::cell::RefCell;
use std::fmt;
use std::rc::Rc;
use std::time::Duration;

use crate::backend;

/// A record of operations, each with its invocation and its end, by client.
///
/// Clones are of one record. It knows nothing of the system: clients write into it what they ask and what they are told, and
/// a checker says whether any right system could have answered so.
///
/// | what the client knows | verb | what a checker makes of it |
/// |---|---|---|
/// | the answer | [`Call::returned`] | it took effect between invocation and end, with this answer |
/// | that it was not done | [`Call::failed`] | it never takes effect |
/// | neither: a time-out, a lost connection, a crash | [`Call::unknown`], or dropping the [`Call`] | it takes effect once at any time after its invocation, or never |
///
/// Never enter a time-out as failed: that is how a checker is made to accuse a right system.
///
/// # Determinism
/// Draws nothing and enters nothing into the chain.
///
/// # Examples
/// ```
/// use parcae::oracle::models::{Register, RegisterInput::*};
/// use parcae::oracle::{History, linearizable};
/// use parcae::sync::Mutex;
/// use parcae::task::{gather, spawn};
/// use std::rc::Rc;
///
/// parcae::check(10, || async {
///     let (cell, history) = (Rc::new(Mutex::new(0)), History::new());
///     let clients = (1..=3).map(|client| {
///         let (cell, history) = (cell.clone(), history.clone());
///         spawn(async move {
///             let call = history.invoke(client, Write(client));
///             *cell.lock().await = client;
///             call.returned(None);
///             let call = history.invoke(client, Read);
///             let value = *cell.lock().await;
///             call.returned(Some(value));
///         })
///     });
///     gather(clients).await;
///     linearizable(&Register::new(0), &history.operations()).unwrap();
/// });
/// ```
pub struct History<I, O> {
    record: Rc<RefCell<Record<I, O>>>,
}

struct Record<I, O> {
    operations: Vec<Operation<I, O>>,
    /// How many invocations and ends there were.
    events: u64,
}

/// One operation of a history.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Operation<I, O> {
    /// Who asked.
    pub client: u64,
    /// What for.
    pub input: I,
    /// When.
    pub invoked: Moment,
    /// What came of it.
    pub effect: Effect<O>,
    /// When it was known that it returned or failed; none if it is not known.
    pub ended: Option<Moment>,
}

/// What a client knows of an operation's effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect<O> {
    /// It was done, with this answer.
    Returned(O),
    /// It was not done, and never will be.
    Failed,
    /// It was done, or will be, or never is.
    Unknown,
}

/// When something happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment {
    /// Its place in the order of all invocations and ends of the history, from 0. This is what checkers go by.
    pub order: u64,
    /// The time of the client's machine, for people; zero outside of a run.
    pub at: Duration,
}

impl<I, O> Operation<I, O> {
    /// Makes an operation as it is read from elsewhere: with the places of its invocation and its end among all those of its
    /// history. One whose effect is unknown has no end.
    pub fn new(client: u64, input: I, invoked: u64, end: Option<(u64, Effect<O>)>) -> Self {
        let moment = |order| Moment { order, at: Duration::ZERO };
        let (ended, effect) = match end {
            None | Some((_, Effect::Unknown)) => (None, Effect::Unknown),
            Some((order, effect)) => (Some(moment(order)), effect),
        };
        Self { client, input, invoked: moment(invoked), effect, ended }
    }

    /// Returns the answer, if there is one.
    pub const fn output(&self) -> Option<&O> {
        match &self.effect {
            Effect::Returned(output) => Some(output),
            Effect::Failed | Effect::Unknown => None,
        }
    }

    /// Tells whether it ended before the other was invoked.
    pub(crate) fn ended_before(&self, other: &Self) -> bool {
        self.ended.is_some_and(|end| end < other.invoked)
    }
}

impl<I, O> History<I, O> {
    /// Makes an empty one.
    #[must_use]
    pub fn new() -> Self {
        Self { record: Rc::new(RefCell::new(Record { operations: Vec::new(), events: 0 })) }
    }

    /// Enters that a client asks for something, from here on.
    ///
    /// A client asks for one thing after the other: after one whose effect is unknown, it goes on as a new client.
    pub fn invoke(&self, client: u64, input: I) -> Call<I, O> {
        let mut record = self.record.borrow_mut();
        let invoked = record.moment();
        let place = record.operations.len();
        record.operations.push(Operation {
            client,
            input,
            invoked,
            effect: Effect::Unknown,
            ended: None,
        });
        drop(record);
        Call { history: self.clone(), place }
    }

    /// Returns how many operations were invoked.
    #[must_use]
    pub fn len(&self) -> usize {
        self.record.borrow().operations.len()
    }

    /// Tells whether none was invoked.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns all operations, in the order of their invocations. The effect of those under way is unknown.
    #[must_use]
    pub fn operations(&self) -> Vec<Operation<I, O>>
    where
        I: Clone,
        O: Clone,
    {
        self.record.borrow().operations.clone()
    }
}

impl<I, O> Record<I, O> {
    fn moment(&mut self) -> Moment {
        let order = self.events;
        self.events += 1;
        Moment { order, at: Duration::from_nanos(backend::local_now_if_inside().unwrap_or(0)) }
    }
}

impl<I, O> Default for History<I, O> {
    fn default() -> Self {
        Self::new()
    }
}

impl<I, O> Clone for History<I, O> {
    fn clone(&self) -> Self {
        Self { record: self.record.clone() }
    }
}

impl<I, O> fmt::Debug for History<I, O> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("History").field("len", &self.len()).finish_non_exhaustive()
    }
}

/// An operation that is under way. Dropped, as with the client that is killed, its effect is unknown.
#[must_use = "dropped, nobody knows what came of it"]
pub struct Call<I, O> {
    history: History<I, O>,
    place: usize,
}

impl<I, O> Call<I, O> {
    /// Enters that it was done, with this answer.
    pub fn returned(self, output: O) {
        self.end(Effect::Returned(output));
    }

    /// Enters that it was not done, and never will be: it was refused.
    pub fn failed(self) {
        self.end(Effect::Failed);
    }

    /// Enters that nobody knows: the same as dropping it, said aloud.
    pub fn unknown(self) {}

    fn end(self, effect: Effect<O>) {
        let mut record = self.history.record.borrow_mut();
        let moment = record.moment();
        let operation = &mut record.operations[self.place];
        operation.effect = effect;
        operation.ended = Some(moment);
    }
}

impl<I, O> fmt::Debug for Call<I, O> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Call").field("place", &self.place).finish_non_exhaustive()
    }
}
