//! A queue.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use super::error::{GetError, PutError, TryGetError, TryPutError};
use super::items::Items;
use super::job::GetJob;
use super::primitive::{Line, Primitive, Wait, WaitState};
use super::waiters::{Waiters, Wakes};
use crate::kernel::{Access, Verb};

/// Hands items from those who put to those who get, first in, first out.
///
/// In another order: [`PriorityQueue`](super::PriorityQueue), [`LifoQueue`](super::LifoQueue).
///
/// A clone is another handle of the same queue. Those who wait are served in the order of their
/// arrival, on both sides: items stand in the order in which `put` was called (polled first, to be
/// exact), and the first to wait gets the first item, in whatever order the tasks run. A future that
/// is dropped gives up its turn and nothing else: an item that was assigned to a getter goes to the
/// next one that has not run, or stays where it was, in front; an item that was not put yet is dropped
/// with the `put`.
///
/// # Ends
/// [`Queue::close`] says that nothing more comes: puts fail and give their item back, gets take what is
/// left and then fail. Dropping handles does not close.
///
/// # Completion
/// The queue counts what was put and what was reported done. **Every item that was taken owes one
/// report**: [`Queue::task_done`] after [`Queue::get`], or [`Job::done`](super::Job::done) after
/// [`Queue::get_job`]. [`Queue::join`] waits until nothing is owed; a report that was forgotten shows
/// as a deadlock of `join`. Without `join` the reports may be left out.
///
/// **When not to use it**: to say *that* something happened ([`super::Event`]); unbounded where those
/// who put are faster than those who get, because nothing slows them down.
///
/// # Examples
/// ```
/// # parcae::Sim::new(7).run(|| async {
/// use parcae::sync::{GetError, Queue};
///
/// let queue = Queue::bounded(2);
/// let producer = parcae::spawn({
///     let queue = queue.clone();
///     async move {
///         for number in 0..5 {
///             queue.put(number).await.expect("not closed before all were put");
///         }
///         queue.close();
///     }
/// });
/// let mut received = Vec::new();
/// while let Ok(number) = queue.get().await {
///     received.push(number);
/// }
/// assert_eq!(received, [0, 1, 2, 3, 4]);
/// assert_eq!(queue.get().await, Err(GetError::Closed));
/// producer.await;
/// # }).unwrap();
/// ```
///
/// One item that was taken and not reported done, and `join` waits for ever:
/// ```
/// use parcae::{Sim, sync::Queue};
///
/// let outcome = Sim::new(7).run(|| async {
///     let orders = Queue::unbounded().named("orders");
///     orders.put("tea").await.expect("open");
///     let _tea = orders.get().await; // no `task_done`
///     orders.join().await;
/// });
/// let failure = outcome.into_result().unwrap_err().to_string();
/// assert!(failure.contains("`main` waits for Queue join of `orders`"));
/// ```
pub struct Queue<T> {
    shared: Arc<Shared<T>>,
}

struct Shared<T> {
    primitive: Primitive<State<T>>,
    /// Or [`UNBOUNDED`].
    capacity: usize,
}

/// A getter may go on when an item is left for it: rank below the number of items. First in, first out,
/// it takes the item at its rank, so who gets what does not depend on who runs first; in the other
/// orders it takes the best there is.
///
/// A putter may go on when it is the first and there is a place; the next one after it. One by one,
/// because what is put first must stand first.
struct State<T> {
    items: Items<T>,
    /// The same as in `Shared`, to be at hand in `wake_due`.
    capacity: usize,
    getters: Waiters,
    putters: Waiters,
    joiners: Waiters,
    put_count: u64,
    done_count: u64,
    is_closed: bool,
}

impl<T> WaitState for State<T> {
    #[inline]
    fn is_idle(&self) -> bool {
        self.getters.is_empty() && self.putters.is_empty() && self.joiners.is_empty()
    }

    #[inline]
    fn wake_due(&mut self, wakes: &mut Wakes) {
        if self.is_closed {
            self.wake_due_to_end(wakes);
        }
        let count = self.items.len();
        // One change makes at most one more getter due, the one that the last item is for.
        if count > 0 {
            self.getters.wake(count - 1, wakes);
        }
        if count < self.capacity {
            self.putters.wake(0, wakes);
        }
        if self.put_count == self.done_count && self.joiners.count() > 0 {
            self.joiners.wake_all(wakes);
        }
    }
}

impl<T> State<T> {
    #[cold]
    fn wake_due_to_end(&mut self, wakes: &mut Wakes) {
        self.putters.wake_all(wakes);
        if self.items.len() == 0 {
            self.getters.wake_all(wakes);
        }
    }

