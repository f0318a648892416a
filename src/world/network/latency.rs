//! How long packets take.

use std::ops::RangeInclusive;
use std::time::Duration;

use crate::kernel::{Ratio, Shape, Space};

/// How the time that packets take on a link is spread. Each packet draws its own.
///
/// The least one is the default of the choice: in a shrunk world every packet takes that, in order, but
/// for the few that have to be late. None takes less than a nanosecond.
///
/// | family | for |
/// |---|---|
/// | [`constant`](Self::constant) | exact times in a test; packets arrive in the order of sending and nothing is drawn |
/// | [`uniform`](Self::uniform) | a local network; the family of the default link |
/// | [`exponential`](Self::exponential) | queues on the way |
/// | [`bimodal`](Self::bimodal) | two routes, or a pause now and then |
/// | [`pareto`](Self::pareto) | rare packets that take very long |
///
/// # Examples
/// ```
/// use std::time::Duration;
/// use parcae::world::Latency;
///
/// let slow_now_and_then = Latency::exponential(Duration::from_millis(1), Duration::from_millis(4));
/// assert_eq!(slow_now_and_then.least(), Duration::from_millis(1));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Latency(Space);

impl Latency {
    /// The same for every packet.
    #[must_use]
    pub const fn constant(latency: Duration) -> Self {
        let nanos = nanos_of(latency);
        Self(Space::Nanos { low: nanos, high: nanos })
    }

    /// Anything from `low` to `high`, evenly.
    ///
    /// # Panics
    /// When `low` is above `high`.
    #[must_use]
    #[track_caller]
    pub const fn uniform(low: Duration, high: Duration) -> Self {
        let (low, high) = (nanos_of(low), nanos_of(high));
        assert!(low <= high, "the least latency is above the greatest");
        Self(Space::Nanos { low, high })
    }

    /// `floor`, and on top of it an exponentially distributed time with this mean.
    ///
    /// It ends at 45 means, beyond which there is one packet in 10^19.
    #[must_use]
    pub const fn exponential(floor: Duration, mean: Duration) -> Self {
        let (low, mean) = (nanos_of(floor), nanos_of(mean));
        let high = low.saturating_add(mean.saturating_mul(MEANS_OF_EXPONENTIAL));
        Self(Space::Skewed { low, high, shape: Shape::Exponential { mean } })
    }

    /// Evenly in one of two ranges; in the slow one with the probability `slow_share`.
    ///
    /// # Panics
    /// When a range is empty, or the slow one begins before the fast one ends.
    #[must_use]
    #[track_caller]
    pub const fn bimodal(
        fast: RangeInclusive<Duration>,
        slow: RangeInclusive<Duration>,
        slow_share: Ratio,
    ) -> Self {
        let (low, fast_high) = (nanos_of(*fast.start()), nanos_of(*fast.end()));
        let (slow_low, high) = (nanos_of(*slow.start()), nanos_of(*slow.end()));
        assert!(low <= fast_high && slow_low <= high, "a range of latencies is empty");
        assert!(fast_high <= slow_low, "the slow latencies begin before the fast ones end");
        Self(Space::Skewed {
            low,
            high,
            shape: Shape::Bimodal { fast_high, slow_low, slow: slow_share },
        })
    }

    /// `floor`, and on top of it a time with this mean whose tail falls off with the power
    /// `alpha_tenths / 10`: the less, the longer the tail. 15 (1.5) is a bad day, 30 (3.0) a good one.
    ///
    /// It ends at 10,000 means.
    ///
    /// # Panics
    /// When `alpha_tenths` is 10 or below: such a tail has no mean.
    #[must_use]
    #[track_caller]
    pub const fn pareto(floor: Duration, mean: Duration, alpha_tenths: u16) -> Self {
        assert!(alpha_tenths > 10, "a tail with an alpha of 1 or below has no mean");
        let (low, mean) = (nanos_of(floor), nanos_of(mean));
        let high = low.saturating_add(mean.saturating_mul(MEANS_OF_PARETO));
        Self(Space::Skewed { low, high, shape: Shape::Pareto { mean, alpha_tenths } })
    }

    /// Returns the least time that a packet takes, which is that of the default world.
    #[must_use]
    pub const fn least(self) -> Duration {
        Duration::from_nanos(self.0.default_value())
    }

    /// Returns what the latency of one packet is drawn from.
    pub(super) const fn space(self) -> Space {
        self.0
    }
}

/// Returns the nanoseconds of a duration; longer ones count as 584 years.
pub(super) const fn nanos_of(duration: Duration) -> u64 {
    let nanos = duration.as_nanos();
    if nanos > u64::MAX as u128 {
        return u64::MAX;
    }
    #[expect(clippy::cast_possible_truncation, reason = "it was compared")]
    let nanos = nanos as u64;
    nanos
}

/// 64 bits draw at most 64 ln 2 = 44.4 means.
const MEANS_OF_EXPONENTIAL: u64 = 45;

const MEANS_OF_PARETO: u64 = 10_000;
