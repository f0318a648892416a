//! How a run spreads latencies, where a program leaves that open: [`Latency::explored`](super::Latency::explored).

use std::collections::BTreeMap;

use super::fabric::Network;
use super::packet::Packet;
use super::sites::{CHANGE, FAMILY, LINKS, PACE};
use crate::kernel::{Ratio, Shape, Space, StreamId};
use crate::world::host::Host;

/// A way in which latencies are spread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Family {
    /// As the options of each link say.
    Usual,
    /// All are the least.
    Least,
    /// Each packet may be late.
    HeavyTail,
    /// Some links are slow.
    SlowLinks,
    /// Each conversation has a pace of its own, that changes.
    Chains,
}

/// The family of a run, and what is slow in it.
#[derive(Debug, Default)]
pub(super) struct Families {
    /// None until the first packet for which it matters.
    family: Option<Family>,
    /// The pace of links or of conversations.
    paces: BTreeMap<StreamId, u64>,
}

impl Family {
    /// Draws that of a run.
    #[cold]
    fn drawn<H: Host>(host: &mut H) -> Self {
        host.name(LINKS, || "all links".to_owned());
        if host.draw(LINKS, FAMILY, 0, Space::Chance { probability: OTHERS }) == 0 {
            return Self::Usual;
        }
        let which = host.draw(LINKS, FAMILY, 1, Space::Index { count: UNUSUAL.len() as u64 });
        Self::unusual(which)
    }

    fn unusual(which: u64) -> Self {
        UNUSUAL[usize::try_from(which).expect("there are few")]
    }

    /// Says what was drawn.
    pub(super) fn phrase(part: u64, value: u64) -> String {
        match (part, value) {
            (0, 0) => "latencies are spread as usual".to_owned(),
            (0, _) => "latencies are spread otherwise than usually".to_owned(),
            _ => {
                format!("if not as usual, latencies are spread so: {}", Self::unusual(value).name())
            }
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Usual => "usual",
            Self::Least => "all are the least",
            Self::HeavyTail => "a heavy tail",
            Self::SlowLinks => "slow links",
            Self::Chains => "chains",
        }
    }
}

impl Network {
    /// Returns what the latency of a packet is drawn from in this run. It is always the same range, so that a latency that was
    /// drawn in one family can be in any other.
    pub(super) fn spread<H: Host>(
        &mut self,
        host: &mut H,
        packet: &Packet,
        usual_space: Space,
        usual: u64,
    ) -> Space {
        let family = match self.families.family {
            Some(family) => family,
            None => *self.families.family.insert(Family::drawn(host)),
        };
        let Space::Skewed { low, high, .. } = usual_space else {
            unreachable!("what is left open has a shape")
        };
        let even = |from: u64, to: u64| {
            let (from, to) = (from.clamp(low, high), to.clamp(low, high));
            Space::Skewed { low, high, shape: Shape::Even { from, to } }
        };
        match family {
            Family::Usual => usual_space,
            Family::Least => even(low, low),
            Family::HeavyTail => {
                let usual = usual.min(high);
                let shape = Shape::Bimodal { fast_high: usual, slow_low: usual, slow: LATE };
                Space::Skewed { low, high, shape }
            }
            Family::SlowLinks => {
                let factor = self.factor(host, packet);
                if factor == 1 {
                    return usual_space;
                }
                even(low.saturating_mul(factor), usual.saturating_mul(factor))
            }
            Family::Chains => {
                let pace = self.pace(host, packet);
                let nanos = low.max(1).saturating_mul(1 << (2 * pace));
                even(nanos, nanos)
            }
        }
    }

    /// Returns how many times as slow as usual a link is.
    fn factor<H: Host>(&mut self, host: &mut H, packet: &Packet) -> u64 {
        let stream = self.links.get(packet.link).stream;
        let draw = || host.draw(stream, PACE, 0, Space::Index { count: FACTORS.len() as u64 });
        let place = *self.families.paces.entry(stream).or_insert_with(draw);
        FACTORS[usize::try_from(place).expect("there are few")]
    }

    /// Returns how slow a conversation is from this packet on.
    fn pace<H: Host>(&mut self, host: &mut H, packet: &Packet) -> u64 {
        let (stream, ordinal) = (packet.flow.stream, u64::from(packet.flow.ordinal));
        let known = self.families.paces.get(&stream).copied();
        if let Some(pace) = known
            && host.draw(stream, CHANGE, ordinal, Space::Chance { probability: CHANGES }) == 0
        {
            return pace;
        }
        let pace = host.draw(stream, PACE, ordinal, Space::Index { count: PACES });
        self.families.paces.insert(stream, pace);
        pace
    }
}

/// How many seeds are unusual: a plain run has to stay common.
const OTHERS: Ratio = Ratio::new(1, 2);

const UNUSUAL: [Family; 4] = [Family::Least, Family::HeavyTail, Family::SlowLinks, Family::Chains];

/// How many packets are late.
const LATE: Ratio = Ratio::new(15, 100);

const FACTORS: [u64; 5] = [1, 1, 1, 10, 60];

/// Each is four times as slow as the one before.
const PACES: u64 = 6;

const CHANGES: Ratio = Ratio::new(1, 16);
