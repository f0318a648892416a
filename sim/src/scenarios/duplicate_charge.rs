//! A shop charges a card, and the answer of the bank gets lost.
//!
//! What is wrong: no answer in time is taken for "it did not happen", and the charge is sent again.
//! But the bank may have charged the card, and only the answer did not arrive.
//!
//! The repair sends with every attempt the same key, by which the bank knows a charge that it has
//! carried out.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::time::Duration;

use parcae::rng::choose_for;
use parcae::time::{Elapsed, sleep, timeout};
use tracing::info;

use crate::scenario::Scenario;

pub(crate) const SCENARIO: Scenario = Scenario {
    name: "duplicate-charge",
    summary: "A shop sends a charge to the bank, and again when no answer comes within a second.",
    defect: "The answer is lost and the card is charged twice; in the twin the bank knows the charge.",
    source: "Amazon Builders' Library: making retries safe with idempotent APIs",
    failure_kind: "panic",
    seeds_until_found: 50,
    buggy: || Box::pin(buggy()),
    fixed: || Box::pin(fixed()),
};

const TIME_LIMIT: Duration = Duration::from_secs(1);
const ATTEMPTS: u64 = 3;

/// What is sent to the bank.
struct Charge {
    order: u64,
    amount: u64,
    /// Equal for all attempts at one charge.
    key: Option<u64>,
}

#[derive(Default)]
struct Bank {
    charged: RefCell<BTreeMap<u64, u64>>,
    known_keys: RefCell<BTreeMap<u64, Receipt>>,
}

#[derive(Clone)]
struct Receipt;

impl Bank {
    async fn charge(&self, charge: Charge, attempt: u64) -> Receipt {
        sleep(Duration::from_millis(50)).await;
        let known = charge.key.and_then(|key| self.known_keys.borrow().get(&key).cloned());
        let receipt = known.unwrap_or_else(|| {
            *self.charged.borrow_mut().entry(charge.order).or_default() += charge.amount;
            Receipt
        });
        if let Some(key) = charge.key {
            self.known_keys.borrow_mut().insert(key, receipt.clone());
        }
        if choose_for("answer is lost", attempt, 0..4) == 3 {
            std::future::pending::<()>().await;
        }
        receipt
    }
}

async fn buggy() {
    let bank = Bank::default();
    let send = |attempt| bank.charge(Charge { order: 7, amount: 30, key: None }, attempt);
    let _receipt: Option<Receipt> = with_retries(send).await.ok();
    let charged = bank.charged.take();
    assert_eq!(charged[&7], 30, "the card was charged more than once");
}

async fn fixed() {
    let bank = Bank::default();
    let key = Some(parcae::rng().next_u64());
    let send = |attempt| bank.charge(Charge { order: 7, amount: 30, key }, attempt);
    let _receipt: Option<Receipt> = with_retries(send).await.ok();
    let charged = bank.charged.take();
    assert_eq!(charged[&7], 30, "the card was charged more than once");
}

/// Sends until there is an answer.
async fn with_retries<F: Future<Output = Receipt>>(
    send: impl Fn(u64) -> F,
) -> Result<Receipt, Elapsed> {
    let mut attempt = 1;
    loop {
        match timeout(TIME_LIMIT, send(attempt)).await {
            Err(_) if attempt < ATTEMPTS => info!(attempt, "no answer, tries again"),
            result => return result,
        }
        attempt += 1;
    }
}
