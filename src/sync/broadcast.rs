//! A channel whose every receiver gets every value.
//!
//! | you want | use |
//! |---|---|
//! | to tell many what happens, one thing after the other | [`channel`] |
//! | one more receiver, from now on | [`Sender::subscribe`], [`Receiver::resubscribe`] |
//! | each value to go to one of several | [`Queue`](super::Queue) |
//! | only the latest value | [`watch`](super::watch) |
//!
//! The last `capacity` values are kept for those who have not received them. Sending never waits: a
//! receiver that is slower than that loses the oldest ones, is told how many
//! ([`RecvError::Lagged`]), and goes on with the oldest that is kept.
//!
//! **When not to use it**: if no value may be lost (one [`Queue`](super::Queue) for each receiver slows
//! the sender down instead).
//!
//! # Examples
//! ```
//! # parcae::Sim::new(7).run(|| async {
//! use parcae::sync::broadcast::{self, RecvError};
//!
//! let (sender, mut first) = broadcast::channel(2);
//! let mut second = sender.subscribe();
//! sender.send("Clotho").expect("there are receivers");
//! assert_eq!(first.recv().await, Ok("Clotho"));
//! sender.send("Lachesis").expect("there are receivers");
//! sender.send("Atropos").expect("there are receivers");
//! assert_eq!(first.recv().await, Ok("Lachesis"));
//! assert_eq!(second.recv().await, Err(RecvError::Lagged(1)));
//! assert_eq!(second.recv().await, Ok("Lachesis"));
//! drop(sender);
//! assert_eq!(second.recv().await, Ok("Atropos"));
//! assert_eq!(second.recv().await, Err(RecvError::Closed));
//! # }).unwrap();
//! ```
//!
//! Waiting for what nobody sends is a deadlock, and the report names it:
//! ```
//! use parcae::{Sim, sync::broadcast};
//!
//! let outcome = Sim::new(7).run(|| async {
//!     let (_sender, mut news) = broadcast::channel_named::<u8>("news", 2);
//!     let _first = news.recv().await;
//! });
//! let failure = outcome.into_result().unwrap_err().to_string();
//! assert!(failure.contains("`main` waits for broadcast recv of `news`"));
//! ```

use std::collections::VecDeque;
use std::fmt;
use std::future::Future;
use std::mem;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

pub use super::error::SendError;
pub use super::error::broadcast::{RecvError, TryRecvError};
use super::primitive::{Line, Primitive, Wait, WaitState};
use super::waiters::{Waiters, Wakes};
use crate::kernel::{Access, Verb};

/// Makes a channel that keeps so many values for receivers that are behind.
///
/// Receivers share the values: between threads they need to be `Sync`, too.
///
/// # Panics
/// When the capacity is 0.
#[must_use]
#[track_caller]
pub fn channel<T>(capacity: usize) -> (Sender<T>, Receiver<T>) {
    with_primitive(Primitive::new(KIND, State::new(capacity)))
}

/// Makes a channel that keeps so many values, with a name for reports.
///
/// # Panics
/// When the capacity is 0.
#[must_use]
#[track_caller]
pub fn channel_named<T>(name: &'static str, capacity: usize) -> (Sender<T>, Receiver<T>) {
    with_primitive(Primitive::new(KIND, State::new(capacity)).named(name))
}

fn with_primitive<T>(primitive: Primitive<State<T>>) -> (Sender<T>, Receiver<T>) {
    let primitive = Arc::new(primitive);
    (Sender { primitive: primitive.clone() }, Receiver { primitive, next: 0 })
}

/// Values have numbers, in the order in which they were sent. `end` is the number of the next one; the
/// kept ones are those just before it.
struct State<T> {
    kept: VecDeque<Kept<T>>,
    end: u64,
    capacity: usize,
    senders: usize,
    receivers: usize,
    /// There is something that all who wait have to see.
    is_news: bool,
    waiters: Waiters,
}

struct Kept<T> {
    /// Shared, so that it is neither cloned nor dropped while the state is held.
    value: Arc<T>,
    /// How many receivers have not received it. Never fewer than of the one before it, so that what
    /// nobody needs any more is in front.
    unseen: usize,
}

impl<T> WaitState for State<T> {
    fn wake_due(&mut self, wakes: &mut Wakes) {
        if mem::take(&mut self.is_news) {
            self.waiters.wake_all(wakes);
        }
    }
}

impl<T> State<T> {
    #[track_caller]
    fn new(capacity: usize) -> Self {
        assert!(capacity > 0, "a broadcast of capacity 0 keeps no value: use 1 at least");
        Self {
            kept: VecDeque::new(),
            end: 0,
            capacity,
            senders: 1,
            receivers: 1,
            is_news: false,
            waiters: Waiters::default(),
        }
    }

