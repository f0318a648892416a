//! Panics belong to their task, until somebody looks.

use std::future::{pending, poll_fn};

use parcae::spawn;
use parcae::task::{JoinError, gather, settle, yield_now};

use crate::journal::Journal;

/// Returns message and place of a panic.
#[track_caller]
fn panic_of<T>(end: Result<T, JoinError>) -> (String, String) {
    match end {
        Err(JoinError::Panicked { message, place, .. }) => {
            (message, place.map_or_else(String::new, |place| place.to_string()))
        }
        Err(error) => panic!("another error: {error}"),
        Ok(_) => panic!("it has not panicked"),
    }
}

conformance! {
    async fn a_panic_is_joined_with_message_and_place() {
        let task = spawn(async {
            yield_now().await;
            panic!("out of {}", "cheese");
        });
        let line = line!() - 2;
        let (message, place) = panic_of::<()>(task.join().await);
        assert_eq!(message, "out of cheese");
        assert!(place.contains(&format!("panicking.rs:{line}")), "{place}");
    }

    async fn a_panic_is_joined_with_what_it_panicked_with() {
        #[derive(Debug, PartialEq)]
        struct Code(u32);
        let task = spawn(async { std::panic::panic_any(Code(7)) });
        match task.join().await {
            Err(JoinError::Panicked { payload, .. }) => {
                assert_eq!(payload.downcast_ref::<Code>(), Some(&Code(7)));
            }
            Err(error) => panic!("another error: {error}"),
            Ok(()) => panic!("it has not panicked"),
        }
    }

    async fn a_panic_says_where_it_was_when_it_is_shown() {
        let task = spawn(async { panic!("out of cheese") });
        let error: JoinError = task.join().await.unwrap_err();
        let text = error.to_string();
        assert!(text.starts_with("the task panicked at "), "{text}");
        assert!(text.contains("panicking.rs:") && text.ends_with(": out of cheese"), "{text}");
    }

    async fn a_panic_goes_on_where_its_task_is_awaited_with_its_place() {
        let inner = spawn(async { panic!("out of cheese") });
        let line = line!() - 1;
        let journal = Journal::new();
        let entries = journal.clone();
        let outer = spawn(async move {
            inner.await;
            entries.add("went on");
        });
        let (message, place) = panic_of(outer.join().await);
        assert_eq!(message, "out of cheese");
        assert!(place.contains(&format!("panicking.rs:{line}")), "{place}");
        assert_eq!(journal.take(), [""; 0]);
    }

    async fn a_panic_goes_on_where_its_task_is_cancelled() {
        let inner = spawn(async { panic!("out of cheese") });
        settle().await;
        let outer = spawn(async move {
            let end: Option<()> = inner.cancel().await;
            end
        });
        assert_eq!(panic_of(outer.join().await).0, "out of cheese");
    }

    async fn a_panic_destroys_what_its_task_held() {
        let journal = Journal::new();
        let guard = journal.on_drop("destroyed");
        let task = spawn(async move {
            let _guard = guard;
            yield_now().await;
            panic!("out of cheese");
        });
        panic_of::<()>(task.join().await);
        assert_eq!(journal.take(), ["destroyed"]);
    }

    async fn other_tasks_go_on_after_a_panic() {
        let others: Vec<_> = (0..5)
            .map(|number| {
                spawn(async move {
                    yield_now().await;
                    number
                })
            })
            .collect();
        let task = spawn(async { panic!("out of cheese") });
        panic_of::<()>(task.join().await);
        assert_eq!(gather(others).await, [0, 1, 2, 3, 4]);
    }

    async fn a_task_that_panicked_has_ended() {
        let task = spawn(async { panic!("out of cheese") });
        settle().await;
        assert!(task.is_finished());
        panic_of::<()>(task.join().await);
    }

    async fn a_panic_in_a_destructor_of_a_finished_future_belongs_to_its_task() {
        struct Bomb;
        impl Drop for Bomb {
            fn drop(&mut self) {
                panic!("in the destructor");
            }
        }
        let task = spawn(async {
            let _bomb = Bomb;
            yield_now().await;
        });
        assert_eq!(panic_of(task.join().await).0, "in the destructor");
    }

    async fn a_task_that_was_cancelled_panics_in_who_awaits_it() {
        let task = spawn(pending::<()>());
        task.cancel_handle().cancel();
        let outer = spawn(task);
        assert_eq!(panic_of(outer.join().await).0, "a task was awaited that was cancelled");
    }

    async fn of_two_panics_of_a_task_the_first_is_told() {
        struct Bomb;
        impl Drop for Bomb {
            fn drop(&mut self) {
                panic!("in the destructor");
            }
        }
        let bomb = Bomb;
        let task = spawn(poll_fn::<(), _>(move |_| {
            let _bomb = &bomb;
            panic!("out of cheese");
        }));
        assert_eq!(panic_of(task.join().await).0, "out of cheese");
    }
}
