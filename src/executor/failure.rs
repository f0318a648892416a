//! How a run fails.

use std::fmt;
use std::time::Duration;

use super::process_end::ProcessEnd;
use super::wait_graph::WaitCycle;
use super::watch::Warning;
use crate::kernel::{Place, Violation, VirtualTime};

/// Why a run failed: the program's failure as data, never a panic of the library.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Failure {
    /// A task panicked and nobody observed it, or the program itself did.
    Panic {
        /// Name of the task; empty for a waker of the user's that was called between tasks.
        task: String,
        /// The panic's message.
        message: String,
        /// Where it panicked.
        place: Option<Place>,
    },
    /// The program returned an error, or a task of `spawn_try` did that nobody observed.
    Error {
        /// Name of the task.
        task: String,
        /// The error, as `Debug` prints it.
        message: String,
    },
    /// No task is ready, no timer is pending, and the program has not ended; or actors wait for each other's answers in a circle.
    Deadlock {
        /// Who waits for what.
        tasks: Vec<StalledTask>,
        /// Who waits for whom in a circle: the cause, if it is one of locks and joins.
        cycles: Vec<WaitCycle>,
    },
    /// Tasks were polled again and again without time moving.
    Livelock {
        /// The limit that was reached.
        steps: u64,
        /// When.
        time: VirtualTime,
        /// The tasks that ran or could run, those with most steps first.
        tasks: Vec<StalledTask>,
    },
    /// The run took more steps than its limit.
    StepLimit {
        /// The limit that was reached.
        steps: u64,
        /// All tasks, those with most steps first.
        tasks: Vec<StalledTask>,
    },
    /// The next thing to happen was later than the limit of virtual time.
    TimeLimit {
        /// The limit that was reached.
        limit: Duration,
        /// Who waits for what.
        tasks: Vec<StalledTask>,
        /// Who waits for whom in a circle, while others go on.
        cycles: Vec<WaitCycle>,
    },
    /// More tasks were alive than the limit.
    TaskLimit {
        /// The limit that was reached.
        tasks: usize,
        /// Name of the task that spawned one more.
        spawner: String,
    },
    /// Detached tasks were alive when the program had ended.
    Leak {
        /// Which, and what they wait for.
        tasks: Vec<StalledTask>,
        /// Who waits for whom in a circle.
        cycles: Vec<WaitCycle>,
    },
    /// A task was woken by another thread, at a time that no seed decides.
    ForeignWake {
        /// Name of the task.
        task: String,
        /// Where the other thread was.
        backtrace: String,
    },
    /// The program asked the machine for what no seed decides, such as a thread; seen by `parcae-libc` only.
    ForeignCall {
        /// The function of the machine that was called.
        call: &'static str,
        /// Where.
        backtrace: String,
    },
    /// A habit was seen that the run was to fail for.
    Warning {
        /// Which.
        warning: Box<Warning>,
    },
    /// A property that the program states of itself did not hold.
    Property {
        /// Name of the task; empty for an invariant, which is looked at between the steps of tasks.
        task: String,
        /// Which property.
        violation: Box<Violation>,
    },
    /// Two runs of one world differed: something outside of the seed reached the program.
    Nondeterminism {
        /// Number of the first event that differs, from 0.
        event: usize,
        /// What the first run did there.
        first: String,
        /// What the second run did there.
        second: String,
    },
    /// The process that the run had for itself ended before the run did.
    Process {
        /// How.
        end: ProcessEnd,
        /// The last of what it wrote to its standard error.
        output: String,
    },
}

