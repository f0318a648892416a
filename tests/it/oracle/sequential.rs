//! Whether histories are sequentially consistent.

use std::fmt::Debug;

use parcae::oracle::models::{
    CasInput, CasOutput, CasRegister, KeyValue, KeyValueInput, Queue, QueueInput, Register,
    RegisterInput,
};
use parcae::oracle::{
    Effect, HistoryVerdict, Model, Operation, Unjudged, linearizable, sequential_within,
};

use super::chance::{Numbers, Operations, random};

/// Returns those of the open operations that may come next.
fn next<M: Model>(operations: &Operations<M>, open: &[usize]) -> Vec<usize> {
    let may_come = |place: usize| {
        let operation = &operations[place];
        !open.iter().any(|&other| {
            let other = &operations[other];
            let is_before = other.ended.is_some_and(|end| end < operation.invoked);
            other.client == operation.client && is_before
        })
    };
    open.iter().copied().filter(|&place| may_come(place)).collect()
}

fn after<M: Model>(
    model: &M,
    states: &[(M::Key, M::State)],
    operation: &Operation<M::Input, M::Output>,
) -> Option<(usize, M::State)> {
    let part = states.iter().position(|(key, _)| *key == model.key(&operation.input)).unwrap();
    Some((part, model.step(&states[part].1, &operation.input, operation.output())?))
}

fn initial<M: Model>(model: &M, operations: &Operations<M>) -> Vec<(M::Key, M::State)> {
    operations.iter().map(|it| (model.key(&it.input), model.initial())).collect()
}

/// Tells whether a history is sequentially consistent by trying all orders.
fn by_brute_force<M: Model>(model: &M, operations: &Operations<M>) -> bool
where
    M::Key: Clone,
{
    fn go<M: Model>(
        model: &M,
        operations: &Operations<M>,
        states: &[(M::Key, M::State)],
        open: &[usize],
    ) -> bool
    where
        M::Key: Clone,
    {
        if open.iter().all(|&place| operations[place].ended.is_none()) {
            return true;
        }
        next::<M>(operations, open).into_iter().any(|place| {
            after(model, states, &operations[place]).is_some_and(|(part, state)| {
                let mut states = states.to_vec();
                states[part].1 = state;
                let rest: Vec<_> = open.iter().copied().filter(|&it| it != place).collect();
                go(model, operations, &states, &rest)
            })
        })
    }
    let open: Vec<_> = (0..operations.len())
        .filter(|&place| !matches!(operations[place].effect, Effect::Failed))
        .collect();
    go(model, operations, &initial(model, operations), &open)
}

fn agrees_with_brute_force<M: Model>(
    model: &M,
    size: (u64, u64),
    ask: impl Fn(&mut Numbers) -> (M::Input, M::Output),
) where
    M::Key: Clone,
    M::Input: Clone + Debug,
    M::Output: Clone + Debug,
{
    let (mut right, mut wrong, mut only_sequential) = (0, 0, 0);
    for seed in 0..1_500 {
        let operations = random::<M>(seed, size, &ask);
        let verdict = sequential_within(model, &operations, 1_000_000);
        let expected = by_brute_force(model, &operations);
        assert_eq!(verdict.is_consistent(), expected, "seed {seed}: {verdict} {operations:#?}");
        let is_linearizable = linearizable(model, &operations).is_consistent();
        assert!(expected || !is_linearizable, "seed {seed}");
        only_sequential += u32::from(expected && !is_linearizable);
        let HistoryVerdict::Violated(witness) = verdict else {
            right += 1;
            continue;
        };
        wrong += 1;
        let mut states = initial(model, &operations);
        // Of reads that nobody knows there is nothing to order.
        let is_idle = |it: &Operation<M::Input, M::Output>| {
            it.ended.is_none() && model.keeps_state(&it.input, it.output())
        };
        let mut open: Vec<_> = (0..operations.len())
            .filter(|&place| !matches!(operations[place].effect, Effect::Failed))
            .filter(|&place| !is_idle(&operations[place]))
            .collect();
        for &place in &witness.ordered {
            assert!(next::<M>(&operations, &open).contains(&place), "seed {seed}: {witness:?}");
            let (part, state) = after(model, &states, &operations[place]).expect("it is a run");
            states[part].1 = state;
            open.retain(|&it| it != place);
        }
        assert!(!witness.next.is_empty(), "seed {seed}: {witness:?}");
        for &place in &witness.next {
            assert!(next::<M>(&operations, &open).contains(&place), "seed {seed}: {witness:?}");
            let goes_on = after(model, &states, &operations[place]).is_some();
            assert!(!goes_on, "seed {seed}: {witness:?}");
        }
    }
    let count = format!("{right} right, {wrong} wrong, {only_sequential} not linearizable");
    assert!(right > 100 && wrong > 100 && only_sequential > 50, "{count}: they say nothing");
}

#[test]
fn registers_are_sequential_when_all_orders_say_so() {
    agrees_with_brute_force(&Register::new(0), (3, 7), |numbers| match numbers.below(2) {
        0 => (RegisterInput::Read, Some(numbers.below(3))),
        _ => (RegisterInput::Write(numbers.below(3)), None),
    });
}

#[test]
fn registers_with_compare_and_swap_are_sequential_when_all_orders_say_so() {
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
fn queues_are_sequential_when_all_orders_say_so() {
    agrees_with_brute_force(&Queue::new(), (3, 7), |numbers| match numbers.below(2) {
        0 => (QueueInput::Push(numbers.below(2)), None),
        _ => (QueueInput::Pop, numbers.below(3).checked_sub(1)),
    });
}

#[test]
fn stores_of_two_keys_are_sequential_when_all_orders_say_so() {
    agrees_with_brute_force(&KeyValue::new(), (3, 7), |numbers| {
        let key = numbers.below(2);
        match numbers.below(2) {
            0 => (KeyValueInput::Get(key), numbers.below(3).checked_sub(1)),
            _ => (KeyValueInput::Put(key, numbers.below(2)), None),
        }
    });
}

#[test]
fn keys_that_are_sequential_each_are_not_so_together() {
    // Both clients write one key and do not see the other's (Dekker).
    let ended = |at, value| Some((at, Effect::Returned(value)));
    let operations = [
        Operation::new(1, KeyValueInput::Put('x', 1), 0, ended(2, None)),
        Operation::new(2, KeyValueInput::Put('y', 1), 1, ended(3, None)),
        Operation::new(1, KeyValueInput::Get('y'), 4, ended(6, None)),
        Operation::new(2, KeyValueInput::Get('x'), 5, ended(7, None)),
    ];
    let model = KeyValue::new();
    for key in ['x', 'y'] {
        let of_key = |it: &&Operation<KeyValueInput<char, i32>, _>| model.key(&it.input) == key;
        let part: Vec<_> = operations.iter().filter(of_key).cloned().collect();
        sequential_within(&model, &part, 1_000).unwrap();
    }
    let HistoryVerdict::Violated(witness) = sequential_within(&model, &operations, 1_000) else {
        panic!("it is wrong");
    };
    assert_eq!(
        witness.text(&operations),
        "  operation 0, client 1: Put('x', 1) -> None\n  operation 2, client 1: Get('y') -> None\n  \
         operation 1, client 2: Put('y', 1) -> None\n? operation 3, client 2: Get('x') -> None\n"
    );
    let verdict = sequential_within(&model, &operations, 3);
    assert_eq!(verdict, HistoryVerdict::Unknown(Unjudged::Budget { steps: 3 }));
    assert!(!verdict.is_consistent() && !verdict.is_violated());
}
