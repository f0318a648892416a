//! The workloads of the network as a user of parcae writes them; those of the peers are in `peers/src`.

use std::future::{Future, pending};
use std::io;
use std::time::Duration;

use cpu_time::ThreadTime;
use futures_lite::{AsyncReadExt as _, AsyncWriteExt as _};
use parcae::explore::Strategy;
use parcae::net::{TcpListener, TcpStream, UdpSocket};
use parcae::time::sleep;
use parcae::world::{self, Latency, LinkOptions, Node};
use parcae::{Sim, SimBuilder};

use crate::core_costs::limits;
use crate::counting::{self, Counts, counted};

/// Runs a program on a network on which each packet takes a millisecond, and returns what it does.
fn run<T: 'static>(strategy: Strategy, program: impl Future<Output = T> + 'static) -> T {
    let sim = Sim::builder().seed(7).strategy(strategy);
    run_with(sim, Latency::constant(Duration::from_millis(1)), program)
}

fn run_with<T: 'static>(
    sim: SimBuilder,
    latency: Latency,
    program: impl Future<Output = T> + 'static,
) -> T {
    let sim = sim.limits(limits()).build().expect("the limits are above zero");
    let outcome = sim.run(move || {
        world::network().set_links(LinkOptions::lan().with_latency(latency));
        program
    });
    outcome.unwrap()
}

/// Runs a program on a machine of its own.
async fn on<T: 'static>(
    name: &'static str,
    program: impl Future<Output = io::Result<T>> + 'static,
) -> T {
    world::node(name).idle().spawn(program).await.expect("it ends well")
}

// Streams

async fn echo_one() -> io::Result<()> {
    let (stream, _) = TcpListener::bind("0.0.0.0:80").await?.accept().await?;
    echo(stream).await
}

async fn echo(mut stream: TcpStream) -> io::Result<()> {
    let mut message = [0; 16];
    while stream.read_exact(&mut message).await.is_ok() {
        stream.write_all(&message).await?;
    }
    Ok(())
}

async fn ask(stream: &mut TcpStream, requests: u32) -> io::Result<()> {
    let mut answer = [0; 16];
    for _ in 0..requests {
        stream.write_all(&[7; 16]).await?;
        stream.read_exact(&mut answer).await?;
    }
    Ok(())
}

pub(crate) fn ping_pong(strategy: Strategy, round_trips: u32) {
    run(strategy, async move {
        world::node("server").start(echo_one);
        on(
            "client",
            async move { ask(&mut TcpStream::connect("server:80").await?, round_trips).await },
        )
        .await;
    });
}

/// Returns what as many round trips again allocate.
pub(crate) fn ping_pong_counted(strategy: Strategy, round_trips: u32) -> Counts {
    let program = async move {
        world::node("server").start(echo_one);
        on("client", async move {
            let mut stream = TcpStream::connect("server:80").await?;
            ask(&mut stream, round_trips).await?;
            let before = counting::now();
            ask(&mut stream, round_trips).await?;
            Ok(counting::now().since(before))
        })
        .await
    };
    counted(|| run(strategy, program)).0
}

/// A server and two clients, which ask it 10 times each.
pub(crate) fn tiny(strategy: Strategy, seed: u32) {
    let sim = Sim::builder().seed(u64::from(seed)).strategy(strategy);
    let latency = Latency::uniform(Duration::from_millis(1), Duration::from_millis(10));
    run_with(sim, latency, async {
        world::node("server").start(|| async {
            let listener = TcpListener::bind("0.0.0.0:80").await?;
            loop {
                let (stream, _) = listener.accept().await?;
                parcae::spawn_try(echo(stream)).background();
            }
            #[expect(unreachable_code, reason = "it says the type of the errors")]
            io::Result::Ok(())
        });
        let client = |name| {
            world::node(name)
                .idle()
                .spawn(async { ask(&mut TcpStream::connect("server:80").await?, 10).await })
        };
        for client in [client("client-1"), client("client-2")] {
            client.await.expect("it ends well");
        }
    });
}

