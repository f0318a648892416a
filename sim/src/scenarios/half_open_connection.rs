//! A reader is connected to a feed, which sends it a line every second.
//!
//! What is wrong: the machine of the feed loses its power, so nothing tells the reader that the
//! connection is gone. The feed comes back and waits for readers; this one waits for the next line. It
//! sends nothing that could be refused, and TCP asks nobody who is silent: it waits for ever.
//!
//! The repair has TCP ask ("keep-alive"): a machine without power does not answer, and one that is back
//! knows no such connection. A time-out of the reader's own would do as well.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use futures_lite::AsyncWriteExt as _;
use futures_lite::io::BufReader;
use parcae::net::{KeepAlive, TcpListener, TcpSocket, TcpStream, lookup_host};
use parcae::rng::choose_for;
use parcae::time::sleep;
use parcae::{spawn, spawn_named, world};
use tracing::info;

use super::wire::read_line;
use crate::scenario::Scenario;

pub(crate) const SCENARIO: Scenario = Scenario {
    name: "half-open-connection",
    summary: "A reader is connected to a feed, whose machine loses its power and comes back.",
    defect: "The reader is never told and waits for ever; in the twin TCP asks (keep-alive).",
    source: "RFC 9293 section 3.5.1, half-open connections; RFC 1122 section 4.2.3.6, keep-alives",
    failure_kind: "deadlock",
    seeds_until_found: 50,
    buggy: || Box::pin(run(async || TcpStream::connect("feed:7000").await)),
    fixed: || Box::pin(run(connect_kept_alive)),
};

const LINES: u32 = 5;
const SECOND: Duration = Duration::from_secs(1);

async fn run(connect: impl AsyncFn() -> io::Result<TcpStream>) {
    let feed = world::node("feed").start(feed);
    let power = spawn_named("power", async move {
        sleep(Duration::from_millis(2500)).await;
        let outage = SECOND * choose_for("seconds of power cut", 1, 0..=10);
        if !outage.is_zero() {
            feed.power_off();
            sleep(outage).await;
            feed.power_on();
        }
    });
    let mut lines = 0;
    while lines < LINES {
        if let Ok(stream) = connect().await {
            let mut stream = BufReader::new(stream);
            while lines < LINES
                && let Ok(Some(_line)) = read_line(&mut stream).await
            {
                lines += 1;
            }
        }
        info!(lines, "the connection is over");
        sleep(SECOND).await;
    }
    power.await;
}

async fn connect_kept_alive() -> io::Result<TcpStream> {
    let mut addresses = lookup_host("feed:7000").await?;
    let address = addresses.find(SocketAddr::is_ipv4).expect("it has one");
    let socket = TcpSocket::new_v4()?;
    let keep_alive = KeepAlive::default().with_time(10 * SECOND).with_interval(SECOND);
    socket.set_keepalive(&keep_alive.with_retries(3))?;
    socket.connect(address).await
}

/// Sends lines to all who connect.
async fn feed() -> io::Result<()> {
    let listener = TcpListener::bind("0.0.0.0:7000").await?;
    loop {
        let (mut stream, _) = listener.accept().await?;
        spawn(async move {
            while stream.write_all(b"news\n").await.is_ok() {
                sleep(SECOND).await;
            }
        })
        .detach();
    }
}
