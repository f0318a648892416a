//! Tests of `parcae::stream`.

use std::cell::Cell;
use std::future::poll_fn;
use std::pin::Pin;
use std::rc::Rc;
use std::task::Poll;

use futures::executor::block_on;
use futures::future::LocalBoxFuture;
use futures::stream::{FuturesUnordered, LocalBoxStream};
use parcae::stream::{
    ConcurrentExt as _, Page, Stream, StreamExt as _, generate, iter, pages, try_generate,
};
use parcae::sync::Queue;
use parcae::task::{settle, yield_now};
use parcae::testing::Shared;
use parcae::time::{Instant, sleep, timeout};
use parcae::{Failure, spawn};

use crate::runs::{Journal, OnDrop, failure, fifo, limited, millis, on_every_seed, panicked, secs};

/// How many are inside of something at a time, and how many at most.
#[derive(Clone, Default)]
struct Inside(Rc<(Cell<usize>, Cell<usize>)>);

impl Inside {
    fn enter(&self) -> impl Drop + use<> {
        let (now, most) = &*self.0;
        now.set(now.get() + 1);
        most.set(most.get().max(now.get()));
        let inside = self.clone();
        OnDrop(move || inside.0.0.set(inside.0.0.get() - 1))
    }

    fn now(&self) -> usize {
        self.0.0.get()
    }

    fn most(&self) -> usize {
        self.0.1.get()
    }
}

// Generators

#[test]
fn a_body_runs_only_while_an_item_is_waited_for() {
    on_every_seed(|| async {
        let journal = Journal::new();
        let body = journal.clone();
        let numbers = generate(async move |y| {
            for number in 0..3 {
                body.add(format!("makes {number}"));
                yield_now().await;
                y.emit(number).await;
                body.add(format!("resumes after {number}"));
            }
            body.add("ends".to_owned());
        });
        settle().await;
        assert_eq!(journal.count(), 0, "nothing runs before the first item is asked for");
        let mut numbers = std::pin::pin!(numbers);
        assert_eq!(numbers.next().await, Some(0));
        settle().await;
        assert_eq!(journal.take(), ["makes 0"]);
        assert_eq!(numbers.next().await, Some(1));
        assert_eq!(journal.take(), ["resumes after 0", "makes 1"]);
        assert_eq!(numbers.next().await, Some(2));
        assert_eq!(numbers.next().await, None);
        assert_eq!(journal.take(), ["resumes after 1", "makes 2", "resumes after 2", "ends"]);
        assert_eq!(numbers.next().await, None, "it stays ended");
    });
}

#[test]
fn a_stream_that_is_dropped_drops_its_body_where_it_stands() {
    on_every_seed(|| async {
        let journal = Journal::new();
        let body = journal.clone();
        let numbers = generate(async move |y| {
            let at_end = body.clone();
            let _cleanup = OnDrop(move || at_end.add("cleanup"));
            y.emit(1).await;
            body.add("after the first item");
            y.emit(2).await;
        });
        let mut numbers = Box::pin(numbers);
        assert_eq!(numbers.next().await, Some(1));
        assert_eq!(journal.count(), 0);
        drop(numbers);
        assert_eq!(journal.take(), ["cleanup"]);
    });
}

#[test]
fn a_body_is_dropped_as_soon_as_it_ends() {
    let journal = Journal::new();
    let at_end = journal.clone();
    let owned = OnDrop(move || at_end.add("dropped"));
    let mut nothing = Box::pin(generate(async move |_y: &mut parcae::stream::Emitter<u8>| {
        let _owned = &owned;
        yield_now().await;
    }));
    assert_eq!(block_on(nothing.next()), None);
    assert_eq!(journal.take(), ["dropped"]);
}

#[test]
fn an_item_whose_emit_is_dropped_is_not_emitted() {
    on_every_seed(|| async {
        let numbers = generate(async |y| {
            {
                let mut emit = y.emit(1);
                poll_fn(|context| {
                    assert!(Pin::new(&mut emit).poll(context).is_pending());
                    Poll::Ready(())
                })
                .await;
            }
            yield_now().await; // here the stream would see it
            y.emit(2).await;
        });
        assert_eq!(numbers.collect::<Vec<_>>().await, [2]);
    });
}

#[test]
fn an_emit_goes_on_inside_of_a_combinator_that_polls_only_what_was_woken() {
    on_every_seed(|| async {
        let numbers = generate(async |y| {
            for number in 0..3 {
                let mut children: FuturesUnordered<_> = [y.emit(number)].into_iter().collect();
                while futures::StreamExt::next(&mut children).await.is_some() {}
            }
        });
        assert_eq!(numbers.collect::<Vec<_>>().await, [0, 1, 2]);
    });
}

