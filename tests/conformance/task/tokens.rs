//! Cancel tokens: reasons, trees, deadlines.

use std::future::pending;

use parcae::spawn;
use parcae::task::{CancelReason, CancelToken, settle};
use parcae::time::{Instant, sleep};

use crate::clock::{HOUR, Stopwatch, beats};
use crate::journal::Journal;

conformance! {
    async fn the_first_reason_stands() {
        let token = CancelToken::new();
        assert!(token.reason().is_none() && !token.is_cancelled());
        assert!(token.cancel("first"));
        assert!(!token.cancel("second"));
        assert_eq!(token.reason(), Some(CancelReason::Requested("first".into())));
        assert_eq!(token.cancelled().await, CancelReason::Requested("first".into()));
    }

    async fn whoever_waits_for_a_token_goes_on_when_it_is_cancelled() {
        let token = CancelToken::new();
        let waiters: Vec<_> = (0..3)
            .map(|_| {
                let token = token.clone();
                spawn(async move { token.cancelled().await })
            })
            .collect();
        settle().await;
        token.cancel("enough");
        for waiter in waiters {
            assert_eq!(waiter.await, CancelReason::Requested("enough".into()));
        }
    }

    async fn a_node_cancels_all_below_it_and_none_above_or_beside() {
        let root = CancelToken::new();
        let (left, right) = (root.child(), root.child());
        let leaf = left.child();
        left.cancel("left");
        assert!(leaf.is_cancelled());
        assert_eq!(leaf.reason(), Some(CancelReason::Requested("left".into())));
        assert!(!root.is_cancelled() && !right.is_cancelled());
        root.cancel("root");
        assert_eq!(right.reason(), Some(CancelReason::Requested("root".into())));
        assert_eq!(leaf.reason(), Some(CancelReason::Requested("left".into())));
    }

    async fn a_token_below_a_cancelled_one_is_cancelled_from_the_start() {
        let root = CancelToken::new();
        root.cancel("root");
        assert_eq!(root.child().child().cancelled().await, CancelReason::Requested("root".into()));
    }

    async fn tokens_that_are_dropped_are_forgotten() {
        let root = CancelToken::new();
        let child = root.child();
        let same = child.clone();
        assert_eq!(root.child_count(), 1);
        drop(child);
        assert_eq!(root.child_count(), 1);
        drop(same);
        assert_eq!(root.child_count(), 0);
    }

    async fn a_token_is_cancelled_when_its_time_is_over() {
        let watch = Stopwatch::start();
        let token = CancelToken::new().with_timeout(beats(2));
        let leaf = token.child();
        assert_eq!(leaf.cancelled().await, CancelReason::Deadline);
        watch.took(beats(2));
        assert!(token.is_cancelled());
    }

    async fn a_deadline_counts_though_nobody_waits_for_it() {
        let token = CancelToken::new().with_timeout(beats(1));
        sleep(beats(1)).await;
        assert_eq!(token.reason(), Some(CancelReason::Deadline));
        assert!(!token.cancel("too late"));
    }

    async fn the_earliest_deadline_of_those_above_counts() {
        let now = Instant::now();
        let root = CancelToken::new().with_deadline(now + beats(1));
        let leaf = root.with_deadline(now + HOUR);
        assert_eq!(leaf.deadline(), Some(now + beats(1)));
        assert_eq!(leaf.cancelled().await, CancelReason::Deadline);
        assert_eq!(CancelToken::new().deadline(), None);
    }

    async fn a_deadline_reaches_no_token_above() {
        let root = CancelToken::new();
        let leaf = root.with_timeout(beats(1));
        leaf.cancelled().await;
        assert!(!root.is_cancelled());
    }

    async fn a_future_runs_until_its_token_is_cancelled() {
        let journal = Journal::new();
        let token = CancelToken::new();
        let (guard, under) = (journal.on_drop("cut short"), token.child());
        let task = spawn(async move {
            let body = async move {
                let _guard = guard;
                pending::<()>().await;
            };
            under.run(body).await
        });
        settle().await;
        token.cancel("enough");
        let error = task.await.unwrap_err();
        assert_eq!(error.reason, CancelReason::Requested("enough".into()));
        assert_eq!(error.to_string(), "cancelled: enough");
        assert_eq!(journal.take(), ["cut short"]);
    }

    async fn a_value_that_is_ready_wins_over_a_cancelled_token() {
        let token = CancelToken::new();
        token.cancel("before");
        assert_eq!(token.run(async { 42 }).await.unwrap(), 42);
        assert!(token.run(pending::<()>()).await.is_err());
    }

    async fn a_guard_cancels_its_token_unless_it_is_disarmed() {
        let token = CancelToken::new();
        let guard = token.clone().drop_guard();
        drop(guard.disarm());
        assert!(!token.is_cancelled());
        let task = spawn({
            let token = token.clone();
            async move {
                let _guard = token.drop_guard();
                pending::<()>().await;
            }
        });
        settle().await;
        drop(task);
        assert_eq!(token.cancelled().await, CancelReason::GuardDropped);
    }
}
