//! The system's allocator, which counts while it is asked to.
//!
//! Timed rounds pay one relaxed load per allocation, on all sides alike.
#![expect(unsafe_code, reason = "a global allocator cannot be written without")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};

/// Allocations since counting began.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Counts {
    pub(crate) allocations: u64,
    /// Bytes asked for and not given back.
    pub(crate) live_bytes: i64,
}

/// Calls `work` and counts what it allocates, in this thread and all others.
pub(crate) fn counted<R>(work: impl FnOnce() -> R) -> (R, Counts) {
    let before = now();
    IS_COUNTING.store(true, Ordering::Relaxed);
    let result = work();
    IS_COUNTING.store(false, Ordering::Relaxed);
    (result, now().since(before))
}

/// Returns the counts so far; differences of two of them are what matters.
pub(crate) fn now() -> Counts {
    Counts {
        allocations: ALLOCATIONS.load(Ordering::Relaxed),
        live_bytes: LIVE_BYTES.load(Ordering::Relaxed),
    }
}

impl Counts {
    pub(crate) fn since(self, before: Self) -> Self {
        Self {
            allocations: self.allocations - before.allocations,
            live_bytes: self.live_bytes - before.live_bytes,
        }
    }

    /// Leaves out things of one size, such as the futures of tasks: they are their user's.
    pub(crate) fn without(self, count: u32, size: usize) -> Self {
        Self { live_bytes: self.live_bytes - i64::from(count) * signed(size), ..self }
    }
}

#[derive(Debug)]
pub(crate) struct Counting;

// SAFETY: Every call is passed on to `System` unchanged; counting neither allocates nor panics.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(1, signed(layout.size()));
        // SAFETY: The caller's promises are those of `System`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, place: *mut u8, layout: Layout) {
        count(0, -signed(layout.size()));
        // SAFETY: As in `alloc`.
        unsafe { System.dealloc(place, layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count(1, signed(layout.size()));
        // SAFETY: As in `alloc`.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, place: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count(1, signed(size) - signed(layout.size()));
        // SAFETY: As in `alloc`.
        unsafe { System.realloc(place, layout, size) }
    }
}

#[inline]
fn count(allocations: u64, bytes: i64) {
    if IS_COUNTING.load(Ordering::Relaxed) {
        ALLOCATIONS.fetch_add(allocations, Ordering::Relaxed);
        LIVE_BYTES.fetch_add(bytes, Ordering::Relaxed);
    }
}

fn signed(size: usize) -> i64 {
    i64::try_from(size).unwrap_or(i64::MAX)
}

static IS_COUNTING: AtomicBool = AtomicBool::new(false);
static ALLOCATIONS: AtomicU64 = AtomicU64::new(0);
static LIVE_BYTES: AtomicI64 = AtomicI64::new(0);