#[test]
fn a_body_that_fails_ends_the_stream_with_its_error() {
    on_every_seed(|| async {
        let numbers = try_generate(async |y| {
            y.emit(1).await;
            sleep(millis(1)).await;
            "x".parse::<u8>().map_err(|_| "broken")?;
            y.emit(2).await;
            Ok(())
        });
        let mut numbers = Box::pin(numbers);
        assert_eq!(numbers.next().await, Some(Ok(1)));
        assert_eq!(numbers.next().await, Some(Err("broken")));
        assert_eq!(numbers.next().await, None);
    });
}

#[test]
fn generators_run_on_any_executor_and_move_between_threads() {
    fn check<S: Stream<Item = u64> + Send>(stream: S) -> S {
        stream
    }
    let numbers = check(generate(async |y| {
        for number in 1..=10 {
            yield_now().await;
            y.emit(number).await;
        }
    }));
    assert_eq!(block_on(numbers.fold(0, |sum, number| sum + number)), 55);
}

// Pages

/// Fetches pages of 10 records without end, and journals the offsets.
fn endless(
    fetched: &Journal<u64>,
) -> impl AsyncFnMut(u64) -> Result<Page<u64, u64>, &'static str> + use<> {
    let fetched = fetched.clone();
    async move |offset| {
        fetched.add(offset);
        sleep(millis(20)).await;
        Ok(Page { items: (offset..offset + 10).collect(), next: Some(offset + 10) })
    }
}

#[test]
fn a_page_is_fetched_when_all_before_it_are_consumed() {
    on_every_seed(|| async {
        let fetched = Journal::new();
        let mut records = Box::pin(pages(0, endless(&fetched)));
        for expected in 0..50 {
            assert_eq!(records.next().await, Some(Ok(expected)));
            settle().await;
            let count = usize::try_from(expected / 10).unwrap() + 1;
            assert_eq!(fetched.count(), count, "after record {expected}");
        }
        drop(records);
        assert_eq!(fetched.take(), [0, 10, 20, 30, 40]);
    });
}

#[test]
fn fifty_records_are_five_pages() {
    on_every_seed(|| async {
        let fetched = Journal::new();
        let start = Instant::now();
        let records: Vec<_> = pages(0, endless(&fetched)).take(50).collect().await;
        assert_eq!((records.len(), fetched.count()), (50, 5));
        assert_eq!(start.elapsed(), millis(100));
    });
}

#[test]
fn pages_end_at_an_empty_page_at_one_without_a_next_and_at_an_error() {
    on_every_seed(|| async {
        let fetch = async |page: usize| match page {
            0 => Ok(Page { items: vec!["a", "b"], next: Some(1) }),
            1 => Ok(Page { items: vec![], next: Some(2) }),
            _ => Err("beyond the empty page"),
        };
        let ends_empty: Vec<_> = pages(0, fetch).collect().await;
        assert_eq!(ends_empty, [Ok("a"), Ok("b")]);

        let fetch = async |()| Ok::<_, &str>(Page::last(vec![1, 2, 3]));
        let ends_last: Vec<_> = pages((), fetch).collect().await;
        assert_eq!(ends_last, [Ok(1), Ok(2), Ok(3)]);

        let fetch = async |page: usize| match page {
            0 => Ok(Page { items: vec![7], next: Some(1) }),
            _ => Err("down"),
        };
        let ends_in_error: Vec<_> = pages(0, fetch).collect().await;
        assert_eq!(ends_in_error, [Ok(7), Err("down")]);
    });
}

#[test]
fn pages_that_never_end_are_found_by_the_limit_of_time() {
    let outcome = limited(
        |limits| limits.time = secs(300),
        || async {
            let count = pages(0, endless(&Journal::new())).fold(0, |count, _| count + 1).await;
            assert_eq!(count, 0, "never counted");
        },
    );
    assert!(matches!(failure(&outcome), Failure::TimeLimit { .. }), "{}", failure(&outcome));
}

#[test]
fn no_more_than_a_page_of_records_is_alive_at_a_time() {
    on_every_seed(|| async {
        let alive = Inside::default();
        let fetch = {
            let alive = alive.clone();
            async move |page: u32| {
                let items: Vec<_> = (0..10).map(|_| alive.enter()).collect();
                Ok::<_, ()>(Page { items, next: (page < 9).then_some(page + 1) })
            }
        };
        let mut records = Box::pin(pages(0, fetch));
        let mut count = 0;
        while let Some(record) = records.next().await {
            drop(record);
            count += 1;
        }
        assert_eq!((count, alive.most(), alive.now()), (100, 10, 0));
    });
}

