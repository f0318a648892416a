//! Whether a history is sequentially consistent: whether its operations, each client's in the order in which it asked for them,
//! are together a run of the model (Lamport, "How to make a multiprocessor computer that correctly executes multiprocess programs",
//! 1979).
//!
//! It is linearizability without time between clients: a client may be told what was right long ago, or will be, but never goes
//! back. Unlike that, it does not hold of a whole because it holds of each part, so that all keys are searched together, and
//! large histories are often unknown. NP-complete, with a budget.

use std::collections::BTreeMap;
use std::fmt;

use super::history::{Effect, Operation};
use super::model::Model;
use super::tried::{States, Table, Taken};
use super::verdict::{HistoryVerdict, Unjudged, line};

/// Why a history is not sequentially consistent. Numbers are places in the slice of operations that was checked.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SequentialWitness {
    /// An order of operations that is a run, and as long as any that was found.
    pub ordered: Vec<usize>,
    /// What could come next, each of another client: none is right there.
    pub next: Vec<usize>,
}

impl fmt::Display for SequentialWitness {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { ordered, next } = self;
        write!(
            formatter,
            "no order goes on behind {} operations with one of {next:?}",
            ordered.len()
        )
    }
}

impl SequentialWitness {
    /// Returns it in words: the order, and what could come next.
    #[must_use]
    pub fn text<I: fmt::Debug, O: fmt::Debug>(&self, operations: &[Operation<I, O>]) -> String {
        let ordered = self.ordered.iter().map(|&place| line(" ", place, operations));
        let next = self.next.iter().map(|&place| line("?", place, operations));
        ordered.chain(next).collect()
    }
}

/// Tells whether a history is sequentially consistent, or unknown after so many steps: operations that were tried in a state.
///
/// Of what nobody knows it may be that it never took effect; what a client asks for behind it need not come behind it.
///
/// # Examples
/// ```
/// use parcae::oracle::models::{Register, RegisterInput::*};
/// use parcae::oracle::{Effect, Operation, linearizable, sequential_within};
///
/// // The second client reads what was there before the first one wrote: late, but in an order.
/// let operations = [
///     Operation::new(1, Write(1), 0, Some((1, Effect::Returned(None)))),
///     Operation::new(2, Read, 2, Some((3, Effect::Returned(Some(0))))),
/// ];
/// assert!(linearizable(&Register::new(0), &operations).is_violated());
/// assert!(sequential_within(&Register::new(0), &operations, 1_000).is_consistent());
/// ```
pub fn sequential_within<M: Model>(
    model: &M,
    operations: &[Operation<M::Input, M::Output>],
    budget: u64,
) -> HistoryVerdict<SequentialWitness> {
    let mut search = Search::new(model, operations);
    search.take_reads();
    while search.open > 0 {
        if search.steps >= budget {
            return HistoryVerdict::Unknown(Unjudged::Budget { steps: budget });
        }
        if !search.advance() {
            return HistoryVerdict::Violated(Box::new(search.furthest));
        }
    }
    HistoryVerdict::Consistent
}

/// Tries orders, depth first; those in which operations were invoked come first. Reads take effect as soon as they are right, as in
/// the search for linearizability.
struct Search<'a, M: Model> {
    model: &'a M,
    operations: &'a [Operation<M::Input, M::Output>],
    /// Places in `operations` in the order of invocations: numbers are places in it.
    places: Vec<usize>,
    /// By number: whether it is a read.
    reads: Vec<bool>,
    /// By number: which part of the object it is about.
    parts: Vec<usize>,
    /// The numbers of each client, ascending.
    clients: Vec<Vec<usize>>,
    /// For each client how many of its first have taken effect.
    begins: Vec<usize>,
    states: States<M::State>,
    /// Of each part the number of its state.
    current: Vec<u32>,
    /// The states of all parts together.
    wholes: States<Vec<u32>>,
    taken: Taken,
    tried: Table,
    done: Vec<Done>,
    /// How many that have ended have not taken effect yet.
    open: usize,
    /// The first number to be tried next.
    cursor: usize,
    steps: u64,
    furthest: SequentialWitness,
}

#[derive(Clone, Copy)]
struct Done {
    number: usize,
    /// The state of its part before it.
    state: u32,
    is_read: bool,
}