/// Returns what so many of them allocate and leave behind.
pub(crate) fn tiny_counted(strategy: Strategy, runs: u32) -> Counts {
    // One beforehand: what is made once, on a thread, is not left behind by each.
    tiny(strategy, 0);
    counted(|| (0..runs).for_each(|seed| tiny(strategy, seed))).1
}

pub(crate) fn bulk(strategy: Strategy, writes: u32) {
    run(strategy, async move {
        world::node("server").start(move || async move {
            let (mut stream, _) = TcpListener::bind("0.0.0.0:80").await?.accept().await?;
            let mut buffer = vec![0; 65_536];
            let mut left = u64::from(writes) * 65_536;
            while left > 0 {
                left -= stream.read(&mut buffer).await? as u64;
            }
            stream.write_all(&[0]).await
        });
        on("client", async move {
            let mut stream = TcpStream::connect("server:80").await?;
            let data = vec![7; 65_536];
            for _ in 0..writes {
                stream.write_all(&data).await?;
            }
            stream.read_exact(&mut [0]).await
        })
        .await;
    });
}

// Datagrams

pub(crate) fn all_to_all(strategy: Strategy, rounds: u32) {
    run(strategy, async move {
        let nodes = world::nodes("node", 100).idle();
        let addresses: Vec<_> = nodes.iter().map(|node| (node.addresses()[0], 9).into()).collect();
        let exchange = |node: &Node| {
            let own = (node.addresses()[0], 9).into();
            let mut others = addresses.clone();
            others.retain(|address| *address != own);
            node.spawn(exchange(others, rounds))
        };
        for task in nodes.iter().map(exchange).collect::<Vec<_>>() {
            task.await.expect("it ends well");
        }
    });
}

/// Every 10 ms, sends a datagram to each of the 99 others and receives as many, as heartbeats are.
async fn exchange(others: Vec<std::net::SocketAddr>, rounds: u32) -> io::Result<()> {
    let socket = UdpSocket::bind("0.0.0.0:9").await?;
    sleep(Duration::from_millis(10)).await;
    let mut buffer = [0; 64];
    for _ in 0..rounds {
        for other in &others {
            socket.send_to(&[7; 64], *other).await?;
        }
        for _ in &others {
            socket.recv_from(&mut buffer).await?;
        }
        sleep(Duration::from_millis(10)).await;
    }
    Ok(())
}

// Idleness

async fn hold_connections(count: u32) -> io::Result<()> {
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

/// Returns the processor time of an hour in which nothing happens: each machine holds a connection to the
/// first.
pub(crate) fn idle_hour(strategy: Strategy, nodes: u32) -> Duration {
    run(strategy, async move {
        world::node("first").start(move || hold_connections(nodes));
        world::nodes("other", nodes as usize - 1).start(|_| async {
            let _stream = TcpStream::connect("first:80").await?;
            pending::<io::Result<()>>().await
        });
        // Until the timers of the handshakes have found that there is nothing to do.
        sleep(Duration::from_secs(10)).await;
        let start = ThreadTime::now();
        sleep(Duration::from_secs(3600)).await;
        start.elapsed()
    })
}

pub(crate) fn idle_connections(strategy: Strategy, count: u32) -> Counts {
    let program = async move {
        world::node("server").start(move || hold_connections(count));
        on("client", async move {
            let before = counting::now();
            let mut streams = Vec::with_capacity(count as usize);
            for _ in 0..count {
                streams.push(TcpStream::connect("server:80").await?);
            }
            sleep(Duration::from_millis(10)).await;
            Ok(counting::now().since(before))
        })
        .await
    };
    counted(|| run(strategy, program)).0
}

pub(crate) fn idle_nodes(strategy: Strategy, count: u32) -> Counts {
    let program = async move {
        let before = counting::now();
        world::nodes("node", count as usize).start(|_| pending::<()>());
        sleep(Duration::from_millis(3)).await;
        counting::now().since(before)
    };
    counted(|| run(strategy, program)).0
}
