//! What a link does to packets.

use std::ops::RangeInclusive;
use std::time::Duration;

use super::latency::{Latency, nanos_of};
use crate::kernel::{Ratio, Space};

/// What a link does to the packets that go over it.
///
/// A link goes one way: two machines have one there and one back. What is switched off draws nothing,
/// so switching it on changes no other choice of the run.
///
/// | what | TCP | datagrams |
/// |---|---|---|
/// | loss, a full queue | sent again | gone |
/// | duplication | seen twice by the kernel only | arrives twice |
/// | reordering | sorted by the kernel | arrives late |
/// | corruption | lost: the checksum finds it | one bit is another, or lost if it has none |
///
/// # Examples
/// ```
/// use std::time::Duration;
/// use parcae::kernel::Ratio;
/// use parcae::world::{Latency, LinkOptions};
///
/// let bad_day = LinkOptions::wan()
///     .with_latency(Latency::pareto(Duration::from_millis(20), Duration::from_millis(10), 15))
///     .with_loss(Ratio::percent(2));
/// assert_eq!(bad_day.mtu, 1500);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LinkOptions {
    /// How long a packet takes. Default: 50 µs to 1 ms, usually evenly ([`Latency::explored`]).
    pub latency: Latency,
    /// A range from which each link draws once what all its packets take on top; it keeps that, also
    /// when the range is another one later. Default: none.
    pub offset: Option<RangeInclusive<Duration>>,
    /// Bytes per second, headers included. Default: no limit.
    pub bandwidth: Option<u64>,
    /// How many bytes may wait for a link with a bandwidth, the packet that is being sent included; a
    /// link on which nothing waits takes any packet. Default: 256 KiB.
    pub queue: usize,
    /// What becomes of a packet when the queue is full. Default: it is lost.
    pub overflow: Overflow,
    /// How often a packet is lost; a datagram, if one of its fragments is. Default: never.
    pub loss: Ratio,
    /// How often there is a second one of a packet. Default: never.
    pub duplication: Ratio,
    /// How long after the first the second one arrives at the latest. It arrives whatever became of
    /// either machine meanwhile. Default: 100 ms.
    pub duplicate_delay: Duration,
    /// How often a packet is held up, so that later ones overtake it. Default: never.
    pub reordering: Ratio,
    /// How long it is held up at the most. Default: 1 ms.
    pub reorder_delay: Duration,
    /// How often a bit is turned over. Default: never.
    pub corruption: Ratio,
    /// Most bytes of one packet, IP header included; longer datagrams travel in fragments. At least 576.
    /// Default: 1500.
    pub mtu: u16,
}

/// What a full queue does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Overflow {
    /// The packet that comes is lost.
    DropTail,
    /// One of those that wait, or the one that comes, is lost; which one is drawn.
    DropRandom,
    /// The packet is not taken: its sender waits until there is room.
    BackPressure,
}

impl LinkOptions {
    /// Returns a link of a local network, which is the default one: 50 µs to 1 ms, no faults.
    #[must_use]
    pub const fn lan() -> Self {
        Self {
            latency: Latency::uniform(Duration::from_micros(50), Duration::from_millis(1))
                .explored(),
            offset: None,
            bandwidth: None,
            queue: 256 * 1024,
            overflow: Overflow::DropTail,
            loss: Ratio::ZERO,
            duplication: Ratio::ZERO,
            duplicate_delay: Duration::from_millis(100),
            reordering: Ratio::ZERO,
            reorder_delay: Duration::from_millis(1),
            corruption: Ratio::ZERO,
            mtu: 1500,
        }
    }

    /// Returns a link between sites: 10 ms, and 2 ms on top in the mean, exponentially; no faults.
    #[must_use]
    pub const fn wan() -> Self {
        let mut options = Self::lan();
        let latency = Latency::exponential(Duration::from_millis(10), Duration::from_millis(2));
        options.latency = latency.explored();
        options
    }

    /// Returns the link of a machine to itself: 1 to 10 µs, packets of up to 65,535 bytes.
    #[must_use]
    pub const fn loopback() -> Self {
        let mut options = Self::lan();
        options.latency = Latency::uniform(Duration::from_micros(1), Duration::from_micros(10));
        options.mtu = u16::MAX;
        options
    }

    /// Returns a link on which every packet takes a nanosecond; it draws nothing.
    #[must_use]
    pub const fn perfect() -> Self {
        let mut options = Self::lan();
        options.latency = Latency::constant(Duration::from_nanos(1));
        options
    }

