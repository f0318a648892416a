//! References to whoever takes messages of one type.

use std::any::{Any, TypeId};
use std::fmt;
use std::marker::{self, PhantomData};
use std::sync::Arc;
use std::task::{Context, Poll};

use super::any_ref::AnyRef;
use super::ask::{Ask, Send};
use super::behaviour::{Actor, Respond};
use super::cell::{AnyCell as _, Cell, Put, Refusal};
use super::current;
use super::envelope::{AdaptedLetter, Envelope, Letter};
use super::error::{AskError, TellError};
use super::exit::ExitReason;
use super::mailbox::Overflow;
use super::message::Message;
use super::remote_target::{RemoteRefusal, RemoteReply, RemoteTarget};
use super::reply::{ReplySlot, ReplyTo};
use super::state::State;
use crate::backend::Resource;
use crate::sync::primitive::{Line, Wait};

/// Who takes messages of one type, whatever type of actor it is.
pub struct Recipient<M: Message> {
    target: Arc<dyn Deliver<M>>,
}

impl<M: Message> Recipient<M> {
    pub(crate) fn new(target: Arc<dyn Deliver<M>>) -> Self {
        Self { target }
    }

    /// Sends a message as [`ActorRef::tell`](super::ActorRef::tell) does.
    ///
    /// # Errors
    /// [`TellError`] with the message.
    #[track_caller]
    pub fn tell(&self, message: M) -> Result<(), TellError<M>> {
        self.target.clone().deliver(message, None, false)
    }

    /// Sends a message as [`ActorRef::send`](super::ActorRef::send) does.
    ///
    /// # Cancel safety
    /// As there.
    #[track_caller]
    pub fn send(&self, message: M) -> Send<M> {
        Send::new(self.target.clone(), message)
    }

    /// Asks as [`ActorRef::ask`](super::ActorRef::ask) does.
    ///
    /// # Cancel safety
    /// As there.
    #[track_caller]
    pub fn ask(&self, message: M) -> Ask<M> {
        Ask::new(self.target.clone(), message)
    }

    /// Returns the actor.
    #[must_use]
    pub fn any(&self) -> AnyRef {
        self.target.clone().any()
    }
}

impl<M: Message> Clone for Recipient<M> {
    fn clone(&self) -> Self {
        Self { target: self.target.clone() }
    }
}

impl<M: Message> fmt::Debug for Recipient<M> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Recipient").field(&self.any()).finish()
    }
}

pub(crate) type Slot<M> = Arc<dyn ReplySlot<<M as Message>::Reply>>;

/// Where messages of one type can be put.
pub(crate) trait Deliver<M: Message>: marker::Send + Sync {
    /// Puts a message there now. `is_sure` goes past the bound.
    #[track_caller]
    fn deliver(
        self: Arc<Self>,
        message: M,
        slot: Option<Slot<M>>,
        is_sure: bool,
    ) -> Result<(), TellError<M>>;

    /// Puts a message there, and waits for a place where it has to.
    fn poll_deliver(
        self: Arc<Self>,
        parcel: &mut Parcel<M>,
        wait: &mut Wait,
        context: &mut Context<'_>,
    ) -> Poll<Result<(), TellError<M>>>;

    /// Stops waiting for a place.
    fn leave(&self, wait: &mut Wait, is_ask: bool);

    fn any(self: Arc<Self>) -> AnyRef;

    /// Returns what whoever waits for an answer is shown to wait for.
    fn resource(&self) -> Option<&Resource>;
}

/// A message that waits for a place, and where its answer goes.
pub(crate) struct Parcel<M: Message> {
    /// None when it is delivered.
    pub(crate) message: Option<M>,
    pub(crate) slot: Option<Slot<M>>,
}

impl<M: Message> Parcel<M> {
    pub(crate) fn new(message: M) -> Self {
        Self { message: Some(message), slot: None }
    }

    fn is_ask(&self) -> bool {
        self.slot.is_some()
    }
}

impl<M: Message, A: Respond<M>> Deliver<M> for Cell<A> {
    #[inline]
    #[track_caller]
    fn deliver(
        self: Arc<Self>,
        message: M,
        slot: Option<Slot<M>>,
        is_sure: bool,
    ) -> Result<(), TellError<M>> {
        let reply = self.reply_to(slot);
        tell_cell(&self, message, reply, is_sure)
    }

    #[inline]
    fn poll_deliver(
        self: Arc<Self>,
        parcel: &mut Parcel<M>,
        wait: &mut Wait,
        context: &mut Context<'_>,
    ) -> Poll<Result<(), TellError<M>>> {
        let is_ask = parcel.is_ask();
        if wait.arrive(context, &self.mailbox, Self::line(is_ask)).is_pending() {
            return Poll::Pending;
        }
        let Some(message) = parcel.message.take() else { unreachable!("{DELIVERED_ONCE}") };
        let reply = self.reply_to(parcel.slot.take());
        let mut letter = Some(Box::new(Letter { message, reply }));
        let polled = self.poll_put(&mut letter, wait, is_ask, context);
        if let Some(letter) = letter {
            let Letter { message, reply } = *letter;
            (parcel.message, parcel.slot) = (Some(message), reply.into_slot());
        }
        polled.map_err(|(letter, refusal)| returned(letter.message, refusal))
    }

