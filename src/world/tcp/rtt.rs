//! How long an answer takes, and how long to wait for one.

use super::timers::{MILLISECOND, RTO_INITIAL, RTO_MAX, RTO_MIN};

/// The estimate of the round trip, in ticks of 64 ns, so that it fits in half the space. A tick
/// counter of 32 bits turns over after 274 s; a sample is never older than the longest time-out, for
/// what is sent again is not measured (Karn).
///
/// # Source
/// RFC 6298, with the minimum of Linux: it bounds the variance, not the sum.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Rtt {
    /// Zero before the first sample.
    smoothed: u32,
    variance: u32,
}

impl Rtt {
    /// Takes a sample: what was sent at the first tick was acknowledged at the second.
    #[inline]
    pub(super) fn sample(&mut self, sent_at: u32, now: u32) {
        let sample = now.wrapping_sub(sent_at).max(1);
        if self.smoothed == 0 {
            (self.smoothed, self.variance) = (sample, sample / 2);
            return;
        }
        let difference = self.smoothed.abs_diff(sample);
        self.variance = self.variance - self.variance / 4 + difference / 4;
        self.smoothed = (self.smoothed - self.smoothed / 8 + sample / 8).max(1);
    }

    /// Returns the time-out of a first transmission in nanoseconds.
    #[inline]
    pub(super) fn timeout(&self) -> u64 {
        if self.smoothed == 0 {
            return RTO_INITIAL;
        }
        let spread = (4 * nanos(self.variance)).max(RTO_MIN);
        (nanos(self.smoothed) + spread).min(RTO_MAX)
    }

    /// Returns the time-out of what was sent again `attempts` times.
    pub(super) fn backed_off(&self, attempts: u8) -> u64 {
        // Ten doublings of the minimum are beyond the maximum.
        (self.timeout() << attempts.min(10)).min(RTO_MAX)
    }
}

/// Returns the tick of a time.
#[expect(clippy::cast_possible_truncation, reason = "the counter of ticks turns over")]
#[inline]
pub(super) fn tick(now: u64) -> u32 {
    (now / TICK) as u32
}

#[inline]
fn nanos(ticks: u32) -> u64 {
    u64::from(ticks) * TICK
}

const TICK: u64 = 64;

const _: () = assert!(RTO_MAX < u32::MAX as u64 * TICK, "a sample does not turn over");
const _: () = assert!(RTO_MIN >= MILLISECOND && RTO_MIN << 10 > RTO_MAX, "see `backed_off`");
