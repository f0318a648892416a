//! Who waits for whom: cycles in failures, and what a program sees of it.

use std::future::pending;
use std::rc::Rc;

use expect_test::expect;
use futures::future::join;
use parcae::executor::{TaskStatus, WaitCycle};
use parcae::explore::{Check, Signature};
use parcae::report::{self, ReplayCommand};
use parcae::sync::{Event, Mutex, RwLock, Semaphore};
use parcae::task::{await_tree, dump_tasks, settle};
use parcae::time::sleep;
use parcae::{Failure, Sim, spawn, spawn_named};

use crate::runs::{SEEDS, failure, fifo, limited, millis, random, secs};

/// Returns the tasks of a cycle, with the name of what each waits for.
fn names(cycle: &WaitCycle) -> Vec<(&str, &str)> {
    let links = cycle.links.iter();
    links.map(|link| (link.task.as_str(), link.wait.name.as_deref().unwrap_or(""))).collect()
}

/// Each of three tasks takes its lock and wants that of the next.
async fn circle() {
    let locks: [_; 3] = ["x", "y", "z"].map(|name| Rc::new(Mutex::new(()).named(name)));
    let tasks = [("a", 0, 1), ("b", 1, 2), ("c", 2, 0)].map(|(name, own, other)| {
        let (own, other) = (locks[own].clone(), locks[other].clone());
        spawn_named(name, async move {
            let _own = own.lock().await;
            settle().await;
            drop(other.lock().await);
        })
    });
    for task in tasks {
        task.await;
    }
}

#[test]
fn tasks_that_lock_in_a_circle_are_named_as_one_cycle() {
    for outcome in random(SEEDS, circle) {
        let failure = failure(&outcome);
        let [cycle] = failure.cycles() else { panic!("{failure}") };
        assert_eq!(names(cycle), [("a", "y"), ("b", "z"), ("c", "x")]);
        let text = failure.to_string();
        let wanted = "\n    cycle: `a` -> `b` (Mutex lock of `y`) -> `c` (Mutex lock of `z`) \
                      -> `a` (Mutex lock of `x`)";
        assert!(text.ends_with(wanted), "{text}");
    }
}

#[test]
fn the_text_of_a_finding_names_the_cycle() {
    let report = Check::new("circle").seeds(3).run(circle);
    let text = report::text(&report, &ReplayCommand::of_cli("parcae"));
    assert!(text.contains("cycle: `a` -> `b` (Mutex lock of `y`)"), "{text}");
    let signature = Signature::of(report.finding().unwrap().failure()).to_string();
    assert!(!signature.contains("cycle") && !signature.contains("held"), "{signature}");
}

#[test]
fn a_task_that_waits_for_itself_is_a_cycle_of_one() {
    for outcome in random(SEEDS, || async {
        let mutex = Mutex::new(()).named("own");
        let _guard = mutex.lock().await;
        drop(mutex.lock().await);
    }) {
        let [cycle] = failure(&outcome).cycles() else { panic!("{outcome:?}") };
        assert_eq!(names(cycle), [("main", "own")]);
        assert_eq!(cycle.to_string(), "`main` -> `main` (Mutex lock of `own`)");
    }
}

#[test]
fn tasks_that_join_each_other_are_a_cycle() {
    let outcome = fifo(|| async {
        let slot = Rc::new(std::cell::RefCell::new(None));
        let left = spawn_named("left", {
            let slot = slot.clone();
            async move {
                let right: parcae::Task<()> = slot.take().expect("put there");
                right.await;
            }
        });
        *slot.borrow_mut() = Some(spawn_named("right", left));
        pending::<()>().await;
    });
    let [cycle] = failure(&outcome).cycles() else { panic!("{outcome:?}") };
    assert_eq!(
        cycle.to_string(),
        "`left` -> `right` (Task join of `right`) -> `left` (Task join of `left`)"
    );
}

#[test]
fn a_lock_and_a_join_close_a_cycle_that_others_only_lead_to() {
    for outcome in random(SEEDS, || async {
        let mutex = Rc::new(Mutex::new(()).named("m"));
        let worker = |name| {
            let mutex = mutex.clone();
            spawn_named(name, async move { drop(mutex.lock().await) })
        };
        let parent = spawn_named("parent", {
            let mutex = mutex.clone();
            let child = worker("child");
            async move {
                let _guard = mutex.lock().await;
                child.await;
            }
        });
        let other = worker("other");
        settle().await;
        join(parent, other).await;
    }) {
        // On some seeds the child is first.
        let Some(failure) = outcome.failure() else { continue };
        let [cycle] = failure.cycles() else { panic!("{failure}") };
        assert_eq!(names(cycle), [("child", "m"), ("parent", "child")], "{failure}");
    }
}

