//! A barrier.

use std::collections::VecDeque;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use super::error::BarrierError;
use super::primitive::{Line, Place, Primitive, Wait, WaitState};
use super::waiters::{Ticket, Waiters, Wakes};
use crate::kernel::{Access, Verb};

/// Lets a number of tasks wait for each other: none goes on before all have come.
///
/// When so many *parties* wait, the round is full and all of them go on; then the next round fills.
/// While some of a full round have not gone on yet, those who come wait: two rounds never mix. A waiter
/// that is dropped while its round fills is missing from it, and another one has to come; one that is
/// dropped after that changes nothing for the others.
///
/// [`Barrier::reset`] sends away all who wait, with an error. [`Barrier::abort`] does so for good, until
/// a reset. A round that was full before is complete all the same: its parties all go on, whether or not
/// they have run when the barrier is reset or aborted (asyncio breaks those that have not).
///
/// **When not to use it**: to wait until tasks have ended (await them), or for an event of one task
/// ([`super::Event`]). A party that ends without waiting, by an error or a panic, leaves the others
/// waiting for ever: have it abort the barrier.
///
/// # Examples
/// ```
/// # parcae::Sim::new(7).run(|| async {
/// use parcae::sync::Barrier;
/// use std::{cell::Cell, rc::Rc};
///
/// let shared = Rc::new((Barrier::new(3).named("start"), Cell::new(0)));
/// let tasks: Vec<_> = (0..3)
///     .map(|_| {
///         let shared = shared.clone();
///         parcae::spawn(async move {
///             let (start, prepared) = &*shared;
///             prepared.set(prepared.get() + 1);
///             let result = start.wait().await.expect("nobody resets or aborts it");
///             assert_eq!(prepared.get(), 3);
///             result.is_leader()
///         })
///     })
///     .collect();
/// let mut leaders = 0;
/// for task in tasks {
///     leaders += usize::from(task.await);
/// }
/// assert_eq!(leaders, 1);
/// # }).unwrap();
/// ```
///
/// A party that does not come is a deadlock, and the report names the barrier:
/// ```
/// use parcae::{Sim, sync::Barrier};
///
/// let outcome = Sim::new(7).run(|| async { Barrier::new(2).named("start").wait().await });
/// let failure = outcome.into_result().unwrap_err().to_string();
/// assert!(failure.contains("`main` waits for Barrier wait of `start`"));
/// ```
pub struct Barrier {
    primitive: Primitive<State>,
    parties: usize,
}

/// The line holds, in this order: those whose wait has been decided and who have not gone on, and those
/// who wait for a full round.
///
/// ```text
///   filling -> (the last party comes) -> draining -> (the last party goes on or is dropped) -> filling
/// ```
struct State {
    waiters: Waiters,
    /// The same as in `Barrier`, to be at hand in `wake_due`.
    parties: usize,
    /// Those before it are decided.
    open: Ticket,
    /// The tickets of the round that is full, in order. One who came last has none.
    round: Vec<Ticket>,
    has_leader: bool,
    /// Those before a ticket, and not before the previous one, that were sent away, and why.
    sent_away: VecDeque<(Ticket, BarrierError)>,
    is_broken: bool,
}

impl WaitState for State {
    fn wake_due(&mut self, wakes: &mut Wakes) {
        if self.waiting() >= self.parties && !self.is_draining() {
            self.fill_round();
        }
        self.waiters.wake_before(self.open, wakes);
    }
}

impl State {
    /// Counts those who wait for a full round.
    fn waiting(&self) -> usize {
        self.waiters.count() - self.waiters.count_before(self.open)
    }

    /// Tells whether somebody of the full round has not gone on.
    fn is_draining(&self) -> bool {
        let (Some(first), Some(last)) = (self.round.first(), self.round.last()) else {
            return false;
        };
        // Those between them that are left are of the round: it was taken from one stretch of the line.
        self.waiters.tickets_from(*first).next().is_some_and(|ticket| ticket <= *last)
    }

    /// Lets the first to wait go on, as many as there are parties or all.
    fn fill_round(&mut self) {
        self.round.clear();
        self.round.extend(self.waiters.tickets_from(self.open).take(self.parties));
        let next = self.waiters.tickets_from(self.open).nth(self.parties);
        self.open = next.unwrap_or(self.waiters.next_ticket());
        self.has_leader = false;
    }

    fn go(&mut self, place: Place) -> Option<Result<BarrierWaitResult, BarrierError>> {
        let index = match place.ticket {
            Some(ticket) if ticket >= self.open => return None,
            Some(ticket) => match self.round.binary_search(&ticket) {
                Ok(index) => index,
                Err(_) => return Some(Err(self.why_sent_away(ticket))),
            },
            None if self.is_broken => return Some(Err(BarrierError::Broken)),
            None if self.waiting() + 1 < self.parties || self.is_draining() => return None,
            None => {
                self.fill_round();
                self.parties - 1
            }
        };
        let is_leader = !std::mem::replace(&mut self.has_leader, true);
        Some(Ok(BarrierWaitResult { index, is_leader }))
    }

    fn why_sent_away(&self, ticket: Ticket) -> BarrierError {
        let found = self.sent_away.iter().find(|(end, _)| ticket < *end);
        found.expect("one who is decided is of the round or was sent away").1
    }

    fn send_away(&mut self, why: BarrierError) {
        let first = self.waiters.tickets_from(Ticket::default()).next();
        while self.sent_away.front().is_some_and(|(end, _)| first.is_none_or(|first| *end <= first))
        {
            self.sent_away.pop_front();
        }
        if self.waiting() > 0 {
            self.open = self.waiters.next_ticket();
            self.sent_away.push_back((self.open, why));
        }
    }
}

