//! Making machines.

use std::borrow::Cow;
use std::future::Future;
use std::net::IpAddr;
use std::panic::Location;
use std::sync::Arc;

use super::super::host::{Driver, Host as _};
use super::super::state::with_state;
use super::clock::ClockOptions;
use super::exit::Exits;
use super::handle::Node;
use super::life;
use super::program::MakeProgram;
use super::restart::RestartPolicy;
use super::table::{NodeState, Power};
use crate::executor::DomainId;
use crate::kernel::StreamId;

/// Begins a machine with this name.
///
/// # Examples
/// ```
/// use parcae::world::{self, Exit};
///
/// parcae::check(10, || async {
///     let node = world::node("db").label("zone", "a").start(|| async {});
///     assert_eq!(node.exited().await, Exit::Returned);
/// });
/// ```
pub fn node(name: impl Into<Cow<'static, str>>) -> NodeBuilder {
    NodeBuilder { name: name.into(), group: None, plan: NodePlan::default() }
}

/// Begins `name-1` to `name-count`: machines of one kind, and a group under `name`.
///
/// # Panics
/// For a count of 0.
///
/// # Examples
/// ```
/// use parcae::world;
///
/// parcae::check(10, || async {
///     let nodes = world::nodes("kv", 3).start(|index| async move { assert!(index < 3) });
///     assert_eq!(nodes[2].name(), "kv-3");
/// });
/// ```
#[track_caller]
pub fn nodes(name: &str, count: usize) -> NodesBuilder {
    assert!(count > 0, "a group of 0 machines would be none");
    NodesBuilder { name: name.to_owned(), count, plan: NodePlan::default() }
}

/// Options of a machine; made by [`node`].
#[derive(Clone, Debug)]
#[must_use = "a builder does nothing before `start` or `idle`"]
pub struct NodeBuilder {
    name: Cow<'static, str>,
    group: Option<Arc<str>>,
    plan: NodePlan,
}

/// Options of several machines; made by [`nodes`].
#[derive(Clone, Debug)]
#[must_use = "a builder does nothing before `start` or `idle`"]
pub struct NodesBuilder {
    name: String,
    count: usize,
    plan: NodePlan,
}

/// What machines of one kind have in common.
#[derive(Clone, Debug)]
struct NodePlan {
    addresses: Vec<IpAddr>,
    clock: ClockOptions,
    policy: RestartPolicy,
    labels: Vec<(&'static str, Arc<str>)>,
    sockets_max: u32,
}

impl Default for NodePlan {
    fn default() -> Self {
        Self {
            addresses: Vec::new(),
            clock: ClockOptions::default(),
            policy: RestartPolicy::never(),
            labels: Vec::new(),
            sockets_max: SOCKETS_MAX,
        }
    }
}

impl NodePlan {
    fn label(&mut self, kind: &'static str, value: Cow<'static, str>) {
        self.labels.retain(|(own, _)| *own != kind);
        self.labels.push((kind, value.into()));
    }
}

impl NodeBuilder {
    /// Gives it an address beside the two that it has by itself; the first of a family is where what it
    /// sends comes from.
    ///
    /// It has `10.0.x.y` and `fd00::1:xy`, counted in the order in which machines are made.
    pub fn address(mut self, address: IpAddr) -> Self {
        self.plan.addresses.push(address);
        self
    }

    /// Sets offset, rate and jumps of its clock.
    pub fn clock(mut self, clock: ClockOptions) -> Self {
        self.plan.clock = clock;
        self
    }

    /// Sets when its program is started again. Default never.
    pub fn restart(mut self, policy: RestartPolicy) -> Self {
        self.plan.policy = policy;
        self
    }

    /// Puts it into a failure domain: `label("zone", "a")`. It has one value of each kind, the last.
    pub fn label(mut self, kind: &'static str, value: impl Into<Cow<'static, str>>) -> Self {
        self.plan.label(kind, value.into());
        self
    }

    /// Sets how many sockets it may have open; one more is `EMFILE`. Default 65,536.
    pub fn open_sockets(mut self, limit: u32) -> Self {
        self.plan.sockets_max = limit;
        self
    }

    /// Makes the machine and starts its program, which is made again at each start.
    ///
    /// The program is ready at once: what it does before its first wait is done before any packet can
    /// arrive. It is called inside of the machine's own task, `main`. When it ends, its process does;
    /// an error or panic that no policy answers and nobody waits for ([`Node::exited`]) fails the run.
    ///
    /// # Panics
    /// Outside of a simulation, when the name or an address is taken, and when the run has 65,535
    /// machines.
    #[track_caller]
    pub fn start<P, F>(self, program: P) -> Node
    where
        P: Fn() -> F + 'static,
        F: Future + 'static,
        F::Output: Exits,
    {
        self.make(Some(MakeProgram::new(program)), Location::caller())
    }

    /// Makes the machine with a process that runs no program: tasks are put into it with
    /// [`Node::spawn`].
    ///
    /// # Panics
    /// As [`NodeBuilder::start`].
    #[track_caller]
    pub fn idle(self) -> Node {
        self.make(None, Location::caller())
    }

