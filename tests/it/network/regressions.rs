//! Faults that were found in the sockets by reading, each with a program that shows it.

use std::cell::Cell;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;

use futures_lite::{AsyncReadExt as _, AsyncWriteExt as _};
use parcae::kernel::Ratio;
use parcae::net::{KeepAlive, Shutdown, TcpListener, TcpSocket, TcpStream};
use parcae::spawn;
use parcae::task::settle;
use parcae::time::{Instant, sleep, timeout};
use parcae::world::{self, InFlight, LinkOptions, Node, Overflow};

use super::{ECONNRESET, ETIMEDOUT, connect, echo, keep, port_of, read, serving, sink, steady};
use crate::runs::{Journal, millis, on_every_seed, secs};

/// Connects with a stream that asks after ten seconds of silence whether its peer is there.
async fn connect_asking(address: SocketAddr) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_keepalive(&KeepAlive::default().with_time(secs(10))).unwrap();
    socket.connect(address).await.unwrap()
}

/// A link on which a packet of 1,500 bytes is sent in 10 ms, and no other one waits meanwhile.
fn narrow() -> LinkOptions {
    steady(millis(1)).with_bandwidth(150_000).with_queue(1500, Overflow::BackPressure)
}

// What a run waits for

#[test]
fn regression_last_words_of_a_dead_machine_do_not_calm_who_waits_for_it() {
    on_every_seed(|| async {
        world::network().set_links(steady(millis(10)));
        let node = serving("db", |mut stream| async move {
            stream.set_nodelay(true).unwrap();
            sleep(secs(1)).await;
            for word in [b"last", b"word"] {
                stream.write_all(word).await.unwrap();
                sleep(millis(4)).await;
            }
            keep(stream).await;
        });
        let mut stream = connect_asking(port_of(&node, 80)).await;
        // It is accepted at 30 ms, and both words are on their way.
        sleep(secs(1) + millis(16)).await;
        node.power_off();
        let mut words = [0; 8];
        stream.read_exact(&mut words).await.unwrap();
        assert_eq!(words, *b"lastword");
        assert_eq!(read(&mut stream).await, Err(ETIMEDOUT));
    });
}

/// Two clients that their listener never accepts, until it goes. One has its place in the queue; the
/// other one has none, though it does not know. Returns what each finds out, and when.
async fn forgotten(
    client: impl AsyncFn(SocketAddr, Instant) -> Result<Vec<u8>, i32> + Clone + 'static,
) -> Vec<(Duration, Result<Vec<u8>, i32>)> {
    world::network().set_links(steady(millis(10)));
    let node = world::node("db").start(|| async {
        let listener = TcpSocket::new_v4().unwrap();
        listener.bind("0.0.0.0:80".parse().unwrap()).unwrap();
        let listener = listener.listen(0).unwrap();
        sleep(millis(500)).await;
        drop(listener);
        std::future::pending::<()>().await;
    });
    settle().await;
    let (address, start) = (port_of(&node, 80), Instant::now());
    let clients = [0, 1].map(|_| {
        let client = client.clone();
        spawn(async move {
            let end = client(address, start).await;
            (start.elapsed(), end)
        })
    });
    let mut ends = Vec::new();
    for client in clients {
        ends.push(client.await);
    }
    ends.sort_unstable();
    ends
}

#[test]
fn regression_who_asks_whether_its_peer_is_there_finds_out_that_it_was_forgotten() {
    on_every_seed(|| async {
        let ends = forgotten(async |address, start| {
            let mut stream = connect_asking(address).await;
            assert_eq!(start.elapsed(), millis(20), "both are established");
            read(&mut stream).await
        });
        // One is reset with the queue. The other one asks ten seconds after it was heard last.
        let at = [millis(510), secs(10) + millis(20 + 20)];
        assert_eq!(ends.await, at.map(|at| (at, Err(ECONNRESET))));
    });
}

#[test]
fn a_client_that_its_listener_has_forgotten_finds_out_when_it_sends() {
    on_every_seed(|| async {
        let ends = forgotten(async |address, start| {
            let mut stream = TcpStream::connect(address).await.unwrap();
            assert_eq!(start.elapsed(), millis(20), "both are established");
            if let Ok(end) = timeout(secs(60), read(&mut stream)).await {
                return end;
            }
            stream.write_all(b"anybody there?").await.unwrap();
            read(&mut stream).await
        });
        let at = [millis(510), secs(60) + millis(20 + 20)];
        assert_eq!(ends.await, at.map(|at| (at, Err(ECONNRESET))));
    });
}

// Links that are full

#[test]
fn regression_a_reset_for_which_a_link_has_no_room_is_sent_when_it_has() {
    on_every_seed(|| async {
        let arrivals = Journal::new();
        let read_on = sink(&arrivals);
        let node = serving("db", move |stream| {
            stream.try_write(b"abc").unwrap();
            read_on(stream)
        });
        let (mut busy, idle) = (connect(&node).await, connect(&node).await);
        idle.readable().await.unwrap();
        world::network().set_links(narrow());
        busy.write_all(&[7; 20_000]).await.unwrap();
        sleep(millis(5)).await;
        // It has not read all, and other packets are on the link.
        drop(idle);
        sleep(secs(60)).await;
        let ends: Vec<_> = arrivals.take().into_iter().filter_map(|(_, end)| end.err()).collect();
        assert_eq!(ends, [ECONNRESET]);
    });
}

