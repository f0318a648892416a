//! Groups: several actors that get the same messages.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use super::any_ref::AnyRef;
use super::message::Message;
use super::recipient::Recipient;
use super::system::System;
use crate::sync::spin::SpinLock;

/// Returns the group of this name on the machine of the caller, whose members get messages of type `M`.
/// It is made when it is first asked for.
///
/// # Panics
/// Outside of a parcae runtime, and when the group of this name is one of another type of messages.
///
/// # Examples
/// ```
/// use parcae::actor::{self, Actor, Context, Handler, Message};
/// use std::convert::Infallible;
///
/// #[derive(Clone, Debug)]
/// struct News;
/// impl Message for News {
///     type Reply = ();
/// }
/// struct Reader;
/// impl Actor for Reader {
///     type Args = ();
///     type Error = Infallible;
///     async fn start(_: (), _: &mut Context<Self>) -> Result<Self, Infallible> {
///         Ok(Self)
///     }
/// }
/// impl Handler<News> for Reader {
///     async fn handle(&mut self, _: News, _: &mut Context<Self>) -> Result<(), Infallible> {
///         Ok(())
///     }
/// }
///
/// # parcae::Sim::new(7).run(|| async {
/// let readers = actor::group::<News>("readers");
/// let reader = actor::spawn::<Reader>(());
/// readers.join(&reader.recipient());
/// assert_eq!(readers.broadcast(&News), 1);
/// reader.drain();
/// reader.exited().await;
/// assert_eq!(readers.members().len(), 0);
/// # }).unwrap();
/// ```
#[must_use]
#[track_caller]
pub fn group<M: Message>(name: impl Into<Cow<'static, str>>) -> Group<M> {
    let system = System::here("parcae::actor::group");
    let name = name.into();
    // Made where nothing is held.
    let new = Arc::new(Members::<M>::default());
    let found = system.groups().with(|groups| groups.entry(name.clone()).or_insert(new).clone());
    match found.downcast::<Members<M>>() {
        Ok(members) => Group { name, members },
        Err(_) => panic!("the group `{name}` is one of another type of messages"),
    }
}

/// Several actors that get the same messages, in the order in which they joined.
pub struct Group<M: Message> {
    name: Cow<'static, str>,
    members: Arc<Members<M>>,
}

struct Members<M: Message>(SpinLock<Vec<Recipient<M>>>);

impl<M: Message> Default for Members<M> {
    fn default() -> Self {
        Self(SpinLock::new(Vec::new()))
    }
}

impl<M: Message> Group<M> {
    /// Returns its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Adds an actor, if it is no member and has not ended.
    pub fn join(&self, member: &Recipient<M>) {
        let own = member.any();
        self.forget_ended();
        if own.is_ended() {
            return;
        }
        let member = member.clone();
        self.members.0.with(|members| {
            if members.iter().all(|other| other.any() != own) {
                members.push(member);
            }
        });
    }

    /// Takes an actor out; nothing happens when it is no member.
    pub fn leave(&self, member: &AnyRef) {
        let left = self.members.0.with(|members| {
            let place = members.iter().position(|other| other.any() == *member);
            place.map(|place| members.remove(place))
        });
        drop(left);
    }

    /// Lists the members that have not ended, in the order in which they joined.
    #[must_use]
    pub fn members(&self) -> Vec<Recipient<M>> {
        self.forget_ended();
        self.members.0.with(|members| members.clone())
    }

    /// Tells it to each member. Returns how many took it.
    pub fn broadcast(&self, message: &M) -> usize
    where
        M: Clone,
    {
        let members = self.members();
        members.iter().filter(|member| member.tell(message.clone()).is_ok()).count()
    }

    fn forget_ended(&self) {
        let members = self.members.0.with(|members| members.clone());
        for member in members.iter().map(Recipient::any).filter(AnyRef::is_ended) {
            self.leave(&member);
        }
    }
}

impl<M: Message> Clone for Group<M> {
    fn clone(&self) -> Self {
        Self { name: self.name.clone(), members: self.members.clone() }
    }
}

impl<M: Message> fmt::Debug for Group<M> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Group").field(&self.name).finish()
    }
}
