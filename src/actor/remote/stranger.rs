//! An actor of another machine that this one knows the name of, and nothing else: whom a signal is from.

use std::any::{Any, TypeId};
use std::sync::Arc;
use std::task::{Context, Poll};

use crate::actor::any_ref::{ActorId, ActorInfo, ActorStatus, AnyRef};
use crate::actor::exit::ExitReason;
use crate::actor::remote_target::{RemoteRefusal, RemoteReply, RemoteTarget};
use crate::actor::signal::{MonitorId, Signal};
use crate::actor::system::System;

/// An actor of another machine that cannot be reached from here.
pub(super) struct Stranger {
    id: ActorId,
    name: String,
}

impl Stranger {
    pub(super) fn new(peer: &str, actor: &str) -> Arc<Self> {
        let id = System::here("parcae::actor::remote").next_id();
        Arc::new(Self { id, name: format!("{actor}@{peer}") })
    }
}

impl RemoteTarget for Stranger {
    fn id(&self) -> ActorId {
        self.id
    }

    fn name(&self) -> &str {
        &self.name
    }

    fn info(&self) -> ActorInfo {
        info(self.id, &self.name, ActorStatus::Ended)
    }

    fn is_same(&self, other: &dyn RemoteTarget) -> bool {
        self.name == other.name()
    }

    fn send(
        &self,
        _: TypeId,
        _: &dyn Any,
        _: Option<Arc<dyn RemoteReply>>,
    ) -> Result<(), RemoteRefusal> {
        Err(RemoteRefusal::Gone(ExitReason::NoProc))
    }

    fn poll_room(&self, _: &mut Context<'_>) -> Poll<()> {
        Poll::Ready(())
    }

    fn stop(&self, _: ExitReason) {}

    fn drain(&self) {}

    fn kill(&self) {}

    fn poll_exited(&self, _: &mut Context<'_>) -> Poll<ExitReason> {
        Poll::Ready(ExitReason::NoProc)
    }

    fn link(&self, _: &AnyRef) {}

    fn unlink(&self, _: &AnyRef) {}

    fn monitor(&self, _: &AnyRef, _: MonitorId) {}

    fn demonitor(&self, _: &AnyRef, _: MonitorId) {}

    fn signal(&self, _: Signal) {}
}

/// What is known of an actor of another machine.
pub(super) fn info(id: ActorId, name: &str, status: ActorStatus) -> ActorInfo {
    ActorInfo {
        id,
        name: Some(name.to_owned().into()),
        kind: "remote",
        incarnation: 0,
        status,
        queued: 0,
        handled: 0,
    }
}
