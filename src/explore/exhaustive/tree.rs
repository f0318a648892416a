//! The tree of all runs, as far as it has to be remembered: the forks of the last run, with what is left of each.

use super::footprint::{Footprint, Footprints};
use super::{Exhaustion, Exhaustive, Independence, Unexplored};
use crate::executor::{Log, LoggedDecision};
use crate::kernel::{Draw, Key, Overrides};

/// All that was run and has to be run.
#[derive(Debug)]
pub(super) struct Tree<'a> {
    options: &'a Exhaustive,
    /// The forks of the last run, up to the one at which the next run leaves it.
    path: Vec<Fork>,
    exhaustion: Exhaustion,
}

/// A choice with several values, in the order in which a run comes to them.
#[derive(Debug)]
struct Fork {
    key: Key,
    /// What the default world takes.
    default: u64,
    /// What the last run has taken.
    taken: u64,
    /// What has not been taken yet.
    left: Vec<u64>,
    /// Tasks whose step need not be taken: what begins with it has been seen, or is another order of what has.
    asleep: Vec<(u64, Footprint)>,
}

/// A choice of a run, as its log shows it.
struct Choice {
    key: Key,
    default: u64,
    taken: u64,
    others: Vec<u64>,
    /// Of a decision, what the step touches that was taken.
    footprint: Option<Footprint>,
}

/// What becomes of the tree with a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Grown {
    /// There is a next run.
    Next,
    /// That was the last one.
    Done,
    /// The run has not come to the forks that it was sent to: it is no function of its choices.
    Differs,
}

impl<'a> Tree<'a> {
    pub(super) fn new(options: &'a Exhaustive) -> Self {
        let exhaustion = Exhaustion { runs: 0, repeated_runs: 0, unexplored: None };
        Self { options, path: Vec::new(), exhaustion }
    }

    /// Returns how many runs there were.
    pub(super) fn runs(&self) -> u64 {
        self.exhaustion.runs
    }

    pub(super) fn exhaustion(&self) -> Exhaustion {
        self.exhaustion
    }

    /// Says why something is not run. The first reason stays.
    pub(super) fn end(&mut self, why: Unexplored) {
        self.exhaustion.unexplored.get_or_insert(why);
    }

    /// Returns what the next run is.
    pub(super) fn overrides(&self) -> Overrides {
        let others = self.path.iter().filter(|fork| fork.taken != fork.default);
        others.map(|fork| (fork.key, fork.taken)).collect()
    }

    /// Takes note of a run, and moves on to the next one.
    pub(super) fn grow(&mut self, log: &Log) -> Grown {
        self.exhaustion.runs += 1;
        if log.dropped_count > 0 {
            self.end(Unexplored::Log);
        }
        let known = self.path.len();
        let mut asleep = Vec::new();
        let choices = self.choices(log);
        let is_same =
            |(fork, choice): (&Fork, &Choice)| (fork.key, fork.taken) == (choice.key, choice.taken);
        let is_whole = choices.len() >= known || log.dropped_count > 0;
        if !is_whole || !self.path.iter().zip(&choices).all(is_same) {
            return Grown::Differs;
        }
        for (place, choice) in choices.into_iter().enumerate() {
            if place >= known {
                let is_taken_asleep = is_among(&asleep, choice.taken);
                let left = choice.others.iter().copied();
                let left = left.filter(|other| !is_among(&asleep, *other)).collect();
                let Choice { key, default, taken, .. } = choice;
                self.path.push(Fork { key, default, taken, left, asleep });
                if is_taken_asleep {
                    self.exhaustion.repeated_runs += 1;
                    break;
                }
            }
            asleep = self.asleep_behind(place, choice.footprint.as_ref());
        }
        if self.move_on() { Grown::Next } else { Grown::Done }
    }

    /// Returns who still sleeps behind a fork, after the step that was taken there.
    fn asleep_behind(&mut self, place: usize, step: Option<&Footprint>) -> Vec<(u64, Footprint)> {
        let Some(step) = step else { return Vec::new() };
        if self.options.independence == Independence::Unknown {
            return Vec::new();
        }
        let fork = &mut self.path[place];
        let still = fork
            .asleep
            .iter()
            .filter(|(task, of_task)| *task != fork.taken && of_task.commutes_with(step));
        let still = still.cloned().collect();
        // In the siblings that are yet to come.
        if !is_among(&fork.asleep, fork.taken) {
            fork.asleep.push((fork.taken, step.clone()));
        }
        still
    }

    /// Takes the last fork otherwise that has something left.
    fn move_on(&mut self) -> bool {
        while let Some(fork) = self.path.last_mut() {
            if !fork.left.is_empty() {
                fork.taken = fork.left.remove(0);
                return true;
            }
            self.path.pop();
        }
        false
    }

    /// Returns the choices of a run that are forks, in order.
    fn choices(&mut self, log: &Log) -> Vec<Choice> {
        let mut footprints = Footprints::default();
        let mut draws = log.draws.iter().peekable();
        let mut choices = Vec::new();
        let first = log.decisions.first().map_or(log.entries.len(), |decision| decision.entry);
        footprints.read(log, &log.entries[..first]);
        for (place, decision) in log.decisions.iter().enumerate() {
            // What is drawn makes the entry that it names, and a decision comes before the one that it names.
            while let Some(drawn) = draws.next_if(|drawn| drawn.entry < decision.entry) {
                choices.extend(self.choice_of_draw(drawn.draw));
            }
            let next = log.decisions.get(place + 1).map_or(log.entries.len(), |next| next.entry);
            let step = footprints.read(log, &log.entries[decision.entry..next]);
            choices.push(self.choice_of_decision(decision, step));
        }
        for drawn in draws {
            choices.extend(self.choice_of_draw(drawn.draw));
        }
        if choices.len() > self.options.depth {
            choices.truncate(self.options.depth);
            self.end(Unexplored::Depth);
        }
        choices
    }

    fn choice_of_decision(&mut self, decision: &LoggedDecision, step: Footprint) -> Choice {
        let LoggedDecision { key, chosen, default, alternatives, .. } = decision;
        if alternatives.len() >= ALTERNATIVES_MAX {
            self.end(Unexplored::Candidates);
        }
        let all = std::iter::once(default).chain(alternatives);
        Choice {
            key: *key,
            default: default.get(),
            taken: chosen.get(),
            others: all.filter(|task| *task != chosen).map(|task| task.get()).collect(),
            footprint: Some(step),
        }
    }

    /// Returns what can be drawn instead; nothing if that is too much.
    fn choice_of_draw(&mut self, draw: Draw) -> Option<Choice> {
        let Some(values) = draw.space.values(self.options.values) else {
            self.end(Unexplored::Values);
            return None;
        };
        let default = draw.space.default_value();
        let others = values.into_iter().filter(|value| *value != draw.value).collect();
        Some(Choice { key: draw.key, default, taken: draw.value, others, footprint: None })
    }
}

fn is_among(asleep: &[(u64, Footprint)], task: u64) -> bool {
    asleep.iter().any(|(sleeper, _)| *sleeper == task)
}

/// The log keeps no more candidates of a decision beside the default.
const ALTERNATIVES_MAX: usize = 31;
