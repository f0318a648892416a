//! The reference of a supervised child.

use std::fmt;
use std::ops::Deref;

use crate::actor::{Actor, ActorRef};

/// The reference of a supervised child: of its present incarnation, whichever that is, and of the next one
/// while there is none.
pub struct ChildSlot<A: Actor> {
    reference: ActorRef<A>,
}

impl<A: Actor> ChildSlot<A> {
    pub(super) fn new(reference: ActorRef<A>) -> Self {
        Self { reference }
    }

    /// Returns the reference, to be given away.
    pub fn reference(&self) -> ActorRef<A> {
        self.reference.clone()
    }
}

impl<A: Actor> Deref for ChildSlot<A> {
    type Target = ActorRef<A>;

    fn deref(&self) -> &ActorRef<A> {
        &self.reference
    }
}

impl<A: Actor> Clone for ChildSlot<A> {
    fn clone(&self) -> Self {
        Self { reference: self.reference.clone() }
    }
}

impl<A: Actor> fmt::Debug for ChildSlot<A> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("ChildSlot").field(&self.reference).finish()
    }
}
