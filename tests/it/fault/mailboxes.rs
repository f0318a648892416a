//! Faults of mailboxes: what actors and those who send to them see of each.

use std::time::Duration;

use parcae::actor::{
    self, ActorRef, AskError, Context, Crash, ExitReason, Handler, TellError, Undelivered,
};
use parcae::explore::Check;
use parcae::fault::{MailboxFault, mailboxes};
use parcae::kernel::Ratio;
use parcae::task::settle;
use parcae::time::{Instant, sleep};
use parcae::{Sim, spawn};

use crate::runs::{Journal, SEEDS, millis, secs};

const ALWAYS: Ratio = Ratio::new(1, 1);
const HALF: Ratio = Ratio::percent(50);

/// Keeps what it is told, in order.
struct Keeper(Journal<u32>);
parcae::actor!(Keeper);

/// A message that can be copied.
#[derive(Clone, Debug)]
struct Keep(u32);

impl actor::Message for Keep {
    type Reply = usize;

    fn try_clone(&self) -> Option<Self> {
        Some(self.clone())
    }
}

/// A message that cannot.
#[derive(Debug)]
struct Only(u32);
parcae::message!(Only);

impl Handler<Keep> for Keeper {
    async fn handle(&mut self, keep: Keep, _: &mut Context<Self>) -> Result<usize, Crash> {
        self.0.add(keep.0);
        Ok(self.0.count())
    }
}

impl Handler<Only> for Keeper {
    async fn handle(&mut self, only: Only, _: &mut Context<Self>) -> Result<(), Crash> {
        self.0.add(only.0);
        Ok(())
    }
}

fn keeper(name: &'static str) -> (ActorRef<Keeper>, Journal<u32>) {
    let journal = Journal::new();
    (actor::spawn_named::<Keeper>(name, Keeper(journal.clone())).unwrap(), journal)
}

fn on_seeds<F: Future<Output = ()> + 'static>(program: impl Fn() -> F + Clone + 'static) {
    for seed in 0..SEEDS {
        if let Err(failure) = Sim::new(seed).run(program.clone()).into_result() {
            panic!("seed {seed}: {failure}");
        }
    }
}

#[test]
fn a_message_that_is_dropped_is_a_dead_letter_and_its_ask_times_out() {
    on_seeds(|| async {
        let (keeper, journal) = keeper("keeper");
        let lossy = mailboxes().drop(ALWAYS);
        keeper.tell(Keep(1)).unwrap();
        let asked = keeper.ask(Keep(2)).timeout(secs(1)).await;
        assert_eq!(asked, Err(AskError::Timeout { after: secs(1) }));
        assert_eq!(lossy.fired(), 2);
        let why: Vec<_> = actor::dead_letters().take().into_iter().map(|dead| dead.why).collect();
        assert_eq!(why, [Undelivered::Fault, Undelivered::Fault]);
        lossy.end();
        assert_eq!(keeper.ask(Keep(3)).await, Ok(1));
        assert_eq!(journal.take(), [3]);
    });
}

#[test]
fn a_rule_is_of_the_actors_and_kinds_that_it_names() {
    on_seeds(|| async {
        let ((own, owns), (other, others)) = (keeper("own"), keeper("other"));
        let lossy = mailboxes().of("own").message::<Keep>().drop(ALWAYS);
        for (number, actor) in [(1, &own), (2, &other)] {
            actor.tell(Keep(number)).unwrap();
            actor.tell(Only(10 * number)).unwrap();
        }
        settle().await;
        assert_eq!((owns.take(), others.take()), (vec![10], vec![2, 20]));
        assert_eq!(lossy.fired(), 1);
    });
}

#[test]
fn a_delayed_message_comes_so_much_later_behind_those_sent_after_it() {
    on_seeds(|| async {
        let (keeper, journal) = keeper("keeper");
        let late = mailboxes().message::<Keep>().delay(ALWAYS, millis(20)..=millis(30));
        keeper.tell(Keep(1)).unwrap();
        keeper.tell(Only(2)).unwrap();
        sleep(millis(19)).await;
        assert_eq!(journal.take(), [2]);
        let before = Instant::now();
        assert_eq!(keeper.ask(Keep(3)).await, Ok(2));
        let took = Instant::now() - before;
        assert!((millis(20)..=millis(30)).contains(&took), "{took:?}");
        assert_eq!((journal.take(), late.fired()), (vec![1, 3], 2));
    });
}

#[test]
fn a_message_that_can_be_copied_comes_twice_and_another_does_not() {
    on_seeds(|| async {
        let (keeper, journal) = keeper("keeper");
        let double = mailboxes().duplicate(ALWAYS);
        assert_eq!(keeper.ask(Keep(1)).await, Ok(1));
        keeper.tell(Only(2)).unwrap();
        settle().await;
        assert_eq!(journal.take(), [1, 1, 2]);
        assert_eq!(double.fired(), 1, "what cannot be copied does not count");
    });
}

