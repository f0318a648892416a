//! A check of one run that bytes drive, as fuzzers make them.

use std::future::Future;

use super::check::Check;
use super::error::CheckError;
use super::explain::explained;
use super::finding::Finding;
use super::host::{self, Deadline, Stopwatch};
use super::processes::Processes;
use super::shrink::{Budget, Shrinker, Shrunk};
use super::sim::Sim;
use super::verdict::Verdict;
use super::world::{Program, World};

impl Check {
    /// Runs the program once, as these bytes say: see [`from_bytes`](super::from_bytes). A failure is shrunk as one
    /// that a seed has found, from what was chosen; its seed is 0, and its token needs no bytes. It is run in this
    /// process, also with [`Isolation::Fork`](super::Isolation::Fork).
    ///
    /// # Errors
    /// [`CheckError`] when an option cannot be, or the machine gives no thread.
    ///
    /// # Examples
    /// ```
    /// use parcae::explore::Check;
    ///
    /// let check = Check::new("dice");
    /// let program = || async {
    ///     let dice: u32 = parcae::choose(1..=6);
    ///     assert!(dice != 3, "a three");
    /// };
    /// assert!(check.clone().run_bytes(&[5, 2], program)?.is_none());
    /// let finding = check.run_bytes(&[2, 5, 7], program)?.expect("it fails");
    /// assert_eq!(finding.world().overrides.len(), 1);
    /// assert!(finding.token().is_some());
    /// # Ok::<(), parcae::explore::CheckError>(())
    /// ```
    pub fn run_bytes<P, F>(self, bytes: &[u8], program: P) -> Result<Option<Finding>, CheckError>
    where
        P: Fn() -> F + Send + Sync + 'static,
        F: Future + 'static,
        F::Output: Verdict,
    {
        self.validate()?;
        let (program, stopwatch) = (Program::new(program), Stopwatch::start());
        let run = |is_logged| {
            let sim = Sim::of_bytes(bytes, self.settings.clone()).logged(is_logged);
            host::isolated(self.isolation, || program.run(sim))
        };
        if run(false)?.is_ok() {
            return Ok(None);
        }
        // Once more for the log, which passing runs do without.
        let outcome = run(true)?;
        let search_time = stopwatch.elapsed();
        let log = outcome.log().expect("it is logged");
        let world = World::of_log(outcome.seed(), log);
        let Some(failure) = outcome.failure().cloned() else {
            let failure = super::determinism::vanished();
            return Ok(Some(Finding::unshrunk(&self, outcome, world, failure, search_time)));
        };
        let budget = Budget::new(&self.shrink, Deadline::after(self.time_limit));
        let processes = Processes::default();
        let shrinker = Shrinker::new(&self, (&program, &processes), budget);
        let finding = match shrinker.shrink(&failure, &outcome) {
            Some(Shrunk { leak: Some(leak), .. }) => {
                Finding::unshrunk(&self, outcome, world, leak, search_time)
            }
            Some(shrunk) => Finding::shrunk(&self, outcome, failure, shrunk, search_time),
            None => Finding::unshrunk(&self, outcome, world, failure, search_time),
        };
        Ok(Some(explained(&self, &program, finding)))
    }
}
