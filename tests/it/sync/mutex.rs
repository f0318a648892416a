use std::cell::{Cell, RefCell};
use std::rc::Rc;

use parcae::executor::DomainId;
use parcae::sync::Mutex;
use parcae::task::{Builder, settle, yield_now};
use parcae::time::{sleep, timeout};
use parcae::{Failure, Sim};

use super::{Hand, dropped_after, millis, on_every_seed, under_fifo};

#[test]
fn one_task_at_a_time_holds_the_lock() {
    on_every_seed(|| async {
        let count = Rc::new(Mutex::new(0));
        let inside = Rc::new(Cell::new(false));
        let tasks: Vec<_> = (0..4)
            .map(|_| {
                let (count, inside) = (count.clone(), inside.clone());
                parcae::spawn(async move {
                    for _ in 0..3 {
                        let mut guard = count.lock().await;
                        assert!(!inside.replace(true), "two hold the lock");
                        let value = *guard;
                        yield_now().await;
                        sleep(millis(1)).await;
                        *guard = value + 1;
                        inside.set(false);
                    }
                })
            })
            .collect();
        for task in tasks {
            task.await;
        }
        assert_eq!(*count.lock().await, 12);
    });
}

#[test]
fn waiters_get_the_lock_in_the_order_in_which_they_came() {
    on_every_seed(|| async {
        let order = Rc::new(Mutex::new(Vec::new()));
        let guard = order.lock().await;
        let mut tasks = Vec::new();
        for number in 0..5 {
            let order = order.clone();
            tasks.push(parcae::spawn(async move { order.lock().await.push(number) }));
            settle().await;
        }
        drop(guard);
        for task in tasks {
            task.await;
        }
        assert_eq!(*order.lock().await, [0, 1, 2, 3, 4]);
    });
}

#[test]
fn under_fifo_the_lock_goes_in_the_order_of_the_calls() {
    let order = under_fifo(|| async {
        let order = Rc::new(Mutex::new(Vec::new()));
        let tasks: Vec<_> = (0..4)
            .map(|number| {
                let order = order.clone();
                parcae::spawn(async move {
                    for round in 0..2 {
                        let mut guard = order.lock().await;
                        yield_now().await;
                        guard.push((round, number));
                    }
                })
            })
            .collect();
        for task in tasks {
            task.await;
        }
        order.lock().await.clone()
    });
    assert_eq!(order, [(0, 0), (0, 1), (0, 2), (0, 3), (1, 0), (1, 1), (1, 2), (1, 3)]);
}

#[test]
fn a_lock_that_is_assigned_cannot_be_taken_by_a_newcomer() {
    let mutex = Mutex::new(0);
    let guard = mutex.try_lock().unwrap();
    let mut waiter = Hand::waiting(mutex.lock());
    drop(guard);
    assert_eq!(waiter.wake_count(), 1);
    assert!(mutex.try_lock().is_none(), "barged in");
    let mut newcomer = Hand::waiting(mutex.lock());
    let guard = waiter.ready();
    assert!(newcomer.poll().is_pending());
    drop(guard);
    assert_eq!(newcomer.wake_count(), 1);
    drop(newcomer.ready());
    assert!(mutex.try_lock().is_some());
}

#[test]
fn whoever_locks_again_at_once_comes_after_those_who_wait() {
    on_every_seed(|| async {
        let order = Rc::new(Mutex::new(Vec::new()));
        let guard = order.lock().await;
        let waiter = parcae::spawn({
            let order = order.clone();
            async move { order.lock().await.push("waiter") }
        });
        settle().await;
        drop(guard);
        order.lock().await.push("holder");
        waiter.await;
        assert_eq!(*order.lock().await, ["waiter", "holder"]);
    });
}

#[test]
fn an_uncontended_lock_is_ready_at_once_and_wakes_nobody() {
    let mutex = Mutex::new(1);
    let mut lock = Hand::new(mutex.lock());
    drop(lock.ready());
    drop(lock);
    let mut second = Hand::new(mutex.lock());
    assert_eq!(*second.ready(), 1);
    assert_eq!(second.wake_count(), 0);
}

#[test]
fn a_waiter_dropped_with_the_lock_assigned_has_passed_it_on() {
    let mutex = Mutex::new(0);
    let guard = mutex.try_lock().unwrap();
    let first = Hand::waiting(mutex.lock());
    let mut second = Hand::waiting(mutex.lock());
    let third = Hand::waiting(mutex.lock());
    drop(guard);
    assert_eq!((first.wake_count(), second.wake_count(), third.wake_count()), (1, 0, 0));
    drop(first);
    assert_eq!((second.wake_count(), third.wake_count()), (1, 0));
    drop(third);
    let guard = second.ready();
    assert_eq!(second.wake_count(), 1);
    drop(guard);
    assert!(mutex.try_lock().is_some());
}

