//! Something that happens, and tasks that wait for it.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use super::primitive::{Line, Primitive, Wait, WaitState};
use super::waiters::{Ticket, Waiters, Wakes};
use crate::kernel::{Access, Verb};

/// A flag that tasks can wait for.
///
/// [`Event::set`] lets all waiters go on, and all that come later, until [`Event::clear`]. Whoever
/// waited when it was set goes on even if it is cleared before that task runs: so `set` followed by
/// `clear` lets exactly the present waiters go on. It does not clear itself.
///
/// **When not to use it**: for a condition that can turn false again before the waiter looks at it,
/// unless the waiter checks it again in a loop; to hand over values ([`super::Queue`]); to wake one
/// of several waiters.
///
/// # Examples
/// ```
/// # parcae::Sim::new(7).run(|| async {
/// use parcae::sync::Event;
/// use std::rc::Rc;
///
/// let ready = Rc::new(Event::new().named("ready"));
/// let worker = parcae::spawn({
///     let ready = ready.clone();
///     async move { ready.wait().await }
/// });
/// ready.set();
/// worker.await;
/// # }).unwrap();
/// ```
///
/// What nobody sets is a deadlock, and the report names it:
/// ```
/// use parcae::{Sim, sync::Event};
///
/// let outcome = Sim::new(7).run(|| async { Event::new().named("ready").wait().await });
/// let failure = outcome.into_result().unwrap_err().to_string();
/// assert!(failure.contains("`main` waits for Event wait of `ready`"));
/// ```
pub struct Event {
    primitive: Primitive<State>,
}

struct State {
    is_set: bool,
    /// Waiters before it may go on, whatever the flag says by now.
    released: Ticket,
    waiters: Waiters,
}

impl WaitState for State {
    #[inline]
    fn is_idle(&self) -> bool {
        self.waiters.is_empty()
    }

    fn wake_due(&mut self, wakes: &mut Wakes) {
        self.waiters.wake_before(self.released, wakes);
    }
}

impl Event {
    const WAITERS: Line<State> = Line { verb: &WAIT, waiters: |state| &mut state.waiters };

    /// Makes an event that is not set.
    #[must_use]
    #[track_caller]
    pub fn new() -> Self {
        let waiters = Waiters::default();
        let state = State { is_set: false, released: waiters.next_ticket(), waiters };
        Self { primitive: Primitive::new("Event", state) }
    }

    /// Gives it a name for reports.
    #[must_use]
    pub fn named(self, name: &'static str) -> Self {
        Self { primitive: self.primitive.named(name) }
    }

    /// Sets it: all waiters go on. Nothing happens when it is set already.
    pub fn set(&self) {
        self.primitive.change(|state| {
            state.is_set = true;
            state.released = state.waiters.next_ticket();
        });
    }

    /// Clears it, for those that come later.
    ///
    /// # Examples
    /// A pulse, which those who wait now go on from, and nobody else:
    /// ```
    /// # parcae::Sim::new(7).run(|| async {
    /// use parcae::{sync::Event, time::timeout};
    /// use std::{rc::Rc, time::Duration};
    ///
    /// let bell = Rc::new(Event::new());
    /// let waiter = parcae::spawn({
    ///     let bell = bell.clone();
    ///     async move { bell.wait().await }
    /// });
    /// parcae::task::settle().await;
    /// bell.set();
    /// bell.clear();
    /// waiter.await;
    /// assert!(timeout(Duration::from_secs(1), bell.wait()).await.is_err());
    /// # }).unwrap();
    /// ```
    pub fn clear(&self) {
        self.primitive.change(|state| state.is_set = false);
    }

    /// Tells whether it is set.
    #[must_use]
    pub fn is_set(&self) -> bool {
        self.primitive.read(|state| state.is_set)
    }

    /// Waits until it is set. Waiting begins at the first poll.
    ///
    /// # Cancel safety
    /// Cancel safe: nothing is taken, so nothing is lost.
    ///
    /// # Examples
    /// ```
    /// # parcae::Sim::new(7).run(|| async {
    /// use parcae::{sync::Event, time::timeout};
    /// use std::time::Duration;
    ///
    /// let event = Event::new();
    /// assert!(timeout(Duration::from_secs(1), event.wait()).await.is_err());
    /// event.set();
    /// event.wait().await;
    /// # }).unwrap();
    /// ```
    #[track_caller]
    pub fn wait(&self) -> EventWait<'_> {
        EventWait { event: self, wait: Wait::new() }
    }
}

impl Default for Event {
    #[track_caller]
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Event {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Event").field("is_set", &self.is_set()).finish()
    }
}

/// Future of [`Event::wait`].
#[derive(Debug)]
#[must_use = "futures do nothing unless you `.await` or poll them"]
pub struct EventWait<'a> {
    event: &'a Event,
    wait: Wait,
}

impl Future for EventWait<'_> {
    type Output = ();

    #[inline]
    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let event = self.event;
        self.wait.poll(context, &event.primitive, &Event::WAITERS, |state, place| {
            let is_released = place.ticket.is_some_and(|ticket| ticket < state.released);
            (state.is_set || is_released).then_some(())
        })
    }
}

impl Drop for EventWait<'_> {
    #[inline]
    fn drop(&mut self) {
        self.wait.leave(&self.event.primitive, &Event::WAITERS);
    }
}

static WAIT: Verb = Verb::new("wait", Access::Read);
