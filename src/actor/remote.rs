//! Actors of other machines.
//!
//! A machine takes part with [`serve`]. It *exposes* types of actors: those that have a name can be reached from others.
//! [`remote()`] gives an [`ActorRef`](super::ActorRef) by the address of a machine and the name of an actor. It is of the same type as
//! one to an actor of this machine: what is told, asked, stopped, monitored or linked goes there over TCP.
//!
//! ```
//! # #[cfg(feature = "simulation")]
//! # fn main() {
//! use parcae::actor::remote::{self, Options, Protocol, RemoteActor};
//! use parcae::actor::{self, Context, Crash, Handler};
//! use parcae::world;
//!
//! #[derive(Debug, serde::Serialize, serde::Deserialize)]
//! struct Add(u64);
//! parcae::message!(Add -> u64);
//!
//! struct Counter(u64);
//! parcae::actor!(Counter);
//!
//! impl Handler<Add> for Counter {
//!     async fn handle(&mut self, Add(more): Add, _: &mut Context<Self>) -> Result<u64, Crash> {
//!         self.0 += more;
//!         Ok(self.0)
//!     }
//! }
//!
//! impl RemoteActor for Counter {
//!     fn protocol() -> Protocol<Self> {
//!         Protocol::new().message::<Add>("add")
//!     }
//! }
//!
//! const KEY: &[u8] = b"32 random bytes from a safe place";
//!
//! # parcae::Sim::new(7).run(|| async {
//! world::node("server").start(|| async {
//!     let _listener = remote::serve(Options::new("server", KEY).expose::<Counter>()).await.unwrap();
//!     let counter = actor::spawn_named::<Counter>("counter", Counter(40)).unwrap();
//!     counter.exited().await;
//! });
//!
//! let _listener = remote::serve(Options::new("client", KEY).dial_only()).await.unwrap();
//! let counter = actor::remote::<Counter>("server", "counter");
//! assert_eq!(counter.ask(Add(2)).await, Ok(42));
//! # }).unwrap();
//! # }
//! # #[cfg(not(feature = "simulation"))]
//! # fn main() {}
//! ```
//!
//! # How sure a message is to come
//! [`Delivery::AtMostOnce`] unless a protocol ([`Protocol::message_with`]) or a reference ([`remote_with`]) asks for
//! [`Delivery::AtLeastOnce`]. Asks and signals are sent until the other process has them, and each has them once: an ask ends
//! with an answer, with [`AskError::NodeDown`](super::AskError::NodeDown), or by its time-out. What one
//! task sends through references to one actor comes in its order. A message has come when the other process has
//! taken it: one that dies loses what waits at or in its mailboxes, as it does with messages of its own.
//!
//! # Back-pressure
//! At the other end, [`Options::window`] messages of one machine to one actor are held while its mailbox is full, whether the
//! mailbox rejects or blocks; at this end [`Options::outgoing`]. One more gives
//! [`TellError::Full`](super::TellError::Full), and [`ActorRef::send`](super::ActorRef::send) waits. An actor that is slow holds up nobody but those who write to it.
//!
//! # Ends
//! When a connection breaks it is made again, with back-off. A machine is *down* when the failure detector suspects it
//! ([`Detection`]), when nobody listens there any more or another process answers in its place, or when it refuses this one. Then all asks fail with
//! [`AskError::NodeDown`](super::AskError::NodeDown), and links and monitors are told of [`ExitReason::NodeDown`](super::ExitReason::NodeDown), each once, and what is
//! sent fails at once, until a connection is made again. A machine that was cut off for so long and comes back is known
//! again, but monitors have to be set anew.
//!
//! # Who gets in
//! Those who have the key, and of those only the ones on the list, if there is one ([`Options::allow`]). Both sides prove that they
//! have the key, for this connection only; then each frame bears a seal that shows if it was changed, repeated or left out.
//! Nothing is hidden: over networks that others can read, a tunnel has to do that. Bytes that are no frames, other
//! versions, frames that are too long and wrong keys end their connection and nothing else.
//!
//! # Determinism
//! Nonces, incarnations and the jitter of back-offs come from [`rng`](crate::rng::rng()). Heartbeats are timers: a program
//! that has a connection does not end in a deadlock, but in a time-out of its own or of the run.
//!
//! **Absent on purpose**: references inside of messages; starting actors on other machines; groups and names over several
//! machines, and gossip about who is there; encryption.

mod association;
mod delivery;
mod detector;
mod entrance;
mod error;
mod frame;
mod handshake;
mod inbound;
mod link;
mod listener;
mod local;
mod options;
mod path;
mod protocol;
mod reason;
mod reference;
mod stranger;
mod wire;

pub use self::association::Delivery;
pub use self::detector::{Detection, Phi};
pub use self::error::{FrameError, LinkError, Refusal, ServeError};
pub use self::listener::{Listener, serve};
pub use self::options::{Options, PORT};
pub use self::protocol::{Protocol, RemoteActor};
pub use self::reference::{remote, remote_with};

#[cfg(test)]
#[cfg(feature = "simulation")]
mod tests;
