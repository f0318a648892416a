//! What a semaphore gives out.

use std::panic::Location;
use std::sync::Arc;

use super::holders::HolderKey;
use super::semaphore::Semaphore;
use crate::backend::Holder;

/// Permits of a semaphore; dropping it gives them back.
#[derive(Debug)]
#[must_use = "dropping the permit gives it back at once"]
pub struct Permit<'a> {
    semaphore: &'a Semaphore,
    count: usize,
    holder: HolderKey,
}

impl<'a> Permit<'a> {
    pub(super) fn new(semaphore: &'a Semaphore, count: usize, holder: HolderKey) -> Self {
        Self { semaphore, count, holder }
    }

    /// Counts the permits in it.
    #[must_use]
    pub fn num_permits(&self) -> usize {
        self.count
    }

    /// Does not give them back: the semaphore has so many fewer from here on.
    ///
    /// # Examples
    /// ```
    /// let slots = parcae::sync::Semaphore::new(3);
    /// slots.try_acquire().expect("three are there").forget();
    /// assert_eq!(slots.available_permits(), 2);
    /// ```
    pub fn forget(mut self) {
        self.semaphore.forget(std::mem::take(&mut self.count));
    }

    /// Takes so many out of it, if it has as many.
    ///
    /// # Examples
    /// ```
    /// let slots = parcae::sync::Semaphore::new(3);
    /// let mut permit = slots.try_acquire_many(3).expect("three are there");
    /// drop(permit.split(2));
    /// assert_eq!(slots.available_permits(), 2);
    /// assert!(permit.split(2).is_none());
    /// ```
    #[must_use = "what is split off is given back when it is dropped"]
    #[track_caller]
    pub fn split(&mut self, count: usize) -> Option<Self> {
        self.count = self.count.checked_sub(count)?;
        let holder = self.semaphore.add_holder(Holder::running(Location::caller()));
        Some(Self::new(self.semaphore, count, holder))
    }

    /// Adds the permits of another one.
    ///
    /// # Panics
    /// When the other one is of another semaphore.
    ///
    /// # Examples
    /// ```
    /// let slots = parcae::sync::Semaphore::new(3);
    /// let mut permit = slots.try_acquire().expect("three are there");
    /// permit.merge(slots.try_acquire().expect("two are there"));
    /// assert_eq!(permit.num_permits(), 2);
    /// ```
    #[track_caller]
    pub fn merge(&mut self, mut other: Self) {
        assert!(std::ptr::eq(self.semaphore, other.semaphore), "{OF_TWO_SEMAPHORES}");
        self.count += std::mem::take(&mut other.count);
    }
}

impl Drop for Permit<'_> {
    #[inline]
    fn drop(&mut self) {
        self.semaphore.give_back(self.count, self.holder);
    }
}

/// Permits of a semaphore that they keep alive; dropping it gives them back.
#[derive(Debug)]
#[must_use = "dropping the permit gives it back at once"]
pub struct OwnedPermit {
    semaphore: Arc<Semaphore>,
    count: usize,
    holder: HolderKey,
}

impl OwnedPermit {
    pub(super) fn new(semaphore: Arc<Semaphore>, count: usize, holder: HolderKey) -> Self {
        Self { semaphore, count, holder }
    }

    /// Counts the permits in it.
    #[must_use]
    pub fn num_permits(&self) -> usize {
        self.count
    }

    /// Returns whose permits they are.
    #[must_use]
    pub fn semaphore(&self) -> &Arc<Semaphore> {
        &self.semaphore
    }

    /// Does not give them back: the semaphore has so many fewer from here on.
    pub fn forget(mut self) {
        self.semaphore.forget(std::mem::take(&mut self.count));
    }

    /// Takes so many out of it, if it has as many.
    #[must_use = "what is split off is given back when it is dropped"]
    #[track_caller]
    pub fn split(&mut self, count: usize) -> Option<Self> {
        self.count = self.count.checked_sub(count)?;
        let holder = self.semaphore.add_holder(Holder::running(Location::caller()));
        Some(Self::new(self.semaphore.clone(), count, holder))
    }

    /// Adds the permits of another one.
    ///
    /// # Panics
    /// When the other one is of another semaphore.
    #[track_caller]
    pub fn merge(&mut self, mut other: Self) {
        assert!(Arc::ptr_eq(&self.semaphore, &other.semaphore), "{OF_TWO_SEMAPHORES}");
        self.count += std::mem::take(&mut other.count);
    }
}

impl Drop for OwnedPermit {
    #[inline]
    fn drop(&mut self) {
        self.semaphore.give_back(self.count, self.holder);
    }
}

const OF_TWO_SEMAPHORES: &str = "permits of two semaphores cannot be merged";
