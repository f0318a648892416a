//! All machines of a run, by number, name and domain.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::panic::Location;
use std::sync::Arc;

use super::super::socket::Owner;
use super::clock::ClockSteps;
use super::exit::Exit;
use super::program::MakeProgram;
use super::restart::RestartPolicy;
use super::targets::{Target, Targets};
use crate::executor::{DomainId, TimerKey, WakeTarget};
use crate::kernel::StreamId;

/// Names a machine of the run; 0 is the test itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct NodeId(u16);

impl NodeId {
    /// The test itself, which is a machine named `test` and cannot die.
    pub(crate) const TEST: Self = Self(0);

    pub(crate) const fn of_number(number: u16) -> Self {
        Self(number)
    }

    #[inline]
    pub(crate) const fn number(self) -> u16 {
        self.0
    }

    #[inline]
    pub(crate) fn index(self) -> usize {
        usize::from(self.0)
    }
}

/// Whether a machine has power. One that is up and has no domain runs a kernel and no process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Power {
    Up,
    Off,
}

/// One machine.
#[derive(Debug)]
pub(crate) struct NodeState {
    pub(crate) name: Arc<str>,
    /// Who draws for it; the same in all its incarnations.
    pub(crate) stream: StreamId,
    /// The tasks of the process that runs; none between two incarnations. That of the test is the root.
    pub(crate) domain: Option<DomainId>,
    /// The domain of the process that runs, or ran last: whose clock the machine goes by.
    pub(super) last_domain: DomainId,
    /// Counts the processes, from 0.
    pub(crate) incarnation: u32,
    pub(crate) power: Power,
    /// The name under which it was made with others.
    pub(crate) group: Option<Arc<str>>,
    /// Addresses beside the automatic ones, which it was given.
    pub(crate) addresses: Vec<IpAddr>,
    pub(crate) labels: Vec<(&'static str, Arc<str>)>,
    /// Most sockets that are open at once.
    pub(crate) sockets_max: u32,
    pub(super) program: Option<MakeProgram>,
    pub(super) policy: RestartPolicy,
    /// How often the policy has had it started again.
    pub(super) restarts: u32,
    pub(super) slowness: u32,
    pub(super) steps: Option<Box<ClockSteps>>,
    /// How often its wall clock was to jump.
    pub(super) step_count: u64,
    /// It was asked to stop: no policy starts it again.
    pub(super) is_stopping: bool,
    /// The end of its grace while it runs, its restart while it does not.
    pub(super) timer: Option<TimerKey>,
    pub(super) exit: Option<Exit>,
    /// By their tickets; none for one that has not been polled.
    pub(super) exit_waiters: Vec<(u64, Option<WakeTarget>)>,
    /// Number of the resource that is waited for until it exits.
    pub(super) resource: u64,
    pub(super) made_at: &'static Location<'static>,
}

/// All machines.
#[derive(Debug)]
pub(crate) struct Nodes {
    nodes: Vec<NodeState>,
    names: BTreeMap<Arc<str>, NodeId>,
    groups: BTreeMap<Arc<str>, Vec<NodeId>>,
    /// Whose process each domain is; none for those that are no machine's.
    domains: Vec<Option<Owner>>,
    /// How often somebody has begun to wait for an exit.
    pub(super) ticket_count: u64,
}

impl Nodes {
    /// Makes the table with the test in it.
    pub(crate) fn new(test: NodeState) -> Self {
        let names = BTreeMap::from([(test.name.clone(), NodeId::TEST)]);
        Self {
            nodes: vec![test],
            names,
            groups: BTreeMap::new(),
            domains: Vec::new(),
            ticket_count: 0,
        }
    }

    /// Adds a machine.
    ///
    /// # Panics
    /// When the name is taken, or there are 65,535 machines.
    #[track_caller]
    pub(super) fn add(&mut self, node: NodeState) -> NodeId {
        let name = &node.name;
        assert!(!name.is_empty(), "a machine needs a name");
        assert!(
            !self.names.contains_key(name) && !self.groups.contains_key(name),
            "the name `{name}` is taken by another machine or group"
        );
        let number = u16::try_from(self.nodes.len()).expect("a run has at most 65,535 machines");
        let id = NodeId(number);
        self.names.insert(name.clone(), id);
        if let Some(group) = &node.group {
            self.groups.entry(group.clone()).or_default().push(id);
        }
        self.nodes.push(node);
        id
    }

    /// Panics when a group cannot have this name.
    #[track_caller]
    pub(super) fn check_group(&self, name: &str) {
        assert!(!name.is_empty(), "a group of machines needs a name");
        assert!(
            !self.names.contains_key(name) && !self.groups.contains_key(name),
            "the name `{name}` is taken by another machine or group"
        );
    }

    /// Notes that a domain is the process of a machine that runs now.
    pub(super) fn own(&mut self, domain: DomainId, owner: Owner) {
        let index = domain.index();
        if self.domains.len() <= index {
            self.domains.resize(index + 1, None);
        }
        self.domains[index] = Some(owner);
    }

