//! The heart of a supervisor: what happened goes in, what is to be done comes out.
//!
//! It knows no actors, no messages and no clock. Each child has a *goal* (to run or not) and a *state*
//! (what it does); a child may also have to *leave* before it may run again. What happens changes goals
//! and states, and then [`Roster::advance`] looks what has to be done to bring the ones to the others:
//!
//! * **Stops**: the last child that must go is stopped; the one before it when it is gone.
//! * **Starts**: when nobody is left who must go, the first child that should run and does not is
//!   started; the one after it when it runs.
//!
//! Under [`Strategy::OneForOne`] children are independent, and both are done for each by itself, but for
//! the first start and for the end. A dynamic supervisor has no order at all.
//!
//! So a supervisor never waits for one thing: whatever happens while children start or stop is taken
//! into account at once, a stop above all.

mod child;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::time::Duration;

pub(super) use child::Policy;
use child::{Cause, Child, Goal, State};

use super::child_info::{ChildCounts, ChildStatus};
use super::policy::{AutoShutdown, ChildKind, Restart, Shutdown, Strategy};
use super::window::Window;

/// Names a child of one supervisor. The order of keys is that of starting; none is used twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct ChildKey(pub(super) u64);

/// Names somebody who waits for what comes of a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Token(pub(super) u64);

/// What is to be done, in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Action {
    /// To start it: answered by `started` or `ignored`, or by `ended`, if it fails.
    Start(ChildKey),
    /// To ask it to stop: answered by `ended`.
    Stop(ChildKey),
    /// To kill it: answered by `ended`, if it was not before.
    Kill(ChildKey),
    /// To call `time_is_over` for it after this time. It has no other timer.
    Arm(ChildKey, Duration),
    /// To forget its timer.
    Disarm(ChildKey),
    /// To have it refuse messages: it is down, and may be for ever.
    Close(ChildKey),
    /// To forget the child: it is gone and will not come back.
    Forget(ChildKey),
    /// To tell who waits what came of it.
    Reply(Token, Reply),
    /// All children are there: the supervisor has started.
    Ready,
    /// All children are gone: the supervisor ends.
    End(End),
}

/// What came of a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reply {
    /// The child runs.
    Started,
    /// It is not needed, and stays down.
    Ignored,
    /// Its start failed.
    Failed,
    /// It was stopped before it ran.
    Stopped,
    /// It is not there, as was asked for.
    Gone,
}

/// Why a command was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// There is no such child.
    Unknown,
    /// It runs.
    Running,
    /// It is about to run.
    Restarting,
    /// The supervisor ends.
    Ending,
}

/// Why a supervisor ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// It was asked to.
    Stopped,
    /// The start of this child failed when the supervisor was started.
    StartFailed(ChildKey),
    /// This child would have been one restart too many.
    TooManyRestarts(ChildKey),
    /// This significant child has ended.
    AutoShutdown(ChildKey),
}

/// How a child has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Exit {
    /// It was done, or asked to stop.
    Normal,
    /// It failed.
    Abnormal,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Starting,
    Up,
    Ending(End),
    Ended,
}

/// How a supervisor deals with its children.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rules {
    pub(super) strategy: Strategy,
    pub(super) auto_shutdown: AutoShutdown,
    /// At most so many restarts in `period`.
    pub(super) intensity: usize,
    pub(super) period: Duration,
    /// Whether children are stopped all at once at the end.
    pub(super) is_dynamic: bool,
}

/// The children of a supervisor.
#[derive(Debug)]
pub(super) struct Roster {
    rules: Rules,
    window: Window,
    phase: Phase,
    children: BTreeMap<ChildKey, Child>,
    next_key: u64,
    /// So many were added before the start.
    first_count: u64,
    alive_count: usize,
    /// Those whose state or goal has changed since the last look at them, where all are independent.
    changed: Vec<ChildKey>,
    waiting_for_start: BTreeMap<ChildKey, Vec<Token>>,
    waiting_for_end: BTreeMap<ChildKey, Vec<Token>>,
    actions: Vec<Action>,
}

