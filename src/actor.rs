//! Actors: state that only one task touches, and that others reach by messages.
//!
//! Erlang's semantics with Rust's types: an actor handles one message after the other; a panic or error in it
//! is an end with a reason, of which those learn who are linked to it or monitor it.
//!
//! | you want | use |
//! |---|---|
//! | an actor | [`Actor`], a [`Handler`] for each type of [`Message`], [`spawn`] |
//! | the short form | [`message!`](crate::message), [`actor!`](crate::actor!) |
//! | to send and go on | [`ActorRef::tell`] |
//! | to send no faster than it is handled | [`ActorRef::send`], with [`Overflow::Block`] |
//! | an answer | [`ActorRef::ask`]; later or from elsewhere: [`Respond`], [`ReplyTo`] |
//! | an actor of any type that takes a message | [`Recipient`], [`ActorRef::adapt`] |
//! | to end one | [`AnyRef::stop`], [`AnyRef::drain`], [`AnyRef::kill`], [`AnyRef::exited`] |
//! | to learn of an end inside of an actor | [`Context::link`], [`Context::monitor`], [`Signal`] |
//! | work beside the messages | [`Context::pipe`], [`Context::task`] |
//! | time | [`Context::notify_after`], [`Context::notify_every`], [`Context::set_idle_timeout`] |
//! | messages that have to wait | [`Context::stash`] |
//! | to find others | [`spawn_named`], [`whereis`], [`group()`] |
//! | what nobody handled | [`dead_letters`] |
//! | actors of other machines | `remote` (feature `remote`) |
//!
//! **When not to use them**: for what several tasks only read or change in one step, a lock of
//! [`sync`](crate::sync) is shorter; to run work in parallel, tasks are.
//!
//! # Order
//! What one sender sends to one actor, messages and signals alike, is handled in the order in which it was
//! sent. Signals and stops go before the messages of others; [`AnyRef::kill`] goes before everything.
//!
//! # Ends
//! An actor that ends takes no more messages, calls [`Actor::on_stop`] (unless it was killed), ends its
//! children in reverse order, gives its name free; asks that wait fail with [`AskError::Died`], what is
//! left becomes dead letters; then links, monitors and [`AnyRef::exited`] learn of it. When its machine dies
//! there is no farewell: whoever waits gets [`AskError::NodeDown`].
//!
//! # Cycles
//! Actors that wait for each other's answers in their handlers wait for ever. In a simulation the run fails
//! at once, as a deadlock that names them; see [`Ask::may_cycle`]. The cure is [`Context::pipe`] or
//! [`Respond`].
//!
//! # Examples
//! ```
//! use parcae::actor::{self, AskError, Context, Crash, Handler};
//!
//! #[derive(Debug)]
//! struct Withdraw(u64);
//! parcae::message!(Withdraw -> Option<u64>);
//!
//! struct Account {
//!     balance: u64,
//! }
//! parcae::actor!(Account);
//!
//! impl Handler<Withdraw> for Account {
//!     async fn handle(
//!         &mut self,
//!         Withdraw(amount): Withdraw,
//!         _: &mut Context<Self>,
//!     ) -> Result<Option<u64>, Crash> {
//!         let Some(rest) = self.balance.checked_sub(amount) else { return Ok(None) };
//!         self.balance = rest;
//!         Ok(Some(rest))
//!     }
//! }
//!
//! # parcae::Sim::new(7).run(|| async {
//! let account = actor::spawn::<Account>(Account { balance: 10 });
//! assert_eq!(account.ask(Withdraw(3)).await, Ok(Some(7)));
//! assert_eq!(account.ask(Withdraw(8)).await, Ok(None));
//! account.stop();
//! account.exited().await;
//! assert_eq!(account.ask(Withdraw(1)).await, Err(AskError::NoProc));
//! # }).unwrap();
//! ```

mod any_ref;
mod ask;
mod behaviour;
mod cell;
mod context;
mod current;
mod cycle;
mod dead_letters;
mod envelope;
mod error;
mod exit;
mod farewell;
mod future_slot;
mod groups;
#[cfg_attr(
    not(feature = "simulation"),
    expect(dead_code, reason = "only faults of a simulation have rules")
)]
pub(crate) mod intercept;
mod macros;
mod mailbox;
mod message;
mod names;
mod recipient;
mod reference;
#[cfg(feature = "remote")]
pub mod remote;
#[cfg_attr(
    not(feature = "remote"),
    expect(dead_code, reason = "without the feature no actor is on another machine")
)]
pub(crate) mod remote_target;
mod reply;
mod run;
mod signal;
mod spawn;
mod state;
mod supervisor;
mod system;
pub(crate) mod tenure;
mod timers;

pub use self::any_ref::{ActorId, ActorInfo, ActorStatus, AnyRef, Exited};
pub use self::ask::{Ask, Send};
pub use self::behaviour::{Actor, Flow, Handler, Respond};
pub use self::context::Context;
pub use self::current::current;
pub use self::dead_letters::{DeadLetter, DeadLetters, Undelivered, dead_letters};
pub use self::error::{AskError, Crash, NameTaken, StartError, TellError};
pub use self::exit::ExitReason;
pub use self::groups::{Group, group};
pub use self::mailbox::{Mailbox, Overflow};
pub use self::message::Message;
pub use self::names::{names, whereis, whereis_any};
pub use self::recipient::Recipient;
pub use self::reference::{ActorRef, WeakRef};
#[cfg(feature = "remote")]
pub use self::remote::remote;
pub use self::reply::ReplyTo;
pub use self::signal::{MonitorId, Signal};
pub use self::spawn::{ActorBuilder, build, spawn, spawn_named, spawn_ready};
pub use self::supervisor::{
    AutoShutdown, ChildCounts, ChildError, ChildInfo, ChildKind, ChildSlot, ChildSpec, ChildStatus,
    DynamicRef, DynamicSupervisor, OnRestart, Restart, Shutdown, SpecError, Strategy, Supervisor,
    SupervisorError, SupervisorRef,
};
pub use self::timers::TimerKey;
