//! Timers of all tasks: a hierarchical wheel, exact to the nanosecond.
//!
//! 11 levels of 64 slots; a level holds the timers whose deadline differs from the wheel's position
//! in that group of 6 bits and in none above it. Setting and cancelling link and unlink one entry,
//! whatever the number of timers; a cancelled timer leaves nothing behind. Timers of one instant
//! come out together, in the order in which they were set; late ones, which were parked, in the
//! order of their deadlines.
//!
//! # Source
//! Varghese and Lauck, "Hashed and hierarchical timing wheels" (1987); the levels by exclusive or
//! of deadline and position are tokio's.

use super::WakeTarget;
use super::domain::DomainId;
use super::layer::{EventId, Weight};
use super::task_table::push;

/// Names a timer that was set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TimerKey {
    index: u32,
    generation: u32,
}

impl TimerKey {
    /// The key of no timer.
    pub(crate) const NONE: Self = Self { index: u32::MAX, generation: 0 };

    /// Makes a key of no wheel, for layers that are tested without one.
    #[cfg(test)]
    pub(crate) fn numbered(number: u64) -> Self {
        Self { index: u32::try_from(number).expect("a test sets fewer timers"), generation: 0 }
    }
}

/// What a timer does.
#[derive(Debug)]
pub(super) enum TimerTarget {
    /// Wakes a task.
    Wake(WakeTarget),
    /// Ends the busy time of a domain.
    EndBusy(DomainId),
    /// Tells the layer below the run. The weight stands here because an entry has no byte left.
    Event(EventId, Weight),
}

/// A timer that is due.
#[derive(Debug)]
pub(super) struct DueTimer {
    deadline: u64,
    sequence: u64,
    pub(super) target: TimerTarget,
}

impl DueTimer {
    #[inline]
    pub(super) fn is_event(&self) -> bool {
        matches!(self.target, TimerTarget::Event(..))
    }

    /// Returns what a layer is told, which is told of nothing else.
    #[inline]
    pub(super) fn event(&self) -> EventId {
        match self.target {
            TimerTarget::Event(event, _) => event,
            TimerTarget::Wake(_) | TimerTarget::EndBusy(_) => {
                unreachable!("a layer is told of its events only")
            }
        }
    }
}

#[derive(Debug)]
pub(super) struct Timers {
    /// No timer is due before it. Never behind the clock by more than the last expiry.
    position: u64,
    occupied: [u64; LEVELS],
    /// First entry of each slot, or `NIL`; empty before the first timer.
    heads: Vec<u32>,
    /// Of each slot that is occupied: no timer in it is due before. Exact until one is cancelled.
    earliest: Vec<u64>,
    entries: Vec<Entry>,
    free: u32,
    sequence: u64,
    scheduled_count: u32,
    /// How many of the scheduled ones cannot change anything for the program.
    background_count: u32,
}

#[derive(Debug)]
struct Entry {
    /// Deadline on the global clock.
    deadline: u64,
    /// Deadline on the clock of the domain, which survives a change of that clock.
    deadline_local: u64,
    sequence: u64,
    target: Option<TimerTarget>,
    generation: u32,
    previous: u32,
    next: u32,
    domain: DomainId,
    /// Which list it is in, or `PARKED`, or `FREE`.
    list: u16,
}

// One cache line: with one more byte a sleep takes a fifth longer.
const _: () = assert!(size_of::<Entry>() <= 64);

impl Timers {
    pub(super) fn new() -> Self {
        Self {
            position: 0,
            occupied: [0; LEVELS],
            heads: Vec::new(),
            earliest: Vec::new(),
            entries: Vec::new(),
            free: NIL,
            sequence: 0,
            scheduled_count: 0,
            background_count: 0,
        }
    }

    /// Tells whether a timer is scheduled that may change something for the program.
    #[inline]
    pub(super) fn has_foreground(&self) -> bool {
        self.scheduled_count > self.background_count
    }

    /// Changes the weight of an event that is set.
    pub(super) fn set_weight(&mut self, key: TimerKey, weight: Weight) {
        let Some(entry) = self.entries.get_mut(key.index as usize) else { return };
        if entry.generation != key.generation || entry.list == FREE {
            return;
        }
        let Some(TimerTarget::Event(_, old)) = &mut entry.target else {
            unreachable!("nothing but an event has a weight")
        };
        match (std::mem::replace(old, weight), weight) {
            (Weight::Foreground, Weight::Background) => self.background_count += 1,
            (Weight::Background, Weight::Foreground) => self.background_count -= 1,
            _ => {}
        }
    }

    /// Sets a timer. A deadline that has passed is due at the next expiry, without moving time.
    #[inline]
    pub(super) fn set(
        &mut self,
        deadline: u64,
        deadline_local: u64,
        domain: DomainId,
        target: TimerTarget,
    ) -> TimerKey {
        let sequence = self.sequence;
        self.sequence += 1;
        let index = self.take_entry();
        let entry = &mut self.entries[index as usize];
        entry.deadline = deadline;
        entry.deadline_local = deadline_local;
        entry.sequence = sequence;
        entry.target = Some(target);
        entry.domain = domain;
        let generation = entry.generation;
        self.link(index);
        TimerKey { index, generation }
    }

