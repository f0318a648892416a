//! How a run on real time ends: what is left, and for how long it is waited for.

use std::future::pending;
use std::process::Command;
use std::rc::Rc;
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

use parcae::real::{Options, RunError, Runtime, Signals};
use parcae::task::{
    Builder, CancelReason, ContextVar, JoinError, finally, finally_within, settle, shutdown_token,
    spawn_on, workers,
};
use parcae::time::sleep;
use parcae::{Task, spawn, spawn_named};

use super::{run_with, two_workers};
use crate::runs::{OnDrop, millis, secs};

type Words = Arc<Mutex<Vec<&'static str>>>;

fn say(words: &Words, word: &'static str) {
    words.lock().unwrap().push(word);
}

#[test]
fn tasks_that_are_left_are_cancelled_and_their_cleanups_awaited() {
    let words = Words::default();
    let heard = words.clone();
    let outcome = run_with(Options::default(), async move {
        let (said, farewell) = (words.clone(), words.clone());
        spawn(async move {
            let _dropped = OnDrop(move || say(&said, "dropped"));
            pending::<()>().await;
        })
        .detach();
        let body = pending::<()>();
        let cleanup = async move || {
            sleep(millis(5)).await;
            say(&farewell, "farewell");
        };
        spawn(finally(body, cleanup)).background();
        settle().await;
        say(&words, "over");
    });
    assert!(outcome.unfinished.is_empty());
    outcome.unwrap();
    assert_eq!(*heard.lock().unwrap(), ["over", "dropped", "farewell"]);
}

#[test]
fn what_is_left_on_other_workers_is_cancelled_too() {
    let words = Words::default();
    let heard = words.clone();
    let outcome = run_with(two_workers(), async move {
        let (began, has_begun) = parcae::sync::oneshot::channel();
        spawn_on(&workers()[1], move || async move {
            let farewell = async move || {
                sleep(millis(5)).await;
                say(&words, "farewell");
            };
            let body = async {
                began.send(()).unwrap();
                pending::<()>().await;
            };
            finally(body, farewell).await;
        })
        .detach();
        has_begun.await.unwrap();
    });
    assert!(outcome.unfinished.is_empty());
    assert_eq!(*heard.lock().unwrap(), ["farewell"]);
}

#[test]
fn a_run_that_is_ending_takes_no_more_tasks_but_of_cleanups() {
    let words = Words::default();
    let heard = words.clone();
    let outcome = run_with(Options::default(), async move {
        let (refused, said) = (words.clone(), words.clone());
        let farewell = async move || {
            let helper = spawn(async { parcae::task::unblock(|| "flushed").await });
            let word = helper.await;
            say(&said, word);
        };
        let body = async move {
            let _dropped = OnDrop(move || {
                let late: Task<()> = spawn(async { unreachable!("the run takes no more tasks") });
                if late.is_finished() {
                    say(&refused, "refused");
                }
            });
            pending::<()>().await;
        };
        spawn(finally(body, farewell)).detach();
        settle().await;
    });
    assert!(outcome.unfinished.is_empty());
    outcome.unwrap();
    assert_eq!(*heard.lock().unwrap(), ["refused", "flushed"]);
}

#[test]
fn work_that_comes_for_the_thread_of_the_program_after_its_end_is_refused_at_once() {
    let outcome = run_with(two_workers().with_grace(secs(600)), async {
        let (began, has_begun) = mpsc::channel();
        let (over, is_over) = mpsc::channel::<()>();
        spawn_on(&workers()[1], move || async move {
            let body = async {
                began.send(()).unwrap();
                pending::<()>().await;
            };
            // A cleanup runs when the program has ended.
            let farewell = async move || {
                let late = spawn_on(&workers()[0], || async { unreachable!("nobody is there") });
                let join: Result<(), _> = late.join().await;
                assert!(matches!(join, Err(JoinError::Gone)));
                over.send(()).unwrap();
            };
            finally(body, farewell).await;
        })
        .detach();
        has_begun.recv().unwrap();
        is_over
    });
    assert!(outcome.unfinished.is_empty());
    assert_eq!(outcome.unwrap().try_recv(), Ok(()));
}

#[test]
fn a_cleanup_of_the_program_itself_is_cut_after_the_grace_and_its_value_kept() {
    let outcome = run_with(Options::default().with_grace(millis(50)), async {
        let hang = async || pending::<()>().await;
        let mut session = Box::pin(finally_within(secs(3600), pending::<()>(), hang));
        std::future::poll_fn(|context| {
            let poll = session.as_mut().poll(context);
            assert!(poll.is_pending());
            std::task::Poll::Ready(())
        })
        .await;
        drop(session);
        42
    });
    let tasks: Vec<&str> = outcome.unfinished.iter().map(|task| task.task.as_str()).collect();
    assert_eq!(tasks, ["main", "cleanup"]);
    assert_eq!(outcome.unwrap(), 42);
}

#[test]
fn a_task_that_settles_again_and_again_leaves_time_and_others_their_turn() {
    parcae::real::run(async {
        let is_done = Rc::new(std::cell::Cell::new(false));
        let done = is_done.clone();
        spawn(async move {
            sleep(millis(5)).await;
            done.set(true);
        })
        .detach();
        while !is_done.get() {
            settle().await;
        }
    });
}

