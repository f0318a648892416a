//! How much may be in flight, and what is sent again.

use super::connection::Connection;
use super::rtt::tick;
use super::scoreboard::{DUPLICATES, Ranges};
use super::segment::Segment;

/// What a sender keeps once something was lost or came out of order.
///
/// # Source
/// RFC 6675 (`HighRxt` is `resent`, `RecoveryPoint` is `high`) without the rescue retransmission;
/// after a time-out all that is not in `sacked` is sent again, with slow start (RFC 5681).
#[derive(Clone, Debug)]
pub(super) struct Recovery {
    phase: Phase,
    /// Where slow start ends.
    threshold: u32,
    /// What the peer has beyond what it acknowledges.
    sacked: Ranges,
    /// What was sent when the loss was noticed: recovery ends when this is acknowledged.
    high: u64,
    /// Up to here all that is missing was sent again.
    resent: u64,
    /// Segments in a row that told of something out of order.
    duplicates: u8,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// Nothing is known to be lost.
    Open,
    /// Something is lost; the peer still tells of what comes.
    Fast,
    /// The timer has expired.
    Loss,
}

impl Recovery {
    pub(super) fn new() -> Self {
        Self {
            phase: Phase::Open,
            threshold: u32::MAX,
            sacked: Ranges::default(),
            high: 0,
            resent: 0,
            duplicates: 0,
        }
    }

    fn advance(&mut self, acknowledged: u64) {
        self.sacked.forget_below(acknowledged);
        self.resent = self.resent.max(acknowledged);
        self.duplicates = 0;
    }

    /// Returns the offset below which all that is missing counts as lost.
    fn lost_below(&self, first: u64, segment_size: u32) -> u64 {
        match self.phase {
            Phase::Open => first,
            Phase::Loss => self.high,
            // The first segment is lost, or recovery had not begun.
            Phase::Fast => {
                let head_end = self.sacked.as_slice().first().map_or(self.high, |range| range.0);
                let head = head_end.min(first + u64::from(segment_size));
                self.sacked.lost_below(segment_size).max(head)
            }
        }
    }
}

impl Connection {
    /// Returns how many bytes are in flight, as far as one can know (`pipe` of RFC 6675).
    #[inline]
    pub(super) fn in_flight(&self) -> u64 {
        let sent = u64::from(self.snd_nxt);
        let Some(rare) = self.rare.as_deref() else { return sent };
        let recovery = &rare.recovery;
        if recovery.phase == Phase::Open && recovery.sacked.is_empty() {
            return sent;
        }
        let (first, next) = (self.snd_una, self.snd_una + sent);
        let lost_below = recovery.lost_below(first, u32::from(self.mss)).max(first);
        let resent = if recovery.phase == Phase::Open { first } else { recovery.resent };
        recovery.sacked.missing(first, resent.min(next)) + recovery.sacked.missing(lost_below, next)
    }

    /// Returns the next range that is to be sent again, if there is any.
    #[inline]
    pub(super) fn next_hole(&self, may_guess: bool) -> Option<(u64, u64)> {
        let recovery = &self.rare.as_deref()?.recovery;
        if recovery.phase == Phase::Open {
            return None;
        }
        let lost_below = if may_guess && recovery.phase == Phase::Fast {
            // Rule 3 of `NextSeg`: there is nothing better to send.
            recovery.sacked.end()?
        } else {
            recovery.lost_below(self.snd_una, u32::from(self.mss))
        };
        recovery.sacked.next_gap(recovery.resent.max(self.snd_una), lost_below)
    }

    /// Notes that all that is missing below `end` was sent again.
    pub(super) fn note_resent(&mut self, now: u64, start: u64, end: u64) {
        // What was sent twice is not measured: one cannot know which of the two was answered.
        self.timed = 0;
        let is_head = start == self.snd_una;
        let rare = self.rare.as_deref_mut().expect("only who has lost something sends it again");
        rare.recovery.resent = end;
        if is_head && rare.recovery.phase == Phase::Fast {
            self.timer_at = now + self.rtt.backed_off(self.attempts);
        }
    }

