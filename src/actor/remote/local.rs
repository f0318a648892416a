//! The actors of this machine, as others reach them: past the bound of no mailbox, and waiting where a local
//! sender would be refused.

use std::future::poll_fn;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use serde::Serialize;
use tracing::debug;

use super::entrance::{Answer, Boxed, Door, Entrance};
use super::protocol::{Protocol, RemoteActor};
use super::reason;
use super::stranger::Stranger;
use super::wire::{Body, Reason, Unanswered};
use crate::actor::any_ref::AnyRef;
use crate::actor::behaviour::{Actor, Respond};
use crate::actor::cell::{Cell, Refusal};
use crate::actor::current;
use crate::actor::envelope::Letter;
use crate::actor::error::AskError;
use crate::actor::future_slot::Sealed;
use crate::actor::mailbox::Overflow;
use crate::actor::message::Message;
use crate::actor::reply::{FailSlot, ReplySlot};
use crate::actor::signal::Signal;
use crate::actor::system::System;
use crate::sync::primitive::Wait;

/// The actors of one type that have names.
pub(super) struct Exposed<A: RemoteActor> {
    protocol: Arc<Protocol<A>>,
}

impl<A: RemoteActor> Exposed<A> {
    pub(super) fn new() -> Self {
        Self { protocol: Arc::new(A::protocol()) }
    }
}

impl<A: RemoteActor> Door for Exposed<A> {
    fn find(&self, actor: &str) -> Option<Box<dyn Entrance>> {
        let system = System::here("parcae::actor::remote");
        let named = system.names().with(|names| names.get(actor).cloned())?;
        let cell = named.cell.downcast::<Cell<A>>().ok()?;
        Some(Box::new(Known { own: named.actor, cell, protocol: self.protocol.clone() }))
    }
}

/// One actor.
struct Known<A: Actor> {
    own: AnyRef,
    cell: Arc<Cell<A>>,
    protocol: Arc<Protocol<A>>,
}

impl<A: Actor> Entrance for Known<A> {
    fn tell(&self, kind: &str, body: &[u8]) -> Boxed<()> {
        let entry = self.protocol.of_name(kind);
        let telling = entry.and_then(|entry| (entry.tell)(&self.cell, body));
        telling.unwrap_or_else(|| {
            debug!(actor = %self.own, kind, "a message is not in the protocol, or malformed");
            Box::pin(std::future::ready(()))
        })
    }

    fn ask(&self, kind: &str, body: &[u8], answer: Answer) -> Boxed<()> {
        match self.protocol.of_name(kind) {
            Some(entry) => (entry.ask)(&self.cell, body, answer),
            None => {
                answer.give(Err(Unanswered::UnknownMessage));
                Box::pin(std::future::ready(()))
            }
        }
    }

    fn stop(&self, why: &Reason) {
        self.own.stop(reason::of_wire(why));
    }

    fn drain(&self) {
        self.own.drain();
    }

    fn kill(&self) {
        self.own.kill();
    }

    fn exit(&self, peer: &str, from: &str, why: &Reason) {
        let from = AnyRef::remote(Stranger::new(peer, from));
        let exit = Signal::Exit { from: from.clone(), reason: reason::of_wire(why) };
        self.own.push_signal(exit, &from);
    }

    fn exited(self: Box<Self>) -> Boxed<Reason> {
        Box::pin(async move { reason::to_wire(&self.own.exited().await) })
    }
}

/// Puts a message into a mailbox. Where it is full and would refuse, it waits for its turn and a place: so it is slow
/// for those who write from afar, too.
pub(super) async fn put<A, M>(
    cell: &Arc<Cell<A>>,
    message: M,
    slot: Option<Arc<dyn ReplySlot<M::Reply>>>,
) -> Result<(), AskError>
where
    A: Respond<M>,
    M: Message,
{
    let letter = Letter { message, reply: cell.reply_to(slot) };
    let (letter, refusal) = match cell.put(letter, current::sender(), false) {
        Ok(()) => return Ok(()),
        Err(refused) => refused,
    };
    let is_patient = matches!(
        cell.mailbox.read(|state| state.core.overflow),
        Overflow::Reject | Overflow::Block
    );
    let mut letter = Some(letter);
    let mut refusal = Some(refusal);
    if is_patient && matches!(refusal, Some(Refusal::Full)) {
        let mut wait = InLine { cell, wait: Wait::new() };
        let sender = current::sender();
        refusal = poll_fn(|context| {
            wait.wait.poll(context, &cell.mailbox, &Cell::<A>::SENDERS, |state, place| {
                if !state.core.is_open() {
                    return Some(Some(Refusal::Closed(state.core.reason())));
                }
                if place.rank > 0 || !state.has_room() {
                    return None;
                }
                if let Some(letter) = letter.take() {
                    state.push(Sealed::new(letter), sender);
                }
                Some(None)
            })
        })
        .await;
    }
    let Some(refusal) = refusal else { return Ok(()) };
    let Some(letter) = letter else { return Ok(()) };
    let error = match refusal {
        Refusal::Full => AskError::Full,
        Refusal::Closed(_) => AskError::NoProc,
    };
    if let Some(slot) = letter.reply.into_slot() {
        slot.fail(error.clone());
    }
    Err(error)
}

/// Leaves the line when it is dropped.
struct InLine<'a, A: Actor> {
    cell: &'a Cell<A>,
    wait: Wait,
}

impl<A: Actor> Drop for InLine<'_, A> {
    fn drop(&mut self) {
        self.wait.leave(&self.cell.mailbox, &Cell::<A>::SENDERS);
    }
}

pub(super) async fn ask<A, M>(cell: &Arc<Cell<A>>, message: M, answer: Answer)
where
    A: Respond<M>,
    M: Message,
    M::Reply: Serialize,
{
    let Answer { then, is_canceled } = answer;
    let slot = Arc::new(Away { then: Mutex::new(Some(then)), is_canceled });
    // Its refusal is the answer.
    drop(put(cell, message, Some(slot)).await);
}

type Then = Box<dyn FnOnce(Result<Body, Unanswered>) + Send>;

/// The way of an answer to another machine.
struct Away {
    then: Mutex<Option<Then>>,
    is_canceled: Arc<AtomicBool>,
}

impl Away {
    fn give(&self, result: Result<Body, Unanswered>) -> bool {
        let then = self.then.lock().unwrap_or_else(PoisonError::into_inner).take();
        let is_first = then.is_some();
        if let Some(then) = then {
            then(result);
        }
        is_first && !self.is_canceled.load(Ordering::Relaxed)
    }
}

impl FailSlot for Away {
    fn fail(&self, error: AskError) {
        self.give(Err(reason::unanswered(&error)));
    }
}

impl<R: Serialize> ReplySlot<R> for Away {
    fn answer(&self, answer: Result<R, AskError>) -> bool {
        self.give(match answer {
            Ok(value) => postcard::to_allocvec(&value).map(Body).map_err(|_| Unanswered::Malformed),
            Err(error) => Err(reason::unanswered(&error)),
        })
    }

    fn is_canceled(&self) -> bool {
        self.is_canceled.load(Ordering::Relaxed)
    }
}
