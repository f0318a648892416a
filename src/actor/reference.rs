//! References to actors of a known type.

use std::fmt;
use std::marker;
use std::sync::{Arc, Weak};

use super::any_ref::{ActorId, ActorInfo, AnyRef, Exited};
use super::ask::{Ask, Send};
use super::behaviour::{Actor, Respond};
use super::cell::Cell;
use super::error::TellError;
use super::exit::ExitReason;
use super::message::Message;
use super::recipient::{Adapted, Deliver, Distant, Recipient, tell_cell};
use super::remote_target::RemoteTarget;

/// A reference to an actor: a handle that may go to any task or thread, whatever the actor is made of.
///
/// Dropping references ends nothing. A reference stays valid when its actor is started again, and when it
/// has ended: then what is sent comes back. It is for the machine of the actor; on another machine it
/// panics, and `actor::remote` gives one that works. The test may use any.
///
/// Two are equal if they are of the same actor.
pub struct ActorRef<A: Actor>(Place<A>);

enum Place<A: Actor> {
    Local(Arc<Cell<A>>),
    Remote(Arc<dyn RemoteTarget>),
}

impl<A: Actor> ActorRef<A> {
    pub(crate) fn local(cell: Arc<Cell<A>>) -> Self {
        Self(Place::Local(cell))
    }

    /// Makes one of an actor on another machine.
    #[cfg_attr(
        all(not(test), not(feature = "remote")),
        expect(dead_code, reason = "the remote layer makes them")
    )]
    pub(crate) fn remote(target: Arc<dyn RemoteTarget>) -> Self {
        Self(Place::Remote(target))
    }

    /// Sends a message and does not wait for anything.
    ///
    /// # Errors
    /// [`TellError`] with the message, when the mailbox has no place (whoever may wait uses
    /// [`ActorRef::send`]) or the actor takes no more.
    ///
    /// # Panics
    /// On another machine than that of the actor.
    #[inline]
    #[track_caller]
    pub fn tell<M: Message>(&self, message: M) -> Result<(), TellError<M>>
    where
        A: Respond<M>,
    {
        match &self.0 {
            Place::Local(cell) => tell_cell(cell, message, false),
            Place::Remote(target) => {
                Arc::new(Distant(target.clone())).deliver(message, None, false)
            }
        }
    }

    /// Sends a message. Where the mailbox is full and of [`Overflow::Block`](super::Overflow::Block), it
    /// waits for a place, after those who waited before; elsewhere it does what [`ActorRef::tell`] does.
    ///
    /// # Errors
    /// [`TellError`] with the message.
    ///
    /// # Cancel safety
    /// Cancel safe: the message is sent when the future is ready, and never if it is dropped before.
    #[track_caller]
    pub fn send<M: Message>(&self, message: M) -> Send<M>
    where
        A: Respond<M>,
    {
        Send::new(self.deliver(), message)
    }

    /// Asks: sends a message and waits for its answer, no longer than 5 seconds unless it is told
    /// otherwise. Whoever asks learns at once when the actor ends.
    ///
    /// # Errors
    /// [`AskError`](super::AskError).
    ///
    /// # Cancel safety
    /// The message is sent when the future is polled first. Dropping the future gives the answer up, not
    /// the message: the actor can see that in [`ReplyTo::is_canceled`](super::ReplyTo::is_canceled).
    #[track_caller]
    pub fn ask<M: Message>(&self, message: M) -> Ask<M>
    where
        A: Respond<M>,
    {
        Ask::new(self.deliver(), message)
    }

    /// Returns it as one who takes messages of this type.
    #[must_use]
    pub fn recipient<M: Message>(&self) -> Recipient<M>
    where
        A: Respond<M>,
    {
        Recipient::new(self.deliver())
    }

    /// Returns it as one who takes messages of another type, which a function translates when they are
    /// handled.
    ///
    /// # Panics
    /// For an actor on another machine: translate before sending.
    #[must_use]
    pub fn adapt<M, N>(
        &self,
        map: impl Fn(N) -> M + Clone + marker::Send + Sync + 'static,
    ) -> Recipient<N>
    where
        A: Respond<M>,
        M: Message,
        N: Message<Reply = M::Reply>,
    {
        match &self.0 {
            Place::Local(cell) => Recipient::new(Arc::new(Adapted::new(cell.clone(), map))),
            Place::Remote(target) => {
                panic!("`{}` is on another machine: translate before sending", target.name())
            }
        }
    }

    /// Returns it without its type.
    #[must_use]
    pub fn any(&self) -> AnyRef {
        match &self.0 {
            Place::Local(cell) => cell.any_ref(),
            Place::Remote(target) => AnyRef::remote(target.clone()),
        }
    }

    /// Returns a reference that keeps nothing: no memory of an actor that has ended.
    #[must_use]
    pub fn downgrade(&self) -> WeakRef<A> {
        WeakRef(match &self.0 {
            Place::Local(cell) => WeakPlace::Local(Arc::downgrade(cell)),
            Place::Remote(target) => WeakPlace::Remote(Arc::downgrade(target)),
        })
    }

    fn deliver<M: Message>(&self) -> Arc<dyn Deliver<M>>
    where
        A: Respond<M>,
    {
        match &self.0 {
            Place::Local(cell) => cell.clone(),
            Place::Remote(target) => Arc::new(Distant(target.clone())),
        }
    }

    /// Returns its number on its machine.
    #[must_use]
    pub fn id(&self) -> ActorId {
        self.any().id()
    }

    /// Tells it to end normally, as [`AnyRef::stop`] does.
    #[track_caller]
    pub fn stop(&self) {
        self.any().stop(ExitReason::Normal);
    }

    /// As [`AnyRef::drain`].
    #[track_caller]
    pub fn drain(&self) {
        self.any().drain();
    }

    /// As [`AnyRef::kill`].
    #[track_caller]
    pub fn kill(&self) {
        self.any().kill();
    }

    /// As [`AnyRef::exited`].
    ///
    /// # Cancel safety
    /// Cancel safe.
    #[track_caller]
    pub fn exited(&self) -> Exited {
        self.any().exited()
    }

    /// As [`AnyRef::info`].
    #[must_use]
    pub fn info(&self) -> ActorInfo {
        self.any().info()
    }
}

