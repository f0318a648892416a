//! How what comes from other machines reaches the actors of this one.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use super::wire::{Body, Reason, Unanswered};

/// A future that stays on its thread.
pub(super) type Boxed<T> = Pin<Box<dyn Future<Output = T>>>;

/// The types of actors that other machines can reach.
#[derive(Clone, Default)]
pub(super) struct Doors {
    doors: Vec<Arc<dyn Door>>,
}

impl Doors {
    pub(super) fn add(&mut self, door: Arc<dyn Door>) {
        self.doors.push(door);
    }

    /// Returns the way to an actor; none if there is none of this name, or its type is not exposed.
    pub(super) fn find(&self, actor: &str) -> Option<Box<dyn Entrance>> {
        self.doors.iter().find_map(|door| door.find(actor))
    }
}

impl fmt::Debug for Doors {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} types", self.doors.len())
    }
}

/// The actors of one type.
pub(super) trait Door: Send + Sync {
    /// Returns the way to the actor of this name, if it is one of this type.
    fn find(&self, actor: &str) -> Option<Box<dyn Entrance>>;
}

/// Where an answer goes.
pub(super) struct Answer {
    pub(super) then: Box<dyn FnOnce(Result<Body, Unanswered>) + Send>,
    /// Set when nobody waits for it any more.
    pub(super) is_canceled: Arc<AtomicBool>,
}

impl Answer {
    pub(super) fn give(self, result: Result<Body, Unanswered>) {
        (self.then)(result);
    }
}

/// The way to one actor.
pub(super) trait Entrance {
    /// Delivers a message, waiting for room.
    fn tell(&self, kind: &str, body: &[u8]) -> Boxed<()>;

    /// Delivers a question, waiting for room. The answer is used once, then or later.
    fn ask(&self, kind: &str, body: &[u8], answer: Answer) -> Boxed<()>;

    fn stop(&self, reason: &Reason);

    fn drain(&self);

    fn kill(&self);

    /// The actor `from` of the machine `peer`, which is linked to it, has ended.
    fn exit(&self, peer: &str, from: &str, reason: &Reason);

    /// Waits for its end.
    fn exited(self: Box<Self>) -> Boxed<Reason>;
}
