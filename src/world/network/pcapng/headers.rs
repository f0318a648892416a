//! Headers of IP, TCP, UDP and ICMP, made up from what the model knows, with right checksums.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use super::super::super::tcp::{Flags, Segment};
use super::super::packet::Refusal;
use crate::kernel::fold;

/// Who sends and who is to have it.
#[derive(Clone, Copy, Debug)]
pub(in super::super) struct Ends {
    pub(in super::super) source: SocketAddr,
    pub(in super::super) target: SocketAddr,
}

/// Returns the IP packet of one segment with these bytes of data.
pub(in super::super) fn tcp(ends: Ends, segment: &Segment, data: &[u8]) -> Vec<u8> {
    let options = tcp_options(segment);
    let mut packet = Vec::with_capacity(20 + options.len() + data.len());
    packet.extend_from_slice(&ends.source.port().to_be_bytes());
    packet.extend_from_slice(&ends.target.port().to_be_bytes());
    let is_acknowledging = segment.flags.has(Flags::ACK);
    let ack = if is_acknowledging { on_wire(ends.reversed(), segment.ack) } else { 0 };
    packet.extend_from_slice(&on_wire(ends, segment.seq).to_be_bytes());
    packet.extend_from_slice(&ack.to_be_bytes());
    let words = u8::try_from((20 + options.len()) / 4).expect("at most 15 words of header");
    packet.extend_from_slice(&[words << 4, segment.flags.0]);
    // A SYN's window is not scaled.
    let shift = if segment.flags.has(Flags::SYN) { 0 } else { WINDOW_SHIFT };
    let window = u16::try_from(segment.window >> shift).unwrap_or(u16::MAX);
    packet.extend_from_slice(&window.to_be_bytes());
    packet.extend_from_slice(&[0; 4]);
    packet.extend_from_slice(&options);
    packet.extend_from_slice(data);
    ends.packed(TCP, packet, 16)
}

/// Returns the options of a segment, a multiple of 4 bytes: of a SYN its segment size, window scale and
/// that selective acknowledgements are known; of others those.
fn tcp_options(segment: &Segment) -> Vec<u8> {
    let mut options = Vec::new();
    if segment.flags.has(Flags::SYN) {
        let [high, low] = segment.mss.to_be_bytes();
        options.extend_from_slice(&[2, 4, high, low, 1, 3, 3, WINDOW_SHIFT, 1, 1, 4, 2]);
    }
    let sacks = &segment.sacks[..usize::from(segment.sack_count)];
    if !sacks.is_empty() && segment.flags.has(Flags::ACK) {
        options.extend_from_slice(&[1, 1, 5, 2 + 8 * segment.sack_count]);
        for sack in sacks {
            options.extend_from_slice(&sack.from.to_be_bytes());
            options.extend_from_slice(&sack.from.wrapping_add(sack.len).to_be_bytes());
        }
    }
    options
}

/// Returns a sequence number of a direction as it would stand on the wire: the model counts from 0.
fn on_wire(ends: Ends, seq: u64) -> u32 {
    let words = |address: SocketAddr| {
        let parts = ipv6_of(address.ip()).segments().map(u64::from);
        let port = address.port().into();
        parts.into_iter().fold(port, |folded, part| fold(folded ^ part, FIRST))
    };
    let first = fold(words(ends.source), words(ends.target).rotate_left(32));
    (first.wrapping_add(seq) & 0xffff_ffff) as u32
}

/// Returns the IP packet of a datagram.
pub(in super::super) fn udp(ends: Ends, data: &[u8]) -> Vec<u8> {
    let mut packet = Vec::with_capacity(8 + data.len());
    packet.extend_from_slice(&ends.source.port().to_be_bytes());
    packet.extend_from_slice(&ends.target.port().to_be_bytes());
    packet.extend_from_slice(&short_length(8 + data.len()).to_be_bytes());
    packet.extend_from_slice(&[0; 2]);
    packet.extend_from_slice(data);
    ends.packed(UDP, packet, 6)
}

