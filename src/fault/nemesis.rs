//! Nemeses: what draws the faults of one sort.
//!
//! Time is cut into slots. In each slot a nemesis draws whether it strikes, then when, how long, and at
//! whom, each with the number of the slot as ordinal. So a strike that is left out when a failure is
//! shrunk moves no other, and the default world has none.

use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::Duration;

use super::dice::Dice;
use super::plan::{Actors, Between, Fault, Step};
use super::shape;
use crate::kernel::{Ratio, hash_text};
use crate::world::{Latency, TimeStep};

/// Draws faults of one sort: how often, how long, at whom.
///
/// | nemesis | strikes every | and lasts |
/// |---|---|---|
/// | [`partitions`](Self::partitions): one machine, a part of any size, a coin for each, a bridge, a ring, a failure domain; half of them one way | 4 s | 100 ms to 8 s |
/// | [`clogs`](Self::clogs): what is sent arrives later | 4 s | 1 ms to 8 s |
/// | [`swizzles`](Self::swizzles): half of the machines are clogged one by one, then released in another order | 20 s | 1 s to 8 s |
/// | [`flaps`](Self::flaps): a link comes and goes | 10 s | 1 s to 8 s |
/// | [`losses`](Self::losses), [`duplications`](Self::duplications), [`reorderings`](Self::reorderings): up to 30 % of the packets between all | 10 s | 1 s to 20 s |
/// | [`corruptions`](Self::corruptions): a bit of 1 to 100 packets in 10,000 | 10 s | 1 s to 20 s |
/// | [`latencies`](Self::latencies): one machine is far away, or has a long tail | 10 s | 1 s to 20 s |
/// | [`resets`](Self::resets): connections of one machine | 4 s | |
/// | [`crashes`](Self::crashes): killed or powered off, now and then with its failure domain | 6 s | 1 ms to 8 s |
/// | [`rolling_restarts`](Self::rolling_restarts): one after the other | 30 s | 1 s to 8 s |
/// | [`pauses`](Self::pauses): frozen | 6 s | 1 ms to 8 s |
/// | [`slowness`](Self::slowness): 2 to 256 times | 10 s | 1 s to 20 s |
/// | [`clock_steps`](Self::clock_steps): 10 ms to a day, forward or back | 20 s | |
/// | [`clock_drifts`](Self::clock_drifts): 100 ppm to 5 % | 20 s | 1 s to 20 s |
/// | [`message_losses`](Self::message_losses), [`message_duplications`](Self::message_duplications), [`message_reorderings`](Self::message_reorderings): up to 30 % of the messages to actors | 10 s | 1 s to 20 s |
/// | [`message_delays`](Self::message_delays): up to 30 % of the messages to actors, by up to 1 s | 10 s | 1 s to 20 s |
/// | [`slow_actors`](Self::slow_actors): up to 30 % of the messages take up to 1 s longer | 10 s | 1 s to 20 s |
/// | [`actor_crashes`](Self::actor_crashes): at one of the next 64 messages | 6 s | 1 s to 20 s |
///
/// Durations are spread evenly by octaves. Half of the partitions, resets, crashes and pauses wait for the next packet
/// to one of their machines, for a second at most: what a program does, it does when it hears from others, and a time
/// that is drawn blindly lies between two such moments nearly always. Sources: the simulators of `FoundationDB` and `TigerBeetle`.
///
/// # Examples
/// ```
/// use std::time::Duration;
/// use parcae::fault::{Chaos, Nemesis};
/// use parcae::world;
///
/// parcae::check(10, || async {
///     let nodes = world::nodes("kv", 3).idle();
///     let cuts = Nemesis::partitions().every(Duration::from_secs(1));
///     let chaos = Chaos::on(nodes).nemesis(cuts).nemesis(Nemesis::pauses()).start();
///     parcae::time::sleep(Duration::from_secs(10)).await;
///     chaos.end();
/// });
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Nemesis {
    sort: Sort,
    every: Duration,
    lasts: RangeInclusive<Duration>,
}