#[test]
fn two_cycles_are_both_named_in_the_order_of_the_report() {
    let outcome = fifo(|| async {
        let pair = |first: &'static str, second: &'static str| async move {
            let (x, y) = (Rc::new(Mutex::new(())), Rc::new(Mutex::new(())));
            let hold = |own: Rc<Mutex<()>>, other: Rc<Mutex<()>>| async move {
                let _own = own.lock().await;
                settle().await;
                drop(other.lock().await);
            };
            let tasks =
                (spawn_named(first, hold(x.clone(), y.clone())), spawn_named(second, hold(y, x)));
            join(tasks.0, tasks.1).await;
        };
        join(pair("a", "b"), pair("c", "d")).await;
    });
    let cycles: Vec<Vec<&str>> = failure(&outcome)
        .cycles()
        .iter()
        .map(|cycle| cycle.links.iter().map(|link| link.task.as_str()).collect())
        .collect();
    assert_eq!(cycles, [["a", "b"], ["c", "d"]]);
}

#[test]
fn waits_without_a_circle_are_no_cycle() {
    for outcome in random(SEEDS, || async {
        let mutex = Rc::new(Mutex::new(()));
        let hog = spawn_named("hog", {
            let mutex = mutex.clone();
            async move {
                let _guard = mutex.lock().await;
                Event::new().wait().await;
            }
        });
        settle().await;
        let waiter = spawn_named("waiter", async move { drop(mutex.lock().await) });
        join(waiter, hog).await;
    }) {
        assert_eq!(failure(&outcome).cycles(), []);
        assert!(!failure(&outcome).to_string().contains("cycle"));
    }
}

#[test]
fn a_cycle_beside_a_task_that_goes_on_is_named_at_the_time_limit_and_as_a_leak() {
    let ticker = || async {
        loop {
            sleep(secs(1)).await;
        }
    };
    let outcome = limited(
        |limits| limits.time = secs(10),
        move || async move {
            spawn(ticker()).background();
            circle().await;
        },
    );
    assert!(matches!(failure(&outcome), Failure::TimeLimit { .. }));
    assert_eq!(failure(&outcome).cycles().len(), 1);
    let outcome = fifo(|| async {
        spawn_named("self", async {
            let mutex = Mutex::new(());
            let _guard = mutex.lock().await;
            drop(mutex.lock().await);
        })
        .detach();
        settle().await;
    });
    assert!(matches!(failure(&outcome), Failure::Leak { .. }));
    assert_eq!(failure(&outcome).cycles().len(), 1);
}

/// A hog, two that wait for it, one of them joined, and one that has ended.
async fn queue_up() -> Vec<parcae::Task<()>> {
    let mutex = Rc::new(Mutex::new(()).named("door"));
    let user = |name| {
        let mutex = mutex.clone();
        spawn_named(name, async move {
            let _guard = mutex.lock().await;
            sleep(millis(5)).await;
        })
    };
    let mut tasks = vec![user("hog")];
    settle().await;
    let second = user("second");
    settle().await;
    tasks.push(spawn_named("joiner", second));
    tasks.push(user("third"));
    tasks.push(spawn_named("ended", async {}));
    settle().await;
    tasks
}

