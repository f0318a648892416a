//! Lost update.

use std::cell::Cell;
use std::rc::Rc;
use parcae::task::yield_now;
use crate::scenario::Scenario;

pub(crate) const SCENARIO: Scenario = Scenario {
    name: "lost-update",
    summary: "x", defect: "y", source: "G15", failure_kind: "panic", seeds_until_found: 100,
    buggy: || Box::pin(buggy()),
    fixed: || Box::pin(fixed()),
};

async fn buggy() {
    let n = Rc::new(Cell::new(0));
    let o = n.clone();
    let t = parcae::spawn_named("a", async move { let v = o.get(); yield_now().await; o.set(v+1) });
    let v = n.get(); yield_now().await; n.set(v+1);
    t.await;
    assert_eq!(n.get(), 2);
}
async fn fixed() {}
