//! The guard of a fault that a program has put on links.

use super::rules::{RuleId, RuleKind, Set};
use super::verbs::act;
use crate::executor::note;
use crate::world::host::Host as _;
use crate::world::node::Nodes;
use crate::world::state::{with_state, with_state_if_alive};

/// A fault on links, until it is dropped.
///
/// What [`hold`](super::hold) and [`clog`](super::clog) have kept by then arrives a nanosecond later, in the
/// order in which it came. A guard that goes with its machine, because that dies, leaves the fault as it
/// is: destructors of a dead machine have no effect. Faults belong into the test, or into a task of it.
///
/// # Examples
/// ```
/// use parcae::world;
///
/// parcae::check(10, || async {
///     let db = world::node("db").idle();
///     let cut = world::partition("test", &db);
///     assert_eq!(cut.fired(), 0, "nothing was sent");
///     drop(cut);
/// });
/// ```
#[derive(Debug)]
#[must_use = "dropping the guard ends the fault"]
pub struct LinkFault {
    /// None of one that a dead machine has made, or that is kept.
    rule: Option<RuleId>,
    /// Serial number of its run.
    serial: u64,
    /// What reports call it; only while there is a log.
    told: Option<Box<str>>,
}

impl LinkFault {
    /// Puts a fault on the links between two sets.
    #[track_caller]
    pub(super) fn begin(call: &str, kind: impl FnOnce(u64) -> RuleKind, sets: Sets<'_>) -> Self {
        let mut told = None;
        let rule = act(call, |state, driver| {
            let (from, to) = sets(&state.nodes);
            note(|| {
                let text = told_between(call, &state.nodes, (&from, &to));
                told = Some(text.as_str().into());
                text
            });
            let kind = kind(driver.now().as_nanos());
            state.network.add_rule(driver, kind, from, to)
        });
        let serial = with_state(call, |_, driver| driver.serial());
        Self { rule, serial, told }
    }

    /// Restricts it to what goes from the first machines to the second ones.
    #[track_caller]
    pub fn one_way(self) -> Self {
        if let Some(rule) = self.rule {
            act("LinkFault::one_way", |state, driver| state.network.make_one_way(driver, rule));
        }
        self
    }

    /// Leaves it as it is until its links are [healed](super::heal), or the run ends.
    #[track_caller]
    pub fn keep(mut self) {
        if let Some(rule) = self.rule.take() {
            act("LinkFault::keep", |state, _| state.network.keep_rule(rule));
        }
    }

    /// Ends it, as dropping it does.
    pub fn end(self) {
        drop(self);
    }

    /// Returns how many packets it has lost or kept so far.
    ///
    /// A fault that has not fired has tested nothing.
    #[track_caller]
    pub fn fired(&self) -> u64 {
        let fired = |rule| with_state("LinkFault::fired", |state, _| state.network.fired(rule));
        self.rule.map_or(0, fired)
    }
}

impl Drop for LinkFault {
    fn drop(&mut self) {
        let Some(rule) = self.rule.take() else { return };
        with_state_if_alive(|state, driver| {
            // One that has outlived its run is of no rule of this one.
            if driver.serial() == self.serial {
                if let Some(told) = &self.told {
                    note(|| format!("ends {told}"));
                }
                state.network.end_rule(driver, rule);
                let (sockets, mut outside) = state.parts(driver);
                sockets.path_changed(&mut outside);
            }
        });
    }
}

/// Works out which machines a fault lies between.
pub(super) type Sets<'a> = &'a dyn Fn(&Nodes) -> (Set, Set);

/// Returns what reports call what a verb does between two sets.
pub(super) fn told_between(call: &str, nodes: &Nodes, (from, to): (&Set, &Set)) -> String {
    let verb = call.strip_prefix("world::").unwrap_or(call);
    let names = |set: &Set| set.shown(|node| nodes.get(node).name.to_string());
    format!("{verb}: {} | {}", names(from), names(to))
}
