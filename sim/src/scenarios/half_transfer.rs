//! Money is moved from one account to another, and the customer does not wait for ever.
//!
//! What is wrong: the transfer is two calls, debit and credit. The customer's time-out drops it
//! wherever it is, also between the two, and then the money is gone.
//!
//! The repair lets the transfer be a task of its own, which nobody's patience ends. The time-out
//! bounds the waiting for its answer, and not the transfer.

use std::rc::Rc;
use std::time::Duration;

use parcae::rng::choose_for;
use parcae::spawn_named;
use parcae::testing::Shared;
use parcae::time::{sleep, timeout};
use tracing::info;

use crate::scenario::Scenario;

pub(crate) const SCENARIO: Scenario = Scenario {
    name: "half-transfer",
    summary: "A transfer debits one account and credits another, under the customer's time-out.",
    defect: "The time-out falls between debit and credit; in the twin it ends the waiting only.",
    source: "Oxide RFD 400, \"Cancelling async Rust\" (RustConf 2025)",
    failure_kind: "panic",
    seeds_until_found: 100,
    buggy: || Box::pin(buggy()),
    fixed: || Box::pin(fixed()),
};

const PATIENCE: Duration = Duration::from_millis(100);
const AMOUNT: i64 = 30;

struct Bank {
    tea_shop: Shared<i64>,
    customer: Shared<i64>,
}

impl Bank {
    fn new() -> Rc<Self> {
        let (tea_shop, customer) = (Shared::new(0), Shared::new(100));
        Rc::new(Self { tea_shop: tea_shop.named("tea shop"), customer: customer.named("customer") })
    }

    async fn transfer(&self) {
        call(1).await;
        self.customer.update(|balance| *balance -= AMOUNT).await;
        call(2).await;
        self.tea_shop.update(|balance| *balance += AMOUNT).await;
    }

    fn total(&self) -> i64 {
        self.tea_shop.peek() + self.customer.peek()
    }
}

async fn buggy() {
    let bank = Bank::new();
    if timeout(PATIENCE, bank.transfer()).await.is_err() {
        info!("the bank does not answer");
    }
    assert_eq!(bank.total(), 100, "money is gone");
}

async fn fixed() {
    let bank = Bank::new();
    let mut transfer = spawn_named("transfer", {
        let bank = bank.clone();
        async move { bank.transfer().await }
    });
    if timeout(PATIENCE, &mut transfer).await.is_err() {
        info!("the bank does not answer");
        // There is time to look at the account later.
        transfer.await;
    }
    assert_eq!(bank.total(), 100, "money is gone");
}

/// The way to the bank's other computer.
async fn call(number: u64) {
    sleep(Duration::from_millis(choose_for("call takes", number, 1..=99))).await;
}
