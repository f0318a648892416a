//! Barriers.

use std::rc::Rc;

use parcae::spawn;
use parcae::sync::{Barrier, BarrierError, BarrierWaitResult};
use parcae::task::{gather, settle};

use crate::journal::Journal;

/// Spawns a task that comes to the barrier.
fn party(barrier: &Rc<Barrier>) -> parcae::Task<Result<BarrierWaitResult, BarrierError>> {
    let barrier = barrier.clone();
    spawn(async move { barrier.wait().await })
}

conformance! {
    async fn nobody_goes_on_before_all_have_come() {
        let (barrier, journal) = (Rc::new(Barrier::new(3)), Journal::new());
        let parties: Vec<_> = (0..3)
            .map(|_| {
                let (barrier, journal) = (barrier.clone(), journal.clone());
                spawn(async move {
                    journal.add("comes");
                    barrier.wait().await.unwrap();
                    journal.add("goes on");
                })
            })
            .collect();
        gather(parties).await;
        let expected = ["comes", "comes", "comes", "goes on", "goes on", "goes on"];
        assert_eq!(journal.take(), expected);
    }

    async fn a_full_round_has_every_index_and_one_leader() {
        let barrier = Rc::new(Barrier::new(3));
        let mut parties = Vec::new();
        for _ in 0..3 {
            parties.push(party(&barrier));
            settle().await;
        }
        let results: Vec<_> = gather(parties).await.into_iter().map(Result::unwrap).collect();
        let indices: Vec<_> = results.iter().map(BarrierWaitResult::index).collect();
        assert_eq!(indices, [0, 1, 2]);
        assert_eq!(results.iter().filter(|result| result.is_leader()).count(), 1);
    }

    async fn rounds_follow_each_other() {
        let barrier = Rc::new(Barrier::new(2));
        let players: Vec<_> = (0..2)
            .map(|_| {
                let barrier = barrier.clone();
                spawn(async move {
                    let mut leads = 0;
                    for _ in 0..10 {
                        leads += u32::from(barrier.wait().await.unwrap().is_leader());
                    }
                    leads
                })
            })
            .collect();
        assert_eq!(gather(players).await.iter().sum::<u32>(), 10);
    }

    async fn whoever_is_dropped_has_not_come() {
        let barrier = Rc::new(Barrier::new(2));
        let first = party(&barrier);
        settle().await;
        assert_eq!(barrier.n_waiting(), 1);
        first.cancel().await;
        assert_eq!(barrier.n_waiting(), 0);
        let second = party(&barrier);
        settle().await;
        assert!(!second.is_finished());
        assert!(barrier.wait().await.is_ok());
        second.await.unwrap();
    }

    async fn a_reset_sends_away_who_waits_and_the_next_round_begins() {
        let barrier = Rc::new(Barrier::new(2));
        let early = party(&barrier);
        settle().await;
        barrier.reset();
        assert_eq!(early.await.unwrap_err(), BarrierError::Reset);
        let other = party(&barrier);
        barrier.wait().await.unwrap();
        other.await.unwrap();
    }

    async fn an_aborted_barrier_is_broken_until_it_is_reset() {
        let barrier = Rc::new(Barrier::new(2));
        let early = party(&barrier);
        settle().await;
        barrier.abort();
        assert!(barrier.is_broken());
        assert_eq!(early.await.unwrap_err(), BarrierError::Broken);
        assert_eq!(barrier.wait().await.unwrap_err(), BarrierError::Broken);
        barrier.reset();
        let other = party(&barrier);
        barrier.wait().await.unwrap();
        other.await.unwrap();
    }

    async fn a_round_that_is_full_is_complete_though_it_is_reset_before_its_parties_run() {
        let barrier = Rc::new(Barrier::new(2));
        let early = party(&barrier);
        settle().await;
        barrier.wait().await.unwrap();
        barrier.reset();
        assert!(early.await.is_ok());
    }
}