    fn take(&mut self, rank: usize) -> Option<Result<T, GetError>> {
        if let Some(item) = self.items.take(rank) {
            return Some(Ok(item));
        }
        // While an item is left for somebody else it may come back.
        (self.is_closed && self.items.len() == 0).then_some(Err(GetError::Closed))
    }

    fn can_put(&self, rank: usize) -> bool {
        rank == 0 && self.items.len() < self.capacity
    }

    fn push(&mut self, item: T) {
        self.put_count += 1;
        self.items.push(item);
    }
}

impl<T> Queue<T> {
    const GETTERS: Line<State<T>> = Line { verb: &GET, waiters: |state| &mut state.getters };
    const PUTTERS: Line<State<T>> = Line { verb: &PUT, waiters: |state| &mut state.putters };
    const JOINERS: Line<State<T>> = Line { verb: &JOIN, waiters: |state| &mut state.joiners };

    /// Makes a queue that holds at most so many items; puts wait while it is full.
    ///
    /// # Panics
    /// When the capacity is 0.
    #[must_use]
    #[track_caller]
    pub fn bounded(capacity: usize) -> Self {
        check_capacity(capacity);
        Self::with("Queue", Items::by_arrival(), capacity)
    }

    /// Makes a queue in which every item has a place: puts do not wait.
    #[must_use]
    #[track_caller]
    pub fn unbounded() -> Self {
        Self::with("Queue", Items::by_arrival(), UNBOUNDED)
    }

    #[track_caller]
    pub(super) fn with(kind: &'static str, items: Items<T>, capacity: usize) -> Self {
        let state = State {
            items,
            capacity,
            getters: Waiters::default(),
            putters: Waiters::default(),
            joiners: Waiters::default(),
            put_count: 0,
            done_count: 0,
            is_closed: false,
        };
        let shared = Shared { primitive: Primitive::new(kind, state), capacity };
        Self { shared: Arc::new(shared) }
    }

    /// Gives it a name for reports.
    ///
    /// # Panics
    /// When it has been cloned already.
    #[must_use]
    #[track_caller]
    pub fn named(self, name: &'static str) -> Self {
        let shared = Arc::into_inner(self.shared).expect("a queue is named before it is cloned");
        let Shared { primitive, capacity } = shared;
        Self { shared: Arc::new(Shared { primitive: primitive.named(name), capacity }) }
    }

