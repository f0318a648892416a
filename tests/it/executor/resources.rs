//! Identities of locks, cells and queues: they depend on the world only.

use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Wake};
use std::time::Duration;

use futures::future::join;
use parcae::kernel::Chain;
use parcae::testing::Shared;
use parcae::time::sleep;
use parcae::{Sim, spawn};

/// Uses a cell that was made outside of the run, then one of its own.
fn chain_of(outside: &Arc<Shared<u32>>, meanwhile: impl Fn() + 'static) -> Chain {
    let outside = outside.clone();
    let outcome = Sim::new(1).run(move || async move {
        outside.update(|value| *value += 1).await;
        meanwhile();
        outside.update(|value| *value += 1).await;
        Shared::new(0).set(1).await;
    });
    let chain = outcome.chain();
    outcome.unwrap();
    chain
}

#[test]
fn regression_a_cell_that_two_runs_use_at_once_is_the_same_in_both() {
    // Each run took the other's number for none, and counted one more resource of its task.
    let outside = Arc::new(Shared::new(0));
    let alone = chain_of(&outside, || ());
    let other = outside.clone();
    #[expect(clippy::disallowed_methods, reason = "two runs at once need two threads")]
    let disturbed = chain_of(&outside, move || {
        let other = other.clone();
        std::thread::spawn(move || chain_of(&other, || ())).join().unwrap();
    });
    assert_eq!(alone, disturbed);
}

#[test]
fn regression_a_log_does_not_decide_who_numbers_a_cell_of_outside() {
    // A point that was passed after a preemption gave a number only if there was a log.
    let cells = [Arc::new(Shared::new(0)), Arc::new(Shared::new(0))];
    let program = move || {
        let cells = cells.clone();
        let task = |[left, right]: [Arc<Shared<u32>>; 2]| async move {
            join(left.get(), right.get()).await;
            Shared::new(0).set(1).await;
        };
        async move {
            let tasks = [spawn(task(cells.clone())), spawn(task(cells.clone()))];
            for task in tasks {
                task.await;
            }
        }
    };
    for seed in 0..300 {
        let sim = |is_logged| Sim::builder().seed(seed).log(is_logged).build().unwrap();
        let run = |is_logged| sim(is_logged).run(program.clone()).chain();
        assert_eq!(run(false), run(true), "seed {seed}");
    }
}

/// Makes cells when it is woken, which is between two tasks.
struct Maker(Mutex<Vec<Shared<u32>>>);

impl Wake for Maker {
    fn wake(self: Arc<Self>) {
        let made = [Shared::new(1), Shared::new(2)];
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend(made);
    }
}

#[test]
fn regression_two_cells_that_are_made_between_tasks_are_two() {
    // They were numbered by the count of events, which was the same for both.
    let sim = Sim::builder().seed(1).log(true).build().unwrap();
    let outcome = sim.run(|| async {
        let maker = Arc::new(Maker(Mutex::default()));
        let mut timer = Box::pin(sleep(Duration::from_secs(1)));
        let waker = maker.clone().into();
        assert!(timer.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
        sleep(Duration::from_secs(2)).await;
        let cells = std::mem::take(&mut *maker.0.lock().unwrap());
        for cell in &cells {
            cell.get().await;
        }
    });
    assert_eq!(outcome.log().unwrap().resources.len(), 2);
    outcome.unwrap();
}