    /// Cancels a timer; nothing happens when it has fired. Returns what it would have woken.
    pub(super) fn cancel(&mut self, key: TimerKey) -> Option<TimerTarget> {
        let entry = self.entries.get(key.index as usize)?;
        if entry.generation != key.generation || entry.list == FREE {
            return None;
        }
        if entry.list != PARKED {
            self.unlink(key.index);
        }
        self.free_entry(key.index)
    }

    /// Tells whether a timer is set, and on the clock of this domain.
    pub(super) fn is_set_in(&self, key: TimerKey, domain: DomainId) -> bool {
        self.entries.get(key.index as usize).is_some_and(|entry| {
            entry.generation == key.generation && entry.list != FREE && entry.domain == domain
        })
    }

    /// Replaces what a timer that is set wakes. Returns what it would have woken.
    pub(super) fn retarget(&mut self, key: TimerKey, target: WakeTarget) -> Option<TimerTarget> {
        self.entries[key.index as usize].target.replace(TimerTarget::Wake(target))
    }

    /// Cancels all timers of a domain.
    pub(super) fn cancel_domain(&mut self, domain: DomainId) -> Vec<TimerTarget> {
        let is_set = |entry: &Entry| entry.list != FREE && entry.domain == domain;
        let keys: Vec<TimerKey> = self
            .indices_where(is_set)
            .into_iter()
            .map(|index| TimerKey { index, generation: self.entries[index as usize].generation })
            .collect();
        keys.into_iter().filter_map(|key| self.cancel(key)).collect()
    }

    /// Takes out all timers of the earliest instant, in the order in which they were set, and
    /// returns that instant.
    #[inline]
    pub(super) fn expire(&mut self, due: &mut Vec<DueTimer>) -> Option<u64> {
        loop {
            let level = self.occupied.iter().position(|slots| *slots != 0)?;
            let slot = self.occupied[level].trailing_zeros() as usize;
            let list = level * SLOTS + slot;
            self.position = self.position.max(self.earliest[list]);
            let mut index = std::mem::replace(&mut self.heads[list], NIL);
            self.occupied[level] &= !(1 << slot);
            while index != NIL {
                let entry = &self.entries[index as usize];
                let (next, deadline, sequence) = (entry.next, entry.deadline, entry.sequence);
                self.scheduled_count -= 1;
                if deadline <= self.position {
                    let target = self.free_entry(index).expect("a set timer has a target");
                    due.push(DueTimer { deadline, sequence, target });
                } else {
                    // To a lower level, also when nothing is due: the slot's first was cancelled.
                    self.link(index);
                }
                index = next;
            }
            if !due.is_empty() {
                // Lists are last in, first out. Deadlines differ only where timers are late.
                if due.len() > 1 {
                    due.sort_unstable_by_key(|timer| (timer.deadline, timer.sequence));
                }
                return Some(self.position);
            }
        }
    }

    /// Returns how many timers can fire.
    #[cfg(test)]
    pub(super) fn scheduled_count(&self) -> usize {
        self.scheduled_count as usize
    }

    /// Takes the timers of a domain off the wheel until `unpark`.
    pub(super) fn park(&mut self, domain: DomainId) {
        for index in self.of_domain(domain) {
            self.unlink(index);
            self.entries[index as usize].list = PARKED;
        }
    }

    /// Puts the parked timers of a domain back; `to_global` maps their deadlines.
    pub(super) fn unpark(&mut self, domain: DomainId, to_global: impl Fn(u64) -> u64) {
        for index in self.indices_where(|entry| entry.list == PARKED && entry.domain == domain) {
            let entry = &mut self.entries[index as usize];
            // A deadline that has passed stays what it is, for the order among the late ones.
            entry.deadline = to_global(entry.deadline_local);
            self.link(index);
        }
    }

    /// Moves the timers of a domain to where its changed clock puts them.
    pub(super) fn rekey(&mut self, domain: DomainId, now: u64, to_global: impl Fn(u64) -> u64) {
        for index in self.of_domain(domain) {
            self.unlink(index);
            let entry = &mut self.entries[index as usize];
            entry.deadline = to_global(entry.deadline_local).max(now);
            self.link(index);
        }
    }

    /// Returns the timers of a domain's tasks; the executor's own are on the global clock.
    fn of_domain(&self, domain: DomainId) -> Vec<u32> {
        self.indices_where(|entry| {
            let is_of_task = matches!(entry.target, Some(TimerTarget::Wake(_)));
            entry.list < PARKED && entry.domain == domain && is_of_task
        })
    }

    fn indices_where(&self, is_wanted: impl Fn(&Entry) -> bool) -> Vec<u32> {
        (0..).zip(&self.entries).filter(|(_, entry)| is_wanted(entry)).map(|(at, _)| at).collect()
    }

