//! What the actors of one machine have in common: numbers, names, groups, dead letters.

use std::any::Any;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::any_ref::{ActorId, AnyRef};
use super::dead_letters::{DeadLetter, Letters, Undelivered};
use super::intercept::Interception;
use crate::backend::{self, Home};
use crate::sync::spin::SpinLock;

/// One for each process: a machine that is started again has a new one.
#[derive(Clone)]
pub(crate) struct System(Arc<Shared>);

struct Shared {
    home: Home,
    next: AtomicU64,
    interception: Interception,
    pub(super) names: SpinLock<BTreeMap<Cow<'static, str>, Named>>,
    pub(super) groups: SpinLock<Groups>,
    pub(super) letters: Letters,
}

/// Groups by name; each is one of its type of messages.
pub(crate) type Groups = BTreeMap<Cow<'static, str>, Arc<dyn Any + Send + Sync>>;

/// An actor that has a name.
#[derive(Clone)]
pub(crate) struct Named {
    pub(crate) actor: AnyRef,
    pub(crate) cell: Arc<dyn Any + Send + Sync>,
}

impl System {
    /// Returns that of the machine of the running task.
    #[track_caller]
    pub(crate) fn here(call: &str) -> Self {
        backend::shared_local(call, || {
            Self(Arc::new(Shared {
                home: Home::here(call),
                next: AtomicU64::new(1),
                interception: backend::shared_by_run(call, Interception::default),
                names: SpinLock::new(BTreeMap::new()),
                groups: SpinLock::new(BTreeMap::new()),
                letters: Letters::default(),
            }))
        })
    }

    pub(crate) fn home(&self) -> Home {
        self.0.home
    }

    pub(crate) fn next_id(&self) -> ActorId {
        ActorId(self.0.next.fetch_add(1, Ordering::Relaxed))
    }

    // Names

    pub(crate) fn names(&self) -> &SpinLock<BTreeMap<Cow<'static, str>, Named>> {
        &self.0.names
    }

    /// Gives a name to an actor, unless another one has it.
    pub(crate) fn register(&self, name: Cow<'static, str>, named: Named) -> bool {
        let mut named = Some(named);
        self.0.names.with(|names| {
            if !names.contains_key(&name)
                && let Some(named) = named.take()
            {
                names.insert(name, named);
            }
        });
        named.is_none()
    }

    /// Takes the name from an actor that has ended.
    pub(crate) fn release(&self, name: &str, actor: &AnyRef) {
        let released = self.0.names.with(|names| {
            let is_own = names.get(name).is_some_and(|named| named.actor == *actor);
            is_own.then(|| names.remove(name)).flatten()
        });
        drop(released);
    }

    // Groups

    pub(crate) fn groups(&self) -> &SpinLock<Groups> {
        &self.0.groups
    }

    // Dead letters

    pub(crate) fn letters(&self) -> &Letters {
        &self.0.letters
    }

    pub(crate) fn bury(&self, letter: DeadLetter) {
        self.0.letters.add(letter);
    }

    pub(crate) fn note_late_reply(&self, of: Cow<'static, str>) {
        let why = Undelivered::Late;
        self.bury(DeadLetter { to: of, kind: "reply", why, from: None });
    }

    // Faults

    /// Tells whether a fault may have its say about messages.
    #[inline]
    pub(crate) fn is_watched(&self) -> bool {
        self.0.interception.is_on()
    }

    pub(crate) fn capacity_of(&self, to: Option<&str>, capacity: u32) -> u32 {
        if !self.is_watched() {
            return capacity;
        }
        self.0.interception.capacity(to, capacity)
    }

    pub(crate) fn interception(&self) -> &Interception {
        &self.0.interception
    }
}

impl fmt::Debug for System {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("System").field("home", &self.0.home).finish_non_exhaustive()
    }
}
