//! Tests of `parcae::sync`.

mod across;
mod barrier;
mod broadcast;
mod condition;
mod event;
mod exclusive;
mod lifo_queue;
mod models;
mod mutex;
mod notify;
mod once;
mod oneshot;
mod priority_queue;
mod queue;
mod queue_kinds;
mod rwlock;
mod semaphore;
mod wakers;
mod watch;

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use parcae::Sim;

use crate::runs::{dropped_after, fifo, on_every_seed};

/// As [`on_every_seed`], on 300 seeds: for what other libraries test of their own primitives.
#[track_caller]
fn ported<F>(program: impl Fn() -> F + Copy + 'static)
where
    F: Future + 'static,
    F::Output: 'static,
{
    under_fifo(program);
    for seed in 0..300 {
        Sim::new(seed).run(program).unwrap();
    }
}

/// Runs a program under `Fifo`: every task until it blocks.
#[track_caller]
fn under_fifo<F>(program: impl FnOnce() -> F + 'static) -> F::Output
where
    F: Future + 'static,
    F::Output: 'static,
{
    fifo(program).unwrap()
}

/// A waker that counts.
#[derive(Default)]
struct Wakes(AtomicUsize);

impl Wakes {
    fn new() -> (Arc<Self>, Waker) {
        let wakes = Arc::<Self>::default();
        (wakes.clone(), wakes.into())
    }

    fn count(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }
}

impl Wake for Wakes {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

/// A future, the waker it is polled with and how often that was called.
struct Hand<F> {
    future: Pin<Box<F>>,
    wakes: Arc<Wakes>,
    waker: Waker,
}

impl<F: Future> Hand<F> {
    /// Takes a future that is not polled yet.
    fn new(future: F) -> Self {
        let (wakes, waker) = Wakes::new();
        Self { future: Box::pin(future), wakes, waker }
    }

    /// Takes a future and polls it; it must pend.
    #[track_caller]
    fn waiting(future: F) -> Self {
        let mut hand = Self::new(future);
        assert!(hand.poll().is_pending(), "ready at the first poll");
        hand
    }

    fn poll(&mut self) -> Poll<F::Output> {
        self.future.as_mut().poll(&mut Context::from_waker(&self.waker))
    }

    /// Polls the future; it must be ready.
    #[track_caller]
    fn ready(&mut self) -> F::Output {
        match self.poll() {
            Poll::Ready(output) => output,
            Poll::Pending => panic!("pends, woken {} times", self.wakes.count()),
        }
    }

    fn wake_count(&self) -> usize {
        self.wakes.count()
    }
}

/// A value that counts how many of its kind are alive.
#[derive(Debug)]
struct Counted {
    number: usize,
    alive: Arc<AtomicUsize>,
}

impl Counted {
    fn new(number: usize, alive: &Arc<AtomicUsize>) -> Self {
        alive.fetch_add(1, Ordering::SeqCst);
        Self { number, alive: alive.clone() }
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.alive.fetch_sub(1, Ordering::SeqCst);
    }
}

fn millis(count: u64) -> Duration {
    Duration::from_millis(count)
}
