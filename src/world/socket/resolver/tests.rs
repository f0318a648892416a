//! Lookups in a run, through the calls that `net` makes.

use std::future::poll_fn;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use super::super::names::{NameBuilder, NameError};
use crate::explore::Sim;
use crate::kernel::{Fill, Overrides, Ratio};
use crate::time::{Instant, sleep};
use crate::world::calls::{LookupHandle, lookup_drop, lookup_poll, lookup_start};
use crate::world::{self, ClockOptions};

const SECOND: Duration = Duration::from_secs(1);

/// Forgets a lookup when it is dropped.
struct Held(LookupHandle);

impl Drop for Held {
    fn drop(&mut self) {
        lookup_drop(self.0);
    }
}

async fn lookup(name: &str) -> io::Result<Vec<SocketAddr>> {
    let held = Held(lookup_start(name, 80));
    poll_fn(|context| lookup_poll(held.0, context.waker())).await
}

/// Returns the addresses of a name, or the text of the error.
async fn spelt(name: &str) -> String {
    match lookup(name).await {
        Ok(found) => found.iter().map(ToString::to_string).collect::<Vec<_>>().join(" "),
        Err(error) => error.to_string(),
    }
}

fn address(text: &str) -> IpAddr {
    text.parse().expect("an address")
}

fn run<F: Future + 'static>(program: impl FnOnce() -> F + 'static) -> F::Output {
    Sim::new(7).run(program).unwrap()
}

const UNKNOWN: &str = "failed to lookup address information: Name or service not known";
const TEMPORARY: &str =
    "failed to lookup address information: Temporary failure in name resolution";

#[test]
fn machines_groups_and_numbers_have_names_without_being_told() {
    run(|| async {
        let start = Instant::now();
        world::node("db").address(address("192.168.0.9")).idle();
        world::nodes("kv", 2).idle();
        assert_eq!(spelt("db").await, "192.168.0.9:80 10.0.0.1:80");
        assert_eq!(spelt("kv").await, "10.0.0.2:80 10.0.0.3:80");
        assert_eq!(spelt("kv-2.").await, "10.0.0.3:80");
        assert_eq!(spelt("test").await, "10.255.0.1:80");
        assert_eq!(spelt("localhost").await, "127.0.0.1:80 [::1]:80");
        assert_eq!(spelt("1.2.3.4").await, "1.2.3.4:80");
        assert_eq!(spelt("::1").await, "[::1]:80");
        assert_eq!(spelt("[fd00::7]").await, "[fd00::7]:80");
        assert_eq!(spelt("nobody").await, UNKNOWN);
        assert_eq!(spelt("").await, UNKNOWN);
        assert_eq!(start.elapsed(), Duration::ZERO);
    });
}

#[test]
fn what_a_name_is_told_to_stand_for_goes_before_what_it_stands_for() {
    run(|| async {
        world::node("db").idle();
        let db = NameBuilder::new("db");
        db.addresses([address("1.1.1.1"), address("::2")]);
        assert_eq!(spelt("db").await, "1.1.1.1:80 [::2]:80");
        db.addresses([]);
        assert_eq!(spelt("db").await, UNKNOWN);
        db.addresses([address("3.3.3.3")]).fails(NameError::Temporary);
        assert_eq!(spelt("db").await, TEMPORARY);
        NameBuilder::new("db").fails_sometimes(NameError::NotFound, Ratio::ZERO);
        assert_eq!(spelt("db").await, "3.3.3.3:80");
    });
}

#[test]
fn an_answer_takes_its_time_and_is_that_of_when_it_comes() {
    run(|| async {
        let start = Instant::now();
        let name = NameBuilder::new("db");
        name.addresses([address("1.1.1.1")]).delay(SECOND..=SECOND);
        let asked = crate::spawn(spelt("db"));
        sleep(SECOND / 2).await;
        name.addresses([address("2.2.2.2")]);
        assert_eq!(asked.await, "2.2.2.2:80");
        assert_eq!(start.elapsed(), SECOND);
    });
}

