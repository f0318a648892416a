//! Cycles of asks: actors that wait for each other's answers, each in a handler of its own.
//!
//! An ask that a handler waits for is an edge from its actor to the one that it asks. If edges lead back
//! from there, none of them will ever be answered: the run fails as a deadlock at the moment the last
//! edge is added, long before a time-out. Asks of other tasks, [`Context::task`](super::Context::task)
//! included, add no edge: the actor itself goes on.

use std::panic::Location;

use super::any_ref::AnyRef;
use super::current::current;
use super::state::Asking;
use crate::backend;

/// An edge, until it is dropped.
pub(crate) struct Edge {
    from: AnyRef,
    number: u64,
}

impl Edge {
    /// Adds the edge of an ask of the actor whose task is polled, if it is one.
    pub(crate) fn add(
        target: impl FnOnce() -> AnyRef,
        kind: impl FnOnce() -> &'static str,
        at: &'static Location<'static>,
    ) -> Option<Self> {
        let from = current()?;
        let kind = kind();
        let target = target();
        let _ = target.cell()?;
        let mut asking = Some(Asking { number: 0, target: target.clone(), kind, at });
        let mut number = 0;
        from.cell()?.with_core(&mut |core| {
            let edges = &mut core.cold().asking;
            number = edges.last().map_or(1, |last| last.number + 1);
            edges.extend(asking.take().map(|asking| Asking { number, ..asking }));
        });
        let edge = Self { from, number };
        let first = Asking { number, target, kind, at };
        if let Some(path) = path_back(&edge.from, first) {
            report(&edge.from, &path);
        }
        Some(edge)
    }
}

impl Drop for Edge {
    fn drop(&mut self) {
        let Some(cell) = self.from.cell() else { return };
        let mut removed = None;
        cell.with_core(&mut |core| {
            let edges = &mut core.cold().asking;
            let place = edges.iter().position(|edge| edge.number == self.number);
            removed = place.map(|place| edges.remove(place));
        });
        drop(removed);
    }
}

/// Returns the edges of a cycle through an actor, whose first is the one given.
fn path_back(start: &AnyRef, first: Asking) -> Option<Vec<Asking>> {
    let mut path = vec![first];
    let mut seen = Vec::new();
    is_found(start, &mut path, &mut seen).then_some(path)
}

fn is_found(start: &AnyRef, path: &mut Vec<Asking>, seen: &mut Vec<AnyRef>) -> bool {
    let Some(last) = path.last() else { return false };
    let here = last.target.clone();
    if here == *start {
        return true;
    }
    if seen.contains(&here) {
        return false;
    }
    seen.push(here.clone());
    let mut edges = Vec::new();
    if let Some(cell) = here.cell() {
        cell.with_core(&mut |core| {
            edges = core.cold.as_ref().map(|cold| cold.asking.clone()).unwrap_or_default();
        });
    }
    for edge in edges {
        path.push(edge);
        if is_found(start, path, seen) {
            return true;
        }
        drop(path.pop());
    }
    false
}

fn report(start: &AnyRef, path: &[Asking]) {
    let mut from = start.label().into_owned();
    let links = path.iter().map(|edge| {
        let to = edge.target.label().into_owned();
        let link = (from.clone(), to.clone(), edge.kind, edge.at);
        from = to;
        link
    });
    backend::report_ask_cycle(links.collect());
}
