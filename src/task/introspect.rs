//! What all tasks do, and who waits for whom, seen from inside of a run.

use std::fmt;

use crate::context;
use crate::executor::{Executor, HeldBy, Place, StalledTask, TaskStatus, Wait, WaitCycle, Waiting};

/// Returns what every task of the run does.
///
/// It prints as a table, for a note in the middle of a test or a debugger:
/// ```text
/// task  state    steps  waits for              at          held by             spawned at
/// main  running  4
/// a     waiting  3      Mutex lock of `right`  bank.rs:12  `b` since bank.rs:11  bank.rs:9
/// b     waiting  3      Mutex lock of `left`   bank.rs:12  `a` since bank.rs:11  bank.rs:10
/// ```
///
/// # Panics
/// Outside of a simulation.
///
/// # Determinism
/// Looking changes nothing: no event, no draw.
///
/// # Examples
/// ```
/// # parcae::Sim::new(7).run(|| async {
/// use parcae::task::{dump_tasks, settle};
///
/// let worker = parcae::spawn_named("worker", async {
///     parcae::sync::Event::new().named("go").wait().await;
/// });
/// settle().await;
/// let dump = dump_tasks();
/// let row = dump.rows.iter().find(|row| row.name == "worker").expect("it is alive");
/// assert_eq!(row.wait.as_ref().expect("it waits").name.as_deref(), Some("go"));
/// assert!(dump.to_string().contains("Event wait of `go`"));
/// # drop(worker);
/// # }).unwrap();
/// ```
#[must_use]
#[track_caller]
pub fn dump_tasks() -> TaskDump {
    let tasks = context::expect("parcae::task::dump_tasks", Executor::describe_tasks);
    TaskDump { rows: tasks.into_iter().map(TaskRow::from).collect() }
}

/// What every task of a run does. [`dump_tasks`] makes it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TaskDump {
    /// The tasks, in the order in which reports list them.
    pub rows: Vec<TaskRow>,
}

/// What a task does.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TaskRow {
    /// Its name.
    pub name: String,
    /// Whether it runs, waits or has ended.
    pub status: TaskStatus,
    /// Polls and points so far.
    pub steps: u64,
    /// What it waits for, on which line, and who holds that.
    pub wait: Option<Wait>,
    /// Where it was spawned; none for the program itself.
    pub spawned_at: Option<Place>,
}

impl From<(StalledTask, TaskStatus)> for TaskRow {
    fn from((task, status): (StalledTask, TaskStatus)) -> Self {
        let StalledTask { name, spawned_at, steps, wait } = task;
        Self { name, status, steps, wait, spawned_at }
    }
}

impl TaskRow {
    fn cells(&self) -> [String; COLUMNS.len()] {
        let place = |place: Option<&Place>| place.map(Place::to_string).unwrap_or_default();
        let wait = self.wait.as_ref();
        [
            self.name.clone(),
            self.status.to_string(),
            self.steps.to_string(),
            wait.map(Wait::what).unwrap_or_default(),
            place(wait.and_then(|wait| wait.waits_at.as_ref())),
            wait.map(holders).unwrap_or_default(),
            place(self.spawned_at.as_ref()),
        ]
    }
}

fn holders(wait: &Wait) -> String {
    let mut named: Vec<String> = wait.holders.iter().take(2).map(HeldBy::to_string).collect();
    if let Some(more) = wait.holder_count.checked_sub(named.len()).filter(|more| *more > 0) {
        named.push(format!("{more} more"));
    }
    named.join(", ")
}

impl fmt::Display for TaskDump {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let header = COLUMNS.map(str::to_owned);
        let lines: Vec<_> =
            [header].into_iter().chain(self.rows.iter().map(TaskRow::cells)).collect();
        let mut widths = [0; COLUMNS.len()];
        for line in &lines {
            for (width, cell) in widths.iter_mut().zip(line) {
                *width = cell.chars().count().max(*width);
            }
        }
        for (number, line) in lines.iter().enumerate() {
            let cells = line.iter().zip(widths);
            let padded: Vec<_> = cells.map(|(cell, width)| format!("{cell:width$}")).collect();
            let end = if number == 0 { "" } else { "\n" };
            write!(formatter, "{end}{}", padded.join("  ").trim_end())?;
        }
        Ok(())
    }
}