    /// Returns the number of the oldest value that is kept.
    fn first(&self) -> u64 {
        self.end - self.kept.len() as u64
    }

    /// Returns the place of what a receiver gets next, beyond the last if it has got all.
    fn place(&self, next: u64) -> usize {
        let place = next.saturating_sub(self.first());
        usize::try_from(place).expect("a place among the kept ones, or just behind them")
    }

    /// Adds a value; returns what it drove out.
    fn push(&mut self, value: Arc<T>) -> Option<Kept<T>> {
        let oldest = if self.kept.len() == self.capacity { self.kept.pop_front() } else { None };
        self.kept.push_back(Kept { value, unseen: self.receivers });
        self.end += 1;
        self.is_news = true;
        oldest
    }

    fn take(&mut self, next: &mut u64) -> Result<Arc<T>, TryRecvError> {
        let first = self.first();
        if *next < first {
            let lost_count = first - *next;
            *next = first;
            return Err(TryRecvError::Lagged(lost_count));
        }
        let place = self.place(*next);
        let Some(kept) = self.kept.get_mut(place) else {
            return Err(if self.senders == 0 { TryRecvError::Closed } else { TryRecvError::Empty });
        };
        *next += 1;
        kept.unseen -= 1;
        if kept.unseen > 0 {
            return Ok(kept.value.clone());
        }
        let last = self.kept.remove(place).expect("it was there just now");
        Ok(last.value)
    }

    /// Takes leave of a receiver; returns what nobody else needs.
    fn leave(&mut self, next: u64) -> Vec<Kept<T>> {
        self.receivers -= 1;
        let place = self.place(next);
        for kept in self.kept.range_mut(place..) {
            kept.unseen -= 1;
        }
        let unneeded = self.kept.iter().take_while(|kept| kept.unseen == 0).count();
        self.kept.drain(..unneeded).collect()
    }

    /// Adds a receiver; returns the number of the first value that it gets.
    fn subscribe(&mut self) -> u64 {
        self.receivers += 1;
        self.end
    }
}

/// Sends values to all receivers. A clone is another handle.
pub struct Sender<T> {
    primitive: Arc<Primitive<State<T>>>,
}

impl<T> Sender<T> {
    /// Sends a value, and returns how many receivers there are. If so many values are kept as can be,
    /// the oldest is dropped.
    ///
    /// # Errors
    /// [`SendError`] with the value when there is no receiver.
    ///
    /// # Examples
    /// ```
    /// use parcae::sync::broadcast;
    ///
    /// let (sender, receiver) = broadcast::channel(2);
    /// assert_eq!(sender.send(1), Ok(1));
    /// drop(receiver);
    /// assert_eq!(sender.send(2), Err(broadcast::SendError(2)));
    /// ```
    pub fn send(&self, value: T) -> Result<usize, SendError<T>> {
        let value = Arc::new(value);
        // What is driven out is dropped here, not while the state is held.
        let (result, _oldest) = self.primitive.change(|state| match state.receivers {
            0 => (Err(value), None),
            receivers => (Ok(receivers), state.push(value)),
        });
        result.map_err(|value| SendError(Arc::into_inner(value).expect("it was given to nobody")))
    }

    /// Makes a receiver of what is sent from now on.
    ///
    /// # Examples
    /// ```
    /// let (sender, mut first) = parcae::sync::broadcast::channel(2);
    /// assert_eq!(sender.send(1), Ok(1));
    /// let mut second = sender.subscribe();
    /// assert_eq!(sender.send(2), Ok(2));
    /// assert_eq!((first.try_recv(), second.try_recv()), (Ok(1), Ok(2)));
    /// ```
    pub fn subscribe(&self) -> Receiver<T> {
        let next = self.primitive.change(State::subscribe);
        Receiver { primitive: self.primitive.clone(), next }
    }

    /// Counts the receivers.
    #[must_use]
    pub fn receiver_count(&self) -> usize {
        self.primitive.read(|state| state.receivers)
    }

    /// Counts the values that are kept for receivers that are behind.
    #[must_use]
    pub fn len(&self) -> usize {
        self.primitive.read(|state| state.kept.len())
    }

    /// Tells whether every value that was sent has been received by all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl<T> Clone for Sender<T> {
    fn clone(&self) -> Self {
        self.primitive.change(|state| state.senders += 1);
        Self { primitive: self.primitive.clone() }
    }
}

impl<T> Drop for Sender<T> {
    fn drop(&mut self) {
        self.primitive.change(|state| {
            state.senders -= 1;
            state.is_news = state.senders == 0;
        });
    }
}

impl<T> fmt::Debug for Sender<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Sender")
            .field("len", &self.len())
            .field("receivers", &self.receiver_count())
            .finish()
    }
}

