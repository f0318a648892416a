//! The items of a queue, in one of three orders.

use std::cmp::Ordering;
use std::collections::{BinaryHeap, VecDeque};

/// Items that wait to be taken.
///
/// The order is a value and not a type, so that all queues share their futures and their jobs.
pub(super) enum Items<T> {
    FirstPutFirst(VecDeque<T>),
    LastPutFirst(Vec<T>),
    LeastFirst(Heap<T>),
}

impl<T> Items<T> {
    pub(super) fn first_put_first() -> Self {
        Self::FirstPutFirst(VecDeque::new())
    }

    pub(super) fn last_put_first() -> Self {
        Self::LastPutFirst(Vec::new())
    }

    /// Of two equal ones the one that was put first goes first.
    pub(super) fn least_first() -> Self
    where
        T: Ord,
    {
        Self::LeastFirst(Heap { entries: BinaryHeap::new(), put_count: 0, compare: T::cmp })
    }

    #[inline]
    pub(super) fn len(&self) -> usize {
        match self {
            Self::FirstPutFirst(items) => items.len(),
            Self::LastPutFirst(items) => items.len(),
            Self::LeastFirst(heap) => heap.entries.len(),
        }
    }

    #[inline]
    pub(super) fn push(&mut self, item: T) {
        match self {
            Self::FirstPutFirst(items) => items.push_back(item),
            Self::LastPutFirst(items) => items.push(item),
            Self::LeastFirst(heap) => heap.push(item),
        }
    }

    /// Takes an item for whoever stands at this rank, if there is one for that rank.
    ///
    /// Where items keep the order in which they were put, it is the one at that rank: the first to wait
    /// gets the first item, whoever runs first. In the other orders a rank entitles to an item, and it
    /// is the best one there is: what was best when a getter was woken need not be when it runs.
    #[inline]
    pub(super) fn take(&mut self, rank: usize) -> Option<T> {
        match self {
            Self::FirstPutFirst(items) if rank == 0 => items.pop_front(),
            Self::FirstPutFirst(items) => items.remove(rank),
            Self::LastPutFirst(items) if rank < items.len() => items.pop(),
            Self::LeastFirst(heap) if rank < heap.entries.len() => heap.pop(),
            Self::LastPutFirst(_) | Self::LeastFirst(_) => None,
        }
    }

    /// Takes all items out.
    pub(super) fn take_all(&mut self) -> Self {
        match self {
            Self::FirstPutFirst(items) => Self::FirstPutFirst(std::mem::take(items)),
            Self::LastPutFirst(items) => Self::LastPutFirst(std::mem::take(items)),
            Self::LeastFirst(heap) => Self::LeastFirst(Heap {
                entries: std::mem::take(&mut heap.entries),
                put_count: heap.put_count,
                compare: heap.compare,
            }),
        }
    }

    /// Returns the items in the order in which they would be taken.
    pub(super) fn into_vec(self) -> Vec<T> {
        match self {
            Self::FirstPutFirst(items) => items.into(),
            Self::LastPutFirst(mut items) => {
                items.reverse();
                items
            }
            Self::LeastFirst(heap) => {
                // The greatest entry is the one that is taken first.
                let entries = heap.entries.into_sorted_vec();
                entries.into_iter().rev().map(|entry| entry.item).collect()
            }
        }
    }
}

/// Items of which the least is taken first.
pub(super) struct Heap<T> {
    entries: BinaryHeap<Entry<T>>,
    put_count: u64,
    compare: Compare<T>,
}

impl<T> Heap<T> {
    fn push(&mut self, item: T) {
        let number = self.put_count;
        self.put_count += 1;
        self.entries.push(Entry { item, number, compare: self.compare });
    }

    fn pop(&mut self) -> Option<T> {
        self.entries.pop().map(|entry| entry.item)
    }
}

/// The greatest entry is the one that is taken first: the least item, of equal ones the first put.
struct Entry<T> {
    item: T,
    number: u64,
    /// With every entry, so that the type of the queue asks nothing of its items.
    compare: Compare<T>,
}

type Compare<T> = fn(&T, &T) -> Ordering;

impl<T> Ord for Entry<T> {
    fn cmp(&self, other: &Self) -> Ordering {
        (self.compare)(&other.item, &self.item).then_with(|| other.number.cmp(&self.number))
    }
}

impl<T> PartialOrd for Entry<T> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<T> PartialEq for Entry<T> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl<T> Eq for Entry<T> {}