/// What a nemesis does; also where its draws stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sort {
    Partitions,
    Clogs,
    Swizzles,
    Flaps,
    Losses,
    Duplications,
    Reorderings,
    Corruptions,
    Latencies,
    Resets,
    Crashes,
    RollingRestarts,
    Pauses,
    Slowness,
    ClockSteps,
    ClockDrifts,
    MessageLosses,
    MessageDelays,
    MessageDuplications,
    MessageReorderings,
    SlowActors,
    ActorCrashes,
}

impl Sort {
    /// Tells whether it matters at which moment it begins, and not only that it lasts.
    const fn is_sudden(self) -> bool {
        matches!(self, Self::Partitions | Self::Resets | Self::Crashes | Self::Pauses)
    }

    /// Tells whether it is done to actors, wherever they run.
    const fn is_of_actors(self) -> bool {
        matches!(
            self,
            Self::MessageLosses
                | Self::MessageDelays
                | Self::MessageDuplications
                | Self::MessageReorderings
                | Self::SlowActors
                | Self::ActorCrashes
        )
    }
}

/// Labels of the draws of one nemesis.
#[derive(Clone, Copy, Debug)]
pub(super) struct Labels {
    pub(super) name: &'static str,
    at: &'static str,
    lasts: &'static str,
    pub(super) shape: &'static str,
    pub(super) one_way: &'static str,
    pub(super) who: &'static str,
    with_packet: &'static str,
    how_much: &'static str,
    pub(super) coin: &'static str,
}

macro_rules! labels {
    ($name:literal) => {
        Labels {
            name: $name,
            at: concat!($name, " at"),
            lasts: concat!($name, " for"),
            shape: concat!($name, " shape"),
            one_way: concat!($name, " one way"),
            who: concat!($name, " of"),
            with_packet: concat!($name, " with a packet"),
            how_much: concat!($name, " by"),
            coin: concat!($name, " side"),
        }
    };
}

/// A machine that faults may be done to.
#[derive(Clone, Debug)]
pub(super) struct Victim {
    pub(super) name: Arc<str>,
    /// What fails together with it, if the budget names a kind of failure domain.
    pub(super) domain: Option<Arc<str>>,
}

/// What a nemesis draws for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Strike<'a> {
    pub(super) dice: Dice,
    pub(super) labels: Labels,
    /// Ordinal of its draws.
    pub(super) slot: u64,
    pub(super) victims: &'a [Victim],
}

impl Strike<'_> {
    /// Draws one machine.
    fn one(self) -> Arc<str> {
        self.victims[self.dice.index(self.labels.who, self.slot << 16, self.victims.len())]
            .name
            .clone()
    }

    /// Draws so many different machines; gives them and the others.
    pub(super) fn part(self, count: usize) -> (Vec<Arc<str>>, Vec<Arc<str>>) {
        let mut names: Vec<_> = self.victims.iter().map(|victim| victim.name.clone()).collect();
        for place in 0..count.min(names.len()) {
            let ordinal = self.slot << 16 | place as u64;
            let rest = names.len() - place;
            names.swap(place, place + self.dice.index(self.labels.who, ordinal, rest));
        }
        let others = names.split_off(count.min(names.len()));
        (names, others)
    }

    /// Returns the actors on all machines; all there are, if there are no machines.
    fn all_actors(self) -> Actors {
        match self.victims {
            [] => Actors::all(),
            victims => Actors::on(victims.iter().map(|victim| victim.name.clone())),
        }
    }

    /// Draws one machine and returns its actors.
    fn actors_of_one(self) -> Actors {
        if self.victims.is_empty() { Actors::all() } else { Actors::on([self.one()]) }
    }

    /// Returns what the draws of its faults are numbered by.
    fn number(self) -> u64 {
        hash_text(&format!("{} {}", self.labels.name, self.slot))
    }

    /// Returns the links between all machines.
    fn everywhere(self) -> Between {
        let names: Vec<_> = self.victims.iter().map(|victim| victim.name.clone()).collect();
        Between::new(names.clone(), names)
    }
}

