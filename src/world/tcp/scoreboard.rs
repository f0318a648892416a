//! Ranges of a stream: what came out of order, and what the peer says came out of order.

/// Disjoint ranges in ascending order, none touching the next.
#[derive(Clone, Debug, Default)]
pub(super) struct Ranges {
    /// Start and end of each.
    ranges: Vec<(u64, u64)>,
}

impl Ranges {
    pub(super) fn is_empty(&self) -> bool {
        self.ranges.is_empty()
    }

    pub(super) fn as_slice(&self) -> &[(u64, u64)] {
        &self.ranges
    }

    /// Returns the end of the last range.
    pub(super) fn end(&self) -> Option<u64> {
        self.ranges.last().map(|&(_, end)| end)
    }

    /// Adds a range and returns how much of it was not there.
    pub(super) fn insert(&mut self, start: u64, end: u64) -> u64 {
        debug_assert!(start < end, "an empty range {start}..{end}");
        let fresh = end - start - self.covered(start, end);
        let first = self.ranges.partition_point(|&(_, other)| other < start);
        let past = self.ranges.partition_point(|&(other, _)| other <= end);
        if first == past {
            self.ranges.insert(first, (start, end));
            return fresh;
        }
        let merged = (start.min(self.ranges[first].0), end.max(self.ranges[past - 1].1));
        self.ranges[first] = merged;
        self.ranges.drain(first + 1..past);
        fresh
    }

    /// Forgets all below an offset.
    pub(super) fn forget_below(&mut self, offset: u64) {
        let past = self.ranges.partition_point(|&(_, end)| end <= offset);
        self.ranges.drain(..past);
        if let Some(first) = self.ranges.first_mut() {
            first.0 = first.0.max(offset);
        }
    }

    /// Takes out what follows on `next` without a gap, and returns where that ends.
    pub(super) fn take_from(&mut self, next: u64) -> u64 {
        // More than one may be: some are covered by what has just come.
        let past = self.ranges.partition_point(|&(start, _)| start <= next);
        let next = past.checked_sub(1).map_or(next, |last| next.max(self.ranges[last].1));
        self.ranges.drain(..past);
        next
    }

    /// Returns how much of `from..to` is in a range.
    pub(super) fn covered(&self, from: u64, to: u64) -> u64 {
        let after = self.ranges.partition_point(|&(_, end)| end <= from);
        let overlapping = self.ranges[after..].iter().take_while(|&&(start, _)| start < to);
        overlapping.map(|&(start, end)| end.min(to) - start.max(from)).sum()
    }

    /// Returns how much of `from..to` is in no range.
    pub(super) fn missing(&self, from: u64, to: u64) -> u64 {
        if from >= to { 0 } else { to - from - self.covered(from, to) }
    }

    /// Returns the first part of `from..limit` that is in no range.
    pub(super) fn next_gap(&self, from: u64, limit: u64) -> Option<(u64, u64)> {
        let mut start = from;
        for &(range_start, range_end) in &self.ranges {
            if start < range_start {
                return (start < limit).then(|| (start, range_start.min(limit)));
            }
            start = start.max(range_end);
        }
        (start < limit).then_some((start, limit))
    }

    /// Returns the offset below which all that is in no range counts as lost: three ranges, or more
    /// than two segments in ranges, came after it (`IsLost` of RFC 6675).
    pub(super) fn lost_below(&self, segment_size: u32) -> u64 {
        let mut bytes = 0;
        for (index, &(start, end)) in self.ranges.iter().rev().enumerate() {
            bytes += end - start;
            if index + 1 >= DUPLICATES || bytes > (DUPLICATES as u64 - 1) * u64::from(segment_size)
            {
                return start;
            }
        }
        0
    }
}

/// So many signs that something is missing are taken as its loss (`DupThresh`).
pub(super) const DUPLICATES: usize = 3;
