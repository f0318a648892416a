//! Reads and writes that move fewer bytes than they could.

use std::collections::BTreeSet;
use std::rc::Rc;

use futures_lite::{AsyncReadExt as _, AsyncWriteExt as _};
use parcae::explore::Check;
use parcae::kernel::{Fill, Overrides, Ratio};
use parcae::time::{Instant, sleep};
use parcae::world;
use parcae::{Sim, spawn};

use super::{connect, echo, keep, serving};
use crate::runs::{Journal, SEEDS, on_every_seed, random, secs};

/// Asks a server that answers with eight bytes, and takes one read for the answer.
async fn takes_a_read_for_a_message() {
    world::network().set_short_reads(Ratio::percent(5));
    let node = serving("db", |mut stream| async move {
        stream.write_all(b"12345678").await.unwrap();
        keep(stream).await;
    });
    let mut answer = [0; 8];
    let count = connect(&node).await.read(&mut answer).await.unwrap();
    assert_eq!(&answer[..count], b"12345678");
}

#[test]
fn a_program_that_takes_a_read_for_a_message_is_found_and_told_which_read_was_short() {
    let report = Check::new("short").seeds(200).run(takes_a_read_for_a_message);
    let found = report.finding().expect("one of 20 fails");
    let overrides = found.world().overrides.clone();
    assert_eq!(overrides.values().copied().collect::<Vec<_>>(), [1], "one short read, by one byte");
    let again = Sim::builder().log(true).overrides(Fill::Default, overrides.clone());
    let again = again.build().unwrap().run(takes_a_read_for_a_message);
    let log = again.log().unwrap();
    let (key, value) = overrides.first_key_value().unwrap();
    assert_eq!(
        log.describe_override(*key, *value),
        "test->db, connection 0 to :80: the read from byte 0 on is short"
    );
    let told: Vec<String> = log.entries.iter().map(|entry| log.describe(entry)).collect();
    for wanted in ["set_short_reads: 5/100", "a read is short: 7 bytes from 0 on"] {
        assert!(told.iter().any(|line| line.contains(wanted)), "no {wanted} in {told:#?}");
    }
}

#[test]
fn a_program_that_reads_exactly_is_not_harmed_and_a_peek_is_never_short() {
    let reads = on_every_seed(|| async {
        world::network().set_short_reads(Ratio::percent(50));
        let node = serving("db", |mut stream| async move {
            stream.write_all(b"12345678").await.unwrap();
            keep(stream).await;
        });
        let mut stream = connect(&node).await;
        let mut answer = [0; 8];
        assert_eq!(stream.peek(&mut answer).await.unwrap(), 8);
        assert_eq!(world::network().counters().short_reads, 0);
        stream.read_exact(&mut answer).await.unwrap();
        assert_eq!(answer, *b"12345678");
        world::network().counters().short_reads
    });
    // Half of the first reads are short, and then half of those of what is left.
    assert!(reads.iter().filter(|count| **count == 0).count() > 60, "{reads:?}");
    assert!(reads.iter().filter(|count| **count > 1).count() > 20, "{reads:?}");
}

/// Writes eight bytes, either all of them or without a look at how many were taken. Returns what came.
async fn written(all: bool) -> (Vec<u8>, u64) {
    world::network().set_short_writes(Ratio::percent(50));
    let came = Journal::new();
    let node = serving("db", {
        let came = came.clone();
        move |mut stream| {
            let came = came.clone();
            async move {
                let mut bytes = Vec::new();
                stream.read_to_end(&mut bytes).await.unwrap();
                came.add(bytes);
            }
        }
    });
    let mut stream = connect(&node).await;
    if all {
        stream.write_all(b"12345678").await.unwrap();
    } else {
        let taken = stream.write(b"12345678").await.unwrap();
        assert!((1..=8).contains(&taken), "{taken}");
    }
    drop(stream);
    sleep(secs(1)).await;
    (came.take().concat(), world::network().counters().short_writes)
}

#[test]
fn a_write_that_is_short_takes_the_first_bytes_and_any_number_of_them() {
    let mut lengths = BTreeSet::new();
    for (bytes, short) in on_every_seed(|| written(false)) {
        assert_eq!(bytes, b"12345678"[..bytes.len()]);
        assert_eq!(short, u64::from(bytes.len() < 8));
        lengths.insert(bytes.len());
    }
    assert_eq!(lengths, BTreeSet::from_iter(1..=8));
    let mut sum = 0;
    for (bytes, short) in on_every_seed(|| written(true)) {
        assert_eq!(bytes, b"12345678");
        sum += short;
    }
    assert!(sum > 100, "{sum}");
}

/// Sends a lot to an echo and takes it back, in pieces of all sizes.
async fn round_trip() -> (u64, u64) {
    let network = world::network();
    network.set_short_reads(Ratio::percent(30));
    network.set_short_writes(Ratio::percent(30));
    let stream = Rc::new(connect(&serving("db", echo)).await);
    let sent: Vec<u8> = (0..=250).cycle().take(300_000).collect();
    let writing = spawn({
        let (stream, sent) = (stream.clone(), sent.clone());
        async move {
            (&*stream).write_all(&sent).await.unwrap();
        }
    });
    let mut came = vec![0; sent.len()];
    (&*stream).read_exact(&mut came).await.unwrap();
    writing.await;
    assert!(came == sent, "the bytes are others, or in another order");
    (network.counters().short_reads, network.counters().short_writes)
}

#[test]
fn whatever_is_short_bytes_are_right_and_in_order_and_none_is_short_in_the_default_world() {
    let (mut reads, mut writes) = (0, 0);
    for outcome in random(SEEDS / 4, round_trip) {
        let short = outcome.unwrap();
        reads += short.0;
        writes += short.1;
    }
    assert!(reads > 500 && writes > 500, "{reads} reads and {writes} writes were short");
    let usual = Sim::builder().overrides(Fill::Default, Overrides::new());
    assert_eq!(usual.build().unwrap().run(round_trip).unwrap(), (0, 0));
}

#[test]
fn short_calls_that_are_on_change_no_other_draw() {
    // Nobody answers, so no packet depends on how much is read at a time.
    let times = |share| {
        on_every_seed(move || async move {
            world::network().set_short_reads(share);
            let start = Instant::now();
            let node = serving("db", |mut stream| async move {
                for _ in 0..20 {
                    stream.write_all(b"12345678").await.unwrap();
                    sleep(secs(1)).await;
                }
                keep(stream).await;
            });
            let mut stream = connect(&node).await;
            let mut times = Vec::new();
            for _ in 0..20 {
                stream.read_exact(&mut [0; 8]).await.unwrap();
                times.push(start.elapsed());
            }
            (times, world::network().counters().short_reads)
        })
    };
    let mut sum = 0;
    for (without, with) in times(Ratio::ZERO).into_iter().zip(times(Ratio::percent(10))) {
        assert_eq!((without.0, without.1), (with.0, 0));
        sum += with.1;
    }
    assert!(sum > 200, "{sum}");
}
