//! The macro `select!`.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::future::{pending, ready};
use std::pin::Pin;
use std::rc::Rc;

use futures::StreamExt as _;
use futures::executor::block_on;
use parcae::explore::Check;
use parcae::spawn;
use parcae::sync::{Event, Mutex, Queue};
use parcae::task::{CancelToken, gather, race, settle, yield_now};
use parcae::time::{sleep, timeout};

use super::{after, everywhere, on_seeds};
use crate::runs::{Journal, fifo, millis, panicked, random, secs};

#[test]
fn the_body_of_the_first_future_that_is_ready_runs() {
    everywhere(|| async {
        let text = parcae::select! {
            _ = sleep(secs(2)) => "late",
            number = after(1, 5, Journal::new()) => {
                assert_eq!(number, 5);
                "early"
            }
            () = pending() => "never",
        };
        assert_eq!(text, "early");
    });
}

#[test]
fn every_branch_of_eight_is_reachable_and_the_default_is_the_first() {
    async fn chosen() -> u32 {
        parcae::select! {
            () = ready(()) => 0,
            () = ready(()) => 1,
            () = ready(()) => 2,
            () = ready(()) => 3,
            () = ready(()) => 4,
            () = ready(()) => 5,
            () = ready(()) => 6,
            () = ready(()) => 7,
        }
    }
    let seen: BTreeSet<u32> = on_seeds(chosen).into_iter().collect();
    assert_eq!(seen.len(), 8, "{seen:?}");
    let report = Check::new("select").seeds(100).run(|| async {
        assert_eq!(chosen().await, 0);
    });
    let finding = report.finding().expect("another branch goes first");
    let values: Vec<u64> = finding.world().overrides.values().copied().collect();
    assert_eq!(values, [1], "the rotation is lowered to the branch nearest to the first");
}

#[test]
fn biased_polls_the_branches_in_their_order_and_draws_nothing() {
    let counts = [false, true].map(|is_biased| {
        let outcome = fifo(move || async move {
            if is_biased {
                parcae::select! { biased; x = ready(1) => x, x = ready(2) => x }
            } else {
                parcae::select! { x = ready(1) => x, x = ready(2) => x }
            }
        });
        (outcome.event_count(), outcome.unwrap())
    });
    assert_eq!(counts[0].0, counts[1].0 + 1, "one choice is drawn");
    let seen = on_seeds(|| async {
        parcae::select! { biased; x = ready(1) => x, x = ready(2) => x }
    });
    assert!(seen.iter().all(|first| *first == 1));
}

#[test]
fn only_branches_whose_condition_holds_are_chosen_between() {
    let seen: BTreeSet<u32> = on_seeds(|| async {
        let is_on = false;
        parcae::select! {
            () = ready(()), if is_on => 0,
            () = ready(()) => 1,
            () = ready(()), if is_on || 1 + 1 == 3 => 2,
            () = ready(()), if !is_on => 3,
        }
    })
    .into_iter()
    .collect();
    assert_eq!(seen, BTreeSet::from([1, 3]));
    // One branch that is left is no choice.
    let events = |is_on: bool| {
        let outcome = fifo(move || async move {
            parcae::select! {
                () = ready(()) => (),
                () = ready(()), if is_on => (),
            }
        });
        outcome.event_count()
    };
    assert_eq!(events(true), events(false) + 1);
}

#[test]
fn a_value_that_the_pattern_refuses_disables_the_branch() {
    everywhere(|| async {
        let number = parcae::select! {
            Some(number) = ready(None::<u32>) => number,
            Ok(number @ 1..=3) | Err(number) = ready(Ok(7)) => number,
            number = after(1, 42, Journal::new()) => number,
        };
        assert_eq!(number, 42);
        let text = parcae::select! {
            Some(number) = ready(None::<u32>) => number.to_string(),
            None = ready(Some(())) => "none".to_owned(),
            else => "nothing left".to_owned(),
        };
        assert_eq!(text, "nothing left");
        let text = parcae::select! {
            () = ready(()), if false => "ready",
            else => { "off" }
        };
        assert_eq!(text, "off");
    });
}

