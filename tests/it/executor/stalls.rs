//! Runs that cannot go on or do not end: deadlock, livelock, limits, leaks.

use std::future::pending;
use std::rc::Rc;
use std::time::Duration;

use futures::future::join;
use parcae::executor::{StalledTask, Wait};
use parcae::sync::{Event, Mutex, Queue};
use parcae::task::{settle, yield_now};
use parcae::time::sleep;
use parcae::{Failure, Sim, spawn, spawn_named};

use crate::runs::{SEEDS, current_waker, failure, fifo, limited, nanos, random, secs};

fn names(failure: &Failure) -> Vec<&str> {
    failure.stalled_tasks().iter().map(|task| task.name.as_str()).collect()
}

#[track_caller]
fn wait(task: &StalledTask) -> &Wait {
    task.wait.as_ref().expect("it waits")
}

// Deadlock

#[test]
fn a_deadlock_names_the_tasks_what_they_wait_for_and_where_they_were_spawned() {
    let spawned = line!() + 3;
    for outcome in random(SEEDS, || async {
        let start = spawn_named("start", async {});
        let stuck = spawn_named("stuck", pending::<()>());
        let joiner = spawn_named("joiner", async move {
            stuck.await;
        });
        start.await;
        joiner.await;
    }) {
        let Failure::Deadlock { tasks, .. } = failure(&outcome) else { panic!("{outcome:?}") };
        assert_eq!(names(failure(&outcome)), ["main", "stuck", "joiner"]);
        let [main, stuck, joiner] = tasks.as_slice() else { panic!("{tasks:?}") };
        for (waiting, wanted, line) in
            [(main, "joiner", spawned + 5), (joiner, "stuck", spawned + 2)]
        {
            let wait = wait(waiting);
            assert_eq!(
                (wait.kind, wait.verb, wait.name.as_deref()),
                ("Task", "join", Some(wanted))
            );
            assert_eq!(wait.waits_at.as_ref().unwrap().line, line, "{waiting}");
        }
        for (task, line) in [(stuck, spawned), (joiner, spawned + 1)] {
            let place = task.spawned_at.as_ref().unwrap();
            assert!(place.file.ends_with("stalls.rs"), "{place}");
            assert_eq!(place.line, line, "{task}");
        }
        // A future that is not ours says nothing about itself; the report does not guess.
        assert!(!stuck.to_string().contains("could run"), "{stuck}");
    }
}

#[test]
fn a_deadlock_by_join_names_the_joined_task() {
    let outcome = fifo(|| async {
        spawn_named("silent", pending::<()>()).join().await.unwrap();
    });
    let text = failure(&outcome).to_string();
    assert!(text.starts_with("deadlock: no task is ready and no timer is pending\n"), "{text}");
    assert!(text.contains("`main` waits for Task join of `silent` at "), "{text}");
}

#[test]
fn a_report_names_no_line_of_the_library() {
    let outcome = fifo(|| async { spawn_named("joiner", spawn(pending::<()>())).await });
    let Failure::Deadlock { tasks, .. } = failure(&outcome) else { panic!("{outcome:?}") };
    for task in tasks {
        let wait = wait(task);
        let places = [&task.spawned_at, &wait.waits_at, &wait.made_at];
        assert!(places.into_iter().flatten().all(|at| at.file.ends_with("stalls.rs")), "{task}");
    }
}

#[test]
fn a_task_that_awaits_itself_is_a_deadlock() {
    let outcome = fifo(|| async {
        let (send, receive) = std::sync::mpsc::channel::<parcae::Task<()>>();
        let task = spawn_named("narcissus", async move { receive.recv().unwrap().await });
        send.send(task).unwrap();
        pending::<()>().await;
    });
    let Failure::Deadlock { tasks, .. } = failure(&outcome) else { panic!("{outcome:?}") };
    assert_eq!(tasks[1].name, "narcissus");
    assert_eq!(wait(&tasks[1]).name.as_deref(), Some("narcissus"));
}

#[test]
fn a_deadlock_is_found_at_the_time_of_the_last_timer() {
    for outcome in random(20, || async {
        spawn(sleep(secs(3))).background();
        drop(spawn(sleep(secs(5))));
        sleep(secs(1)).await;
        pending::<()>().await;
    }) {
        assert!(matches!(failure(&outcome), Failure::Deadlock { .. }));
        assert_eq!(outcome.elapsed(), secs(3));
    }
}

