//! Domains: groups of tasks that live, pause, are busy and tell time together.

mod regressions;

use std::cell::Cell;
use std::future::pending;
use std::rc::Rc;
use std::time::Duration;

use parcae::executor::{DomainId, DomainState};
use parcae::kernel::VirtualTime;
use parcae::task::{Builder, JoinError, settle, yield_now};
use parcae::time::{Instant, SystemTime, interval, sleep, timeout};
use parcae::{Failure, Task, spawn};

use crate::runs::{
    Journal, OnDrop, SEEDS, discard, failure, fifo, millis, nanos, panicked, poll_once, random,
    secs,
};

/// Spawns a task into a domain.
fn spawn_in<F: Future + 'static>(domain: DomainId, future: F) -> Task<F::Output> {
    Builder::new().name("inhabitant").domain(domain).spawn(future)
}

/// Journals the time at which it ends a sleep.
fn sleeper(domain: DomainId, journal: &Journal<Duration>, duration: Duration) -> Task<()> {
    let (journal, start) = (journal.clone(), Instant::now());
    spawn_in(domain, async move {
        sleep(duration).await;
        journal.add(start.elapsed());
    })
}

// Pausing

#[test]
fn the_tasks_of_a_paused_domain_are_frozen_and_their_timers_fire_at_resume() {
    for outcome in random(SEEDS, || async {
        let (domain, journal) = (DomainId::create("node", 0), Journal::new());
        let tasks = [1, 3, 10].map(|count| sleeper(domain, &journal, secs(count)));
        sleep(secs(2)).await;
        domain.pause();
        assert_eq!(domain.state(), DomainState::Paused);
        domain.pause();
        sleep(secs(3)).await;
        assert_eq!(journal.count(), 1);
        domain.resume();
        assert_eq!(domain.state(), DomainState::Alive);
        domain.resume();
        for task in tasks {
            task.await;
        }
        journal.take()
    }) {
        assert_eq!(outcome.unwrap(), [secs(1), secs(5), secs(10)]);
    }
}

#[test]
fn a_task_of_a_paused_domain_is_not_polled_however_often_it_is_woken() {
    for outcome in random(SEEDS, || async {
        let (domain, steps) = (DomainId::create("node", 0), Rc::new(Cell::new(0)));
        let counter = steps.clone();
        let task = spawn_in(domain, async move {
            loop {
                counter.set(counter.get() + 1);
                yield_now().await;
            }
        });
        for _ in 0..5 {
            yield_now().await;
        }
        domain.pause();
        let steps_at_pause = steps.get();
        for _ in 0..20 {
            yield_now().await;
        }
        sleep(secs(1)).await;
        assert_eq!(steps.get(), steps_at_pause);
        domain.resume();
        for _ in 0..200 {
            yield_now().await;
        }
        assert!(steps.get() > steps_at_pause);
        task.cancel().await;
    }) {
        outcome.unwrap();
    }
}

#[test]
fn a_task_that_is_spawned_into_a_paused_domain_begins_at_resume() {
    for outcome in random(SEEDS, || async {
        let (domain, start) = (DomainId::create("node", 0), Instant::now());
        domain.pause();
        let task = spawn_in(domain, async move { start.elapsed() });
        sleep(secs(3)).await;
        assert!(!task.is_finished());
        domain.resume();
        task.await
    }) {
        assert_eq!(outcome.unwrap(), secs(3));
    }
}

#[test]
fn a_task_that_pauses_its_own_domain_runs_on_to_its_next_wait() {
    for outcome in random(SEEDS, || async {
        let (domain, journal) = (DomainId::create("node", 0), Journal::new());
        let inner = journal.clone();
        let task = spawn_in(domain, async move {
            domain.pause();
            inner.add("paused");
            sleep(secs(1)).await;
            inner.add("resumed");
            Instant::now()
        });
        let start = Instant::now();
        sleep(secs(5)).await;
        assert_eq!(journal.take(), ["paused"]);
        domain.resume();
        assert_eq!(task.await - start, secs(5));
    }) {
        outcome.unwrap();
    }
}