#[test]
fn regression_streams_that_wait_for_room_take_turns() {
    on_every_seed(|| async {
        world::network().set_links(narrow());
        let counts: [Rc<Cell<usize>>; 3] = Default::default();
        let counted = counts.clone();
        let node = serving("db", move |stream| count(stream, counted.clone()));
        let mut streams = Vec::new();
        for _ in 0..3 {
            streams.push(connect(&node).await);
        }
        for (number, mut stream) in (0..).zip(streams) {
            spawn(async move { stream.write_all(&[number; 100_000]).await.unwrap() }).detach();
        }
        sleep(secs(1)).await;
        let counts = counts.map(|count| count.get());
        let (least, most) = (counts.iter().min().unwrap(), counts.iter().max().unwrap());
        assert!(2 * least > *most, "{counts:?}");
    });
}

/// Reads for ever, and counts the bytes of the stream that says with each which one it is.
async fn count(mut stream: TcpStream, counts: [Rc<Cell<usize>>; 3]) {
    let mut buffer = [0; 4096];
    loop {
        let count = stream.read(&mut buffer).await.unwrap();
        let own = &counts[usize::from(buffer[0])];
        own.set(own.get() + count);
    }
}

// Ports of connections that are over

/// Binds a port of this machine and connects from it.
async fn connect_from(own: SocketAddr, other: SocketAddr) -> std::io::Result<TcpStream> {
    let socket = TcpSocket::new_v4()?;
    socket.bind(own)?;
    socket.connect(other).await
}

#[test]
fn regression_a_connection_that_was_reset_leaves_nothing_behind_while_its_reset_is_on_its_way() {
    on_every_seed(|| async {
        world::network().set_links(steady(millis(10)));
        let node = serving("db", echo);
        let (own, other) = (port_of(&Node::current(), 1000), port_of(&node, 80));
        let stream = connect_from(own, other).await.unwrap();
        stream.set_linger(Some(Duration::ZERO)).unwrap();
        drop(stream);
        assert_eq!(world::network().link("test", "db").in_flight().len(), 2, "a reset, too");
        assert_eq!(Node::current().netstat().connections, []);
        let mut stream = connect_from(own, other).await.unwrap();
        stream.write_all(b"abc").await.unwrap();
        assert_eq!(read(&mut stream).await.unwrap(), b"abc");
    });
}

#[test]
fn regression_a_connection_that_is_being_opened_goes_before_a_listener_of_its_port() {
    on_every_seed(|| async {
        world::network().set_links(steady(millis(10)));
        let peer = world::node("peer").idle();
        let (here, there) = (port_of(&Node::current(), 1000), port_of(&peer, 2000));
        let sockets = [0, 1].map(|_| {
            let socket = TcpSocket::new_v4().unwrap();
            socket.set_reuseaddr(true).unwrap();
            socket.bind(here).unwrap();
            socket
        });
        let [listener, socket] = sockets;
        let listener = listener.listen(8).unwrap();
        let theirs = peer.spawn(async move {
            let mut stream = connect_from(there, here).await.unwrap();
            stream.write_all(b"theirs").await.unwrap();
            stream.shutdown(Shutdown::Write).unwrap();
            let mut said = Vec::new();
            stream.read_to_end(&mut said).await.unwrap();
            said
        });
        let connecting = spawn(async move { socket.connect(there).await.unwrap() });
        settle().await;
        // Its own SYN does not come before the answer to that of the other side.
        world::network().link("test", "peer").in_flight().into_iter().for_each(InFlight::lose);
        let mut stream = connecting.await;
        stream.write_all(b"ours").await.unwrap();
        assert_eq!(read(&mut stream).await.unwrap(), b"theirs");
        drop(stream);
        assert_eq!(theirs.await, b"ours");
        let accepting = timeout(secs(60), listener.accept()).await;
        assert!(accepting.is_err(), "the listener has nothing to do with it");
    });
}

// Resets

#[test]
fn regression_a_reset_counts_no_connection_that_nobody_has_answered() {
    on_every_seed(|| async {
        let node = serving("db", echo);
        let cut = world::partition("test", "db");
        let address = port_of(&node, 80);
        let connecting = spawn(async move { TcpStream::connect(address).await });
        settle().await;
        assert_eq!((world::reset("test", "db"), world::network().counters().reset), (0, 0));
        drop(cut);
        assert!(connecting.await.is_ok());
    });
}

// Chance

#[test]
fn regression_a_late_second_syn_changes_no_draw_of_other_connections() {
    let times = |duplicates| {
        on_every_seed(move || async move {
            let node = serving("db", echo);
            let _own = TcpListener::bind("[::]:80").await.unwrap();
            let network = world::network();
            network.set_links(LinkOptions::lan().with_duplication(duplicates, secs(5)));
            let address = port_of(&node, 80);
            let connecting = spawn(async move { TcpStream::connect(address).await.unwrap() });
            settle().await;
            network.set_links(LinkOptions::lan());
            let _stream = connecting.await;
            sleep(secs(10)).await;
            let connecting = node.spawn(async {
                let start = Instant::now();
                TcpStream::connect("test:80").await.unwrap();
                start.elapsed()
            });
            (connecting.await, network.counters().duplicated)
        })
    };
    let (without, with) = (times(Ratio::ZERO), times(Ratio::percent(100)));
    for ((without, none), (with, one)) in without.into_iter().zip(with) {
        assert_eq!((without, none, one), (with, 0, 1));
    }
}
