//! The workloads as a user of turmoil writes them.

use std::cell::Cell;
use std::future::pending;
use std::rc::Rc;
use std::time::Duration;

use parcae_peers::{Figures, Meter, answer, counting, metered};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use turmoil::net::{TcpListener, TcpStream, UdpSocket};
use turmoil::{Builder, Result, Sim, lookup};

fn main() {
    answer(&[
        ("ping-pong", |round_trips| metered(|| ping_pong(round_trips))),
        ("ping-pong counted", |round_trips| counting(|| ping_pong_counted(round_trips))),
        ("all-to-all", |rounds| metered(|| all_to_all(rounds))),
        ("tiny", |runs| metered(|| (0..runs).for_each(tiny))),
        ("tiny counted", |runs| counting(|| metered(|| (0..runs).for_each(tiny)))),
        ("bulk", |writes| metered(|| bulk(writes))),
        ("idle-hour", idle_hour),
        ("idle-connections", |count| counting(|| idle_connections(count))),
        ("idle-nodes", |count| counting(|| idle_nodes(count))),
    ]);
}

/// A network on which each message takes a millisecond, one tick.
fn world() -> Sim<'static> {
    builder(1, 1).rng_seed(7).build()
}

fn builder(millis_min: u64, millis_max: u64) -> Builder {
    let mut builder = Builder::new();
    builder
        .min_message_latency(Duration::from_millis(millis_min))
        .max_message_latency(Duration::from_millis(millis_max))
        .simulation_duration(Duration::MAX)
        .ephemeral_ports(10_000..=u16::MAX)
        .udp_capacity(10_000);
    builder
}

// Streams

async fn echo_one() -> Result {
    let (stream, _) = TcpListener::bind("0.0.0.0:80").await?.accept().await?;
    echo(stream).await
}

async fn echo(mut stream: TcpStream) -> Result {
    let mut message = [0; 16];
    while stream.read_exact(&mut message).await.is_ok() {
        stream.write_all(&message).await?;
    }
    Ok(())
}

async fn ask(stream: &mut TcpStream, requests: u32) -> Result {
    let mut answer = [0; 16];
    for _ in 0..requests {
        stream.write_all(&[7; 16]).await?;
        stream.read_exact(&mut answer).await?;
    }
    Ok(())
}

fn ping_pong(round_trips: u32) {
    let mut sim = world();
    sim.host("server", echo_one);
    sim.client("client", async move {
        ask(&mut TcpStream::connect("server:80").await?, round_trips).await
    });
    sim.run().expect("it ends well");
}

fn ping_pong_counted(round_trips: u32) -> Figures {
    let mut sim = world();
    sim.host("server", echo_one);
    let figures = Rc::new(Cell::new(None));
    let result = figures.clone();
    sim.client("client", async move {
        let mut stream = TcpStream::connect("server:80").await?;
        ask(&mut stream, round_trips).await?;
        let meter = Meter::start();
        ask(&mut stream, round_trips).await?;
        result.set(Some(meter.stop()));
        Ok(())
    });
    sim.run().expect("it ends well");
    figures.get().expect("the client has measured")
}

fn tiny(seed: u32) {
    let mut sim = builder(1, 10).rng_seed(seed.into()).build();
    sim.host("server", || async {
        let listener = TcpListener::bind("0.0.0.0:80").await?;
        loop {
            let (stream, _) = listener.accept().await?;
            drop(tokio::spawn(async { echo(stream).await.expect("it ends well") }));
        }
    });
    for name in ["client-1", "client-2"] {
        sim.client(name, async { ask(&mut TcpStream::connect("server:80").await?, 10).await });
    }
    sim.run().expect("it ends well");
}

fn bulk(writes: u32) {
    let mut sim = world();
    sim.host("server", move || async move {
        let (mut stream, _) = TcpListener::bind("0.0.0.0:80").await?.accept().await?;
        let mut buffer = vec![0; 65_536];
        let mut left = u64::from(writes) * 65_536;
        while left > 0 {
            left -= stream.read(&mut buffer).await? as u64;
        }
        stream.write_all(&[0]).await?;
        Ok(())
    });
    sim.client("client", async move {
        let mut stream = TcpStream::connect("server:80").await?;
        let data = vec![7; 65_536];
        for _ in 0..writes {
            stream.write_all(&data).await?;
        }
        stream.read_u8().await?;
        Ok(())
    });
    sim.run().expect("it ends well");
}

// Datagrams

fn all_to_all(rounds: u32) {
    let mut sim = world();
    for number in 0..100 {
        sim.client(format!("node-{number}"), exchange(number, rounds));
    }
    sim.run().expect("it ends well");
}

/// Every 10 ms, sends a datagram to each of the 99 others and receives as many, as heartbeats are.
async fn exchange(own: u32, rounds: u32) -> Result {
    let socket = UdpSocket::bind("0.0.0.0:9").await?;
    tokio::time::sleep(Duration::from_millis(10)).await;
    let others = (0..100).filter(|number| *number != own);
    let others: Vec<_> = others.map(|number| (lookup(format!("node-{number}")), 9)).collect();
    let mut buffer = [0; 64];
    for _ in 0..rounds {
        for other in &others {
            socket.send_to(&[7; 64], *other).await?;
        }
        for _ in &others {
            socket.recv_from(&mut buffer).await?;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    Ok(())
}

// Idleness

async fn hold_connections(count: u32) -> Result {
    let listener = TcpListener::bind("0.0.0.0:80").await?;
    let mut streams = Vec::new();
    loop {
        let (stream, _) = listener.accept().await?;
        if streams.is_empty() {
            streams.reserve_exact(count as usize);
        }
        streams.push(stream);
    }
}

/// What an hour costs by what a tenth of a second does: a whole one takes that of the reader.
fn idle_hour(nodes: u32) -> Figures {
    // A listener that is given more than its capacity in one tick panics.
    let mut sim = builder(1, 1).rng_seed(7).tcp_capacity(nodes as usize).build();
    sim.host("node-0", move || hold_connections(nodes));
    for number in 1..nodes {
        sim.host(format!("node-{number}"), || async {
            let _stream = TcpStream::connect("node-0:80").await?;
            pending().await
        });
    }
    let mut ticks = |count| (0..count).for_each(|_| _ = sim.step().expect("it goes well"));
    ticks(10);
    metered(|| ticks(100)).times(36_000)
}

fn idle_connections(count: u32) -> Figures {
    let mut sim = world();
    sim.host("server", move || hold_connections(count));
    let figures = Rc::new(Cell::new(None));
    let result = figures.clone();
    sim.client("client", async move {
        let meter = Meter::start();
        let mut streams = Vec::with_capacity(count as usize);
        for _ in 0..count {
            streams.push(TcpStream::connect("server:80").await?);
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
        result.set(Some(meter.stop()));
        Ok(())
    });
    sim.run().expect("it ends well");
    figures.get().expect("the client has measured")
}

fn idle_nodes(count: u32) -> Figures {
    let mut sim = world();
    metered(|| {
        for number in 0..count {
            sim.host(format!("node-{number}"), || async { pending().await });
        }
        for _ in 0..3 {
            sim.step().expect("it goes well");
        }
    })
}
