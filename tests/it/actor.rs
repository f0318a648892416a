//! Tests of `parcae::actor` that need a simulation: schedules, failures of runs, machines. What holds on
//! both backends is in the conformance set.

mod cancelling;
mod cycles;
mod failures;
mod machines;
mod parcels;
#[cfg(feature = "remote")]
mod remote;
mod schedules;
mod supervisor;

use std::convert::Infallible;

use parcae::actor::{Actor, Context, Handler};
use parcae::message;

use crate::runs::Journal;

/// Keeps what it is told, in order.
pub(crate) struct Keeper(Journal<u32>);

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Keep(pub(crate) u32);
message!(Keep -> usize);

impl Actor for Keeper {
    type Args = Journal<u32>;
    type Error = Infallible;

    async fn start(journal: Journal<u32>, _: &mut Context<Self>) -> Result<Self, Infallible> {
        Ok(Self(journal))
    }
}

impl Handler<Keep> for Keeper {
    async fn handle(&mut self, keep: Keep, _: &mut Context<Self>) -> Result<usize, Infallible> {
        self.0.add(keep.0);
        Ok(self.0.count())
    }
}