#[test]
fn the_last_waiter_dropped_with_the_lock_assigned_leaves_it_free() {
    let mutex = Mutex::new(0);
    let guard = mutex.try_lock().unwrap();
    let waiter = Hand::waiting(mutex.lock());
    drop(guard);
    drop(waiter);
    assert!(mutex.try_lock().is_some());
}

#[test]
fn a_waiter_dropped_in_the_line_leaves_no_trace() {
    let mutex = Mutex::new(0);
    let guard = mutex.try_lock().unwrap();
    let mut first = Hand::waiting(mutex.lock());
    let middle = Hand::waiting(mutex.lock());
    let mut last = Hand::waiting(mutex.lock());
    drop(middle);
    drop(guard);
    assert_eq!((first.wake_count(), last.wake_count()), (1, 0));
    drop(first.ready());
    assert_eq!(last.wake_count(), 1);
    drop(last.ready());
}

// bpo-32734
#[test]
fn a_cancel_and_a_release_in_one_step_let_exactly_one_go_on() {
    for release_first in [false, true] {
        let mutex = Mutex::new(0);
        let guard = mutex.try_lock().unwrap();
        let first = Hand::waiting(mutex.lock());
        let mut second = Hand::waiting(mutex.lock());
        let mut third = Hand::waiting(mutex.lock());
        if release_first {
            drop(guard);
            drop(first);
        } else {
            drop(first);
            drop(guard);
        }
        let guard = second.ready();
        assert!(third.poll().is_pending());
        drop(guard);
        assert_eq!((second.wake_count(), third.wake_count()), (1, 1));
        drop(third.ready());
    }
}

// bpo-27585, tokio#1898: the gallery's G1
#[test]
fn a_waiter_that_times_out_at_the_instant_of_the_release_loses_nothing() {
    let has_locked = on_every_seed(|| async {
        let mutex = Rc::new(Mutex::new(0));
        let (held, wanted, needed) = (mutex.clone(), mutex.clone(), mutex.clone());
        let holder = parcae::spawn(async move {
            let _guard = held.lock().await;
            sleep(millis(10)).await;
        });
        settle().await;
        let impatient =
            parcae::spawn(async move { timeout(millis(10), wanted.lock()).await.is_ok() });
        settle().await;
        let patient = parcae::spawn(async move { drop(needed.lock().await) });
        patient.await;
        holder.await;
        let has_locked = impatient.await;
        assert!(mutex.try_lock().is_some());
        has_locked
    });
    assert!(has_locked.contains(&true) && has_locked.contains(&false), "only one order was seen");
}

#[test]
fn dropping_a_waiter_after_any_number_of_polls_leaves_the_lock_usable() {
    for polls in 0..6 {
        on_every_seed(move || async move {
            let mutex = Rc::new(Mutex::new(0));
            let others = [(); 2].map(|()| parcae::spawn(add_two(mutex.clone())));
            let cancelled = parcae::spawn({
                let mutex = mutex.clone();
                async move { drop(dropped_after(polls, mutex.lock()).await) }
            });
            cancelled.await;
            for task in others {
                task.await;
            }
            assert_eq!(*mutex.try_lock().expect("nobody is left"), 4);
        });
    }
}

async fn add_two(mutex: Rc<Mutex<i32>>) {
    for _ in 0..2 {
        let mut guard = mutex.lock().await;
        let value = *guard;
        yield_now().await;
        *guard = value + 1;
    }
}

#[test]
fn a_spurious_poll_keeps_the_place_and_a_new_waker_replaces_the_old() {
    let mutex = Mutex::new(0);
    let guard = mutex.try_lock().unwrap();
    let mut first = Hand::waiting(mutex.lock());
    let mut second = Hand::waiting(mutex.lock());
    assert!(first.poll().is_pending());
    let (wakes, waker) = super::Wakes::new();
    let old = std::mem::replace(&mut first.waker, waker);
    assert!(first.poll().is_pending());
    drop(old);
    assert_eq!(std::sync::Arc::strong_count(&first.wakes), 1, "the old waker is let go");
    drop(guard);
    assert_eq!((first.wake_count(), wakes.count()), (0, 1));
    assert!(second.poll().is_pending());
    drop(first.ready());
    assert_eq!(second.wake_count(), 1);
}

#[test]
fn a_panic_under_the_lock_releases_it_as_it_is() {
    on_every_seed(|| async {
        let mutex = Rc::new(Mutex::new(0));
        let task = parcae::spawn({
            let mutex = mutex.clone();
            async move {
                let mut guard = mutex.lock().await;
                *guard = 1;
                yield_now().await;
                panic!("under the lock");
            }
        });
        settle().await;
        assert!(task.join().await.is_err());
        assert_eq!(*mutex.lock().await, 1);
    });
}

