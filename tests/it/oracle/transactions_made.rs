//! Transactions of stores that isolate more or less, and what all orders say of them.

use std::collections::BTreeMap;

use parcae::oracle::transactions::{AnomalyKind, Isolation, Transaction, list_append, read_write};
use parcae::oracle::{Access, Effect, HistoryVerdict, Operation};

use super::chance::Numbers;

type Accesses = Vec<Access<u64, u64>>;
type Lists = Transaction<u64, u64, Vec<u64>>;
type Values = Transaction<u64, u64, Option<u64>>;

/// How a store isolates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Store {
    /// A transaction takes effect at once.
    Serial,
    /// It reads what there was at its beginning; it fails if somebody wrote to the same since.
    Snapshot,
    /// Each read is of what is committed, or of itself.
    Committed,
    /// There is no isolation, and what fails is taken back late.
    Open,
}

/// How many transactions of how many clients on how many keys.
#[derive(Clone, Copy, Debug)]
struct Size {
    transactions: u64,
    clients: u64,
    keys: u64,
}

/// A transaction under way.
struct Running {
    client: u64,
    invoked: u64,
    input: Accesses,
    step: usize,
    snapshot: BTreeMap<u64, Vec<u64>>,
    own: Vec<(u64, u64)>,
    output: Vec<Vec<u64>>,
}

/// Runs transactions on lists, one access at a time by turns, then one that reads all. One of ten fails, of one of ten nobody knows.
fn run(store: Store, seed: u64, size: Size) -> Vec<Lists> {
    let mut numbers = Numbers(seed);
    let mut lists: BTreeMap<u64, Vec<u64>> = BTreeMap::new();
    let mut running: Vec<Option<Running>> = (0..size.clients).map(|_| None).collect();
    let (mut done, mut order, mut value, mut begun) = (Vec::new(), 0, 0, 0);
    while begun < size.transactions || running.iter().any(Option::is_some) {
        let client = numbers.below(size.clients);
        let slot = &mut running[usize::try_from(client).unwrap()];
        order += 1;
        let Some(mut transaction) = slot.take() else {
            if begun < size.transactions {
                begun += 1;
                let input = asked(&mut numbers, &mut value, size.keys);
                let (step, own, output) = (0, Vec::new(), Vec::new());
                let (invoked, snapshot) = (order, lists.clone());
                *slot = Some(Running { client, invoked, input, step, snapshot, own, output });
            }
            continue;
        };
        let steps = if store == Store::Serial { transaction.input.len() } else { 1 };
        for _ in 0..steps.min(transaction.input.len() - transaction.step) {
            advance(store, &mut transaction, &mut lists);
        }
        if transaction.step < transaction.input.len() {
            *slot = Some(transaction);
            continue;
        }
        done.push(ended(store, transaction, &mut lists, order, &mut numbers));
    }
    let input = (0..size.keys).map(Access::Read).collect();
    let all = (0..size.keys).map(|key| lists.get(&key).cloned().unwrap_or_default()).collect();
    done.push(Operation::new(99, input, order + 1, Some((order + 2, Effect::Returned(all)))));
    done
}

fn asked(numbers: &mut Numbers, value: &mut u64, keys: u64) -> Accesses {
    let count = 1 + numbers.below(4);
    let access = |_| {
        *value += 1;
        let key = numbers.below(keys);
        if numbers.below(2) == 0 { Access::Read(key) } else { Access::Write(key, *value) }
    };
    (0..count).map(access).collect()
}

fn advance(store: Store, transaction: &mut Running, lists: &mut BTreeMap<u64, Vec<u64>>) {
    match transaction.input[transaction.step] {
        Access::Write(key, value) => {
            transaction.own.push((key, value));
            if store == Store::Open {
                lists.entry(key).or_default().push(value);
            }
        }
        Access::Read(key) => {
            let from = if store == Store::Snapshot { &transaction.snapshot } else { &*lists };
            let mut list = from.get(&key).cloned().unwrap_or_default();
            if store != Store::Open {
                list.extend(transaction.own.iter().filter(|own| own.0 == key).map(|own| own.1));
            }
            transaction.output.push(list);
        }
    }
    transaction.step += 1;
}

