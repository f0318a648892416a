//! `token_ring`: three tasks hand values on, in any order; a fourth expects one.

use super::Subject;
use crate::find::host::{Host, join_all, spawn_all};

#[derive(Clone, Copy)]
pub(crate) struct TokenRing;

impl Subject for TokenRing {
    fn name(&self) -> String {
        "token_ring".to_owned()
    }

    async fn run<H: Host>(self) {
        let lock = H::mutex();
        let values = [H::cell(1), H::cell(2), H::cell(1)];
        let done = [H::cell(0), H::cell(0), H::cell(0)];
        let hands = [0, 1, 2].map(|place| {
            let (lock, values, done) = (lock.clone(), values.clone(), done[place].clone());
            async move {
                let held = H::lock(&lock).await;
                let value = H::load(&values[(place + 2) % 3]).await;
                let handed = if place == 0 { (value + 1) % 4 } else { value };
                H::store(&values[place], handed).await;
                H::store(&done, 1).await;
                H::unlock(held).await;
            }
        });
        let hands = spawn_all::<H>(hands).await;
        let checker = H::spawn(async move {
            let held = H::lock(&lock).await;
            let mut are_done = true;
            for done in &done {
                are_done = are_done && H::load(done).await == 1;
            }
            if are_done {
                let first = H::load(&values[0]).await;
                assert_eq!(H::load(&values[1]).await, first, "the second has another");
                assert_eq!(H::load(&values[2]).await, first, "the third has another");
            }
            H::unlock(held).await;
        })
        .await;
        join_all::<H>(hands).await;
        H::join(checker).await;
    }
}
