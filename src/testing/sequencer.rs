//! Running blocks of several tasks in an order that the test states.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::future::Future;
use std::panic::Location;
use std::pin::Pin;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker, ready};

use crate::executor::{Access, Point, Resource, Verb, note_wait};

/// Lets blocks of code run in the order 0, 1, 2 and so on, whichever task comes to them first.
///
/// A block begins when `sequencer.at(n).await` returns, and ends when the [`Turn`] that it returned is
/// dropped. It is for tests of one interleaving. It works on any executor and across threads.
///
/// A number is used once; using it twice panics. A block whose [`At`] is dropped before it has begun
/// breaks the sequence: no later block can ever have its turn, so each that waits for it panics and
/// says which block was dropped. A block that ends by a panic has ended, and the next one begins.
///
/// **When not to use it**: to find out whether some order breaks a program. Leave the order to the seeds.
///
/// # Examples
/// ```
/// # parcae::Sim::new(7).run(|| async {
/// use parcae::testing::Sequencer;
/// use std::rc::Rc;
///
/// let order = Rc::new(Sequencer::new());
/// let other = parcae::spawn({
///     let order = order.clone();
///     async move {
///         {
///             let _turn = order.at(0).await;
///             // first
///         }
///         let _turn = order.at(2).await;
///         // last
///     }
/// });
/// {
///     let _turn = order.at(1).await;
///     // in between
/// }
/// other.await;
/// # }).unwrap();
/// ```
///
/// A block that nobody comes to is a deadlock of all after it:
/// ```
/// use parcae::testing::Sequencer;
///
/// let outcome = parcae::Sim::new(7).run(|| async {
///     let order = Sequencer::new().named("order");
///     let _turn = order.at(1).await;
/// });
/// let failure = outcome.failure().expect("block 0 never runs").to_string();
/// assert!(failure.contains("`main` waits for Sequencer turn of `order`"), "{failure}");
/// ```
pub struct Sequencer {
    resource: Resource,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// Number of the block whose turn it is.
    next: u64,
    /// All numbers that were used.
    used: BTreeSet<u64>,
    /// The first block that was dropped before it had begun.
    dropped: Option<u64>,
    waiting: BTreeMap<u64, Waker>,
}

impl Sequencer {
    /// Makes one whose first block is 0.
    #[must_use]
    #[track_caller]
    pub fn new() -> Self {
        Self { resource: Resource::new("Sequencer"), state: Mutex::default() }
    }

    /// Gives it a name for reports.
    #[must_use]
    pub fn named(self, name: &'static str) -> Self {
        Self { resource: self.resource.named(name), state: self.state }
    }

    /// Waits until all blocks with a lower number have ended.
    ///
    /// # Panics
    /// When the number was used before. The returned future panics when a block with a lower number was
    /// dropped before it had begun.
    ///
    /// # Cancel safety
    /// Not cancel safe: the block will never run, which breaks the sequence.
    ///
    /// # Examples
    /// ```should_panic
    /// # parcae::Sim::new(7).run(|| async {
    /// let order = parcae::testing::Sequencer::new();
    /// drop(order.at(0));
    /// order.at(1).await; // panics: the sequence is broken
    /// # }).unwrap();
    /// ```
    #[track_caller]
    pub fn at(&self, number: u64) -> At<'_> {
        let is_new = self.lock().used.insert(number);
        assert!(is_new, "block {number} of a sequence was used twice");
        let (point, at) = (Point::new(), Location::caller());
        At { sequencer: self, number, has_begun: false, point, at }
    }

    /// Changes the state, and wakes whose turn has come and whose never will.
    fn change<R>(&self, change: impl FnOnce(&mut State) -> R) {
        let (wakers, rest) = {
            let mut state = self.lock();
            let rest = change(&mut state);
            let next = state.next;
            let mut wakers: Vec<Waker> = state.waiting.remove(&next).into_iter().collect();
            if let Some(dropped) = state.dropped {
                wakers.extend(state.waiting.split_off(&dropped).into_values());
            }
            (wakers, rest)
        };
        wakers.into_iter().for_each(Waker::wake);
        // A waker may be code of the user's: dropped here, where the state is not held.
        drop(rest);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for Sequencer {
    #[track_caller]
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Sequencer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (next, dropped) = {
            let state = self.lock();
            (state.next, state.dropped)
        };
        formatter
            .debug_struct("Sequencer")
            .field("next", &next)
            .field("dropped", &dropped)
            .finish_non_exhaustive()
    }
}

/// Future of [`Sequencer::at`].
#[derive(Debug)]
#[must_use = "a block that is dropped before it has begun breaks the sequence"]
pub struct At<'a> {
    sequencer: &'a Sequencer,
    number: u64,
    has_begun: bool,
    point: Point,
    at: &'static Location<'static>,
}

impl<'a> Future for At<'a> {
    type Output = Turn<'a>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Turn<'a>> {
        let (sequencer, number, at) = (self.sequencer, self.number, self.at);
        assert!(!self.has_begun, "a block of a sequence was polled again when it had begun");
        ready!(self.point.poll(context, &sequencer.resource, &TURN, at));
        // Cloned, and what it replaces dropped, while the state is not held.
        let waker = context.waker().clone();
        let (is_due, dropped, _replaced) = {
            let mut state = sequencer.lock();
            let is_due = state.next == number;
            let dropped = state.dropped.filter(|dropped| *dropped < number);
            let is_waiting = !is_due && dropped.is_none();
            let replaced = if is_waiting { state.waiting.insert(number, waker) } else { None };
            (is_due, dropped, replaced)
        };
        if is_due {
            self.has_begun = true;
            return Poll::Ready(Turn { sequencer, number });
        }
        if let Some(dropped) = dropped {
            panic!(
                "the sequence is broken: block {dropped} was dropped before it had begun, so block \
                 {number} at {at} never has its turn"
            );
        }
        note_wait(&sequencer.resource, &TURN, at);
        Poll::Pending
    }
}

impl Drop for At<'_> {
    fn drop(&mut self) {
        if !self.has_begun {
            let number = self.number;
            self.sequencer.change(|state| {
                let dropped = state.dropped.map_or(number, |before| before.min(number));
                state.dropped = Some(dropped);
                state.waiting.remove(&number)
            });
        }
    }
}

/// The turn of a block: the next one has its turn when this is dropped.
#[derive(Debug)]
#[must_use = "the block ends when its turn is dropped: bind it to a name"]
pub struct Turn<'a> {
    sequencer: &'a Sequencer,
    number: u64,
}

impl Turn<'_> {
    /// Returns the number of the block.
    #[must_use]
    pub fn number(&self) -> u64 {
        self.number
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.sequencer.change(|state| state.next += 1);
    }
}

static TURN: Verb = Verb::new("turn", Access::Write);
