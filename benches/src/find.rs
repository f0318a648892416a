//! How many runs strategies need to find known bugs: ours and Shuttle's, on the same programs.
//!
//! A trial searches one subject with one strategy from seeds of its own until the bug shows or the cap
//! is reached; not found counts as the cap. Pilot runs of ours and the profiling runs of Shuttle's count
//! as runs. A strategy that has found a bug in none of its first trials is not given the others: the
//! table shows how many it had.
//!
//! Subjects are written once, over [`host::Host`]: every spawn, every access to a shared cell, every
//! lock and every unlock is one point at which another task may go first, on either side.

mod feedback;
mod host;
mod ours;
mod shuttle;
mod subjects;
mod table;

use std::time::Duration;

use parcae::explore::Strategy;

use self::subjects::Entry;

/// What the command line says.
#[derive(Debug)]
pub(crate) struct Options {
    trials: u64,
    cap: u64,
    only: String,
    side: String,
}

impl Options {
    /// Reads options in pairs of name and value.
    ///
    /// # Errors
    /// A sentence for whoever typed them.
    pub(crate) fn parse(arguments: &[String]) -> Result<Self, String> {
        let mut options =
            Self { trials: TRIALS, cap: CAP, only: String::new(), side: String::new() };
        for pair in arguments.chunks(2) {
            let [name, value] = pair else { return Err(format!("{} needs a value", pair[0])) };
            let number = || match value.parse() {
                Ok(number) if number > 0 => Ok(number),
                _ => Err(format!("{value:?} is not a number above 0")),
            };
            match name.as_str() {
                "--trials" => options.trials = number()?,
                "--cap" => options.cap = number()?,
                "--only" => options.only.clone_from(value),
                "--side" => options.side.clone_from(value),
                _ => return Err(format!("unknown option {name:?}")),
            }
        }
        Ok(options)
    }
}

/// Who searches.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Side {
    Ours(Strategy),
    /// No strategy of ours yet: a search that learns from its runs.
    Feedback,
    Shuttle(shuttle::Scheduler),
}

impl Side {
    fn name(self) -> String {
        match self {
            Self::Ours(strategy) => strategy.name().to_owned(),
            Self::Feedback => "feedback".to_owned(),
            Self::Shuttle(scheduler) => format!("Shuttle {}", scheduler.name()),
        }
    }
}

/// One search.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Trial {
    pub(crate) is_found: bool,
    pub(crate) runs: u64,
    pub(crate) time: Duration,
}

/// All searches of one side for one bug.
#[derive(Clone, Debug)]
pub(crate) struct Cell {
    trials: Vec<Trial>,
    cap: u64,
}

impl Cell {
    fn measured(entry: &Entry, side: Side, options: &Options) -> Self {
        let mut trials = Vec::new();
        for trial in 0..options.trials {
            let is_hopeless = trials.iter().all(|trial: &Trial| !trial.is_found);
            if trial >= TRIALS_IN_VAIN && is_hopeless {
                break;
            }
            trials.push(entry.search(side, trial, options.cap));
        }
        Self { trials, cap: options.cap }
    }

    /// Returns the median of the runs; one that did not find the bug counts as the cap.
    fn median(&self) -> u64 {
        let mut runs: Vec<u64> = self.trials.iter().map(|trial| self.runs(trial)).collect();
        runs.sort_unstable();
        let (low, high) = (runs[(runs.len() - 1) / 2], runs[runs.len() / 2]);
        u64::midpoint(low, high)
    }

    fn runs(&self, trial: &Trial) -> u64 {
        if trial.is_found { trial.runs } else { self.cap }
    }

    fn found(&self) -> usize {
        self.trials.iter().filter(|trial| trial.is_found).count()
    }

    fn runs_in_all(&self) -> u64 {
        self.trials.iter().map(|trial| trial.runs).sum()
    }

    fn time(&self) -> Duration {
        self.trials.iter().map(|trial| trial.time).sum()
    }
}

/// Measures all subjects and returns the tables.
pub(crate) fn table(options: &Options, progress: impl Fn(&str)) -> String {
    // A search ends with a panic: what is looked for.
    std::panic::set_hook(Box::new(|_| {}));
    let ours = Strategy::ALL.into_iter().filter(|strategy| *strategy != Strategy::Fifo);
    let sides: Vec<Side> = ours
        .map(Side::Ours)
        .chain([Side::Feedback])
        .chain(shuttle::Scheduler::ALL.map(Side::Shuttle))
        .filter(|side| side.name().contains(&options.side))
        .collect();
    let mut rows = Vec::new();
    for entry in subjects::all().iter().filter(|entry| entry.name.contains(&options.only)) {
        let measure = |side: &Side| {
            let cell = Cell::measured(entry, *side, options);
            let (median, found, time) = (cell.median(), cell.found(), cell.time());
            progress(&format!("{} {}: {median} ({found}) in {time:.1?}", entry.name, side.name()));
            cell
        };
        rows.push((entry.name.clone(), sides.iter().map(measure).collect()));
    }
    table::text(&sides.iter().map(|side| side.name()).collect::<Vec<_>>(), &rows)
}

const TRIALS: u64 = 100;
const CAP: u64 = 10_000;
const TRIALS_IN_VAIN: u64 = 20;
