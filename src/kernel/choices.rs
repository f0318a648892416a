//! The only source of chance in a run.

use std::collections::BTreeMap;

use super::{Key, Seed, Space, prf};

/// What replaces the drawn value at some keys. Sparse: a shrunk failure has a handful.
pub type Overrides = BTreeMap<Key, u64>;

/// How a choice without an override is filled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fill {
    /// From the seed: explores.
    Seeded,
    /// With the default of its space: the default world, in which shrinking works.
    Default,
}

/// Where a drawn value came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// The seed or the default, as [`Fill`] says.
    Filled,
    /// An override.
    Overridden,
    /// The override at this key is not in the space and was not used.
    Stale,
}

/// One drawn choice, for the record of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Draw {
    /// Its address.
    pub key: Key,
    /// What it was drawn from.
    pub space: Space,
    /// What it is.
    pub value: u64,
    /// Where the value came from.
    pub source: Source,
}

/// Answers the draws of one run from its seed and overrides.
///
/// # Examples
/// ```
/// use parcae::Seed;
/// use parcae::kernel::{Choices, Fill, Key, Overrides, Site, Space, StreamId};
///
/// let key = Key::new(StreamId::ROOT, Site::new("dice"), 0);
/// let dice = Space::Integer { low: 1, high: 6, default: 1 };
///
/// let mut seeded = Choices::new(Seed::new(7), Fill::Seeded, Overrides::new());
/// let value = seeded.draw(key, dice).value;
/// assert!((1..=6).contains(&value));
///
/// let mut forced = Choices::new(Seed::new(7), Fill::Default, Overrides::from([(key, 6)]));
/// assert_eq!(forced.draw(key, dice).value, 6);
/// ```
#[derive(Clone, Debug)]
pub struct Choices {
    seed: Seed,
    fill: Fill,
    overrides: Overrides,
}

/// How a run is repeated up to an event, and then goes another way.
#[cfg(feature = "simulation")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Reseed {
    /// How many events are kept.
    pub(crate) after_events: u64,
    /// From what everything is drawn after them.
    pub(crate) seed: Seed,
}

impl Choices {
    /// Makes the source of chance of one run.
    #[must_use]
    pub fn new(seed: Seed, fill: Fill, overrides: Overrides) -> Self {
        Self { seed, fill, overrides }
    }

    /// Returns the seed.
    #[must_use]
    pub fn seed(&self) -> Seed {
        self.seed
    }

    /// Returns how choices without an override are filled.
    #[must_use]
    pub fn fill(&self) -> Fill {
        self.fill
    }

    /// Returns the overrides.
    #[must_use]
    pub fn overrides(&self) -> &Overrides {
        &self.overrides
    }

    /// Returns the override at a key, if there is one.
    #[must_use]
    pub fn forced(&self, key: Key) -> Option<u64> {
        if self.overrides.is_empty() { None } else { self.overrides.get(&key).copied() }
    }

    /// Draws all that is to come from another seed, without overrides.
    #[cfg(feature = "simulation")]
    pub(crate) fn reseed(&mut self, seed: Seed) {
        *self = Self::new(seed, Fill::Seeded, Overrides::new());
    }

    /// Draws the choice at a key.
    ///
    /// # Panics
    /// When the space is empty.
    #[track_caller]
    pub fn draw(&mut self, key: Key, space: Space) -> Draw {
        space.check();
        let filled = || match self.fill {
            Fill::Seeded => space.sample(prf(self.seed, key)),
            Fill::Default => space.default_value(),
        };
        let (value, source) = match self.forced(key) {
            None => (filled(), Source::Filled),
            Some(value) if space.contains(value) => (value, Source::Overridden),
            Some(_) => (filled(), Source::Stale),
        };
        Draw { key, space, value, source }
    }
}
