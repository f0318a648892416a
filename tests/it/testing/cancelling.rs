//! `cancel_at_every_await` itself: what it does, what it finds, and what it says.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::future::poll_fn;
use std::rc::Rc;
use std::task::{Poll, Waker};

use parcae::executor::Limits;
use parcae::explore::{ConfigError, Strategy};
use parcae::sync::{Event, Queue};
use parcae::task::yield_now;
use parcae::testing::{
    CancelAtEveryAwait, CancelFailure, CancelMoment, CancelReport, CancelWait,
    cancel_at_every_await,
};
use parcae::time::{Instant, sleep};
use parcae::{Failure, Sim};

use crate::runs::{Journal, OnDrop, panic_of, secs};

fn under_fifo() -> CancelAtEveryAwait {
    CancelAtEveryAwait::new().seeds(1).strategy(Strategy::Fifo)
}

#[track_caller]
fn failure(report: &CancelReport) -> &CancelFailure {
    report.failure.as_ref().expect("a run fails")
}

#[test]
fn an_operation_is_dropped_at_each_await_when_it_pends_and_when_it_is_woken() {
    let journal = Journal::new();
    let (in_operation, in_invariant) = (journal.clone(), journal.clone());
    let report = under_fifo().run(
        async || (),
        async move |()| {
            let _dropped = OnDrop(|| in_operation.add("dropped"));
            yield_now().await;
            in_operation.add("one");
            sleep(secs(1)).await;
            in_operation.add("two");
            7
        },
        async move |(), output| in_invariant.add(if output == Some(7) { "seven" } else { "none" }),
    );
    assert_eq!((report.await_points, report.runs), (2, 5));
    report.unwrap();
    assert_eq!(
        journal.take(),
        [
            &["one", "two", "dropped", "seven"][..],
            &["dropped", "none"],
            &["dropped", "none"],
            &["one", "dropped", "none"],
            &["one", "dropped", "none"],
        ]
        .concat()
    );
}

#[test]
fn the_drop_comes_before_time_moves_or_when_the_wait_is_over() {
    let times = Journal::new();
    let own = times.clone();
    let report = under_fifo().run(
        async || Instant::now(),
        async |_| sleep(secs(3)).await,
        async move |start, output| own.add((start.elapsed(), output.is_some())),
    );
    report.unwrap();
    assert_eq!(times.take(), [(secs(3), true), (secs(0), false), (secs(3), false)]);
}

#[test]
fn the_operation_is_polled_when_it_is_woken_and_not_otherwise() {
    let polls = Journal::new();
    let own = polls.clone();
    let report = under_fifo().run(
        async || Event::new(),
        async move |event| {
            let mut wait = Box::pin(event.wait());
            let setter = event;
            let own = &own;
            poll_fn(move |context| {
                own.add(());
                let poll = wait.as_mut().poll(context);
                // Woken by the event, and by nothing else.
                setter.set();
                poll
            })
            .await;
        },
        async |_, _| (),
    );
    assert_eq!(report.await_points, 1);
    report.unwrap();
    assert_eq!(polls.count(), 2 + 1 + 1, "to the end; and once in each world that is cut");
}

#[test]
fn each_run_has_a_world_of_its_own() {
    let report = CancelAtEveryAwait::new().seeds(20).run(
        async || Cell::new(0),
        async |count| {
            count.set(count.get() + 1);
            yield_now().await;
        },
        async |count, _| assert_eq!(count.get(), 1),
    );
    assert_eq!((report.await_points, report.runs), (1, 60));
    report.unwrap();
}

#[test]
fn other_tasks_run_on_until_they_are_blocked_before_the_invariant_is_asked() {
    cancel_at_every_await(
        async || {
            let steps = Rc::new(Cell::new(0));
            let own = steps.clone();
            parcae::spawn(async move {
                for step in 1..=5 {
                    yield_now().await;
                    own.set(step);
                }
            })
            .detach();
            steps
        },
        async |_| yield_now().await,
        async |steps, _| assert_eq!(steps.get(), 5),
    )
    .unwrap();
}

#[test]
fn an_operation_that_never_pends_is_run_and_not_cancelled() {
    let report =
        under_fifo().run(async || 1, async |one| one + 1, async |_, two| assert_eq!(two, Some(2)));
    assert_eq!((report.await_points, report.runs, report.is_ok()), (0, 1, true));
}

