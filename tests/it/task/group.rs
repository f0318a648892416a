//! Groups: who is waited for, what fails, what is kept.

use std::cell::Cell;
use std::convert::Infallible;
use std::future::pending;
use std::rc::Rc;

use parcae::executor::Limits;
use parcae::explore::Strategy;
use parcae::sync::{Event, Queue};
use parcae::task::{Builder, Group, GroupError, GroupTaskError, gather, group, settle, yield_now};
use parcae::testing::Shared;
use parcae::time::{Instant, sleep, timeout};
use parcae::{Failure, Sim, spawn};

use super::{after, everywhere, on_seeds};
use crate::runs::{Journal, OnDrop, failure, fifo, limited, millis, random, secs};

/// Waits, then fails with this.
async fn fails(delay: u64, error: &'static str) -> Result<(), &'static str> {
    sleep(millis(delay)).await;
    Err(error)
}

#[test]
fn a_group_ends_after_its_body_and_all_children() {
    everywhere(|| async {
        let start = Instant::now();
        let ended = Rc::new(Cell::new(0));
        let count = ended.clone();
        let result = group(async move |group| {
            for delay in [3, 1, 2] {
                let count = count.clone();
                group.spawn(async move {
                    sleep(secs(delay)).await;
                    count.set(count.get() + 1);
                });
            }
            sleep(secs(1)).await;
            Ok::<_, Infallible>("body")
        });
        assert_eq!(result.await, Ok("body"));
        assert_eq!((ended.get(), start.elapsed()), (3, secs(3)));
    });
}

#[test]
fn without_children_a_group_is_its_body() {
    everywhere(|| async {
        assert_eq!(group(async |_| Ok::<_, Infallible>(1)).await, Ok(1));
        let failed: Result<(), _> = group(async |_| Err("body")).await;
        assert_eq!(failed.unwrap_err().errors(), ["body"]);
    });
}

#[test]
fn the_first_failure_drops_the_body_and_all_children_before_the_group_ends() {
    everywhere(|| async {
        let (start, dropped) = (Instant::now(), Journal::new());
        let journal = dropped.clone();
        let result = group(async |group| {
            group.spawn_try(fails(1, "first"));
            group.spawn(after(20, (), journal.clone()));
            group.spawn_try(after(30, Err::<(), _>("too late"), journal.clone()));
            after(10, Ok(()), journal.clone()).await
        })
        .await;
        assert_eq!(result.unwrap_err().into_errors(), ["first"]);
        assert_eq!(start.elapsed(), millis(1));
        let mut dropped = dropped.take();
        assert_eq!(dropped.len(), 3, "the group ended before its children");
        dropped.sort_unstable();
        assert_eq!(dropped, [10, 20, 30]);
    });
}

#[test]
fn an_error_of_the_body_cancels_the_children() {
    everywhere(|| async {
        let (start, dropped) = (Instant::now(), Journal::new());
        let result: Result<(), _> = group(async |group| {
            for delay in [10, 20] {
                group.spawn(after(delay, (), dropped.clone()));
            }
            sleep(millis(1)).await;
            Err("body")
        })
        .await;
        assert_eq!(result.unwrap_err().into_errors(), ["body"]);
        assert_eq!((start.elapsed(), dropped.count()), (millis(1), 2));
    });
}

#[test]
fn a_child_that_is_cancelled_by_hand_has_not_failed() {
    everywhere(|| async {
        let start = Instant::now();
        let result = group(async |group| {
            let victim = group.spawn_try(async { pending::<Result<(), &str>>().await });
            let other = group.spawn(async {
                sleep(secs(1)).await;
                1
            });
            settle().await;
            victim.cancel();
            assert_eq!(victim.join().await, Err(GroupTaskError::Cancelled));
            Ok(other.await)
        })
        .await;
        assert_eq!((result, start.elapsed()), (Ok(1), secs(1)));
    });
}

#[test]
fn cancelling_a_child_that_has_ended_changes_nothing() {
    everywhere(|| async {
        let result = group(async |group| {
            let child = group.spawn(async { 1 });
            settle().await;
            child.cancel();
            Ok::<_, Infallible>(child.await)
        })
        .await;
        assert_eq!(result, Ok(1));
    });
}

#[test]
fn dropping_a_handle_does_not_cancel_the_child() {
    everywhere(|| async {
        let ran = Rc::new(Cell::new(false));
        let runs = ran.clone();
        let result = group(async |group| {
            drop(group.spawn(async move {
                sleep(secs(1)).await;
                runs.set(true);
            }));
            Ok::<_, Infallible>(())
        });
        result.await.unwrap();
        assert!(ran.get());
    });
}

#[test]
fn after_the_group_every_handle_is_ready() {
    everywhere(|| async {
        let [one, two, three] = group(async |group| {
            let one = group.spawn(async { 1 });
            let two = group.spawn(pending::<i32>());
            two.cancel();
            Ok::<_, Infallible>([one, two, group.spawn_named("three", async { 3 })])
        })
        .await
        .unwrap();
        assert!(one.is_finished() && two.is_finished());
        let mut one = one;
        assert_eq!((one.result(), one.result()), (Some(Ok(1)), None));
        assert_eq!(
            crate::runs::poll_once(&mut two.join()).map(|end| end.unwrap_err()),
            std::task::Poll::Ready(GroupTaskError::Cancelled)
        );
        assert_eq!(three.await, 3);
    });
}

#[test]
fn children_may_spawn_into_the_group_also_after_the_body() {
    everywhere(|| async {
        let count = Rc::new(Cell::new(0));
        let counted = count.clone();
        let result = group(async move |group| {
            let inner = group.clone();
            let count = async |counted: Rc<Cell<i32>>| {
                sleep(millis(10)).await;
                counted.set(counted.get() + 1);
            };
            group.spawn(async move {
                sleep(millis(10)).await;
                for _ in 0..3 {
                    inner.spawn(count(counted.clone()));
                }
            });
            Ok::<_, Infallible>(())
        });
        result.await.unwrap();
        assert_eq!(count.get(), 3);
    });
}

/// Spawns two of its kind and lives on.
async fn hydra(group: Group<&'static str>, heads: Rc<Cell<u32>>) {
    loop {
        sleep(millis(10)).await;
        for _ in 0..2 {
            heads.set(heads.get() + 1);
            group.spawn(Box::pin(hydra(group.clone(), heads.clone())));
        }
    }
}

#[test]
fn children_that_keep_spawning_cannot_keep_a_failed_group_alive() {
    everywhere(|| async {
        let heads = Rc::new(Cell::new(0));
        let result: Result<(), _> = group(async |group| {
            group.spawn(hydra(group.clone(), heads.clone()));
            group.spawn_try(fails(45, "hercules"));
            pending().await
        })
        .await;
        assert_eq!(result.unwrap_err().into_errors(), ["hercules"]);
        // Four doublings of one and a bit: 2, 6, 18, 54 heads were grown.
        assert_eq!(heads.get(), 80);
        assert_eq!(Rc::strong_count(&heads), 1, "a head is left");
    });
}

#[test]
fn children_that_spawn_when_they_are_destroyed_cannot_keep_a_failed_group_alive() {
    everywhere(|| async {
        let refused = Rc::new(Cell::new(0));
        let count = refused.clone();
        let result: Result<(), _> = group(async move |group| {
            for _ in 0..3 {
                let (inner, count) = (group.clone(), count.clone());
                let spawn_more = OnDrop(move || {
                    let mut child = inner.spawn(pending::<()>());
                    assert_eq!(child.result(), Some(Err(GroupTaskError::Refused)));
                    count.set(count.get() + 1);
                });
                group.spawn(async move {
                    let _guard = spawn_more;
                    pending::<()>().await;
                });
            }
            settle().await;
            Err("over")
        })
        .await;
        assert!(result.is_err());
        assert_eq!(refused.get(), 3);
    });
}

#[test]
fn a_group_that_has_failed_or_ended_refuses_children_and_drops_their_futures() {
    everywhere(|| async {
        let kept = Rc::new(Cell::new(None::<Group<&str>>));
        let keeper = kept.clone();
        let try_spawn = |group: &Group<&'static str>| {
            let dropped = Rc::new(Cell::new(false));
            let is_dropped = dropped.clone();
            let guard = OnDrop(move || is_dropped.set(true));
            let mut child = group.spawn(async move {
                let _guard = guard;
                unreachable!("it was refused");
            });
            assert!(dropped.get(), "the future is dropped at once");
            assert_eq!(child.result(), Some(Err::<(), _>(GroupTaskError::Refused)));
            assert!(!group.is_open());
            child.cancel();
        };
        let result: Result<(), _> = group(async move |group| {
            group.fail("over").unwrap();
            try_spawn(&group);
            keeper.set(Some(group));
            pending().await
        })
        .await;
        assert!(result.is_err());
        let ended = kept.take().unwrap();
        try_spawn(&ended);
        assert_eq!(ended.fail("late"), Err("late"));
        // A group that was dropped, too.
        let keeper = kept.clone();
        let running = group(async move |group: Group<&str>| {
            keeper.set(Some(group));
            pending::<Result<(), _>>().await
        });
        assert!(timeout(secs(1), running).await.is_err());
        try_spawn(&kept.take().unwrap());
    });
}

