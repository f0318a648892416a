//! What a verb of the network acts on.

use super::handle::Node;
use super::labels::{Everyone, Label};

/// Machines that a verb acts on: the name of one or of a group, a [`Node`], a
/// [`label`](super::label), [`everyone`](super::everyone), or arrays, slices and vectors of those.
///
/// They are resolved when the verb is called; a machine that is made later is not among them.
pub trait Targets {
    /// Calls `visit` with each of them.
    fn each(&self, visit: &mut dyn FnMut(Target<'_>));
}

/// One or several machines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Target<'a> {
    /// The machine or the group of this name.
    Name(&'a str),
    /// Those with a label of this kind and value.
    Label(&'a str, &'a str),
    /// All of them.
    Everyone,
}

impl Targets for str {
    fn each(&self, visit: &mut dyn FnMut(Target<'_>)) {
        visit(Target::Name(self));
    }
}

impl Targets for String {
    fn each(&self, visit: &mut dyn FnMut(Target<'_>)) {
        visit(Target::Name(self));
    }
}

impl Targets for Node {
    fn each(&self, visit: &mut dyn FnMut(Target<'_>)) {
        visit(Target::Name(self.name()));
    }
}

impl Targets for Label<'_> {
    fn each(&self, visit: &mut dyn FnMut(Target<'_>)) {
        visit(Target::Label(self.kind, self.value));
    }
}

impl Targets for Everyone {
    fn each(&self, visit: &mut dyn FnMut(Target<'_>)) {
        visit(Target::Everyone);
    }
}

impl<T: Targets> Targets for [T] {
    fn each(&self, visit: &mut dyn FnMut(Target<'_>)) {
        for targets in self {
            targets.each(visit);
        }
    }
}

impl<T: Targets, const COUNT: usize> Targets for [T; COUNT] {
    fn each(&self, visit: &mut dyn FnMut(Target<'_>)) {
        self.as_slice().each(visit);
    }
}

impl<T: Targets> Targets for Vec<T> {
    fn each(&self, visit: &mut dyn FnMut(Target<'_>)) {
        self.as_slice().each(visit);
    }
}

impl<T: Targets + ?Sized> Targets for &T {
    fn each(&self, visit: &mut dyn FnMut(Target<'_>)) {
        (**self).each(visit);
    }
}
