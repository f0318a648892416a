//! Who holds what is waited for, as reports say it.

use std::future::Future;
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};

use futures::future::poll_fn;
use parcae::executor::{HeldBy, Tenure, Wait};
use parcae::sync::{Event, Mutex};
use parcae::task::{await_tree, settle, yield_now};
use parcae::time::{sleep, timeout};
use parcae::{Failure, Sim, spawn_named};

use crate::runs::{SEEDS, failure, fifo, millis, random};

/// Returns what a stalled task waits for.
#[track_caller]
fn wait<'a>(failure: &'a Failure, name: &str) -> &'a Wait {
    let task = failure.stalled_tasks().iter().find(|task| task.name == name);
    task.expect("it has not ended").wait.as_ref().expect("it waits")
}

/// Returns the one who holds what a stalled task waits for.
#[track_caller]
fn holder<'a>(failure: &'a Failure, name: &str) -> &'a HeldBy {
    let [holder] = wait(failure, name).holders.as_slice() else { panic!("{failure}") };
    assert_eq!(wait(failure, name).holder_count, 1);
    assert!(holder.taken_at.as_ref().unwrap().file.ends_with("holding.rs"), "{failure}");
    holder
}

#[track_caller]
fn is_held(holder: &HeldBy, tenure: Tenure, task: Option<&str>, line: u32) {
    let at = holder.taken_at.as_ref().unwrap();
    assert_eq!((holder.tenure, holder.task.as_deref(), at.line), (tenure, task, line), "{holder}");
}

/// Polls a future once and keeps it.
async fn poll_first(mut future: impl Future<Output: Sized> + Unpin) {
    poll_fn(|context| {
        drop(std::pin::Pin::new(&mut future).poll(context));
        Poll::Ready(())
    })
    .await;
}

#[test]
fn locks_taken_in_two_orders_name_both_holders_and_their_lines() {
    let first_line = line!() + 5;
    let program = || async {
        let fork = Rc::new(Mutex::new(()).named("fork"));
        let knife = Rc::new(Mutex::new(()).named("knife"));
        let eat = |first: Rc<Mutex<()>>, second: Rc<Mutex<()>>| async move {
            let _first = first.lock().await;
            let _second = second.lock().await;
        };
        let kant = spawn_named("kant", eat(fork.clone(), knife.clone()));
        let hume = spawn_named("hume", eat(knife, fork));
        kant.await;
        hume.await;
    };
    let mut found = 0;
    for outcome in random(SEEDS, program) {
        let Some(failure) = outcome.failure() else { continue };
        found += 1;
        is_held(holder(failure, "kant"), Tenure::Held, Some("hume"), first_line);
        is_held(holder(failure, "hume"), Tenure::Held, Some("kant"), first_line);
        assert_eq!(wait(failure, "main").holders, []);
        let text = failure.to_string();
        let line = text.lines().find(|line| line.contains("`kant` waits")).unwrap();
        assert!(line.contains("`kant` waits for Mutex lock of `knife` at "), "{line}");
        assert!(line.contains(", held by `hume` since tests/it/executor/holding.rs:"), "{line}");
    }
    assert!(found > 20, "{found} of {SEEDS} seeds");
}

#[test]
fn a_task_that_waits_for_its_own_lock_is_named_as_the_holder() {
    let line = line!() + 4;
    for outcome in random(SEEDS, || async {
        let mutex = Mutex::new(());
        // By the other way to take it.
        let _guard = mutex.try_lock().expect("free");
        drop(mutex.lock().await);
    }) {
        is_held(holder(failure(&outcome), "main"), Tenure::Held, Some("main"), line);
    }
}

#[test]
fn a_lock_that_was_handed_on_is_that_of_the_next_holder() {
    let line = line!() + 7;
    for outcome in random(SEEDS, || async {
        let mutex = Rc::new(Mutex::new(()));
        let guard = mutex.lock().await;
        let hog = spawn_named("hog", {
            let mutex = mutex.clone();
            async move {
                let _guard = mutex.lock().await;
                Event::new().wait().await;
            }
        });
        settle().await;
        let waiter = spawn_named("waiter", {
            let mutex = mutex.clone();
            async move { drop(mutex.lock().await) }
        });
        settle().await;
        drop(guard);
        waiter.await;
        hog.await;
    }) {
        is_held(holder(failure(&outcome), "waiter"), Tenure::Held, Some("hog"), line);
    }
}

#[test]
fn what_was_withdrawn_is_published_again_for_later_waiters() {
    let line = line!() + 8;
    for outcome in random(SEEDS, || async {
        let (first, second) = (Mutex::new(()), Mutex::new(()));
        let guard = first.lock().await;
        assert!(timeout(millis(1), first.lock()).await.is_err());
        // The place of the first is used again by the second, and then by the first.
        let _held = second.lock().await;
        drop(guard);
        let _guard = first.lock().await;
        assert!(timeout(millis(1), second.lock()).await.is_err());
        drop(first.lock().await);
    }) {
        is_held(holder(failure(&outcome), "main"), Tenure::Held, Some("main"), line);
    }
}

