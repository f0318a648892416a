//! The pilot runs of a check: where the profile comes from that strategies use.

use std::future::Future;
use std::panic::Location;
use std::sync::Arc;

use super::check::Check;
use super::determinism;
use super::error::CheckError;
use super::host;
use super::processes::{Ahead, Processes};
use super::sim::{Outcome, Sim};
use super::strategy::{Pilot, Profile};
use super::verdict::Verdict;
use super::watchdog::Running;
use super::world::{Program, World};
use crate::executor::Failure;
use crate::kernel::Seed;

/// What the pilots cost.
#[derive(Clone, Debug, Default)]
pub(super) struct Pilots {
    pub(super) run_count: u64,
    failed: Vec<(Seed, Failure)>,
}

impl Pilots {
    /// Compares the run of a seed with that which it had as a pilot, if it failed there.
    pub(super) fn differs(&self, seed: Seed, outcome: &Outcome) -> Option<Failure> {
        let (_, failure) = self.failed.iter().find(|(pilot, _)| *pilot == seed)?;
        outcome.is_ok().then(|| determinism::passes_now(failure))
    }
}

impl Check {
    /// Runs the pilots of this check and returns what they show of the program, for
    /// [`SimBuilder::profile`](super::SimBuilder::profile). Empty for a strategy that needs none.
    ///
    /// # Errors
    /// [`CheckError`] when an option cannot be, or the machine gives no thread or process.
    ///
    /// # Examples
    /// ```
    /// use parcae::Sim;
    /// use parcae::explore::{Check, Strategy};
    ///
    /// let program = || async { parcae::spawn(async {}).await };
    /// let check = Check::new("two tasks").strategy(Strategy::Surw);
    /// let profile = check.clone().profile(program)?;
    /// let sim = Sim::builder().seed(7).strategy(Strategy::Surw).profile(profile).build()?;
    /// // The run that the check makes of seed 7.
    /// assert!(sim.run(program).is_ok());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[track_caller]
    pub fn profile<P, F>(mut self, program: P) -> Result<Profile, CheckError>
    where
        P: Fn() -> F + Send + Sync + 'static,
        F: Future + 'static,
        F::Output: Verdict,
    {
        self.settings.check()?;
        let program = Program::new(program);
        let processes = self.processes(&program, Location::caller());
        let running = Running::of(&self);
        running.watched(|| self.run_pilots(&program, &processes, &running))?;
        Ok(self.settings.profile.map(Arc::unwrap_or_clone).unwrap_or_default())
    }

    /// Runs the pilots, if the strategy needs any, and keeps their profile in the settings; each in a process, if all runs have
    /// one.
    ///
    /// One that fails ends no search, nor one whose process ends: whoever wants to see it searches its seed, too.
    pub(super) fn run_pilots(
        &mut self,
        program: &Program,
        processes: &Processes,
        running: &Running,
    ) -> Result<Pilots, CheckError> {
        let mut pilots = Pilots::default();
        if !self.settings.strategy.needs_profile() {
            return Ok(pilots);
        }
        let mut profile = Profile::default();
        for seed in Pilot::seeds(self.pilot_seed) {
            pilots.run_count += 1;
            if let Some(ahead) = processes.pilot(World::of_seed(seed), &self.settings)? {
                match ahead {
                    Ahead::Ran(shown) => profile.add(&shown),
                    Ahead::Ended(_) => profile.add_pilot(seed),
                }
                continue;
            }
            let sim = Sim::with_settings(seed, self.settings.clone()).piloting();
            let run = || host::isolated(self.isolation, || program.run(sim));
            let mut outcome = running.noted(seed, run)?;
            profile.add(&outcome.take_profile().expect("a pilot keeps a profile"));
            if let Some(failure) = outcome.failure() {
                pilots.failed.push((seed, failure.clone()));
            }
        }
        processes.know(&profile);
        self.settings.profile = Some(Arc::new(profile));
        Ok(pilots)
    }
}
