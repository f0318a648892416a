//! A message on its way, whatever its type.

use std::fmt;

use super::behaviour::{Actor, Respond};
use super::context::Context;
use super::error::AskError;
use super::future_slot::{FutureSlot, Placed};
use super::message::Message;
use super::reply::ReplyTo;

/// What a handler does with a message.
pub(crate) type Handling<'a, A> = Placed<'a, Result<(), <A as Actor>::Error>>;

/// A message on its way to an actor of this type.
pub(crate) type Boxed<A> = Box<dyn Envelope<A>>;

/// A message to an actor of this type, with the right to answer it.
pub(crate) trait Envelope<A: Actor>: Send {
    fn kind(&self) -> &'static str;

    fn message(&self) -> &dyn fmt::Debug;

    /// Returns a copy that nobody waits for an answer of.
    fn duplicate(&self) -> Option<Box<dyn Envelope<A>>>;

    fn handle<'a>(
        self: Box<Self>,
        actor: &'a mut A,
        context: &'a mut Context<A>,
        slot: &'a mut FutureSlot,
    ) -> Handling<'a, A>;

    /// Lets whoever asked know that there will be no answer.
    fn refuse(self: Box<Self>, error: AskError);
}

/// A message of the type that the actor handles.
pub(crate) struct Letter<M: Message> {
    pub(crate) message: M,
    pub(crate) reply: ReplyTo<M::Reply>,
}

impl<A: Respond<M>, M: Message> Envelope<A> for Letter<M> {
    fn kind(&self) -> &'static str {
        M::kind()
    }

    fn message(&self) -> &dyn fmt::Debug {
        &self.message
    }

    fn duplicate(&self) -> Option<Box<dyn Envelope<A>>> {
        let message = self.message.try_clone()?;
        Some(Box::new(Self { message, reply: ReplyTo::nobody() }))
    }

    fn handle<'a>(
        self: Box<Self>,
        actor: &'a mut A,
        context: &'a mut Context<A>,
        slot: &'a mut FutureSlot,
    ) -> Handling<'a, A> {
        let Self { message, reply } = *self;
        slot.place(actor.respond(message, reply, context))
    }

    fn refuse(self: Box<Self>, error: AskError) {
        self.reply.fail(error);
    }
}

/// A message of another type, which becomes one of the actor's when it is handled.
pub(crate) struct AdaptedLetter<M: Message, N: Message<Reply = M::Reply>, F> {
    pub(crate) message: N,
    pub(crate) reply: ReplyTo<M::Reply>,
    pub(crate) map: F,
}

impl<A, M, N, F> Envelope<A> for AdaptedLetter<M, N, F>
where
    A: Respond<M>,
    M: Message,
    N: Message<Reply = M::Reply>,
    F: Fn(N) -> M + Clone + Send + 'static,
{
    fn kind(&self) -> &'static str {
        N::kind()
    }

    fn message(&self) -> &dyn fmt::Debug {
        &self.message
    }

    fn duplicate(&self) -> Option<Box<dyn Envelope<A>>> {
        let message = self.message.try_clone()?;
        Some(Box::new(Self { message, reply: ReplyTo::nobody(), map: self.map.clone() }))
    }

    fn handle<'a>(
        self: Box<Self>,
        actor: &'a mut A,
        context: &'a mut Context<A>,
        slot: &'a mut FutureSlot,
    ) -> Handling<'a, A> {
        let Self { message, reply, map } = *self;
        // Mapped where a panic of the function is one of the handler.
        slot.place(async move { actor.respond(map(message), reply, context).await })
    }

    fn refuse(self: Box<Self>, error: AskError) {
        self.reply.fail(error);
    }
}
