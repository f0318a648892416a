//! What a system is promised to survive.

use std::fmt;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

/// What a system is promised to survive: how many machines are absent at once, and of which one must
/// always be there.
///
/// A machine is absent while it is killed, powered off or frozen, for [`recovery`](Self::recovery) after
/// that, and while [`absent_while`](Self::absent_while) says so. A fault that would exceed the budget becomes a weaker one: who should die or freeze is
/// slowed down instead. What became of it stands in the [`ChaosReport`](super::ChaosReport).
///
/// The fault model is a contract: without a budget every failing run is "all copies died".
///
/// # Examples
/// ```
/// use std::time::Duration;
/// use parcae::fault::Budget;
///
/// // One zone at a time, with half a minute to catch up; never both of the machines with a full copy.
/// let budget = Budget::max_dead(1)
///     .by("zone")
///     .recovery(Duration::from_secs(30))
///     .keep_one_of(["kv-1", "kv-2"]);
/// # let _ = budget;
/// ```
#[derive(Clone)]
pub struct Budget {
    max_dead: Option<usize>,
    by: Option<&'static str>,
    recovery: Duration,
    copies: Vec<Vec<Arc<str>>>,
    spared: Vec<Arc<str>>,
    spared_actors: Vec<Arc<str>>,
    is_absent: Option<IsAbsent>,
}

/// Tells of a name whether its machine counts as absent.
type IsAbsent = Rc<dyn Fn(&str) -> bool>;

/// Why a fault was not admitted.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Excess {
    /// So many machines or failure domains are absent already.
    TooMany {
        /// Those that are.
        absent: Vec<Arc<str>>,
        /// How many may be.
        max: usize,
    },
    /// It is the last of its copies.
    LastCopy,
    /// It is never to be absent.
    Spared,
}

impl Budget {
    /// Admits so many absent machines at once.
    #[must_use]
    pub fn max_dead(count: usize) -> Self {
        Self { max_dead: Some(count), ..Self::unlimited() }
    }

    /// Admits everything, all machines at once included.
    #[must_use]
    pub const fn unlimited() -> Self {
        Self {
            max_dead: None,
            by: None,
            recovery: Duration::ZERO,
            copies: Vec::new(),
            spared: Vec::new(),
            spared_actors: Vec::new(),
            is_absent: None,
        }
    }

    /// Counts failure domains instead of machines: the values of this kind of
    /// [label](crate::world::label). All machines of an absent domain may be absent. A machine without
    /// such a label is a domain of its own.
    #[must_use]
    pub const fn by(mut self, kind: &'static str) -> Self {
        self.by = Some(kind);
        self
    }

    /// Counts a machine as absent for so long after it came back. Default: not at all.
    #[must_use]
    pub const fn recovery(mut self, time: Duration) -> Self {
        self.recovery = time;
        self
    }

    /// Never lets all of these machines be absent at once.
    #[must_use]
    pub fn keep_one_of<N: Into<Arc<str>>>(mut self, copies: impl IntoIterator<Item = N>) -> Self {
        self.copies.push(copies.into_iter().map(Into::into).collect());
        self
    }

    /// Never lets this machine be absent.
    #[must_use]
    pub fn spare(mut self, machine: impl Into<Arc<str>>) -> Self {
        self.spared.push(machine.into());
        self
    }

    /// Leaves the actors of this name alone: no message to them is lost, late, doubled or out of order, and they neither
    /// crash nor are slow, while their machines may be all of it.
    #[must_use]
    pub fn spare_actor(mut self, actor: impl Into<Arc<str>>) -> Self {
        self.spared_actors.push(actor.into());
        self
    }

    pub(super) fn spared_actors(&self) -> &[Arc<str>] {
        &self.spared_actors
    }

