//! Stand-ins for async functions.
//!
//! | you want | use |
//! |---|---|
//! | a function that answers as the test says | [`AsyncFn`] |
//! | to know with what it was called, and what became of each call | [`AsyncFn::calls`], [`Call`] |
//!
//! A mock is a future like any other: it can take time, fail, wait for ever and be cancelled. That it was
//! *called* says only that the future was made; that it was *awaited* says that the future was polled.
//!
//! **When not to use it**: for something with a state of its own, such as a database. Write that down as
//! a plain struct; a script of answers knows nothing of what came before.
//!
//! Names follow Python's `AsyncMock`.

mod script;

use std::fmt::{self, Debug, Write as _};
use std::future::Future;
use std::panic::Location;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use crate::executor::{Access, Place, Point, Resource, Verb, note_wait};
use crate::time::{Sleep, sleep};

use self::script::{Answer, Otherwise, Script, Step};

/// A stand-in for an async function from `A` to `T`, which answers by a script and records its calls.
///
/// [`AsyncFn::returns`], [`AsyncFn::then`], [`AsyncFn::error`] and [`AsyncFn::hangs`] each say how one
/// call is answered, the first one the first call; [`AsyncFn::after`] says how long the one before it takes.
/// Calls beyond the script panic, unless [`AsyncFn::otherwise`] or [`AsyncFn::otherwise_hangs`] says how
/// they are answered. A function of several arguments takes a tuple.
///
/// Clones are handles of one mock: give one to the program and keep one. Each call is a point at which
/// another task may go first. Without delays it works on any executor.
///
/// # Examples
/// ```
/// # parcae::Sim::new(7).run(|| async {
/// use parcae::testing::mock::AsyncFn;
/// use parcae::time::timeout;
/// use std::time::Duration;
///
/// let charge = AsyncFn::new()
///     .named("charge")
///     .returns(Ok(17)).after(Duration::from_secs(2))
///     .error("card refused")
///     .hangs();
///
/// assert_eq!(charge.call("tea").await, Ok(17));
/// assert_eq!(charge.call("cake").await, Err("card refused"));
/// assert!(timeout(Duration::from_secs(60), charge.call("piano")).await.is_err());
///
/// assert_eq!((charge.call_count(), charge.completed_count(), charge.cancelled_count()), (3, 2, 1));
/// charge.assert_any_await(&"cake");
/// # }).unwrap();
/// ```
///
/// A future that is made and never awaited does nothing, and the mock tells:
/// ```should_panic
/// # parcae::Sim::new(7).run(|| async {
/// let send = parcae::testing::mock::AsyncFn::new().named("send").returns(());
/// drop(send.call("hello")); // the `.await` was forgotten
/// send.assert_called_once_with(&"hello");
/// send.assert_awaited_once_with(&"hello"); // panics
/// # }).unwrap();
/// ```
pub struct AsyncFn<A, T> {
    shared: Arc<Shared<A, T>>,
}

struct Shared<A, T> {
    resource: Resource,
    state: Mutex<State<A, T>>,
}

struct State<A, T> {
    name: Option<&'static str>,
    script: Script<A, T>,
    calls: Vec<Recorded<A>>,
}

/// A call that was made.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Recorded<A> {
    /// With what.
    pub args: A,
    /// Where.
    pub called_at: Place,
    /// What has become of it.
    pub state: CallState,
}

/// What has become of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CallState {
    /// It was made, and not polled so far.
    Called,
    /// It was dropped without having been polled.
    NeverAwaited,
    /// It was polled, and has not ended.
    Awaited,
    /// It has returned.
    Completed,
    /// It was polled, and dropped before it had ended.
    Cancelled,
}

impl CallState {
    /// Tells whether the call was polled at least once.
    #[must_use]
    pub fn is_awaited(self) -> bool {
        matches!(self, Self::Awaited | Self::Completed | Self::Cancelled)
    }
}

impl fmt::Display for CallState {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Called => "not awaited so far",
            Self::NeverAwaited => "dropped without having been awaited",
            Self::Awaited => "awaited, has not ended",
            Self::Completed => "completed",
            Self::Cancelled => "cancelled",
        })
    }
}

// The script

