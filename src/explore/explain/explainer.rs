//! The runs of an explanation.

use std::sync::{Mutex, PoisonError};

use super::difference::{Change, Difference, NearestPass};
use super::likelihood::{Likelihood, LikelihoodPoint};
use super::order::Order;
use super::part::{Part, ValueRange, Without};
use super::past::causal_past;
use super::{Explain, Explanation};
use crate::executor::{Happening, Log};
use crate::explore::check::Check;
use crate::explore::finding::Finding;
use crate::explore::host::{self, Flow, NoThread};
use crate::explore::shrink::bounded;
use crate::explore::signature::Signature;
use crate::explore::sim::{Outcome, Settings};
use crate::explore::world::{Program, World};
use crate::kernel::{
    Chain, EventKind, Fill, Key, Overrides, Reseed, Seed, Site, Space, StreamId, prf,
};

#[derive(Debug)]
pub(super) struct Explainer<'a> {
    check: &'a Check,
    program: &'a Program,
    options: Explain,
    settings: Settings,
    finding: &'a Finding,
    log: &'a Log,
    /// The failing world, over the default one.
    world: World,
    target: Signature,
    runs: u64,
    is_cut: bool,
    missing_runs: u64,
    nearest: Option<NearestPass>,
}

impl<'a> Explainer<'a> {
    pub(super) fn new(
        check: &'a Check,
        program: &'a Program,
        options: Explain,
        finding: &'a Finding,
    ) -> Self {
        let world = match finding.world().fill {
            Fill::Default => finding.world().clone(),
            // What a seed draws is told by its log.
            Fill::Seeded => World::of_log(finding.seed(), finding.log()),
        };
        let failure = finding.failure();
        Self {
            check,
            program,
            options,
            settings: bounded(
                &check.settings,
                failure,
                finding.steps(),
                finding.elapsed().elapsed(),
            ),
            finding,
            log: finding.log(),
            world,
            target: Signature::of(failure),
            runs: 0,
            is_cut: false,
            missing_runs: 0,
            nearest: None,
        }
    }

    pub(super) fn explain(mut self) -> Explanation {
        let overrides = self.world.overrides.iter();
        let mut keys: Vec<(Key, u64)> = overrides.map(|(key, value)| (*key, *value)).collect();
        if self.log.dropped_count > 0 {
            // What was dropped is not known, so that no world is like this one but for one choice.
            self.is_cut = true;
            keys.clear();
        }
        let mut parts = Vec::new();
        for (index, (key, value)) in keys.into_iter().enumerate() {
            let (without, order) = match index {
                0..PARTS_MAX => self.without(index, key),
                _ => (Without::Untried, None),
            };
            let ranged = if without.is_necessary() { self.range(index, key, value) } else { None };
            let (range, orders) = match ranged {
                Some((range, orders)) => (Some(range), orders),
                None => (None, order.into_iter().collect()),
            };
            parts.push(Part { key, value, without, range, orders });
        }
        let likelihood = self.likelihood();
        Explanation {
            parts,
            missing_runs: if likelihood.is_some() { 0 } else { self.missing_runs },
            likelihood,
            past: causal_past(self.log, self.finding.failure()),
            nearest: self.nearest,
            runs: self.runs,
            is_cut: self.is_cut,
        }
    }

    // Parts

    /// Leaves one override out; returns the order too that it stands for.
    fn without(&mut self, part: usize, key: Key) -> (Without, Option<Order>) {
        let mut overrides = self.world.overrides.clone();
        overrides.remove(&key);
        let Some(outcome) = self.run(overrides, true) else { return (Without::Untried, None) };
        let difference = outcome.log().and_then(|log| Difference::between(self.log, log));
        let order = outcome.log().and_then(|log| Order::between(self.log, log));
        match outcome.failure().map(Signature::of) {
            None => {
                self.pass((part, Change::LeftOut), difference.as_ref());
                (Without::Passes(difference), order)
            }
            Some(signature) if signature == self.target => (Without::FailsAlike, None),
            Some(signature) => (Without::FailsOtherwise(signature, difference), order),
        }
    }

