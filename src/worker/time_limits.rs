//! Limits of waits that most often end long before: one timer of the reactor for all of a worker.
//!
//! ```text
//!   begin -> fresh -> ahead -> over      the clock is read once for all that are fresh, when the worker
//!              `--------`---> ended      looks at the reactor or goes to sleep
//! ```
//! A limit counts from when the clock is read, so it is as late as the worker was busy until then, as with every
//! timer that is due meanwhile; it is never early. One that ends while it is fresh costs no look at the
//! clock and no place in an order.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::future::Future as _;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use async_io::Timer;

#[expect(clippy::disallowed_types, reason = "this is the real clock")]
type Clock = std::time::Instant;

/// The limits of one worker.
#[derive(Debug)]
pub(super) struct TimeLimits {
    /// A number that no other worker of this process has.
    worker: u64,
    state: RefCell<State>,
}

#[derive(Debug, Default)]
struct State {
    entries: Vec<Entry>,
    free: Vec<usize>,
    serial: u64,
    fresh: Vec<Limit>,
    ahead: BTreeMap<(Clock, u64), usize>,
    /// Set for one instant, that of the first limit or an earlier one.
    timer: Option<(Timer, Clock)>,
}

#[derive(Debug)]
struct Entry {
    /// Of the limit that has the place; none is 0.
    serial: u64,
    duration: Duration,
    /// None while it is fresh, and where its end is past the end of time.
    end: Option<Clock>,
    waker: Option<Waker>,
}

/// A limit of one worker.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limit {
    place: usize,
    serial: u64,
    pub(super) worker: u64,
}

impl TimeLimits {
    pub(super) fn new() -> Self {
        let worker = WORKERS.fetch_add(1, Ordering::Relaxed);
        Self { worker, state: RefCell::default() }
    }

    /// Begins one, and wakes when it is over.
    #[inline]
    pub(super) fn begin(&self, duration: Duration, waker: &Waker) -> Limit {
        let waker = Some(waker.clone());
        let state = &mut *self.state.borrow_mut();
        state.serial += 1;
        let entry = Entry { serial: state.serial, duration, end: None, waker };
        let place = if let Some(place) = state.free.pop() {
            // A place that is free has no waker, so that nothing is dropped here.
            state.entries[place] = entry;
            place
        } else {
            state.entries.push(entry);
            state.entries.len() - 1
        };
        let limit = Limit { place, serial: state.serial, worker: self.worker };
        state.fresh.push(limit);
        limit
    }

    /// Tells whether one is over; none when it is of another worker.
    #[inline]
    pub(super) fn poll(&self, limit: Limit, waker: &Waker) -> Option<Poll<()>> {
        if limit.worker != self.worker {
            return None;
        }
        let mut state = self.state.borrow_mut();
        let Some(entry) = state.entry(limit) else { return Some(Poll::Ready(())) };
        if entry.waker.as_ref().is_some_and(|kept| kept.will_wake(waker)) {
            return Some(Poll::Pending);
        }
        drop(state);
        // Not while the state is held: that may run code of others.
        let mut other = Some(waker.clone());
        if let Some(entry) = self.state.borrow_mut().entry(limit) {
            std::mem::swap(&mut entry.waker, &mut other);
        }
        drop(other);
        Some(Poll::Pending)
    }

    /// Ends one before it is over. One of another worker is left to be over there.
    #[inline]
    pub(super) fn end(&self, limit: Limit) {
        if limit.worker != self.worker {
            return;
        }
        let mut state = self.state.borrow_mut();
        let Some(entry) = state.entry(limit) else { return };
        let (waker, end) = (entry.waker.take(), entry.end);
        state.release(limit.place);
        match end {
            Some(end) => drop(state.ahead.remove(&(end, limit.serial))),
            None => drop(state.fresh.pop_if(|last| last.serial == limit.serial)),
        }
        drop(state);
        drop(waker);
    }

    /// Ready when some are over, which have been woken then.
    pub(super) fn poll_over(&self, context: &mut Context<'_>) -> Poll<()> {
        self.state.borrow_mut().order_fresh();
        loop {
            let over = {
                let mut state = self.state.borrow_mut();
                if state.poll_timer(context).is_pending() {
                    return Poll::Pending;
                }
                state.take_over()
            };
            // The timer may have been that of a limit that has ended.
            if !over.is_empty() {
                over.into_iter().for_each(Waker::wake);
                return Poll::Ready(());
            }
        }
    }
}

impl State {
    fn entry(&mut self, limit: Limit) -> Option<&mut Entry> {
        self.entries.get_mut(limit.place).filter(|entry| entry.serial == limit.serial)
    }

    fn release(&mut self, place: usize) {
        self.entries[place].serial = 0;
        self.free.push(place);
    }

    /// Gives those that are fresh their ends.
    #[expect(clippy::disallowed_methods, reason = "this is the real clock")]
    fn order_fresh(&mut self) {
        if self.fresh.is_empty() {
            return;
        }
        let now = Clock::now();
        for limit in std::mem::take(&mut self.fresh) {
            let Some(entry) = self.entry(limit) else { continue };
            entry.end = now.checked_add(entry.duration);
            if let Some(end) = entry.end {
                self.ahead.insert((end, limit.serial), limit.place);
            }
        }
    }

