//! A semaphore.

use std::fmt;
use std::future::Future;
use std::panic::Location;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use super::error::{AcquireError, TryAcquireError};
use super::holders::{HolderKey, Holders};
use super::permit::{OwnedPermit, Permit};
use super::primitive::{Line, Place, Primitive, Wait, WaitState};
use super::shares::Shares;
use super::waiters::Wakes;
use crate::backend::{Grant, Holder};
use crate::kernel::{Access, Verb};

/// A number of permits; whoever wants one waits until there is one.
///
/// Permits go to those who wait in the order of their arrival, each as many as it asked for. The
/// first in the line waits until all that it asked for are there at once, and nobody overtakes it:
/// so whoever asks for many does not starve beside those who ask for one. It holds none of them
/// meanwhile; dropped, it leaves all to the next.
///
/// A permit is a guard: dropping it gives it back. So nobody can release more than was acquired, which
/// asyncio has a `BoundedSemaphore` for; only [`Semaphore::add_permits`] makes new ones, and
/// [`Permit::forget`] takes some away for good.
///
/// **When not to use it**: with one permit around a value ([`super::Mutex`] holds the value too); as a
/// counter of events that nobody takes back; to bound how many calls there are in a second (it bounds
/// how many there are at once). Two tasks that each hold a permit and wait for a second one deadlock:
/// use [`Semaphore::acquire_many`].
///
/// # Examples
/// ```
/// # parcae::Sim::new(7).run(|| async {
/// use parcae::sync::Semaphore;
/// use std::{rc::Rc, time::Duration};
///
/// let slots = Rc::new(Semaphore::new(3).named("slots"));
/// let downloads: Vec<_> = (0..9)
///     .map(|_| {
///         let slots = slots.clone();
///         parcae::spawn(async move {
///             let _slot = slots.acquire().await.expect("never closed");
///             parcae::time::sleep(Duration::from_secs(1)).await;
///         })
///     })
///     .collect();
/// let start = parcae::time::Instant::now();
/// for download in downloads {
///     download.await;
/// }
/// assert_eq!(start.elapsed(), Duration::from_secs(3)); // three at once
/// # }).unwrap();
/// ```
///
/// A permit that is kept by somebody who waits for another is a deadlock, and the report names the
/// semaphore, who has its permits and since which line:
/// ```
/// use parcae::{Sim, sync::Semaphore};
///
/// let outcome = Sim::new(7).run(|| async {
///     let slots = Semaphore::new(1).named("slots");
///     let _outer = slots.acquire().await;
///     let _inner = slots.acquire().await;
/// });
/// let failure = outcome.into_result().unwrap_err().to_string();
/// assert!(failure.contains("`main` waits for Semaphore acquire of `slots`"));
/// assert!(failure.contains("held by `main` since "));
/// ```
pub struct Semaphore {
    primitive: Primitive<State>,
}

struct State {
    shares: Shares,
    holders: Holders,
    /// Those that are free and those that are held.
    total: usize,
    is_closed: bool,
}

impl WaitState for State {
    const CAN_BE_HELD: bool = true;

    #[inline]
    fn is_idle(&self) -> bool {
        self.shares.waiters.is_empty() && !self.holders.are_published()
    }

    #[inline]
    fn wake_due(&mut self, wakes: &mut Wakes) {
        if self.is_closed {
            self.shares.waiters.wake_all(wakes);
        } else {
            self.shares.assign(wakes);
        }
    }

    #[inline]
    fn holders(&mut self) -> Option<&mut Holders> {
        Some(&mut self.holders)
    }

    fn tell_waiters(&self, grants: &mut Vec<Grant>) -> bool {
        self.shares.tell_waiters(grants)
    }
}

impl State {
    #[inline]
    fn take(
        &mut self,
        place: Place,
        count: usize,
        holder: impl FnOnce() -> Holder,
    ) -> Option<Result<HolderKey, AcquireError>> {
        // What was assigned before the semaphore was closed is the waiter's.
        let is_assigned = place.ticket.is_some() && self.shares.waiters.is_due(place.rank);
        if self.is_closed && !is_assigned {
            return Some(Err(AcquireError::Closed));
        }
        let is_taken = self.shares.take(place, count);
        is_taken.then(|| Ok(self.holders.add(holder())))
    }
}

impl Semaphore {
    const WAITERS: Line<State> =
        Line { verb: &ACQUIRE, waiters: |state| &mut state.shares.waiters };