    /// Keeps the run that passes and has gone the same way for longest.
    fn pass(&mut self, (part, change): (usize, Change), difference: Option<&Difference>) {
        let Some(difference) = difference else { return };
        let is_nearer = |nearest: &NearestPass| nearest.difference.entry < difference.entry;
        if self.nearest.as_ref().is_none_or(is_nearer) {
            self.nearest = Some(NearestPass { part, change, difference: difference.clone() });
        }
    }

    /// Finds the values around one with which the run fails in the same way, and what has to come before what
    /// for that.
    fn range(&mut self, part: usize, key: Key, value: u64) -> Option<(ValueRange, Vec<Order>)> {
        let (space, _) = self.log.draw_at(key)?;
        let furthest = space.furthest(value)?;
        let distance = space.distance(value);
        // The default itself is known not to do.
        let near = self.last_that_fails((key, space, value), distance, 0)?;
        let far = self.last_that_fails((key, space, value), distance, furthest)?;
        let ends = [near, far].map(|distance| space.toward(value, distance));
        let beyond_far = (far < furthest).then(|| space.toward(value, far + 1));
        let pairs = [(ends[0], Some(space.toward(value, near - 1))), (ends[1], beyond_far)];
        let mut orders = Vec::new();
        for (inside, outside) in pairs {
            let Some(outside) = outside else { continue };
            orders.extend(self.order_at((part, key), inside, outside));
        }
        let is_below = match space {
            Space::Signed { .. } => ends[1].cast_signed() < ends[0].cast_signed(),
            _ => ends[1] < ends[0],
        };
        let [low, high] = if is_below { [ends[1], ends[0]] } else { ends };
        Some((ValueRange { low, high, space }, orders))
    }

    /// Runs the world with two values that lie next to each other, of which only the first fails in the same way.
    fn order_at(&mut self, (part, key): (usize, Key), inside: u64, outside: u64) -> Option<Order> {
        let with = |value| {
            let mut overrides = self.world.overrides.clone();
            overrides.insert(key, value);
            overrides
        };
        let (inside, compared) = (with(inside), with(outside));
        let failing = self.run(inside, true)?;
        let other = self.run(compared, true)?;
        let (failing, other_log) = (failing.log()?, other.log()?);
        if other.is_ok() {
            let difference = Difference::between(self.log, other_log);
            self.pass((part, Change::Value(outside)), difference.as_ref());
        }
        Order::between(failing, other_log)
    }

    /// Goes away from a distance that fails, in steps that double, then back by halves; returns the last
    /// one that fails. The distance 0 is not tried: it passes.
    fn last_that_fails(
        &mut self,
        (key, space, value): (Key, Space, u64),
        from: u64,
        to: u64,
    ) -> Option<u64> {
        let whole = from.abs_diff(to);
        let at = |step: u64| if to > from { from + step } else { from - step };
        let mut good = 0;
        let mut bad = if to == 0 { whole } else { whole + 1 };
        let mut step = 1;
        while good + 1 < bad {
            let tried = if step > 0 { (good + step).min(bad - 1) } else { good + (bad - good) / 2 };
            let mut overrides = self.world.overrides.clone();
            overrides.insert(key, space.toward(value, at(tried)));
            let outcome = self.run(overrides, false)?;
            if outcome.failure().map(Signature::of).as_ref() == Some(&self.target) {
                good = tried;
                step *= 2;
            } else {
                bad = tried;
                step = 0;
            }
        }
        Some(at(good))
    }

    fn run(&mut self, overrides: Overrides, is_logged: bool) -> Option<Outcome> {
        if self.runs >= self.options.runs || self.check.control.is_stopped() {
            self.is_cut = true;
            return None;
        }
        self.runs += 1;
        let world = World::of_overrides(self.world.seed, overrides);
        let sim = world.sim(&self.settings).logged(is_logged);
        let outcome = host::isolated(self.check.isolation, || self.program.run(sim));
        self.is_cut |= outcome.is_err();
        outcome.ok()
    }

    // Endings