    /// Waits for a place, after those who waited before, and puts the item there.
    ///
    /// # Errors
    /// [`PutError`] with the item when the queue is closed, also while this waits.
    ///
    /// # Cancel safety
    /// Cancel safe: the item is put when the future is ready, and never if it is dropped before. It is
    /// dropped with the future, and the place goes to the next waiter.
    ///
    /// # Examples
    /// ```
    /// # parcae::Sim::new(7).run(|| async {
    /// use parcae::sync::{PutError, Queue};
    ///
    /// let queue = Queue::bounded(1);
    /// queue.put("a").await.expect("open");
    /// queue.close();
    /// assert_eq!(queue.put("b").await, Err(PutError("b")));
    /// # }).unwrap();
    /// ```
    #[track_caller]
    pub fn put(&self, item: T) -> Put<'_, T> {
        Put { queue: self, item: Some(item), wait: Wait::new() }
    }

    /// Puts the item if there is a place and nobody waits for it.
    ///
    /// # Errors
    /// [`TryPutError`] with the item, when the queue is full or closed.
    ///
    /// # Examples
    /// ```
    /// use parcae::sync::{Queue, TryPutError};
    ///
    /// let queue = Queue::bounded(1);
    /// assert_eq!(queue.try_put(1), Ok(()));
    /// assert_eq!(queue.try_put(2), Err(TryPutError::Full(2)));
    /// ```
    pub fn try_put(&self, item: T) -> Result<(), TryPutError<T>> {
        self.shared.primitive.change(|state| {
            if state.is_closed {
                return Err(TryPutError::Closed(item));
            }
            if !state.can_put(state.putters.count()) {
                return Err(TryPutError::Full(item));
            }
            state.push(item);
            Ok(())
        })
    }

    /// Waits for an item, after those who waited before, and takes it.
    ///
    /// The item owes a [`Queue::task_done`], if anybody joins the queue.
    ///
    /// # Errors
    /// [`GetError::Closed`] when the queue is closed and every item has been taken.
    ///
    /// # Cancel safety
    /// Cancel safe: an item that was assigned to the future goes to the next waiter, or stays in front.
    ///
    /// # Examples
    /// ```
    /// # parcae::Sim::new(7).run(|| async {
    /// use parcae::{sync::Queue, time::timeout};
    /// use std::time::Duration;
    ///
    /// let queue = Queue::unbounded();
    /// assert!(timeout(Duration::from_secs(1), queue.get()).await.is_err());
    /// queue.put(1).await.expect("open");
    /// assert_eq!(queue.get().await, Ok(1));
    /// # }).unwrap();
    /// ```
    #[track_caller]
    pub fn get(&self) -> Get<'_, T> {
        Get { queue: self, wait: Wait::new() }
    }

    /// Waits for an item as [`Queue::get`] does, and takes it with what reports it done.
    ///
    /// # Errors
    /// [`GetError::Closed`] when the queue is closed and every item has been taken.
    ///
    /// # Cancel safety
    /// Cancel safe, as [`Queue::get`] is.
    ///
    /// # Examples
    /// ```
    /// # parcae::Sim::new(7).run(|| async {
    /// let queue = parcae::sync::Queue::unbounded();
    /// queue.put(20).await.expect("open");
    /// let job = queue.get_job().await.expect("not closed");
    /// assert_eq!(*job + 1, 21);
    /// job.done();
    /// queue.join().await;
    /// # }).unwrap();
    /// ```
    #[track_caller]
    pub fn get_job(&self) -> GetJob<'_, T> {
        GetJob::new(self.get())
    }

    /// Takes an item if there is one that nobody waits for.
    ///
    /// # Errors
    /// [`TryGetError::Empty`] when there is none, [`TryGetError::Closed`] when none will come.
    ///
    /// # Examples
    /// ```
    /// use parcae::sync::{Queue, TryGetError};
    ///
    /// let queue = Queue::unbounded();
    /// assert_eq!(queue.try_get(), Err(TryGetError::Empty));
    /// queue.try_put(1).expect("open and unbounded");
    /// assert_eq!(queue.try_get(), Ok(1));
    /// ```
    pub fn try_get(&self) -> Result<T, TryGetError> {
        self.shared.primitive.change(|state| match state.take(state.getters.count()) {
            Some(taken) => taken.map_err(|GetError::Closed| TryGetError::Closed),
            None => Err(TryGetError::Empty),
        })
    }

    /// Reports that one item that was taken is done.
    ///
    /// # Panics
    /// When it is called more often than items were put.
    ///
    /// # Examples
    /// ```should_panic
    /// let queue = parcae::sync::Queue::unbounded();
    /// queue.try_put(1).expect("open and unbounded");
    /// queue.task_done();
    /// queue.task_done(); // panics
    /// ```
    #[track_caller]
    pub fn task_done(&self) {
        let (is_owed, put_count) = self.shared.primitive.change(|state| {
            let is_owed = state.done_count < state.put_count;
            state.done_count += u64::from(is_owed);
            (is_owed, state.put_count)
        });
        assert!(
            is_owed,
            "an item was reported done, but all {put_count} that were put were before"
        );
    }

    /// Waits until every item that was put has been reported done.
    ///
    /// Looks again when it runs: an item that was put since it was woken is waited for too. Items that
    /// a waiting `put` holds do not count.
    ///
    /// # Cancel safety
    /// Cancel safe: nothing is taken.
    ///
    /// # Examples
    /// ```
    /// # parcae::Sim::new(7).run(|| async {
    /// let queue = parcae::sync::Queue::unbounded();
    /// queue.join().await; // nothing was put
    /// queue.put(1).await.expect("open");
    /// let worker = parcae::spawn({
    ///     let queue = queue.clone();
    ///     async move {
    ///         let _one = queue.get().await;
    ///         queue.task_done();
    ///     }
    /// });
    /// queue.join().await;
    /// worker.await;
    /// # }).unwrap();
    /// ```
    #[track_caller]
    pub fn join(&self) -> Join<'_, T> {
        Join { queue: self, wait: Wait::new() }
    }

    /// Closes the queue: puts fail from here on, those that wait too; gets fail once all items have
    /// been taken. Nothing happens when it is closed already.
    pub fn close(&self) {
        self.shared.primitive.change(|state| state.is_closed = true);
    }

    /// Closes the queue and returns what was in it, in the order of taking. Those items count as done; what was
    /// taken before still owes its report.
    ///
    /// # Examples
    /// ```
    /// # parcae::Sim::new(7).run(|| async {
    /// let queue = parcae::sync::Queue::unbounded();
    /// queue.put(1).await.expect("open");
    /// queue.put(2).await.expect("open");
    /// assert_eq!(queue.shutdown_now(), [1, 2]);
    /// queue.join().await;
    /// # }).unwrap();
    /// ```
    #[must_use = "what is returned was not worked off"]
    pub fn shutdown_now(&self) -> Vec<T> {
        let items = self.shared.primitive.change(|state| {
            state.is_closed = true;
            // Fewer when more was reported done than was taken: that is owed no more.
            let owed_count = state.put_count - state.done_count;
            state.done_count += owed_count.min(state.items.len() as u64);
            state.items.take_all()
        });
        items.into_vec()
    }

    /// Tells whether the queue is closed.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.shared.primitive.read(|state| state.is_closed)
    }

    /// Counts the items that can be taken, those included that waiters are about to take.
    #[must_use]
    pub fn len(&self) -> usize {
        self.shared.primitive.read(|state| state.items.len())
    }

    /// Tells whether there is no item.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Counts the items that were put and not reported done.
    #[must_use]
    pub fn unfinished(&self) -> u64 {
        self.shared.primitive.read(|state| state.put_count - state.done_count)
    }

    /// Returns how many items there can be; none for an unbounded queue.
    #[must_use]
    pub fn capacity(&self) -> Option<usize> {
        Some(self.shared.capacity).filter(|capacity| *capacity != UNBOUNDED)
    }
}

