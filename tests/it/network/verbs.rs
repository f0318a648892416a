//! What each verb does to the bytes of streams.

use std::time::Duration;

use futures_lite::AsyncWriteExt as _;
use parcae::net::TcpStream;
use parcae::spawn;
use parcae::task::settle;
use parcae::time::{Instant, sleep, timeout};
use parcae::world::{self, LinkFault, Node, label};

use super::{
    Arrivals, ECONNRESET, connect, echo, read, serving, sink, steady, with_usual_latencies,
};
use crate::runs::{Journal, millis, nanos, secs};

/// Makes a machine of which is written down what its streams bring, and when after this call.
fn receiver(name: &'static str) -> (Node, Arrivals) {
    let arrivals = Journal::new();
    (serving(name, sink(&arrivals)), arrivals)
}

/// The bytes that have come, in one piece.
fn bytes(arrivals: &Arrivals) -> Vec<u8> {
    arrivals.take().into_iter().flat_map(|(_, bytes)| bytes.unwrap()).collect()
}

/// When something has come.
fn times(arrivals: &Arrivals) -> Vec<Duration> {
    arrivals.take().into_iter().map(|(time, _)| time).collect()
}

/// Asks an echo, and tells whether the answer came within this time.
async fn answers(stream: &mut TcpStream, patience: Duration) -> bool {
    stream.write_all(b"ask").await.unwrap();
    let Ok(answer) = timeout(patience, read(stream)).await else { return false };
    assert_eq!(answer.unwrap(), b"ask");
    true
}

/// A question of an echo whose answer did not come in time is answered now, once.
async fn is_answered_late(stream: &mut TcpStream) {
    assert_eq!(timeout(secs(300), read(stream)).await.unwrap().unwrap(), b"ask");
}

// Partitions

#[test]
fn a_partition_lets_nothing_through_and_streams_go_on_when_it_heals() {
    with_usual_latencies(|| async {
        let (node, arrivals) = receiver("db");
        let mut stream = connect(&node).await;
        let cut = world::partition("test", "db");
        stream.write_all(b"abc").await.unwrap();
        sleep(secs(20)).await;
        stream.write_all(b"def").await.unwrap();
        sleep(secs(20)).await;
        assert_eq!(arrivals.count(), 0);
        assert!(cut.fired() > 3, "it was tried {} times", cut.fired());
        assert_eq!(world::network().counters().cut, cut.fired());
        drop(cut);
        // The next attempt comes at most as long after the last one as the partition was.
        sleep(secs(50)).await;
        assert_eq!(bytes(&arrivals), b"abcdef");
    });
}

#[test]
fn a_partition_loses_what_is_in_flight_and_no_more() {
    with_usual_latencies(|| async {
        world::network().set_links(steady(millis(10)));
        let (node, arrivals) = receiver("db");
        let mut stream = connect(&node).await;
        sleep(secs(1) - millis(20)).await;
        stream.write_all(b"abc").await.unwrap();
        sleep(millis(9)).await;
        let cut = world::partition("test", "db");
        sleep(millis(2)).await;
        assert_eq!(cut.fired(), 1);
        drop(cut);
        sleep(secs(1)).await;
        // Sent again after 20 ms for the round trip and 200 ms for its spread.
        let at = secs(1) + millis(220 + 10);
        assert_eq!(arrivals.take(), [(at, Ok(b"abc".to_vec()))]);
        assert_eq!(world::network().counters().cut, 1);
    });
}

#[test]
fn a_partition_of_one_direction_lets_the_other_through() {
    with_usual_latencies(|| async {
        let (node, arrivals) = receiver("db");
        let mut stream = connect(&node).await;
        // What goes there arrives; no acknowledgement comes back.
        let cut = world::partition("db", "test").one_way();
        stream.write_all(b"abc").await.unwrap();
        sleep(secs(5)).await;
        assert_eq!(bytes(&arrivals), b"abc");
        assert!(cut.fired() > 1, "each repetition was acknowledged");
        drop(cut);
        // Nothing goes there.
        let cut = world::partition("test", "db").one_way();
        stream.write_all(b"def").await.unwrap();
        sleep(secs(5)).await;
        assert_eq!(arrivals.count(), 0);
        drop(cut);
        sleep(secs(30)).await;
        assert_eq!(bytes(&arrivals), b"def");
    });
}

#[test]
fn a_partition_touches_nobody_else() {
    with_usual_latencies(|| async {
        let nodes = ["a", "b"].map(|name| serving(name, echo));
        let mut streams = [connect(&nodes[0]).await, connect(&nodes[1]).await];
        let cut = world::partition("test", "a");
        assert!(!answers(&mut streams[0], secs(5)).await);
        assert!(answers(&mut streams[1], millis(5)).await);
        drop(cut);
        is_answered_late(&mut streams[0]).await;
        assert!(answers(&mut streams[0], millis(5)).await);
    });
}

