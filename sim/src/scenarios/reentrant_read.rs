//! A report reads settings, and a function that it calls reads them too.
//!
//! What is wrong: the function takes a read lock of its own while its caller holds one. That works
//! until a writer comes in between: readers do not overtake a writer who waits, so the second read
//! waits for the writer, the writer for the first read, and that for the second.
//!
//! The repair hands the function what it needs, and reads once.

use std::rc::Rc;

use parcae::spawn_named;
use parcae::sync::RwLock;
use parcae::task::yield_now;

use crate::scenario::Scenario;

pub(crate) const SCENARIO: Scenario = Scenario {
    name: "reentrant-read",
    summary: "A report holds a read lock and reads once more; an update wants to write.",
    defect: "The second read waits for the writer, who waits for the first; the twin reads once.",
    source: "tokio's documentation of `RwLock::read`: a reader that reads again may deadlock",
    failure_kind: "deadlock",
    seeds_until_found: 100,
    buggy: || Box::pin(buggy()),
    fixed: || Box::pin(fixed()),
};

struct Settings {
    currency: &'static str,
    digits: usize,
}

async fn buggy() {
    let settings = settings();
    let update = spawn_named("update", update(settings.clone()));
    let report = spawn_named("report", async move {
        let own = settings.read().await;
        let amount = format_amount(&settings, 1500.0).await;
        format!("{amount} {}", own.currency)
    });
    let text = report.await;
    update.await;
    assert!(["1500 EUR", "1500.00 EUR"].contains(&text.as_str()), "{text}");

    async fn format_amount(settings: &RwLock<Settings>, amount: f64) -> String {
        let digits = settings.read().await.digits;
        format!("{amount:.digits$}")
    }
}

async fn fixed() {
    let settings = settings();
    let update = spawn_named("update", update(settings.clone()));
    let report = spawn_named("report", async move {
        let own = settings.read().await;
        let amount = format_amount(&own, 1500.0).await;
        format!("{amount} {}", own.currency)
    });
    let text = report.await;
    update.await;
    assert!(["1500 EUR", "1500.00 EUR"].contains(&text.as_str()), "{text}");

    async fn format_amount(settings: &Settings, amount: f64) -> String {
        yield_now().await;
        let digits = settings.digits;
        format!("{amount:.digits$}")
    }
}

fn settings() -> Rc<RwLock<Settings>> {
    Rc::new(RwLock::new(Settings { currency: "EUR", digits: 0 }).named("settings"))
}

async fn update(settings: Rc<RwLock<Settings>>) {
    yield_now().await;
    settings.write().await.digits = 2;
}