impl<A, T> AsyncFn<A, T> {
    /// Makes a mock without a script: it panics at its first call.
    #[must_use]
    #[track_caller]
    pub fn new() -> Self {
        let state = State { name: None, script: Script::new(), calls: Vec::new() };
        let resource = Resource::new("AsyncFn");
        Self { shared: Arc::new(Shared { resource, state: Mutex::new(state) }) }
    }

    /// Gives it a name, for reports and for the messages of its assertions.
    ///
    /// # Panics
    /// When it has been cloned or called.
    #[must_use]
    #[track_caller]
    pub fn named(self, name: &'static str) -> Self {
        let Ok(shared) = Arc::try_unwrap(self.shared) else {
            panic!("a mock gets its name before it is cloned or called");
        };
        let mut state = shared.state.into_inner().unwrap_or_else(PoisonError::into_inner);
        state.name = Some(name);
        let resource = shared.resource.named(name);
        Self { shared: Arc::new(Shared { resource, state: Mutex::new(state) }) }
    }

    /// Lets the next call that has no answer return this.
    #[must_use]
    pub fn returns(self, value: T) -> Self {
        self.step(Answer::Value(value))
    }

    /// Lets the next call that has no answer return what the closure makes of the arguments.
    ///
    /// # Examples
    /// ```
    /// # parcae::Sim::new(7).run(|| async {
    /// use parcae::testing::mock::AsyncFn;
    ///
    /// let double = AsyncFn::new().then(|number: &u32| number * 2);
    /// assert_eq!(double.call(4).await, 8);
    /// # }).unwrap();
    /// ```
    #[must_use]
    pub fn then(self, answer: impl FnOnce(&A) -> T + Send + 'static) -> Self {
        self.step(Answer::Made(Box::new(answer)))
    }

    /// Lets the next call that has no answer never return.
    #[must_use]
    pub fn hangs(self) -> Self {
        self.step(Answer::Never)
    }

    /// Lets the call that was scripted last take so long before it returns, from its first poll on.
    ///
    /// # Panics
    /// When nothing was scripted. A call that takes time panics outside of a parcae runtime.
    #[must_use]
    #[track_caller]
    pub fn after(self, delay: Duration) -> Self {
        let is_set = self.lock().script.delay_last(delay);
        assert!(is_set, "`after` says how long a call takes: say first how it is answered");
        self
    }

    /// Lets all calls beyond the script return what the closure makes of the arguments.
    ///
    /// # Examples
    /// ```
    /// # parcae::Sim::new(7).run(|| async {
    /// use parcae::testing::mock::AsyncFn;
    ///
    /// let fetch = AsyncFn::new().error("busy").otherwise(|page: &u32| Ok(page + 1));
    /// assert_eq!(fetch.call(1).await, Err("busy"));
    /// assert_eq!(fetch.call(1).await, Ok(2));
    /// assert_eq!(fetch.call(7).await, Ok(8));
    /// # }).unwrap();
    /// ```
    #[must_use]
    pub fn otherwise(self, answer: impl Fn(&A) -> T + Send + Sync + 'static) -> Self {
        self.lock().script.otherwise = Otherwise::Made(Arc::new(answer));
        self
    }

    /// Lets all calls beyond the script never return.
    #[must_use]
    pub fn otherwise_hangs(self) -> Self {
        self.lock().script.otherwise = Otherwise::Never;
        self
    }

    fn step(self, answer: Answer<A, T>) -> Self {
        self.lock().script.steps.push_back(Step { answer, delay: Duration::ZERO });
        self
    }

    fn lock(&self) -> MutexGuard<'_, State<A, T>> {
        self.shared.lock()
    }
}

impl<A, V, E> AsyncFn<A, Result<V, E>> {
    /// Lets the next call that has no answer fail with this.
    #[must_use]
    pub fn error(self, error: E) -> Self {
        self.returns(Err(error))
    }
}

// Calling

