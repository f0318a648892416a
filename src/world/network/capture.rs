//! Packets that are kept while a run lasts, to be a file after it.
//!
//! A packet is kept when it is sent, under its link; what became of it, which may be decided later,
//! stands in its comment. A train of packets that the model sends as one is taken apart.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use super::super::node::{NodeId, Nodes};
use super::super::tcp::{Flags, Segment};
use super::fabric::Network;
use super::packet::{Body, Packet, Refusal};
use super::pcapng::{Writer, headers};
use crate::executor::Attachment;
use crate::kernel::StreamId;

/// The packets of a run, in the order of sending.
#[derive(Debug, Default)]
pub(crate) struct Capture {
    packets: Vec<Kept>,
    /// Places of the packets that are in flight, by flow and number there.
    flying: BTreeMap<(StreamId, u32), usize>,
    /// Interfaces, in the order in which links have carried something.
    links: Vec<(NodeId, NodeId)>,
    /// Data of the segment that is sent next.
    staged: Vec<u8>,
    /// Whose packets are kept, of either end of a link; all if none.
    only: Option<Vec<NodeId>>,
}

#[derive(Debug)]
struct Kept {
    at: u64,
    interface: u32,
    /// The packet, or the packets that it is on the wire.
    packets: Vec<Vec<u8>>,
    fate: Fate,
}

/// What became of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// It arrives at this nanosecond.
    Arrives { at: u64 },
    /// It is lost, and what reports say of it.
    Lost { why: &'static str },
}

/// A packet that was sent or lost.
#[derive(Debug)]
pub(super) struct Sighting<'a> {
    pub(super) at: u64,
    pub(super) from: NodeId,
    pub(super) to: NodeId,
    pub(super) flow: (StreamId, u32),
    pub(super) ends: headers::Ends,
    pub(super) what: Seen<'a>,
    pub(super) fate: Fate,
}

