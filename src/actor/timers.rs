//! Timers of an actor: messages to itself, at a time.
//!
//! They are no tasks: the actor looks at them before it takes the next message. So one that was cancelled
//! or replaced cannot come any more, there is no queued message of it; and they end with the actor.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use super::behaviour::Actor;
use super::future_slot::Sealed;

/// Names a timer of one actor.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum TimerKey {
    /// A word.
    Name(Cow<'static, str>),
    /// A number.
    Number(u64),
}

impl From<&'static str> for TimerKey {
    fn from(name: &'static str) -> Self {
        Self::Name(Cow::Borrowed(name))
    }
}

impl From<String> for TimerKey {
    fn from(name: String) -> Self {
        Self::Name(Cow::Owned(name))
    }
}

impl From<u64> for TimerKey {
    fn from(number: u64) -> Self {
        Self::Number(number)
    }
}

impl fmt::Display for TimerKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => formatter.write_str(name),
            Self::Number(number) => write!(formatter, "{number}"),
        }
    }
}

pub(crate) type MakeLetter<A> = Box<dyn FnMut() -> Sealed<A>>;

/// What comes at a time.
enum Due<A: Actor> {
    Once(Sealed<A>),
    Every { period_nanos: u64, make: MakeLetter<A> },
}

struct Timed<A: Actor> {
    key: TimerKey,
    deadline: u64,
    /// Tells timers of one deadline apart: the one that was set first comes first.
    number: u64,
    due: Due<A>,
}

/// The timers of an actor, and how long it may be idle.
pub(crate) struct Timers<A: Actor> {
    list: Vec<Timed<A>>,
    set_count: u64,
    idle_nanos: Option<u64>,
    idle_deadline: u64,
}

/// What the time has brought.
pub(crate) enum Tick<A: Actor> {
    Letter(Sealed<A>),
    Idle,
}

impl<A: Actor> Timers<A> {
    pub(crate) fn new() -> Self {
        Self { list: Vec::new(), set_count: 0, idle_nanos: None, idle_deadline: 0 }
    }

    /// Sets a timer, in the place of one of the same key.
    pub(crate) fn set_once(&mut self, key: TimerKey, deadline: u64, letter: Sealed<A>) {
        self.set(key, deadline, Due::Once(letter));
    }

    /// Sets a timer that comes again and again, in the place of one of the same key.
    pub(crate) fn set_every(
        &mut self,
        key: TimerKey,
        now: u64,
        period: Duration,
        make: MakeLetter<A>,
    ) {
        let period_nanos = nanos(period).max(1);
        let deadline = now.saturating_add(period_nanos);
        self.set(key, deadline, Due::Every { period_nanos, make });
    }

    fn set(&mut self, key: TimerKey, deadline: u64, due: Due<A>) {
        let _ = self.cancel(&key);
        self.set_count += 1;
        self.list.push(Timed { key, deadline, number: self.set_count, due });
    }

    pub(crate) fn cancel(&mut self, key: &TimerKey) -> bool {
        let place = self.list.iter().position(|timed| timed.key == *key);
        place.map(|place| self.list.swap_remove(place)).is_some()
    }

    /// Sets how long it may be idle, from now on.
    pub(crate) fn set_idle(&mut self, now: u64, after: Option<Duration>) {
        self.idle_nanos = after.map(nanos);
        self.be_active(now);
    }

    /// Tells whether it matters when it was active.
    #[inline]
    pub(crate) fn watches_idle(&self) -> bool {
        self.idle_nanos.is_some()
    }

    /// Begins to count idle time anew.
    pub(crate) fn be_active(&mut self, now: u64) {
        self.idle_deadline = self.idle_nanos.map_or(0, |nanos| now.saturating_add(nanos));
    }

    /// Returns when the next of them is due.
    pub(crate) fn next(&self) -> Option<u64> {
        let idle = self.idle_nanos.map(|_| self.idle_deadline);
        self.list.iter().map(|timed| timed.deadline).chain(idle).min()
    }

    /// Takes what is due.
    pub(crate) fn take(&mut self, now: u64) -> Option<Tick<A>> {
        let first = self.list.iter().enumerate().filter(|(_, timed)| timed.deadline <= now);
        let place = first.min_by_key(|(_, timed)| (timed.deadline, timed.number)).map(|(at, _)| at);
        let Some(place) = place else {
            return self.take_idle(now);
        };
        if let Timed { due: Due::Every { period_nanos, make }, deadline, .. } =
            &mut self.list[place]
        {
            // What was missed is not made up for.
            let missed = (now - *deadline) / *period_nanos;
            *deadline = deadline.saturating_add(period_nanos.saturating_mul(missed + 1));
            return Some(Tick::Letter(make()));
        }
        match self.list.swap_remove(place).due {
            Due::Once(letter) => Some(Tick::Letter(letter)),
            Due::Every { mut make, .. } => Some(Tick::Letter(make())),
        }
    }

    fn take_idle(&mut self, now: u64) -> Option<Tick<A>> {
        if self.idle_nanos.is_none() || self.idle_deadline > now {
            return None;
        }
        self.be_active(now);
        Some(Tick::Idle)
    }
}

pub(crate) fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