#[test]
fn a_cleanup_that_hangs_is_cut_and_listed() {
    let grace = millis(50);
    let outcome = run_with(Options::default().with_grace(grace), async {
        let hang = async || pending::<()>().await;
        let task = finally_within(secs(3600), pending::<()>(), hang);
        spawn_named("session", task).detach();
        settle().await;
    });
    let tasks: Vec<&str> = outcome.unfinished.iter().map(|task| task.task.as_str()).collect();
    assert_eq!(tasks, ["session", "session/cleanup"]);
    let session = &outcome.unfinished[0];
    assert_eq!((session.worker, session.spawned_at.file()), (0, file!()));
    let place = format!("`session` (spawned at {}:{})", file!(), session.spawned_at.line());
    assert!(session.to_string().starts_with(&place), "{session}");
    outcome.unwrap();
}

#[test]
fn what_is_cut_is_destroyed_in_its_own_context() {
    let words = Words::default();
    let heard = words.clone();
    let outcome = run_with(Options::default().with_grace(millis(20)), async move {
        spawn(hang(words)).detach();
        settle().await;
    });
    assert!(!outcome.unfinished.is_empty());
    assert_eq!(*heard.lock().unwrap(), ["of the task"]);
}

#[test]
fn what_is_cut_on_another_worker_is_destroyed_there_before_the_end() {
    let words = Words::default();
    let heard = words.clone();
    let outcome = run_with(two_workers().with_grace(millis(20)), async move {
        let (began, has_begun) = parcae::sync::oneshot::channel();
        let task = spawn_on(&workers()[1], move || async move {
            began.send(()).unwrap();
            hang(words).await;
        });
        task.detach();
        has_begun.await.unwrap();
    });
    assert!(!outcome.unfinished.is_empty());
    assert_eq!(*heard.lock().unwrap(), ["of the task"]);
}

/// Leaves a cleanup behind that never ends, and says what it sees when it is destroyed.
async fn hang(words: Words) {
    static WORD: ContextVar<&'static str> = ContextVar::new(|| "of nobody");
    WORD.set("of the task");
    let cleanup = async move || {
        let _dropped = OnDrop(move || {
            assert!(spawn(async {}).is_finished(), "the run takes no more tasks");
            say(&words, WORD.get());
        });
        pending::<()>().await;
    };
    finally_within(secs(3600), pending::<()>(), cleanup).await;
}

#[test]
fn a_task_whose_cleanup_was_cut_has_ended() {
    // Then it or its cleanup is the older one for the executor, and destroyed first.
    for is_cancelled_early in [false, true] {
        let outcome = run_with(Options::default().with_grace(millis(20)), async move {
            let task = spawn(hang(Words::default()));
            settle().await;
            if is_cancelled_early {
                task.cancel_handle().cancel();
                settle().await;
            }
            [task]
        });
        assert_eq!(outcome.unfinished.len(), 2);
        let [task] = outcome.unwrap();
        assert!(task.is_finished());
        let join = futures::executor::block_on(task.join());
        assert!(matches!(join, Err(JoinError::Cancelled)));
    }
}

#[test]
fn an_eager_task_of_a_variable_that_is_dropped_with_its_task_begins_later() {
    type Held = Rc<OnDrop<Box<dyn FnMut()>>>;
    static HELD: ContextVar<Option<Held>> = ContextVar::new(|| None);

    let words = Words::default();
    let heard = words.clone();
    let outcome = run_with(Options::default(), async move {
        let spawner = OnDrop::<Box<dyn FnMut()>>(Box::new(move || {
            let entries = words.clone();
            Builder::new().eager().spawn(async move { say(&entries, "begun") }).detach();
            say(&words, "dropped");
        }));
        // Dropped when the poll of the task is over.
        spawn(async move { HELD.set(Some(Rc::new(spawner))) }).await;
        settle().await;
    });
    outcome.unwrap();
    assert_eq!(*heard.lock().unwrap(), ["dropped", "begun"]);
}

#[test]
fn an_eager_task_of_a_run_that_is_ending_does_not_begin() {
    let words = Words::default();
    let heard = words.clone();
    let outcome = run_with(Options::default(), async move {
        let task = async move {
            let _dropped = OnDrop(move || {
                let entries = words.clone();
                Builder::new().eager().spawn(async move { say(&entries, "begun") }).detach();
                say(&words, "dropped");
            });
            pending::<()>().await;
        };
        spawn(task).detach();
        settle().await;
    });
    outcome.unwrap();
    assert_eq!(*heard.lock().unwrap(), ["dropped"]);
}

#[test]
fn a_worker_that_comes_to_no_await_is_left_alone_and_listed() {
    let (release, is_released) = mpsc::channel::<()>();
    let outcome = run_with(two_workers().with_grace(millis(50)), async move {
        let (began, has_begun) = parcae::sync::oneshot::channel();
        let stuck = move || async move {
            began.send(()).unwrap();
            let _ = is_released.recv();
        };
        spawn_on(&workers()[1], stuck).detach();
        has_begun.await.unwrap();
    });
    assert_eq!(outcome.unfinished.len(), 1);
    assert_eq!((outcome.unfinished[0].task.as_str(), outcome.unfinished[0].worker), ("task#0", 1));
    drop(release);
    outcome.unwrap();
}

