//! Sets of operations, of which most of the first are in it.

/// A set of operations by number. Numbers are in the order of invocations, so what is in it is a prefix with a ragged edge.
#[derive(Debug)]
pub(crate) struct Taken {
    words: Vec<u64>,
    hash: u64,
    /// Words before it are full.
    start: usize,
    /// Words from it on are empty.
    end: usize,
}

impl Taken {
    pub(crate) fn new(count: usize) -> Self {
        Self { words: vec![0; count.div_ceil(64)], hash: 0, start: 0, end: 0 }
    }

    pub(crate) fn insert(&mut self, number: usize) {
        let word = number / 64;
        self.words[word] |= 1 << (number % 64);
        self.hash ^= mixed(number);
        self.end = self.end.max(word + 1);
        while self.start < self.end && self.words[self.start] == u64::MAX {
            self.start += 1;
        }
    }

    pub(crate) fn remove(&mut self, number: usize) {
        let word = number / 64;
        self.words[word] &= !(1 << (number % 64));
        self.hash ^= mixed(number);
        self.start = self.start.min(word);
        while self.end > self.start && self.words[self.end - 1] == 0 {
            self.end -= 1;
        }
    }

    pub(crate) fn contains(&self, number: usize) -> bool {
        self.words[number / 64] & (1 << (number % 64)) != 0
    }

    pub(crate) fn hash(&self) -> u64 {
        self.hash
    }

    /// Returns the ragged edge, and how many words before it are full. Two sets are equal if these are.
    pub(crate) fn edge(&self) -> (usize, &[u64]) {
        (self.start, &self.words[self.start..self.end.max(self.start)])
    }
}

/// A number that stands for an operation in the hash of a set (Zobrist, 1970), by the finalizer of `SplitMix64`.
pub(super) fn mixed(number: usize) -> u64 {
    let mut bits = (number as u64 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    bits ^ (bits >> 31)
}

#[cfg(test)]
mod tests {
    use super::Taken;

    #[test]
    fn sets_are_equal_when_their_edges_are_however_they_came_to_be() {
        let edge = |taken: &Taken| {
            let (start, words) = taken.edge();
            (taken.hash(), start, words.to_vec())
        };
        let mut one = Taken::new(300);
        (0..130).for_each(|number| one.insert(number));
        one.insert(200);
        assert_eq!(one.edge(), (2, &[0b11, 1 << 8][..]));
        let mut other = Taken::new(300);
        [299, 200, 250].into_iter().for_each(|number| other.insert(number));
        (0..130).rev().for_each(|number| other.insert(number));
        other.remove(299);
        other.remove(250);
        assert_eq!(edge(&one), edge(&other));
        other.remove(5);
        assert_eq!(other.edge().0, 0);
        assert_ne!(one.hash(), other.hash());
        (130..300).filter(|number| *number != 200).for_each(|number| one.insert(number));
        (0..300).for_each(|number| one.remove(number));
        assert_eq!(edge(&one), edge(&Taken::new(300)));
    }
}
