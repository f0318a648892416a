//! Whether a right system could have answered so: linearizability.

use std::fmt::Debug;

use parcae::oracle::models::{
    CasInput, CasOutput, CasRegister, Counter, CounterInput, KeyValue, KeyValueInput, Lock,
    LockInput, Queue, QueueInput, Register, RegisterInput, Set, SetInput,
};
use parcae::oracle::{
    Effect, HistoryVerdict, Model, Operation, Unjudged, linearizable, linearizable_within,
};

use super::chance::{Numbers, Operations, by_brute_force, random};

/// Compares the checker to all orders, on many histories; and the witness to what it promises.
fn agrees_with_brute_force<M: Model>(
    model: &M,
    size: (u64, u64),
    ask: impl Fn(&mut Numbers) -> (M::Input, M::Output),
) where
    M::Input: Clone + Debug,
    M::Output: Clone + Debug,
{
    let (mut right, mut wrong) = (0, 0);
    for seed in 0..2_000 {
        let operations = random::<M>(seed, size, &ask);
        let verdict = linearizable(model, &operations);
        assert_eq!(
            verdict.is_consistent(),
            by_brute_force(model, &operations),
            "seed {seed}: {operations:#?}"
        );
        let HistoryVerdict::Violated(witness) = verdict else {
            right += 1;
            continue;
        };
        wrong += 1;
        // Up to that end the history is right, with it it is not; those under way get their answers later.
        let end = operations[witness.unanswerable].ended.unwrap().order;
        let until = |last: u64| -> Operations<M> {
            let mut begun: Operations<M> =
                operations.iter().filter(|it| it.invoked.order < end).cloned().collect();
            for operation in &mut begun {
                if !matches!(operation.effect, Effect::Failed) {
                    operation.ended = operation.ended.filter(|at| at.order <= last);
                }
            }
            begun
        };
        assert!(by_brute_force(model, &until(end - 1)), "seed {seed}: {witness:?}");
        assert!(!by_brute_force(model, &until(end)), "seed {seed}: {witness:?}");
        assert!(witness.conflict.contains(&witness.unanswerable), "seed {seed}: {witness:?}");
        assert!(!witness.linearized.contains(&witness.unanswerable), "seed {seed}: {witness:?}");
        let mut state = model.initial();
        for &place in &witness.linearized {
            let output = match &operations[place].effect {
                Effect::Returned(output) => Some(output),
                _ => None,
            };
            state = model.step(&state, &operations[place].input, output).expect("it is a run");
        }
        assert_eq!(format!("{state:?}"), witness.state, "seed {seed}");
    }
    assert!(right > 100 && wrong > 100, "{right} right, {wrong} wrong: they say nothing");
}

#[test]
fn registers_are_judged_as_all_orders_judge_them() {
    agrees_with_brute_force(&Register::new(0), (3, 7), |numbers| match numbers.below(2) {
        0 => (RegisterInput::Read, Some(numbers.below(3))),
        _ => (RegisterInput::Write(numbers.below(3)), None),
    });
}

#[test]
fn registers_with_compare_and_swap_are_judged_as_all_orders_judge_them() {
    agrees_with_brute_force(&CasRegister::new(0), (3, 6), |numbers| match numbers.below(3) {
        0 => (CasInput::Read, CasOutput::Value(numbers.below(2))),
        1 => (CasInput::Write(numbers.below(2)), CasOutput::Written),
        _ => {
            let swap = CasInput::CompareAndSwap(numbers.below(2), numbers.below(2));
            (swap, CasOutput::Swapped(numbers.below(2) == 0))
        }
    });
}

#[test]
fn queues_are_judged_as_all_orders_judge_them() {
    agrees_with_brute_force(&Queue::new(), (3, 6), |numbers| match numbers.below(2) {
        0 => (QueueInput::Push(numbers.below(2)), None),
        _ => (QueueInput::Pop, numbers.below(3).checked_sub(1)),
    });
}

#[test]
fn locks_are_judged_as_all_orders_judge_them() {
    agrees_with_brute_force(&Lock, (3, 6), |numbers| {
        let (client, is_done) = (numbers.below(2), numbers.below(3) > 0);
        match numbers.below(2) {
            0 => (LockInput::Acquire(client), is_done),
            _ => (LockInput::Release(client), is_done),
        }
    });
}

#[test]
fn counters_are_judged_as_all_orders_judge_them() {
    agrees_with_brute_force(&Counter, (3, 6), |numbers| match numbers.below(2) {
        0 => (CounterInput::Add(1), None),
        _ => (CounterInput::Read, Some(i64::try_from(numbers.below(3)).unwrap())),
    });
}

