//! Values that are read and written.

use std::fmt::Debug;
use std::hash::Hash;
use std::marker::PhantomData;

use crate::oracle::model::Model;

/// A value that is read and written.
///
/// A read answers `Some` value; what a write answers is not looked at.
#[derive(Clone, Debug)]
pub struct Register<T> {
    initial: T,
}

/// What a [`Register`] is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RegisterInput<T> {
    /// The value.
    Read,
    /// To have this value.
    Write(T),
}

impl<T> Register<T> {
    /// Makes a model with this first value.
    #[must_use]
    pub const fn new(initial: T) -> Self {
        Self { initial }
    }
}

impl<T: Clone + Eq + Hash + Debug> Model for Register<T> {
    type Input = RegisterInput<T>;
    type Output = Option<T>;
    type State = T;
    type Key = ();

    fn initial(&self) -> T {
        self.initial.clone()
    }

    fn step(&self, state: &T, input: &Self::Input, output: Option<&Option<T>>) -> Option<T> {
        match (input, output) {
            (RegisterInput::Write(value), _) => Some(value.clone()),
            (RegisterInput::Read, None) => Some(state.clone()),
            (RegisterInput::Read, Some(read)) => {
                (read.as_ref() == Some(state)).then(|| state.clone())
            }
        }
    }

    fn keeps_state(&self, input: &Self::Input, _: Option<&Option<T>>) -> bool {
        matches!(input, RegisterInput::Read)
    }

    fn key(&self, _: &Self::Input) {}
}

/// A value that is read, written, and swapped if it is what was expected.
#[derive(Clone, Debug)]
pub struct CasRegister<T> {
    initial: T,
}

/// What a [`CasRegister`] is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CasInput<T> {
    /// The value.
    Read,
    /// To have this value.
    Write(T),
    /// To have the second value if it has the first.
    CompareAndSwap(T, T),
}

/// What a [`CasRegister`] answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CasOutput<T> {
    /// To a read: the value.
    Value(T),
    /// To a write.
    Written,
    /// To a compare-and-swap: whether it had the expected value.
    Swapped(bool),
}

impl<T> CasRegister<T> {
    /// Makes a model with this first value.
    #[must_use]
    pub const fn new(initial: T) -> Self {
        Self { initial }
    }
}

impl<T: Clone + Eq + Hash + Debug> Model for CasRegister<T> {
    type Input = CasInput<T>;
    type Output = CasOutput<T>;
    type State = T;
    type Key = ();

    fn initial(&self) -> T {
        self.initial.clone()
    }

    fn step(&self, state: &T, input: &Self::Input, output: Option<&CasOutput<T>>) -> Option<T> {
        let (answer, next) = match input {
            CasInput::Read => (CasOutput::Value(state.clone()), state),
            CasInput::Write(value) => (CasOutput::Written, value),
            CasInput::CompareAndSwap(expected, new) => {
                let is_swapped = state == expected;
                (CasOutput::Swapped(is_swapped), if is_swapped { new } else { state })
            }
        };
        output.is_none_or(|output| *output == answer).then(|| next.clone())
    }

    fn keeps_state(&self, input: &Self::Input, output: Option<&CasOutput<T>>) -> bool {
        matches!(input, CasInput::Read) || output == Some(&CasOutput::Swapped(false))
    }

    fn key(&self, _: &Self::Input) {}
}

/// Values by key, at first none; each key is checked by itself.
///
/// A get answers the value, if there is one; what the others answer is not looked at.
#[derive(Clone, Copy, Debug)]
pub struct KeyValue<K, V> {
    kinds: PhantomData<fn(K) -> V>,
}

/// What a [`KeyValue`] is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyValueInput<K, V> {
    /// The value of a key.
    Get(K),
    /// That a key has this value.
    Put(K, V),
    /// That a key has no value.
    Delete(K),
}

impl<K, V> KeyValue<K, V> {
    /// Makes a model.
    #[must_use]
    pub const fn new() -> Self {
        Self { kinds: PhantomData }
    }
}

impl<K, V> Default for KeyValue<K, V> {
    fn default() -> Self {
        Self::new()
    }
}

impl<K: Clone + Ord + Debug, V: Clone + Eq + Hash + Debug> Model for KeyValue<K, V> {
    type Input = KeyValueInput<K, V>;
    type Output = Option<V>;
    type State = Option<V>;
    type Key = K;

    fn initial(&self) -> Option<V> {
        None
    }

    fn step(
        &self,
        state: &Option<V>,
        input: &Self::Input,
        output: Option<&Option<V>>,
    ) -> Option<Option<V>> {
        match input {
            KeyValueInput::Get(_) => output.is_none_or(|got| got == state).then(|| state.clone()),
            KeyValueInput::Put(_, value) => Some(Some(value.clone())),
            KeyValueInput::Delete(_) => Some(None),
        }
    }

    fn keeps_state(&self, input: &Self::Input, _: Option<&Option<V>>) -> bool {
        matches!(input, KeyValueInput::Get(_))
    }

    fn key(&self, input: &Self::Input) -> K {
        match input {
            KeyValueInput::Get(key) | KeyValueInput::Put(key, _) | KeyValueInput::Delete(key) => {
                key.clone()
            }
        }
    }
}
