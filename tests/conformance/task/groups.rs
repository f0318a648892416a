//! Groups: nothing in them outlives them, and nothing that fails in them is lost.

use std::convert::Infallible;
use std::future::pending;
use std::rc::Rc;

use parcae::spawn;
use parcae::sync::Event;
use parcae::task::{
    Builder, Group, GroupError, GroupTask, GroupTaskError, JoinError, finally, group, settle,
};
use parcae::time::{Instant, sleep, sleep_until, timeout};

use crate::clock::{Stopwatch, beats};
use crate::journal::{Journal, OnDrop};

/// Holds a value for ever.
async fn keep<T>(_value: T) -> Result<(), &'static str> {
    pending().await
}

/// Fails its group when it is dropped.
struct Session(Group<&'static str>);

impl Drop for Session {
    fn drop(&mut self) {
        self.0.fail("cut off").expect("children end before their group");
    }
}

conformance! {
    async fn a_group_is_ready_when_its_body_and_all_children_have_ended() {
        let journal = Journal::new();
        let watch = Stopwatch::start();
        let entries = journal.clone();
        let result = group(async |group| {
            let start = Instant::now();
            for count in [3, 1, 2] {
                let entries = entries.clone();
                group.spawn(async move {
                    sleep_until(start + beats(count)).await;
                    entries.add(count);
                });
            }
            entries.add(0);
            Ok::<_, Infallible>("body")
        })
        .await;
        assert_eq!(result.unwrap(), "body");
        assert_eq!(journal.take(), [0, 1, 2, 3]);
        watch.took(beats(3));
    }

    async fn a_child_does_not_begin_before_the_body_awaits() {
        let journal = Journal::new();
        let entries = journal.clone();
        let result = group(async |group| {
            let child = entries.clone();
            let task = group.spawn(async move { child.add("child") });
            entries.add("body");
            task.await;
            Ok::<_, Infallible>(())
        });
        result.await.unwrap();
        assert_eq!(journal.take(), ["body", "child"]);
    }

    async fn the_first_failure_cancels_the_siblings_and_the_body() {
        let journal = Journal::new();
        let guards: Vec<OnDrop<_>> = ["one", "two"].map(|name| journal.on_drop(name)).into();
        let body = journal.on_drop("body");
        let failed = group(async move |group| {
            for guard in guards {
                group.spawn_try(keep(guard));
            }
            settle().await;
            group.spawn_try(async { Err::<(), _>("no") });
            keep(body).await
        });
        assert_eq!(failed.await.unwrap_err().into_errors(), ["no"]);
        let mut ends = journal.take();
        ends.sort_unstable();
        assert_eq!(ends, ["body", "one", "two"]);
    }

    async fn an_error_of_the_body_cancels_the_children() {
        let journal = Journal::new();
        let guard = journal.on_drop("child");
        let failed = group(async move |group| {
            group.spawn_try(keep(guard));
            settle().await;
            Err::<(), _>("no")
        });
        assert_eq!(failed.await.unwrap_err().first(), &"no");
        assert_eq!(journal.take(), ["child"]);
    }

    async fn no_error_is_lost_and_they_stand_in_the_order_in_which_they_came() {
        let failed = group(async |group| {
            let session = Session(group.clone());
            group.spawn_try(keep(session));
            settle().await;
            group.spawn_try(async { Err::<(), _>("first") });
            pending::<Result<(), &str>>().await
        });
        let error = failed.await.unwrap_err();
        assert_eq!(error.errors(), ["first", "cut off"]);
        assert_eq!(error.first(), &"first");
    }

    async fn a_panic_of_a_child_cancels_the_others_and_goes_on() {
        let journal = Journal::new();
        let guard = journal.on_drop("sibling");
        let task = spawn(async move {
            let failed = group(async move |group| {
                group.spawn_try(keep(guard));
                settle().await;
                group.spawn(async { panic!("out of cheese") });
                pending::<Result<(), &str>>().await
            });
            failed.await
        });
        match task.join().await {
            Err(JoinError::Panicked { message, .. }) => assert_eq!(message, "out of cheese"),
            end => panic!("another end: {end:?}"),
        }
        assert_eq!(journal.take(), ["sibling"]);
    }

    async fn a_panic_of_the_body_cancels_the_children_and_goes_on() {
        let journal = Journal::new();
        let guard = journal.on_drop("child");
        let task = spawn(async move {
            let failed = group(async move |group| -> Result<(), &str> {
                group.spawn_try(keep(guard));
                settle().await;
                panic!("out of cheese")
            });
            failed.await
        });
        match task.join().await {
            Err(JoinError::Panicked { message, .. }) => assert_eq!(message, "out of cheese"),
            end => panic!("another end: {end:?}"),
        }
        assert_eq!(journal.take(), ["child"]);
    }

    async fn a_time_out_that_drops_a_group_returns_when_its_children_have_ended() {
        let journal = Journal::new();
        let entries = journal.clone();
        let watch = Stopwatch::start();
        let sessions = group(async |group| {
            for _ in 0..3 {
                let entries = entries.clone();
                group.spawn(finally(pending::<()>(), async move || {
                    sleep(beats(2)).await;
                    entries.add("closed");
                }));
            }
            Ok::<_, Infallible>(())
        });
        assert!(timeout(beats(1), sessions).await.is_err());
        assert_eq!(journal.take(), ["closed"; 3]);
        watch.took(beats(3));
    }

    async fn a_task_that_drops_a_group_ends_after_its_children() {
        let journal = Journal::new();
        let entries = journal.clone();
        let task = spawn(async move {
            let sessions = group(async |group| {
                group.spawn(finally(pending::<()>(), async move || {
                    sleep(beats(1)).await;
                    entries.add("closed");
                }));
                Ok::<_, Infallible>(())
            });
            parcae::select! {
                _ = sessions => unreachable!("it is pending"),
                () = settle() => {}
            }
        });
        assert!(task.join().await.is_ok());
        assert_eq!(journal.take(), ["closed"]);
    }

    async fn a_group_waits_for_the_cleanups_of_its_children() {
        let journal = Journal::new();
        let entries = journal.clone();
        let failed = group(async |group| {
            group.spawn(finally(pending::<()>(), async move || {
                sleep(beats(1)).await;
                entries.add("clean");
            }));
            settle().await;
            Err::<(), _>("no")
        });
        assert_eq!(failed.await.unwrap_err().into_errors(), ["no"]);
        assert_eq!(journal.take(), ["clean"]);
    }

    async fn a_child_that_is_cancelled_by_hand_is_no_failure() {
        let result = group(async |group| {
            let child = group.spawn(pending::<()>());
            settle().await;
            child.cancel();
            Ok::<_, Infallible>(child.join().await)
        });
        assert_eq!(result.await.unwrap(), Err(GroupTaskError::Cancelled));
    }

    async fn a_handle_that_is_dropped_leaves_the_child_alone() {
        let journal = Journal::new();
        let entries = journal.clone();
        let result = group(async |group| {
            drop(group.spawn(async move {
                sleep(beats(1)).await;
                entries.add("ended");
            }));
            Ok::<_, Infallible>(())
        });
        result.await.unwrap();
        assert_eq!(journal.take(), ["ended"]);
    }

    async fn a_child_may_spawn_into_its_group() {
        let journal = Journal::new();
        let entries = journal.clone();
        let result = group(async |group| {
            let inner = group.clone();
            group.spawn(async move {
                inner.spawn(async move { entries.add("grandchild") });
            });
            Ok::<_, Infallible>(())
        });
        result.await.unwrap();
        assert_eq!(journal.take(), ["grandchild"]);
    }

    async fn a_group_that_has_failed_takes_no_more_children() {
        let journal = Journal::new();
        let entries = journal.clone();
        let failed = group(async |group| {
            group.fail("no").unwrap();
            assert!(!group.is_open());
            let child = group.spawn(async move { entries.add("polled") });
            assert_eq!(child.join().await, Err(GroupTaskError::Refused));
            Ok(())
        });
        assert_eq!(failed.await.unwrap_err().into_errors(), ["no"]);
        assert_eq!(journal.take(), [""; 0]);
    }

    async fn a_group_that_has_ended_takes_no_more_children_and_no_errors() {
        let left = group(async |group| Ok::<_, &str>(group.clone())).await.unwrap();
        assert!(!left.is_open());
        assert_eq!(left.spawn(async {}).join().await, Err(GroupTaskError::Refused));
        assert_eq!(left.fail("too late"), Err("too late"));
        assert_eq!(left.child_count(), 0);
    }

    async fn the_handle_of_a_child_tells_how_it_ended() {
        let kept = Rc::new(std::cell::RefCell::new(Vec::new()));
        let keeper = kept.clone();
        let failed = group(async move |group| {
            keeper.borrow_mut().push(group.spawn_try(keep(())));
            settle().await;
            keeper.borrow_mut().push(group.spawn_try(async { Err::<(), _>("no") }));
            pending::<Result<(), &str>>().await
        });
        failed.await.unwrap_err();
        let ends: Vec<_> = kept.take().iter_mut().map(GroupTask::result).collect();
        assert_eq!(ends, [Some(Err(GroupTaskError::Cancelled)), Some(Err(GroupTaskError::Failed))]);
    }

    async fn the_value_of_a_child_is_taken_once() {
        let mut child = group(async |group| {
            let mut child = group.spawn(async { 42 });
            assert_eq!(child.result(), None);
            Ok::<_, Infallible>(child)
        })
        .await
        .unwrap();
        assert!(child.is_finished());
        assert_eq!(child.result(), Some(Ok(42)));
        assert_eq!(child.result(), None);
    }

    async fn a_group_counts_the_children_that_have_not_ended() {
        let gate = Rc::new(Event::new());
        let result = group(async |group| {
            for _ in 0..3 {
                let gate = gate.clone();
                group.spawn(async move { gate.wait().await });
            }
            assert_eq!(group.child_count(), 3);
            assert!(group.is_open());
            gate.set();
            Ok::<_, Infallible>(group.clone())
        });
        assert_eq!(result.await.unwrap().child_count(), 0);
    }

    async fn nested_groups_keep_the_shape_of_their_errors() {
        let failed = group(async |outer| {
            outer.spawn_try(group(async |inner| {
                inner.spawn_try(async { Err::<(), _>("no") });
                pending::<Result<(), &str>>().await
            }));
            pending::<Result<(), GroupError<&str>>>().await
        });
        let errors = failed.await.unwrap_err().into_errors();
        assert_eq!(errors.len(), 1);
        assert_eq!(errors[0].errors(), ["no"]);
    }

    async fn children_have_names_and_may_be_eager() {
        let result = group(async |group| {
            let mut eager = group.spawn_with(Builder::new().name("eager").eager(), async { 1 });
            assert_eq!(eager.result(), Some(Ok(1)));
            let tried = group.spawn_try_with(Builder::new().name("tried"), async { Ok(2) });
            let named = group.spawn_named("named", async { 3 });
            Ok::<_, Infallible>(tried.await + named.await)
        });
        assert_eq!(result.await.unwrap(), 5);
    }

    async fn an_empty_group_is_ready_at_once() {
        let watch = Stopwatch::start();
        assert_eq!(group(async |_| Ok::<_, Infallible>(7)).await.unwrap(), 7);
        watch.took(beats(0));
    }
}
