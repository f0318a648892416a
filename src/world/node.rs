//! Machines: what they are made of, how they start and die.
//!
//! A machine may not know TCP or links. See [`NodeState`] for what there is of each.

mod table;

pub(crate) use self::table::{NodeId, NodeState, Nodes, Power, automatic_addresses};

use super::event::WorldEvent;
use super::host::{Driver, Host as _};
use crate::executor::Weight;
use crate::kernel::VirtualTime;

/// Has a machine start its program again.
fn start_at(driver: &mut Driver<'_>, node: NodeId, at: VirtualTime) {
    driver.set(at, WorldEvent::Start(node), Weight::Foreground);
}

/// Lets an event of a machine happen; nothing is borrowed.
pub(super) fn happen(event: WorldEvent) {
    panic!("part A: {event:?}")
}
