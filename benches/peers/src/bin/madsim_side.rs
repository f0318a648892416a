//! The workloads as a user of madsim writes them.

use std::future::{Future, pending};
use std::io::Result;
use std::time::Duration;

use madsim::Config;
use madsim::net::{TcpListener, TcpStream, UdpSocket};
use madsim::runtime::{Handle, NodeHandle, Runtime};
use madsim::task::spawn;
use madsim::time::sleep;
use parcae_peers::{Figures, Meter, answer, counting, metered};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

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

/// Runs a program on a network on which each message takes a millisecond.
fn run<T>(program: impl Future<Output = T>) -> T {
    let mut config = Config::default();
    config.net.send_latency = Duration::from_millis(1)..Duration::from_nanos(1_000_001);
    Runtime::with_seed_and_config(7, config).block_on(program)
}

/// Node 0 is at 10.0.0.1.
fn node(number: u32) -> NodeHandle {
    let handle = Handle::current();
    handle.create_node().name(format!("node-{number}")).ip(address(number).into()).build()
}

fn address(number: u32) -> std::net::Ipv4Addr {
    std::net::Ipv4Addr::from_bits(0x0a00_0001 + number)
}

const SERVER: &str = "10.0.0.1:80";

// Streams

async fn echo_one() -> Result<()> {
    let (stream, _) = TcpListener::bind("0.0.0.0:80").await?.accept().await?;
    echo(stream).await
}

async fn echo(mut stream: TcpStream) -> Result<()> {
    let mut message = [0; 16];
    while stream.read_exact(&mut message).await.is_ok() {
        stream.write_all(&message).await?;
        stream.flush().await?;
    }
    Ok(())
}

async fn ask(stream: &mut TcpStream, requests: u32) -> Result<()> {
    let mut answer = [0; 16];
    for _ in 0..requests {
        stream.write_all(&[7; 16]).await?;
        stream.flush().await?;
        stream.read_exact(&mut answer).await?;
    }
    Ok(())
}

/// Connects when the server listens: a connection is refused at once here.
async fn connect() -> Result<TcpStream> {
    sleep(Duration::from_millis(1)).await;
    TcpStream::connect(SERVER).await
}

fn ping_pong(round_trips: u32) {
    run(async move {
        drop(node(0).spawn(echo_one()));
        let client = node(1).spawn(async move { ask(&mut connect().await?, round_trips).await });
        client.await.expect("it does not panic").expect("it ends well");
    });
}

fn ping_pong_counted(round_trips: u32) -> Figures {
    run(async move {
        drop(node(0).spawn(echo_one()));
        let client = node(1).spawn(async move {
            let mut stream = connect().await?;
            ask(&mut stream, round_trips).await?;
            let meter = Meter::start();
            ask(&mut stream, round_trips).await?;
            Result::Ok(meter.stop())
        });
        client.await.expect("it does not panic").expect("it ends well")
    })
}

/// The default latencies are those that are wanted: 1 to 10 ms.
fn tiny(seed: u32) {
    Runtime::with_seed_and_config(seed.into(), Config::default()).block_on(async {
        let server = async {
            let listener = TcpListener::bind("0.0.0.0:80").await?;
            loop {
                let (stream, _) = listener.accept().await?;
                drop(spawn(async { echo(stream).await.expect("it ends well") }));
            }
            #[expect(unreachable_code, reason = "it says the type of the errors")]
            Result::Ok(())
        };
        drop(node(0).spawn(server));
        let client = |number| node(number).spawn(async { ask(&mut connect().await?, 10).await });
        for client in [client(1), client(2)] {
            client.await.expect("it does not panic").expect("it ends well");
        }
    });
}

fn bulk(writes: u32) {
    let server = async move {
        let (mut stream, _) = TcpListener::bind("0.0.0.0:80").await?.accept().await?;
        let mut buffer = vec![0; 65_536];
        let mut left = u64::from(writes) * 65_536;
        while left > 0 {
            left -= stream.read(&mut buffer).await? as u64;
        }
        stream.write_all(&[0]).await?;
        stream.flush().await?;
        // A stream that goes takes with it what is on its way.
        pending::<Result<()>>().await
    };
    let client = async move {
        let mut stream = connect().await?;
        let data = vec![7; 65_536];
        for _ in 0..writes {
            stream.write_all(&data).await?;
            stream.flush().await?;
        }
        stream.read_u8().await
    };
    run(async move {
        drop(node(0).spawn(server));
        node(1).spawn(client).await.expect("it does not panic").expect("it ends well");
    });
}

// Datagrams

fn all_to_all(rounds: u32) {
    run(async move {
        let tasks: Vec<_> = (0..100).map(|own| node(own).spawn(exchange(own, rounds))).collect();
        for task in tasks {
            task.await.expect("it does not panic").expect("it ends well");
        }
    });
}

/// Every 10 ms, sends a datagram to each of the 99 others and receives as many, as heartbeats are.
async fn exchange(own: u32, rounds: u32) -> Result<()> {
    let socket = UdpSocket::bind("0.0.0.0:9").await?;
    sleep(Duration::from_millis(10)).await;
    let others = (0..100).filter(|number| *number != own);
    let others: Vec<_> = others.map(|number| (address(number), 9)).collect();
    let mut buffer = [0; 64];
    for _ in 0..rounds {
        for other in &others {
            socket.send_to(*other, &[7; 64]).await?;
        }
        for _ in &others {
            socket.recv_from(&mut buffer).await?;
        }
        sleep(Duration::from_millis(10)).await;
    }
    Ok(())
}

// Idleness

async fn hold_connections(count: u32) -> Result<()> {
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

fn idle_hour(nodes: u32) -> Figures {
    run(async move {
        drop(node(0).spawn(hold_connections(nodes)));
        for number in 1..nodes {
            let hold = async { (connect().await.expect("it is accepted"), pending::<()>().await) };
            drop(node(number).spawn(hold));
        }
        sleep(Duration::from_secs(1)).await;
        let meter = Meter::start();
        sleep(Duration::from_secs(3600)).await;
        meter.stop()
    })
}

fn idle_connections(count: u32) -> Figures {
    run(async move {
        drop(node(0).spawn(hold_connections(count)));
        let client = node(1).spawn(async move {
            sleep(Duration::from_millis(1)).await;
            let meter = Meter::start();
            let mut streams = Vec::with_capacity(count as usize);
            for _ in 0..count {
                streams.push(TcpStream::connect(SERVER).await?);
            }
            sleep(Duration::from_millis(10)).await;
            Result::Ok(meter.stop())
        });
        client.await.expect("it does not panic").expect("it ends well")
    })
}

fn idle_nodes(count: u32) -> Figures {
    run(async move {
        let meter = Meter::start();
        for number in 0..count {
            drop(node(number).spawn(pending::<()>()));
        }
        sleep(Duration::from_millis(3)).await;
        meter.stop()
    })
}