#[test]
fn late_timers_of_a_resumed_domain_fire_in_the_order_of_their_deadlines() {
    let outcome = fifo(|| async {
        let (domain, journal) = (DomainId::create("node", 0), Journal::new());
        let tasks = [5, 2, 9, 2, 7].map(|count| {
            let journal = journal.clone();
            spawn_in(domain, async move {
                sleep(secs(count)).await;
                journal.add(count);
            })
        });
        settle().await;
        domain.pause();
        sleep(secs(8)).await;
        domain.resume();
        for task in tasks {
            task.await;
        }
        journal.take()
    });
    assert_eq!(outcome.unwrap(), [2, 2, 5, 7, 9]);
}

#[test]
fn tasks_that_were_held_go_on_in_the_order_of_their_wakes() {
    let outcome = fifo(|| async {
        let mut orders = Vec::new();
        for is_paused in [true, false] {
            let (domain, journal) =
                (DomainId::create("node", u32::from(is_paused)), Journal::new());
            if is_paused {
                domain.pause();
            } else {
                domain.busy_for(secs(1));
            }
            let tasks = ['a', 'b', 'c'].map(|name| {
                let journal = journal.clone();
                spawn_in(domain, async move { journal.add(name) })
            });
            domain.resume();
            for task in tasks {
                task.await;
            }
            orders.push(journal.take());
        }
        orders
    });
    assert_eq!(outcome.unwrap(), [['a', 'b', 'c']; 2]);
}

#[test]
fn a_domain_that_stays_paused_is_a_deadlock_for_who_waits_for_it() {
    let outcome = fifo(|| async {
        let domain = DomainId::create("node", 0);
        let task = spawn_in(domain, sleep(secs(1)));
        settle().await;
        domain.pause();
        task.await;
    });
    assert!(matches!(failure(&outcome), Failure::Deadlock { .. }));
    assert!(outcome.elapsed().is_zero(), "time moved to a timer that cannot fire");
}

#[test]
fn a_cancelled_task_of_a_paused_domain_is_destroyed_at_resume() {
    for outcome in random(SEEDS, || async {
        let (domain, journal) = (DomainId::create("node", 0), Journal::new());
        let inner = journal.clone();
        let task = spawn_in(domain, async move {
            let _guard = OnDrop(|| inner.add(()));
            pending::<()>().await;
        });
        settle().await;
        domain.pause();
        drop(task);
        sleep(secs(1)).await;
        assert_eq!(journal.count(), 0);
        domain.resume();
        settle().await;
        assert_eq!(journal.count(), 1);
    }) {
        outcome.unwrap();
    }
}

#[test]
fn the_root_domain_can_be_neither_paused_nor_killed() {
    let outcome = fifo(|| async { DomainId::ROOT.pause() });
    panicked(&outcome, "the root domain is the test itself and cannot be paused");
    let outcome = fifo(|| async { DomainId::ROOT.kill() });
    panicked(&outcome, "the root domain is the test itself and cannot be killed");
}

// Being busy

#[test]
fn a_busy_domain_handles_a_timer_of_ten_milliseconds_after_a_second() {
    for outcome in random(SEEDS, || async {
        let (domain, journal) = (DomainId::create("node", 0), Journal::new());
        let short = sleeper(domain, &journal, millis(10));
        let long = sleeper(domain, &journal, millis(1_500));
        settle().await;
        domain.busy_for(secs(1));
        assert_eq!(domain.state(), DomainState::BusyUntil(VirtualTime::from_nanos(1_000_000_000)));
        short.await;
        assert_eq!(domain.state(), DomainState::Alive);
        long.await;
        journal.take()
    }) {
        assert_eq!(outcome.unwrap(), [secs(1), millis(1_500)]);
    }
}

#[test]
fn two_busy_times_add_up() {
    for outcome in random(SEEDS, || async {
        let (domain, journal) = (DomainId::create("node", 0), Journal::new());
        let task = sleeper(domain, &journal, millis(10));
        settle().await;
        domain.busy_for(secs(1));
        sleep(millis(400)).await;
        domain.busy_for(secs(2));
        task.await;
        journal.take()
    }) {
        assert_eq!(outcome.unwrap(), [secs(3)]);
    }
}

