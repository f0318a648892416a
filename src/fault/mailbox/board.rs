//! The rules about mailboxes of a run, and how they decide.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::actor::intercept::{Rules, TakeVerdict, Verdict};
use crate::backend;
use crate::fault::dice::Dice;
use crate::kernel::Ratio;
use crate::sync::spin::SpinLock;
use crate::world::Node;

/// All rules of a run, in the order in which they were made.
#[derive(Default)]
pub(super) struct Board {
    next: AtomicU64,
    rules: SpinLock<Vec<Arc<Rule>>>,
}

/// One rule.
pub(super) struct Rule {
    number: u64,
    scope: Scope,
    /// Those of its machines to which it is still done.
    machines: SpinLock<Machines>,
    effect: Effect,
    dice: Dice,
    fired: AtomicU64,
    /// How many messages it was asked about, of all tasks.
    met: AtomicU64,
    /// The same, for each task.
    met_of: SpinLock<BTreeMap<u64, u64>>,
}

/// Names of machines; none for all of them.
type Machines = Option<Arc<[Arc<str>]>>;

/// To which actors and messages a rule is done.
#[derive(Clone, Debug, Default)]
pub(super) struct Scope {
    pub(super) actor: Option<Cow<'static, str>>,
    pub(super) kind: Option<Cow<'static, str>>,
    /// Names of the machines on which the actors run; none for all.
    pub(super) machines: Option<Vec<Arc<str>>>,
    /// Names of actors to which it is not done.
    pub(super) spared: Vec<Arc<str>>,
}

/// What a rule does.
pub(in crate::fault) enum Effect {
    Drop(Ratio),
    Delay(Ratio, RangeInclusive<Duration>),
    Duplicate(Ratio),
    Reorder(Ratio),
    CrashAt(u64),
    Slow(Ratio, RangeInclusive<Duration>),
    Capacity(u32),
}

impl Board {
    /// Adds the rule that is made for a number of its own.
    pub(super) fn add(&self, make: impl FnOnce(u64) -> Rule) -> Arc<Rule> {
        let rule = Arc::new(make(self.next.fetch_add(1, Ordering::Relaxed)));
        self.rules.with(|rules| rules.push(rule.clone()));
        rule
    }

    /// Takes a rule away; tells whether it was the last one.
    pub(super) fn remove(&self, rule: &Arc<Rule>) -> bool {
        let (removed, is_last) = self.rules.with(|rules| {
            let place = rules.iter().position(|other| Arc::ptr_eq(other, rule));
            (place.map(|place| rules.remove(place)), rules.is_empty())
        });
        drop(removed);
        is_last
    }

    /// Asks the rules that fit until one decides. Draws are made where nothing is held.
    fn first<T>(
        &self,
        (actor, kind): (Option<&str>, Option<&str>),
        is_asked: impl Fn(&Effect) -> bool,
        decide: impl Fn(&Rule, Meeting) -> Option<T>,
    ) -> Option<T> {
        let rules = self.rules.with(|rules| rules.clone());
        let mut decided = None;
        for rule in rules.iter().filter(|rule| is_asked(&rule.effect) && rule.fits(actor, kind)) {
            // Also counted when another one has decided: numbers stand for messages.
            let meeting = rule.meet();
            if decided.is_none() {
                decided = decide(rule, meeting).inspect(|_| rule.fire(actor, kind));
            }
        }
        decided
    }
}

/// That a rule was asked.
#[derive(Clone, Copy)]
struct Meeting {
    /// How often it was asked by now, from 1.
    count: u64,
    /// Stands for the rule and the message of the running task.
    ordinal: u64,
}

impl Rules for Board {
    fn on_put(&self, to: &str, kind: &str, is_copyable: &dyn Fn() -> bool) -> Verdict {
        let is_asked = |effect: &Effect| {
            matches!(effect, Effect::Drop(_) | Effect::Delay(..) | Effect::Duplicate(_))
        };
        let decide = |rule: &Rule, Meeting { ordinal, .. }| match &rule.effect {
            Effect::Drop(share) => {
                rule.dice.happens("mailbox drop", ordinal, *share).then_some(Verdict::Drop)
            }
            Effect::Delay(share, range) => {
                let happens = rule.dice.happens("mailbox delay", ordinal, *share);
                let draw = || rule.dice.duration("mailbox delay time", ordinal, range);
                happens.then(|| Verdict::Delay(draw()))
            }
            Effect::Duplicate(share) => {
                let happens = rule.dice.happens("mailbox duplicate", ordinal, *share);
                (happens && is_copyable()).then_some(Verdict::Duplicate)
            }
            _ => None,
        };
        self.first((Some(to), Some(kind)), is_asked, decide).unwrap_or(Verdict::Deliver)
    }

    fn on_take(&self, actor: &str, kind: &str) -> TakeVerdict {
        let is_asked = |effect: &Effect| matches!(effect, Effect::CrashAt(_) | Effect::Slow(..));
        let decide = |rule: &Rule, Meeting { count, ordinal }| match &rule.effect {
            Effect::CrashAt(number) => (count == *number).then_some(TakeVerdict::Crash),
            Effect::Slow(share, range) => {
                let happens = rule.dice.happens("mailbox slow", ordinal, *share);
                let draw = || rule.dice.duration("mailbox slow time", ordinal, range);
                happens.then(|| TakeVerdict::Slow(draw()))
            }
            _ => None,
        };
        self.first((Some(actor), Some(kind)), is_asked, decide).unwrap_or(TakeVerdict::Handle)
    }