/// Receives all values from the moment on at which it was made.
pub struct Receiver<T> {
    primitive: Arc<Primitive<State<T>>>,
    /// Number of the value that it gets next.
    next: u64,
}

impl<T> Receiver<T> {
    const WAITERS: Line<State<T>> = Line { verb: &RECV, waiters: |state| &mut state.waiters };

    /// Makes a receiver of what is sent from now on, by the same senders.
    ///
    /// # Examples
    /// ```
    /// use parcae::sync::broadcast::{self, TryRecvError};
    ///
    /// let (sender, receiver) = broadcast::channel(2);
    /// assert_eq!(sender.send(1), Ok(1));
    /// assert_eq!(receiver.resubscribe().try_recv(), Err(TryRecvError::Empty));
    /// ```
    #[must_use = "values are kept for it"]
    pub fn resubscribe(&self) -> Self {
        let next = self.primitive.change(State::subscribe);
        Self { primitive: self.primitive.clone(), next }
    }

    /// Counts the values that it can receive; those that are lost to it are not counted.
    #[must_use]
    pub fn len(&self) -> usize {
        self.primitive.read(|state| state.kept.len() - state.place(self.next))
    }

    /// Tells whether it has received every value that was sent.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl<T: Clone> Receiver<T> {
    /// Waits for the next value and returns a clone of it; the last receiver gets the value itself.
    ///
    /// # Errors
    /// [`RecvError::Lagged`] when values were lost to this receiver: the next call goes on behind them.
    /// [`RecvError::Closed`] when all senders were dropped and every value has been received.
    ///
    /// # Cancel safety
    /// Cancel safe: a value counts as received when the future is ready, and not before.
    ///
    /// # Examples
    /// ```
    /// # parcae::Sim::new(7).run(|| async {
    /// use parcae::{sync::broadcast, time::timeout};
    /// use std::time::Duration;
    ///
    /// let (sender, mut receiver) = broadcast::channel(2);
    /// assert!(timeout(Duration::from_secs(1), receiver.recv()).await.is_err());
    /// sender.send(1).expect("there is a receiver");
    /// assert_eq!(receiver.recv().await, Ok(1));
    /// # }).unwrap();
    /// ```
    #[track_caller]
    pub fn recv(&mut self) -> Recv<'_, T> {
        Recv { primitive: &self.primitive, next: &mut self.next, wait: Wait::new() }
    }

    /// Returns the next value if there is one.
    ///
    /// # Errors
    /// As of [`Receiver::recv`], and [`TryRecvError::Empty`] when nothing new has been sent.
    ///
    /// # Examples
    /// ```
    /// use parcae::sync::broadcast::{self, TryRecvError};
    ///
    /// let (sender, mut receiver) = broadcast::channel(2);
    /// assert_eq!(receiver.try_recv(), Err(TryRecvError::Empty));
    /// assert_eq!(sender.send(1), Ok(1));
    /// assert_eq!(receiver.try_recv(), Ok(1));
    /// ```
    pub fn try_recv(&mut self) -> Result<T, TryRecvError> {
        let Self { primitive, next } = self;
        primitive.change(|state| state.take(next)).map(Arc::unwrap_or_clone)
    }
}

impl<T> Drop for Receiver<T> {
    fn drop(&mut self) {
        let unneeded = self.primitive.change(|state| state.leave(self.next));
        // Dropped here, where the state is not held.
        drop(unneeded);
    }
}

impl<T> fmt::Debug for Receiver<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Receiver").field("len", &self.len()).finish()
    }
}

/// Future of [`Receiver::recv`].
#[must_use = "futures do nothing unless you `.await` or poll them"]
pub struct Recv<'a, T> {
    primitive: &'a Primitive<State<T>>,
    next: &'a mut u64,
    wait: Wait,
}

impl<T: Clone> Future for Recv<'_, T> {
    type Output = Result<T, RecvError>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let Self { primitive, next, wait } = self.get_mut();
        let poll =
            wait.poll(context, primitive, &Receiver::WAITERS, |state, _| match state.take(next) {
                Ok(value) => Some(Ok(value)),
                Err(TryRecvError::Empty) => None,
                Err(TryRecvError::Closed) => Some(Err(RecvError::Closed)),
                Err(TryRecvError::Lagged(count)) => Some(Err(RecvError::Lagged(count))),
            });
        // Cloned here, where the state is not held.
        poll.map_ok(Arc::unwrap_or_clone)
    }
}

impl<T> Drop for Recv<'_, T> {
    fn drop(&mut self) {
        self.wait.leave(self.primitive, &Receiver::WAITERS);
    }
}

impl<T> fmt::Debug for Recv<'_, T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Recv").field("wait", &self.wait).finish()
    }
}

static RECV: Verb = Verb::new("recv", Access::Read);

const KIND: &str = "broadcast";
