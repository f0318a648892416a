//! A stored world that was run again.

use std::future::Future;

use super::folder::Stored;
use super::text::kept;
use crate::explore::{Check, Recurrence, Replay, ReplayError, ReplayMode, Signature, Verdict};

/// A stored world, and what its run has shown now.
#[derive(Clone, Debug)]
#[non_exhaustive]
#[must_use = "it says whether the failure is still there"]
pub struct ReplayedWorld {
    /// The world.
    pub stored: Stored,
    /// Its run.
    pub replay: Replay,
}

/// What has become of a stored world.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It fails as it did.
    Fails,
    /// It fails, but otherwise.
    FailsOtherwise,
    /// It passes.
    Passes,
}

impl Stored {
    /// Runs the world under the settings of a check, which has its name. The same failure is enough, by
    /// whatever way: the program may have been edited.
    ///
    /// # Errors
    /// [`ReplayError`] as [`Check::replay`] returns it.
    pub fn replay<P, F>(&self, check: &Check, program: P) -> Result<ReplayedWorld, ReplayError>
    where
        P: Fn() -> F + Send + Sync + 'static,
        F: Future + 'static,
        F::Output: Verdict,
    {
        let replay = check.clone().replay(&self.world.token, ReplayMode::Lenient, program)?;
        Ok(ReplayedWorld { stored: self.clone(), replay })
    }
}

impl ReplayedWorld {
    /// Returns what has become of the world.
    #[must_use]
    pub fn standing(&self) -> Standing {
        match self.replay.recurrence {
            Recurrence::Absent => Standing::Passes,
            Recurrence::Same => Standing::Fails,
            Recurrence::Other => Standing::FailsOtherwise,
        }
    }

    /// Returns the signature of the failure that the run shows now. Its place may be another than that of the
    /// record.
    #[must_use]
    pub fn signature(&self) -> Option<String> {
        self.replay.failure().map(|failure| kept(&Signature::of(failure).to_string()))
    }

    /// Says in a line what is stale: it passes, fails otherwise, or has choices that nothing in its run
    /// asks for. None of a world that is as it was.
    #[must_use]
    pub fn stale(&self) -> Option<String> {
        let path = self.stored.path.display();
        let unmet = self.replay.stale.len();
        let all = self.stored.world.token.world.overrides.len();
        let and_unmet = match unmet {
            0 => String::new(),
            unmet => format!("; nothing in its run asks for {unmet} of its {all} choices"),
        };
        match self.standing() {
            Standing::Passes => Some(format!("{path} is stale: it passes now{and_unmet}")),
            Standing::FailsOtherwise => Some(format!(
                "{path} is stale: it fails otherwise now, as {}{and_unmet}",
                self.signature().unwrap_or_default().lines().next().unwrap_or_default()
            )),
            Standing::Fails if unmet > 0 => Some(format!("{path} fails as it did{and_unmet}")),
            Standing::Fails => None,
        }
    }
}