#[test]
fn a_dump_lists_every_task_with_what_it_does() {
    let outcome = fifo(|| async {
        let _tasks = queue_up().await;
        let _ready = spawn_named("ready", async {});
        dump_tasks()
    });
    let dump = outcome.unwrap();
    let states: Vec<_> = dump.rows.iter().map(|row| (row.name.as_str(), row.status)).collect();
    assert_eq!(
        states,
        [
            ("main", TaskStatus::Running),
            ("hog", TaskStatus::Waiting),
            ("second", TaskStatus::Waiting),
            ("joiner", TaskStatus::Waiting),
            ("third", TaskStatus::Waiting),
            ("ended", TaskStatus::Done),
            ("ready", TaskStatus::Ready),
        ]
    );
    assert_eq!(dump.rows[0].spawned_at, None);
    expect![[r#"
        task    state    steps  waits for              at                                   held by                                                  spawned at
        main    running  3
        hog     waiting  2      the time 0.005 s       tests/it/executor/wait_graph.rs:203                                                           tests/it/executor/wait_graph.rs:201
        second  waiting  2      Mutex lock of `door`   tests/it/executor/wait_graph.rs:202  held by `hog` since tests/it/executor/wait_graph.rs:202  tests/it/executor/wait_graph.rs:201
        joiner  waiting  1      Task join of `second`                                                                                                tests/it/executor/wait_graph.rs:210
        third   waiting  2      Mutex lock of `door`   tests/it/executor/wait_graph.rs:202  held by `hog` since tests/it/executor/wait_graph.rs:202  tests/it/executor/wait_graph.rs:201
        ended   done     1                                                                                                                           tests/it/executor/wait_graph.rs:212
        ready   ready    0                                                                                                                           tests/it/executor/wait_graph.rs:221"#]].assert_eq(&dump.to_string());
}

#[test]
fn a_tree_shows_below_a_task_those_it_waits_for() {
    let tree = expect![[r#"
        main (running)
        joiner (waiting: Task join of `second`)
        └─ second (waiting: Mutex lock of `door`)
           └─ hog (waiting: the time 0.005 s)
        third (waiting: Mutex lock of `door`)
        └─ hog (see above)
        ended (done)
    "#]];
    for outcome in random(SEEDS, || async {
        let _tasks = queue_up().await;
        await_tree().to_string()
    }) {
        tree.assert_eq(&outcome.unwrap());
    }
}

#[test]
fn a_tree_names_a_cycle_while_the_run_goes_on() {
    let outcome = fifo(|| async {
        let task = spawn_named("circle", circle());
        settle().await;
        settle().await;
        settle().await;
        settle().await;
        let tree = await_tree();
        drop(task);
        tree
    });
    let tree = outcome.unwrap();
    assert_eq!(tree.cycles.len(), 1);
    expect![[r#"
        main (running)
        circle (waiting: Task join of `circle/a`)
        └─ circle/a (waiting: Mutex lock of `y`)
           └─ circle/b (waiting: Mutex lock of `z`)
              └─ circle/c (waiting: Mutex lock of `x`)
                 └─ circle/a (see above)
        the wait graph has a cycle: `circle/a` -> `circle/b` (Mutex lock of `y`) -> `circle/c` (Mutex lock of `z`) -> `circle/a` (Mutex lock of `x`)
    "#]].assert_eq(&tree.to_string());
}

#[test]
fn all_who_hold_a_semaphore_stand_below_who_waits_for_it() {
    let outcome = fifo(|| async {
        let slots = Rc::new(Semaphore::new(3).named("slots"));
        let user = |name, count| {
            let slots = slots.clone();
            spawn_named(name, async move {
                let _permit = slots.acquire_many(count).await.unwrap();
                sleep(millis(5)).await;
            })
        };
        let _users = [user("a", 1), user("b", 2), user("c", 3)];
        let _joiner = spawn_named("joiner", user("d", 1));
        settle().await;
        await_tree().to_string()
    });
    expect![[r#"
        main (running)
        c (waiting: Semaphore acquire of `slots`)
        ├─ a (waiting: the time 0.005 s)
        └─ b (waiting: the time 0.005 s)
        joiner (waiting: Task join of `d`)
        └─ d (waiting: Semaphore acquire of `slots`)
           ├─ a (see above)
           └─ b (see above)
    "#]]
    .assert_eq(&outcome.unwrap());
}

#[test]
fn permits_taken_in_part_by_each_are_a_cycle() {
    for outcome in random(SEEDS, || async {
        let slots = Rc::new(Semaphore::new(2).named("slots"));
        let users = ["a", "b"].map(|name| {
            let slots = slots.clone();
            spawn_named(name, async move {
                let _first = slots.acquire().await.unwrap();
                settle().await;
                drop(slots.acquire().await);
            })
        });
        for user in users {
            user.await;
        }
    }) {
        let failure = failure(&outcome);
        let wait = failure.stalled_tasks()[1].wait.as_ref().unwrap();
        let holders: Vec<_> = wait.holders.iter().filter_map(|held| held.task.as_deref()).collect();
        assert_eq!((holders.len(), wait.holder_count), (2, 2));
        // Each waits for both, so the shortest way back is the one to itself.
        let cycles: Vec<_> = failure.cycles().iter().map(names).collect();
        assert_eq!(cycles, [[("a", "slots")], [("b", "slots")]]);
    }
}

#[test]
fn a_read_inside_of_a_read_with_a_writer_between_is_a_cycle() {
    let outcome = fifo(|| async {
        let routes = Rc::new(RwLock::new(0).named("routes"));
        let outer = routes.read().await;
        let writer = spawn_named("writer", {
            let routes = routes.clone();
            async move { *routes.write().await += 1 }
        });
        settle().await;
        let _inner = routes.read().await;
        drop(outer);
        writer.await;
    });
    let failure = failure(&outcome);
    let [cycle] = failure.cycles() else { panic!("{failure}") };
    assert_eq!(names(cycle), [("main", "routes")]);
    let text = failure.to_string();
    assert!(text.contains("`writer` waits for RwLock write of `routes`"), "{text}");
}

#[test]
fn a_chain_of_joins_is_one_branch() {
    let outcome = fifo(|| async {
        let inner = spawn_named("inner", pending::<()>());
        let middle = spawn_named("middle", inner);
        let _outer = spawn_named("outer", middle);
        let _alone = spawn_named("alone", pending::<()>());
        settle().await;
        await_tree()
    });
    let tree = outcome.unwrap();
    let branches: Vec<_> = tree.branches.iter().map(|at| (at.depth, at.task.as_str())).collect();
    assert_eq!(branches, [(0, "main"), (0, "outer"), (1, "middle"), (2, "inner"), (0, "alone")]);
    assert!(tree.branches.iter().all(|branch| !branch.is_repeated));
}

#[test]
fn looking_changes_nothing() {
    for seed in 0..SEEDS {
        let look = |looks: bool| {
            if looks {
                assert!(!dump_tasks().rows.is_empty() && !await_tree().branches.is_empty());
            }
        };
        let run = |looks: bool| {
            Sim::new(seed).run(move || async move {
                look(looks);
                for task in queue_up().await {
                    look(looks);
                    task.await;
                }
            })
        };
        let (blind, looking) = (run(false), run(true));
        assert!(blind.is_ok(), "{blind:?}");
        assert_eq!(blind.chain(), looking.chain());
        assert_eq!(blind.event_count(), looking.event_count());
    }
}

#[test]
#[should_panic(expected = "`parcae::task::dump_tasks` was called outside of a parcae runtime")]
fn there_is_nothing_to_dump_outside_of_a_run() {
    drop(dump_tasks());
}

// Looking for a way back from each task of the chain took the square of its length.
#[test]
fn regression_a_long_chain_between_two_cycles_is_looked_at_once() {
    let outcome = fifo(|| async {
        let locks = [(); 3].map(|()| Rc::new(Mutex::new(())));
        let permits = Rc::new(Semaphore::new(2));
        let pair = |first: &Rc<Mutex<()>>, second: &Rc<Mutex<()>>| {
            let (first, second) = (first.clone(), second.clone());
            spawn_named("end", async move {
                let _first = first.lock().await;
                settle().await;
                let _second = second.lock().await;
            })
        };
        let mut last = pair(&locks[0], &locks[1]);
        let _other = pair(&locks[1], &locks[0]);
        for _ in 0..30_000 {
            last = spawn(last);
        }
        let one_permit = permits.clone();
        let _head = spawn_named("head", async move {
            let _permit = one_permit.acquire().await.unwrap();
            last.await;
        });
        let (lock, other_permit) = (locks[2].clone(), permits.clone());
        let _holder = spawn_named("begin", async move {
            let _permit = other_permit.acquire().await.unwrap();
            settle().await;
            let _lock = lock.lock().await;
        });
        let lock = locks[2].clone();
        let _waiter = spawn_named("begin", async move {
            let _lock = lock.lock().await;
            let _permit = permits.acquire().await.unwrap();
        });
        pending::<()>().await;
    });
    let Failure::Deadlock { cycles, .. } = failure(&outcome) else { panic!("no deadlock") };
    let of =
        |cycle: &WaitCycle| names(cycle).into_iter().map(|(task, _)| task.to_owned()).collect();
    let found: Vec<Vec<String>> = cycles.iter().map(of).collect();
    assert_eq!(found, [["end", "end#1"], ["begin", "begin#1"]]);
}