#[test]
fn others_run_while_a_domain_is_busy_and_its_own_tasks_do_not() {
    for outcome in random(SEEDS, || async {
        let (domain, other) = (DomainId::create("node", 0), DomainId::create("node", 1));
        let (journal, free) = (Journal::new(), Journal::new());
        domain.busy_for(secs(1));
        let tasks = [
            sleeper(domain, &journal, nanos(1)),
            sleeper(domain, &journal, Duration::ZERO),
            sleeper(other, &free, nanos(1)),
        ];
        for task in tasks {
            task.await;
        }
        assert_eq!(free.take(), [nanos(1)]);
        journal.take()
    }) {
        assert_eq!(outcome.unwrap(), [secs(1), secs(1) + nanos(1)]);
    }
}

#[test]
fn a_task_that_makes_its_own_domain_busy_goes_on_when_that_is_over() {
    let outcome = fifo(|| async {
        let (domain, start) = (DomainId::create("node", 0), Instant::now());
        let task = spawn_in(domain, async move {
            domain.busy_for(secs(2));
            let at_once = start.elapsed();
            yield_now().await;
            (at_once, start.elapsed())
        });
        task.await
    });
    assert_eq!(outcome.unwrap(), (Duration::ZERO, secs(2)));
}

#[test]
fn the_test_itself_can_be_busy() {
    for outcome in random(SEEDS, || async {
        let (domain, start, journal) =
            (DomainId::create("node", 0), Instant::now(), Journal::new());
        let free = sleeper(domain, &journal, millis(10));
        let held = spawn(async move {
            sleep(millis(10)).await;
            start.elapsed()
        });
        settle().await;
        DomainId::ROOT.busy_for(secs(1));
        sleep(millis(1)).await;
        assert_eq!(start.elapsed(), secs(1));
        free.await;
        assert_eq!(journal.take(), [millis(10)]);
        assert_eq!(held.await, secs(1));
    }) {
        outcome.unwrap();
    }
}

#[test]
fn an_interval_in_a_busy_domain_is_late_and_catches_up() {
    let outcome = fifo(|| async {
        let domain = DomainId::create("node", 0);
        let task = spawn_in(domain, async {
            let (start, mut ticks) = (Instant::now(), interval(millis(100)));
            let mut times = Vec::new();
            for _ in 0..6 {
                ticks.tick().await;
                times.push(start.elapsed());
            }
            times
        });
        settle().await;
        domain.busy_for(millis(350));
        task.await
    });
    assert_eq!(outcome.unwrap(), [0, 350, 350, 350, 400, 500].map(millis));
}

// Dying

#[test]
fn the_tasks_of_a_killed_domain_are_destroyed_at_once_in_the_order_in_which_they_were_made() {
    for outcome in random(SEEDS, || async {
        let (domain, journal) = (DomainId::create("node", 0), Journal::new());
        let tasks = ['a', 'b', 'c'].map(|name| {
            let inner = journal.clone();
            spawn_in(domain, async move {
                let _guard = OnDrop(|| inner.add(name));
                sleep(secs(1)).await;
                inner.add('!');
            })
        });
        settle().await;
        domain.kill();
        assert_eq!(domain.state(), DomainState::Dead);
        assert_eq!(journal.take(), ['a', 'b', 'c']);
        for task in tasks {
            assert!(task.is_finished());
            assert!(matches!(task.join().await, Err(JoinError::Gone)));
        }
        domain.kill();
        domain.pause();
        domain.resume();
        domain.busy_for(secs(1));
        assert_eq!(domain.state(), DomainState::Dead);
    }) {
        assert!(outcome.elapsed().is_zero());
        outcome.unwrap();
    }
}

#[test]
fn whoever_joins_a_task_of_a_killed_domain_is_woken() {
    for outcome in random(SEEDS, || async {
        let domain = DomainId::create("node", 0);
        let task = spawn_in(domain, pending::<()>());
        let joiner = spawn(task.join());
        let cancelled = spawn_in(domain, pending::<()>());
        let waiting = spawn(async move { cancelled.cancel().await });
        sleep(secs(1)).await;
        domain.kill();
        assert_eq!(waiting.await, None);
        joiner.await.unwrap_err().to_string()
    }) {
        assert_eq!(outcome.unwrap(), "the task was destroyed with its domain, or its run was over");
    }
}

