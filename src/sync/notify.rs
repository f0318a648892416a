//! Telling a task that it has something to do.

use std::collections::BTreeSet;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use super::primitive::{Line, Place, Primitive, Wait, WaitState};
use super::waiters::{Ticket, Waiters, Wakes};
use crate::kernel::{Access, Verb};

/// Tells one waiting task, or all, to look again; it carries no value.
///
/// [`Notify::notify_one`] lets the first waiter go on. When nobody waits, it is kept for the next
/// one who does; two that are kept are one. [`Notify::notify_waiters`] lets everybody go on who has
/// called [`Notify::notified`] before, polled or not, and is not kept.
///
/// What a waiter was notified of lies elsewhere, and may have been dealt with when it runs: it looks,
/// and waits again.
///
/// **When not to use it**: to hand over values ([`super::Queue`], [`super::oneshot`]); for what has
/// happened and stays so ([`super::Event`]); to wait until a value is as wanted ([`super::watch`]).
///
/// # Examples
/// A list that is filled by one task and emptied by another:
/// ```
/// # parcae::Sim::new(7).run(|| async {
/// use parcae::sync::Notify;
/// use std::{cell::RefCell, rc::Rc};
///
/// let list = Rc::new((RefCell::new(Vec::new()), Notify::new().named("filled")));
/// let reader = parcae::spawn({
///     let list = list.clone();
///     async move {
///         loop {
///             if let Some(word) = list.0.borrow_mut().pop() {
///                 return word;
///             }
///             list.1.notified().await;
///         }
///     }
/// });
/// list.0.borrow_mut().push("thread");
/// list.1.notify_one();
/// assert_eq!(reader.await, "thread");
/// # }).unwrap();
/// ```
///
/// What nobody notifies is a deadlock, and the report names it:
/// ```
/// use parcae::{Sim, sync::Notify};
///
/// let outcome = Sim::new(7).run(|| async { Notify::new().named("filled").notified().await });
/// let failure = outcome.into_result().unwrap_err().to_string();
/// assert!(failure.contains("`main` waits for Notify notified of `filled`"));
/// ```
pub struct Notify {
    primitive: Primitive<State>,
}

/// The line is in two parts. The front part, before `released`, was let go by `notify_waiters`. Of
/// the rest, the first so many go on as there are `permits`; there is at most one more than waiters.
struct State {
    permits: usize,
    /// How often `notify_waiters` was called.
    rounds: u64,
    released: Ticket,
    /// Those of the front part that had a permit before: if they do not take it, it is passed on.
    owners: BTreeSet<Ticket>,
    /// `notify_waiters` was called just now.
    is_round_new: bool,
    waiters: Waiters,
}

impl WaitState for State {
    fn wake_due(&mut self, wakes: &mut Wakes) {
        if std::mem::take(&mut self.is_round_new) {
            self.waiters.wake_before(self.released, wakes);
        }
        let released_count = self.waiters.count_before(self.released);
        self.permits = self.permits.min(self.waiters.count() - released_count + 1);
        // One change makes at most one more waiter due, the one that the last permit is for.
        if let Some(last) = self.permits.checked_sub(1) {
            self.waiters.wake(released_count + last, wakes);
        }
    }
}

impl State {
    fn notify_waiters(&mut self) {
        let front = self.waiters.count_before(self.released);
        let owner_count = self.permits.min(self.waiters.count() - front);
        self.owners.extend(self.waiters.tickets(front..front + owner_count));
        self.permits -= owner_count;
        self.released = self.waiters.next_ticket();
        self.rounds += 1;
        self.is_round_new = true;
    }

    /// Claims a notification for who called `notified` in this round.
    fn claim(&mut self, round: u64, place: Place) -> Option<()> {
        if round != self.rounds {
            if let Some(ticket) = place.ticket {
                self.owners.remove(&ticket);
            }
            return Some(());
        }
        let rank = place.rank - self.waiters.count_before(self.released);
        (rank < self.permits).then(|| self.permits -= 1)
    }
}

impl Notify {
    const WAITERS: Line<State> = Line { verb: &NOTIFIED, waiters: |state| &mut state.waiters };

    /// Makes one that nobody has notified.
    #[must_use]
    #[track_caller]
    pub fn new() -> Self {
        let waiters = Waiters::default();
        let state = State {
            permits: 0,
            rounds: 0,
            released: waiters.next_ticket(),
            owners: BTreeSet::new(),
            is_round_new: false,
            waiters,
        };
        Self { primitive: Primitive::new("Notify", state) }
    }

    /// Gives it a name for reports.
    #[must_use]
    pub fn named(self, name: &'static str) -> Self {
        Self { primitive: self.primitive.named(name) }
    }

