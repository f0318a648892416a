//! Faults as data: what happens to which machines, when, and for how long.

use std::fmt;
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::Duration;

use super::kind::FaultKind;
use crate::kernel::{Ratio, hash_text};
use crate::world::{Latency, TimeStep};

/// One fault, by the names of the machines that it is done to.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// Links lose everything.
    Cut(Between),
    /// Links keep everything until the fault ends.
    Clog(Between),
    /// Links are open for `up` and cut for `down`, in turn.
    Flap {
        /// Which links.
        between: Between,
        /// How long they are open.
        up: Duration,
        /// How long they are cut.
        down: Duration,
    },
    /// Links lose this share of the packets.
    Loss(Between, Ratio),
    /// Links deliver this share of the packets twice.
    Duplication(Between, Ratio),
    /// Links hold this share of the packets up.
    Reordering(Between, Ratio),
    /// Links turn a bit over in this share of the packets.
    Corruption(Between, Ratio),
    /// Links take as long as this says.
    Latency(Between, Latency),
    /// Every connection over these links is reset, once.
    Reset(Between),
    /// A process dies. When the fault ends, it is started again.
    Kill(Arc<str>),
    /// A machine loses its power. When the fault ends, it is started again.
    PowerOff(Arc<str>),
    /// A process is frozen.
    Pause(Arc<str>),
    /// A machine computes so many times more slowly.
    Slow(Arc<str>, u32),
    /// A wall clock jumps, once.
    ClockStep(Arc<str>, TimeStep),
    /// A clock runs fast (above 0) or slow, in parts per million.
    ClockDrift(Arc<str>, i32),
    /// This share of the messages to actors is lost; see [`mailboxes`](super::mailboxes) for this and what follows.
    MessageLoss(Actors, Ratio),
    /// This share of the messages to actors comes later, by a duration of the range.
    MessageDelay(Actors, Ratio, RangeInclusive<Duration>),
    /// This share of the messages to actors comes twice.
    MessageDuplication(Actors, Ratio),
    /// At this share of the times when messages of several senders wait, one is taken that did not come first.
    MessageReordering(Actors, Ratio),
    /// This share of the messages takes longer to handle, by a duration of the range.
    SlowActors(Actors, Ratio, RangeInclusive<Duration>),
    /// An actor panics instead of handling the so-manieth message from the begin of the fault on, counted over all the actors.
    ActorCrash(Actors, u64),
}

/// Actors, by where they run.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Actors {
    /// Names of their machines; none for all actors of the run.
    pub machines: Option<Vec<Arc<str>>>,
}

impl Actors {
    /// Names all actors of the run.
    #[must_use]
    pub const fn all() -> Self {
        Self { machines: None }
    }

    /// Names the actors on some machines.
    pub fn on<N: Into<Arc<str>>>(machines: impl IntoIterator<Item = N>) -> Self {
        Self { machines: Some(machines.into_iter().map(Into::into).collect()) }
    }
}

impl fmt::Display for Actors {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.machines {
            None => formatter.write_str("everywhere"),
            Some(machines) => write!(formatter, "on {}", machines.join(" ")),
        }
    }
}

/// Links, by what they connect: each pair of sides, in both directions or in one.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Between {
    /// Names of the machines on either side.
    pub sides: Vec<Sides>,
    /// Whether only what goes from the first side of a pair to the second is concerned.
    pub is_one_way: bool,
}

/// Names of the machines on either side.
pub type Sides = (Vec<Arc<str>>, Vec<Arc<str>>);

impl Between {
    /// Names the links between two sets of machines.
    pub fn new<A, B>(a: impl IntoIterator<Item = A>, b: impl IntoIterator<Item = B>) -> Self
    where
        A: Into<Arc<str>>,
        B: Into<Arc<str>>,
    {
        let a = a.into_iter().map(Into::into).collect();
        let b = b.into_iter().map(Into::into).collect();
        Self { sides: vec![(a, b)], is_one_way: false }
    }

    /// Restricts it to what goes from the first machines to the second ones.
    #[must_use]
    pub fn one_way(mut self) -> Self {
        self.is_one_way = true;
        self
    }
}

impl fmt::Display for Between {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let arrow = if self.is_one_way { "->" } else { "|" };
        for (number, (a, b)) in self.sides.iter().enumerate() {
            let separator = if number > 0 { ", " } else { "" };
            write!(formatter, "{separator}{} {arrow} {}", a.join(" "), b.join(" "))?;
        }
        Ok(())
    }
}

impl Fault {
    /// Returns what kind of fault it is.
    #[must_use]
    pub const fn kind(&self) -> FaultKind {
        match self {
            Self::Cut(_) => FaultKind::Cut,
            Self::Clog(_) => FaultKind::Clog,
            Self::Flap { .. } => FaultKind::Flap,
            Self::Loss(..) => FaultKind::Loss,
            Self::Duplication(..) => FaultKind::Duplication,
            Self::Reordering(..) => FaultKind::Reordering,
            Self::Corruption(..) => FaultKind::Corruption,
            Self::Latency(..) => FaultKind::Latency,
            Self::Reset(_) => FaultKind::Reset,
            Self::Kill(_) => FaultKind::Kill,
            Self::PowerOff(_) => FaultKind::PowerOff,
            Self::Pause(_) => FaultKind::Pause,
            Self::Slow(..) => FaultKind::Slow,
            Self::ClockStep(..) => FaultKind::ClockStep,
            Self::ClockDrift(..) => FaultKind::ClockDrift,
            Self::MessageLoss(..) => FaultKind::MessageLoss,
            Self::MessageDelay(..) => FaultKind::MessageDelay,
            Self::MessageDuplication(..) => FaultKind::MessageDuplication,
            Self::MessageReordering(..) => FaultKind::MessageReordering,
            Self::SlowActors(..) => FaultKind::SlowActors,
            Self::ActorCrash(..) => FaultKind::ActorCrash,
        }
    }
}

