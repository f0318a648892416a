//! Several tasks at once: groups, gathering, racing, cancelling.

mod cancel_token;
mod cancelling;
mod gather;
mod group;
mod group_ends;
mod race;
mod select;
mod shield;
mod wait;

use std::future::Future;

use parcae::Sim;
use parcae::time::sleep;

use crate::runs::{Journal, OnDrop, fifo, millis, random};

/// Runs a program under `Fifo` and on 300 seeds; it checks itself.
#[track_caller]
fn everywhere<F>(program: impl Fn() -> F + Clone + 'static)
where
    F: Future<Output = ()> + 'static,
{
    fifo(program.clone()).unwrap();
    random(300, program).for_each(|outcome| outcome.unwrap());
}

/// Runs a program on 300 seeds and returns what it returned.
#[track_caller]
fn on_seeds<F>(program: impl Fn() -> F + Clone + 'static) -> Vec<F::Output>
where
    F: Future + 'static,
{
    (0..300).map(|seed| Sim::new(seed).run(program.clone()).unwrap()).collect()
}

/// Sleeps so many milliseconds and returns a value; writes down its number if it is dropped before.
async fn after<T>(delay: u64, value: T, journal: Journal<u64>) -> T {
    let is_ready = std::cell::Cell::new(false);
    let _guard = OnDrop(|| {
        if !is_ready.get() {
            journal.add(delay);
        }
    });
    sleep(millis(delay)).await;
    is_ready.set(true);
    value
}
