//! States of a model by number, so that each is stored once and compared once.

use std::hash::{Hash, Hasher};

use super::table::index;
use super::taken::mixed;

/// All states that a search has seen.
#[derive(Debug)]
pub(crate) struct States<S> {
    states: Vec<S>,
    hashes: Vec<u64>,
    /// For each value of the hash's last bits that is taken, the number of a state plus one: open addressing.
    slots: Vec<u32>,
}

impl<S: Eq + Hash> States<S> {
    pub(crate) fn new() -> Self {
        Self { states: Vec::new(), hashes: Vec::new(), slots: vec![0; 16] }
    }

    pub(crate) fn state(&self, number: u32) -> &S {
        &self.states[number as usize]
    }

    /// Returns the number of a state, a new one if it was not seen.
    pub(crate) fn number(&mut self, state: S) -> u32 {
        let mut hasher = Keyless::default();
        state.hash(&mut hasher);
        let hash = hasher.finish();
        let mut slot = self.slot_of(hash);
        while let Some(number) = (self.slots[slot] as usize).checked_sub(1) {
            if self.hashes[number] == hash && self.states[number] == state {
                return index(number);
            }
            slot = (slot + 1) & (self.slots.len() - 1);
        }
        self.states.push(state);
        self.hashes.push(hash);
        self.slots[slot] = index(self.states.len());
        if self.states.len() * 2 > self.slots.len() {
            self.grow();
        }
        index(self.states.len() - 1)
    }

    fn grow(&mut self) {
        self.slots = vec![0; self.slots.len() * 4];
        for number in 0..self.states.len() {
            let mut slot = self.slot_of(self.hashes[number]);
            while self.slots[slot] > 0 {
                slot = (slot + 1) & (self.slots.len() - 1);
            }
            self.slots[slot] = index(number + 1);
        }
    }

    #[expect(clippy::cast_possible_truncation, reason = "only the last bits are used")]
    fn slot_of(&self, hash: u64) -> usize {
        hash as usize & (self.slots.len() - 1)
    }
}

/// A hash without keys, so that it is the same on every machine and in every run; and faster than the usual one, which defends
/// itself against people who choose what is hashed.
#[derive(Default)]
struct Keyless(u64);

impl Keyless {
    fn add(&mut self, word: u64) {
        self.0 = (self.0.rotate_left(23) ^ word).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    }
}

impl Hasher for Keyless {
    fn write(&mut self, bytes: &[u8]) {
        let mut words = bytes.chunks_exact(8);
        for word in &mut words {
            self.add(u64::from_le_bytes(word.try_into().expect("a chunk of eight")));
        }
        let mut last = [0; 8];
        last[..words.remainder().len()].copy_from_slice(words.remainder());
        self.add(u64::from_le_bytes(last) ^ bytes.len() as u64);
    }

    fn write_u64(&mut self, word: u64) {
        self.add(word);
    }

    #[expect(clippy::cast_possible_truncation, reason = "targets have 64 bits")]
    fn finish(&self) -> u64 {
        mixed(self.0 as usize)
    }
}
