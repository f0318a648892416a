//! What one run has set and fired.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::fmt;
use std::panic::Location;

use super::buggify::BuggifyPlace;
use super::kind::FaultKind;
use super::knob::KnobPlace;
use super::rates::BuggifyRates;
use super::report::KindCount;
use super::summary::FaultCounts;
use crate::context;
use crate::executor::Executor;
use crate::kernel::{Ratio, Site, Space, StreamId};

/// What `buggify!` and `knob!` of a run have come to.
#[derive(Debug)]
pub(crate) struct FaultRun {
    is_allowed: bool,
    rates: BuggifyRates,
    /// Whether a world may ask for what is off by itself.
    has_overrides: bool,
    /// Whether anything of this happens in the run, once that is decided.
    is_on: Cell<Option<bool>>,
    places: RefCell<Vec<Option<BuggifyCount>>>,
    knobs: RefCell<Vec<Option<KnobSetting>>>,
    faults: FaultCounts,
    /// The nemeses of its chaoses and how strong they were drawn, where that was drawn.
    nemeses: RefCell<Vec<(&'static str, u32)>>,
}

context::slot!(FaultRun, Simulation);

/// What became of one place of [`buggify!`](crate::buggify!) in one run.
#[derive(Clone, Debug)]
pub struct BuggifyCount {
    place: &'static BuggifyPlace,
    is_active: bool,
    fired: u64,
}

/// The value of one knob in one run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnobSetting {
    name: &'static str,
    set: u64,
    value: String,
    default: String,
}

/// What became of one place of [`buggify!`](crate::buggify!) over the seeds of a check.
#[derive(Clone, Debug)]
pub struct BuggifySummary {
    place: &'static BuggifyPlace,
    seeds: u64,
    seeds_active: u64,
    seeds_fired: u64,
    fired: u64,
}

impl FaultRun {
    pub(crate) fn new(is_allowed: bool, rates: BuggifyRates) -> Self {
        Self {
            is_allowed,
            rates,
            has_overrides: false,
            is_on: Cell::new(None),
            places: RefCell::default(),
            knobs: RefCell::default(),
            faults: FaultCounts::default(),
            nemeses: RefCell::default(),
        }
    }

    /// Sets whether a world may ask for what is off by itself.
    pub(crate) fn with_overrides(self, has_overrides: bool) -> Self {
        Self { has_overrides, ..self }
    }

    /// Tells whether a place fires now.
    #[inline]
    pub(super) fn fires(
        &self,
        place: &'static BuggifyPlace,
        own_probability: Option<Ratio>,
        at: &'static Location<'static>,
    ) -> bool {
        if !self.is_allowed {
            return false;
        }
        let index = place.index();
        let known = self.places.borrow().get(index).and_then(Option::as_ref).map(|it| it.is_active);
        let is_active = known.unwrap_or_else(|| self.meet(place));
        if !is_active && !self.has_overrides {
            return false;
        }
        self.draw(place, is_active, own_probability.unwrap_or(self.rates.fires), at)
    }

    /// Decides whether a place is active, when the run first comes to it.
    #[cold]
    fn meet(&self, place: &'static BuggifyPlace) -> bool {
        let stream = RUN.child(place.key(), 0);
        let is_active = self.is_on()
            && draw(
                true,
                (Some(stream), ACTIVE),
                Space::Chance { probability: self.rates.active },
                None,
            ) == Some(1);
        name(stream, || place.name().to_owned());
        put(&self.places, place.index(), BuggifyCount { place, is_active, fired: 0 });
        is_active
    }

    fn draw(
        &self,
        place: &'static BuggifyPlace,
        is_active: bool,
        probability: Ratio,
        at: &'static Location<'static>,
    ) -> bool {
        let space = Space::Chance { probability };
        let fires = draw(is_active, (None, place.site()), space, Some(at)) == Some(1);
        if fires {
            let mut places = self.places.borrow_mut();
            let count = places[place.index()].as_mut().expect("the run has come to it");
            count.fired += 1;
        }
        fires
    }

