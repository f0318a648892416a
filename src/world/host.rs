//! What the world asks of the run it hangs under: time, chance, timers, the record.
//!
//! The parts below are generic over it, so they are tested without an executor ([`TestHost`]).

use super::event::WorldEvent;
use crate::executor::{DomainId, Executor, TimerKey, Weight};
use crate::kernel::{Event, EventKind, Site, Space, StreamId, VirtualTime};

/// A run, as the world sees it.
pub(crate) trait Host {
    /// Returns the time on the global clock; the same during one call or one batch of events.
    fn now(&self) -> VirtualTime;

    /// Draws a choice of `stream`. A space of one value draws nothing.
    fn draw(&mut self, stream: StreamId, site: Site, ordinal: u64, space: Space) -> u64;

    /// Has an event happen at a time.
    fn set(&mut self, at: VirtualTime, event: WorldEvent, weight: Weight) -> TimerKey;

    /// Takes an event back; nothing happens when it has happened.
    fn cancel(&mut self, key: TimerKey);

    /// Changes whether an event may still change something for the program.
    fn set_weight(&mut self, key: TimerKey, weight: Weight);

    /// Adds an event to the chain and the log.
    fn record(&mut self, kind: EventKind, stream: StreamId, subject: u64, value: u64);

    /// Gives a stream its name for reports; `name` is called only if there is a log.
    fn name(&mut self, stream: StreamId, name: impl FnOnce() -> String);

    /// Returns when so many nanoseconds have passed on the clock of a domain, at its rate of now.
    fn after(&self, domain: DomainId, nanos: u64) -> VirtualTime;
}

/// The run that the calling thread is inside of.
#[derive(Debug)]
pub(crate) struct Driver<'a> {
    executor: &'a Executor,
    now: VirtualTime,
    serial: u64,
    running: DomainId,
}

impl<'a> Driver<'a> {
    #[inline]
    pub(super) fn new(executor: &'a Executor) -> Self {
        let (now, serial, running) = executor.now_and_here();
        Self { executor, now, serial, running }
    }

    /// Returns the number that tells the run from all others of the process.
    #[inline]
    pub(crate) fn serial(&self) -> u64 {
        self.serial
    }

    /// Returns the domain of the running task, for [`Nodes::of_domain`](super::node::Nodes::of_domain).
    #[inline]
    pub(crate) fn running_domain(&self) -> DomainId {
        self.running
    }

    /// Returns the number of the next resource of the running task.
    pub(crate) fn next_resource(&self) -> u64 {
        self.executor.next_resource().1
    }

    /// Returns the executor, whose core is not borrowed.
    pub(crate) fn executor(&self) -> &'a Executor {
        self.executor
    }
}

impl Host for Driver<'_> {
    #[inline]
    fn now(&self) -> VirtualTime {
        self.now
    }

    #[inline]
    fn draw(&mut self, stream: StreamId, site: Site, ordinal: u64, space: Space) -> u64 {
        match space.only_value() {
            Some(value) => value,
            None => self.executor.draw_for(stream, site, ordinal, space),
        }
    }

    #[inline]
    fn set(&mut self, at: VirtualTime, event: WorldEvent, weight: Weight) -> TimerKey {
        self.executor.set_event(at, event.id(), weight)
    }

    #[inline]
    fn cancel(&mut self, key: TimerKey) {
        self.executor.cancel_event(key);
    }

    #[inline]
    fn set_weight(&mut self, key: TimerKey, weight: Weight) {
        self.executor.set_weight(key, weight);
    }

    #[inline]
    fn record(&mut self, kind: EventKind, stream: StreamId, subject: u64, value: u64) {
        self.executor.record(Event { kind, task: stream, subject, value });
    }

    #[inline]
    fn name(&mut self, stream: StreamId, name: impl FnOnce() -> String) {
        self.executor.name_object(stream, name);
    }

    fn after(&self, domain: DomainId, nanos: u64) -> VirtualTime {
        self.executor.global_after(domain, nanos)
    }
}

/// A run that is an ordered map of events and a script of draws.
#[cfg(test)]
#[derive(Debug, Default)]
pub(crate) struct TestHost {
    pub(crate) now: VirtualTime,
    /// What is set: when and as the how manieth, the event and its weight.
    pub(crate) events: std::collections::BTreeMap<(VirtualTime, u64), (WorldEvent, Weight)>,
    /// What is drawn at a site for a thing; anything else is the default of its space.
    pub(crate) script: std::collections::BTreeMap<(&'static str, u64), u64>,
    /// What was drawn.
    pub(crate) draws: Vec<(StreamId, &'static str, u64, u64)>,
    /// What was recorded.
    pub(crate) records: Vec<(EventKind, StreamId, u64, u64)>,
    /// Who was named.
    pub(crate) names: std::collections::BTreeMap<StreamId, String>,
    set_count: u64,
}

#[cfg(test)]
impl TestHost {
    /// Moves time to the next events and returns them in the order in which they were set; none
    /// when nothing is set.
    pub(crate) fn advance(&mut self) -> Vec<WorldEvent> {
        let Some(((at, _), _)) = self.events.first_key_value() else { return Vec::new() };
        self.now = self.now.max(*at);
        let later = VirtualTime::from_nanos(self.now.as_nanos() + 1);
        let rest = self.events.split_off(&(later, 0));
        let due = std::mem::replace(&mut self.events, rest);
        due.into_values().map(|(event, _)| event).collect()
    }

    fn find(&self, key: TimerKey) -> Option<(VirtualTime, u64)> {
        let is_it = |place: &&(VirtualTime, u64)| TimerKey::numbered(place.1) == key;
        self.events.keys().find(is_it).copied()
    }
}

#[cfg(test)]
impl Host for TestHost {
    fn now(&self) -> VirtualTime {
        self.now
    }

    fn draw(&mut self, stream: StreamId, site: Site, ordinal: u64, space: Space) -> u64 {
        if let Some(value) = space.only_value() {
            return value;
        }
        let scripted = self.script.get(&(site.name(), ordinal)).copied();
        let value = scripted.unwrap_or_else(|| space.default_value());
        assert!(space.contains(value), "the script says {value} at {site:?}, outside of {space:?}");
        self.draws.push((stream, site.name(), ordinal, value));
        value
    }

    fn set(&mut self, at: VirtualTime, event: WorldEvent, weight: Weight) -> TimerKey {
        let number = self.set_count;
        self.set_count += 1;
        self.events.insert((at, number), (event, weight));
        TimerKey::numbered(number)
    }

    fn cancel(&mut self, key: TimerKey) {
        if let Some(place) = self.find(key) {
            self.events.remove(&place);
        }
    }

    fn set_weight(&mut self, key: TimerKey, weight: Weight) {
        if let Some(place) = self.find(key) {
            self.events.get_mut(&place).expect("it was found").1 = weight;
        }
    }

    fn record(&mut self, kind: EventKind, stream: StreamId, subject: u64, value: u64) {
        self.records.push((kind, stream, subject, value));
    }

    fn name(&mut self, stream: StreamId, name: impl FnOnce() -> String) {
        self.names.insert(stream, name());
    }

    fn after(&self, _: DomainId, nanos: u64) -> VirtualTime {
        VirtualTime::from_nanos(self.now.as_nanos().saturating_add(nanos))
    }
}
