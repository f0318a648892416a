//! What an actor does.

use super::context::Context;
use super::error::Crash;
use super::exit::ExitReason;
use super::mailbox::Mailbox;
use super::message::Message;
use super::reply::ReplyTo;
use super::signal::Signal;

/// State that only its own task touches, and that others reach by messages.
///
/// An actor handles one message at a time; the next one waits while a handler waits. It may be `!Send`.
/// A panic or error of any of these methods ends it with a reason; it never reaches the program by
/// itself.
///
/// # Examples
/// ```
/// use parcae::actor::{self, Actor, Context, Handler, Message};
/// use std::convert::Infallible;
///
/// #[derive(Debug)]
/// struct Add(u32);
/// impl Message for Add {
///     type Reply = u32;
/// }
///
/// struct Counter(u32);
/// impl Actor for Counter {
///     type Args = u32;
///     type Error = Infallible;
///     async fn start(first: u32, _: &mut Context<Self>) -> Result<Self, Infallible> {
///         Ok(Self(first))
///     }
/// }
/// impl Handler<Add> for Counter {
///     async fn handle(&mut self, add: Add, _: &mut Context<Self>) -> Result<u32, Infallible> {
///         self.0 += add.0;
///         Ok(self.0)
///     }
/// }
///
/// # parcae::Sim::new(7).run(|| async {
/// let counter = actor::spawn::<Counter>(40);
/// assert_eq!(counter.ask(Add(2)).await, Ok(42));
/// # }).unwrap();
/// ```
#[expect(async_fn_in_trait, reason = "an actor may be !Send, and so are its futures")]
pub trait Actor: Sized + 'static {
    /// What it is started with. Kept for each restart by whoever restarts it.
    type Args: 'static;

    /// Why it may crash. [`Crash`] takes any error through `?`.
    type Error: Into<Crash> + 'static;

    /// How many messages it keeps, and what happens to more.
    const MAILBOX: Mailbox = Mailbox::DEFAULT;

    /// Makes it. Messages that are sent meanwhile wait.
    ///
    /// # Errors
    /// What ends it with [`ExitReason::StartFailed`].
    async fn start(args: Self::Args, context: &mut Context<Self>) -> Result<Self, Self::Error>;

    /// Handles the end of an actor that it is linked to or monitors. Unless it is told otherwise, it ends
    /// with the same reason when a linked one has ended in another way than [`ExitReason::Normal`].
    ///
    /// # Errors
    /// What ends it with [`ExitReason::Error`].
    async fn on_signal(
        &mut self,
        signal: Signal,
        context: &mut Context<Self>,
    ) -> Result<Flow, Self::Error> {
        let _ = context;
        Ok(match signal {
            Signal::Exit { reason, .. } if reason != ExitReason::Normal => Flow::StopWith(reason),
            Signal::Exit { .. } | Signal::Down { .. } => Flow::Continue,
        })
    }

    /// Called when no message has come for as long as [`Context::set_idle_timeout`] says.
    ///
    /// # Errors
    /// What ends it with [`ExitReason::Error`].
    async fn on_idle(&mut self, context: &mut Context<Self>) -> Result<Flow, Self::Error> {
        let _ = context;
        Ok(Flow::Continue)
    }

    /// Called when it ends, in any way but by being killed or with its machine. No message is handled
    /// after that.
    async fn on_stop(&mut self, reason: &ExitReason, context: &mut Context<Self>) {
        let _ = (reason, context);
    }
}

/// Handles messages of a type, each with an answer at its end.
#[expect(async_fn_in_trait, reason = "an actor may be !Send, and so are its futures")]
pub trait Handler<M: Message>: Actor {
    /// Handles a message and returns the answer.
    ///
    /// # Errors
    /// What ends the actor with [`ExitReason::Error`].
    async fn handle(
        &mut self,
        message: M,
        context: &mut Context<Self>,
    ) -> Result<M::Reply, Self::Error>;
}

/// Handles messages of a type, whose answer may come later, from anywhere. Every [`Handler`] is one.
#[expect(async_fn_in_trait, reason = "an actor may be !Send, and so are its futures")]
pub trait Respond<M: Message>: Actor {
    /// Handles a message. Whoever asked waits until `reply` has sent the answer.
    ///
    /// # Errors
    /// What ends the actor with [`ExitReason::Error`].
    async fn respond(
        &mut self,
        message: M,
        reply: ReplyTo<M::Reply>,
        context: &mut Context<Self>,
    ) -> Result<(), Self::Error>;
}

impl<M: Message, A: Handler<M>> Respond<M> for A {
    async fn respond(
        &mut self,
        message: M,
        reply: ReplyTo<M::Reply>,
        context: &mut Context<Self>,
    ) -> Result<(), Self::Error> {
        let answer = self.handle(message, context).await?;
        reply.send(answer);
        Ok(())
    }
}

/// Whether an actor goes on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Flow {
    /// It handles the next message.
    Continue,
    /// It ends, as planned.
    Stop,
    /// It ends with this reason.
    StopWith(ExitReason),
}