    /// Waits for the end of the first, or for that of an earlier one that has ended.
    fn poll_timer(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let Some((&(first, _), _)) = self.ahead.first_key_value() else { return Poll::Pending };
        let (timer, set) = self.timer.get_or_insert_with(|| (Timer::at(first), first));
        if *set > first {
            timer.set_at(first);
            *set = first;
        }
        let polled = Pin::new(timer).poll(context);
        polled.map(|_| self.timer = None)
    }

    /// Takes those that are over.
    #[expect(clippy::disallowed_methods, reason = "this is the real clock")]
    fn take_over(&mut self) -> Vec<Waker> {
        let now = Clock::now();
        let mut wakers = Vec::new();
        while let Some(first) = self.ahead.first_entry()
            && first.key().0 <= now
        {
            let place = first.remove();
            wakers.extend(self.entries[place].waker.take());
            self.release(place);
        }
        wakers
    }
}

static WORKERS: AtomicU64 = AtomicU64::new(0);

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering};
    use std::task::{Context, Poll, Wake, Waker};
    use std::time::Duration;

    use std::future::poll_fn;

    use super::TimeLimits;

    #[derive(Default)]
    struct Count(AtomicU32);

    impl Wake for Count {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn waker() -> (Arc<Count>, Waker) {
        let count = Arc::new(Count::default());
        (count.clone(), Waker::from(count))
    }

    fn look(limits: &TimeLimits) -> Poll<()> {
        limits.poll_over(&mut Context::from_waker(Waker::noop()))
    }

    fn wait(limits: &TimeLimits) {
        async_io::block_on(poll_fn(|context| limits.poll_over(context)));
    }

    const HOUR: Duration = Duration::from_secs(3600);
    const MOMENT: Duration = Duration::from_millis(5);

    #[test]
    #[expect(
        clippy::disallowed_methods,
        clippy::disallowed_types,
        reason = "this is the real clock"
    )]
    fn limits_are_over_in_order_and_never_early() {
        let limits = TimeLimits::new();
        let (late, early) = (waker(), waker());
        let start = std::time::Instant::now();
        let second = limits.begin(MOMENT * 3, &late.1);
        let first = limits.begin(MOMENT, &early.1);
        wait(&limits);
        assert!(start.elapsed() >= MOMENT);
        assert_eq!(limits.poll(first, &early.1), Some(Poll::Ready(())));
        if limits.poll(second, &late.1) == Some(Poll::Pending) {
            assert_eq!(
                (early.0.0.load(Ordering::Relaxed), late.0.0.load(Ordering::Relaxed)),
                (1, 0)
            );
            wait(&limits);
        }
        assert!(start.elapsed() >= MOMENT * 3);
        assert_eq!(limits.poll(second, &late.1), Some(Poll::Ready(())));
        assert_eq!(late.0.0.load(Ordering::Relaxed), 1);
    }

    #[test]
    fn one_that_has_ended_wakes_nobody_and_its_place_is_anothers() {
        let limits = TimeLimits::new();
        let (count, own) = waker();
        let (fresh, ahead) = (limits.begin(HOUR, &own), limits.begin(MOMENT, &own));
        assert_eq!(look(&limits), Poll::Pending);
        limits.end(ahead);
        limits.end(fresh);
        let other = limits.begin(HOUR, &own);
        // Its place was free; whoever had it has no say in it.
        limits.end(ahead);
        limits.end(fresh);
        assert_eq!(limits.poll(other, &own), Some(Poll::Pending));
        let last = limits.begin(MOMENT * 2, Waker::noop());
        // The timer of the one that has ended is due first.
        wait(&limits);
        assert_eq!(limits.poll(last, Waker::noop()), Some(Poll::Ready(())));
        assert_eq!(limits.poll(other, &own), Some(Poll::Pending));
        assert_eq!(count.0.load(Ordering::Relaxed), 0);
        let state = limits.state.borrow();
        assert_eq!((state.entries.len(), state.ahead.len(), state.fresh.len()), (2, 1, 0));
    }

    #[test]
    fn the_last_that_polls_is_woken() {
        let limits = TimeLimits::new();
        let ((first, first_waker), (second, second_waker)) = (waker(), waker());
        let limit = limits.begin(MOMENT, &first_waker);
        assert_eq!(limits.poll(limit, &second_waker), Some(Poll::Pending));
        wait(&limits);
        assert_eq!((first.0.load(Ordering::Relaxed), second.0.load(Ordering::Relaxed)), (0, 1));
    }

    #[test]
    fn one_of_another_worker_is_told_apart() {
        let (own, other) = (TimeLimits::new(), TimeLimits::new());
        let limit = own.begin(HOUR, Waker::noop());
        let theirs = other.begin(HOUR, Waker::noop());
        assert_eq!(other.poll(limit, Waker::noop()), None);
        other.end(limit);
        assert_eq!(other.poll(theirs, Waker::noop()), Some(Poll::Pending));
        assert_eq!(own.poll(limit, Waker::noop()), Some(Poll::Pending));
    }

    #[test]
    fn one_past_the_end_of_time_is_never_over() {
        let limits = TimeLimits::new();
        let limit = limits.begin(Duration::MAX, Waker::noop());
        assert_eq!(look(&limits), Poll::Pending);
        assert_eq!(limits.poll(limit, Waker::noop()), Some(Poll::Pending));
        limits.end(limit);
        assert_eq!(limits.state.borrow().free.len(), 1);
    }
}