    /// The most permits that there can be, held ones included.
    pub const MAX_PERMITS: usize = usize::MAX >> 3;

    /// Makes a semaphore with so many permits.
    ///
    /// # Panics
    /// When they are more than [`Semaphore::MAX_PERMITS`].
    #[must_use]
    #[track_caller]
    pub fn new(permits: usize) -> Self {
        assert!(permits <= Self::MAX_PERMITS, "{permits} permits are more than {MAX}");
        let state = State {
            shares: Shares::new(permits),
            holders: Holders::default(),
            total: permits,
            is_closed: false,
        };
        Self { primitive: Primitive::new("Semaphore", state) }
    }

    /// Gives it a name for reports.
    #[must_use]
    pub fn named(self, name: &'static str) -> Self {
        Self { primitive: self.primitive.named(name) }
    }

    /// Waits for a permit, after those who waited before, and takes it.
    ///
    /// The place in the line is taken at the first poll.
    ///
    /// # Errors
    /// [`AcquireError::Closed`] when the semaphore is closed, also while this waits.
    ///
    /// # Cancel safety
    /// Cancel safe: a permit that was assigned to the future goes to the next waiter. Only the place
    /// in the line is lost.
    ///
    /// # Examples
    /// ```
    /// # parcae::Sim::new(7).run(|| async {
    /// let slots = parcae::sync::Semaphore::new(2);
    /// let permit = slots.acquire().await.expect("not closed");
    /// assert_eq!(slots.available_permits(), 1);
    /// drop(permit);
    /// assert_eq!(slots.available_permits(), 2);
    /// # }).unwrap();
    /// ```
    #[track_caller]
    pub fn acquire(&self) -> Acquire<'_> {
        self.acquire_many(1)
    }

    /// Waits until there are so many permits at once, and takes them.
    ///
    /// Those behind it wait too, also if there would be enough for them. For 0 it waits for its turn.
    ///
    /// # Errors
    /// [`AcquireError::Closed`] when the semaphore is closed, also while this waits.
    ///
    /// # Panics
    /// When that is more than [`Semaphore::MAX_PERMITS`].
    ///
    /// # Cancel safety
    /// Cancel safe, as [`Semaphore::acquire`] is: no part of them is taken before all are there.
    ///
    /// # Examples
    /// ```
    /// # parcae::Sim::new(7).run(|| async {
    /// let slots = parcae::sync::Semaphore::new(3);
    /// let permit = slots.acquire_many(2).await.expect("not closed");
    /// assert_eq!(permit.num_permits(), 2);
    /// assert_eq!(slots.available_permits(), 1);
    /// # }).unwrap();
    /// ```
    #[track_caller]
    pub fn acquire_many(&self, count: usize) -> Acquire<'_> {
        Acquire { semaphore: self, count, wait: Self::wait_for(count) }
    }

    /// Takes a permit if there is one that nobody waits for.
    ///
    /// # Errors
    /// [`TryAcquireError::NoPermits`] when there is none, [`TryAcquireError::Closed`] when the
    /// semaphore is closed.
    ///
    /// # Examples
    /// ```
    /// use parcae::sync::{Semaphore, TryAcquireError};
    ///
    /// let slots = Semaphore::new(1);
    /// let permit = slots.try_acquire().expect("nobody has it");
    /// assert_eq!(slots.try_acquire().unwrap_err(), TryAcquireError::NoPermits);
    /// drop(permit);
    /// assert!(slots.try_acquire().is_ok());
    /// ```
    #[track_caller]
    pub fn try_acquire(&self) -> Result<Permit<'_>, TryAcquireError> {
        self.try_acquire_many(1)
    }

    /// Takes so many permits if there are as many that nobody waits for.
    ///
    /// # Errors
    /// [`TryAcquireError::NoPermits`] when there are not, [`TryAcquireError::Closed`] when the
    /// semaphore is closed.
    ///
    /// # Examples
    /// ```
    /// let slots = parcae::sync::Semaphore::new(3);
    /// let two = slots.try_acquire_many(2).expect("three are there");
    /// assert!(slots.try_acquire_many(2).is_err());
    /// # drop(two);
    /// ```
    #[track_caller]
    pub fn try_acquire_many(&self, count: usize) -> Result<Permit<'_>, TryAcquireError> {
        let holder = Holder::running(Location::caller());
        self.try_take(count, holder).map(|key| Permit::new(self, count, key))
    }

    /// Waits for a permit as [`Semaphore::acquire`] does; it keeps the semaphore alive, so it can be
    /// given to a task or put into a value.
    ///
    /// # Errors
    /// [`AcquireError::Closed`] when the semaphore is closed, also while this waits.
    ///
    /// # Cancel safety
    /// Cancel safe, as [`Semaphore::acquire`] is.
    ///
    /// # Examples
    /// ```
    /// # parcae::Sim::new(7).run(|| async {
    /// use parcae::sync::Semaphore;
    /// use std::sync::Arc;
    ///
    /// let slots = Arc::new(Semaphore::new(1));
    /// let permit = slots.acquire_owned().await.expect("not closed");
    /// let task = parcae::spawn(async move { drop(permit) });
    /// task.await;
    /// assert_eq!(slots.available_permits(), 1);
    /// # }).unwrap();
    /// ```
    #[track_caller]
    pub fn acquire_owned(self: &Arc<Self>) -> AcquireOwned {
        self.acquire_many_owned(1)
    }

    /// Waits for so many permits as [`Semaphore::acquire_many`] does; they keep the semaphore alive.
    ///
    /// # Errors
    /// [`AcquireError::Closed`] when the semaphore is closed, also while this waits.
    ///
    /// # Panics
    /// When that is more than [`Semaphore::MAX_PERMITS`].
    ///
    /// # Cancel safety
    /// Cancel safe, as [`Semaphore::acquire_many`] is.
    ///
    /// # Examples
    /// ```
    /// # parcae::Sim::new(7).run(|| async {
    /// let slots = std::sync::Arc::new(parcae::sync::Semaphore::new(3));
    /// let mut permit = slots.acquire_many_owned(3).await.expect("not closed");
    /// let tasks = [(); 2].map(|()| {
    ///     let share = permit.split(1).expect("it has three");
    ///     parcae::spawn(async move { drop(share) })
    /// });
    /// for task in tasks {
    ///     task.await;
    /// }
    /// assert_eq!(slots.available_permits(), 2);
    /// # }).unwrap();
    /// ```
    #[track_caller]
    pub fn acquire_many_owned(self: &Arc<Self>, count: usize) -> AcquireOwned {
        AcquireOwned { semaphore: self.clone(), count, wait: Self::wait_for(count) }
    }

    /// Takes a permit as [`Semaphore::try_acquire`] does; it keeps the semaphore alive.
    ///
    /// # Errors
    /// [`TryAcquireError::NoPermits`] when there is none, [`TryAcquireError::Closed`] when the
    /// semaphore is closed.
    ///
    /// # Examples
    /// ```
    /// let slots = std::sync::Arc::new(parcae::sync::Semaphore::new(1));
    /// let permit = slots.try_acquire_owned().expect("nobody has it");
    /// assert!(slots.try_acquire().is_err());
    /// # drop(permit);
    /// ```
    #[track_caller]
    pub fn try_acquire_owned(self: &Arc<Self>) -> Result<OwnedPermit, TryAcquireError> {
        self.try_acquire_many_owned(1)
    }

    /// Takes so many permits as [`Semaphore::try_acquire_many`] does; they keep the semaphore alive.
    ///
    /// # Errors
    /// [`TryAcquireError::NoPermits`] when there are not as many, [`TryAcquireError::Closed`] when
    /// the semaphore is closed.
    #[track_caller]
    pub fn try_acquire_many_owned(
        self: &Arc<Self>,
        count: usize,
    ) -> Result<OwnedPermit, TryAcquireError> {
        let holder = Holder::running(Location::caller());
        self.try_take(count, holder).map(|key| OwnedPermit::new(self.clone(), count, key))
    }

    /// Adds so many permits, which go to those who wait.
    ///
    /// # Panics
    /// When there are more than [`Semaphore::MAX_PERMITS`] then, held ones included.
    ///
    /// # Examples
    /// ```
    /// let slots = parcae::sync::Semaphore::new(0);
    /// slots.add_permits(2);
    /// assert_eq!(slots.available_permits(), 2);
    /// ```
    #[track_caller]
    pub fn add_permits(&self, count: usize) {
        let (is_added, total) = self.primitive.change(|state| {
            let is_added = count <= MAX - state.total;
            if is_added {
                state.total += count;
                state.shares.give(count);
            }
            (is_added, state.total)
        });
        assert!(is_added, "{count} more than {total} permits are more than {MAX}");
    }

    /// Closes the semaphore: whoever waits fails, and whoever comes later. Permits that were assigned
    /// before to a waiter that has not run are its. Nothing happens when it is closed already.
    ///
    /// # Examples
    /// ```
    /// # parcae::Sim::new(7).run(|| async {
    /// use parcae::sync::{AcquireError, Semaphore};
    ///
    /// let slots = Semaphore::new(1);
    /// let _permit = slots.acquire().await.expect("not closed");
    /// slots.close();
    /// assert_eq!(slots.acquire().await.unwrap_err(), AcquireError::Closed);
    /// # }).unwrap();
    /// ```
    pub fn close(&self) {
        self.primitive.change(|state| state.is_closed = true);
    }

    /// Tells whether the semaphore is closed.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.primitive.read(|state| state.is_closed)
    }

    /// Counts the permits that nobody holds and that are not assigned to a waiter. Those that are
    /// too few for the first waiter are among them, though nobody else gets them.
    #[must_use]
    pub fn available_permits(&self) -> usize {
        self.primitive.read(|state| state.shares.available())
    }

    #[track_caller]
    fn wait_for(count: usize) -> Wait {
        assert!(count <= MAX, "{count} permits are more than {MAX}: there never are as many");
        Wait::weighing(count)
    }

    fn try_take(&self, count: usize, holder: Holder) -> Result<HolderKey, TryAcquireError> {
        self.primitive.change(|state| {
            if state.is_closed {
                return Err(TryAcquireError::Closed);
            }
            if !state.shares.try_take(count) {
                return Err(TryAcquireError::NoPermits);
            }
            Ok(state.holders.add(holder))
        })
    }

    #[inline]
    fn poll_take(
        &self,
        wait: &mut Wait,
        count: usize,
        context: &Context<'_>,
    ) -> Poll<Result<HolderKey, AcquireError>> {
        let at = wait.at();
        wait.poll(context, &self.primitive, &Self::WAITERS, |state, place| {
            state.take(place, count, || Holder::polling(context, at))
        })
    }

    /// Adds a holder of some of the permits that are held already.
    pub(super) fn add_holder(&self, holder: Holder) -> HolderKey {
        self.primitive.change(|state| state.holders.add(holder))
    }

    /// Takes back what a permit held.
    #[inline]
    pub(super) fn give_back(&self, count: usize, holder: HolderKey) {
        self.primitive.change(|state| {
            state.holders.remove(holder);
            state.shares.give(count);
        });
    }

    /// Takes permits that are held out of the world.
    pub(super) fn forget(&self, count: usize) {
        self.primitive.change(|state| state.total -= count);
    }
}

