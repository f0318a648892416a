//! Faults that are not needed: a failure with a fault often happens without, if only packets and tasks
//! come in another order.
//!
//! A class of faults is left out, and latencies, switches and details of other faults are drawn anew at a
//! few of the keys, again and again; every second time latencies are the greatest that there can be
//! instead, at up to 60 % of them. What fails then has one fault less and many overrides more, and is
//! shrunk from there.

use std::ops::ControlFlow;

use super::class::Class;
use super::{Exhausted, Gate, Pass, Shrinker};
use crate::executor::Log;
use crate::kernel::{Key, Overrides, Seed, Site, Space, StreamId, prf};

impl Shrinker<'_> {
    /// Tries to do without the faults of each class and each site.
    pub(super) fn repair(&mut self) -> Pass {
        let runs_before = self.runs_without_progress;
        let classes = self.classes();
        let faults = self.overrides().keys().filter(|key| classes.of_key(key).is_fault());
        let mut sites: Vec<(Class, u32)> =
            faults.map(|key| (classes.of_key(key), key.site)).collect();
        sites.sort_unstable();
        sites.dedup();
        for (_, site) in sites {
            // Draws in vain say nothing about the passes that come after.
            self.runs_without_progress = 0;
            let before = self.best().world.clone();
            if self.draw_anew_without(site)? {
                self.before_repair = Some(before);
                return ControlFlow::Continue(true);
            }
        }
        self.runs_without_progress = runs_before;
        ControlFlow::Continue(false)
    }

    /// Goes back to before a fault was done without, if that has taken many other choices: thirty packets that are late are no
    /// simpler than a machine that is down. Tells whether it did.
    pub(super) fn undo_bad_repair(&mut self) -> bool {
        let Some(before) = self.before_repair.take() else { return false };
        if self.overrides().len() <= before.overrides.len() + MORE_MAX {
            return false;
        }
        let repaired = self.best.take();
        let is_back = matches!(self.accept(before, Gate::Simpler), Ok(true));
        match is_back {
            // So it was when it was left.
            true => self.is_minimal = true,
            false => self.best = repaired,
        }
        is_back
    }

    fn draw_anew_without(&mut self, site: u32) -> Pass {
        let attempts = self.budget.redraws.min(self.affordable() as u64);
        if attempts == 0 || self.is_over() {
            return ControlFlow::Continue(false);
        }
        let mut base = self.overrides().clone();
        base.retain(|key, _| key.site != site);
        let outcome = self.look_at(&base)?;
        self.runs += 1;
        let Some(outcome) = outcome else { return ControlFlow::Continue(false) };
        let Some(log) = outcome.log().filter(|log| log.dropped_count == 0) else {
            return ControlFlow::Continue(false);
        };
        let candidates = (0..attempts).map(|attempt| drawn_anew(&base, log, attempt));
        match self.propose(candidates) {
            // It may have been the limit of runs without progress, which is not for these.
            ControlFlow::Break(Exhausted) if !self.is_cut => ControlFlow::Continue(false),
            pass => pass,
        }
    }
}

/// Draws some latencies, decisions and details of faults of a run anew.
fn drawn_anew(base: &Overrides, log: &Log, attempt: u64) -> Overrides {
    // What comes as late as can be is as good as lost, and hardly ever drawn.
    let is_late = attempt % 2 == 1;
    let shares = if is_late { LATE_SHARES } else { SHARES };
    let share = shares[usize::try_from(attempt / 2 % 3).expect("below 3")];
    let seed = Seed::new(prf(Seed::new(attempt), Key::new(StreamId::ROOT, REPAIR, 0)));
    let is_drawn = |key: Key| prf(seed, key) % 100 < share;
    let bits = |key: Key| prf(Seed::new(seed.get() ^ 1), key);
    let mut overrides = base.clone();
    for drawn in &log.draws {
        let draw = &drawn.draw;
        let class = Class::of_draw(drawn);
        if matches!(class, Class::Latency | Class::Turn | Class::Detail) && is_drawn(draw.key) {
            let value = match draw.space {
                Space::Nanos { high, .. } | Space::Skewed { high, .. }
                    if is_late && class == Class::Latency =>
                {
                    high
                }
                space => space.sample(bits(draw.key)),
            };
            overrides.insert(draw.key, value);
        }
    }
    for decision in log.decisions.iter().filter(|decision| is_drawn(decision.key)) {
        let count = decision.alternatives.len() as u64;
        let index = usize::try_from(bits(decision.key) % count.max(1)).expect("below the count");
        if let Some(next) = decision.alternatives.get(index) {
            overrides.insert(decision.key, next.get());
        }
    }
    overrides
}

/// So many more choices are no price for one fault less.
const MORE_MAX: usize = 4;

/// Of how many in a hundred keys something else is drawn.
const SHARES: [u64; 3] = [5, 10, 30];

/// As [`SHARES`], where latencies are the greatest that they may be.
const LATE_SHARES: [u64; 3] = [10, 30, 60];

const REPAIR: Site = Site::new("shrink repair");
