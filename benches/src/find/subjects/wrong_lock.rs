//! `wronglock_n`: n tasks change a cell under another lock than the one that guards it.

use super::Subject;
use crate::find::host::{Host, join_all, spawn_all};

#[derive(Clone, Copy)]
pub(crate) struct WrongLock(pub(crate) usize);

impl Subject for WrongLock {
    fn name(&self) -> String {
        format!("wronglock_{}", self.0)
    }

    async fn run<H: Host>(self) {
        let (right, wrong, data) = (H::mutex(), H::mutex(), H::cell(0));
        let guarded = data.clone();
        let careful = H::spawn(async move {
            let held = H::lock(&right).await;
            let before = H::load(&guarded).await;
            let value = H::load(&guarded).await;
            H::store(&guarded, value + 1).await;
            let after = H::load(&guarded).await;
            assert_eq!(after, before + 1, "somebody came between");
            H::unlock(held).await;
        })
        .await;
        let careless = (0..self.0).map(|_| {
            let (wrong, data) = (wrong.clone(), data.clone());
            async move {
                let held = H::lock(&wrong).await;
                let value = H::load(&data).await;
                H::store(&data, value + 1).await;
                H::unlock(held).await;
            }
        });
        let careless = spawn_all::<H>(careless).await;
        H::join(careful).await;
        join_all::<H>(careless).await;
    }
}