    /// Returns how far the value of a knob is above the least; none when nothing may be set.
    pub(super) fn knob(
        &self,
        place: &'static KnobPlace,
        (default, high): (u64, u64),
        show: impl Fn(u64) -> String,
    ) -> Option<u64> {
        if !self.is_allowed {
            return None;
        }
        let known =
            self.knobs.borrow().get(place.index()).and_then(Option::as_ref).map(|it| it.set);
        let set = known.unwrap_or_else(|| {
            let stream = RUN.child("knob", 0).child(place.name(), 0);
            let space = Space::Knob { low: 0, high, default };
            let set = draw(self.is_on(), (Some(stream), KNOB), space, None).unwrap_or(default);
            let knob =
                KnobSetting { name: place.name(), set, value: show(set), default: show(default) };
            name(stream, || format!("knob `{}`", knob.name));
            let _ = context::with(|executor: &Executor| {
                executor.note_of_object(stream, || knob.to_string());
            });
            put(&self.knobs, place.index(), knob);
            set
        });
        // Another place of the same name may have a smaller range.
        Some(set.min(high))
    }

    /// Decides whether anything of this happens in the run, when somebody first asks.
    fn is_on(&self) -> bool {
        self.is_on.get().unwrap_or_else(|| {
            let space = Space::Chance { probability: self.rates.runs };
            let is_on = draw(true, (Some(RUN), ON), space, None) == Some(1);
            name(RUN, || "the run".to_owned());
            self.is_on.set(Some(is_on));
            is_on
        })
    }

    /// Takes out what became of the faults of its chaoses, in the order of their kinds.
    pub(crate) fn take_faults(&self) -> Vec<KindCount> {
        self.faults.take()
    }

    /// Takes out how strong nemeses were drawn, in sixteenths, in the order of their chaoses.
    pub(crate) fn take_nemeses(&self) -> Vec<(&'static str, u32)> {
        self.nemeses.take()
    }

    /// Takes out what became of the places, in the order of their names.
    pub(crate) fn take_buggified(&self) -> Vec<BuggifyCount> {
        let places = std::mem::take(&mut *self.places.borrow_mut());
        let mut places: Vec<BuggifyCount> = places.into_iter().flatten().collect();
        places.sort_by_key(|count| (count.place.name(), count.place.key()));
        places
    }

    /// Takes out the knobs that somebody asked for, in the order of their names.
    pub(crate) fn take_knobs(&self) -> Vec<KnobSetting> {
        let knobs = std::mem::take(&mut *self.knobs.borrow_mut());
        let mut knobs: Vec<KnobSetting> = knobs.into_iter().flatten().collect();
        knobs.sort_by(|one, two| (one.name, &one.value).cmp(&(two.name, &two.value)));
        knobs.dedup();
        knobs
    }
}

/// Counts faults of the run that is under way, if there is one.
pub(super) fn count_faults(kind: FaultKind, begun: u64, fired: u64) {
    let _ = context::with(|run: &FaultRun| run.faults.add(kind, begun, fired));
}

