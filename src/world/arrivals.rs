//! Waiting for packets to arrive at some machines.

use std::future::{Future, poll_fn};
use std::task::Poll;

use super::node::NodeId;
use super::state::{Wakes, with_state, with_state_if_any};
use crate::executor::WakeTarget;

/// Who waits for a packet.
#[derive(Debug, Default)]
pub(super) struct Arrivals {
    waiters: Vec<Waiter>,
    /// How often somebody has begun to wait.
    ticket_count: u64,
}

#[derive(Debug)]
struct Waiter {
    ticket: u64,
    nodes: Vec<NodeId>,
    /// Those of the machines at which some have.
    arrived: Vec<NodeId>,
    target: Option<WakeTarget>,
}

impl Arrivals {
    /// Notes that a packet has arrived.
    #[inline]
    pub(super) fn note(&mut self, node: NodeId, wakes: &mut Wakes) {
        if !self.waiters.is_empty() {
            self.tell(node, wakes);
        }
    }

    fn tell(&mut self, node: NodeId, wakes: &mut Wakes) {
        for waiter in &mut self.waiters {
            if waiter.nodes.contains(&node) {
                waiter.arrived.push(node);
                waiter.target.take().into_iter().for_each(|target| wakes.wake(target));
            }
        }
    }
}

/// Waits for a packet to one of these machines, from its first poll on; returns where some have arrived by then. It is not
/// a point: it is for faults, which share no state with the program.
pub(crate) fn next_packets(
    nodes: impl Iterator<Item = NodeId>,
) -> impl Future<Output = Vec<NodeId>> {
    let mut nodes: Vec<NodeId> = nodes.collect();
    let mut place = Place(None);
    poll_fn(move |context| {
        let target = WakeTarget::of(context.waker());
        with_state("next_packets", |state, _| {
            let arrivals = &mut state.arrivals;
            let ticket = *place.0.get_or_insert_with(|| {
                arrivals.ticket_count += 1;
                let ticket = arrivals.ticket_count;
                let nodes = std::mem::take(&mut nodes);
                arrivals.waiters.push(Waiter { ticket, nodes, arrived: Vec::new(), target: None });
                ticket
            });
            let waiter = arrivals.waiters.iter_mut().find(|waiter| waiter.ticket == ticket);
            let waiter = waiter.expect("it is there until it is dropped");
            if !waiter.arrived.is_empty() {
                state.wakes.let_go(target);
                return Poll::Ready(std::mem::take(&mut waiter.arrived));
            }
            waiter.target.replace(target).into_iter().for_each(|old| state.wakes.let_go(old));
            Poll::Pending
        })
    })
}

/// The ticket of one that waits; dropped, it waits no more.
struct Place(Option<u64>);

impl Drop for Place {
    fn drop(&mut self) {
        let Some(ticket) = self.0 else { return };
        let _ = with_state_if_any(|state, _| {
            let waiters = &mut state.arrivals.waiters;
            if let Some(place) = waiters.iter().position(|waiter| waiter.ticket == ticket) {
                let target = waiters.remove(place).target;
                target.into_iter().for_each(|target| state.wakes.let_go(target));
            }
        });
    }
}
