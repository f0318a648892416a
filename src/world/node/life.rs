//! Start and death of machines.

use std::panic::Location;
use std::time::Duration;

use super::super::event::WorldEvent;
use super::super::host::{Driver, Host as _};
use super::super::socket::Owner;
use super::super::state::{State, with_state};
use super::exit::Exit;
use super::program::Program;
use super::table::{NodeId, Power};
use super::{CLOCK_STEP, Change, RESTART_DELAY};
use crate::context;
use crate::executor::{DomainId, DomainState, Executor, Failure, Weight};
use crate::kernel::{EventKind, Place, Space, VirtualTime};
use crate::task::{Builder, shutdown_token_of};

/// What ends a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Death {
    /// Its program has ended.
    Exit,
    /// The test.
    Kill,
    /// The test, which starts it again itself: no policy is asked.
    Restart,
    /// The test, with all that the machine holds in memory.
    PowerOff,
}

/// Tells whether the machine of the running task is dead: what it does has no effect on the world.
pub(super) fn is_dead() -> bool {
    context::with(|executor: &Executor| executor.domain_of_running().1) == Some(DomainState::Dead)
}

// Start

/// Makes the first process of a machine.
pub(super) fn begin(node: NodeId, at: &'static Location<'static>) {
    let name = with_state("NodeBuilder::start", |state, _| state.nodes.get(node).name.clone());
    if let Some(domain) = new_domain(node, || DomainId::create(&name, 0)) {
        launch(node, domain, at);
    }
}

/// Starts a machine that runs no process; gives it power first, if it has none.
pub(super) fn start(node: NodeId, at: &'static Location<'static>) {
    let last = with_state("Node::power_on", |state, driver| {
        let own = state.nodes.get_mut(node);
        if own.domain.is_some() {
            return None;
        }
        // A restart that the policy has planned is done by this one.
        own.timer.take().into_iter().for_each(|timer| driver.cancel(timer));
        own.incarnation += 1;
        Some((own.last_domain, own.incarnation))
    });
    let Some((last, incarnation)) = last else { return };
    if let Some(domain) = new_domain(node, || DomainId::succeed(last, incarnation)) {
        launch(node, domain, at);
    }
}

/// Starts a machine as [`start`] does, once the running task, which is of its last process, is gone.
pub(super) fn start_soon(node: NodeId) {
    with_state("Node::restart", |state, driver| {
        let timer = driver.set(driver.now(), WorldEvent::Start(node), Weight::Foreground);
        let replaced = state.nodes.get_mut(node).timer.replace(timer);
        replaced.into_iter().for_each(|timer| driver.cancel(timer));
    });
}

/// Makes a domain; where there is no room for one, the run fails.
fn new_domain(node: NodeId, make: impl FnOnce() -> DomainId) -> Option<DomainId> {
    if DomainId::has_room() {
        return Some(make());
    }
    with_state("Node::restart", |state, driver| {
        let task = state.nodes.get(node).name.to_string();
        let message = "a run has at most 65,535 processes of machines, and this would be one more: \
                       does its restart policy start it again and again?";
        driver.executor().fail(Failure::Panic { task, message: message.to_owned(), place: None });
    });
    None
}

fn launch(node: NodeId, domain: DomainId, at: &'static Location<'static>) {
    let (owner, program, slowness) = with_state("Node::restart", |state, driver| {
        let own = state.nodes.get_mut(node);
        own.domain = Some(domain);
        own.last_domain = domain;
        own.power = Power::Up;
        own.is_stopping = false;
        let (program, slowness) = (own.program.clone(), own.slowness);
        let (stream, incarnation) = (own.stream, own.incarnation.into());
        let owner = state.nodes.owner(node);
        state.nodes.own(domain, owner);
        driver.record(EventKind::Node, stream, incarnation, Change::Started as u64);
        state.changed(driver, node);
        (owner, program, slowness)
    });
    if slowness > 1 {
        domain.set_slowness(slowness);
    }
    if let Some(program) = program {
        let main = Builder::new().name("main").domain(domain);
        main.spawn_at(Program::new(owner, program), at).background();
    }
}

