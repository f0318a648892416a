//! What other libraries have a call for, and what one writes here instead.

use std::rc::Rc;

use parcae::actor::{self, Actor, ActorRef, AskError, Context, Crash, Handler, Message, Respond};
use parcae::message;
use parcae::sync::Queue;
use parcae::task::settle;

use super::{Add, Scribe, end};
use crate::journal::Journal;

/// A look at the state of an actor, or a change of it: `sys:get_state` and `sys:replace_state`.
struct Look<A, R>(Box<Looker<A, R>>);

type Looker<A, R> = dyn FnOnce(&mut A) -> R + Send;

impl<A, R> Look<A, R> {
    fn new(look: impl FnOnce(&mut A) -> R + Send + 'static) -> Self {
        Self(Box::new(look))
    }
}

impl<A, R> std::fmt::Debug for Look<A, R> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Look")
    }
}

impl<A: 'static, R: Send + 'static> Message for Look<A, R> {
    type Reply = R;
}

impl<R: Send + 'static> Handler<Look<Self, R>> for Scribe {
    async fn handle(&mut self, look: Look<Self, R>, _: &mut Context<Self>) -> Result<R, Crash> {
        Ok(look.0(self))
    }
}

/// One of several that take the same work.
struct Hand {
    work: Rc<Queue<u32>>,
    done: Journal<(u32, u32)>,
    number: u32,
}

#[derive(Debug)]
struct Job(u32);
message!(Job);

impl Hand {
    fn take_next(&self, cx: &mut Context<Self>) {
        let work = self.work.clone();
        cx.pipe(async move { work.get().await }, |job| Job(job.unwrap_or(0)));
    }
}

impl Actor for Hand {
    type Args = (Rc<Queue<u32>>, Journal<(u32, u32)>, u32);
    type Error = Crash;

    async fn start(
        (work, done, number): Self::Args,
        cx: &mut Context<Self>,
    ) -> Result<Self, Crash> {
        let hand = Self { work, done, number };
        hand.take_next(cx);
        Ok(hand)
    }
}

impl Handler<Job> for Hand {
    async fn handle(&mut self, Job(job): Job, cx: &mut Context<Self>) -> Result<(), Crash> {
        self.done.add((self.number, job));
        if job == 0 {
            cx.stop();
        } else {
            self.take_next(cx);
        }
        Ok(())
    }
}

/// Asks all at once, and says for each what it answered: `gen_server:multi_call`.
async fn ask_all<A, M>(actors: &[ActorRef<A>], ask: fn() -> M) -> Vec<Result<M::Reply, AskError>>
where
    A: Actor + Respond<M>,
    M: Message,
{
    futures::future::join_all(actors.iter().map(|actor| actor.ask(ask()).into_future())).await
}

conformance! {
    async fn a_message_may_look_at_the_state_or_put_another_in_its_place() {
        let scribe = actor::spawn::<Scribe>(Journal::new());
        assert_eq!(scribe.ask(Add(3)).await, Ok(3));
        assert_eq!(scribe.ask(Look::new(|scribe: &mut Scribe| scribe.total)).await, Ok(3));
        let replace = Look::new(|scribe: &mut Scribe| std::mem::replace(&mut scribe.total, 40));
        assert_eq!(scribe.ask(replace).await, Ok(3));
        assert_eq!(scribe.ask(Add(2)).await, Ok(42));
        end(&scribe.any()).await;
    }

    async fn several_are_asked_at_once_and_those_that_are_gone_are_told_apart() {
        let scribes: Vec<_> =
            (0..3).map(|_| actor::spawn::<Scribe>(Journal::new())).collect();
        end(&scribes[1].any()).await;
        let answers = ask_all(&scribes, || Add(7)).await;
        assert_eq!(answers, [Ok(7), Err(AskError::NoProc), Ok(7)]);
        for place in [0, 2] {
            end(&scribes[place].any()).await;
        }
    }

    async fn several_actors_may_share_the_work_of_a_queue() {
        let (work, done) = (Rc::new(Queue::unbounded()), Journal::new());
        let hands = [1, 2, 3].map(|number| {
            actor::spawn::<Hand>((work.clone(), done.clone(), number))
        });
        settle().await;
        for job in 1..=9 {
            work.put(job).await.unwrap();
        }
        settle().await;
        let mut jobs: Vec<_> = done.take().into_iter().map(|(_, job)| job).collect();
        jobs.sort_unstable();
        assert_eq!(jobs, (1..=9).collect::<Vec<_>>());
        // One that has ended leaves the work to the others.
        hands[0].kill();
        hands[0].exited().await;
        work.put(10).await.unwrap();
        settle().await;
        let [(hand, 10)] = *done.take() else { panic!("one has done it") };
        assert_ne!(hand, 1);
        work.close();
        for hand in &hands[1..] {
            hand.exited().await;
        }
    }
}