impl Roster {
    pub(super) fn new(rules: Rules) -> Self {
        Self {
            rules,
            window: Window::new(rules.intensity, rules.period),
            phase: Phase::Starting,
            children: BTreeMap::new(),
            next_key: 0,
            first_count: 0,
            alive_count: 0,
            changed: Vec::new(),
            waiting_for_start: BTreeMap::new(),
            waiting_for_end: BTreeMap::new(),
            actions: Vec::new(),
        }
    }

    // Before the start

    /// Adds a child that is started with the supervisor.
    pub(super) fn add_first(&mut self, policy: Policy) -> ChildKey {
        self.first_count += 1;
        self.insert(policy, Cause::First)
    }

    /// Returns whether a child was added before the start.
    pub(super) fn is_first(&self, key: ChildKey) -> bool {
        key.0 < self.first_count
    }

    /// Begins to start the children.
    pub(super) fn begin(&mut self) -> Vec<Action> {
        self.advance()
    }

    // What happens

    /// A child's `start` has returned.
    pub(super) fn started(&mut self, key: ChildKey, now: Duration) -> Vec<Action> {
        let Some(child) = self.children.get_mut(&key) else { return Vec::new() };
        // One that was killed in its start may have been faster.
        if child.state == State::Starting {
            child.state = State::Running(now);
            self.reply_start(key, Reply::Started);
            self.changed.push(key);
        }
        self.advance()
    }

    /// A child is not needed: nothing was started.
    pub(super) fn ignored(&mut self, key: ChildKey) -> Vec<Action> {
        let Some(child) = self.children.get_mut(&key) else { return Vec::new() };
        child.goal = match child.policy.restart {
            Restart::Temporary => Goal::Forgotten,
            Restart::Permanent | Restart::Transient => Goal::Down,
        };
        self.reply_start(key, Reply::Ignored);
        self.gone(key);
        self.advance()
    }

    /// A child has ended, or its start has failed.
    pub(super) fn ended(&mut self, key: ChildKey, exit: Exit, now: Duration) -> Vec<Action> {
        let Some(child) = self.children.get_mut(&key) else { return Vec::new() };
        let state = child.state;
        assert!(child.is_alive(), "a child that is not there has ended: {key:?} {child:?}");
        let is_expected = state == State::Stopping || child.must_go();
        let cause = child.cause;
        self.gone(key);
        match (state, cause) {
            _ if is_expected => {}
            (State::Starting, Cause::First) => self.end(End::StartFailed(key)),
            (State::Starting, Cause::Command { is_new }) => self.failed_by_command(key, is_new),
            (State::Starting, Cause::Restart) => {
                self.reply_start(key, Reply::Failed);
                self.lost(key, Exit::Abnormal, None, now);
            }
            (State::Running(since), _) => self.lost(key, exit, Some(now - since), now),
            (State::Absent | State::Due | State::Paused | State::Stopping, _) => {
                unreachable!("it was alive and not expected to end")
            }
        }
        self.advance()
    }

    /// The timer of a child is due.
    pub(super) fn time_is_over(&mut self, key: ChildKey) -> Vec<Action> {
        let Some(child) = self.children.get_mut(&key) else { return Vec::new() };
        child.has_timer = false;
        match child.state {
            State::Paused => {
                child.state = State::Due;
                self.changed.push(key);
            }
            State::Stopping => self.actions.push(Action::Kill(key)),
            State::Absent | State::Due | State::Starting | State::Running(_) => {}
        }
        self.advance()
    }

    // Commands

    /// Ends the supervisor.
    pub(super) fn stop(&mut self) -> Vec<Action> {
        self.end(End::Stopped);
        self.advance()
    }

    /// Adds a child and starts it; it is forgotten again when that fails.
    pub(super) fn add(&mut self, policy: Policy, token: Token) -> (ChildKey, Vec<Action>) {
        assert!(!self.is_ending(), "no child is added to a supervisor that ends");
        let key = self.insert(policy, Cause::Command { is_new: true });
        self.waiting_for_start.entry(key).or_default().push(token);
        (key, self.advance())
    }

