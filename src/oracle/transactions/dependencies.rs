//! Who depends on whom, and why.

use std::fmt::{Debug, Write as _};

use crate::oracle::graph::Graph;

/// A graph of transactions: an edge goes from one to another that comes behind it in any order that explains the answers.
#[derive(Debug)]
pub(super) struct Dependencies<'a, K, V> {
    pub(super) graph: Graph,
    reasons: Vec<Reason<'a, K, V>>,
}

/// Why one comes behind another.
#[derive(Debug)]
pub(super) enum Reason<'a, K, V> {
    /// It wrote the next version.
    Wrote { key: &'a K, before: &'a V, after: &'a V },
    /// It read what the other wrote.
    Read { key: &'a K, value: &'a V },
    /// It wrote the version behind the one that the other read; none is that there was nothing.
    Replaced { key: &'a K, read: Option<&'a V>, by: &'a V },
    /// It was invoked when the other had ended.
    Time,
}

/// What kind of dependency an edge is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Relation {
    WriteWrite,
    WriteRead,
    ReadWrite,
    Time,
}

impl<'a, K: Debug, V: Debug> Dependencies<'a, K, V> {
    pub(super) fn new(transactions: usize) -> Self {
        Self { graph: Graph::new(transactions), reasons: Vec::new() }
    }

    /// Adds that a transaction comes behind another; of itself it does not.
    pub(super) fn add(&mut self, from: usize, to: usize, reason: Reason<'a, K, V>) {
        if from != to {
            self.graph.add(from, to);
            self.reasons.push(reason);
        }
    }

    pub(super) fn add_time(&mut self, from: usize, to: usize) {
        self.add(from, to, Reason::Time);
    }

    pub(super) fn count(&self) -> usize {
        self.reasons.len()
    }

    pub(super) fn relation(&self, edge: usize) -> Relation {
        match self.reasons[edge] {
            Reason::Wrote { .. } => Relation::WriteWrite,
            Reason::Read { .. } => Relation::WriteRead,
            Reason::Replaced { .. } => Relation::ReadWrite,
            Reason::Time => Relation::Time,
        }
    }

    /// Returns a cycle in words, a line for each step.
    pub(super) fn explained(&self, cycle: &[usize]) -> String {
        let mut text = String::from("a cycle");
        for &edge in cycle {
            let (from, to) = self.graph.ends(edge);
            let _ = match &self.reasons[edge] {
                Reason::Wrote { key, before, after } => write!(
                    text,
                    "\n  {to} wrote {after:?} to {key:?} behind {before:?}, which {from} wrote"
                ),
                Reason::Read { key, value } => {
                    write!(text, "\n  {to} read {value:?} of {key:?}, which {from} wrote")
                }
                Reason::Replaced { key, read: Some(read), by } => write!(
                    text,
                    "\n  {to} wrote {by:?} to {key:?} behind {read:?}, which {from} read as the last"
                ),
                Reason::Replaced { key, read: None, by } => write!(
                    text,
                    "\n  {to} wrote {by:?} to {key:?}, of which {from} read that there was nothing"
                ),
                Reason::Time => write!(text, "\n  {to} was invoked when {from} had ended"),
            };
        }
        text
    }
}
