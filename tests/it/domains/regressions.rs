//! What once went wrong with domains.

use std::cell::RefCell;
use std::future::{Future, pending, poll_fn};
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Poll, Wake, Waker};
use std::time::Duration;

use parcae::executor::DomainId;
use parcae::task::{Builder, JoinError, settle, yield_now};
use parcae::time::{Instant, Sleep, sleep};
use parcae::{Failure, Sim, spawn};

use super::{sleeper, spawn_in};
use crate::runs::{Journal, OnDrop, SEEDS, fifo, millis, panicked, random, secs};

#[test]
fn regression_a_task_in_the_place_of_a_doomed_one_lives() {
    // A destructor let go of the handle of a task that was to be destroyed after it, and spawned:
    // the new task took that place and was destroyed instead.
    let outcome = fifo(|| async {
        let domain = DomainId::create("node", 0);
        let journal = Journal::new();
        let second = Rc::new(RefCell::new(None));
        let (handle, inner) = (second.clone(), journal.clone());
        let first = spawn_in(domain, async move {
            let _last_words = OnDrop(move || {
                drop(handle.take());
                let inner = inner.clone();
                let task = Builder::new().domain(DomainId::ROOT);
                task.spawn(async move { inner.add("spawned by the dying") }).detach();
            });
            pending::<()>().await;
        });
        *second.borrow_mut() = Some(spawn_in(domain, pending::<()>()));
        yield_now().await;
        domain.kill();
        let inner = journal.clone();
        spawn(async move { inner.add("spawned by the living") }).await;
        assert!(matches!(first.join().await, Err(JoinError::Gone)));
        sleep(secs(1)).await;
        journal.take()
    });
    assert_eq!(outcome.unwrap(), ["spawned by the living"]);
}

#[test]
fn regression_the_dying_cannot_spawn_in_other_domains() {
    let outcome = fifo(|| async {
        let domain = DomainId::create("node", 0);
        let journal = Journal::new();
        let inner = journal.clone();
        let task = spawn_in(domain, async move {
            domain.kill();
            let task = Builder::new().domain(DomainId::ROOT);
            assert!(task.spawn(async move { inner.add(()) }).join().await.is_err());
        });
        assert!(task.join().await.is_ok());
        journal.count()
    });
    assert_eq!(outcome.unwrap(), 0);
}

#[test]
fn regression_a_busy_domain_is_free_in_time_whatever_the_clock_of_the_test() {
    // The end of the busy time stood on the clock of the test: with another rate it came too early,
    // was taken for an older one, and the domain stayed busy for ever.
    for parts_per_million in [-500_000, 1_000_000] {
        let outcome = fifo(move || async move {
            let domain = DomainId::create("node", 0);
            let task = spawn_in(domain, async { Instant::now() });
            domain.busy_for(secs(10));
            DomainId::ROOT.set_clock_rate(parts_per_million);
            let start = spawn_in(DomainId::create("exact", 0), async { Instant::now() }).await;
            task.await.duration_since(start)
        });
        assert_eq!(outcome.unwrap(), secs(10));
    }
}

#[test]
fn regression_a_timer_belongs_to_the_domain_that_polls_it() {
    // It was parked, and destroyed, with the domain in which it had been polled first.
    let stop: [fn(DomainId); 2] = [DomainId::kill, DomainId::pause];
    for stop in stop {
        let outcome = fifo(move || async move {
            let domain = DomainId::create("node", 0);
            let timer: Rc<RefCell<Option<Sleep>>> = Rc::default();
            let handed_over = timer.clone();
            let first = spawn_in(domain, async move {
                let mut sleep = sleep(secs(2));
                poll_fn(|context| {
                    assert!(std::pin::Pin::new(&mut sleep).poll(context).is_pending());
                    Poll::Ready(())
                })
                .await;
                *handed_over.borrow_mut() = Some(sleep);
            });
            first.await;
            let mut sleep = timer.take().unwrap();
            let other = spawn(async move {
                (&mut sleep).await;
                Instant::now()
            });
            yield_now().await;
            stop(domain);
            other.await
        });
        assert_eq!(outcome.elapsed(), secs(2));
        outcome.unwrap();
    }
}

#[test]
fn regression_named_tasks_of_a_domain_are_numbered_by_name() {
    // One counter for all names: an unrelated task renamed those after it.
    let names = fifo(|| async {
        let domain = DomainId::create("node", 0);
        let spawn = |name: &'static str| Builder::new().name(name).domain(domain).spawn(async {});
        let tasks = [spawn("server"), spawn("client"), spawn("client"), spawn("flush")];
        tasks.map(|task| task.name())
    });
    assert_eq!(names.unwrap(), ["node/server", "node/client", "node/client#1", "node/flush"]);
}

