//! Faults of actors and their messages, drawn or planned: what a program sees of each, and who survives them.

use std::collections::BTreeSet;
use std::rc::Rc;
use std::time::Duration;

use parcae::Sim;
use parcae::actor::{self, ActorRef, ChildSpec, Context, Crash, Handler, Strategy, Supervisor};
use parcae::explore::{Check, CheckReport};
use parcae::fault::{Actors, Budget, Chaos, ChaosBuilder, Fault, FaultKind, FaultPlan, Nemesis};
use parcae::kernel::Ratio;
use parcae::task::settle;
use parcae::time::{Instant, sleep};
use parcae::world;

use crate::runs::{Journal, millis, secs};

const ALWAYS: Ratio = Ratio::new(1, 1);

/// Keeps the numbers that it is told, in order, and answers how many there are.
struct Keeper(Journal<u32>);
parcae::actor!(Keeper);

#[derive(Clone, Debug)]
struct Keep(u32);

impl actor::Message for Keep {
    type Reply = usize;

    fn try_clone(&self) -> Option<Self> {
        Some(self.clone())
    }
}

impl Handler<Keep> for Keeper {
    async fn handle(&mut self, keep: Keep, _: &mut Context<Self>) -> Result<usize, Crash> {
        self.0.add(keep.0);
        Ok(self.0.count())
    }
}

fn keeper(name: &'static str) -> (ActorRef<Keeper>, Journal<u32>) {
    let journal = Journal::new();
    (actor::spawn_named::<Keeper>(name, Keeper(journal.clone())).unwrap(), journal)
}

/// What came of messages: sent before, in and after a second in which a fault is on.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Seen {
    kept: Vec<u32>,
    /// How long the answers to the asks of 1 and 2 took; none that did not come.
    took: [Option<Duration>; 2],
    /// How often the fault has had an effect.
    fired: u64,
}

/// Tells 1, 2 and 3, a second apart; the fault is on around the second one.
fn seen_of(fault: impl Fn() -> Fault + 'static, budget: Budget) -> Seen {
    let outcome = Sim::new(7).run(move || async move {
        let (keeper, journal) = keeper("keeper");
        // Who watches it knows how it ends.
        let exited = parcae::spawn(keeper.exited());
        let plan = FaultPlan::new().step(millis(1500), secs(1), fault());
        let chaos = Chaos::of_actors().plan(plan).budget(budget).start();
        let ask = async |number| {
            let start = Instant::now();
            let answer = keeper.ask(Keep(number)).timeout(millis(400)).await;
            answer.is_ok().then(|| start.elapsed())
        };
        let mut took = [None; 2];
        for (place, number) in [(0, 1), (1, 2)] {
            sleep(secs(1)).await;
            took[place] = ask(number).await;
        }
        sleep(secs(1)).await;
        ask(3).await;
        sleep(secs(1)).await;
        let report = chaos.end();
        assert_eq!(report.kinds.len(), 1, "{report}");
        drop(exited);
        Seen { kept: journal.take(), took, fired: report.kinds[0].fired }
    });
    outcome.unwrap()
}

fn everywhere(fault: fn(Actors) -> Fault) -> impl Fn() -> Fault {
    move || fault(Actors::all())
}

const NOW: Option<Duration> = Some(Duration::ZERO);

#[test]
fn lost_messages_never_come() {
    let loss = everywhere(|actors| Fault::MessageLoss(actors, ALWAYS));
    let seen = seen_of(loss, Budget::max_dead(1));
    assert_eq!(seen, Seen { kept: vec![1, 3], took: [NOW, None], fired: 1 });
}

#[test]
fn delayed_messages_come_later() {
    let by = || millis(300)..=millis(300);
    let delay = move || Fault::MessageDelay(Actors::all(), ALWAYS, by());
    let seen = seen_of(delay, Budget::max_dead(1));
    assert_eq!(seen, Seen { kept: vec![1, 2, 3], took: [NOW, Some(millis(300))], fired: 1 });
}

