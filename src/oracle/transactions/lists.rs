//! Transactions on lists: the list that is read is the order of its writers.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;

use super::dependencies::{Dependencies, Reason};
use super::{Anomaly, AnomalyKind, Found, Transaction};
use crate::oracle::access::Access;
use crate::oracle::history::Effect;
use crate::oracle::verdict::Unjudged;

/// A transaction on lists.
type ListTransaction<K, V> = Transaction<K, V, Vec<V>>;

/// Who wrote a value.
#[derive(Clone, Copy, Debug)]
struct Writer {
    transaction: usize,
    /// Whether it is the last that it added to this list.
    is_last: bool,
}

/// A list as a transaction found it: without what it added itself.
struct ListRead<'a, V> {
    transaction: usize,
    list: &'a [V],
}

/// What was read and written of one key.
struct Lists<'a, V> {
    reads: Vec<ListRead<'a, V>>,
    writers: BTreeMap<&'a V, Writer>,
}

pub(super) fn found<K: Ord + Debug, V: Ord + Debug>(
    transactions: &[ListTransaction<K, V>],
) -> Result<Found<'_, K, V>, Unjudged> {
    let mut keys: BTreeMap<&K, Lists<'_, V>> = BTreeMap::new();
    let mut anomalies = Vec::new();
    for (place, transaction) in transactions.iter().enumerate() {
        add_writes(&mut keys, place, &transaction.input)?;
    }
    for (place, transaction) in transactions.iter().enumerate() {
        add_reads(&mut keys, place, transaction, &mut anomalies);
    }
    let mut dependencies = Dependencies::new(transactions.len());
    for (&key, lists) in &keys {
        for read in &lists.reads {
            anomalies.extend(lists.wrong_with(read, key, transactions));
        }
        let longest = lists.reads.iter().max_by_key(|read| read.list.len());
        let order = longest.map_or(&[][..], |longest| {
            for read in lists.reads.iter().filter(|read| !longest.list.starts_with(read.list)) {
                anomalies.push(Anomaly {
                    kind: AnomalyKind::IncompatibleOrders,
                    transactions: vec![read.transaction, longest.transaction],
                    explanation: format!(
                        "{} read {:?} of {key:?}, and {} read {:?}",
                        read.transaction, read.list, longest.transaction, longest.list
                    ),
                });
            }
            longest.list
        });
        anomalies.extend(lists.dirty(order, key, transactions));
        lists.add_dependencies(order, key, transactions, &mut dependencies);
    }
    Ok(Found { anomalies, dependencies })
}

fn add_writes<'a, K: Ord, V: Ord>(
    keys: &mut BTreeMap<&'a K, Lists<'a, V>>,
    transaction: usize,
    accesses: &'a [Access<K, V>],
) -> Result<(), Unjudged> {
    let mut written = BTreeSet::new();
    for access in accesses.iter().rev() {
        let (Access::Read(key) | Access::Write(key, _)) = access;
        let lists = keys
            .entry(key)
            .or_insert_with(|| Lists { reads: Vec::new(), writers: BTreeMap::new() });
        let Access::Write(_, value) = access else { continue };
        let writer = Writer { transaction, is_last: written.insert(key) };
        if let Some(first) = lists.writers.insert(value, writer) {
            return Err(Unjudged::WrittenTwice { first: first.transaction, second: transaction });
        }
    }
    Ok(())
}

/// Adds what a transaction found, and what it should have seen of its own.
fn add_reads<'a, K: Ord + Debug, V: Ord + Debug>(
    keys: &mut BTreeMap<&'a K, Lists<'a, V>>,
    transaction: usize,
    operation: &'a ListTransaction<K, V>,
    anomalies: &mut Vec<Anomaly>,
) {
    let Some(output) = operation.output() else { return };
    let mut answers = output.iter();
    // By key: the list before the transaction, if it was read; and what it added.
    let mut found: BTreeMap<&K, &'a [V]> = BTreeMap::new();
    let mut added: BTreeMap<&K, Vec<&'a V>> = BTreeMap::new();
    for access in &operation.input {
        let (Access::Read(key) | Access::Write(key, _)) = access;
        let (before, own) = (found.get(key).copied(), added.entry(key).or_default());
        if let Access::Write(_, value) = access {
            own.push(value);
            continue;
        }
        let list = answers.next().expect("an output has a list for each read").as_slice();
        let split = list.len().saturating_sub(own.len());
        let (first, last) = list.split_at(split);
        let is_own = last.iter().eq(own.iter().copied());
        if !is_own || before.is_some_and(|before| before != first) {
            anomalies.push(Anomaly {
                kind: AnomalyKind::Internal,
                transactions: vec![transaction],
                explanation: format!(
                    "{transaction} read {list:?} of {key:?}, had added {own:?}, and had read {:?} before",
                    before.unwrap_or(&[])
                ),
            });
        } else if before.is_none() {
            found.insert(key, first);
            let lists = keys.get_mut(key).expect("all keys are there");
            lists.reads.push(ListRead { transaction, list: first });
        }
    }
    assert!(answers.next().is_none(), "an output has a list for each read, and no other");
}