    /// Starts a child that is down.
    pub(super) fn restart(&mut self, key: ChildKey, token: Token) -> Result<Vec<Action>, Refusal> {
        let is_ending = self.is_ending();
        let child = self.children.get_mut(&key).ok_or(Refusal::Unknown)?;
        match child.state {
            _ if is_ending => return Err(Refusal::Ending),
            State::Running(_) | State::Stopping => return Err(Refusal::Running),
            State::Due | State::Paused | State::Starting => return Err(Refusal::Restarting),
            State::Absent => {}
        }
        child.goal = Goal::Up;
        child.state = State::Due;
        child.cause = Cause::Command { is_new: false };
        self.changed.push(key);
        self.waiting_for_start.entry(key).or_default().push(token);
        Ok(self.advance())
    }

    /// Stops a child; it stays down until it is started by hand or a sibling's restart starts it. A
    /// temporary one is forgotten.
    pub(super) fn terminate(
        &mut self,
        key: ChildKey,
        token: Token,
    ) -> Result<Vec<Action>, Refusal> {
        let child = self.children.get_mut(&key).ok_or(Refusal::Unknown)?;
        self.waiting_for_end.entry(key).or_default().push(token);
        let is_temporary = child.policy.restart == Restart::Temporary;
        if child.goal != Goal::Forgotten {
            child.goal = if is_temporary { Goal::Forgotten } else { Goal::Down };
        }
        if child.is_alive() {
            self.changed.push(key);
        } else {
            self.gone(key);
        }
        Ok(self.advance())
    }

    /// Forgets a child that is down.
    pub(super) fn delete(&mut self, key: ChildKey) -> Result<Vec<Action>, Refusal> {
        let child = self.children.get_mut(&key).ok_or(Refusal::Unknown)?;
        match child.state {
            State::Running(_) | State::Stopping => return Err(Refusal::Running),
            State::Due | State::Paused | State::Starting => return Err(Refusal::Restarting),
            State::Absent => {}
        }
        child.goal = Goal::Forgotten;
        self.gone(key);
        Ok(self.advance())
    }

    // Questions

    pub(super) fn is_ending(&self) -> bool {
        matches!(self.phase, Phase::Ending(_) | Phase::Ended)
    }

    pub(super) fn counts(&self) -> ChildCounts {
        let mut counts = ChildCounts { specs: self.children.len(), ..ChildCounts::default() };
        for child in self.children.values() {
            match child.state {
                State::Running(_) | State::Stopping => counts.active += 1,
                State::Due | State::Paused | State::Starting => counts.restarting += 1,
                State::Absent => {}
            }
            match child.policy.kind {
                ChildKind::Worker => counts.workers += 1,
                ChildKind::Supervisor => counts.supervisors += 1,
            }
        }
        counts
    }

    /// Returns what a child does and how often it was restarted.
    pub(super) fn status(&self, key: ChildKey) -> Option<(ChildStatus, u64)> {
        let child = self.children.get(&key)?;
        let status = match child.state {
            State::Absent => ChildStatus::Down,
            State::Due | State::Paused => ChildStatus::Waiting,
            State::Starting => ChildStatus::Starting,
            State::Running(_) => ChildStatus::Running,
            State::Stopping => ChildStatus::Stopping,
        };
        Some((status, child.restart_count))
    }

    // What follows from it

    fn insert(&mut self, policy: Policy, cause: Cause) -> ChildKey {
        let key = ChildKey(self.next_key);
        self.next_key += 1;
        self.children.insert(key, Child::new(policy, cause));
        self.changed.push(key);
        key
    }