const MILLISECOND: Duration = Duration::from_millis(1);
const SECOND: Duration = Duration::from_secs(1);

impl Nemesis {
    const fn new(sort: Sort, every: u64, lasts: RangeInclusive<Duration>) -> Self {
        Self { sort, every: Duration::from_secs(every), lasts }
    }

    /// Returns one of each sort.
    #[must_use]
    pub fn all() -> Vec<Self> {
        vec![
            Self::partitions(),
            Self::clogs(),
            Self::swizzles(),
            Self::flaps(),
            Self::losses(),
            Self::duplications(),
            Self::reorderings(),
            Self::corruptions(),
            Self::latencies(),
            Self::resets(),
            Self::crashes(),
            Self::rolling_restarts(),
            Self::pauses(),
            Self::slowness(),
            Self::clock_steps(),
            Self::clock_drifts(),
        ]
        .into_iter()
        .chain(Self::of_actors())
        .collect()
    }

    /// Returns one of each sort that is done to actors and the messages to them.
    #[must_use]
    pub fn of_actors() -> Vec<Self> {
        vec![
            Self::message_losses(),
            Self::message_delays(),
            Self::message_duplications(),
            Self::message_reorderings(),
            Self::slow_actors(),
            Self::actor_crashes(),
        ]
    }

    /// Cuts machines off from each other.
    #[must_use]
    pub const fn partitions() -> Self {
        Self::new(Sort::Partitions, 4, Duration::from_millis(100)..=Duration::from_secs(8))
    }

    /// Keeps what is sent, and delivers it when it ends.
    #[must_use]
    pub const fn clogs() -> Self {
        Self::new(Sort::Clogs, 4, MILLISECOND..=Duration::from_secs(8))
    }

    /// Clogs half of the machines one by one, and releases them in another order.
    #[must_use]
    pub const fn swizzles() -> Self {
        Self::new(Sort::Swizzles, 20, SECOND..=Duration::from_secs(8))
    }

    /// Has a machine's links come and go.
    #[must_use]
    pub const fn flaps() -> Self {
        Self::new(Sort::Flaps, 10, SECOND..=Duration::from_secs(8))
    }

    /// Loses packets between all machines.
    #[must_use]
    pub const fn losses() -> Self {
        Self::new(Sort::Losses, 10, SECOND..=Duration::from_secs(20))
    }

    /// Delivers packets twice between all machines.
    #[must_use]
    pub const fn duplications() -> Self {
        Self::new(Sort::Duplications, 10, SECOND..=Duration::from_secs(20))
    }

    /// Has packets overtake each other between all machines.
    #[must_use]
    pub const fn reorderings() -> Self {
        Self::new(Sort::Reorderings, 10, SECOND..=Duration::from_secs(20))
    }

    /// Turns bits over between all machines; not one of [`Chaos`](super::Chaos)'s own, as datagrams
    /// without a checksum of the program's have no defence.
    #[must_use]
    pub const fn corruptions() -> Self {
        Self::new(Sort::Corruptions, 10, SECOND..=Duration::from_secs(20))
    }

    /// Moves a machine far away.
    #[must_use]
    pub const fn latencies() -> Self {
        Self::new(Sort::Latencies, 10, SECOND..=Duration::from_secs(20))
    }

    /// Resets the connections of a machine.
    #[must_use]
    pub const fn resets() -> Self {
        Self::new(Sort::Resets, 4, Duration::ZERO..=Duration::ZERO)
    }

    /// Kills machines, or takes their power.
    #[must_use]
    pub const fn crashes() -> Self {
        Self::new(Sort::Crashes, 6, MILLISECOND..=Duration::from_secs(8))
    }