// Death

/// A program has ended by itself. Nothing happens when its process was ended before.
pub(super) fn exited(owner: Owner, exit: Exit, place: Option<Place>) {
    let is_alive = with_state("the end of a program", |state, _| state.nodes.is_alive(owner));
    if is_alive {
        die(owner.node, Death::Exit, exit, place);
    }
}

/// Ends the process of a machine, and its power.
pub(super) fn die(node: NodeId, death: Death, exit: Exit, place: Option<Place>) {
    let domain = with_state("Node::kill", |state, driver| state.begin_death(driver, node, death));
    if let Some(domain) = domain {
        // Unborrowed: destructors run, and their calls find that they are of a dead process.
        domain.kill();
        with_state("Node::kill", |state, driver| {
            state.end_death(driver, node, death, (exit, place));
        });
    }
}

impl State {
    /// Ends a process for the world; returns the domain to be destroyed, none if it ran none.
    fn begin_death(
        &mut self,
        driver: &mut Driver<'_>,
        node: NodeId,
        death: Death,
    ) -> Option<DomainId> {
        let owner = self.nodes.owner(node);
        let own = self.nodes.get_mut(node);
        let (was_up, stream) = (own.power == Power::Up, own.stream);
        own.timer.take().into_iter().for_each(|timer| driver.cancel(timer));
        let domain = own.domain.take();
        if death == Death::PowerOff {
            own.power = Power::Off;
        }
        if domain.is_none() && (death != Death::PowerOff || !was_up) {
            return None;
        }
        let change = match death {
            Death::Exit => Change::Exited,
            Death::Kill | Death::Restart => Change::Killed,
            Death::PowerOff => Change::PoweredOff,
        };
        let incarnation = owner.incarnation.into();
        driver.record(EventKind::Node, stream, incarnation, change as u64);
        let (sockets, mut outside) = self.parts(driver);
        sockets.resolver.close_all(&mut outside, owner, death == Death::PowerOff);
        match death {
            // The kernel lives: FIN, or RST where data is unread.
            Death::Exit | Death::Kill | Death::Restart => sockets.close_all(&mut outside, owner),
            // Silence.
            Death::PowerOff => sockets.wipe(&mut outside, node),
        }
        self.changed(driver, node);
        domain
    }

    /// Tells who waits how a process has ended, and has it started again if its policy says so.
    fn end_death(
        &mut self,
        driver: &mut Driver<'_>,
        node: NodeId,
        death: Death,
        (exit, place): (Exit, Option<Place>),
    ) {
        let own = self.nodes.get_mut(node);
        let waiters = std::mem::take(&mut own.exit_waiters);
        let is_observed = !waiters.is_empty();
        waiters
            .into_iter()
            .filter_map(|(_, waiter)| waiter)
            .for_each(|waiter| self.wakes.wake(waiter));
        own.exit = Some(exit.clone());
        // A destructor of its tasks cannot have started it; one of another machine's may have.
        let is_down = own.domain.is_none() && own.power == Power::Up;
        let is_asked = is_down && !own.is_stopping && death != Death::Restart;
        if is_asked && own.policy.restarts(&exit, own.restarts) {
            let nanos = |delay: &Duration| u64::try_from(delay.as_nanos()).unwrap_or(u64::MAX);
            let (low, high) = (nanos(own.policy.delay.start()), nanos(own.policy.delay.end()));
            let (stream, ordinal) = (own.stream, own.restarts.into());
            own.restarts += 1;
            let space = Space::Nanos { low, high };
            let delay = driver.draw(stream, RESTART_DELAY, ordinal, space);
            let at = later(driver.now(), delay);
            let timer = driver.set(at, WorldEvent::Start(node), Weight::Foreground);
            self.nodes.get_mut(node).timer = Some(timer);
        } else if !is_observed {
            let task = format!("{}/main", own.name);
            match exit {
                Exit::Failed(message) => driver.executor().fail(Failure::Error { task, message }),
                Exit::Panicked(message) => {
                    driver.executor().fail(Failure::Panic { task, message, place });
                }
                Exit::Returned | Exit::Killed | Exit::PoweredOff => {}
            }
        }
    }

