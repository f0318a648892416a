//! Who waits for whom.
//!
//! A task that joins another waits for that; one that waits for a lock waits for all who hold it. A
//! task that waits for several things at once, in a `select!` or a join of futures, stands here with
//! the one that it noted last.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::panic::Location;

use super::Executor;
use super::core::Core;
use super::failure::{Failure, StalledTask, Wait};
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

impl WaitCycle {
    /// Tells whether it is one of actors that wait for answers.
    pub(super) fn is_of_asks(&self) -> bool {
        self.links.iter().all(|link| link.wait.verb == ASK)
    }
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

impl Executor {
    /// Fails the run because of actors that wait for the answers of each other: who, whom and to what.
    pub(crate) fn fail_for_cycle(
        &self,
        links: Vec<(String, String, &'static str, &'static Location<'static>)>,
    ) {
        let link = |(task, name, kind, at): (_, _, _, &'static Location<'static>)| {
            let wait = Wait {
                verb: ASK,
                kind,
                name: Some(name),
                made_at: None,
                waits_at: Some(at.into()),
                holders: Vec::new(),
                holder_count: 0,
            };
            WaitLink { task, wait }
        };
        let links: Vec<_> = links.into_iter().map(link).collect();
        let stalled = |link: &WaitLink| StalledTask {
            name: link.task.clone(),
            spawned_at: None,
            steps: 0,
            wait: Some(link.wait.clone()),
        };
        let tasks = links.iter().map(stalled).collect();
        self.core.borrow_mut().fail(Failure::Deadlock { tasks, cycles: vec![WaitCycle { links }] });
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
        let components = components(&self.targets);
        let mut sizes = vec![0; self.targets.len()];
        components.iter().for_each(|component| sizes[*component] += 1);
        let is_on_cycle =
            |task: usize| sizes[components[task]] > 1 || self.targets[task].contains(&task);
        let mut is_named = vec![false; self.tasks.len()];
        let mut cycles = Vec::new();
        for task in 0..self.tasks.len() {
            if is_named[task] || cycles.len() == CYCLES_MAX || !is_on_cycle(task) {
                continue;
            }
            let mut cycle = self.shortest_cycle(task, &components);
            cycle.retain(|place| *place < self.tasks.len());
            cycle.iter().for_each(|place| is_named[*place] = true);
            cycles.push(cycle);
        }
        cycles
    }

    /// Returns the places on the shortest way from one that is on a cycle back to it, which comes first.
    fn shortest_cycle(&self, start: usize, components: &[usize]) -> Vec<usize> {
        let mut sources = vec![None; self.targets.len()];
        let mut ahead = VecDeque::from([start]);
        while let Some(place) = ahead.pop_front() {
            for target in self.targets[place].iter().copied() {
                if components[target] == components[start] && sources[target].is_none() {
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
                return cycle;
            }
        }
        unreachable!("there is a way back from each place of a component")
    }
}

/// Returns for each place the number of its strongly connected component: there is a way from each place
/// of one to each other.
///
/// # Source
/// Tarjan, "Depth-first search and linear graph algorithms" (1972), without recursion.
fn components(targets: &[Vec<usize>]) -> Vec<usize> {
    let mut components = vec![None; targets.len()];
    // In which order they were come to, and the first that can be come back to.
    let mut numbers = vec![None; targets.len()];
    let mut earliest = Vec::new();
    // Those whose components are not known yet.
    let mut open = Vec::new();
    let mut component = 0;
    for root in 0..targets.len() {
        let mut ahead = Vec::from_iter(numbers[root].is_none().then_some((root, 0)));
        while let Some((place, edge)) = ahead.last_mut() {
            let place = *place;
            if *edge == 0 {
                numbers[place] = Some(earliest.len());
                earliest.push(earliest.len());
                open.push(place);
            }
            let number = numbers[place].expect("it was just come to");
            if let Some(target) = targets[place].get(*edge).copied() {
                *edge += 1;
                match numbers[target] {
                    None => ahead.push((target, 0)),
                    Some(_) if components[target].is_some() => {}
                    Some(other) => earliest[number] = earliest[number].min(other),
                }
                continue;
            }
            ahead.pop();
            if earliest[number] == number {
                let first = open.iter().rposition(|member| *member == place);
                let first = first.expect("it is open until its component is known");
                open.drain(first..).for_each(|member| components[member] = Some(component));
                component += 1;
            }
            if let Some(above) = ahead.last().and_then(|(above, _)| numbers[*above]) {
                earliest[above] = earliest[above].min(earliest[number]);
            }
        }
    }
    components.into_iter().map(|known| known.expect("all were come to")).collect()
}

/// Most cycles that a report names.
const CYCLES_MAX: usize = 16;

const ASK: &str = "ask";