impl Failure {
    /// Returns the kind in one word, as reports and tokens name it.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Panic { .. } => "panic",
            Self::Error { .. } => "error",
            Self::Deadlock { .. } => "deadlock",
            Self::Livelock { .. } => "livelock",
            Self::StepLimit { .. } => "step limit",
            Self::TimeLimit { .. } => "time limit",
            Self::TaskLimit { .. } => "task limit",
            Self::Leak { .. } => "leak",
            Self::ForeignWake { .. } => "foreign wake",
            Self::ForeignCall { .. } => "foreign call",
            Self::Warning { .. } => "warning",
            Self::Property { .. } => "property",
            Self::Nondeterminism { .. } => "nondeterminism",
            Self::Process { end, .. } => end.kind(),
        }
    }

    /// Returns the tasks that the failure is about.
    #[must_use]
    pub fn stalled_tasks(&self) -> &[StalledTask] {
        match self {
            Self::Deadlock { tasks, .. }
            | Self::Livelock { tasks, .. }
            | Self::StepLimit { tasks, .. }
            | Self::TimeLimit { tasks, .. }
            | Self::Leak { tasks, .. } => tasks,
            _ => &[],
        }
    }

    /// Returns the cycles of tasks that wait for each other, each beginning with the task that
    /// stands first in the report. Of those through one task only the shortest is named, and 16 in
    /// all.
    #[must_use]
    pub fn cycles(&self) -> &[WaitCycle] {
        match self {
            Self::Deadlock { cycles, .. }
            | Self::TimeLimit { cycles, .. }
            | Self::Leak { cycles, .. } => cycles,
            _ => &[],
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Panic { task, message, place } => {
                write!(formatter, "panic in `{task}`")?;
                if let Some(place) = place {
                    write!(formatter, " at {place}")?;
                }
                write!(formatter, ": {message}")
            }
            Self::Error { task, message } => write!(formatter, "error from `{task}`: {message}"),
            Self::Deadlock { tasks, cycles } => {
                let is_of_asks = cycles.iter().any(WaitCycle::is_of_asks);
                formatter.write_str(match is_of_asks {
                    true => "deadlock: actors wait for each other's answers",
                    false => "deadlock: no task is ready and no timer is pending",
                })?;
                write_tasks(formatter, tasks)?;
                write_cycles(formatter, cycles)
            }
            Self::Livelock { steps, time, tasks } => {
                write!(formatter, "livelock: {steps} steps at {time} without time moving")?;
                write_tasks(formatter, tasks)
            }
            Self::StepLimit { steps, tasks } => {
                write!(formatter, "step limit: the run is not over after {steps} steps")?;
                write_tasks(formatter, tasks)
            }
            Self::TimeLimit { limit, tasks, cycles } => {
                write!(
                    formatter,
                    "time limit: the run is not over after {limit:?} of virtual time"
                )?;
                write_tasks(formatter, tasks)?;
                write_cycles(formatter, cycles)
            }
            Self::TaskLimit { tasks, spawner } => {
                write!(formatter, "task limit: `{spawner}` spawned one more with {tasks} alive")
            }
            Self::Leak { tasks, cycles } => {
                formatter
                    .write_str("leak: detached tasks were alive when the program had ended")?;
                write_tasks(formatter, tasks)?;
                write_cycles(formatter, cycles)
            }
            Self::ForeignWake { task, .. } => {
                write!(formatter, "foreign wake: `{task}` was woken by another thread")
            }
            Self::ForeignCall { call, .. } => {
                write!(formatter, "foreign call: `{call}`, which no seed decides")
            }
            Self::Warning { warning } => write!(formatter, "warning: {warning}"),
            Self::Property { violation, .. } => violation.fmt(formatter),
            Self::Nondeterminism { event, first, second } => {
                formatter.write_str("nondeterminism: two runs of one seed differ")?;
                // The first event is the spawn of `main` and cannot differ: none is known.
                if *event > 0 {
                    write!(formatter, " from event {event} on")?;
                }
                write!(formatter, "\n    first run:  {first}\n    second run: {second}")
            }
            Self::Process { end, output } => {
                end.fmt(formatter)?;
                output.lines().try_for_each(|line| write!(formatter, "\n    {line}"))
            }
        }
    }
}

impl std::error::Error for Failure {}

/// A task that has not ended, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StalledTask {
    /// Its name.
    pub name: String,
    /// Where it was spawned.
    pub spawned_at: Option<Place>,
    /// Polls and points so far.
    pub steps: u64,
    /// What it waits for; none when it could run. A future that is not of this library says nothing
    /// of itself, so it stands as the `wake` of a `Future`.
    pub wait: Option<Wait>,
}

/// What a task waits for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wait {
    /// What it wants to do: `lock`, `get`, `join`, `sleep`.
    pub verb: &'static str,
    /// To what kind of thing: `Mutex`, `Queue`, `Task`, `Timer`.
    pub kind: &'static str,
    /// The name of that, if it has one.
    pub name: Option<String>,
    /// Where that was made.
    pub made_at: Option<Place>,
    /// The line that waits.
    pub waits_at: Option<Place>,
    /// Who holds it, for a lock or a semaphore: the first 16 of them. Empty for what nobody holds.
    pub holders: Vec<HeldBy>,
    /// How many hold it.
    pub holder_count: usize,
}