fn ended(
    store: Store,
    transaction: Running,
    lists: &mut BTreeMap<u64, Vec<u64>>,
    order: u64,
    numbers: &mut Numbers,
) -> Lists {
    let Running { client, invoked, input, snapshot, own, output, .. } = transaction;
    let has_conflict =
        store == Store::Snapshot && own.iter().any(|(key, _)| lists.get(key) != snapshot.get(key));
    let chance = numbers.below(10);
    let is_failed = chance == 0 || has_conflict;
    for (key, value) in own {
        let list = lists.entry(key).or_default();
        if store == Store::Open && is_failed {
            list.retain(|it| *it != value);
        } else if store != Store::Open && !is_failed {
            list.push(value);
        }
    }
    let effect = match chance {
        _ if is_failed => Effect::Failed,
        1 => Effect::Unknown,
        _ => Effect::Returned(output),
    };
    Operation::new(client, input, invoked, Some((order, effect)))
}

const LARGE: Size = Size { transactions: 60, clients: 6, keys: 4 };

fn kinds(transactions: &[Lists], isolation: Isolation) -> Vec<AnomalyKind> {
    match list_append(transactions, isolation) {
        HistoryVerdict::Consistent => Vec::new(),
        HistoryVerdict::Violated(witness) => {
            witness.anomalies.into_iter().map(|anomaly| anomaly.kind).collect()
        }
        HistoryVerdict::Unknown(cause) => panic!("unknown: {cause}"),
    }
}

#[test]
fn stores_that_isolate_are_never_accused_and_others_are_found_out() {
    let count = |store: Store, isolation: Isolation| {
        (0..150).filter(|&seed| !kinds(&run(store, seed, LARGE), isolation).is_empty()).count()
    };
    assert_eq!(count(Store::Serial, Isolation::StrictSerializable), 0);
    assert_eq!(count(Store::Snapshot, Isolation::Snapshot), 0);
    assert_eq!(count(Store::Committed, Isolation::ReadCommitted), 0);
    assert!(count(Store::Snapshot, Isolation::Serializable) > 100);
    assert!(count(Store::Committed, Isolation::Snapshot) > 140);
    assert!(count(Store::Open, Isolation::ReadUncommitted) > 100);
    assert!(count(Store::Open, Isolation::ReadCommitted) > 140);
}

#[test]
fn each_kind_of_anomaly_is_found_in_a_store_without_isolation() {
    let mut found = BTreeMap::new();
    for seed in 0..150 {
        for kind in kinds(&run(Store::Open, seed, LARGE), Isolation::Serializable) {
            *found.entry(kind).or_insert(0) += 1;
        }
    }
    use AnomalyKind::{DirtyUpdate, G0, G1a, G1b, G1c, GSingle, IncompatibleOrders, Internal};
    for kind in [DirtyUpdate, G0, G1a, G1b, G1c, GSingle, IncompatibleOrders, Internal] {
        assert!(found.get(&kind).is_some_and(|count| *count > 5), "{kind:?}: {found:?}");
    }
}

/// Tells whether an order of the transactions explains all answers, by trying all; with time, those that agree with it.
fn by_brute_force<O: PartialEq>(
    operations: &[Operation<Accesses, Vec<O>>],
    in_time: bool,
    answer: fn(&[u64]) -> O,
) -> bool {
    let open: Vec<usize> = (0..operations.len())
        .filter(|&place| !matches!(operations[place].effect, Effect::Failed))
        .collect();
    go(operations, in_time, answer, (&BTreeMap::new(), &open))
}

fn go<O: PartialEq>(
    operations: &[Operation<Accesses, Vec<O>>],
    in_time: bool,
    answer: fn(&[u64]) -> O,
    (lists, open): (&BTreeMap<u64, Vec<u64>>, &[usize]),
) -> bool {
    if open.iter().all(|&place| operations[place].ended.is_none()) {
        return true;
    }
    let first_end = open.iter().filter_map(|&place| operations[place].ended).min().unwrap();
    open.iter().any(|&place| {
        if in_time && operations[place].invoked > first_end {
            return false;
        }
        let mut lists = lists.clone();
        let mut output = Vec::new();
        for access in &operations[place].input {
            match access {
                Access::Write(key, value) => lists.entry(*key).or_default().push(*value),
                Access::Read(key) => {
                    output.push(answer(lists.get(key).map_or(&[][..], Vec::as_slice)));
                }
            }
        }
        let is_right = operations[place].output().is_none_or(|expected| *expected == output);
        let rest: Vec<usize> = open.iter().copied().filter(|it| *it != place).collect();
        is_right && go(operations, in_time, answer, (&lists, &rest))
    })
}

