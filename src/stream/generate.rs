//! Streams that are written as functions.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use pin_project_lite::pin_project;

use super::Stream;

/// Makes a stream of what a body emits.
///
/// The body runs only while somebody waits for the next item, and stands still at its `emit` until
/// the item after that is asked for. A stream that is dropped drops the body where it stands, so
/// what the body owns is cleaned up by its destructors; code after the `emit` does not run. The
/// body is dropped as soon as it ends.
///
/// # Examples
/// ```
/// # parcae::Sim::new(7).run(|| async {
/// use parcae::stream::{StreamExt, generate};
/// use std::time::Duration;
///
/// let ticks = generate(async |y| {
///     for tick in 0.. {
///         parcae::time::sleep(Duration::from_secs(1)).await;
///         y.emit(tick).await;
///     }
/// });
/// assert_eq!(ticks.take(3).collect::<Vec<_>>().await, [0, 1, 2]);
/// # }).unwrap();
/// ```
///
/// The emitter cannot leave the body, so no item can be emitted while nobody waits for one:
/// ```compile_fail
/// let stream = parcae::stream::generate(async |y| {
///     parcae::spawn(async move { y.emit(1).await }).await;
/// });
/// ```
pub fn generate<T, F>(body: F) -> Generate<T, impl Future<Output = ()>>
where
    F: AsyncFnOnce(&mut Emitter<T>),
{
    let slot = Arc::new(Slot::default());
    let mut emitter = Emitter { slot: slot.clone() };
    Generate { slot, body: Some(async move { body(&mut emitter).await }) }
}

/// Makes a stream of what a body emits, which ends with the body's error if it has one.
///
/// As [`generate`], and the body may use `?`.
///
/// # Examples
/// ```
/// # parcae::Sim::new(7).run(|| async {
/// use parcae::stream::{StreamExt, try_generate};
///
/// let numbers = try_generate(async |y| {
///     for text in ["1", "2", "x", "4"] {
///         y.emit(text.parse::<u32>()?).await;
///     }
///     Ok::<_, std::num::ParseIntError>(())
/// });
/// let numbers: Vec<_> = numbers.map(Result::ok).collect().await;
/// assert_eq!(numbers, [Some(1), Some(2), None]);
/// # }).unwrap();
/// ```
pub fn try_generate<T, E, F>(body: F) -> TryGenerate<T, impl Future<Output = Result<(), E>>>
where
    F: AsyncFnOnce(&mut Emitter<T>) -> Result<(), E>,
{
    let slot = Arc::new(Slot::default());
    let mut emitter = Emitter { slot: slot.clone() };
    TryGenerate { slot, body: Some(async move { body(&mut emitter).await }) }
}

pin_project! {
    /// Stream of [`generate`].
    #[must_use = "streams do nothing unless they are polled"]
    pub struct Generate<T, B> {
        slot: Arc<Slot<T>>,
        // None once it has ended.
        #[pin]
        body: Option<B>,
    }
}

impl<T, B: Future<Output = ()>> Stream for Generate<T, B> {
    type Item = T;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<T>> {
        let this = self.project();
        match this.slot.run(this.body, context) {
            Step::Emitted(item) => Poll::Ready(Some(item)),
            Step::Ended(_) => Poll::Ready(None),
            Step::Waits => Poll::Pending,
        }
    }
}

impl<T, B> fmt::Debug for Generate<T, B> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let has_ended = self.body.is_none();
        formatter.debug_struct("Generate").field("has_ended", &has_ended).finish_non_exhaustive()
    }
}

pin_project! {
    /// Stream of [`try_generate`] and [`super::pages`].
    #[must_use = "streams do nothing unless they are polled"]
    pub struct TryGenerate<T, B> {
        slot: Arc<Slot<T>>,
        // None once it has ended.
        #[pin]
        body: Option<B>,
    }
}

