//! Machines: start and death, what is left of the dead, restarts, clocks.
#![expect(clippy::excessive_nesting, reason = "a program is made in a machine in a test in a run")]

mod clocks;
mod restarts;

use std::cell::{Cell, RefCell};
use std::future::pending;
use std::net::IpAddr;
use std::rc::Rc;
use std::time::Duration;

use parcae::sync::Mutex;
use parcae::task::{JoinError, settle, shutdown_token, yield_now};
use parcae::time::{Instant, sleep, timeout};
use parcae::world::{self, Exit, Node, NodeStatus};
use parcae::{Failure, Sim, spawn, spawn_named};

use crate::runs::{
    Journal, OnDrop, SEEDS, failure, fifo, millis, on_every_seed, panic_of, panicked, random, secs,
};

/// A program that journals its start, then its time once a second.
fn ticker(
    journal: &Journal<(u32, u64)>,
) -> impl Fn() -> std::pin::Pin<Box<dyn Future<Output = ()>>> + 'static {
    let journal = journal.clone();
    move || {
        let journal = journal.clone();
        let start = Instant::now();
        Box::pin(async move {
            loop {
                let passed = start.elapsed().as_secs();
                journal.add((Node::current().incarnation(), passed));
                sleep(secs(1)).await;
            }
        })
    }
}

// Start

#[test]
fn a_program_runs_on_its_machine_and_the_test_on_its_own() {
    for found in on_every_seed(|| async {
        let names = Journal::new();
        let node = world::node("db").start({
            let names = names.clone();
            move || {
                // Already here it is the machine's.
                names.add(Node::current().name().to_owned());
                let names = names.clone();
                async move {
                    let inner = spawn(async { Node::current().name().to_owned() });
                    names.add(inner.await);
                }
            }
        });
        assert_eq!(node.exited().await, Exit::Returned);
        assert_eq!(Node::current().name(), "test");
        assert_eq!(Node::find("db").as_ref(), Some(&node));
        assert_eq!(Node::find("web"), None);
        (names.take(), node.state(), node.incarnation())
    }) {
        let names = ["db", "db"].map(str::to_owned).to_vec();
        assert_eq!(found, (names, NodeStatus::Down, 0));
    }
}

#[test]
fn a_program_is_started_by_the_call_and_runs_at_the_next_wait() {
    let journal = fifo(|| async {
        let journal = Journal::new();
        world::node("db").start(ticker(&journal));
        assert_eq!(journal.count(), 0, "not inside of the call");
        yield_now().await;
        journal.take()
    });
    assert_eq!(journal.unwrap(), [(0, 0)]);
}

#[test]
fn tasks_of_machines_are_named_after_them() {
    let outcome = Sim::builder().log(true).build().unwrap().run(|| async {
        world::node("db").start(|| async { spawn_named("flush", async {}).await }).exited().await;
        world::node("web").idle().spawn(async {}).await;
    });
    let names: Vec<&str> = outcome.log().unwrap().tasks.values().map(|task| &*task.name).collect();
    for name in ["main", "db/main", "db/main/flush", "web/task#0"] {
        assert!(names.contains(&name), "{name} is none of {names:?}");
    }
}

