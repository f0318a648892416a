//! Captures, read back by a reader that knows nothing of the writer.

use std::net::{Ipv4Addr, Ipv6Addr};

use super::super::super::node::{NodeId, node};
use super::super::super::state::with_state;
use super::super::super::tcp::segment::Sack;
use super::super::super::tcp::{Flags, Segment};
use super::super::capture::{Capture, Fate, Seen, Sighting};
use super::super::packet::Refusal;
use super::headers::Ends;
use crate::explore::Sim;
use crate::kernel::StreamId;

/// What a reader finds in a file.
#[derive(Debug, Default)]
struct File {
    interfaces: Vec<String>,
    names: Vec<(String, String)>,
    packets: Vec<Read>,
}

#[derive(Clone, Debug)]
struct Read {
    interface: u32,
    nanos: u64,
    bytes: Vec<u8>,
    comment: String,
}

fn word(bytes: &[u8]) -> u32 {
    u32::from_le_bytes(bytes[..4].try_into().expect("4 bytes"))
}

fn half(bytes: &[u8]) -> u16 {
    u16::from_le_bytes(bytes[..2].try_into().expect("2 bytes"))
}

/// Returns options, or records of names, by code.
fn options(mut bytes: &[u8]) -> Vec<(u16, Vec<u8>)> {
    let mut found = Vec::new();
    while half(bytes) != 0 {
        let count = usize::from(half(&bytes[2..]));
        found.push((half(bytes), bytes[4..4 + count].to_vec()));
        bytes = &bytes[4 + count.next_multiple_of(4)..];
    }
    assert_eq!(bytes.len(), 4, "nothing follows the end of options");
    found
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("text")
}

fn read(mut bytes: &[u8]) -> File {
    let mut file = File::default();
    assert_eq!(word(bytes), 0x0a0d_0d0a, "it begins with a section");
    assert_eq!(word(&bytes[8..]), 0x1a2b_3c4d);
    while !bytes.is_empty() {
        let count = word(&bytes[4..]) as usize;
        assert_eq!((count % 4, word(&bytes[count - 4..])), (0, word(&bytes[4..])));
        let body = &bytes[8..count - 4];
        match word(bytes) {
            0x0a0d_0d0a => assert_eq!((half(&body[4..]), half(&body[6..])), (1, 0)),
            1 => {
                assert_eq!(half(body), 101);
                let options = options(&body[8..]);
                assert_eq!(options[1], (9, vec![9]), "nanoseconds");
                file.interfaces.push(text(&options[0].1));
            }
            4 => file.names.extend(options(body).into_iter().map(|(kind, record)| {
                let (address, name) = record.split_at(if kind == 1 { 4 } else { 16 });
                let address = match <[u8; 4]>::try_from(address) {
                    Ok(octets) => Ipv4Addr::from(octets).to_string(),
                    Err(_) => {
                        Ipv6Addr::from(<[u8; 16]>::try_from(address).expect("16")).to_string()
                    }
                };
                (address, text(name.strip_suffix(&[0]).expect("a zero at the end")))
            })),
            6 => {
                let count = word(&body[12..]) as usize;
                assert_eq!(word(&body[16..]) as usize, count);
                let options = options(&body[20 + count.next_multiple_of(4)..]);
                file.packets.push(Read {
                    interface: word(body),
                    nanos: u64::from(word(&body[4..])) << 32 | u64::from(word(&body[8..])),
                    bytes: body[20..20 + count].to_vec(),
                    comment: text(&options[0].1),
                });
            }
            kind => panic!("a block of type {kind}"),
        }
        bytes = &bytes[count..];
    }
    file
}

/// Returns the sum of the internet, which is 0xffff over anything with a right checksum in it.
fn sum(bytes: &[u8]) -> u64 {
    let sum: u64 = bytes
        .chunks(2)
        .map(|pair| u64::from(pair[0]) << 8 | pair.get(1).map_or(0, |low| u64::from(*low)))
        .sum();
    match sum % 0xffff {
        0 => 0xffff,
        rest => rest,
    }
}

/// Returns what is behind the IP header, after a look at all that is checked on a real machine.
fn payload(packet: &[u8]) -> &[u8] {
    let (header, addresses, protocol) = if packet[0] >> 4 == 4 {
        assert_eq!(sum(&packet[..20]), 0xffff);
        assert_eq!(usize::from(u16::from_be_bytes([packet[2], packet[3]])), packet.len());
        (20, &packet[12..20], packet[9])
    } else {
        assert_eq!(packet[0], 0x60);
        assert_eq!(usize::from(u16::from_be_bytes([packet[4], packet[5]])), packet.len() - 40);
        (40, &packet[8..40], packet[6])
    };
    let payload = &packet[header..];
    let mut summed = payload.to_vec();
    if protocol != 1 {
        summed.resize(payload.len().next_multiple_of(2), 0);
        summed.extend_from_slice(addresses);
        summed.extend_from_slice(&[0, protocol]);
        summed.extend_from_slice(&u16::try_from(payload.len()).expect("16 bits").to_be_bytes());
    }
    assert_eq!(sum(&summed), 0xffff, "protocol {protocol}");
    payload
}

