//! What subjects are written against.

use std::future::Future;

/// A runtime that explores schedules. Each operation on a cell or a lock is one point,
/// and so is each spawn.
pub(crate) trait Host: Sized + 'static {
    type Cell: Clone + 'static;
    type Lock: Clone + 'static;
    type Held<'a>;
    type Task;

    fn cell(value: i64) -> Self::Cell;

    fn load(cell: &Self::Cell) -> impl Future<Output = i64>;

    fn store(cell: &Self::Cell, value: i64) -> impl Future<Output = ()>;

    /// Adds to the value in one step and returns the sum.
    fn add(cell: &Self::Cell, summand: i64) -> impl Future<Output = i64>;

    /// Replaces the value in one step and returns the old one.
    fn swap(cell: &Self::Cell, value: i64) -> impl Future<Output = i64>;

    fn mutex() -> Self::Lock;

    fn lock(lock: &Self::Lock) -> impl Future<Output = Self::Held<'_>>;

    fn unlock(held: Self::Held<'_>) -> impl Future<Output = ()>;

    fn spawn(task: impl Future<Output = ()> + 'static) -> impl Future<Output = Self::Task>;

    fn join(task: Self::Task) -> impl Future<Output = ()>;
}

/// Spawns all tasks, one after the other.
pub(crate) async fn spawn_all<H: Host>(
    tasks: impl IntoIterator<Item = impl Future<Output = ()> + 'static>,
) -> Vec<H::Task> {
    let mut spawned = Vec::new();
    for task in tasks {
        spawned.push(H::spawn(task).await);
    }
    spawned
}

/// Waits for all tasks.
pub(crate) async fn join_all<H: Host>(tasks: impl IntoIterator<Item = H::Task>) {
    for task in tasks {
        H::join(task).await;
    }
}
