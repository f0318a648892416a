//! What a pool knows: where each connection is, and who waits.

use std::collections::VecDeque;

use super::builder::Options;
use crate::sync::primitive::{Place, WaitState};
use crate::sync::waiters::{Waiters, Wakes};
use crate::time::Instant;

/// How many connections a pool has, and where they are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Status {
    /// Connections that nobody uses.
    pub idle: usize,
    /// Connections in use.
    pub borrowed: usize,
    /// Connections that are being made.
    pub connecting: usize,
    /// Idle connections that are being tested.
    pub testing: usize,
    /// Callers that wait for one.
    pub waiting: usize,
}

impl Status {
    /// Returns how many connections there are, ready or not.
    #[must_use]
    pub const fn size(&self) -> usize {
        self.idle + self.borrowed + self.connecting + self.testing
    }
}

/// A connection that is not in use.
#[derive(Debug)]
pub(super) struct Idle<C> {
    pub(super) connection: C,
    pub(super) made_at: Instant,
    pub(super) idle_since: Instant,
}

pub(super) struct State<C, E> {
    pub(super) options: Options,
    pub(super) is_closed: bool,
    /// The one that became idle last is at the back, and is used first: so surplus ones age.
    idle: VecDeque<Idle<C>>,
    /// What the first waiters get, in their order.
    outcomes: VecDeque<Result<Idle<C>, E>>,
    pub(super) borrowed: usize,
    pub(super) connecting: usize,
    pub(super) testing: usize,
    /// Whether a connection could not be made and nobody has asked for one since.
    is_failing: bool,
    /// Tasks of the pool's that were destroyed, and connections that came back where nothing can be
    /// begun, since those who wait were last told to see to it themselves.
    pub(super) unattended: usize,
    /// What is to be dropped once the state is let go.
    trash: Trash<C, E>,
    pub(super) getters: Waiters,
    pub(super) closers: Waiters,
}

/// Dropping a connection is code of the user's.
pub(super) type Trash<C, E> = Vec<Result<Idle<C>, E>>;

/// What a pool has to do that cannot be done while the state is held.
pub(super) enum Work<C, E> {
    Drop(Trash<C, E>),
    Connect,
    Test(Idle<C>),
}

impl<C, E> WaitState for State<C, E> {
    fn wake_due(&mut self, wakes: &mut Wakes) {
        if self.is_closed {
            self.getters.wake_all(wakes);
            if self.borrowed == 0 {
                self.closers.wake_all(wakes);
            }
            return;
        }
        for rank in 0..self.outcomes.len() {
            self.getters.wake(rank, wakes);
        }
        if std::mem::take(&mut self.unattended) > 0 {
            self.getters.wake_all(wakes);
        }
    }
}

impl<C, E> State<C, E> {
    pub(super) fn new(options: Options) -> Self {
        Self {
            options,
            is_closed: false,
            idle: VecDeque::new(),
            outcomes: VecDeque::new(),
            borrowed: 0,
            connecting: 0,
            testing: 0,
            is_failing: false,
            unattended: 0,
            trash: Vec::new(),
            getters: Waiters::default(),
            closers: Waiters::default(),
        }
    }

    pub(super) fn status(&self) -> Status {
        // A connection that is assigned to a waiter which has not run is nobody's yet.
        let assigned = self.outcomes.iter().filter(|outcome| outcome.is_ok()).count();
        Status {
            idle: self.idle.len() + assigned,
            borrowed: self.borrowed,
            connecting: self.connecting,
            testing: self.testing,
            waiting: self.getters.count(),
        }
    }

    /// Gives the caller at this place what is its turn to get, if anything.
    pub(super) fn serve(&mut self, place: Place, now: Instant) -> Option<Result<Idle<C>, E>> {
        self.is_failing = false;
        if let Some(outcome) = self.outcomes.remove(place.rank) {
            self.borrowed += usize::from(outcome.is_ok());
            return Some(outcome);
        }
        if place.rank > self.outcomes.len() || self.options.is_tested {
            return None;
        }
        let idle = self.fresh(now)?;
        self.borrowed += 1;
        Some(Ok(idle))
    }

