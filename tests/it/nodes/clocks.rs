//! Clocks of machines: rates, offsets, jumps.

use std::future::pending;
use std::rc::Rc;
use std::time::Duration;

use parcae::kernel::Fill;
use parcae::time::{Instant, SystemTime, sleep};
use parcae::world::{self, ClockOptions, ClockSteps, Node, TimeStep};
use parcae::{Failure, Sim};

use crate::runs::{Journal, discard, failure, fifo, on_every_seed, panic_of, random, secs};

/// Journals monotonic and wall clock once a second of its own.
fn clock(options: ClockOptions) -> (Node, Journal<(Duration, Duration)>) {
    let journal = Journal::new();
    let epoch = SystemTime::now();
    let node = world::node("db").clock(options).start({
        let journal = journal.clone();
        move || {
            let journal = journal.clone();
            async move {
                let mut last = Instant::now();
                loop {
                    sleep(secs(1)).await;
                    let now = Instant::now();
                    let wall = SystemTime::now().duration_since(epoch).unwrap_or_default();
                    journal.add((now - last, wall));
                    last = now;
                }
            }
        }
    });
    (node, journal)
}

#[test]
fn a_clock_has_its_offset_and_its_rate_from_the_first_step_on() {
    for found in on_every_seed(|| async {
        let offset = TimeStep::Forward(secs(100));
        let (_node, journal) =
            clock(ClockOptions::default().with_offset(offset).with_rate(1_000_000));
        // Twice as fast.
        sleep(secs(2)).await;
        parcae::task::settle().await;
        journal.take()
    }) {
        let walls = [101, 102, 103, 104].map(|wall| (secs(1), secs(wall)));
        assert_eq!(found, walls);
    }
}

#[test]
fn a_clock_goes_on_through_a_restart() {
    for found in on_every_seed(|| async {
        let (node, journal) = clock(ClockOptions::default());
        node.set_clock_rate(1_000_000);
        sleep(secs(2)).await;
        parcae::task::settle().await;
        node.step_clock(TimeStep::Back(secs(3)));
        node.power_off();
        sleep(secs(10)).await;
        node.power_on();
        sleep(secs(1)).await;
        parcae::task::settle().await;
        journal.take()
    }) {
        // 24 seconds of its own had passed at the restart, and 3 were taken back.
        let walls = [1, 2, 3, 4, 22, 23].map(|wall| (secs(1), secs(wall)));
        assert_eq!(found, walls);
    }
}

#[test]
fn jumps_are_drawn_and_do_not_touch_the_monotonic_clock() {
    let program = || async {
        let steps = ClockSteps::new(secs(10), secs(5));
        let (_node, journal) = clock(ClockOptions::default().with_steps(steps));
        sleep(secs(35)).await;
        journal.take()
    };
    let (mut jumped, mut back) = (0, 0);
    for outcome in random(50, program) {
        let found = outcome.unwrap();
        assert!(found.iter().all(|(passed, _)| *passed == secs(1)));
        let walls: Vec<i128> =
            found.iter().map(|(_, wall)| wall.as_nanos().cast_signed()).collect();
        let jumps = walls.windows(2).map(|pair| pair[1] - pair[0] - 1_000_000_000);
        let jumps: Vec<i128> = jumps.filter(|jump| *jump != 0).collect();
        assert!(jumps.iter().all(|jump| jump.abs() <= 5_000_000_000));
        jumped += jumps.len();
        back += jumps.iter().filter(|jump| **jump < 0).count();
    }
    assert!((140..=150).contains(&jumped) && (40..110).contains(&back), "{jumped} {back}");
    let quiet = Sim::builder().overrides(Fill::Default, Default::default()).build().unwrap();
    let found = quiet.run(program).unwrap();
    assert_eq!(found.last(), Some(&(secs(1), secs(34))), "the default world has none");
}

#[test]
fn a_clock_that_jumps_keeps_no_run_alive() {
    for outcome in random(20, || async {
        let steps = ClockSteps::new(secs(1), secs(1));
        world::node("db").clock(ClockOptions::default().with_steps(steps)).start(pending::<()>);
        pending::<()>().await;
    }) {
        assert!(matches!(failure(&outcome), Failure::Deadlock { .. }));
        assert_eq!(outcome.elapsed(), Duration::ZERO);
    }
}

#[test]
fn a_paused_clock_runs_on() {
    let found = fifo(|| async {
        let start = Instant::now();
        let node = world::node("db").idle();
        node.pause();
        sleep(secs(5)).await;
        node.resume();
        let now = Rc::new(node).spawn(async { Instant::now() }).await;
        now - start
    });
    assert_eq!(found.unwrap(), secs(5));
}

#[test]
fn clocks_that_cannot_be_are_refused() {
    fifo(|| async {
        assert!(panic_of(|| discard(ClockSteps::new(secs(0), secs(1)))).contains("never stop"));
        assert!(panic_of(|| discard(ClockSteps::new(secs(1), secs(0)))).contains("does not jump"));
        let rate = ClockOptions::default().with_rate(-1_000_000);
        assert!(panic_of(|| drop(world::node("a").clock(rate).idle())).contains("stand still"));
    })
    .unwrap();
}
