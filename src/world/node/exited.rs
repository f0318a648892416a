//! Waiting for the end of a machine's process.

use std::future::Future;
use std::panic::Location;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use super::super::socket::Owner;
use super::super::state::{with_state, with_state_if_any};
use super::exit::Exit;
use super::handle::Node;
use crate::executor::{Access, Point, Resource, Verb, WakeTarget, note_wait};

/// Future of [`Node::exited`].
#[derive(Debug)]
#[must_use = "futures do nothing unless you `.await` or poll them"]
pub struct Exited {
    node: Node,
    owner: Owner,
    /// Its place among the waiters.
    ticket: Option<u64>,
    point: Point,
    at: &'static Location<'static>,
}

impl Exited {
    pub(super) fn new(node: Node, at: &'static Location<'static>) -> Self {
        let owner = node.with("Node::exited", |state, _| state.nodes.owner(node.id()));
        Self { node, owner, ticket: None, point: Point::new(), at }
    }

    fn resource(&self) -> Resource {
        self.node.resource()
    }
}

impl Future for Exited {
    type Output = Exit;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Exit> {
        let this = &mut *self;
        let resource = this.resource();
        ready!(this.point.poll(context, &resource, &EXITED, this.at));
        // Unborrowed: a foreign waker is code of the user's.
        let target = WakeTarget::of(context.waker());
        let (owner, ticket) = (this.owner, this.ticket);
        let polled = with_state("Exited::poll", |state, _| {
            let is_alive = state.nodes.is_alive(owner);
            let own = state.nodes.get_mut(owner.node);
            match &own.exit {
                Some(exit) if !is_alive => {
                    // It was taken off when the process ended.
                    state.wakes.let_go(target);
                    Ok(exit.clone())
                }
                _ => Err(state.wait_for_exit(owner, ticket, target)),
            }
        });
        match polled {
            Ok(exit) => {
                this.ticket = None;
                Poll::Ready(exit)
            }
            Err(ticket) => {
                this.ticket = Some(ticket);
                note_wait(&resource, &EXITED, this.at);
                Poll::Pending
            }
        }
    }
}

impl Drop for Exited {
    fn drop(&mut self) {
        let Some(ticket) = self.ticket else { return };
        let node = self.owner.node;
        // Also of a dead machine: who is gone does not observe an error.
        let _ = with_state_if_any(|state, _| {
            let own = state.nodes.get_mut(node);
            if let Some(place) = own.exit_waiters.iter().position(|waiter| waiter.0 == ticket) {
                let (_, target) = own.exit_waiters.remove(place);
                state.wakes.let_go(target);
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
