//! A run that can be repeated: program, settings, seed, overrides.

use std::future::Future;
use std::sync::Arc;

use super::sim::{Outcome, Settings, Sim};
use super::verdict::Verdict;
use crate::executor::{Failure, Log};
use crate::kernel::{Fill, Overrides, Seed};

/// A program that can be run again and again, on any thread.
#[derive(Clone)]
pub(super) struct Program {
    run: Arc<dyn Fn(Sim) -> Outcome + Send + Sync>,
}

impl Program {
    pub(super) fn new<P, F>(program: P) -> Self
    where
        P: Fn() -> F + Send + Sync + 'static,
        F: Future + 'static,
        F::Output: Verdict,
    {
        let program = Arc::new(program);
        let run = move |sim: Sim| {
            let program = program.clone();
            // Mapped outside of the run: an error of the program is a value, not an event.
            sim.run(move || program()).and_then(|output| {
                output
                    .into_verdict()
                    .map_err(|message| Failure::Error { task: "main".to_owned(), message })
            })
        };
        Self { run: Arc::new(run) }
    }

    pub(super) fn run(&self, sim: Sim) -> Outcome {
        (self.run)(sim)
    }
}

impl std::fmt::Debug for Program {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Program")
    }
}

/// What tells one run of a program from another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct World {
    /// The seed.
    pub seed: Seed,
    /// How choices without an override are filled.
    pub fill: Fill,
    /// What replaces drawn values.
    pub overrides: Overrides,
}

impl World {
    /// Returns the world that exploration visits for a seed.
    #[must_use]
    pub fn of_seed(seed: Seed) -> Self {
        Self { seed, fill: Fill::Seeded, overrides: Overrides::new() }
    }

    /// Returns the default world with some overrides.
    #[must_use]
    pub fn of_overrides(seed: Seed, overrides: Overrides) -> Self {
        Self { seed, fill: Fill::Default, overrides }
    }

    /// Returns the run of this world, ready to begin.
    pub(super) fn sim(&self, settings: &Settings) -> Sim {
        Sim::with_settings(self.seed, settings.clone())
            .with_overrides(self.fill, self.overrides.clone())
    }

    /// Returns the default world in which the logged run happens again: all that differs from the
    /// defaults becomes an override.
    #[must_use]
    pub fn of_log(seed: Seed, log: &Log) -> Self {
        let draws = log.draws.iter().map(|logged| logged.draw);
        let drawn = draws
            .filter(|draw| draw.value != draw.space.default_value())
            .map(|draw| (draw.key, draw.value));
        let decided = log
            .decisions
            .iter()
            .filter(|decision| decision.chosen != decision.default)
            .map(|decision| (decision.key, decision.chosen.get()));
        Self::of_overrides(seed, drawn.chain(decided).collect())
    }
}