impl<A: Clone + Debug, T> AsyncFn<A, T> {
    /// Calls it. The answer is decided here, so of two calls the one that is made first has the first.
    ///
    /// # Panics
    /// When the script has no answer for it.
    ///
    /// # Cancel safety
    /// Its answer is used up by the call. A call that was polled and is dropped counts as cancelled.
    #[track_caller]
    pub fn call(&self, args: A) -> Call<A, T> {
        let at = Location::caller();
        let (called_at, state) = (Place::from(at), CallState::Called);
        // Made before the state is held: `Clone` is code of the user's.
        let record = Recorded { args: args.clone(), called_at, state };
        let (number, step) = {
            let mut state = self.lock();
            state.calls.push(record);
            (state.calls.len(), state.script.next())
        };
        let Some(Step { answer, delay }) = step else {
            panic!("{} has no answer for call {number}, with {args:?}", self.name());
        };
        let shared = self.shared.clone();
        let (answer, point) = (Some(answer), Point::new());
        Call { shared, place: number - 1, args, answer, delay, sleep: None, point, at }
    }
}

/// Future of [`AsyncFn::call`].
#[must_use = "futures do nothing unless you `.await` or poll them"]
pub struct Call<A, T> {
    shared: Arc<Shared<A, T>>,
    /// Where it stands among the calls.
    place: usize,
    args: A,
    /// None when it has been given.
    answer: Option<Answer<A, T>>,
    delay: Duration,
    sleep: Option<Sleep>,
    point: Point,
    at: &'static Location<'static>,
}

// Neither arguments nor answer are ever pinned: they are moved out.
impl<A, T> Unpin for Call<A, T> {}

impl<A, T> Future for Call<A, T> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<T> {
        self.shared.record(self.place, CallState::Awaited);
        let this = &mut *self;
        ready!(this.point.poll(context, &this.shared.resource, &CALL, this.at));
        let hangs = matches!(this.answer, Some(Answer::Never));
        if hangs || this.poll_delay(context).is_pending() {
            note_wait(&this.shared.resource, &CALL, this.at);
            return Poll::Pending;
        }
        let answer = this.answer.take().expect("a call is not polled again when it has ended");
        let value = answer.give(&this.args).expect("a call that hangs has pended");
        this.shared.record(this.place, CallState::Completed);
        Poll::Ready(value)
    }
}

impl<A, T> Call<A, T> {
    fn poll_delay(&mut self, context: &mut Context<'_>) -> Poll<()> {
        if self.delay.is_zero() {
            return Poll::Ready(());
        }
        let sleep = self.sleep.get_or_insert_with(|| sleep(self.delay));
        Pin::new(sleep).poll(context)
    }
}

impl<A, T> Drop for Call<A, T> {
    fn drop(&mut self) {
        let state = &mut self.shared.lock().calls[self.place].state;
        *state = match *state {
            CallState::Called => CallState::NeverAwaited,
            CallState::Awaited => CallState::Cancelled,
            over => over,
        };
    }
}

// Looking

impl<A, T> AsyncFn<A, T> {
    /// Counts the calls, awaited or not.
    #[must_use]
    pub fn call_count(&self) -> usize {
        self.lock().calls.len()
    }

    /// Counts the calls that were polled at least once.
    #[must_use]
    pub fn await_count(&self) -> usize {
        self.count(CallState::is_awaited)
    }

    /// Counts the calls that have returned.
    #[must_use]
    pub fn completed_count(&self) -> usize {
        self.count(|state| state == CallState::Completed)
    }

    /// Counts the calls that were polled and dropped before they had ended.
    #[must_use]
    pub fn cancelled_count(&self) -> usize {
        self.count(|state| state == CallState::Cancelled)
    }

    fn name(&self) -> String {
        match self.lock().name {
            Some(name) => format!("`{name}`"),
            None => "the mock".to_owned(),
        }
    }

    fn count(&self, is_counted: impl Fn(CallState) -> bool) -> usize {
        self.lock().calls.iter().filter(|call| is_counted(call.state)).count()
    }
}

impl<A: Clone, T> AsyncFn<A, T> {
    /// Returns all calls in the order in which they were made.
    #[must_use]
    pub fn calls(&self) -> Vec<Recorded<A>> {
        self.lock().calls.clone()
    }
}

// Asserting

impl<A: Clone + Debug + PartialEq, T> AsyncFn<A, T> {
    /// Asserts that it was called once, and with this.
    ///
    /// # Panics
    /// Otherwise, with the calls that there were.
    #[track_caller]
    pub fn assert_called_once_with(&self, args: &A) {
        self.assert_calls("called once", args, Subject::Called, |found| found == [true]);
    }

