//! Who waits for whom.
//!
//! A task that joins another waits for that; one that waits for a lock waits for all who hold it. A
//! task that waits for several things at once, in a `select!` or a join of futures, stands here with
//! the one that it noted last.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;

use super::Executor;
use super::core::Core;
use super::failure::{StalledTask, Wait};
use super::id::TaskId;
use super::task_table::TaskState;
use super::wait_note::WaitSubject;

/// Tasks each of which waits for the next one, and the last for the first.
///
/// Where several can hold a thing (a semaphore), one of them that is outside of the cycle may yet
/// resolve it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct WaitCycle {
    /// The tasks, beginning with the one that stands first in the report.
    pub links: Vec<WaitLink>,
}

/// A task of a [`WaitCycle`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct WaitLink {
    /// Its name.
    pub task: String,
    /// What it waits for, which the next task holds, or is.
    pub wait: Wait,
}

impl fmt::Display for WaitCycle {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(first) = self.links.first() else { return Ok(()) };
        write!(formatter, "`{}`", first.task)?;
        let next = self.links.iter().skip(1).chain([first]);
        for (link, next) in self.links.iter().zip(next) {
            write!(formatter, " -> `{}` ({})", next.task, link.wait.what())?;
        }
        Ok(())
    }
}

/// What a task does, for whoever looks at it from inside of the run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TaskStatus {
    /// It is the one that runs.
    Running,
    /// It could run.
    Ready,
    /// It could run, but its domain is paused or busy.
    Held,
    /// It waits, or has ended and waits for its cleanups.
    Waiting,
    /// It has ended, and nobody has taken its output.
    Done,
}

impl fmt::Display for TaskStatus {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(match self {
            Self::Running => "running",
            Self::Ready => "ready",
            Self::Held => "held",
            Self::Waiting => "waiting",
            Self::Done => "done",
        })
    }
}

/// All tasks of a run, and whom each waits for.
#[derive(Debug)]
pub(crate) struct Waiting {
    pub(crate) tasks: Vec<(StalledTask, TaskStatus)>,
    pub(crate) graph: WaitGraph,
    pub(crate) cycles: Vec<WaitCycle>,
}

impl Executor {
    /// Describes all tasks. Changes nothing.
    pub(crate) fn describe_tasks(&self) -> Vec<(StalledTask, TaskStatus)> {
        self.core.borrow().describe_tasks()
    }

    /// Describes who waits for whom. Changes nothing.
    pub(crate) fn describe_waiting(&self) -> Waiting {
        let core = self.core.borrow();
        let graph = core.wait_graph();
        Waiting { tasks: core.describe_tasks(), cycles: core.name_cycles(&graph), graph }
    }
}

impl Core {
    /// Names the cycles of tasks that wait for each other, in order of their first tasks.
    pub(super) fn wait_cycles(&self) -> Vec<WaitCycle> {
        self.name_cycles(&self.wait_graph())
    }

    fn name_cycles(&self, graph: &WaitGraph) -> Vec<WaitCycle> {
        let holders = self.holdings.by_number();
        let link = |place: &usize| {
            let index = graph.tasks[*place];
            let StalledTask { name: task, wait, .. } = self.stalled_task(index, &holders);
            WaitLink { task, wait: wait.unwrap_or(Wait::UNKNOWN) }
        };
        let cycles = graph.cycles().into_iter();
        cycles.map(|cycle| WaitCycle { links: cycle.iter().map(link).collect() }).collect()
    }

    fn describe_tasks(&self) -> Vec<(StalledTask, TaskStatus)> {
        let holders = self.holdings.by_number();
        let describe = |index| (self.stalled_task(index, &holders), self.status(index));
        self.tasks.indices().map(describe).collect()
    }

    fn status(&self, index: u32) -> TaskStatus {
        match self.tasks.get(index).state {
            TaskState::Running => TaskStatus::Running,
            TaskState::Ready => TaskStatus::Ready,
            TaskState::Held => TaskStatus::Held,
            TaskState::Blocked | TaskState::Closing => TaskStatus::Waiting,
            TaskState::Done | TaskState::Free => TaskStatus::Done,
        }
    }

