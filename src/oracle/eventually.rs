//! Conditions that hold within a time.

use std::cell::RefCell;
use std::fmt;
use std::future::Future;
use std::panic::Location;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use crate::backend::{self, Looked, Seen, Timer};
use crate::kernel::{Place, Violation};

/// Waits until a condition holds, for so long at most; returns whether it did.
///
/// In a simulation the condition is looked at after every event, as that of an
/// [`invariant`](super::invariant()), so one that holds for a moment is seen; it must only look. If it has
/// not held when the time is over, the run fails. On real time it is looked at every 10 ms, and if it
/// has not held, a line of `tracing` says so.
///
/// The time is that of the task's machine, and is counted from this call. Where the condition comes to
/// hold in the instant in which the time is over, either may come first, as with a time-out. For bounds of progress: after
/// the network is healed, a leader is elected within 5 s.
///
/// # Panics
/// Outside of a parcae runtime.
///
/// # Cancel safety
/// Cancel safe: dropped, it is not waited for any more, and the run does not fail for it.
///
/// # Determinism
/// Sets a timer, and draws nothing.
///
/// # Examples
/// ```
/// use std::cell::Cell;
/// use std::rc::Rc;
/// use std::time::Duration;
/// use parcae::oracle::eventually;
/// use parcae::time::sleep;
///
/// let program = |pause: Duration| move || async move {
///     let is_ready = Rc::new(Cell::new(false));
///     let seen = is_ready.clone();
///     let server = parcae::spawn_named("server", async move {
///         sleep(pause).await;
///         is_ready.set(true);
///     });
///     let within = Duration::from_secs(5);
///     eventually("the server gets ready", within, move || seen.get()).await;
///     server.await;
/// };
/// assert!(parcae::Sim::new(7).run(program(Duration::from_secs(5))).is_ok());
/// let failure = parcae::Sim::new(7).run(program(Duration::from_secs(6))).into_result().unwrap_err();
/// assert!(failure.to_string().starts_with("eventually(\"the server gets ready\") at "));
/// ```
#[track_caller]
pub fn eventually<C>(message: &'static str, within: Duration, condition: C) -> Eventually<C>
where
    C: FnMut() -> bool + Unpin + 'static,
{
    let at = Location::caller();
    let shared = Shared { condition, has_held: false, is_over: false, waker: None };
    Eventually {
        message,
        within,
        at,
        deadline: Timer::after(CALL, within, at),
        tick: None,
        is_looked_at: false,
        shared: Rc::new(RefCell::new(shared)),
    }
}

/// Future of [`eventually`].
#[must_use = "futures do nothing unless you `.await` or poll them"]
pub struct Eventually<C> {
    message: &'static str,
    within: Duration,
    at: &'static Location<'static>,
    deadline: Timer,
    /// When to look again, where nobody looks between steps.
    tick: Option<Timer>,
    is_looked_at: bool,
    shared: Rc<RefCell<Shared<C>>>,
}

struct Shared<C> {
    condition: C,
    has_held: bool,
    /// Nobody waits for it any more.
    is_over: bool,
    waker: Option<Waker>,
}

impl<C: FnMut() -> bool> Shared<C> {
    fn look(&mut self) -> bool {
        self.has_held = self.has_held || (self.condition)();
        self.has_held
    }
}

impl<C: FnMut() -> bool + Unpin + 'static> Future for Eventually<C> {
    type Output = bool;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<bool> {
        let this = &mut *self;
        if this.shared.borrow_mut().look() {
            return Poll::Ready(true);
        }
        if this.deadline.poll(context).is_ready() {
            this.shared.borrow_mut().is_over = true;
            let details = vec![("within", format!("{:?}", this.within))];
            let violation = Violation::new(RULE, this.message, Some(Place::from(this.at)));
            backend::violate(violation.with_details(details));
            return Poll::Ready(false);
        }
        this.look_again(context);
        let waker = context.waker().clone();
        let replaced = this.shared.borrow_mut().waker.replace(waker);
        drop(replaced);
        Poll::Pending
    }
}

impl<C: FnMut() -> bool + Unpin + 'static> Eventually<C> {
    /// Sees to it that the condition is looked at again.
    fn look_again(&mut self, context: &mut Context<'_>) {
        if self.is_looked_at {
            return;
        }
        if self.tick.is_none() {
            let shared = self.shared.clone();
            let look = move || look(&shared);
            let (message, at) = (self.message, self.at);
            let looked = Looked { rule: RULE, message, at, every: 1, look };
            self.is_looked_at = backend::look(CALL, looked);
            if self.is_looked_at {
                return;
            }
        }
        let mut tick = Timer::after(CALL, TICK, self.at);
        // At the end of its time the deadline wakes, too.
        let _ = tick.poll(context);
        self.tick = Some(tick);
    }
}

/// Looks at the condition between two steps, and wakes who waits for it.
fn look<C: FnMut() -> bool>(shared: &RefCell<Shared<C>>) -> Seen {
    let mut borrowed = shared.borrow_mut();
    if borrowed.is_over {
        return Seen::Done;
    }
    if !borrowed.look() {
        return Seen::Holds;
    }
    let waker = borrowed.waker.take();
    drop(borrowed);
    if let Some(waker) = waker {
        waker.wake();
    }
    Seen::Done
}

impl<C> Drop for Eventually<C> {
    fn drop(&mut self) {
        // It is borrowed while the condition is looked at, which may panic.
        if let Ok(mut shared) = self.shared.try_borrow_mut() {
            shared.is_over = true;
        }
    }
}

impl<C> fmt::Debug for Eventually<C> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Eventually").field("message", &self.message).finish_non_exhaustive()
    }
}

const RULE: &str = "eventually";
const CALL: &str = "parcae::oracle::eventually";
const TICK: Duration = Duration::from_millis(10);
