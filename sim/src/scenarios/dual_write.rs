//! A shop writes each order to its database and tells a broker, from which others learn of it.
//!
//! What is wrong: these are two writes. When the broker is away for a moment the first one is done and the
//! second is not: the order is in the database, its customer is told that it failed, and nobody who
//! listens to the broker will ever know of it. In the other order it would be the other way round.
//!
//! The repair writes once: the order and, in the same transaction, a note of what is to be told (an
//! "outbox"). A task tells the broker what it finds there, again until it knows that it was heard. So the
//! broker may hear something twice, and has to know what it has heard.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::future::ready;
use std::io;
use std::rc::Rc;
use std::time::Duration;

use parcae::rng::choose_for;
use parcae::time::sleep;
use parcae::{spawn_named, world};
use tracing::info;

use super::wire::{ask, serve};
use crate::scenario::Scenario;

pub(crate) const SCENARIO: Scenario = Scenario {
    name: "dual-write",
    summary: "A shop writes orders to a database and to a broker, which restarts in between.",
    defect: "An order is in the database and never told; the twin writes once, and tells from there.",
    source: "C. Richardson, Microservices Patterns (2018): the transactional outbox",
    failure_kind: "panic",
    seeds_until_found: 50,
    buggy: || Box::pin(run(Shop::WritesTwice)),
    fixed: || Box::pin(run(Shop::WritesOnce)),
};

const ORDERS: u64 = 5;
const PAUSE: Duration = Duration::from_millis(500);

/// What the shop does with an order.
#[derive(Clone, Copy)]
enum Shop {
    WritesTwice,
    WritesOnce,
}

async fn run(shop: Shop) {
    let database = Rc::new(Database::default());
    let heard: Rc<RefCell<BTreeSet<String>>> = Rc::default();
    let broker = world::node("broker").start({
        let heard = heard.clone();
        move || {
            let heard = heard.clone();
            serve(7000, move |order| {
                heard.borrow_mut().insert(order);
                ready("yes".to_owned())
            })
        }
    });
    world::node("database").start({
        let database = database.clone();
        move || {
            let database = database.clone();
            serve(7000, move |question| ready(database.answer(&question)))
        }
    });
    world::node("shop").start(move || shop.open());
    let restart = spawn_named("restart", async move {
        sleep(Duration::from_millis(2500)).await;
        broker.kill();
        sleep(Duration::from_secs(choose_for("seconds of broker restart", 1, 0..=4))).await;
        broker.power_on();
    });
    for order in 1..=ORDERS {
        sleep(Duration::from_secs(1)).await;
        let answer = ask("shop:7000", order.to_string()).await;
        info!(order, ?answer);
    }
    restart.await;
    sleep(Duration::from_secs(5)).await;
    let (heard, orders) = (heard.borrow(), database.orders.borrow());
    let differing = heard.symmetric_difference(&orders).count();
    assert_eq!(differing, 0, "some orders are in the database and the broker never heard of them");
}

impl Shop {
    async fn open(self) -> io::Result<()> {
        let _relay = match self {
            Self::WritesTwice => None,
            Self::WritesOnce => Some(spawn_named("relay", relay())),
        };
        serve(7000, move |order| async move {
            let is_done = self.take(order).await;
            is_done.map_or_else(|error| error.to_string(), |()| "yes".to_owned())
        })
        .await
    }

    async fn take(self, order: String) -> io::Result<()> {
        match self {
            Self::WritesTwice => {
                ask("database:7000", format!("write {order}")).await?;
                ask("broker:7000", order).await?;
            }
            Self::WritesOnce => {
                ask("database:7000", format!("write-and-tell {order}")).await?;
            }
        }
        Ok(())
    }
}

/// Tells the broker what the database has to be told, and then that it was.
async fn relay() {
    loop {
        sleep(PAUSE).await;
        if let Ok(order) = ask("database:7000", "untold".to_owned()).await
            && !order.is_empty()
            && ask("broker:7000", order.clone()).await.is_ok()
        {
            drop(ask("database:7000", format!("told {order}")).await);
        }
    }
}

#[derive(Default)]
struct Database {
    orders: RefCell<BTreeSet<String>>,
    outbox: RefCell<BTreeSet<String>>,
}

impl Database {
    fn answer(&self, question: &str) -> String {
        let (verb, order) = question.split_once(' ').unwrap_or((question, ""));
        let (mut orders, mut outbox) = (self.orders.borrow_mut(), self.outbox.borrow_mut());
        match verb {
            "write" => drop(orders.insert(order.to_owned())),
            "write-and-tell" => {
                orders.insert(order.to_owned());
                outbox.insert(order.to_owned());
            }
            "told" => drop(outbox.remove(order)),
            _ => return outbox.first().cloned().unwrap_or_default(),
        }
        "yes".to_owned()
    }
}
