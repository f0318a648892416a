//! The pilot runs of a check: where the profile comes from that strategies use.

use std::future::Future;
use std::panic::Location;
use std::sync::Arc;

use super::check::Check;
use super::error::CheckError;
use super::host;
use super::lost::LostSeed;
use super::processes::{Ahead, Piloted, Processes};
use super::sim::Sim;
use super::strategy::{Pilot, Profile, Strategy};
use super::verdict::Verdict;
use super::world::{Program, World};
use crate::kernel::Seed;

/// What became of the pilots.
#[derive(Clone, Debug, Default)]
pub(super) struct Pilots {
    pub(super) run_count: u64,
    pub(super) steps: u64,
    /// The first that failed, if the check searches. One that repeats single seeds is to show those.
    pub(super) failed: Option<Seed>,
    /// Those whose process ended first. They have shown nothing, and end no search.
    pub(super) lost: Vec<LostSeed>,
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
        self.run_pilots(&program, &processes)?;
        Ok(self.settings.profile.map(Arc::unwrap_or_clone).unwrap_or_default())
    }

    /// Runs the pilots, if the strategy needs any, and keeps their profile in the settings; each in a process, if all runs have
    /// one.
    ///
    /// A search ends with the first that fails. A check of single seeds, such as one that repeats what a
    /// search has found, runs all of them, so that its seeds have the profile which they had there.
    pub(super) fn run_pilots(
        &mut self,
        program: &Program,
        processes: &Processes,
    ) -> Result<Pilots, CheckError> {
        let mut pilots = Pilots::default();
        if !self.settings.strategy.needs_profile() {
            return Ok(pilots);
        }
        let mut profile = Profile::default();
        for seed in Pilot::seeds(&self.name) {
            pilots.run_count += 1;
            let (shown, steps, is_ok) = match self.run_pilot(seed, program, processes)? {
                Ahead::Ran(piloted) => piloted,
                Ahead::Ended(failure) => {
                    pilots.lost.push(LostSeed { seed, strategy: Strategy::Random, failure });
                    continue;
                }
            };
            profile.add(&shown);
            pilots.steps += steps;
            if !is_ok && self.seed_count > 0 {
                pilots.failed = Some(seed);
                break;
            }
        }
        processes.know(&profile);
        self.settings.profile = Some(Arc::new(profile));
        Ok(pilots)
    }

    fn run_pilot(
        &self,
        seed: Seed,
        program: &Program,
        processes: &Processes,
    ) -> Result<Ahead<Piloted>, CheckError> {
        if let Some(ahead) = processes.pilot(World::of_seed(seed), &self.settings)? {
            return Ok(ahead);
        }
        let sim = Sim::with_settings(seed, self.settings.clone()).piloting();
        let mut outcome = host::isolated(self.isolation, || program.run(sim))?;
        let profile = *outcome.take_profile().expect("a pilot keeps a profile");
        Ok(Ahead::Ran((profile, outcome.steps(), outcome.is_ok())))
    }
}