    fn likelihood(&mut self) -> Option<Likelihood> {
        let Explain { cut_points, endings, .. } = self.options;
        if cut_points == 0 || endings == 0 || self.log.dropped_count > 0 {
            return None;
        }
        let places = event_places(self.log);
        let count = places.len() as u64;
        let last = u64::from(cut_points.max(2) - 1);
        let mut cuts: Vec<u64> = (0..=last).map(|cut| count * cut / last).collect();
        cuts.dedup();
        let points = self.endings(&cuts, endings, &places)?;
        let is_whole = |point: &LikelihoodPoint| point.failing == endings;
        let decided = points.iter().rposition(|point| !is_whole(point)).map_or(0, |last| last + 1);
        let decided_at = match points.get(decided) {
            None => None,
            Some(point) if decided == 0 => point.entry,
            Some(point) => {
                self.first_whole(points[decided - 1].events, point.events, endings, &places)
            }
        };
        Some(Likelihood { points, endings, decided_at })
    }

    /// Finds the event after which all endings fail, between one after which they do not and one after
    /// which they do.
    fn first_whole(
        &mut self,
        mut passing: u64,
        mut failing: u64,
        endings: u32,
        places: &[usize],
    ) -> Option<usize> {
        while passing + 1 < failing {
            let middle = passing + (failing - passing) / 2;
            // Without the runs for it, it is known less exactly.
            let Some(points) = self.endings(&[middle], endings, places) else { break };
            if points[0].failing == endings { failing = middle } else { passing = middle }
        }
        let last = usize::try_from(failing.checked_sub(1)?).expect("a number of events in memory");
        places.get(last).copied()
    }

    /// Draws endings from some events on; none when they cannot be paid for.
    fn endings(
        &mut self,
        cuts: &[u64],
        endings: u32,
        places: &[usize],
    ) -> Option<Vec<LikelihoodPoint>> {
        let each = endings as usize;
        let count = cuts.len() * each;
        if self.runs + count as u64 > self.options.runs {
            self.is_cut = true;
            self.missing_runs = self.runs + count as u64 - self.options.runs;
            return None;
        }
        self.runs += count as u64;
        let ends = Mutex::new(vec![End::Unknown; count]);
        let drawn = host::in_parallel(self.check.jobs, count, |place| {
            if self.check.control.is_stopped() {
                return Ok(Flow::Stop);
            }
            let end = self.ending(cuts[place / each], place % each)?;
            ends.lock().unwrap_or_else(PoisonError::into_inner)[place] = end;
            Ok(Flow::Continue)
        });
        let ends = ends.into_inner().unwrap_or_else(PoisonError::into_inner);
        if drawn.is_err() || ends.contains(&End::Unknown) {
            self.is_cut = true;
            return None;
        }
        let points = cuts.iter().zip(ends.chunks(each)).map(|(events, ends)| {
            let count = |wanted| {
                u32::try_from(ends.iter().filter(|end| **end == wanted).count())
                    .expect("no more than there are endings")
            };
            let before = usize::try_from(*events).expect("a number of events in memory");
            let entry = before.checked_sub(1).and_then(|last| places.get(last)).copied();
            let time = entry.map(|entry| self.log.entries[entry].time).unwrap_or_default();
            let (failing, failing_otherwise) = (count(End::Same), count(End::Other));
            LikelihoodPoint { events: *events, entry, time, failing, failing_otherwise }
        });
        Some(points.collect())
    }

    fn ending(&self, events: u64, number: usize) -> Result<End, NoThread> {
        let key = Key::new(StreamId::ROOT, ENDING, number as u64);
        let reseed = Reseed { after_events: events, seed: Seed::new(prf(self.world.seed, key)) };
        let sim = self.world.sim(&self.settings).reseeded(reseed);
        let outcome = host::isolated(self.check.isolation, || self.program.run(sim))?;
        Ok(match outcome.failure().map(Signature::of) {
            None => End::Pass,
            Some(signature) if signature == self.target => End::Same,
            Some(_) => End::Other,
        })
    }
}

/// How an ending that was drawn anew came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Unknown,
    Pass,
    Same,
    Other,
}

/// Returns the indices of the entries that are events, up to the end of the run: those that change the chain.
fn event_places(log: &Log) -> Vec<usize> {
    let mut chain = Chain::EMPTY;
    let mut places = Vec::new();
    for (index, entry) in log.entries.iter().enumerate() {
        if matches!(&entry.what, Happening::Event(event) if event.kind == EventKind::End) {
            break;
        }
        if entry.chain != chain {
            places.push(index);
        }
        chain = entry.chain;
    }
    places
}

/// So many choices are looked at one by one.
const PARTS_MAX: usize = 32;

const ENDING: Site = Site::new("explain ending");
