use std::cell::Cell;
use std::future::poll_fn;
use std::rc::Rc;
use std::sync::Arc;
use std::task::Poll;

use parcae::sync::{Once, OnceCell, SetError};
use parcae::task::{Task, settle, yield_now};
use parcae::time::sleep;
use parcae::{Failure, Sim};

use super::{Counted, Hand, dropped_after, millis, on_every_seed, ported};
use crate::runs::OnDrop;

/// A task that asks for the value, or makes it in a millisecond out of its number.
fn asker(cell: &Rc<OnceCell<usize>>, made: &Rc<Cell<usize>>, number: usize) -> Task<usize> {
    let (cell, made) = (cell.clone(), made.clone());
    parcae::spawn(async move {
        let make = async || {
            made.set(made.get() + 1);
            sleep(millis(1)).await;
            number
        };
        *cell.get_or_init(make).await
    })
}

#[test]
fn the_first_to_ask_makes_the_value_and_all_get_it() {
    ported(|| async {
        let (cell, made) = (Rc::new(OnceCell::new()), Rc::new(Cell::new(0)));
        let mut tasks = Vec::new();
        for number in 0..4 {
            tasks.push(asker(&cell, &made, number));
            settle().await;
        }
        assert_eq!(cell.get(), None);
        for task in tasks {
            assert_eq!(task.await, 0);
        }
        assert_eq!((made.get(), cell.get()), (1, Some(&0)));
        assert_eq!(asker(&cell, &made, 7).await, 0);
    });
}

#[test]
fn the_turn_of_one_that_is_cancelled_goes_to_the_next_in_order() {
    ported(|| async {
        let (cell, made) = (Rc::new(OnceCell::new()), Rc::new(Cell::new(0)));
        let mut tasks = Vec::new();
        for number in 0..4 {
            tasks.push(asker(&cell, &made, number));
            settle().await;
        }
        // One that makes it, and one that waits.
        let cancelled = [tasks.remove(0).cancel(), tasks.remove(0).cancel()];
        for task in cancelled {
            assert_eq!(task.await, None);
        }
        for task in tasks {
            assert_eq!(task.await, 2);
        }
        assert_eq!(made.get(), 2);
    });
}

#[test]
fn one_that_has_been_given_the_turn_and_is_dropped_passes_it_on() {
    let cell = OnceCell::new();
    let mut first = Hand::waiting(cell.get_or_init(std::future::pending::<u8>));
    let second = Hand::waiting(cell.get_or_init(async || 2));
    let mut third = Hand::waiting(cell.get_or_init(async || 3));
    assert!(first.poll().is_pending());
    drop(first);
    assert_eq!((second.wake_count(), third.wake_count()), (1, 0));
    assert!(third.poll().is_pending(), "it is the turn of the second");
    drop(second);
    assert_eq!(third.wake_count(), 1);
    assert_eq!(*third.ready(), 3);
}

#[test]
fn one_that_fails_leaves_no_value_and_the_next_tries() {
    ported(|| async {
        let cell = Rc::new(OnceCell::new());
        let mut tasks = Vec::new();
        for number in 0..4 {
            let cell = cell.clone();
            let made = if number < 2 { Err(number) } else { Ok(number) };
            tasks.push(parcae::spawn(async move {
                let make = async || {
                    sleep(millis(1)).await;
                    made
                };
                cell.get_or_try_init(make).await.copied()
            }));
            settle().await;
        }
        let mut results = Vec::new();
        for task in tasks {
            results.push(task.await);
        }
        assert_eq!(results, [Err(0), Err(1), Ok(2), Ok(2)]);
    });
}

#[test]
fn one_that_panics_hands_its_turn_to_the_next() {
    ported(|| async {
        let (cell, made) = (Rc::new(OnceCell::new()), Rc::new(Cell::new(0)));
        let panicking = parcae::spawn({
            let cell = cell.clone();
            async move {
                let make = async || {
                    sleep(millis(1)).await;
                    panic!("no value")
                };
                *cell.get_or_init(make).await
            }
        });
        settle().await;
        let next = asker(&cell, &made, 1);
        assert!(panicking.join().await.is_err());
        assert_eq!(next.await, 1);
    });
}

#[test]
fn there_are_never_two_initialisers_at_once_whatever_is_dropped_where() {
    for polls in 0..6 {
        on_every_seed(move || async move {
            let (cell, alive) = (Rc::new(OnceCell::new()), Rc::new(Cell::new(0)));
            let tasks: Vec<_> = (0..6)
                .map(|number| {
                    let polls = if number % 2 == 0 { polls } else { usize::MAX };
                    let (cell, alive) = (cell.clone(), alive.clone());
                    parcae::spawn(async move {
                        let ask = cell.get_or_try_init(|| make_alone(&alive, number));
                        dropped_after(polls, ask).await.and_then(Result::ok).copied()
                    })
                })
                .collect();
            let mut values = Vec::new();
            for task in tasks {
                values.extend(task.await);
            }
            let value = *cell.get().expect("some made it");
            assert!(values.len() >= 3 && values.iter().all(|other| *other == value));
        });
    }
}

/// Makes a value out of the number, and fails for 0; nobody else may do so meanwhile, until it is
/// destroyed and not only until it is ready.
async fn make_alone(alive: &Cell<usize>, number: usize) -> Result<usize, ()> {
    assert_eq!(alive.replace(1), 0, "two make it at once");
    let _alive = OnDrop(|| alive.set(0));
    yield_now().await;
    yield_now().await;
    if number == 0 { Err(()) } else { Ok(number) }
}

