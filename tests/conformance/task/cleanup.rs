//! Cleanup that awaits.

use std::future::pending;
use std::rc::Rc;

use futures::stream::{FuturesUnordered, StreamExt as _};
use parcae::spawn;
use parcae::sync::Event;
use parcae::task::{ContextVar, JoinError, finally, finally_within, scope, settle, yield_now};
use parcae::time::{sleep, timeout};

use crate::clock::{HOUR, Stopwatch, beats};
use crate::journal::Journal;

static REQUEST: ContextVar<&'static str> = ContextVar::new(|| "none");

conformance! {
    async fn a_cleanup_runs_when_the_body_has_ended_and_is_waited_for() {
        let journal = Journal::new();
        let (body, entries) = (journal.clone(), journal.clone());
        let watch = Stopwatch::start();
        let value = finally(
            async move {
                body.add("body");
                7
            },
            async move || {
                sleep(beats(1)).await;
                entries.add("clean");
            },
        );
        assert_eq!(value.await, 7);
        watch.took(beats(1));
        assert_eq!(journal.take(), ["body", "clean"]);
    }

    async fn a_cleanup_runs_when_the_body_panics() {
        let journal = Journal::new();
        let entries = journal.clone();
        let task = spawn(finally(async { panic!("out of cheese") }, async move || {
            sleep(beats(1)).await;
            entries.add("clean");
        }));
        let end: Result<(), _> = task.join().await;
        assert!(matches!(end, Err(JoinError::Panicked { .. })));
        assert_eq!(journal.take(), ["clean"], "whoever joins waits for it");
    }

    async fn a_body_is_destroyed_before_its_cleanup_begins() {
        let journal = Journal::new();
        let (guard, entries) = (journal.on_drop("body"), journal.clone());
        let body = async move {
            let _guard = guard;
            pending::<()>().await;
        };
        let task = spawn(finally(body, async move || entries.add("clean")));
        settle().await;
        assert_eq!(task.cancel().await, None);
        assert_eq!(journal.take(), ["body", "clean"]);
    }

    async fn a_time_out_waits_for_the_cleanup_of_what_it_drops() {
        let journal = Journal::new();
        let entries = journal.clone();
        let watch = Stopwatch::start();
        let work = finally(pending::<()>(), async move || {
            sleep(beats(2)).await;
            entries.add("clean");
        });
        assert!(timeout(beats(1), work).await.is_err());
        watch.took(beats(3));
        assert_eq!(journal.take(), ["clean"]);
    }

    async fn a_time_out_does_not_wait_for_tasks_whose_handles_it_drops() {
        let journal = Journal::new();
        let entries = journal.clone();
        let gate = Rc::new(Event::new());
        let opened = gate.clone();
        let task = spawn(finally(pending::<()>(), async move || {
            opened.wait().await;
            entries.add("clean");
        }));
        assert!(timeout(beats(1), task).await.is_err());
        assert_eq!(journal.take(), [""; 0]);
        gate.set();
        settle().await;
        assert_eq!(journal.take(), ["clean"]);
    }

    async fn a_cleanup_is_shielded_from_cancelling_who_waits_for_it() {
        let journal = Journal::new();
        let entries = journal.clone();
        let gate = Rc::new(Event::new());
        let opened = gate.clone();
        let task = spawn(finally(pending::<()>(), async move || {
            opened.wait().await;
            entries.add("clean");
        }));
        settle().await;
        let waiter = spawn(async move { task.cancel().await });
        settle().await;
        drop(waiter);
        settle().await;
        assert_eq!(journal.take(), [""; 0]);
        gate.set();
        settle().await;
        assert_eq!(journal.take(), ["clean"]);
    }

    async fn a_cleanup_that_is_waited_for_survives_a_cancellation_of_its_body() {
        let journal = Journal::new();
        let entries = journal.clone();
        let gate = Rc::new(Event::new());
        let opened = gate.clone();
        let task = spawn(finally(async {}, async move || {
            opened.wait().await;
            entries.add("clean");
        }));
        settle().await;
        let cancel = task.cancel();
        gate.set();
        cancel.await;
        assert_eq!(journal.take(), ["clean"]);
    }

    async fn a_cleanup_is_dropped_where_it_waits_when_its_time_is_over() {
        let journal = Journal::new();
        let guard = journal.on_drop("dropped");
        let watch = Stopwatch::start();
        finally_within(beats(2), async {}, async move || {
            let _guard = guard;
            pending::<()>().await;
        })
        .await;
        watch.took(beats(2));
        assert_eq!(journal.take(), ["dropped"]);
    }

    async fn a_cleanup_of_a_body_that_never_began_is_left_out() {
        let journal = Journal::new();
        let entries = journal.clone();
        drop(spawn(finally(pending::<()>(), async move || entries.add("clean"))));
        settle().await;
        let entries = journal.clone();
        drop(finally(pending::<()>(), async move || entries.add("clean")));
        settle().await;
        assert_eq!(journal.take(), [""; 0]);
    }

    async fn cleanups_run_from_the_inside_out() {
        let journal = Journal::new();
        let (inner, outer) = (journal.clone(), journal.clone());
        let body = finally(async {}, async move || {
            yield_now().await;
            inner.add("inner");
        });
        finally(body, async move || outer.add("outer")).await;
        assert_eq!(journal.take(), ["inner", "outer"]);
    }

    async fn a_cleanup_sees_the_variables_of_its_task() {
        let journal = Journal::new();
        let entries = journal.clone();
        let task = spawn(async move {
            REQUEST.set("task");
            finally(pending::<()>(), async move || entries.add(REQUEST.get())).await;
        });
        settle().await;
        task.cancel().await;
        assert_eq!(journal.take(), ["task"]);
    }

    async fn a_scope_closes_what_it_opened_when_the_body_has_ended() {
        let journal = Journal::new();
        let entries = journal.clone();
        let result = scope(
            async { Ok::<_, &str>(vec!["open"]) },
            async move |mut lines: Vec<&'static str>| {
                yield_now().await;
                lines.push("closed");
                for line in lines {
                    entries.add(line);
                }
            },
            async |lines| {
                lines.push("used");
                Ok(lines.len())
            },
        );
        assert_eq!(result.await, Ok(2));
        assert_eq!(journal.take(), ["open", "used", "closed"]);
    }

    async fn a_scope_closes_what_it_opened_when_the_body_fails() {
        let journal = Journal::new();
        let entries = journal.clone();
        let result: Result<(), _> = scope(
            async { Ok("connection") },
            async move |name: &'static str| entries.add(name),
            async |_| Err("no"),
        )
        .await;
        assert_eq!(result, Err("no"));
        assert_eq!(journal.take(), ["connection"]);
    }

    async fn a_scope_closes_what_it_opened_when_it_is_cancelled() {
        let journal = Journal::new();
        let entries = journal.clone();
        let work = scope(
            async { Ok("connection") },
            async move |name: &'static str| {
                sleep(beats(1)).await;
                entries.add(name);
            },
            async |_| {
                sleep(HOUR).await;
                Ok::<_, &str>(())
            },
        );
        assert!(timeout(beats(1), work).await.is_err());
        assert_eq!(journal.take(), ["connection"]);
    }

    async fn a_scope_that_cannot_open_closes_nothing() {
        let journal = Journal::new();
        let entries = journal.clone();
        let result: Result<(), _> = scope(
            async { Err::<(), _>("no") },
            async move |()| entries.add("closed"),
            async |()| Ok(()),
        )
        .await;
        assert_eq!(result, Err("no"));
        assert_eq!(journal.take(), [""; 0]);
    }

    async fn a_time_out_does_not_wait_for_cleanups_that_were_left_before() {
        let journal = Journal::new();
        let event = Rc::new(Event::new());
        let (entries, gate) = (journal.clone(), event.clone());
        let mut body = Box::pin(finally_within(HOUR, pending::<()>(), async move || {
            gate.wait().await;
            entries.add("first");
        }));
        parcae::select! {
            () = &mut body => unreachable!("it is pending"),
            () = settle() => {}
        }
        drop(body);
        let entries = journal.clone();
        let work = finally(pending::<()>(), async move || entries.add("second"));
        assert!(timeout(beats(1), work).await.is_err());
        journal.add("over");
        event.set();
        settle().await;
        assert_eq!(journal.take(), ["second", "over", "first"]);
    }

    async fn time_outs_in_a_set_wait_for_their_cleanups_beside_each_other() {
        let journal = Journal::new();
        let bounds: FuturesUnordered<_> = [1, 2]
            .map(|count| {
                let entries = journal.clone();
                let clean = async move || {
                    sleep(beats(4 * count)).await;
                    entries.add(count);
                };
                timeout(beats(1), finally(pending::<()>(), clean))
            })
            .into_iter()
            .collect();
        assert!(bounds.all(async |bound| bound.is_err()).await);
        assert_eq!(journal.take(), [1, 2]);
    }
}