#[test]
fn awaiting_a_task_of_a_killed_domain_panics() {
    let outcome = fifo(|| async {
        let domain = DomainId::create("node", 0);
        let task = spawn_in(domain, pending::<()>());
        domain.kill();
        task.await;
    });
    panicked(&outcome, "a task was awaited that was destroyed with its domain");
}

#[test]
fn the_output_of_a_task_that_had_ended_before_its_domain_was_killed_is_kept() {
    let outcome = fifo(|| async {
        let domain = DomainId::create("node", 0);
        let task = spawn_in(domain, async { 42 });
        settle().await;
        domain.kill();
        task.await
    });
    assert_eq!(outcome.unwrap(), 42);
}

#[test]
fn destructors_in_a_killed_domain_can_neither_spawn_nor_set_timers() {
    for outcome in random(SEEDS, || async {
        let (domain, journal) = (DomainId::create("node", 0), Journal::new());
        let inner = journal.clone();
        let task = spawn_in(domain, async move {
            let _guard = OnDrop(move || {
                let ran = inner.clone();
                let child = spawn(async move { ran.add("the child ran") });
                assert!(child.is_finished());
                child.detach();
                let mut sleeping = sleep(secs(10));
                assert!(poll_once(&mut sleeping).is_pending());
                drop(parcae::time::call_after(secs(10), || panic!("called")));
                inner.add("destroyed");
                // Kept for ever: it must not keep time going either.
                discard(std::mem::ManuallyDrop::new(sleeping));
            });
            pending::<()>().await;
        });
        settle().await;
        domain.kill();
        drop(task);
        settle().await;
        assert_eq!(journal.take(), ["destroyed"]);
        timeout(secs(5), pending::<()>()).await.unwrap_err();
        pending::<()>().await;
    }) {
        assert!(matches!(failure(&outcome), Failure::Deadlock { .. }), "{:?}", outcome.failure());
        assert_eq!(outcome.elapsed(), secs(5));
    }
}

#[test]
fn a_timer_that_nobody_dropped_dies_with_its_domain() {
    let outcome = fifo(|| async {
        let domain = DomainId::create("node", 0);
        let task = spawn_in(domain, async {
            let mut sleeping = sleep(secs(10));
            assert!(poll_once(&mut sleeping).is_pending());
            discard(std::mem::ManuallyDrop::new(sleeping));
        });
        task.await;
        domain.kill();
        pending::<()>().await;
    });
    assert!(matches!(failure(&outcome), Failure::Deadlock { .. }));
    assert!(outcome.elapsed().is_zero());
}

#[test]
fn a_task_that_kills_its_own_domain_runs_on_to_its_next_wait() {
    for outcome in random(SEEDS, || async {
        let (domain, journal) = (DomainId::create("node", 0), Journal::new());
        let (inner, other) = (journal.clone(), journal.clone());
        let bystander = spawn_in(domain, async move {
            let _guard = OnDrop(move || other.add("bystander destroyed"));
            pending::<()>().await;
        });
        settle().await;
        let task = spawn_in(domain, async move {
            let guard = inner.clone();
            let _guard = OnDrop(move || guard.add("killer destroyed"));
            domain.kill();
            inner.add("still here");
            yield_now().await;
            inner.add("not here");
        });
        assert!(matches!(task.join().await, Err(JoinError::Gone)));
        assert!(bystander.is_finished());
        journal.take()
    }) {
        assert_eq!(outcome.unwrap(), ["bystander destroyed", "still here", "killer destroyed"]);
    }
}

#[test]
fn a_task_that_kills_its_own_domain_and_ends_gives_its_output() {
    let outcome = fifo(|| async {
        let domain = DomainId::create("node", 0);
        spawn_in(domain, async move {
            domain.kill();
            42
        })
        .await
    });
    assert_eq!(outcome.unwrap(), 42);
}

