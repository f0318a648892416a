//! What the tests of runs share: one program under many seeds, and a journal it writes.

use std::cell::RefCell;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use parcae::executor::Limits;
use parcae::explore::Strategy;
use parcae::{Failure, Outcome, Sim};

/// Seeds that a test of a property of all schedules tries.
pub(crate) const SEEDS: u64 = 200;

/// What the tasks of a program write down, in order.
#[derive(Debug)]
pub(crate) struct Journal<T>(Rc<RefCell<Vec<T>>>);

impl<T> Clone for Journal<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T> Journal<T> {
    pub(crate) fn new() -> Self {
        Self(Rc::new(RefCell::new(Vec::new())))
    }

    pub(crate) fn add(&self, entry: T) {
        self.0.borrow_mut().push(entry);
    }

    pub(crate) fn count(&self) -> usize {
        self.0.borrow().len()
    }

    pub(crate) fn take(&self) -> Vec<T> {
        self.0.take()
    }
}

/// Calls a function when it is dropped.
pub(crate) struct OnDrop<F: FnMut()>(pub(crate) F);

impl<F: FnMut()> Drop for OnDrop<F> {
    fn drop(&mut self) {
        (self.0)();
    }
}

pub(crate) fn nanos(nanos: u64) -> Duration {
    Duration::from_nanos(nanos)
}

pub(crate) fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

pub(crate) fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// Runs a program under `Fifo`.
pub(crate) fn fifo<F>(program: impl FnOnce() -> F + 'static) -> Outcome<F::Output>
where
    F: Future + 'static,
{
    Sim::builder().strategy(Strategy::Fifo).build().unwrap().run(program)
}

/// Runs a program under `Random` with the seeds from 0 on.
pub(crate) fn random<F>(
    seeds: u64,
    program: impl Fn() -> F + Clone + 'static,
) -> impl Iterator<Item = Outcome<F::Output>>
where
    F: Future + 'static,
{
    (0..seeds).map(move |seed| Sim::new(seed).run(program.clone()))
}

/// Runs a program with limits other than the default ones.
pub(crate) fn limited<F>(
    change: impl FnOnce(&mut Limits),
    program: impl FnOnce() -> F + 'static,
) -> Outcome<F::Output>
where
    F: Future + 'static,
{
    let mut limits = Limits::default();
    change(&mut limits);
    Sim::builder().limits(limits).build().unwrap().run(program)
}

/// Runs a program under `Fifo` and on 200 seeds, and returns what it returned.
#[track_caller]
pub(crate) fn on_every_seed<F>(program: impl Fn() -> F + Clone + 'static) -> Vec<F::Output>
where
    F: Future + 'static,
    F::Output: 'static,
{
    let mut outputs = vec![fifo(program.clone()).unwrap()];
    outputs.extend(random(SEEDS, program).map(Outcome::unwrap));
    outputs
}

/// Returns why a run failed.
#[track_caller]
pub(crate) fn failure<T>(outcome: &Outcome<T>) -> &Failure {
    outcome.failure().expect("the run fails")
}

/// Checks that a run failed with a panic whose message holds a text, and returns its task.
#[track_caller]
pub(crate) fn panicked<T>(outcome: &Outcome<T>, wanted: &str) -> String {
    match failure(outcome) {
        Failure::Panic { task, message, .. } if message.contains(wanted) => task.clone(),
        other => panic!("expected a panic with {wanted:?}, found: {other}"),
    }
}

/// Polls a future once with a waker that wakes nobody.
pub(crate) fn poll_once<F: Future + Unpin>(future: &mut F) -> Poll<F::Output> {
    Pin::new(future).poll(&mut Context::from_waker(Waker::noop()))
}

/// Returns the waker of the task that awaits it.
pub(crate) async fn current_waker() -> Waker {
    std::future::poll_fn(|context| Poll::Ready(context.waker().clone())).await
}

/// Drops a value that `drop` is not for, because it is a number or borrows.
pub(crate) fn discard<T>(_: T) {}

/// Returns the message of the panic that a call ends with.
#[track_caller]
pub(crate) fn panic_of(call: impl FnOnce()) -> String {
    let payload =
        std::panic::catch_unwind(std::panic::AssertUnwindSafe(call)).expect_err("the call panics");
    match payload.downcast::<String>() {
        Ok(message) => *message,
        Err(payload) => (*payload.downcast_ref::<&str>().unwrap()).to_owned(),
    }
}

/// Polls a future so often, woken or not, then drops it if it still pends.
pub(crate) struct DroppedAfter<F> {
    future: Option<Pin<Box<F>>>,
    polls: usize,
}

pub(crate) fn dropped_after<F: Future>(polls: usize, future: F) -> DroppedAfter<F> {
    DroppedAfter { future: Some(Box::pin(future)), polls }
}

impl<F: Future> Future for DroppedAfter<F> {
    type Output = Option<F::Output>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        if self.polls == 0 {
            self.future = None;
            return Poll::Ready(None);
        }
        self.polls -= 1;
        let future = self.future.as_mut().expect("polled only until it has ended");
        let poll = future.as_mut().poll(context).map(Some);
        if poll.is_pending() {
            context.waker().wake_by_ref();
        }
        poll
    }
}