#[test]
fn a_node_that_dies_releases_what_it_holds_and_what_was_assigned_to_it() {
    on_every_seed(|| async {
        let mutex = Rc::new(Mutex::new(0));
        let node = DomainId::create("node", 0);
        let on_node = |mutex: Rc<Mutex<i32>>| {
            Builder::new().domain(node).spawn(async move {
                let _guard = mutex.lock().await;
                std::future::pending::<()>().await;
            })
        };
        let holder = on_node(mutex.clone());
        settle().await;
        let waiter = on_node(mutex.clone());
        settle().await;
        let survivor = parcae::spawn({
            let mutex = mutex.clone();
            async move { *mutex.lock().await }
        });
        settle().await;
        node.kill();
        assert_eq!(survivor.await, 0);
        assert!(holder.join().await.is_err() && waiter.join().await.is_err());
    });
}

#[test]
fn a_task_that_is_cancelled_with_the_lock_assigned_passes_it_on() {
    on_every_seed(|| async {
        let mutex = Rc::new(Mutex::new(0));
        let guard = mutex.lock().await;
        let mut tasks: Vec<_> = [(); 2].map(|()| parcae::spawn(add_two(mutex.clone()))).into();
        settle().await;
        drop(guard);
        tasks.remove(0).cancel().await;
        tasks.remove(0).await;
        assert!(*mutex.lock().await >= 2);
    });
}

#[test]
fn the_value_is_reachable_without_a_lock_when_nobody_shares_it() {
    let mut mutex = Mutex::new(vec![1]);
    mutex.get_mut().push(2);
    assert_eq!(format!("{mutex:?}"), "Mutex { value: [1, 2] }");
    {
        let guard = mutex.try_lock().unwrap();
        assert_eq!(format!("{mutex:?} {guard:?}"), "Mutex { value: <locked> } [1, 2]");
    }
    assert_eq!(mutex.into_inner(), [1, 2]);
}

#[test]
fn a_leaked_guard_keeps_the_lock_and_not_the_value() {
    let mutex = Mutex::new(1);
    let guard = std::mem::ManuallyDrop::new(mutex.try_lock());
    assert!(guard.is_some() && mutex.try_lock().is_none());
    assert_eq!(mutex.into_inner(), 1);
}

#[test]
fn locks_taken_in_two_orders_deadlock_on_some_seed_with_names() {
    let program = || async {
        let fork = Rc::new(Mutex::new(()).named("fork"));
        let knife = Rc::new(Mutex::new(()).named("knife"));
        let eat = |first: Rc<Mutex<()>>, second: Rc<Mutex<()>>| async move {
            let _first = first.lock().await;
            let _second = second.lock().await;
        };
        let kant = parcae::spawn_named("kant", eat(fork.clone(), knife.clone()));
        let hume = parcae::spawn_named("hume", eat(knife, fork));
        kant.await;
        hume.await;
    };
    let failures: Vec<Failure> =
        (0..200).filter_map(|seed| Sim::new(seed).run(program).into_result().err()).collect();
    assert!(!failures.is_empty() && failures.len() < 200, "{} of 200 failed", failures.len());
    for failure in failures {
        assert!(matches!(failure, Failure::Deadlock { .. }), "{failure}");
        let names: Vec<_> = failure
            .stalled_tasks()
            .iter()
            .filter_map(|task| Some((task.name.as_str(), task.wait.as_ref()?.name.as_deref()?)))
            .collect();
        assert!(names.contains(&("main/kant", "knife")) || names.contains(&("kant", "knife")));
        assert!(names.contains(&("main/hume", "fork")) || names.contains(&("hume", "fork")));
        let wait = failure.stalled_tasks()[1].wait.clone().unwrap();
        assert_eq!((wait.verb, wait.kind), ("lock", "Mutex"));
        assert!(wait.made_at.unwrap().file.ends_with("mutex.rs"));
        assert!(wait.waits_at.unwrap().file.ends_with("mutex.rs"));
    }
}

#[test]
fn seeds_differ_in_who_locks_first_and_a_seed_does_not() {
    let program = || async {
        let order = Rc::new(RefCell::new(Vec::new()));
        let mutex = Rc::new(Mutex::new(()));
        let tasks: Vec<_> = (0..3)
            .map(|number| {
                let (mutex, order) = (mutex.clone(), order.clone());
                parcae::spawn(async move {
                    let _guard = mutex.lock().await;
                    order.borrow_mut().push(number);
                    yield_now().await;
                })
            })
            .collect();
        for task in tasks {
            task.await;
        }
        order.take()
    };
    let mut orders: Vec<_> = (0..100).map(|seed| Sim::new(seed).run(program).unwrap()).collect();
    let chains = |seed| (Sim::new(seed).run(program).chain(), Sim::new(seed).run(program).chain());
    for seed in 0..20 {
        let (first, second) = chains(seed);
        assert_eq!(first, second);
    }
    orders.sort();
    orders.dedup();
    assert_eq!(orders.len(), 6, "not all orders were seen: {orders:?}");
}
