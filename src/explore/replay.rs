//! Running a recorded world again.

use std::fmt;
use std::future::Future;
use std::panic::Location;
use std::time::Duration;

use super::check::Check;
use super::error::CheckError;
use super::explain::explained;
use super::finding::Finding;
#[cfg(target_os = "linux")]
use super::fork::NoProcess;
use super::host::{self, NoThread};
use super::processes::{Ahead, Processes};
use super::renumber;
use super::signature::Signature;
use super::sim::{ConfigError, Outcome};
use super::token::{Expectation, ReplayToken, settings_hash};
use super::verdict::Verdict;
use super::watchdog::Running;
use super::world::Program;
use crate::executor::{Attachment, Failure, Log};
use crate::kernel::Fill;

/// How closely a replay must follow the record.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ReplayMode {
    /// Event for event; the first that differs is reported.
    #[default]
    Strict,
    /// The same failure is enough, as after the program was edited; overrides that apply no more
    /// are listed.
    Lenient,
}

/// What became of a replay.
#[derive(Clone, Debug)]
#[non_exhaustive]
#[must_use = "a replay says whether the failure is still there"]
pub struct Replay {
    /// Name of the program.
    pub name: String,
    /// In one word.
    pub verdict: ReplayVerdict,
    /// Where the run left the record, if it did.
    pub divergence: Option<Divergence>,
    /// Overrides that applied to nothing, in words.
    pub stale: Vec<String>,
    /// Whether the failure is that of the record, whatever way led to it.
    pub recurrence: Recurrence,
    /// Whether the failure came back only on the supposition that an unnamed task was added or
    /// removed since the record, which renumbers its siblings.
    pub is_renumbered: bool,
    /// Whether limits or epoch differ from those of the record.
    pub has_other_settings: bool,
    /// The failure, if the run failed.
    pub finding: Option<Box<Finding>>,
    /// The lines that [`Check::trace`] asked for, with virtual time; none without it.
    pub trace: Vec<String>,
    /// What the run leaves behind: the capture that [`Check::capture`] asked for.
    pub attachments: Vec<Attachment>,
}

/// Whether a replay showed what was recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReplayVerdict {
    /// It failed again, as recorded.
    Reproduced,
    /// It does not fail any more.
    Passes,
    /// It fails otherwise, or took another way there.
    Diverged,
}

/// How the failure of a replay compares with the recorded one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recurrence {
    /// The run did not fail.
    Absent,
    /// It has the same kind, message without numbers, and waits. Its place may be another: lines move.
    Same,
    /// It is another failure.
    Other,
}

/// Where a run left its record.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Divergence {
    /// The first event that may differ, from 0.
    pub from_event: usize,
    /// The last such event: the record keeps one mark for every few events.
    pub to_event: usize,
    /// What this run did from there on, a line for each event.
    pub events: Vec<String>,
}

impl fmt::Display for Divergence {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { from_event, to_event, events } = self;
        write!(formatter, "the run leaves the record between events {from_event} and {to_event}:")?;
        events.iter().try_for_each(|event| write!(formatter, "\n    {event}"))
    }
}

/// Why a replay cannot be carried out; a failing one is none of these.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ReplayError {
    /// An option of the check cannot be.
    Config(ConfigError),
    /// The token was made for another program.
    OtherProgram {
        /// The program it was made for.
        token: String,
        /// The program it was given to.
        program: String,
    },
    /// The machine gives no thread to the run.
    NoThread(NoThread),
    /// The machine gives no process to the run, or this executable does not come to the replay when it is
    /// started again.
    #[cfg(target_os = "linux")]
    NoProcess(NoProcess),
}

impl fmt::Display for ReplayError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Config(error) => error.fmt(formatter),
            Self::OtherProgram { token, program } => write!(
                formatter,
                "the replay token is of `{token}` and cannot be replayed by `{program}`"
            ),
            Self::NoThread(error) => error.fmt(formatter),
            #[cfg(target_os = "linux")]
            Self::NoProcess(error) => error.fmt(formatter),
        }
    }
}

impl std::error::Error for ReplayError {}

impl From<NoThread> for ReplayError {
    fn from(error: NoThread) -> Self {
        Self::NoThread(error)
    }
}

