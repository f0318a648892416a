//! TCP in simulations, by its system calls. What programs see of it is tested through `net`.

use std::future::poll_fn;
use std::io::{IoSlice, IoSliceMut};
use std::net::SocketAddr;
use std::time::Duration;

use super::super::{
    Take, close, local_address, peer_address, stream_poll_read, stream_poll_write, stream_shutdown,
};
use super::*;
use crate::kernel::Ratio;
use crate::time::{Instant, sleep, timeout};
use crate::world::state::with_state;
use crate::world::tcp::Shutdown;
use crate::world::{self, LinkOptions, TcpState};

fn address(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

fn listen(local: &str, backlog: u32) -> SocketHandle {
    let options = TcpOptions { reuse_address: true, ..TcpOptions::default() };
    tcp_listen(tcp_bind(&options, address(local)).unwrap(), backlog).unwrap()
}

async fn connect(remote: SocketAddr) -> io::Result<SocketHandle> {
    let handle = tcp_connect(&TcpOptions::default(), None, remote)?;
    match poll_fn(|context| tcp_poll_connected(handle, context.waker())).await {
        Ok(()) => Ok(handle),
        Err(error) => {
            close(handle);
            Err(error)
        }
    }
}

async fn accept(listener: SocketHandle) -> SocketHandle {
    poll_fn(|context| tcp_poll_accept(listener, context.waker())).await.unwrap().0
}

async fn write_all(handle: SocketHandle, mut data: &[u8]) -> io::Result<()> {
    while !data.is_empty() {
        let count =
            poll_fn(|context| stream_poll_write(handle, context.waker(), &[IoSlice::new(data)]));
        data = &data[count.await?..];
    }
    Ok(())
}

async fn read(handle: SocketHandle, most: usize) -> io::Result<Vec<u8>> {
    let mut buffer = vec![0; most];
    let count = poll_fn(|context| {
        let mut slices = [IoSliceMut::new(&mut buffer)];
        stream_poll_read(handle, context.waker(), &mut slices, Take::Consume)
    });
    let count = count.await?;
    buffer.truncate(count);
    Ok(buffer)
}

async fn read_to_end(handle: SocketHandle) -> io::Result<Vec<u8>> {
    let mut all = Vec::new();
    loop {
        let part = read(handle, 10_000).await?;
        if part.is_empty() {
            return Ok(all);
        }
        all.extend(part);
    }
}

fn content(count: usize) -> Vec<u8> {
    (0..=250).cycle().take(count).collect()
}

/// What is left of the sockets of a run.
fn leftovers() -> (usize, usize) {
    with_state("a test", |state, _| {
        (state.sockets.entries_count(), state.network.chunks.used_count())
    })
}

#[test]
fn bytes_go_both_ways_and_ends_are_seen() {
    crate::check(SEEDS, || async {
        let listener = listen("127.0.0.1:80", 5);
        let client = connect(address("127.0.0.1:80")).await.unwrap();
        let server = accept(listener).await;
        assert_eq!(peer_address(client).unwrap(), local_address(server).unwrap());
        assert_eq!(local_address(client).unwrap(), peer_address(server).unwrap());
        write_all(client, b"question").await.unwrap();
        stream_shutdown(client, Shutdown::Write).unwrap();
        assert_eq!(read_to_end(server).await.unwrap(), b"question");
        write_all(server, b"answer").await.unwrap();
        close(server);
        assert_eq!(read_to_end(client).await.unwrap(), b"answer");
        close(client);
        close(listener);
        sleep(Duration::from_secs(61)).await;
        let refused = connect(address("127.0.0.1:80")).await.unwrap_err();
        assert_eq!(refused.raw_os_error(), Some(111));
        assert_eq!(leftovers(), (0, 0));
    });
}

#[test]
fn regression_a_connection_is_told_of_a_change_of_the_network_once_however_often_it_rests() {
    crate::check(SEEDS, || async {
        let listener = listen("127.0.0.1:80", 5);
        let keepalive = Some(KeepAlive { idle: 7_200 * NANOS, interval: 75 * NANOS, count: 9 });
        let options = TcpOptions { keepalive, ..TcpOptions::default() };
        let client = tcp_connect(&options, None, address("127.0.0.1:80")).unwrap();
        poll_fn(|context| tcp_poll_connected(client, context.waker())).await.unwrap();
        let server = accept(listener).await;
        for _ in 0..100 {
            for (from, to) in [(client, server), (server, client)] {
                write_all(from, b"abc").await.unwrap();
                assert_eq!(read(to, 3).await.unwrap(), b"abc");
                sleep(Duration::from_secs(1)).await;
            }
        }
        let count = with_state("a test", |state, _| state.sockets.probers_count());
        assert_eq!(count, 1, "only the client asks");
        close(server);
        close(client);
        close(listener);
    });
}

#[test]
fn a_megabyte_comes_through_a_lossy_network() {
    crate::check(SEEDS, || async {
        let options = LinkOptions::lan()
            .with_loss(Ratio::percent(10))
            .with_duplication(Ratio::percent(10), Duration::from_millis(3))
            .with_reordering(Ratio::percent(10), Duration::from_millis(3));
        world::network().set_links(options);
        let data = content(1 << 20);
        let expected = data.clone();
        world::node("server").start(|| async {
            let listener = listen("0.0.0.0:80", 5);
            let stream = accept(listener).await;
            let got = read_to_end(stream).await.unwrap();
            write_all(stream, &got).await.unwrap();
            close(stream);
            sleep(Duration::from_secs(1_000)).await;
        });
        let server = world::Node::find("server").unwrap();
        let target = SocketAddr::new(server.addresses()[0], 80);
        let stream = connect(target).await.unwrap();
        write_all(stream, &data).await.unwrap();
        stream_shutdown(stream, Shutdown::Write).unwrap();
        let got = read_to_end(stream).await.unwrap();
        assert!(got == expected, "{} bytes came back", got.len());
        close(stream);
    });
}

#[test]
fn a_connect_across_a_partition_that_heals_after_six_seconds_takes_seven() {
    crate::check(SEEDS, || async {
        world::network().set_links(LinkOptions::perfect());
        world::node("server").start(|| async {
            let listener = listen("0.0.0.0:80", 5);
            accept(listener).await;
            sleep(Duration::from_secs(1_000)).await;
        });
        let cut = world::partition("test", "server");
        let target = SocketAddr::new(world::Node::find("server").unwrap().addresses()[0], 80);
        let task = crate::spawn(async move { connect(target).await });
        let begin = Instant::now();
        sleep(Duration::from_secs(6)).await;
        drop(cut);
        task.await.unwrap();
        assert_eq!(begin.elapsed().as_secs(), 7);
        sleep(Duration::from_millis(1)).await;
        let rows = world::Node::find("server").unwrap().netstat().connections;
        assert_eq!(rows.len(), 1);
        assert_eq!(rows[0].state, TcpState::Established);
    });
}

#[test]
fn a_peer_that_lost_its_power_is_found_out_by_time_and_one_that_was_killed_at_once() {
    crate::check(SEEDS, || async {
        world::network().set_links(LinkOptions::perfect());
        for power in [true, false] {
            let name = if power { "off" } else { "killed" };
            let node = world::node(name).start(|| async {
                let listener = listen("0.0.0.0:80", 5);
                let stream = accept(listener).await;
                read_to_end(stream).await.unwrap();
            });
            let target = SocketAddr::new(node.addresses()[0], 80);
            let stream = connect(target).await.unwrap();
            sleep(Duration::from_millis(1)).await;
            if power {
                node.power_off();
                let silence = timeout(Duration::from_secs(100), read(stream, 10)).await;
                assert!(silence.is_err());
                let begin = Instant::now();
                write_all(stream, b"hello").await.unwrap();
                let error = read(stream, 10).await.unwrap_err();
                assert_eq!(error.raw_os_error(), Some(110));
                assert!((920..1_100).contains(&begin.elapsed().as_secs()), "{begin:?}");
            } else {
                node.kill();
                assert_eq!(read(stream, 10).await.unwrap(), b"");
                write_all(stream, b"hello").await.unwrap();
                sleep(Duration::from_secs(1)).await;
                let error = write_all(stream, b"hello").await.unwrap_err();
                assert_eq!(error.raw_os_error(), Some(32));
            }
            close(stream);
        }
    });
}

const SEEDS: u64 = 50;
const NANOS: u64 = 1_000_000_000;