    /// Restarts all machines, one after the other.
    #[must_use]
    pub const fn rolling_restarts() -> Self {
        Self::new(Sort::RollingRestarts, 30, SECOND..=Duration::from_secs(8))
    }

    /// Freezes machines, as a long collection of garbage does, or a virtual machine that is moved.
    #[must_use]
    pub const fn pauses() -> Self {
        Self::new(Sort::Pauses, 6, MILLISECOND..=Duration::from_secs(8))
    }

    /// Makes machines slow.
    #[must_use]
    pub const fn slowness() -> Self {
        Self::new(Sort::Slowness, 10, SECOND..=Duration::from_secs(20))
    }

    /// Has wall clocks jump.
    #[must_use]
    pub const fn clock_steps() -> Self {
        Self::new(Sort::ClockSteps, 20, Duration::ZERO..=Duration::ZERO)
    }

    /// Has clocks run fast or slow, and with them the timers of their machines.
    #[must_use]
    pub const fn clock_drifts() -> Self {
        Self::new(Sort::ClockDrifts, 20, SECOND..=Duration::from_secs(20))
    }

    /// Loses messages to actors; as all that is done to them, not one of [`Chaos::on`](super::Chaos::on)'s own: on one
    /// machine no message is lost, so a program need not survive it.
    #[must_use]
    pub const fn message_losses() -> Self {
        Self::new(Sort::MessageLosses, 10, SECOND..=Duration::from_secs(20))
    }

    /// Has messages to actors come later, so that others overtake them.
    #[must_use]
    pub const fn message_delays() -> Self {
        Self::new(Sort::MessageDelays, 10, SECOND..=Duration::from_secs(20))
    }

    /// Delivers messages to actors twice, those that can be copied.
    #[must_use]
    pub const fn message_duplications() -> Self {
        Self::new(Sort::MessageDuplications, 10, SECOND..=Duration::from_secs(20))
    }

    /// Has messages of several senders to one actor overtake each other.
    #[must_use]
    pub const fn message_reorderings() -> Self {
        Self::new(Sort::MessageReorderings, 10, SECOND..=Duration::from_secs(20))
    }

    /// Makes actors slow.
    #[must_use]
    pub const fn slow_actors() -> Self {
        Self::new(Sort::SlowActors, 10, SECOND..=Duration::from_secs(20))
    }

    /// Crashes actors; their supervisors see to the rest.
    #[must_use]
    pub const fn actor_crashes() -> Self {
        Self::new(Sort::ActorCrashes, 6, SECOND..=Duration::from_secs(20))
    }

    /// Tells whether it is one of [`Chaos::on`](super::Chaos::on)'s own.
    pub(super) fn is_usual(&self) -> bool {
        !(self.sort.is_of_actors() || self.sort == Sort::Corruptions)
    }

    /// Sets how often it strikes, on average.
    ///
    /// # Panics
    /// Below 4 ns.
    #[must_use]
    #[track_caller]
    pub fn every(mut self, every: Duration) -> Self {
        assert!(every >= Duration::from_nanos(4), "a nemesis strikes at most every 4 ns");
        self.every = every;
        self
    }

    /// Sets how long its faults last.
    ///
    /// # Panics
    /// On an empty range.
    #[must_use]
    #[track_caller]
    pub fn lasting(mut self, range: RangeInclusive<Duration>) -> Self {
        assert!(range.start() <= range.end(), "a range of durations is empty: {range:?}");
        self.lasts = range;
        self
    }