    /// Puts a connection to the idle ones, or away if there is no place for it.
    pub(super) fn put(&mut self, idle: Idle<C>, now: Instant) {
        if self.is_closed || self.is_old(&idle, now) {
            self.trash.push(Ok(idle));
        } else {
            self.idle.push_back(idle);
        }
    }

    /// Takes in a connection that was made or tested for a waiter, or why it could not be made.
    pub(super) fn hand_over(&mut self, outcome: Result<Idle<C>, E>) {
        let is_wanted = self.outcomes.len() < self.getters.count() && !self.is_closed;
        match outcome {
            _ if is_wanted => self.outcomes.push_back(outcome),
            Ok(idle) if !self.is_closed => self.idle.push_back(idle),
            outcome => {
                self.is_failing = true;
                self.trash.push(outcome);
            }
        }
    }

    /// Closes the pool: what is idle or assigned is dropped.
    pub(super) fn close(&mut self) {
        self.is_closed = true;
        self.trash.extend(self.idle.drain(..).map(Ok));
        self.trash.extend(self.outcomes.drain(..));
    }

    /// Throws a connection away that was in use.
    pub(super) fn discard(&mut self, idle: Idle<C>) {
        self.trash.push(Ok(idle));
    }

    /// Returns what is to be done next, and takes note that it is being done.
    pub(super) fn next_work(&mut self, now: Instant) -> Option<Work<C, E>> {
        self.sort_out(now);
        if !self.trash.is_empty() || self.is_closed {
            return self.take_trash();
        }
        let wanted = self.getters.count().saturating_sub(self.outcomes.len());
        if self.options.is_tested
            && wanted > self.testing
            && let Some(idle) = self.idle.pop_back()
        {
            self.testing += 1;
            return Some(Work::Test(idle));
        }
        let size = self.status().size();
        let is_wanted = wanted > self.testing + self.connecting && size < self.options.limit();
        let is_missing = size < self.options.min && !self.is_failing;
        if is_wanted || is_missing {
            self.connecting += 1;
            return Some(Work::Connect);
        }
        None
    }

    /// Returns what is to be dropped, if anything.
    pub(super) fn take_trash(&mut self) -> Option<Work<C, E>> {
        (!self.trash.is_empty()).then(|| Work::Drop(std::mem::take(&mut self.trash)))
    }

    /// Assigns idle connections to those who wait, takes back what was assigned to those who left,
    /// and throws away what is too old or too many.
    fn sort_out(&mut self, now: Instant) {
        while self.outcomes.len() > self.getters.count() {
            match self.outcomes.pop_back() {
                Some(Ok(idle)) => self.idle.push_back(idle),
                Some(error) => self.trash.push(error),
                None => break,
            }
        }
        self.throw_old_away(now);
        while !self.options.is_tested && self.outcomes.len() < self.getters.count() {
            let Some(idle) = self.idle.pop_back() else { break };
            self.outcomes.push_back(Ok(idle));
        }
        let wanted = self.getters.count().saturating_sub(self.outcomes.len());
        while wanted == 0 && self.status().size() > self.options.max {
            let Some(idle) = self.idle.pop_front() else { break };
            self.trash.push(Ok(idle));
        }
    }

    fn throw_old_away(&mut self, now: Instant) {
        if self.options.max_lifetime.is_none() && self.options.idle_timeout.is_none() {
            return;
        }
        for _ in 0..self.idle.len() {
            let Some(idle) = self.idle.pop_front() else { break };
            let is_spare = self.status().size() + 1 > self.options.min;
            if self.is_old(&idle, now) || is_spare && self.is_stale(&idle, now) {
                self.trash.push(Ok(idle));
            } else {
                self.idle.push_back(idle);
            }
        }
    }

    /// Takes an idle connection that may be used.
    fn fresh(&mut self, now: Instant) -> Option<Idle<C>> {
        self.throw_old_away(now);
        self.idle.pop_back()
    }

    fn is_old(&self, idle: &Idle<C>, now: Instant) -> bool {
        let age = now.duration_since(idle.made_at);
        self.options.max_lifetime.is_some_and(|lifetime| age >= lifetime)
    }

    fn is_stale(&self, idle: &Idle<C>, now: Instant) -> bool {
        let age = now.duration_since(idle.idle_since);
        self.options.idle_timeout.is_some_and(|timeout| age >= timeout)
    }
}
