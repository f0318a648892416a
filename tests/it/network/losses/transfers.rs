//! A megabyte over links that lose, double and disorder packets.

use futures_lite::future::zip;
use futures_lite::{AsyncReadExt as _, AsyncWriteExt as _};
use parcae::kernel::Ratio;
use parcae::net::TcpStream;
use parcae::spawn;
use parcae::world::{self, FaultCounters, Latency, LinkOptions, Overflow};

use super::super::contents::{self, PIECE_MAX};
use super::super::{connect, serving, steady};
use super::MEBIBYTE;
use crate::runs::{millis, random};

/// Carries a mebibyte there and at the same time one back over such links, at four latencies.
fn carries_a_mebibyte(seeds: u64, change: fn(LinkOptions) -> LinkOptions) -> FaultCounters {
    let mut sum = FaultCounters::default();
    for latency in [1, 10, 50, 300].map(millis) {
        for outcome in random(seeds, move || async move {
            world::network().set_links(change(steady(latency)));
            let server = serving("server", |stream| exchange(stream, MEBIBYTE, [1, 0]));
            exchange(connect(&server).await, MEBIBYTE, [0, 1]).await;
            world::network().counters()
        }) {
            sum += outcome.unwrap();
        }
    }
    sum
}

/// Writes so many bytes of one stream and reads as many of another.
async fn exchange(stream: TcpStream, size: usize, [own, other]: [u64; 2]) {
    let (mut source, mut target) = stream.into_split();
    let writing = async {
        for offset in (0..size).step_by(PIECE_MAX) {
            let piece = contents::piece(own, offset as u64, PIECE_MAX.min(size - offset));
            target.write_all(piece).await.unwrap();
        }
        drop(target);
    };
    let reading = async {
        let mut buffer = vec![0; PIECE_MAX];
        let mut total = 0;
        loop {
            let count = source.read(&mut buffer).await.unwrap();
            if count == 0 {
                break;
            }
            contents::check(other, total, &buffer[..count]);
            total += count as u64;
        }
        assert_eq!(total, size as u64);
    };
    zip(writing, reading).await;
}

#[test]
fn a_megabyte_arrives_though_one_packet_of_a_hundred_is_lost() {
    let faults = carries_a_mebibyte(50, |links| links.with_loss(Ratio::percent(1)));
    assert!(faults.lost > 1000, "{faults}");
}

#[test]
fn a_megabyte_arrives_though_packets_come_twice() {
    let faults =
        carries_a_mebibyte(10, |links| links.with_duplication(Ratio::percent(30), millis(500)));
    assert!(faults.duplicated > 10_000, "{faults}");
}

#[test]
fn a_megabyte_arrives_though_packets_overtake_each_other() {
    let faults =
        carries_a_mebibyte(10, |links| links.with_reordering(Ratio::percent(30), millis(20)));
    assert!(faults.reordered > 10_000, "{faults}");
}

#[test]
fn a_megabyte_arrives_though_bits_are_turned_over() {
    let faults = carries_a_mebibyte(10, |links| links.with_corruption(Ratio::percent(1)));
    assert!(faults.corrupted > 200, "{faults}");
}

#[test]
fn streams_share_a_link_that_pushes_back() {
    const SIZE: usize = 100_000;
    for outcome in random(20, || async {
        let latency = Latency::uniform(millis(1), millis(5));
        let links = LinkOptions::lan().with_latency(latency).with_mtu(576);
        let links = links.with_bandwidth(500_000).with_queue(1152, Overflow::BackPressure);
        world::network().set_links(links);
        let server = serving("server", |stream| exchange(stream, SIZE, [1, 0]));
        let streams = (0..4).map(|_| {
            let server = server.clone();
            spawn(async move { exchange(connect(&server).await, SIZE, [0, 1]).await })
        });
        for stream in streams.collect::<Vec<_>>() {
            stream.await;
        }
        world::network().counters()
    }) {
        let elapsed = outcome.elapsed();
        assert_eq!(outcome.unwrap(), FaultCounters::default());
        // 4 times 100 kB and headers at 500 kB/s.
        assert!((millis(860)..millis(1500)).contains(&elapsed), "{elapsed:?}");
    }
}
