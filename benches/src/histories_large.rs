//! Large histories, by chance.

use std::collections::BTreeMap;

use parcae::oracle::models::{KeyValueInput, TextInput};
use parcae::oracle::{Effect, Operation};

type Operations<I, O> = Vec<Operation<I, O>>;

/// How large a history is, and how it goes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Size {
    pub(crate) operations: usize,
    pub(crate) clients: usize,
    pub(crate) keys: u64,
    /// Whether one answer near the end is of before.
    pub(crate) is_stale: bool,
}

/// Numbers that differ by seed (`SplitMix64`).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, count: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (bits ^ (bits >> 31)) % count
    }
}

/// Clients that are always busy with a store that is right, but for one answer if that is asked for: each operation takes effect
/// at some time within it.
fn by_chance<I, O: Clone + PartialEq>(
    size: Size,
    mut ask: impl FnMut(u64) -> (I, bool),
    mut answer: impl FnMut(&I) -> O,
) -> Operations<I, O> {
    let mut numbers = Numbers(7);
    // Invocation, effect and end of each, on a clock of their own.
    let mut times = Vec::new();
    let mut free_at = vec![0; size.clients];
    for place in 0..size.operations {
        let client = place % size.clients;
        let invoked = free_at[client] + numbers.below(100);
        // One of eight is slow.
        let delay_max = if numbers.below(8) == 0 { 4_000 } else { 400 };
        let effect = invoked + 1 + numbers.below(delay_max);
        let end = effect + 1 + numbers.below(delay_max);
        free_at[client] = end;
        times.push((effect, invoked, end, client));
    }
    times.sort_unstable();
    let mut operations = Vec::new();
    for (order, (_, invoked, end, client)) in (0_u64..).zip(times) {
        let (input, is_read) = ask(order);
        let output = answer(&input);
        // Times are made unique, in an order that is the same for all.
        let at = |time: u64, last: u64| (time * 1_000_000 + order) * 2 + last;
        let moments = (at(invoked, 0), at(end, 1));
        let client = client as u64;
        operations.push((
            Operation::<I, O>::new(client, input, moments.0, None),
            output,
            moments.1,
            is_read,
        ));
    }
    if size.is_stale {
        let last = (0..operations.len()).rev().filter(|&place| operations[place].3).nth(20);
        let place = last.expect("there are reads");
        let old = operations[place / 2..].iter().find(|(.., is_read)| *is_read);
        operations[place].1 = old.expect("there are reads").1.clone();
    }
    operations
        .into_iter()
        .map(|(operation, output, end, _)| {
            let end = Some((end, Effect::Returned(output)));
            Operation::new(operation.client, operation.input, operation.invoked.order, end)
        })
        .collect()
}

/// A store of texts that mostly grow, as in porcupine's test data.
pub(crate) fn texts(size: Size) -> Operations<TextInput, Option<String>> {
    let (mut numbers, mut state) = (Numbers(8), BTreeMap::new());
    by_chance(
        size,
        |order| {
            let key = numbers.below(size.keys).to_string();
            match numbers.below(10) {
                0 => (TextInput::Put(key, format!("x {order} y")), false),
                1..=4 => (TextInput::Append(key, format!("x {order} y")), false),
                _ => (TextInput::Get(key), true),
            }
        },
        |input| answer_text(&mut state, input),
    )
}

/// A store of numbers.
pub(crate) fn numbers(size: Size) -> Operations<KeyValueInput<u64, u64>, Option<u64>> {
    let (mut numbers, mut state) = (Numbers(9), BTreeMap::new());
    by_chance(
        size,
        |order| {
            let key = numbers.below(size.keys);
            match numbers.below(2) {
                0 => (KeyValueInput::Put(key, order), false),
                _ => (KeyValueInput::Get(key), true),
            }
        },
        |input| match input {
            KeyValueInput::Get(key) => state.get(key).copied(),
            KeyValueInput::Put(key, value) => {
                state.insert(*key, *value);
                None
            }
            KeyValueInput::Delete(key) => {
                state.remove(key);
                None
            }
        },
    )
}

/// So many writes at once, and a read of what nobody wrote: every set of them is to be tried.
pub(crate) fn hopeless(writes: u64) -> Operations<KeyValueInput<u64, u64>, Option<u64>> {
    let mut operations: Vec<_> = (0..writes)
        .map(|client| {
            let end = Some((1_000 + client, Effect::Returned(None)));
            Operation::new(client, KeyValueInput::Put(0, client), client, end)
        })
        .collect();
    let end = Some((500, Effect::Returned(Some(u64::MAX))));
    operations.push(Operation::new(writes, KeyValueInput::Get(0), 499, end));
    operations
}

pub(crate) fn answer_text(
    state: &mut BTreeMap<String, String>,
    input: &TextInput,
) -> Option<String> {
    match input {
        TextInput::Get(key) => Some(state.get(key).cloned().unwrap_or_default()),
        TextInput::Put(key, text) => {
            state.insert(key.clone(), text.clone());
            None
        }
        TextInput::Append(key, text) => {
            *state.entry(key.clone()).or_default() += text;
            None
        }
    }
}