impl<'a, M: Model> Search<'a, M> {
    fn new(model: &'a M, operations: &'a [Operation<M::Input, M::Output>]) -> Self {
        let is_read = |place: usize| {
            let operation = &operations[place];
            model.keeps_state(&operation.input, operation.output())
        };
        let mut places: Vec<usize> = (0..operations.len())
            .filter(|&place| !matches!(operations[place].effect, Effect::Failed))
            .filter(|&place| operations[place].ended.is_some() || !is_read(place))
            .collect();
        places.sort_by_key(|&place| operations[place].invoked.order);
        let mut by_client: BTreeMap<u64, Vec<usize>> = BTreeMap::new();
        let mut by_key: BTreeMap<M::Key, Vec<usize>> = BTreeMap::new();
        for (number, &place) in places.iter().enumerate() {
            by_client.entry(operations[place].client).or_default().push(number);
            by_key.entry(model.key(&operations[place].input)).or_default().push(number);
        }
        let mut parts = vec![0; places.len()];
        for (part, numbers) in by_key.values().enumerate() {
            numbers.iter().for_each(|&number| parts[number] = part);
        }
        let mut states = States::new();
        let current = by_key.iter().map(|_| states.number(model.initial())).collect();
        let clients: Vec<Vec<usize>> = by_client.into_values().collect();
        Self {
            model,
            operations,
            reads: places.iter().map(|&place| is_read(place)).collect(),
            parts,
            begins: vec![0; clients.len()],
            clients,
            states,
            current,
            wholes: States::new(),
            taken: Taken::new(places.len()),
            tried: Table::new(),
            done: Vec::new(),
            open: places.iter().filter(|&&place| operations[place].ended.is_some()).count(),
            places,
            cursor: 0,
            steps: 0,
            furthest: SequentialWitness { ordered: Vec::new(), next: Vec::new() },
        }
    }

    /// Tries what may come next; tells whether there is anything left to try.
    fn advance(&mut self) -> bool {
        let next = (0..self.clients.len()).filter_map(|client| self.candidate(client, self.cursor));
        let Some(number) = next.min() else { return self.go_back() };
        // A read that is right has taken effect when the state came to be.
        if self.reads[number] || !self.take(number) {
            self.cursor = number + 1;
        }
        true
    }

    /// Returns the first operation of a client, from a number on, that may come next: none of its that ended before is open.
    fn candidate(&self, client: usize, from: usize) -> Option<usize> {
        let operation = |number: usize| &self.operations[self.places[number]];
        let mut first_end = None;
        for &number in &self.clients[client][self.begins[client]..] {
            if self.taken.contains(number) {
                continue;
            }
            if first_end.is_some_and(|end| end < operation(number).invoked) {
                return None;
            }
            if number >= from {
                return Some(number);
            }
            first_end = [first_end, operation(number).ended].into_iter().flatten().min();
        }
        None
    }

    fn state_after(&mut self, number: usize) -> Option<M::State> {
        self.steps += 1;
        let operation = &self.operations[self.places[number]];
        let state = self.states.state(self.current[self.parts[number]]);
        self.model.step(state, &operation.input, operation.output())
    }

    fn take(&mut self, number: usize) -> bool {
        let Some(state) = self.state_after(number) else { return false };
        let (part, state) = (self.parts[number], self.states.number(state));
        let before = std::mem::replace(&mut self.current[part], state);
        self.taken.insert(number);
        let whole = self.wholes.number(self.current.clone());
        if !self.tried.insert(&self.taken, whole) {
            self.taken.remove(number);
            self.current[part] = before;
            return false;
        }
        self.put_down(number, before, false);
        self.take_reads();
        self.cursor = 0;
        true
    }

    /// Has all reads take effect that may come next and are right.
    fn take_reads(&mut self) {
        for client in 0..self.clients.len() {
            let mut from = 0;
            while let Some(number) = self.candidate(client, from) {
                from = number + 1;
                if self.reads[number] && self.state_after(number).is_some() {
                    self.taken.insert(number);
                    self.put_down(number, self.current[self.parts[number]], true);
                    from = 0;
                }
            }
        }
    }

    fn put_down(&mut self, number: usize, state: u32, is_read: bool) {
        self.open -= usize::from(self.operations[self.places[number]].ended.is_some());
        self.done.push(Done { number, state, is_read });
        for (client, begin) in self.clients.iter().zip(&mut self.begins) {
            while client.get(*begin).is_some_and(|&first| self.taken.contains(first)) {
                *begin += 1;
            }
        }
    }

    /// Takes back what was taken last, with the reads behind it; tells whether there was any.
    fn go_back(&mut self) -> bool {
        self.steps += 1;
        if self.furthest.ordered.len() < self.done.len() || self.furthest.next.is_empty() {
            let next = (0..self.clients.len()).filter_map(|client| self.candidate(client, 0));
            self.furthest.next = next.map(|number| self.places[number]).collect();
            let ordered = self.done.iter().map(|done| self.places[done.number]);
            self.furthest.ordered = ordered.collect();
        }
        while let Some(Done { number, state, is_read }) = self.done.pop() {
            self.open += usize::from(self.operations[self.places[number]].ended.is_some());
            self.taken.remove(number);
            self.current[self.parts[number]] = state;
            for (client, begin) in self.clients.iter().zip(&mut self.begins) {
                *begin = (*begin).min(client.partition_point(|&first| first < number));
            }
            if !is_read {
                self.cursor = number + 1;
                return true;
            }
        }
        false
    }
}