#[test]
fn a_child_that_is_spawned_in_the_step_in_which_the_group_fails_never_runs() {
    everywhere(|| async {
        let result: Result<(), _> = group(async |group| {
            group.spawn(async { unreachable!("its group had failed") });
            Err("body")
        })
        .await;
        assert_eq!(result.unwrap_err().into_errors(), ["body"]);
    });
}

#[test]
fn finished_children_are_forgotten() {
    let outcome = limited(
        |limits| limits.tasks = 8,
        || async {
            let outer = Rc::new(Cell::new(0));
            let largest = outer.clone();
            let result = group(async move |group| {
                for number in 0..5_000 {
                    let child = group.spawn(async move { number });
                    assert_eq!(child.await, number);
                    largest.set(largest.get().max(group.child_count()));
                }
                Ok::<_, Infallible>(())
            });
            result.await.unwrap();
            outer.get()
        },
    );
    assert!(outcome.unwrap() <= 2, "children pile up");
}

#[test]
fn of_children_that_spawn_their_successors_only_the_living_are_kept() {
    /// Lives for a while and has a successor.
    async fn link(group: Group<Infallible>, left: u32) {
        yield_now().await;
        if left > 0 {
            assert!(group.child_count() <= 3, "children pile up");
            group.spawn(link(group.clone(), left - 1));
        }
    }
    // Under `Fifo` the group has its turn after each.
    let mut limits = Limits::default();
    limits.tasks = 8;
    let sim = Sim::builder().strategy(Strategy::Fifo).limits(limits).build().unwrap();
    let outcome = sim.run(|| group(async |group| Ok(group.spawn(link(group.clone(), 2_000)))));
    assert_eq!(outcome.unwrap().unwrap().result(), Some(Ok(())));
}