#[test]
fn without_a_branch_left_and_without_else_it_panics() {
    let outcome = fifo(|| async {
        parcae::select! { Some(()) = ready(None::<()>) => (), () = ready(()), if false => () }
    });
    panicked(&outcome, "no branch of a `select!` is left, and there is no `else`");
}

#[test]
fn the_losers_are_dropped_before_the_body_runs() {
    everywhere(|| async {
        let dropped = Journal::new();
        let count = parcae::select! {
            _ = after(1, (), dropped.clone()) => dropped.count(),
            _ = after(20, (), dropped.clone()) => unreachable!("it is slower"),
            _ = after(30, (), dropped.clone()) => unreachable!("it is slower"),
        };
        assert_eq!(count, 2);
        let count = parcae::select! {
            Some(()) = ready(None) => unreachable!("its pattern refuses"),
            else => dropped.count(),
        };
        assert_eq!(count, 2);
    });
}

#[test]
fn bodies_may_use_what_the_futures_borrowed_and_leave_the_function() {
    async fn drain(queue: &Queue<u32>, limit: &mut u32) -> Result<u32, String> {
        let mut sum = 0;
        loop {
            let lowered = async {
                *limit -= 1;
                pending::<()>().await;
            };
            parcae::select! {
                item = queue.get() => {
                    sum += item.map_err(|error| error.to_string())?;
                    *limit += 1;
                    yield_now().await;
                    if sum > 100 {
                        break;
                    }
                    continue;
                }
                () = lowered => return Err("lowered".to_owned()),
            }
        }
        Ok(sum)
    }
    everywhere(|| async {
        let queue = Queue::unbounded();
        for item in [1, 50, 60] {
            queue.put(item).await.unwrap();
        }
        let mut limit = 10;
        assert_eq!(drain(&queue, &mut limit).await, Ok(111));
        queue.close();
        assert!(drain(&queue, &mut limit).await.is_err());
    });
}

#[test]
fn patterns_move_and_borrow_as_in_a_match() {
    struct Reply {
        text: String,
        code: u32,
    }
    everywhere(|| async {
        let reply = || Reply { text: "moved".to_owned(), code: 200 };
        let text = parcae::select! {
            Reply { text, code: 200 } = ready(reply()) => text,
            Reply { mut text, .. } = ready(reply()) => {
                text.clear();
                text
            }
        };
        assert!(text == "moved" || text.is_empty());
        let text = parcae::select! {
            Reply { text, code } = ready(reply()) => format!("{text} {code}"),
        };
        assert_eq!(text, "moved 200");
        let mut pair = (String::from("a"), 1);
        let text = parcae::select! {
            (text, _) = async { &mut pair } => {
                text.push('b');
                text.clone()
            }
        };
        assert_eq!((text.as_str(), pair.0.as_str()), ("ab", "ab"));
        let first = parcae::select! { [first, ..] = ready([1, 2, 3]) => first };
        assert_eq!(first, 1);
    });
}

#[test]
fn a_future_that_is_lent_goes_on_in_the_next_round() {
    everywhere(|| async {
        let mut deadline = sleep(millis(25));
        let mut ticks = 0;
        loop {
            parcae::select! {
                () = &mut deadline => break,
                () = sleep(millis(10)) => ticks += 1,
            }
        }
        assert_eq!(ticks, 2);
    });
}

#[test]
fn selects_nest_in_futures_and_in_bodies() {
    everywhere(|| async {
        let number = parcae::select! {
            number = async { parcae::select! { x = ready(1) => x, () = pending() => 0 } } => {
                parcae::select! { x = ready(number + 1) => x, () = pending() => 0 }
            }
            () = pending() => 0,
        };
        assert_eq!(number, 2);
    });
}

#[test]
fn no_item_is_lost_when_a_get_loses() {
    for outcome in random(300, || async {
        let queue = Queue::bounded(2);
        let producer = spawn({
            let queue = queue.clone();
            async move {
                for item in 0..8 {
                    queue.put(item).await.unwrap();
                }
            }
        });
        let (event, mut items) = (Rc::new(Event::new()), Vec::new());
        let ringer = spawn({
            let event = event.clone();
            async move {
                for _ in 0..4 {
                    event.set();
                    yield_now().await;
                    event.clear();
                    yield_now().await;
                }
            }
        });
        while items.len() < 8 {
            parcae::select! {
                item = queue.get() => items.push(item.unwrap()),
                () = event.wait() => yield_now().await,
            }
        }
        producer.await;
        ringer.await;
        assert_eq!(items, [0, 1, 2, 3, 4, 5, 6, 7], "lost, doubled or out of order");
    }) {
        outcome.unwrap();
    }
}

