//! The faults that a program has put on links: which hold, where, and which of them a packet meets.
//!
//! A rule says what becomes of packets between two sets of machines; a link does not know of it but
//! works out anew what holds for it when the generation has changed. So a partition of a thousand
//! machines is one entry. Where several hold, the strongest one acts: cut, then down, then held, then
//! clogged, the longest first.
//!
//! Knows nothing of what is in packets.

use std::rc::Rc;

use crate::executor::TimerKey;
use crate::world::node::NodeId;

/// Names a rule: how many there were before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct RuleId(pub(crate) u32);

/// Some machines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Set {
    /// In order.
    nodes: Rc<[NodeId]>,
    /// All but these, those that will be made included.
    is_complement: bool,
}

impl Set {
    /// Makes the set of these machines.
    pub(crate) fn of(nodes: impl IntoIterator<Item = NodeId>) -> Self {
        let mut nodes: Vec<NodeId> = nodes.into_iter().collect();
        nodes.sort_unstable();
        nodes.dedup();
        Self { nodes: nodes.into(), is_complement: false }
    }

    /// Makes the set of all machines, those that will be made included.
    #[cfg(test)]
    pub(crate) fn everyone() -> Self {
        Self { nodes: Rc::new([]), is_complement: true }
    }

    /// Returns the machines that are not in it, those that will be made included.
    pub(crate) fn others(&self) -> Self {
        Self { nodes: self.nodes.clone(), is_complement: !self.is_complement }
    }

    /// Returns it in words.
    pub(super) fn shown(&self, name: impl Fn(NodeId) -> String) -> String {
        let names: Vec<String> = self.nodes.iter().map(|node| name(*node)).collect();
        match (self.is_complement, names.is_empty()) {
            (false, true) => "nobody".to_owned(),
            (false, false) => names.join(", "),
            (true, true) => "all".to_owned(),
            (true, false) => format!("all but {}", names.join(", ")),
        }
    }

    /// Tells whether all machines of another set are in it.
    fn covers(&self, other: &Self) -> bool {
        match (self.is_complement, other.is_complement) {
            (_, false) => other.nodes.iter().all(|node| self.contains(*node)),
            (true, true) => self.nodes.iter().all(|node| !other.contains(*node)),
            (false, true) => false,
        }
    }

    /// Tells whether a machine is in it.
    #[inline]
    pub(crate) fn contains(&self, node: NodeId) -> bool {
        self.nodes.binary_search(&node).is_ok() != self.is_complement
    }
}

/// What a rule does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RuleKind {
    /// What arrives is lost.
    Cut,
    /// What arrives is kept until the rule ends.
    Hold,
    /// What arrives is kept until a time, in nanoseconds.
    Clog {
        /// The time.
        until: u64,
    },
    /// Open for `up` nanoseconds and cut for `down`, in turn.
    Flap {
        /// When it began.
        since: u64,
        /// How long it is open.
        up: u64,
        /// How long it is cut.
        down: u64,
    },
}

/// A rule and what it has done.
#[derive(Debug)]
struct Rule {
    id: RuleId,
    kind: RuleKind,
    from: Set,
    to: Set,
    goes_both_ways: bool,
    /// Where it does not hold any more, in one direction each.
    except: Vec<(Set, Set)>,
    lasts: Lasts,
    /// Of a clog that has kept something: the event of its end.
    release: Option<TimerKey>,
    fired: u64,
}

/// How long a rule lasts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Lasts {
    /// Until its guard goes.
    Guarded,
    /// Until it is healed.
    Kept,
    /// No longer: it was healed, and its guard has yet to go.
    Over,
}

impl Rule {
    fn holds(&self, from: NodeId, to: NodeId) -> bool {
        let is_within = |one: &Set, other: &Set| one.contains(from) && other.contains(to);
        self.lasts != Lasts::Over
            && (is_within(&self.from, &self.to)
                || self.goes_both_ways && is_within(&self.to, &self.from))
            && !self.except.iter().any(|(one, other)| is_within(one, other))
    }
}

/// What rules say of a link, as far as that does not depend on the time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// None concerns it.
    Clear,
    /// Some do.
    Concerned,
}

/// What rules say of a packet that comes to the end of its link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Judgement {
    /// It arrives.
    Pass,
    /// A cut takes it.
    Cut(RuleId),
    /// The link flaps, and is down.
    Flapped(RuleId),
    /// It is kept.
    Held(RuleId),
    /// It is kept until that time.
    Clogged(RuleId, u64),
}

impl Judgement {
    /// Returns which of two acts where both hold.
    fn stronger(self, other: Self) -> Self {
        let strength = |judgement| match judgement {
            Self::Pass => (0, 0),
            Self::Clogged(_, until) => (1, until),
            Self::Held(_) => (2, 0),
            Self::Flapped(_) => (3, 0),
            Self::Cut(_) => (4, 0),
        };
        if strength(other) > strength(self) { other } else { self }
    }
}

/// All rules of a run.
#[derive(Debug)]
pub(super) struct Rules {
    rules: Vec<Rule>,
    made: u32,
    /// Grows with each change of anything that a link works out; never 0.
    generation: u32,
}

impl Default for Rules {
    fn default() -> Self {
        Self { rules: Vec::new(), made: 0, generation: 1 }
    }
}

impl Rules {
    pub(super) fn generation(&self) -> u32 {
        self.generation
    }

    pub(super) fn touch(&mut self) {
        self.generation = self.generation.checked_add(1).expect("a run changes links less often");
    }