#[test]
fn nested_groups_nest_their_errors() {
    everywhere(|| async {
        #[derive(Debug, PartialEq)]
        enum Outer {
            Own(&'static str),
            Inner(GroupError<&'static str>),
        }
        let result: Result<(), GroupError<Outer>> = group(async |outer| {
            group(async |inner| {
                inner.spawn_try(fails(10, "inner"));
                Ok(())
            })
            .await
            .map_err(|error| {
                outer.fail(Outer::Own("outer")).unwrap();
                Outer::Inner(error)
            })
        })
        .await;
        let errors = result.unwrap_err().into_errors();
        let [Outer::Own("outer"), Outer::Inner(inner)] = &*errors else { panic!("{errors:?}") };
        assert_eq!((inner.first(), inner.errors().len()), (&"inner", 1));
        // Both kinds of one group, without an enum.
        let twice: Result<(), GroupError<GroupError<&str>>> = group(async |outer| {
            outer.spawn_try(group(async |inner| {
                inner.spawn_try(fails(10, "inner"));
                Ok(())
            }));
            Ok(())
        })
        .await;
        let inner = twice.unwrap_err().into_iter().next().unwrap();
        assert_eq!(inner.into_errors(), ["inner"]);
    });
}

#[test]
fn an_outer_failure_cancels_the_inner_group_and_an_inner_one_reaches_the_outer() {
    everywhere(|| async {
        for (outer_delay, inner_delay) in [(1, 10), (10, 1)] {
            let (start, dropped) = (Instant::now(), Journal::new());
            let result: Result<(), GroupError<&str>> = group(async |outer| {
                outer.spawn_try(fails(outer_delay, "outer"));
                outer.spawn(after(100, (), dropped.clone()));
                group(async |inner| {
                    inner.spawn_try(fails(inner_delay, "inner"));
                    inner.spawn(after(200, (), dropped.clone()));
                    pending().await
                })
                .await
                .map_err(|error: GroupError<&str>| error.into_errors()[0])
            })
            .await;
            let expected = if outer_delay < inner_delay { "outer" } else { "inner" };
            assert_eq!(result.unwrap_err().into_errors(), [expected]);
            assert_eq!(start.elapsed(), millis(1));
            assert_eq!(dropped.count(), 2, "a child of the inner group is left");
        }
    });
}

#[test]
fn every_error_is_kept_in_the_order_in_which_it_came() {
    everywhere(|| async {
        let result: Result<(), GroupError<u64>> = group(async |group| {
            for number in 1..=3 {
                let inner = group.clone();
                group.spawn(async move {
                    let _guard = OnDrop(|| inner.fail(number).unwrap());
                    pending::<()>().await;
                });
            }
            settle().await;
            Err(0)
        })
        .await;
        let mut errors = result.unwrap_err().into_errors();
        assert_eq!(errors[0], 0, "the error that cancelled the others is the first");
        errors.sort_unstable();
        assert_eq!(errors, [0, 1, 2, 3]);
    });
}

#[test]
fn a_group_that_failed_leaves_no_cancellation_behind() {
    // gh-95289, and what `uncancel` is for.
    everywhere(|| async {
        let task = spawn(async {
            let failed: Result<(), _> = group(async |group| {
                group.spawn_try(fails(0, "child"));
                let _guard = OnDrop(|| ());
                sleep(secs(1)).await;
                Ok(())
            })
            .await;
            assert!(failed.is_err());
            sleep(secs(1)).await;
            timeout(secs(1), sleep(millis(1))).await.unwrap();
            "went on"
        });
        assert_eq!(task.await, "went on");
    });
}

#[test]
fn values_pass_between_children_through_their_handles() {
    let outputs = on_seeds(|| async {
        let result = group(async |group| {
            let one = group.spawn_named("one", async {
                yield_now().await;
                20
            });
            let two = group.spawn_with(Builder::new().name("two"), async move { one.await + 1 });
            let three = group.spawn_try_with(Builder::new().name("three"), async move {
                Ok::<_, Infallible>(two.await * 2)
            });
            Ok(three.await)
        });
        result.await.unwrap()
    });
    assert!(outputs.iter().all(|output| *output == 42));
}

#[test]
fn a_stuck_group_is_a_deadlock_that_names_the_child() {
    let outcome = fifo(|| async {
        let result = group(async |group| {
            group.spawn(async {});
            group.spawn_named("stuck", pending::<()>());
            Ok::<_, Infallible>(())
        });
        result.await.unwrap();
    });
    assert!(matches!(failure(&outcome), Failure::Deadlock { .. }));
    let message = failure(&outcome).to_string();
    assert!(message.contains("`main` waits for Task join of `stuck`"), "{message}");
    assert!(message.contains("group.rs"), "{message}");
    let outcome = fifo(|| async {
        let result = group(async |group| {
            let stuck = group.spawn_named("stuck", pending::<()>());
            stuck.await;
            Ok::<_, Infallible>(())
        });
        result.await.unwrap();
    });
    let message = failure(&outcome).to_string();
    assert!(message.contains("`stuck`"), "{message}");
}

#[test]
fn groups_work_inside_of_combinators_that_wrap_wakers() {
    everywhere(|| async {
        let sum = async |delay| {
            let result = group(async |group| {
                let slow = group.spawn(async move {
                    sleep(millis(delay)).await;
                    delay
                });
                let fast = group.spawn(async { 1 });
                Ok::<_, Infallible>(slow.await + fast.await)
            });
            result.await.unwrap()
        };
        assert_eq!(futures::join!(sum(1), sum(20), sum(3)), (2, 21, 4));
        let failing = group(async |group| {
            group.spawn_try(fails(1, "child"));
            Ok(())
        });
        let (failed, _) = futures::join!(failing, sum(2));
        assert!(failed.is_err());
    });
}

#[test]
fn a_group_is_send_if_its_error_is() {
    fn is_send<T: Send + Sync>() {}
    is_send::<Group<String>>();
    fn future_is_send<T: Send>(_: &T) {}
    let future = group(async |group: Group<String>| {
        let child = group.spawn(async { 1 });
        Ok(child.await)
    });
    future_is_send(&future);
}

/// Works off jobs; fails at that of its own number, if it is to.
async fn worker(
    number: u32,
    is_failing: bool,
    queue: Queue<u32>,
    done: Rc<Shared<u32>>,
) -> Result<(), u32> {
    while let Ok(job) = queue.get().await {
        yield_now().await;
        if is_failing && job == number {
            return Err(number);
        }
        done.set(done.peek() + 1).await;
    }
    Ok(())
}

#[test]
fn without_settling_workers_of_a_group_lose_nothing_and_end() {
    let mut failures = 0;
    for outcome in random(300, || async {
        let queue = Queue::bounded(2);
        let done = Rc::new(Shared::new(0));
        let jobs: u32 = parcae::choose(1..=6);
        let is_failing = parcae::choose(0..=1) == 1;
        let result = group(async |group| {
            for number in 0..3 {
                group.spawn_try(worker(number, is_failing, queue.clone(), done.clone()));
            }
            for job in 0..jobs {
                queue.put(job).await.unwrap();
            }
            queue.close();
            Ok(())
        })
        .await;
        assert_eq!(Rc::strong_count(&done), 1, "a worker outlived its group");
        match &result {
            Ok(()) => assert!(done.peek() <= jobs),
            Err(error) => assert!(is_failing && error.errors().len() == 1),
        }
        result.is_err()
    }) {
        failures += u32::from(outcome.unwrap());
    }
    assert!(failures > 20 && failures < 280, "{failures} of 300 failed");
}

#[test]
fn of_a_value_and_a_deadline_at_one_instant_the_value_of_the_group_wins() {
    everywhere(|| async {
        let event = Rc::new(Event::new());
        let bounded = timeout(secs(1), async {
            let result = group(async |group| {
                event.set();
                event.wait().await;
                let child = group.spawn(sleep(secs(1)));
                child.await;
                event.wait().await;
                Ok::<_, Infallible>(1)
            });
            result.await.unwrap()
        });
        // The value needs further steps at the instant of the deadline: either may win, none hangs.
        let is_in_time = bounded.await.is_ok();
        let waited = gather([spawn(async move { is_in_time })]).await;
        assert_eq!(waited, [is_in_time]);
    });
}