    fn capacity(&self, actor: Option<&str>, capacity: u32) -> u32 {
        let is_asked = |effect: &Effect| matches!(effect, Effect::Capacity(_));
        let decide = |rule: &Rule, _| match &rule.effect {
            Effect::Capacity(other) => Some(*other),
            _ => None,
        };
        self.first((actor, None), is_asked, decide).unwrap_or(capacity)
    }

    fn pick(&self, actor: &str, candidates: usize) -> usize {
        let is_asked = |effect: &Effect| matches!(effect, Effect::Reorder(_));
        let decide = |rule: &Rule, Meeting { ordinal, .. }| match &rule.effect {
            Effect::Reorder(share) => {
                let happens = rule.dice.happens("mailbox reorder", ordinal, *share);
                let draw = || rule.dice.index("mailbox reorder to", ordinal, candidates - 1);
                (candidates > 1 && happens).then(|| 1 + draw())
            }
            _ => None,
        };
        self.first((Some(actor), None), is_asked, decide).unwrap_or(0)
    }
}

impl Rule {
    pub(super) fn new(number: u64, scope: Scope, effect: Effect, dice: Dice) -> Self {
        let [fired, met] = [AtomicU64::new(0), AtomicU64::new(0)];
        let met_of = SpinLock::new(BTreeMap::new());
        let machines = SpinLock::new(scope.machines.as_deref().map(Arc::from));
        Self { number, scope, machines, effect, dice, fired, met, met_of }
    }

    /// Returns the number of a rule that has one of its own, apart from those that are counted.
    pub(super) const fn own_number(of: u64) -> u64 {
        OWN_NUMBERS | (of % OWN_NUMBERS)
    }

    /// Takes machines away from it; tells whether any are left.
    pub(super) fn leave(&self, is_left: impl Fn(&str) -> bool) -> bool {
        let machines = self.machines.with(|machines| machines.clone());
        let rest: Machines =
            machines.map(|names| names.iter().filter(|name| !is_left(name)).cloned().collect());
        let is_left = rest.as_ref().is_some_and(|rest| !rest.is_empty());
        self.machines.with(|machines| *machines = rest);
        is_left
    }

    pub(super) fn fired(&self) -> u64 {
        self.fired.load(Ordering::Relaxed)
    }

    fn fits(&self, actor: Option<&str>, kind: Option<&str>) -> bool {
        let Scope { actor: own_actor, kind: own_kind, spared, .. } = &self.scope;
        own_actor.as_deref().is_none_or(|own| actor == Some(own))
            && own_kind.as_deref().is_none_or(|own| kind == Some(own))
            && !spared.iter().any(|spared| actor == Some(spared))
            && self.is_here()
    }

    /// Tells whether the running task is on one of its machines: that of the actor, or one whose tasks send to it.
    fn is_here(&self) -> bool {
        let Some(machines) = self.machines.with(|machines| machines.clone()) else { return true };
        let here = Node::current();
        machines.iter().any(|name| **name == *here.name())
    }

    fn meet(&self) -> Meeting {
        let task = backend::running_task();
        let of_task = self.met_of.with(|met_of| {
            let count = met_of.entry(task).or_insert(0);
            *count += 1;
            *count - 1
        });
        let count = self.met.fetch_add(1, Ordering::Relaxed) + 1;
        Meeting { count, ordinal: self.number << RULE_SHIFT | of_task }
    }

    fn fire(&self, actor: Option<&str>, kind: Option<&str>) {
        self.fired.fetch_add(1, Ordering::Relaxed);
        backend::note(|| {
            let kind = kind.map(|kind| format!(", message `{kind}`")).unwrap_or_default();
            format!("{self} fires at `{}`{kind}", actor.unwrap_or("an actor without a name"))
        });
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("mailbox fault: ")?;
        match &self.effect {
            Effect::Drop(share) => write!(formatter, "drop {share}")?,
            Effect::Delay(share, range) => write!(formatter, "delay {share} by {range:?}")?,
            Effect::Duplicate(share) => write!(formatter, "duplicate {share}")?,
            Effect::Reorder(share) => write!(formatter, "reorder {share}")?,
            Effect::CrashAt(number) => write!(formatter, "crash at message {number}")?,
            Effect::Slow(share, range) => write!(formatter, "slow {share} by {range:?}")?,
            Effect::Capacity(capacity) => write!(formatter, "capacity {capacity}")?,
        }
        if let Some(kind) = &self.scope.kind {
            write!(formatter, ", messages `{kind}`")?;
        }
        if let Some(actor) = &self.scope.actor {
            write!(formatter, ", of `{actor}`")?;
        }
        match &self.scope.machines {
            Some(machines) => write!(formatter, ", on {}", machines.join(" ")),
            None => Ok(()),
        }
    }
}

/// A rule may be asked about 2^40 messages of a task before its numbers are those of the next.
const RULE_SHIFT: u32 = 40;
/// From here on, in the 24 bits that are left.
const OWN_NUMBERS: u64 = 1 << 23;
