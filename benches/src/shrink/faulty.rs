//! Programs under a chaos, and how many faults their bugs need.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use parcae::fault::{Chaos, Nemesis};
use parcae::kernel::Ratio;
use parcae::net::UdpSocket;
use parcae::time::{Instant, sleep, timeout};
use parcae::world::{self, Latency, LinkOptions, Node};

use crate::protocols;
use crate::scenario::Program;

/// Name, least number of faults, program.
pub(super) const ALL: [(&str, usize, Program); 5] = [
    ("ABD under faults", 0, || Box::pin(under_faults(protocols::ALL[0], &["replica", "client"]))),
    ("2PC under faults", 0, || {
        Box::pin(under_faults(protocols::ALL[1], &["participant", "coordinator"]))
    }),
    ("lease outlived in a pause", 1, || Box::pin(lease())),
    ("memory lost in a crash", 1, || Box::pin(forgetful())),
    ("third attempt is wrong", 2, || Box::pin(third_attempt())),
];

/// Has packets come late, twice and out of order, and machines be slow: each of it may show what other latencies show, too.
async fn under_faults(protocol: protocols::Protocol, kinds: &[&str]) {
    let kinds: Vec<String> = kinds.iter().map(|kind| (*kind).to_owned()).collect();
    parcae::spawn_named("faults", async move {
        sleep(Duration::from_nanos(1)).await;
        let named = |kind: &String| {
            let numbered = (1..=5).filter_map(|number| Node::find(&format!("{kind}-{number}")));
            numbered.chain(Node::find(kind)).collect::<Vec<_>>()
        };
        let nodes: Vec<Node> = kinds.iter().flat_map(named).collect();
        let often = |nemesis: Nemesis| {
            nemesis
                .every(Duration::from_millis(4))
                .lasting(Duration::from_micros(100)..=Duration::from_millis(20))
        };
        let chaos = Chaos::on(nodes)
            .nemesis(often(Nemesis::clogs()))
            .nemesis(often(Nemesis::latencies()))
            .nemesis(often(Nemesis::pauses()))
            .during(Duration::from_millis(100))
            .start();
        sleep(Duration::from_millis(100)).await;
        chaos.end();
    })
    .detach();
    (protocol.buggy)().await;
    // The faults end in their time.
    sleep(Duration::from_millis(200)).await;
}

/// A worker has a lease of a second and does not look at it again after a pause.
async fn lease() {
    let holder = Rc::new(RefCell::new((0, Instant::now())));
    let overlaps = Rc::new(Cell::new(false));
    let workers = world::nodes("worker", 2).idle();
    for (number, worker) in workers.iter().enumerate() {
        let (holder, overlaps) = (holder.clone(), overlaps.clone());
        worker
            .spawn(async move {
                for _ in 0..20 {
                    let now = Instant::now();
                    let is_free = holder.borrow().1 <= now || holder.borrow().0 == number;
                    if is_free {
                        *holder.borrow_mut() = (number, now + Duration::from_secs(1));
                        sleep(Duration::from_millis(300)).await;
                        // Here it writes, and should look at the clock.
                        overlaps.set(overlaps.get() || holder.borrow().0 != number);
                    }
                    sleep(Duration::from_millis(500)).await;
                }
            })
            .detach();
    }
    let chaos = Chaos::on(workers).during(Duration::from_secs(10));
    let chaos = chaos.nemesis(Nemesis::pauses()).nemesis(Nemesis::clogs()).start();
    sleep(Duration::from_secs(30)).await;
    chaos.end();
    assert!(!overlaps.get(), "it writes without the lease");
}

/// A server keeps in memory what it has said to be stored.
async fn forgetful() {
    let server = world::node("server").start(|| async {
        let socket = UdpSocket::bind("0.0.0.0:7").await.expect("the port is free");
        let mut stored = 0;
        let mut bytes = [0; 1];
        while let Ok((_, from)) = socket.recv_from(&mut bytes).await {
            stored = stored.max(bytes[0]);
            if socket.send_to(&[stored], from).await.is_err() {
                return;
            }
        }
    });
    let chaos = Chaos::on([server]).during(Duration::from_secs(10));
    let chaos = chaos.nemesis(Nemesis::crashes()).nemesis(Nemesis::pauses()).start();
    let socket = UdpSocket::bind("0.0.0.0:0").await.expect("a port is free");
    let mut known = 0;
    for number in 1..=10 {
        sleep(Duration::from_secs(1)).await;
        let mut bytes = [0; 1];
        // What is stored already is only asked for.
        let question = if number % 2 == 1 { number } else { 0 };
        if socket.send_to(&[question], "server:7").await.is_ok()
            && timeout(Duration::from_millis(500), socket.recv_from(&mut bytes)).await.is_ok()
        {
            assert!(bytes[0] >= known, "{known} was stored, and now it is {}", bytes[0]);
            known = known.max(bytes[0]);
        }
    }
    chaos.end();
}

/// A client asks again until it is answered, which goes wrong at the third time.
async fn third_attempt() {
    // No latency is as good as a loss.
    let latency = Latency::constant(Duration::from_millis(1));
    let links = LinkOptions::lan().with_latency(latency).with_loss(Ratio::percent(20));
    world::network().set_links(links);
    world::node("server").start(|| async {
        let socket = UdpSocket::bind("0.0.0.0:7").await.expect("the port is free");
        let mut bytes = [0; 1];
        while let Ok((_, from)) = socket.recv_from(&mut bytes).await {
            if socket.send_to(&bytes, from).await.is_err() {
                return;
            }
        }
    });
    sleep(Duration::from_millis(1)).await;
    let socket = UdpSocket::bind("0.0.0.0:0").await.expect("a port is free");
    for question in 0..5_u8 {
        for attempt in 1.. {
            assert!(attempt < 3, "question {question} is asked for the third time");
            let mut bytes = [0; 1];
            drop(socket.send_to(&[question], "server:7").await);
            if timeout(Duration::from_millis(50), socket.recv_from(&mut bytes)).await.is_ok() {
                break;
            }
        }
    }
}
