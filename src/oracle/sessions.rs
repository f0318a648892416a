//! What a client may rely on from one request to the next (Terry et al., "Session guarantees for weakly consistent replicated data",
//! 1994).
//!
//! Each key is looked at by itself, and each value is written once. What clients have seen says which versions of a key came
//! before which; the guarantees hold if there is one order of versions that agrees with all of it. That is decided in time
//! linear in the operations. It says nothing of what one key tells of another.

use std::collections::BTreeMap;
use std::fmt::{self, Debug};

use super::access::Access;
use super::graph::Graph;
use super::history::{Effect, Operation};
use super::verdict::{HistoryVerdict, Unjudged, line};

/// What a client may rely on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Guarantee {
    /// It reads what it wrote last, or something newer.
    ReadYourWrites,
    /// It reads what it read last, or something newer.
    MonotonicReads,
    /// What it writes is newer than what it wrote before.
    MonotonicWrites,
    /// What it writes is newer than what it read before.
    WritesFollowReads,
}

impl Guarantee {
    /// All of them, which is "read your causes" of one key.
    pub const ALL: [Self; 4] = [
        Self::ReadYourWrites,
        Self::MonotonicReads,
        Self::MonotonicWrites,
        Self::WritesFollowReads,
    ];
}

/// Why sessions were not as guaranteed. Numbers are places in the slice of operations that was checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SessionWitness {
    /// Versions that are each before the next, and the last before the first.
    Cycle(Vec<SessionStep>),
    /// A value was read that nobody wrote.
    Invented {
        /// The read.
        read: usize,
    },
}

/// That the version of one operation of a client is not newer than that of a later one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SessionStep {
    /// Why.
    pub guarantee: Guarantee,
    /// What the client did first.
    pub earlier: usize,
    /// What it did then.
    pub later: usize,
}

impl fmt::Display for SessionWitness {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let steps = match self {
            Self::Invented { read } => {
                return write!(formatter, "operation {read} read what nobody wrote");
            }
            Self::Cycle(steps) => steps,
        };
        formatter.write_str("no order of versions agrees with")?;
        for (place, SessionStep { guarantee, earlier, later }) in steps.iter().enumerate() {
            let comma = if place > 0 { "," } else { "" };
            write!(formatter, "{comma} {earlier} before {later} ({guarantee:?})")?;
        }
        Ok(())
    }
}

impl SessionWitness {
    /// Returns it in words, with the operations.
    #[must_use]
    pub fn text<I: Debug, O: Debug>(&self, operations: &[Operation<I, O>]) -> String {
        let mut text = format!("{self}\n");
        match self {
            Self::Invented { read } => text += &line("!", *read, operations),
            Self::Cycle(steps) => {
                for step in steps {
                    text += &line(" ", step.earlier, operations);
                    text += &line(">", step.later, operations);
                }
            }
        }
        text
    }
}

/// What a client asked for, and the value that a read answered.
pub type Request<K, V> = Operation<Access<K, V>, Option<V>>;

/// Tells whether the sessions of clients were as these guarantees say. A read answers the value of its key, if it has any.
///
/// Unknown if two operations write one value to one key.
///
/// # Examples
/// ```
/// use parcae::oracle::{Access::*, Effect, Guarantee, Operation, sessions};
///
/// // The reader sees the second value, and then the first one again.
/// let end = |at, value| Some((at, Effect::Returned(value)));
/// let operations = [
///     Operation::new(1, Write("x", 1), 0, end(1, None)),
///     Operation::new(1, Write("x", 2), 2, end(3, None)),
///     Operation::new(2, Read("x"), 4, end(5, Some(2))),
///     Operation::new(2, Read("x"), 6, end(7, Some(1))),
/// ];
/// assert!(sessions(&operations, &Guarantee::ALL).is_violated());
/// assert!(sessions(&operations, &[Guarantee::ReadYourWrites]).is_consistent());
/// ```
pub fn sessions<K: Ord + Debug, V: Ord + Debug>(
    operations: &[Request<K, V>],
    guarantees: &[Guarantee],
) -> HistoryVerdict<SessionWitness> {
    let versions = match Versions::of(operations) {
        Ok(versions) => versions,
        Err(cause) => return HistoryVerdict::Unknown(cause),
    };
    if let Some(read) = versions.invented {
        return HistoryVerdict::Violated(Box::new(SessionWitness::Invented { read }));
    }
    let steps = steps(operations, guarantees);
    let mut graph = Graph::new(operations.len() + versions.keys);
    let mut labels = Vec::new();
    for step in steps {
        let (from, to) = (versions.node[step.earlier], versions.node[step.later]);
        if from == to {
            continue;
        }
        if to >= operations.len() {
            // Nothing comes before there was nothing.
            return HistoryVerdict::Violated(Box::new(SessionWitness::Cycle(vec![step])));
        }
        graph.add(from, to);
        labels.push(step);
    }
    let components = graph.components(|_| true);
    let is_within = |edge: usize| {
        let (from, to) = graph.ends(edge);
        components[from] == components[to]
    };
    let Some(first) = (0..labels.len()).find(|&edge| is_within(edge)) else {
        return HistoryVerdict::Consistent;
    };
    let (from, to) = graph.ends(first);
    let back = graph.way((to, 0), from, |_, _| Some(0), &mut 0).expect("they are in a component");
    let cycle = std::iter::once(first).chain(back).map(|edge| labels[edge]).collect();
    HistoryVerdict::Violated(Box::new(SessionWitness::Cycle(cycle)))
}

