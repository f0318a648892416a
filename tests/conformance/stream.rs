//! Streams.

use std::cell::Cell;
use std::rc::Rc;

use parcae::spawn;
use parcae::stream::{
    ConcurrentExt as _, Page, StreamExt as _, generate, iter, pages, try_generate,
};
use parcae::sync::Event;
use parcae::task::{JoinError, settle, yield_now};
use parcae::time::{Instant, sleep, sleep_until, timeout};

use crate::clock::{Stopwatch, beats};
use crate::journal::Journal;

async fn fail() {
    panic!("out of cheese");
}

conformance! {
    async fn a_stream_gives_what_its_body_emits() {
        let ticks = generate(async |y| {
            for tick in 0.. {
                sleep(beats(1)).await;
                y.emit(tick).await;
            }
        });
        let watch = Stopwatch::start();
        assert_eq!(ticks.take(3).collect::<Vec<_>>().await, [0, 1, 2]);
        watch.took(beats(3));
    }

    async fn a_body_stands_still_until_the_next_item_is_asked_for() {
        let journal = Journal::new();
        let entries = journal.clone();
        let mut items = Box::pin(generate(async move |y| {
            for item in 0..2 {
                entries.add("emits");
                y.emit(item).await;
            }
            entries.add("ends");
        }));
        settle().await;
        assert_eq!(journal.take(), [""; 0]);
        assert_eq!(items.next().await, Some(0));
        settle().await;
        assert_eq!(journal.take(), ["emits"]);
        assert_eq!((items.next().await, items.next().await), (Some(1), None));
        assert_eq!(journal.take(), ["emits", "ends"]);
    }

    async fn a_stream_that_is_dropped_drops_its_body_where_it_stands() {
        let journal = Journal::new();
        let (guard, entries) = (journal.on_drop("dropped"), journal.clone());
        let mut items = Box::pin(generate(async move |y| {
            let _guard = guard;
            y.emit(1).await;
            entries.add("went on");
        }));
        assert_eq!(items.next().await, Some(1));
        drop(items);
        assert_eq!(journal.take(), ["dropped"]);
    }

    async fn a_stream_ends_with_the_error_of_its_body() {
        let numbers = try_generate(async |y| {
            for text in ["1", "x", "3"] {
                y.emit(text.parse::<u32>()?).await;
            }
            Ok::<_, std::num::ParseIntError>(())
        });
        let numbers: Vec<_> = numbers.map(Result::ok).collect().await;
        assert_eq!(numbers, [Some(1), None]);
    }

    async fn a_page_is_fetched_when_all_before_it_is_taken() {
        let fetched = Rc::new(Cell::new(0));
        let counter = fetched.clone();
        let mut records = Box::pin(pages(0, async move |offset: u32| {
            counter.set(counter.get() + 1);
            yield_now().await;
            let items: Vec<_> = (offset..5).take(2).collect();
            Ok::<_, &str>(Page { next: Some(offset + 2), items })
        }));
        assert_eq!(records.next().await, Some(Ok(0)));
        assert_eq!(records.next().await, Some(Ok(1)));
        assert_eq!(fetched.get(), 1);
        let rest: Vec<_> = records.map(Result::unwrap).collect().await;
        assert_eq!((rest, fetched.get()), (vec![2, 3, 4], 4));
    }

    async fn items_are_worked_on_beside_each_other_in_their_order() {
        let now = Rc::new(Cell::new(0));
        let most = Rc::new(Cell::new(0));
        let (running, high) = (now.clone(), most.clone());
        let results = iter(0..12_u32).map_concurrent(4, move |number| {
            let (now, most) = (running.clone(), high.clone());
            async move {
                now.set(now.get() + 1);
                most.set(most.get().max(now.get()));
                sleep(beats(1)).await;
                now.set(now.get() - 1);
                number * number
            }
        });
        let expected: Vec<_> = (0..12).map(|number| number * number).collect();
        assert_eq!(results.collect::<Vec<_>>().await, expected);
        assert_eq!(most.get(), 4);
    }

    async fn results_come_as_soon_as_they_are_there() {
        let start = Instant::now();
        let woken = iter([3, 1, 2]).map_concurrent_unordered(3, move |count| async move {
            sleep_until(start + beats(count)).await;
            count
        });
        assert_eq!(woken.collect::<Vec<_>>().await, [1, 2, 3]);
    }

    async fn a_stream_that_is_dropped_cancels_its_calls() {
        let journal = Journal::new();
        let entries = journal.clone();
        let mut results = Box::pin(iter(["one", "two"]).map_concurrent(2, move |name| {
            let guard = entries.on_drop(name);
            async move {
                let _guard = guard;
                std::future::pending::<()>().await;
            }
        }));
        assert!(timeout(beats(1), results.next()).await.is_err());
        drop(results);
        settle().await;
        let mut ends = journal.take();
        ends.sort_unstable();
        assert_eq!(ends, ["one", "two"]);
    }

    async fn waiting_for_a_result_may_be_given_up() {
        let gate = Rc::new(Event::new());
        let opened = gate.clone();
        let mut results = Box::pin(iter([7]).map_concurrent(1, move |number| {
            let opened = opened.clone();
            async move {
                opened.wait().await;
                number
            }
        }));
        assert!(timeout(beats(1), results.next()).await.is_err());
        gate.set();
        assert_eq!(results.next().await, Some(7));
        assert_eq!(results.next().await, None);
    }

    async fn calls_go_on_while_the_consumer_is_busy_with_an_item() {
        let journal = Journal::new();
        let entries = journal.clone();
        let mut results = Box::pin(iter(0..3).map_concurrent(3, move |number: u32| {
            let entries = entries.clone();
            async move {
                for _ in 0..number {
                    yield_now().await;
                }
                entries.add(number);
            }
        }));
        results.next().await;
        settle().await;
        let mut ends = journal.take();
        ends.sort_unstable();
        assert_eq!(ends, [0, 1, 2]);
        drop(results);
    }

    async fn a_panic_of_a_call_goes_on_in_the_consumer() {
        let task = spawn(async {
            let results: Vec<()> = iter([1]).map_concurrent(1, |_| fail()).collect().await;
            results
        });
        match task.join().await {
            Err(JoinError::Panicked { message, .. }) => assert_eq!(message, "out of cheese"),
            end => panic!("another end: {end:?}"),
        }
    }
}
