//! What events say of an object.

use super::event::{Event, EventKind};
use super::value::Value;
use crate::oracle::history::Effect;
use crate::oracle::models::{CasInput, CasOutput, TextInput};

/// What is asked of an object, as it stands in a log.
pub trait Logged: Sized {
    /// What is answered.
    type Output;

    /// Returns what an invocation asks for; none if it means nothing.
    fn asked(event: &Event) -> Option<Self>;

    /// Returns what an end says of it, of a kind that is `Ok` or `Fail`; none if it means nothing.
    fn answered(&self, event: &Event) -> Option<Effect<Self::Output>>;

    /// Returns the function, the value and the key of its invocation.
    fn call(&self) -> (&'static str, Value, Option<Value>);

    /// Returns the kind and the value of its end with this answer.
    fn reply(&self, output: &Self::Output) -> (EventKind, Value);
}

impl Logged for CasInput<Option<i64>> {
    type Output = CasOutput<Option<i64>>;

    fn asked(event: &Event) -> Option<Self> {
        match event.function.as_str() {
            "read" => Some(Self::Read),
            "write" => Some(Self::Write(number(&event.value)?)),
            "cas" => match event.value.as_items()? {
                [expected, new] => Some(Self::CompareAndSwap(number(expected)?, number(new)?)),
                _ => None,
            },
            _ => None,
        }
    }

    fn answered(&self, event: &Event) -> Option<Effect<Self::Output>> {
        let is_done = event.kind == EventKind::Ok;
        match self {
            // A keyword says why: a compare-and-swap that came to nothing says what it was asked for.
            Self::CompareAndSwap(..) if is_done || event.value.as_keyword().is_none() => {
                Some(Effect::Returned(CasOutput::Swapped(is_done)))
            }
            _ if !is_done => Some(Effect::Failed),
            Self::Read => Some(Effect::Returned(CasOutput::Value(number(&event.value)?))),
            Self::Write(_) | Self::CompareAndSwap(..) => Some(Effect::Returned(CasOutput::Written)),
        }
    }

    fn call(&self) -> (&'static str, Value, Option<Value>) {
        match *self {
            Self::Read => ("read", Value::Nil, None),
            Self::Write(value) => ("write", value.into(), None),
            Self::CompareAndSwap(expected, new) => {
                ("cas", Value::Vector(vec![expected.into(), new.into()]), None)
            }
        }
    }

    fn reply(&self, output: &Self::Output) -> (EventKind, Value) {
        match output {
            CasOutput::Value(value) => (EventKind::Ok, (*value).into()),
            CasOutput::Written | CasOutput::Swapped(true) => (EventKind::Ok, self.call().1),
            CasOutput::Swapped(false) => (EventKind::Fail, self.call().1),
        }
    }
}

fn number(value: &Value) -> Option<Option<i64>> {
    match value {
        Value::Nil => Some(None),
        value => value.as_integer().map(Some),
    }
}

impl Logged for TextInput {
    type Output = Option<String>;

    fn asked(event: &Event) -> Option<Self> {
        let key = match event.key.as_ref()? {
            Value::Text(key) => key.clone(),
            other => other.to_string(),
        };
        match event.function.as_str() {
            "get" => Some(Self::Get(key)),
            "put" => Some(Self::Put(key, event.value.as_text()?.to_owned())),
            "append" => Some(Self::Append(key, event.value.as_text()?.to_owned())),
            _ => None,
        }
    }

    fn answered(&self, event: &Event) -> Option<Effect<Option<String>>> {
        match self {
            _ if event.kind == EventKind::Fail => Some(Effect::Failed),
            Self::Get(_) => {
                let got = match &event.value {
                    Value::Nil => String::new(),
                    value => value.as_text()?.to_owned(),
                };
                Some(Effect::Returned(Some(got)))
            }
            Self::Put(..) | Self::Append(..) => Some(Effect::Returned(None)),
        }
    }

    fn call(&self) -> (&'static str, Value, Option<Value>) {
        let key = |key: &String| Some(Value::Text(key.clone()));
        match self {
            Self::Get(of) => ("get", Value::Nil, key(of)),
            Self::Put(of, text) => ("put", Value::Text(text.clone()), key(of)),
            Self::Append(of, text) => ("append", Value::Text(text.clone()), key(of)),
        }
    }

    fn reply(&self, output: &Option<String>) -> (EventKind, Value) {
        let value = output.as_ref().map_or_else(|| self.call().1, |text| Value::Text(text.clone()));
        (EventKind::Ok, value)
    }
}