#[test]
fn an_isolated_machine_is_cut_off_from_all_and_from_those_made_later() {
    with_usual_latencies(|| async {
        let nodes = ["a", "b"].map(|name| serving(name, echo));
        let isolated = nodes[0].clone();
        let inside = async move {
            let mut own = connect(&isolated).await;
            let mut other = connect(&nodes[1]).await;
            sleep(secs(1)).await;
            (answers(&mut own, millis(5)).await, answers(&mut other, secs(5)).await)
        };
        let inside = Node::find("a").unwrap().spawn(inside);
        sleep(millis(500)).await;
        let alone = world::isolate("a");
        let late = serving("late", echo);
        let mut between = connect(&late).await;
        assert!(answers(&mut between, millis(5)).await);
        let outside =
            late.spawn(async { timeout(secs(20), TcpStream::connect("a:80")).await.is_err() });
        assert_eq!(inside.await, (true, false), "a loopback is not touched");
        assert!(outside.await);
        drop(alone);
        assert!(answers(&mut connect(&Node::find("a").unwrap()).await, millis(5)).await);
    });
}

#[test]
fn machines_are_partitioned_by_label_and_by_group() {
    with_usual_latencies(|| async {
        let zones = world::nodes("kv", 2).label("zone", "a").start(|_| super::server(echo)());
        let mut streams = [connect(&zones[0]).await, connect(&zones[1]).await];
        let other = world::node("other").label("zone", "b").start(super::server(echo));
        let mut third = connect(&other).await;
        let cuts: [fn() -> LinkFault; 3] = [
            || world::partition(label("zone", "a"), "test"),
            || world::partition("test", "kv"),
            || world::partition(world::everyone(), ["kv-1", "kv-2"]),
        ];
        for cut in cuts {
            let cut = cut();
            assert!(!answers(&mut streams[0], secs(1)).await);
            assert!(!answers(&mut streams[1], secs(1)).await);
            assert!(answers(&mut third, millis(5)).await);
            drop(cut);
            for stream in &mut streams {
                is_answered_late(stream).await;
            }
        }
    });
}

// Holds

#[test]
fn what_is_held_arrives_in_order_when_it_is_released() {
    with_usual_latencies(|| async {
        let (node, arrivals) = receiver("db");
        let mut stream = connect(&node).await;
        stream.set_nodelay(true).unwrap();
        sleep(secs(1)).await;
        let hold = world::hold("test", "db");
        for text in ["a", "b", "c"] {
            stream.write_all(text.as_bytes()).await.unwrap();
            sleep(millis(30)).await;
        }
        assert_eq!((arrivals.count(), hold.fired()), (0, 3));
        assert_eq!(world::network().link("test", "db").in_flight().len(), 3);
        drop(hold);
        sleep(nanos(2)).await;
        assert_eq!(bytes(&arrivals), b"abc");
        assert_eq!(world::network().counters().held, 3);
    });
}

#[test]
fn a_connect_that_is_held_succeeds_when_it_is_released() {
    with_usual_latencies(|| async {
        let node = serving("db", echo);
        let hold = world::hold("test", &node);
        let start = Instant::now();
        let connecting = spawn(async move { connect(&node).await });
        sleep(millis(500)).await;
        // The guard goes on, and nothing is kept.
        world::release("test", "db");
        let mut stream = connecting.await;
        assert!(start.elapsed() < millis(503), "{:?}", start.elapsed());
        assert!(answers(&mut stream, millis(5)).await);
        assert_eq!(hold.fired(), 1);
    });
}

#[test]
fn a_clog_lets_go_by_itself() {
    with_usual_latencies(|| async {
        let (node, arrivals) = receiver("db");
        let mut stream = connect(&node).await;
        sleep(secs(1)).await;
        let start = Instant::now();
        let clog = world::clog("test", "db", millis(150));
        stream.write_all(b"abc").await.unwrap();
        sleep(millis(149)).await;
        assert_eq!((arrivals.count(), clog.fired()), (0, 1));
        sleep(millis(2)).await;
        assert_eq!(bytes(&arrivals), b"abc");
        stream.write_all(b"def").await.unwrap();
        sleep(millis(2)).await;
        assert_eq!(bytes(&arrivals), b"def", "{:?} after it was clogged", start.elapsed());
        assert_eq!(world::network().counters().clogged, 1);
    });
}

#[test]
fn a_clog_that_is_lifted_early_lets_go_early() {
    with_usual_latencies(|| async {
        let (node, arrivals) = receiver("db");
        let mut stream = connect(&node).await;
        let clog = world::clog("test", "db", secs(3600));
        stream.write_all(b"abc").await.unwrap();
        sleep(millis(100)).await;
        assert_eq!(arrivals.count(), 0);
        clog.end();
        sleep(nanos(2)).await;
        assert_eq!(bytes(&arrivals), b"abc");
    });
}