    /// Lets the first waiter go on that was not notified yet. When there is none, the notification is
    /// kept for the next one; one is kept at most.
    ///
    /// # Examples
    /// ```
    /// # parcae::Sim::new(7).run(|| async {
    /// let notify = parcae::sync::Notify::new();
    /// notify.notify_one();
    /// notify.notify_one(); // the same again
    /// notify.notified().await;
    /// # }).unwrap();
    /// ```
    pub fn notify_one(&self) {
        self.primitive.change(|state| state.permits += 1);
    }

    /// Lets all go on that have called [`Notify::notified`] before, also if they were not polled yet.
    /// Nothing is kept for those that come later.
    ///
    /// # Examples
    /// ```
    /// # parcae::Sim::new(7).run(|| async {
    /// use parcae::{sync::Notify, time::timeout};
    /// use std::time::Duration;
    ///
    /// let notify = Notify::new();
    /// let early = notify.notified();
    /// notify.notify_waiters();
    /// early.await;
    /// assert!(timeout(Duration::from_secs(1), notify.notified()).await.is_err());
    /// # }).unwrap();
    /// ```
    pub fn notify_waiters(&self) {
        self.primitive.change(State::notify_waiters);
    }

    /// Waits for a notification, after those who waited before.
    ///
    /// The place in the line is taken at the first poll, or by [`Notified::enable`];
    /// [`Notify::notify_waiters`] counts from this call on.
    ///
    /// # Cancel safety
    /// Cancel safe: what [`Notify::notify_one`] had assigned to the future goes to the next waiter, or
    /// is kept. Only the place in the line is lost.
    ///
    /// # Examples
    /// ```
    /// # parcae::Sim::new(7).run(|| async {
    /// use parcae::sync::Notify;
    /// use std::rc::Rc;
    ///
    /// let notify = Rc::new(Notify::new());
    /// let waiter = parcae::spawn({
    ///     let notify = notify.clone();
    ///     async move { notify.notified().await }
    /// });
    /// notify.notify_one();
    /// waiter.await;
    /// # }).unwrap();
    /// ```
    #[track_caller]
    pub fn notified(&self) -> Notified<'_> {
        let round = self.primitive.read(|state| state.rounds);
        Notified { notify: self, round, is_notified: false, wait: Wait::new() }
    }
}

impl Default for Notify {
    #[track_caller]
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Notify {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let waiting = self.primitive.read(|state| state.waiters.count());
        formatter.debug_struct("Notify").field("waiting", &waiting).finish()
    }
}

/// Future of [`Notify::notified`].
#[derive(Debug)]
#[must_use = "futures do nothing unless you `.await` or poll them"]
pub struct Notified<'a> {
    notify: &'a Notify,
    /// The call of `notify_waiters` that comes after this one lets it go on.
    round: u64,
    is_notified: bool,
    wait: Wait,
}

impl Notified<'_> {
    /// Takes the place in the line without waiting, and tells whether the notification is there.
    ///
    /// If it is, it belongs to this future, which is ready; dropped now, it is gone with it. Whoever has
    /// to look at something between taking the place and waiting calls this first, looks, and then
    /// awaits.
    ///
    /// # Examples
    /// Two that look at a flag, and miss no change of it:
    /// ```
    /// # parcae::Sim::new(7).run(|| async {
    /// use parcae::sync::Notify;
    /// use std::{cell::Cell, pin::pin, rc::Rc};
    ///
    /// let door = Rc::new((Cell::new(false), Notify::new()));
    /// let visitors = [1, 2].map(|_| {
    ///     let door = door.clone();
    ///     parcae::spawn(async move {
    ///         loop {
    ///             let mut opened = pin!(door.1.notified());
    ///             opened.as_mut().enable();
    ///             if door.0.get() {
    ///                 return;
    ///             }
    ///             opened.await;
    ///         }
    ///     })
    /// });
    /// door.0.set(true);
    /// door.1.notify_waiters();
    /// for visitor in visitors {
    ///     visitor.await;
    /// }
    /// # }).unwrap();
    /// ```
    pub fn enable(mut self: Pin<&mut Self>) -> bool {
        if !self.is_notified {
            let (notify, round) = (self.notify, self.round);
            let claimed = self.wait.enter(&notify.primitive, &Notify::WAITERS, |state, place| {
                state.claim(round, place)
            });
            self.is_notified = claimed.is_some();
        }
        self.is_notified
    }
}

impl Future for Notified<'_> {
    type Output = ();

    #[inline]
    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        if !self.is_notified {
            let (notify, round) = (self.notify, self.round);
            ready!(self.wait.poll(context, &notify.primitive, &Notify::WAITERS, |state, place| {
                state.claim(round, place)
            }));
            self.is_notified = true;
        }
        Poll::Ready(())
    }
}

impl Drop for Notified<'_> {
    #[inline]
    fn drop(&mut self) {
        let primitive = &self.notify.primitive;
        if let Some(ticket) = self.wait.ticket() {
            primitive.change(|state| state.permits += usize::from(state.owners.remove(&ticket)));
            self.wait.leave(primitive, &Notify::WAITERS);
        }
    }
}

static NOTIFIED: Verb = Verb::new("notified", Access::Write);
