//! Bounding how long something may take.

use std::future::{pending, poll_fn, ready};
use std::pin::pin;
use std::rc::Rc;
use std::task::Poll;
use std::time::Duration;

use parcae::spawn;
use parcae::sync::{Event, Mutex};
use parcae::task::settle;
use parcae::time::{Instant, sleep, timeout, timeout_at};

use crate::clock::{HOUR, Stopwatch, beats, hold_up};
use crate::journal::Journal;
use crate::polling::is_pending;

conformance! {
    async fn a_value_in_time_is_returned() {
        let watch = Stopwatch::start();
        let work = async {
            sleep(beats(1)).await;
            42
        };
        assert_eq!(timeout(HOUR, work).await, Ok(42));
        watch.took(beats(1));
    }

    async fn what_takes_too_long_is_given_up() {
        let watch = Stopwatch::start();
        let error = timeout(beats(2), pending::<()>()).await.unwrap_err();
        watch.took(beats(2));
        assert_eq!(error.after(), beats(2));
    }

    async fn the_error_says_which_line_set_the_bound() {
        let error = timeout(beats(1), pending::<()>()).await.unwrap_err();
        let line = line!() - 1;
        assert!(error.location().file().ends_with("timeouts.rs"));
        assert_eq!(error.location().line(), line);
    }

    async fn the_future_is_dropped_before_the_error_comes() {
        let journal = Journal::new();
        let guard = journal.on_drop("dropped");
        let work = async move {
            let _guard = guard;
            pending::<()>().await;
        };
        assert!(timeout(beats(1), work).await.is_err());
        assert_eq!(journal.take(), ["dropped"]);
    }

    async fn a_value_that_is_ready_wins_over_a_deadline_that_has_passed() {
        assert_eq!(timeout(Duration::ZERO, ready(7)).await, Ok(7));
        let start = Instant::now();
        sleep(beats(1)).await;
        assert_eq!(timeout_at(start, ready(7)).await, Ok(7));
    }

    async fn a_time_out_of_zero_polls_once() {
        let mut polls = 0;
        let work = poll_fn(|_| {
            polls += 1;
            Poll::<()>::Pending
        });
        assert!(timeout(Duration::ZERO, work).await.is_err());
        assert!(polls >= 1);
    }

    async fn a_value_that_was_there_wins_though_the_thread_was_held_up() {
        let event = Rc::new(Event::new());
        let task = loop {
            let event = event.clone();
            let task = spawn(async move { timeout(beats(2), event.wait()).await });
            settle().await;
            // On real time it may have been over before it began.
            if !task.is_finished() {
                break task;
            }
        };
        event.set();
        hold_up(beats(3)).await;
        assert_eq!(task.await, Ok(()));
    }

    async fn the_inner_of_two_with_one_deadline_wins() {
        let deadline = Instant::now() + beats(1);
        let inner = timeout_at(deadline, pending::<()>());
        let result = timeout_at(deadline, inner).await;
        assert!(matches!(result, Ok(Err(_))), "{result:?}");
    }

    async fn the_earlier_of_two_deadlines_counts() {
        let watch = Stopwatch::start();
        let result = timeout(HOUR, timeout(beats(1), pending::<()>())).await;
        assert!(matches!(result, Ok(Err(_))));
        let result = timeout(beats(1), timeout(HOUR, pending::<()>())).await;
        assert!(result.is_err());
        watch.took(beats(2));
    }

    async fn a_deadline_is_moved_back() {
        let watch = Stopwatch::start();
        let mut work = pin!(timeout(beats(1), pending::<()>()));
        if !is_pending(work.as_mut()).await {
            return; // On real time it may have been over before it began.
        }
        let later = work.deadline() + beats(2);
        work.as_mut().reset(later);
        assert_eq!(work.deadline(), later);
        assert!(work.await.is_err());
        watch.took(beats(3));
    }

    async fn a_deadline_is_moved_forward() {
        let watch = Stopwatch::start();
        let mut work = pin!(timeout(HOUR, pending::<()>()));
        assert!(is_pending(work.as_mut()).await);
        work.as_mut().reset(Instant::now() + beats(1));
        let error = work.await.unwrap_err();
        watch.took(beats(1));
        assert!(error.after() <= beats(1), "from the reset to the deadline");
    }

    async fn a_future_is_taken_out_of_its_bound() {
        let watch = Stopwatch::start();
        let inner = timeout(beats(1), sleep(beats(2))).into_inner();
        inner.await;
        watch.took(beats(2));
    }

    async fn a_deadline_is_counted_from_the_call() {
        let watch = Stopwatch::start();
        let work = timeout(beats(2), pending::<()>());
        sleep(beats(1)).await;
        assert!(work.await.is_err());
        watch.took(beats(2));
    }

    async fn whoever_waits_in_a_line_leaves_it_when_the_time_is_over() {
        let mutex = Rc::new(Mutex::new(0));
        let guard = mutex.lock().await;
        assert!(timeout(beats(1), mutex.lock()).await.is_err());
        let next = spawn({
            let mutex = mutex.clone();
            async move { *mutex.lock().await += 1 }
        });
        settle().await;
        drop(guard);
        next.await;
        assert_eq!(*mutex.lock().await, 1);
    }

    async fn the_longest_time_out_is_no_bound() {
        assert_eq!(timeout(Duration::MAX, sleep(beats(1))).await, Ok(()));
    }

    async fn a_task_that_is_bound_by_reference_goes_on() {
        let gate = Rc::new(Event::new());
        let opened = gate.clone();
        let mut task = spawn(async move {
            opened.wait().await;
            7
        });
        assert!(timeout(Duration::ZERO, &mut task).await.is_err());
        gate.set();
        assert_eq!(task.await, 7);
    }
}