#[test]
fn a_program_that_is_asked_to_end_has_its_grace_to_do_so() {
    let outcome = run_with(Options::default(), async {
        shutdown_token().cancel("enough");
        sleep(millis(20)).await;
        42
    });
    assert_eq!(outcome.unwrap(), 42);
}

#[test]
fn a_program_that_does_not_end_when_asked_to_is_cancelled_after_its_grace() {
    let words = Words::default();
    let heard = words.clone();
    let grace = millis(20);
    let outcome = run_with(Options::default().with_grace(grace), async move {
        shutdown_token().cancel("enough");
        let farewell = async move || say(&words, "farewell");
        finally(pending::<()>(), farewell).await;
    });
    let Err(RunError::Overdue { reason, grace: had }) = outcome.result else {
        panic!("the program does not end");
    };
    assert_eq!((reason, had), (CancelReason::from("enough"), grace));
    assert_eq!(*heard.lock().unwrap(), ["farewell"]);
}

#[test]
fn the_first_signal_asks_the_program_to_end_and_the_second_ends_it() {
    fn signal(name: &str) {
        let process = std::process::id().to_string();
        let status = Command::new("kill").args(["-s", name, &process]).status();
        assert!(status.unwrap().success());
    }

    // One after the other: a signal is for the whole process.
    for (first, word, second) in [("TERM", "SIGTERM", "INT"), ("INT", "SIGINT", "TERM")] {
        let options = Options::default().with_signals(Signals::Graceful).with_grace(secs(600));
        let heard = Arc::new(Mutex::new(None));
        let reason = heard.clone();
        let outcome = run_with(options, async move {
            // A third cuts the cleanups.
            let farewell = async move || {
                signal(first);
                pending::<()>().await;
            };
            spawn(finally_within(secs(3600), pending::<()>(), farewell)).detach();
            settle().await;
            signal(first);
            *reason.lock().unwrap() = Some(shutdown_token().cancelled().await);
            signal(second);
            pending::<()>().await;
        });
        assert_eq!(*heard.lock().unwrap(), Some(CancelReason::from(word)));
        assert_eq!(outcome.unfinished.len(), 2);
        let error = outcome.result.unwrap_err();
        assert!(matches!(&error, RunError::Interrupted { reason } if *reason == word.into()));
        let end = format!("({word}) and was cut short by a second signal");
        assert!(error.to_string().ends_with(&end), "{error}");
    }
}

#[test]
fn a_runtime_that_is_dropped_ends_the_tasks_of_its_workers() {
    let (sender, receiver) = mpsc::channel();
    let runtime = Runtime::new(two_workers()).unwrap();
    let (began, has_begun) = parcae::sync::oneshot::channel();
    spawn_on(&runtime.workers()[1], move || async move {
        let _dropped = OnDrop(move || sender.send("dropped").unwrap());
        began.send(()).unwrap();
        pending::<()>().await;
    })
    .detach();
    futures::executor::block_on(has_begun).unwrap();
    drop(runtime);
    assert_eq!(receiver.try_recv(), Ok("dropped"));
}

#[test]
fn what_was_sent_to_a_runtime_that_never_runs_is_over_when_that_is() {
    let runtime = Runtime::new(Options::default()).unwrap();
    let worker = runtime.workers().remove(0);
    let early = spawn_on(&worker, || async { 1 });
    assert!(!early.is_finished());
    let outcome = runtime.shutdown();
    assert!(outcome.unfinished.is_empty());
    let late = spawn_on(&worker, || async { 2 });
    for task in [early, late] {
        assert!(task.is_finished());
        let join = futures::executor::block_on(task.join());
        assert!(matches!(join, Err(JoinError::Gone)));
    }
}

#[test]
fn a_handle_that_outlives_its_runtime_is_ready() {
    let runtime = Runtime::new(two_workers()).unwrap();
    let task = spawn_on(&runtime.workers()[1], pending::<()>);
    runtime.run(async { sleep(millis(1)).await }).unwrap();
    let join = futures::executor::block_on(task.join());
    assert!(matches!(join, Err(JoinError::Cancelled)));
}

#[test]
fn a_program_that_ends_at_once_leaves_no_thread_waiting() {
    for _ in 0..20 {
        let outcome = run_with(two_workers().with_grace(Duration::from_secs(600)), async {});
        assert!(outcome.unfinished.is_empty());
    }
}

#[test]
fn values_that_tasks_return_may_be_taken_on_another_thread_and_stay_whole() {
    let runtime = Runtime::new(two_workers()).unwrap();
    let task = spawn_on(&runtime.workers()[1], || async {
        let local = Rc::new(String::from("whole"));
        String::clone(&local)
    });
    let taken = runtime.run(task);
    assert_eq!(taken.unwrap(), "whole");
}
