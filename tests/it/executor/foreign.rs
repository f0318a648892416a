//! What comes from outside of a run, and calls outside of one.

use std::future::pending;
use std::sync::mpsc;
use std::task::Waker;
use std::time::Duration;

use parcae::executor::DomainId;
use parcae::task::settle;
use parcae::time::{self, Instant};
use parcae::{Failure, Sim, spawn, spawn_named};

use crate::runs::{
    OnDrop, current_waker, discard, failure, fifo, panic_of, panicked, poll_once, secs,
};

/// Wakes from another thread, and returns when that has happened.
#[expect(clippy::disallowed_methods, reason = "another thread is what the test is about")]
fn wake_from_a_thread(waker: Waker) {
    let (done, is_done) = mpsc::channel();
    std::thread::spawn(move || {
        waker.wake();
        done.send(()).unwrap();
    });
    // Bounded, though nothing can keep the thread from waking.
    is_done.recv_timeout(Duration::from_secs(60)).unwrap();
}

#[test]
fn a_wake_from_another_thread_fails_the_run_and_names_the_task() {
    let outcome = fifo(|| async {
        let listener = spawn_named("listener", async {
            wake_from_a_thread(current_waker().await);
            pending::<()>().await;
        });
        listener.await;
    });
    let Failure::ForeignWake { task, backtrace } = failure(&outcome) else { panic!("{outcome:?}") };
    assert_eq!(task, "listener");
    assert!(!backtrace.is_empty());
    assert_eq!(
        failure(&outcome).to_string(),
        "foreign wake: `listener` was woken by another thread"
    );
}

#[test]
fn a_wake_from_another_thread_is_noticed_before_time_moves() {
    let outcome = fifo(|| async {
        wake_from_a_thread(current_waker().await);
        time::sleep(secs(1)).await;
    });
    assert!(matches!(failure(&outcome), Failure::ForeignWake { task, .. } if task == "main"));
    assert!(outcome.elapsed().is_zero());
}

#[test]
fn a_wake_from_another_thread_is_noticed_when_the_program_ends_without_waiting() {
    let outcome = fifo(|| async { wake_from_a_thread(current_waker().await) });
    assert!(matches!(failure(&outcome), Failure::ForeignWake { .. }));
}

#[test]
fn a_wake_after_the_run_is_ignored() {
    let waker = fifo(current_waker).unwrap();
    waker.wake_by_ref();
    wake_from_a_thread(waker.clone());
    let outcome = fifo(move || async move {
        waker.wake_by_ref();
        wake_from_a_thread(waker.clone());
        time::sleep(secs(1)).await;
    });
    outcome.unwrap();
}

#[test]
fn a_wake_for_one_run_does_not_fail_another() {
    // The runs are alive at once, on two threads; each must see its own wakes only.
    let (give, take) = mpsc::channel::<Waker>();
    let (done, is_done) = mpsc::channel();
    #[expect(clippy::disallowed_methods, reason = "two runs at once need two threads")]
    let other = std::thread::spawn(move || {
        fifo(move || async move {
            give.send(current_waker().await).unwrap();
            is_done.recv_timeout(Duration::from_secs(60)).unwrap();
            time::sleep(secs(1)).await;
        })
        .failure()
        .map(Failure::kind)
    });
    let outcome = fifo(move || async move {
        take.recv_timeout(Duration::from_secs(60)).unwrap().wake();
        done.send(()).unwrap();
        time::sleep(secs(1)).await;
    });
    outcome.unwrap();
    assert_eq!(other.join().unwrap(), Some("foreign wake"));
}

type Call = Box<dyn FnOnce()>;

