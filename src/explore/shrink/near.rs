//! Few switches instead of many: each single deviation of a schedule.

use std::ops::ControlFlow;

use super::{Exhausted, Pass, Shrinker};
use crate::executor::SCHEDULE;
use crate::kernel::{Key, Overrides};

impl Shrinker<'_> {
    /// Tries every single deviation from the default schedule, with the other choices as they are.
    pub(super) fn look_near_default(&mut self) -> Pass {
        let is_schedule = |key: &Key| key.site == SCHEDULE.id();
        let deviations = self.overrides().keys().filter(|key| is_schedule(key)).count();
        if deviations < 2 {
            return ControlFlow::Continue(false);
        }
        let mut base = self.overrides().clone();
        base.retain(|key, _| !is_schedule(key));
        self.deviate_once(base)
    }

    /// Puts one deviation in the place of two, for each two.
    pub(super) fn exchange(&mut self) -> Pass {
        let keys: Vec<Key> =
            self.overrides().keys().copied().filter(|key| key.site == SCHEDULE.id()).collect();
        for (place, second) in keys.iter().enumerate() {
            for first in &keys[..place] {
                let mut base = self.overrides().clone();
                base.remove(first);
                base.remove(second);
                if self.deviate_once(base)? {
                    return ControlFlow::Continue(true);
                }
            }
        }
        ControlFlow::Continue(false)
    }

    /// Tries every single deviation from the schedule of a world.
    fn deviate_once(&mut self, base: Overrides) -> Pass {
        if self.affordable() == 0 || self.is_over() {
            return ControlFlow::Break(Exhausted);
        }
        let Some(outcome) = self.look_at(&base)? else { return ControlFlow::Continue(false) };
        let Some(log) = outcome.log() else { return ControlFlow::Continue(false) };
        let undecided = log.decisions.iter().filter(|decision| !base.contains_key(&decision.key));
        let candidates = undecided
            .flat_map(|decision| {
                decision.alternatives.iter().map(|alternative| {
                    let mut deviating = base.clone();
                    deviating.insert(decision.key, alternative.get());
                    deviating
                })
            })
            .take(NEAR_CANDIDATES_MAX);
        self.propose(candidates)
    }
}

const NEAR_CANDIDATES_MAX: usize = 300;
