//! A service may need a helper, and asks its own supervisor to start one.
//!
//! What is wrong: it asks in its `start` and waits. The supervisor starts children in order, the helper
//! after the service; so each waits for the other.
//!
//! The repair lets the service start first, and the helper be asked for in a task beside it.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use parcae::actor::{
    Actor, ChildSpec, Context, Crash, Restart, Strategy, Supervisor, SupervisorRef,
};
use parcae::rng::choose_for;
use parcae::time::sleep;

use crate::scenario::Scenario;

pub(crate) const SCENARIO: Scenario = Scenario {
    name: "start-that-asks",
    summary: "A service may need a helper, which its own supervisor is to start.",
    defect: "Its start waits for a child that comes after it; the twin asks when it has started.",
    source: "Erlang: a child that calls its supervisor in init; deadlocks of links in kameo (#221, #340)",
    failure_kind: "deadlock",
    seeds_until_found: 50,
    buggy: || Box::pin(serve(When::InItsStart)),
    fixed: || Box::pin(serve(When::BesideIt)),
};

#[derive(Clone, Copy)]
enum When {
    InItsStart,
    BesideIt,
}

/// The supervisor, as its child knows it.
type Own = Rc<RefCell<Option<SupervisorRef>>>;

struct Service;

impl Actor for Service {
    type Args = (Own, When);
    type Error = Crash;

    async fn start((own, when): Self::Args, cx: &mut Context<Self>) -> Result<Self, Crash> {
        if choose_for("a helper is needed", 0, 0..=1) == 1 {
            let supervisor = own.borrow().clone().expect("it is known before the start");
            let ask = async move {
                let spec = ChildSpec::<Helper>::new(|| Helper).restart(Restart::Temporary);
                supervisor.start_child("helper", spec).await.expect("a helper starts");
            };
            match when {
                When::InItsStart => ask.await,
                When::BesideIt => cx.task(ask),
            }
        }
        Ok(Self)
    }
}

struct Helper;
parcae::actor!(Helper);

async fn serve(when: When) {
    let own = Own::default();
    let mut services = Supervisor::new(Strategy::RestForOne);
    let args = own.clone();
    services.child("service", ChildSpec::<Service>::new(move || (args.clone(), when)));
    let mut root = Supervisor::new(Strategy::OneForOne);
    *own.borrow_mut() = Some(root.supervisor("services", services));
    let _root = root.start().await.expect("all start");
    sleep(Duration::from_secs(1)).await;
}
