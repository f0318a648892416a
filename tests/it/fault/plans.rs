//! What is drawn: determinism, swarm, shapes, budgets.

use std::collections::BTreeSet;
use std::time::Duration;

use parcae::Sim;
use parcae::explore::Check;
use parcae::fault::{Budget, Chaos, ChaosReport, Excess, Fault, FaultKind, FaultPlan, Nemesis};
use parcae::time::sleep;
use parcae::world;

use crate::runs::{SEEDS, millis};

/// A program that does nothing and never ends.
async fn forever(_: usize) {
    std::future::pending::<()>().await;
}

/// Runs a chaos on five machines in two zones to its end and gives what it did.
fn chaos(seed: u64, budget: Budget, nemesis: Option<Nemesis>) -> ChaosReport {
    let outcome = Sim::new(seed).run(move || async move {
        let mut nodes = world::nodes("a", 3).label("zone", "a").start(forever);
        nodes.extend(world::nodes("b", 2).label("zone", "b").start(forever));
        let mut builder = Chaos::on(nodes).budget(budget);
        if let Some(nemesis) = nemesis {
            builder = builder.nemesis(nemesis).swarm(false);
        }
        let chaos = builder.start();
        sleep(Duration::from_secs(120)).await;
        chaos.end()
    });
    outcome.unwrap()
}

#[test]
fn the_same_seed_draws_the_same_plan() {
    for seed in 0..50 {
        assert_eq!(chaos(seed, Budget::max_dead(1), None), chaos(seed, Budget::max_dead(1), None));
    }
    let plans: BTreeSet<_> =
        (0..50).map(|seed| chaos(seed, Budget::max_dead(1), None).to_string()).collect();
    assert_eq!(plans.len(), 50);
}

#[test]
fn each_kind_is_planned_and_has_an_effect_on_some_seed() {
    let mut planned = BTreeSet::new();
    let mut fired = BTreeSet::new();
    for seed in 0..50 {
        for count in chaos(seed, Budget::max_dead(2), None).kinds {
            planned.insert(count.kind);
            if count.fired > 0 {
                fired.insert(count.kind);
            }
        }
    }
    let is_usual = |kind: &FaultKind| *kind != FaultKind::Corruption && !kind.is_of_actors();
    let expected: BTreeSet<_> = FaultKind::ALL.into_iter().filter(is_usual).collect();
    assert_eq!(planned, expected);
    // Nothing is sent here, so that only what happens to machines has an effect.
    let on_machines = [
        FaultKind::Kill,
        FaultKind::PowerOff,
        FaultKind::Pause,
        FaultKind::Slow,
        FaultKind::ClockStep,
        FaultKind::ClockDrift,
    ];
    assert_eq!(fired, BTreeSet::from(on_machines));
}

#[test]
fn half_of_the_seeds_leave_nemeses_out() {
    let reports: Vec<_> = (0..SEEDS).map(|seed| chaos(seed, Budget::max_dead(1), None)).collect();
    let has_left_out =
        |report: &&ChaosReport| report.nemeses.iter().any(|(_, strength)| *strength == 0);
    let count = reports.iter().filter(has_left_out).count();
    assert!((70..=130).contains(&count), "{count} of 200");
    // Whoever leaves out leaves out half of them.
    let out: usize = reports
        .iter()
        .filter(has_left_out)
        .map(|report| report.nemeses.iter().filter(|(_, strength)| *strength == 0).count())
        .sum();
    let share = out as f64 / (count * 15) as f64;
    assert!((0.4..=0.6).contains(&share), "{share}");
}

#[test]
fn a_shrunk_world_holds_the_fault_that_it_needs_and_no_other() {
    let report = Check::new("one kill").seeds(50).run(|| async {
        let nodes = world::nodes("kv", 3).start(forever);
        let chaos = Chaos::on(nodes.clone()).start();
        for _ in 0..300 {
            sleep(millis(100)).await;
            assert!(nodes[0].incarnation() == 0, "kv-1 was started again");
        }
        drop(chaos);
    });
    let finding = report.finding().expect("kv-1 dies in some of 50 seeds");
    // That a machine dies; the default is the first one, and at the slot's begin.
    assert_eq!(finding.shrink().unwrap().size.choices, 1, "{:?}", finding.world());
}

