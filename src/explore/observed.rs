//! What layers above the executor keep for a run: counts of properties, firings, knobs.

use std::rc::Rc;

use super::sim::Settings;
use crate::ambient::Ambient;
use crate::context;
use crate::executor::Attach;
use crate::fault::{BuggifyCount, FaultRun, KindCount, KnobSetting};
use crate::kernel::Seed;
use crate::oracle::{PropertyCount, Tally};

/// The states, while the run lasts.
#[derive(Debug)]
pub(super) struct Observers {
    tally: Rc<Tally>,
    faults: Rc<FaultRun>,
    ambient: Rc<Ambient>,
}

/// What they have come to.
#[derive(Clone, Debug, Default)]
pub(super) struct Observed {
    pub(super) properties: Vec<PropertyCount>,
    pub(super) buggified: Vec<BuggifyCount>,
    pub(super) knobs: Vec<KnobSetting>,
    pub(super) faults: Vec<KindCount>,
    pub(super) nemeses: Vec<(&'static str, u32)>,
}

impl Observers {
    pub(super) fn new(settings: &Settings, seed: Seed, has_overrides: bool) -> Self {
        Self {
            tally: Rc::new(Tally::new(settings.keeps_details)),
            faults: Rc::new(
                FaultRun::new(settings.is_buggified, settings.buggify_rates)
                    .with_overrides(has_overrides),
            ),
            ambient: Rc::new(Ambient::new(seed)),
        }
    }

    /// Returns what puts them into their slots.
    pub(super) fn attach(&self) -> Attach {
        let (tally, faults) = (self.tally.clone(), self.faults.clone());
        let ambient = self.ambient.clone();
        Attach::new(move || {
            Box::new((context::attach(tally), context::attach(faults), context::attach(ambient)))
        })
    }

    pub(super) fn into_observed(self) -> Observed {
        Observed {
            properties: self.tally.take_counts(),
            buggified: self.faults.take_buggified(),
            knobs: self.faults.take_knobs(),
            faults: self.faults.take_faults(),
            nemeses: self.faults.take_nemeses(),
        }
    }
}