#[test]
fn nothing_starts_in_a_dead_domain() {
    for outcome in random(SEEDS, || async {
        let (domain, journal) = (DomainId::create("node", 0), Journal::new());
        domain.kill();
        let (ran, dropped) = (journal.clone(), journal.clone());
        let guard = OnDrop(move || dropped.add("dropped"));
        let task = spawn_in(domain, async move {
            let _guard = &guard;
            ran.add("ran");
        });
        assert_eq!(journal.take(), ["dropped"]);
        assert!(task.is_finished());
        assert!(matches!(task.join().await, Err(JoinError::Gone)));
        spawn_in(domain, async {}).detach();
        drop(spawn_in(domain, async {}));
    }) {
        outcome.unwrap();
    }
}

#[test]
fn a_killed_domain_can_be_paused_or_busy_before() {
    for outcome in random(SEEDS, || async {
        let journal = Journal::new();
        for is_paused in [true, false] {
            let domain = DomainId::create("node", u32::from(is_paused));
            let inner = journal.clone();
            let task = spawn_in(domain, async move {
                let _guard = OnDrop(move || inner.add(is_paused));
                sleep(secs(2)).await;
            });
            settle().await;
            if is_paused {
                domain.pause();
            } else {
                domain.busy_for(secs(1));
            }
            sleep(millis(100)).await;
            domain.kill();
            assert!(matches!(task.join().await, Err(JoinError::Gone)));
        }
        sleep(secs(3)).await;
        journal.take()
    }) {
        assert_eq!(outcome.unwrap(), [true, false]);
    }
}

#[test]
fn a_panic_in_a_destructor_in_a_killed_domain_fails_the_run_and_names_the_task() {
    let outcome = fifo(|| async {
        let domain = DomainId::create("node", 0);
        let task = spawn_in(domain, async {
            let _guard = OnDrop(|| panic!("boom"));
            pending::<()>().await;
        });
        settle().await;
        domain.kill();
        drop(task);
        sleep(secs(1)).await;
    });
    assert_eq!(panicked(&outcome, "boom"), "node/inhabitant");
    assert!(outcome.elapsed().is_zero());
}

#[test]
fn tasks_of_a_domain_are_no_leaks_of_the_test() {
    for outcome in random(SEEDS, || async {
        let domain = DomainId::create("node", 0);
        spawn_in(domain, async {
            spawn(pending::<()>()).detach();
            sleep(secs(1)).await;
        })
        .detach();
        settle().await;
    }) {
        outcome.unwrap();
    }
}

#[test]
fn a_child_lives_in_the_domain_of_its_parent() {
    let outcome = fifo(|| async {
        let (domain, journal) = (DomainId::create("node", 0), Journal::new());
        let inner = journal.clone();
        let parent = spawn_in(domain, async move {
            let child = parcae::spawn_named("child", async move {
                let _guard = OnDrop(move || inner.add("gone"));
                pending::<()>().await;
            });
            assert_eq!(child.name(), "node/inhabitant/child");
            child.detach();
        });
        parent.await;
        settle().await;
        domain.kill();
        journal.take()
    });
    assert_eq!(outcome.unwrap(), ["gone"]);
}

#[test]
fn a_place_in_the_table_is_free_after_its_domain_was_killed() {
    let outcome = crate::runs::limited(
        |limits| limits.tasks = 4,
        || async {
            for incarnation in 0..100 {
                let domain = DomainId::create("node", incarnation);
                for _ in 0..2 {
                    spawn_in(domain, pending::<()>()).detach();
                }
                drop(spawn_in(domain, pending::<()>()));
                settle().await;
                domain.kill();
            }
        },
    );
    outcome.unwrap();
}

// Clocks

#[test]
fn a_fast_clock_wakes_early_and_a_slow_one_late() {
    for (rate, slept) in [
        (0, nanos(1_000_000_000)),
        // 10^9 * 10^6 / 1,000,100, rounded up to the first nanosecond at which the clock shows it.
        (100, nanos(999_900_010)),
        (-100, nanos(1_000_100_011)),
        (-500_000, secs(2)),
        (1_000_000, millis(500)),
    ] {
        let outcome = fifo(move || async move {
            let domain = DomainId::create("node", 0);
            domain.set_clock_rate(rate);
            let start = Instant::now();
            let local = spawn_in(domain, async {
                let start = Instant::now();
                sleep(secs(1)).await;
                start.elapsed()
            });
            let local = local.await;
            assert!(local >= secs(1) && local < secs(1) + nanos(2), "{local:?}");
            start.elapsed()
        });
        assert_eq!(outcome.unwrap(), slept, "{rate} ppm");
    }
}