    /// A child that should be there has ended by itself.
    fn lost(&mut self, key: ChildKey, exit: Exit, ran: Option<Duration>, now: Duration) {
        let child = self.children.get_mut(&key).expect("a child that has just ended is known");
        let policy = child.policy;
        let (is_restarted, goal) = match (policy.restart, exit) {
            (Restart::Temporary, _) => (false, Goal::Forgotten),
            (Restart::Transient, Exit::Normal) => (false, Goal::Down),
            (Restart::Transient, Exit::Abnormal) | (Restart::Permanent, _) => (true, Goal::Up),
        };
        child.goal = goal;
        if !is_restarted {
            self.gone(key);
            if policy.is_significant {
                self.significant_ended(key);
            }
            return;
        }
        if !self.window.admit(now) {
            self.end(End::TooManyRestarts(key));
            return;
        }
        let calm = self.window.period();
        let child = self.children.get_mut(&key).expect("one that is restarted is not forgotten");
        child.cause = Cause::Restart;
        child.restart_count += 1;
        let delay = child.next_delay(ran, calm);
        if delay > Duration::ZERO {
            child.state = State::Paused;
            child.has_timer = true;
            self.actions.push(Action::Arm(key, delay));
        } else {
            child.state = State::Due;
        }
        self.restart_siblings(key);
    }

    /// Has those leave that are restarted with a child.
    fn restart_siblings(&mut self, lost: ChildKey) {
        let first = match self.rules.strategy {
            Strategy::OneForOne => return,
            Strategy::OneForAll => ChildKey(0),
            Strategy::RestForOne => lost,
        };
        for (&key, child) in self.children.range_mut(first..) {
            if key == lost || child.goal == Goal::Forgotten {
                continue;
            }
            if !child.is_alive() {
                // One that is down comes back as well; a first start stays a first start.
                if child.state == State::Absent {
                    child.state = State::Due;
                    child.cause = Cause::Restart;
                }
                child.goal = Goal::Up;
                continue;
            }
            child.leaves = true;
            child.restart_count += 1;
            // One that is interrupted in its first start has its first start again.
            if child.state != State::Starting {
                child.cause = Cause::Restart;
            }
            child.goal = match child.policy.restart {
                Restart::Temporary => Goal::Forgotten,
                Restart::Permanent | Restart::Transient => Goal::Up,
            };
        }
    }

    fn significant_ended(&mut self, key: ChildKey) {
        let is_over = match self.rules.auto_shutdown {
            AutoShutdown::Never => false,
            AutoShutdown::Any => true,
            AutoShutdown::All => !self
                .children
                .values()
                .any(|child| child.policy.is_significant && child.state != State::Absent),
        };
        if is_over {
            self.end(End::AutoShutdown(key));
        }
    }

    fn failed_by_command(&mut self, key: ChildKey, is_new: bool) {
        let child = self.children.get_mut(&key).expect("a child that has just failed is known");
        let is_temporary = child.policy.restart == Restart::Temporary;
        child.goal = if is_new || is_temporary { Goal::Forgotten } else { Goal::Down };
        self.reply_start(key, Reply::Failed);
        self.gone(key);
    }

    /// Begins the end, if it has not begun. The first reason counts.
    fn end(&mut self, reason: End) {
        if self.is_ending() {
            return;
        }
        self.phase = Phase::Ending(reason);
        self.changed = self.children.keys().rev().copied().collect();
        for (&key, child) in &mut self.children {
            if child.goal == Goal::Up {
                child.goal = Goal::Down;
            }
            if matches!(child.state, State::Due | State::Paused) {
                child.state = State::Absent;
                disarm(key, child, &mut self.actions);
            }
        }
        for (_, tokens) in std::mem::take(&mut self.waiting_for_start) {
            self.actions
                .extend(tokens.into_iter().map(|token| Action::Reply(token, Reply::Stopped)));
        }
    }

    /// A child is not there, and whoever waited for that goes on.
    fn gone(&mut self, key: ChildKey) {
        let child = self.children.get_mut(&key).expect("a child that is gone was there");
        if child.is_alive() {
            self.alive_count -= 1;
        }
        disarm(key, child, &mut self.actions);
        child.leaves = false;
        child.state = if child.goal == Goal::Up { State::Due } else { State::Absent };
        self.changed.push(key);
        let goal = child.goal;
        match goal {
            Goal::Forgotten => {
                self.children.remove(&key);
                self.actions.push(Action::Forget(key));
            }
            // At the end of a supervisor messages wait for what becomes of it.
            Goal::Down if !self.is_ending() => self.actions.push(Action::Close(key)),
            Goal::Down | Goal::Up => {}
        }
        if goal != Goal::Up {
            self.reply_start(key, Reply::Stopped);
        }
        for token in self.waiting_for_end.remove(&key).unwrap_or_default() {
            self.actions.push(Action::Reply(token, Reply::Gone));
        }
    }