impl<'a, V: Ord + Debug> Lists<'a, V> {
    /// Returns what is wrong with a list by itself.
    fn wrong_with<K: Debug>(
        &self,
        read: &ListRead<'a, V>,
        key: &K,
        transactions: &[ListTransaction<K, V>],
    ) -> Vec<Anomaly> {
        let (reader, list) = (read.transaction, read.list);
        let mut anomalies = Vec::new();
        let mut add = |kind, others: &[usize], why: String| {
            let explanation = format!("{reader} read {list:?} of {key:?}: {why}");
            let transactions = [&[reader][..], others].concat();
            anomalies.push(Anomaly { kind, transactions, explanation });
        };
        let mut values = BTreeSet::new();
        for (place, value) in list.iter().enumerate() {
            if !values.insert(value) {
                add(AnomalyKind::Duplicate, &[], format!("{value:?} is there twice"));
            }
            let Some(Writer { transaction, is_last }) = self.writers.get(value).copied() else {
                add(AnomalyKind::Invented, &[], format!("nobody wrote {value:?}"));
                continue;
            };
            if transaction == reader {
                let why = format!("{value:?} is its own, of later");
                add(AnomalyKind::Internal, &[], why);
            } else if matches!(transactions[transaction].effect, Effect::Failed) {
                let why = format!("{transaction} wrote {value:?}, and failed");
                add(AnomalyKind::G1a, &[transaction], why);
            } else if place + 1 == list.len() && !is_last {
                let why = format!("{transaction} wrote {value:?}, and then more");
                add(AnomalyKind::G1b, &[transaction], why);
            }
        }
        anomalies
    }

    /// Returns where a value stands behind one of a transaction that failed.
    fn dirty<K: Debug>(
        &self,
        order: &[V],
        key: &K,
        transactions: &[ListTransaction<K, V>],
    ) -> Option<Anomaly> {
        let writers = |pair: &[V]| Some((self.writers.get(&pair[0])?, self.writers.get(&pair[1])?));
        order.windows(2).find_map(|pair| {
            let (failed, behind) = writers(pair)?;
            let (failed, behind) = (failed.transaction, behind.transaction);
            let has_failed = |it: usize| matches!(transactions[it].effect, Effect::Failed);
            (has_failed(failed) && !has_failed(behind)).then(|| Anomaly {
                kind: AnomalyKind::DirtyUpdate,
                transactions: vec![failed, behind],
                explanation: format!(
                    "{behind} wrote {:?} to {key:?} behind {:?} of {failed}, which failed",
                    pair[1], pair[0]
                ),
            })
        })
    }

    /// Adds what follows from the order of a list.
    fn add_dependencies<K: Debug>(
        &self,
        order: &'a [V],
        key: &'a K,
        transactions: &[ListTransaction<K, V>],
        dependencies: &mut Dependencies<'a, K, V>,
    ) {
        let writer = |value: &V| {
            let writer = self.writers.get(value)?.transaction;
            (!matches!(transactions[writer].effect, Effect::Failed)).then_some(writer)
        };
        for pair in order.windows(2) {
            if let (Some(from), Some(to)) = (writer(&pair[0]), writer(&pair[1])) {
                dependencies.add(
                    from,
                    to,
                    Reason::Wrote { key, before: &pair[0], after: &pair[1] },
                );
            }
        }
        // What was written and is not in the longest list comes behind it. If nobody knows whether it was, nothing comes behind it
        // either, unless somebody saw another write of its transaction: then it was.
        let known: BTreeSet<&V> = order.iter().collect();
        let behind: Vec<(&V, usize)> = self
            .writers
            .iter()
            .filter(|(value, _)| !known.contains(*value))
            .filter_map(|(value, _)| Some((*value, writer(value)?)))
            .collect();
        if let Some((last, from)) = order.last().and_then(|last| Some((last, writer(last)?))) {
            for (after, to) in &behind {
                dependencies.add(from, *to, Reason::Wrote { key, before: last, after });
            }
        }
        for read in self.reads.iter().filter(|read| order.starts_with(read.list)) {
            let last = read.list.last();
            if let Some((value, from)) = last.and_then(|last| Some((last, writer(last)?))) {
                dependencies.add(from, read.transaction, Reason::Read { key, value });
            }
            let next = order.get(read.list.len());
            if let Some((by, to)) = next.and_then(|next| Some((next, writer(next)?))) {
                dependencies.add(read.transaction, to, Reason::Replaced { key, read: last, by });
            }
            if next.is_none() {
                for (by, to) in &behind {
                    let reason = Reason::Replaced { key, read: last, by };
                    dependencies.add(read.transaction, *to, reason);
                }
            }
        }
    }
}