#[test]
fn a_machine_remembers_an_answer_on_its_own_clock_until_it_loses_its_power() {
    run(|| async {
        let ttl = 10 * SECOND;
        let name = NameBuilder::new("db");
        name.addresses([address("1.1.1.1")]).ttl(ttl);
        let fast = world::node("fast").clock(ClockOptions::default().with_rate(1_000_000)).idle();
        let slow = world::node("slow").idle();
        let ask = |node: &world::Node| node.spawn(spelt("db"));
        let both = async || (ask(&fast).await, ask(&slow).await);
        let (old, new) = ("1.1.1.1:80".to_owned(), "2.2.2.2:80".to_owned());
        assert_eq!(both().await, (old.clone(), old.clone()));
        name.addresses([address("2.2.2.2")]);
        assert_eq!(both().await, (old.clone(), old.clone()));
        sleep(5 * SECOND).await;
        // 10 seconds have passed on the fast one.
        assert_eq!(both().await, (new.clone(), old.clone()));
        slow.restart();
        assert_eq!(ask(&slow).await, old);
        slow.power_off();
        slow.power_on();
        assert_eq!(ask(&slow).await, new);
        // The test has asked nobody yet.
        assert_eq!(spelt("db").await, new);
    });
}

#[test]
fn failures_and_delays_are_drawn_for_each_lookup_of_a_machine() {
    let program = || async {
        NameBuilder::new("db")
            .addresses([address("1.1.1.1")])
            .delay(Duration::ZERO..=SECOND)
            .fails_sometimes(NameError::Temporary, Ratio::percent(25));
        let (mut failed, start) = (0, Instant::now());
        for _ in 0..40 {
            failed += u32::from(spelt("db").await == TEMPORARY);
        }
        (failed, start.elapsed())
    };
    let mut counts = Vec::new();
    for seed in 0..50 {
        let (failed, elapsed) = Sim::new(seed).run(program).unwrap();
        counts.push(failed);
        assert!((10 * SECOND..30 * SECOND).contains(&elapsed), "{elapsed:?}");
    }
    let sum: u32 = counts.iter().sum();
    assert!((420..580).contains(&sum), "{sum} of 2000");
    let quiet = Sim::builder().overrides(Fill::Default, Overrides::new()).build();
    let found = quiet.expect("it can be").run(program).unwrap();
    assert_eq!(found, (0, Duration::ZERO));
}

#[test]
fn a_lookup_dies_with_its_process() {
    let outcome = Sim::new(7).run(|| async {
        NameBuilder::new("db").addresses([address("1.1.1.1")]).delay(SECOND..=SECOND);
        let node = world::node("web").start(|| async {
            // Nobody drops it: the machine's death is all that ends it.
            lookup_start("db", 80);
            std::future::pending::<()>().await;
        });
        sleep(SECOND / 2).await;
        let exited = node.exited();
        node.kill();
        exited.await;
        // Nothing is left to wait for: time would have moved on to the answer.
        std::future::pending::<()>().await;
    });
    assert_eq!(outcome.elapsed(), SECOND / 2);
}

#[test]
fn a_lookup_that_is_given_up_is_forgotten() {
    let outcome = Sim::new(7).run(|| async {
        NameBuilder::new("db").delay(SECOND..=SECOND);
        assert!(crate::time::timeout(SECOND / 2, spelt("db")).await.is_err());
        std::future::pending::<()>().await;
    });
    assert_eq!(outcome.elapsed(), SECOND / 2);
}

#[test]
fn a_task_of_another_machine_may_not_use_a_lookup() {
    let outcome = Sim::new(7).run(|| async {
        let held = Held(lookup_start("test", 80));
        let node = world::node("web").idle();
        node.spawn(async move { poll_fn(|context| lookup_poll(held.0, context.waker())).await })
            .await
    });
    let failure = outcome.into_result().expect_err("it panics").to_string();
    assert!(failure.contains("a lookup of `test` was used by a task of `web`"), "{failure}");
}

#[test]
fn a_dead_machine_resolves_nothing() {
    run(|| async {
        let errors = std::rc::Rc::new(std::cell::RefCell::new(Vec::new()));
        let node = world::node("web").start({
            let errors = errors.clone();
            move || {
                let errors = errors.clone();
                async move {
                    world::Node::current().kill();
                    // Until its next wait; this one never pends.
                    let answer = lookup("test").await.map_err(|error| error.kind());
                    errors.borrow_mut().push(answer);
                }
            }
        });
        node.exited().await;
        assert_eq!(errors.take(), [Err(io::ErrorKind::NotConnected)]);
    });
}
