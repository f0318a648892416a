//! Who holds a primitive.

use crate::executor::{Grant, Holder, HoldingKey};

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
        if self.first.is_none() {
            self.first = Some(holder);
            return HolderKey::FIRST;
        }
        self.add_other(holder)
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
    }

    /// Tells whether the run knows of them.
    #[inline]
    pub(crate) fn are_published(&self) -> bool {
        self.published.is_some()
    }

    /// Lists them, by place.
    pub(crate) fn tell(&self, grants: &mut Vec<Grant>) {
        if let Some(holder) = self.first {
            grants.push(Grant::held(holder));
        }
        for place in &self.others {
            if let Place::Held(holder) = place {
                grants.push(Grant::held(*holder));
            }
        }
    }
}
