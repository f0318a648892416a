//! The way to an actor of another machine, whatever its type: what references are made of.

use std::sync::Arc;
use std::task::{Context, Poll};

use super::association::{Association, Delivery, Refused, Status, Wait};
use super::inbound::{NAME_MAX, OVERHEAD};
use super::reason::short_to;
use super::wire::{Body, Parcel, Reason, Request};
use crate::sync::{OwnedPermit, Semaphore};

/// The way to an actor of another machine.
#[derive(Clone)]
pub(super) struct Path {
    association: Arc<Association>,
    actor: Arc<str>,
    channel: usize,
    room: Arc<Semaphore>,
    frame: usize,
}

/// Why a message was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Untold {
    Full,
    Down,
    TooLarge { size: usize, limit: usize },
}

impl From<Refused> for Untold {
    fn from(_: Refused) -> Self {
        Self::Down
    }
}

impl Path {
    /// # Panics
    /// When the name is longer than a frame has room for.
    #[track_caller]
    pub(super) fn new(association: Arc<Association>, actor: &str, frame: usize) -> Self {
        assert!(actor.len() <= NAME_MAX, "a name of {} bytes, of {NAME_MAX} at most", actor.len());
        let (channel, room) = association.channel(actor);
        Self { association, actor: actor.into(), channel, room, frame }
    }

    pub(super) fn target(&self) -> &str {
        &self.association.target
    }

    pub(super) fn is_down(&self) -> bool {
        matches!(self.association.status(), Status::Down | Status::Closed)
    }

    /// Sends a message if there is room for it among those that have not gone yet.
    pub(super) fn try_tell(
        &self,
        kind: &str,
        body: Body,
        delivery: Delivery,
    ) -> Result<(), Untold> {
        let body = self.checked(kind, body)?;
        let room = self.try_room()?;
        Ok(self.association.tell(self.channel, tell(kind, body), delivery, room)?)
    }

    /// Waits until there is room, or the machine is down.
    pub(super) fn poll_room(&self, context: &mut Context<'_>) -> Poll<()> {
        if self.is_down() || self.room.available_permits() > 0 {
            return Poll::Ready(());
        }
        self.association.note_waiting(self.channel, context.waker());
        // On another thread, room may have come between the two.
        if self.room.available_permits() > 0 { Poll::Ready(()) } else { Poll::Pending }
    }

    /// Sends a message, waiting for room in turn.
    #[cfg(test)]
    pub(super) async fn tell(
        &self,
        kind: &str,
        body: Body,
        delivery: Delivery,
    ) -> Result<(), Untold> {
        let body = self.checked(kind, body)?;
        let room = self.room().await?;
        Ok(self.association.tell(self.channel, tell(kind, body), delivery, room)?)
    }

    /// Asks, if there is room. `wait` is called once, with the answer or why there is none, unless it is over before:
    /// that is looked at with each heartbeat.
    pub(super) fn try_ask(&self, kind: &str, body: Body, wait: Wait) -> Result<(), Untold> {
        let body = self.checked(kind, body)?;
        let room = self.try_room()?;
        let make = |id| Parcel::Ask { id, kind: kind.to_owned(), body };
        self.association.send_sure(self.channel, room, make, Some(wait))?;
        Ok(())
    }

    /// Stops the actor after what this machine has sent to it, or drains it. It takes no room: a signal is never
    /// refused for want of it.
    pub(super) fn signal(&self, signal: Parcel) -> Result<(), Untold> {
        self.association.send_sure(self.channel, None, |_| signal, None)?;
        Ok(())
    }

    pub(super) fn kill(&self) -> Result<(), Untold> {
        Ok(self.association.request(Request::Kill { actor: (*self.actor).to_owned() })?)
    }

    /// Tells it that the actor `from` of this machine, which is linked to it, has ended.
    pub(super) fn exit(&self, from: String, reason: Reason) -> Result<(), Untold> {
        let (actor, from) = ((*self.actor).to_owned(), short_to(from, NAME_MAX));
        Ok(self.association.request(Request::Exit { actor, from, reason })?)
    }

    /// Calls `then` once when the actor has ended or its machine is taken for dead, unless it is
    /// [unwatched](Path::unwatch) before. None if it was called at once. With `linked`, an actor of this machine, that
    /// one is told to the other side as ended when this machine is taken for dead there.
    pub(super) fn watch(
        &self,
        linked: Option<String>,
        then: impl FnOnce(Reason) + Send + 'static,
    ) -> Option<u64> {
        let linked = linked.map(|own| short_to(own, NAME_MAX));
        self.association.watch(&self.actor, linked, then)
    }

    pub(super) fn unwatch(&self, watch: u64) {
        self.association.unwatch(watch);
    }

    fn checked(&self, kind: &str, body: Body) -> Result<Body, Untold> {
        let size = body.0.len() + kind.len() + OVERHEAD;
        if size > self.frame {
            return Err(Untold::TooLarge { size, limit: self.frame });
        }
        Ok(body)
    }

    fn try_room(&self) -> Result<OwnedPermit, Untold> {
        self.room
            .try_acquire_owned()
            .map_err(|_| if self.is_down() { Untold::Down } else { Untold::Full })
    }

    #[cfg(test)]
    async fn room(&self) -> Result<OwnedPermit, Untold> {
        self.room.acquire_owned().await.map_err(|_| Untold::Down)
    }
}

fn tell(kind: &str, body: Body) -> Parcel {
    Parcel::Tell { kind: kind.to_owned(), body }
}
