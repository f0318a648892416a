//! Domains: groups of tasks that live, pause, are busy and tell time together.
//!
//! A simulated machine is made of one. The root domain is the test itself; it is always alive.

use std::any::Any;
use std::collections::{BTreeSet, VecDeque};
use std::fmt;
use std::rc::Rc;

use super::kin::{Children, Kin, TaskName};
use super::timers::{TimerKey, Timers};
use crate::kernel::{StreamId, VirtualTime};

/// Names a domain of the run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DomainId(u16);

impl DomainId {
    /// The domain of the test itself.
    pub const ROOT: Self = Self(0);

    pub(crate) fn index(self) -> usize {
        usize::from(self.0)
    }

    pub(super) fn number(self) -> u64 {
        u64::from(self.0)
    }
}

/// What the tasks of a domain may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DomainState {
    /// They run.
    Alive,
    /// They are frozen: no polls, and timers fire late, when the domain is resumed.
    Paused,
    /// They do not run before this time; timers that fire until then are handled late.
    BusyUntil(VirtualTime),
    /// They were destroyed; nothing can be spawned any more.
    Dead,
}

/// The clock of a domain: global time scaled by a rate.
///
/// Its monotonic reading has no steps; steps and offset show in [`crate::time::SystemTime`] only.
#[derive(Clone, Copy, Debug)]
pub(super) struct Clock {
    global_base: u64,
    local_base: u64,
    /// Local nanoseconds per 1,000,000 global ones.
    rate: u64,
    /// What [`crate::time::SystemTime`] shows beyond the monotonic reading.
    pub(super) wall_offset_nanos: i64,
}

impl Clock {
    const EXACT: Self =
        Self { global_base: 0, local_base: 0, rate: RATE_ONE, wall_offset_nanos: 0 };

    /// Returns the reading at a global time.
    pub(super) fn local(&self, global: VirtualTime) -> u64 {
        if self.rate == RATE_ONE {
            return self.local_base.saturating_add(global.as_nanos() - self.global_base);
        }
        let passed = u128::from(global.as_nanos() - self.global_base) * u128::from(self.rate);
        self.local_base.saturating_add(nanos(passed / u128::from(RATE_ONE)))
    }

    /// Returns the first global time at which the reading is `local` or later.
    pub(super) fn global(&self, local: u64) -> u64 {
        let ahead = local.saturating_sub(self.local_base);
        if self.rate == RATE_ONE {
            return self.global_base.saturating_add(ahead);
        }
        let scaled = (u128::from(ahead) * u128::from(RATE_ONE)).div_ceil(u128::from(self.rate));
        self.global_base.saturating_add(nanos(scaled))
    }

    /// Returns the clock that reads the same now and runs at another rate from here on.
    fn with_rate(self, now: VirtualTime, rate: u64) -> Self {
        Self { global_base: now.as_nanos(), local_base: self.local(now), rate, ..self }
    }
}

#[derive(Debug)]
pub(super) struct Domain {
    pub(super) name: Rc<str>,
    pub(super) stream: StreamId,
    pub(super) state: DomainState,
    pub(super) clock: Clock,
    /// Until when the processor is busy; counts on while the domain is paused.
    pub(super) busy_until: VirtualTime,
    /// The timer that ends the busy time, while that can end.
    pub(super) end_of_busy: Option<TimerKey>,
    /// Tasks that are ready but may not run.
    pub(super) held: VecDeque<u32>,
    /// Values of the layers above, one of each type.
    pub(super) locals: Locals,
    /// How many times longer than normal its processor takes; 1 is normal.
    pub(super) slowness: u32,
    /// How many tasks of each name were spawned into it by tasks of other domains.
    children: Children,
}

impl Domain {
    fn new(name: &str, stream: StreamId) -> Self {
        Self {
            name: name.into(),
            stream,
            state: DomainState::Alive,
            clock: Clock::EXACT,
            busy_until: VirtualTime::ZERO,
            end_of_busy: None,
            held: VecDeque::new(),
            locals: Locals::default(),
            slowness: 1,
            children: Children::default(),
        }
    }

