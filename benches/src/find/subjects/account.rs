//! `account`: a deposit and a withdrawal are right, the check of the balance is not.

use super::Subject;
use crate::find::host::{Host, join_all, spawn_all};

#[derive(Clone, Copy)]
pub(crate) struct Account;

impl Subject for Account {
    fn name(&self) -> String {
        "account".to_owned()
    }

    async fn run<H: Host>(self) {
        let (lock, balance) = (H::mutex(), H::cell(BALANCE));
        let done = [H::cell(0), H::cell(0)];
        let movements = [DEPOSIT, -WITHDRAWAL].into_iter().zip(done.clone()).map(|(sum, done)| {
            let (lock, balance) = (lock.clone(), balance.clone());
            async move {
                let held = H::lock(&lock).await;
                let value = H::load(&balance).await;
                H::store(&balance, value + sum).await;
                H::store(&done, 1).await;
                H::unlock(held).await;
            }
        });
        let movements = spawn_all::<H>(movements).await;
        let checker = H::spawn(async move {
            let held = H::lock(&lock).await;
            if H::load(&done[0]).await == 1 && H::load(&done[1]).await == 1 {
                let expected = BALANCE - DEPOSIT - WITHDRAWAL;
                assert_eq!(H::load(&balance).await, expected, "what nobody should expect");
            }
            H::unlock(held).await;
        })
        .await;
        join_all::<H>(movements).await;
        H::join(checker).await;
    }
}

const BALANCE: i64 = 1;
const DEPOSIT: i64 = 2;
const WITHDRAWAL: i64 = 4;
