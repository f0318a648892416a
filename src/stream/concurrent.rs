//! Working on several items at a time.

use std::collections::VecDeque;
use std::fmt;
use std::future::Future;
use std::panic::Location;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker, ready};

use pin_project_lite::pin_project;

use super::Stream;
use crate::backend::{self, Resource, note_wait};
use crate::kernel::{Access, Verb};
use crate::task::{Task, spawn};

/// Adapters that work on several items of a stream at a time; every [`Stream`] has them.
pub trait ConcurrentExt: Stream {
    /// Calls `f` for each item and gives the results in the order of the items; at most `count`
    /// calls are under way or wait to be taken.
    ///
    /// The calls run in tasks of their own: they go on while the consumer is busy with an item.
    /// Nothing starts before the first result is asked for. Dropping the stream cancels the calls.
    ///
    /// # Panics
    /// When `count` is 0. Polled outside of a parcae runtime. When a call panics, with its panic.
    ///
    /// # Cancel safety
    /// Waiting for the next result is cancel safe.
    ///
    /// # Examples
    /// ```
    /// # parcae::Sim::new(7).run(|| async {
    /// use parcae::stream::{ConcurrentExt, StreamExt, iter};
    /// use parcae::time::{Instant, sleep};
    /// use std::time::Duration;
    ///
    /// let start = Instant::now();
    /// let squares = iter(1..=10).map_concurrent(5, |number| async move {
    ///     sleep(Duration::from_secs(1)).await;
    ///     number * number
    /// });
    /// assert_eq!(squares.collect::<Vec<_>>().await.iter().sum::<u64>(), 385);
    /// assert!(start.elapsed() < Duration::from_secs(10), "they ran beside each other");
    /// # }).unwrap();
    /// ```
    #[track_caller]
    fn map_concurrent<F, R>(self, count: usize, f: F) -> MapConcurrent<Self, F, R::Output>
    where
        Self: Sized,
        F: FnMut(Self::Item) -> R,
        R: Future + 'static,
        R::Output: 'static,
    {
        assert!(count > 0, "`map_concurrent` works on at least one item at a time");
        MapConcurrent { source: Some(self), f, count, children: VecDeque::new() }
    }

    /// Calls `f` for each item and gives each result as soon as it is there, in the order in which
    /// the calls end; at most `count` calls are under way or wait to be taken.
    ///
    /// As [`ConcurrentExt::map_concurrent`] but for the order.
    ///
    /// # Panics
    /// When `count` is 0. Polled outside of a parcae runtime. When a call panics, with its panic.
    ///
    /// # Cancel safety
    /// Waiting for the next result is cancel safe.
    ///
    /// # Examples
    /// ```
    /// # parcae::Sim::new(7).run(|| async {
    /// use parcae::stream::{ConcurrentExt, StreamExt, iter};
    /// use parcae::time::sleep;
    /// use std::time::Duration;
    ///
    /// let woken = iter([3, 1, 2]).map_concurrent_unordered(3, |seconds| async move {
    ///     sleep(Duration::from_secs(seconds)).await;
    ///     seconds
    /// });
    /// assert_eq!(woken.collect::<Vec<_>>().await, [1, 2, 3]);
    /// # }).unwrap();
    /// ```
    #[track_caller]
    fn map_concurrent_unordered<F, R>(
        self,
        count: usize,
        f: F,
    ) -> MapConcurrentUnordered<Self, F, R::Output>
    where
        Self: Sized,
        F: FnMut(Self::Item) -> R,
        R: Future + 'static,
        R::Output: 'static,
    {
        assert!(count > 0, "`map_concurrent_unordered` works on at least one item at a time");
        MapConcurrentUnordered {
            source: Some(self),
            f,
            count,
            children: Vec::new(),
            next_number: 0,
            ends: Arc::default(),
            resource: Resource::new("MapConcurrentUnordered"),
            at: Location::caller(),
        }
    }
}

impl<S: Stream> ConcurrentExt for S {}

pin_project! {
    /// Stream of [`ConcurrentExt::map_concurrent`].
    #[must_use = "streams do nothing unless they are polled"]
    pub struct MapConcurrent<S, F, T> {
        // None once it has ended.
        #[pin]
        source: Option<S>,
        f: F,
        count: usize,
        children: VecDeque<Task<T>>,
    }
}

impl<S, F, R> Stream for MapConcurrent<S, F, R::Output>
where
    S: Stream,
    F: FnMut(S::Item) -> R,
    R: Future + 'static,
    R::Output: 'static,
{
    type Item = R::Output;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<R::Output>> {
        let mut this = self.project();
        while this.children.len() < *this.count {
            match poll_source(this.source.as_mut(), context) {
                Source::Item(item) => this.children.push_back(spawn((this.f)(item))),
                Source::Ended | Source::Waits => break,
                Source::Preempted => return Poll::Pending,
            }
        }
        let Some(first) = this.children.front_mut() else {
            return if this.source.is_none() { Poll::Ready(None) } else { Poll::Pending };
        };
        let result = ready!(Pin::new(first).poll(context));
        this.children.pop_front();
        Poll::Ready(Some(result))
    }
}

