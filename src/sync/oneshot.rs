//! A channel for one value: an answer, a result.
//!
//! | you want | use |
//! |---|---|
//! | one value from one task to another | [`channel`] |
//! | to give up work that nobody waits for any more | [`Sender::closed`], [`Sender::is_closed`] |
//! | many values | [`Queue`](super::Queue) |
//! | the latest of many values | [`watch`](super::watch) |
//!
//! **When not to use it**: to get the result of a task, which [`Task`](crate::task::Task) is the
//! future of.
//!
//! # Examples
//! ```
//! # parcae::Sim::new(7).run(|| async {
//! use parcae::sync::oneshot;
//!
//! let (sender, receiver) = oneshot::channel();
//! let clerk = parcae::spawn(async move { sender.send("yes") });
//! assert_eq!(receiver.await, Ok("yes"));
//! assert_eq!(clerk.await, Ok(()));
//! # }).unwrap();
//! ```
//!
//! A sender that is dropped abandons the receiver; one that is kept and never sends is a deadlock, and
//! the report names it:
//! ```
//! use parcae::{Sim, sync::oneshot};
//!
//! let outcome = Sim::new(7).run(|| async {
//!     let (sender, receiver) = oneshot::channel::<u8>();
//!     drop(sender);
//!     assert_eq!(receiver.await, Err(oneshot::RecvError::Abandoned));
//!
//!     let (_kept, receiver) = oneshot::channel_named::<u8>("answer");
//!     let _answer = receiver.await;
//! });
//! let failure = outcome.into_result().unwrap_err().to_string();
//! assert!(failure.contains("`main` waits for oneshot recv of `answer`"));
//! ```

use std::fmt;
use std::future::Future;
use std::mem;
use std::panic::Location;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker, ready};

pub use super::error::oneshot::{RecvError, TryRecvError};
use super::spin::SpinLock;
use crate::backend::{Point, Resource, WakeTarget, note_unpolled, note_wait};
use crate::kernel::{Access, Verb};

/// Makes a channel for one value.
#[track_caller]
pub fn channel<T>() -> (Sender<T>, Receiver<T>) {
    with_resource(Resource::new(KIND))
}

/// Makes a channel for one value, with a name for reports.
#[track_caller]
pub fn channel_named<T>(name: &'static str) -> (Sender<T>, Receiver<T>) {
    with_resource(Resource::new(KIND).named(name))
}

#[track_caller]
fn with_resource<T>(resource: Resource) -> (Sender<T>, Receiver<T>) {
    let state = State { phase: Phase::Open, receiver: None, sender: None };
    let shared = Arc::new(Shared { resource, state: SpinLock::new(state) });
    let sender = Sender { shared: Some(shared.clone()) };
    let (point, at) = (Point::new(), Location::caller());
    (sender, Receiver { shared, point, has_received: false, at })
}

struct Shared<T> {
    resource: Resource,
    state: SpinLock<State<T>>,
}

struct State<T> {
    phase: Phase<T>,
    receiver: Option<WakeTarget>,
    sender: Option<WakeTarget>,
}

/// ```text
///   open -> sent -> over        received
///       `-> over                the sender was dropped, or the receiver closed or dropped
/// ```
enum Phase<T> {
    Open,
    Sent(T),
    Over,
}

impl<T> Shared<T> {
    /// Ends an open channel on the side of the receiver, and wakes the sender.
    fn close(&self) {
        let sender = self.state.with(|state| {
            if matches!(state.phase, Phase::Open) {
                state.phase = Phase::Over;
            }
            state.sender.take()
        });
        wake(sender);
    }

    fn is_over(&self) -> bool {
        self.state.with(|state| matches!(state.phase, Phase::Over))
    }
}

impl<T> State<T> {
    #[inline]
    fn take(&mut self) -> Result<T, TryRecvError> {
        match mem::replace(&mut self.phase, Phase::Over) {
            Phase::Sent(value) => Ok(value),
            Phase::Over => Err(TryRecvError::Abandoned),
            Phase::Open => {
                self.phase = Phase::Open;
                Err(TryRecvError::Empty)
            }
        }
    }
}

