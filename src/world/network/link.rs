//! One link: the way from one machine to another, and what has gone over it.
//!
//! Knows nothing of streams.

use super::counters::{FaultCounters, LinkCounters};
use super::rules::Verdict;
use super::shaper::Shaper;
use crate::kernel::StreamId;
use crate::world::node::NodeId;

/// Names a link of a run. Numbered from 1: 0 is no link.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct LinkId(pub(crate) u32);

/// The state of a link that has carried something.
#[derive(Debug)]
pub(super) struct LinkState {
    /// Whom its draws belong to.
    pub(super) stream: StreamId,
    /// How many packets were numbered here: datagrams, and segments of no connection.
    pub(super) numbered: u32,
    /// The generation in which the four below were worked out; 0 is never.
    pub(super) seen: u32,
    /// What all packets take on top, in nanoseconds.
    pub(super) offset: u64,
    pub(super) verdict: Verdict,
    pub(super) profile: u16,
    pub(super) is_offset_drawn: bool,
    pub(super) from: NodeId,
    pub(super) to: NodeId,
    sent: u64,
    sent_bytes: u64,
    delivered: u64,
    delivered_bytes: u64,
    /// Made with the first fault that fires.
    faults: Option<Box<FaultCounters>>,
    /// Made with the first packet while there is a bandwidth.
    pub(super) shaper: Option<Box<Shaper>>,
}

const _: () = assert!(size_of::<LinkState>() <= 96);

impl LinkState {
    pub(super) fn new(stream: StreamId, from: NodeId, to: NodeId) -> Self {
        Self {
            stream,
            numbered: 0,
            seen: 0,
            offset: 0,
            verdict: Verdict::Clear,
            profile: 0,
            is_offset_drawn: false,
            from,
            to,
            sent: 0,
            sent_bytes: 0,
            delivered: 0,
            delivered_bytes: 0,
            faults: None,
            shaper: None,
        }
    }

    pub(super) fn is_loopback(&self) -> bool {
        self.from == self.to
    }

    #[inline]
    pub(super) fn count_sent(&mut self, count: u16, size: u32) {
        self.sent += u64::from(count);
        self.sent_bytes += u64::from(size);
    }

    #[inline]
    pub(super) fn count_delivered(&mut self, count: u16, size: u32) {
        self.delivered += u64::from(count);
        self.delivered_bytes += u64::from(size);
    }

    pub(super) fn faults(&self) -> FaultCounters {
        self.faults.as_deref().copied().unwrap_or_default()
    }

    pub(super) fn faults_mut(&mut self) -> &mut FaultCounters {
        self.faults.get_or_insert_default()
    }

    pub(super) fn counters(&self, in_flight: u64) -> LinkCounters {
        LinkCounters {
            sent: self.sent,
            sent_bytes: self.sent_bytes,
            delivered: self.delivered,
            delivered_bytes: self.delivered_bytes,
            in_flight,
            faults: self.faults(),
        }
    }
}
