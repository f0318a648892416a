//! `lazy01`: a check fails once two others have gone before it.

use super::Subject;
use crate::find::host::{Host, join_all, spawn_all};

#[derive(Clone, Copy)]
pub(crate) struct Lazy;

impl Subject for Lazy {
    fn name(&self) -> String {
        "lazy01".to_owned()
    }

    async fn run<H: Host>(self) {
        let (lock, data) = (H::mutex(), H::cell(0));
        let adders = [1, 2].map(|summand| {
            let (lock, data) = (lock.clone(), data.clone());
            async move {
                let held = H::lock(&lock).await;
                let value = H::load(&data).await;
                H::store(&data, value + summand).await;
                H::unlock(held).await;
            }
        });
        let adders = spawn_all::<H>(adders).await;
        let checker = H::spawn(async move {
            let held = H::lock(&lock).await;
            assert!(H::load(&data).await < 3, "both have added");
            H::unlock(held).await;
        })
        .await;
        join_all::<H>(adders).await;
        H::join(checker).await;
    }
}
