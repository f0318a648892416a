//! Faults that begin when a packet arrives: when that is, whom it concerns, and for how long.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::rc::Rc;
use std::time::Duration;

use parcae::explore::{Check, Shrink, Strategy};
use parcae::fault::{Budget, Chaos, ChaosReport, Nemesis, Step};
use parcae::net::UdpSocket;
use parcae::time::{interval, sleep, timeout};
use parcae::world::{self, Latency, LinkOptions};
use parcae::{Outcome, Sim};

use crate::runs::{SEEDS, millis};

/// A datagram is sent so often, and takes so long.
const EVERY: Duration = Duration::from_millis(250);
const LATENCY: Duration = Duration::from_millis(1);

/// Has machines paused, of which one of them gets datagrams, and gives what was planned and what happened.
fn paused(seed: u64, target: &'static str) -> Outcome<ChaosReport> {
    let sim = Sim::builder().seed(seed).strategy(Strategy::Random).log(true).build().unwrap();
    sim.run(move || async move {
        world::network().set_links(LinkOptions::lan().with_latency(Latency::constant(LATENCY)));
        let kv = world::node("kv").start(|| async {
            let _socket = UdpSocket::bind("0.0.0.0:7").await.unwrap();
            std::future::pending::<()>().await;
        });
        let _other = world::node("other").start(std::future::pending::<()>);
        let pauses = Nemesis::pauses().every(millis(4000)).lasting(millis(100)..=millis(200));
        let chaos = Chaos::on([kv]).budget(Budget::unlimited()).nemesis(pauses).swarm(false);
        let chaos = chaos.during(millis(20_000)).start();
        let socket = UdpSocket::bind("0.0.0.0:0").await.unwrap();
        let mut ticks = interval(EVERY);
        let mut sent = Duration::ZERO;
        while sent < millis(22_000) {
            ticks.tick().await;
            socket.send_to(b"x", (target, 7)).await.unwrap();
            sent += EVERY;
        }
        sleep(millis(1000)).await;
        chaos.end()
    })
}

/// Returns when something was noted that begins like this.
fn times(outcome: &Outcome<ChaosReport>, begin: &str) -> Vec<Duration> {
    let entries = &outcome.log().unwrap().entries;
    let noted = entries.iter().filter(|entry| match &entry.what {
        parcae::executor::Happening::Note(text) => text.starts_with(begin),
        _ => false,
    });
    noted.map(|entry| entry.time.elapsed()).collect()
}

/// Calls `check` with all plans of some seeds and the times at which their faults began.
fn each_plan(target: &'static str, mut check: impl FnMut(&[Step], Vec<Duration>)) {
    for seed in 0..SEEDS / 4 {
        let outcome = paused(seed, target);
        let begins = times(&outcome, "fault begins");
        check(&outcome.unwrap().steps, begins);
    }
}

#[test]
fn half_of_them_wait_for_the_next_packet_to_their_machine() {
    let (mut waiting, mut all) = (0, 0);
    each_plan("kv", |steps, begins| {
        let mut expected: Vec<Duration> = steps
            .iter()
            .map(|step| {
                let sent = step.at.saturating_sub(LATENCY).as_nanos().div_ceil(EVERY.as_nanos());
                let next = EVERY * u32::try_from(sent).unwrap() + LATENCY;
                if step.with_packet { next } else { step.at }
            })
            .collect();
        expected.sort();
        assert_eq!(begins, expected);
        waiting += steps.iter().filter(|step| step.with_packet).count();
        all += steps.len();
    });
    assert!(all > 100, "{all}");
    assert!((all * 2 / 5..all * 3 / 5).contains(&waiting), "{waiting} of {all}");
}

#[test]
fn packets_to_others_do_not_concern_them_and_after_a_second_they_wait_no_more() {
    each_plan("other", |steps, begins| {
        let late = |step: &Step| if step.with_packet { millis(1000) } else { Duration::ZERO };
        let mut expected: Vec<Duration> = steps.iter().map(|step| step.at + late(step)).collect();
        expected.sort();
        assert_eq!(begins, expected);
    });
}

#[test]
fn they_last_as_long_as_planned_from_when_they_begin() {
    let mut compared = 0;
    for seed in 0..SEEDS / 4 {
        let outcome = paused(seed, "kv");
        let (begins, ends) = (times(&outcome, "fault begins"), times(&outcome, "fault ends"));
        // One that begins while another lasts ends that one.
        if begins.windows(2).any(|pair| pair[1] - pair[0] <= millis(200)) {
            continue;
        }
        let mut lengths: Vec<Duration> =
            begins.iter().zip(&ends).map(|(begin, end)| *end - *begin).collect();
        let mut planned: Vec<Duration> =
            outcome.unwrap().steps.iter().map(|step| step.lasts).collect();
        lengths.sort();
        planned.sort();
        assert_eq!(lengths, planned, "seed {seed}");
        compared += planned.iter().len();
    }
    assert!(compared > 30, "{compared}");
}

/// A server that acknowledges what it is sent a moment before it keeps it.
async fn acknowledge_early(kept: Rc<RefCell<BTreeSet<u8>>>) {
    let socket = UdpSocket::bind("0.0.0.0:7").await.unwrap();
    let mut bytes = [0; 1];
    loop {
        let (_, from) = socket.recv_from(&mut bytes).await.unwrap();
        socket.send_to(&bytes, from).await.unwrap();
        sleep(Duration::from_micros(100)).await;
        kept.borrow_mut().insert(bytes[0]);
    }
}

#[test]
fn what_is_lost_in_a_moment_after_a_packet_is_found() {
    async fn program() {
        let kept = Rc::new(RefCell::new(BTreeSet::new()));
        let disk = kept.clone();
        let node = world::node("kv").start(move || acknowledge_early(disk.clone()));
        let chaos = Chaos::on([node]).budget(Budget::unlimited()).nemesis(Nemesis::crashes());
        let chaos = chaos.during(millis(10_000)).start();
        let socket = UdpSocket::bind("0.0.0.0:0").await.unwrap();
        let mut acknowledged = Vec::new();
        for number in 0..100 {
            let mut bytes = [0; 1];
            socket.send_to(&[number], "kv:7").await.unwrap();
            if let Ok(Ok(_)) = timeout(millis(50), socket.recv_from(&mut bytes)).await {
                acknowledged.push(bytes[0]);
            }
            sleep(millis(100)).await;
        }
        drop(chaos);
        sleep(millis(1000)).await;
        let is_kept = |number: &u8| kept.borrow().contains(number);
        assert!(acknowledged.iter().all(is_kept), "what was acknowledged is lost");
    }
    let mut shrink = Shrink::default();
    shrink.runs = 0;
    let report = Check::new("moment").seeds(200).keep_going(true).shrink(shrink).run(program);
    // With times that are drawn evenly none of 1,000 fails.
    assert!(report.failing().len() > 15, "{} of 200", report.failing().len());
}