    /// Asserts that some call was made with this.
    ///
    /// # Panics
    /// Otherwise, with the calls that there were.
    #[track_caller]
    pub fn assert_any_call(&self, args: &A) {
        self.assert_calls("called", args, Subject::Called, |found| found.contains(&true));
    }

    /// Asserts that the calls were these, in this order.
    ///
    /// # Panics
    /// Otherwise, with the calls that there were.
    #[track_caller]
    pub fn assert_calls_are(&self, wanted: &[A]) {
        let calls = self.calls();
        let is_met = calls.iter().map(|call| &call.args).eq(wanted);
        assert!(
            is_met,
            "{} was to be called with {wanted:?}, in this order{}",
            self.name(),
            listed(&calls)
        );
    }

    /// Asserts that it was not called.
    ///
    /// # Panics
    /// Otherwise, with the calls that there were.
    #[track_caller]
    pub fn assert_not_called(&self) {
        let calls = self.calls();
        assert!(calls.is_empty(), "{} was not to be called{}", self.name(), listed(&calls));
    }

    /// Asserts that one call was awaited, polled at least once, and that it was made with this.
    ///
    /// # Panics
    /// Otherwise, with the calls that there were.
    #[track_caller]
    pub fn assert_awaited_once_with(&self, args: &A) {
        self.assert_calls("awaited once", args, Subject::Awaited, |found| found == [true]);
    }

    /// Asserts that some call that was made with this was awaited.
    ///
    /// # Panics
    /// Otherwise, with the calls that there were.
    #[track_caller]
    pub fn assert_any_await(&self, args: &A) {
        self.assert_calls("awaited", args, Subject::Awaited, |found| found.contains(&true));
    }

    /// Asserts that no call was awaited.
    ///
    /// # Panics
    /// Otherwise, with the calls that there were.
    #[track_caller]
    pub fn assert_not_awaited(&self) {
        let calls = self.calls();
        let is_met = !calls.iter().any(|call| call.state.is_awaited());
        assert!(is_met, "{} was not to be awaited{}", self.name(), listed(&calls));
    }

    /// Hands over of each call that counts whether it was made with `args`.
    #[track_caller]
    fn assert_calls(
        &self,
        what: &str,
        args: &A,
        subject: Subject,
        is_met: impl Fn(&[bool]) -> bool,
    ) {
        let calls = self.calls();
        let counted =
            calls.iter().filter(|call| subject == Subject::Called || call.state.is_awaited());
        let found: Vec<bool> = counted.map(|call| call.args == *args).collect();
        assert!(is_met(&found), "{} was to be {what} with {args:?}{}", self.name(), listed(&calls));
    }
}

/// Which calls an assertion is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Subject {
    Called,
    Awaited,
}

fn listed<A: Debug>(calls: &[Recorded<A>]) -> String {
    if calls.is_empty() {
        return "; it was never called".to_owned();
    }
    let mut text = "; its calls were".to_owned();
    for (place, Recorded { args, called_at, state }) in calls.iter().enumerate() {
        write!(text, "\n    {}. {args:?} at {called_at}: {state}", place + 1)
            .expect("writing to a string does not fail");
    }
    text
}

impl<A, T> Shared<A, T> {
    fn lock(&self) -> MutexGuard<'_, State<A, T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn record(&self, place: usize, state: CallState) {
        self.lock().calls[place].state = state;
    }
}

impl<A, T> Clone for AsyncFn<A, T> {
    fn clone(&self) -> Self {
        Self { shared: self.shared.clone() }
    }
}

impl<A, T> Default for AsyncFn<A, T> {
    #[track_caller]
    fn default() -> Self {
        Self::new()
    }
}

impl<A, T> Debug for AsyncFn<A, T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, calls, scripted) = {
            let state = self.lock();
            (state.name, state.calls.len(), state.script.steps.len())
        };
        formatter
            .debug_struct("AsyncFn")
            .field("name", &name)
            .field("calls", &calls)
            .field("scripted", &scripted)
            .finish()
    }
}

impl<A, T> Debug for Call<A, T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Call").field("place", &self.place).finish_non_exhaustive()
    }
}

static CALL: Verb = Verb::new("call", Access::Write);
