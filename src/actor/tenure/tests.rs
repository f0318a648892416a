//! What one incarnation leaves to the next.

use std::convert::Infallible;

use super::Tenure;
use crate::Sim;
use crate::actor::{Actor, ActorStatus, Context, ExitReason, Handler};
use crate::sync::oneshot;
use crate::task::settle;

/// Counts what it handles.
struct Counter(u32);

#[derive(Debug)]
struct Count;
crate::message!(Count -> u32);

impl Actor for Counter {
    type Args = ();
    type Error = Infallible;

    async fn start((): (), _: &mut Context<Self>) -> Result<Self, Infallible> {
        Ok(Self(0))
    }
}

impl Handler<Count> for Counter {
    async fn handle(&mut self, _: Count, _: &mut Context<Self>) -> Result<u32, Infallible> {
        self.0 += 1;
        Ok(self.0)
    }
}

/// Starts an incarnation; what is returned learns why it has ended.
async fn start(tenure: &Tenure<Counter>) -> oneshot::Receiver<ExitReason> {
    let (sender, ended) = oneshot::channel();
    let tell = Box::new(move |reason| drop(sender.send(reason)));
    tenure.launch((), Box::new(drop), tell);
    settle().await;
    ended
}

#[track_caller]
fn check_runs(tenure: &Tenure<Counter>, incarnation: u32) {
    let info = tenure.any_ref().info();
    assert_eq!((info.status, info.incarnation), (ActorStatus::Running, incarnation));
}

fn on_seeds<F: Future<Output = ()> + 'static>(program: impl Fn() -> F + Clone + 'static) {
    for seed in 0..200 {
        Sim::new(seed).run(program.clone()).unwrap();
    }
}

#[test]
fn a_kill_ends_one_incarnation_and_no_more() {
    on_seeds(|| async {
        let tenure = Tenure::<Counter>::new(None, None).unwrap();
        let ended = start(&tenure).await;
        check_runs(&tenure, 1);
        tenure.any_ref().kill();
        assert_eq!(ended.await, Ok(ExitReason::Killed));
        let ended = start(&tenure).await;
        check_runs(&tenure, 2);
        tenure.any_ref().stop(ExitReason::Shutdown);
        assert_eq!(ended.await, Ok(ExitReason::Shutdown));
    });
}

#[test]
fn a_second_stop_is_not_left_to_the_next_incarnation() {
    on_seeds(|| async {
        let tenure = Tenure::<Counter>::new(None, None).unwrap();
        let ended = start(&tenure).await;
        tenure.any_ref().stop(ExitReason::Normal);
        tenure.any_ref().stop(ExitReason::Shutdown);
        assert_eq!(ended.await, Ok(ExitReason::Normal));
        let _ended = start(&tenure).await;
        check_runs(&tenure, 2);
        assert_eq!(tenure.actor_ref().ask(Count).await, Ok(1));
    });
}

#[test]
fn stops_and_kills_between_two_incarnations_end_none_and_messages_are_kept() {
    on_seeds(|| async {
        let tenure = Tenure::<Counter>::new(None, None).unwrap();
        let ended = start(&tenure).await;
        tenure.any_ref().stop(ExitReason::Normal);
        assert_eq!(ended.await, Ok(ExitReason::Normal));
        tenure.actor_ref().tell(Count).unwrap();
        tenure.any_ref().stop(ExitReason::Shutdown);
        tenure.any_ref().kill();
        let _ended = start(&tenure).await;
        check_runs(&tenure, 2);
        assert_eq!(tenure.actor_ref().ask(Count).await, Ok(2));
    });
}