const SMALL: Size = Size { transactions: 5, clients: 3, keys: 2 };
const STORES: [Store; 4] = [Store::Serial, Store::Snapshot, Store::Committed, Store::Open];

#[test]
fn lists_are_judged_as_all_orders_of_transactions_judge_them() {
    let (mut right, mut wrong, mut missed) = (0, 0, 0);
    for seed in 0..2_000 {
        for store in STORES {
            let transactions = run(store, seed, SMALL);
            // The last one has read everything, and comes last: nothing is left to guess.
            let verdict = list_append(&transactions, Isolation::StrictSerializable);
            let expected = by_brute_force(&transactions, true, <[u64]>::to_vec);
            assert_eq!(
                verdict.is_consistent(),
                expected,
                "{store:?} {seed}: {verdict} {transactions:#?}"
            );
            *(if expected { &mut right } else { &mut wrong }) += 1;
            // Without it, and without time, what is said to be wrong is.
            let transactions = &transactions[..transactions.len() - 1];
            let verdict = list_append(transactions, Isolation::Serializable);
            let expected = by_brute_force(transactions, false, <[u64]>::to_vec);
            assert!(
                verdict.is_consistent() || !expected,
                "{store:?} {seed}: {verdict} {transactions:#?}"
            );
            missed += u32::from(verdict.is_consistent() && !expected);
        }
    }
    let count = format!("{right} right, {wrong} wrong, {missed} missed");
    assert!(right > 1_000 && wrong > 1_000 && missed < wrong / 20, "{count}");
}

/// Has each read answer the last value only.
fn last_values(transactions: &[Lists]) -> Vec<Values> {
    let last = |list: &Vec<u64>| list.last().copied();
    let values = |operation: &Lists| {
        let effect = match &operation.effect {
            Effect::Returned(lists) => Effect::Returned(lists.iter().map(last).collect()),
            Effect::Failed => Effect::Failed,
            Effect::Unknown => Effect::Unknown,
        };
        let end = operation.ended.map(|at| (at.order, effect));
        let invoked = operation.invoked.order;
        Operation::new(operation.client, operation.input.clone(), invoked, end)
    };
    transactions.iter().map(values).collect()
}

#[test]
fn values_that_are_said_to_be_wrong_are_so_in_all_orders() {
    let (mut right, mut found, mut missed) = (0, 0, 0);
    for seed in 0..2_000 {
        for store in STORES {
            let transactions = last_values(&run(store, seed, SMALL));
            for isolation in [Isolation::Serializable, Isolation::StrictSerializable] {
                let in_time = isolation == Isolation::StrictSerializable;
                let verdict = read_write(&transactions, isolation);
                let expected = by_brute_force(&transactions, in_time, |list| list.last().copied());
                assert!(
                    verdict.is_consistent() || !expected,
                    "{store:?} {seed} {isolation:?}: {verdict} {transactions:#?}"
                );
                right += u32::from(expected);
                found += u32::from(verdict.is_violated());
                missed += u32::from(verdict.is_consistent() && !expected);
            }
        }
    }
    let count = format!("{right} right, {found} found, {missed} missed");
    assert!(right > 1_000 && found > 1_000 && missed < found, "{count}");
}

#[test]
fn stores_of_values_that_isolate_are_never_accused() {
    let count = |store: Store, isolation: Isolation| {
        let is_accused = |&seed: &u64| {
            let transactions = last_values(&run(store, seed, LARGE));
            let verdict = read_write(&transactions, isolation);
            assert!(verdict.is_consistent() || verdict.is_violated());
            verdict.is_violated()
        };
        (0..150).filter(is_accused).count()
    };
    assert_eq!(count(Store::Serial, Isolation::StrictSerializable), 0);
    assert_eq!(count(Store::Snapshot, Isolation::Snapshot), 0);
    assert_eq!(count(Store::Committed, Isolation::ReadCommitted), 0);
    // Of blind writes nobody knows the order, so that less is found than in lists.
    let (skewed, open) = (
        count(Store::Snapshot, Isolation::Serializable),
        count(Store::Open, Isolation::ReadCommitted),
    );
    assert!(skewed > 10 && open > 100, "{skewed} and {open} are found");
}