#[test]
fn machines_have_addresses_in_the_order_in_which_they_are_made() {
    fifo(|| async {
        let given: IpAddr = "192.168.7.1".parse().unwrap();
        let first = world::node("a").idle();
        let second = world::node("b").address(given).idle();
        let spelt = |node: &Node| {
            node.addresses().iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(spelt(&first), "10.0.0.1 fd00::1:1");
        assert_eq!(spelt(&second), "192.168.7.1 10.0.0.2 fd00::1:2");
        assert_eq!(spelt(&Node::current()), "10.255.0.1 fd00::ffff");
    })
    .unwrap();
}

#[test]
fn several_machines_of_one_kind_are_numbered_from_1_and_told_their_index() {
    for found in on_every_seed(|| async {
        let journal = Journal::new();
        let nodes = world::nodes("kv", 3).start({
            let journal = journal.clone();
            move |index| {
                let journal = journal.clone();
                async move { journal.add((Node::current().name().to_owned(), index)) }
            }
        });
        for node in &nodes {
            node.exited().await;
        }
        let mut entries = journal.take();
        entries.sort();
        entries
    }) {
        assert_eq!(found, [("kv-1".into(), 0), ("kv-2".into(), 1), ("kv-3".into(), 2)]);
    }
}

#[test]
fn a_name_is_taken_once() {
    fifo(|| async {
        world::node("a").idle();
        world::nodes("kv", 2).idle();
        let taken = |name| format!("the name `{name}` is taken by another machine or group");
        assert_eq!(panic_of(|| drop(world::node("a").idle())), taken("a"));
        assert_eq!(panic_of(|| drop(world::node("kv").idle())), taken("kv"));
        assert_eq!(panic_of(|| drop(world::node("kv-2").idle())), taken("kv-2"));
        assert_eq!(panic_of(|| drop(world::nodes("a", 1).idle())), taken("a"));
        assert_eq!(panic_of(|| drop(world::node("test").idle())), taken("test"));
        assert_eq!(panic_of(|| drop(world::node("").idle())), "a machine needs a name");
        // None of them has left anything behind.
        assert_eq!(world::node("b").idle().addresses()[0].to_string(), "10.0.0.4");
    })
    .unwrap();
}

// Exits

#[test]
fn how_a_program_has_ended_is_told_to_who_waits() {
    for exits in on_every_seed(|| async {
        let returned = world::node("a").start(|| async { Ok::<(), String>(()) }).exited();
        let failed = world::node("b").start(|| async { Err::<(), _>("disk full") });
        let (failed, also_failed) = (failed.exited(), failed.exited());
        let panicked = world::node("c").start(|| async { panic!("no memory") }).exited();
        let waits = [returned, failed, also_failed, panicked].map(spawn);
        let mut exits = Vec::new();
        for wait in waits {
            exits.push(wait.await);
        }
        exits
    }) {
        let failed = Exit::Failed("\"disk full\"".into());
        let panicked = Exit::Panicked("no memory".into());
        assert_eq!(exits, [Exit::Returned, failed.clone(), failed, panicked]);
    }
}

#[test]
fn an_error_that_nobody_waits_for_fails_the_run() {
    for outcome in random(SEEDS, || async {
        world::node("db").start(|| async {
            sleep(secs(1)).await;
            Err::<(), _>("disk full")
        });
        sleep(secs(2)).await;
    }) {
        let Failure::Error { task, message } = failure(&outcome) else { panic!("{outcome:?}") };
        assert_eq!((&**task, &**message), ("db/main", "\"disk full\""));
        assert_eq!(outcome.elapsed(), secs(1));
    }
}

#[test]
fn a_panic_that_nobody_waits_for_fails_the_run_and_is_placed() {
    for outcome in random(SEEDS, || async {
        world::node("db").start(|| async { panic!("no memory") });
        sleep(secs(2)).await;
    }) {
        let Failure::Panic { task, message, place } = failure(&outcome) else { panic!() };
        assert_eq!((&**task, &**message), ("db/main", "no memory"));
        assert!(place.as_ref().unwrap().to_string().contains("nodes.rs"));
    }
}

#[test]
fn who_has_stopped_waiting_observes_nothing() {
    for outcome in random(SEEDS, || async {
        let node = world::node("db").start(|| async {
            sleep(secs(2)).await;
            Err::<(), _>("disk full")
        });
        assert!(timeout(secs(1), node.exited()).await.is_err());
        drop(node.exited());
        sleep(secs(5)).await;
    }) {
        assert!(matches!(failure(&outcome), Failure::Error { .. }), "{outcome:?}");
    }
}

#[test]
fn a_panic_while_the_program_is_made_is_one_of_its_task() {
    let outcome = fifo(|| async {
        let node = world::node("db").start(|| {
            assert!(Node::current().name() != "db", "not on db");
            async {}
        });
        node.exited().await
    });
    assert_eq!(outcome.unwrap(), Exit::Panicked("not on db".into()));
}

#[test]
fn when_a_program_ends_its_other_tasks_die() {
    for (destroyed, ticks) in on_every_seed(|| async {
        let (destroyed, ticks) = (Rc::new(Cell::new(0)), Rc::new(Cell::new(0)));
        let node = world::node("db").start({
            let (destroyed, ticks) = (destroyed.clone(), ticks.clone());
            move || {
                let (destroyed, ticks) = (destroyed.clone(), ticks.clone());
                async move {
                    spawn(async move {
                        let _guard = OnDrop(move || destroyed.set(destroyed.get() + 1));
                        loop {
                            sleep(secs(1)).await;
                            ticks.set(ticks.get() + 1);
                        }
                    })
                    .detach();
                    sleep(millis(2500)).await;
                }
            }
        });
        node.exited().await;
        assert_eq!(destroyed.get(), 1, "before its end is told");
        sleep(secs(60)).await;
        (destroyed.get(), ticks.get())
    }) {
        assert_eq!((destroyed, ticks), (1, 2));
    }
}

#[test]
fn a_wait_for_the_end_that_never_comes_is_a_deadlock_with_the_name() {
    let outcome = fifo(|| async {
        world::node("db").start(pending::<()>).exited().await;
    });
    let text = failure(&outcome).to_string();
    assert!(text.contains("exited of `db`"), "{text}");
}

// Death

#[test]
fn nothing_of_a_killed_machine_acts_again() {
    for found in on_every_seed(|| async {
        let journal = Journal::new();
        let node = world::node("db").start(ticker(&journal));
        let exited = spawn(node.exited());
        sleep(millis(2500)).await;
        node.kill();
        assert_eq!(node.state(), NodeStatus::Down);
        node.kill();
        assert_eq!(exited.await, Exit::Killed);
        sleep(secs(60)).await;
        journal.take()
    }) {
        assert_eq!(found, [(0, 0), (0, 1), (0, 2)]);
    }
}

#[test]
fn a_machine_without_power_is_off_and_one_that_is_killed_is_down() {
    for found in on_every_seed(|| async {
        let node = world::node("db").start(pending::<()>);
        let mut states = vec![node.state()];
        node.pause();
        states.push(node.state());
        let exited = node.exited();
        node.power_off();
        states.push(node.state());
        assert_eq!(exited.await, Exit::PoweredOff);
        node.kill();
        node.power_off();
        states.push(node.state());
        node.power_on();
        states.push(node.state());
        node.kill();
        states.push(node.state());
        node.power_off();
        states.push(node.state());
        assert_eq!(node.exited().await, Exit::Killed, "there was nothing left to lose");
        (states, node.incarnation())
    }) {
        use NodeStatus::{Down, Off, Paused, Running};
        assert_eq!(found, (vec![Running, Paused, Off, Off, Running, Down, Off], 1));
    }
}

#[test]
fn destructors_of_a_dead_machine_change_nothing_of_the_world() {
    for found in on_every_seed(|| async {
        let other = world::node("other").start(pending::<()>);
        let victim = other.clone();
        let node = world::node("db").start(move || {
            let other = victim.clone();
            async move {
                let _guard = OnDrop(move || {
                    other.kill();
                    other.pause();
                    other.slow(9);
                    drop(other.stop());
                    Node::current().restart();
                    world::node("ghost").start(|| async { panic!("a ghost runs") });
                    spawn(async { panic!("a ghost runs") }).background();
                });
                pending::<()>().await;
            }
        });
        yield_now().await;
        settle().await;
        node.kill();
        sleep(secs(60)).await;
        (other.state(), other.incarnation(), node.state(), node.incarnation())
    }) {
        assert_eq!(found, (NodeStatus::Running, 0, NodeStatus::Down, 0));
    }
}

#[test]
fn destructors_of_a_dead_machine_release_locks_of_others() {
    for found in on_every_seed(|| async {
        let (lock, journal) = (Rc::new(Mutex::new(0)), Journal::new());
        let node = world::node("db").start({
            let lock = lock.clone();
            move || {
                let lock = lock.clone();
                async move {
                    let mut guard = lock.lock().await;
                    *guard += 1;
                    pending::<()>().await;
                }
            }
        });
        settle().await;
        let waiter = spawn({
            let (lock, journal) = (lock.clone(), journal.clone());
            async move { journal.add(*lock.lock().await) }
        });
        settle().await;
        assert_eq!(journal.count(), 0);
        node.power_off();
        waiter.await;
        journal.take()
    }) {
        assert_eq!(found, [1]);
    }
}

#[test]
fn the_world_knows_of_a_death_before_the_first_destructor() {
    for found in on_every_seed(|| async {
        let states = Journal::new();
        let node = world::node("db").start({
            let states = states.clone();
            move || {
                let states = states.clone();
                async move {
                    let node = Node::current();
                    let _guard =
                        OnDrop(move || states.add((node.state(), Node::current() == node)));
                    pending::<()>().await;
                }
            }
        });
        settle().await;
        node.kill();
        states.take()
    }) {
        assert_eq!(found, [(NodeStatus::Down, true)]);
    }
}

#[test]
fn a_task_that_kills_its_own_machine_runs_on_to_its_next_wait_without_effect() {
    for found in on_every_seed(|| async {
        let journal = Journal::new();
        let node = world::node("db").start({
            let journal = journal.clone();
            move || {
                let journal = journal.clone();
                async move {
                    Node::current().kill();
                    journal.add("after");
                    Node::current().restart();
                    spawn(async { panic!("a ghost runs") }).background();
                    yield_now().await;
                    journal.add("never");
                }
            }
        });
        assert_eq!(node.exited().await, Exit::Killed);
        sleep(secs(1)).await;
        (journal.take(), node.incarnation())
    }) {
        assert_eq!(found, (vec!["after"], 0));
    }
}

#[test]
fn a_machine_that_restarts_itself_begins_once_more() {
    for found in on_every_seed(|| async {
        let journal = Journal::new();
        world::node("db").start({
            let journal = journal.clone();
            move || {
                let journal = journal.clone();
                async move {
                    let incarnation = Node::current().incarnation();
                    journal.add(incarnation);
                    if incarnation < 2 {
                        Node::current().restart();
                    }
                    pending::<()>().await;
                }
            }
        });
        sleep(secs(1)).await;
        journal.take()
    }) {
        assert_eq!(found, [0, 1, 2]);
    }
}

#[test]
fn a_task_on_a_dead_machine_never_begins() {
    for found in on_every_seed(|| async {
        let node = world::node("db").idle();
        assert_eq!(node.spawn(async { 42 }).await, 42);
        let lost = node.spawn(pending::<()>());
        node.kill();
        let refused = node.spawn(async { panic!("a ghost runs") });
        let ends = (lost.join().await, refused.join().await);
        node.power_on();
        assert_eq!(node.spawn(async { 43 }).await, 43);
        ends
    }) {
        assert!(matches!(found, (Err(JoinError::Gone), Err(JoinError::Gone))), "{found:?}");
    }
}

#[test]
fn machines_are_no_leak_and_are_destroyed_at_the_end() {
    for seed in 0..SEEDS {
        let destroyed = Rc::new(Cell::new(0));
        let outcome = Sim::new(seed).run({
            let destroyed = destroyed.clone();
            || async move {
                let guard = destroyed.clone();
                let program = OnDrop(move || guard.set(guard.get() + 1));
                world::node("db").start(move || {
                    let _of_the_program = &program;
                    let destroyed = destroyed.clone();
                    async move {
                        let _guard = OnDrop(move || destroyed.set(destroyed.get() + 10));
                        pending::<()>().await;
                    }
                });
                sleep(secs(1)).await;
            }
        });
        outcome.unwrap();
        assert_eq!(destroyed.get(), 11, "the task and its program");
    }
}

#[test]
fn a_program_that_asks_for_the_world_when_it_is_destroyed_does_no_harm() {
    let outcome = fifo(|| async {
        let guard = OnDrop(|| drop(world::node("late").idle()));
        world::node("db").start(move || {
            let _of_the_program = &guard;
            async {}
        });
    });
    outcome.unwrap();
    fifo(|| async { assert_eq!(Node::find("late"), None) }).unwrap();
    assert_eq!(parcae::Backend::current(), None);
}

#[test]
fn the_test_itself_cannot_die() {
    fifo(|| async {
        let test = Node::current();
        let refused = |verb| format!("the machine `test` is the test itself and cannot be {verb}");
        assert_eq!(panic_of(|| Node::current().kill()), refused("killed"));
        assert_eq!(panic_of(|| Node::current().power_off()), refused("powered off"));
        assert_eq!(panic_of(|| Node::current().pause()), refused("paused"));
        assert_eq!(panic_of(|| Node::current().restart()), refused("restarted"));
        assert_eq!(panic_of(|| drop(Node::current().stop())), refused("stopped"));
        assert_eq!(panic_of(|| Node::current().slow(2)), refused("slow"));
        test.power_on();
        test.resume();
        assert_eq!((test.state(), test.incarnation()), (NodeStatus::Running, 0));
    })
    .unwrap();
}

#[test]
fn a_machine_of_another_simulation_is_refused() {
    let kept = Rc::new(RefCell::new(None));
    let other = kept.clone();
    fifo(|| async move { *other.borrow_mut() = Some(world::node("db").idle()) }).unwrap();
    let outcome = fifo(|| async move { kept.borrow().as_ref().unwrap().kill() });
    panicked(&outcome, "the machine `db` was used inside of another simulation than its own");
}

#[test]
fn machines_are_shared_between_threads_by_name_only() {
    fn is_shared<T: Send + Sync + Clone>() {}
    is_shared::<Node>();
    assert!(panic_of(|| drop(world::node("db").idle())).contains("outside of a parcae runtime"));
}

// Pausing

#[test]
fn a_paused_machine_is_late_and_forgets_nothing() {
    for found in on_every_seed(|| async {
        let (journal, start) = (Journal::new(), Instant::now());
        let node = world::node("db").start({
            let journal = journal.clone();
            move || {
                let journal = journal.clone();
                async move {
                    for _ in 0..3 {
                        sleep(secs(1)).await;
                        journal.add(start.elapsed());
                    }
                }
            }
        });
        sleep(millis(1500)).await;
        node.pause();
        sleep(secs(10)).await;
        assert_eq!(journal.count(), 1);
        node.resume();
        node.exited().await;
        journal.take()
    }) {
        assert_eq!(found, [millis(1000), millis(11_500), millis(12_500)]);
    }
}

// Being asked to stop

#[test]
fn a_program_that_is_asked_to_stop_ends_by_itself() {
    for (exit, journal, elapsed) in on_every_seed(|| async {
        let (journal, start) = (Journal::new(), Instant::now());
        let node = world::node("db").start({
            let journal = journal.clone();
            move || {
                let journal = journal.clone();
                async move {
                    shutdown_token().cancelled().await;
                    journal.add("asked");
                    sleep(secs(3)).await;
                    journal.add("done");
                }
            }
        });
        settle().await;
        let exit = node.stop().await;
        // Its time is not waited for any more.
        sleep(secs(60)).await;
        (exit, journal.take(), start.elapsed())
    }) {
        assert_eq!((exit, journal), (Exit::Returned, vec!["asked", "done"]));
        assert_eq!(elapsed, secs(63));
    }
}

#[test]
fn a_program_that_does_not_stop_is_killed_after_10_seconds() {
    for found in on_every_seed(|| async {
        let start = Instant::now();
        let deaf = world::node("deaf").start(pending::<()>);
        let frozen =
            world::node("frozen").start(|| async { drop(shutdown_token().cancelled().await) });
        settle().await;
        frozen.pause();
        let stops = [deaf.stop(), frozen.stop()];
        let mut exits = Vec::new();
        for stop in stops {
            exits.push((stop.await, start.elapsed()));
        }
        exits
    }) {
        assert_eq!(found, [(Exit::Killed, secs(10)), (Exit::Killed, secs(10))]);
    }
}

#[test]
fn a_machine_stops_without_being_awaited_and_each_has_a_token_of_its_own() {
    for found in on_every_seed(|| async {
        let journal = Journal::new();
        let nodes = world::nodes("kv", 2).start({
            let journal = journal.clone();
            move |index| {
                let journal = journal.clone();
                async move {
                    shutdown_token().cancelled().await;
                    journal.add(index);
                }
            }
        });
        settle().await;
        drop(nodes[1].stop());
        sleep(secs(20)).await;
        // A new process is not asked to stop because the last one was.
        nodes[1].power_on();
        sleep(secs(20)).await;
        assert!(!shutdown_token().is_cancelled());
        (journal.take(), nodes[1].state())
    }) {
        assert_eq!(found, (vec![1], NodeStatus::Running));
    }
}

// Slowness

#[test]
fn a_slow_machine_burns_longer_and_is_late_with_each_step() {
    let times = fifo(|| async {
        let journal = Journal::new();
        let node = world::node("db").start({
            let journal = journal.clone();
            move || {
                let journal = journal.clone();
                async move {
                    let start = Instant::now();
                    parcae::task::burn(millis(10)).await;
                    journal.add(start.elapsed());
                    let start = Instant::now();
                    for _ in 0..100 {
                        yield_now().await;
                    }
                    journal.add(start.elapsed());
                }
            }
        });
        node.exited().await;
        node.slow(5);
        node.restart();
        node.exited().await;
        node.slow(1);
        node.restart();
        node.exited().await;
        journal.take()
    })
    .unwrap();
    assert_eq!(times[..2], [millis(10), Duration::ZERO]);
    assert_eq!(times[2], millis(50) + 4 * Duration::from_micros(1), "and the step itself");
    assert_eq!(times[3], 100 * 4 * Duration::from_micros(1));
    assert_eq!(times[4..], [millis(10), Duration::ZERO]);
}

#[test]
fn a_slow_machine_can_be_paused_and_killed() {
    for found in on_every_seed(|| async {
        let steps = Rc::new(Cell::new(0));
        let node = world::node("db").start({
            let steps = steps.clone();
            move || {
                let steps = steps.clone();
                async move {
                    loop {
                        steps.set(steps.get() + 1);
                        yield_now().await;
                    }
                }
            }
        });
        node.slow(1001);
        sleep(millis(10)).await;
        node.pause();
        let before = steps.get();
        sleep(millis(10)).await;
        assert_eq!(steps.get(), before);
        node.resume();
        sleep(millis(10)).await;
        let after = steps.get();
        node.kill();
        sleep(secs(1)).await;
        assert_eq!(steps.get(), after);
        (before, after)
    }) {
        // One step takes a millisecond.
        assert!((9..=11).contains(&found.0) && (18..=22).contains(&found.1), "{found:?}");
    }
}

#[test]
fn a_slow_machine_that_pauses_itself_stays_paused() {
    for found in on_every_seed(|| async {
        let node = world::node("db").start(|| async {
            Node::current().pause();
            yield_now().await;
        });
        node.slow(1001);
        sleep(secs(1)).await;
        let state = node.state();
        node.resume();
        (state, node.exited().await)
    }) {
        assert_eq!(found, (NodeStatus::Paused, Exit::Returned));
    }
}

// Determinism

#[test]
fn a_world_is_the_same_again_with_or_without_a_log() {
    let run = |seed, is_logged| {
        Sim::builder().seed(seed).log(is_logged).build().unwrap().run(|| async {
            let policy = world::RestartPolicy::always().delay(Duration::ZERO..=secs(1)).most(3);
            let nodes = world::nodes("kv", 3).restart(policy).start(|index| async move {
                sleep(millis(100 * index as u64)).await;
            });
            sleep(secs(5)).await;
            nodes[1].kill();
            sleep(secs(5)).await;
        })
    };
    let mut chains = Vec::new();
    for seed in 0..20 {
        let chain = run(seed, false).chain();
        assert_eq!(chain, run(seed, false).chain());
        assert_eq!(chain, run(seed, true).chain());
        chains.push(chain);
    }
    chains.sort();
    chains.dedup();
    assert_eq!(chains.len(), 20, "seeds differ");
}

#[test]
fn a_run_that_restarts_without_end_fails_with_the_name() {
    let outcome = fifo(|| async {
        let policy = world::RestartPolicy::always().delay(Duration::ZERO..=Duration::ZERO);
        world::node("db").restart(policy.most(u32::MAX)).start(|| async {});
        sleep(secs(1)).await;
    });
    let Failure::Panic { task, message, .. } = failure(&outcome) else { panic!("{outcome:?}") };
    assert_eq!(task, "db");
    assert!(message.starts_with("a run has at most 65,535 processes of machines"), "{message}");
}
