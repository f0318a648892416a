//! What a layer below a run may ask of the executor. Each call borrows the core for itself, so the
//! caller must not hold it; the layer's own state is always borrowed before.

#[cfg(test)]
mod tests;

use std::rc::Rc;

use super::core::Core;
use super::domain::{DomainId, DomainState};
use super::layer::{EventId, Layer, Weight};
use super::timers::{DueTimer, TimerKey, TimerTarget};
use super::{Attachment, Executor, WakeTarget};
use crate::kernel::{Event, Site, Space, StreamId, VirtualTime};

impl Executor {
    /// Hangs a layer under the run.
    ///
    /// # Panics
    /// When there is one.
    pub(crate) fn attach(&self, layer: Rc<dyn Layer>) {
        let replaced = self.core.borrow_mut().layer.replace(layer);
        assert!(replaced.is_none(), "a run has one layer below it");
    }

    /// Lets go of the layer, after the last task; returns what it leaves behind.
    pub(super) fn detach_layer(&self) -> Vec<Attachment> {
        let mut left = Vec::new();
        // Again, when something of the user's that it lets go of has asked for a new one.
        loop {
            let layer = self.core.borrow_mut().layer.take();
            let Some(layer) = layer else { return left };
            self.catch(|| left.extend(layer.end()));
            if let Some(log) = &mut self.core.borrow_mut().log {
                log.phrases = layer.phrases();
            }
            // The programs of machines, for example.
            self.catch(|| drop(layer));
        }
    }

    /// Tells whether what goes over the network is to be kept.
    pub(crate) fn is_capturing(&self) -> bool {
        self.is_capturing
    }

    /// Returns nanoseconds of the virtual wall clock at the start of the run.
    pub(crate) fn epoch_nanos(&self) -> u64 {
        self.epoch_nanos
    }

    /// Returns the time on the global clock, the number that tells the run from all others of the process
    /// (it never reaches a run), and the domain of the running task.
    #[inline]
    pub(crate) fn now_and_here(&self) -> (VirtualTime, u64, DomainId) {
        let core = self.core.borrow();
        (core.now, core.serial, core.current_domain())
    }

    /// Has the layer told of an event at a time of the global clock. A time that has passed is now.
    #[inline]
    pub(crate) fn set_event(&self, at: VirtualTime, event: EventId, weight: Weight) -> TimerKey {
        let timers = &mut self.core.borrow_mut().timers;
        let at = at.as_nanos();
        let target = TimerTarget::Event(event, Weight::Foreground);
        let key = timers.set(at, at, DomainId::ROOT, target);
        if weight == Weight::Background {
            timers.set_weight(key, weight);
        }
        key
    }

    /// Takes an event back; nothing happens when the layer was told of it.
    #[inline]
    pub(crate) fn cancel_event(&self, key: TimerKey) {
        let target = self.core.borrow_mut().timers.cancel(key);
        // Never a waker, so it may be dropped anywhere.
        drop(target);
    }

    /// Changes the weight of an event that is set.
    pub(crate) fn set_weight(&self, key: TimerKey, weight: Weight) {
        self.core.borrow_mut().timers.set_weight(key, weight);
    }

    /// Draws a choice of an object of the layer's.
    #[track_caller]
    pub(crate) fn draw_for(&self, stream: StreamId, site: Site, ordinal: u64, space: Space) -> u64 {
        self.core.borrow_mut().draw_of(stream, (site, ordinal), space, None).value
    }

    /// Adds an event to the chain, and to the log if there is one.
    #[inline]
    pub(crate) fn record(&self, event: Event) {
        self.core.borrow_mut().event(event, None);
    }

    /// Gives an object of the layer's a name in the log; `name` is called only if there is one.
    pub(crate) fn name_object(&self, stream: StreamId, name: impl FnOnce() -> String) {
        if let Some(log) = &mut self.core.borrow_mut().log {
            log.objects.entry(stream).or_insert_with(|| name().into());
        }
    }

    /// Returns when a duration has passed on the clock of a domain, at its rate of now.
    pub(crate) fn global_after(&self, domain: DomainId, duration_nanos: u64) -> VirtualTime {
        let core = self.core.borrow();
        let clock = &core.domains.get(domain).clock;
        let local = clock.local(core.now).saturating_add(duration_nanos);
        VirtualTime::from_nanos(clock.global(local))
    }

    /// Returns the domain of the running task, and what its tasks may do.
    #[inline]
    pub(crate) fn domain_of_running(&self) -> (DomainId, DomainState) {
        let core = self.core.borrow();
        let domain = core.current_domain();
        (domain, core.domains.get(domain).state)
    }

    /// Tells the layer of the events that are due.
    pub(super) fn fire(&self) {
        let mut core = self.core.borrow_mut();
        let layer = core.layer.clone().expect("nobody but a layer sets events");
        // Nearly always it is one.
        if let [timer] = &*core.due {
            let event = timer.event();
            core.due.clear();
            drop(core);
            self.catch(|| layer.fire(self, &[event]));
            return;
        }
        let events: Vec<EventId> = core.due.iter().map(DueTimer::event).collect();
        core.due.clear();
        drop(core);
        self.catch(|| layer.fire(self, &events));
    }

    /// Wakes a task for the layer, which is not borrowed any more. It may run code of the user's.
    #[inline]
    pub(crate) fn wake_target(&self, target: WakeTarget) {
        match target.task_or_waker() {
            Ok(task) if task.run() == self.run => self.core.borrow_mut().wake(task),
            Ok(task) => super::waker::waker(task).wake(),
            Err(waker) => waker.wake(),
        }
    }
}

impl Core {
    /// Returns what the layer calls a resource of its own.
    #[cold]
    pub(super) fn name_by_layer(&self, resource: u64) -> Option<String> {
        self.layer.as_ref()?.name_of(resource)
    }
}