// What is found

/// A pool whose user has to give back what it took.
struct Pool {
    free: Queue<u32>,
    in_use: Cell<u32>,
}

impl Pool {
    async fn with_two() -> Rc<Self> {
        let free = Queue::unbounded().named("free");
        for connection in 1..=2 {
            free.put(connection).await.unwrap();
        }
        Rc::new(Self { free, in_use: Cell::new(0) })
    }

    async fn acquire(&self) -> u32 {
        let connection = self.free.get().await.unwrap();
        sleep(secs(1)).await;
        self.in_use.set(self.in_use.get() + 1);
        connection
    }

    async fn release(&self, connection: u32) {
        self.free.put(connection).await.unwrap();
        self.in_use.set(self.in_use.get() - 1);
    }
}

#[test]
fn a_connection_that_leaks_in_the_handshake_is_found() {
    let report = cancel_at_every_await(
        Pool::with_two,
        async |pool| pool.acquire().await,
        async |pool, connection| {
            if let Some(connection) = connection {
                pool.release(connection).await;
            }
            assert_eq!(pool.free.len(), 2, "a connection is gone");
        },
    );
    let failure = failure(&report);
    let text = failure.to_string();
    assert!(text.contains("a connection is gone"), "{text}");
    let point = failure.cancelled.as_ref().unwrap();
    assert!(point.wait.to_string().starts_with("waits for the time 1.000 s at "), "{text}");
}

#[test]
fn a_connection_that_leaks_on_its_way_back_is_found() {
    let report = cancel_at_every_await(
        Pool::with_two,
        async |pool| {
            let connection = pool.acquire().await;
            pool.release(connection).await;
        },
        async |pool, _| {
            for _ in 0..2 {
                pool.free.get().await.unwrap();
            }
        },
    );
    let failure = failure(&report);
    assert!(matches!(failure.failure, Failure::Deadlock { .. }), "{failure}");
    assert!(failure.to_string().contains("`main` waits for Queue get of `free`"), "{failure}");
}

#[test]
fn an_item_that_is_taken_and_put_back_across_an_await_is_found_lost() {
    let report = under_fifo().run(
        async || RefCell::new(vec![1, 2]),
        async |items| {
            let last = items.borrow_mut().pop();
            sleep(secs(1)).await;
            items.borrow_mut().extend(last);
        },
        async |items, _| assert_eq!(items.borrow().len(), 2, "an item is lost"),
    );
    let point = failure(&report).cancelled.clone().unwrap();
    assert_eq!((point.number, point.count, point.moment), (1, 1, CancelMoment::Pending));
    assert_eq!(report.runs, 2);
}

/// A lock that is handed to a waiter, and lost when that waiter does not come to take it.
#[derive(Default)]
struct LossyLock {
    is_held: Cell<bool>,
    waiters: RefCell<VecDeque<LockWaiter>>,
}

struct LockWaiter {
    granted: Rc<Cell<bool>>,
    waker: Waker,
}

impl LossyLock {
    async fn lock(&self) {
        let granted = Rc::new(Cell::new(false));
        let mut has_asked = false;
        poll_fn(|context| {
            if granted.get() {
                return Poll::Ready(());
            }
            if !has_asked {
                has_asked = true;
                if !self.is_held.replace(true) {
                    return Poll::Ready(());
                }
                let (granted, waker) = (granted.clone(), context.waker().clone());
                self.waiters.borrow_mut().push_back(LockWaiter { granted, waker });
            }
            Poll::Pending
        })
        .await;
    }

    fn unlock(&self) {
        match self.waiters.borrow_mut().pop_front() {
            Some(LockWaiter { granted, waker }) => {
                granted.set(true);
                waker.wake();
            }
            None => self.is_held.set(false),
        }
    }
}

#[test]
fn a_lock_that_is_handed_to_a_waiter_that_is_gone_is_found() {
    let report = under_fifo().run(
        async || {
            let lock = Rc::new(LossyLock::default());
            lock.lock().await;
            let own = lock.clone();
            parcae::spawn(async move { own.unlock() }).detach();
            lock
        },
        async |lock| {
            lock.lock().await;
            lock.unlock();
        },
        async |lock, _| lock.lock().await,
    );
    let failure = failure(&report);
    let point = failure.cancelled.clone().unwrap();
    assert_eq!(point.moment, CancelMoment::Pending);
    assert!(matches!(failure.failure, Failure::Deadlock { .. }), "{failure}");
}

