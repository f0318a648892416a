use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;

use parcae::sync::RwLock;
use parcae::task::{settle, yield_now};
use parcae::time::{sleep, timeout};
use parcae::{Failure, Sim};

use super::{Counted, Hand, dropped_after, millis, on_every_seed, ported};
use crate::runs::Journal;

/// Counts who is inside.
#[derive(Default)]
struct Inside {
    readers: Cell<usize>,
    writers: Cell<usize>,
    readers_at_most: Cell<usize>,
}

async fn read_alongside(lock: &RwLock<usize>, inside: &Inside) {
    let guard = lock.read().await;
    inside.readers.set(inside.readers.get() + 1);
    inside.readers_at_most.set(inside.readers_at_most.get().max(inside.readers.get()));
    assert_eq!(inside.writers.get(), 0);
    let value = *guard;
    yield_now().await;
    assert_eq!(*guard, value, "it changed under a reader");
    inside.readers.set(inside.readers.get() - 1);
}

async fn add_alone(lock: &RwLock<usize>, inside: &Inside) {
    let mut guard = lock.write().await;
    inside.writers.set(inside.writers.get() + 1);
    assert_eq!((inside.readers.get(), inside.writers.get()), (0, 1));
    let value = *guard;
    yield_now().await;
    *guard = value + 1;
    inside.writers.set(0);
}

#[test]
fn readers_are_inside_together_and_a_writer_alone() {
    let readers_at_most = on_every_seed(|| async {
        let (lock, inside) = (Rc::new(RwLock::new(0)), Rc::new(Inside::default()));
        let tasks: Vec<_> = (0..6)
            .map(|number| {
                let (lock, inside) = (lock.clone(), inside.clone());
                parcae::spawn(async move {
                    for _ in 0..3 {
                        match number % 3 {
                            0 => add_alone(&lock, &inside).await,
                            _ => read_alongside(&lock, &inside).await,
                        }
                    }
                })
            })
            .collect();
        for task in tasks {
            task.await;
        }
        assert_eq!(*lock.read().await, 6);
        inside.readers_at_most.get()
    });
    assert_eq!(readers_at_most.into_iter().max(), Some(4), "all of them at once");
}

#[test]
fn they_go_in_by_the_order_of_arrival_readers_that_are_neighbours_together() {
    ported(|| async {
        let (lock, journal) = (Rc::new(RwLock::new(())), Journal::new());
        let held = lock.write().await;
        let mut tasks = Vec::new();
        for (number, kind) in "rrwrwwrrr".chars().enumerate() {
            let (lock, journal) = (lock.clone(), journal.clone());
            tasks.push(parcae::spawn(async move {
                if kind == 'r' {
                    let _guard = lock.read().await;
                    journal.add((kind, number));
                    sleep(millis(1)).await;
                } else {
                    let _guard = lock.write().await;
                    journal.add((kind, number));
                    sleep(millis(1)).await;
                }
            }));
            settle().await;
        }
        drop(held);
        for expected in [&[0, 1][..], &[2], &[3], &[4], &[5], &[6, 7, 8]] {
            settle().await;
            let mut inside: Vec<_> =
                journal.take().into_iter().map(|(_, number): (char, usize)| number).collect();
            inside.sort_unstable();
            assert_eq!(inside, expected);
            sleep(millis(1)).await;
        }
        for task in tasks {
            task.await;
        }
    });
}

#[test]
fn a_reader_that_comes_after_a_waiting_writer_waits() {
    let lock = RwLock::new(0);
    let reader = lock.try_read().unwrap();
    let mut writer = Hand::waiting(lock.write());
    assert!(lock.try_read().is_none(), "overtook the writer");
    assert!(lock.try_write().is_none());
    let mut late = Hand::waiting(lock.read());
    assert_eq!(*reader, 0);
    drop(reader);
    assert_eq!((writer.wake_count(), late.wake_count()), (1, 0));
    assert!(lock.try_write().is_none(), "it is assigned");
    *writer.ready() += 1;
    assert_eq!(late.wake_count(), 1);
    assert_eq!(*late.ready(), 1);
}

