//! Operations of the workload: one less, from the end and from the middle.
//!
//! A program draws how many there are, then some choices for each, in a series of keys that differ in
//! their ordinal only. Lowering the count drops the last; to drop one from the middle, those after it
//! move up by one place, too. Where nothing is counted, a few choices in a row are cut out of their series.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use super::class::Class;
use super::{Pass, Shrinker};
use crate::executor::Log;
use crate::kernel::{Draw, Key, Overrides, Space, StreamId};

/// What a program has drawn at one site of one task, by ordinal.
type Series = BTreeMap<u64, Draw>;

impl Shrinker<'_> {
    /// Leaves out one thing of those that a drawn number counts, for each such number.
    pub(super) fn shorten(&mut self) -> Pass {
        let mut has_progressed = false;
        while let Some(log) = self.best().outcome.log() {
            let candidates = shortened(self.overrides(), log);
            if !self.propose(candidates)? {
                break;
            }
            has_progressed = true;
        }
        ControlFlow::Continue(has_progressed)
    }
}

/// Returns the worlds with a shorter series of choices.
fn shortened(overrides: &Overrides, log: &Log) -> Vec<Overrides> {
    let series = all_series(log);
    let mut shortened = with_lower_counts(overrides, &series);
    shortened.truncate(CANDIDATES_MAX);
    for of_one_site in series.values() {
        shortened.extend(spliced(overrides, of_one_site).take(CANDIDATES_MAX));
    }
    shortened
}

fn all_series(log: &Log) -> BTreeMap<(StreamId, u32), Series> {
    let mut series: BTreeMap<(StreamId, u32), Series> = BTreeMap::new();
    for drawn in log.draws.iter().filter(|drawn| Class::of_draw(drawn) == Class::Workload) {
        let Key { stream, site, ordinal } = drawn.draw.key;
        series.entry((stream, site)).or_default().insert(ordinal, drawn.draw);
    }
    series
}

/// Returns the world without one thing, for each number that may count things and each of those.
fn with_lower_counts(
    overrides: &Overrides,
    series: &BTreeMap<(StreamId, u32), Series>,
) -> Vec<Overrides> {
    let is_count = |draw: &&Draw| {
        let is_number = matches!(draw.space, Space::Integer { .. } | Space::Index { .. });
        is_number && (1..=COUNT_MAX).contains(&draw.space.distance(draw.value))
    };
    let counts = series.values().flat_map(BTreeMap::values).filter(is_count);
    let mut shortened = Vec::new();
    for count in counts {
        for (key, of_one_site) in series {
            shortened.extend(without_one(overrides, count, *key, of_one_site));
        }
    }
    shortened
}

/// Returns the world without one of the things that a count may be of, the last one first.
fn without_one<'a>(
    overrides: &'a Overrides,
    count: &'a Draw,
    (stream, site): (StreamId, u32),
    series: &'a Series,
) -> impl Iterator<Item = Overrides> + 'a {
    // The count may be of the same series: things begin behind it.
    let is_own = (count.key.stream, count.key.site) == (stream, site);
    let first = if is_own { count.key.ordinal + 1 } else { 0 };
    let members: Vec<&Draw> = series.range(first..).map(|(_, draw)| draw).collect();
    let things = count.value.max(1);
    let size = members.len() as u64 / things;
    let is_series = size >= 1 && members.len() as u64 == size * things;
    let things = if is_series { things } else { 0 };
    (0..things).rev().map(move |thing| {
        let mut without = overrides.clone();
        let lowered = count.space.toward(count.value, count.space.distance(count.value) - 1);
        without.insert(count.key, lowered);
        let size = usize::try_from(size).expect("no more than there are");
        let begin = usize::try_from(thing).expect("no more than there are") * size;
        cut_out(&mut without, &members[begin..], size);
        without
    })
}

/// Returns the world without one, two or three choices in a row, where the first of them matters.
fn spliced<'a>(
    overrides: &'a Overrides,
    series: &'a Series,
) -> impl Iterator<Item = Overrides> + 'a {
    let members: Vec<&Draw> = series.values().collect();
    (0..members.len()).rev().flat_map(move |begin| {
        let rest = members[begin..].to_vec();
        let is_default = rest[0].value == rest[0].space.default_value();
        let widths = if is_default { 0..0 } else { 1..rest.len().min(4) };
        widths.map(move |width| {
            let mut without = overrides.clone();
            cut_out(&mut without, &rest, width);
            without
        })
    })
}

/// Gives each choice of a series the value of the one so many places after it; the last ones have their
/// defaults.
fn cut_out(overrides: &mut Overrides, series: &[&Draw], width: usize) {
    let moved = series[width..].iter().map(|draw| Some(draw.value));
    for (draw, value) in series.iter().zip(moved.chain(std::iter::repeat(None))) {
        match value {
            Some(value) => overrides.insert(draw.key, value),
            None => overrides.remove(&draw.key),
        };
    }
}

/// A greater number counts hardly anything.
const COUNT_MAX: u64 = 64;

const CANDIDATES_MAX: usize = 200;
