//! What clients may rely on from one request to the next.

use std::collections::BTreeMap;

use parcae::oracle::Guarantee::{
    MonotonicReads, MonotonicWrites, ReadYourWrites, WritesFollowReads,
};
use parcae::oracle::{
    Access, Effect, Guarantee, HistoryVerdict, Operation, SessionWitness, Unjudged, sessions,
};

use super::chance::Numbers;

type Request = parcae::oracle::Request<&'static str, u64>;

/// Who asks for what, and what it is answered.
type Step = (u64, Access<&'static str, u64>, Option<u64>);

/// Makes a history of requests that come one after the other.
fn history(requests: &[Step]) -> Vec<Request> {
    let request = |(order, (client, input, output)): (u64, &Step)| {
        Operation::new(
            *client,
            input.clone(),
            2 * order,
            Some((2 * order + 1, Effect::Returned(*output))),
        )
    };
    (0..).zip(requests).map(request).collect()
}

fn write(client: u64, value: u64) -> Step {
    (client, Access::Write("x", value), None)
}

fn read(client: u64, value: Option<u64>) -> Step {
    (client, Access::Read("x"), value)
}

/// Tells for which guarantees, each by itself beside monotonic reads of a second client, a history is wrong.
#[track_caller]
fn violates(requests: &[Step], wrong: &[Guarantee]) {
    let operations = history(requests);
    let found = Guarantee::ALL.into_iter().filter(|guarantee| {
        let verdict = sessions(&operations, &[*guarantee]);
        assert!(verdict.is_consistent() || verdict.is_violated());
        verdict.is_violated()
    });
    assert_eq!(found.collect::<Vec<_>>(), wrong);
}

#[test]
fn each_guarantee_has_its_anomaly() {
    violates(&[write(1, 7), read(1, None)], &[ReadYourWrites]);
    violates(&[write(1, 7), read(2, Some(7)), read(2, None)], &[MonotonicReads]);
    violates(&[write(1, 1), write(1, 2), read(2, Some(2)), read(2, Some(1))], &[]);
    // Two readers that see two versions in two orders.
    let two = [write(1, 1), write(2, 2)];
    let up = [read(3, Some(1)), read(3, Some(2))];
    let down = [read(4, Some(2)), read(4, Some(1))];
    violates(&[&two[..], &up[..]].concat(), &[]);
    violates(&[&two[..], &up[..], &down[..]].concat(), &[MonotonicReads]);
}

#[track_caller]
fn explained(requests: &[Step], guarantees: &[Guarantee], text: &str) {
    let operations = history(requests);
    let HistoryVerdict::Violated(witness) = sessions(&operations, guarantees) else {
        panic!("it is wrong");
    };
    assert_eq!(witness.text(&operations), text);
    for left_out in guarantees {
        let rest: Vec<_> = guarantees.iter().copied().filter(|it| it != left_out).collect();
        assert!(sessions(&operations, &rest).is_consistent(), "without {left_out:?}");
    }
}

#[test]
fn a_witness_is_a_cycle_of_versions_with_the_guarantee_behind_each_step() {
    explained(
        &[write(1, 1), write(1, 2), read(2, Some(2)), read(2, Some(1))],
        &[MonotonicReads, MonotonicWrites],
        "no order of versions agrees with 0 before 1 (MonotonicWrites), 2 before 3 (MonotonicReads)\n  \
         operation 0, client 1: Write(\"x\", 1) -> None\n> operation 1, client 1: Write(\"x\", 2) -> None\n  \
         operation 2, client 2: Read(\"x\") -> Some(2)\n> operation 3, client 2: Read(\"x\") -> Some(1)\n",
    );
    explained(
        &[write(1, 1), read(2, Some(1)), write(2, 2), read(3, Some(2)), read(3, Some(1))],
        &[MonotonicReads, WritesFollowReads],
        "no order of versions agrees with 1 before 2 (WritesFollowReads), 3 before 4 (MonotonicReads)\n  \
         operation 1, client 2: Read(\"x\") -> Some(1)\n> operation 2, client 2: Write(\"x\", 2) -> None\n  \
         operation 3, client 3: Read(\"x\") -> Some(2)\n> operation 4, client 3: Read(\"x\") -> Some(1)\n",
    );
    explained(
        &[write(1, 1), read(2, Some(1)), write(2, 2), read(2, Some(1))],
        &[ReadYourWrites, WritesFollowReads],
        "no order of versions agrees with 1 before 2 (WritesFollowReads), 2 before 3 (ReadYourWrites)\n  \
         operation 1, client 2: Read(\"x\") -> Some(1)\n> operation 2, client 2: Write(\"x\", 2) -> None\n  \
         operation 2, client 2: Write(\"x\", 2) -> None\n> operation 3, client 2: Read(\"x\") -> Some(1)\n",
    );
}

#[test]
fn what_nobody_wrote_cannot_be_read_and_what_two_wrote_says_nothing() {
    let operations = history(&[write(1, 1), read(2, Some(9))]);
    let invented = Box::new(SessionWitness::Invented { read: 1 });
    assert_eq!(sessions(&operations, &[]), HistoryVerdict::Violated(invented));
    let mut operations = history(&[write(1, 1), read(2, Some(1))]);
    operations[0].effect = Effect::Failed;
    assert!(sessions(&operations, &[]).is_violated());
    let unmet = [&operations[..1], &history(&[write(9, 9), read(1, None)])[1..]].concat();
    sessions(&unmet, &Guarantee::ALL).unwrap();
    operations[0].effect = Effect::Unknown;
    operations[0].ended = None;
    sessions(&operations, &Guarantee::ALL).unwrap();
    let operations = history(&[write(1, 1), write(2, 1)]);
    let cause = Unjudged::WrittenTwice { first: 0, second: 1 };
    assert_eq!(sessions(&operations, &[]), HistoryVerdict::Unknown(cause));
}

#[test]
fn requests_of_one_client_that_overlap_say_nothing_of_each_other() {
    let mut operations = history(&[write(1, 1), read(1, None)]);
    assert!(sessions(&operations, &Guarantee::ALL).is_violated());
    let end = operations[0].ended.as_mut().unwrap();
    end.order = 3;
    operations[1].ended.as_mut().unwrap().order = 4;
    sessions(&operations, &Guarantee::ALL).unwrap();
}

/// Tells whether there is an order of the versions of one key that agrees with everybody, by trying all.
fn by_brute_force(operations: &[Request], guarantees: &[Guarantee]) -> bool {
    fn orders(rest: &[u64]) -> Vec<Vec<u64>> {
        if rest.is_empty() {
            return vec![Vec::new()];
        }
        let mut all = Vec::new();
        for first in rest {
            let others: Vec<u64> = rest.iter().copied().filter(|it| it != first).collect();
            all.extend(orders(&others).into_iter().map(|order| [&[*first][..], &order].concat()));
        }
        all
    }
    let written: Vec<u64> = operations
        .iter()
        .filter_map(|it| match &it.input {
            Access::Write(_, value) => Some(*value),
            Access::Read(_) => None,
        })
        .collect();
    orders(&written).into_iter().any(|order| {
        let age = |value: Option<u64>| {
            value.map_or(0, |value| 1 + order.iter().position(|it| *it == value).unwrap())
        };
        let mut seen: BTreeMap<u64, [usize; 2]> = BTreeMap::new();
        operations.iter().all(|operation| {
            let [last_read, last_write] = seen.entry(operation.client).or_default();
            let holds = |guarantee, least: usize, now: usize| {
                !guarantees.contains(&guarantee) || least <= now
            };
            match &operation.input {
                Access::Read(_) => {
                    let now = age(*operation.output().unwrap());
                    let is_right = holds(MonotonicReads, *last_read, now)
                        && holds(ReadYourWrites, *last_write, now);
                    *last_read = now;
                    is_right
                }
                Access::Write(_, value) => {
                    let now = age(Some(*value));
                    let is_right = holds(WritesFollowReads, *last_read, now)
                        && holds(MonotonicWrites, *last_write, now);
                    *last_write = now;
                    is_right
                }
            }
        })
    })
}

#[test]
fn sessions_are_judged_as_all_orders_of_versions_judge_them() {
    let (mut right, mut wrong) = (0, 0);
    for seed in 0..4_000 {
        let mut numbers = Numbers(seed);
        let (mut requests, mut written) = (Vec::new(), 0);
        for _ in 0..8 {
            let client = numbers.below(3);
            if numbers.below(2) == 0 && written < 5 {
                written += 1;
                requests.push(write(client, written));
            } else {
                requests
                    .push(read(client, numbers.below(written + 1).checked_sub(1).map(|it| it + 1)));
            }
        }
        let operations = history(&requests);
        let mask = numbers.below(15) + 1;
        let guarantees: Vec<_> = (0..4)
            .filter(|bit| mask & (1 << bit) != 0)
            .map(|bit: usize| Guarantee::ALL[bit])
            .collect();
        let verdict = sessions(&operations, &guarantees);
        let expected = by_brute_force(&operations, &guarantees);
        assert_eq!(verdict.is_consistent(), expected, "seed {seed} {guarantees:?}: {verdict}");
        assert_eq!(verdict.is_violated(), !expected, "seed {seed} {guarantees:?}: {verdict}");
        *(if expected { &mut right } else { &mut wrong }) += 1;
    }
    assert!(right > 500 && wrong > 500, "{right} right, {wrong} wrong: they say nothing");
}
