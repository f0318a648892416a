//! Actors on a worker of the program's choice.

use std::convert::Infallible;

use parcae::actor::{self, Actor, ActorRef, AskError, Context, ExitReason, Handler};
use parcae::message;
use parcae::task::{settle, workers};

use super::end;
use crate::clock::{HOUR, Stopwatch, beats};

/// Counts, and holds nothing of a thread.
struct Counter {
    total: u32,
}

#[derive(Debug)]
struct Count(u32);
message!(Count -> u32);
#[derive(Debug)]
struct Sleep(std::time::Duration);
message!(Sleep);
#[derive(Debug)]
struct Break;
message!(Break);

impl Actor for Counter {
    type Args = u32;
    type Error = Infallible;

    async fn start(total: u32, _: &mut Context<Self>) -> Result<Self, Infallible> {
        Ok(Self { total })
    }
}

impl Handler<Count> for Counter {
    async fn handle(&mut self, count: Count, _: &mut Context<Self>) -> Result<u32, Infallible> {
        self.total += count.0;
        Ok(self.total)
    }
}

impl Handler<Sleep> for Counter {
    async fn handle(&mut self, sleep: Sleep, _: &mut Context<Self>) -> Result<(), Infallible> {
        parcae::time::sleep(sleep.0).await;
        Ok(())
    }
}

impl Handler<Break> for Counter {
    async fn handle(&mut self, _: Break, _: &mut Context<Self>) -> Result<(), Infallible> {
        panic!("broken")
    }
}

/// Starts one on the last worker.
fn counter(total: u32) -> ActorRef<Counter> {
    let worker = workers().pop().unwrap();
    actor::build::<Counter>(total).name("counter").start_on(&worker).unwrap()
}

conformance! {
    async fn an_actor_that_is_started_on_a_worker_is_as_any_other() {
        let counter = counter(40);
        counter.tell(Count(1)).unwrap();
        assert_eq!(counter.ask(Count(1)).await, Ok(42));
        assert_eq!(actor::whereis::<Counter>("counter").unwrap(), counter);
        let worker = workers().pop().unwrap();
        let taken = actor::build::<Counter>(0).name("counter").start_on(&worker);
        assert_eq!(taken.unwrap_err().name, "counter");
        assert_eq!(end(&counter.any()).await, ExitReason::Normal);
        assert!(actor::whereis::<Counter>("counter").is_none());
    }

    async fn an_actor_that_is_started_on_a_worker_may_be_killed_there() {
        let counter = counter(0);
        let watch = Stopwatch::start();
        let asked = parcae::spawn(counter.ask(Sleep(HOUR)).no_timeout());
        parcae::time::sleep(beats(1)).await;
        counter.kill();
        assert_eq!(counter.exited().await, ExitReason::Killed);
        assert_eq!(asked.await, Err(AskError::Died(ExitReason::Killed)));
        watch.took(beats(1));
    }

    async fn the_failure_of_one_on_a_worker_is_told_to_whoever_waits() {
        let counter = counter(0);
        let exited = parcae::spawn(counter.exited());
        settle().await;
        assert_eq!(counter.ask(Count(1)).await, Ok(1));
        let asked = counter.ask(Break).no_timeout().await;
        let reason = exited.await;
        assert_eq!(asked, Err(AskError::Died(reason.clone())));
        assert!(matches!(reason, ExitReason::Panicked { .. }), "{reason}");
    }
}

/// What only real time has: workers beside that of the program.
#[cfg(feature = "real")]
mod real {
    use parcae::real::{Options, Runtime};

    use super::*;

    fn run(program: impl Future<Output = ()> + 'static) -> parcae::real::Outcome<()> {
        Runtime::new(Options::default().with_workers(2)).unwrap().run(program)
    }

    /// Tells on which thread it is handled.
    #[derive(Debug)]
    struct Where;
    message!(Where -> Option<String>);

    impl Handler<Where> for Counter {
        async fn handle(
            &mut self,
            _: Where,
            _: &mut Context<Self>,
        ) -> Result<Option<String>, Infallible> {
            Ok(thread_name())
        }
    }

    #[expect(clippy::disallowed_methods, reason = "this is about threads")]
    fn thread_name() -> Option<String> {
        std::thread::current().name().map(str::to_owned)
    }

    async fn count_up(counter: ActorRef<Counter>) {
        for _ in 0..500 {
            counter.ask(Count(1)).await.unwrap();
        }
    }

    #[test]
    fn it_handles_what_other_threads_send_on_its_own() {
        run(async {
            let counter = counter(0);
            let there = counter.ask(Where).await.unwrap();
            assert_ne!(there, thread_name());
            let of_worker = parcae::task::spawn_on(&workers()[1], || async { thread_name() });
            assert_eq!(there, of_worker.await);
            // Both threads ask at once, and each of 1,000 counts.
            let theirs = parcae::task::spawn_on(&workers()[1], {
                let counter = counter.clone();
                move || count_up(counter)
            });
            count_up(counter.clone()).await;
            theirs.await;
            assert_eq!(counter.ask(Count(0)).await, Ok(1_000));
            end(&counter.any()).await;
        })
        .unwrap();
    }

    #[test]
    fn its_failure_that_nobody_observes_fails_the_run() {
        let outcome = run(async {
            counter(0).tell(Break).unwrap();
            std::future::pending::<()>().await;
        });
        let error = outcome.into_result().unwrap_err().to_string();
        assert!(error.contains("broken"), "{error}");
    }
}
