//! The lock around the state of a primitive, with unsafe code.
//!
//! It is held for some nanoseconds, because no code of the user's runs under it, and nearly always
//! free: then taking it is one atomic operation and letting go a plain store, where a
//! [`std::sync::Mutex`] needs an atomic operation for each. Whoever finds it taken spins, and after a
//! while gives its time slice to the thread that holds it.
#![expect(unsafe_code, reason = "state that a lock guards needs a cell that the compiler trusts")]

use std::cell::UnsafeCell;
use std::fmt;
use std::ops::{Deref, DerefMut};
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::sync::atomic::{AtomicBool, Ordering};

/// A value that one thread at a time may use.
pub(crate) struct SpinLock<S> {
    is_taken: AtomicBool,
    value: UnsafeCell<S>,
}

// SAFETY: Threads that share the lock reach the value only through a guard, of which there is one at a
// time, so sharing the lock does no more than sending the value from one to the next.
unsafe impl<S: Send> Sync for SpinLock<S> {}

// What runs under it and may panic (the comparison of items, a check that a future is not polled again)
// leaves the state as safe to use as it was.
impl<S> UnwindSafe for SpinLock<S> {}
impl<S> RefUnwindSafe for SpinLock<S> {}

impl<S> SpinLock<S> {
    pub(crate) fn new(value: S) -> Self {
        Self { is_taken: AtomicBool::new(false), value: UnsafeCell::new(value) }
    }

    /// Takes the lock until the guard is dropped. That must be soon, and whoever has the guard must not
    /// come back to this lock, or it waits for itself.
    #[inline]
    pub(crate) fn lock(&self) -> SpinGuard<'_, S> {
        if !self.try_take() {
            self.take_late();
        }
        SpinGuard { lock: self }
    }

    /// Calls `work` with the value while nobody else has it, on the terms of [`SpinLock::lock`].
    #[inline]
    pub(crate) fn with<R>(&self, work: impl FnOnce(&mut S) -> R) -> R {
        work(&mut self.lock())
    }

    /// Returns the value: that there is no other reference is lock enough.
    pub(crate) fn get_mut(&mut self) -> &mut S {
        self.value.get_mut()
    }

    pub(crate) fn into_inner(self) -> S {
        self.value.into_inner()
    }

    #[inline]
    fn try_take(&self) -> bool {
        let (free, taken) = (false, true);
        let took =
            self.is_taken.compare_exchange(free, taken, Ordering::Acquire, Ordering::Relaxed);
        took.is_ok()
    }

    #[cold]
    fn take_late(&self) {
        let mut tries = 0;
        while self.is_taken.load(Ordering::Relaxed) || !self.try_take() {
            tries += 1;
            if tries % SPINS == 0 {
                // Its holder may be waiting for a processor.
                std::thread::yield_now();
            } else {
                std::hint::spin_loop();
            }
        }
    }
}

impl<S: Default> Default for SpinLock<S> {
    fn default() -> Self {
        Self::new(S::default())
    }
}

impl<S> fmt::Debug for SpinLock<S> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("SpinLock").finish_non_exhaustive()
    }
}

/// The right to use the value, until it is dropped.
pub(crate) struct SpinGuard<'a, S> {
    lock: &'a SpinLock<S>,
}

impl<S> Deref for SpinGuard<'_, S> {
    type Target = S;

    #[inline]
    fn deref(&self) -> &S {
        // SAFETY: This is the only guard: it was made when `is_taken` went from false to true, and that
        // stays true until it is dropped. Whoever had the value before has let go with a release that
        // the acquire of this guard has seen. While the reference lives this guard is borrowed, so that
        // nobody reaches the value as unique.
        unsafe { &*self.lock.value.get() }
    }
}

impl<S> DerefMut for SpinGuard<'_, S> {
    #[inline]
    fn deref_mut(&mut self) -> &mut S {
        // SAFETY: As in `deref`; and while the reference lives this guard, the only one, is borrowed as
        // unique.
        unsafe { &mut *self.lock.value.get() }
    }
}

impl<S> Drop for SpinGuard<'_, S> {
    #[inline]
    fn drop(&mut self) {
        self.lock.is_taken.store(false, Ordering::Release);
    }
}

/// Tries before the time slice is given away: about as long as the state is ever held.
const SPINS: u32 = 64;

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};

    use super::SpinLock;

    /// Two words that are changed one after the other are never seen apart, and no change is lost.
    #[test]
    fn one_thread_at_a_time_has_the_value() {
        const THREADS: u64 = 4;
        const CHANGES: u64 = 20_000;
        let lock = SpinLock::new([0_u64; 2]);
        let change = |number| {
            lock.with(|[first, second]| {
                assert_eq!(*first, *second);
                *first += 1;
                if number % 512 == 0 {
                    // Loses its processor with the lock taken, sooner or later.
                    std::thread::yield_now();
                }
                *second += 1;
            });
        };
        std::thread::scope(|scope| {
            for _ in 0..THREADS {
                scope.spawn(|| (0..CHANGES).for_each(change));
            }
        });
        lock.with(|counts| assert_eq!(*counts, [THREADS * CHANGES; 2]));
    }

    #[test]
    fn a_panic_lets_go() {
        let lock = SpinLock::new(1);
        let panicking = || lock.with(|_| panic!("under the lock"));
        assert!(catch_unwind(AssertUnwindSafe(panicking)).is_err());
        lock.with(|value| assert_eq!(*value, 1));
    }
}
