//! When the faults of a plan begin and end.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::plan::Step;

/// What is due when, of a plan whose faults may wait for a packet.
#[derive(Debug)]
pub(super) struct Agenda {
    steps: Vec<Step>,
    due: BTreeSet<(Duration, usize, Due)>,
    /// Faults that wait for a packet, and when they will do so no more.
    waiting: BTreeMap<usize, Duration>,
}

/// What is done next, to the fault at this place of the plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Turn {
    Begin(usize),
    End(usize),
}

/// In the order of one fault at one instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Due {
    Begin,
    /// It has waited for a packet long enough.
    BeginWithout,
    End,
}

impl Agenda {
    pub(super) fn of(steps: Vec<Step>) -> Self {
        let due = steps.iter().enumerate().map(|(place, step)| (step.at, place, Due::Begin));
        Self { due: due.collect(), steps, waiting: BTreeMap::new() }
    }

    /// Returns when the next thing happens, unless a packet comes first.
    pub(super) fn next_time(&self) -> Option<Duration> {
        self.due.first().map(|(at, ..)| *at)
    }

    /// Tells whether a fault waits for a packet to this machine.
    pub(super) fn waits_for(&self, machine: &str) -> bool {
        self.waiting.keys().any(|place| self.is_done_to(*place, machine))
    }

    /// Takes what is due first; nothing, if that begins to wait.
    pub(super) fn take_due(&mut self, now: Duration) -> Vec<Turn> {
        let Some((_, place, due)) = self.due.pop_first() else { return Vec::new() };
        match due {
            Due::Begin if self.steps[place].with_packet => {
                let last = now.saturating_add(WAIT_MAX);
                self.waiting.insert(place, last);
                self.due.insert((last, place, Due::BeginWithout));
                Vec::new()
            }
            Due::Begin | Due::BeginWithout => vec![self.begin(place, now)],
            Due::End => vec![Turn::End(place)],
        }
    }

    /// Takes all that have waited for a packet to one of these machines, and what was drawn together with those.
    pub(super) fn take_waiting(&mut self, now: Duration, machines: &[&str]) -> Vec<Turn> {
        let is_met = |place: &&usize| machines.iter().any(|name| self.is_done_to(**place, name));
        let numbers: Vec<u64> =
            self.waiting.keys().filter(is_met).map(|place| self.steps[*place].number).collect();
        let waiting = self.waiting.keys().copied();
        let met = waiting.filter(|place| numbers.contains(&self.steps[*place].number));
        let met: Vec<usize> = met.collect();
        met.into_iter().map(|place| self.begin(place, now)).collect()
    }

    fn begin(&mut self, place: usize, now: Duration) -> Turn {
        if let Some(last) = self.waiting.remove(&place) {
            self.due.remove(&(last, place, Due::BeginWithout));
        }
        self.due.insert((now.saturating_add(self.steps[place].lasts), place, Due::End));
        Turn::Begin(place)
    }

    fn is_done_to(&self, place: usize, machine: &str) -> bool {
        self.steps[place].fault.machines().any(|name| *name == *machine)
    }
}

/// How long a fault waits for a packet.
const WAIT_MAX: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fault::Fault;

    const SECOND: Duration = Duration::from_secs(1);

    /// Makes an agenda of faults that wait from the first second on, each with the machine and the strike that it is of.
    fn waiting(faults: &[(&str, u64)]) -> Agenda {
        let step = |(machine, number): &(&str, u64)| {
            let mut step = Step::new(SECOND, SECOND, Fault::Kill((*machine).into()), *number);
            step.with_packet = true;
            step
        };
        let mut agenda = Agenda::of(faults.iter().map(step).collect());
        while agenda.next_time() == Some(SECOND) {
            assert_eq!(agenda.take_due(SECOND), []);
        }
        agenda
    }

    #[test]
    fn what_is_of_one_strike_begins_with_the_first_packet_to_any_of_its_machines() {
        let mut agenda = waiting(&[("a", 7), ("b", 7), ("c", 8)]);
        assert_eq!(agenda.take_waiting(SECOND, &["b"]), [Turn::Begin(0), Turn::Begin(1)]);
        assert!(agenda.waits_for("c") && !agenda.waits_for("a"));
    }

    #[test]
    fn packets_of_one_instant_begin_the_faults_of_each_of_their_machines() {
        let mut agenda = waiting(&[("a", 7), ("b", 8), ("c", 9)]);
        assert_eq!(agenda.take_waiting(SECOND, &["c", "a"]), [Turn::Begin(0), Turn::Begin(2)]);
    }

    #[test]
    fn who_waits_in_vain_begins_a_second_later_and_ends_after_its_time() {
        let mut agenda = waiting(&[("a", 7)]);
        assert_eq!(agenda.next_time(), Some(2 * SECOND));
        assert_eq!(agenda.take_due(2 * SECOND), [Turn::Begin(0)]);
        assert_eq!(agenda.next_time(), Some(3 * SECOND));
        assert_eq!(agenda.take_due(3 * SECOND), [Turn::End(0)]);
        assert_eq!(agenda.next_time(), None);
    }
}