    /// Returns its name, as its draws and reports call it.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.labels().name
    }

    const fn labels(&self) -> Labels {
        match self.sort {
            Sort::Partitions => labels!("partition"),
            Sort::Clogs => labels!("clog"),
            Sort::Swizzles => labels!("swizzle"),
            Sort::Flaps => labels!("flap"),
            Sort::Losses => labels!("loss"),
            Sort::Duplications => labels!("duplication"),
            Sort::Reorderings => labels!("reordering"),
            Sort::Corruptions => labels!("corruption"),
            Sort::Latencies => labels!("far machine"),
            Sort::Resets => labels!("reset"),
            Sort::Crashes => labels!("crash"),
            Sort::RollingRestarts => labels!("rolling restart"),
            Sort::Pauses => labels!("frozen machine"),
            Sort::Slowness => labels!("slow machine"),
            Sort::ClockSteps => labels!("clock step"),
            Sort::ClockDrifts => labels!("clock drift"),
            Sort::MessageLosses => labels!("message loss"),
            Sort::MessageDelays => labels!("message delay"),
            Sort::MessageDuplications => labels!("message duplication"),
            Sort::MessageReorderings => labels!("message reordering"),
            Sort::SlowActors => labels!("slow actors"),
            Sort::ActorCrashes => labels!("actor crash"),
        }
    }

    /// Draws all its faults until `end`, with a share of `strength` sixteenths of its slots.
    pub(super) fn draw(
        &self,
        (dice, series): (Dice, u64),
        strength: u32,
        end: Duration,
        victims: &[Victim],
    ) -> Vec<Step> {
        let slot_length = self.every / SLOTS;
        let labels = self.labels();
        let mut steps = Vec::new();
        if victims.is_empty() && !self.sort.is_of_actors() {
            return steps;
        }
        for number in 0..SLOTS_MAX {
            let begin = slot_length.saturating_mul(number);
            if begin >= end {
                break;
            }
            let slot = series << 24 | u64::from(number);
            if dice.happens(labels.name, slot, Ratio::new(strength, SIXTEENTHS)) {
                let at = begin + dice.duration(labels.at, slot, &(Duration::ZERO..=slot_length));
                let lasts = self.length(dice, labels, slot);
                let first = steps.len();
                self.strike(Strike { dice, labels, slot, victims }, (at, lasts), &mut steps);
                if self.sort.is_sudden() {
                    let with_packet = dice.happens(labels.with_packet, slot, Ratio::new(1, 2));
                    steps[first..].iter_mut().for_each(|step| step.with_packet = with_packet);
                }
            }
        }
        steps
    }

    fn length(&self, dice: Dice, labels: Labels, slot: u64) -> Duration {
        if self.lasts.end().is_zero() {
            return Duration::ZERO;
        }
        dice.log_duration(labels.lasts, slot, &self.lasts)
    }

    fn strike(&self, strike: Strike<'_>, (at, lasts): (Duration, Duration), to: &mut Vec<Step>) {
        let number = strike.number();
        let mut add = |fault| to.push(Step::new(at, lasts, fault, number));
        match self.sort {
            Sort::Partitions => {
                shape::partition(strike).into_iter().for_each(|cut| add(Fault::Cut(cut)));
            }
            Sort::Clogs => {
                shape::partition(strike).into_iter().for_each(|cut| add(Fault::Clog(cut)));
            }
            Sort::Swizzles => swizzle(strike, (at, lasts), to),
            Sort::Flaps => add(flap(strike)),
            Sort::Losses => add(Fault::Loss(strike.everywhere(), percent(strike))),
            Sort::Duplications => add(Fault::Duplication(strike.everywhere(), percent(strike))),
            Sort::Reorderings => add(Fault::Reordering(strike.everywhere(), percent(strike))),
            Sort::Corruptions => {
                let parts = 1 + strike.dice.number(strike.labels.how_much, strike.slot, 99);
                add(Fault::Corruption(strike.everywhere(), ratio(parts, 10_000)));
            }
            Sort::Latencies => add(far(strike)),
            Sort::Resets => add(Fault::Reset(apart(strike))),
            Sort::Crashes => crash(strike).into_iter().for_each(add),
            Sort::RollingRestarts => rolling(strike, (at, lasts), to),
            Sort::Pauses => add(Fault::Pause(strike.one())),
            Sort::Slowness => {
                let power = 1 + strike.dice.number(strike.labels.how_much, strike.slot, 7);
                add(Fault::Slow(strike.one(), 1 << power));
            }
            Sort::ClockSteps => add(clock_step(strike)),
            Sort::ClockDrifts => add(clock_drift(strike)),
            Sort::MessageLosses => add(Fault::MessageLoss(strike.all_actors(), percent(strike))),
            Sort::MessageDelays => {
                add(Fault::MessageDelay(strike.all_actors(), percent(strike), late(strike)));
            }
            Sort::MessageDuplications => {
                add(Fault::MessageDuplication(strike.all_actors(), percent(strike)));
            }
            Sort::MessageReorderings => {
                add(Fault::MessageReordering(strike.all_actors(), percent(strike)));
            }
            Sort::SlowActors => {
                add(Fault::SlowActors(strike.actors_of_one(), percent(strike), late(strike)));
            }
            Sort::ActorCrashes => {
                let message = 1 + strike.dice.number(strike.labels.how_much, strike.slot, 63);
                add(Fault::ActorCrash(strike.actors_of_one(), message));
            }
        }
    }
}

