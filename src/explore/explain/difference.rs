//! Where two runs of almost the same world part.

use crate::executor::{Happening, Log, LogEntry};
use crate::kernel::{EventKind, VirtualTime};

/// The first thing that one run does and the other does not.
///
/// Choices and the setting of timers do not count: what counts is what comes of them. Nor does time, unless
/// two runs do the same in the same order and differ in nothing else.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Difference {
    /// Index in the log of the failing run, where that does something else; its length if it has ended.
    pub entry: usize,
    /// When.
    pub time: VirtualTime,
    /// What the failing run does from there on, in words, the first few things.
    pub failing: Vec<String>,
    /// What the other run does instead.
    pub other: Vec<String>,
}

/// The run that passes and goes the same way as the failing one for longest.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct NearestPass {
    /// Index of the part that is other in it.
    pub part: usize,
    /// How it is other.
    pub change: Change,
    /// Where the two runs part.
    pub difference: Difference,
}

/// How one choice is other than in the failing world.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// It has its default.
    LeftOut,
    /// It has this value.
    Value(u64),
}

impl Difference {
    /// Compares two runs.
    pub(super) fn between(failing: &Log, other: &Log) -> Option<Self> {
        let (ours, theirs) = (Doings::of(failing), Doings::of(other));
        let differs = |is_same: fn(&LogEntry, &LogEntry) -> bool| {
            let pairs = ours.entries.iter().zip(&theirs.entries);
            let common = pairs.take_while(|((_, one), (_, two))| is_same(one, two)).count();
            let is_whole = common == ours.entries.len() && common == theirs.entries.len();
            (!is_whole).then_some(common)
        };
        let place = differs(|one, two| one.task == two.task && is_alike(&one.what, &two.what))
            .or_else(|| differs(|one, two| one.time == two.time))?;
        let (entry, time) = match ours.entries.get(place) {
            Some((index, entry)) => (*index, entry.time),
            None => {
                let time = failing.entries.last().map_or(VirtualTime::ZERO, |last| last.time);
                (failing.entries.len(), time)
            }
        };
        Some(Self { entry, time, failing: ours.told(place), other: theirs.told(place) })
    }
}

/// Tells whether two things are the same but for the time. Events of packets have it in their values.
pub(super) fn is_alike(one: &Happening, two: &Happening) -> bool {
    match (one, two) {
        (Happening::Event(one), Happening::Event(two)) => {
            let is_of_packet = matches!(one.kind, EventKind::Send | EventKind::Deliver);
            let is_same = one.kind == two.kind && one.subject == two.subject;
            is_same && (is_of_packet || one.value == two.value)
        }
        _ => one == two,
    }
}

/// What happens in a run, without what is drawn and set on the way.
#[derive(Debug)]
struct Doings<'a> {
    log: &'a Log,
    entries: Vec<(usize, &'a LogEntry)>,
}

impl<'a> Doings<'a> {
    fn of(log: &'a Log) -> Self {
        let is_doing = |entry: &LogEntry| match &entry.what {
            Happening::Event(event) => !matches!(
                event.kind,
                EventKind::Draw
                    | EventKind::TimerSet
                    | EventKind::Time
                    | EventKind::Poll
                    | EventKind::Operation
                    | EventKind::End
            ),
            _ => true,
        };
        let entries = log.entries.iter().enumerate().filter(|(_, entry)| is_doing(entry));
        Self { log, entries: entries.collect() }
    }

    /// Says what happens from a place on.
    fn told(&self, place: usize) -> Vec<String> {
        let rest = self.entries.iter().skip(place).take(LINES_MAX);
        let mut lines: Vec<String> = rest.map(|(_, entry)| self.log.describe(entry)).collect();
        if lines.is_empty() {
            lines.push("nothing more".to_owned());
        }
        lines
    }
}

/// How many things are told of each run.
const LINES_MAX: usize = 6;