// The "futurelock" of Oxide's RFD 609.
#[test]
fn a_lock_assigned_to_a_future_that_nobody_polls_is_reported_as_that() {
    let line = line!() + 12;
    for outcome in random(SEEDS, || async {
        let mutex = Rc::new(Mutex::new(()).named("shared"));
        let guard = mutex.lock().await;
        let holder = spawn_named("holder", {
            let mutex = mutex.clone();
            async move {
                let _guard = mutex.lock().await;
                sleep(millis(5)).await;
            }
        });
        settle().await;
        let mut asked = pin!(mutex.lock());
        drop(guard);
        // The other arm wins, and `asked` stays in the line.
        assert!(timeout(millis(2), &mut asked).await.is_err());
        let _again = mutex.lock().await;
        holder.await;
    }) {
        let failure = failure(&outcome);
        is_held(holder(failure, "main"), Tenure::Unclaimed, Some("main"), line);
        let text = failure.to_string();
        let wanted = "assigned to a future of `main` from tests/it/executor/holding.rs:";
        assert!(text.contains(wanted) && text.contains(" that nobody has polled since"), "{text}");
    }
}

#[test]
fn a_guard_that_outlived_its_task_says_so() {
    let line = line!() + 9;
    for is_joined in [false, true] {
        for outcome in random(SEEDS, move || async move {
            let mutex: &'static Mutex<()> = Box::leak(Box::new(Mutex::new(())));
            let keeper = Rc::new(std::cell::RefCell::new(None));
            let taker = spawn_named("taker", {
                let keeper = keeper.clone();
                async move {
                    yield_now().await;
                    *keeper.borrow_mut() = Some(mutex.lock().await);
                }
            });
            let mut taker = Some(taker);
            if is_joined {
                taker.take().expect("just spawned").await;
            }
            settle().await;
            drop(mutex.lock().await);
            drop(taker);
        }) {
            let name = (!is_joined).then_some("taker");
            is_held(holder(failure(&outcome), "main"), Tenure::Ended, name, line);
            let text = failure(&outcome).to_string();
            let wanted =
                if is_joined { "by a task that has ended" } else { "by `taker`, which has ended" };
            assert!(text.contains(wanted), "{text}");
        }
    }
}

#[test]
fn a_holder_that_has_ended_is_not_taken_for_the_task_in_its_place() {
    for outcome in random(SEEDS, || async {
        let mutex: &'static Mutex<()> = Box::leak(Box::new(Mutex::new(())));
        let taker = spawn_named("taker", async { mutex.lock().await });
        let _guard = taker.await;
        // It has the place of the one that has ended.
        let other = spawn_named("other", async { drop(mutex.lock().await) });
        settle().await;
        let tree = await_tree();
        assert!(tree.cycles.is_empty() && tree.branches.iter().all(|branch| branch.depth == 0));
        other.await;
    }) {
        let holder = holder(failure(&outcome), "other");
        assert_eq!((holder.tenure, &holder.task), (Tenure::Ended, &None), "{holder}");
        assert_eq!(failure(&outcome).cycles(), []);
    }
}

#[test]
fn a_lock_taken_outside_of_the_simulation_says_so() {
    let mutex = Arc::new(Mutex::new(()));
    let line = line!() + 1;
    let guard = mutex.try_lock().unwrap();
    let outcome = fifo({
        let mutex = mutex.clone();
        || async move { drop(mutex.lock().await) }
    });
    is_held(holder(failure(&outcome), "main"), Tenure::Outside, None, line);
    assert!(failure(&outcome).to_string().contains("outside of the simulation"));
    drop(guard);
}

/// A waker that passes on to another.
struct Forward(Waker);

impl Wake for Forward {
    fn wake(self: Arc<Self>) {
        self.0.wake_by_ref();
    }
}

#[test]
fn a_holder_is_named_behind_a_waker_that_is_not_ours() {
    let line = line!() + 3;
    for outcome in random(SEEDS, || async {
        let mutex = Mutex::new(());
        let mut lock = pin!(mutex.lock());
        let _guard = poll_fn(|context| {
            let waker = Arc::new(Forward(context.waker().clone())).into();
            lock.as_mut().poll(&mut Context::from_waker(&waker))
        })
        .await;
        drop(mutex.lock().await);
    }) {
        is_held(holder(failure(&outcome), "main"), Tenure::Held, Some("main"), line);
    }
}

#[test]
fn a_logged_run_fails_as_one_that_is_not() {
    let program = || async {
        let mutex = Rc::new(Mutex::new(()));
        let tasks: Vec<_> = (0..3)
            .map(|_| {
                let mutex = mutex.clone();
                parcae::spawn(async move {
                    let _guard = mutex.lock().await;
                    drop(mutex.lock().await);
                })
            })
            .collect();
        for task in tasks {
            task.await;
        }
    };
    for seed in 0..SEEDS {
        let plain = Sim::new(seed).run(program);
        let logged = Sim::builder().seed(seed).log(true).build().unwrap().run(program);
        assert!(plain.failure().is_some());
        assert_eq!(plain.failure(), logged.failure());
        assert_eq!(plain.chain(), logged.chain());
    }
}

#[test]
fn waiters_that_another_run_left_behind_do_not_count() {
    let mutex: &'static Mutex<()> = Box::leak(Box::new(Mutex::new(()).named("static")));
    let program = move || async move {
        let own = Mutex::new(());
        let guard = mutex.try_lock();
        let _own = own.lock().await;
        // Made now, so it has another number if the static one has got one.
        drop(Mutex::new(()).lock().await);
        drop(guard);
        drop(own.lock().await);
    };
    let fresh = fifo(program);
    let left = fifo(move || async move {
        let _guard = mutex.lock().await;
        let waiter = Box::leak(Box::new(mutex.lock()));
        poll_first(waiter).await;
        // Held and waited for when the run ends.
    });
    assert!(left.is_ok(), "{left:?}");
    let after = fifo(program);
    assert_eq!(after.failure(), fresh.failure());
    assert_eq!(after.chain(), fresh.chain());
}