/// Returns the links between one machine that is drawn and all others.
fn apart(strike: Strike<'_>) -> Between {
    let (one, others) = strike.part(1);
    Between::new(one, others)
}

fn flap(strike: Strike<'_>) -> Fault {
    let times = MILLISECOND..=Duration::from_secs(1);
    let half = |half: u64| {
        strike.dice.log_duration(strike.labels.how_much, strike.slot << 1 | half, &times)
    };
    Fault::Flap { between: apart(strike), up: half(0), down: half(1) }
}

/// Draws by how much messages are late.
fn late(strike: Strike<'_>) -> RangeInclusive<Duration> {
    let most = MILLISECOND..=Duration::from_secs(1);
    Duration::ZERO..=strike.dice.log_duration(strike.labels.shape, strike.slot, &most)
}

fn percent(strike: Strike<'_>) -> Ratio {
    ratio(1 + strike.dice.number(strike.labels.how_much, strike.slot, 29), 100)
}

fn ratio(parts: u64, of: u32) -> Ratio {
    Ratio::new(u32::try_from(parts).expect("it was drawn below"), of)
}

fn far(strike: Strike<'_>) -> Fault {
    let floor = strike.dice.log_duration(
        strike.labels.how_much,
        strike.slot,
        &(Duration::from_millis(5)..=Duration::from_millis(500)),
    );
    let latency = match strike.dice.index(strike.labels.shape, strike.slot, 3) {
        0 => Latency::constant(floor),
        1 => Latency::uniform(floor, floor * 2),
        _ => Latency::pareto(floor, floor, 15),
    };
    Fault::Latency(apart(strike), latency)
}

/// Draws who dies and how: one machine, or one in four times all of its failure domain.
fn crash(strike: Strike<'_>) -> Vec<Fault> {
    let first = strike.dice.index(strike.labels.who, strike.slot << 16, strike.victims.len());
    let domain = strike.victims[first].domain.as_ref();
    let together = domain.is_some()
        && strike.dice.happens(strike.labels.one_way, strike.slot, Ratio::new(1, 4));
    let is_powered_off = strike.dice.index(strike.labels.shape, strike.slot, 2) == 1;
    let dies = |victim: &Victim| {
        let name = victim.name.clone();
        if is_powered_off { Fault::PowerOff(name) } else { Fault::Kill(name) }
    };
    let is_of_it = |victim: &&Victim| victim.domain.as_ref() == domain;
    match together {
        true => strike.victims.iter().filter(is_of_it).map(dies).collect(),
        false => vec![dies(&strike.victims[first])],
    }
}

fn rolling(strike: Strike<'_>, (at, lasts): (Duration, Duration), to: &mut Vec<Step>) {
    let count = u32::try_from(strike.victims.len()).unwrap_or(u32::MAX);
    let each = lasts / count;
    let mut begin = at;
    for victim in strike.victims {
        let fault = Fault::Kill(victim.name.clone());
        to.push(Step::new(begin, each / 2, fault, strike.number()));
        begin += each;
    }
}

