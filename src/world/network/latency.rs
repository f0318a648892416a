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
/// | [`uniform`](Self::uniform) | a local network |
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
pub struct Latency {
    space: Space,
    /// What packets seldom take longer than, if the run may spread them otherwise.
    usual: Option<u64>,
}

impl Latency {
    /// The same for every packet.
    #[must_use]
    pub const fn constant(latency: Duration) -> Self {
        let nanos = nanos_of(latency);
        Self::exact(Space::Nanos { low: nanos, high: nanos })
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
        Self::exact(Space::Nanos { low, high })
    }

    /// `floor`, and on top of it an exponentially distributed time with this mean.
    ///
    /// It ends at 45 means, beyond which there is one packet in 10^19.
    #[must_use]
    pub const fn exponential(floor: Duration, mean: Duration) -> Self {
        let (low, mean) = (nanos_of(floor), nanos_of(mean));
        let high = low.saturating_add(mean.saturating_mul(MEANS_OF_EXPONENTIAL));
        Self::exact(Space::Skewed { low, high, shape: Shape::Exponential { mean } })
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
        let shape = Shape::Bimodal { fast_high, slow_low, slow: slow_share };
        Self::exact(Space::Skewed { low, high, shape })
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
        Self::exact(Space::Skewed { low, high, shape: Shape::Pareto { mean, alpha_tenths } })
    }

    const fn exact(space: Space) -> Self {
        Self { space, usual: None }
    }

    /// Leaves open how they are spread: what they are is how they usually are, and in half of the seeds it is otherwise.
    ///
    /// Which of two messages comes first is decided by latencies alone, so where all are spread alike, whoever is slow now is
    /// quick at the next message, and what takes a run of slow ones is hardly ever found. A run draws one of these families:
    ///
    /// | family | a packet takes |
    /// |---|---|
    /// | usual | what this says |
    /// | least | the least time: what is sent at one time arrives at one time, and the strategy says who goes on |
    /// | heavy tail | now and then up to 64 times as long |
    /// | slow links | 10 or 60 times as long on some links, always |
    /// | chains | on each conversation always the same time, until that changes to another one between the least and 64 times the usual |
    ///
    /// No packet takes longer than 250 ms for this, or what it takes anyway, so TCP does not send again. [`LinkOptions::lan`]
    /// and [`LinkOptions::wan`] leave it open; an own latency is exact.
    ///
    /// # Determinism
    /// The family is drawn once in a run, when the first packet is sent for which it is open (site `latency family`); what is
    /// slow, by link or conversation (`pace`). The default world is the usual one. The latency of a packet is one draw from
    /// one range in all families, so a shrunk failure needs no family, only the packets that are late.
    ///
    /// # Examples
    /// ```
    /// use std::time::Duration;
    /// use parcae::world::{self, Latency, LinkOptions};
    ///
    /// parcae::check(10, || async {
    ///     let exact = Latency::uniform(Duration::from_millis(1), Duration::from_millis(3));
    ///     world::network().set_links(LinkOptions::lan().with_latency(exact.explored()));
    /// });
    /// ```
    ///
    /// # Source
    /// Ozkan et al., "Randomized testing of distributed systems with probabilistic guarantees" (2018), for chains.
    ///
    /// [`LinkOptions::lan`]: super::LinkOptions::lan
    /// [`LinkOptions::wan`]: super::LinkOptions::wan
    #[must_use]
    pub const fn explored(self) -> Self {
        if self.usual.is_some() {
            return self;
        }
        let (low, high, usual, shape) = match self.space {
            Space::Skewed { low, high, shape } => {
                let usual = match shape {
                    Shape::Exponential { mean } | Shape::Pareto { mean, .. } => {
                        low.saturating_add(mean.saturating_mul(MEANS_THAT_ARE_USUAL))
                    }
                    Shape::Bimodal { fast_high, .. } => fast_high,
                    Shape::Even { to, .. } => to,
                };
                (low, high, usual, shape)
            }
            Space::Nanos { low, high } => (low, high, high, Shape::Even { from: low, to: high }),
            _ => panic!("a latency is a duration"),
        };
        // The slow range of two reaches as far as the space does.
        let is_fixed = matches!(shape, Shape::Bimodal { .. });
        let most = least_of(usual.saturating_mul(SLOWEST), EXPLORED_MAX);
        let high = if is_fixed || most < high { high } else { most };
        Self { space: Space::Skewed { low, high, shape }, usual: Some(usual) }
    }

    /// Returns the least time that a packet takes, which is that of the default world.
    #[must_use]
    pub const fn least(self) -> Duration {
        Duration::from_nanos(self.space.default_value())
    }

    /// Returns what the latency of one packet is usually drawn from.
    pub(super) const fn space(self) -> Space {
        self.space
    }

    /// Returns what packets seldom take longer than, in nanoseconds, if the run may spread them otherwise.
    pub(super) const fn usual(self) -> Option<u64> {
        self.usual
    }
}

const fn least_of(one: u64, other: u64) -> u64 {
    if one < other { one } else { other }
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

/// 98 packets in 100 of an exponential take less.
const MEANS_THAT_ARE_USUAL: u64 = 4;

/// How many times as long as usual the slowest packets take that a family has.
const SLOWEST: u64 = 64;

/// The longest latency that a family has: 250 ms. TCP sends again after 200 ms and more, measured from what it has seen.
const EXPLORED_MAX: u64 = 250 * 1_000_000;