#[test]
fn a_task_that_waits_for_a_timer_is_reported_with_its_deadline() {
    let line = line!() + 4;
    let outcome = limited(
        |limits| limits.time = secs(10),
        || async {
            spawn_named("sleeper", sleep(secs(20))).await;
        },
    );
    let Failure::TimeLimit { limit, tasks, .. } = failure(&outcome) else { panic!("{outcome:?}") };
    assert_eq!(*limit, secs(10));
    let sleeping = wait(&tasks[1]);
    assert_eq!(
        (sleeping.kind, sleeping.verb, sleeping.name.as_deref()),
        ("Timer", "sleep", Some("20.000 s"))
    );
    assert_eq!(sleeping.waits_at.as_ref().unwrap().line, line);
}

#[test]
fn a_task_that_settles_is_reported_as_such() {
    let outcome = limited(
        |limits| limits.steps_per_instant = 100,
        || async {
            spawn_named("spinner", async {
                loop {
                    yield_now().await;
                }
            })
            .detach();
            settle().await;
        },
    );
    assert_eq!(names(failure(&outcome)), ["spinner"], "main is blocked");
}

// Livelock and limits

#[test]
fn a_livelock_names_the_tasks_that_spin_and_not_those_that_wait() {
    for strategy in parcae::explore::Strategy::ALL {
        let mut limits = parcae::executor::Limits::default();
        limits.steps_per_instant = 1_000;
        let sim = Sim::builder().strategy(strategy).limits(limits).build().unwrap();
        let outcome = sim.run(|| async {
            sleep(secs(2)).await;
            let spin = || async {
                loop {
                    yield_now().await;
                }
            };
            spawn_named("waiter", sleep(secs(1))).detach();
            let (ping, pong) = (spawn_named("ping", spin()), spawn_named("pong", spin()));
            join(ping, pong).await;
        });
        let Failure::Livelock { steps, time, tasks } = failure(&outcome) else {
            panic!("{strategy}: {}", failure(&outcome))
        };
        assert_eq!((*steps, time.elapsed()), (1_000, secs(2)));
        let mut names = names(failure(&outcome));
        names.sort_unstable();
        assert_eq!(names, ["ping", "pong"]);
        assert!(tasks[0].steps >= tasks[1].steps, "those with most steps are first");
        assert!(outcome.steps() <= 1_010, "{} steps were taken", outcome.steps());
        assert_eq!(outcome.elapsed(), secs(2));
    }
}

#[test]
fn steps_without_time_moving_are_counted_anew_at_each_instant() {
    let outcome = limited(
        |limits| limits.steps_per_instant = 50,
        || async {
            for _ in 0..100 {
                for _ in 0..40 {
                    yield_now().await;
                }
                sleep(nanos(1)).await;
            }
        },
    );
    assert!(outcome.steps() > 4_000);
    outcome.unwrap();
}

#[test]
fn a_task_that_spins_on_its_waker_after_the_program_has_ended_is_a_livelock() {
    let outcome = limited(
        |limits| limits.steps_per_instant = 100,
        || async {
            spawn_named("spinner", async {
                loop {
                    yield_now().await;
                }
            })
            .background();
        },
    );
    assert!(matches!(failure(&outcome), Failure::Livelock { .. }));
    assert_eq!(names(failure(&outcome)), ["spinner"]);
}

#[test]
fn the_step_limit_ends_a_run_whose_time_moves() {
    let outcome = limited(
        |limits| limits.steps = 1_000,
        || async {
            spawn_named("idle", pending::<()>()).background();
            loop {
                sleep(nanos(1)).await;
            }
        },
    );
    let Failure::StepLimit { steps, .. } = failure(&outcome) else { panic!("{outcome:?}") };
    assert_eq!(*steps, 1_000);
    assert_eq!(names(failure(&outcome)), ["main", "idle"], "all tasks, most steps first");
    assert!(outcome.steps() <= 1_001);
}