    fn leave(&self, wait: &mut Wait, is_ask: bool) {
        wait.leave(&self.mailbox, Self::line(is_ask));
    }

    fn any(self: Arc<Self>) -> AnyRef {
        AnyRef::local(self)
    }

    fn resource(&self) -> Option<&Resource> {
        Some(self.mailbox.resource())
    }
}

impl<A: Actor> Cell<A> {
    fn line(is_ask: bool) -> &'static Line<State<A>> {
        if is_ask { &Self::ASKERS } else { &Self::SENDERS }
    }

    /// Makes the right to answer of a message to this actor.
    pub(crate) fn reply_to<R: marker::Send + 'static>(
        self: &Arc<Self>,
        slot: Option<Arc<dyn ReplySlot<R>>>,
    ) -> ReplyTo<R> {
        match slot {
            Some(slot) => ReplyTo::new(slot, Some(self.any_ref())),
            None => ReplyTo::nobody(),
        }
    }

    /// Puts a letter into the mailbox; under [`Overflow::Block`] it waits for its turn and a place.
    fn poll_put<E: Envelope<A> + 'static>(
        self: &Arc<Self>,
        letter: &mut Option<Box<E>>,
        wait: &mut Wait,
        is_ask: bool,
        context: &Context<'_>,
    ) -> Poll<Put<E>> {
        if !wait.is_in_line() {
            if !self.check_home() {
                return Poll::Ready(Err(node_down(letter)));
            }
            let Some(new) = letter.take() else { unreachable!("{DELIVERED_ONCE}") };
            match self.put(new, false) {
                Err((back, Refusal::Full)) if self.blocks() => *letter = Some(back),
                result => return Poll::Ready(result),
            }
        }
        let sender = current::sender();
        let polled = wait.poll(context, &self.mailbox, Self::line(is_ask), |state, place| {
            if !state.core.is_open() {
                return Some(Err(Refusal::Closed(state.core.reason())));
            }
            if place.rank > 0 || !state.has_room() {
                return None;
            }
            if let Some(letter) = letter.take() {
                state.push(letter, sender);
            }
            Some(Ok(()))
        });
        polled.map(|result| match (result, letter.take()) {
            (Err(refusal), Some(letter)) => Err((letter, refusal)),
            _ => Ok(()),
        })
    }

    fn blocks(&self) -> bool {
        self.mailbox.read(|state| state.core.overflow == Overflow::Block)
    }
}

fn node_down<E>(letter: &mut Option<Box<E>>) -> (Box<E>, Refusal) {
    let Some(letter) = letter.take() else { unreachable!("{DELIVERED_ONCE}") };
    (letter, Refusal::Closed(Some(ExitReason::NodeDown)))
}

fn returned<M>(message: M, refusal: Refusal) -> TellError<M> {
    match refusal {
        Refusal::Full => TellError::Full(message),
        Refusal::Closed(reason) => TellError::Closed { message, reason },
    }
}

/// Puts a message into a mailbox.
#[inline]
#[track_caller]
pub(crate) fn tell_cell<M: Message, A: Respond<M>>(
    cell: &Arc<Cell<A>>,
    message: M,
    reply: ReplyTo<M::Reply>,
    is_sure: bool,
) -> Result<(), TellError<M>> {
    if !cell.check_home() {
        return Err(TellError::Closed { message, reason: Some(ExitReason::NodeDown) });
    }
    let letter = Box::new(Letter { message, reply });
    cell.put(letter, is_sure).map_err(|(letter, refusal)| {
        let Letter { message, reply } = *letter;
        drop(reply.into_slot());
        returned(message, refusal)
    })
}

/// An actor that gets other messages than its own, which a function translates when it handles them.
pub(crate) struct Adapted<A: Actor, M, F> {
    cell: Arc<Cell<A>>,
    map: F,
    message: PhantomData<fn() -> M>,
}

impl<A: Actor, M, F> Adapted<A, M, F> {
    pub(crate) fn new(cell: Arc<Cell<A>>, map: F) -> Self {
        Self { cell, map, message: PhantomData }
    }
}