/// Returns the ICMP message that a datagram to `quoted` was not taken; it quotes the headers of that.
pub(in super::super) fn icmp(ends: Ends, kind: Refusal, quoted: SocketAddr) -> Vec<u8> {
    let refused = Ends { source: ends.target, target: quoted };
    let quote = udp(refused, &[]);
    let (protocol, head) = match (ends.is_v4(), kind) {
        (true, Refusal::Port) => (ICMP, [3, 3]),
        (true, Refusal::Host) => (ICMP, [3, 1]),
        (false, Refusal::Port) => (ICMP_V6, [1, 4]),
        (false, Refusal::Host) => (ICMP_V6, [1, 3]),
    };
    let mut packet = head.to_vec();
    packet.extend_from_slice(&[0; 6]);
    packet.extend_from_slice(&quote);
    ends.packed(protocol, packet, 2)
}

impl Ends {
    fn reversed(self) -> Self {
        Self { source: self.target, target: self.source }
    }

    fn is_v4(self) -> bool {
        self.source.is_ipv4() && self.target.is_ipv4()
    }

    /// Puts an IP header before a payload whose checksum has its place at `sum_at`.
    fn packed(self, protocol: u8, mut payload: Vec<u8>, sum_at: usize) -> Vec<u8> {
        let count = short_length(payload.len());
        let addresses = match (self.source.ip(), self.target.ip()) {
            (IpAddr::V4(source), IpAddr::V4(target)) => [source.octets(), target.octets()].concat(),
            (source, target) => [ipv6_of(source).octets(), ipv6_of(target).octets()].concat(),
        };
        // ICMP of IPv4 is the one that is summed without addresses.
        let mut summed = Vec::new();
        if protocol != ICMP {
            summed.extend_from_slice(&addresses);
            summed.extend_from_slice(&[0, protocol]);
            summed.extend_from_slice(&count.to_be_bytes());
        }
        let sum = match checksum(&[&summed, &payload]) {
            // No sum at all, to UDP.
            0 if protocol == UDP => u16::MAX,
            sum => sum,
        };
        payload[sum_at..sum_at + 2].copy_from_slice(&sum.to_be_bytes());
        let mut packet = if self.is_v4() {
            let total = short_length(usize::from(count) + 20).to_be_bytes();
            let mut header = vec![0x45, 0, total[0], total[1], 0, 0, 0x40, 0, 64, protocol, 0, 0];
            header.extend_from_slice(&addresses);
            let sum = checksum(&[&header]);
            header[10..12].copy_from_slice(&sum.to_be_bytes());
            header
        } else {
            let [high, low] = count.to_be_bytes();
            let mut header = vec![0x60, 0, 0, 0, high, low, protocol, 64];
            header.extend_from_slice(&addresses);
            header
        };
        packet.extend_from_slice(&payload);
        packet
    }
}

fn ipv6_of(address: IpAddr) -> Ipv6Addr {
    match address {
        IpAddr::V4(address) => address.to_ipv6_mapped(),
        IpAddr::V6(address) => address,
    }
}

/// Returns a length that stands in 16 bits.
fn short_length(count: usize) -> u16 {
    u16::try_from(count).expect("a packet is at most 65,535 bytes long")
}

/// Returns the checksum of the internet over parts of even lengths; the last one may be odd (RFC 1071).
fn checksum(parts: &[&[u8]]) -> u16 {
    let mut sum = 0_u32;
    for part in parts {
        for pair in part.chunks(2) {
            let low = pair.get(1).copied().unwrap_or(0);
            sum += u32::from(u16::from_be_bytes([pair[0], low]));
        }
    }
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !((sum & 0xffff) as u16)
}

/// Any odd number does.
const FIRST: u64 = 0x9e37_79b9_7f4a_7c15;

const TCP: u8 = 6;
const UDP: u8 = 17;
const ICMP: u8 = 1;
const ICMP_V6: u8 = 58;

/// Windows go up to 4 MiB with it.
const WINDOW_SHIFT: u8 = 6;
