//! Workers join a list by which they are found, and leave it in their last moments. A new one is looked at before
//! it is listed.
//!
//! What is wrong: a worker that ends while it is looked at leaves first and joins after that. It stays in the list
//! for ever, and whatever is told to it is lost.
//!
//! The repair uses a group of the actor system: who has ended cannot join, and who ends is a member no longer,
//! however it ends.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use parcae::actor::{self, Actor, AnyRef, Context, Crash, ExitReason, Handler, Recipient, group};
use parcae::rng::choose_for;
use parcae::spawn_named;
use parcae::time::sleep;

use crate::scenario::Scenario;

pub(crate) const SCENARIO: Scenario = Scenario {
    name: "zombie-in-a-group",
    summary: "Workers join a list when they have been looked at, and leave it when they end.",
    defect: "One that ends meanwhile leaves before it joins; in the twin who has ended is no member.",
    source: "ractor#374: actors that join process groups while they stop",
    failure_kind: "panic",
    seeds_until_found: 50,
    buggy: || Box::pin(run(Members::OfAList)),
    fixed: || Box::pin(run(Members::OfAGroup)),
};

const WORKERS: u64 = 5;

#[derive(Clone, Copy)]
enum Members {
    OfAList,
    OfAGroup,
}

type List = Rc<RefCell<Vec<Recipient<News>>>>;

struct Worker {
    list: List,
}

impl Actor for Worker {
    type Args = List;
    type Error = Crash;

    async fn start(list: List, _: &mut Context<Self>) -> Result<Self, Crash> {
        Ok(Self { list })
    }

    async fn on_stop(&mut self, _: &ExitReason, context: &mut Context<Self>) {
        leave(&self.list, &context.any());
    }
}

fn leave(list: &List, worker: &AnyRef) {
    list.borrow_mut().retain(|member| member.any() != *worker);
}

#[derive(Clone, Debug)]
struct News;
parcae::message!(News -> ());

impl Handler<News> for Worker {
    async fn handle(&mut self, _: News, _: &mut Context<Self>) -> Result<(), Crash> {
        Ok(())
    }
}

async fn run(members: Members) {
    let (list, readers) = (List::default(), group::<News>("readers"));
    let mut staying = 0;
    for number in 0..WORKERS {
        let worker = actor::spawn::<Worker>(list.clone());
        let (list, readers, member) = (list.clone(), readers.clone(), worker.recipient());
        spawn_named("look", async move {
            sleep(Duration::from_millis(3)).await;
            match members {
                Members::OfAList => list.borrow_mut().push(member),
                Members::OfAGroup => readers.join(&member),
            }
        })
        .detach();
        match choose_for("it ends after", number, 0..=20) {
            0 => staying += 1,
            after => {
                sleep(Duration::from_millis(after)).await;
                worker.stop();
            }
        }
    }
    sleep(Duration::from_millis(100)).await;
    let (told, all) = match members {
        Members::OfAList => {
            let list = list.borrow();
            (list.iter().filter(|member| member.tell(News).is_ok()).count(), list.len())
        }
        Members::OfAGroup => (readers.broadcast(&News), readers.members().len()),
    };
    assert_eq!(told, all, "there are members that have ended");
    assert_eq!(told, staying, "all that have not ended are members");
}