/// Returns who waits for whom.
///
/// Below a task stand those that it waits for: the task that it joins, or all who hold the lock that
/// it wants. It prints as a tree, with the cycles named below:
/// ```text
/// main (waiting: Task join of `a`)
/// └─ a (waiting: Mutex lock of `right`)
///    └─ b (waiting: Mutex lock of `left`)
///       └─ a (see above)
/// the wait graph has a cycle: `a` -> `b` (Mutex lock of `right`) -> `a` (Mutex lock of `left`)
/// ```
///
/// A task that waits for several things at once, in a `select!` or a join of futures, stands there
/// with one of them. A cycle through a semaphore is no deadlock if one outside of it gives back enough.
///
/// # Panics
/// Outside of a simulation.
///
/// # Determinism
/// Looking changes nothing: no event, no draw.
///
/// # Examples
/// ```
/// # parcae::Sim::new(7).run(|| async {
/// use parcae::task::{await_tree, settle};
///
/// let inner = parcae::spawn_named("inner", std::future::pending::<()>());
/// let outer = parcae::spawn_named("outer", async move { inner.await });
/// settle().await;
/// let tree = await_tree();
/// assert!(tree.cycles.is_empty());
/// assert!(tree.to_string().contains("outer (waiting: Task join of `inner`)\n└─ inner (waiting"));
/// # drop(outer);
/// # }).unwrap();
/// ```
#[must_use]
#[track_caller]
pub fn await_tree() -> AwaitTree {
    let waiting = context::expect("parcae::task::await_tree", Executor::describe_waiting);
    AwaitTree::of(waiting)
}

/// Who waits for whom. [`await_tree`] makes it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct AwaitTree {
    /// The tasks, each followed by those that it waits for, one deeper. At depth 0 are those that
    /// nobody waits for, and one of each cycle that nobody waits for from outside. The first 10,000.
    pub branches: Vec<AwaitBranch>,
    /// Tasks that wait for each other in a circle.
    pub cycles: Vec<WaitCycle>,
}

/// A task in an [`AwaitTree`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct AwaitBranch {
    /// How many stand above it.
    pub depth: usize,
    /// Its name.
    pub task: String,
    /// Whether it runs, waits or has ended.
    pub status: TaskStatus,
    /// What it waits for.
    pub wait: Option<Wait>,
    /// Whether it stands further up already, with those that it waits for.
    pub is_repeated: bool,
}

impl AwaitTree {
    fn of(waiting: Waiting) -> Self {
        let Waiting { tasks, graph, cycles } = waiting;
        let is_awaited = graph.awaited();
        let roots = (0..tasks.len()).filter(|task| !is_awaited[*task]);
        let mut is_seen = vec![false; tasks.len()];
        let mut branches = Vec::new();
        // All again, for those that only a cycle leads to.
        for root in roots.chain(0..tasks.len()) {
            if is_seen[root] {
                continue;
            }
            let mut ahead = vec![(root, 0)];
            while let Some((place, depth)) = ahead.pop() {
                if branches.len() == BRANCHES_MAX {
                    break;
                }
                let (task, status) = &tasks[place];
                let is_repeated = std::mem::replace(&mut is_seen[place], true);
                branches.push(AwaitBranch {
                    depth,
                    task: task.name.clone(),
                    status: *status,
                    wait: task.wait.clone(),
                    is_repeated,
                });
                if !is_repeated {
                    ahead.extend(graph.tasks_after(place).rev().map(|target| (target, depth + 1)));
                }
            }
        }
        Self { branches, cycles }
    }

    /// Tells of each branch whether another one follows below the same task.
    fn has_sibling_below(&self) -> Vec<bool> {
        let mut is_open = Vec::new();
        let mut answers: Vec<bool> = Vec::new();
        for branch in self.branches.iter().rev() {
            is_open.resize(branch.depth + 1, false);
            answers.push(std::mem::replace(&mut is_open[branch.depth], true));
        }
        answers.reverse();
        answers
    }
}

impl fmt::Display for AwaitTree {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut bars: Vec<bool> = Vec::new();
        for (branch, has_sibling) in self.branches.iter().zip(self.has_sibling_below()) {
            let depth = branch.depth;
            // The bars of those above it but the root, which has none.
            bars.truncate(depth);
            for has_bar in bars.iter().skip(1) {
                formatter.write_str(if *has_bar { "│  " } else { "   " })?;
            }
            if depth > 0 {
                formatter.write_str(if has_sibling { "├─ " } else { "└─ " })?;
            }
            bars.push(has_sibling);
            let (task, status) = (&branch.task, branch.status);
            match &branch.wait {
                _ if branch.is_repeated => writeln!(formatter, "{task} (see above)")?,
                Some(wait) => writeln!(formatter, "{task} ({status}: {})", wait.what())?,
                None => writeln!(formatter, "{task} ({status})")?,
            }
        }
        let cycle = |cycle| writeln!(formatter, "the wait graph has a cycle: {cycle}");
        self.cycles.iter().try_for_each(cycle)
    }
}

const COLUMNS: [&str; 7] = ["task", "state", "steps", "waits for", "at", "held by", "spawned at"];
const BRANCHES_MAX: usize = 10_000;
