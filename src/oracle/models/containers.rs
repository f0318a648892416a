//! Objects that hold items.

use std::fmt::Debug;
use std::hash::Hash;
use std::marker::PhantomData;

use crate::oracle::model::Model;

/// A queue, at first empty: first in, first out.
///
/// A pop answers the item, or none if the queue is empty; what a push answers is not looked at.
#[derive(Clone, Copy, Debug)]
pub struct Queue<T> {
    kind: PhantomData<fn(T)>,
}

/// What a [`Queue`] is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum QueueInput<T> {
    /// To take an item in.
    Push(T),
    /// To give an item out.
    Pop,
}

impl<T> Queue<T> {
    /// Makes a model.
    #[must_use]
    pub const fn new() -> Self {
        Self { kind: PhantomData }
    }
}

impl<T> Default for Queue<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T: Clone + Eq + Hash + Debug> Model for Queue<T> {
    type Input = QueueInput<T>;
    type Output = Option<T>;
    type State = Vec<T>;
    type Key = ();

    fn initial(&self) -> Vec<T> {
        Vec::new()
    }

    fn step(
        &self,
        state: &Vec<T>,
        input: &Self::Input,
        output: Option<&Option<T>>,
    ) -> Option<Vec<T>> {
        match input {
            QueueInput::Push(item) => {
                let mut next = state.clone();
                next.push(item.clone());
                Some(next)
            }
            QueueInput::Pop => {
                let is_right = output.is_none_or(|popped| popped.as_ref() == state.first());
                is_right.then(|| state.iter().skip(1).cloned().collect())
            }
        }
    }

    fn keeps_state(&self, input: &Self::Input, output: Option<&Option<T>>) -> bool {
        matches!((input, output), (QueueInput::Pop, Some(None)))
    }

    fn key(&self, _: &Self::Input) {}
}

/// A set, at first empty; each item is checked by itself.
///
/// An insertion and a removal answer whether they changed it, `contains` whether the item is in it.
#[derive(Clone, Copy, Debug)]
pub struct Set<T> {
    kind: PhantomData<fn(T)>,
}

/// What a [`Set`] is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SetInput<T> {
    /// That an item is in it.
    Insert(T),
    /// That an item is not in it.
    Remove(T),
    /// Whether an item is in it.
    Contains(T),
}

impl<T> Set<T> {
    /// Makes a model.
    #[must_use]
    pub const fn new() -> Self {
        Self { kind: PhantomData }
    }
}

impl<T> Default for Set<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T: Clone + Ord + Debug> Model for Set<T> {
    type Input = SetInput<T>;
    type Output = bool;
    type State = bool;
    type Key = T;

    fn initial(&self) -> bool {
        false
    }

    fn step(&self, is_in: &bool, input: &Self::Input, output: Option<&bool>) -> Option<bool> {
        let (answer, next) = match input {
            SetInput::Insert(_) => (!is_in, true),
            SetInput::Remove(_) => (*is_in, false),
            SetInput::Contains(_) => (*is_in, *is_in),
        };
        output.is_none_or(|&output| output == answer).then_some(next)
    }

    fn keeps_state(&self, input: &Self::Input, output: Option<&bool>) -> bool {
        matches!(input, SetInput::Contains(_)) || output == Some(&false)
    }

    fn key(&self, input: &Self::Input) -> T {
        match input {
            SetInput::Insert(item) | SetInput::Remove(item) | SetInput::Contains(item) => {
                item.clone()
            }
        }
    }
}
