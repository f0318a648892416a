//! Who holds a primitive.

use crate::backend::{Held, Holder, HoldingKey};

/// Those who hold a primitive now. The first costs no allocation.
///
/// Whoever takes something adds a [`Holder`] under the same lock; the guard keeps the key and removes
/// it when it gives back what it holds.
#[derive(Debug, Default)]
pub(crate) struct Holders {
    first: Option<Holder>,
    others: Vec<Place>,
    /// One of the places that are free; the others hang from it.
    free: Option<u32>,
    /// Where the run finds them, while somebody waits.
    pub(crate) published: Option<HoldingKey>,
    /// Who has come or gone since the run was told: to tell it of all at each change would cost as much
    /// as there are.
    changed: Changed,
}

#[derive(Clone, Copy, Debug, Default)]
enum Changed {
    #[default]
    Nobody,
    One(HolderKey),
    Several,
}

/// Names a holder until it is removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct HolderKey(u32);

#[derive(Clone, Copy, Debug)]
enum Place {
    Held(Holder),
    Free { next: Option<u32> },
}

impl HolderKey {
    /// The key of the first holder, which is the only one of what one at a time can hold.
    pub(crate) const FIRST: Self = Self(0);
}

impl Holders {
    /// Adds a holder.
    #[inline]
    pub(crate) fn add(&mut self, holder: Holder) -> HolderKey {
        let key = if self.first.is_none() {
            self.first = Some(holder);
            HolderKey::FIRST
        } else {
            self.add_other(holder)
        };
        self.note_change(key);
        key
    }

    fn add_other(&mut self, holder: Holder) -> HolderKey {
        let place = match self.free {
            Some(place) => {
                if let Place::Free { next } = self.others[place as usize] {
                    self.free = next;
                }
                self.others[place as usize] = Place::Held(holder);
                place
            }
            None => {
                self.others.push(Place::Held(holder));
                u32::try_from(self.others.len() - 1).expect("fewer than 2^32 guards at once")
            }
        };
        HolderKey(place + 1)
    }

    /// Removes a holder.
    #[inline]
    pub(crate) fn remove(&mut self, key: HolderKey) {
        match key.0 {
            0 => self.first = None,
            number => {
                self.others[number as usize - 1] = Place::Free { next: self.free };
                self.free = Some(number - 1);
            }
        }
        self.note_change(key);
    }

    /// Tells whether the run knows of them.
    #[inline]
    pub(crate) fn are_published(&self) -> bool {
        self.published.is_some()
    }

    #[inline]
    fn note_change(&mut self, key: HolderKey) {
        if self.published.is_some() {
            self.changed = match self.changed {
                Changed::Nobody => Changed::One(key),
                Changed::One(_) | Changed::Several => Changed::Several,
            };
        }
    }

    /// Tells who has come or gone since the last call, or all whom `held` should hold if it is new.
    pub(crate) fn tell(&mut self, held: &mut Held, is_new: bool) {
        match std::mem::take(&mut self.changed) {
            Changed::Nobody if !is_new => {}
            Changed::One(key) if !is_new => held.set(key.0, self.at(key)),
            _ => {
                let count =
                    u32::try_from(self.others.len()).expect("fewer than 2^32 guards at once");
                (0..=count).for_each(|place| held.set(place, self.at(HolderKey(place))));
            }
        }
    }

    fn at(&self, key: HolderKey) -> Option<Holder> {
        let Some(other) = key.0.checked_sub(1) else { return self.first };
        match self.others[other as usize] {
            Place::Held(holder) => Some(holder),
            Place::Free { .. } => None,
        }
    }
}
