//! What the tests of streams, retries, pools, rates and loads share.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use crate::runs::{SEEDS, fifo, random};

/// Runs a program under `Fifo` and on 200 seeds, and returns what it returned.
#[track_caller]
pub(crate) fn on_every_seed<F>(program: impl Fn() -> F + Clone + 'static) -> Vec<F::Output>
where
    F: Future + 'static,
    F::Output: 'static,
{
    let mut outputs = vec![fifo(program.clone()).unwrap()];
    outputs.extend(random(SEEDS, program).map(parcae::Outcome::unwrap));
    outputs
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
