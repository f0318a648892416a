//! The production backend: what only it has. What both have is in `tests/conformance`.

use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

use parcae::real::{Options, Outcome, Runtime, StartError};
use parcae::task::{
    ContextVar, Group, JoinError, group, settle, shutdown_token, spawn_on, workers,
};
use parcae::time::{Instant, sleep};
use parcae::{Backend, Sim, Task, choose, rng, spawn, spawn_named};

use crate::runs::{OnDrop, fifo, millis, panic_of};

mod ending;
mod failing;

fn run_with<F>(options: Options, program: F) -> Outcome<F::Output>
where
    F: Future + 'static,
    F::Output: 'static,
{
    Runtime::new(options).unwrap().run(program)
}

fn two_workers() -> Options {
    Options::default().with_workers(2)
}

/// Returns what tells the thread of the caller from others.
#[expect(clippy::disallowed_methods, reason = "this is about threads")]
fn thread_name() -> Option<String> {
    thread::current().name().map(str::to_owned)
}

#[test]
fn a_program_draws_under_a_seed_what_it_draws_in_the_simulation() {
    async fn program() -> (u64, u32, u64, u32) {
        let of_child = spawn_named("child", async { (rng().next_u64(), choose(0..1000)) });
        let (number, chosen) = of_child.await;
        (rng().next_u64(), choose(0..1000), number, chosen)
    }

    for seed in [0, 17, u64::MAX] {
        let real = run_with(Options::default().with_seed(seed), program());
        assert_eq!(real.unwrap(), Sim::new(seed).run(program).unwrap());
    }
}

#[test]
fn a_run_without_a_seed_draws_anew_each_time_and_says_from_what() {
    let draw = || {
        let runtime = Runtime::new(Options::default()).unwrap();
        let seed = runtime.seed();
        let outcome = runtime.run(async { rng().next_u64() });
        assert_eq!(outcome.seed, seed);
        (seed, outcome.unwrap())
    };
    let (first, second) = (draw(), draw());
    assert_ne!(first, second);
    let again = run_with(Options::default().with_seed(first.0), async { rng().next_u64() });
    assert_eq!(again.unwrap(), first.1);
}

#[test]
fn tasks_of_a_worker_may_hold_what_is_bound_to_its_thread() {
    let shared = parcae::real::run(async {
        let shared = Rc::new(6);
        let own = shared.clone();
        spawn(async move { *own * 7 }).await
    });
    assert_eq!(shared, 42);
}

#[test]
fn a_task_on_another_worker_is_made_and_destroyed_on_its_thread() {
    let outcome = run_with(two_workers(), async {
        let workers = workers();
        assert_eq!(workers.iter().map(parcae::task::Worker::index).collect::<Vec<_>>(), [0, 1]);
        let (sender, receiver) = mpsc::channel();
        let task = spawn_on(&workers[1], move || {
            let made_on = thread_name();
            let bound = Rc::new(OnDrop(move || sender.send(thread_name()).unwrap()));
            async move {
                sleep(millis(1)).await;
                drop(bound);
                (made_on, thread_name())
            }
        });
        let (made_on, ran_on) = task.await;
        (made_on, ran_on, receiver.recv().unwrap(), thread_name())
    });
    let (made_on, ran_on, dropped_on, here) = outcome.unwrap();
    assert_eq!(made_on.as_deref(), Some("parcae-1"));
    assert_eq!((&ran_on, &dropped_on), (&made_on, &made_on));
    assert_ne!(here, made_on);
}

#[test]
fn a_worker_that_is_busy_does_not_hold_up_another() {
    let outcome = run_with(two_workers(), async {
        let (sender, receiver) = mpsc::channel();
        let busy = spawn_on(&workers()[1], move || async move { receiver.recv().unwrap() });
        sleep(millis(5)).await;
        sender.send(42).unwrap();
        busy.await
    });
    assert_eq!(outcome.unwrap(), 42);
}

#[test]
fn a_dropped_handle_cancels_a_task_of_another_worker_on_its_thread() {
    let outcome = run_with(two_workers(), async {
        let (sender, receiver) = mpsc::channel();
        let (began, has_begun) = parcae::sync::oneshot::channel();
        let task = spawn_on(&workers()[1], move || async move {
            let _dropped = OnDrop(move || sender.send(thread_name()).unwrap());
            began.send(()).unwrap();
            std::future::pending::<()>().await;
        });
        has_begun.await.unwrap();
        drop(task);
        receiver.recv().unwrap()
    });
    assert_eq!(outcome.unwrap().as_deref(), Some("parcae-1"));
}

#[test]
fn a_panic_on_another_worker_is_seen_where_its_task_is_joined() {
    let outcome = run_with(two_workers(), async {
        let task = spawn_on(&workers()[1], || async { panic!("out of cheese") });
        task.join().await
    });
    let Err(JoinError::Panicked { message, place: Some(place), .. }) = outcome.unwrap() else {
        panic!("the task panics, in a place that is known");
    };
    assert_eq!((message.as_str(), place.file.as_str()), ("out of cheese", file!()));
}

