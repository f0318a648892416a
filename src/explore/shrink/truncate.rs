//! Time: nothing is forced from some moment on, or up to one.
//!
//! A run of a thousand choices often fails for a few that lie close together. Groups by class and by object are spread
//! over all of it; here half of it, a quarter and so on is left out at either end.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use super::{Pass, Shrinker};
use crate::kernel::{Key, Overrides};

impl Shrinker<'_> {
    /// Leaves out what is forced last, then what is forced first, as long as that is much.
    pub(super) fn truncate(&mut self) -> Pass {
        let mut has_progressed = false;
        if self.overrides().len() < KEYS_MIN {
            return ControlFlow::Continue(false);
        }
        for end in [End::Last, End::First] {
            while self.cut_off(end)? {
                has_progressed = true;
            }
        }
        ControlFlow::Continue(has_progressed)
    }

    fn cut_off(&mut self, end: End) -> Pass {
        let keys = self.keys_by_time();
        let base = self.overrides().clone();
        let parts = (1..=HALVINGS_MAX).map(|halvings| keys.len() >> halvings);
        let candidates = parts.filter(|count| *count >= PART_MIN).map(|count| {
            let left_out = match end {
                End::Last => &keys[keys.len() - count..],
                End::First => &keys[..count],
            };
            let mut rest: Overrides = base.clone();
            left_out.iter().for_each(|key| {
                rest.remove(key);
            });
            rest
        });
        self.propose(candidates)
    }

    /// Returns the keys of the overrides in the order in which they are asked for.
    pub(super) fn keys_by_time(&self) -> Vec<Key> {
        let Some(log) = self.best().outcome.log() else { return Vec::new() };
        let draws = log.draws.iter().map(|drawn| (drawn.draw.key, drawn.entry));
        let decisions = log.decisions.iter().map(|decision| (decision.key, decision.entry));
        let entries: BTreeMap<Key, usize> = draws.chain(decisions).collect();
        let mut keys: Vec<Key> = self.overrides().keys().copied().collect();
        keys.sort_by_key(|key| entries.get(key).copied());
        keys
    }
}

/// Where a run is cut.
#[derive(Clone, Copy, Debug)]
enum End {
    First,
    Last,
}

/// No less than a sixteenth is left out at once, and no fewer than so many: that is done one by one soon enough.
const HALVINGS_MAX: u32 = 4;
const PART_MIN: usize = 4;

/// Of fewer, whole objects go first: what is cut in time leaves a part of each of them behind, and smaller worlds are missed.
const KEYS_MIN: usize = 64;
