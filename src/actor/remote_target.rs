//! What a reference needs of an actor on another machine; layer `remote` gives it.

use std::any::{Any, TypeId};
use std::sync::Arc;
use std::task::{Context, Poll};

use super::any_ref::{ActorId, ActorInfo, AnyRef};
use super::error::AskError;
use super::exit::ExitReason;
use super::signal::{MonitorId, Signal};

/// Why a message was not sent to another machine.
#[derive(Clone, Debug)]
pub(crate) enum RemoteRefusal {
    /// The protocol has no messages of this type.
    NotRemote,
    /// It is longer than a frame may be. Sizes are in bytes.
    TooLarge { size: usize, limit: usize },
    /// Too much waits to be sent already.
    Full,
    /// The actor or its machine is gone.
    Gone(ExitReason),
}

/// Where the answer of another machine goes. It takes a value of the type `M::Reply`, boxed.
pub(crate) trait RemoteReply: Send + Sync {
    fn answer(&self, answer: Result<Box<dyn Any + Send>, AskError>);

    /// Tells whether nobody waits for it any more.
    fn is_canceled(&self) -> bool;
}

/// An actor on another machine.
pub(crate) trait RemoteTarget: Send + Sync {
    fn id(&self) -> ActorId;
    fn name(&self) -> &str;
    fn info(&self) -> ActorInfo;
    fn is_same(&self, other: &dyn RemoteTarget) -> bool;

    /// Sends a message: `message` is an `M` with `TypeId::of::<M>()` equal to `kind`. With a `reply` it
    /// is an ask. It does not wait; [`RemoteTarget::poll_room`] does.
    fn send(
        &self,
        kind: TypeId,
        message: &dyn Any,
        reply: Option<Arc<dyn RemoteReply>>,
    ) -> Result<(), RemoteRefusal>;

    /// Waits until a message can be sent, or never will be.
    fn poll_room(&self, context: &mut Context<'_>) -> Poll<()>;

    fn stop(&self, reason: ExitReason);
    fn drain(&self);
    fn kill(&self);
    fn poll_exited(&self, context: &mut Context<'_>) -> Poll<ExitReason>;
    fn link(&self, own: &AnyRef);
    fn unlink(&self, own: &AnyRef);
    fn monitor(&self, watcher: &AnyRef, id: MonitorId);
    fn demonitor(&self, watcher: &AnyRef, id: MonitorId);
    /// Sends a signal of an actor of this machine that has ended.
    fn signal(&self, signal: Signal);
}
