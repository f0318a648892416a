//! Whether transactions were isolated as promised: the anomalies of Adya ("Weak consistency", 1999), found from outside as Elle finds
//! them (Kingsbury and Alvaro, "Elle: inferring isolation anomalies from experimental observations", 2020).
//!
//! | what transactions do | checker | what it can find |
//! |---|---|---|
//! | add to lists and read them | [`list_append`] | most: a list that is read is the order of its writers |
//! | write and read values | [`read_write`] | less: of two writes nobody knows the order, unless a transaction read the one and wrote the other |
//!
//! Prefer lists. Each value is written once to its key; a last transaction that reads all keys makes more known.
//!
//! | anomaly | what happened | is wrong from |
//! |---|---|---|
//! | `Invented` | somebody read what nobody wrote | [`Isolation::ReadUncommitted`] |
//! | `Duplicate` | a list with one value twice | |
//! | `IncompatibleOrders` | two reads of a list of which neither begins the other | |
//! | `DirtyUpdate` | a value behind that of a transaction that failed | |
//! | `G0` | a cycle of writes | |
//! | `G1a` | a read of what failed | [`Isolation::ReadCommitted`] |
//! | `G1b` | a read of what its writer replaced | |
//! | `G1c` | a cycle of writes and of reads of them | |
//! | `Internal` | a transaction that does not see its own past | [`Isolation::Snapshot`] |
//! | `LostUpdate` | two that read one version and wrote the next | |
//! | `GSingle` | a cycle in which one read is too old | |
//! | `GNonadjacent` | a cycle in which no two such reads follow each other | |
//! | `G2` | any other cycle with reads that are too old | [`Isolation::Serializable`] |
//! | any of the cycles, with time | one ended before the other began, and came behind it | [`Isolation::StrictSerializable`] |
//!
//! # What it says
//! A violation is one: each step of a cycle follows from answers. *Consistent* means that the answers do not show an anomaly of these
//! kinds, which is less than that there was none; with lists that are read often it is nearly that. *Unknown* is the verdict when two
//! transactions wrote one value, or when a cycle was not classified within the budget.
//!
//! The time is nearly linear in operations.

mod anomaly;
mod cycles;
mod dependencies;
mod isolation;
mod lists;
mod registers;

use std::fmt::Debug;

pub use self::anomaly::{Anomaly, AnomalyKind, TransactionWitness};
pub use self::isolation::Isolation;

use self::dependencies::Dependencies;
use super::access::Access;
use super::history::{Effect, Operation};
use super::verdict::{HistoryVerdict, Unjudged};

/// A transaction: what it asked for in its order, and what each read was answered.
pub type Transaction<K, V, A> = Operation<Vec<Access<K, V>>, Vec<A>>;

/// Tells whether transactions on lists were isolated: a write adds a value to the end of a list, a read answers all of it. The output
/// has one list for each read, in their order.
///
/// # Panics
/// When an output has another number of lists than there were reads.
///
/// # Examples
/// ```
/// use parcae::oracle::transactions::{AnomalyKind, Isolation, list_append};
/// use parcae::oracle::{Access::*, Effect, HistoryVerdict, Operation};
///
/// // Each reads what the other adds to, and does not see it: write skew.
/// let one = vec![Read("x"), Write("y", 1)];
/// let two = vec![Read("y"), Write("x", 2)];
/// let transactions = [
///     Operation::new(1, one, 0, Some((2, Effect::Returned(vec![vec![]])))),
///     Operation::new(2, two, 1, Some((3, Effect::Returned(vec![vec![]])))),
/// ];
/// list_append(&transactions, Isolation::Snapshot).unwrap();
/// let HistoryVerdict::Violated(witness) = list_append(&transactions, Isolation::Serializable) else {
///     panic!("it is not serializable");
/// };
/// assert_eq!(witness.anomalies[0].kind, AnomalyKind::G2);
/// assert_eq!(witness.anomalies[0].transactions, [0, 1]);
/// ```
pub fn list_append<K: Ord + Debug, V: Ord + Debug>(
    transactions: &[Transaction<K, V, Vec<V>>],
    isolation: Isolation,
) -> HistoryVerdict<TransactionWitness> {
    judged(lists::found(transactions), transactions, isolation)
}