// Several at a time

#[test]
fn so_many_calls_run_at_a_time_and_results_come_in_the_order_of_the_items() {
    on_every_seed(|| async {
        let inside = Inside::default();
        let calls = inside.clone();
        let numbers = generate(async |y| {
            for number in 1..=20_u64 {
                yield_now().await;
                y.emit(number).await;
            }
        });
        let results: Vec<_> = numbers
            .map_concurrent(4, move |number| {
                let calls = calls.clone();
                async move {
                    let _inside = calls.enter();
                    sleep(millis(parcae::choose(0..50))).await;
                    number
                }
            })
            .collect()
            .await;
        assert_eq!(results, (1..=20).collect::<Vec<_>>());
        assert_eq!(inside.now(), 0);
        assert!(inside.most() <= 4, "{} at a time", inside.most());
        inside.most()
    })
    .into_iter()
    .for_each(|most| assert!(most >= 2, "nothing ran beside anything"));
}

#[test]
fn five_calls_of_a_second_take_a_second() {
    on_every_seed(|| async {
        let start = Instant::now();
        let calls = iter(0..5).map_concurrent(5, |_| sleep(secs(1)));
        assert_eq!(calls.count().await, 5);
        assert_eq!(start.elapsed(), secs(1));
    });
}

#[test]
fn results_out_of_order_come_in_the_order_in_which_calls_end() {
    on_every_seed(|| async {
        let delays = [50, 10, 40, 20, 30];
        let results = iter(delays).map_concurrent_unordered(5, |delay| async move {
            sleep(millis(delay)).await;
            delay
        });
        let mut results = Box::pin(results);
        let mut all = vec![results.next().await.unwrap()];
        // The others end while the consumer is busy.
        sleep(millis(100)).await;
        while let Some(result) = results.next().await {
            all.push(result);
        }
        assert_eq!(all, [10, 20, 30, 40, 50]);
    });
}

#[test]
fn out_of_order_each_result_comes_once_and_no_more_run_than_may() {
    on_every_seed(|| async {
        let inside = Inside::default();
        let calls = inside.clone();
        let jobs = Queue::bounded(2);
        let producer = spawn({
            let jobs = jobs.clone();
            async move {
                for job in 0..30_u64 {
                    jobs.put(job).await.unwrap();
                }
                jobs.close();
            }
        });
        let source = generate(async move |y| {
            while let Ok(job) = jobs.get().await {
                y.emit(job).await;
            }
        });
        let mut results: Vec<_> = source
            .map_concurrent_unordered(3, move |job| {
                let calls = calls.clone();
                async move {
                    let _inside = calls.enter();
                    sleep(millis(parcae::choose(0..20))).await;
                    job
                }
            })
            .collect()
            .await;
        producer.await;
        results.sort_unstable();
        assert_eq!(results, (0..30).collect::<Vec<_>>());
        assert!(inside.most() <= 3);
    });
}

/// A request that has to look at its connection once in a while; returns the longest time it did not.
async fn request() -> std::time::Duration {
    let (mut last, mut longest) = (Instant::now(), millis(0));
    for _ in 0..20 {
        sleep(millis(100)).await;
        longest = longest.max(last.elapsed());
        last = Instant::now();
    }
    longest
}

#[test]
fn calls_go_on_while_the_consumer_is_busy() {
    on_every_seed(|| async {
        let mut replies = Box::pin(iter(0..10).map_concurrent(5, |_| request()));
        while let Some(longest) = replies.next().await {
            assert_eq!(longest, millis(100), "a request was left alone");
            sleep(secs(3)).await; // a slow database
        }
        let mut replies = Box::pin(iter(0..10).map_concurrent_unordered(5, |_| request()));
        while let Some(longest) = replies.next().await {
            assert_eq!(longest, millis(100), "a request was left alone");
            sleep(secs(3)).await;
        }
    });
}

#[test]
fn a_buffered_stream_of_another_crate_leaves_requests_alone_and_is_found_out() {
    on_every_seed(|| async {
        let replies = futures::StreamExt::map(iter(0..10), |_| request());
        let replies = futures::StreamExt::buffered(replies, 5);
        let mut replies = Box::pin(replies);
        let mut longest = millis(0);
        while let Some(reply) = replies.next().await {
            longest = longest.max(reply);
            sleep(secs(3)).await;
        }
        assert!(longest > secs(1), "the trap that `map_concurrent` avoids");
    });
}

