//! Scheduling points inside of combinators.

use std::rc::Rc;
use std::time::Duration;

use futures::StreamExt as _;
use futures::future::LocalBoxFuture;
use futures::stream::FuturesUnordered;
use parcae::Sim;
use parcae::testing::Shared;
use parcae::time::{Instant, sleep, timeout};

#[test]
fn regression_timeout_beside_a_preempted_child_still_elapses() {
    // The time-out took the preemption of its sibling for its own and set no timer; a combinator
    // that polls only woken children never came back to it.
    for seed in 0..300 {
        let outcome = Sim::new(seed).run(|| async {
            let cell = Rc::new(Shared::new(0));
            let busy = cell.clone();
            let other = parcae::spawn(async move {
                for value in 0..5 {
                    busy.set(value).await;
                }
            });
            let start = Instant::now();
            let children: [LocalBoxFuture<'_, ()>; 2] = [
                Box::pin(async { cell.set(7).await }),
                Box::pin(async {
                    let slow = sleep(Duration::from_secs(10));
                    assert!(timeout(Duration::from_secs(1), slow).await.is_err());
                    assert_eq!(start.elapsed(), Duration::from_secs(1));
                }),
            ];
            let mut children: FuturesUnordered<_> = children.into_iter().collect();
            while children.next().await.is_some() {}
            other.await;
        });
        outcome.unwrap();
    }
}
