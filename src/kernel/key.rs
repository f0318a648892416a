//! The logical address of a choice.

use std::fmt;

use super::Seed;
use super::mix::{PRIMES, fold, hash_text, prf};

/// The object that asks for choices: a task, a link, a disk.
///
/// A hash of the path of names and sibling ordinals from the root ("main/worker#2"), never of a
/// file, line, address or creation time: what is added elsewhere does not rename it. 64 bits; with
/// 100,000 streams in a run two of them collide once in about 4 billion runs.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StreamId(u64);

impl StreamId {
    /// The stream above all others, asked by nobody but the run itself.
    pub const ROOT: Self = Self(0);

    /// Returns the stream of the child with this name, the `ordinal`-th of that name, from 0.
    #[must_use]
    pub const fn child(self, name: &str, ordinal: u32) -> Self {
        Self::child_hashed(self, hash_text(name), ordinal)
    }

    pub(crate) const fn child_hashed(self, name_hash: u64, ordinal: u32) -> Self {
        let named = fold(self.0 ^ PRIMES[0], name_hash ^ PRIMES[1]);
        Self(fold(named ^ PRIMES[2], ordinal as u64 ^ PRIMES[3]))
    }

    /// Returns the stream with this number, as it stands in an override's value or a token.
    #[must_use]
    pub const fn from_bits(bits: u64) -> Self {
        Self(bits)
    }

    /// Returns the 64 bits.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }
}

impl fmt::Debug for StreamId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "StreamId({:016x})", self.0)
    }
}

impl fmt::Display for StreamId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:016x}", self.0)
    }
}

/// What is asked for: a built-in kind ("schedule") or a label of the user's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Site {
    name: &'static str,
    id: u32,
}

impl Site {
    /// Makes the site with this name; equal names are equal sites.
    #[must_use]
    pub const fn new(name: &'static str) -> Self {
        Self { name, id: Self::hashed(name) }
    }

    #[expect(clippy::cast_possible_truncation, reason = "a 32-bit hash is what is wanted")]
    const fn hashed(text: &str) -> u32 {
        hash_text(text) as u32
    }

    /// Makes the site of a user's label, unlike any built-in site of that name.
    #[must_use]
    pub const fn label(name: &'static str) -> Self {
        let Self { name, id } = Self::new(name);
        Self { name, id: id ^ LABELS }
    }

    /// Makes the site that a text tells from others, shown by another one.
    #[cfg(feature = "simulation")]
    pub(crate) const fn keyed(name: &'static str, key: &str) -> Self {
        Self { name, id: Self::hashed(key) ^ LABELS.rotate_left(7) }
    }

    /// Returns the name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.name
    }

    /// Returns the hash of the name.
    #[must_use]
    pub const fn id(self) -> u32 {
        self.id
    }
}

/// The address of one choice: who asks, what for, and for which thing.
///
/// # Examples
/// ```
/// use parcae::kernel::{Key, Site, StreamId};
/// let link = StreamId::ROOT.child("link n1->n3", 0);
/// let loss_of_packet_17 = Key::new(link, Site::new("loss"), 17);
/// assert_ne!(loss_of_packet_17, Key::new(link, Site::new("loss"), 18));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    /// Who asks.
    pub stream: StreamId,
    /// [`Site::id`] of what it asks for.
    pub site: u32,
    /// Number of the thing drawn for (packet 17), from 0, not of the draws made.
    pub ordinal: u64,
}

impl Key {
    /// Returns the key as one word, for events.
    #[cfg(feature = "simulation")]
    pub(crate) const fn folded(self) -> u64 {
        self.stream.get() ^ (self.site as u64).rotate_left(32) ^ self.ordinal
    }

    /// Makes a key.
    #[must_use]
    pub const fn new(stream: StreamId, site: Site, ordinal: u64) -> Self {
        Self { stream, site: site.id, ordinal }
    }
}

const LABELS: u32 = 0x9e37_79b9;

/// Returns what seeds the random generator of a stream.
pub(crate) fn rng_seed(seed: Seed, stream: StreamId) -> [u8; 32] {
    let mut bytes = [0; 32];
    for (ordinal, chunk) in (0..).zip(bytes.chunks_exact_mut(8)) {
        let word = prf(seed, Key::new(stream, RNG, ordinal));
        chunk.copy_from_slice(&word.to_le_bytes());
    }
    bytes
}

/// The site that seeds the generator of a stream.
const RNG: Site = Site::new("rng");