/// Who holds what a task waits for.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct HeldBy {
    /// The task that took it; none when that was no task of the run, or one that is forgotten.
    pub task: Option<String>,
    /// What became of it.
    pub tenure: Tenure,
    /// The line that took it, or that asked for what is not claimed.
    pub taken_at: Option<Place>,
}

/// What is known of a holder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Tenure {
    /// The task that took it is alive; it may have moved the guard elsewhere.
    Held,
    /// The task that took it has ended, and the guard is not dropped.
    Ended,
    /// It was taken outside of this run.
    Outside,
    /// It was assigned to a future of the task, and nobody has polled that future since.
    Unclaimed,
}

impl Wait {
    /// Waiting for something that this library knows nothing of.
    pub(super) const UNKNOWN: Self = Self {
        verb: "wake",
        kind: "Future",
        name: None,
        made_at: None,
        waits_at: None,
        holders: Vec::new(),
        holder_count: 0,
    };

    /// Says what it is, without lines and holders.
    pub(crate) fn what(&self) -> String {
        match (self.kind, &self.name) {
            ("Timer", Some(time)) => format!("the time {time}"),
            ("Future", _) => "a future that parcae does not know".to_owned(),
            (kind, Some(name)) => format!("{kind} {} of `{name}`", self.verb),
            (kind, None) => format!("{kind} {}", self.verb),
        }
    }

    fn write_subject(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.what())?;
        match &self.waits_at {
            Some(place) => write!(formatter, " at {place}"),
            None => Ok(()),
        }
    }

    fn write_holders(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for holder in self.holders.iter().take(PRINTED_HOLDERS_MAX) {
            write!(formatter, ", {holder}")?;
        }
        match self.holder_count.saturating_sub(PRINTED_HOLDERS_MAX) {
            0 => Ok(()),
            more => write!(formatter, " and {more} more"),
        }
    }
}

impl fmt::Display for StalledTask {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "`{}`", self.name)?;
        match &self.wait {
            Some(wait) => {
                formatter.write_str(" waits for ")?;
                wait.write_subject(formatter)?;
            }
            None => write!(formatter, " could run, after {} steps", self.steps)?,
        }
        if let Some(place) = &self.spawned_at {
            write!(formatter, " (spawned at {place})")?;
        }
        match &self.wait {
            Some(wait) => wait.write_holders(formatter),
            None => Ok(()),
        }
    }
}

impl fmt::Display for Wait {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write_subject(formatter)?;
        self.write_holders(formatter)
    }
}

impl fmt::Display for HeldBy {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = |word: &str| match &self.taken_at {
            Some(place) => format!(" {word} {place}"),
            None => String::new(),
        };
        match (self.tenure, &self.task) {
            (Tenure::Held, Some(task)) => write!(formatter, "held by `{task}`{}", place("since")),
            (Tenure::Ended, Some(task)) => {
                write!(formatter, "taken{} by `{task}`, which has ended", place("at"))
            }
            (Tenure::Ended | Tenure::Held, None) => {
                write!(formatter, "taken{} by a task that has ended", place("at"))
            }
            (Tenure::Outside, _) => {
                write!(formatter, "taken{} outside of the simulation", place("at"))
            }
            (Tenure::Unclaimed, task) => {
                formatter.write_str("assigned to a future")?;
                if let Some(task) = task {
                    write!(formatter, " of `{task}`")?;
                }
                write!(formatter, "{} that nobody has polled since", place("from"))
            }
        }
    }
}

fn write_tasks(formatter: &mut fmt::Formatter<'_>, tasks: &[StalledTask]) -> fmt::Result {
    for task in tasks.iter().take(PRINTED_TASKS_MAX) {
        write!(formatter, "\n    {task}")?;
    }
    match tasks.len().saturating_sub(PRINTED_TASKS_MAX) {
        0 => Ok(()),
        more => write!(formatter, "\n    and {more} more"),
    }
}

fn write_cycles(formatter: &mut fmt::Formatter<'_>, cycles: &[WaitCycle]) -> fmt::Result {
    cycles.iter().try_for_each(|cycle| write!(formatter, "\n    cycle: {cycle}"))
}

const PRINTED_TASKS_MAX: usize = 16;
const PRINTED_HOLDERS_MAX: usize = 4;
