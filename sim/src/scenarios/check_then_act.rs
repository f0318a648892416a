//! Several people withdraw money from one account at the same time.
//!
//! What is wrong: a withdrawal looks whether the balance suffices, writes to the audit log, and then
//! takes the money: by then another may have passed the same test on the same money. Taking it is one
//! step here and no update is lost; it is the *test* that is out of date.
//!
//! The repair makes test and withdrawal one critical section.

use std::rc::Rc;

use parcae::sync::Mutex;
use parcae::testing::Shared;
use parcae::{Task, spawn_named};
use tracing::info;

use crate::scenario::Scenario;

pub(crate) const SCENARIO: Scenario = Scenario {
    name: "check-then-act",
    summary: "Five withdrawals test the balance, write to the audit log, then take the money.",
    defect: "Between test and withdrawal others take the same money; the twin locks the account.",
    source: "the double spends of Flexcoin (2014)",
    failure_kind: "panic",
    seeds_until_found: 20,
    buggy: || Box::pin(buggy()),
    fixed: || Box::pin(fixed()),
};

const PEOPLE: [&str; 5] = ["ann", "bob", "cho", "dee", "eli"];
const BALANCE: i64 = 100;
const AMOUNT: i64 = 60;

async fn buggy() {
    let balance = Rc::new(Shared::new(BALANCE).named("balance"));
    let audit = Rc::new(Shared::new(Vec::new()).named("audit log"));
    let withdrawals: Vec<Task<()>> = PEOPLE
        .into_iter()
        .map(|person| {
            let (balance, audit) = (balance.clone(), audit.clone());
            spawn_named(person, async move {
                if balance.get().await >= AMOUNT {
                    audit.update(|audit| audit.push(person)).await;
                    balance.update(|balance| *balance -= AMOUNT).await;
                    info!(AMOUNT, "withdrawn");
                }
            })
        })
        .collect();
    for withdrawal in withdrawals {
        withdrawal.await;
    }
    let balance = balance.peek();
    assert!(balance >= 0, "the account is overdrawn: {balance}");
}

async fn fixed() {
    let account = Rc::new(Mutex::new(BALANCE).named("account"));
    let audit = Rc::new(Shared::new(Vec::new()).named("audit log"));
    let withdrawals: Vec<Task<()>> = PEOPLE
        .into_iter()
        .map(|person| {
            let (account, audit) = (account.clone(), audit.clone());
            spawn_named(person, async move {
                let mut balance = account.lock().await;
                if *balance >= AMOUNT {
                    audit.update(|audit| audit.push(person)).await;
                    *balance -= AMOUNT;
                    info!(AMOUNT, "withdrawn");
                }
            })
        })
        .collect();
    for withdrawal in withdrawals {
        withdrawal.await;
    }
    let balance = *account.lock().await;
    assert!(balance >= 0, "the account is overdrawn: {balance}");
}