#[cfg(target_os = "linux")]
impl From<NoProcess> for ReplayError {
    fn from(error: NoProcess) -> Self {
        Self::NoProcess(error)
    }
}

impl From<CheckError> for ReplayError {
    fn from(error: CheckError) -> Self {
        match error {
            CheckError::Config(error) => Self::Config(error),
            CheckError::NoThread(error) => Self::NoThread(error),
            #[cfg(target_os = "linux")]
            CheckError::NoProcess(error) => Self::NoProcess(error),
        }
    }
}

impl Check {
    /// Runs the world of a token again. Settings are those of the check, but for the strategy.
    ///
    /// A lenient replay that does not show the recorded failure is tried again on the supposition that
    /// one unnamed task was added or removed; [`Replay::is_renumbered`] says when that helped.
    ///
    /// # Errors
    /// [`ReplayError`] when an option cannot be, the token is of another program, or the machine gives
    /// no thread or process.
    #[track_caller]
    pub fn replay<P, F>(
        mut self,
        token: &ReplayToken,
        mode: ReplayMode,
        program: P,
    ) -> Result<Replay, ReplayError>
    where
        P: Fn() -> F + Send + Sync + 'static,
        F: Future + 'static,
        F::Output: Verdict,
    {
        self.settings.check().map_err(ReplayError::Config)?;
        if token.name != self.name {
            let (token, program) = (token.name.clone(), self.name);
            return Err(ReplayError::OtherProgram { token, program });
        }
        self.settings.strategy = token.strategy;
        let program = Program::new(program);
        let processes = self.processes(&program, Location::caller());
        if token.world.fill == Fill::Seeded {
            // The run was picked by a strategy, and that by what pilots show of the program.
            let running = Running::of(&self);
            running.watched(|| self.run_pilots(&program, &processes, &running))?;
        }
        let runs = (&program, &processes);
        let replay = self.replay_once(token, mode, runs)?;
        if mode == ReplayMode::Strict || replay.verdict == ReplayVerdict::Reproduced {
            return Ok(replay);
        }
        Ok(self.replay_renumbered(token, runs)?.unwrap_or(replay))
    }

    fn replay_once(
        &self,
        token: &ReplayToken,
        mode: ReplayMode,
        (program, processes): (&Program, &Processes),
    ) -> Result<Replay, ReplayError> {
        if let Some(Ahead::Ended(failure)) = processes.run(&token.world, &self.settings)? {
            return Ok(self.lost_replay(token, failure));
        }
        let sim = token.world.sim(&self.settings).logged(true).traced(self.trace);
        let sim = sim.capturing(self.is_capturing);
        let outcome = host::isolated(self.isolation, || program.run(sim))?;
        let mut replay = self.judge(token, mode, outcome);
        if replay.recurrence == Recurrence::Same {
            let explain = |finding: Box<Finding>| Box::new(explained(self, program, *finding));
            replay.finding = replay.finding.map(explain);
        }
        Ok(replay)
    }

    /// Makes the replay of a world whose process ended before its run did.
    fn lost_replay(&self, token: &ReplayToken, failure: Failure) -> Replay {
        let finding = Finding::lost(self, token.world.clone(), failure, Duration::ZERO);
        Replay {
            name: self.name.clone(),
            verdict: ReplayVerdict::Diverged,
            divergence: None,
            stale: Vec::new(),
            recurrence: Recurrence::Other,
            is_renumbered: false,
            has_other_settings: settings_hash(&self.settings) != token.settings_hash,
            finding: Some(Box::new(finding)),
            trace: Vec::new(),
            attachments: Vec::new(),
        }
    }

