//! Operations from pairs of events, and back.

use std::collections::BTreeMap;
use std::time::Duration;

use super::error::LogError;
use super::event::{Event, EventKind, Process};
use super::logged::Logged;
use crate::oracle::history::{Effect, Moment, Operation};

/// What a log says of an object.
pub type Operations<I> = Vec<Operation<I, <I as Logged>::Output>>;

/// Makes operations of the events of a log, in the order of their invocations.
///
/// # Errors
/// An end without an invocation, a second invocation before the end of the first, and what means nothing to this object.
pub fn operations<I: Logged>(events: &[Event]) -> Result<Operations<I>, LogError> {
    let mut operations: Operations<I> = Vec::new();
    let mut under_way = BTreeMap::new();
    for (order, event) in (0..).zip(events) {
        let Process::Client(process) = event.process else { continue };
        let line = event.line;
        let meaningless = || LogError::Meaningless { line, function: event.function.clone() };
        let nanos = u64::try_from(event.time.unwrap_or(0)).unwrap_or(0);
        let moment = Moment { order, at: Duration::from_nanos(nanos) };
        if event.kind == EventKind::Invoke {
            if under_way.insert(process, operations.len()).is_some() {
                return Err(LogError::Busy { line, process });
            }
            let input = I::asked(event).ok_or_else(meaningless)?;
            let mut operation = Operation::new(process, input, order, None);
            operation.invoked = moment;
            operations.push(operation);
            continue;
        }
        let place = under_way.remove(&process).ok_or(LogError::NotInvoked { line, process })?;
        if event.kind != EventKind::Info {
            let operation = &mut operations[place];
            operation.effect = operation.input.answered(event).ok_or_else(meaningless)?;
            operation.ended = (!matches!(operation.effect, Effect::Unknown)).then_some(moment);
        }
    }
    Ok(operations)
}

/// Makes the events of a log of operations: those of unknown effect end last, as `Info`.
pub fn events<I: Logged>(operations: &[Operation<I, I::Output>]) -> Vec<Event> {
    let mut moments = Vec::new();
    for (place, operation) in operations.iter().enumerate() {
        moments.push((operation.invoked.order, place, true));
        let order = operation.ended.map_or(u64::MAX, |moment| moment.order);
        moments.push((order, place, false));
    }
    moments.sort_unstable();
    let event = |(_, place, is_invocation): (u64, usize, bool)| {
        let operation = &operations[place];
        let (function, asked, key) = operation.input.call();
        let (kind, value, moment) = if is_invocation {
            (EventKind::Invoke, asked, Some(operation.invoked))
        } else {
            let (kind, value) = match &operation.effect {
                Effect::Returned(output) => operation.input.reply(output),
                Effect::Failed => (EventKind::Fail, super::Value::keyword("failed")),
                Effect::Unknown => (EventKind::Info, super::Value::keyword("unknown")),
            };
            (kind, value, operation.ended)
        };
        let nanos =
            moment.map_or(0, |moment| i64::try_from(moment.at.as_nanos()).unwrap_or(i64::MAX));
        Event {
            time: (nanos > 0).then_some(nanos),
            ..Event::new(operation.client, kind, function, value).with_key(key)
        }
    };
    moments.into_iter().map(event).collect()
}
