//! What a program has looked at between the steps of its tasks.
//!
//! A probe is called when a task has been polled, timers have fired or a layer's events have happened,
//! if so many events have entered the chain since it was called last. Nothing is borrowed then, and no
//! task runs. It enters nothing into the chain, so a run with it is the run without it.

use std::fmt;
use std::panic::{self, AssertUnwindSafe, Location};

use super::Executor;
use super::core::Core;
use super::failure::Failure;
use super::log::Happening;
use crate::kernel::{Place, Violation};

/// Something that is called between steps.
pub(crate) struct Probe {
    /// What it is called for: the rule and message of a failure.
    pub(crate) rule: &'static str,
    pub(crate) message: &'static str,
    pub(crate) at: &'static Location<'static>,
    /// How many events pass from one call to the next, at least 1.
    pub(crate) every: u64,
    pub(crate) look: Box<dyn FnMut() -> Probed>,
}

/// What a probe has seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Probed {
    /// All is well.
    Holds,
    /// All is well, and it need not be called again.
    Done,
    /// The run has failed; the text says more, if there is something to say.
    Violated(Option<String>),
}

impl fmt::Debug for Probe {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}({:?})", self.rule, self.message)
    }
}

/// All probes of a run.
#[derive(Debug)]
pub(super) struct Probes {
    list: Vec<(Probe, u64)>,
    /// Number of events at which one of them is due.
    due: u64,
}

impl Executor {
    /// Has a probe called from the next step on.
    pub(crate) fn add_probe(&self, probe: Probe) {
        let core = &mut *self.core.borrow_mut();
        // The step that it is stated in counts: its event lies before.
        let due = core.event_count.saturating_add(probe.every - 1);
        let probes = core
            .seldom
            .get_or_insert_default()
            .probes
            .get_or_insert_with(|| Box::new(Probes { list: Vec::new(), due }));
        probes.due = probes.due.min(due);
        probes.list.push((probe, due));
    }

    /// Calls the probes that are due.
    #[cold]
    pub(super) fn probe(&self) {
        let (probes, now) = {
            let core = &mut *self.core.borrow_mut();
            (core.take_probes(), core.event_count)
        };
        let Some(mut probes) = probes else { return };
        probes.list.retain_mut(|(probe, due)| {
            if *due > now {
                return true;
            }
            *due = now.saturating_add(probe.every);
            self.looked(probe)
        });
        let core = &mut *self.core.borrow_mut();
        if let Some(added) = core.take_probes() {
            probes.list.extend(added.list);
        }
        let due = probes.list.iter().map(|(_, due)| *due).min();
        if let Some(due) = due {
            probes.due = due;
            core.seldom.get_or_insert_default().probes = Some(probes);
        }
    }

    /// Calls a probe; what it has found wrong fails the run. Returns whether to call it again.
    fn looked(&self, probe: &mut Probe) -> bool {
        let (place, details) = match panic::catch_unwind(AssertUnwindSafe(|| (probe.look)())) {
            Ok(Probed::Holds) => return true,
            Ok(Probed::Done) => return false,
            Ok(Probed::Violated(None)) => (None, Vec::new()),
            Ok(Probed::Violated(Some(text))) => (None, vec![("error", text)]),
            Err(payload) => {
                let note = self.note_of(&*payload);
                (note.place, vec![("panic", note.message)])
            }
        };
        let place = place.unwrap_or_else(|| Place::from(probe.at));
        let violation = Violation::new(probe.rule, probe.message, Some(place));
        self.violate(violation.with_details(details));
        true
    }

    /// Fails the run for a property of the program.
    #[cold]
    pub(crate) fn violate(&self, violation: Violation) {
        let core = &mut *self.core.borrow_mut();
        let task = core.running.map_or_else(String::new, |index| core.tasks.path(index));
        if core.log.is_some() && core.failure.is_none() {
            let text = format!("violates {}({:?})", violation.rule, violation.message);
            core.log_entry(core.current_stream(), Happening::Note(text.into()), None);
        }
        core.fail(Failure::Property { task, violation: Box::new(violation) });
    }
}

impl Core {
    /// Tells whether a probe is to be called before anything else happens.
    #[inline]
    pub(super) fn is_probe_due(&self) -> bool {
        let probes = self.seldom.as_ref().and_then(|seldom| seldom.probes.as_ref());
        probes.is_some_and(|probes| self.event_count >= probes.due)
    }

    pub(super) fn take_probes(&mut self) -> Option<Box<Probes>> {
        self.seldom.as_mut()?.probes.take()
    }
}