    #[track_caller]
    fn make(self, program: Option<MakeProgram>, at: &'static Location<'static>) -> Node {
        let Self { name, group, plan } = self;
        let clock = plan.clock.clone();
        if let Some(steps) = &clock.steps {
            assert!(
                !steps.every.is_zero(),
                "a clock that jumps every 0 ns would never stop jumping"
            );
            assert!(
                !steps.back.is_zero(),
                "a clock that jumps has to jump back too, by 1 ns at least"
            );
        }
        let is_dead = life::is_dead();
        let node = with_state("NodeBuilder::start", |state, driver| {
            let mut own = NodeState::new(&name, driver, at);
            own.group = group;
            own.addresses = plan.addresses;
            own.labels = plan.labels;
            own.sockets_max = plan.sockets_max;
            own.program = program;
            own.policy = plan.policy;
            own.steps = clock.steps.map(Box::new);
            let given = own.addresses.clone();
            let id = state.nodes.add(own);
            state.network.add_node(id, name.as_ref().into(), &given);
            if is_dead {
                // It has its name and does nothing, not even answer.
                state.nodes.get_mut(id).power = Power::Off;
                state.network.set_power(id, false);
            } else if let Some(steps) = clock.steps {
                life::plan_step(driver, id, steps.every);
            }
            Node::of(state, driver, id)
        });
        if !is_dead {
            life::begin(node.id(), at);
            node.set_up_clock(&clock);
        }
        node
    }
}

impl Node {
    fn set_up_clock(&self, clock: &ClockOptions) {
        if clock.rate != 0 {
            self.set_clock_rate(clock.rate);
        }
        if clock.offset.nanos() != 0 {
            self.step_clock(clock.offset);
        }
    }
}

impl NodesBuilder {
    /// Sets offset, rate and jumps of their clocks.
    pub fn clock(mut self, clock: ClockOptions) -> Self {
        self.plan.clock = clock;
        self
    }

    /// Sets when their programs are started again. Default never.
    pub fn restart(mut self, policy: RestartPolicy) -> Self {
        self.plan.policy = policy;
        self
    }

    /// Puts all of them into a failure domain.
    pub fn label(mut self, kind: &'static str, value: impl Into<Cow<'static, str>>) -> Self {
        self.plan.label(kind, value.into());
        self
    }

    /// Sets how many sockets each may have open; one more is `EMFILE`. Default 65,536.
    pub fn open_sockets(mut self, limit: u32) -> Self {
        self.plan.sockets_max = limit;
        self
    }

    /// Makes the machines and starts their programs; each is told its index, from 0.
    ///
    /// # Panics
    /// As [`NodeBuilder::start`]; when the name of the group is taken, too.
    #[track_caller]
    pub fn start<P, F>(self, program: P) -> Vec<Node>
    where
        P: Fn(usize) -> F + 'static,
        F: Future + 'static,
        F::Output: Exits,
    {
        let (at, program) = (Location::caller(), std::rc::Rc::new(program));
        self.make(at, |index| {
            let program = program.clone();
            Some(MakeProgram::new(move || program(index)))
        })
    }

    /// Makes the machines with processes that run no program.
    ///
    /// # Panics
    /// As [`NodesBuilder::start`].
    #[track_caller]
    pub fn idle(self) -> Vec<Node> {
        self.make(Location::caller(), |_| None)
    }

    #[track_caller]
    fn make(
        self,
        at: &'static Location<'static>,
        program: impl Fn(usize) -> Option<MakeProgram>,
    ) -> Vec<Node> {
        let Self { name, count, plan } = self;
        with_state("NodesBuilder::start", |state, _| state.nodes.check_group(&name));
        let group: Arc<str> = name.as_str().into();
        (0..count)
            .map(|index| {
                let (name, group) = (format!("{name}-{}", index + 1).into(), Some(group.clone()));
                NodeBuilder { name, group, plan: plan.clone() }.make(program(index), at)
            })
            .collect()
    }
}

impl NodeState {
    /// Makes a machine that has not started.
    fn new(name: &str, driver: &mut Driver<'_>, at: &'static Location<'static>) -> Self {
        let resource = driver.next_resource();
        Self { resource, ..Self::unnumbered(name, driver, at) }
    }

    fn unnumbered(name: &str, driver: &mut Driver<'_>, at: &'static Location<'static>) -> Self {
        let stream = StreamId::from_bits(NODES).child(name, 0);
        driver.name(stream, || name.to_owned());
        Self {
            name: name.into(),
            stream,
            domain: None,
            last_domain: DomainId::ROOT,
            incarnation: 0,
            power: Power::Up,
            group: None,
            addresses: Vec::new(),
            labels: Vec::new(),
            sockets_max: SOCKETS_MAX,
            program: None,
            policy: RestartPolicy::never(),
            restarts: 0,
            slowness: 1,
            steps: None,
            step_count: 0,
            is_stopping: false,
            timer: None,
            exit: None,
            exit_waiters: Vec::new(),
            resource: 0,
            made_at: at,
        }
    }

    /// Makes the test itself.
    pub(in super::super) fn test(driver: &mut Driver<'_>) -> Self {
        let at = Location::caller();
        Self { domain: Some(DomainId::ROOT), ..Self::unnumbered("test", driver, at) }
    }
}

const SOCKETS_MAX: u32 = 65_536;

/// Streams of machines: none of a task, a domain or a link is like them.
const NODES: u64 = 0x6e6f_6465_7300_0001;
