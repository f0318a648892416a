//! All machines of a run, by number, name and domain.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::rc::Rc;

use super::super::socket::Owner;
use crate::executor::DomainId;

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
    pub(crate) name: Rc<str>,
    /// The tasks of the process that runs; none between two incarnations. That of the test is the root.
    pub(crate) domain: Option<DomainId>,
    /// Counts the processes, from 0.
    pub(crate) incarnation: u32,
    pub(crate) power: Power,
    /// The name under which it was made with others.
    pub(crate) group: Option<Rc<str>>,
    /// Addresses beside the automatic ones, which it was given.
    pub(crate) addresses: Vec<IpAddr>,
    pub(crate) labels: Vec<(&'static str, Rc<str>)>,
    /// Most sockets that are open at once.
    pub(crate) sockets_max: u32,
}

/// All machines.
#[derive(Debug)]
pub(crate) struct Nodes {
    nodes: Vec<NodeState>,
    names: BTreeMap<Rc<str>, NodeId>,
}

impl Nodes {
    pub(crate) fn new() -> Self {
        let _ = DomainId::has_room;
        Self { nodes: Vec::new(), names: BTreeMap::new() }
    }

    /// Returns a machine.
    #[inline]
    pub(crate) fn get(&self, node: NodeId) -> &NodeState {
        &self.nodes[node.index()]
    }

    /// Returns how many there are, the test among them.
    pub(crate) fn count(&self) -> usize {
        self.nodes.len()
    }

    /// Returns all of them in the order in which they were made, the test first.
    pub(crate) fn ids(&self) -> impl Iterator<Item = NodeId> {
        (0..self.nodes.len()).map(|index| NodeId(u16::try_from(index).expect("fewer than 65,536")))
    }

    /// Returns the machine of a name.
    pub(crate) fn find(&self, name: &str) -> Option<NodeId> {
        self.names.get(name).copied()
    }

    /// Returns the machine on which the tasks of a domain run. The root and domains that are no
    /// machine's are of the test.
    pub(crate) fn of_domain(&self, domain: DomainId) -> NodeId {
        panic!("part A")
    }

    /// Tells whether the kernel of a machine runs: it answers what comes.
    #[inline]
    pub(crate) fn is_up(&self, node: NodeId) -> bool {
        self.get(node).power == Power::Up
    }

    /// Tells whether this process of a machine runs.
    pub(crate) fn is_alive(&self, owner: Owner) -> bool {
        let node = self.get(owner.node);
        node.domain.is_some() && node.incarnation == owner.incarnation
    }

    /// Returns the process that runs on a machine now, or ran last.
    #[inline]
    pub(crate) fn owner(&self, node: NodeId) -> Owner {
        Owner { node, incarnation: self.get(node).incarnation }
    }

    /// Returns the domain whose clock the kernel of a machine goes by: that of the process that runs, or
    /// ran last.
    pub(crate) fn clock_domain(&self, node: NodeId) -> DomainId {
        panic!("part A")
    }

    /// Returns all addresses of a machine but loopback: those it was given, then the automatic ones.
    pub(crate) fn addresses(&self, node: NodeId) -> Vec<IpAddr> {
        let given = self.get(node).addresses.iter().copied();
        given.chain(automatic_addresses(node)).collect()
    }
}

/// Returns the addresses that a machine has without being given any: `10.0.x.y` and `fd00::x:y`, counted
/// from 10.0.0.1; those of the test are 10.255.0.1 and `fd00::ffff`.
pub(crate) fn automatic_addresses(node: NodeId) -> [IpAddr; 2] {
    if node == NodeId::TEST {
        let v6 = Ipv6Addr::new(0xfd00, 0, 0, 0, 0, 0, 0, 0xffff);
        return [Ipv4Addr::new(10, 255, 0, 1).into(), v6.into()];
    }
    let [high, low] = node.number().to_be_bytes();
    let v6 = Ipv6Addr::new(0xfd00, 0, 0, 0, 0, 0, 1, node.number());
    [Ipv4Addr::new(10, 0, high, low).into(), v6.into()]
}