#[test]
fn reordering_changes_the_order_of_senders_and_not_that_of_one() {
    let mut is_changed = 0;
    for seed in 0..SEEDS {
        let (order, fired) = Sim::new(seed)
            .run(|| async {
                let (keeper, journal) = keeper("keeper");
                let reordering = mailboxes().of("keeper").reorder(HALF);
                settle().await;
                // Each sends its messages in one step, one after the other.
                for sender in 0..3 {
                    let keeper = keeper.clone();
                    let tell = move |number: u32| keeper.tell(Keep(10 * sender + number)).unwrap();
                    spawn(async move { (0..3).for_each(tell) }).await;
                }
                keeper.drain();
                keeper.exited().await;
                (journal.take(), reordering.fired())
            })
            .unwrap();
        assert_eq!(order.len(), 9);
        for sender in 0..3 {
            let own: Vec<_> = order.iter().filter(|kept| **kept / 10 == sender).collect();
            assert!(own.is_sorted(), "seed {seed}: {order:?}");
        }
        assert!(fired > 0 || order.is_sorted(), "seed {seed}: {order:?}");
        is_changed += u32::from(!order.is_sorted());
    }
    assert!(is_changed > 100, "in {is_changed} runs");
}

#[test]
fn an_actor_crashes_at_the_message_of_this_number_once() {
    on_seeds(|| async {
        let (keeper, journal) = keeper("keeper");
        let crash = mailboxes().message::<Keep>().crash_at(3);
        let exited = spawn(keeper.exited());
        settle().await;
        keeper.tell(Only(9)).unwrap();
        assert_eq!(keeper.ask(Keep(1)).await, Ok(2));
        assert_eq!(keeper.ask(Keep(2)).await, Ok(3));
        let Err(AskError::Died(ExitReason::Panicked { message, .. })) = keeper.ask(Keep(3)).await
        else {
            panic!("it did not crash")
        };
        assert!(message.contains("`Keep`"), "{message}");
        assert!(matches!(exited.await, ExitReason::Panicked { .. }));
        assert_eq!((journal.take(), crash.fired()), (vec![9, 1, 2], 1));
        let journal = Journal::new();
        let next = actor::spawn::<Keeper>(Keeper(journal.clone()));
        assert_eq!(next.ask(Keep(4)).await, Ok(1));
        assert_eq!(crash.fired(), 1);
    });
}

#[test]
fn a_slow_actor_takes_so_long_before_each_message() {
    on_seeds(|| async {
        let (keeper, _) = keeper("keeper");
        let slow = mailboxes().slow(ALWAYS, secs(1)..=secs(2));
        let before = Instant::now();
        for count in 1..=3 {
            assert_eq!(keeper.ask(Keep(0)).await, Ok(count));
        }
        let took = Instant::now() - before;
        assert!((secs(3)..=secs(6)).contains(&took), "{took:?}");
        assert_eq!(slow.fired(), 3);
    });
}

#[test]
fn a_mailbox_that_is_made_under_a_rule_has_its_capacity() {
    on_seeds(|| async {
        let tight = mailboxes().of("keeper").capacity(2);
        let ((keeper, _), (other, _)) = (keeper("keeper"), keeper("other"));
        for actor in [&keeper, &other] {
            actor.tell(Keep(1)).unwrap();
            actor.tell(Keep(2)).unwrap();
        }
        assert!(matches!(keeper.tell(Keep(3)), Err(TellError::Full(Keep(3)))));
        other.tell(Keep(3)).unwrap();
        assert_eq!(tight.fired(), 1);
    });
}

#[test]
fn faults_end_with_their_guards_unless_they_are_kept() {
    on_seeds(|| async {
        let (keeper, journal) = keeper("keeper");
        let faults: [MailboxFault; 2] = [mailboxes().drop(ALWAYS), mailboxes().drop(ALWAYS)];
        let [first, second] = faults;
        drop(first);
        keeper.tell(Keep(1)).unwrap();
        assert_eq!(second.fired(), 1, "the other one stands");
        drop(second);
        keeper.tell(Keep(2)).unwrap();
        mailboxes().drop(ALWAYS).keep();
        keeper.tell(Keep(3)).unwrap();
        settle().await;
        assert_eq!(journal.take(), [2]);
    });
}

#[test]
fn one_seed_has_the_same_faults_and_seeds_have_different_ones() {
    let run = |seed| {
        Sim::new(seed)
            .run(|| async {
                let (keeper, journal) = keeper("keeper");
                mailboxes().drop(HALF).keep();
                mailboxes().delay(HALF, Duration::ZERO..=secs(1)).keep();
                for number in 0..8 {
                    keeper.tell(Keep(number)).unwrap();
                }
                sleep(secs(2)).await;
                journal.take()
            })
            .unwrap()
    };
    let mut kept: Vec<_> = (0..SEEDS).map(run).collect();
    assert_eq!(kept, (0..SEEDS).map(run).collect::<Vec<_>>());
    kept.sort();
    kept.dedup();
    assert!(kept.len() > 100, "{} of {SEEDS}", kept.len());
}

#[test]
fn a_failure_shrinks_to_the_one_message_that_has_to_be_lost() {
    let report = Check::new("lossy").seeds(50).run(|| async {
        let (keeper, journal) = keeper("keeper");
        let _lossy = mailboxes().drop(HALF);
        for number in 0..10 {
            keeper.tell(Keep(number)).unwrap();
        }
        settle().await;
        assert!(journal.take().contains(&7), "without the seventh it is lost");
    });
    let finding = report.finding().expect("it is lost in every other run");
    assert_eq!(finding.world().overrides.len(), 1, "one loss is enough");
}

#[test]
fn outside_of_a_simulation_there_is_nobody_to_put_a_fault_on() {
    let panic = std::panic::catch_unwind(|| mailboxes().drop(ALWAYS)).unwrap_err();
    let message = panic.downcast_ref::<String>().map(String::as_str).unwrap_or_default();
    assert!(message.contains("parcae::fault::mailboxes"), "{message}");
}
