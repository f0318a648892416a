//! An account asks a bank whether a withdrawal is all right, and goes on handling messages meanwhile.
//!
//! What is wrong: it looks at the balance when the withdrawal comes, and debits it when the bank has answered.
//! Other withdrawals are handled in between, each by the balance that it has seen.
//!
//! The repair takes the amount off before it asks, and gives it back when the bank refuses: what the handler has
//! seen holds until it returns, and not a moment longer.

use std::time::Duration;

use parcae::actor::{self, ActorRef, Context, Crash, Handler};
use parcae::rng::choose_for;
use parcae::time::sleep;

use crate::scenario::Scenario;

pub(crate) const SCENARIO: Scenario = Scenario {
    name: "state-of-yesterday",
    summary: "An account asks a bank about each withdrawal, and takes others meanwhile.",
    defect: "It debits by the balance from before it asked; the twin takes the amount off first.",
    source: "actix#308, #334, #357: state that changes under a handler that waits; Akka: futures over state",
    failure_kind: "panic",
    seeds_until_found: 50,
    buggy: || Box::pin(withdraw_all(Debits::WhenAnswered)),
    fixed: || Box::pin(withdraw_all(Debits::AtOnce)),
};

#[derive(Clone, Copy)]
enum Debits {
    WhenAnswered,
    AtOnce,
}

struct Account {
    balance: i64,
    bank: ActorRef<Bank>,
    debits: Debits,
}
parcae::actor!(Account);

#[derive(Clone, Copy, Debug)]
struct Withdraw {
    number: u64,
    amount: i64,
}
parcae::message!(Withdraw -> ());

#[derive(Debug)]
struct Balance;
parcae::message!(Balance -> i64);

/// What the bank has said about a withdrawal.
#[derive(Debug)]
struct Answered {
    amount: i64,
    is_allowed: bool,
}
parcae::message!(Answered -> ());

impl Handler<Withdraw> for Account {
    async fn handle(&mut self, asked: Withdraw, context: &mut Context<Self>) -> Result<(), Crash> {
        let amount = asked.amount;
        if amount > self.balance {
            return Ok(());
        }
        if matches!(self.debits, Debits::AtOnce) {
            self.balance -= amount;
        }
        context.pipe(self.bank.ask(IsAllowed(asked)), move |answer| Answered {
            amount,
            is_allowed: answer.unwrap_or(false),
        });
        Ok(())
    }
}

impl Handler<Answered> for Account {
    async fn handle(&mut self, answer: Answered, _: &mut Context<Self>) -> Result<(), Crash> {
        match self.debits {
            Debits::WhenAnswered if answer.is_allowed => self.balance -= answer.amount,
            Debits::AtOnce if !answer.is_allowed => self.balance += answer.amount,
            Debits::WhenAnswered | Debits::AtOnce => {}
        }
        assert!(self.balance >= 0, "there are {} in the account", self.balance);
        Ok(())
    }
}

impl Handler<Balance> for Account {
    async fn handle(&mut self, _: Balance, _: &mut Context<Self>) -> Result<i64, Crash> {
        Ok(self.balance)
    }
}

struct Bank;
parcae::actor!(Bank);

#[derive(Debug)]
struct IsAllowed(Withdraw);
parcae::message!(IsAllowed -> bool);

impl Handler<IsAllowed> for Bank {
    async fn handle(&mut self, asked: IsAllowed, _: &mut Context<Self>) -> Result<bool, Crash> {
        let number = asked.0.number;
        sleep(Duration::from_millis(choose_for("bank takes", number, 1..=60))).await;
        Ok(true)
    }
}

async fn withdraw_all(debits: Debits) {
    let bank = actor::spawn_named::<Bank>("bank", Bank).expect("the first of this name");
    let account = Account { balance: 100, bank, debits };
    let account = actor::spawn_named::<Account>("account", account).expect("the first");
    for number in 1..=3 {
        account.tell(Withdraw { number, amount: 40 }).expect("it runs");
        sleep(Duration::from_millis(20)).await;
    }
    sleep(Duration::from_secs(1)).await;
    assert_eq!(account.ask(Balance).await, Ok(20), "two withdrawals have a place");
}
