//! Tests of `parcae::testing::Shared`.

use std::rc::Rc;

use futures::executor::block_on;
use parcae::Sim;
use parcae::executor::Happening;
use parcae::explore::Strategy;
use parcae::testing::Shared;

async fn count(is_one_step: bool) -> u32 {
    let counter = Rc::new(Shared::new(0).named("counter"));
    let tasks: Vec<_> = (0..3)
        .map(|_| {
            let counter = counter.clone();
            parcae::spawn(async move {
                if is_one_step {
                    counter.update(|value| *value += 1).await;
                } else {
                    let value = counter.get().await;
                    counter.set(value + 1).await;
                }
            })
        })
        .collect();
    for task in tasks {
        task.await;
    }
    counter.peek()
}

#[test]
fn a_read_and_a_write_lose_updates_on_some_seeds() {
    let mut counts: Vec<_> =
        (0..200).map(|seed| Sim::new(seed).run(|| count(false)).unwrap()).collect();
    counts.sort_unstable();
    counts.dedup();
    assert_eq!(counts, [1, 2, 3]);
}

#[test]
fn an_update_is_one_step() {
    for seed in 0..200 {
        assert_eq!(Sim::new(seed).run(|| count(true)).unwrap(), 3);
    }
}

#[test]
fn under_fifo_nothing_comes_between() {
    let sim = Sim::builder().strategy(Strategy::Fifo).build().unwrap();
    assert_eq!(sim.run(|| count(false)).unwrap(), 3);
}

#[test]
fn the_log_tells_what_was_read_and_written() {
    let sim = Sim::builder().log(true).build().unwrap();
    let outcome = sim.run(|| async {
        let cell = Shared::new(0).named("cell");
        cell.set(1).await;
        cell.get().await;
        cell.update(|value| *value += 1).await;
        cell.swap(5).await;
    });
    let log = outcome.log().unwrap();
    let lines: Vec<String> = log
        .entries
        .iter()
        .filter_map(|entry| match &entry.what {
            Happening::Note(text) => Some(text.to_string()),
            Happening::Operation { resource, verb } => {
                Some(format!("{verb} {}", log.resources[resource].name.unwrap()))
            }
            _ => None,
        })
        .collect();
    assert_eq!(
        lines,
        [
            "write cell",
            "writes 1",
            "read cell",
            "reads 1",
            "update cell",
            "reads 1",
            "writes 2",
            "swap cell",
            "reads 2",
            "writes 5",
        ]
    );
    let location = log.entries.iter().find_map(|entry| match entry.what {
        Happening::Operation { verb: "write", .. } => entry.location,
        _ => None,
    });
    assert!(location.unwrap().file().ends_with("shared.rs"));
}

#[test]
fn a_write_that_is_dropped_is_not_done() {
    let cell = Shared::new(vec![0]);
    drop(cell.set(vec![1]));
    drop(cell.update(|value| value.push(1)));
    assert_eq!(cell.into_inner(), [0]);
}

#[test]
fn it_is_a_plain_cell_outside_of_a_run() {
    let cell = Shared::new(1);
    block_on(async {
        cell.set(2).await;
        assert_eq!(cell.swap(3).await, 2);
        assert_eq!(cell.update(|value| *value * 2).await, 6);
        assert_eq!(cell.get().await, 3);
    });
    assert_eq!(format!("{cell:?}"), "Shared(3)");
    assert_eq!(cell.into_inner(), 3);
}

#[test]
fn an_update_that_uses_its_own_cell_panics() {
    let outcome = Sim::new(7).run(|| async {
        let cell = Shared::new(1);
        cell.update(|_| cell.peek()).await
    });
    let failure = outcome.into_result().unwrap_err().to_string();
    assert!(failure.contains("a `Shared` was used while it was in use"), "{failure}");
}

#[test]
fn a_panic_in_an_update_leaves_the_cell_usable() {
    Sim::new(7)
        .run(|| async {
            let cell = Rc::new(Shared::new(1));
            let task = parcae::spawn({
                let cell = cell.clone();
                async move {
                    cell.update(|value| {
                        *value = 2;
                        panic!("in the update");
                    })
                    .await
                }
            });
            assert!(task.join().await.is_err());
            assert_eq!(cell.get().await, 2);
        })
        .unwrap();
}
