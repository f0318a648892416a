//! The only source of chance in a run.

use std::collections::BTreeMap;

#[cfg(feature = "simulation")]
use super::bytes::Bytes;
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
    /// None in most runs, and so that they are small.
    told: Option<Box<Told>>,
}

/// What is said of choices beside how they are filled.
#[derive(Clone, Debug)]
struct Told {
    overrides: Overrides,
    /// Answer before choices are filled, as long as there are some.
    #[cfg(feature = "simulation")]
    bytes: Option<Bytes>,
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
        let is_told = !overrides.is_empty();
        let told = is_told.then(|| {
            Box::new(Told {
                overrides,
                #[cfg(feature = "simulation")]
                bytes: None,
            })
        });
        Self { seed, fill, told }
    }

    /// Answers choices without an override from bytes, in the order in which they are asked, and as they are
    /// filled when there are none left.
    #[cfg(feature = "simulation")]
    #[must_use]
    pub(crate) fn with_bytes(self, bytes: &[u8]) -> Self {
        let overrides = self.told.map(|told| told.overrides).unwrap_or_default();
        let told = Told { overrides, bytes: Some(Bytes::new(bytes)) };
        Self { told: Some(Box::new(told)), ..self }
    }

    /// Returns which of so many candidates the bytes say; none without bytes.
    #[cfg(feature = "simulation")]
    pub(crate) fn next_index(&mut self, count: usize) -> Option<usize> {
        let bytes = self.told.as_mut()?.bytes.as_mut()?;
        let index = bytes.value(Space::Index { count: count as u64 })?;
        usize::try_from(index).ok()
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
        static NONE: Overrides = Overrides::new();
        self.told.as_ref().map_or(&NONE, |told| &told.overrides)
    }

    /// Tells whether nothing says what is chosen but the seed or the defaults.
    #[cfg(feature = "simulation")]
    pub(crate) fn is_untold(&self) -> bool {
        self.told.is_none()
    }

    /// Returns the override at a key, if there is one.
    #[must_use]
    pub fn forced(&self, key: Key) -> Option<u64> {
        self.told.as_ref()?.overrides.get(&key).copied()
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
        let (told, source) = match &mut self.told {
            None => (None, Source::Filled),
            Some(told) => told.answer(key, space),
        };
        let filled = || match self.fill {
            Fill::Seeded => space.sample(prf(self.seed, key)),
            Fill::Default => space.default_value(),
        };
        Draw { key, space, value: told.unwrap_or_else(filled), source }
    }
}

impl Told {
    /// Returns what is said of a choice.
    fn answer(&mut self, key: Key, space: Space) -> (Option<u64>, Source) {
        match self.overrides.get(&key) {
            Some(value) if space.contains(*value) => (Some(*value), Source::Overridden),
            Some(_) => (None, Source::Stale),
            #[cfg(feature = "simulation")]
            None => (self.bytes.as_mut().and_then(|bytes| bytes.value(space)), Source::Filled),
            #[cfg(not(feature = "simulation"))]
            None => (None, Source::Filled),
        }
    }
}