#[test]
fn the_future_of_a_task_on_another_worker_may_panic_when_it_is_made() {
    let outcome = run_with(two_workers(), async {
        let make = || -> std::future::Ready<()> { panic!("not made") };
        spawn_on(&workers()[1], make).join().await
    });
    assert!(outcome.unwrap().unwrap_err().to_string().ends_with("not made"));
}

#[test]
fn names_and_draws_of_tasks_on_other_workers_are_those_of_the_simulation() {
    async fn program() -> Vec<(String, u64)> {
        let workers = workers();
        let tasks = (0..4).map(|index| {
            let worker = &workers[index % workers.len()];
            spawn_on(worker, || async { rng().next_u64() })
        });
        let mut seen = Vec::new();
        for task in tasks.collect::<Vec<_>>() {
            seen.push((task.name(), task.await));
        }
        seen
    }

    let real = run_with(two_workers().with_seed(7), program()).unwrap();
    assert_eq!(real, Sim::new(7).run(program).unwrap());
    assert_eq!(real[3].0, "task#3");
}

#[test]
fn context_variables_stay_on_their_thread_in_both_backends() {
    static REQUEST: ContextVar<u32> = ContextVar::new(|| 0);
    async fn program() -> (u32, u32) {
        REQUEST.set(7);
        let elsewhere = spawn_on(&workers()[workers().len() - 1], || async { REQUEST.get() });
        (spawn(async { REQUEST.get() }).await, elsewhere.await)
    }

    assert_eq!(run_with(two_workers(), program()).unwrap(), (7, 0));
    assert_eq!(fifo(program).unwrap(), (7, 0));
}

#[test]
fn queues_and_locks_between_workers_lose_nothing() {
    const ITEMS: u64 = 2000;
    let outcome = run_with(Options::default().with_workers(4), async {
        let queue = parcae::sync::Queue::bounded(3);
        let sum = Arc::new(parcae::sync::Mutex::new(0));
        let takers: Vec<_> = workers()
            .iter()
            .map(|worker| {
                let (queue, sum) = (queue.clone(), sum.clone());
                spawn_on(worker, move || async move {
                    let mut count = 0;
                    while let Ok(item) = queue.get().await {
                        *sum.lock().await += item;
                        count += 1;
                    }
                    count
                })
            })
            .collect();
        let makers: Vec<_> = workers()
            .iter()
            .map(|worker| {
                let queue = queue.clone();
                spawn_on(worker, move || async move {
                    for item in 1..=ITEMS {
                        queue.put(item).await.unwrap();
                    }
                })
            })
            .collect();
        for maker in makers {
            maker.await;
        }
        queue.close();
        let mut count = 0;
        for taker in takers {
            count += taker.await;
        }
        let sum = *sum.lock().await;
        (count, sum)
    });
    assert_eq!(outcome.unwrap(), (4 * ITEMS, 4 * ITEMS * (ITEMS + 1) / 2));
}

#[test]
#[expect(clippy::disallowed_methods, reason = "a wake from a thread is the point")]
fn a_thread_of_the_program_wakes_a_task() {
    let (sender, receiver) = parcae::sync::oneshot::channel();
    let waker = thread::spawn(move || {
        thread::sleep(millis(5));
        sender.send(42).unwrap();
    });
    assert_eq!(parcae::real::run(receiver), Ok(42));
    waker.join().unwrap();
}

#[test]
fn work_can_be_given_to_a_worker_from_outside_of_the_runtime() {
    let runtime = Runtime::new(two_workers()).unwrap();
    let task = spawn_on(&runtime.workers()[1], || async { Backend::current() });
    assert_eq!(futures::executor::block_on(task), Some(Backend::Real));
    // That of worker 0 begins when there is a program.
    let task = spawn_on(&runtime.workers()[0], || async { thread_name() });
    let outcome = runtime.run(async { (task.await, thread_name()) });
    let (ran_on, here) = outcome.unwrap();
    assert_eq!(ran_on, here);
}

#[test]
fn tasks_that_come_from_outside_of_the_runtime_are_numbered() {
    let runtime = Runtime::new(two_workers()).unwrap();
    let worker = runtime.workers().remove(1);
    let tasks = [(); 2].map(|()| spawn_on(&worker, || async { rng().next_u64() }));
    assert_eq!(tasks.each_ref().map(Task::name), ["task#0", "task#1"]);
    let [first, second] = tasks.map(futures::executor::block_on);
    assert_ne!(first, second);
}

#[test]
fn work_that_is_given_to_another_runtime_is_done_there() {
    let other = Runtime::new(two_workers()).unwrap();
    let worker = other.workers().remove(0);
    let [task] = parcae::real::run(async move {
        let task = spawn_on(&worker, || async { workers().len() });
        settle().await;
        assert!(!task.is_finished(), "it is not begun here");
        [task]
    });
    let outcome = other.run(task);
    assert!(outcome.unfinished.is_empty());
    assert_eq!(outcome.unwrap(), 2);
}