#[test]
fn a_result_beside_a_preempted_operation_is_not_missed() {
    for is_ordered in [true, false] {
        on_every_seed(move || async move {
            let cell = Rc::new(Shared::new(0));
            let busy = cell.clone();
            let other = spawn(async move {
                for value in 0..5 {
                    busy.set(value).await;
                }
            });
            let source = generate(async |y| {
                y.emit(1).await;
                sleep(secs(10)).await;
            });
            let results: LocalBoxStream<'_, u32> = match is_ordered {
                true => Box::pin(source.map_concurrent(2, |item| async move { item })),
                false => Box::pin(source.map_concurrent_unordered(2, |item| async move { item })),
            };
            let mut results = results;
            let start = Instant::now();
            let children: [LocalBoxFuture<'_, ()>; 2] = [
                Box::pin(async { cell.set(7).await }),
                Box::pin(async {
                    assert_eq!(results.next().await, Some(1));
                    assert_eq!(start.elapsed(), secs(0), "it came to it when the source woke it");
                }),
            ];
            // It polls only those that were woken.
            let mut children: FuturesUnordered<_> = children.into_iter().collect();
            while futures::StreamExt::next(&mut children).await.is_some() {}
            other.await;
        });
    }
}

#[test]
fn a_stream_that_is_dropped_cancels_its_calls() {
    on_every_seed(|| async {
        let inside = Inside::default();
        let call = |_| {
            let inside = inside.clone();
            async move {
                let _inside = inside.enter();
                sleep(secs(60)).await;
            }
        };
        let mut ordered = Box::pin(iter(0..10).map_concurrent(3, call));
        assert!(futures::poll!(ordered.next()).is_pending());
        let mut unordered = Box::pin(iter(0..10).map_concurrent_unordered(4, call));
        assert!(futures::poll!(unordered.next()).is_pending());
        settle().await;
        assert_eq!(inside.now(), 7);
        drop(ordered);
        settle().await;
        assert_eq!(inside.now(), 4);
        drop(unordered);
        settle().await;
        assert_eq!(inside.now(), 0);
    });
}

#[test]
fn a_call_that_panics_panics_in_the_consumer() {
    let outcome = fifo(|| async {
        let call = |number| async move { assert_ne!(number, 2, "out of cheese") };
        iter(0..5).map_concurrent(2, call).count().await
    });
    assert_eq!(panicked(&outcome, "out of cheese"), "main");
    let outcome = fifo(|| async {
        let call = |number| async move { assert_ne!(number, 2, "out of cheese") };
        iter(0..5).map_concurrent_unordered(2, call).count().await
    });
    assert_eq!(panicked(&outcome, "out of cheese"), "main");
}

#[test]
fn nothing_at_a_time_is_refused() {
    let outcome = fifo(|| async { iter(0..5).map_concurrent(0, |_| async {}).count().await });
    panicked(&outcome, "at least one item at a time");
}

#[test]
fn regression_so_many_at_a_time_as_there_are_may_be_asked_for() {
    on_every_seed(|| async {
        let ordered = iter(0..3).map_concurrent(usize::MAX, |number| async move { number });
        assert_eq!(ordered.collect::<Vec<_>>().await, [0, 1, 2]);
        let unordered = iter(0..3).map_concurrent_unordered(usize::MAX, |_| sleep(secs(1)));
        assert_eq!(unordered.count().await, 3);
    });
}

#[test]
fn what_a_body_emits_comes_once_and_in_order_however_it_is_waited_for() {
    on_every_seed(|| async {
        let journal = Journal::new();
        let body = journal.clone();
        let numbers = generate(async move |y| {
            for number in 0..20 {
                match parcae::choose(0..3) {
                    0 => yield_now().await,
                    1 => sleep(millis(parcae::choose(1..5))).await,
                    _ => {}
                }
                // Given up while nobody asks for more, unless it was taken.
                if timeout(millis(parcae::choose(1..5)), y.emit(number)).await.is_ok() {
                    body.add(number);
                }
            }
        });
        let mut numbers = Box::pin(numbers);
        let mut taken = Vec::new();
        loop {
            match timeout(millis(parcae::choose(0..4)), numbers.next()).await {
                Ok(Some(number)) => taken.push(number),
                Ok(None) => break,
                Err(_) => {}
            }
            sleep(millis(parcae::choose(0..6))).await;
        }
        assert_eq!(taken, journal.take());
        assert_eq!(numbers.next().await, None);
    });
}
