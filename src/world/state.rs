//! The world of a run: attached at its first use, borrowed for one call or one batch of events.
//!
//! Borrow order is always world, then executor. While the world is borrowed no code of the user's
//! runs: no waker of another's is called, cloned or dropped. Whom to wake is written down and woken
//! after ([`Wakes`]).

use std::cell::{Cell, RefCell, RefMut};
use std::rc::Rc;

use super::arrivals::Arrivals;
use super::event::WorldEvent;
use super::host::Driver;
use super::network::{self, Arrival, Network};
use super::node::{self, NodeState, Nodes};
use super::socket::{self, Outside, Sockets};
use crate::context::{self, Entered};
use crate::executor::{Attachment, DomainState, EventId, Executor, Layer, Phrases, WakeTarget};

/// The world of the run that a thread is inside of.
#[derive(Debug)]
pub(crate) struct World {
    state: RefCell<State>,
}

context::slot!(World, Simulation);

/// All of it.
#[derive(Debug)]
pub(crate) struct State {
    pub(super) nodes: Nodes,
    pub(super) network: Network,
    pub(super) sockets: Sockets,
    pub(super) arrivals: Arrivals,
    pub(super) wakes: Wakes,
}

/// What is to be done with wakers when the world is not borrowed any more, in order.
#[derive(Debug, Default)]
pub(crate) struct Wakes {
    woken: Vec<WakeTarget>,
    dropped: Vec<WakeTarget>,
}

impl Wakes {
    /// Has a task woken.
    #[inline]
    pub(crate) fn wake(&mut self, target: WakeTarget) {
        self.woken.push(target);
    }

    /// Has a waker dropped that nobody will call.
    #[inline]
    pub(crate) fn let_go(&mut self, target: WakeTarget) {
        self.dropped.push(target);
    }

    fn is_empty(&self) -> bool {
        self.woken.is_empty() && self.dropped.is_empty()
    }
}

impl State {
    fn new(is_capturing: bool, driver: &mut Driver<'_>) -> Self {
        Self {
            nodes: Nodes::new(NodeState::test(driver)),
            network: Network::new(is_capturing),
            sockets: Sockets::default(),
            arrivals: Arrivals::default(),
            wakes: Wakes::default(),
        }
    }

    /// Returns the sockets, and what they act with.
    pub(crate) fn parts<'a, H>(&'a mut self, host: &'a mut H) -> (&'a mut Sockets, Outside<'a, H>) {
        let Self { nodes, network, sockets, wakes, .. } = self;
        (sockets, Outside { host, network, nodes, wakes })
    }
}

