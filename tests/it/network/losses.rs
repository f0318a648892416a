//! One certain packet is lost, late or doubled: what programs see of it, and exactly when.
//!
//! Packets are lost by hand on links on which each takes exactly the same time, so the times tell which
//! one it was. The client is the test, the server a machine; the latency is that of one way.

mod giving_up;
mod transfers;

use std::net::SocketAddr;
use std::time::Duration;

use futures_lite::{AsyncReadExt as _, AsyncWriteExt as _};
use parcae::kernel::Ratio;
use parcae::net::{Shutdown, TcpSocket, TcpStream};
use parcae::spawn;
use parcae::task::settle;
use parcae::time::{Instant, sleep, timeout};
use parcae::world::{self, InFlight, Node, TcpState};

use super::{
    EADDRINUSE, ECONNRESET, code_of, connect, echo, keep, port_of, read, serving, sink, steady,
};
use crate::runs::{Journal, fifo, millis, random, secs};

/// Runs a program at one-way latencies of 1, 10, 50 and 300 ms, under `Fifo` and some seeds.
fn at_each_latency<F>(program: impl Fn(Duration) -> F + Clone + 'static)
where
    F: Future<Output = ()> + 'static,
{
    for latency in [1, 10, 50, 300].map(millis) {
        let program = program.clone();
        let run = move || {
            world::network().set_links(steady(latency));
            program(latency)
        };
        fifo(run.clone()).unwrap();
        for outcome in random(SEEDS, run) {
            outcome.unwrap();
        }
    }
}

/// Loses all that is on its way from one machine to another, and returns how many packets those were.
fn lose(from: &str, to: &str) -> usize {
    let packets = world::network().link(from, to).in_flight();
    let count = packets.len();
    packets.into_iter().for_each(InFlight::lose);
    count
}

fn sent(from: &str, to: &str) -> u64 {
    world::network().link(from, to).counters().sent
}

/// When something is sent again whose first round trip was that of the handshake (RFC 6298).
fn retransmission(latency: Duration) -> Duration {
    2 * latency + (4 * latency).max(millis(200))
}

// The handshake

#[test]
fn a_lost_syn_is_sent_again_after_a_second() {
    at_each_latency(|latency| async move {
        let server = serving("server", keep);
        let start = Instant::now();
        let connecting = spawn(async move { connect(&server).await });
        settle().await;
        assert_eq!(lose("test", "server"), 1);
        connecting.await;
        assert_eq!(start.elapsed(), secs(1) + 2 * latency);
    });
}

#[test]
fn a_lost_answer_to_the_syn_is_sent_again_after_a_second() {
    at_each_latency(|latency| async move {
        let server = serving("server", keep);
        let start = Instant::now();
        let connecting = spawn(async move { connect(&server).await });
        sleep(latency * 3 / 2).await;
        assert_eq!(lose("server", "test"), 1);
        connecting.await;
        assert_eq!(start.elapsed(), secs(1) + 2 * latency);
    });
}

#[test]
fn a_server_that_speaks_first_is_heard_though_the_last_packet_of_the_handshake_is_lost() {
    at_each_latency(|latency| async move {
        let server = serving("server", |mut stream| async move {
            stream.write_all(b"220").await.unwrap();
            keep(stream).await;
        });
        let start = Instant::now();
        let mut stream = connect(&server).await;
        assert_eq!(start.elapsed(), 2 * latency);
        assert_eq!(lose("test", "server"), 1);
        assert_eq!(read_exact(&mut stream).await, *b"220");
        // The answer to the SYN is sent again after a second, and only then acknowledged.
        assert_eq!(start.elapsed(), secs(1) + 4 * latency);
    });
}

#[test]
fn the_first_data_stand_in_for_the_lost_last_packet_of_the_handshake() {
    at_each_latency(|latency| async move {
        let server = serving("server", echo);
        let start = Instant::now();
        let mut stream = connect(&server).await;
        assert_eq!(lose("test", "server"), 1);
        stream.write_all(b"abc").await.unwrap();
        assert_eq!(read_exact(&mut stream).await, *b"abc");
        assert_eq!(start.elapsed(), 4 * latency);
    });
}

async fn read_exact(stream: &mut TcpStream) -> [u8; 3] {
    let mut bytes = [0; 3];
    stream.read_exact(&mut bytes).await.unwrap();
    bytes
}

#[test]
fn a_late_second_syn_makes_no_connection_and_ends_none() {
    at_each_latency(|_| async {
        let accepted = Journal::new();
        let server = serving("server", {
            let accepted = accepted.clone();
            move |stream| {
                accepted.add(stream.peer_addr().unwrap().port());
                echo(stream)
            }
        });
        let mut stream = with_second_syn(&server).await;
        for second in 0..40_u8 {
            stream.write_all(&[second; 3]).await.unwrap();
            assert_eq!(read_exact(&mut stream).await, [second; 3]);
            sleep(secs(1)).await;
        }
        assert_eq!(accepted.take(), [stream.local_addr().unwrap().port()]);
        let netstat = server.netstat();
        assert_eq!((netstat.connections.len(), netstat.listening[0].half_open), (1, 0));
    });
}

#[test]
fn a_late_second_syn_makes_no_connection_to_the_next_incarnation() {
    at_each_latency(|latency| async move {
        let accepted = Journal::new();
        let server = serving("server", {
            let accepted = accepted.clone();
            move |stream| {
                accepted.add(stream.peer_addr().unwrap().port());
                echo(stream)
            }
        });
        let mut stream = with_second_syn(&server).await;
        sleep(2 * latency).await;
        assert_eq!(accepted.take().len(), 1);
        server.restart();
        assert_eq!(read(&mut stream).await, Ok(Vec::new()), "its kernel has closed it");
        sleep(secs(40)).await;
        assert_eq!(accepted.count(), 0);
        let mut other = connect(&server).await;
        other.write_all(b"abc").await.unwrap();
        assert_eq!(read_exact(&mut other).await, *b"abc");
        assert_eq!(accepted.take(), [other.local_addr().unwrap().port()]);
    });
}

/// Connects with a SYN that arrives a second time within 30 s.
async fn with_second_syn(server: &Node) -> TcpStream {
    let network = world::network();
    let usual = network.link("test", "server").options();
    network.set_links(usual.clone().with_duplication(Ratio::percent(100), secs(30)));
    let address = port_of(server, 80);
    let connecting = spawn(async move { TcpStream::connect(address).await.unwrap() });
    settle().await;
    network.set_links(usual);
    let stream = connecting.await;
    assert_eq!(network.counters().duplicated, 1);
    stream
}

#[test]
fn two_machines_that_connect_to_each_other_at_once_have_one_connection() {
    at_each_latency(|latency| async move {
        let peer = world::node("peer").idle();
        let (here, there) = (port_of(&Node::current(), 1000), port_of(&peer, 2000));
        let open = move |own, other| async move {
            let socket = TcpSocket::new_v4().unwrap();
            socket.bind(own).unwrap();
            let start = Instant::now();
            let mut stream = socket.connect(other).await.unwrap();
            assert_eq!(start.elapsed(), 2 * latency);
            stream.write_all(&own.port().to_be_bytes()).await.unwrap();
            stream.shutdown(Shutdown::Write).unwrap();
            let mut said = Vec::new();
            stream.read_to_end(&mut said).await.unwrap();
            said
        };
        let theirs = peer.spawn(open(there, here));
        let ours = open(here, there).await;
        assert_eq!((ours, theirs.await), (vec![7, 208], vec![3, 232]));
    });
}

// Data

#[test]
fn lost_data_are_sent_again_after_the_time_out_of_the_first_round_trip() {
    at_each_latency(|latency| async move {
        let server = serving("server", echo);
        let mut stream = connect(&server).await;
        sleep(secs(1)).await;
        let start = Instant::now();
        stream.write_all(b"abc").await.unwrap();
        assert_eq!(lose("test", "server"), 1);
        assert_eq!(read_exact(&mut stream).await, *b"abc");
        assert_eq!(start.elapsed(), retransmission(latency) + 2 * latency);
    });
}

#[test]
fn data_whose_acknowledgement_is_lost_are_sent_again_and_read_once() {
    at_each_latency(|latency| async move {
        let arrivals = Journal::new();
        let server = serving("server", sink(&arrivals));
        let mut stream = connect(&server).await;
        sleep(secs(1)).await;
        let before = sent("test", "server");
        stream.write_all(b"abc").await.unwrap();
        sleep(latency * 3 / 2).await;
        assert_eq!(lose("server", "test"), 1);
        sleep(secs(100)).await;
        assert_eq!(sent("test", "server") - before, 2, "twice, and then it is acknowledged");
        stream.write_all(b"def").await.unwrap();
        sleep(secs(1)).await;
        let bytes: Vec<_> = arrivals.take().into_iter().map(|(_, bytes)| bytes.unwrap()).collect();
        assert_eq!(bytes, [b"abc", b"def"]);
    });
}

#[test]
fn a_lost_window_update_is_made_up_for_by_a_probe() {
    at_each_latency(|latency| async move {
        let arrivals = Journal::new();
        let read_on = sink(&arrivals);
        let server = serving("server", move |stream| {
            let reading = read_on(stream);
            async {
                sleep(secs(8)).await;
                reading.await;
            }
        });
        let mut stream = connect(&server).await;
        let start = Instant::now();
        let writing = spawn(async move { stream.write_all(&[7; MEBIBYTE]).await.unwrap() });
        sleep(secs(8) + latency * 3 / 2).await;
        assert!(lose("server", "test") >= 1, "the window has opened");
        let here = arrivals.take().into_iter().map(|(_, bytes)| bytes.unwrap().len());
        let here = here.sum::<usize>();
        assert!((200_000..=262_144).contains(&here), "{here} bytes were in the buffer");
        sleep(3 * latency).await;
        assert_eq!(arrivals.count(), 0, "nobody knows that there is room");
        writing.await;
        // Probes come at twice the distance each time, so the next one within another eight seconds.
        assert!(start.elapsed() < secs(20) + 60 * latency, "{:?}", start.elapsed());
        sleep(secs(30)).await;
        let there = arrivals.take().into_iter().map(|(_, bytes)| bytes.unwrap().len());
        assert_eq!(here + there.sum::<usize>(), MEBIBYTE);
    });
}

const MEBIBYTE: usize = 1 << 20;

// The end

#[test]
fn a_lost_end_is_sent_again() {
    at_each_latency(|latency| async move {
        let server = serving("server", |stream| async { drop(stream) });
        let start = Instant::now();
        let mut stream = connect(&server).await;
        sleep(latency * 3 / 2).await;
        assert_eq!(lose("server", "test"), 1);
        assert_eq!(read(&mut stream).await, Ok(Vec::new()));
        assert_eq!(start.elapsed(), 4 * latency + retransmission(latency));
    });
}

#[test]
fn an_end_whose_acknowledgement_is_lost_is_sent_again_and_told_once() {
    at_each_latency(|_| async {
        let arrivals = Journal::new();
        let read_on = sink(&arrivals);
        let server = serving("server", move |stream| {
            stream.shutdown(Shutdown::Write).unwrap();
            read_on(stream)
        });
        let mut stream = connect(&server).await;
        assert_eq!(read(&mut stream).await, Ok(Vec::new()));
        settle().await;
        assert_eq!(lose("test", "server"), 1);
        sleep(secs(100)).await;
        assert_eq!(sent("server", "test"), 3, "an answer to the SYN, and twice the end");
        stream.write_all(b"abc").await.unwrap();
        drop(stream);
        sleep(secs(1)).await;
        let read: Vec<_> = arrivals.take().into_iter().map(|(_, bytes)| bytes.unwrap()).collect();
        assert_eq!(read, [&b"abc"[..], b""]);
    });
}

#[test]
fn after_a_lost_reset_only_who_sends_finds_out() {
    at_each_latency(|latency| async move {
        let server = serving("server", |stream| async move {
            stream.readable().await.unwrap();
            sleep(secs(1)).await;
            drop(stream);
        });
        let mut stream = connect(&server).await;
        stream.write_all(b"abc").await.unwrap();
        sleep(secs(1) + latency * 3 / 2).await;
        assert_eq!(lose("server", "test"), 1);
        assert!(timeout(secs(3600), read(&mut stream)).await.is_err(), "half a connection is left");
        let start = Instant::now();
        stream.write_all(b"abc").await.unwrap();
        assert_eq!(read(&mut stream).await, Err(ECONNRESET));
        assert_eq!(start.elapsed(), 2 * latency);
    });
}

#[test]
fn a_client_that_closes_first_waits_for_a_minute() {
    at_each_latency(|latency| async move {
        let server = serving("server", echo);
        let stream = connect(&server).await;
        let address = stream.local_addr().unwrap();
        drop(stream);
        // The end there, and the server's back.
        sleep(2 * latency + secs(60) - millis(1)).await;
        assert_eq!((orphans(), server.netstat().connections.len()), (vec![TcpState::TimeWait], 0));
        assert_eq!(code_of(bind(address)), EADDRINUSE);
        sleep(millis(2)).await;
        assert_eq!(orphans(), []);
        bind(address).unwrap();
    });
}

#[test]
fn half_a_connection_without_an_owner_is_gone_after_a_minute() {
    at_each_latency(|latency| async move {
        let server = serving("server", keep);
        let mut stream = connect(&server).await;
        stream.write_all(b"abc").await.unwrap();
        let address = stream.local_addr().unwrap();
        drop(stream);
        // The end there, and its acknowledgement back.
        sleep(2 * latency + secs(60) - millis(1)).await;
        assert_eq!(orphans(), [TcpState::FinWait2]);
        assert_eq!(code_of(bind(address)), EADDRINUSE);
        sleep(millis(2)).await;
        assert_eq!(orphans(), []);
        bind(address).unwrap();
        // Over there it is as before, until somebody says something.
        let rows = server.netstat().connections;
        assert_eq!((rows.len(), rows[0].state, rows[0].receive_queue), (1, TcpState::CloseWait, 3));
    });
}

#[test]
fn an_end_that_nobody_acknowledges_is_sent_eight_times_more() {
    at_each_latency(|latency| async move {
        let server = serving("server", keep);
        let stream = connect(&server).await;
        sleep(secs(1)).await;
        server.power_off();
        let before = sent("test", "server");
        drop(stream);
        let doublings = (0..9).map(|count| (retransmission(latency) * (1 << count)).min(secs(120)));
        sleep(doublings.sum::<Duration>() - millis(1)).await;
        assert_eq!(orphans(), [TcpState::FinWait1]);
        sleep(millis(2)).await;
        assert_eq!((orphans(), sent("test", "server") - before), (vec![], 9));
    });
}

/// Where those connections of the test stand that nobody owns any more.
fn orphans() -> Vec<TcpState> {
    let rows = Node::current().netstat().connections;
    assert!(rows.iter().all(|row| row.is_orphan), "{rows:?}");
    rows.iter().map(|row| row.state).collect()
}

fn bind(address: SocketAddr) -> std::io::Result<()> {
    let socket = TcpSocket::new_v4()?;
    socket.set_reuseaddr(false)?;
    socket.bind(address)
}

const SEEDS: u64 = 8;
