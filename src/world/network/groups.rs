//! Which machines are in which multicast groups.
//!
//! Knows machines and no sockets: a machine is in a group as often as its sockets have joined it.

use std::collections::BTreeMap;

use super::address::AddressId;
use crate::world::node::NodeId;

/// Members of all groups.
#[derive(Debug, Default)]
pub(crate) struct Groups {
    members: BTreeMap<(AddressId, NodeId), u32>,
}

impl Groups {
    /// Takes note of a socket of a machine that has joined.
    pub(crate) fn join(&mut self, group: AddressId, node: NodeId) {
        *self.members.entry((group, node)).or_default() += 1;
    }

    /// Takes note of a socket of a machine that has left.
    pub(crate) fn leave(&mut self, group: AddressId, node: NodeId) {
        let count = self.members.get_mut(&(group, node)).expect("who leaves has joined");
        *count -= 1;
        if *count == 0 {
            self.members.remove(&(group, node));
        }
    }

    /// Returns the machines in a group, by number.
    pub(crate) fn members(&self, group: AddressId) -> impl Iterator<Item = NodeId> + '_ {
        let all = (group, NodeId::TEST)..=(group, NodeId::of_number(u16::MAX));
        self.members.range(all).map(|((_, node), _)| *node)
    }
}
