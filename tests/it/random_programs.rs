//! Properties of all programs, seen on many that are made at random: a run is a function of its world,
//! a failure is shrunk to what is necessary, and a token replays it.

mod program;

use std::collections::BTreeMap;
use std::sync::Arc;

use parcae::explore::{
    Check, CheckReport, Finding, Isolation, ReplayMode, ReplayVerdict, Shrink, Signature, Strategy,
    World,
};
use parcae::kernel::{Fill, Overrides};
use parcae::{Outcome, Seed, Sim};

use self::program::Program;

/// How many programs are made. Each is another mix of tasks, primitives, timers and domains.
const PROGRAMS: u64 = 120;

/// Seeds under which one program is run.
const SEEDS: u64 = 8;

fn programs() -> impl Iterator<Item = (u64, Arc<Program>)> {
    (0..PROGRAMS).map(|number| (number, Arc::new(Program::random(number))))
}

fn run(program: &Arc<Program>, world: &World, is_logged: bool) -> Outcome {
    let World { seed, fill, overrides } = world.clone();
    let program = program.clone();
    let sim = Sim::builder().seed(seed).overrides(fill, overrides).log(is_logged).build().unwrap();
    sim.run(move || program.run())
}

/// What two equal runs have in common.
fn facts(outcome: &Outcome) -> String {
    let (chain, events) = (outcome.chain(), outcome.event_count());
    let failure = outcome.failure().map(ToString::to_string);
    format!("{chain:?} {events} {} {:?} {failure:?}", outcome.steps(), outcome.elapsed())
}

fn check(number: u64, program: &Arc<Program>, jobs: usize) -> CheckReport {
    let program = program.clone();
    let mut shrink = Shrink::default();
    // Some are used up.
    (shrink.runs, shrink.runs_without_progress) = (20 + number % 7 * 100, 15 + number % 5 * 40);
    Check::new("random")
        .seeds(30)
        .jobs(jobs)
        .isolation(Isolation::Reuse)
        .shrink(shrink)
        .run(move || program.run())
}

/// What must not depend on the machine.
fn facts_of(report: &CheckReport) -> String {
    let found = report.finding().map(|finding| {
        let shrink = finding.shrink();
        let shrink = shrink.map(|made| (made.size, made.runs, made.is_minimal, &made.others));
        let token = finding.token().map(ToString::to_string);
        (finding.seed(), finding.failure().to_string(), finding.found(), shrink, token)
    });
    format!("{} {} {found:?}", report.seeds_run(), report.steps())
}

#[test]
fn a_run_is_a_function_of_its_world_with_and_without_a_log() {
    for (number, program) in programs() {
        for seed in 0..SEEDS {
            let world = World::of_seed(Seed::new(seed));
            let first = facts(&run(&program, &world, false));
            assert_eq!(first, facts(&run(&program, &world, false)), "program {number} seed {seed}");
            assert_eq!(first, facts(&run(&program, &world, true)), "program {number} seed {seed}");
        }
    }
}

#[test]
fn a_run_as_overrides_is_the_same_run() {
    for (number, program) in programs() {
        for seed in 0..SEEDS {
            let seed = Seed::new(seed);
            let found = run(&program, &World::of_seed(seed), true);
            let converted = World::of_log(seed, found.log().unwrap());
            let again = run(&program, &converted, false);
            assert_eq!(facts(&found), facts(&again), "program {number} seed {seed}");
            // Converting once more changes nothing.
            let again = run(&program, &converted, true);
            assert_eq!(World::of_log(seed, again.log().unwrap()), converted, "program {number}");
        }
    }
}

#[test]
fn tokens_replay_and_what_they_keep_is_necessary() {
    let mut kinds = BTreeMap::new();
    for (number, program) in programs() {
        let report = check(number, &program, 2);
        let Some(finding) = report.finding() else { continue };
        *kinds.entry(finding.failure().kind()).or_insert(0) += 1;
        replays(number, &program, finding);
        is_shrunk(number, &program, finding);
    }
    // Or the programs show nothing.
    let found: u32 = kinds.values().sum();
    assert!(kinds.len() >= 2 && u64::from(found) > PROGRAMS / 4, "{kinds:?}");
}

fn replays(number: u64, program: &Arc<Program>, finding: &Finding) {
    let token = finding.token().expect("a failure of a deterministic program").to_string();
    let token = token.parse().unwrap();
    let program = program.clone();
    let replay =
        Check::new("random").replay(&token, ReplayMode::Strict, move || program.run()).unwrap();
    assert_eq!(replay.verdict, ReplayVerdict::Reproduced, "program {number}: {replay:?}");
    assert!(replay.stale.is_empty(), "program {number}: {:?}", replay.stale);
    assert_eq!(replay.failure(), Some(finding.failure()), "program {number}");
}

fn is_shrunk(number: u64, program: &Arc<Program>, finding: &Finding) {
    let Some(shrink) = finding.shrink() else { panic!("program {number} was not shrunk") };
    let (seed, world) = (finding.seed(), finding.world());
    assert_eq!((world.seed, world.fill), (seed, Fill::Default));
    let signature_of = |overrides: Overrides| {
        let outcome = run(program, &World::of_overrides(seed, overrides), false);
        outcome.failure().map(Signature::of)
    };
    let wanted = as_found(program, seed).failure().map(Signature::of);
    assert_eq!(signature_of(world.overrides.clone()), wanted, "program {number}");
    if shrink.is_minimal {
        for key in world.overrides.keys() {
            let mut fewer = world.overrides.clone();
            fewer.remove(key);
            assert_ne!(signature_of(fewer), wanted, "program {number}: {key:?} is not necessary");
        }
    }
}

/// Runs a seed as the check did.
fn as_found(program: &Arc<Program>, seed: Seed) -> Outcome {
    let run = |program: Arc<Program>| move || program.run();
    let strategy = Strategy::default();
    let profile = Check::new("random").strategy(strategy).profile(run(program.clone())).unwrap();
    let sim = Sim::builder().seed(seed).strategy(strategy).profile(profile).build().unwrap();
    sim.run(run(program.clone()))
}

#[test]
fn the_report_does_not_depend_on_the_number_of_jobs() {
    for (number, program) in programs().take(60) {
        let one = facts_of(&check(number, &program, 1));
        for jobs in [2, 3, 8] {
            assert_eq!(
                one,
                facts_of(&check(number, &program, jobs)),
                "program {number}, {jobs} jobs"
            );
        }
    }
}
