//! What is done once.

use std::future::pending;
use std::rc::Rc;

use parcae::spawn;
use parcae::sync::{Once, OnceCell, SetError};
use parcae::task::{gather, settle, yield_now};

use crate::journal::Journal;

conformance! {
    async fn a_value_is_made_once_and_the_others_wait_for_it() {
        let (cell, journal) = (Rc::new(OnceCell::new()), Journal::new());
        let tasks: Vec<_> = (0..5)
            .map(|_| {
                let (cell, journal) = (cell.clone(), journal.clone());
                spawn(async move {
                    let value = cell.get_or_init(|| async {
                        journal.add("made");
                        yield_now().await;
                        42
                    });
                    *value.await
                })
            })
            .collect();
        assert_eq!(gather(tasks).await, [42; 5]);
        assert_eq!(journal.take(), ["made"]);
        assert_eq!(cell.get(), Some(&42));
    }

    async fn the_next_makes_the_value_when_the_first_is_cancelled() {
        let (cell, journal) = (Rc::new(OnceCell::new()), Journal::new());
        let guard = journal.on_drop("first is gone");
        let first = spawn({
            let cell = cell.clone();
            async move {
                let make = || async move {
                    let _guard = guard;
                    pending::<u32>().await
                };
                *cell.get_or_init(make).await
            }
        });
        settle().await;
        let second = spawn({
            let (cell, journal) = (cell.clone(), journal.clone());
            async move {
                let make = || async move {
                    journal.add("second begins");
                    7
                };
                *cell.get_or_init(make).await
            }
        });
        settle().await;
        assert_eq!(journal.take(), [""; 0]);
        drop(first);
        assert_eq!(second.await, 7);
        assert_eq!(journal.take(), ["first is gone", "second begins"]);
    }

    async fn the_next_makes_the_value_when_the_first_fails_or_panics() {
        let cell = Rc::new(OnceCell::new());
        let failed = cell.get_or_try_init(|| async { Err("no") }).await;
        assert_eq!(failed, Err("no"));
        let bomb = spawn({
            let cell = cell.clone();
            async move {
                cell.get_or_init(|| async { panic!("out of cheese") }).await;
            }
        });
        assert!(bomb.join().await.is_err());
        assert_eq!(cell.get_or_try_init(|| async { Ok::<_, &str>(7) }).await, Ok(&7));
    }

    async fn whoever_waits_for_a_value_does_not_make_it() {
        let cell = Rc::new(OnceCell::new());
        let waiter = spawn({
            let cell = cell.clone();
            async move { *cell.wait().await }
        });
        settle().await;
        assert!(!waiter.is_finished());
        assert_eq!(cell.set(7), Ok(()));
        assert_eq!(waiter.await, 7);
        assert_eq!(cell.set(8), Err(SetError::AlreadySet(8)));
    }

    async fn a_value_cannot_be_set_while_it_is_made() {
        let cell = Rc::new(OnceCell::new());
        let maker = spawn({
            let cell = cell.clone();
            async move { *cell.get_or_init(pending::<u32>).await }
        });
        settle().await;
        assert_eq!(cell.set(8), Err(SetError::Initialising(8)));
        maker.cancel().await;
        assert_eq!(cell.set(9), Ok(()));
    }

    async fn a_call_is_made_once_by_whoever_comes_first() {
        let (once, journal) = (Rc::new(Once::new()), Journal::new());
        let tasks: Vec<_> = (0..5)
            .map(|_| {
                let (once, journal) = (once.clone(), journal.clone());
                spawn(async move {
                    once.call_once(|| async move {
                        yield_now().await;
                        journal.add("done");
                    })
                    .await;
                    assert!(once.is_completed());
                })
            })
            .collect();
        gather(tasks).await;
        once.wait().await;
        assert_eq!(journal.take(), ["done"]);
    }

    async fn a_call_that_fails_has_not_been_done() {
        let once = Once::new();
        assert_eq!(once.try_call_once(|| async { Err("no") }).await, Err("no"));
        assert!(!once.is_completed());
        assert_eq!(once.try_call_once(|| async { Ok::<_, &str>(()) }).await, Ok(()));
        assert!(once.is_completed());
    }
}
