//! Every run of a small program, one after the other.
//!
//! The runs of a program are a tree: each decision about the schedule is a fork, and so is each draw of few values. The search
//! goes through it depth first. A run is the default world with overrides up to the fork where it leaves the one before, so
//! whatever it finds has a token like any other failure, and no strategy has a part in it.
//!
//! ```text
//! run 1   a a b b        overrides: none
//! run 2   a a b b'       the last fork that has something left is taken otherwise
//! run 3   a a' ..        what comes behind it is what the default world does
//! ```
//!
//! # Sleep sets
//! Where two tasks' steps commute, one order of them is enough. When all that begins with a step of task `a` has been seen,
//! `a` *sleeps* in its siblings until something is done there that its step does not commute with: what comes before that
//! leads to the same states as what was seen. It needs to be known what a step touches (`footprint.rs`).
//!
//! # Source
//! Godefroid, "Partial-order methods for the verification of concurrent systems" (1996), chapter 5, for sleep sets.

mod footprint;
mod tree;

use super::check::{Check, Determinism};
use super::check_report::{CheckReport, Stop};
use super::determinism;
use super::error::CheckError;
use super::failing::{FailedRun, FailingSeed};
use super::host::{self, Deadline, NoThread, Stopwatch};
use super::pilots::Pilots;
use super::processes::Processes;
use super::properties::Merged;
use super::search::Search;
use super::shard::Shard;
use super::sim::Outcome;
use super::watchdog::Running;
use super::world::{Program, World};
use crate::executor::Failure;

use self::tree::{Grown, Tree};

/// Has a check run all that can happen in a small program instead of seeds; see [`Check::exhaustive`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Exhaustive {
    /// Most runs. Default 100,000.
    pub runs: u64,
    /// Most forks of a run that are taken otherwise: decisions about the schedule with two candidates or more, and draws of few
    /// values. Behind them a run goes on as the default world does. Default 1,000.
    pub depth: usize,
    /// Draws of at most so many values are forks; others have the value of the default world. Default 4.
    pub values: u64,
    /// What is known of the steps of tasks. Default nothing.
    pub independence: Independence,
}

impl Default for Exhaustive {
    fn default() -> Self {
        Self { runs: 100_000, depth: 1_000, values: 4, independence: Independence::default() }
    }
}

impl Exhaustive {
    /// Sets the most runs.
    #[must_use]
    pub fn with_runs(self, runs: u64) -> Self {
        Self { runs, ..self }
    }

    /// Sets the most forks of a run that are taken otherwise.
    #[must_use]
    pub fn with_depth(self, depth: usize) -> Self {
        Self { depth, ..self }
    }

    /// Sets of how many values a draw may be that is a fork.
    #[must_use]
    pub fn with_values(self, values: u64) -> Self {
        Self { values, ..self }
    }

    /// Sets what is known of the steps of tasks.
    #[must_use]
    pub fn with_independence(self, independence: Independence) -> Self {
        Self { independence, ..self }
    }
}

/// Which steps of two tasks commute, so that one order of them is enough.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Independence {
    /// None that is known of: every order is run.
    #[default]
    Unknown,
    /// Those that touch different locks, queues, cells and so on of this library, or both only read. What a task has touched it
    /// may let go of later, so but for cells it counts as touched from then on.
    ///
    /// Right for tasks that share nothing else (no `Rc<Cell>`, no static, nothing of another library), touch it by futures only
    /// (no `try_lock`, no `len`, which are no points), and hand no guard and no last handle of something to each other.
    /// Otherwise outcomes are missed without a word.
    ByResource,
}

/// How much of all runs was run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Exhaustion {
    /// How many runs there were.
    pub runs: u64,
    /// How many of them turned out to be another order of the same as one before.
    pub repeated_runs: u64,
    /// What was not run; none if all was.
    pub unexplored: Option<Unexplored>,
}

impl Exhaustion {
    /// Tells whether all was run: what holds in those runs holds in every run of this program, under this seed for what its
    /// generators give ([`rng`](crate::rng())), with latencies and other draws of many values as in the default world only if
    /// there are none ([`Unexplored::Values`]).
    #[must_use]
    pub const fn is_complete(&self) -> bool {
        self.unexplored.is_none()
    }
}

