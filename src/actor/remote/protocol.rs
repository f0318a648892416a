//! Which messages of a type of actors go between machines, and under which names.

use std::any::{Any, TypeId};
use std::fmt;
use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::association::Delivery;
use super::entrance::{Answer, Boxed};
use super::local;
use super::wire::Unanswered;
use crate::actor::behaviour::{Actor, Respond};
use crate::actor::cell::Cell;
use crate::actor::message::Message;

/// An actor that can be reached from other machines.
///
/// # Examples
/// ```
/// use parcae::actor::remote::{Protocol, RemoteActor};
/// use parcae::actor::{Context, Crash, Handler};
///
/// #[derive(Debug, serde::Serialize, serde::Deserialize)]
/// struct Add(u64);
/// parcae::message!(Add -> u64);
///
/// struct Counter(u64);
/// parcae::actor!(Counter);
///
/// impl Handler<Add> for Counter {
///     async fn handle(&mut self, Add(more): Add, _: &mut Context<Self>) -> Result<u64, Crash> {
///         self.0 += more;
///         Ok(self.0)
///     }
/// }
///
/// impl RemoteActor for Counter {
///     fn protocol() -> Protocol<Self> {
///         Protocol::new().message::<Add>("add")
///     }
/// }
/// ```
pub trait RemoteActor: Actor {
    /// Says which messages go between machines. The same on both: what is not in it cannot be sent.
    fn protocol() -> Protocol<Self>;
}

/// Names of messages, by which another machine knows them, whatever their types are called.
#[must_use = "it is returned from `RemoteActor::protocol`"]
pub struct Protocol<A: Actor> {
    pub(super) entries: Vec<Entry<A>>,
}

/// What is known of one type of messages.
pub(super) struct Entry<A: Actor> {
    pub(super) kind: TypeId,
    pub(super) name: &'static str,
    pub(super) delivery: Delivery,
    /// None for what has no form in bytes.
    pub(super) encode: fn(&dyn Any) -> Option<Vec<u8>>,
    pub(super) decode_reply: DecodeReply,
    pub(super) tell: TellBytes<A>,
    pub(super) ask: AskBytes<A>,
}

type DecodeReply = fn(&[u8]) -> Option<AnyReply>;

/// An answer of the type that its message says.
type AnyReply = Box<dyn Any + Send>;

/// None for bytes that are no such message.
type TellBytes<A> = fn(&Arc<Cell<A>>, &[u8]) -> Option<Boxed<()>>;

type AskBytes<A> = fn(&Arc<Cell<A>>, &[u8], Answer) -> Boxed<()>;

impl<A: Actor> Protocol<A> {
    /// Makes one without messages.
    pub fn new() -> Self {
        Self { entries: Vec::new() }
    }

    /// Adds a message that comes [at most once](Delivery::AtMostOnce).
    ///
    /// # Panics
    /// When the name or the type is there already.
    #[track_caller]
    pub fn message<M>(self, name: &'static str) -> Self
    where
        A: Respond<M>,
        M: Message + Serialize + DeserializeOwned,
        M::Reply: Serialize + DeserializeOwned,
    {
        self.message_with::<M>(name, Delivery::AtMostOnce)
    }

    /// Adds a message, and says how sure it is to come.
    ///
    /// # Panics
    /// When the name or the type is there already.
    #[track_caller]
    pub fn message_with<M>(mut self, name: &'static str, delivery: Delivery) -> Self
    where
        A: Respond<M>,
        M: Message + Serialize + DeserializeOwned,
        M::Reply: Serialize + DeserializeOwned,
    {
        let kind = TypeId::of::<M>();
        let is_new = self.entries.iter().all(|entry| entry.name != name && entry.kind != kind);
        assert!(is_new, "the protocol has the message `{name}` or its type already");
        self.entries.push(Entry {
            kind,
            name,
            delivery,
            encode: encode::<M>,
            decode_reply: decode_reply::<M>,
            tell: tell::<A, M>,
            ask: ask::<A, M>,
        });
        self
    }

    pub(super) fn of_type(&self, kind: TypeId) -> Option<&Entry<A>> {
        self.entries.iter().find(|entry| entry.kind == kind)
    }

    pub(super) fn of_name(&self, name: &str) -> Option<&Entry<A>> {
        self.entries.iter().find(|entry| entry.name == name)
    }
}

impl<A: Actor> Default for Protocol<A> {
    fn default() -> Self {
        Self::new()
    }
}

impl<A: Actor> fmt::Debug for Protocol<A> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_list().entries(self.entries.iter().map(|entry| entry.name)).finish()
    }
}

fn encode<M: Serialize + 'static>(message: &dyn Any) -> Option<Vec<u8>> {
    let message = message.downcast_ref::<M>().expect("it was looked up by its type");
    postcard::to_allocvec(message).ok()
}

fn decode_reply<M: Message>(body: &[u8]) -> Option<AnyReply>
where
    M::Reply: DeserializeOwned,
{
    Some(Box::new(decode::<M::Reply>(body)?))
}

/// Reads a value: all of the bytes have to be used.
fn decode<T: DeserializeOwned>(body: &[u8]) -> Option<T> {
    match postcard::take_from_bytes(body) {
        Ok((value, [])) => Some(value),
        Ok(_) | Err(_) => None,
    }
}

fn tell<A, M>(cell: &Arc<Cell<A>>, body: &[u8]) -> Option<Boxed<()>>
where
    A: Respond<M>,
    M: Message + DeserializeOwned,
{
    let message = decode::<M>(body)?;
    let cell = cell.clone();
    Some(Box::pin(async move { drop(local::put(&cell, message, None).await) }))
}

fn ask<A, M>(cell: &Arc<Cell<A>>, body: &[u8], answer: Answer) -> Boxed<()>
where
    A: Respond<M>,
    M: Message + DeserializeOwned,
    M::Reply: Serialize,
{
    let cell = cell.clone();
    let message = decode::<M>(body);
    Box::pin(async move {
        match message {
            Some(message) => local::ask(&cell, message, answer).await,
            None => answer.give(Err(Unanswered::Malformed)),
        }
    })
}