    /// Makes a rule for both directions, with a guard.
    pub(super) fn add(&mut self, now: u64, kind: RuleKind, (from, to): (Set, Set)) -> RuleId {
        // Those that ended by themselves are looked after here, so that they do not pile up.
        self.rules.retain(|rule| rule.lasts != Lasts::Kept || !rule.has_expired(now));
        let id = RuleId(self.made);
        self.made += 1;
        self.rules.push(Rule {
            id,
            kind,
            from,
            to,
            goes_both_ways: true,
            except: Vec::new(),
            lasts: Lasts::Guarded,
            release: None,
            fired: 0,
        });
        self.touch();
        id
    }

    fn place(&self, id: RuleId) -> Option<usize> {
        self.rules.binary_search_by_key(&id, |rule| rule.id).ok()
    }

    fn find(&mut self, id: RuleId) -> Option<&mut Rule> {
        let place = self.place(id)?;
        Some(&mut self.rules[place])
    }

    /// Restricts a rule to the direction in which it was stated.
    pub(super) fn make_one_way(&mut self, id: RuleId) {
        if let Some(rule) = self.find(id) {
            rule.goes_both_ways = false;
            self.touch();
        }
    }

    /// Leaves a rule without a guard: it lasts until links are healed.
    pub(super) fn keep(&mut self, id: RuleId) {
        let Some(place) = self.place(id) else { return };
        match self.rules[place].lasts {
            Lasts::Guarded | Lasts::Kept => self.rules[place].lasts = Lasts::Kept,
            Lasts::Over => drop(self.rules.remove(place)),
        }
    }

    /// Ends a rule, with its guard. Returns the event of its end, if it was set.
    pub(super) fn end(&mut self, id: RuleId) -> Option<TimerKey> {
        let place = self.place(id)?;
        self.touch();
        self.rules.remove(place).release
    }

    /// Ends what rules do between two sets, in both directions; of all kinds, or only those that keep
    /// packets. Returns the events of ends that nobody needs any more.
    pub(super) fn except(&mut self, one: &Set, other: &Set, of: Healed) -> Vec<TimerKey> {
        self.touch();
        self.end_where(|rule| of.includes(rule.kind) && rule.except_between(one, other))
    }

    /// Ends all rules. Returns the events of their ends.
    pub(super) fn end_all(&mut self) -> Vec<TimerKey> {
        self.touch();
        self.end_where(|_| true)
    }

    /// Ends some rules, and forgets those that no guard asks for.
    fn end_where(&mut self, mut is_ended: impl FnMut(&mut Rule) -> bool) -> Vec<TimerKey> {
        let mut releases = Vec::new();
        self.rules.retain_mut(|rule| {
            if !is_ended(rule) {
                return true;
            }
            releases.extend(rule.release.take());
            let is_guarded = rule.lasts != Lasts::Kept;
            rule.lasts = Lasts::Over;
            is_guarded
        });
        releases
    }

    /// Returns how often a rule has fired.
    pub(super) fn fired(&self, id: RuleId) -> u64 {
        self.place(id).map_or(0, |place| self.rules[place].fired)
    }

    /// Says what holds for a link, as far as that does not depend on the time.
    pub(super) fn verdict(&self, from: NodeId, to: NodeId) -> Verdict {
        let is_concerned = from != to && self.rules.iter().any(|rule| rule.holds(from, to));
        if is_concerned { Verdict::Concerned } else { Verdict::Clear }
    }

    /// Says what becomes of a packet that comes to the end of its link now.
    pub(super) fn judge(&self, from: NodeId, to: NodeId, now: u64) -> Judgement {
        let concerned = self.rules.iter().filter(|rule| rule.holds(from, to));
        concerned.map(|rule| rule.judge(now)).fold(Judgement::Pass, Judgement::stronger)
    }

    /// Counts a packet that a rule has acted upon.
    pub(super) fn count(&mut self, id: RuleId) {
        if let Some(rule) = self.find(id) {
            rule.fired += 1;
        }
    }

    /// Returns where the event of a rule's end is kept.
    pub(super) fn release_mut(&mut self, id: RuleId) -> Option<&mut Option<TimerKey>> {
        self.find(id).map(|rule| &mut rule.release)
    }
}

impl Rule {
    /// Ends what it does between two sets. Tells whether that is all it does.
    fn except_between(&mut self, one: &Set, other: &Set) -> bool {
        let mut is_whole = false;
        for (from, to) in [(one, other), (other, one)] {
            is_whole |= from.covers(&self.from) && to.covers(&self.to);
            if !self.except.iter().any(|known| (&known.0, &known.1) == (from, to)) {
                self.except.push((from.clone(), to.clone()));
            }
        }
        is_whole
    }

    fn has_expired(&self, now: u64) -> bool {
        matches!(self.kind, RuleKind::Clog { until } if until <= now)
    }

    fn judge(&self, now: u64) -> Judgement {
        match self.kind {
            RuleKind::Cut => Judgement::Cut(self.id),
            RuleKind::Hold => Judgement::Held(self.id),
            RuleKind::Clog { until } if now < until => Judgement::Clogged(self.id, until),
            RuleKind::Flap { since, up, down } if (now - since) % (up + down) >= up => {
                Judgement::Flapped(self.id)
            }
            RuleKind::Clog { .. } | RuleKind::Flap { .. } => Judgement::Pass,
        }
    }
}

/// Which rules are ended between two sets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Healed {
    /// All.
    All,
    /// Those that keep packets.
    Keeping,
}

impl Healed {
    fn includes(self, kind: RuleKind) -> bool {
        match kind {
            RuleKind::Hold | RuleKind::Clog { .. } => true,
            RuleKind::Cut | RuleKind::Flap { .. } => self == Self::All,
        }
    }
}