/// Hands an item to the waiter that it wakes; a waiter that is dropped leaves the line, but not
/// with what it was handed.
#[derive(Default)]
struct Letterbox {
    waiter: RefCell<Option<Waker>>,
    handed: RefCell<Option<u32>>,
    letters: RefCell<Vec<u32>>,
}

impl Letterbox {
    fn deliver(&self, letter: u32) {
        match self.waiter.take() {
            Some(waiter) => {
                *self.handed.borrow_mut() = Some(letter);
                waiter.wake();
            }
            None => self.letters.borrow_mut().push(letter),
        }
    }

    async fn receive(&self) -> u32 {
        let _leaves = OnDrop(|| drop(self.waiter.take()));
        poll_fn(|context| {
            let letter = self.handed.take().or_else(|| self.letters.borrow_mut().pop());
            if letter.is_none() {
                *self.waiter.borrow_mut() = Some(context.waker().clone());
            }
            letter.map_or(Poll::Pending, Poll::Ready)
        })
        .await
    }
}

#[test]
fn what_was_handed_over_and_not_claimed_is_found_lost_only_when_it_is_dropped_after_its_wake() {
    let report = under_fifo().run(
        async || {
            let letterbox = Rc::new(Letterbox::default());
            let own = letterbox.clone();
            parcae::spawn(async move { own.deliver(7) }).detach();
            letterbox
        },
        async |letterbox| letterbox.receive().await,
        async |letterbox, received| {
            let letters = letterbox.letters.borrow().len() + usize::from(received.is_some());
            assert_eq!(letters, 1, "a letter is lost");
        },
    );
    let failure = failure(&report);
    let point = failure.cancelled.clone().unwrap();
    assert_eq!((point.number, point.moment), (1, CancelMoment::Woken));
    let text = failure.to_string();
    let wanted = "cancelled at await 1 of 1 (woken; waits for a future that parcae does not know), \
                  seed 0: panic in `main`";
    assert!(text.starts_with(wanted), "{text}");
}

#[test]
fn a_failure_that_only_some_seeds_have_is_found_and_its_seed_shows_it_again() {
    let run = |options: CancelAtEveryAwait| {
        options.run(
            async || {
                let jobs = Queue::unbounded().named("jobs");
                let own = jobs.clone();
                parcae::spawn(async move {
                    own.put(1).await.unwrap();
                    yield_now().await;
                })
                .detach();
                jobs
            },
            async |jobs| {
                let job = jobs.get().await.unwrap();
                jobs.put(job).await.unwrap();
            },
            async |jobs, _| assert_eq!(jobs.len(), 1, "a job is lost"),
        )
    };
    run(under_fifo()).unwrap();
    let report = run(CancelAtEveryAwait::new());
    let found = failure(&report);
    let point = found.cancelled.as_ref().unwrap();
    assert!(matches!(point.wait, CancelWait::PreemptedBefore(_)), "{found}");
    assert!(found.to_string().contains("preempted before Queue put of `jobs` at "), "{found}");
    let again = run(CancelAtEveryAwait::new().first_seed(found.seed).seeds(1));
    assert_eq!(failure(&again), found);
}

#[test]
fn awaits_are_gone_through_in_order_and_each_under_all_seeds() {
    let report = CancelAtEveryAwait::new().seeds(10).run(
        async || Cell::new(0),
        async |step| {
            for next in 1..=4 {
                step.set(next);
                yield_now().await;
            }
        },
        async |step, output| assert!(output.is_some() || step.get() < 3),
    );
    let point = failure(&report).cancelled.clone().unwrap();
    assert_eq!((point.number, point.count), (3, 4));
    assert_eq!((report.await_points, report.runs), (4, 10 + 2 * 20 + 1));
}

// What is said

#[test]
fn an_operation_that_fails_even_so_is_reported_as_not_cancelled() {
    let report = under_fifo().run(
        async || (),
        async |()| yield_now().await,
        async |(), output| assert_eq!(output, None),
    );
    let text = failure(&report).to_string();
    assert!(text.starts_with("not cancelled, seed 0: panic in `main` at "), "{text}");
    assert_eq!((report.runs, report.await_points), (1, 0));
    assert_eq!(panic_of(|| report.clone().unwrap()), text);
}