/// Which version each operation is about.
struct Versions {
    /// For each operation: the place of the write whose version it is about; that of none has a number behind all places.
    node: Vec<usize>,
    keys: usize,
    /// A read of what nobody wrote.
    invented: Option<usize>,
}

impl Versions {
    fn of<K: Ord, V: Ord>(operations: &[Request<K, V>]) -> Result<Self, Unjudged> {
        let mut writes = BTreeMap::new();
        let mut keys = BTreeMap::new();
        for (place, operation) in operations.iter().enumerate() {
            let key = match &operation.input {
                Access::Read(key) | Access::Write(key, _) => key,
            };
            let number = keys.len();
            keys.entry(key).or_insert(number);
            // What failed was not written: whoever reads it reads what nobody wrote.
            if let (Access::Write(key, value), Effect::Returned(_) | Effect::Unknown) =
                (&operation.input, &operation.effect)
                && let Some(first) = writes.insert((key, value), place)
            {
                return Err(Unjudged::WrittenTwice { first, second: place });
            }
        }
        let mut invented = None;
        let node = |(place, operation): (usize, &Request<K, V>)| {
            let Access::Read(key) = &operation.input else { return place };
            match operation.output() {
                Some(Some(value)) => *writes.get(&(key, value)).unwrap_or_else(|| {
                    invented = invented.or(Some(place));
                    &place
                }),
                Some(None) | None => operations.len() + keys[key],
            }
        };
        let node = operations.iter().enumerate().map(node).collect();
        Ok(Self { node, keys: keys.len(), invented })
    }
}

/// Returns what the guarantees say of pairs of operations.
fn steps<K: Ord, V>(operations: &[Request<K, V>], guarantees: &[Guarantee]) -> Vec<SessionStep> {
    let mut order: Vec<usize> = (0..operations.len()).collect();
    order.sort_by_key(|&place| operations[place].invoked);
    // The last read and the last write of a key by a client.
    let mut last: BTreeMap<(u64, &K), [Option<usize>; 2]> = BTreeMap::new();
    let mut steps = Vec::new();
    for later in order {
        let operation = &operations[later];
        if matches!(operation.effect, Effect::Failed) {
            continue;
        }
        let (key, is_write) = match &operation.input {
            Access::Read(_) if operation.ended.is_none() => continue,
            Access::Read(key) => (key, false),
            Access::Write(key, _) => (key, true),
        };
        let last = last.entry((operation.client, key)).or_default();
        let rules = if is_write {
            [Guarantee::WritesFollowReads, Guarantee::MonotonicWrites]
        } else {
            [Guarantee::MonotonicReads, Guarantee::ReadYourWrites]
        };
        for (guarantee, earlier) in rules.into_iter().zip(*last) {
            // Operations of one client that overlap say nothing of each other.
            if let Some(earlier) = earlier
                && guarantees.contains(&guarantee)
                && operations[earlier].ended_before(operation)
            {
                steps.push(SessionStep { guarantee, earlier, later });
            }
        }
        last[usize::from(is_write)] = Some(later);
    }
    steps
}
