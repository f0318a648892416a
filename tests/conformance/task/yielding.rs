//! Letting others go first.

use std::cell::Cell;
use std::rc::Rc;

use parcae::spawn;
use parcae::sync::Event;
use parcae::task::{gather, settle, yield_now};
use parcae::time::sleep;

use crate::clock::{HOUR, Stopwatch, beats};
use crate::journal::Journal;
use crate::polling::is_pending;

conformance! {
    async fn a_task_that_yields_goes_on() {
        let watch = Stopwatch::start();
        for _ in 0..100 {
            yield_now().await;
        }
        watch.took(beats(0));
    }

    async fn two_tasks_that_yield_to_each_other_both_get_on() {
        let turn = Rc::new(Cell::new(0));
        let players: Vec<_> = (0..2)
            .map(|player| {
                let turn = turn.clone();
                spawn(async move {
                    for _ in 0..20 {
                        while turn.get() % 2 != player {
                            yield_now().await;
                        }
                        turn.set(turn.get() + 1);
                    }
                })
            })
            .collect();
        for player in players {
            player.await;
        }
        assert_eq!(turn.get(), 40);
    }

    async fn whoever_settles_goes_on_when_all_others_are_blocked() {
        let journal = Journal::new();
        let event = Rc::new(Event::new());
        for name in ["one", "two"] {
            let (entries, event) = (journal.clone(), event.clone());
            spawn(async move {
                for _ in 0..3 {
                    yield_now().await;
                }
                entries.add(name);
                event.wait().await;
            })
            .detach();
        }
        settle().await;
        let mut entries = journal.take();
        entries.sort_unstable();
        assert_eq!(entries, ["one", "two"]);
        event.set();
        settle().await;
    }

    async fn tasks_that_others_spawn_and_wake_run_before_who_settles() {
        let journal = Journal::new();
        let entries = journal.clone();
        spawn(async move {
            yield_now().await;
            spawn(async move {
                yield_now().await;
                entries.add("grandchild");
            })
            .detach();
        })
        .detach();
        settle().await;
        assert_eq!(journal.take(), ["grandchild"]);
    }

    async fn whoever_settles_does_not_wait_for_time() {
        let watch = Stopwatch::start();
        let sleeper = spawn(sleep(HOUR));
        settle().await;
        assert!(!sleeper.is_finished());
        watch.took(beats(0));
    }

    async fn of_several_that_settle_the_first_goes_on_first() {
        let journal = Journal::new();
        let entries = journal.clone();
        let second = spawn(async move {
            settle().await;
            entries.add("second");
        });
        let entries = journal.clone();
        let first = async move {
            settle().await;
            entries.add("first");
        };
        first.await;
        second.await;
        assert_eq!(journal.take(), ["first", "second"]);
    }

    async fn whoever_settles_may_go_on_in_another_task() {
        let mut settling = Box::pin(settle());
        assert!(is_pending(settling.as_mut()).await);
        spawn(settling).await;
    }

    async fn of_several_that_settle_one_goes_on_when_the_last_is_blocked() {
        let journal = Journal::new();
        let tasks = [(); 3].map(|()| {
            let journal = journal.clone();
            spawn(async move {
                settle().await;
                journal.add("begins");
                yield_now().await;
                journal.add("ends");
            })
        });
        gather(tasks).await;
        assert_eq!(journal.take(), ["begins", "ends"].repeat(3));
    }
}
