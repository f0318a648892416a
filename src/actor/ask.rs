//! Asking, and sending with back-pressure.

use std::fmt;
use std::future::Future;
use std::panic::Location;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use super::cell::ASK;
use super::cycle::Edge;
use super::error::{AskError, TellError};
use super::message::Message;
use super::recipient::{Deliver, Parcel, Slot};
use super::reply::{AskSlot, ReplyTo};
use crate::backend::{Timer, is_preempted, note_wait};
use crate::sync::primitive::Wait;

/// Future of [`ActorRef::send`](super::ActorRef::send).
#[must_use = "futures do nothing unless you `.await` or poll them"]
pub struct Send<M: Message> {
    target: Arc<dyn Deliver<M>>,
    parcel: Parcel<M>,
    wait: Wait,
}

impl<M: Message> Send<M> {
    #[track_caller]
    pub(crate) fn new(target: Arc<dyn Deliver<M>>, message: M) -> Self {
        Self { target, parcel: Parcel::new(message), wait: Wait::new() }
    }
}

// Nothing in it is pinned.
impl<M: Message> Unpin for Send<M> {}

impl<M: Message> Future for Send<M> {
    type Output = Result<(), TellError<M>>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        this.target.clone().poll_deliver(&mut this.parcel, &mut this.wait, context)
    }
}

impl<M: Message> Drop for Send<M> {
    fn drop(&mut self) {
        self.target.leave(&mut self.wait, false);
    }
}

impl<M: Message> fmt::Debug for Send<M> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Send").field("message", &self.parcel.message).finish()
    }
}

/// Future of [`ActorRef::ask`](super::ActorRef::ask).
///
/// ```text
///   ahead -> (waits for a place ->) sent -> answer
///                                       `-> time is over, or dropped: the answer is given up
/// ```
#[must_use = "futures do nothing unless you `.await` or poll them"]
pub struct Ask<M: Message> {
    target: Arc<dyn Deliver<M>>,
    parcel: Parcel<M>,
    /// Where the answer comes, once it was polled.
    slot: Option<Arc<AskSlot<M::Reply>>>,
    wait: Wait,
    /// None waits without a bound.
    after: Option<Duration>,
    timer: Option<Timer>,
    may_cycle: bool,
    edge: Option<Edge>,
    at: &'static Location<'static>,
}

impl<M: Message> Ask<M> {
    #[track_caller]
    pub(crate) fn new(target: Arc<dyn Deliver<M>>, message: M) -> Self {
        Self {
            target,
            parcel: Parcel::new(message),
            slot: None,
            wait: Wait::new(),
            after: Some(DEFAULT_TIMEOUT),
            timer: None,
            may_cycle: false,
            edge: None,
            at: Location::caller(),
        }
    }

    /// Waits no longer than this, from the first poll on.
    pub fn timeout(mut self, after: Duration) -> Self {
        self.after = Some(after);
        self
    }

    /// Waits for the answer however long it takes.
    pub fn no_timeout(mut self) -> Self {
        self.after = None;
        self
    }

    /// Says that the actor may be waiting for the one that asks: somebody else resolves it.
    pub fn may_cycle(mut self) -> Self {
        self.may_cycle = true;
        self
    }

    /// Sends the message at once, and the answer to whoever `reply` is owed to.
    ///
    /// # Errors
    /// [`TellError`] with the message. Whoever asked learns that there is no answer.
    #[track_caller]
    pub fn forward(mut self, reply: ReplyTo<M::Reply>) -> Result<(), TellError<M>> {
        let Some(message) = self.parcel.message.take() else {
            panic!("an ask is forwarded before it is polled")
        };
        let slot = reply.into_slot();
        let result = self.target.clone().deliver(message, slot.clone(), false);
        if let (Err(error), Some(slot)) = (&result, slot) {
            slot.fail(error.for_ask());
        }
        result
    }

    fn poll_sending(&mut self, context: &mut Context<'_>) -> Poll<Result<(), AskError>> {
        if self.slot.is_none() {
            self.slot = Some(Arc::new(AskSlot::new(context.waker())));
        }
        if self.parcel.slot.is_none() {
            self.parcel.slot = self.slot.clone().map(|slot| -> Slot<M> { slot });
        }
        let sent = self.target.clone().poll_deliver(&mut self.parcel, &mut self.wait, context);
        sent.map_err(|error| error.for_ask())
    }

    fn poll_timer(&mut self, context: &mut Context<'_>) -> Poll<AskError> {
        let Some(after) = self.after else { return Poll::Pending };
        let at = self.at;
        let polled = match &mut self.timer {
            Some(timer) => timer.poll(context),
            None => {
                let (timer, polled) = Timer::begin("an ask", after, context, at);
                self.timer = Some(timer);
                polled
            }
        };
        polled.map(|()| AskError::Timeout { after })
    }
}

// Nothing in it is pinned.
impl<M: Message> Unpin for Ask<M> {}

impl<M: Message> Future for Ask<M> {
    type Output = Result<M::Reply, AskError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        if this.parcel.message.is_some() {
            match this.poll_sending(context) {
                Poll::Ready(Ok(())) => {
                    this.parcel.slot = None;
                    if !this.may_cycle {
                        let target = this.target.clone();
                        this.edge = Edge::add(|| target.any(), M::kind, this.at);
                    }
                }
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Pending if is_preempted() => return Poll::Pending,
                Poll::Pending => return this.poll_timer(context).map(Err),
            }
        }
        let Some(slot) = &this.slot else { panic!("an ask is not polled when it is forwarded") };
        if let Some(answer) = slot.take(context.waker()) {
            this.edge = None;
            return Poll::Ready(answer);
        }
        let over = this.poll_timer(context);
        if over.is_pending()
            && let Some(resource) = this.target.resource()
        {
            note_wait(resource, &ASK, this.at);
        }
        over.map(Err)
    }
}

impl<M: Message> Drop for Ask<M> {
    fn drop(&mut self) {
        self.target.leave(&mut self.wait, true);
        if let Some(slot) = &self.slot {
            slot.close();
        }
    }
}

impl<M: Message> fmt::Debug for Ask<M> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Ask").field("message", &self.parcel.message).finish()
    }
}

const DEFAULT_TIMEOUT: Duration = Duration::from_secs(5);