    /// Whether nothing is known to be lost.
    #[inline]
    pub(super) fn is_open(&self) -> bool {
        self.rare.as_deref().is_none_or(|rare| rare.recovery.phase == Phase::Open)
    }

    /// Takes the ranges that the peer has beyond what it acknowledges; begins to recover when they
    /// say that something is lost.
    pub(super) fn take_sacks(&mut self, segment: &Segment) {
        let (first, next) = (self.snd_una, self.snd_una + u64::from(self.snd_nxt));
        let (segment_size, sent) = (u32::from(self.mss), self.snd_nxt.min(self.cwnd));
        let recovery = &mut self.rare_mut().recovery;
        let mut fresh = 0;
        for (start, end) in segment.sacked() {
            let (start, end) = (start.max(first), end.min(next));
            if start < end {
                fresh += recovery.sacked.insert(start, end);
            }
        }
        if recovery.phase != Phase::Open {
            return;
        }
        recovery.duplicates = recovery.duplicates.saturating_add(u8::from(fresh > 0));
        let is_lost = usize::from(recovery.duplicates) >= DUPLICATES
            || recovery.sacked.lost_below(segment_size) > first;
        if is_lost {
            recovery.phase = Phase::Fast;
            recovery.high = next;
            recovery.resent = first;
            recovery.threshold = halved(sent, segment_size);
            self.cwnd = recovery.threshold;
        }
    }

    /// The timer has expired: all that is not known to have come is lost.
    pub(super) fn lose_all(&mut self) {
        let (first, next) = (self.snd_una, self.snd_una + u64::from(self.snd_nxt));
        let (segment_size, sent) = (u32::from(self.mss), self.snd_nxt.min(self.cwnd));
        let is_first = self.attempts == 0;
        let recovery = &mut self.rare_mut().recovery;
        if is_first {
            recovery.threshold = halved(sent, segment_size);
        }
        recovery.phase = Phase::Loss;
        recovery.high = next;
        recovery.resent = first;
        self.cwnd = segment_size;
        self.timed = 0;
    }

    /// Bytes were acknowledged: ends a recovery, or lets more be in flight.
    #[inline]
    pub(super) fn grow(&mut self, acknowledged: u32, in_flight_before: u64) {
        let (first, segment_size) = (self.snd_una, u32::from(self.mss));
        let mut threshold = u32::MAX;
        if let Some(rare) = self.rare.as_deref_mut() {
            let recovery = &mut rare.recovery;
            recovery.advance(first);
            threshold = recovery.threshold;
            let was_fast = recovery.phase == Phase::Fast;
            if recovery.phase != Phase::Open && first >= recovery.high {
                recovery.phase = Phase::Open;
            }
            if was_fast {
                return;
            }
        }
        if self.cwnd < threshold {
            // Who does not use what it may learns nothing about more.
            if in_flight_before >= u64::from(self.cwnd / 2) {
                self.cwnd = self.cwnd.saturating_add(acknowledged).min(threshold);
            }
        } else if in_flight_before + u64::from(segment_size) > u64::from(self.cwnd) {
            let share = u64::from(segment_size) * u64::from(acknowledged) / u64::from(self.cwnd);
            let step = u32::try_from(share.max(1)).unwrap_or(u32::MAX);
            self.cwnd = self.cwnd.saturating_add(step);
        }
    }

    /// Returns how much may be in flight at first, and after a silence.
    pub(super) fn initial_window(&self) -> u32 {
        INITIAL_SEGMENTS * u32::from(self.mss)
    }

    /// Begins to measure the round trip with what ends at this distance, if nothing else is measured.
    #[inline]
    pub(super) fn measure(&mut self, now: u64, distance: u32) {
        if self.timed == 0 && self.is_open() {
            self.timed = distance;
            self.timed_at = tick(now);
        }
    }
}

/// What limited transmit has sent beyond the window does not count (RFC 5681, section 3.2): the caller
/// bounds it.
fn halved(sent: u32, segment_size: u32) -> u32 {
    (sent / 2).max(2 * segment_size)
}

/// RFC 6928.
const INITIAL_SEGMENTS: u32 = 10;