#[test]
fn a_writer_that_is_dropped_lets_the_readers_behind_it_in() {
    for is_assigned in [false, true] {
        let lock = RwLock::new(0);
        let mut reader = lock.try_read();
        let writer = Hand::waiting(lock.write());
        let mut behind = [(); 2].map(|()| Hand::waiting(lock.read()));
        if is_assigned {
            reader = None;
        }
        assert_eq!(writer.wake_count(), usize::from(is_assigned));
        drop(writer);
        assert_eq!(behind.each_ref().map(Hand::wake_count), [1, 1]);
        let _guards = behind.each_mut().map(Hand::ready);
        drop(reader);
        assert!(lock.try_read().is_some() && lock.try_write().is_none());
    }
}

#[test]
fn readers_that_are_assigned_and_dropped_leave_it_to_the_writer() {
    let lock = RwLock::new(0);
    let held = lock.try_write().unwrap();
    let mut readers = [(); 3].map(|()| Some(Hand::waiting(lock.read())));
    let mut writer = Hand::waiting(lock.write());
    drop(held);
    for reader in &mut readers {
        assert_eq!(reader.as_ref().unwrap().wake_count(), 1);
        assert_eq!(writer.wake_count(), 0);
        *reader = None;
    }
    assert_eq!(writer.wake_count(), 1);
    drop(writer.ready());
    assert!(lock.try_write().is_some());
}

#[test]
fn a_writer_that_goes_on_as_a_reader_lets_readers_in_and_no_writer_between() {
    let lock = RwLock::new(0);
    let mut first = lock.try_write().unwrap();
    let mut readers = [(); 2].map(|()| Hand::waiting(lock.read()));
    let mut writer = Hand::waiting(lock.write());
    let late = Hand::waiting(lock.read());
    *first = 7;
    let guard = first.downgrade();
    assert_eq!(readers.each_ref().map(Hand::wake_count), [1, 1]);
    assert_eq!((writer.wake_count(), late.wake_count()), (0, 0));
    assert!(readers.each_mut().map(Hand::ready).iter().all(|reader| **reader == 7));
    assert_eq!(*guard, 7);
    drop(readers);
    assert!(writer.poll().is_pending());
    drop(guard);
    *writer.ready() += 1;
    assert_eq!(late.wake_count(), 1);
}

#[test]
fn a_stream_of_readers_does_not_starve_a_writer_nor_the_other_way() {
    on_every_seed(|| async {
        let lock = Rc::new(RwLock::new(0));
        let readers: Vec<_> = (0..3)
            .map(|number| {
                let lock = lock.clone();
                parcae::spawn(async move {
                    // Each reads again and again, at other times than the others.
                    sleep(millis(number)).await;
                    while *lock.read().await == 0 {
                        let _guard = lock.read().await;
                        sleep(millis(3)).await;
                    }
                })
            })
            .collect();
        sleep(millis(10)).await;
        timeout(millis(100), async { *lock.write().await += 1 }).await.expect("it starved");
        for reader in readers {
            reader.await;
        }
        let writers = [(); 3].map(|()| {
            let lock = lock.clone();
            parcae::spawn(async move {
                while *lock.write().await == 1 {
                    let _guard = lock.write().await;
                    sleep(millis(3)).await;
                }
            })
        });
        sleep(millis(10)).await;
        assert_eq!(*timeout(millis(100), lock.read()).await.expect("it starved"), 1);
        *lock.write().await = 2;
        for writer in writers {
            writer.await;
        }
    });
}

#[test]
fn what_is_dropped_anywhere_leaves_the_lock_usable() {
    for polls in 0..5 {
        on_every_seed(move || async move {
            let lock = Rc::new(RwLock::new(0));
            let tasks: Vec<_> = (0..6)
                .map(|number| {
                    let lock = lock.clone();
                    parcae::spawn(async move {
                        match number % 3 {
                            0 => add_alone(&lock, &Inside::default()).await,
                            1 => drop(dropped_after(polls, lock.read()).await),
                            _ => drop(dropped_after(polls, lock.write()).await),
                        }
                        add_alone(&lock, &Inside::default()).await;
                    })
                })
                .collect();
            for task in tasks {
                task.await;
            }
            assert_eq!(*lock.try_write().expect("nobody is left"), 8);
        });
    }
}