#[test]
fn a_call_outside_of_a_runtime_panics_with_its_name_and_says_what_to_do() {
    let instant = fifo(|| async { Instant::now() }).unwrap();
    let task = || parcae::task::Builder::new().name("t");
    let calls: Vec<(&str, Call)> = vec![
        ("parcae::spawn", Box::new(|| spawn(async {}).detach())),
        ("parcae::spawn_named", Box::new(|| spawn_named("t", async {}).detach())),
        ("parcae::spawn_try", Box::new(|| parcae::spawn_try(async { Ok::<_, ()>(()) }).detach())),
        ("parcae::task::Builder::spawn", Box::new(move || task().spawn(async {}).detach())),
        ("parcae::task::settle", Box::new(|| discard(poll_once(&mut settle())))),
        ("parcae::time::sleep", Box::new(|| drop(time::sleep(secs(1))))),
        ("parcae::time::sleep_until", Box::new(move || drop(time::sleep_until(instant)))),
        ("parcae::time::timeout", Box::new(|| drop(time::timeout(secs(1), async {})))),
        ("parcae::time::timeout_at", Box::new(move || drop(time::timeout_at(instant, async {})))),
        ("parcae::time::interval", Box::new(|| drop(time::interval(secs(1))))),
        ("parcae::time::call_after", Box::new(|| drop(time::call_after(secs(1), || ())))),
        ("Instant::now", Box::new(|| discard(Instant::now()))),
        ("Instant::now", Box::new(move || discard(instant.elapsed()))),
        ("SystemTime::now", Box::new(|| discard(time::SystemTime::now()))),
        ("Rng::next_u32", Box::new(|| discard(parcae::rng().next_u32()))),
        ("Rng::next_u64", Box::new(|| discard(parcae::rng().next_u64()))),
        ("Rng::fill_bytes", Box::new(|| parcae::rng().fill_bytes(&mut [0; 3]))),
        ("parcae::choose", Box::new(|| discard(parcae::choose(0..3)))),
        ("parcae::rng::choose_for", Box::new(|| discard(parcae::rng::choose_for("a", 0, 0..3)))),
        ("DomainId::create", Box::new(|| discard(DomainId::create("n", 0)))),
        ("DomainId::resume", Box::new(|| DomainId::ROOT.resume())),
        ("DomainId::state", Box::new(|| discard(DomainId::ROOT.state()))),
    ];
    for (name, call) in calls {
        let message = panic_of(call);
        assert_eq!(
            message,
            format!(
                "`{name}` was called outside of a parcae runtime: call it from a task, inside of \
                 `#[parcae::test]`, `Sim::run`, `parcae::check` or `parcae::real::run`"
            )
        );
    }
}

#[test]
fn a_run_inside_of_a_run_is_refused() {
    let outcome = fifo(|| async {
        Sim::new(1).run(|| async {}).unwrap();
    });
    assert_eq!(panicked(&outcome, "a simulation was started inside of a simulation"), "main");
    fifo(|| async {}).unwrap();
}

#[test]
fn a_refused_inner_run_leaves_the_outer_one_as_it_was() {
    let outcome = fifo(|| async {
        let inner = spawn(async { Sim::new(1).run(|| async {}).unwrap() });
        assert!(inner.join().await.is_err());
        time::sleep(secs(1)).await;
        Instant::now().elapsed()
    });
    assert_eq!(outcome.elapsed(), secs(1));
    outcome.unwrap();
}

#[test]
fn a_thread_that_has_had_a_run_can_have_another_one_also_after_a_failure() {
    for _ in 0..3 {
        assert!(!fifo(|| async { panic!("one of many") }).is_ok());
        assert!(fifo(|| async {}).is_ok());
    }
}

#[test]
fn destructors_after_the_run_are_outside_of_it() {
    let outcome = fifo(|| async { OnDrop(|| drop(spawn_named("too late", async {}))) });
    let message = panic_of(|| drop(outcome.unwrap()));
    assert!(message.starts_with("`parcae::spawn_named` was called outside"), "{message}");
}

#[test]
fn yielding_works_on_any_executor() {
    let mut yielding = parcae::task::yield_now();
    assert!(poll_once(&mut yielding).is_pending());
    assert!(poll_once(&mut yielding).is_ready());
}
