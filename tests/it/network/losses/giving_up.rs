//! How long TCP waits for an answer, and what its programs are told then.

use std::time::Duration;

use futures_lite::{AsyncReadExt as _, AsyncWriteExt as _};
use parcae::net::{KeepAlive, TcpSocket, TcpStream};
use parcae::spawn;
use parcae::time::{Instant, sleep};
use parcae::world;

use super::super::{ETIMEDOUT, code_of, connect, keep, port_of, read, serving};
use super::{at_each_latency, retransmission};
use crate::runs::{millis, secs};

#[test]
fn a_connect_across_a_partition_times_out_after_131_seconds() {
    at_each_latency(|_| async {
        let server = serving("server", keep);
        let cut = world::partition("test", "server");
        let start = Instant::now();
        assert_eq!(code_of(TcpStream::connect(port_of(&server, 80)).await), ETIMEDOUT);
        assert_eq!(start.elapsed(), secs(131));
        assert_eq!(cut.fired(), 11, "at 0, 1, 2, 3, 4, 5, 7, 11, 19, 35 and 67 s");
    });
}

#[test]
fn a_connect_to_a_machine_without_power_times_out_after_131_seconds() {
    at_each_latency(|_| async {
        let server = serving("server", keep);
        server.power_off();
        let start = Instant::now();
        assert_eq!(code_of(TcpStream::connect(port_of(&server, 80)).await), ETIMEDOUT);
        assert_eq!(start.elapsed(), secs(131));
        assert_eq!(world::network().counters().dead, 11);
    });
}

#[test]
fn a_connect_across_a_partition_that_heals_after_six_seconds_succeeds_at_seven() {
    at_each_latency(|latency| async move {
        let server = serving("server", keep);
        let cut = world::partition("test", "server");
        let start = Instant::now();
        let connecting = spawn(async move { connect(&server).await });
        sleep(secs(6)).await;
        drop(cut);
        connecting.await;
        assert_eq!(start.elapsed(), secs(7) + 2 * latency);
    });
}

#[test]
fn data_across_a_partition_are_given_up_after_fifteen_doublings() {
    at_each_latency(|latency| async move {
        let server = serving("server", keep);
        let mut stream = connect(&server).await;
        sleep(secs(1)).await;
        world::partition("test", "server").keep();
        let start = Instant::now();
        stream.write_all(b"abc").await.unwrap();
        assert_eq!(read(&mut stream).await, Err(ETIMEDOUT));
        assert_eq!(start.elapsed(), given_up(retransmission(latency)));
        // The error is told once.
        assert_eq!(read(&mut stream).await, Ok(Vec::new()));
    });
}

/// The first of the expiries, each after twice the time, at most 120 s, at which 924.6 s have passed
/// since the first one: what 15 doublings from 200 ms take. It is a lower bound in the manual, too.
fn given_up(time_out: Duration) -> Duration {
    let (mut at, mut interval) = (time_out, time_out);
    while at - time_out < millis(924_600) {
        interval = (2 * interval).min(secs(120));
        at += interval;
    }
    at
}

#[test]
fn a_window_that_is_closed_for_an_hour_opens() {
    at_each_latency(|_| async {
        let server = serving("server", |mut stream| async move {
            sleep(secs(3600)).await;
            let mut bytes = Vec::new();
            stream.read_to_end(&mut bytes).await.unwrap();
            assert!(bytes.len() == super::MEBIBYTE && bytes.iter().all(|byte| *byte == 7));
            stream.write_all(b"all").await.unwrap();
        });
        let mut stream = connect(&server).await;
        let start = Instant::now();
        stream.write_all(&[7; super::MEBIBYTE]).await.unwrap();
        assert!(start.elapsed() >= secs(3600), "it was not taken in before");
        stream.shutdown(parcae::net::Shutdown::Write).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        assert_eq!(answer, "all");
        assert!(start.elapsed() < secs(3600) + secs(30), "{:?}", start.elapsed());
    });
}

#[test]
fn keep_alive_finds_out_about_a_peer_without_power_and_nothing_else_does() {
    at_each_latency(|_| async {
        let server = serving("server", keep);
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_keepalive(&KeepAlive::default()).unwrap();
        let mut stream = socket.connect(port_of(&server, 80)).await.unwrap();
        let start = Instant::now();
        sleep(secs(1)).await;
        server.power_off();
        assert_eq!(read(&mut stream).await, Err(ETIMEDOUT));
        assert_eq!(start.elapsed(), secs(7200 + 9 * 75));
    });
}

#[test]
fn keep_alive_of_a_peer_that_lives_disturbs_nobody() {
    at_each_latency(|latency| async move {
        let server = serving("server", super::echo);
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_keepalive(&KeepAlive::default()).unwrap();
        let mut stream = socket.connect(port_of(&server, 80)).await.unwrap();
        sleep(secs(20 * 3600)).await;
        let start = Instant::now();
        stream.write_all(b"abc").await.unwrap();
        assert_eq!(read(&mut stream).await.unwrap(), b"abc");
        assert_eq!(start.elapsed(), 2 * latency);
    });
}
