//! Histories by chance, and what all orders of their operations say.

use parcae::oracle::{Effect, Model, Operation};

pub(super) type Operations<M> = Vec<Operation<<M as Model>::Input, <M as Model>::Output>>;

/// Numbers that differ by seed (`SplitMix64`).
pub(super) struct Numbers(pub(super) u64);

impl Numbers {
    pub(super) fn below(&mut self, count: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (bits ^ (bits >> 31)) % count
    }
}

/// Makes a history of so many clients that ask one thing after the other, with answers by chance.
pub(super) fn random<M: Model>(
    seed: u64,
    (clients, count): (u64, u64),
    ask: impl Fn(&mut Numbers) -> (M::Input, M::Output),
) -> Operations<M> {
    let mut numbers = Numbers(seed);
    let mut operations: Operations<M> = Vec::new();
    let mut under_way: Vec<Option<usize>> = vec![None; usize::try_from(clients).unwrap()];
    let mut outputs = Vec::new();
    let mut order = 0;
    while order < 2 * count {
        let client = numbers.below(clients);
        let slot = &mut under_way[usize::try_from(client).unwrap()];
        if let Some(place) = slot.take() {
            let output: Option<M::Output> = std::mem::take(&mut outputs[place]);
            let effect = match numbers.below(10) {
                0 => Effect::Unknown,
                1 => Effect::Failed,
                _ => Effect::Returned(output.unwrap()),
            };
            let operation: Operation<M::Input, M::Output> = operations.remove(place);
            let end = Some((order, effect));
            let ended = Operation::new(client, operation.input, operation.invoked.order, end);
            operations.insert(place, ended);
        } else {
            let (input, output) = ask(&mut numbers);
            *slot = Some(operations.len());
            outputs.push(Some(output));
            operations.push(Operation::new(client, input, order, None));
        }
        order += 1;
    }
    operations
}

/// Tells whether a history is linearizable by trying all orders.
pub(super) fn by_brute_force<M: Model>(model: &M, operations: &Operations<M>) -> bool {
    fn go<M: Model>(model: &M, state: &M::State, open: &[&Operation<M::Input, M::Output>]) -> bool {
        if open.iter().all(|operation| operation.ended.is_none()) {
            return true;
        }
        let first_end = open.iter().filter_map(|operation| operation.ended).min().unwrap();
        (0..open.len()).filter(|&place| open[place].invoked < first_end).any(|place| {
            let output = match &open[place].effect {
                Effect::Returned(output) => Some(output),
                _ => None,
            };
            model.step(state, &open[place].input, output).is_some_and(|next| {
                let mut rest = open.to_vec();
                rest.remove(place);
                go(model, &next, &rest)
            })
        })
    }
    let done: Vec<_> =
        operations.iter().filter(|it| !matches!(it.effect, Effect::Failed)).collect();
    go(model, &model.initial(), &done)
}
