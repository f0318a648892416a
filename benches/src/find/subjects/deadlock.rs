//! `deadlock01`: two tasks take two locks in opposite order.

use super::Subject;
use crate::find::host::{Host, join_all, spawn_all};

#[derive(Clone, Copy)]
pub(crate) struct Deadlock;

impl Subject for Deadlock {
    fn name(&self) -> String {
        "deadlock01".to_owned()
    }

    async fn run<H: Host>(self) {
        let (locks, counter) = ([H::mutex(), H::mutex()], H::cell(0));
        let tasks = [(0, 1), (1, 0)].map(|(outer, inner)| {
            let (locks, counter) = (locks.clone(), counter.clone());
            async move {
                let outer = H::lock(&locks[outer]).await;
                let inner = H::lock(&locks[inner]).await;
                let value = H::load(&counter).await;
                H::store(&counter, value + 1).await;
                H::unlock(inner).await;
                H::unlock(outer).await;
            }
        });
        let tasks = spawn_all::<H>(tasks).await;
        join_all::<H>(tasks).await;
    }
}