    pub(super) fn is_running(&self) -> bool {
        self.state == DomainState::Alive
    }

    /// Counts one more child of this name. Returns how many there were, and what they have in common;
    /// the program itself has nothing in common with anybody.
    pub(super) fn next_child(
        &mut self,
        name: TaskName,
        is_program: bool,
    ) -> (u32, Option<Rc<Kin>>) {
        let namesakes = self.children.of(&name);
        let ordinal = namesakes.next();
        (ordinal, (!is_program).then(|| namesakes.kin(name, Some(&self.name))))
    }
}

/// Values of which a domain has one of each type.
#[derive(Default)]
pub(super) struct Locals(Vec<Rc<dyn Any>>);

impl Locals {
    pub(super) fn find<T: 'static>(&self) -> Option<Rc<T>> {
        self.0.iter().find_map(|local| local.clone().downcast::<T>().ok())
    }

    pub(super) fn add<T: 'static>(&mut self, local: Rc<T>) {
        self.0.push(local);
    }
}

impl fmt::Debug for Locals {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} locals", self.0.len())
    }
}

#[derive(Debug)]
pub(super) struct Domains {
    domains: Vec<Domain>,
    /// Names and incarnations that are taken, by their streams.
    #[expect(
        clippy::box_collection,
        reason = "few runs have any, and each of them has to stay small"
    )]
    streams: Option<Box<BTreeSet<StreamId>>>,
}

impl Domains {
    pub(super) fn new() -> Self {
        Self { domains: vec![Domain::new("", StreamId::ROOT)], streams: None }
    }

    /// Adds a domain; the `incarnation`-th of that name.
    pub(super) fn add(&mut self, name: &str, incarnation: u32) -> DomainId {
        let number = u16::try_from(self.domains.len()).expect("fewer than 65,536 domains in a run");
        let stream = Self::stream(name, incarnation);
        self.streams.get_or_insert_default().insert(stream);
        self.domains.push(Domain::new(name, stream));
        DomainId(number)
    }

    /// Tells whether one more domain can be made.
    pub(super) fn has_room(&self) -> bool {
        self.domains.len() <= usize::from(u16::MAX)
    }

    /// Tells whether a name has this incarnation already.
    pub(super) fn exists(&self, name: &str, incarnation: u32) -> bool {
        let stream = Self::stream(name, incarnation);
        self.streams.as_ref().is_some_and(|streams| streams.contains(&stream))
    }

    /// Returns the stream of a domain. No task has it, whatever its name.
    fn stream(name: &str, incarnation: u32) -> StreamId {
        StreamId::from_bits(DOMAINS).child(name, incarnation)
    }

    #[inline]
    pub(super) fn get(&self, domain: DomainId) -> &Domain {
        &self.domains[domain.index()]
    }

    #[inline]
    pub(super) fn get_mut(&mut self, domain: DomainId) -> &mut Domain {
        &mut self.domains[domain.index()]
    }

    /// Keeps the held tasks that `is_kept` says yes to.
    pub(super) fn retain_held(&mut self, is_kept: impl Fn(u32) -> bool) {
        for domain in &mut self.domains {
            domain.held.retain(|index| is_kept(*index));
        }
    }

    /// Changes the rate of a clock; timers move to where it puts them.
    pub(super) fn set_rate(
        &mut self,
        domain: DomainId,
        timers: &mut Timers,
        now: VirtualTime,
        parts_per_million: i32,
    ) {
        let rate =
            RATE_ONE.checked_add_signed(i64::from(parts_per_million)).filter(|rate| *rate > 0);
        let rate = rate.expect("a clock rate above -1,000,000 ppm, or time would stand still");
        let clock = &mut self.get_mut(domain).clock;
        *clock = clock.with_rate(now, rate);
        let clock = *clock;
        timers.rekey(domain, now.as_nanos(), |local| clock.global(local));
    }
}

fn nanos(scaled: u128) -> u64 {
    u64::try_from(scaled).unwrap_or(u64::MAX)
}

const RATE_ONE: u64 = 1_000_000;
const DOMAINS: u64 = 0x2545_f491_4f6c_dd1d;