    /// A machine has started or died: who waits for an answer of it may look again.
    fn changed(&mut self, driver: &mut Driver<'_>, node: NodeId) {
        self.network.set_power(node, self.nodes.is_up(node));
        let (sockets, mut outside) = self.parts(driver);
        sockets.path_changed(&mut outside);
    }
}

// Being asked to end

/// Asks the program of a machine to end, and kills it when its grace is over.
pub(super) fn ask_to_stop(node: NodeId, grace: Duration) {
    let domain = with_state("Node::stop", |state, driver| {
        let own = state.nodes.get_mut(node);
        let was_stopping = std::mem::replace(&mut own.is_stopping, true);
        let Some(domain) = own.domain else {
            // No policy starts it again.
            own.timer.take().into_iter().for_each(|timer| driver.cancel(timer));
            return None;
        };
        if was_stopping {
            return None;
        }
        let event = WorldEvent::GraceOver(node, own.incarnation);
        let at = driver.now().after(grace);
        own.timer = Some(driver.set(at, event, Weight::Foreground));
        Some(domain)
    });
    if let Some(domain) = domain {
        // Unborrowed: it wakes who waits for it.
        shutdown_token_of(domain).cancel("the machine was stopped");
    }
}

// Events

/// Lets an event of a machine happen; nothing is borrowed.
pub(in super::super) fn happen(event: WorldEvent) {
    match event {
        WorldEvent::Start(node) => {
            let made_at = with_state("Node::restart", |state, _| {
                let own = state.nodes.get_mut(node);
                own.timer = None;
                own.made_at
            });
            start(node, made_at);
        }
        WorldEvent::GraceOver(node, incarnation) => {
            let owner = Owner { node, incarnation };
            let is_alive = with_state("Node::stop", |state, _| {
                state.nodes.get_mut(node).timer = None;
                state.nodes.is_alive(owner)
            });
            if is_alive {
                die(node, Death::Kill, Exit::Killed, None);
            }
        }
        WorldEvent::ClockStep(node) => step_clock(node),
        _ => unreachable!("{event:?} is not of a machine"),
    }
}

/// Has the wall clock of a machine jump, and sets the next jump.
fn step_clock(node: NodeId) {
    let (domain, nanos) = with_state("Node::step_clock", |state, driver| {
        let own = state.nodes.get_mut(node);
        let steps = own.steps.as_deref().copied().expect("a clock jumps that is told to");
        let (stream, ordinal) = (own.stream, own.step_count);
        own.step_count += 1;
        let nanos = |most: Duration| i64::try_from(most.as_nanos()).unwrap_or(i64::MAX);
        let space = Space::Signed { low: -nanos(steps.back), high: nanos(steps.forward) };
        let drawn = driver.draw(stream, CLOCK_STEP, ordinal, space).cast_signed();
        plan_step(driver, node, steps.every);
        (state.nodes.clock_domain(node), drawn)
    });
    if nanos != 0 {
        domain.step_wall_clock(nanos);
    }
}

/// Sets the next jump of a clock. It wakes nobody, so no run is kept alive by it.
pub(super) fn plan_step(driver: &mut Driver<'_>, node: NodeId, every: Duration) {
    let at = driver.now().after(every);
    driver.set(at, WorldEvent::ClockStep(node), Weight::Background);
}

fn later(now: VirtualTime, nanos: u64) -> VirtualTime {
    VirtualTime::from_nanos(now.as_nanos().saturating_add(nanos))
}