/// Tells whether transactions on values were isolated: a read answers the value, if the key has any. The output has one answer for each
/// read, in their order.
///
/// # Panics
/// When an output has another number of answers than there were reads.
///
/// # Examples
/// ```
/// use parcae::oracle::transactions::{Isolation, read_write};
/// use parcae::oracle::{Access::*, Effect, Operation};
///
/// // What was rolled back was read.
/// let transactions = [
///     Operation::new(1, vec![Write("x", 1)], 0, Some((2, Effect::Failed))),
///     Operation::new(2, vec![Read("x")], 1, Some((3, Effect::Returned(vec![Some(1)])))),
/// ];
/// assert!(read_write(&transactions, Isolation::ReadCommitted).is_violated());
/// assert!(read_write(&transactions, Isolation::ReadUncommitted).is_consistent());
/// ```
pub fn read_write<K: Ord + Debug, V: Ord + Debug>(
    transactions: &[Transaction<K, V, Option<V>>],
    isolation: Isolation,
) -> HistoryVerdict<TransactionWitness> {
    judged(registers::found(transactions, isolation), transactions, isolation)
}

/// What was read off the answers: anomalies without cycles, and who depends on whom.
struct Found<'a, K, V> {
    anomalies: Vec<Anomaly>,
    dependencies: Dependencies<'a, K, V>,
}

fn judged<K: Debug, V: Debug, A>(
    found: Result<Found<'_, K, V>, Unjudged>,
    transactions: &[Transaction<K, V, A>],
    isolation: Isolation,
) -> HistoryVerdict<TransactionWitness> {
    let Found { mut anomalies, mut dependencies } = match found {
        Ok(found) => found,
        Err(cause) => return HistoryVerdict::Unknown(cause),
    };
    let mut steps = 0;
    anomalies.extend(cycles::found(&dependencies, isolation, &mut steps));
    if isolation == Isolation::StrictSerializable && steps < BUDGET && anomalies.is_empty() {
        let all: Vec<usize> = (0..transactions.len()).collect();
        for (earlier, later) in in_time(transactions, &all) {
            dependencies.add_time(earlier, later);
        }
        anomalies.extend(cycles::found(&dependencies, isolation, &mut steps));
    }
    anomalies.retain(|anomaly| isolation.forbids(anomaly.kind));
    if !anomalies.is_empty() {
        HistoryVerdict::Violated(Box::new(TransactionWitness { anomalies }))
    } else if steps >= BUDGET {
        HistoryVerdict::Unknown(Unjudged::Budget { steps })
    } else {
        HistoryVerdict::Consistent
    }
}

/// Returns pairs of transactions of which the first ended before the second was invoked: so many that all others follow.
fn in_time<I, O>(operations: &[Operation<I, O>], among: &[usize]) -> Vec<(usize, usize)> {
    let mut moments = Vec::new();
    for &place in among {
        if !matches!(operations[place].effect, Effect::Failed) {
            moments.push((operations[place].invoked, place, true));
            moments.extend(operations[place].ended.map(|end| (end, place, false)));
        }
    }
    moments.sort_unstable();
    let mut pairs = Vec::new();
    // Those that have ended, but for those that ended before another of them was invoked.
    let mut latest: Vec<usize> = Vec::new();
    for (_, place, is_invocation) in moments {
        if is_invocation {
            pairs.extend(latest.iter().map(|&earlier| (earlier, place)));
        } else {
            latest.retain(|&earlier| !operations[earlier].ended_before(&operations[place]));
            latest.push(place);
        }
    }
    pairs
}

/// How many edges of graphs are looked at.
const BUDGET: u64 = 20_000_000;
