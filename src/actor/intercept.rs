//! Where faults have their say about messages; the layer of faults fills it.
//!
//! Whoever puts a message into a mailbox asks here, once, when any rule stands; so does the task that is
//! about to handle one. Without a rule that costs a load of a flag each.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::sync::spin::SpinLock;

/// What becomes of a message that is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Deliver,
    /// It is lost: a dead letter. Whoever asks is not told.
    Drop,
    /// It comes later, without regard to the order and the bound.
    Delay(Duration),
    /// It comes twice, if it can be copied.
    Duplicate,
}

/// What becomes of an actor that is about to handle a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TakeVerdict {
    Handle,
    /// It panics instead.
    Crash,
    /// It is busy for so long before.
    Slow(Duration),
}

/// Rules about messages. They are asked in the task that sends or takes, and draw choices of it.
pub(crate) trait Rules: Send + Sync {
    fn on_put(&self, to: &str, kind: &str, is_copyable: &dyn Fn() -> bool) -> Verdict;
    fn on_take(&self, actor: &str, kind: &str) -> TakeVerdict;
    fn capacity(&self, actor: Option<&str>, capacity: u32) -> u32;
    /// Which of so many messages that may go first is taken; 0 is the one that came first.
    fn pick(&self, actor: &str, candidates: usize) -> usize;
}

/// The kind of what supervisors tell themselves: no fault touches it.
pub(crate) const OF_SUPERVISORS: &str = "(supervisor)";

/// The rules of a run, of all its machines.
#[derive(Clone, Default)]
pub(crate) struct Interception(Arc<Shared>);

#[derive(Default)]
struct Shared {
    is_on: AtomicBool,
    rules: SpinLock<Option<Arc<dyn Rules>>>,
}

impl Interception {
    #[inline]
    pub(crate) fn is_on(&self) -> bool {
        self.0.is_on.load(Ordering::Relaxed)
    }

    /// Sets the rules, or takes them away.
    pub(crate) fn set(&self, rules: Option<Arc<dyn Rules>>) {
        self.0.is_on.store(rules.is_some(), Ordering::Relaxed);
        let replaced = self.0.rules.with(|place| std::mem::replace(place, rules));
        drop(replaced);
    }

    fn rules(&self) -> Option<Arc<dyn Rules>> {
        self.0.rules.with(|rules| rules.clone())
    }

    pub(crate) fn judge(&self, to: &str, kind: &str, is_copyable: &dyn Fn() -> bool) -> Verdict {
        let rules = self.rules().filter(|_| kind != OF_SUPERVISORS);
        rules.map_or(Verdict::Deliver, |rules| rules.on_put(to, kind, is_copyable))
    }

    pub(crate) fn judge_take(&self, actor: &str, kind: &str) -> TakeVerdict {
        let rules = self.rules().filter(|_| kind != OF_SUPERVISORS);
        rules.map_or(TakeVerdict::Handle, |rules| rules.on_take(actor, kind))
    }

    pub(crate) fn capacity(&self, actor: Option<&str>, capacity: u32) -> u32 {
        self.rules().map_or(capacity, |rules| rules.capacity(actor, capacity))
    }

    pub(crate) fn pick(&self, actor: &str, candidates: usize) -> usize {
        self.rules().map_or(0, |rules| rules.pick(actor, candidates))
    }
}

impl fmt::Debug for Interception {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Interception").field("is_on", &self.is_on()).finish()
    }
}
