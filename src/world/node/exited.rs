//! Waiting for the end of a machine's process.

use std::future::Future;
use std::panic::Location;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use super::super::socket::Owner;
use super::super::state::{with_state, with_state_if_any};
use super::exit::Exit;
use super::handle::Node;
use crate::executor::{Access, Point, Verb, WakeTarget, note_wait};

/// Future of [`Node::exited`].
#[derive(Debug)]
#[must_use = "futures do nothing unless you `.await` or poll them"]
pub struct Exited {
    node: Node,
    owner: Owner,
    /// Its place among the waiters, from the call on: a program may end before the first poll. Tickets
    /// are not used again, so one of a process that has ended finds nothing.
    ticket: u64,
    point: Point,
    at: &'static Location<'static>,
}

impl Exited {
    pub(super) fn new(node: Node, at: &'static Location<'static>) -> Self {
        let (owner, ticket) = node.with("Node::exited", |state, _| {
            let owner = state.nodes.owner(node.id());
            let ticket = state.nodes.ticket_count;
            state.nodes.ticket_count += 1;
            if state.nodes.is_alive(owner) {
                state.nodes.get_mut(owner.node).exit_waiters.push((ticket, None));
            }
            (owner, ticket)
        });
        Self { node, owner, ticket, point: Point::new(), at }
    }
}

impl Future for Exited {
    type Output = Exit;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Exit> {
        let this = &mut *self;
        let resource = this.node.resource();
        ready!(this.point.poll(context, &resource, &EXITED, this.at));
        // Unborrowed: a foreign waker is code of the user's.
        let target = WakeTarget::of(context.waker());
        let (node, ticket) = (this.owner.node, this.ticket);
        let exit = with_state("Exited::poll", |state, _| {
            let own = state.nodes.get_mut(node);
            let waiter = own.exit_waiters.iter_mut().find(|waiter| waiter.0 == ticket);
            if let Some((_, waiter)) = waiter {
                waiter.replace(target).into_iter().for_each(|old| state.wakes.let_go(old));
                return None;
            }
            // It was taken off when its process had ended.
            state.wakes.let_go(target);
            own.exit.clone()
        });
        if exit.is_none() {
            note_wait(&resource, &EXITED, this.at);
        }
        exit.map_or(Poll::Pending, Poll::Ready)
    }
}

impl Drop for Exited {
    fn drop(&mut self) {
        let (node, ticket) = (self.owner.node, self.ticket);
        // Also of a dead machine: who is gone does not observe an error.
        let _ = with_state_if_any(|state, driver| {
            if driver.serial() != self.node.serial() {
                return;
            }
            let waiters = &mut state.nodes.get_mut(node).exit_waiters;
            if let Some(place) = waiters.iter().position(|waiter| waiter.0 == ticket) {
                let (_, target) = waiters.remove(place);
                target.into_iter().for_each(|target| state.wakes.let_go(target));
            }
        });
    }
}

/// Future of [`Node::stop`]. The machine stops whether or not it is awaited.
#[derive(Debug)]
#[must_use = "the machine stops by itself, but await this to know when it has"]
pub struct Stop {
    exited: Exited,
}

impl Stop {
    pub(super) fn new(exited: Exited) -> Self {
        Self { exited }
    }
}

impl Future for Stop {
    type Output = Exit;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Exit> {
        Pin::new(&mut self.exited).poll(context)
    }
}

static EXITED: Verb = Verb::new("exited", Access::Read);