/// Waits until `look` gives something; `place` says where in the state the waker is kept.
fn poll_state<T, R>(
    shared: &Shared<T>,
    waker: &Waker,
    mut look: impl FnMut(&mut State<T>) -> Option<R>,
    place: fn(&mut State<T>) -> &mut Option<WakeTarget>,
) -> Poll<R> {
    let mut target = None;
    loop {
        let mut state = shared.state.lock();
        if let Some(result) = look(&mut state) {
            return Poll::Ready(result);
        }
        let kept = place(&mut state);
        if kept.as_ref().is_some_and(|kept| kept.will_wake(waker)) {
            return Poll::Pending;
        }
        // A waker of ours is copied without running anything.
        if let Some(target) = target.take().or_else(|| WakeTarget::of_task(waker)) {
            let replaced = kept.replace(target);
            drop(state);
            // A foreign waker is dropped where the state is not held.
            drop(replaced);
            return Poll::Pending;
        }
        // And cloned there.
        drop(state);
        target = Some(WakeTarget::of(waker));
    }
}

fn wake(target: Option<WakeTarget>) {
    if let Some(target) = target {
        target.wake();
    }
}

/// Sends the value.
pub struct Sender<T> {
    /// None when it has sent.
    shared: Option<Arc<Shared<T>>>,
}

impl<T> Sender<T> {
    /// Sends the value. The receiver is woken and runs later.
    ///
    /// # Errors
    /// The value, when the receiver was closed or dropped. That it was not is no promise that the
    /// value will be received.
    ///
    /// # Examples
    /// ```
    /// use parcae::sync::oneshot;
    ///
    /// let (sender, mut receiver) = oneshot::channel();
    /// assert_eq!(sender.send(1), Ok(()));
    /// assert_eq!(receiver.try_recv(), Ok(1));
    ///
    /// let (sender, receiver) = oneshot::channel();
    /// drop(receiver);
    /// assert_eq!(sender.send(1), Err(1));
    /// ```
    pub fn send(mut self, value: T) -> Result<(), T> {
        let shared = self.shared.take().expect(ONLY_SENT_ONCE);
        let (result, receiver) = shared.state.with(|state| {
            if matches!(state.phase, Phase::Over) {
                return (Err(value), None);
            }
            state.phase = Phase::Sent(value);
            (Ok(()), state.receiver.take())
        });
        wake(receiver);
        result
    }

    /// Tells whether the receiver was closed or dropped: nobody waits for the value.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.shared().is_over()
    }

    /// Waits until the receiver is closed or dropped.
    ///
    /// # Cancel safety
    /// Cancel safe: nothing is taken.
    ///
    /// # Examples
    /// Work that ends when nobody waits for its result any more:
    /// ```
    /// # parcae::Sim::new(7).run(|| async {
    /// use parcae::{sync::oneshot, time::{sleep, timeout}};
    /// use std::time::Duration;
    ///
    /// let (mut sender, receiver) = oneshot::channel::<u8>();
    /// let worker = parcae::spawn(async move {
    ///     while timeout(Duration::from_secs(1), sender.closed()).await.is_err() {
    ///         // a piece of work
    ///     }
    /// });
    /// sleep(Duration::from_secs(3)).await;
    /// drop(receiver);
    /// worker.await;
    /// # }).unwrap();
    /// ```
    #[track_caller]
    pub fn closed(&mut self) -> Closed<'_, T> {
        let shared = self.shared();
        Closed { shared, is_waiting: false, point: Point::new(), at: Location::caller() }
    }

    fn shared(&self) -> &Shared<T> {
        self.shared.as_ref().expect(ONLY_SENT_ONCE)
    }
}

impl<T> Drop for Sender<T> {
    #[inline]
    fn drop(&mut self) {
        let Some(shared) = self.shared.take() else { return };
        let receiver = shared.state.with(|state| {
            state.phase = Phase::Over;
            state.receiver.take()
        });
        wake(receiver);
    }
}

impl<T> fmt::Debug for Sender<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Sender").field("is_closed", &self.is_closed()).finish()
    }
}

/// Receives the value: a future of it.
///
/// It may be polled through a reference (`&mut receiver`), and a poll that is not ready takes nothing:
/// a `timeout` around the reference loses no value. What was sent and is not received is dropped with
/// the receiver.
///
/// # Errors
/// [`RecvError::Abandoned`] when the sender is dropped and has sent nothing.
///
/// # Panics
/// When it is polled after it has given the value.
///
/// # Cancel safety
/// Cancel safe through a reference. Dropping the receiver itself tells the sender that nobody waits.
///
/// # Examples
/// ```
/// # parcae::Sim::new(7).run(|| async {
/// use parcae::{sync::oneshot, time::timeout};
/// use std::time::Duration;
///
/// let (sender, mut receiver) = oneshot::channel();
/// assert!(timeout(Duration::from_secs(1), &mut receiver).await.is_err());
/// sender.send(1).expect("there is a receiver");
/// assert_eq!(receiver.await, Ok(1));
/// # }).unwrap();
/// ```
#[must_use = "futures do nothing unless you `.await` or poll them"]
pub struct Receiver<T> {
    shared: Arc<Shared<T>>,
    point: Point,
    has_received: bool,
    at: &'static Location<'static>,
}

