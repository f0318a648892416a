//! Counters and locks.

use crate::oracle::model::Model;

/// A number, at first 0, that is added to and read.
///
/// Both answer the value behind them. A program that does not learn it from an addition enters `None`.
#[derive(Clone, Copy, Debug, Default)]
pub struct Counter;

/// What a [`Counter`] is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CounterInput {
    /// To grow by this.
    Add(i64),
    /// The value.
    Read,
}

impl Model for Counter {
    type Input = CounterInput;
    type Output = Option<i64>;
    type State = i64;
    type Key = ();

    fn initial(&self) -> i64 {
        0
    }

    fn step(&self, state: &i64, input: &CounterInput, output: Option<&Option<i64>>) -> Option<i64> {
        let next = match input {
            CounterInput::Add(amount) => state.wrapping_add(*amount),
            CounterInput::Read => *state,
        };
        output.copied().flatten().is_none_or(|value| value == next).then_some(next)
    }

    fn keeps_state(&self, input: &CounterInput, _: Option<&Option<i64>>) -> bool {
        matches!(input, CounterInput::Read)
    }

    fn key(&self, _: &CounterInput) {}
}

/// A lock that one client holds at a time, at first nobody.
///
/// Both answer whether they were done: it was free, it was held by this client.
#[derive(Clone, Copy, Debug, Default)]
pub struct Lock;

/// What a [`Lock`] is asked for; each by a number for the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LockInput {
    /// To be given to a client.
    Acquire(u64),
    /// To be taken back from a client.
    Release(u64),
}

impl Model for Lock {
    type Input = LockInput;
    type Output = bool;
    type State = Option<u64>;
    type Key = ();

    fn initial(&self) -> Option<u64> {
        None
    }

    fn step(
        &self,
        holder: &Option<u64>,
        input: &LockInput,
        output: Option<&bool>,
    ) -> Option<Option<u64>> {
        let (is_done, next) = match *input {
            LockInput::Acquire(client) => (holder.is_none(), Some(client)),
            LockInput::Release(client) => (*holder == Some(client), None),
        };
        let next = if is_done { next } else { *holder };
        output.is_none_or(|&output| output == is_done).then_some(next)
    }

    fn keeps_state(&self, _: &LockInput, output: Option<&bool>) -> bool {
        output == Some(&false)
    }

    fn key(&self, _: &LockInput) {}
}
