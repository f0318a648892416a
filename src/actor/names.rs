//! Names of actors: one set for each machine.

use std::borrow::Cow;
use std::sync::Arc;

use super::any_ref::AnyRef;
use super::behaviour::Actor;
use super::cell::Cell;
use super::reference::ActorRef;
use super::system::System;

/// Returns the actor of this name and type on the machine of the caller. None while there is none, and
/// when the one that has the name is of another type.
///
/// # Panics
/// Outside of a parcae runtime.
#[must_use]
#[track_caller]
pub fn whereis<A: Actor>(name: &str) -> Option<ActorRef<A>> {
    let system = System::here("parcae::actor::whereis");
    let cell = system.names().with(|names| names.get(name).map(|named| named.cell.clone()))?;
    cell.downcast::<Cell<A>>().ok().map(ActorRef::local)
}

/// Returns the actor of this name on the machine of the caller, of whatever type.
///
/// # Panics
/// Outside of a parcae runtime.
#[must_use]
#[track_caller]
pub fn whereis_any(name: &str) -> Option<AnyRef> {
    let system = System::here("parcae::actor::whereis_any");
    system.names().with(|names| names.get(name).map(|named| named.actor.clone()))
}

/// Lists the names that have an actor on the machine of the caller, in alphabetical order.
///
/// # Panics
/// Outside of a parcae runtime.
#[must_use]
#[track_caller]
pub fn names() -> Vec<Cow<'static, str>> {
    let system = System::here("parcae::actor::names");
    system.names().with(|names| names.keys().cloned().collect())
}

/// Gives a cell its name.
pub(crate) fn register<A: Actor>(cell: &Arc<Cell<A>>) -> bool {
    let Some(name) = &cell.name else { return true };
    let named = super::system::Named { actor: cell.any_ref(), cell: cell.clone() };
    cell.system.register(Cow::clone(name), named)
}