// The gallery's G11
#[test]
fn a_read_inside_of_a_read_deadlocks_on_the_seeds_that_put_a_writer_between() {
    let program = || async {
        let lock = Rc::new(RwLock::new(0).named("routes"));
        let reader = parcae::spawn_named("reader", {
            let lock = lock.clone();
            async move {
                let _outer = lock.read().await;
                let _inner = lock.read().await;
            }
        });
        let writer = parcae::spawn_named("writer", {
            let lock = lock.clone();
            async move { *lock.write().await += 1 }
        });
        reader.await;
        writer.await;
    };
    let failures: Vec<Failure> =
        (0..200).filter_map(|seed| Sim::new(seed).run(program).into_result().err()).collect();
    assert!(!failures.is_empty() && failures.len() < 200, "{} of 200 failed", failures.len());
    for failure in failures {
        assert!(matches!(failure, Failure::Deadlock { .. }), "{failure}");
        let waits: Vec<_> = failure
            .stalled_tasks()
            .iter()
            .filter_map(|task| task.wait.as_ref())
            .filter(|wait| wait.kind == "RwLock")
            .map(|wait| (wait.verb, wait.name.as_deref()))
            .collect();
        assert_eq!(waits, [("read", Some("routes")), ("write", Some("routes"))]);
        for task in failure.stalled_tasks().iter().skip(1) {
            let holders = &task.wait.as_ref().unwrap().holders;
            assert!(holders.iter().all(|held| held.task.as_deref() == Some("reader")));
            assert_eq!(holders.len(), 1, "{failure}");
        }
    }
}

#[test]
fn a_panic_under_a_guard_releases_it_as_it_is() {
    on_every_seed(|| async {
        let lock = Rc::new(RwLock::new(0));
        let (read, written) = (lock.clone(), lock.clone());
        let reader = parcae::spawn(async move {
            let _guard = read.read().await;
            yield_now().await;
            panic!("under the lock");
        });
        let writer = parcae::spawn(async move {
            *written.write().await = 1;
            let _guard = written.write().await;
            yield_now().await;
            panic!("under the lock");
        });
        assert!(reader.join().await.is_err() && writer.join().await.is_err());
        assert_eq!(*lock.write().await, 1);
    });
}

#[test]
fn the_value_is_one_and_dropped_once() {
    let alive = Arc::default();
    let mut lock = RwLock::new(Counted::new(1, &alive));
    lock.get_mut().number = 2;
    {
        let (first, second) = (lock.try_read().unwrap(), lock.try_read().unwrap());
        assert!(std::ptr::eq(&raw const *first, &raw const *second));
    }
    lock.try_write().unwrap().number += 1;
    drop(lock.try_write().unwrap().downgrade());
    assert_eq!(Arc::strong_count(&alive), 2);
    let value = lock.into_inner();
    assert_eq!(value.number, 3);
    drop(value);
    assert_eq!(alive.load(std::sync::atomic::Ordering::SeqCst), 0);
}

#[test]
fn it_shows_its_value_but_not_what_a_writer_does() {
    let lock = RwLock::new(vec![1]);
    {
        let guard = lock.try_read().unwrap();
        assert_eq!(format!("{lock:?} {guard:?}"), "RwLock { value: [1] } [1]");
    }
    let guard = lock.try_write().unwrap();
    assert_eq!(format!("{lock:?} {guard:?}"), "RwLock { value: <locked> } [1]");
}

#[test]
#[should_panic(expected = "the value is in a guard that was leaked")]
fn a_leaked_reader_is_named_by_into_inner() {
    let lock = RwLock::new(1);
    let guard = std::mem::ManuallyDrop::new(lock.try_read());
    assert!(guard.is_some());
    lock.into_inner();
}

#[test]
fn a_report_names_all_who_read_and_the_writer_that_became_a_reader() {
    let line = line!() + 3;
    let outcome = Sim::new(7).run(|| async {
        let lock = RwLock::new(0);
        let first = lock.write().await.downgrade();
        let _second = lock.try_read().unwrap();
        drop(lock.read().await);
        let _third = lock.write().await;
        drop(first);
    });
    let failure = outcome.into_result().unwrap_err();
    let wait = failure.stalled_tasks()[0].wait.clone().unwrap();
    let lines: Vec<_> =
        wait.holders.iter().map(|held| held.taken_at.as_ref().unwrap().line).collect();
    assert_eq!(lines, [line, line + 1], "{failure}");
}
