//! Who holds what others wait for, as locks and semaphores tell it.
//!
//! A primitive keeps in itself who holds it. Only while somebody waits for it does the run know, too:
//! then every change of its holders is published here, until the last waiter has left. So a lock
//! that nobody waits for costs the run nothing.

use std::collections::BTreeMap;
use std::panic::Location;
use std::task::Context;

use super::Executor;
use super::core::Core;
use super::failure::{HeldBy, Tenure};
use super::id::TaskId;
use super::resource::{Resource, ResourceInfo};
use super::task_table::TaskState;
use super::waker::task_of;
use crate::context;
use crate::kernel::{Place, VirtualTime};

/// Who takes something, and on which line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Holder {
    /// None is code outside of any simulation.
    task: Option<TaskId>,
    at: &'static Location<'static>,
}

impl Holder {
    /// Returns the one that polls with this context.
    #[inline]
    pub(crate) fn polling(context: &Context<'_>, at: &'static Location<'static>) -> Self {
        match task_of(context.waker()) {
            Some(task) => Self { task: Some(task), at },
            // A combinator may have wrapped the waker.
            None => Self::running(at),
        }
    }

    /// Returns the task that runs.
    #[inline]
    pub(crate) fn running(at: &'static Location<'static>) -> Self {
        Self { task: context::with(Executor::running_task).flatten(), at }
    }
}

/// A share of something, and whose it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Grant {
    holder: Holder,
    is_claimed: bool,
}

impl Grant {
    /// Somebody has it.
    pub(crate) const fn held(holder: Holder) -> Self {
        Self { holder, is_claimed: true }
    }

    /// It is that of a future that was woken for it and has not been polled since.
    pub(crate) const fn unclaimed(holder: Holder) -> Self {
        Self { holder, is_claimed: false }
    }

    pub(super) fn task(self) -> Option<TaskId> {
        self.holder.task
    }

    pub(super) fn at(self) -> &'static Location<'static> {
        self.holder.at
    }
}

/// Where the holders of a primitive are published.
#[derive(Clone, Copy, Debug)]
pub(crate) struct HoldingKey {
    /// Serial number of the run.
    run: u64,
    place: u32,
}

/// All that is published in a run.
#[derive(Debug, Default)]
pub(super) struct Holdings {
    places: Vec<Holding>,
    free: Vec<u32>,
}

/// The holders of one resource.
#[derive(Debug, Default)]
pub(super) struct Holding {
    /// Number of the resource; none for a free place.
    number: Option<u64>,
    grants: Grants,
    /// Since when, for each place of `grants.held`; noted only when holders are watched.
    since: Vec<Option<(Grant, VirtualTime)>>,
    about: Option<ResourceInfo>,
}

/// What a primitive tells.
#[derive(Debug, Default)]
pub(crate) struct Grants {
    pub(crate) held: Held,
    /// The first of them, in the order of the line.
    pub(crate) unclaimed: Vec<Grant>,
}

/// Who holds a resource, each at a place of its own for as long as it does.
#[derive(Debug, Default)]
pub(crate) struct Held {
    places: Vec<Option<Grant>>,
}

impl Held {
    /// Forgets all.
    pub(crate) fn clear(&mut self) {
        self.places.clear();
    }

    /// Notes who is at a place.
    pub(crate) fn set(&mut self, place: u32, holder: Option<Holder>) {
        let place = place as usize;
        if place >= self.places.len() {
            self.places.resize(place + 1, None);
        }
        self.places[place] = holder.map(Grant::held);
    }
}

impl Grants {
    pub(super) fn iter(&self) -> impl Iterator<Item = Grant> + '_ {
        self.held.places.iter().flatten().chain(&self.unclaimed).copied()
    }
}

impl Holdings {
    fn insert(&mut self, number: u64) -> u32 {
        let place = self.free.pop().unwrap_or_else(|| {
            self.places.push(Holding::default());
            u32::try_from(self.places.len() - 1).expect("fewer than 2^32 locks are waited for")
        });
        self.places[place as usize].number = Some(number);
        place
    }

    fn remove(&mut self, place: u32) {
        let holding = &mut self.places[place as usize];
        holding.number = None;
        holding.grants.held.clear();
        holding.grants.unclaimed.clear();
        self.free.push(place);
    }

    /// Lists what is held, if that is watched, and since when.
    pub(super) fn held(&self) -> Vec<(Option<ResourceInfo>, Grant, VirtualTime)> {
        let of = |holding: &Holding| {
            let about = holding.about;
            let held = holding.since.iter().flatten();
            held.map(|(grant, since)| (about, *grant, *since)).collect::<Vec<_>>()
        };
        self.places.iter().flat_map(of).collect()
    }