fn swizzle(strike: Strike<'_>, (at, lasts): (Duration, Duration), to: &mut Vec<Step>) {
    let half = lasts / 2;
    let (some, _) = strike.part(strike.victims.len().div_ceil(2));
    for (number, one) in some.into_iter().enumerate() {
        let ordinal = strike.slot << 16 | (2 * number) as u64;
        let drawn = |ordinal| {
            strike.dice.duration(strike.labels.how_much, ordinal, &(Duration::ZERO..=half))
        };
        let (begin, end) = (drawn(ordinal), half + drawn(ordinal + 1));
        let others = strike.victims.iter().map(|victim| victim.name.clone());
        let others: Vec<_> = others.filter(|other| *other != one).collect();
        let fault = Fault::Clog(Between::new([one], others));
        to.push(Step::new(at + begin, end - begin, fault, strike.number()));
    }
}

fn clock_step(strike: Strike<'_>) -> Fault {
    const STEPS: [Duration; 4] = [
        Duration::from_millis(10),
        Duration::from_secs(1),
        Duration::from_secs(3600),
        Duration::from_secs(86_400),
    ];
    let by = STEPS[strike.dice.index(strike.labels.how_much, strike.slot, STEPS.len())];
    let is_back = strike.dice.index(strike.labels.shape, strike.slot, 2) == 1;
    let by = if is_back { TimeStep::Back(by) } else { TimeStep::Forward(by) };
    Fault::ClockStep(strike.one(), by)
}

fn clock_drift(strike: Strike<'_>) -> Fault {
    const RATES: [i32; 6] = [100, -100, 500, -500, 50_000, -50_000];
    let rate = RATES[strike.dice.index(strike.labels.how_much, strike.slot, RATES.len())];
    Fault::ClockDrift(strike.one(), rate)
}

/// How many slots there are in the mean time between two strikes.
const SLOTS: u32 = 4;

/// The share of slots with a strike is counted in these; as many as there are without swarm would be
/// `SIXTEENTHS / SLOTS`.
const SIXTEENTHS: u32 = 16;

/// The usual share of slots, in sixteenths.
pub(crate) const STRENGTH: u32 = SIXTEENTHS / SLOTS;

/// Most slots of one nemesis.
const SLOTS_MAX: u32 = 100_000;

/// What a draw of this layer decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum StrikePart {
    /// Whether there is a fault at all.
    Whether,
    /// Whether something happens to one message of an actor's.
    Message,
    /// When, how long, at whom, how much.
    Detail,
}

/// Returns what a draw with this label decides, if faults are drawn with it.
pub(crate) fn strike_part(label: &str) -> Option<StrikePart> {
    if let Some(what) = label.strip_prefix("mailbox ") {
        let is_whether = MESSAGE_FAULTS.contains(&what);
        return Some(if is_whether { StrikePart::Message } else { StrikePart::Detail });
    }
    if label.starts_with("swarm") || label == "outside of the core" {
        return Some(StrikePart::Detail);
    }
    if label == "machines outside of the core" {
        return Some(StrikePart::Whether);
    }
    let rest = Nemesis::all().iter().find_map(|nemesis| label.strip_prefix(nemesis.name()))?;
    if rest.is_empty() {
        return Some(StrikePart::Whether);
    }
    DETAILS.contains(&rest).then_some(StrikePart::Detail)
}

/// How labels of draws go on after the name of a nemesis.
const DETAILS: [&str; 8] =
    [" at", " for", " shape", " one way", " of", " by", " side", " with a packet"];

/// How labels of draws that decide about a message go on after `mailbox `.
const MESSAGE_FAULTS: [&str; 5] = ["drop", "delay", "duplicate", "slow", "reorder"];