    #[inline]
    fn link(&mut self, index: u32) {
        let deadline = self.entries[index as usize].deadline.max(self.position);
        let differing = deadline ^ self.position;
        let level = (63 - (differing | 1).leading_zeros()) / SLOT_BITS;
        let slot = (deadline >> (level * SLOT_BITS)) & (SLOTS as u64 - 1);
        self.occupied[level as usize] |= 1 << slot;
        let list = u16::try_from(u64::from(level) * SLOTS as u64 + slot).expect("704 lists");
        let head = std::mem::replace(&mut self.heads[usize::from(list)], index);
        let earliest = &mut self.earliest[usize::from(list)];
        *earliest = if head == NIL { deadline } else { deadline.min(*earliest) };
        let entry = &mut self.entries[index as usize];
        entry.list = list;
        entry.previous = NIL;
        entry.next = head;
        if head != NIL {
            self.entries[head as usize].previous = index;
        }
        self.scheduled_count += 1;
    }

    fn unlink(&mut self, index: u32) {
        let entry = &self.entries[index as usize];
        let (previous, next, list) = (entry.previous, entry.next, usize::from(entry.list));
        if next != NIL {
            self.entries[next as usize].previous = previous;
        }
        if previous == NIL {
            self.heads[list] = next;
            if next == NIL {
                self.occupied[list / SLOTS] &= !(1 << (list % SLOTS));
            }
        } else {
            self.entries[previous as usize].next = next;
        }
        self.scheduled_count -= 1;
    }

    #[inline]
    fn take_entry(&mut self) -> u32 {
        if self.free != NIL {
            let index = self.free;
            self.free = self.entries[index as usize].next;
            return index;
        }
        if self.entries.is_empty() {
            self.heads = vec![NIL; LEVELS * SLOTS];
            self.earliest = vec![0; LEVELS * SLOTS];
        }
        let index = u32::try_from(self.entries.len()).expect("fewer than 4 billion timers");
        let entry = Entry {
            deadline: 0,
            deadline_local: 0,
            sequence: 0,
            target: None,
            generation: 0,
            previous: NIL,
            next: NIL,
            domain: DomainId::ROOT,
            list: FREE,
        };
        push(&mut self.entries, entry);
        index
    }

    #[inline]
    fn free_entry(&mut self, index: u32) -> Option<TimerTarget> {
        let entry = &mut self.entries[index as usize];
        entry.list = FREE;
        entry.generation = entry.generation.wrapping_add(1);
        entry.next = self.free;
        self.free = index;
        let target = entry.target.take();
        if let Some(TimerTarget::Event(_, Weight::Background)) = target {
            self.background_count -= 1;
        }
        target
    }
}

const LEVELS: usize = 11;
const SLOTS: usize = 64;
const SLOT_BITS: u32 = 6;
const NIL: u32 = u32::MAX;
const PARKED: u16 = u16::MAX - 1;
const FREE: u16 = u16::MAX;

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::{DomainId, TimerTarget, Timers};

    /// The wheel and an ordered map, under the same operations, tell the same story.
    #[test]
    fn does_what_an_ordered_map_does() {
        for spread in [1, 40, 3_000, 1 << 20, 1 << 34, 1 << 60] {
            let mut timers = Timers::new();
            let mut model = BTreeMap::new();
            let mut keys = Vec::new();
            let (mut now, mut sequence) = (0_u64, 0_u64);
            let mut state = 0x9e37_79b9_u64 ^ spread;
            let mut draw = || {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                state ^ (state >> 31)
            };
            for step in 0..20_000 {
                let is_growing = step / 2_000 % 2 == 0;
                match draw() % 8 {
                    0 => {
                        let mut due = Vec::new();
                        let instant = timers.expire(&mut due);
                        let first = model.first_key_value().map(|((deadline, _), ())| *deadline);
                        assert_eq!(instant, first);
                        now = instant.unwrap_or(now);
                        let found: Vec<u64> = due.iter().map(|timer| timer.sequence).collect();
                        let rest = model.split_off(&(now + 1, 0));
                        let expected: Vec<u64> = model.into_keys().map(|(_, at)| at).collect();
                        assert_eq!(found, expected);
                        model = rest;
                    }
                    1..=3 if !is_growing && !keys.is_empty() => {
                        let place = usize::try_from(draw() >> 33).expect("31 bits") % keys.len();
                        let (key, named) = keys.swap_remove(place);
                        let is_set = timers.cancel(key).is_some();
                        assert_eq!(is_set, model.remove(&named).is_some());
                    }
                    _ if is_growing => {
                        let deadline = now.saturating_add(draw() % spread);
                        let target = TimerTarget::EndBusy(DomainId::ROOT);
                        let key = timers.set(deadline, deadline, DomainId::ROOT, target);
                        keys.push((key, (deadline, sequence)));
                        model.insert((deadline, sequence), ());
                        sequence += 1;
                    }
                    _ => {}
                }
                assert_eq!(timers.scheduled_count(), model.len());
            }
        }
    }
}
