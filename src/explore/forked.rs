//! How a search visits a seed that has a process of its own.

use std::sync::{Mutex, PoisonError};

use super::fork::{self, Answer, Facts, Forks, NoProcess, Purpose, Request};
use super::host::Flow;
use super::lost::LostSeed;
use super::observed::Observed;
use super::search::{Done, Search, Tally};
use super::world::World;
use crate::executor::Failure;
use crate::kernel::Seed;

impl Search<'_> {
    /// Runs the seed at a place and counts it. A seed whose process ends is noted, and the search goes on.
    pub(super) fn visit_forked(
        &self,
        forks: &Forks,
        (place, seed): (usize, Seed),
        is_checked: bool,
        tally: &Mutex<Tally>,
    ) -> Flow {
        let request = Request::new(World::of_seed(seed), &self.check.settings, Purpose::Visit);
        let answer = answered(forks, request, is_checked);
        self.check.control.count_seed();
        let mut tally = tally.lock().unwrap_or_else(PoisonError::into_inner);
        let (answer, leak) = match answer {
            Ok(answer) => answer,
            Err(error) => {
                tally.lost.fail(error.into());
                return Flow::Stop;
            }
        };
        let (facts, is_enough) = match answer {
            Answer::Ran(facts) => (facts, false),
            Answer::Ended { end, output } => {
                let strategy = self.check.settings.strategy;
                let lost = LostSeed { seed, strategy, failure: fork::ended(end, output) };
                (Facts::default(), tally.lost.add(place, lost))
            }
        };
        let has_failed = leak.is_some() || facts.failure.is_some();
        let done = Done {
            seed,
            steps: facts.steps,
            observed: Observed {
                properties: facts.properties.clone(),
                faults: facts.faults.clone(),
                buggified: facts.buggified.clone(),
                ..Observed::default()
            },
        };
        if has_failed && tally.failed.is_none_or(|failed| place < failed) {
            tally.failed = Some(place);
            tally.leak = leak;
            tally.forked = Some(facts);
        }
        tally.count(place, done);
        if has_failed || is_enough { Flow::Stop } else { Flow::Continue }
    }
}

/// Runs a seed, twice if it is checked; returns where the two runs part, if they do.
fn answered(
    forks: &Forks,
    request: Request,
    is_checked: bool,
) -> Result<(Answer, Option<Failure>), NoProcess> {
    if !is_checked {
        return Ok((forks.run(request)?, None));
    }
    let (first, second) = forks.run_twice(&request)?;
    let leak = match first.is_same(&second) {
        true => None,
        false => Some(forks.first_difference(request)?),
    };
    Ok((first, leak))
}