#[test]
fn a_change_of_rate_moves_the_timers_that_are_set() {
    for (rate, slept) in [(1_000_000, secs(6)), (-500_000, secs(12)), (0, secs(8))] {
        let outcome = fifo(move || async move {
            let (domain, start) = (DomainId::create("node", 0), Instant::now());
            let task = spawn_in(domain, async {
                let start = Instant::now();
                sleep(secs(8)).await;
                assert_eq!(start.elapsed(), secs(8), "on its own clock");
            });
            sleep(secs(4)).await;
            domain.set_clock_rate(rate);
            task.await;
            start.elapsed()
        });
        assert_eq!(outcome.unwrap(), slept, "{rate} ppm");
    }
}

#[test]
fn a_change_of_rate_of_a_paused_domain_counts_at_resume() {
    let outcome = fifo(|| async {
        let (domain, start) = (DomainId::create("node", 0), Instant::now());
        let task = spawn_in(domain, sleep(secs(8)));
        sleep(secs(2)).await;
        domain.pause();
        domain.set_clock_rate(1_000_000);
        sleep(secs(1)).await;
        domain.resume();
        task.await;
        start.elapsed()
    });
    // 2 s at rate 1, then 6 s of its own clock at rate 2.
    assert_eq!(outcome.unwrap(), secs(5));
}

#[test]
fn a_clock_never_steps_when_its_rate_changes() {
    let outcome = fifo(|| async {
        let domain = DomainId::create("node", 0);
        let read = move || spawn_in(domain, async { Instant::now() });
        let start = read().await;
        let mut expected = 0;
        for (rate, millis_in_a_second) in [(500_000, 1_500), (-250_000, 750), (0, 1_000)] {
            domain.set_clock_rate(rate);
            assert_eq!(read().await - start, millis(expected), "at the change to {rate} ppm");
            sleep(secs(1)).await;
            expected += millis_in_a_second;
            assert_eq!(read().await - start, millis(expected), "one second after it");
        }
    });
    outcome.unwrap();
}

#[test]
fn clocks_of_two_domains_are_independent() {
    let outcome = fifo(|| async {
        let (fast, plain) = (DomainId::create("fast", 0), DomainId::create("plain", 0));
        fast.set_clock_rate(1_000_000);
        let nap = || async {
            let start = Instant::now();
            sleep(secs(2)).await;
            start.elapsed()
        };
        let start = Instant::now();
        assert_eq!(spawn_in(fast, nap()).await, secs(2));
        assert_eq!(start.elapsed(), secs(1));
        assert_eq!(spawn_in(plain, nap()).await, secs(2));
        assert_eq!(start.elapsed(), secs(3));
    });
    outcome.unwrap();
}

#[test]
fn a_clock_that_would_stand_still_is_refused() {
    let outcome = fifo(|| async { DomainId::create("node", 0).set_clock_rate(-1_000_000) });
    panicked(&outcome, "a clock rate above -1,000,000 ppm, or time would stand still");
}

#[test]
fn a_step_of_the_wall_clock_shows_nowhere_else() {
    let outcome = fifo(|| async {
        let domain = DomainId::create("node", 0);
        let read = move || spawn_in(domain, async { (SystemTime::now(), Instant::now()) });
        let task = spawn_in(domain, sleep(secs(2)));
        let ((wall, instant), own_wall) = (read().await, SystemTime::now());
        domain.step_wall_clock(5_000_000_000);
        let (stepped, same) = read().await;
        assert_eq!((stepped.duration_since(wall), same), (Some(secs(5)), instant));
        domain.step_wall_clock(-7_000_000_000);
        let (stepped, same) = read().await;
        assert_eq!(stepped.duration_since(wall), None, "it went back");
        assert_eq!((wall.duration_since(stepped), same), (Some(secs(2)), instant));
        assert_eq!(SystemTime::now(), own_wall, "other clocks are not stepped");
        task.await;
    });
    assert_eq!(outcome.elapsed(), secs(2));
    outcome.unwrap();
}