impl Fault {
    /// Returns the names of the machines that it is done to.
    pub(super) fn machines(&self) -> impl Iterator<Item = Arc<str>> {
        let names: Vec<_> = match self {
            Self::Cut(between)
            | Self::Clog(between)
            | Self::Flap { between, .. }
            | Self::Loss(between, _)
            | Self::Duplication(between, _)
            | Self::Reordering(between, _)
            | Self::Corruption(between, _)
            | Self::Latency(between, _)
            | Self::Reset(between) => {
                between.sides.iter().flat_map(|(a, b)| a.iter().chain(b)).cloned().collect()
            }
            Self::Kill(name)
            | Self::PowerOff(name)
            | Self::Pause(name)
            | Self::Slow(name, _)
            | Self::ClockStep(name, _)
            | Self::ClockDrift(name, _) => vec![name.clone()],
            Self::MessageLoss(actors, _)
            | Self::MessageDelay(actors, ..)
            | Self::MessageDuplication(actors, _)
            | Self::MessageReordering(actors, _)
            | Self::SlowActors(actors, ..)
            | Self::ActorCrash(actors, _) => actors.machines.clone().unwrap_or_default(),
        };
        names.into_iter()
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} ", self.kind())?;
        match self {
            Self::Cut(between) | Self::Clog(between) | Self::Reset(between) => {
                write!(formatter, "{between}")
            }
            Self::Flap { between, up, down } => {
                write!(formatter, "{between}, {up:?} open and {down:?} cut")
            }
            Self::Loss(between, share)
            | Self::Duplication(between, share)
            | Self::Reordering(between, share)
            | Self::Corruption(between, share) => write!(formatter, "{between}, {share}"),
            Self::Latency(between, latency) => {
                write!(formatter, "{between}, from {:?}", latency.least())
            }
            Self::Kill(node) | Self::PowerOff(node) | Self::Pause(node) => {
                formatter.write_str(node)
            }
            Self::Slow(node, factor) => write!(formatter, "{node}, {factor} times"),
            Self::ClockStep(node, by) => write!(formatter, "{node}, {by}"),
            Self::ClockDrift(node, rate) => write!(formatter, "{node}, {rate:+} ppm"),
            Self::MessageLoss(actors, share)
            | Self::MessageDuplication(actors, share)
            | Self::MessageReordering(actors, share) => write!(formatter, "{actors}, {share}"),
            Self::MessageDelay(actors, share, by) | Self::SlowActors(actors, share, by) => {
                write!(formatter, "{actors}, {share} by up to {:?}", by.end())
            }
            Self::ActorCrash(actors, number) => write!(formatter, "{actors}, at message {number}"),
        }
    }
}

/// One fault of a plan: when it begins and how long it lasts.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Step {
    /// When it begins, counted from the start of the chaos; or when it begins to wait for a packet.
    pub at: Duration,
    /// How long it lasts. What happens once (a reset, a clock's jump) has no end.
    pub lasts: Duration,
    /// Whether it waits for the next packet to one of its machines, for a second at most.
    pub with_packet: bool,
    /// What happens.
    pub fault: Fault,
    /// What the draws of the fault itself are numbered by; not by its place, which others change.
    pub(super) number: u64,
}

impl Step {
    pub(super) const fn new(at: Duration, lasts: Duration, fault: Fault, number: u64) -> Self {
        Self { at, lasts, with_packet: false, fault, number }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let when = if self.with_packet { " with the next packet" } else { "" };
        write!(formatter, "{:?}{when} for {:?}: {}", self.at, self.lasts, self.fault)
    }
}

/// A schedule of faults that a test states itself.
///
/// **When not to use it**: to find out what breaks a program; [`Chaos`](super::Chaos) draws faults then.
///
/// # Examples
/// ```
/// use std::time::Duration;
/// use parcae::fault::{Between, Chaos, Fault, FaultPlan};
/// use parcae::world;
///
/// parcae::check(10, || async {
///     let nodes = world::nodes("kv", 3).idle();
///     let plan = FaultPlan::new()
///         .step(Duration::from_secs(1), Duration::from_secs(2), Fault::Kill("kv-1".into()))
///         .step(Duration::from_secs(2), Duration::from_secs(5), Fault::Cut(Between::new(["kv-2"], ["kv-3"])));
///     let chaos = Chaos::on(nodes).plan(plan).start();
///     parcae::time::sleep(Duration::from_secs(10)).await;
///     assert_eq!(chaos.end().steps.len(), 2);
/// });
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FaultPlan {
    pub(super) steps: Vec<Step>,
}

impl FaultPlan {
    /// Makes a plan without faults.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a fault that begins at `at`, counted from the start, and lasts so long.
    #[must_use]
    pub fn step(mut self, at: Duration, lasts: Duration, fault: Fault) -> Self {
        let number = hash_text(&format!("planned {}", self.steps.len()));
        self.steps.push(Step::new(at, lasts, fault, number));
        self
    }

    /// Returns its faults, in the order in which they were added.
    #[must_use]
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }
}
