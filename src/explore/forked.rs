//! How a search visits a seed that has a process of its own.

use std::sync::{Mutex, PoisonError};

use super::failing::FailedRun;
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
        let keeps_going = self.check.keeps_going;
        let (facts, failed) = match answer {
            Answer::Ran(facts) => {
                let failed = failed(seed, &facts, leak);
                (facts, failed)
            }
            Answer::Ended { end, output } => {
                let failure = fork::ended(end, output);
                let run = FailedRun {
                    lost: Some(failure.clone()),
                    ..FailedRun::new(World::of_seed(seed), &failure)
                };
                tally.lost.add(place, LostSeed { seed, failure });
                (Facts::default(), keeps_going.then_some(run))
            }
        };
        let observed = Observed {
            properties: facts.properties,
            faults: facts.faults,
            buggified: facts.buggified,
            ..Observed::default()
        };
        let (steps, chain) = (facts.steps, facts.chain);
        tally.count(self.check, place, Done { seed, steps, chain, observed, failed })
    }
}

/// Returns a run that has failed, or came to another end than its repetition.
fn failed(seed: Seed, facts: &Facts, leak: Option<Failure>) -> Option<FailedRun> {
    let run = match &leak {
        Some(leak) => FailedRun::new(World::of_seed(seed), leak),
        None => {
            facts.failure.as_ref()?;
            FailedRun::of_facts(World::of_seed(seed), facts)
        }
    };
    Some(FailedRun { leak, forked: Some(facts.clone()), ..run })
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
    // What has ended a process is not run here to be examined.
    if matches!(second, Answer::Ended { .. }) {
        return Ok((second, None));
    }
    let leak = match first.is_same(&second) {
        true => None,
        false => Some(forks.first_difference(request)?),
    };
    Ok((first, leak))
}