    fn wait_graph(&self) -> WaitGraph {
        let tasks: Vec<u32> = self.tasks.indices().collect();
        let places: BTreeMap<u32, usize> =
            tasks.iter().enumerate().map(|(place, index)| (*index, place)).collect();
        let place_of = |task: TaskId| {
            let place = *places.get(&task.index())?;
            let slot = self.tasks.get(task.index());
            let is_alive = slot.generation == task.generation() && slot.state != TaskState::Done;
            (is_alive && task.run() == self.run).then_some(place)
        };
        // Behind the tasks come the resources: the edges to and from one are as many as wait for it
        // and hold it, where those from task to task would be the product.
        let mut targets = vec![Vec::new(); tasks.len()];
        let mut resources = BTreeMap::new();
        for (number, holding) in self.holdings.published() {
            resources.insert(number, targets.len());
            targets.push(holding.filter_map(place_of).collect());
        }
        for (place, index) in tasks.iter().enumerate() {
            let state = self.tasks.get(*index).state;
            let is_blocked = matches!(state, TaskState::Blocked | TaskState::Closing);
            let note = self.tasks.wait(*index).filter(|_| is_blocked);
            targets[place].extend(note.and_then(|note| match note.subject {
                WaitSubject::Task(task) | WaitSubject::Cleanup(task) => place_of(task),
                WaitSubject::Resource { number, .. } => resources.get(&number).copied(),
                WaitSubject::Timer(_) | WaitSubject::OtherTasks => None,
            }));
        }
        WaitGraph { tasks, targets }
    }
}

/// Tasks and resources, and whom each waits for.
#[derive(Debug)]
pub(crate) struct WaitGraph {
    /// Their indices in the table; places beyond are those of resources.
    tasks: Vec<u32>,
    targets: Vec<Vec<usize>>,
}

impl WaitGraph {
    /// Returns the places of the tasks that a task waits for.
    pub(crate) fn tasks_after(&self, task: usize) -> impl DoubleEndedIterator<Item = usize> + '_ {
        let nearest = self.targets[task].iter();
        nearest
            .flat_map(|target| match *target < self.tasks.len() {
                true => std::slice::from_ref(target),
                false => self.targets[*target].as_slice(),
            })
            .copied()
    }

    /// Tells of each task whether another one waits for it.
    pub(crate) fn awaited(&self) -> Vec<bool> {
        let mut is_awaited = vec![false; self.targets.len()];
        let (tasks, resources) = self.targets.split_at(self.tasks.len());
        tasks.iter().flatten().for_each(|target| is_awaited[*target] = true);
        for (place, holders) in (tasks.len()..).zip(resources) {
            if is_awaited[place] {
                holders.iter().for_each(|holder| is_awaited[*holder] = true);
            }
        }
        is_awaited.truncate(tasks.len());
        is_awaited
    }

    /// Returns cycles of tasks: for each task that is on one, and on none before, the shortest.
    fn cycles(&self) -> Vec<Vec<usize>> {
        let is_inner = self.inner();
        let mut is_named = vec![false; self.tasks.len()];
        let mut cycles = Vec::new();
        for task in 0..self.tasks.len() {
            if !is_inner[task] || is_named[task] || cycles.len() == CYCLES_MAX {
                continue;
            }
            if let Some(mut cycle) = self.shortest_cycle(task, &is_inner) {
                cycle.retain(|place| *place < self.tasks.len());
                cycle.iter().for_each(|place| is_named[*place] = true);
                cycles.push(cycle);
            }
        }
        cycles
    }

    /// Marks what is on a cycle or between two: what is left when all that waits for nothing, and
    /// all that nothing waits for, has been taken away again and again.
    fn inner(&self) -> Vec<bool> {
        let count = self.targets.len();
        let mut sources = vec![Vec::new(); count];
        for (source, targets) in self.targets.iter().enumerate() {
            targets.iter().for_each(|target| sources[*target].push(source));
        }
        let mut is_inner = vec![true; count];
        strip(&mut is_inner, &self.targets, &sources);
        strip(&mut is_inner, &sources, &self.targets);
        is_inner
    }

    /// Returns the places on the shortest way from one back to it, which comes first.
    fn shortest_cycle(&self, start: usize, is_inner: &[bool]) -> Option<Vec<usize>> {
        let mut sources = vec![None; self.targets.len()];
        let mut ahead = VecDeque::from([start]);
        while let Some(place) = ahead.pop_front() {
            for target in self.targets[place].iter().copied().filter(|target| is_inner[*target]) {
                if sources[target].is_none() {
                    sources[target] = Some(place);
                    ahead.push_back(target);
                }
            }
            if let Some(last) = sources[start] {
                let back = std::iter::successors(Some(last), |place| {
                    (*place != start).then(|| sources[*place]).flatten()
                });
                let mut cycle: Vec<usize> = back.collect();
                cycle.reverse();
                return Some(cycle);
            }
        }
        None
    }
}

/// Takes away what has nothing ahead, again and again.
fn strip(is_inner: &mut [bool], ahead: &[Vec<usize>], behind: &[Vec<usize>]) {
    let mut counts: Vec<usize> = ahead.iter().map(Vec::len).collect();
    let mut ends: Vec<usize> = (0..counts.len()).filter(|place| counts[*place] == 0).collect();
    while let Some(end) = ends.pop() {
        is_inner[end] = false;
        for place in behind[end].iter().copied() {
            counts[place] -= 1;
            if counts[place] == 0 {
                ends.push(place);
            }
        }
    }
}

/// Most cycles that a report names.
const CYCLES_MAX: usize = 16;