#[test]
fn no_lock_is_lost_when_a_lock_loses() {
    for outcome in random(300, || async {
        let lock = Rc::new(Mutex::new(0));
        let tasks: Vec<_> = (0..3)
            .map(|_| {
                let lock = lock.clone();
                spawn(async move {
                    for _ in 0..3 {
                        parcae::select! {
                            mut guard = lock.lock() => {
                                yield_now().await;
                                *guard += 1;
                            }
                            () = yield_now() => (),
                        }
                    }
                })
            })
            .collect();
        for task in tasks {
            task.await;
        }
        assert!(timeout(secs(1), lock.lock()).await.is_ok(), "the lock is held by nobody");
    }) {
        outcome.unwrap();
    }
}

#[test]
fn a_preemption_does_not_let_the_next_branch_go_first() {
    let seen = on_seeds(|| async {
        let other = spawn(async {
            for _ in 0..3 {
                yield_now().await;
            }
        });
        let free = Mutex::new(());
        let is_lock = parcae::select! {
            biased;
            _ = free.lock() => true,
            () = ready(()) => false,
        };
        other.await;
        is_lock
    });
    assert!(seen.iter().all(|is_lock| *is_lock));
}

#[test]
fn combinators_beside_a_preempted_operation_still_end() {
    type Boxed<'a> = Pin<Box<dyn Future<Output = ()> + 'a>>;
    for outcome in random(300, || async {
        let others: Vec<_> = (0..3).map(|_| spawn(yield_now())).collect();
        let free = [(); 3].map(|()| Mutex::new(()));
        let token = CancelToken::new().with_timeout(secs(3));
        let free = &free;
        let lock = |number: usize| Box::pin(async move { drop(free[number].lock().await) });
        // Each of them is woken when its turn to look at its second branch has come.
        let branches: [Boxed<'_>; 6] = [
            lock(0),
            Box::pin(async {
                parcae::select! {
                    () = pending() => unreachable!("it never ends"),
                    () = sleep(secs(1)) => (),
                }
            }),
            lock(1),
            Box::pin(async {
                let never = Box::pin(pending()) as Boxed<'_>;
                race([never, Box::pin(sleep(secs(2)))]).await;
            }),
            lock(2),
            Box::pin(async { assert!(token.run(pending::<()>()).await.is_err()) }),
        ];
        let mut set: futures::stream::FuturesUnordered<_> = branches.into_iter().collect();
        while let Some(()) = set.next().await {}
        drop(set);
        gather(others).await;
    }) {
        assert_eq!(outcome.elapsed(), secs(3));
        outcome.unwrap();
    }
}

#[test]
fn it_works_outside_of_a_simulation() {
    let number = block_on(async {
        parcae::select! {
            number = ready(1) => number,
            number = ready(2) => number,
        }
    });
    assert_eq!(number, 1);
    let is_second = block_on(async {
        parcae::select! {
            () = pending() => false,
            number = async { 2 } => number == 2,
        }
    });
    assert!(is_second);
}

#[test]
fn conditions_are_asked_once_and_before_the_futures_are_made() {
    everywhere(|| async {
        let journal = Journal::new();
        let condition = |name| {
            journal.add(name);
            true
        };
        let future = |name| {
            journal.add(name);
            async { settle().await }
        };
        parcae::select! {
            () = future("future 1"), if condition("condition 1") => (),
            () = future("future 2"), if condition("condition 2") => (),
        }
        assert_eq!(journal.take(), ["condition 1", "condition 2", "future 1", "future 2"]);
        let is_made = Cell::new(false);
        parcae::select! {
            () = { is_made.set(true); pending() }, if false => (),
            () = ready(()) => (),
        }
        assert!(is_made.get(), "all futures are made");
    });
}