fn segment(seq: u64, ack: u64, flags: Flags, len: u32) -> Segment {
    Segment {
        to: None,
        seq,
        ack,
        len,
        window: 65_536,
        flags,
        sack_count: 0,
        mss: 1000,
        sacks: [Sack::default(); 3],
    }
}

fn ends(source: &str, target: &str) -> Ends {
    let parse = |text: &str| text.parse().expect("an address and a port");
    Ends { source: parse(source), target: parse(target) }
}

fn sighting(at: u64, ordinal: u32, ends: Ends, what: Seen<'_>) -> Sighting<'_> {
    let (from, to) = (NodeId::of_number(1), NodeId::of_number(2));
    let fate = Fate::Arrives { at: at + 1_000 };
    Sighting { at, from, to, flow: (StreamId::ROOT, ordinal), ends, what, fate }
}

/// Returns what a capture of machines `c1` and `r0` holds in the end.
fn captured(keep: impl FnOnce(&mut Capture) + 'static) -> File {
    let outcome = Sim::new(7).run(|| async {
        node("c1").idle();
        node("r0").idle();
        with_state("a test", |state, _| {
            let mut capture = Capture::default();
            keep(&mut capture);
            capture.into_attachment(&state.nodes, 1_000_000_000_000_000_000)
        })
    });
    let attachment = outcome.unwrap();
    assert_eq!(attachment.name, "capture.pcapng");
    read(&attachment.bytes)
}

const THERE: (&str, &str) = ("10.0.0.1:40001", "10.0.0.2:80");

#[test]
fn links_and_addresses_have_the_names_of_their_machines() {
    let file = captured(|capture| {
        let mut one = sighting(0, 0, ends(THERE.0, THERE.1), Seen::Datagram(b"x"));
        capture.keep(&one);
        (one.from, one.to, one.flow.1) = (NodeId::TEST, NodeId::of_number(2), 1);
        capture.keep(&one);
        (one.from, one.flow.1) = (NodeId::of_number(1), 2);
        capture.keep(&one);
    });
    assert_eq!(file.interfaces, ["c1->r0", "test->r0"]);
    let interfaces: Vec<u32> = file.packets.iter().map(|packet| packet.interface).collect();
    assert_eq!(interfaces, [0, 1, 0]);
    for (address, name) in [
        ("10.255.0.1", "test"),
        ("fd00::ffff", "test"),
        ("10.0.0.1", "c1"),
        ("10.0.0.2", "r0"),
        ("fd00::1:2", "r0"),
    ] {
        assert!(file.names.contains(&(address.into(), name.into())), "{:?}", file.names);
    }
}

#[test]
fn a_datagram_is_whole_at_its_time_and_its_fate_is_told() {
    let file = captured(|capture| {
        capture.keep(&sighting(7, 0, ends(THERE.0, THERE.1), Seen::Datagram(b"odd")));
        capture.keep(&sighting(8, 1, ends("[fd00::1]:9", "[fd00::2]:10"), Seen::Datagram(b"")));
        let mut lost = sighting(9, 2, ends(THERE.0, THERE.1), Seen::Datagram(b"gone"));
        lost.fate = Fate::Lost { why: "is lost" };
        capture.keep(&lost);
        // What was on its way is lost in a partition.
        let mut cut = sighting(500, 0, ends(THERE.0, THERE.1), Seen::Datagram(b"odd"));
        cut.fate = Fate::Lost { why: "is lost in a partition" };
        capture.keep(&cut);
    });
    let told: Vec<(u64, &str)> =
        file.packets.iter().map(|packet| (packet.nanos, &*packet.comment)).collect();
    let epoch = 1_000_000_000_000_000_000;
    let expected = [
        (epoch + 7, "is lost in a partition"),
        (epoch + 8, "arrives after 1µs"),
        (epoch + 9, "is lost"),
    ];
    assert_eq!(told, expected);
    let payloads: Vec<&[u8]> =
        file.packets.iter().map(|packet| &payload(&packet.bytes)[8..]).collect();
    assert_eq!(payloads, [&b"odd"[..], b"", b"gone"]);
    let header = &payload(&file.packets[0].bytes)[..8];
    assert_eq!(header[..6], [0x9c, 0x41, 0, 80, 0, 11]);
}

#[test]
fn sequence_numbers_of_both_directions_fit_each_other() {
    let file = captured(|capture| {
        let (there, back) = (ends(THERE.0, THERE.1), ends(THERE.1, THERE.0));
        let both = Flags::SYN.and(Flags::ACK);
        let mut keep = |ordinal: u32, ends, segment: &Segment| {
            capture.keep(&sighting(ordinal.into(), ordinal, ends, Seen::Segment(segment)));
        };
        keep(0, there, &segment(0, 0, Flags::SYN, 0));
        keep(1, back, &segment(0, 1, both, 0));
        keep(2, there, &segment(1, 1, Flags::ACK, 0));
        let mut sacked = segment(1, 11, Flags::ACK, 0);
        (sacked.sack_count, sacked.sacks[0]) = (1, Sack { from: 5, len: 10 });
        keep(3, back, &sacked);
    });
    let tcp: Vec<&[u8]> = file.packets.iter().map(|packet| payload(&packet.bytes)).collect();
    let number = |bytes: &[u8]| u32::from_be_bytes(bytes[..4].try_into().expect("4 bytes"));
    let (seq, ack) = (|at: usize| number(&tcp[at][4..]), |at: usize| number(&tcp[at][8..]));
    assert_eq!((ack(0), ack(1), seq(2), ack(2)), (0, seq(0) + 1, seq(0) + 1, seq(1) + 1));
    assert_eq!((seq(3), ack(3)), (seq(1) + 1, seq(0) + 11));
    assert_ne!(seq(0), seq(1));
    let flags: Vec<u8> = tcp.iter().map(|bytes| bytes[13]).collect();
    assert_eq!(flags, [2, 18, 16, 16]);
    // Segment size 1000, window scale 6, and that ranges are known.
    assert_eq!(tcp[0][20..], [2, 4, 3, 232, 1, 3, 3, 6, 1, 1, 4, 2]);
    assert_eq!((&tcp[0][14..16], &tcp[2][14..16]), (&[255, 255][..], &[4, 0][..]));
    assert_eq!(tcp[3][20..24], [1, 1, 5, 10]);
    assert_eq!((number(&tcp[3][24..]), number(&tcp[3][28..])), (5, 15));
}

#[test]
fn a_train_of_packets_is_taken_apart() {
    let file = captured(|capture| {
        let end = Flags::ACK.and(Flags::PUSH).and(Flags::FIN);
        let data: Vec<u8> =
            (0..2_500_u32).map(|at| u8::try_from(at % 251).expect("8 bits")).collect();
        capture.stage(&data);
        let train = segment(1, 1, end, 2_500);
        capture.keep(&sighting(0, 0, ends(THERE.0, THERE.1), Seen::Segment(&train)));
        // Nobody has told what is in this one.
        let unknown = segment(2_501, 1, Flags::ACK, 3);
        capture.keep(&sighting(0, 1, ends(THERE.0, THERE.1), Seen::Segment(&unknown)));
    });
    let tcp: Vec<&[u8]> = file.packets.iter().map(|packet| payload(&packet.bytes)).collect();
    let flags: Vec<u8> = tcp.iter().map(|bytes| bytes[13]).collect();
    assert_eq!(flags, [16, 16, 25, 16]);
    let data: Vec<u8> = tcp[..3].iter().flat_map(|bytes| bytes[20..].to_vec()).collect();
    assert!((0..2_500).zip(&data).all(|(at, byte)| at % 251 == u32::from(*byte)));
    assert_eq!(data.len(), 2_500);
    assert_eq!(tcp[3][20..], [0, 0, 0]);
    let number = |bytes: &[u8]| u32::from_be_bytes(bytes[4..8].try_into().expect("4 bytes"));
    assert_eq!(number(tcp[2]) - number(tcp[0]), 2_000);
}

#[test]
fn a_refusal_quotes_what_was_refused() {
    let file = captured(|capture| {
        let quoted = "10.0.0.2:53".parse().expect("an address");
        let back = ends("10.0.0.2:0", "10.0.0.1:40001");
        capture.keep(&sighting(0, 0, back, Seen::Refused(Refusal::Port, quoted)));
        let quoted = "[fd00::2]:53".parse().expect("an address");
        let back = ends("[fd00::2]:0", "[fd00::1]:40001");
        capture.keep(&sighting(0, 1, back, Seen::Refused(Refusal::Host, quoted)));
    });
    let v4 = payload(&file.packets[0].bytes);
    assert_eq!(v4[..2], [3, 3]);
    assert_eq!(v4[8..][12..20], [10, 0, 0, 1, 10, 0, 0, 2], "from whom to whom it was");
    assert_eq!(payload(&v4[8..])[..4], [0x9c, 0x41, 0, 53]);
    assert_eq!(payload(&file.packets[1].bytes)[..2], [1, 3]);
}

#[test]
fn only_the_links_of_some_machines_are_kept_when_asked() {
    let file = captured(|capture| {
        capture.only(vec![NodeId::TEST]);
        let mut one = sighting(0, 0, ends(THERE.0, THERE.1), Seen::Datagram(b"no"));
        capture.keep(&one);
        one.from = NodeId::TEST;
        capture.keep(&one);
    });
    assert_eq!(file.interfaces, ["test->r0"]);
    assert_eq!(file.packets.len(), 1);
}

#[test]
fn the_longest_datagrams_fit() {
    let file = captured(|capture| {
        let bytes = vec![7; 65_527];
        capture.keep(&sighting(0, 0, ends(THERE.0, THERE.1), Seen::Datagram(&bytes[..65_507])));
        let v6 = ends("[fd00::1]:9", "[fd00::2]:10");
        capture.keep(&sighting(0, 1, v6, Seen::Datagram(&bytes)));
    });
    let counts: Vec<usize> =
        file.packets.iter().map(|packet| payload(&packet.bytes).len()).collect();
    assert_eq!(counts, [65_515, 65_535]);
}