    /// Lists the numbers of resources whose holders are published, and the tasks that are those.
    pub(super) fn published(
        &self,
    ) -> impl Iterator<Item = (u64, impl Iterator<Item = TaskId> + '_)> + '_ {
        self.places.iter().filter_map(|holding| {
            let tasks = holding.grants.iter().filter_map(Grant::task);
            Some((holding.number?, tasks))
        })
    }

    /// Returns the holders of all resources whose holders are published, by number.
    pub(super) fn by_number(&self) -> HoldersByNumber<'_> {
        let published = self.places.iter();
        published.filter_map(|holding| Some((holding.number?, &holding.grants))).collect()
    }
}

/// What a report looks up for each of its tasks.
pub(super) type HoldersByNumber<'a> = BTreeMap<u64, &'a Grants>;

/// Publishes who holds a resource. `tell` brings what was published up to date, or lists all if it is
/// told that nothing was; it answers whether somebody waits. If nobody does, it is withdrawn.
#[cold]
pub(crate) fn publish(
    key: &mut Option<HoldingKey>,
    resource: &Resource,
    tell: impl FnOnce(&mut Grants, bool) -> bool,
) {
    let _ = context::with(|executor: &Executor| {
        executor.core.borrow_mut().publish(key, resource, tell);
    });
}

impl Executor {
    /// Returns the task that runs, if one does.
    #[inline]
    pub(super) fn running_task(&self) -> Option<TaskId> {
        let core = self.core.borrow();
        core.running.map(|index| TaskId::new(core.run, core.tasks.get(index).generation, index))
    }
}

impl Core {
    fn publish(
        &mut self,
        key: &mut Option<HoldingKey>,
        resource: &Resource,
        tell: impl FnOnce(&mut Grants, bool) -> bool,
    ) {
        let run = self.serial;
        let known = key.filter(|key| key.run == run);
        let place = match known {
            Some(key) => key.place,
            // What has no number yet was left over by another run, and must not get one by that.
            None => match self.known_number_of(resource) {
                Some(number) => self.holdings.insert(number),
                None => return,
            },
        };
        let grants = &mut self.holdings.places[place as usize].grants;
        let is_awaited = tell(grants, known.is_none());
        let is_watched = self.watches_holders();
        if is_watched {
            self.watch_change(place, resource);
        }
        if is_awaited || is_watched {
            *key = Some(HoldingKey { run, place });
        } else {
            self.holdings.remove(place);
            *key = None;
        }
    }

    /// Notes since when those hold a resource that hold it now, and looks at those that do no more.
    fn watch_change(&mut self, place: u32, resource: &Resource) {
        let now = self.now;
        let Holding { grants, since, about, .. } = &mut self.holdings.places[place as usize];
        *about = Some(resource.about());
        let held = &grants.held.places;
        let mut ended = Vec::new();
        since.resize(held.len().max(since.len()), None);
        for (place, since) in since.iter_mut().enumerate() {
            let grant = held.get(place).copied().flatten();
            if since.map(|(known, _)| known) != grant {
                ended.extend(since.take());
                *since = grant.map(|grant| (grant, now));
            }
        }
        let about = *about;
        for (grant, since) in ended {
            self.watch_hold(about, grant, since);
        }
    }

    /// Says who holds a resource that somebody waits for.
    pub(super) fn holders_of(&self, grants: &Grants) -> Vec<HeldBy> {
        grants.iter().take(NAMED_HOLDERS_MAX).map(|grant| self.held_by(grant)).collect()
    }

    pub(super) fn held_by(&self, grant: Grant) -> HeldBy {
        let taken_at = Some(Place::from(grant.holder.at));
        let Some(task) = grant.holder.task.filter(|task| task.run() == self.run) else {
            return HeldBy { task: None, tenure: Tenure::Outside, taken_at };
        };
        let slot = self.tasks.get(task.index());
        let is_known = slot.generation == task.generation();
        let tenure = match slot.state {
            _ if !grant.is_claimed => Tenure::Unclaimed,
            TaskState::Done | TaskState::Free => Tenure::Ended,
            _ if !is_known => Tenure::Ended,
            _ => Tenure::Held,
        };
        HeldBy { task: is_known.then(|| self.tasks.path(task.index())), tenure, taken_at }
    }
}

/// A semaphore may have as many holders as there are tasks, and as many waiters.
const NAMED_HOLDERS_MAX: usize = 16;
