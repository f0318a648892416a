//! What is there when the program ends. It is looked at after the run.

use std::future::pending;

use parcae::spawn;
use parcae::task::{ContextVar, finally, settle};
use parcae::time::{call_after, sleep};

use crate::clock::{HOUR, beats};
use crate::journal::Journal;

static REQUEST: ContextVar<&'static str> = ContextVar::new(|| "none");

fn is_destroyed(journal: Journal<&'static str>) {
    assert_eq!(journal.take(), ["destroyed"]);
}

fn is_cleaned(journal: Journal<&'static str>) {
    assert_eq!(journal.take(), ["clean"]);
}

fn is_empty(journal: Journal<&'static str>) {
    assert_eq!(journal.take(), [""; 0]);
}

fn is_its_own(journal: Journal<&'static str>) {
    assert_eq!(journal.take(), ["task"]);
}

fn ends_in_order(journal: Journal<&'static str>) {
    assert_eq!(journal.take(), ["body", "clean"]);
}

conformance! {
    #[after_the_run(is_destroyed)]
    async fn a_background_task_is_destroyed_when_the_program_ends() -> Journal<&'static str> {
        let journal = Journal::new();
        let guard = journal.on_drop("destroyed");
        spawn(async move {
            let _guard = guard;
            pending::<()>().await;
        })
        .background();
        settle().await;
        assert_eq!(journal.take(), [""; 0]);
        journal
    }

    #[after_the_run(is_cleaned)]
    async fn the_end_waits_for_the_cleanups_of_background_tasks() -> Journal<&'static str> {
        let journal = Journal::new();
        let entries = journal.clone();
        let body = finally(pending::<()>(), async move || {
            sleep(beats(2)).await;
            entries.add("clean");
        });
        spawn(body).background();
        settle().await;
        journal
    }

    #[after_the_run(is_cleaned)]
    async fn the_end_waits_for_cleanups_that_were_left_behind() -> Journal<&'static str> {
        let journal = Journal::new();
        let entries = journal.clone();
        let mut body = Box::pin(finally(pending::<()>(), async move || {
            sleep(beats(2)).await;
            entries.add("clean");
        }));
        parcae::select! {
            () = &mut body => unreachable!("it is pending"),
            () = settle() => {}
        }
        drop(body);
        assert_eq!(journal.take(), [""; 0]);
        journal
    }

    #[after_the_run(ends_in_order)]
    async fn a_body_is_destroyed_before_its_cleanup_begins_at_the_end() -> Journal<&'static str> {
        let journal = Journal::new();
        let (entries, guard) = (journal.clone(), journal.on_drop("body"));
        let body = async move {
            let _guard = guard;
            pending::<()>().await;
        };
        spawn(finally(body, async move || entries.add("clean"))).background();
        settle().await;
        journal
    }

    #[after_the_run(is_its_own)]
    async fn what_is_destroyed_at_the_end_is_so_in_its_own_context() -> Journal<&'static str> {
        struct Witness(Journal<&'static str>);
        impl Drop for Witness {
            fn drop(&mut self) {
                self.0.add(REQUEST.get());
            }
        }
        let journal = Journal::new();
        let witness = Witness(journal.clone());
        spawn(async move {
            REQUEST.set("task");
            let _witness = witness;
            pending::<()>().await;
        })
        .background();
        settle().await;
        journal
    }

    #[after_the_run(is_empty)]
    async fn a_call_that_is_ahead_at_the_end_is_not_made() -> Journal<&'static str> {
        let journal = Journal::new();
        let entries = journal.clone();
        drop(call_after(HOUR, move || entries.add("made")));
        settle().await;
        journal
    }

    #[after_the_run(is_destroyed)]
    async fn what_a_destructor_spawns_at_the_end_is_not_polled() -> Journal<&'static str> {
        struct Spawner(Journal<&'static str>);
        impl Drop for Spawner {
            fn drop(&mut self) {
                let (guard, entries) = (self.0.on_drop("destroyed"), self.0.clone());
                spawn(async move {
                    let _guard = guard;
                    entries.add("polled");
                })
                .background();
            }
        }
        let journal = Journal::new();
        let spawner = Spawner(journal.clone());
        spawn(async move {
            let _spawner = spawner;
            pending::<()>().await;
        })
        .background();
        settle().await;
        journal
    }

    #[after_the_run(is_destroyed)]
    async fn a_task_whose_handle_is_dropped_last_is_destroyed() -> Journal<&'static str> {
        let journal = Journal::new();
        let guard = journal.on_drop("destroyed");
        let _task = spawn(async move {
            let _guard = guard;
            pending::<()>().await;
        });
        settle().await;
        journal
    }

    #[after_the_run(is_cleaned)]
    async fn a_cleanup_that_is_under_way_at_the_end_is_not_cancelled() -> Journal<&'static str> {
        let journal = Journal::new();
        let entries = journal.clone();
        let task = spawn(finally(pending::<()>(), async move || {
            sleep(beats(2)).await;
            entries.add("clean");
        }));
        settle().await;
        drop(task);
        settle().await;
        assert_eq!(journal.take(), [""; 0]);
        journal
    }

    #[after_the_run(ends_in_order)]
    async fn the_end_waits_for_the_cleanup_of_a_cleanup() -> Journal<&'static str> {
        let journal = Journal::new();
        let (entries, inner) = (journal.clone(), journal.clone());
        spawn(finally(pending::<()>(), async move || {
            finally(async { entries.add("body") }, async move || {
                sleep(beats(2)).await;
                inner.add("clean");
            })
            .await;
        }))
        .background();
        settle().await;
        journal
    }
}