#[test]
fn regression_a_domain_and_a_task_of_one_name_are_two_streams() {
    // The children of the domain `main` had the streams of the children of the program.
    let sim = Sim::builder().seed(1).log(true).build().unwrap();
    let outcome = sim.run(|| async {
        let domain = DomainId::create("main", 0);
        let inside = Builder::new().name("worker").domain(domain).spawn(async {});
        let outside = Builder::new().name("worker").spawn(async {});
        inside.await;
        outside.await;
    });
    assert_eq!(outcome.log().unwrap().tasks.len(), 3);
    outcome.unwrap();
}

#[test]
fn regression_a_domain_is_not_made_twice() {
    let outcome = fifo(|| async {
        let _node = DomainId::create("node", 0);
        let _next = DomainId::create("node", 1);
        let _same = DomainId::create("node", 0);
    });
    panicked(&outcome, "the domain `node` has an incarnation 0 already");
}

/// Spawns when it is dropped, and panics when it is woken.
struct Rude;

impl Wake for Rude {
    fn wake(self: Arc<Self>) {
        panic!("do not wake me");
    }
}

impl Drop for Rude {
    fn drop(&mut self) {
        spawn(async {}).detach();
    }
}

#[test]
fn regression_a_waker_that_is_replaced_may_use_the_runtime() {
    // It was dropped by the timer that it was in, while the executor was borrowed.
    let outcome = fifo(|| async {
        let mut timer = Box::pin(sleep(secs(1)));
        for _ in 0..3 {
            let waker = Waker::from(Arc::new(Rude));
            let mut context = std::task::Context::from_waker(&waker);
            assert!(timer.as_mut().poll(&mut context).is_pending());
        }
        drop(timer);
    });
    outcome.unwrap();
}

#[test]
fn regression_a_waker_that_panics_fails_the_run_and_not_the_library() {
    let poll = |mut future: std::pin::Pin<Box<dyn Future<Output = ()>>>| {
        let waker = Waker::from(Arc::new(Rude));
        let mut context = std::task::Context::from_waker(&waker);
        assert!(future.as_mut().poll(&mut context).is_pending());
        future
    };
    let by_timer = fifo(move || async move {
        let timer = poll(Box::pin(sleep(secs(1))));
        sleep(secs(2)).await;
        drop(timer);
    });
    panicked(&by_timer, "do not wake me");
    let by_task = fifo(move || async move {
        let task = poll(Box::pin(spawn(async {})));
        sleep(secs(2)).await;
        drop(task);
    });
    panicked(&by_task, "do not wake me");
}

#[test]
fn regression_a_pause_does_not_shorten_a_busy_time() {
    // The busy time counts on while the domain is paused, and what is left of it stays.
    for (paused, ended) in [(millis(400), secs(2)), (secs(5), secs(6))] {
        for outcome in random(SEEDS, move || async move {
            let (domain, journal) = (DomainId::create("node", 0), Journal::new());
            let task = sleeper(domain, &journal, millis(10));
            settle().await;
            domain.busy_for(secs(2));
            sleep(secs(1)).await;
            domain.pause();
            sleep(paused).await;
            domain.resume();
            task.await;
            journal.take()
        }) {
            assert_eq!(outcome.unwrap(), [ended]);
        }
    }
}

#[test]
fn regression_a_killed_busy_domain_does_not_move_time() {
    for outcome in random(SEEDS, || async {
        let domain = DomainId::create("node", 0);
        domain.busy_for(secs(100));
        domain.kill();
        pending::<()>().await;
    }) {
        assert_eq!(outcome.elapsed(), Duration::ZERO);
        assert!(matches!(outcome.failure(), Some(Failure::Deadlock { .. })));
    }
}

#[test]
fn regression_a_timer_set_after_a_task_paused_its_own_domain_does_not_move_time() {
    for outcome in random(SEEDS, || async {
        let domain = DomainId::create("node", 0);
        spawn_in(domain, async move {
            domain.pause();
            sleep(secs(1)).await;
        })
        .await;
    }) {
        assert_eq!(outcome.elapsed(), Duration::ZERO);
        assert!(matches!(outcome.failure(), Some(Failure::Deadlock { .. })));
    }
}
