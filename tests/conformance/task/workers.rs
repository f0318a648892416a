//! Tasks on a stated worker, and being asked to end.

use std::future::pending;
use std::rc::Rc;

use parcae::sync::oneshot;
use parcae::task::{
    CancelReason, ContextVar, JoinError, finally, settle, shutdown_token, spawn_on, workers,
    yield_now,
};
use parcae::time::sleep;
use parcae::{Task, spawn};

use crate::clock::{Stopwatch, beats};

static REQUEST: ContextVar<u32> = ContextVar::new(|| 0);

conformance! {
    async fn a_program_has_a_worker_and_its_index_is_0() {
        let workers = workers();
        assert_eq!(workers[0].index(), 0);
        let theirs = spawn(async { parcae::task::workers().len() });
        assert_eq!(theirs.await, workers.len());
    }

    async fn a_future_is_made_on_its_worker_and_need_not_be_send() {
        let task = spawn_on(&workers()[0], || {
            let word = Rc::new("local");
            async move {
                yield_now().await;
                word.len()
            }
        });
        assert!(!task.is_finished());
        assert_eq!(task.await, 5);
    }

    async fn a_task_on_a_worker_is_cancelled_when_its_handle_is_dropped() {
        let (sender, receiver) = oneshot::channel::<()>();
        let task: Task<()> = spawn_on(&workers()[0], move || async move {
            let _sender = sender;
            pending::<()>().await;
        });
        settle().await;
        drop(task);
        assert!(receiver.await.is_err());
    }

    async fn a_task_on_a_worker_that_is_dropped_before_it_began_is_not_polled() {
        let (sender, receiver) = oneshot::channel();
        let task = spawn_on(&workers()[0], move || async move { sender.send("polled") });
        drop(task);
        assert!(receiver.await.is_err());
    }

    async fn a_panic_on_a_worker_is_joined_with_its_place() {
        let task: Task<()> = spawn_on(&workers()[0], || async { panic!("out of cheese") });
        match task.join().await {
            Err(JoinError::Panicked { message, place, .. }) => {
                assert_eq!(message, "out of cheese");
                assert!(place.unwrap().to_string().contains("workers.rs:"));
            }
            end => panic!("another end: {end:?}"),
        }
    }

    async fn a_panic_while_a_future_is_made_belongs_to_its_task() {
        fn make() -> std::future::Ready<u32> {
            panic!("out of cheese")
        }
        let end = spawn_on(&workers()[0], make).join().await;
        assert!(end.unwrap_err().to_string().contains("out of cheese"));
    }

    async fn whoever_cancels_a_task_on_a_worker_waits_for_its_cleanups() {
        let watch = Stopwatch::start();
        let (sender, mut receiver) = oneshot::channel();
        let task: Task<()> = spawn_on(&workers()[0], move || {
            finally(pending(), async move || {
                sleep(beats(1)).await;
                sender.send("clean").unwrap();
            })
        });
        settle().await;
        assert_eq!(task.cancel().await, None);
        assert_eq!(receiver.try_recv(), Ok("clean"));
        watch.took(beats(1));
    }

    async fn variables_stay_on_their_worker() {
        REQUEST.set(17);
        let theirs = spawn_on(&workers()[0], || async { REQUEST.get() });
        assert_eq!((theirs.await, REQUEST.get()), (0, 17));
    }

    async fn all_tasks_see_one_token_that_asks_for_the_end() {
        assert!(!shutdown_token().is_cancelled());
        let service = spawn(async { shutdown_token().cancelled().await });
        settle().await;
        assert!(!service.is_finished());
        spawn(async { shutdown_token().cancel("SIGTERM") }).await;
        assert_eq!(service.await, CancelReason::Requested("SIGTERM".into()));
        assert!(shutdown_token().is_cancelled());
    }

    async fn a_program_that_was_asked_to_end_may_take_its_time() {
        let watch = Stopwatch::start();
        shutdown_token().cancel("enough");
        sleep(beats(2)).await;
        spawn(async {}).await;
        watch.took(beats(2));
    }
}