impl fmt::Debug for Semaphore {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Semaphore")
            .field("available_permits", &self.available_permits())
            .field("is_closed", &self.is_closed())
            .finish()
    }
}

/// Future of [`Semaphore::acquire`] and [`Semaphore::acquire_many`].
#[derive(Debug)]
#[must_use = "futures do nothing unless you `.await` or poll them"]
pub struct Acquire<'a> {
    semaphore: &'a Semaphore,
    count: usize,
    wait: Wait,
}

impl<'a> Future for Acquire<'a> {
    type Output = Result<Permit<'a>, AcquireError>;

    #[inline]
    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let Self { semaphore, count, wait } = self.get_mut();
        let taken = semaphore.poll_take(wait, *count, context);
        taken.map_ok(|key| Permit::new(semaphore, *count, key))
    }
}

impl Drop for Acquire<'_> {
    #[inline]
    fn drop(&mut self) {
        self.wait.leave(&self.semaphore.primitive, &Semaphore::WAITERS);
    }
}

/// Future of [`Semaphore::acquire_owned`] and [`Semaphore::acquire_many_owned`].
#[derive(Debug)]
#[must_use = "futures do nothing unless you `.await` or poll them"]
pub struct AcquireOwned {
    semaphore: Arc<Semaphore>,
    count: usize,
    wait: Wait,
}

impl Future for AcquireOwned {
    type Output = Result<OwnedPermit, AcquireError>;

    #[inline]
    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let Self { semaphore, count, wait } = self.get_mut();
        let taken = semaphore.poll_take(wait, *count, context);
        taken.map_ok(|key| OwnedPermit::new(semaphore.clone(), *count, key))
    }
}

impl Drop for AcquireOwned {
    #[inline]
    fn drop(&mut self) {
        self.wait.leave(&self.semaphore.primitive, &Semaphore::WAITERS);
    }
}

static ACQUIRE: Verb = Verb::new("acquire", Access::Write);

const MAX: usize = Semaphore::MAX_PERMITS;
