//! Asking, telling and answering.

use std::convert::Infallible;
use std::time::Duration;

use parcae::actor::{
    self, Actor, ActorRef, AskError, Context, ExitReason, Handler, Mailbox, Overflow, ReplyTo,
    Respond, TellError, dead_letters,
};
use parcae::message;
use parcae::task::{settle, yield_now};
use parcae::time::sleep;

use super::{Add, Fail, Panic, Scribe, Work, end};
use crate::clock::{Stopwatch, beats};
use crate::journal::Journal;

fn scribe() -> (ActorRef<Scribe>, Journal<String>) {
    let journal = Journal::new();
    (actor::spawn::<Scribe>(journal.clone()), journal)
}

/// Keeps questions, and answers them when it is told to.
struct Clerk {
    open: Vec<ReplyTo<u32>>,
}

#[derive(Debug)]
struct Question;
message!(Question -> u32);

#[derive(Debug)]
struct AnswerAll(u32);
message!(AnswerAll -> usize);

#[derive(Debug, PartialEq)]
struct DropAll;
message!(DropAll);

#[derive(Debug)]
struct CountCanceled;
message!(CountCanceled -> usize);

impl Actor for Clerk {
    type Args = ();
    type Error = Infallible;
    const MAILBOX: Mailbox = Mailbox::bounded(8).with_overflow(Overflow::Block);

    async fn start((): (), _: &mut Context<Self>) -> Result<Self, Infallible> {
        Ok(Self { open: Vec::new() })
    }
}

impl Respond<Question> for Clerk {
    async fn respond(
        &mut self,
        _: Question,
        reply: ReplyTo<u32>,
        _: &mut Context<Self>,
    ) -> Result<(), Infallible> {
        self.open.push(reply);
        Ok(())
    }
}

impl Handler<AnswerAll> for Clerk {
    async fn handle(
        &mut self,
        answer: AnswerAll,
        _: &mut Context<Self>,
    ) -> Result<usize, Infallible> {
        let open = std::mem::take(&mut self.open);
        let count = open.len();
        open.into_iter().for_each(|reply| reply.send(answer.0));
        Ok(count)
    }
}

impl Handler<DropAll> for Clerk {
    async fn handle(&mut self, _: DropAll, _: &mut Context<Self>) -> Result<(), Infallible> {
        self.open.clear();
        Ok(())
    }
}

impl Handler<CountCanceled> for Clerk {
    async fn handle(
        &mut self,
        _: CountCanceled,
        _: &mut Context<Self>,
    ) -> Result<usize, Infallible> {
        Ok(self.open.iter().filter(|reply| reply.is_canceled()).count())
    }
}

/// Hands questions on to a clerk.
struct Porter(ActorRef<Clerk>);

impl Actor for Porter {
    type Args = ActorRef<Clerk>;
    type Error = Infallible;

    async fn start(clerk: ActorRef<Clerk>, _: &mut Context<Self>) -> Result<Self, Infallible> {
        Ok(Self(clerk))
    }
}

impl Respond<Question> for Porter {
    async fn respond(
        &mut self,
        question: Question,
        reply: ReplyTo<u32>,
        _: &mut Context<Self>,
    ) -> Result<(), Infallible> {
        drop(self.0.ask(question).forward(reply));
        Ok(())
    }
}