    /// Counts a machine as absent while this says so of its name: one that runs, but has not caught up,
    /// holds no copy yet. Called whenever a machine is to be taken away.
    #[must_use]
    pub fn absent_while(mut self, is_absent: impl Fn(&str) -> bool + 'static) -> Self {
        self.is_absent = Some(Rc::new(is_absent));
        self
    }

    pub(super) fn says_absent(&self, name: &str) -> bool {
        self.is_absent.as_ref().is_some_and(|is_absent| is_absent(name))
    }

    pub(super) const fn domains(&self) -> Option<&'static str> {
        self.by
    }

    pub(super) const fn recovery_time(&self) -> Duration {
        self.recovery
    }

    /// Returns how many of so many machines or domains may be absent.
    pub(super) fn most_of(&self, count: usize) -> usize {
        self.max_dead.unwrap_or(count.saturating_sub(1) / 2).min(count)
    }

    /// Tells whether one more may be absent; `domain_of` says what a machine is counted as.
    ///
    /// # Errors
    /// What would be exceeded.
    pub(super) fn admits(
        &self,
        name: &Arc<str>,
        absent: &[Arc<str>],
        domain_of: impl Fn(&Arc<str>) -> Arc<str>,
    ) -> Result<(), Excess> {
        if self.spared.contains(name) {
            return Err(Excess::Spared);
        }
        let is_gone = |copy: &Arc<str>| copy == name || absent.contains(copy);
        if self.copies.iter().any(|copies| copies.contains(name) && copies.iter().all(is_gone)) {
            return Err(Excess::LastCopy);
        }
        let Some(max) = self.max_dead else { return Ok(()) };
        let mut units: Vec<Arc<str>> = absent.iter().map(&domain_of).collect();
        units.sort();
        units.dedup();
        if units.contains(&domain_of(name)) || units.len() < max {
            return Ok(());
        }
        Err(Excess::TooMany { absent: absent.to_vec(), max })
    }
}

impl fmt::Debug for Budget {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Budget")
            .field("max_dead", &self.max_dead)
            .field("by", &self.by)
            .field("recovery", &self.recovery)
            .field("copies", &self.copies)
            .field("spared", &self.spared)
            .field("spared_actors", &self.spared_actors)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(names: &[&str]) -> Vec<Arc<str>> {
        names.iter().map(|name| Arc::from(*name)).collect()
    }

    fn own(name: &Arc<str>) -> Arc<str> {
        name.clone()
    }

    #[test]
    fn machines_are_absent_up_to_the_most() {
        let budget = Budget::max_dead(2);
        assert_eq!(budget.admits(&"a".into(), &names(&["b"]), own), Ok(()));
        let excess = Excess::TooMany { absent: names(&["b", "c"]), max: 2 };
        assert_eq!(budget.admits(&"a".into(), &names(&["b", "c"]), own), Err(excess));
        // Who is absent already may die as well.
        assert_eq!(budget.admits(&"b".into(), &names(&["b", "c"]), own), Ok(()));
    }

    #[test]
    fn a_domain_that_is_absent_may_be_so_altogether() {
        let budget = Budget::max_dead(1).by("zone");
        let zone = |name: &Arc<str>| Arc::from(&name[..1]);
        assert_eq!(budget.admits(&"a2".into(), &names(&["a1"]), zone), Ok(()));
        assert!(budget.admits(&"b1".into(), &names(&["a1"]), zone).is_err());
    }

    #[test]
    fn the_last_copy_and_who_is_spared_never_die() {
        let budget = Budget::unlimited().keep_one_of(["a", "b"]).spare("c");
        assert_eq!(budget.admits(&"a".into(), &[], own), Ok(()));
        assert_eq!(budget.admits(&"a".into(), &names(&["b"]), own), Err(Excess::LastCopy));
        assert_eq!(budget.admits(&"c".into(), &[], own), Err(Excess::Spared));
        assert_eq!(budget.admits(&"d".into(), &names(&["a"]), own), Ok(()));
    }
}