#[test]
fn partitions_have_all_shapes() {
    let mut sizes = BTreeSet::new();
    let (mut rings, mut bridges, mut one_way, mut zones) = (0, 0, 0, 0);
    for seed in 0..100 {
        let budget = Budget::max_dead(1).by("zone");
        for step in chaos(seed, budget, Some(Nemesis::partitions())).steps {
            let Fault::Cut(between) = step.fault else { panic!("another fault") };
            let (a, b) = &between.sides[0];
            assert!(a.iter().all(|name| !b.contains(name)), "a machine is cut off from itself");
            one_way += usize::from(between.is_one_way);
            let zone = |names: &[std::sync::Arc<str>], zone| {
                names.iter().filter(|name| name.starts_with(zone)).count() == names.len()
            };
            match between.sides.len() {
                1 if a.len() + b.len() == 4 => bridges += 1,
                1 => {
                    sizes.insert(a.len());
                    zones += usize::from(a.len() * b.len() == 6 && zone(a, 'a') | zone(a, 'b'));
                }
                _ => rings += 1,
            }
        }
    }
    assert_eq!(sizes, BTreeSet::from([1, 2, 3, 4]));
    assert!(rings > 20 && bridges > 20 && zones > 20 && one_way > 100);
}

#[test]
fn in_a_ring_each_machine_sees_its_two_neighbours_only() {
    for seed in 0..50 {
        for step in chaos(seed, Budget::max_dead(1), Some(Nemesis::partitions())).steps {
            let Fault::Cut(between) = step.fault else { panic!("another fault") };
            if between.sides.len() == 1 {
                continue;
            }
            let pairs: BTreeSet<_> = between
                .sides
                .iter()
                .flat_map(|(a, b)| a.iter().flat_map(|a| b.iter().map(|b| (a.clone(), b.clone()))))
                .collect();
            // Of ten pairs of five machines five are neighbours.
            assert_eq!(pairs.len(), 5, "{pairs:?}");
            for name in ["a-1", "a-2", "a-3", "b-1", "b-2"] {
                let cut = pairs.iter().filter(|(a, b)| &**a == name || &**b == name).count();
                assert_eq!(cut, 2, "{name} is cut off from {cut}");
            }
        }
    }
}

#[test]
fn no_more_are_absent_than_the_budget_admits_and_the_rest_is_said() {
    let mut downgraded = 0;
    for seed in 0..SEEDS {
        let (absent, report) = Sim::new(seed)
            .run(|| async {
                let nodes = world::nodes("kv", 5).start(forever);
                let often = Nemesis::crashes().every(millis(500));
                let frozen = Nemesis::pauses().every(millis(500));
                let chaos = Chaos::on(nodes.clone())
                    .nemesis(often)
                    .nemesis(frozen)
                    .budget(Budget::max_dead(2))
                    .start();
                let mut most = 0;
                for _ in 0..400 {
                    sleep(millis(100)).await;
                    let is_absent =
                        |node: &&world::Node| node.state() != world::NodeStatus::Running;
                    most = most.max(nodes.iter().filter(is_absent).count());
                }
                (most, chaos.end())
            })
            .unwrap();
        assert!(absent <= 2, "seed {seed}: {absent} were absent");
        downgraded += report.downgraded.len();
        for downgrade in report.downgraded {
            assert!(matches!(downgrade.done, Fault::Slow(..)), "{downgrade}");
            assert!(matches!(downgrade.why, Excess::TooMany { max: 2, .. }), "{downgrade}");
        }
    }
    assert!(downgraded > 1000, "{downgraded}");
}

#[test]
fn a_machine_that_recovers_counts_as_absent() {
    let plan = || {
        FaultPlan::new().step(millis(1000), millis(1000), Fault::Kill("kv-1".into())).step(
            millis(5000),
            millis(1000),
            Fault::Kill("kv-2".into()),
        )
    };
    let killed = |recovery| {
        Sim::new(7)
            .run(move || async move {
                let nodes = world::nodes("kv", 2).start(forever);
                let budget = Budget::max_dead(1).recovery(recovery);
                let chaos = Chaos::on(nodes.clone()).plan(plan()).budget(budget).start();
                sleep(Duration::from_secs(20)).await;
                drop(chaos);
                nodes.iter().map(world::Node::incarnation).collect::<Vec<_>>()
            })
            .unwrap()
    };
    assert_eq!(killed(Duration::from_secs(2)), [1, 1]);
    assert_eq!(killed(Duration::from_secs(4)), [1, 0]);
}

#[test]
fn what_is_ended_leaves_links_and_machines_as_they_were() {
    for seed in 0..SEEDS {
        let is_as_before = Sim::new(seed)
            .run(|| async {
                let nodes = world::nodes("kv", 4).start(forever);
                let links = || {
                    let names = ["kv-1", "kv-2", "kv-3", "kv-4"];
                    let pairs = names.iter().flat_map(|a| names.iter().map(move |b| (*a, *b)));
                    pairs.map(|(a, b)| world::network().link(a, b).options()).collect::<Vec<_>>()
                };
                let before = links();
                let chaos = Chaos::on(nodes.clone()).start();
                sleep(millis(parcae::choose(0..40_000))).await;
                chaos.end();
                let is_running = |node: &world::Node| node.state() == world::NodeStatus::Running;
                links() == before && nodes.iter().all(is_running)
            })
            .unwrap();
        assert!(is_as_before, "seed {seed}");
    }
}