impl<T> Receiver<T> {
    /// Receives the value if it has been sent.
    ///
    /// # Errors
    /// [`TryRecvError::Empty`] when nothing has been sent yet, [`TryRecvError::Abandoned`] when nothing
    /// will come.
    ///
    /// # Examples
    /// ```
    /// use parcae::sync::oneshot::{self, TryRecvError};
    ///
    /// let (sender, mut receiver) = oneshot::channel();
    /// assert_eq!(receiver.try_recv(), Err(TryRecvError::Empty));
    /// assert_eq!(sender.send(1), Ok(()));
    /// assert_eq!(receiver.try_recv(), Ok(1));
    /// assert_eq!(receiver.try_recv(), Err(TryRecvError::Abandoned));
    /// ```
    pub fn try_recv(&mut self) -> Result<T, TryRecvError> {
        let result = self.shared.state.with(State::take);
        self.has_received |= result.is_ok();
        result
    }

    /// Tells the sender that nothing is wanted any more. What has been sent can still be received.
    ///
    /// # Examples
    /// ```
    /// let (sender, mut receiver) = parcae::sync::oneshot::channel();
    /// receiver.close();
    /// assert!(sender.is_closed());
    /// assert_eq!(sender.send(1), Err(1));
    /// ```
    pub fn close(&mut self) {
        self.shared.close();
    }
}

impl<T> Future for Receiver<T> {
    type Output = Result<T, RecvError>;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        assert!(!this.has_received, "a `Receiver` is not polled again when it has given its value");
        ready!(this.point.poll(context, &this.shared.resource, &RECV, this.at));
        let look = |state: &mut State<T>| match state.take() {
            Ok(value) => Some(Ok(value)),
            Err(TryRecvError::Abandoned) => Some(Err(RecvError::Abandoned)),
            Err(TryRecvError::Empty) => None,
        };
        let poll = poll_state(&this.shared, context.waker(), look, |state| &mut state.receiver);
        match &poll {
            Poll::Ready(result) => this.has_received = result.is_ok(),
            Poll::Pending => note_wait(&this.shared.resource, &RECV, this.at),
        }
        poll
    }
}

impl<T> Drop for Receiver<T> {
    #[inline]
    fn drop(&mut self) {
        // Nobody can learn of it when the value has been received.
        if !self.has_received {
            // The sender must not keep it: with a task that owns the sender it would be a cycle.
            let own = self.shared.state.with(|state| state.receiver.take());
            drop(own);
            self.shared.close();
        }
    }
}

impl<T> fmt::Debug for Receiver<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Receiver").field("has_received", &self.has_received).finish()
    }
}

/// Future of [`Sender::closed`].
#[must_use = "futures do nothing unless you `.await` or poll them"]
pub struct Closed<'a, T> {
    shared: &'a Shared<T>,
    is_waiting: bool,
    point: Point,
    at: &'static Location<'static>,
}

impl<T> Future for Closed<'_, T> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let this = &mut *self;
        ready!(this.point.poll(context, &this.shared.resource, &CLOSED, this.at));
        let look = |state: &mut State<T>| matches!(state.phase, Phase::Over).then_some(());
        let poll = poll_state(this.shared, context.waker(), look, |state| &mut state.sender);
        this.is_waiting = poll.is_pending();
        if poll.is_pending() {
            note_wait(&this.shared.resource, &CLOSED, this.at);
        }
        poll
    }
}

impl<T> Drop for Closed<'_, T> {
    fn drop(&mut self) {
        if self.is_waiting {
            let target = self.shared.state.with(|state| state.sender.take());
            // Dropped here, where the state is not held.
            drop(target);
        } else if self.point.is_ahead() {
            note_unpolled(Some(&self.shared.resource), &CLOSED, self.at);
        }
    }
}

impl<T> fmt::Debug for Closed<'_, T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Closed").field("is_waiting", &self.is_waiting).finish()
    }
}

static RECV: Verb = Verb::new("recv", Access::Write);
static CLOSED: Verb = Verb::new("closed", Access::Read);

const KIND: &str = "oneshot";
const ONLY_SENT_ONCE: &str = "sending takes the sender";
