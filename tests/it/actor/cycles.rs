//! Actors that wait for each other's answers.

use std::convert::Infallible;
use std::time::Duration;

use parcae::actor::{self, Actor, ActorRef, AskError, Context, Handler, ReplyTo, Respond};
use parcae::explore::Strategy;
use parcae::time::Instant;
use parcae::{Failure, Sim, message};

/// Asks the next one, and answers with one more.
struct Link {
    next: Option<ActorRef<Self>>,
    may_cycle: bool,
}

#[derive(Debug)]
struct SetNext(ActorRef<Link>);
message!(SetNext);
#[derive(Debug)]
struct Count;
message!(Count -> u32);
/// As `Count`, answered from a task beside the messages.
#[derive(Debug)]
struct CountAside;
message!(CountAside -> u32);
#[derive(Debug)]
struct One;
message!(One -> u32);

impl Actor for Link {
    type Args = bool;
    type Error = Infallible;

    async fn start(may_cycle: bool, _: &mut Context<Self>) -> Result<Self, Infallible> {
        Ok(Self { next: None, may_cycle })
    }
}

impl Handler<SetNext> for Link {
    async fn handle(&mut self, next: SetNext, _: &mut Context<Self>) -> Result<(), Infallible> {
        self.next = Some(next.0);
        Ok(())
    }
}

impl Handler<Count> for Link {
    async fn handle(&mut self, _: Count, _: &mut Context<Self>) -> Result<u32, Infallible> {
        let Some(next) = &self.next else { return Ok(1) };
        let ask = next.ask(Count);
        let ask = if self.may_cycle { ask.may_cycle() } else { ask };
        Ok(ask.await.map_or(100, |count| count + 1))
    }
}

impl Handler<One> for Link {
    async fn handle(&mut self, _: One, _: &mut Context<Self>) -> Result<u32, Infallible> {
        Ok(1)
    }
}

impl Respond<CountAside> for Link {
    async fn respond(
        &mut self,
        _: CountAside,
        reply: ReplyTo<u32>,
        context: &mut Context<Self>,
    ) -> Result<(), Infallible> {
        let Some(next) = self.next.clone() else {
            reply.send(1);
            return Ok(());
        };
        context.task(async move { reply.send(next.ask(One).await.map_or(100, |count| count + 1)) });
        Ok(())
    }
}

/// Whether the last one asks the first one.
#[derive(Clone, Copy, PartialEq)]
enum Shape {
    Line,
    Ring,
}

async fn chain(names: &[&'static str], may_cycle: bool, shape: Shape) -> Vec<ActorRef<Link>> {
    let links: Vec<_> =
        names.iter().map(|name| actor::spawn_named::<Link>(*name, may_cycle).unwrap()).collect();
    for at in 0..links.len() {
        if shape == Shape::Ring || at + 1 < links.len() {
            let next = links[(at + 1) % links.len()].clone();
            links[at].ask(SetNext(next)).await.unwrap();
        }
    }
    links
}

#[test]
fn a_cycle_of_asks_is_a_deadlock_that_names_it() {
    for seed in 0..200 {
        let failure = Sim::new(seed)
            .run(|| async {
                let links = chain(&["ann", "bob", "cid"], false, Shape::Ring).await;
                links[0].ask(Count).await.unwrap();
            })
            .into_result()
            .unwrap_err();
        let Failure::Deadlock { cycles, .. } = &failure else { panic!("{failure}") };
        let cycle = cycles[0].to_string();
        let turns = [["cid", "ann", "bob"], ["ann", "bob", "cid"], ["bob", "cid", "ann"]];
        assert!(turns.iter().any(|[a, b, c]| {
            cycle
                == format!(
                    "`{a}` -> `{b}` (Count ask of `{b}`) -> `{c}` (Count ask of `{c}`) -> `{a}` \
                     (Count ask of `{a}`)"
                )
        }), "{cycle}");
    }
}

#[test]
fn an_actor_that_asks_itself_is_a_cycle() {
    let failure = Sim::new(7)
        .run(|| async {
            let links = chain(&["narcissus"], false, Shape::Ring).await;
            links[0].ask(Count).await.unwrap();
        })
        .into_result()
        .unwrap_err();
    assert!(failure.to_string().contains("`narcissus` -> `narcissus` (Count ask of `narcissus`)"));
}

#[test]
fn a_chain_is_none_and_an_edge_ends_with_its_answer() {
    for seed in 0..200 {
        Sim::new(seed)
            .run(|| async {
                let links = chain(&["ann", "bob", "cid"], false, Shape::Line).await;
                assert_eq!(links[0].ask(Count).await, Ok(3));
                // Now the other way round.
                links[2].ask(SetNext(links[0].clone())).await.unwrap();
                links[1].ask(SetNext(links[1].clone())).await.unwrap();
                assert_eq!(links[2].ask(CountAside).await, Ok(2));
            })
            .unwrap();
    }
}

#[test]
fn a_cycle_that_is_said_to_be_resolved_ends_with_its_time() {
    let sim = Sim::builder().strategy(Strategy::Fifo).build().unwrap();
    sim.run(|| async {
        let links = chain(&["ann", "bob"], true, Shape::Ring).await;
        let start = Instant::now();
        let asked = links[0].ask(Count).no_timeout().await;
        assert!(asked.unwrap() >= 100);
        assert_eq!(start.elapsed(), Duration::from_secs(5));
    })
    .unwrap();
}

#[test]
fn an_ask_from_a_task_beside_the_messages_is_no_edge() {
    for seed in 0..200 {
        Sim::new(seed)
            .run(|| async {
                let links = chain(&["ann", "bob"], false, Shape::Ring).await;
                assert_eq!(links[0].ask(CountAside).await, Ok(2));
                let own = chain(&["narcissus"], false, Shape::Ring).await;
                assert_eq!(own[0].ask(CountAside).await, Ok(2));
            })
            .unwrap();
    }
}

#[test]
fn who_waits_for_an_answer_that_never_comes_stands_in_the_report() {
    /// Keeps the question.
    struct Sphinx(Option<ReplyTo<u32>>);
    impl Actor for Sphinx {
        type Args = ();
        type Error = Infallible;
        async fn start((): (), _: &mut Context<Self>) -> Result<Self, Infallible> {
            Ok(Self(None))
        }
    }
    impl Respond<One> for Sphinx {
        async fn respond(
            &mut self,
            _: One,
            reply: ReplyTo<u32>,
            _: &mut Context<Self>,
        ) -> Result<(), Infallible> {
            self.0 = Some(reply);
            Ok(())
        }
    }
    let failure = Sim::new(7)
        .run(|| async {
            let sphinx = actor::spawn_named::<Sphinx>("sphinx", ()).unwrap();
            let asked: Result<u32, AskError> = sphinx.ask(One).no_timeout().await;
            asked.unwrap();
        })
        .into_result()
        .unwrap_err()
        .to_string();
    assert!(failure.contains("`main` waits for Actor ask of `sphinx`"), "{failure}");
}