#[test]
fn a_wait_is_named_with_its_line() {
    let line = Rc::new(Cell::new(0));
    let own = line.clone();
    let report = under_fifo().run(
        async || {
            let jobs = Queue::unbounded().named("jobs");
            let other = jobs.clone();
            parcae::spawn(async move {
                sleep(secs(1)).await;
                other.put(2).await.unwrap();
            })
            .background();
            (jobs, Cell::new("open"))
        },
        async move |(jobs, state)| {
            yield_now().await;
            state.set("broken");
            own.set(line!() + 1);
            jobs.get().await.unwrap();
            yield_now().await;
            state.set("open");
        },
        async |(_, state), _| assert_eq!(state.get(), "open"),
    );
    let line = line.get();
    let text = failure(&report).to_string();
    let wanted = format!(
        "cancelled at await 2 of 3 (waits for Queue get of `jobs` at {}:{line}), seed 0: panic in",
        file!()
    );
    assert!(text.starts_with(&wanted), "{text}");
}

#[test]
fn a_leak_and_a_panic_of_another_task_are_failures_too() {
    let report = under_fifo().run(
        async || (),
        async |()| {
            let child = parcae::spawn_named("child", std::future::pending::<()>());
            yield_now().await;
            drop(child);
        },
        async |(), output| {
            if output.is_none() {
                parcae::spawn_named("left", std::future::pending::<()>()).detach();
            }
        },
    );
    let found = failure(&report);
    assert!(matches!(found.failure, Failure::Leak { .. }), "{found}");

    let report = under_fifo().run(
        async || (),
        async |()| {
            let is_done = Cell::new(false);
            let _guard = OnDrop(|| assert!(is_done.get(), "half done"));
            yield_now().await;
            is_done.set(true);
        },
        async |(), _| (),
    );
    let found = failure(&report);
    assert!(matches!(&found.failure, Failure::Panic { message, .. } if message == "half done"));
    assert!(found.cancelled.is_some());
}

#[test]
fn an_operation_that_does_not_end_is_reported_as_that() {
    let report = under_fifo().run(
        async || (),
        async |()| std::future::pending::<()>().await,
        async |(), _| (),
    );
    let found = failure(&report);
    assert!(matches!(found.failure, Failure::Deadlock { .. }), "{found}");
    assert_eq!(found.cancelled, None);
}

#[test]
fn an_operation_that_differs_from_run_to_run_is_reported_as_that() {
    let runs = Rc::new(Cell::new(0));
    let report = under_fifo().run(
        async || (),
        async move |()| {
            runs.set(runs.get() + 1);
            if runs.get() == 1 {
                yield_now().await;
            }
        },
        async |(), _| (),
    );
    let text = failure(&report).to_string();
    assert!(text.contains("nondeterminism: two runs of one seed differ"), "{text}");
    assert!(text.contains("first run:  awaits of the operation: 1"), "{text}");
    assert!(text.contains("second run: awaits of the operation: 0"), "{text}");
}

// How it is called

#[test]
fn it_does_not_nest() {
    let outcome = Sim::new(7).run(|| async {
        cancel_at_every_await(async || (), async |()| (), async |(), _| ()).unwrap();
    });
    let failure = outcome.into_result().unwrap_err().to_string();
    assert!(failure.contains("a simulation was started inside of a simulation"), "{failure}");
    assert!(failure.contains(file!()), "the place of the call: {failure}");
}

#[test]
fn options_that_cannot_be_are_refused() {
    let mut limits = Limits::default();
    limits.steps = 0;
    let refused = |options: CancelAtEveryAwait| {
        options.try_run(async || (), async |()| (), async |(), _| ()).unwrap_err()
    };
    assert_eq!(refused(CancelAtEveryAwait::new().seeds(0)), ConfigError::NoSeeds);
    let zero = refused(CancelAtEveryAwait::new().limits(limits));
    assert_eq!(zero, ConfigError::ZeroLimit { limit: "steps" });
}

#[test]
fn limits_hold_in_every_run() {
    let mut limits = Limits::default();
    limits.time = secs(1);
    let report = under_fifo().limits(limits).run(
        async || (),
        async |()| sleep(secs(2)).await,
        async |(), _| (),
    );
    assert!(matches!(failure(&report).failure, Failure::TimeLimit { .. }));
}