#[test]
fn an_initialiser_is_destroyed_before_its_turn_is_the_next_ones() {
    for has_failed in [false, true] {
        let cell = OnceCell::new();
        let sets = Cell::new(0);
        let at_its_end = OnDrop(|| {
            assert_eq!(cell.set(9), Err(SetError::Initialising(9)), "it has lost its turn");
            sets.set(sets.get() + 1);
        });
        // Not `async`: that would let go of what it has as soon as it is ready.
        let make = move || {
            poll_fn(move |_| {
                let _kept = &at_its_end;
                if has_failed { Poll::Ready(Err::<u8, _>(())) } else { Poll::Pending }
            })
        };
        let mut making = Hand::new(cell.get_or_try_init(make));
        assert_eq!(making.poll().is_ready(), has_failed);
        drop(making);
        assert_eq!(sets.get(), 1);
        cell.set(1).unwrap();
    }
}

#[test]
fn those_who_only_wait_go_on_when_there_is_a_value() {
    ported(|| async {
        let cell = Rc::new(OnceCell::new());
        let waiters = [(); 3].map(|()| {
            let cell = cell.clone();
            parcae::spawn(async move { *cell.wait().await })
        });
        settle().await;
        assert!(cell.get_or_try_init(async || Err::<u8, _>("down")).await.is_err());
        settle().await;
        assert!(waiters.iter().all(|waiter| !waiter.is_finished()));
        cell.set(5).unwrap();
        for waiter in waiters {
            assert_eq!(waiter.await, 5);
        }
        assert_eq!(*cell.wait().await, 5);
    });
}

#[test]
fn a_value_is_set_only_where_there_is_none_and_nobody_makes_one() {
    let mut cell = OnceCell::new();
    assert_eq!(format!("{cell:?}"), "OnceCell(<not set>)");
    let mut making = Hand::waiting(cell.get_or_try_init(std::future::pending::<Result<_, ()>>));
    assert_eq!(cell.set(1), Err(SetError::Initialising(1)));
    let next = Hand::waiting(cell.get_or_init(async || 2));
    assert!(making.poll().is_pending());
    drop(making);
    assert_eq!(cell.set(1).unwrap_err().into_inner(), 1, "it is the turn of the next");
    drop(next);
    cell.set(3).unwrap();
    assert_eq!(cell.set(4), Err(SetError::AlreadySet(4)));
    *cell.get_mut().unwrap() += 1;
    assert_eq!((format!("{cell:?}"), cell.into_inner()), ("OnceCell(4)".into(), Some(4)));
}

#[test]
fn a_set_wakes_each_once_and_a_value_is_dropped_once() {
    let alive = Arc::default();
    let cell = OnceCell::new();
    let mut reader = Hand::waiting(cell.wait());
    cell.set(Counted::new(7, &alive)).unwrap();
    assert!(cell.set(Counted::new(8, &alive)).is_err());
    assert_eq!((reader.wake_count(), reader.ready().number), (1, 7));
    assert_eq!(alive.load(std::sync::atomic::Ordering::SeqCst), 1);
    drop(reader);
    drop(cell);
    assert_eq!(alive.load(std::sync::atomic::Ordering::SeqCst), 0);
}

#[test]
fn what_is_to_be_done_once_is_done_by_one_and_all_wait_for_it() {
    on_every_seed(|| async {
        let (once, done) = (Rc::new(Once::new()), Rc::new(Cell::new(0)));
        let tasks: Vec<_> = (0..4)
            .map(|number| {
                let (once, done) = (once.clone(), done.clone());
                parcae::spawn(async move {
                    let run = async || {
                        yield_now().await;
                        done.set(done.get() + 1);
                    };
                    match number {
                        0 => once.wait().await,
                        1 => drop(once.try_call_once(async || Err::<(), _>("down")).await),
                        _ => once.call_once(run).await,
                    }
                    number == 1 || done.get() == 1
                })
            })
            .collect();
        for task in tasks {
            assert!(task.await, "it went on before it was done");
        }
        assert!(once.is_completed());
        assert_eq!(once.try_call_once(async || Err("not called")).await, Ok(()));
    });
}

#[test]
fn an_initialiser_that_asks_for_its_own_value_is_a_deadlock_that_names_the_cell() {
    let outcome = Sim::new(7).run(|| async {
        let cell = Rc::new(OnceCell::<u8>::new().named("config"));
        let again = cell.clone();
        cell.get_or_init(async move || *again.get_or_init(async || 1).await).await;
    });
    let failure = outcome.into_result().unwrap_err();
    assert!(matches!(failure, Failure::Deadlock { .. }), "{failure}");
    let wait = failure.stalled_tasks()[0].wait.clone().unwrap();
    assert_eq!((wait.kind, wait.verb, wait.name.as_deref()), ("OnceCell", "init", Some("config")));
    assert_eq!(wait.holders[0].task.as_deref(), Some("main"), "{failure}");
    assert!(wait.waits_at.unwrap().file.ends_with("once.rs"));

    let outcome = Sim::new(7).run(|| async { Once::new().named("migration").wait().await });
    let failure = outcome.into_result().unwrap_err();
    let wait = failure.stalled_tasks()[0].wait.clone().unwrap();
    assert_eq!((wait.kind, wait.verb, wait.name.as_deref()), ("Once", "wait", Some("migration")));
}