    fn reply_start(&mut self, key: ChildKey, reply: Reply) {
        for token in self.waiting_for_start.remove(&key).unwrap_or_default() {
            self.actions.push(Action::Reply(token, reply));
        }
    }

    // What is to be done

    /// Brings states nearer to goals, and returns what has to be done for it.
    fn advance(&mut self) -> Vec<Action> {
        let is_independent = self.rules.strategy == Strategy::OneForOne;
        match self.phase {
            Phase::Starting => {
                if is_independent {
                    self.stop_changed();
                } else {
                    self.stop_last();
                }
                self.start_first();
                self.look_whether_ready();
            }
            Phase::Up if is_independent => {
                for key in std::mem::take(&mut self.changed) {
                    self.stop_one(key);
                    self.start_one(key);
                }
            }
            Phase::Up => {
                self.stop_last();
                self.start_first();
            }
            Phase::Ending(reason) => {
                if self.rules.is_dynamic {
                    self.stop_changed();
                } else {
                    self.stop_last();
                }
                if self.alive_count == 0 {
                    self.phase = Phase::Ended;
                    self.actions.push(Action::End(reason));
                }
            }
            Phase::Ended => {}
        }
        self.changed.clear();
        std::mem::take(&mut self.actions)
    }

    /// Stops the last of those who must go.
    fn stop_last(&mut self) {
        let leaving = self.children.iter().rev().find(|(_, child)| child.must_go());
        if let Some((&key, _)) = leaving {
            self.stop_one(key);
        }
    }

    /// Stops those who must go, each by itself. Only those that have changed are looked at: of a
    /// dynamic supervisor there may be many.
    fn stop_changed(&mut self) {
        for key in std::mem::take(&mut self.changed) {
            self.stop_one(key);
        }
    }

    fn stop_one(&mut self, key: ChildKey) {
        let Some(child) = self.children.get_mut(&key) else { return };
        if !child.must_go() || child.state == State::Stopping {
            return;
        }
        let is_killed = match (child.state, child.policy.kind) {
            (State::Starting, ChildKind::Worker) => true,
            _ => child.policy.shutdown == Shutdown::Kill,
        };
        child.state = State::Stopping;
        self.actions.push(if is_killed { Action::Kill(key) } else { Action::Stop(key) });
        if let (false, Shutdown::Timeout(after)) = (is_killed, child.policy.shutdown) {
            child.has_timer = true;
            self.actions.push(Action::Arm(key, after));
        }
    }

    /// Starts the first of those who should run, when all before it do and nobody is about to leave.
    fn start_first(&mut self) {
        if self.alive_count > 0 && self.children.values().any(Child::must_go) {
            return;
        }
        let mut wanted = self.children.iter().filter(|(_, child)| child.goal == Goal::Up);
        if let Some((&key, _)) = wanted.find(|(_, child)| !child.is_running()) {
            self.start_one(key);
        }
    }

    fn start_one(&mut self, key: ChildKey) {
        let Some(child) = self.children.get_mut(&key) else { return };
        if child.state == State::Due && child.goal == Goal::Up {
            child.state = State::Starting;
            self.alive_count += 1;
            self.actions.push(Action::Start(key));
        }
    }

    fn look_whether_ready(&mut self) {
        let mut wanted = self.children.values().filter(|child| child.goal == Goal::Up);
        if wanted.all(Child::is_running) {
            self.phase = Phase::Up;
            self.actions.push(Action::Ready);
        }
    }
}

fn disarm(key: ChildKey, child: &mut Child, actions: &mut Vec<Action>) {
    if child.has_timer {
        child.has_timer = false;
        actions.push(Action::Disarm(key));
    }
}
