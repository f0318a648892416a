//! A lookup of a name by a simulated machine.

use std::io;
use std::net::SocketAddr;
use std::panic::Location;
use std::task::{Context, Poll, ready};

use crate::backend::{Point, note_wait};
use crate::kernel::{Access, Verb};
use crate::world::calls::{self, LookupHandle};

/// A lookup that has begun. Dropping it forgets it.
#[derive(Debug)]
pub(in crate::net) struct SimulatedLookup {
    handle: LookupHandle,
    point: Point,
    at: &'static Location<'static>,
}

impl SimulatedLookup {
    pub(in crate::net) fn start(host: &str, port: u16, at: &'static Location<'static>) -> Self {
        Self { handle: calls::lookup_start(host, port), point: Point::new(), at }
    }

    /// Waits for the answer.
    pub(in crate::net) fn poll(
        &mut self,
        context: &Context<'_>,
    ) -> Poll<io::Result<Vec<SocketAddr>>> {
        let resource = self.handle.identity(self.at);
        ready!(self.point.poll(context, &resource, &RESOLVE, self.at));
        let polled = calls::lookup_poll(self.handle, context.waker());
        if polled.is_pending() {
            note_wait(&resource, &RESOLVE, self.at);
        }
        polled
    }
}

impl Drop for SimulatedLookup {
    fn drop(&mut self) {
        calls::lookup_drop(self.handle);
    }
}

static RESOLVE: Verb = Verb::new("resolve", Access::Write);
