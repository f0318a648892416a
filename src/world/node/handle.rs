//! What can be done to a machine.

use std::fmt;
use std::future::Future;
use std::net::IpAddr;
use std::panic::Location;
use std::sync::Arc;
use std::time::Duration;

use super::super::host::Driver;
use super::super::socket::Netstat;
use super::super::state::{State, with_state};
use super::clock::TimeStep;
use super::exit::Exit;
use super::exited::{Exited, Stop};
use super::life::{self, Death};
use super::table::{NodeId, Power};
use crate::executor::{DomainId, DomainState, Resource, note};
use crate::task::{Builder, Task};

/// A machine of the simulated world: a kernel, and at most one process.
///
/// A handle; clones name the same machine. Verbs act at once. When a task of a machine that has died
/// calls one, from a destructor, nothing happens.
///
/// # Panics
/// Outside of the machine's simulation.
///
/// # Examples
/// ```
/// use std::time::Duration;
/// use parcae::time::sleep;
/// use parcae::world::{self, Exit};
///
/// parcae::check(10, || async {
///     let node = world::node("db").start(|| sleep(Duration::from_secs(3600)));
///     let exited = node.exited();
///     node.kill();
///     assert_eq!(exited.await, Exit::Killed);
///     node.restart();
///     assert_eq!(node.incarnation(), 1);
/// });
/// ```
#[derive(Clone)]
pub struct Node {
    id: NodeId,
    /// Serial number of its run.
    serial: u64,
    /// Number of the resource that is waited for until it exits.
    resource: u64,
    made_at: &'static Location<'static>,
    name: Arc<str>,
}

/// What a machine does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum NodeStatus {
    /// Its process runs.
    Running,
    /// Its process is frozen, and its kernel runs.
    Paused,
    /// It has no process, and its kernel runs.
    Down,
    /// It has no power.
    Off,
}

impl fmt::Debug for Node {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Node").field(&self.name).finish()
    }
}

impl PartialEq for Node {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id && self.serial == other.serial
    }
}

impl Eq for Node {}

impl Node {
    /// Returns the machine that the running task is of: `test` for the test itself.
    #[must_use]
    #[track_caller]
    pub fn current() -> Self {
        with_state("Node::current", |state, driver| {
            let id = state.nodes.of_domain(driver.running_domain());
            Self::of(state, driver, id)
        })
    }

    /// Returns the machine of this name, if there is one.
    #[must_use]
    #[track_caller]
    pub fn find(name: &str) -> Option<Self> {
        with_state("Node::find", |state, driver| {
            let id = state.nodes.find(name)?;
            Some(Self::of(state, driver, id))
        })
    }

    pub(super) fn of(state: &State, driver: &Driver<'_>, id: NodeId) -> Self {
        let own = state.nodes.get(id);
        let (name, serial) = (own.name.clone(), driver.serial());
        Self { id, serial, resource: own.resource, made_at: own.made_at, name }
    }

    pub(crate) fn id(&self) -> NodeId {
        self.id
    }

    pub(super) fn serial(&self) -> u64 {
        self.serial
    }

    pub(super) fn resource(&self) -> Resource {
        Resource::rebuilt(self.serial, self.resource, "Node", self.made_at)
    }

