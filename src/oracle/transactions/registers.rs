//! Transactions on values: the order of two versions is known where a transaction read the one and wrote the other.

use std::collections::BTreeMap;
use std::fmt::Debug;

use super::dependencies::{Dependencies, Reason};
use super::isolation::Isolation;
use super::{Anomaly, AnomalyKind, Found, Transaction, in_time};
use crate::oracle::access::Access;
use crate::oracle::history::Effect;
use crate::oracle::verdict::Unjudged;

/// A transaction on values.
type ValueTransaction<K, V> = Transaction<K, V, Option<V>>;

/// What was read and written of one key. A version that is none is that there was nothing.
struct Versions<'a, V> {
    /// Who wrote a value, and whether it is the last that it wrote to this key.
    writers: BTreeMap<&'a V, (usize, bool)>,
    /// Who found a version there.
    readers: BTreeMap<Option<&'a V>, Vec<usize>>,
    /// The last that each transaction wrote.
    written: BTreeMap<usize, &'a V>,
}

pub(super) fn found<K: Ord + Debug, V: Ord + Debug>(
    transactions: &[ValueTransaction<K, V>],
    isolation: Isolation,
) -> Result<Found<'_, K, V>, Unjudged> {
    let mut keys: BTreeMap<&K, Versions<'_, V>> = BTreeMap::new();
    let mut anomalies = Vec::new();
    for (place, transaction) in transactions.iter().enumerate() {
        add_writes(&mut keys, place, &transaction.input)?;
    }
    for (place, transaction) in transactions.iter().enumerate() {
        add_reads(&mut keys, place, transaction, &mut anomalies);
    }
    let mut dependencies = Dependencies::new(transactions.len());
    for (&key, versions) in &keys {
        anomalies.extend(versions.wrong(key, transactions));
        anomalies.extend(versions.lost(key, transactions));
        let orders = versions.orders(transactions, isolation);
        versions.add_dependencies(&orders, key, transactions, &mut dependencies);
    }
    Ok(Found { anomalies, dependencies })
}

fn add_writes<'a, K: Ord, V: Ord>(
    keys: &mut BTreeMap<&'a K, Versions<'a, V>>,
    transaction: usize,
    accesses: &'a [Access<K, V>],
) -> Result<(), Unjudged> {
    for access in accesses.iter().rev() {
        let (Access::Read(key) | Access::Write(key, _)) = access;
        let versions = keys.entry(key).or_insert_with(|| Versions {
            writers: BTreeMap::new(),
            readers: BTreeMap::new(),
            written: BTreeMap::new(),
        });
        let Access::Write(_, value) = access else { continue };
        let is_last = !versions.written.contains_key(&transaction);
        if is_last {
            versions.written.insert(transaction, value);
        }
        if let Some((first, _)) = versions.writers.insert(value, (transaction, is_last)) {
            return Err(Unjudged::WrittenTwice { first, second: transaction });
        }
    }
    Ok(())
}

/// Adds what a transaction found, and what it should have seen of its own.
fn add_reads<'a, K: Ord + Debug, V: Ord + Debug>(
    keys: &mut BTreeMap<&'a K, Versions<'a, V>>,
    transaction: usize,
    operation: &'a ValueTransaction<K, V>,
    anomalies: &mut Vec<Anomaly>,
) {
    let Some(output) = operation.output() else { return };
    let mut answers = output.iter();
    // By key: what it read or wrote last.
    let mut seen: BTreeMap<&K, Option<&'a V>> = BTreeMap::new();
    for access in &operation.input {
        let key = match access {
            Access::Write(key, value) => {
                seen.insert(key, Some(value));
                continue;
            }
            Access::Read(key) => key,
        };
        let value = answers.next().expect("an output has an answer for each read").as_ref();
        match seen.insert(key, value) {
            None => {
                let versions = keys.get_mut(key).expect("all keys are there");
                versions.readers.entry(value).or_default().push(transaction);
            }
            Some(expected) if expected != value => anomalies.push(Anomaly {
                kind: AnomalyKind::Internal,
                transactions: vec![transaction],
                explanation: format!(
                    "{transaction} read {value:?} of {key:?}, of which it knew {expected:?}"
                ),
            }),
            Some(_) => {}
        }
    }
    assert!(answers.next().is_none(), "an output has an answer for each read, and no other");
}

