//! A cache of prices, filled from a server that is slow at times.
//!
//! What is wrong: the lock of the cache is held while a missing price is fetched. When one fetch takes
//! long, everybody waits for the lock, also those whose price is in the cache.
//!
//! The repair locks to look and locks again to enter what was fetched, and holds no lock while it
//! waits for the server.

use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use parcae::rng::choose_for;
use parcae::spawn_named;
use parcae::sync::Mutex;
use parcae::time::{Instant, sleep};

use crate::scenario::Scenario;

pub(crate) const SCENARIO: Scenario = Scenario {
    name: "lock-across-rpc",
    summary: "Two customers ask for prices: one is in the cache, the other has to be fetched.",
    defect: "A slow fetch holds the lock of the cache, and hits wait too; the twin locks without waiting.",
    source: "clippy's await_holding_lock; convoys behind an async lock",
    failure_kind: "panic",
    seeds_until_found: 100,
    buggy: || Box::pin(buggy()),
    fixed: || Box::pin(fixed()),
};

type Prices = BTreeMap<&'static str, u32>;

async fn buggy() {
    let cache = Rc::new(Mutex::new(known_prices()).named("prices"));
    let miss = spawn_named("asks for cake", {
        let cache = cache.clone();
        async move {
            let mut prices = cache.lock().await;
            if !prices.contains_key("cake") {
                let price = fetch().await;
                prices.insert("cake", price);
            }
            prices["cake"]
        }
    });
    let hit = spawn_named("asks for tea", {
        let cache = cache.clone();
        async move {
            sleep(ARRIVES).await;
            let start = Instant::now();
            let price = cache.lock().await.get("tea").copied();
            (price, start.elapsed())
        }
    });
    let (price, waited) = hit.await;
    assert_eq!((price, miss.await), (Some(3), 5));
    assert!(waited <= BOUND, "a price that is in the cache took {waited:?}");
}

async fn fixed() {
    let cache = Rc::new(Mutex::new(known_prices()).named("prices"));
    let miss = spawn_named("asks for cake", {
        let cache = cache.clone();
        async move {
            let known = cache.lock().await.get("cake").copied();
            if let Some(price) = known {
                return price;
            }
            let price = fetch().await;
            // Another one may have fetched it too: the first one stays.
            *cache.lock().await.entry("cake").or_insert(price)
        }
    });
    let hit = spawn_named("asks for tea", {
        let cache = cache.clone();
        async move {
            sleep(ARRIVES).await;
            let start = Instant::now();
            let price = cache.lock().await.get("tea").copied();
            (price, start.elapsed())
        }
    });
    let (price, waited) = hit.await;
    assert_eq!((price, miss.await), (Some(3), 5));
    assert!(waited <= BOUND, "a price that is in the cache took {waited:?}");
}

fn known_prices() -> Prices {
    BTreeMap::from([("tea", 3)])
}

/// Asks the server for the price of cake.
async fn fetch() -> u32 {
    sleep(Duration::from_millis(choose_for("time of the fetch", 0, 1..=1000))).await;
    5
}

const ARRIVES: Duration = Duration::from_millis(10);
const BOUND: Duration = Duration::from_millis(100);
