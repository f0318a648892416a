//! Failures of actors that nobody observes, and those that somebody does.

use std::convert::Infallible;

use parcae::actor::{self, Actor, Context, Crash, ExitReason, Handler};
use parcae::{Failure, Sim, message};

struct Fragile;
parcae::actor!(Fragile);

#[derive(Debug)]
struct Knock(bool);
message!(Knock);

impl Handler<Knock> for Fragile {
    async fn handle(&mut self, knock: Knock, _: &mut Context<Self>) -> Result<(), Crash> {
        if knock.0 {
            panic!("broke");
        }
        Err(Crash::new("cracked"))
    }
}

fn fail(knock: Knock, is_observed: bool) -> Result<(), Failure> {
    let program = move || async move {
        let vase = actor::spawn_named::<Fragile>("vase", Fragile).unwrap();
        let exited = is_observed.then(|| parcae::spawn(vase.exited()));
        parcae::task::settle().await;
        vase.tell(knock).unwrap();
        parcae::task::settle().await;
        if let Some(exited) = exited {
            exited.await;
        }
    };
    Sim::new(7).run(program).into_result()
}

#[test]
fn a_failure_that_nobody_observes_fails_the_run() {
    let Err(Failure::Panic { task, message, place }) = fail(Knock(true), false) else { panic!() };
    assert_eq!((&*task, &*message), ("vase", "broke"));
    assert!(place.unwrap().to_string().contains("failures.rs"));
    let Err(Failure::Error { task, message }) = fail(Knock(false), false) else { panic!() };
    assert_eq!((&*task, &*message), ("vase", "error: cracked"));
}

#[test]
fn a_failure_that_somebody_waits_for_does_not() {
    assert_eq!(fail(Knock(true), true), Ok(()));
    assert_eq!(fail(Knock(false), true), Ok(()));
}

#[test]
fn who_dies_of_a_link_fails_the_run_if_nobody_observes_that() {
    struct Friend;
    impl Actor for Friend {
        type Args = ();
        type Error = Infallible;
        async fn start((): (), context: &mut Context<Self>) -> Result<Self, Infallible> {
            let vase = context.spawn::<Fragile>(Fragile);
            vase.tell(Knock(true)).unwrap();
            Ok(Self)
        }
    }
    let outcome = Sim::new(7).run(|| async {
        actor::spawn_named::<Friend>("friend", ()).unwrap();
        parcae::task::settle().await;
    });
    let Err(Failure::Error { task, message }) = outcome.into_result() else { panic!() };
    assert_eq!(task, "friend");
    assert!(message.ends_with("broke"), "{message}");
}

#[test]
fn actors_are_in_the_background_when_the_program_ends() {
    Sim::new(7)
        .run(|| async {
            let _idle = actor::spawn::<Fragile>(Fragile);
            let killed = actor::spawn::<Fragile>(Fragile);
            killed.kill();
            assert_eq!(killed.exited().await, ExitReason::Killed);
        })
        .unwrap();
}

#[test]
fn an_actor_that_a_task_with_values_beside_it_uses_is_named_in_the_report() {
    // Its handler waits for ever, and so does whoever asks.
    struct Deaf;
    parcae::actor!(Deaf);
    impl Handler<Knock> for Deaf {
        async fn handle(&mut self, _: Knock, _: &mut Context<Self>) -> Result<(), Crash> {
            std::future::pending().await
        }
    }
    let outcome = Sim::new(7).run(|| async {
        let deaf = actor::spawn_named::<Deaf>("deaf", Deaf).unwrap();
        deaf.ask(Knock(true)).no_timeout().await.unwrap();
    });
    let failure = outcome.into_result().unwrap_err().to_string();
    assert!(failure.starts_with("deadlock"), "{failure}");
    assert!(failure.contains("`main` waits for Actor ask of `deaf`"), "{failure}");
    assert!(failure.contains("`deaf` waits for"), "{failure}");
}