    /// Sets how long a packet takes.
    #[must_use]
    pub fn with_latency(self, latency: Latency) -> Self {
        Self { latency, ..self }
    }

    /// Sets the range from which each link draws once what all its packets take on top.
    #[must_use]
    pub fn with_offset(self, range: RangeInclusive<Duration>) -> Self {
        Self { offset: Some(range), ..self }
    }

    /// Sets the bytes per second.
    #[must_use]
    pub fn with_bandwidth(self, bytes_per_second: u64) -> Self {
        Self { bandwidth: Some(bytes_per_second), ..self }
    }

    /// Sets how many bytes may wait, and what becomes of a packet when that is not enough.
    #[must_use]
    pub fn with_queue(self, bytes: usize, overflow: Overflow) -> Self {
        Self { queue: bytes, overflow, ..self }
    }

    /// Sets how often a packet is lost.
    #[must_use]
    pub fn with_loss(self, share: Ratio) -> Self {
        Self { loss: share, ..self }
    }

    /// Sets how often there is a second one of a packet, and how long after the first at the most.
    #[must_use]
    pub fn with_duplication(self, share: Ratio, delay_max: Duration) -> Self {
        Self { duplication: share, duplicate_delay: delay_max, ..self }
    }

    /// Sets how often a packet is held up so that later ones overtake it, and how long at the most.
    #[must_use]
    pub fn with_reordering(self, share: Ratio, delay_max: Duration) -> Self {
        Self { reordering: share, reorder_delay: delay_max, ..self }
    }

    /// Sets how often a bit is turned over.
    #[must_use]
    pub fn with_corruption(self, share: Ratio) -> Self {
        Self { corruption: share, ..self }
    }

    /// Sets the most bytes of one packet.
    #[must_use]
    pub fn with_mtu(self, bytes: u16) -> Self {
        Self { mtu: bytes, ..self }
    }

    /// Panics on options that make no link.
    #[track_caller]
    pub(super) fn check(&self) {
        assert!(self.bandwidth != Some(0), "a link of no bytes per second lets nothing through");
        assert!(self.mtu >= MTU_MIN, "an MTU of {} is below {MTU_MIN}", self.mtu);
        if let Some(range) = &self.offset {
            assert!(!range.is_empty(), "an empty range of offsets: {range:?}");
        }
    }
}

impl Default for LinkOptions {
    fn default() -> Self {
        Self::lan()
    }
}

/// Options as the fabric reads them: nanoseconds, and what decides whether the short way is open.
#[derive(Debug)]
pub(super) struct Profile {
    pub(super) options: LinkOptions,
    latency: Space,
    /// What packets seldom take longer than, if a family may spread them otherwise.
    usual: Option<u64>,
    pub(super) offset: Option<Space>,
    pub(super) duplicate_delay: Space,
    pub(super) reorder_delay: Space,
    /// No bandwidth and no fault: a packet only takes its time.
    pub(super) is_plain: bool,
}

impl Profile {
    pub(super) fn new(options: LinkOptions) -> Self {
        let delay = |most: Duration| Space::Nanos { low: 1, high: nanos_of(most).max(1) };
        let faults = [options.loss, options.duplication, options.reordering, options.corruption];
        Self {
            latency: options.latency.space(),
            usual: options.latency.usual(),
            offset: options
                .offset
                .as_ref()
                .map(|range| Space::duration(*range.start(), *range.end())),
            duplicate_delay: delay(options.duplicate_delay),
            reorder_delay: delay(options.reorder_delay),
            is_plain: options.bandwidth.is_none() && faults.iter().all(|share| !is_on(*share)),
            options,
        }
    }
}

impl Profile {
    /// Returns what decides how long a packet takes.
    #[inline]
    pub(super) fn time(&self) -> Time {
        Time { space: self.latency, usual: self.usual, has_offset: self.offset.is_some() }
    }
}

/// What decides how long a packet takes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Time {
    /// What it is usually drawn from.
    pub(super) space: Space,
    /// What packets seldom take longer than, in nanoseconds, if a family may spread them otherwise.
    pub(super) usual: Option<u64>,
    /// Whether the offset of the link is added.
    pub(super) has_offset: bool,
}

/// Tells whether a fault is switched on.
pub(super) fn is_on(share: Ratio) -> bool {
    share.numerator() > 0
}

/// What every host has to take in one piece (RFC 791).
const MTU_MIN: u16 = 576;