/// Why not all was run; the first reason that was met.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Unexplored {
    /// A run failed, which ended the search.
    Failure,
    /// [`Exhaustive::runs`], a limit of time or [`Control::stop`](super::Control::stop) ended the search.
    Runs,
    /// A run had more forks than [`Exhaustive::depth`].
    Depth,
    /// A draw had more values than [`Exhaustive::values`].
    Values,
    /// A decision had more than 32 candidates.
    Candidates,
    /// A run was longer than its log ([`Limits::logged_events`](crate::executor::Limits::logged_events)).
    Log,
}

/// The search through all runs.
#[derive(Debug)]
pub(super) struct Exhauster<'a> {
    check: &'a Check,
    options: &'a Exhaustive,
    program: Program,
    running: &'a Running,
}

impl<'a> Exhauster<'a> {
    pub(super) fn new(
        check: &'a Check,
        options: &'a Exhaustive,
        program: Program,
        running: &'a Running,
    ) -> Self {
        Self { check, options, program, running }
    }

    pub(super) fn run(&self) -> Result<CheckReport, CheckError> {
        let check = self.check;
        let (stopwatch, deadline) = (Stopwatch::start(), Deadline::after(check.time_limit));
        let mut tree = Tree::new(self.options);
        let (mut steps, mut merged) = (0, Merged::default());
        let (mut stop, mut failed) = (None, None);
        loop {
            let world = World::of_overrides(check.first_seed, tree.overrides());
            let run = || self.run_world(&world, tree.runs() == 0);
            let (mut outcome, leak) = self.running.noted(world.seed, run)?;
            check.control.count_seed();
            steps += outcome.steps();
            merged.add(world.seed, outcome.chain().get(), outcome.take_observed());
            let log = outcome.log().expect("it was asked for");
            let grown = tree.grow(log);
            let leak = leak.or_else(|| (grown == Grown::Differs).then(determinism::led_elsewhere));
            if let Some(failure) = leak.as_ref().or(outcome.failure()) {
                tree.end(Unexplored::Failure);
                failed = Some(FailedRun { leak: leak.clone(), ..FailedRun::new(world, failure) });
                break;
            }
            if grown == Grown::Done {
                break;
            }
            if check.control.is_stopped() || deadline.is_over() {
                stop = Some(if deadline.is_over() { Stop::TimeLimit } else { Stop::Interrupted });
            }
            if stop.is_some() || tree.runs() >= self.options.runs {
                tree.end(Unexplored::Runs);
                break;
            }
        }
        let search = Search::new(
            check,
            self.program.clone(),
            Processes::default(),
            Pilots::default(),
            self.running,
        );
        let failing = failed.as_ref().map(FailingSeed::of).into_iter().collect();
        let examine = |run| search.examine(run, stopwatch.elapsed(), deadline);
        let findings = failed.map(examine).transpose()?.into_iter().collect();
        let exhaustion = tree.exhaustion();
        Ok(CheckReport {
            name: check.name.clone(),
            strategy: check.settings.strategy,
            shard: Shard::WHOLE,
            keeps_going: false,
            seeds_planned: exhaustion.runs,
            seeds_run: exhaustion.runs,
            pilots_run: 0,
            steps,
            findings,
            failing,
            stop,
            wall_time: stopwatch.elapsed(),
            coverage: merged.coverage(),
            judged: merged.judge(check, exhaustion.is_complete().then_some(exhaustion.runs)),
            lost: Vec::new(),
            exhaustion: Some(exhaustion),
        })
    }

    fn run_world(
        &self,
        world: &World,
        is_first: bool,
    ) -> Result<(Outcome, Option<Failure>), NoThread> {
        let Check { settings, isolation, determinism, .. } = self.check;
        let is_checked = match determinism {
            Determinism::FirstSeed => is_first,
            Determinism::EverySeed => true,
            Determinism::Off => false,
        };
        if is_checked {
            return determinism::run_twice(&self.program, world, settings, *isolation);
        }
        let sim = world.sim(settings).logged(true);
        Ok((host::isolated(*isolation, || self.program.run(sim))?, None))
    }
}
