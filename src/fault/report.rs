//! What a chaos did.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::budget::Excess;
use super::kind::FaultKind;
use super::plan::{Fault, Step};

/// What a [`Chaos`](super::Chaos) has drawn and done so far.
///
/// Printed, it is one line for each fault of its plan, with what became of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ChaosReport {
    /// How strong each nemesis is: in how many sixteenths of its slots it strikes. 0 where swarm has
    /// left it out.
    pub nemeses: Vec<(&'static str, u32)>,
    /// All faults of the plan, in order of time; those that have not begun included.
    pub steps: Vec<Step>,
    /// How often each kind was planned, has begun and has had an effect; only kinds that were planned.
    pub kinds: Vec<KindCount>,
    /// Faults that the budget has weakened.
    pub downgraded: Vec<Downgrade>,
}

/// What became of the faults of one kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct KindCount {
    /// Which kind.
    pub kind: FaultKind,
    /// How many were planned.
    pub planned: u64,
    /// How many have begun.
    pub begun: u64,
    /// How often they have had an effect: packets that they met, connections reset, machines hit.
    pub fired: u64,
}

/// A fault that would have exceeded the budget.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Downgrade {
    /// When it was to begin.
    pub at: Duration,
    /// What was planned.
    pub wanted: Fault,
    /// What was done instead.
    pub done: Fault,
    /// Why.
    pub why: Excess,
}

impl ChaosReport {
    /// Returns the kinds that have begun, and never met anything: they have tested nothing.
    #[must_use]
    pub fn without_effect(&self) -> Vec<FaultKind> {
        let idle = self.kinds.iter().filter(|count| count.begun > 0 && count.fired == 0);
        idle.map(|count| count.kind).collect()
    }

    pub(super) fn plan(nemeses: Vec<(&'static str, u32)>, mut steps: Vec<Step>) -> Self {
        steps.sort_by_key(|step| step.at);
        let mut report = Self { nemeses, steps: Vec::new(), ..Self::default() };
        for kind in FaultKind::ALL {
            let planned = steps.iter().filter(|step| step.fault.kind() == kind).count() as u64;
            if planned > 0 {
                report.kinds.push(KindCount { kind, planned, begun: 0, fired: 0 });
            }
        }
        report.steps = steps;
        report
    }

    /// Counts a fault that begins; of a kind that was not planned, too, as a downgraded one may be.
    pub(super) fn count_begin(&mut self, kind: FaultKind) {
        self.count(kind).begun += 1;
    }

    pub(super) fn count_effect(&mut self, kind: FaultKind, fired: u64) {
        self.count(kind).fired += fired;
    }

    fn count(&mut self, kind: FaultKind) -> &mut KindCount {
        let place = match self.kinds.binary_search_by_key(&kind, |count| count.kind) {
            Ok(place) => place,
            Err(place) => {
                self.kinds.insert(place, KindCount { kind, planned: 0, begun: 0, fired: 0 });
                place
            }
        };
        &mut self.kinds[place]
    }
}

impl fmt::Display for Excess {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooMany { absent, max } => {
                let absent: Vec<&str> = absent.iter().map(Arc::as_ref).collect();
                write!(formatter, "at most {max} may be absent, and {} is", absent.join(", "))
            }
            Self::LastCopy => formatter.write_str("it is the last copy"),
            Self::Spared => formatter.write_str("it is spared"),
        }
    }
}

impl fmt::Display for Downgrade {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { at, wanted, done, why } = self;
        write!(formatter, "{at:?}: {wanted} became {done}: {why}")
    }
}

impl fmt::Display for ChaosReport {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, strength) in &self.nemeses {
            writeln!(formatter, "nemesis `{name}`: {strength}/16")?;
        }
        for step in &self.steps {
            writeln!(formatter, "{step}")?;
        }
        for downgrade in &self.downgraded {
            writeln!(formatter, "{downgrade}")?;
        }
        for KindCount { kind, planned, begun, fired } in &self.kinds {
            writeln!(formatter, "{kind}: {planned} planned, {begun} begun, {fired} effects")?;
        }
        Ok(())
    }
}
