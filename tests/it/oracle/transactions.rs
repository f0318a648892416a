//! Whether transactions were isolated: each anomaly by hand.

use parcae::oracle::transactions::{AnomalyKind, Isolation, list_append, read_write};
use parcae::oracle::{Access, Effect, HistoryVerdict, Operation, Unjudged};

use AnomalyKind::{
    DirtyUpdate, Duplicate, G0, G1a, G1b, G1c, G2, GNonadjacent, GSingle, IncompatibleOrders,
    Internal, Invented, LostUpdate,
};
use Isolation::{ReadCommitted, ReadUncommitted, Serializable, Snapshot, StrictSerializable};

type Transaction<A> = parcae::oracle::transactions::Transaction<&'static str, u64, A>;

/// An access with its answer, if it is a read.
type Step<A> = (Access<&'static str, u64>, Option<A>);

fn add<A>(key: &'static str, value: u64) -> Step<A> {
    (Access::Write(key, value), None)
}

fn saw(key: &'static str, list: &[u64]) -> Step<Vec<u64>> {
    (Access::Read(key), Some(list.to_vec()))
}

fn got(key: &'static str, value: u64) -> Step<Option<u64>> {
    (Access::Read(key), Some((value > 0).then_some(value)))
}

/// Makes transactions that are all under way at once, each of a client of its own.
fn at_once<A: Clone>(steps: &[&[Step<A>]]) -> Vec<Transaction<A>> {
    let count = steps.len() as u64;
    let transaction = |(number, steps): (u64, &&[Step<A>])| {
        let input = steps.iter().map(|(access, _)| access.clone()).collect();
        let output = steps.iter().filter_map(|(_, answer)| answer.clone()).collect();
        Operation::new(number, input, number, Some((count + number, Effect::Returned(output))))
    };
    (0..).zip(steps).map(transaction).collect()
}

/// The same, one after the other.
fn in_turn<A: Clone>(steps: &[&[Step<A>]]) -> Vec<Transaction<A>> {
    let mut transactions = at_once(steps);
    for (order, transaction) in (0..).zip(&mut transactions) {
        let effect = transaction.effect.clone();
        let (client, input) = (transaction.client, transaction.input.clone());
        *transaction = Operation::new(client, input, 2 * order, Some((2 * order + 1, effect)));
    }
    transactions
}

type Found = Vec<(AnomalyKind, Vec<usize>)>;

/// Checks what is found from the level on at which it is forbidden, and that nothing is below.
#[track_caller]
fn lists(
    transactions: &[Transaction<Vec<u64>>],
    first: Isolation,
    expected: &[(AnomalyKind, &[usize])],
) {
    for isolation in [ReadUncommitted, ReadCommitted, Snapshot, Serializable] {
        let found = found_in_lists(transactions, isolation);
        let expected = if isolation >= first { expected } else { &[] };
        let expected: Vec<_> = expected.iter().map(|(kind, who)| (*kind, who.to_vec())).collect();
        assert_eq!(found, expected, "{isolation:?}");
    }
}

fn found_in_lists(transactions: &[Transaction<Vec<u64>>], isolation: Isolation) -> Found {
    match list_append(transactions, isolation) {
        HistoryVerdict::Consistent => Vec::new(),
        HistoryVerdict::Violated(witness) => {
            witness.anomalies.into_iter().map(|it| (it.kind, it.transactions)).collect()
        }
        HistoryVerdict::Unknown(cause) => panic!("unknown: {cause}"),
    }
}

#[track_caller]
fn values(
    transactions: &[Transaction<Option<u64>>],
    first: Isolation,
    expected: &[(AnomalyKind, &[usize])],
) {
    for isolation in [ReadUncommitted, ReadCommitted, Snapshot, Serializable] {
        let found = match read_write(transactions, isolation) {
            HistoryVerdict::Consistent => Vec::new(),
            HistoryVerdict::Violated(witness) => {
                witness.anomalies.into_iter().map(|it| (it.kind, it.transactions)).collect()
            }
            HistoryVerdict::Unknown(cause) => panic!("unknown: {cause}"),
        };
        let expected = if isolation >= first { expected } else { &[] };
        let expected: Vec<_> = expected.iter().map(|(kind, who)| (*kind, who.to_vec())).collect();
        assert_eq!(found, expected, "{isolation:?}");
    }
}

fn failed<A>(mut transaction: Transaction<A>) -> Transaction<A> {
    transaction.effect = Effect::Failed;
    transaction
}

fn unknown<A>(mut transaction: Transaction<A>) -> Transaction<A> {
    transaction.effect = Effect::Unknown;
    transaction.ended = None;
    transaction
}

#[test]
fn lists_that_one_after_the_other_wrote_are_fine() {
    let fine = in_turn(&[
        &[add("x", 1), saw("x", &[1]), add("y", 1)],
        &[saw("x", &[1]), add("x", 2), add("x", 3), saw("x", &[1, 2, 3])],
        &[saw("y", &[1]), saw("x", &[1, 2, 3]), saw("z", &[])],
    ]);
    list_append(&fine, StrictSerializable).unwrap();
    list_append::<u8, u8>(&[], StrictSerializable).unwrap();
}

#[test]
fn a_cycle_of_writes_is_g0() {
    let writes = at_once(&[
        &[add("x", 1), add("y", 1)],
        &[add("x", 2), add("y", 2)],
        &[saw("x", &[1, 2]), saw("y", &[2, 1])],
    ]);
    lists(&writes, ReadUncommitted, &[(G0, &[0, 1])]);
    let HistoryVerdict::Violated(witness) = list_append(&writes, Serializable) else { panic!() };
    assert_eq!(
        witness.to_string(),
        "G0: a cycle\n  1 wrote 2 to \"x\" behind 1, which 0 wrote\n  0 wrote 1 to \"y\" behind 2, which 1 wrote"
    );
}

#[test]
fn reads_of_what_failed_or_was_half_done_are_g1a_and_g1b() {
    // What somebody saw half of was done, also when nobody was told.
    let mut half_seen = at_once(&[&[add("x", 1), add("y", 1)], &[saw("x", &[1]), saw("y", &[])]]);
    half_seen[0] = unknown(half_seen[0].clone());
    lists(&half_seen, Snapshot, &[(GSingle, &[1, 0])]);
    let mut aborted = at_once(&[&[add("x", 1)], &[saw("x", &[1])]]);
    aborted[0] = failed(aborted[0].clone());
    lists(&aborted, ReadCommitted, &[(G1a, &[1, 0])]);
    aborted[0] = unknown(aborted[0].clone());
    lists(&aborted, StrictSerializable, &[]);
    let half = at_once(&[&[add("x", 1), add("x", 2)], &[saw("x", &[1])], &[saw("x", &[1, 2])]]);
    // Half of it is also an old read: what it depends on comes behind it.
    for half in [&half[..2], &half] {
        assert_eq!(found_in_lists(half, ReadUncommitted), []);
        assert_eq!(found_in_lists(half, ReadCommitted), [(G1b, vec![1, 0])]);
        let found = found_in_lists(half, Snapshot);
        assert_eq!(found, [(G1b, vec![1, 0]), (GSingle, vec![1, 0])]);
    }
    let whole = at_once(&[&[add("x", 1), add("x", 2)], &[saw("x", &[1, 2])], &[saw("x", &[])]]);
    lists(&whole, StrictSerializable, &[]);
    let mut dirty = at_once(&[&[add("x", 1)], &[add("x", 2)], &[saw("x", &[1, 2])]]);
    dirty[0] = failed(dirty[0].clone());
    let found = found_in_lists(&dirty, ReadUncommitted);
    assert_eq!(found, [(DirtyUpdate, vec![0, 1])]);
    let found = found_in_lists(&dirty, ReadCommitted);
    assert_eq!(found, [(G1a, vec![2, 0]), (DirtyUpdate, vec![0, 1])]);
}

#[test]
fn a_cycle_of_writes_and_reads_is_g1c() {
    let each_reads_the_other =
        at_once(&[&[add("x", 1), saw("y", &[1])], &[add("y", 1), saw("x", &[1])]]);
    lists(&each_reads_the_other, ReadCommitted, &[(G1c, &[0, 1])]);
    // What nobody read comes behind what was read.
    let behind =
        at_once(&[&[add("x", 1), saw("y", &[1])], &[add("x", 2), add("y", 1)], &[saw("x", &[1])]]);
    assert_eq!(found_in_lists(&behind, ReadCommitted), [(G1c, vec![1, 0])]);
    let with_a_write = at_once(&[
        &[add("x", 1), saw("y", &[1])],
        &[add("x", 2), add("y", 1)],
        &[saw("x", &[1, 2])],
    ]);
    lists(&with_a_write, ReadCommitted, &[(G1c, &[1, 0])]);
}

#[test]
fn one_old_read_in_a_cycle_is_g_single() {
    // The first sees the second's y, and not its x.
    let skewed = at_once(&[
        &[saw("x", &[]), saw("y", &[1])],
        &[add("x", 1), add("y", 1)],
        &[saw("x", &[1])],
    ]);
    lists(&skewed, Snapshot, &[(GSingle, &[0, 1])]);
    // What was written for sure comes behind all lists, also when nobody read it.
    lists(&skewed[..2], Snapshot, &[(GSingle, &[0, 1])]);
    let lost = at_once(&[
        &[saw("x", &[]), add("x", 1)],
        &[saw("x", &[]), add("x", 2)],
        &[saw("x", &[1, 2])],
    ]);
    lists(&lost, Snapshot, &[(GSingle, &[1, 0])]);
    let HistoryVerdict::Violated(witness) = list_append(&lost, Snapshot) else { panic!() };
    assert_eq!(
        witness.to_string(),
        "GSingle: a cycle\n  0 wrote 1 to \"x\", of which 1 read that there was nothing\n  1 wrote 2 to \"x\" behind 1, which 0 wrote"
    );
}

#[test]
fn old_reads_apart_are_g_nonadjacent_and_others_g2() {
    let write_skew = at_once(&[
        &[saw("x", &[]), add("y", 1)],
        &[saw("y", &[]), add("x", 1)],
        &[saw("x", &[1]), saw("y", &[1])],
    ]);
    lists(&write_skew, Serializable, &[(G2, &[0, 1])]);
    // Two readers that see two writes in two orders (long fork).
    let fork = at_once(&[
        &[add("x", 1)],
        &[add("y", 1)],
        &[saw("x", &[1]), saw("y", &[])],
        &[saw("x", &[]), saw("y", &[1])],
    ]);
    lists(&fork, Snapshot, &[(GNonadjacent, &[3, 0, 2, 1])]);
}

#[test]
fn lists_that_cannot_be_are_named() {
    lists(&at_once(&[&[saw("x", &[7])]]), ReadUncommitted, &[(Invented, &[0])]);
    let twice = at_once(&[&[add("x", 1)], &[saw("x", &[1, 1])]]);
    assert!(found_in_lists(&twice, ReadUncommitted).contains(&(Duplicate, vec![1])));
    let orders = at_once(&[&[add("x", 1)], &[add("x", 2)], &[saw("x", &[1])], &[saw("x", &[2])]]);
    let found = found_in_lists(&orders, ReadUncommitted);
    assert_eq!(found, [(IncompatibleOrders, vec![2, 3])]);
    for own in [
        [add("x", 1), saw("x", &[])],
        [saw("x", &[1]), add("x", 1)],
        [saw("x", &[]), saw("x", &[5])],
        [add("x", 1), saw("x", &[1, 5])],
    ] {
        let transactions = at_once(&[&own, &[add("x", 5)]]);
        lists(&transactions, Snapshot, &[(Internal, &[0])]);
    }
    let ambiguous = at_once(&[&[add("x", 1)], &[add("x", 1)]]);
    let cause = Unjudged::WrittenTwice { first: 0, second: 1 };
    let verdict = list_append::<_, u64>(&ambiguous, Serializable);
    assert_eq!(verdict, HistoryVerdict::Unknown(cause));
}

#[test]
fn what_is_late_is_wrong_only_with_time() {
    let stale = in_turn(&[&[add("x", 1)], &[saw("x", &[])], &[saw("x", &[1])]]);
    list_append(&stale, Serializable).unwrap();
    let HistoryVerdict::Violated(witness) = list_append(&stale, StrictSerializable) else {
        panic!("it is late");
    };
    assert_eq!(
        witness.to_string(),
        "GSingle: a cycle\n  0 wrote 1 to \"x\", of which 1 read that there was nothing\n  1 was invoked when 0 had ended"
    );
    let swapped = in_turn(&[&[add("x", 1)], &[add("x", 2)], &[saw("x", &[2, 1])]]);
    list_append(&swapped, Serializable).unwrap();
    assert_eq!(found_in_lists(&swapped, StrictSerializable)[0], (G0, vec![1, 0]));
    // Overwritten values are older, when time says so.
    let stale = in_turn(&[&[add("x", 1)], &[add("x", 2)], &[got("x", 1)]]);
    read_write(&stale, Serializable).unwrap();
    assert!(read_write(&stale, StrictSerializable).is_violated());
    read_write(&at_once(&[&[add("x", 1)], &[add("x", 2)], &[got("x", 1)]]), StrictSerializable)
        .unwrap();
}

#[test]
fn values_have_the_same_anomalies_where_their_order_is_known() {
    let fine = in_turn(&[
        &[add("x", 1), got("x", 1)],
        &[got("x", 1), add("x", 2)],
        &[got("x", 2), got("y", 0)],
    ]);
    read_write(&fine, StrictSerializable).unwrap();
    let mut aborted = at_once(&[&[add("x", 1)], &[got("x", 1)]]);
    aborted[0] = failed(aborted[0].clone());
    values(&aborted, ReadCommitted, &[(G1a, &[1, 0])]);
    aborted[0] = unknown(aborted[0].clone());
    values(&aborted, StrictSerializable, &[]);
    let half = at_once(&[&[add("x", 1), add("x", 2)], &[got("x", 1)]]);
    values(&half, ReadCommitted, &[(G1b, &[1, 0])]);
    values(&at_once(&[&[got("x", 9)]]), ReadUncommitted, &[(Invented, &[0])]);
    for own in [[add("x", 1), got("x", 0)], [got("x", 1), add("x", 1)], [got("x", 0), got("x", 5)]]
    {
        values(&at_once(&[&own, &[add("x", 5)]]), Snapshot, &[(Internal, &[0])]);
    }
    let each_reads_the_other = at_once(&[&[add("x", 1), got("y", 1)], &[add("y", 1), got("x", 1)]]);
    values(&each_reads_the_other, ReadCommitted, &[(G1c, &[0, 1])]);
    let skewed = at_once(&[&[got("x", 0), got("y", 1)], &[add("x", 1), add("y", 1)]]);
    values(&skewed, Snapshot, &[(GSingle, &[0, 1])]);
    let replaced = at_once(&[
        &[add("x", 1)],
        &[got("x", 1), add("x", 2), add("y", 1)],
        &[got("x", 1), got("y", 1)],
    ]);
    values(&replaced, Snapshot, &[(GSingle, &[2, 1])]);
    let write_skew = at_once(&[&[got("x", 0), add("y", 1)], &[got("y", 0), add("x", 1)]]);
    values(&write_skew, Serializable, &[(G2, &[0, 1])]);
    let fork = at_once(&[
        &[add("x", 1)],
        &[add("y", 1)],
        &[got("x", 1), got("y", 0)],
        &[got("x", 0), got("y", 1)],
    ]);
    values(&fork, Snapshot, &[(GNonadjacent, &[3, 0, 2, 1])]);
    let lost = at_once(&[&[got("x", 0), add("x", 1)], &[got("x", 0), add("x", 2)]]);
    let HistoryVerdict::Violated(witness) = read_write(&lost, Snapshot) else { panic!("lost") };
    assert_eq!(witness.anomalies[0].kind, LostUpdate);
    assert_eq!(witness.anomalies[0].transactions, [0, 1]);
    let ambiguous = at_once::<Option<u64>>(&[&[add("x", 1)], &[add("x", 1)]]);
    assert!(!read_write(&ambiguous, ReadUncommitted).is_consistent());
}