/// Notes how strong the nemeses of a chaos were drawn.
pub(super) fn note_nemeses(strengths: &[(&'static str, u32)]) {
    let _ = context::with(|run: &FaultRun| run.nemeses.borrow_mut().extend_from_slice(strengths));
}

fn draw(
    is_on: bool,
    (object, site): (Option<StreamId>, Site),
    space: Space,
    at: Option<&'static Location<'static>>,
) -> Option<u64> {
    let draw = |executor: &Executor| executor.draw_if(is_on, (object, site), space, at);
    context::with(draw).flatten()
}

fn name(stream: StreamId, name: impl FnOnce() -> String) {
    let _ = context::with(|executor: &Executor| executor.name_object(stream, name));
}

fn put<T>(table: &RefCell<Vec<Option<T>>>, index: usize, value: T) {
    let mut table = table.borrow_mut();
    if index >= table.len() {
        table.resize_with(index + 1, || None);
    }
    table[index] = Some(value);
}

impl BuggifyCount {
    /// Returns what reports call the place, and what tells it from others; for another process.
    #[cfg(target_os = "linux")]
    pub(crate) fn names(&self) -> (&'static str, &'static str) {
        (self.place.name(), self.place.key())
    }

    /// Makes the count of a run in another process.
    #[cfg(target_os = "linux")]
    pub(crate) fn of_names(
        names: (&'static str, &'static str),
        is_active: bool,
        fired: u64,
    ) -> Self {
        Self { place: BuggifyPlace::of_names(names), is_active, fired }
    }

    /// Returns what reports call the place.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.place.name()
    }

    /// Tells whether the place was active in the run.
    #[must_use]
    pub fn is_active(&self) -> bool {
        self.is_active
    }

    /// Returns how often it fired.
    #[must_use]
    pub fn fired(&self) -> u64 {
        self.fired
    }
}

impl KnobSetting {
    /// Returns the name of the knob.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Returns the value, as `Debug` shows it.
    #[must_use]
    pub fn value(&self) -> &str {
        &self.value
    }

    /// Returns the usual value, as `Debug` shows it.
    #[must_use]
    pub fn default(&self) -> &str {
        &self.default
    }

    /// Tells whether the value is the usual one.
    #[must_use]
    pub fn is_default(&self) -> bool {
        self.value == self.default
    }
}

impl fmt::Display for KnobSetting {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, value, default, .. } = self;
        write!(formatter, "`{name}` is {value}")?;
        if self.is_default() { Ok(()) } else { write!(formatter, " (usually {default})") }
    }
}

impl BuggifySummary {
    /// Returns what reports call the place.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.place.name()
    }

    /// Returns in how many seeds it was come to.
    #[must_use]
    pub fn seeds(&self) -> u64 {
        self.seeds
    }

    /// Returns in how many seeds it was active.
    #[must_use]
    pub fn seeds_active(&self) -> u64 {
        self.seeds_active
    }

    /// Returns in how many seeds it fired.
    #[must_use]
    pub fn seeds_fired(&self) -> u64 {
        self.seeds_fired
    }

    /// Returns how often it fired.
    #[must_use]
    pub fn fired(&self) -> u64 {
        self.fired
    }
}

/// The places of a check, as its seeds are counted in their order.
#[derive(Debug, Default)]
pub(crate) struct Firings {
    by_key: BTreeMap<(&'static str, &'static str), BuggifySummary>,
}

impl Firings {
    /// Adds what became of the places in one seed; two with one label in one module are one place.
    pub(crate) fn add(&mut self, counts: &[BuggifyCount]) {
        let mut last = None;
        for BuggifyCount { place, is_active, fired } in counts {
            let key = (place.name(), place.key());
            let summary = self.by_key.entry(key).or_insert_with(|| BuggifySummary {
                place,
                seeds: 0,
                seeds_active: 0,
                seeds_fired: 0,
                fired: 0,
            });
            if last != Some(key) {
                summary.seeds += 1;
                summary.seeds_active += u64::from(*is_active);
                let same = counts.iter().filter(|count| count.place.key() == place.key());
                summary.seeds_fired += u64::from(same.clone().any(|count| count.fired > 0));
                last = Some(key);
            }
            summary.fired += fired;
        }
    }

    /// Returns all, in the order of their names.
    pub(crate) fn into_list(self) -> Vec<BuggifySummary> {
        self.by_key.into_values().collect()
    }
}

/// Who draws what is the same in the whole run.
const RUN: StreamId = StreamId::ROOT.child("buggify", 0);

/// Whether anything happens in a run.
const ON: Site = Site::new("buggify in this run");

/// Whether a place is active.
const ACTIVE: Site = Site::new("buggify active");

const KNOB: Site = Site::new("knob");
