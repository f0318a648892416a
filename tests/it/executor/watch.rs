//! Bad habits that a run is asked to watch for.

use std::future::Future;
use std::rc::Rc;
use std::time::Duration;

use parcae::executor::{DomainId, Place, Tenure, Warning, WarningAction, Watch};
use parcae::explore::{Check, Signature, Strategy};
use parcae::report::{self, ReplayCommand};
use parcae::sync::{Condition, Event, Mutex, OnceCell, Queue, RwLock, Semaphore, oneshot};
use parcae::task::{Builder, burn, settle, yield_now};
use parcae::time::{interval, sleep, timeout};
use parcae::{Failure, Outcome, Sim, spawn, spawn_named};

use crate::runs::{SEEDS, millis, poll_once, secs};

/// Runs a program under `Fifo` and on 200 seeds, watched.
fn watched<F>(watch: &Watch, program: impl Fn() -> F + Copy + 'static) -> Vec<Outcome<F::Output>>
where
    F: Future + 'static,
{
    let sim = |seed, strategy| {
        Sim::builder().seed(seed).strategy(strategy).watch(watch.clone()).build().unwrap()
    };
    let random = (0..SEEDS).map(|seed| sim(seed, Strategy::Random).run(program));
    let mut outcomes = vec![sim(0, Strategy::Fifo).run(program)];
    outcomes.extend(random);
    outcomes
}

/// Runs a program that does well, and checks that nothing is said against it.
#[track_caller]
fn is_fine<F>(watch: &Watch, program: impl Fn() -> F + Copy + 'static)
where
    F: Future + 'static,
{
    for outcome in watched(watch, program) {
        assert!(outcome.is_ok(), "{:?}", outcome.failure());
        assert_eq!(outcome.warnings(), []);
    }
}

/// Watches for everything, with limits of 10 ms.
fn everything() -> Watch {
    let limit = millis(10);
    Watch::default().with_held(limit).with_asleep(limit).with_busy(limit).with_unpolled(true)
}

#[track_caller]
fn at(place: &Place, line: u32) {
    assert!(place.file.ends_with("watch.rs"), "{place}");
    assert_eq!(place.line, line, "{place}");
}

// Long holds

#[test]
fn a_lock_that_is_held_for_long_is_named_with_its_holder_and_how_long() {
    let line = line!() + 4;
    for outcome in watched(&Watch::default().with_held(millis(10)), || async {
        let cache = Rc::new(Mutex::new(0).named("cache"));
        spawn_named("hog", async move {
            let guard = cache.lock().await;
            sleep(millis(11)).await;
            drop(guard);
            sleep(millis(50)).await;
        })
        .await;
    }) {
        let [Warning::LongHold { resource, holder, held_for, .. }] = outcome.warnings() else {
            panic!("{:?}", outcome.warnings())
        };
        assert_eq!((resource.as_str(), *held_for), ("Mutex `cache`", millis(11)));
        assert_eq!((holder.task.as_deref(), holder.tenure), (Some("hog"), Tenure::Held));
        at(holder.taken_at.as_ref().unwrap(), line);
        let text = outcome.warnings()[0].to_string();
        assert!(
            text.starts_with("long hold: Mutex `cache` for 11ms, held by `hog` since "),
            "{text}"
        );
    }
}

#[test]
fn a_lock_that_is_held_for_no_longer_than_allowed_is_fine() {
    is_fine(&Watch::default().with_held(millis(10)), || async {
        let cache = Mutex::new(0);
        for _ in 0..5 {
            let guard = cache.lock().await;
            sleep(millis(10)).await;
            drop(guard);
            // By the other way to take it.
            let guard = cache.try_lock().unwrap();
            sleep(millis(10)).await;
            drop(guard);
        }
    });
}

#[test]
fn waiting_for_a_lock_is_not_holding_it() {
    for outcome in watched(&Watch::default().with_held(millis(10)), || async {
        let cache = Rc::new(Mutex::new(0));
        let users: Vec<_> = (0..3)
            .map(|_| {
                let cache = cache.clone();
                spawn(async move {
                    let _guard = cache.lock().await;
                    sleep(millis(8)).await;
                })
            })
            .collect();
        for user in users {
            user.await;
        }
    }) {
        assert_eq!(outcome.elapsed(), millis(24));
        assert_eq!(outcome.warnings(), []);
    }
}

#[test]
fn what_is_held_when_the_run_ends_counts_until_then() {
    for outcome in watched(&Watch::default().with_held(millis(10)), || async {
        let cache: &'static Mutex<u8> = Box::leak(Box::new(Mutex::new(0).named("cache")));
        let (used, _unused) = (Mutex::new(0), Mutex::new(0));
        let _brief = used.lock().await;
        spawn(async move {
            let _guard = cache.lock().await;
            Event::new().wait().await;
        })
        .background();
        sleep(millis(11)).await;
        drop(_brief);
    }) {
        let kinds: Vec<_> = outcome.warnings().iter().map(Warning::kind).collect();
        assert_eq!(kinds, ["long hold", "long hold"]);
        assert!(outcome.warnings()[1].to_string().contains("Mutex `cache` for 11ms"));
    }
}

// Sleep under a lock

#[test]
fn a_task_that_sleeps_with_a_lock_is_named_with_both_lines() {
    let line = line!() + 4;
    for outcome in watched(&Watch::default().with_asleep(millis(5)), || async {
        let cache = Mutex::new(0);
        let guard = {
            let guard = cache.lock().await;
            sleep(millis(5)).await;
            guard
        };
        drop(guard);
        sleep(millis(5)).await;
    }) {
        let [warning @ Warning::SleepUnderLock { task, taken_at, sleeps_at, sleeps_for, .. }] =
            outcome.warnings()
        else {
            panic!("{:?}", outcome.warnings())
        };
        assert_eq!((task.as_str(), *sleeps_for), ("main", millis(5)));
        at(taken_at, line);
        at(sleeps_at, line + 1);
        let wanted = "sleep under a lock: `main` sleeps for 5ms at tests/it/executor/watch.rs:";
        assert!(warning.to_string().starts_with(wanted), "{warning}");
        assert!(warning.to_string().contains("holds Mutex of tests/it/executor/watch.rs:"));
    }
}

#[test]
fn other_tasks_may_sleep_and_a_holder_may_wait_otherwise() {
    is_fine(&Watch::default().with_asleep(millis(5)), || async {
        let cache = Rc::new(Mutex::new(0));
        let sleeper = spawn(sleep(millis(30)));
        let _guard = cache.lock().await;
        // A bound on a wait is no sleep, nor is a tick, nor a sleep that is shorter.
        assert!(timeout(millis(5), cache.lock()).await.is_err());
        let mut ticks = interval(millis(6));
        ticks.tick().await;
        ticks.tick().await;
        sleep(millis(4)).await;
        sleeper.await;
    });
}

#[test]
fn a_loop_that_sleeps_under_a_lock_is_told_once() {
    for outcome in watched(&Watch::default().with_asleep(Duration::ZERO), || async {
        let cache = Mutex::new(0);
        let _guard = cache.lock().await;
        for _ in 0..20 {
            sleep(millis(5)).await;
        }
    }) {
        assert_eq!(outcome.warnings().len(), 1, "{:?}", outcome.warnings());
    }
}

#[test]
fn a_sleep_that_is_polled_again_is_told_once() {
    for outcome in watched(&Watch::default().with_asleep(millis(5)), || async {
        let cache = Mutex::new(0);
        let _guard = cache.lock().await;
        futures::future::join(sleep(millis(20)), sleep(millis(4))).await;
    }) {
        assert_eq!(outcome.warnings().len(), 1, "{:?}", outcome.warnings());
    }
}

// Busy

#[test]
fn a_task_that_keeps_its_domain_busy_for_long_is_named() {
    let line = line!() + 5;
    for outcome in watched(&Watch::default().with_busy(millis(10)), || async {
        let domain = DomainId::create("n1", 0);
        let worker = async move {
            domain.busy_for(millis(6));
            domain.busy_for(millis(6));
            domain.busy_for(millis(6));
            yield_now().await;
        };
        Builder::new().name("worker").domain(domain).spawn(worker).await;
    }) {
        let [warning @ Warning::Busy { task, busy_at, busy_for, .. }] = outcome.warnings() else {
            panic!("{:?}", outcome.warnings())
        };
        assert_eq!((task.as_str(), *busy_for), ("n1/worker", millis(12)));
        at(busy_at, line);
        assert!(warning.to_string().starts_with("busy: `n1/worker` kept its domain busy for 12ms"));
    }
}

#[test]
fn a_task_that_burns_for_long_is_named_with_the_line_of_the_call() {
    let line = line!() + 3;
    for outcome in watched(&Watch::default().with_busy(millis(10)), || async {
        burn(millis(10)).await;
        burn(millis(11)).await;
    }) {
        let [Warning::Busy { task, busy_at, busy_for, .. }] = outcome.warnings() else {
            panic!("{:?}", outcome.warnings())
        };
        assert_eq!((task.as_str(), *busy_for), ("main", millis(11)));
        at(busy_at, line);
    }
}

#[test]
fn times_of_several_polls_or_tasks_or_of_other_domains_do_not_add_up() {
    is_fine(&Watch::default().with_busy(millis(10)), || async {
        let domain = DomainId::create("n1", 0);
        let other = DomainId::create("n2", 0);
        let worker = move || async move {
            for _ in 0..3 {
                domain.busy_for(millis(10));
                yield_now().await;
            }
        };
        let tasks = [(); 2].map(|()| Builder::new().domain(domain).spawn(worker()));
        other.busy_for(secs(1));
        for task in tasks {
            task.await;
        }
    });
}

// Never polled

#[test]
fn futures_that_are_dropped_unpolled_are_named_with_their_lines() {
    let line = line!() + 9;
    for outcome in watched(&Watch::default().with_unpolled(true), || async {
        let mutex = Mutex::new(0).named("m");
        let (other, changed) = (Mutex::new(0), Condition::new());
        let (mut sender, _receiver) = oneshot::channel::<u8>();
        let guard = other.lock().await;
        let event = Event::new();
        let queue: Queue<u8> = Queue::unbounded().named("q");
        // Each of these forgets the `await`.
        drop(mutex.lock());
        drop(event.wait());
        drop(queue.put(1));
        drop(queue.get());
        drop(queue.join());
        drop(sleep(millis(1)));
        drop(changed.wait_for(guard, |value| *value == 0));
        drop(sender.closed());
    }) {
        let wanted = [
            "Mutex lock of `m`",
            "Event wait",
            "Queue put of `q`",
            "Queue get of `q`",
            "Queue join of `q`",
            "sleep",
            "Condition wait",
            "oneshot closed",
        ];
        assert_eq!(outcome.warnings().len(), wanted.len(), "{:?}", outcome.warnings());
        for ((number, warning), wanted) in (0..).zip(outcome.warnings()).zip(wanted) {
            let Warning::NeverPolled { operation, made_at, task, .. } = warning else {
                panic!("{warning}")
            };
            assert_eq!((operation.as_str(), task.as_str()), (wanted, "main"));
            at(made_at, line + number);
        }
        let text = outcome.warnings()[0].to_string();
        assert!(text.starts_with("never polled: Mutex lock of `m` at "), "{text}");
        assert!(text.ends_with(" was dropped by `main`"), "{text}");
    }
}

#[test]
fn futures_that_were_polled_may_be_dropped_and_so_may_those_of_the_end() {
    is_fine(&Watch::default().with_unpolled(true), || async {
        let mutex = Rc::new(Mutex::new(0));
        let guard = mutex.lock().await;
        assert!(timeout(millis(1), mutex.lock()).await.is_err());
        assert!(poll_once(&mut mutex.lock()).is_pending());
        assert!(poll_once(&mut sleep(millis(1))).is_pending());
        sleep(Duration::ZERO).await;
        drop(guard);
        spawn({
            let mutex = mutex.clone();
            async move {
                let _unpolled = mutex.lock();
                Event::new().wait().await;
            }
        })
        .background();
        settle().await;
        spawn(async {}).background();
    });
}

#[test]
fn the_parts_of_an_operation_are_not_forgotten_futures() {
    is_fine(&Watch::default().with_unpolled(true), || async {
        let (mutex, condition) = (Mutex::new(1), Condition::new());
        let guard = condition.wait_for(mutex.lock().await, |value| *value == 1).await;
        assert!(timeout(millis(1), condition.wait(guard)).await.is_err());
        let cell = OnceCell::new();
        for _ in 0..2 {
            assert_eq!(*cell.get_or_init(|| async { 7 }).await, 7);
        }
        let semaphore = Semaphore::new(1);
        let permit = semaphore.acquire().await.unwrap();
        assert!(timeout(millis(1), semaphore.acquire()).await.is_err());
        drop(permit);
        let lock = RwLock::new(0);
        drop((lock.read().await, lock.read().await));
        drop(lock.write().await);
    });
}

#[test]
fn permits_and_read_locks_are_held_too() {
    for outcome in watched(&everything(), || async {
        let (slots, routes) = (Semaphore::new(2).named("slots"), RwLock::new(0).named("routes"));
        let permits = (slots.acquire().await, slots.acquire().await);
        let _reader = routes.read().await;
        sleep(millis(11)).await;
        drop(permits);
    }) {
        let kinds: Vec<_> = outcome.warnings().iter().map(Warning::kind).collect();
        let sleeps = ["sleep under a lock"; 3];
        assert_eq!(kinds[..3], sleeps, "{:?}", outcome.warnings());
        assert_eq!(kinds[3..], ["long hold"; 3], "{:?}", outcome.warnings());
        assert!(outcome.warnings()[0].to_string().contains("holds Semaphore `slots`"));
        assert!(outcome.warnings()[5].to_string().contains("RwLock `routes` for 11ms"));
    }
}

#[test]
fn a_task_that_is_cancelled_before_it_ran_is_named() {
    let line = line!() + 2;
    for outcome in watched(&Watch::default().with_unpolled(true), || async {
        drop(spawn_named("forgotten", async {}));
        let task = spawn(async { yield_now().await });
        settle().await;
        drop(task);
    }) {
        let [warning @ Warning::NeverStarted { task, spawned_at, .. }] = outcome.warnings() else {
            panic!("{:?}", outcome.warnings())
        };
        assert_eq!(task, "forgotten");
        at(spawned_at, line);
        assert!(warning.to_string().starts_with("never started: `forgotten` was cancelled before"));
    }
}

#[test]
fn a_task_that_ran_may_be_cancelled() {
    is_fine(&Watch::default().with_unpolled(true), || async {
        let task = spawn(Box::pin(async { Event::new().wait().await }));
        settle().await;
        assert!(task.cancel().await.is_none());
    });
}

// What becomes of warnings

/// Has each habit once.
async fn careless() {
    drop(spawn(async {}));
    let mutex = Mutex::new(0).named("m");
    drop(mutex.lock());
    let _guard = mutex.lock().await;
    DomainId::ROOT.busy_for(millis(20));
    sleep(millis(20)).await;
}

#[test]
fn nothing_is_watched_for_unless_it_was_asked_for() {
    assert!(Watch::default().is_off() && !everything().is_off());
    let fatal = Watch::default().with_action(WarningAction::Fail).with_warnings(7);
    assert!(fatal.is_off());
    is_fine(&fatal, careless);
    let outcome = Sim::new(7).run(careless);
    assert!(outcome.is_ok() && outcome.warnings().is_empty());
}

#[test]
fn each_habit_is_watched_for_by_itself() {
    let kinds = |watch: Watch| {
        let outcome = Sim::builder().watch(watch).build().unwrap().run(careless);
        let mut kinds: Vec<_> = outcome.warnings().iter().map(Warning::kind).collect();
        kinds.sort_unstable();
        kinds
    };
    assert_eq!(kinds(Watch::default().with_held(millis(10))), ["long hold"]);
    assert_eq!(kinds(Watch::default().with_asleep(millis(10))), ["sleep under a lock"]);
    assert_eq!(kinds(Watch::default().with_busy(millis(10))), ["busy"]);
    assert_eq!(kinds(Watch::default().with_unpolled(true)), ["never polled", "never started"]);
    assert_eq!(kinds(everything()).len(), 5);
    assert_eq!(kinds(everything().with_warnings(2)).len(), 2);
}

#[test]
fn watching_changes_nothing_of_the_run() {
    for seed in 0..SEEDS {
        let run = |watch: Watch, is_logged| {
            let sim = Sim::builder().seed(seed).watch(watch).log(is_logged).build().unwrap();
            sim.run(super::runs_of_seeds::mixed_program)
        };
        let blind = run(Watch::default(), false);
        for is_logged in [false, true] {
            let watching = run(everything(), is_logged);
            assert_eq!(blind.chain(), watching.chain());
            assert_eq!(blind.steps(), watching.steps());
            assert_eq!(blind.failure(), watching.failure());
        }
        assert_eq!(run(everything(), false).warnings(), run(everything(), true).warnings());
    }
}

#[test]
fn a_warning_can_fail_the_run() {
    let watch = everything().with_action(WarningAction::Fail);
    for outcome in watched(&watch, || async {
        let mutex = Mutex::new(0).named("m");
        let _guard = mutex.lock().await;
        sleep(secs(20)).await;
        unreachable!("the run has failed");
    }) {
        let failure = outcome.failure().unwrap();
        let Failure::Warning { warning, .. } = failure else { panic!("{failure}") };
        assert_eq!((failure.kind(), warning.kind()), ("warning", "sleep under a lock"));
        assert!(
            failure.to_string().starts_with("warning: sleep under a lock: `main` sleeps for 20s")
        );
        assert_eq!(outcome.warnings()[0], **warning);
        // No number of seconds in what is the same failure.
        let signature = Signature::of(failure).to_string();
        assert!(signature.ends_with(": sleep under a lock of Mutex `m` by main"), "{signature}");
        assert!(signature.starts_with("warning at tests/it/executor/watch.rs:"), "{signature}");
    }
}

#[test]
fn a_hold_that_lasts_to_the_end_can_fail_a_run_that_had_passed() {
    let watch = Watch::default().with_held(millis(10)).with_action(WarningAction::Fail);
    for outcome in watched(&watch, || async {
        let cache: &'static Mutex<u8> = Box::leak(Box::new(Mutex::new(0)));
        spawn(async move {
            let _guard = cache.lock().await;
            Event::new().wait().await;
        })
        .background();
        sleep(millis(11)).await;
    }) {
        assert!(matches!(outcome.failure(), Some(Failure::Warning { .. })), "{outcome:?}");
    }
}

#[test]
fn a_check_finds_shrinks_and_replays_a_warning() {
    // Only a preemption under the lock lets the second task find it taken.
    let program = || async {
        let (mutex, passes) = (Rc::new(Mutex::new(0).named("m")), Rc::new(Event::new()));
        passes.set();
        let users = [0, 1].map(|_| {
            let (mutex, passes) = (mutex.clone(), passes.clone());
            spawn(async move {
                match mutex.try_lock() {
                    Some(_guard) => passes.wait().await,
                    None => drop(mutex.lock()),
                }
            })
        });
        for user in users {
            user.await;
        }
    };
    let watch = Watch::default().with_unpolled(true).with_action(WarningAction::Fail);
    let check = Check::new("unpolled").seeds(50).watch(watch);
    let report = check.clone().run(program);
    let Some(finding) = report.finding() else { panic!("not found") };
    assert_eq!(finding.failure().kind(), "warning");
    let token = finding.token().unwrap();
    let replay = check.replay(token, parcae::explore::ReplayMode::Strict, program).unwrap();
    assert_eq!(replay.recurrence, parcae::explore::Recurrence::Same);
}

#[test]
fn warnings_stand_in_the_report_of_another_failure() {
    let program = || async {
        let mutex = Mutex::new(0).named("m");
        let guard = mutex.lock().await;
        sleep(millis(20)).await;
        drop(guard);
        panic!("out of cheese");
    };
    let text = |watch| {
        let report = Check::new("cheese").seeds(1).watch(watch).run(program);
        report::text(&report, &ReplayCommand::of_cli("parcae"))
    };
    let watched = text(everything());
    assert!(
        watched.contains("\n  warnings\n    sleep under a lock: `main` sleeps for 20ms"),
        "{watched}"
    );
    assert!(
        watched.contains("\n    long hold: Mutex `m` for 20ms, held by `main` since "),
        "{watched}"
    );
    assert!(!text(Watch::default()).contains("warnings"));
}