    /// Supposes that an unnamed task was added or removed since the record.
    fn replay_renumbered(
        &self,
        token: &ReplayToken,
        (program, processes): (&Program, &Processes),
    ) -> Result<Option<Replay>, ReplayError> {
        if let Some(Ahead::Ended(_)) = processes.run(&token.world, &self.settings)? {
            return Ok(None);
        }
        let sim = token.world.sim(&self.settings).logged(true);
        let outcome = host::isolated(self.isolation, || program.run(sim))?;
        let Some(log) = outcome.log() else { return Ok(None) };
        for guess in renumber::guesses(&token.world.overrides, log) {
            let mut renumbered = token.clone();
            renumbered.world.overrides = guess;
            let runs = (program, processes);
            let mut replay = self.replay_once(&renumbered, ReplayMode::Lenient, runs)?;
            replay.is_renumbered = true;
            if replay.verdict == ReplayVerdict::Reproduced && replay.stale.is_empty() {
                return Ok(Some(replay));
            }
        }
        Ok(None)
    }

    fn judge(&self, token: &ReplayToken, mode: ReplayMode, mut outcome: Outcome) -> Replay {
        let (trace, attachments) = (outcome.take_trace(), outcome.take_attachments());
        let expected = &token.expected;
        let failure = outcome.failure().cloned();
        let log = outcome.log().expect("a replay is logged");
        let stale = stale_overrides(token, log);
        let is_same_run = outcome.chain().get() == expected.chain
            && outcome.event_count() == expected.event_count;
        let divergence = (!is_same_run).then(|| divergence(expected, &outcome, log));
        let is_same_failure = failure
            .as_ref()
            .is_some_and(|failure| Signature::of(failure).hash() == expected.signature_hash);
        let recurrence = match &failure {
            None => Recurrence::Absent,
            Some(_) if is_same_failure => Recurrence::Same,
            Some(_) => Recurrence::Other,
        };
        let verdict = match (&failure, mode) {
            (None, _) => ReplayVerdict::Passes,
            (Some(_), ReplayMode::Strict) if is_same_failure && is_same_run => {
                ReplayVerdict::Reproduced
            }
            (Some(_), ReplayMode::Lenient) if is_same_failure => ReplayVerdict::Reproduced,
            (Some(_), _) => ReplayVerdict::Diverged,
        };
        let finding = failure.map(|failure| {
            Box::new(Finding::replayed(self, outcome, token.world.clone(), failure))
        });
        Replay {
            name: self.name.clone(),
            verdict,
            divergence,
            stale,
            recurrence,
            is_renumbered: false,
            has_other_settings: settings_hash(&self.settings) != token.settings_hash,
            finding,
            trace,
            attachments,
        }
    }
}

fn stale_overrides(token: &ReplayToken, log: &Log) -> Vec<String> {
    let is_used = |key, value: u64| {
        let drawn = log.draws.iter().any(|logged| {
            logged.draw.key == key && logged.draw.source == crate::kernel::Source::Overridden
        });
        drawn
            || log.decisions.iter().any(|decision| {
                decision.key == key && !decision.is_stale && decision.chosen.get() == value
            })
    };
    let unused = token.world.overrides.iter().filter(|(key, value)| !is_used(**key, **value));
    unused.map(|(key, value)| log.describe_override(*key, *value)).collect()
}

fn divergence(expected: &Expectation, outcome: &Outcome, log: &Log) -> Divergence {
    let distance = Expectation::checkpoint_distance(expected.event_count);
    let distance = usize::try_from(distance).expect("a number of events in memory");
    let chains = log.chains();
    let same = expected
        .checkpoints
        .iter()
        .zip(chains.chunks_exact(distance))
        .take_while(|(mark, chains)| u64::from(**mark) == chains[distance - 1].get() >> 48)
        .count();
    let from_event = same * distance;
    let events_in_all = expected.event_count.max(outcome.event_count());
    let events_in_all = usize::try_from(events_in_all).expect("a number of events in memory");
    let to_event = (from_event + distance).min(events_in_all);
    let first = match from_event {
        0 => 0,
        _ => {
            let last_same = chains[from_event - 1];
            log.entries.iter().rposition(|entry| entry.chain == last_same).map_or(0, |at| at + 1)
        }
    };
    let rest = log.entries.iter().skip(first);
    let events = rest.take(distance + 1).map(|entry| log.describe(entry)).collect();
    Divergence { from_event, to_event, events }
}

impl Replay {
    /// Returns the failure, if the run failed.
    #[must_use]
    pub fn failure(&self) -> Option<&Failure> {
        self.finding.as_deref().map(Finding::failure)
    }
}