impl<A: Actor> Clone for ActorRef<A> {
    fn clone(&self) -> Self {
        Self(match &self.0 {
            Place::Local(cell) => Place::Local(cell.clone()),
            Place::Remote(target) => Place::Remote(target.clone()),
        })
    }
}

impl<A: Actor> PartialEq for ActorRef<A> {
    fn eq(&self, other: &Self) -> bool {
        self.any() == other.any()
    }
}

impl<A: Actor> Eq for ActorRef<A> {}

impl<A: Actor> fmt::Debug for ActorRef<A> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "ActorRef({})", self.any().label())
    }
}

/// A reference that does not keep what is left of an actor that has ended.
pub struct WeakRef<A: Actor>(WeakPlace<A>);

enum WeakPlace<A: Actor> {
    Local(Weak<Cell<A>>),
    Remote(Weak<dyn RemoteTarget>),
}

impl<A: Actor> WeakRef<A> {
    /// Returns a reference, unless the actor has ended and nobody else has one.
    #[must_use]
    pub fn upgrade(&self) -> Option<ActorRef<A>> {
        match &self.0 {
            WeakPlace::Local(cell) => cell.upgrade().map(ActorRef::local),
            WeakPlace::Remote(target) => {
                target.upgrade().map(|target| ActorRef(Place::Remote(target)))
            }
        }
    }
}

impl<A: Actor> Clone for WeakRef<A> {
    fn clone(&self) -> Self {
        Self(match &self.0 {
            WeakPlace::Local(cell) => WeakPlace::Local(cell.clone()),
            WeakPlace::Remote(target) => WeakPlace::Remote(target.clone()),
        })
    }
}

impl<A: Actor> fmt::Debug for WeakRef<A> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("WeakRef").field(&self.upgrade()).finish()
    }
}