impl<'a, V: Ord + Debug> Versions<'a, V> {
    /// Returns what is wrong with values by themselves.
    fn wrong<K: Debug>(&self, key: &K, transactions: &[ValueTransaction<K, V>]) -> Vec<Anomaly> {
        let mut anomalies = Vec::new();
        for (value, readers) in &self.readers {
            let (Some(value), reader) = (value, readers[0]) else { continue };
            let mut add = |kind, others: &[usize], why: String| {
                let explanation = format!("{reader} read {value:?} of {key:?}, {why}");
                let transactions = [&[reader][..], others].concat();
                anomalies.push(Anomaly { kind, transactions, explanation });
            };
            match self.writers.get(value).copied() {
                None => add(AnomalyKind::Invented, &[], "which nobody wrote".into()),
                Some((writer, _)) if readers.contains(&writer) => {
                    let explanation =
                        format!("{writer} read {value:?} of {key:?}, its own of later");
                    let kind = AnomalyKind::Internal;
                    anomalies.push(Anomaly { kind, transactions: vec![writer], explanation });
                }
                Some((writer, _)) if matches!(transactions[writer].effect, Effect::Failed) => {
                    add(AnomalyKind::G1a, &[writer], format!("of {writer}, which failed"));
                }
                Some((writer, false)) => {
                    add(AnomalyKind::G1b, &[writer], format!("which {writer} replaced itself"));
                }
                Some((_, true)) => {}
            }
        }
        anomalies
    }

    /// Returns where two transactions read one version and wrote the next.
    fn lost<K: Debug>(&self, key: &K, transactions: &[ValueTransaction<K, V>]) -> Vec<Anomaly> {
        let is_update = |reader: &usize| {
            self.written.contains_key(reader)
                && matches!(transactions[*reader].effect, Effect::Returned(_))
        };
        let lost = |(version, readers): (&Option<&V>, &Vec<usize>)| {
            let updates: Vec<usize> = readers.iter().copied().filter(is_update).collect();
            (updates.len() > 1).then(|| Anomaly {
                kind: AnomalyKind::LostUpdate,
                explanation: format!("{updates:?} read {version:?} of {key:?}, and wrote to it"),
                transactions: updates,
            })
        };
        self.readers.iter().filter_map(lost).collect()
    }

    /// Returns pairs of versions of which the second came behind the first, as far as that is known.
    fn orders<K>(
        &self,
        transactions: &[ValueTransaction<K, V>],
        isolation: Isolation,
    ) -> Vec<(Option<&'a V>, &'a V)> {
        let mut orders = Vec::new();
        let mut is_behind = std::collections::BTreeSet::new();
        let mut add = |before: Option<&'a V>, after: &'a V| {
            orders.push((before, after));
            if before.is_some() {
                is_behind.insert(after);
            }
        };
        for (version, readers) in &self.readers {
            for after in readers.iter().filter_map(|reader| self.written.get(reader)) {
                if version.is_some() {
                    add(*version, after);
                }
            }
        }
        if isolation == Isolation::StrictSerializable {
            let writers: Vec<usize> = self.written.keys().copied().collect();
            for (earlier, later) in in_time(transactions, &writers) {
                add(Some(self.written[&earlier]), self.written[&later]);
            }
        }
        // Those that are behind another are behind nothing as well; the others have to be told.
        for (writer, value) in &self.written {
            let has_failed = matches!(transactions[*writer].effect, Effect::Failed);
            if !has_failed && !is_behind.contains(value) {
                orders.push((None, value));
            }
        }
        orders
    }

    /// Adds what follows from the orders of versions.
    fn add_dependencies<K: Debug>(
        &self,
        orders: &[(Option<&'a V>, &'a V)],
        key: &'a K,
        transactions: &[ValueTransaction<K, V>],
        dependencies: &mut Dependencies<'a, K, V>,
    ) {
        let writer = |value: &V| {
            let (writer, _) = *self.writers.get(value)?;
            (!matches!(transactions[writer].effect, Effect::Failed)).then_some(writer)
        };
        for (version, readers) in &self.readers {
            if let Some((value, from)) = version.and_then(|value| Some((value, writer(value)?))) {
                for &reader in readers {
                    dependencies.add(from, reader, Reason::Read { key, value });
                }
            }
        }
        for &(before, after) in orders {
            let Some(to) = writer(after) else { continue };
            if let Some((before, from)) = before.and_then(|it| Some((it, writer(it)?))) {
                dependencies.add(from, to, Reason::Wrote { key, before, after });
            }
            for &reader in self.readers.get(&before).into_iter().flatten() {
                dependencies.add(reader, to, Reason::Replaced { key, read: before, by: after });
            }
        }
    }
}
