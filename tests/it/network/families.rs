//! Families of latencies in the search: what they find, and what is left of them in a failure.

use std::time::Duration;

use parcae::explore::{Check, CheckReport, ReplayMode, ReplayVerdict, Strategy};
use parcae::kernel::Site;
use parcae::net::UdpSocket;
use parcae::time::timeout;
use parcae::world::{self, Latency, LinkOptions};

/// Somebody who takes an answer for certain within some time, which the default link has always kept.
async fn impatient(latency: Option<Latency>) {
    if let Some(latency) = latency {
        world::network().set_links(LinkOptions::lan().with_latency(latency));
    }
    let server = world::node("server").idle();
    server
        .spawn(async {
            let socket = UdpSocket::bind("0.0.0.0:7").await.unwrap();
            let mut buffer = [0; 16];
            loop {
                let (size, from) = socket.recv_from(&mut buffer).await.unwrap();
                socket.send_to(&buffer[..size], from).await.unwrap();
            }
        })
        .detach();
    let socket = UdpSocket::bind("0.0.0.0:0").await.unwrap();
    for _ in 0..3 {
        socket.send_to(b"ping", ("server", 7)).await.unwrap();
        let answer = timeout(Duration::from_millis(10), socket.recv(&mut [0; 16])).await;
        assert!(answer.is_ok(), "no answer");
    }
}

fn check(latency: Option<Latency>) -> CheckReport {
    let check = Check::new("impatient").strategy(Strategy::Random).seeds(200);
    check.run(move || impatient(latency))
}

#[test]
fn a_family_finds_who_relies_on_a_quick_network_and_is_not_needed_to_show_it() {
    let report = check(None);
    let finding = report.finding().expect("packets are late in some seeds");
    let overrides = &finding.world().overrides;
    let latency = Site::new("latency").id();
    assert!(overrides.keys().all(|key| key.site == latency), "{overrides:?}");
    assert_eq!(overrides.len(), 1, "one late packet");
    let replay =
        Check::new("impatient")
            .replay(finding.token().unwrap(), ReplayMode::Strict, || impatient(None));
    assert_eq!(replay.unwrap().verdict, ReplayVerdict::Reproduced);
}

#[test]
fn an_exact_latency_stays_what_it_is() {
    let exact = Latency::uniform(Duration::from_micros(50), Duration::from_millis(1));
    assert!(check(Some(exact)).finding().is_none());
    assert!(check(Some(exact.explored())).finding().is_some());
}
