//! `twostage_n`: n - 1 tasks write two cells under two locks in turn; a reader is to see no write of
//! the first without the second.

use super::Subject;
use crate::find::host::{Host, join_all, spawn_all};

#[derive(Clone, Copy)]
pub(crate) struct TwoStage(pub(crate) usize);

impl Subject for TwoStage {
    fn name(&self) -> String {
        format!("twostage_{}", self.0)
    }

    async fn run<H: Host>(self) {
        let (first, second) = ((H::mutex(), H::cell(0)), (H::mutex(), H::cell(0)));
        let writers = (1..self.0).map(|_| {
            let (first, second) = (first.clone(), second.clone());
            async move {
                let held = H::lock(&first.0).await;
                H::store(&first.1, 1).await;
                H::unlock(held).await;
                let held = H::lock(&second.0).await;
                let value = H::load(&first.1).await;
                H::store(&second.1, value + 1).await;
                H::unlock(held).await;
            }
        });
        let writers = spawn_all::<H>(writers).await;
        let reader = H::spawn(async move {
            let held = H::lock(&first.0).await;
            let seen = H::load(&first.1).await;
            H::unlock(held).await;
            if seen != 0 {
                let held = H::lock(&second.0).await;
                let value = H::load(&second.1).await;
                H::unlock(held).await;
                assert_eq!(value, seen + 1, "the second is behind");
            }
        })
        .await;
        join_all::<H>(writers).await;
        H::join(reader).await;
    }
}