impl<S, F, T> fmt::Debug for MapConcurrent<S, F, T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = formatter.debug_struct("MapConcurrent");
        debug.field("count", &self.count).field("children", &self.children);
        debug.finish_non_exhaustive()
    }
}

pin_project! {
    /// Stream of [`ConcurrentExt::map_concurrent_unordered`].
    #[must_use = "streams do nothing unless they are polled"]
    pub struct MapConcurrentUnordered<S, F, T> {
        // None once it has ended.
        #[pin]
        source: Option<S>,
        f: F,
        count: usize,
        // By number, in order.
        children: Vec<(u64, Task<T>)>,
        next_number: u64,
        ends: Arc<Ends>,
        resource: Resource,
        at: &'static Location<'static>,
    }
}

impl<S, F, R> Stream for MapConcurrentUnordered<S, F, R::Output>
where
    S: Stream,
    F: FnMut(S::Item) -> R,
    R: Future + 'static,
    R::Output: 'static,
{
    type Item = R::Output;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<R::Output>> {
        let mut this = self.project();
        while this.children.len() < *this.count {
            match poll_source(this.source.as_mut(), context) {
                Source::Item(item) => {
                    let number = *this.next_number;
                    *this.next_number += 1;
                    let end = NotesEnd { number, ends: this.ends.clone() };
                    let call = (this.f)(item);
                    let child = spawn(async move {
                        let _end = end;
                        call.await
                    });
                    this.children.push((number, child));
                }
                Source::Ended | Source::Waits => break,
                Source::Preempted => return Poll::Pending,
            }
        }
        if this.children.is_empty() {
            return if this.source.is_none() { Poll::Ready(None) } else { Poll::Pending };
        }
        let Some(number) = this.ends.first(context.waker()) else {
            note_wait(this.resource, &NEXT, this.at);
            return Poll::Pending;
        };
        let index = this.children.binary_search_by_key(&number, |(own, _)| *own).ok();
        let index = index.expect("a call that has ended is a child until its result is taken");
        let result = ready!(Pin::new(&mut this.children[index].1).poll(context));
        this.ends.remove_first();
        drop(this.children.remove(index));
        Poll::Ready(Some(result))
    }
}

impl<S, F, T> fmt::Debug for MapConcurrentUnordered<S, F, T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = formatter.debug_struct("MapConcurrentUnordered");
        debug.field("count", &self.count).field("children", &self.children);
        debug.finish_non_exhaustive()
    }
}

/// What came of asking a source for its next item.
enum Source<T> {
    Item(T),
    Ended,
    Waits,
    /// It may wait or not: nothing else is to be looked at before it is polled again.
    Preempted,
}

fn poll_source<S: Stream>(
    mut source: Pin<&mut Option<S>>,
    context: &mut Context<'_>,
) -> Source<S::Item> {
    let Some(running) = source.as_mut().as_pin_mut() else { return Source::Ended };
    match running.poll_next(context) {
        Poll::Ready(Some(item)) => Source::Item(item),
        Poll::Ready(None) => {
            source.set(None);
            Source::Ended
        }
        Poll::Pending if backend::is_preempted() => {
            // As in a time-out: it may have been another one that was preempted.
            context.waker().wake_by_ref();
            Source::Preempted
        }
        Poll::Pending => Source::Waits,
    }
}

/// The calls that have ended and are not taken, first of all the one that ended first.
#[derive(Default)]
struct Ends(Mutex<EndsState>);

#[derive(Default)]
struct EndsState {
    numbers: VecDeque<u64>,
    consumer: Option<Waker>,
}

impl Ends {
    /// Returns the first call that has ended; if there is none, the waker is called at the next end.
    fn first(&self, waker: &Waker) -> Option<u64> {
        let waker = waker.clone();
        let (first, _replaced) = {
            let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            match state.numbers.front() {
                Some(first) => (Some(*first), None),
                None => (None, state.consumer.replace(waker)),
            }
        };
        first
    }

    fn remove_first(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).numbers.pop_front();
    }

    fn add(&self, number: u64) {
        let consumer = {
            let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            state.numbers.push_back(number);
            state.consumer.take()
        };
        if let Some(consumer) = consumer {
            consumer.wake();
        }
    }
}

/// Notes that a call has ended, however it did.
struct NotesEnd {
    number: u64,
    ends: Arc<Ends>,
}

impl Drop for NotesEnd {
    fn drop(&mut self) {
        self.ends.add(self.number);
    }
}

static NEXT: Verb = Verb::new("next", Access::Read);