impl<A, M, N, F> Deliver<N> for Adapted<A, M, F>
where
    A: Respond<M>,
    M: Message,
    N: Message<Reply = M::Reply>,
    F: Fn(N) -> M + Clone + marker::Send + Sync + 'static,
{
    #[track_caller]
    fn deliver(
        self: Arc<Self>,
        message: N,
        slot: Option<Slot<N>>,
        is_sure: bool,
    ) -> Result<(), TellError<N>> {
        if !self.cell.check_home() {
            return Err(TellError::Closed { message, reason: Some(ExitReason::NodeDown) });
        }
        let (reply, map) = (self.cell.reply_to(slot), self.map.clone());
        let letter = Box::new(AdaptedLetter { message, reply, map });
        self.cell.put(letter, is_sure).map_err(|(letter, refusal)| {
            let AdaptedLetter { message, reply, .. } = *letter;
            drop(reply.into_slot());
            returned(message, refusal)
        })
    }

    fn poll_deliver(
        self: Arc<Self>,
        parcel: &mut Parcel<N>,
        wait: &mut Wait,
        context: &mut Context<'_>,
    ) -> Poll<Result<(), TellError<N>>> {
        let (cell, is_ask) = (&self.cell, parcel.is_ask());
        if wait.arrive(context, &cell.mailbox, Cell::<A>::line(is_ask)).is_pending() {
            return Poll::Pending;
        }
        let Some(message) = parcel.message.take() else { unreachable!("{DELIVERED_ONCE}") };
        let (reply, map) = (cell.reply_to(parcel.slot.take()), self.map.clone());
        let mut letter = Some(Box::new(AdaptedLetter { message, reply, map }));
        let polled = cell.poll_put(&mut letter, wait, is_ask, context);
        if let Some(letter) = letter {
            let AdaptedLetter { message, reply, .. } = *letter;
            (parcel.message, parcel.slot) = (Some(message), reply.into_slot());
        }
        polled.map_err(|(letter, refusal)| returned(letter.message, refusal))
    }

    fn leave(&self, wait: &mut Wait, is_ask: bool) {
        wait.leave(&self.cell.mailbox, Cell::<A>::line(is_ask));
    }

    fn any(self: Arc<Self>) -> AnyRef {
        self.cell.any_ref()
    }

    fn resource(&self) -> Option<&Resource> {
        Some(self.cell.mailbox.resource())
    }
}

/// An actor on another machine.
pub(crate) struct Distant(pub(crate) Arc<dyn RemoteTarget>);

impl<M: Message> Deliver<M> for Distant {
    fn deliver(
        self: Arc<Self>,
        message: M,
        slot: Option<Slot<M>>,
        _is_sure: bool,
    ) -> Result<(), TellError<M>> {
        let reply = slot.map(|slot| -> Arc<dyn RemoteReply> { Arc::new(BoxedReply::<M>(slot)) });
        match self.0.send(TypeId::of::<M>(), &message, reply) {
            Ok(()) => Ok(()),
            Err(RemoteRefusal::NotRemote) => Err(TellError::NotRemote(message)),
            Err(RemoteRefusal::TooLarge { size, limit }) => {
                Err(TellError::TooLarge { message, size, limit })
            }
            Err(RemoteRefusal::Full) => Err(TellError::Full(message)),
            Err(RemoteRefusal::Gone(reason)) => {
                Err(TellError::Closed { message, reason: Some(reason) })
            }
        }
    }

    fn poll_deliver(
        self: Arc<Self>,
        parcel: &mut Parcel<M>,
        _wait: &mut Wait,
        context: &mut Context<'_>,
    ) -> Poll<Result<(), TellError<M>>> {
        loop {
            if self.0.poll_room(context).is_pending() {
                return Poll::Pending;
            }
            let Some(message) = parcel.message.take() else { unreachable!("{DELIVERED_ONCE}") };
            match self.clone().deliver(message, parcel.slot.clone(), false) {
                // Somebody on another thread has taken the room in between.
                Err(TellError::Full(message)) => parcel.message = Some(message),
                delivered => {
                    parcel.slot = None;
                    return Poll::Ready(delivered);
                }
            }
        }
    }

    fn leave(&self, _wait: &mut Wait, _is_ask: bool) {}

    fn any(self: Arc<Self>) -> AnyRef {
        AnyRef::remote(self.0.clone())
    }

    fn resource(&self) -> Option<&Resource> {
        None
    }
}

/// Takes the answer of another machine for an ask of this one.
struct BoxedReply<M: Message>(Slot<M>);

impl<M: Message> RemoteReply for BoxedReply<M> {
    fn answer(&self, answer: Result<Box<dyn Any + marker::Send>, AskError>) {
        let typed = answer.map(|answer| match answer.downcast::<M::Reply>() {
            Ok(answer) => *answer,
            Err(_) => unreachable!("the protocol decodes the reply of the message"),
        });
        let _ = self.0.answer(typed);
    }

    fn is_canceled(&self) -> bool {
        self.0.is_canceled()
    }
}

const DELIVERED_ONCE: &str = "a message is delivered once";
