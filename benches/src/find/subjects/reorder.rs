//! `reorder_n`: n - 1 tasks set one cell and then another; a checker is to see both or none.

use super::Subject;
use crate::find::host::{Host, join_all, spawn_all};

#[derive(Clone, Copy)]
pub(crate) struct Reorder(pub(crate) usize);

impl Subject for Reorder {
    fn name(&self) -> String {
        format!("reorder_{}", self.0)
    }

    async fn run<H: Host>(self) {
        let (first, second) = (H::cell(0), H::cell(0));
        let setters = (1..self.0).map(|_| {
            let (first, second) = (first.clone(), second.clone());
            async move {
                H::store(&first, 1).await;
                H::store(&second, -1).await;
            }
        });
        let setters = spawn_all::<H>(setters).await;
        let checker = H::spawn(async move {
            // As the original reads: what is not needed any more is not read.
            let is_none = H::load(&first).await == 0 && H::load(&second).await == 0;
            let is_all = is_none || H::load(&first).await == 1 && H::load(&second).await == -1;
            assert!(is_all, "half of it");
        })
        .await;
        join_all::<H>(setters).await;
        H::join(checker).await;
    }
}