impl<T, E, B: Future<Output = Result<(), E>>> Stream for TryGenerate<T, B> {
    type Item = Result<T, E>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.project();
        match this.slot.run(this.body, context) {
            Step::Emitted(item) => Poll::Ready(Some(Ok(item))),
            Step::Ended(Some(Err(error))) => Poll::Ready(Some(Err(error))),
            Step::Ended(_) => Poll::Ready(None),
            Step::Waits => Poll::Pending,
        }
    }
}

impl<T, B> fmt::Debug for TryGenerate<T, B> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let has_ended = self.body.is_none();
        formatter.debug_struct("TryGenerate").field("has_ended", &has_ended).finish_non_exhaustive()
    }
}

/// Emits the items of a stream; what [`generate`] gives to its body.
pub struct Emitter<T> {
    slot: Arc<Slot<T>>,
}

impl<T> Emitter<T> {
    /// Gives the next item to whoever waits for it, and waits until one more is asked for.
    ///
    /// # Cancel safety
    /// Cancel safe: an item that nobody has taken is dropped with the future, and is not emitted.
    ///
    /// # Examples
    /// ```
    /// # parcae::Sim::new(7).run(|| async {
    /// use parcae::stream::{StreamExt, generate};
    ///
    /// let answers = generate(async |y| y.emit(42).await);
    /// assert_eq!(answers.collect::<Vec<_>>().await, [42]);
    /// # }).unwrap();
    /// ```
    pub fn emit(&mut self, item: T) -> Emit<'_, T> {
        Emit { slot: &self.slot, item: Some(item) }
    }
}

impl<T> fmt::Debug for Emitter<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Emitter")
    }
}

/// Future of [`Emitter::emit`].
#[must_use = "futures do nothing unless you `.await` or poll them"]
pub struct Emit<'a, T> {
    slot: &'a Slot<T>,
    /// None once it is in the slot.
    item: Option<T>,
}

impl<T> Unpin for Emit<'_, T> {}

impl<T> Future for Emit<'_, T> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let item = self.item.take();
        let was_new = item.is_some();
        let waker = context.waker().clone();
        let mut place = self.slot.place();
        if was_new {
            place.item = item;
        }
        if place.item.is_none() {
            return Poll::Ready(());
        }
        let replaced = place.emitter.replace(waker);
        drop(place);
        drop(replaced);
        Poll::Pending
    }
}

impl<T> Drop for Emit<'_, T> {
    fn drop(&mut self) {
        if self.item.is_none() {
            drop(self.slot.take());
        }
    }
}

impl<T> fmt::Debug for Emit<'_, T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Emit")
    }
}

/// What an item passes through from the body to the consumer.
struct Slot<T>(Mutex<SlotPlace<T>>);

struct SlotPlace<T> {
    item: Option<T>,
    /// Who waits in `emit`.
    emitter: Option<Waker>,
}

impl<T> Default for Slot<T> {
    fn default() -> Self {
        Self(Mutex::new(SlotPlace { item: None, emitter: None }))
    }
}

impl<T> Slot<T> {
    /// Runs a body to its next item or its end.
    fn run<B: Future>(
        &self,
        mut body: Pin<&mut Option<B>>,
        context: &mut Context<'_>,
    ) -> Step<T, B::Output> {
        let Some(running) = body.as_mut().as_pin_mut() else { return Step::Ended(None) };
        let emitter = self.place().emitter.take();
        // A combinator in the body that wraps wakers polls only the children that were woken.
        if let Some(emitter) = emitter
            && !emitter.will_wake(context.waker())
        {
            emitter.wake();
        }
        let poll = running.poll(context);
        if poll.is_ready() {
            body.set(None);
        }
        match (self.take(), poll) {
            (Some(item), _) => Step::Emitted(item),
            (None, Poll::Ready(output)) => Step::Ended(Some(output)),
            (None, Poll::Pending) => Step::Waits,
        }
    }

    fn take(&self) -> Option<T> {
        self.place().item.take()
    }

    // Nothing of the user's runs while it is held, so poisoning is ignored.
    fn place(&self) -> MutexGuard<'_, SlotPlace<T>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What came of running a body.
enum Step<T, R> {
    Emitted(T),
    /// With what it returned, unless it ended before.
    Ended(Option<R>),
    Waits,
}
