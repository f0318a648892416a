//! Cancelling, joining, dropping.

use std::cell::RefCell;
use std::future::pending;
use std::rc::Rc;

use parcae::spawn;
use parcae::sync::{Event, Mutex};
use parcae::task::{CancelHandle, ContextVar, JoinError, finally, settle, yield_now};
use parcae::time::sleep;

use crate::clock::{Stopwatch, beats};
use crate::journal::Journal;

static REQUEST: ContextVar<&'static str> = ContextVar::new(|| "none");

/// Writes down which request it is dropped in.
struct Witness(Journal<&'static str>);

impl Drop for Witness {
    fn drop(&mut self) {
        self.0.add(REQUEST.get());
    }
}

conformance! {
    async fn a_dropped_task_is_destroyed_at_its_next_turn_in_its_own_context() {
        let journal = Journal::new();
        REQUEST.set("maker");
        let witness = Witness(journal.clone());
        let task = spawn(async move {
            REQUEST.set("task");
            let _witness = witness;
            pending::<()>().await;
        });
        settle().await;
        drop(task);
        assert_eq!(journal.take(), [""; 0], "not inside of the drop");
        settle().await;
        assert_eq!(journal.take(), ["task"]);
    }

    async fn a_dropped_task_is_destroyed_before_time_goes_on() {
        let journal = Journal::new();
        let guard = journal.on_drop("destroyed");
        let task = spawn(async move {
            let _guard = guard;
            pending::<()>().await;
        });
        settle().await;
        drop(task);
        sleep(beats(1)).await;
        assert_eq!(journal.take(), ["destroyed"]);
    }

    async fn a_task_that_is_dropped_before_it_began_is_not_polled() {
        let journal = Journal::new();
        let (entries, guard) = (journal.clone(), journal.on_drop("destroyed"));
        let task = spawn(async move {
            let _guard = guard;
            entries.add("polled");
        });
        drop(task);
        settle().await;
        assert_eq!(journal.take(), ["destroyed"]);
    }

    async fn whoever_cancels_waits_until_the_future_is_destroyed() {
        let journal = Journal::new();
        let guard = journal.on_drop("destroyed");
        let task = spawn(async move {
            let _guard = guard;
            pending::<()>().await;
        });
        settle().await;
        let cancel = task.cancel();
        assert_eq!(journal.take(), [""; 0]);
        assert_eq!(cancel.await, None);
        assert_eq!(journal.take(), ["destroyed"]);
    }

    async fn a_task_is_cancelled_by_the_call_and_not_by_the_await() {
        let journal = Journal::new();
        let guard = journal.on_drop("destroyed");
        let task = spawn(async move {
            let _guard = guard;
            pending::<()>().await;
        });
        settle().await;
        drop(task.cancel());
        settle().await;
        assert_eq!(journal.take(), ["destroyed"]);
    }

    async fn a_task_that_had_ended_gives_its_output_to_who_cancels_it() {
        let task = spawn(async { 42 });
        settle().await;
        assert_eq!(task.cancel().await, Some(42));
    }

    async fn whoever_cancels_waits_for_the_cleanups() {
        let journal = Journal::new();
        let entries = journal.clone();
        let watch = Stopwatch::start();
        let task = spawn(finally(pending::<()>(), async move || {
            sleep(beats(2)).await;
            entries.add("clean");
        }));
        settle().await;
        assert_eq!(task.cancel().await, None);
        assert_eq!(journal.take(), ["clean"]);
        watch.took(beats(2));
    }

    async fn whoever_joins_a_cancelled_task_waits_for_the_cleanups() {
        let journal = Journal::new();
        let entries = journal.clone();
        let task = spawn(finally(pending::<()>(), async move || {
            sleep(beats(2)).await;
            entries.add("clean");
        }));
        settle().await;
        task.cancel_handle().cancel();
        assert!(matches!(task.join().await, Err(JoinError::Cancelled)));
        assert_eq!(journal.take(), ["clean"]);
    }

    async fn a_task_that_was_cancelled_through_a_handle_says_so() {
        let task = spawn(pending::<()>());
        let handle = task.cancel_handle();
        settle().await;
        assert!(!handle.is_finished());
        spawn(async move { handle.cancel() }).await;
        let error = task.join().await.unwrap_err();
        assert!(matches!(error, JoinError::Cancelled));
        assert_eq!(error.to_string(), "the task was cancelled");
    }

    async fn a_cancel_handle_changes_nothing_of_what_has_ended() {
        let task = spawn(async { 42 });
        let handle = task.cancel_handle();
        settle().await;
        assert!(handle.is_finished());
        handle.cancel();
        assert_eq!(task.await, 42);
    }

    async fn a_cancel_handle_that_is_dropped_does_nothing() {
        let task = spawn(async {
            yield_now().await;
            42
        });
        {
            let handle = task.cancel_handle();
            assert!(!handle.is_finished());
        }
        assert_eq!(task.await, 42);
    }

    async fn a_detached_task_is_cancelled_through_its_handle() {
        let journal = Journal::new();
        let guard = journal.on_drop("destroyed");
        let task = spawn(async move {
            let _guard = guard;
            pending::<()>().await;
        });
        let handle = task.cancel_handle();
        task.detach();
        settle().await;
        handle.cancel();
        settle().await;
        assert_eq!(journal.take(), ["destroyed"]);
    }

    async fn a_task_that_cancels_itself_runs_on_to_its_next_wait() {
        let journal = Journal::new();
        let entries = journal.clone();
        let own = Rc::new(RefCell::new(None::<CancelHandle>));
        let task = spawn({
            let own = own.clone();
            async move {
                own.take().expect("it was put there").cancel();
                entries.add("runs on");
                yield_now().await;
                entries.add("goes on");
            }
        });
        own.replace(Some(task.cancel_handle()));
        assert!(matches!(task.join().await, Err(JoinError::Cancelled)));
        assert_eq!(journal.take(), ["runs on"]);
    }

    async fn a_destroyed_task_takes_those_with_it_whose_handles_it_holds() {
        let journal = Journal::new();
        let guard = journal.on_drop("child");
        let parent = spawn(async move {
            let child = spawn(async move {
                let _guard = guard;
                pending::<()>().await;
            });
            child.await;
        });
        settle().await;
        assert_eq!(parent.cancel().await, None);
        settle().await;
        assert_eq!(journal.take(), ["child"]);
    }

    async fn a_cancelled_task_lets_go_of_what_it_holds() {
        let mutex = Rc::new(Mutex::new(()));
        let holder = spawn({
            let mutex = mutex.clone();
            async move {
                let _guard = mutex.lock().await;
                pending::<()>().await;
            }
        });
        settle().await;
        assert!(mutex.try_lock().is_none());
        holder.cancel().await;
        assert!(mutex.try_lock().is_some());
    }

    async fn an_output_that_nobody_takes_is_dropped_with_the_handle() {
        let journal = Journal::new();
        let output = journal.on_drop("output");
        let task = spawn(async move { output });
        settle().await;
        assert!(task.is_finished());
        assert_eq!(journal.take(), [""; 0], "the handle may ask for it");
        drop(task);
        settle().await;
        assert_eq!(journal.take(), ["output"]);
    }

    async fn an_output_of_a_detached_task_is_dropped_when_it_ends() {
        let journal = Journal::new();
        let output = journal.on_drop("output");
        spawn(async move { output }).detach();
        settle().await;
        assert_eq!(journal.take(), ["output"]);
    }

    async fn a_destructor_may_wake_spawn_and_send() {
        struct Farewell(Rc<Event>, Journal<&'static str>);
        impl Drop for Farewell {
            fn drop(&mut self) {
                self.0.set();
                let journal = self.1.clone();
                spawn(async move { journal.add("spawned") }).detach();
            }
        }
        let (gone, journal) = (Rc::new(Event::new()), Journal::new());
        let farewell = Farewell(gone.clone(), journal.clone());
        let task = spawn(async move {
            let _farewell = farewell;
            pending::<()>().await;
        });
        settle().await;
        drop(task);
        gone.wait().await;
        settle().await;
        assert_eq!(journal.take(), ["spawned"]);
    }

    async fn a_dropped_cancel_leaves_the_task_cancelled_and_a_dropped_join_cancels() {
        let journal = Journal::new();
        for entry in ["cancel", "join"] {
            let guard = journal.on_drop(entry);
            let task = spawn(async move {
                let _guard = guard;
                pending::<()>().await;
            });
            settle().await;
            if entry == "join" {
                drop(task.join());
            } else {
                drop(task.cancel());
            }
            settle().await;
            assert_eq!(journal.take(), [entry]);
        }
    }
}
