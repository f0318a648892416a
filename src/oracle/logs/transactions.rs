//! Transactions in logs: `:f :txn`, with a vector of accesses as the value.

use super::error::LogError;
use super::event::{Event, EventKind};
use super::logged::Logged;
use super::pairs;
use super::value::Value;
use crate::oracle::access::Access;
use crate::oracle::history::{Effect, Operation};
use crate::oracle::transactions::Transaction;

type Accesses = Vec<Access<Value, i64>>;

/// A transaction as it stands in a log.
pub type LoggedTransaction<A> = Transaction<Value, i64, A>;

/// Makes transactions on lists of events: `[[:append x 1] [:r y nil]]`, for
/// [`list_append`](crate::oracle::transactions::list_append). What an answer says of a write is not looked at.
///
/// # Errors
/// As [`operations`](super::operations).
pub fn list_transactions(events: &[Event]) -> Result<Vec<LoggedTransaction<Vec<i64>>>, LogError> {
    transactions(events)
}

/// Makes transactions on values of events: `[[:w x 1] [:r y nil]]`, for
/// [`read_write`](crate::oracle::transactions::read_write).
///
/// # Errors
/// As [`operations`](super::operations).
pub fn value_transactions(
    events: &[Event],
) -> Result<Vec<LoggedTransaction<Option<i64>>>, LogError> {
    transactions(events)
}

/// Makes the events of transactions on lists.
pub fn list_transaction_events(operations: &[LoggedTransaction<Vec<i64>>]) -> Vec<Event> {
    transaction_events(operations)
}

/// Makes the events of transactions on values.
pub fn value_transaction_events(operations: &[LoggedTransaction<Option<i64>>]) -> Vec<Event> {
    transaction_events(operations)
}

fn transactions<A: Answer>(events: &[Event]) -> Result<Vec<LoggedTransaction<A>>, LogError> {
    let operations = pairs::operations::<Dressed<A>>(events)?;
    let bare = |operation: Operation<Dressed<A>, Vec<A>>| {
        let Operation { client, input, invoked, effect, ended } = operation;
        Operation { client, input: input.accesses, invoked, effect, ended }
    };
    Ok(operations.into_iter().map(bare).collect())
}

fn transaction_events<A: Answer>(operations: &[LoggedTransaction<A>]) -> Vec<Event> {
    let dressed = |operation: &LoggedTransaction<A>| {
        let Operation { client, input, invoked, effect, ended } = operation.clone();
        let input = Dressed { accesses: input, kind: std::marker::PhantomData };
        Operation { client, input, invoked, effect, ended }
    };
    pairs::events(&operations.iter().map(dressed).collect::<Vec<_>>())
}

/// What answers a read, and how writes are called where it does.
trait Answer: Clone {
    const WRITE: &'static str;

    fn read(value: &Value) -> Option<Self>;

    fn value(&self) -> Value;
}

impl Answer for Vec<i64> {
    const WRITE: &'static str = "append";

    fn read(value: &Value) -> Option<Self> {
        match value {
            Value::Nil => Some(Self::new()),
            value => value.as_items()?.iter().map(Value::as_integer).collect(),
        }
    }

    fn value(&self) -> Value {
        Value::Vector(self.iter().copied().map(Value::Integer).collect())
    }
}

impl Answer for Option<i64> {
    const WRITE: &'static str = "w";

    fn read(value: &Value) -> Option<Self> {
        match value {
            Value::Nil => Some(None),
            value => value.as_integer().map(Some),
        }
    }

    fn value(&self) -> Value {
        (*self).into()
    }
}

/// Accesses whose answers are of a kind.
struct Dressed<A> {
    accesses: Accesses,
    kind: std::marker::PhantomData<fn() -> A>,
}

impl<A: Answer> Dressed<A> {
    /// Returns the accesses as they stand in a log, with these answers.
    fn value(&self, mut answers: impl Iterator<Item = Value>) -> Value {
        let access = |access: &Access<Value, i64>| {
            let items = match access {
                Access::Read(key) => {
                    vec![Value::keyword("r"), key.clone(), answers.next().unwrap_or(Value::Nil)]
                }
                Access::Write(key, value) => {
                    vec![Value::keyword(A::WRITE), key.clone(), Value::Integer(*value)]
                }
            };
            Value::Vector(items)
        };
        Value::Vector(self.accesses.iter().map(access).collect())
    }
}

impl<A: Answer> Logged for Dressed<A> {
    type Output = Vec<A>;

    fn asked(event: &Event) -> Option<Self> {
        let access = |access: &Value| match access.as_items()? {
            [kind, key, _] if kind.as_keyword() == Some("r") => Some(Access::Read(key.clone())),
            [kind, key, value] if kind.as_keyword() == Some(A::WRITE) => {
                Some(Access::Write(key.clone(), value.as_integer()?))
            }
            _ => None,
        };
        if event.function != "txn" {
            return None;
        }
        let accesses = event.value.as_items()?.iter().map(access).collect::<Option<_>>()?;
        Some(Self { accesses, kind: std::marker::PhantomData })
    }

    fn answered(&self, event: &Event) -> Option<Effect<Vec<A>>> {
        if event.kind == EventKind::Fail {
            return Some(Effect::Failed);
        }
        let items = event.value.as_items()?;
        if items.len() != self.accesses.len() {
            return None;
        }
        let mut answers = Vec::new();
        for (item, access) in items.iter().zip(&self.accesses) {
            let (Access::Read(asked), [kind, key, answer]) = (access, item.as_items()?) else {
                continue;
            };
            if kind.as_keyword() != Some("r") || key != asked {
                return None;
            }
            answers.push(A::read(answer)?);
        }
        let reads = self.accesses.iter().filter(|access| matches!(access, Access::Read(_)));
        (answers.len() == reads.count()).then_some(Effect::Returned(answers))
    }

    fn call(&self) -> (&'static str, Value, Option<Value>) {
        ("txn", self.value(std::iter::empty()), None)
    }

    fn reply(&self, output: &Vec<A>) -> (EventKind, Value) {
        (EventKind::Ok, self.value(output.iter().map(A::value)))
    }
}
