//! A message on its way, whatever its type.

use std::fmt;

use super::behaviour::{Actor, Respond};
use super::context::Context;
use super::error::AskError;
use super::future_slot::{FutureSlot, Placed, Sealed};
use super::message::Message;
use super::reply::ReplyTo;

/// What a handler does with a message.
pub(crate) type Handling<'a, A> = Placed<'a, Result<(), <A as Actor>::Error>>;

/// A message to an actor of this type, with the right to answer it.
pub(crate) trait Envelope<A: Actor>: Send {
    fn kind(&self) -> &'static str;

    fn message(&self) -> &dyn fmt::Debug;

    /// Returns a copy that nobody waits for an answer of.
    fn duplicate(&self) -> Option<Sealed<A>>;

    fn handle<'a>(
        self,
        actor: &'a mut A,
        context: &'a mut Context<A>,
        slot: &'a mut FutureSlot,
    ) -> Handling<'a, A>
    where
        Self: Sized;

    /// Lets whoever asked know that there will be no answer.
    fn refuse(self, error: AskError)
    where
        Self: Sized;
}

/// One that is too large to be kept in place.
impl<A: Actor, E: Envelope<A>> Envelope<A> for Box<E> {
    fn kind(&self) -> &'static str {
        (**self).kind()
    }

    fn message(&self) -> &dyn fmt::Debug {
        (**self).message()
    }

    fn duplicate(&self) -> Option<Sealed<A>> {
        (**self).duplicate()
    }

    fn handle<'a>(
        self,
        actor: &'a mut A,
        context: &'a mut Context<A>,
        slot: &'a mut FutureSlot,
    ) -> Handling<'a, A> {
        (*self).handle(actor, context, slot)
    }

    fn refuse(self, error: AskError) {
        (*self).refuse(error);
    }
}

/// A message of the type that the actor handles, which nobody waits for an answer of.
pub(crate) struct Told<M>(pub(crate) M);

impl<A: Respond<M>, M: Message> Envelope<A> for Told<M> {
    fn kind(&self) -> &'static str {
        M::kind()
    }

    fn message(&self) -> &dyn fmt::Debug {
        &self.0
    }

    fn duplicate(&self) -> Option<Sealed<A>> {
        self.0.try_clone().map(|message| Sealed::new(Self(message)))
    }

    #[inline]
    fn handle<'a>(
        self,
        actor: &'a mut A,
        context: &'a mut Context<A>,
        slot: &'a mut FutureSlot,
    ) -> Handling<'a, A> {
        slot.place(actor.respond(self.0, ReplyTo::nobody(), context))
    }

    fn refuse(self, _: AskError) {}
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

    fn duplicate(&self) -> Option<Sealed<A>> {
        self.message.try_clone().map(|message| Sealed::new(Told(message)))
    }

    #[inline]
    fn handle<'a>(
        self,
        actor: &'a mut A,
        context: &'a mut Context<A>,
        slot: &'a mut FutureSlot,
    ) -> Handling<'a, A> {
        let Self { message, reply } = self;
        slot.place(actor.respond(message, reply, context))
    }

    fn refuse(self, error: AskError) {
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

    fn duplicate(&self) -> Option<Sealed<A>> {
        let message = self.message.try_clone()?;
        let (reply, map) = (ReplyTo::nobody(), self.map.clone());
        Some(Sealed::new(Self { message, reply, map }))
    }

    fn handle<'a>(
        self,
        actor: &'a mut A,
        context: &'a mut Context<A>,
        slot: &'a mut FutureSlot,
    ) -> Handling<'a, A> {
        let Self { message, reply, map } = self;
        // Mapped where a panic of the function is one of the handler.
        slot.place(async move { actor.respond(map(message), reply, context).await })
    }

    fn refuse(self, error: AskError) {
        self.reply.fail(error);
    }
}
