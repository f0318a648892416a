//! Tables whose places are used again: sockets, packets in flight.
//!
//! A key names a place and how often that was used before, so a key of something that is gone finds
//! nothing. Entries lie in pages that are never moved: a vector that doubles would hold up to twice what
//! it needs.

use std::num::NonZeroU64;

/// Names an entry of an [`Arena`]. 8 bytes, as is `Option<Key>`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key(NonZeroU64);

impl Key {
    fn new(index: u32, generation: u32) -> Self {
        let bits = u64::from(generation) << 32 | u64::from(index);
        Self(NonZeroU64::new(bits).expect("generations begin at 1"))
    }

    /// Returns the place.
    #[inline]
    pub(crate) fn index(self) -> u32 {
        (self.0.get() & 0xffff_ffff) as u32
    }

    /// Returns how often the place was used, this time included.
    #[inline]
    pub(crate) fn generation(self) -> u32 {
        (self.0.get() >> 32) as u32
    }

    /// Returns it in 56 bits: 24 of the place and 32 of the generation.
    #[inline]
    pub(crate) fn packed(self) -> u64 {
        u64::from(self.index()) << 32 | u64::from(self.generation())
    }

    /// Returns the key that [`Key::packed`] made these bits of.
    #[inline]
    pub(crate) fn unpacked(bits: u64) -> Self {
        Self::new((bits >> 32) as u32, (bits & 0xffff_ffff) as u32)
    }
}

/// Entries by place and generation.
#[derive(Debug)]
pub(crate) struct Arena<T> {
    pages: Vec<Vec<Slot<T>>>,
    /// How many places were ever used.
    place_count: u32,
    /// First of the free places, or `NIL`.
    free: u32,
    count: usize,
}

/// One place.
#[derive(Debug)]
pub(crate) struct Slot<T> {
    generation: u32,
    next_free: u32,
    value: Option<T>,
}

impl<T> Default for Arena<T> {
    fn default() -> Self {
        Self { pages: Vec::new(), place_count: 0, free: NIL, count: 0 }
    }
}

impl<T> Arena<T> {
    /// Returns how many entries there are.
    #[cfg(test)]
    pub(crate) fn count(&self) -> usize {
        self.count
    }

    /// Puts a value into the place that was freed last, or into a new one.
    ///
    /// # Panics
    /// When there are 16,777,216 entries.
    #[inline]
    pub(crate) fn insert(&mut self, value: T) -> Key {
        self.insert_with(|_| value)
    }

    /// As [`Arena::insert`], of a value that knows its key.
    #[inline]
    pub(crate) fn insert_with(&mut self, make: impl FnOnce(Key) -> T) -> Key {
        self.count += 1;
        if self.free == NIL {
            let value = make(Key::new(self.place_count, 1));
            return self.insert_at_end(value);
        }
        let index = self.free;
        let slot = self.slot_mut(index).expect("a free place is a place");
        let key = Key::new(index, slot.generation);
        slot.value = Some(make(key));
        let next = slot.next_free;
        self.free = next;
        key
    }

    #[cold]
    fn insert_at_end(&mut self, value: T) -> Key {
        let index = self.place_count;
        assert!(index < PLACES_MAX, "a run has at most {PLACES_MAX} sockets, or packets in flight");
        let (page, offset) = place_of(index);
        if offset == 0 {
            self.pages.push(Vec::with_capacity(PAGE as usize));
        }
        self.pages[page].push(Slot { generation: 1, next_free: NIL, value: Some(value) });
        self.place_count += 1;
        Key::new(index, 1)
    }

    /// Returns an entry; none if it is gone.
    #[inline]
    pub(crate) fn get(&self, key: Key) -> Option<&T> {
        let (page, offset) = place_of(key.index());
        let slot = self.pages.get(page)?.get(offset)?;
        if slot.generation == key.generation() { slot.value.as_ref() } else { None }
    }

    /// Returns an entry to be changed; none if it is gone.
    #[inline]
    pub(crate) fn get_mut(&mut self, key: Key) -> Option<&mut T> {
        let slot = self.slot_mut(key.index())?;
        if slot.generation == key.generation() { slot.value.as_mut() } else { None }
    }

    /// Takes an entry out; none if it is gone.
    #[inline]
    pub(crate) fn remove(&mut self, key: Key) -> Option<T> {
        let free = self.free;
        let slot = self.slot_mut(key.index())?;
        if slot.generation != key.generation() {
            return None;
        }
        let value = slot.value.take()?;
        // A place is given out at most 2^32 - 1 times before a key of it could be mistaken.
        slot.generation = slot.generation.checked_add(1).unwrap_or(1);
        slot.next_free = free;
        self.free = key.index();
        self.count -= 1;
        Some(value)
    }

    /// Returns all entries in the order of their places.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (Key, &T)> {
        (0..).zip(self.pages.iter().flatten()).filter_map(|(index, slot)| {
            slot.value.as_ref().map(|value| (Key::new(index, slot.generation), value))
        })
    }

    #[inline]
    fn slot_mut(&mut self, index: u32) -> Option<&mut Slot<T>> {
        let (page, offset) = place_of(index);
        self.pages.get_mut(page)?.get_mut(offset)
    }
}

/// Returns the page of a place, and where it is in that page.
#[inline]
fn place_of(index: u32) -> (usize, usize) {
    ((index / PAGE) as usize, (index % PAGE) as usize)
}

/// Places of a page. Memory that was reserved for one and never used is not touched.
const PAGE: u32 = 64;
const PLACES_MAX: u32 = 1 << 24;
const NIL: u32 = u32::MAX;

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::{Arena, Key};

    #[test]
    fn a_key_survives_56_bits_and_an_option_costs_nothing() {
        for (index, generation) in [(0, 1), (5, 9), ((1 << 24) - 1, u32::MAX)] {
            let key = Key::new(index, generation);
            assert!(key.packed() < 1 << 56);
            assert_eq!(Key::unpacked(key.packed()), key);
            assert_eq!((key.index(), key.generation()), (index, generation));
        }
        assert_eq!(size_of::<Option<Key>>(), 8);
    }

    /// The arena and an ordered map, under the same operations, tell the same story.
    #[test]
    fn does_what_an_ordered_map_does() {
        let mut arena = Arena::default();
        let mut model: BTreeMap<Key, u32> = BTreeMap::new();
        let mut gone = Vec::new();
        let mut state = 7_u64;
        let mut draw = |below: usize| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            usize::try_from(state >> 33).expect("31 bits") % below
        };
        for step in 0..20_000 {
            if draw(100) < if step / 2_000 % 2 == 0 { 70 } else { 30 } {
                let key = arena.insert(step);
                assert_eq!(model.insert(key, step), None);
            } else if !model.is_empty() {
                let key = *model.keys().nth(draw(model.len())).expect("not empty");
                assert_eq!(arena.remove(key), model.remove(&key));
                gone.push(key);
            }
            assert_eq!(arena.count(), model.len());
        }
        for key in gone {
            assert_eq!((arena.get(key).copied(), arena.remove(key)), (None, None));
        }
        let by_place: Vec<_> = arena.iter().map(|(key, value)| (key, *value)).collect();
        assert!(by_place.is_sorted_by_key(|(key, _)| key.index()));
        assert_eq!(by_place.into_iter().collect::<BTreeMap<_, _>>(), model);
    }
}