#[test]
fn duplicated_messages_come_twice() {
    let twice = everywhere(|actors| Fault::MessageDuplication(actors, ALWAYS));
    let seen = seen_of(twice, Budget::max_dead(1));
    assert_eq!(seen, Seen { kept: vec![1, 2, 2, 3], took: [NOW, NOW], fired: 1 });
}

#[test]
fn slow_actors_take_longer() {
    let by = || millis(200)..=millis(200);
    let slow = move || Fault::SlowActors(Actors::all(), ALWAYS, by());
    let seen = seen_of(slow, Budget::max_dead(1));
    assert_eq!(seen, Seen { kept: vec![1, 2, 3], took: [NOW, Some(millis(200))], fired: 1 });
}

#[test]
fn an_actor_that_crashes_loses_what_it_is_asked() {
    let crash = everywhere(|actors| Fault::ActorCrash(actors, 1));
    let seen = seen_of(crash, Budget::max_dead(1));
    // Nobody starts it again.
    assert_eq!(seen, Seen { kept: vec![1], took: [NOW, None], fired: 1 });
}

#[test]
fn reordered_messages_of_several_senders_change_places() {
    let order = |seed, fault: Option<Fault>| {
        let outcome = Sim::new(seed).run(move || async move {
            let (keeper, journal) = keeper("keeper");
            let plan = FaultPlan::new();
            let plan =
                fault.map_or(plan.clone(), |fault| plan.step(Duration::ZERO, secs(1), fault));
            let chaos = Chaos::of_actors().plan(plan).start();
            settle().await;
            for number in 1..=4 {
                let keeper = keeper.clone();
                parcae::spawn(async move { keeper.tell(Keep(number)).unwrap() }).await;
            }
            settle().await;
            drop(chaos);
            journal.take()
        });
        outcome.unwrap()
    };
    let mut changed = 0;
    for seed in 0..20 {
        assert_eq!(order(seed, None), [1, 2, 3, 4]);
        let reordering = Fault::MessageReordering(Actors::all(), ALWAYS);
        let mut reordered = order(seed, Some(reordering));
        changed += u32::from(!reordered.is_sorted());
        reordered.sort_unstable();
        assert_eq!(reordered, [1, 2, 3, 4], "none is lost");
    }
    assert!(changed > 10, "{changed}");
}

#[test]
fn an_actor_that_the_budget_spares_sees_nothing_of_it() {
    let by = || millis(300)..=millis(300);
    let faults: [fn(Actors) -> Fault; 3] = [
        |actors| Fault::MessageLoss(actors, ALWAYS),
        |actors| Fault::MessageDuplication(actors, ALWAYS),
        |actors| Fault::ActorCrash(actors, 1),
    ];
    let untouched = Seen { kept: vec![1, 2, 3], took: [NOW, NOW], fired: 0 };
    let budget = || Budget::max_dead(1).spare_actor("keeper");
    for fault in faults {
        assert_eq!(seen_of(everywhere(fault), budget()), untouched);
    }
    let slow = move || Fault::SlowActors(Actors::all(), ALWAYS, by());
    assert_eq!(seen_of(slow, budget()), untouched);
}

#[test]
fn actors_of_other_machines_see_nothing_of_it() {
    let outcome = Sim::new(7).run(|| async {
        let nodes = world::nodes("m", 2).start(|_| std::future::pending::<()>());
        let loss = Fault::MessageLoss(Actors::on(["m-2"]), ALWAYS);
        let plan = FaultPlan::new().step(Duration::ZERO, secs(1), loss);
        let chaos = Chaos::on(nodes.clone()).plan(plan).start();
        sleep(millis(1)).await;
        assert_eq!((kept_on(&nodes[0]).await, kept_on(&nodes[1]).await), (1, 0));
        assert_eq!(chaos.end().kinds[0].fired, 1);
    });
    outcome.unwrap();
}