#[test]
fn each_key_is_judged_by_itself() {
    let model = KeyValue::new();
    let put = |client, key, value, times: (u64, u64)| {
        let end = Some((times.1, Effect::Returned(None)));
        Operation::new(client, KeyValueInput::Put(key, value), times.0, end)
    };
    let get = |client, key, value, times: (u64, u64)| {
        let end = Some((times.1, Effect::Returned(value)));
        Operation::new(client, KeyValueInput::Get(key), times.0, end)
    };
    let right = [put(1, 'a', 1, (0, 1)), get(2, 'b', None, (2, 3)), get(2, 'a', Some(1), (4, 5))];
    linearizable(&model, &right).unwrap();
    let wrong = [put(1, 'a', 1, (0, 1)), put(2, 'b', 2, (2, 3)), get(1, 'b', Some(1), (4, 5))];
    let HistoryVerdict::Violated(witness) = linearizable(&model, &wrong) else { panic!("wrong") };
    assert_eq!(witness.linearized, [1]);
    assert_eq!(
        witness.text(&wrong),
        "  operation 1, client 2: Put('b', 2) -> None\n  the state is Some(2); what was under way:\n! operation 2, client 1: Get('b') -> Some(1)\n"
    );
    let removed = [
        Operation::new(1, SetInput::Insert(7), 0, Some((1, Effect::Returned(true)))),
        Operation::new(1, SetInput::Remove(7), 2, Some((3, Effect::Returned(true)))),
        Operation::new(1, SetInput::Contains(7), 4, Some((5, Effect::Returned(true)))),
    ];
    assert!(linearizable(&Set::new(), &removed).is_violated());
    assert!(linearizable(&Set::new(), &removed[..2]).is_consistent());
}

#[test]
fn what_nobody_knows_takes_effect_late_or_never_and_what_failed_does_not() {
    let write = |end| Operation::new(1, RegisterInput::Write(1), 0, end);
    let read = |value, at| {
        Operation::new(2, RegisterInput::Read, at, Some((at + 1, Effect::Returned(Some(value)))))
    };
    let verdict = |operations: &[_]| linearizable(&Register::new(0), operations);
    let unknown = || write(Some((1, Effect::Unknown)));
    assert!(verdict(&[unknown(), read(0, 2), read(1, 4)]).is_consistent());
    assert!(verdict(&[unknown(), read(0, 2), read(0, 4)]).is_consistent());
    assert!(verdict(&[unknown(), read(1, 2), read(0, 4)]).is_violated());
    let failed = || write(Some((1, Effect::Failed)));
    assert!(verdict(&[failed(), read(0, 2)]).is_consistent());
    assert!(verdict(&[failed(), read(1, 2)]).is_violated());
    let returned = || write(Some((1, Effect::Returned(None))));
    assert!(verdict(&[returned(), read(0, 2)]).is_violated());
}

#[test]
fn beyond_the_budget_the_verdict_is_unknown_and_never_right() {
    // Twenty writes at once, and a read of what nobody wrote: all sets of writes are tried.
    let mut operations: Vec<_> = (0..20)
        .map(|n| {
            Operation::new(n, RegisterInput::Write(n), n, Some((100 + n, Effect::Returned(None))))
        })
        .collect();
    let read = Some((50, Effect::Returned(Some(99))));
    operations.push(Operation::new(20, RegisterInput::Read, 49, read));
    let verdict = linearizable_within(&Register::new(0), &operations, 10_000);
    assert_eq!(verdict, HistoryVerdict::Unknown(Unjudged::Budget { steps: 10_000 }));
    assert!(!verdict.is_consistent() && !verdict.is_violated());
}

#[test]
fn a_bad_part_is_found_beside_hard_ones() {
    // The keys before it would take all of the budget.
    let mut operations = Vec::new();
    let mut order = 0;
    for key in 0..5_u64 {
        for client in 0..22 {
            let end = Some((1_000_000 + order, Effect::Returned(None)));
            operations.push(Operation::new(client, KeyValueInput::Put(key, client), order, end));
            order += 1;
        }
        let end = Some((order + 1, Effect::Returned(Some(99))));
        operations.push(Operation::new(50, KeyValueInput::Get(key), order, end));
        order += 2;
    }
    let end = Some((order + 1, Effect::Returned(Some(7))));
    operations.push(Operation::new(51, KeyValueInput::Get(9), order, end));
    let verdict = linearizable_within(&KeyValue::new(), &operations, 100_000);
    let HistoryVerdict::Violated(witness) = verdict else { panic!("{verdict}") };
    assert_eq!(witness.unanswerable, operations.len() - 1);
}

#[test]
fn long_histories_of_many_keys_are_judged() {
    // What fifty clients get of a store that is right, and the same with one stale answer near the end.
    let mut numbers = Numbers(7);
    let mut values = vec![None; 20];
    let mut operations = Vec::new();
    for order in 0..20_000_u64 {
        let (client, key) = (order % 50, numbers.below(20));
        let value = &mut values[usize::try_from(key).unwrap()];
        let (input, output) = if numbers.below(2) == 0 {
            *value = Some(order);
            (KeyValueInput::Put(key, order), None)
        } else {
            (KeyValueInput::Get(key), *value)
        };
        // Each overlaps the 49 before it and after it.
        let end = Some((order * 100 + 4_950, Effect::Returned(output)));
        operations.push(Operation::new(client, input, order * 100, end));
    }
    linearizable(&KeyValue::new(), &operations).unwrap();
    let read = |operation: &Operation<KeyValueInput<u64, u64>, Option<u64>>| {
        matches!(operation.input, KeyValueInput::Get(_))
    };
    let stale = (19_000..20_000).find(|&place| read(&operations[place])).unwrap();
    operations[stale].effect = Effect::Returned(Some(1));
    let HistoryVerdict::Violated(witness) = linearizable(&KeyValue::new(), &operations) else {
        panic!("it is stale");
    };
    assert_eq!(witness.unanswerable, stale);
}
