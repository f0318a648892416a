//! What a search has tried already.

use super::taken::{Taken, mixed};

/// Pairs of a set of operations and the number of a state; it only grows.
#[derive(Debug)]
pub(crate) struct Table {
    entries: Vec<Entry>,
    /// Edges of the sets of all entries, one after the other.
    edges: Vec<u64>,
    /// For each value of the hash's last bits the latest entry, plus one.
    heads: Vec<u32>,
}

#[derive(Debug)]
struct Entry {
    hash: u64,
    /// The next entry with the same last bits, plus one.
    next: u32,
    full_words: u32,
    /// Where its edge is.
    edge: (usize, u32),
    state: u32,
}

impl Table {
    pub(crate) fn new() -> Self {
        Self { entries: Vec::new(), edges: Vec::new(), heads: vec![0; 64] }
    }

    /// Adds a pair; tells whether it is new.
    pub(crate) fn insert(&mut self, taken: &Taken, state: u32) -> bool {
        let hash = taken.hash() ^ mixed(state as usize).rotate_left(32);
        let (start, words) = taken.edge();
        let mut next = self.heads[self.head_of(hash)];
        while let Some(place) = (next as usize).checked_sub(1) {
            let entry = &self.entries[place];
            let (from, length) = entry.edge;
            if entry.hash == hash
                && entry.full_words as usize == start
                && &self.edges[from..from + length as usize] == words
                && entry.state == state
            {
                return false;
            }
            next = entry.next;
        }
        self.push(hash, taken, state);
        true
    }

    fn push(&mut self, hash: u64, taken: &Taken, state: u32) {
        if self.entries.len() >= self.heads.len() {
            self.grow();
        }
        let (start, words) = taken.edge();
        let edge = (self.edges.len(), index(words.len()));
        self.edges.extend_from_slice(words);
        let head = self.head_of(hash);
        let entry = Entry { hash, next: self.heads[head], full_words: index(start), edge, state };
        self.entries.push(entry);
        self.heads[head] = index(self.entries.len());
    }

    fn grow(&mut self) {
        self.heads = vec![0; self.heads.len() * 4];
        for place in 0..self.entries.len() {
            let head = self.head_of(self.entries[place].hash);
            self.entries[place].next = self.heads[head];
            self.heads[head] = index(place + 1);
        }
    }

    #[expect(clippy::cast_possible_truncation, reason = "only the last bits are used")]
    fn head_of(&self, hash: u64) -> usize {
        hash as usize & (self.heads.len() - 1)
    }
}

/// Returns a length or a place as it is stored.
pub(super) fn index(length: usize) -> u32 {
    u32::try_from(length).expect("memory ends before four billion entries")
}