impl<T> Clone for Queue<T> {
    fn clone(&self) -> Self {
        Self { shared: self.shared.clone() }
    }
}

impl<T> fmt::Debug for Queue<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.format("Queue", formatter)
    }
}

impl<T> Queue<T> {
    pub(super) fn format(&self, kind: &str, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct(kind)
            .field("len", &self.len())
            .field("capacity", &self.capacity())
            .field("unfinished", &self.unfinished())
            .field("is_closed", &self.is_closed())
            .finish()
    }
}

/// Future of [`Queue::put`].
#[derive(Debug)]
#[must_use = "futures do nothing unless you `.await` or poll them"]
pub struct Put<'a, T> {
    queue: &'a Queue<T>,
    /// None when it has been put.
    item: Option<T>,
    wait: Wait,
}

// The item is never pinned: it is moved into the queue.
impl<T> Unpin for Put<'_, T> {}

impl<T> Future for Put<'_, T> {
    type Output = Result<(), PutError<T>>;

    #[inline]
    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let Self { queue, item, wait } = self.get_mut();
        wait.poll(context, &queue.shared.primitive, &Queue::PUTTERS, |state, place| {
            if state.is_closed {
                return Some(Err(PutError(item.take().expect(POLLED_AGAIN))));
            }
            state.can_put(place.rank).then(|| {
                state.push(item.take().expect(POLLED_AGAIN));
                Ok(())
            })
        })
    }
}

impl<T> Drop for Put<'_, T> {
    #[inline]
    fn drop(&mut self) {
        self.wait.leave(&self.queue.shared.primitive, &Queue::PUTTERS);
    }
}

/// Future of [`Queue::get`].
#[derive(Debug)]
#[must_use = "futures do nothing unless you `.await` or poll them"]
pub struct Get<'a, T> {
    queue: &'a Queue<T>,
    wait: Wait,
}

impl<T> Get<'_, T> {
    pub(super) fn queue(&self) -> &Queue<T> {
        self.queue
    }
}

impl<T> Future for Get<'_, T> {
    type Output = Result<T, GetError>;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let queue = self.queue;
        let primitive = &queue.shared.primitive;
        self.wait.poll(context, primitive, &Queue::GETTERS, |state, place| state.take(place.rank))
    }
}

impl<T> Drop for Get<'_, T> {
    #[inline]
    fn drop(&mut self) {
        self.wait.leave(&self.queue.shared.primitive, &Queue::GETTERS);
    }
}

/// Future of [`Queue::join`].
#[derive(Debug)]
#[must_use = "futures do nothing unless you `.await` or poll them"]
pub struct Join<'a, T> {
    queue: &'a Queue<T>,
    wait: Wait,
}

impl<T> Future for Join<'_, T> {
    type Output = ();

    #[inline]
    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let queue = self.queue;
        self.wait.poll(context, &queue.shared.primitive, &Queue::JOINERS, |state, _| {
            (state.put_count == state.done_count).then_some(())
        })
    }
}

impl<T> Drop for Join<'_, T> {
    #[inline]
    fn drop(&mut self) {
        self.wait.leave(&self.queue.shared.primitive, &Queue::JOINERS);
    }
}

/// Refuses a capacity that no item has a place in.
#[track_caller]
pub(super) fn check_capacity(capacity: usize) {
    assert!(capacity > 0, "a queue of capacity 0 takes no item: use 1, or `unbounded`");
}

/// Capacity of a queue in which every item has a place.
pub(super) const UNBOUNDED: usize = usize::MAX;

static PUT: Verb = Verb::new("put", Access::Write);
static GET: Verb = Verb::new("get", Access::Write);
static JOIN: Verb = Verb::new("join", Access::Read);

const POLLED_AGAIN: &str = "a `put` is not polled again when it has ended";