/// Calls `change` with the state of this run's world, and then wakes whom it says. Makes the world at
/// its first use.
///
/// No code of the user's runs inside.
///
/// # Panics
/// Outside of a simulation, with a message that names the call.
#[track_caller]
pub(crate) fn with_state<R>(
    call: &str,
    change: impl FnOnce(&mut State, &mut Driver<'_>) -> R,
) -> R {
    context::expect(call, |executor: &Executor| with_state_of(executor, change))
}

/// As [`with_state`], for destructors: none outside of a simulation, when the run has no world, and
/// when the machine of the running task is dead, whose destructors have no effect on the world.
pub(crate) fn with_state_if_alive<R>(
    change: impl FnOnce(&mut State, &mut Driver<'_>) -> R,
) -> Option<R> {
    context::with(|executor: &Executor| {
        let is_dead = executor.domain_of_running().1 == DomainState::Dead;
        let has_world = context::has::<World>();
        (!is_dead && has_world).then(|| with_state_of(executor, change))
    })
    .flatten()
}

/// As [`with_state_if_alive`], also when the machine of the running task is dead: for what is no act
/// but a record of who is there.
pub(super) fn with_state_if_any<R>(
    change: impl FnOnce(&mut State, &mut Driver<'_>) -> R,
) -> Option<R> {
    context::with(|executor: &Executor| {
        let has_world = context::has::<World>();
        has_world.then(|| with_state_of(executor, change))
    })
    .flatten()
}

fn with_state_of<R>(
    executor: &Executor,
    change: impl FnOnce(&mut State, &mut Driver<'_>) -> R,
) -> R {
    // Asked before, as `change` is large where it is moved.
    if !context::has::<World>() {
        attach(executor);
    }
    context::with(|world: &World| world.with(executor, change)).expect("the world was attached")
}

#[cold]
fn attach(executor: &Executor) {
    let state = RefCell::new(State::new(executor.is_capturing(), &mut Driver::new(executor)));
    let world = Rc::new(World { state });
    let entered = context::attach(world.clone());
    executor.attach(Rc::new(Attached { world, entered: Cell::new(Some(entered)) }));
}

impl World {
    /// Makes a change, which is there, and wakes whom it says.
    #[inline]
    fn with<R>(
        &self,
        executor: &Executor,
        change: impl FnOnce(&mut State, &mut Driver<'_>) -> R,
    ) -> R {
        let mut state = self.state.borrow_mut();
        let result = change(&mut state, &mut Driver::new(executor));
        self.flush_wakes(state, executor);
        result
    }

    /// Wakes one, or all of them.
    #[inline(always)]
    fn flush_wakes(&self, state: RefMut<'_, State>, executor: &Executor) {
        if !state.wakes.is_empty() {
            self.wake_all(state, executor);
        }
    }

    fn wake_all(&self, mut state: RefMut<'_, State>, executor: &Executor) {
        if state.wakes.dropped.is_empty()
            && state.wakes.woken.len() == 1
            && let Some(target) = state.wakes.woken.pop()
        {
            drop(state);
            executor.wake_target(target);
            return;
        }
        let wakes = std::mem::take(&mut state.wakes);
        drop(state);
        self.flush(wakes);
    }

    /// Wakes and drops what was written down. It may run code of the user's, which may come back here.
    fn flush(&self, mut wakes: Wakes) {
        for target in wakes.woken.drain(..) {
            target.wake();
        }
        wakes.dropped.clear();
        // The buffers are used again, unless somebody has come back and needs them.
        if let Ok(mut state) = self.state.try_borrow_mut()
            && state.wakes.is_empty()
        {
            state.wakes = wakes;
        }
    }
}

static PHRASES: [&Phrases; 3] = [&network::PHRASES, &node::PHRASES, &socket::RESOLVER_PHRASES];

/// How a world hangs under its run.
struct Attached {
    world: Rc<World>,
    entered: Cell<Option<Entered<World>>>,
}

impl std::fmt::Debug for Attached {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Attached").finish_non_exhaustive()
    }
}

impl Layer for Attached {
    fn fire(&self, executor: &Executor, events: &[EventId]) {
        let mut state = self.world.state.borrow_mut();
        let mut driver = Driver::new(executor);
        let mut later = Vec::new();
        for event in events {
            state.happen(&mut driver, WorldEvent::of(*event), &mut later);
        }
        self.world.flush_wakes(state, executor);
        // What spawns or destroys tasks runs code of the user's.
        if !later.is_empty() {
            later.into_iter().for_each(node::happen);
        }
    }

    fn name_of(&self, resource: u64) -> Option<String> {
        let state = self.world.state.try_borrow().ok()?;
        let of_node = state.nodes.name_of(resource);
        let of_node = of_node.or_else(|| state.sockets.resolver.name_of(resource));
        of_node.or_else(|| state.sockets.name_of(resource, &state.network, &state.nodes))
    }

    fn phrases(&self) -> &'static [&'static Phrases] {
        &PHRASES
    }

    fn end(&self) -> Vec<Attachment> {
        let capture = {
            let mut state = self.world.state.borrow_mut();
            let epoch_nanos = context::with(Executor::epoch_nanos).unwrap_or_default();
            let State { nodes, network, .. } = &mut *state;
            network.capture(nodes, epoch_nanos)
        };
        // What is left in it goes with the last reference, while nothing is borrowed: programs of
        // machines, wakers of others.
        drop(self.entered.take());
        capture.into_iter().collect()
    }
}

impl State {
    /// Lets one event happen. What spawns or destroys tasks is put into `later`.
    fn happen(&mut self, driver: &mut Driver<'_>, event: WorldEvent, later: &mut Vec<WorldEvent>) {
        match event {
            WorldEvent::Arrive(flight) => match self.network.arrive(driver, flight) {
                Arrival::Packet { node, packet } => {
                    let (sockets, mut outside) = self.parts(driver);
                    sockets.receive(&mut outside, node, packet);
                    // After that: who reads it goes first, unless the schedule says otherwise.
                    self.arrivals.note(node, &mut self.wakes);
                }
                Arrival::Lost { to: Some(to) } | Arrival::Kept { to: Some(to) } => {
                    let (sockets, mut outside) = self.parts(driver);
                    sockets.on_lost(&mut outside, to);
                }
                Arrival::Lost { to: None } | Arrival::Kept { to: None } => {}
            },
            WorldEvent::Connection(key) => {
                let (sockets, mut outside) = self.parts(driver);
                sockets.on_timer(&mut outside, key);
            }
            WorldEvent::Release(rule) => self.network.release(driver, rule),
            WorldEvent::Room(link) => {
                let (sockets, mut outside) = self.parts(driver);
                sockets.on_room(&mut outside, link);
            }
            WorldEvent::Lookup(key) => {
                let (sockets, mut outside) = self.parts(driver);
                sockets.on_resolved(&mut outside, key);
            }
            WorldEvent::Start(_) | WorldEvent::ClockStep(_) | WorldEvent::GraceOver(..) => {
                later.push(event);
            }
        }
    }
}