/// What is in a packet that is kept.
#[derive(Debug)]
pub(super) enum Seen<'a> {
    /// A segment; its data was staged.
    Segment(&'a Segment),
    Datagram(&'a [u8]),
    Refused(Refusal, SocketAddr),
}

impl Network {
    /// Tells whether data of segments is to be staged before they are sent.
    #[inline]
    pub(crate) fn is_capturing(&self) -> bool {
        self.capture.is_some()
    }

    /// Takes the data of the segment that is sent next, for the capture; the model sends its numbers
    /// only.
    pub(crate) fn stage(&mut self, data: &[u8]) {
        if let Some(capture) = &mut self.capture {
            capture.stage(data);
        }
    }

    /// Takes note of a packet that was sent or lost, if there is a capture.
    #[inline]
    pub(super) fn sight(&mut self, now: u64, packet: &Packet, fate: Fate) {
        if self.capture.is_some() {
            self.keep_sight(now, packet, fate);
        }
    }

    #[cold]
    fn keep_sight(&mut self, at: u64, packet: &Packet, fate: Fate) {
        let (from, to) = self.ends_of(packet.link);
        let Self { capture: Some(capture), addresses, chunks, .. } = self else { return };
        let source = addresses.socket_addr(packet.source);
        let target = addresses.socket_addr(packet.target);
        capture.keep(&Sighting {
            at,
            from,
            to,
            flow: (packet.flow.stream, packet.flow.ordinal),
            ends: headers::Ends { source, target },
            what: match &packet.body {
                Body::Segment(segment) => Seen::Segment(segment),
                Body::Datagram(payload) => Seen::Datagram(payload.bytes(chunks)),
                Body::Refused { kind, quoted } => {
                    Seen::Refused(*kind, addresses.socket_addr(*quoted))
                }
            },
            fate,
        });
    }

    /// Keeps the packets of links that begin or end at one of these machines, from now on.
    pub(crate) fn capture_only(&mut self, nodes: Vec<NodeId>) {
        if let Some(capture) = &mut self.capture {
            capture.only(nodes);
        }
    }
}

impl Capture {
    pub(super) fn stage(&mut self, data: &[u8]) {
        self.staged.clear();
        self.staged.extend_from_slice(data);
    }

    pub(super) fn only(&mut self, nodes: Vec<NodeId>) {
        self.only = Some(nodes);
    }

    /// Keeps a packet, or what became of one that was kept before.
    pub(super) fn keep(&mut self, sighting: &Sighting<'_>) {
        let Sighting { at, from, to, flow, fate, .. } = *sighting;
        if let Fate::Lost { .. } = fate
            && let Some(place) = self.flying.remove(&flow)
        {
            self.packets[place].fate = fate;
            return;
        }
        let data = std::mem::take(&mut self.staged);
        let is_wanted = |only: &Vec<NodeId>| only.contains(&from) || only.contains(&to);
        if !self.only.as_ref().is_none_or(is_wanted) {
            return;
        }
        let packets = match sighting.what {
            Seen::Segment(segment) => segments(sighting.ends, segment, &data),
            Seen::Datagram(bytes) => vec![headers::udp(sighting.ends, bytes)],
            Seen::Refused(kind, quoted) => vec![headers::icmp(sighting.ends, kind, quoted)],
        };
        let interface = self.interface(from, to);
        if let Fate::Arrives { .. } = fate {
            self.flying.insert(flow, self.packets.len());
        }
        self.packets.push(Kept { at, interface, packets, fate });
    }

    fn interface(&mut self, from: NodeId, to: NodeId) -> u32 {
        let known = self.links.iter().position(|link| *link == (from, to));
        let index = known.unwrap_or_else(|| {
            self.links.push((from, to));
            self.links.len() - 1
        });
        u32::try_from(index).expect("fewer than 2^32 links")
    }

    /// Returns the file.
    pub(super) fn into_attachment(self, nodes: &Nodes, epoch_nanos: u64) -> Attachment {
        let name = |node| &*nodes.get(node).name;
        let mut writer = Writer::new();
        for (from, to) in &self.links {
            writer.interface(&format!("{}->{}", name(*from), name(*to)));
        }
        let own =
            |node| nodes.addresses(node).into_iter().map(move |address| (address, name(node)));
        writer.names(&nodes.ids().flat_map(own).collect::<Vec<_>>());
        for kept in &self.packets {
            let comment = match kept.fate {
                Fate::Arrives { at } => {
                    format!("arrives after {:?}", Duration::from_nanos(at.saturating_sub(kept.at)))
                }
                Fate::Lost { why } => why.to_owned(),
            };
            let time = epoch_nanos.saturating_add(kept.at);
            for packet in &kept.packets {
                writer.packet(kept.interface, time, packet, &comment);
            }
        }
        Attachment::new("capture.pcapng", writer.finish())
    }
}

/// Returns the packets of a segment: one for each stretch of data that fits, the last with PUSH and FIN.
fn segments(ends: headers::Ends, segment: &Segment, data: &[u8]) -> Vec<Vec<u8>> {
    // Data that nobody has staged is shown as zeros.
    let zeros;
    let data = if data.len() == segment.len as usize {
        data
    } else {
        zeros = vec![0; segment.len as usize];
        &zeros
    };
    let size = usize::from(segment.mss.clamp(1, SEGMENT_MAX));
    let count = data.len().div_ceil(size).max(1);
    (0..count)
        .map(|index| {
            let begin = index * size;
            let end = data.len().min(begin + size);
            let mut one = *segment;
            one.seq += begin as u64;
            if index + 1 < count {
                one.flags = Flags(one.flags.0 & !(Flags::PUSH.0 | Flags::FIN.0));
            }
            headers::tcp(ends, &one, &data[begin..end])
        })
        .collect()
}

/// With the longest headers, what fits into an IP packet.
const SEGMENT_MAX: u16 = 65_535 - 40 - 60;
