//! Whether a history is linearizable: whether each operation can have taken effect at one instant between its invocation and
//! its end, so that together they are a run of the model.
//!
//! The search is that of Wing and Gong ("Testing and verifying concurrent objects", 1993) with Lowe's memory of what was tried
//! ("Testing for linearizability", 2017), on parts that do not touch each other, in turns with growing budgets: one bad part is
//! found although another one is hard. The problem is NP-complete; beyond its budget the verdict is *unknown*, never *right*.

mod search;

use std::collections::BTreeMap;

use self::search::{Progress, Search};
use super::history::{Effect, Operation};
use super::model::Model;
use super::verdict::{HistoryVerdict, Unjudged, Witness};

/// Tells whether a history is linearizable, with a budget of 100 million steps.
///
/// # Examples
/// See [`History`](super::History).
pub fn linearizable<M: Model>(
    model: &M,
    operations: &[Operation<M::Input, M::Output>],
) -> HistoryVerdict {
    linearizable_within(model, operations, DEFAULT_BUDGET)
}

/// Tells whether a history is linearizable, or unknown after so many steps: operations that were tried in a state.
///
/// A step takes some 100 ns, and at most as much memory as the state and a bit for each operation under way.
pub fn linearizable_within<M: Model>(
    model: &M,
    operations: &[Operation<M::Input, M::Output>],
    budget: u64,
) -> HistoryVerdict {
    let mut parts: BTreeMap<M::Key, Vec<usize>> = BTreeMap::new();
    for (place, operation) in operations.iter().enumerate() {
        if !matches!(operation.effect, Effect::Failed) {
            parts.entry(model.key(&operation.input)).or_default().push(place);
        }
    }
    let mut open: Vec<Search<'_, M>> =
        parts.into_values().map(|part| Search::new(model, operations, part)).collect();
    let (mut left, mut share) = (budget, FIRST_SHARE);
    while !open.is_empty() {
        let mut still_open = Vec::new();
        for mut search in open {
            let steps = share.min(left);
            let (progress, used) = search.run(steps);
            // A search may take a few steps more.
            left = left.saturating_sub(used);
            match progress {
                Progress::Linearized => {}
                Progress::Stuck => return HistoryVerdict::Violated(search.witness()),
                Progress::Paused if left == 0 => {
                    return HistoryVerdict::Unknown(Unjudged::Budget { steps: budget });
                }
                Progress::Paused => still_open.push(search),
            }
        }
        open = still_open;
        share = share.saturating_mul(4);
    }
    HistoryVerdict::Consistent
}

impl<M: Model> Search<'_, M> {
    /// Returns why the part is not linearizable; called after it got stuck.
    fn witness(&self) -> Box<Witness> {
        Box::new(self.repeated_to_the_furthest())
    }
}

const DEFAULT_BUDGET: u64 = 100_000_000;
const FIRST_SHARE: u64 = 4096;