    /// Calls `change` with the world, after a look that it is this machine's.
    #[track_caller]
    pub(crate) fn with<R>(
        &self,
        call: &str,
        change: impl FnOnce(&mut State, &mut Driver<'_>) -> R,
    ) -> R {
        with_state(call, |state, driver| {
            assert!(
                driver.serial() == self.serial,
                "the machine `{}` was used inside of another simulation than its own",
                self.name
            );
            change(state, driver)
        })
    }

    /// Returns the domain of its process; none when it has none, and when who asks is dead.
    #[track_caller]
    fn domain(&self, call: &str) -> Option<DomainId> {
        let domain = self.with(call, |state, _| state.nodes.get(self.id).domain);
        domain.filter(|_| !life::is_dead())
    }

    /// Panics for the test itself; tells whether a verb of the running task has an effect.
    #[track_caller]
    fn may(&self, call: &str, verb: &str) -> bool {
        assert!(
            self.id != NodeId::TEST,
            "the machine `test` is the test itself and cannot be {verb}"
        );
        self.with(call, |_, _| ());
        !life::is_dead()
    }

    /// Returns its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns its addresses: those it was given, then one of each family that it has by itself.
    #[must_use]
    #[track_caller]
    pub fn addresses(&self) -> Vec<IpAddr> {
        self.with("Node::addresses", |state, _| state.nodes.addresses(self.id))
    }

    /// Returns the failure domain of this kind that it is in: the value of its label.
    #[must_use]
    #[track_caller]
    pub fn label(&self, kind: &str) -> Option<Arc<str>> {
        self.with("Node::label", |state, _| {
            let labels = &state.nodes.get(self.id).labels;
            labels.iter().find(|(own, _)| *own == kind).map(|(_, value)| value.clone())
        })
    }

    /// Returns how many processes it has had before the one that runs, or ran last.
    #[must_use]
    #[track_caller]
    pub fn incarnation(&self) -> u32 {
        self.with("Node::incarnation", |state, _| state.nodes.get(self.id).incarnation)
    }

    /// Returns what it does.
    #[must_use]
    #[track_caller]
    pub fn state(&self) -> NodeStatus {
        let (power, domain) = self.with("Node::state", |state, _| {
            let own = state.nodes.get(self.id);
            (own.power, own.domain)
        });
        match (power, domain.map(DomainId::state)) {
            (Power::Off, _) => NodeStatus::Off,
            (Power::Up, None | Some(DomainState::Dead)) => NodeStatus::Down,
            (Power::Up, Some(DomainState::Paused)) => NodeStatus::Paused,
            (Power::Up, Some(DomainState::Alive | DomainState::BusyUntil(_))) => {
                NodeStatus::Running
            }
        }
    }

    // Life

    /// Asks its program to end, through [`shutdown_token`](crate::task::shutdown_token) of its process,
    /// and kills it when it has not after 10 s. No policy starts it again.
    ///
    /// It stops by itself; the future waits until it has, and gives how. A machine that has no process
    /// is not started again by its policy either.
    ///
    /// # Panics
    /// For the machine `test`.
    #[track_caller]
    pub fn stop(&self) -> Stop {
        let may = self.may("Node::stop", "stopped");
        let exited = self.exited();
        if may {
            life::ask_to_stop(self.id, GRACE);
        }
        Stop::new(exited)
    }

    /// Ends its process at once. Its kernel lives and closes the sockets: peers see the end of what was
    /// sent, or a reset where something was not read. A restart policy may have it started again.
    ///
    /// A task that kills its own machine runs on to its next wait, without effect on the world.
    ///
    /// # Panics
    /// For the machine `test`.
    #[track_caller]
    pub fn kill(&self) {
        if self.may("Node::kill", "killed") {
            life::die(self.id, Death::Kill, Exit::Killed, None);
        }
    }

    /// Ends all of it at once: nothing is sent, what arrives is lost, and peers find out by their
    /// time-outs. No policy starts it again.
    ///
    /// # Panics
    /// For the machine `test`.
    #[track_caller]
    pub fn power_off(&self) {
        if self.may("Node::power_off", "powered off") {
            note(|| format!("powers off `{}`", self.name()));
            life::die(self.id, Death::PowerOff, Exit::PoweredOff, None);
        }
    }

    /// Starts its program, after `power_off`, `kill` or its end; nothing happens while it runs.
    #[track_caller]
    pub fn power_on(&self) {
        if self.id != NodeId::TEST && self.may("Node::power_on", "started") {
            life::start(self.id, Location::caller());
        }
    }

    /// Kills its process, if there is one, and starts its program again. No policy has a part in it: it is
    /// not one of the restarts that [`RestartPolicy::most`](super::RestartPolicy::most) counts.
    ///
    /// # Panics
    /// For the machine `test`.
    #[track_caller]
    pub fn restart(&self) {
        if self.may("Node::restart", "restarted") {
            life::die(self.id, Death::Restart, Exit::Killed, None);
            // Who restarts its own machine is dead by now, and what the dead spawn does not run.
            if life::is_dead() {
                life::start_soon(self.id);
            } else {
                life::start(self.id, Location::caller());
            }
        }
    }

    /// Freezes its process, as SIGSTOP does: its tasks do not run and their timers are late, while its
    /// kernel acknowledges, buffers and sends again.
    ///
    /// # Panics
    /// For the machine `test`.
    #[track_caller]
    pub fn pause(&self) {
        if self.may("Node::pause", "paused") {
            self.domain("Node::pause").into_iter().for_each(DomainId::pause);
        }
    }

    /// Lets a process go on that was frozen.
    #[track_caller]
    pub fn resume(&self) {
        self.domain("Node::resume").into_iter().for_each(DomainId::resume);
    }

    /// Makes its processor so many times slower, in this incarnation and the next ones; 1 is normal.
    /// What it burns takes that much longer, and each step of a task `factor - 1` microseconds.
    ///
    /// # Panics
    /// For a factor of 0, and for the machine `test`.
    #[track_caller]
    pub fn slow(&self, factor: u32) {
        assert!(factor > 0, "a machine that is 0 times slower would be infinitely fast");
        if self.may("Node::slow", "slow") {
            self.with("Node::slow", |state, _| state.nodes.get_mut(self.id).slowness = factor);
            self.domain("Node::slow").into_iter().for_each(|domain| domain.set_slowness(factor));
        }
    }

    /// Returns what its kernel knows of its sockets.
    #[track_caller]
    #[must_use]
    pub fn netstat(&self) -> Netstat {
        self.with("Node::netstat", |state, driver| {
            let (sockets, mut outside) = state.parts(driver);
            sockets.netstat(&mut outside, self.id)
        })
    }

    // Clocks

    /// Makes its clock run fast (above 0) or slow, in parts per million. It keeps that rate through all
    /// restarts.
    ///
    /// # Panics
    /// At -1,000,000 or below, where time would stand still.
    #[track_caller]
    pub fn set_clock_rate(&self, parts_per_million: i32) {
        let domain =
            self.with("Node::set_clock_rate", |state, _| state.nodes.clock_domain(self.id));
        if !life::is_dead() {
            domain.set_clock_rate(parts_per_million);
        }
    }

    /// Has its wall clock ([`SystemTime`](crate::time::SystemTime)) jump. The monotonic one has no jumps.
    #[track_caller]
    pub fn step_clock(&self, by: TimeStep) {
        let domain = self.with("Node::step_clock", |state, _| state.nodes.clock_domain(self.id));
        if !life::is_dead() {
            domain.step_wall_clock(by.nanos());
        }
    }

    // Tasks

    /// Runs a task on it, beside its program; it dies with the process. When no process runs, the task
    /// never begins, and joining it says that it is gone.
    #[track_caller]
    pub fn spawn<F>(&self, future: F) -> Task<F::Output>
    where
        F: Future + 'static,
        F::Output: 'static,
    {
        let domain = self.with("Node::spawn", |state, _| state.nodes.clock_domain(self.id));
        Builder::new().domain(domain).spawn(future)
    }

    /// Waits until the process that runs now has ended, and gives how; at once when none runs.
    ///
    /// Whoever has called it, and not dropped the future, observes an error or a panic of the program,
    /// which fails the run otherwise.
    ///
    /// # Cancel safety
    /// Cancel safe: nothing is taken, so nothing is lost.
    #[track_caller]
    pub fn exited(&self) -> Exited {
        Exited::new(self.clone(), Location::caller())
    }
}

/// How long a program may take to end when it is asked to.
const GRACE: Duration = Duration::from_secs(10);
