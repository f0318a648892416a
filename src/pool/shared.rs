//! The part of a pool that its handles, connections and tasks share.

use std::sync::Arc;

use super::builder::Options;
use super::manage::Manage;
use super::state::{Idle, State, Work};
use crate::context::Backend;
use crate::sync::primitive::Primitive;
use crate::task::spawn;
use crate::time::Instant;

pub(super) struct Shared<M: Manage> {
    pub(super) manager: M,
    pub(super) options: Options,
    pub(super) primitive: Primitive<StateOf<M>>,
}

pub(super) type StateOf<M> = State<<M as Manage>::Connection, <M as Manage>::Error>;

type WorkOf<M> = Work<<M as Manage>::Connection, <M as Manage>::Error>;

impl<M: Manage + 'static> Shared<M> {
    #[track_caller]
    pub(super) fn new(manager: M, options: Options, name: Option<&'static str>) -> Self {
        let primitive = Primitive::new("Pool", State::new(options));
        let primitive = match name {
            Some(name) => primitive.named(name),
            None => primitive,
        };
        Self { manager, options, primitive }
    }

    /// Puts the first connections in.
    pub(super) fn fill(&self, connections: Vec<M::Connection>) {
        let now = Instant::now();
        self.primitive.change(|state| {
            for connection in connections {
                state.put(Idle { connection, made_at: now, idle_since: now }, now);
            }
        });
    }

    /// Does what is to be done after a change of the state: makes connections for those who wait,
    /// tests them, drops those that are not kept.
    ///
    /// Outside of a run nothing can be made; then a pool only takes back.
    pub(super) fn drive(self: &Arc<Self>) {
        let mut has_begun = true;
        // In a dead domain no task begins, and to try again would be for ever.
        while has_begun {
            let now = now();
            let work: Option<WorkOf<M>> = self.primitive.change(|state| match now {
                Some(now) => state.next_work(now),
                None => state.take_trash(),
            });
            match work {
                None => return,
                Some(Work::Drop(trash)) => drop(trash),
                Some(Work::Connect) => has_begun = self.connect(),
                Some(Work::Test(idle)) => has_begun = self.test(idle),
            }
        }
    }

    /// Makes a connection; false if that cannot begin.
    fn connect(self: &Arc<Self>) -> bool {
        let under_way = UnderWay::new(self, |state| &mut state.connecting);
        let task = spawn(async move {
            let result = under_way.shared.manager.connect().await;
            let made_at = Instant::now();
            let idle = result.map(|connection| Idle { connection, made_at, idle_since: made_at });
            under_way.end(|state| state.hand_over(idle));
        });
        let has_begun = !task.is_finished();
        task.background();
        has_begun
    }

    /// Tests a connection; false if that cannot begin.
    fn test(self: &Arc<Self>, mut idle: Idle<M::Connection>) -> bool {
        let under_way = UnderWay::new(self, |state| &mut state.testing);
        let task = spawn(async move {
            let manager = &under_way.shared.manager;
            let is_healthy = manager.is_healthy(&mut idle.connection).await;
            under_way.end(|state| match is_healthy {
                true => state.hand_over(Ok(idle)),
                false => state.discard(idle),
            });
        });
        let has_begun = !task.is_finished();
        task.background();
        has_begun
    }
}

/// Returns the time, if this thread is inside of a run.
pub(super) fn now() -> Option<Instant> {
    Backend::current().map(|_| Instant::now())
}

/// A connection that is being made or tested, until it is there or the task is destroyed.
struct UnderWay<M: Manage> {
    shared: Arc<Shared<M>>,
    count: fn(&mut StateOf<M>) -> &mut usize,
    has_ended: bool,
}

impl<M: Manage + 'static> UnderWay<M> {
    fn new(shared: &Arc<Shared<M>>, count: fn(&mut StateOf<M>) -> &mut usize) -> Self {
        Self { shared: shared.clone(), count, has_ended: false }
    }

    fn end(mut self, end: impl FnOnce(&mut StateOf<M>)) {
        self.has_ended = true;
        self.shared.primitive.change(|state| {
            *(self.count)(state) -= 1;
            end(state);
        });
        self.shared.drive();
    }
}

impl<M: Manage> Drop for UnderWay<M> {
    fn drop(&mut self) {
        // Nothing is made in its place here: where tasks are destroyed, none can begin. Those who
        // wait elsewhere see to it.
        if !self.has_ended {
            self.shared.primitive.change(|state| {
                *(self.count)(state) -= 1;
                state.unattended += 1;
            });
        }
    }
}
