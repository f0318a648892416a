//! Who goes on: the trait that exploration strategies implement.

use std::fmt;

use super::resource::Operation;
use crate::kernel::StreamId;

/// Decides which task goes on, wherever more than one can.
///
/// It is asked at every point of a task that could be preempted there, and whenever a task has
/// blocked, yielded or ended. What it draws must depend on the seed alone; its draws are not
/// choices of the run, so how a failure was found is not needed to replay it.
///
/// # Examples
/// A strategy that always takes the task that has waited longest:
/// ```
/// use parcae::executor::{Decision, Pick};
///
/// #[derive(Debug)]
/// struct Oldest;
///
/// impl Pick for Oldest {
///     fn pick(&mut self, decision: &Decision<'_>) -> usize {
///         usize::from(decision.can_continue())
///     }
/// }
/// ```
pub trait Pick: fmt::Debug {
    /// Returns the index of the candidate that goes on.
    ///
    /// Called with two candidates or more; an index that is out of range ends the run with a panic.
    fn pick(&mut self, decision: &Decision<'_>) -> usize;

    /// Is told of a task that goes on with its next operation although nothing was decided: nobody else
    /// was ready, or an override said so.
    fn went_on(&mut self, candidate: Candidate) {
        let _ = candidate;
    }

    /// Is told of each new task, before any decision about it.
    fn spawned(&mut self, parent: StreamId, child: StreamId) {
        let _ = (parent, child);
    }
}

/// One decision: the candidates, in the order that the default world would take them.
///
/// If the running task came to a point and can continue, it is candidate 0. The others follow in
/// the order in which they became ready.
pub struct Decision<'a> {
    pub(super) candidates: &'a dyn CandidateList,
    pub(super) can_continue: bool,
}

impl Decision<'_> {
    /// Returns how many candidates there are, at least 2.
    #[must_use]
    pub fn candidate_count(&self) -> usize {
        self.candidates.count()
    }

    /// Returns one of them.
    ///
    /// # Panics
    /// When the index is out of range.
    #[must_use]
    pub fn candidate(&self, index: usize) -> Candidate {
        self.candidates.get(index)
    }

    /// Tells whether candidate 0 is the running task at a point, so that another one preempts it.
    #[must_use]
    pub fn can_continue(&self) -> bool {
        self.can_continue
    }
}

impl fmt::Debug for Decision<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let candidates = (0..self.candidate_count()).map(|index| self.candidate(index));
        formatter.debug_list().entries(candidates).finish()
    }
}

/// A task that could go on, and what it would do next.
#[derive(Clone, Copy, Debug)]
pub struct Candidate {
    /// Which task; the same in every run of the world.
    pub task: StreamId,
    /// Its next operation, as far as is known: what it is about to do at a point, was about to do when
    /// it was preempted, or waited for. [`Operation::START`] if that is nothing of ours: it was
    /// spawned, has yielded, or waited for time, a task or a foreign future.
    pub operation: Operation,
}

pub(super) trait CandidateList {
    fn count(&self) -> usize;
    fn get(&self, index: usize) -> Candidate;
}

#[cfg(test)]
impl CandidateList for Vec<Candidate> {
    fn count(&self) -> usize {
        self.len()
    }

    fn get(&self, index: usize) -> Candidate {
        self[index]
    }
}

#[cfg(test)]
impl<'a> Decision<'a> {
    /// Makes a decision between these, for tests of strategies.
    pub(crate) fn between(candidates: &'a Vec<Candidate>) -> Self {
        Self { candidates, can_continue: false }
    }
}