    /// Returns a machine.
    #[inline]
    pub(crate) fn get(&self, node: NodeId) -> &NodeState {
        &self.nodes[node.index()]
    }

    #[inline]
    pub(super) fn get_mut(&mut self, node: NodeId) -> &mut NodeState {
        &mut self.nodes[node.index()]
    }

    /// Returns all of them in the order in which they were made, the test first.
    pub(crate) fn ids(&self) -> impl Iterator<Item = NodeId> + use<> {
        let count = u16::try_from(self.nodes.len()).expect("a run has at most 65,535 machines");
        (0..count).map(NodeId)
    }

    /// Returns the machine of a name.
    pub(crate) fn find(&self, name: &str) -> Option<NodeId> {
        self.names.get(name).copied()
    }

    /// Returns the machines of a group, in the order in which they were made.
    pub(crate) fn group(&self, name: &str) -> Option<&[NodeId]> {
        self.groups.get(name).map(Vec::as_slice)
    }

    /// Returns the process whose tasks a domain has. The root and domains that are no machine's are of
    /// the test.
    #[inline]
    pub(crate) fn owner_of(&self, domain: DomainId) -> Owner {
        let found = self.domains.get(domain.index()).copied().flatten();
        found.unwrap_or(Owner { node: NodeId::TEST, incarnation: 0 })
    }

    /// Returns the machine on which the tasks of a domain run.
    #[inline]
    pub(crate) fn of_domain(&self, domain: DomainId) -> NodeId {
        self.owner_of(domain).node
    }

    /// Tells whether the kernel of a machine runs: it answers what comes.
    #[inline]
    pub(crate) fn is_up(&self, node: NodeId) -> bool {
        self.get(node).power == Power::Up
    }

    /// Tells whether this process of a machine runs.
    #[inline]
    pub(crate) fn is_alive(&self, owner: Owner) -> bool {
        let node = self.get(owner.node);
        node.domain.is_some() && node.incarnation == owner.incarnation
    }

    /// Returns the process that runs on a machine now, or ran last.
    #[inline]
    pub(crate) fn owner(&self, node: NodeId) -> Owner {
        Owner { node, incarnation: self.get(node).incarnation }
    }

    /// Returns the domain whose clock a machine goes by: that of the process that runs, or ran last.
    #[inline]
    pub(crate) fn clock_domain(&self, node: NodeId) -> DomainId {
        self.get(node).last_domain
    }

    /// Returns all addresses of a machine but loopback: those it was given, then the automatic ones.
    pub(crate) fn addresses(&self, node: NodeId) -> Vec<IpAddr> {
        let given = self.get(node).addresses.iter().copied();
        given.chain(automatic_addresses(node)).collect()
    }

    /// Returns the machines that a verb acts on, each once, in the order in which they were made.
    ///
    /// # Panics
    /// When a name is unknown.
    #[track_caller]
    pub(crate) fn resolve(&self, targets: &dyn Targets) -> Vec<NodeId> {
        let (mut found, mut unknown) = (Vec::new(), None);
        targets.each(&mut |target| match target {
            Target::Name(name) => match (self.find(name), self.group(name)) {
                (Some(node), _) => found.push(node),
                (None, Some(group)) => found.extend_from_slice(group),
                (None, None) => unknown = Some(name.to_owned()),
            },
            Target::Label(kind, value) => {
                let has = |node: &NodeId| {
                    self.get(*node).labels.iter().any(|(own, is)| *own == kind && **is == *value)
                };
                let count = found.len();
                found.extend(self.ids().filter(has));
                if found.len() == count {
                    unknown = Some(format!("{kind}={value}"));
                }
            }
            Target::Everyone => found.extend(self.ids()),
        });
        if let Some(unknown) = unknown {
            let names: Vec<&str> =
                self.names.keys().chain(self.groups.keys()).map(|name| &**name).collect();
            panic!("no machine, group or label is `{unknown}`; there are: {}", names.join(", "));
        }
        found.sort_unstable();
        found.dedup();
        found
    }

    /// Returns what reports call the resource that is waited for until a machine exits.
    pub(crate) fn name_of(&self, resource: u64) -> Option<String> {
        let found = self.nodes.iter().find(|node| node.resource == resource)?;
        Some(found.name.to_string())
    }
}

/// Returns the addresses that a machine has without being given any: `10.0.x.y` and `fd00::1:xy`,
/// where x and y are the bytes of its number, from 10.0.0.1; those of the test are 10.255.0.1 and
/// `fd00::ffff`.
pub(crate) fn automatic_addresses(node: NodeId) -> [IpAddr; 2] {
    if node == NodeId::TEST {
        let v6 = Ipv6Addr::new(0xfd00, 0, 0, 0, 0, 0, 0, 0xffff);
        return [Ipv4Addr::new(10, 255, 0, 1).into(), v6.into()];
    }
    let [high, low] = node.number().to_be_bytes();
    let v6 = Ipv6Addr::new(0xfd00, 0, 0, 0, 0, 0, 1, node.number());
    [Ipv4Addr::new(10, 0, high, low).into(), v6.into()]
}