#[test]
fn actors_outside_of_the_core_keep_their_faults_and_the_others_do_not() {
    let mut outside_seen = 0;
    for seed in 0..20 {
        let outcome = Sim::new(seed).run(|| async {
            let nodes = world::nodes("m", 3).start(|_| std::future::pending::<()>());
            let loss = Fault::MessageLoss(Actors::on(["m-1", "m-2", "m-3"]), ALWAYS);
            let plan = FaultPlan::new().step(Duration::ZERO, secs(1), loss);
            let chaos = Chaos::on(nodes.clone()).plan(plan).start();
            sleep(millis(1)).await;
            let core = chaos.liveness();
            // Long after it would have ended by itself.
            sleep(secs(5)).await;
            for node in core.machines() {
                assert_eq!(kept_on(node).await, 1, "{}", node.name());
            }
            for node in core.outside() {
                assert_eq!(kept_on(node).await, 0, "{}", node.name());
            }
            core.outside().len()
        });
        outside_seen += outcome.unwrap();
    }
    assert!(outside_seen > 0);
}

/// Has a keeper on a machine be told something by a task there; gives how much it keeps.
async fn kept_on(node: &world::Node) -> usize {
    let tell = async {
        let (keeper, journal) = keeper("keeper");
        keeper.tell(Keep(1)).unwrap();
        sleep(millis(1)).await;
        journal.count()
    };
    node.spawn(tell).await
}

/// A keeper that is started again when it crashes, and two clients that ask until they are answered. What is kept twice is known by its
/// number.
async fn ask_until_answered(chaos: ChaosBuilder) {
    let journal = Journal::new();
    let kept = journal.clone();
    let mut supervisor = Supervisor::new(Strategy::OneForOne).intensity(100, secs(1));
    let spec = ChildSpec::<Keeper>::new(move || Keeper(kept.clone()));
    let keeper = Rc::new(supervisor.child("keeper", spec));
    let supervisor = supervisor.start().await.unwrap();
    let chaos = chaos.start();
    let clients = [0, 100].map(|first| {
        let keeper = keeper.clone();
        parcae::spawn(async move {
            for number in first..first + 60 {
                let mut attempts = 0;
                while keeper.ask(Keep(number)).timeout(millis(300)).await.is_err() {
                    attempts += 1;
                    assert!(attempts < 100, "nobody answers");
                    sleep(millis(100)).await;
                }
                sleep(millis(400)).await;
            }
        })
    });
    for client in clients {
        client.await;
    }
    drop(chaos);
    let kept: BTreeSet<u32> = journal.take().into_iter().collect();
    assert_eq!(kept, (0..60).chain(100..160).collect(), "each is kept once or more");
    drop(supervisor);
}

fn fired(report: &CheckReport) -> BTreeSet<FaultKind> {
    assert!(report.finding().is_none(), "{}", report.finding().unwrap().failure());
    report.faults().iter().filter(|it| it.fired > 0).map(|it| it.kind).collect()
}

#[test]
fn each_fault_of_actors_is_harmless_for_who_asks_again() {
    let mut met = BTreeSet::new();
    for nemesis in Nemesis::of_actors() {
        let report = Check::new(nemesis.name())
            .seeds(20)
            .run(move || ask_until_answered(Chaos::of_actors().nemesis(nemesis.clone())));
        met.extend(fired(&report));
    }
    assert_eq!(met, FaultKind::ALL.into_iter().filter(|kind| kind.is_of_actors()).collect());
}

#[test]
fn who_asks_once_is_found_out() {
    let report = Check::new("once").seeds(200).run(|| async {
        let (keeper, _) = keeper("keeper");
        let chaos = Chaos::of_actors().start();
        for number in 0..30 {
            assert!(keeper.ask(Keep(number)).await.is_ok(), "no answer");
            sleep(millis(500)).await;
        }
        drop(chaos);
    });
    assert!(report.finding().is_some());
}