#[test]
fn a_task_that_is_always_ready_holds_up_neither_timers_nor_the_end() {
    parcae::real::run(async {
        let busy = async {
            loop {
                parcae::task::yield_now().await;
            }
        };
        spawn(busy).detach();
        sleep(millis(5)).await;
    });
}

#[test]
fn settling_waits_until_nothing_else_of_the_worker_is_ready() {
    parcae::real::run(async {
        let is_done = Rc::new(std::cell::Cell::new(false));
        let done = is_done.clone();
        let task = spawn(async move {
            for _ in 0..1000 {
                parcae::task::yield_now().await;
            }
            done.set(true);
            std::future::pending::<()>().await;
        });
        settle().await;
        assert!(is_done.get());
        drop(task);
    });
}

#[test]
fn a_runtime_inside_of_another_is_refused_and_leaves_it_as_it_was() {
    let message = parcae::real::run(async {
        let message = panic_of(|| parcae::real::run(async {}));
        spawn(async {}).await;
        message
    });
    assert!(message.starts_with("a runtime on real time was started inside of a runtime"));

    let [task] = parcae::real::run(async {
        let refused = Runtime::new(two_workers()).unwrap();
        let task = spawn_on(&refused.workers()[1], std::future::pending::<()>);
        drop(panic_of(|| drop(refused.run(async {}))));
        [task]
    });
    assert!(task.is_finished(), "one that is refused ends its threads");

    let message = fifo(|| async {
        let message = panic_of(|| parcae::real::run(async {}));
        spawn(async {}).await;
        message
    });
    let message = message.unwrap();
    assert!(message.starts_with("a runtime on real time was started inside of a simulation"));
}

#[test]
fn a_simulation_inside_of_a_task_on_real_time_has_its_own_time_and_draws() {
    parcae::real::run(async {
        let (now, draw) = (Instant::now(), rng().next_u64());
        let simulated = || async {
            assert_eq!(Backend::current(), Some(Backend::Simulation));
            let start = Instant::now();
            sleep(Duration::from_secs(3600)).await;
            (start.elapsed(), rng().next_u64())
        };
        let (elapsed, simulated_draw) = Sim::new(7).run(simulated).unwrap();
        assert_eq!(elapsed, Duration::from_secs(3600));
        assert_ne!(draw, simulated_draw);
        assert_eq!(Backend::current(), Some(Backend::Real));
        assert!(Instant::now() >= now);
        spawn(async {}).await;
    });
}

#[test]
fn a_runtime_without_workers_is_refused() {
    let error = Runtime::new(Options::default().with_workers(0)).unwrap_err();
    assert!(matches!(error, StartError::NoWorkers));
    assert!(error.to_string().contains("ask for 1 or more"));
}

#[test]
fn a_group_bounds_tasks_of_other_workers_through_their_handles() {
    let is_dropped = Arc::new(AtomicBool::new(false));
    let dropped = is_dropped.clone();
    let outcome = run_with(two_workers(), async move {
        let (began, has_begun) = parcae::sync::oneshot::channel();
        let elsewhere = spawn_on(&workers()[1], move || async move {
            let _dropped = OnDrop(move || dropped.store(true, Ordering::SeqCst));
            began.send(()).unwrap();
            std::future::pending::<()>().await;
        });
        let end = group(async move |group| {
            group.spawn(elsewhere);
            has_begun.await.unwrap();
            Err::<(), _>("enough")
        });
        end.await.unwrap_err().into_errors()
    });
    assert_eq!(outcome.unwrap(), ["enough"]);
    assert!(
        is_dropped.load(Ordering::SeqCst),
        "cancelled with the group, at the latest at the end"
    );
}

#[test]
fn a_group_may_have_children_on_several_workers() {
    async fn fail_last(index: u32) -> Result<(), u32> {
        parcae::task::yield_now().await;
        if index == 19 { Err(index) } else { Ok(()) }
    }

    async fn fail_among_many(group: Group<u32>) -> Result<(), u32> {
        for worker in workers() {
            let inside = group.clone();
            let spread = async move || {
                (0..20).for_each(|index| drop(inside.spawn_try(fail_last(index))));
            };
            group.spawn(spawn_on(&worker, spread));
        }
        Ok(())
    }

    for seed in 0..50 {
        let options = Options::default().with_workers(3).with_seed(seed);
        let outcome = run_with(options, group(fail_among_many));
        assert!(outcome.unfinished.is_empty());
        let errors = outcome.unwrap().unwrap_err().into_errors();
        assert!(!errors.is_empty() && errors.iter().all(|error| *error == 19));
    }
}

#[test]
fn every_worker_has_one_shutdown_token_in_common() {
    let outcome = run_with(two_workers(), async {
        let elsewhere = spawn_on(&workers()[1], || async { shutdown_token().cancelled().await });
        shutdown_token().cancel("enough");
        elsewhere.await
    });
    assert_eq!(outcome.unwrap().to_string(), "enough");
}