impl Barrier {
    const WAITERS: Line<State> = Line { verb: &WAIT, waiters: |state| &mut state.waiters };

    /// Makes a barrier for so many tasks.
    ///
    /// # Panics
    /// When they are 0.
    #[must_use]
    #[track_caller]
    pub fn new(parties: usize) -> Self {
        assert!(parties > 0, "a barrier of 0 parties lets nobody go on");
        let state = State {
            waiters: Waiters::default(),
            parties,
            open: Ticket::default(),
            round: Vec::new(),
            has_leader: false,
            sent_away: VecDeque::new(),
            is_broken: false,
        };
        Self { primitive: Primitive::new("Barrier", state), parties }
    }

    /// Gives it a name for reports.
    #[must_use]
    pub fn named(self, name: &'static str) -> Self {
        Self { primitive: self.primitive.named(name), parties: self.parties }
    }

    /// Waits until all parties of its round have come.
    ///
    /// The place in the line is taken at the first poll.
    ///
    /// # Errors
    /// [`BarrierError::Broken`] when the barrier is aborted, before or while this waits, and
    /// [`BarrierError::Reset`] when it is reset while this waits.
    ///
    /// # Cancel safety
    /// Cancel safe: dropped before its round is full, it has not come. Dropped after, it has come, and
    /// its index is nobody's.
    ///
    /// # Examples
    /// ```
    /// # parcae::Sim::new(7).run(|| async {
    /// let alone = parcae::sync::Barrier::new(1);
    /// let result = alone.wait().await.expect("neither reset nor aborted");
    /// assert!(result.is_leader() && result.index() == 0);
    /// # }).unwrap();
    /// ```
    #[track_caller]
    pub fn wait(&self) -> BarrierWait<'_> {
        BarrierWait { barrier: self, wait: Wait::new() }
    }

    /// Sends away all who wait for a full round, with [`BarrierError::Reset`], and lets the next round
    /// begin. An aborted barrier works again.
    ///
    /// # Examples
    /// ```
    /// # parcae::Sim::new(7).run(|| async {
    /// use parcae::sync::{Barrier, BarrierError};
    /// use std::rc::Rc;
    ///
    /// let barrier = Rc::new(Barrier::new(2));
    /// let waiter = parcae::spawn({
    ///     let barrier = barrier.clone();
    ///     async move { barrier.wait().await }
    /// });
    /// parcae::task::settle().await;
    /// barrier.reset();
    /// assert_eq!(waiter.await, Err(BarrierError::Reset));
    /// # }).unwrap();
    /// ```
    pub fn reset(&self) {
        self.primitive.change(|state| {
            state.is_broken = false;
            state.send_away(BarrierError::Reset);
        });
    }

    /// Breaks the barrier: all who wait for a full round fail with [`BarrierError::Broken`], and all
    /// who come later, until [`Barrier::reset`].
    ///
    /// # Examples
    /// ```
    /// # parcae::Sim::new(7).run(|| async {
    /// use parcae::sync::{Barrier, BarrierError};
    ///
    /// let barrier = Barrier::new(2);
    /// barrier.abort();
    /// assert_eq!(barrier.wait().await, Err(BarrierError::Broken));
    /// # }).unwrap();
    /// ```
    pub fn abort(&self) {
        self.primitive.change(|state| {
            state.is_broken = true;
            state.send_away(BarrierError::Broken);
        });
    }

    /// Tells whether the barrier is broken, by [`Barrier::abort`].
    #[must_use]
    pub fn is_broken(&self) -> bool {
        self.primitive.read(|state| state.is_broken)
    }

    /// Returns how many have to come.
    #[must_use]
    pub fn parties(&self) -> usize {
        self.parties
    }

    /// Counts those who wait for a full round.
    #[must_use]
    pub fn n_waiting(&self) -> usize {
        self.primitive.read(State::waiting)
    }
}

impl fmt::Debug for Barrier {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Barrier")
            .field("parties", &self.parties)
            .field("n_waiting", &self.n_waiting())
            .field("is_broken", &self.is_broken())
            .finish()
    }
}

/// Future of [`Barrier::wait`].
#[derive(Debug)]
#[must_use = "futures do nothing unless you `.await` or poll them"]
pub struct BarrierWait<'a> {
    barrier: &'a Barrier,
    wait: Wait,
}

impl Future for BarrierWait<'_> {
    type Output = Result<BarrierWaitResult, BarrierError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let primitive = &self.barrier.primitive;
        self.wait.poll(context, primitive, &Barrier::WAITERS, State::go)
    }
}

impl Drop for BarrierWait<'_> {
    fn drop(&mut self) {
        self.wait.leave(&self.barrier.primitive, &Barrier::WAITERS);
    }
}

/// A round of a [`Barrier`] that was full, as one of its parties sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BarrierWaitResult {
    index: usize,
    is_leader: bool,
}

impl BarrierWaitResult {
    /// Returns the place of this party in the order in which they came, from 0.
    #[must_use]
    pub fn index(&self) -> usize {
        self.index
    }

    /// Tells whether this party is the leader of its round: the first of them to go on, which most often
    /// is the one that came last. Each round that anybody went on from has exactly one.
    #[must_use]
    pub fn is_leader(&self) -> bool {
        self.is_leader
    }
}

static WAIT: Verb = Verb::new("wait", Access::Write);