#[test]
fn a_run_within_its_step_limit_passes_and_one_step_less_fails() {
    let program = || async {
        for _ in 0..10 {
            yield_now().await;
        }
    };
    let steps = fifo(program).steps();
    assert!(limited(|limits| limits.steps = steps, program).is_ok());
    let outcome = limited(|limits| limits.steps = steps - 1, program);
    assert!(matches!(failure(&outcome), Failure::StepLimit { .. }));
}

#[test]
fn the_time_limit_ends_a_run_that_sleeps_for_ever() {
    let outcome = limited(
        |limits| limits.time = secs(3_600),
        || async {
            let mut periodic = parcae::time::interval(secs(7));
            loop {
                periodic.tick().await;
            }
        },
    );
    assert!(matches!(failure(&outcome), Failure::TimeLimit { limit, .. } if *limit == secs(3_600)));
    assert_eq!(outcome.elapsed(), secs(3_600 / 7 * 7), "the last tick within the limit");
}

#[test]
fn a_timer_at_the_very_limit_of_time_fires_and_one_past_it_does_not() {
    let run = |duration: Duration| {
        let sim = Sim::builder().max_time(secs(1)).build().unwrap();
        sim.run(move || async move { sleep(duration).await })
    };
    assert_eq!(run(secs(1)).elapsed(), secs(1));
    assert!(run(secs(1)).is_ok());
    assert!(matches!(failure(&run(secs(1) + nanos(1))), Failure::TimeLimit { .. }));
}

#[test]
fn the_task_limit_names_the_task_that_spawned_one_too_many() {
    let run = |count: u32| {
        limited(
            |limits| limits.tasks = 10,
            move || async move {
                spawn_named("maker", async move {
                    let tasks: Vec<_> = (0..count).map(|_| spawn(pending::<()>())).collect();
                    drop(tasks);
                })
                .await;
            },
        )
    };
    run(8).unwrap();
    let outcome = run(9);
    let Failure::TaskLimit { tasks, spawner } = failure(&outcome) else { panic!("{outcome:?}") };
    assert_eq!((*tasks, spawner.as_str()), (10, "maker"));
}

#[test]
fn a_hundred_thousand_tasks_one_after_the_other_need_the_places_of_two() {
    let outcome = limited(
        |limits| limits.tasks = 2,
        || async {
            let mut sum = 0_u64;
            for number in 0..100_000 {
                sum += spawn(async move { number }).await;
            }
            sum
        },
    );
    assert_eq!(outcome.unwrap(), 4_999_950_000);
}

#[test]
fn a_hundred_thousand_tasks_wait_at_once_and_all_go_on() {
    let outcome = fifo(|| async {
        let start = Rc::new(Event::new());
        let tasks: Vec<_> = (0..100_000_u64)
            .map(|number| {
                let start = start.clone();
                spawn(async move {
                    start.wait().await;
                    number
                })
            })
            .collect();
        settle().await;
        assert!(tasks.iter().all(|task| !task.is_finished()));
        start.set();
        let mut sum = 0;
        for task in tasks {
            sum += task.await;
        }
        sum
    });
    // Each is polled twice, and comes to one point: no more work than that, however many wait.
    assert!((300_000..310_000).contains(&outcome.steps()), "{} steps", outcome.steps());
    assert_eq!(outcome.unwrap(), 4_999_950_000);
}

// Leaks

#[test]
fn a_detached_task_that_outlives_the_program_is_a_leak() {
    for outcome in random(SEEDS, || async {
        spawn_named("parent", async {
            spawn_named("forgotten", sleep(secs(1))).detach();
        })
        .await;
        spawn_named("kept", sleep(secs(1))).background();
    }) {
        let Failure::Leak { tasks, .. } = failure(&outcome) else { panic!("{outcome:?}") };
        assert_eq!(names(failure(&outcome)), ["parent/forgotten"]);
        assert_eq!(wait(&tasks[0]).verb, "sleep");
        assert!(outcome.elapsed().is_zero(), "time moved after the program had ended");
    }
}

#[test]
fn background_tasks_and_cancelled_tasks_are_no_leak() {
    for outcome in random(SEEDS, || async {
        spawn(sleep(secs(1))).background();
        spawn(pending::<()>()).background();
        drop(spawn(pending::<()>()));
        let started = spawn(pending::<()>());
        settle().await;
        drop(started);
    }) {
        outcome.unwrap();
    }
}