conformance! {
    async fn an_ask_gets_the_answer_and_a_tell_goes_on() {
        let (scribe, journal) = scribe();
        assert_eq!(scribe.tell(Add(1)), Ok(()));
        assert_eq!(journal.take(), Vec::<String>::new());
        assert_eq!(scribe.ask(Add(2)).await, Ok(3));
        assert_eq!(journal.take(), ["start", "add 1", "add 2"]);
        end(&scribe.any()).await;
    }

    async fn messages_of_one_sender_are_handled_in_order() {
        let (scribe, journal) = scribe();
        for number in 0..100 {
            assert_eq!(scribe.tell(Add(number)), Ok(()));
        }
        assert_eq!(end(&scribe.any()).await, ExitReason::Normal);
        let mut expected = vec!["start".to_owned()];
        expected.extend((0..100).map(|number| format!("add {number}")));
        expected.push("stop: normal".to_owned());
        assert_eq!(journal.take(), expected);
    }

    async fn an_ask_of_one_that_has_ended_fails_at_once() {
        let (scribe, _) = scribe();
        scribe.stop();
        scribe.exited().await;
        let watch = Stopwatch::start();
        assert_eq!(scribe.ask(Add(1)).no_timeout().await, Err(AskError::NoProc));
        let refused = scribe.tell(Add(7)).unwrap_err();
        assert!(matches!(&refused, TellError::Closed { reason: Some(ExitReason::Normal), .. }));
        assert_eq!(refused.into_message().0, 7);
        watch.took(Duration::ZERO);
    }

    async fn who_asks_learns_of_an_error_and_of_a_panic() {
        for panics in [false, true] {
            let (scribe, journal) = scribe();
            let exited = parcae::spawn(scribe.exited());
            settle().await;
            let failed = if panics {
                scribe.ask(Panic("no ink")).no_timeout().await
            } else {
                scribe.ask(Fail("no ink")).no_timeout().await
            };
            let reason = exited.await;
            assert_eq!(failed, Err(AskError::Died(reason.clone())));
            assert!(reason.is_failure() && reason.to_string().contains("no ink"), "{reason}");
            assert_eq!(matches!(reason, ExitReason::Panicked { .. }), panics);
            assert_eq!(journal.take()[1], format!("stop: {reason}"));
        }
    }

    async fn asks_that_wait_learn_of_the_end() {
        let (scribe, journal) = scribe();
        let (working, waiting) = (scribe.ask(Work(beats(2))), scribe.ask(Add(1)));
        let working = parcae::spawn(working);
        settle().await;
        let waiting = parcae::spawn(waiting);
        settle().await;
        scribe.any().kill();
        assert_eq!(scribe.exited().await, ExitReason::Killed);
        assert_eq!(working.await, Err(AskError::Died(ExitReason::Killed)));
        assert_eq!(waiting.await, Err(AskError::Died(ExitReason::Killed)));
        assert_eq!(journal.take(), ["start", "work", "work dropped"]);
    }

    async fn an_answer_may_come_later() {
        let clerk = actor::spawn::<Clerk>(());
        let questions: Vec<_> = (0..3).map(|_| parcae::spawn(clerk.ask(Question))).collect();
        settle().await;
        // The actor goes on meanwhile.
        assert_eq!(clerk.ask(CountCanceled).await, Ok(0));
        assert_eq!(clerk.ask(AnswerAll(5)).await, Ok(3));
        for question in questions {
            assert_eq!(question.await, Ok(5));
        }
        end(&clerk.any()).await;
    }

    async fn a_question_that_is_dropped_is_answered_so() {
        let clerk = actor::spawn::<Clerk>(());
        let question = parcae::spawn(clerk.ask(Question).no_timeout());
        settle().await;
        assert_eq!(clerk.tell(DropAll), Ok(()));
        assert_eq!(question.await, Err(AskError::Dropped));
        end(&clerk.any()).await;
    }

    async fn a_question_that_the_actor_keeps_dies_with_it() {
        let clerk = actor::spawn::<Clerk>(());
        let question = parcae::spawn(clerk.ask(Question).no_timeout());
        settle().await;
        clerk.stop();
        assert_eq!(question.await, Err(AskError::Died(ExitReason::Normal)));
        clerk.exited().await;
    }

    async fn an_ask_is_over_after_its_time() {
        let clerk = actor::spawn::<Clerk>(());
        let watch = Stopwatch::start();
        let after = beats(3);
        let asked = clerk.ask(Question).timeout(after).await;
        assert_eq!(asked, Err(AskError::Timeout { after }));
        watch.took(after);
        assert_eq!(clerk.ask(CountCanceled).await, Ok(1));
        // The answer that comes late is nobody's, and counted.
        assert_eq!(clerk.ask(AnswerAll(1)).await, Ok(1));
        let letters = dead_letters().take();
        assert_eq!(letters.iter().map(|letter| letter.kind).collect::<Vec<_>>(), ["reply"]);
        end(&clerk.any()).await;
    }

    async fn a_late_answer_is_never_taken_for_another() {
        let clerk = actor::spawn::<Clerk>(());
        let first = clerk.ask(Question).timeout(beats(1)).await;
        assert!(first.is_err());
        let second = parcae::spawn(clerk.ask(Question));
        settle().await;
        assert_eq!(clerk.ask(AnswerAll(9)).await, Ok(2));
        assert_eq!(second.await, Ok(9));
        end(&clerk.any()).await;
    }

    async fn an_ask_that_is_dropped_gives_the_answer_up() {
        let clerk = actor::spawn::<Clerk>(());
        let question = parcae::spawn(clerk.ask(Question));
        settle().await;
        assert_eq!(question.cancel().await, None);
        assert_eq!(clerk.ask(CountCanceled).await, Ok(1));
        end(&clerk.any()).await;
    }

    async fn an_ask_that_is_never_polled_sends_nothing() {
        let (scribe, journal) = scribe();
        drop(scribe.ask(Add(1)));
        drop(scribe.send(Add(2)));
        end(&scribe.any()).await;
        assert_eq!(journal.take(), ["start", "stop: normal"]);
    }

    async fn a_question_is_forwarded_with_the_right_to_answer() {
        let clerk = actor::spawn::<Clerk>(());
        let porter = actor::spawn::<Porter>(clerk.clone());
        let question = parcae::spawn(porter.ask(Question));
        settle().await;
        end(&porter.any()).await;
        assert_eq!(clerk.ask(AnswerAll(4)).await, Ok(1));
        assert_eq!(question.await, Ok(4));
        end(&clerk.any()).await;
    }

    async fn a_question_that_is_forwarded_to_one_that_has_ended_fails() {
        let clerk = actor::spawn::<Clerk>(());
        let porter = actor::spawn::<Porter>(clerk.clone());
        end(&clerk.any()).await;
        assert_eq!(porter.ask(Question).no_timeout().await, Err(AskError::NoProc));
        end(&porter.any()).await;
    }

    async fn a_recipient_hides_the_actor_and_an_adapter_translates() {
        #[derive(Debug)]
        struct Word(&'static str);
        message!(Word -> u32);

        let (scribe, journal) = scribe();
        let adder = scribe.recipient::<Add>();
        let lengths = scribe.adapt(|word: Word| Add(u32::try_from(word.0.len()).unwrap()));
        assert_eq!(adder.tell(Add(1)), Ok(()));
        assert_eq!(lengths.ask(Word("four")).await, Ok(5));
        assert_eq!(lengths.any(), scribe.any());
        end(&scribe.any()).await;
        let refused = lengths.tell(Word("lost")).unwrap_err();
        assert_eq!(refused.into_message().0, "lost");
        assert_eq!(journal.take(), ["start", "add 1", "add 4", "stop: normal"]);
    }

    async fn a_weak_reference_keeps_no_actor() {
        let (scribe, _) = scribe();
        let weak = scribe.downgrade();
        assert_eq!(weak.upgrade().unwrap(), scribe);
        end(&scribe.any()).await;
        drop(scribe);
        // Its task lets go of it when it is done.
        settle().await;
        yield_now().await;
        assert!(weak.upgrade().is_none());
    }

    async fn an_actor_that_is_not_referred_to_goes_on() {
        let (scribe, journal) = scribe();
        let any = scribe.any();
        assert_eq!(scribe.tell(Work(beats(1))), Ok(()));
        drop(scribe);
        sleep(beats(3)).await;
        assert_eq!(journal.take(), ["start", "work", "work done", "work dropped"]);
        end(&any).await;
    }
}