#[test]
fn a_link_that_flaps_carries_only_while_it_is_up() {
    with_usual_latencies(|| async {
        let start = Instant::now();
        let (node, arrivals) = receiver("db");
        let mut stream = connect(&node).await;
        sleep(secs(1)).await;
        let begun = start.elapsed();
        let flap = world::flap("test", "db", millis(300), millis(700));
        for _ in 0..100 {
            stream.write_all(b"x").await.unwrap();
            sleep(millis(93)).await;
        }
        sleep(secs(30)).await;
        assert!(flap.fired() > 5, "{}", flap.fired());
        assert_eq!(world::network().counters().flapped, flap.fired());
        let arrivals = arrivals.take();
        let total: usize = arrivals.iter().map(|(_, bytes)| bytes.as_ref().unwrap().len()).sum();
        assert_eq!(total, 100);
        for (time, _) in arrivals {
            let phase = (time - begun).as_nanos() % 1_000_000_000;
            assert!(phase < 300_000_000, "{time:?}");
        }
    });
}

// Resets

#[test]
fn a_reset_ends_both_ends_of_each_connection_between_two_machines() {
    with_usual_latencies(|| async {
        let (node, arrivals) = receiver("db");
        let bystander = serving("web", echo);
        let mut streams = [connect(&node).await, connect(&node).await];
        let mut other = connect(&bystander).await;
        sleep(secs(1)).await;
        assert_eq!(world::reset("test", "db"), 2);
        assert_eq!(world::network().counters().reset, 2);
        for stream in &mut streams {
            assert_eq!(read(stream).await, Err(ECONNRESET));
        }
        sleep(millis(2)).await;
        let ends: Vec<_> = arrivals.take().into_iter().map(|(_, end)| end).collect();
        assert_eq!(ends, [Err(ECONNRESET), Err(ECONNRESET)]);
        assert!(answers(&mut other, millis(5)).await);
        assert_eq!(world::reset("test", "db"), 0, "there is none left");
    });
}

// Guards

#[test]
fn a_fault_that_is_kept_goes_on_until_it_is_healed() {
    with_usual_latencies(|| async {
        let nodes = ["a", "b"].map(|name| serving(name, echo));
        let mut streams = [connect(&nodes[0]).await, connect(&nodes[1]).await];
        world::partition("test", ["a", "b"]).keep();
        for stream in &mut streams {
            assert!(!answers(stream, secs(1)).await);
        }
        world::heal("a", "test");
        is_answered_late(&mut streams[0]).await;
        assert!(timeout(secs(5), read(&mut streams[1])).await.is_err(), "only one was healed");
        world::heal_all();
        is_answered_late(&mut streams[1]).await;
    });
}

#[test]
fn of_two_partitions_each_has_to_end() {
    with_usual_latencies(|| async {
        let node = serving("db", echo);
        let mut stream = connect(&node).await;
        let (first, second) = (world::partition("test", "db"), world::isolate(&node));
        assert!(!answers(&mut stream, secs(1)).await);
        drop(first);
        assert!(timeout(secs(5), read(&mut stream)).await.is_err());
        drop(second);
        is_answered_late(&mut stream).await;
    });
}

#[test]
fn the_faults_of_a_machine_outlive_it() {
    with_usual_latencies(|| async {
        let node = serving("db", echo);
        let mut stream = connect(&node).await;
        let saboteur = world::node("saboteur").start(|| async {
            let _cut = world::partition("test", "db");
            std::future::pending::<()>().await;
        });
        settle().await;
        saboteur.kill();
        assert!(!answers(&mut stream, secs(5)).await, "its destructors have no effect");
        world::heal_all();
        is_answered_late(&mut stream).await;
    });
}

// By hand

#[test]
fn a_packet_that_is_delivered_by_hand_overtakes_a_hold() {
    with_usual_latencies(|| async {
        let (node, arrivals) = receiver("db");
        let mut stream = connect(&node).await;
        sleep(secs(1)).await;
        let hold = world::hold("test", "db").one_way();
        stream.write_all(b"abc").await.unwrap();
        sleep(millis(2)).await;
        let mut packets = world::network().link("test", "db").in_flight();
        assert_eq!(packets.len(), 1);
        packets.remove(0).deliver();
        sleep(nanos(2)).await;
        assert_eq!(bytes(&arrivals), b"abc");
        drop(hold);
    });
}

#[test]
fn a_packet_that_is_lost_by_hand_is_sent_again() {
    with_usual_latencies(|| async {
        world::network().set_links(steady(millis(1)));
        let (node, arrivals) = receiver("db");
        let mut stream = connect(&node).await;
        sleep(secs(1) - millis(2)).await;
        stream.write_all(b"abc").await.unwrap();
        let mut packets = world::network().link("test", "db").in_flight();
        let packet = packets.remove(0);
        assert_eq!(packet.summary().size, 40 + 3);
        packet.lose();
        sleep(secs(1)).await;
        assert_eq!(times(&arrivals), [secs(1) + millis(202 + 1)]);
        assert_eq!(world::network().counters().lost, 1);
    });
}