#[test]
fn a_detached_task_that_is_ready_when_the_program_ends_may_run_to_its_end() {
    for outcome in random(SEEDS, || async {
        let ended = crate::runs::Journal::new();
        let journal = ended.clone();
        spawn(async move {
            for _ in 0..10 {
                yield_now().await;
            }
            spawn(async move { journal.add(()) }).detach();
        })
        .detach();
        ended
    }) {
        assert_eq!(outcome.unwrap().count(), 1);
    }
}

#[test]
fn a_child_of_a_task_that_runs_after_the_program_has_its_whole_path() {
    let outcome = fifo(|| async {
        spawn_named("a", async {
            yield_now().await;
            spawn_named("b", async {
                spawn_named("c", pending::<()>()).detach();
            })
            .detach();
        })
        .detach();
    });
    assert_eq!(names(failure(&outcome)), ["a/b/c"]);
}

#[test]
fn a_task_with_a_handle_at_the_end_is_cancelled_and_no_leak() {
    let outcome = fifo(|| async { spawn(pending::<()>()) });
    drop(outcome.unwrap());
}

// Settling

#[test]
fn settling_ends_when_all_others_are_blocked_and_before_time_moves() {
    for outcome in random(SEEDS, || async {
        let journal = crate::runs::Journal::new();
        for _ in 0..3 {
            let journal = journal.clone();
            spawn(async move {
                for _ in 0..5 {
                    yield_now().await;
                }
                journal.add(());
                sleep(secs(1)).await;
                journal.add(());
            })
            .background();
        }
        settle().await;
        assert_eq!(journal.count(), 3);
        settle().await;
        assert_eq!(journal.count(), 3);
        assert!(parcae::time::Instant::now().elapsed().is_zero());
    }) {
        outcome.unwrap();
    }
}

#[test]
fn of_several_tasks_that_settle_the_first_goes_on_first() {
    let outcome = fifo(|| async {
        let journal = crate::runs::Journal::new();
        let tasks: Vec<_> = (0..3)
            .map(|number| {
                let journal = journal.clone();
                spawn(async move {
                    settle().await;
                    journal.add(number);
                    yield_now().await;
                    journal.add(number);
                })
            })
            .collect();
        for task in tasks {
            task.await;
        }
        journal.take()
    });
    assert_eq!(outcome.unwrap(), [0, 0, 1, 1, 2, 2]);
}

#[test]
fn a_spurious_poll_does_not_end_settling() {
    let outcome = fifo(|| async {
        let other = spawn(async {
            for _ in 0..5 {
                yield_now().await;
            }
        });
        let noise = async {
            current_waker().await.wake();
            yield_now().await;
        };
        join(noise, async {
            settle().await;
            assert!(other.is_finished(), "another task was ready");
        })
        .await;
    });
    outcome.unwrap();
}

#[test]
fn settling_inside_of_a_combinator_that_wraps_wakers_ends() {
    use futures::StreamExt as _;
    let outcome = fifo(|| async {
        let mut set: futures::stream::FuturesUnordered<_> = (0..3).map(|_| settle()).collect();
        let mut count = 0;
        while set.next().await.is_some() {
            count += 1;
        }
        count
    });
    assert_eq!(outcome.unwrap(), 3);
}

#[test]
fn settling_that_was_given_up_wakes_nobody() {
    let outcome = fifo(|| async {
        let mut given_up = settle();
        assert!(crate::runs::poll_once(&mut given_up).is_pending());
        drop(given_up);
        settle().await;
    });
    outcome.unwrap();
}

#[test]
fn regression_a_wait_is_named_by_its_own_verb() {
    // The verb was that of the last point the task had come to, though it waited for something else.
    let outcome = fifo(|| async {
        let (lock, queue) = (Mutex::new(()), Queue::unbounded());
        let _held = lock.lock().await;
        let other = async {
            queue.put(1).await.unwrap();
            pending::<()>().await;
        };
        drop(join(lock.lock(), other).await);
    });
    let failure = failure(&outcome).to_string();
    assert!(failure.contains("`main` waits for Mutex lock at"), "{failure}");
}
