//! The first phase: faults, drawn or planned, while the program works.

#[cfg(test)]
mod tests;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::panic::Location;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use super::active::{Active, Origin};
use super::agenda::{Agenda, Turn};
use super::budget::Budget;
use super::core::Core;
use super::dice::Dice;
use super::kind::FaultKind;
use super::nemesis::{Nemesis, STRENGTH, Victim};
use super::plan::{Fault, FaultPlan};
use super::report::{ChaosReport, Downgrade};
use super::run::{count_faults, note_nemeses};
use crate::executor::note;
use crate::kernel::Ratio;
use crate::task::{Builder, Task};
use crate::time::{Instant, sleep_until, timeout_at};
use crate::world::{Node, NodeStatus, next_packets};

/// Faults that happen to machines and the links between them, while a program works; until it is
/// [ended](Self::end), [turned into liveness](Self::liveness) or dropped.
///
/// All of its plan is drawn when it starts, each part with a label and an ordinal of its own: so a
/// shrunk failure holds those faults that it needs, and no others. In the default world there are none.
///
/// **Swarm**: in half of the seeds some nemeses are left out and the others are stronger or weaker, as
/// drawn. A program that fails only when there is nothing but loss is found sooner by this (Groce et
/// al., "Swarm testing", ISSTA 2012).
///
/// # Examples
/// ```
/// use std::time::Duration;
/// use parcae::fault::{Budget, Chaos};
/// use parcae::net::TcpListener;
/// use parcae::time::sleep;
/// use parcae::world;
///
/// parcae::check(20, || async {
///     let nodes = world::nodes("kv", 3).start(|_| async {
///         let listener = TcpListener::bind("0.0.0.0:80").await.unwrap();
///         while let Ok((stream, _)) = listener.accept().await {
///             drop(stream);
///         }
///     });
///     let chaos = Chaos::on(nodes).budget(Budget::max_dead(1)).start();
///     sleep(Duration::from_secs(10)).await; // here the program is used
///     let report = chaos.end();
///     assert!(report.steps.windows(2).all(|pair| pair[0].at <= pair[1].at));
/// });
/// ```
#[derive(Debug)]
#[must_use = "dropping it ends the faults"]
pub struct Chaos {
    engine: Rc<Engine>,
    task: Option<Task<()>>,
}

/// Says what a [`Chaos`] does; made by [`Chaos::on`].
#[derive(Clone, Debug)]
#[must_use = "nothing happens before it is started"]
pub struct ChaosBuilder {
    nodes: Vec<Node>,
    budget: Budget,
    nemeses: Option<Vec<Nemesis>>,
    plan: FaultPlan,
    is_swarm: bool,
    during: Duration,
}

impl Chaos {
    /// Begins to say what happens to these machines. The test, and machines that are not among them,
    /// stay as they are, and so do their links.
    pub fn on(nodes: impl IntoIterator<Item = Node>) -> ChaosBuilder {
        ChaosBuilder {
            nodes: nodes.into_iter().collect(),
            budget: Budget::max_dead(1),
            nemeses: None,
            plan: FaultPlan::new(),
            is_swarm: true,
            during: Duration::from_secs(30),
        }
    }

    /// Begins to say what happens to the actors of the run and the messages to them, wherever they run: also
    /// in a program of one machine, that of the test. Machines and links stay as they are.
    ///
    /// # Examples
    /// ```
    /// use std::time::Duration;
    /// use parcae::actor::{self, Context, Crash, Handler};
    /// use parcae::fault::Chaos;
    ///
    /// #[derive(Debug)]
    /// struct Ping;
    /// parcae::message!(Ping -> u32);
    /// struct Echo;
    /// parcae::actor!(Echo);
    /// impl Handler<Ping> for Echo {
    ///     async fn handle(&mut self, _: Ping, _: &mut Context<Self>) -> Result<u32, Crash> {
    ///         Ok(7)
    ///     }
    /// }
    ///
    /// // Who asks once takes it for granted that a message arrives.
    /// let report = parcae::explore::Check::new("ping").seeds(100).run(|| async {
    ///     let echo = actor::spawn_named::<Echo>("echo", Echo).unwrap();
    ///     let chaos = Chaos::of_actors().start();
    ///     for _ in 0..10 {
    ///         parcae::time::sleep(Duration::from_secs(1)).await;
    ///         assert_eq!(echo.ask(Ping).await, Ok(7));
    ///     }
    ///     drop(chaos);
    /// });
    /// assert!(report.finding().is_some());
    /// ```
    pub fn of_actors() -> ChaosBuilder {
        Self::on([])
    }
}

impl ChaosBuilder {
    /// Sets what the program is promised to survive. Default: one absent machine at a time.
    pub fn budget(mut self, budget: Budget) -> Self {
        self.budget = budget;
        self
    }

    /// Adds a nemesis. Without any, and without a plan, there is one of each sort but
    /// [`corruptions`](Nemesis::corruptions) and those [of actors](Nemesis::of_actors); those alone in a chaos
    /// [of actors](Chaos::of_actors).
    pub fn nemesis(mut self, nemesis: Nemesis) -> Self {
        self.nemeses.get_or_insert_default().push(nemesis);
        self
    }

    /// Adds the faults of a plan; they are no choices.
    pub fn plan(mut self, plan: FaultPlan) -> Self {
        self.plan.steps.extend(plan.steps);
        self.nemeses.get_or_insert_default();
        self
    }

    /// Sets whether half of the seeds leave nemeses out and vary their strength. Default: yes.
    pub const fn swarm(mut self, is_swarm: bool) -> Self {
        self.is_swarm = is_swarm;
        self
    }

    /// Sets how long faults may begin, in virtual time; those that wait for a packet, a second longer. Default: 30 s. What has
    /// begun by then ends in its time.
    pub const fn during(mut self, during: Duration) -> Self {
        self.during = during;
        self
    }

    /// Draws the plan and starts it.
    ///
    /// # Panics
    /// Outside of a simulation; for the machine `test`; when the plan names a machine that is none of
    /// its own.
    ///
    /// # Determinism
    /// One choice for each slot of each nemesis, and some more for each fault; all of a task of its
    /// own, named `chaos`.
    #[track_caller]
    pub fn start(self) -> Chaos {
        for node in &self.nodes {
            assert!(
                node.name() != "test",
                "the machine `test` is the test itself, and no fault is done to it"
            );
        }
        let at = Location::caller();
        let (nodes, budget, plan) = (self.nodes.clone(), self.budget.clone(), self.plan.clone());
        let engine = Rc::new(Engine {
            nodes,
            budget,
            dice: Dice { at },
            start: Instant::now(),
            state: RefCell::new(State::default()),
        });
        engine.check(&plan);
        let runner = engine.clone();
        let task = Builder::new().name("chaos").eager().spawn(async move {
            let report = self.draw(runner.dice, &runner.victims());
            runner.state.borrow_mut().report = report;
            runner.run().await;
        });
        Chaos { engine, task: Some(task) }
    }

    /// Draws the plan; called in the task of the chaos.
    fn draw(self, dice: Dice, victims: &[Victim]) -> ChaosReport {
        let nemeses = self.nemeses.unwrap_or_else(|| match self.nodes.is_empty() {
            true => Nemesis::of_actors(),
            false => Nemesis::all().into_iter().filter(Nemesis::is_usual).collect(),
        });
        let is_swarm = self.is_swarm && dice.index("swarm", 0, 2) == 1;
        let mut strengths = Vec::new();
        let mut steps = self.plan.steps;
        let mut series: BTreeMap<&str, u64> = BTreeMap::new();
        for (place, nemesis) in nemeses.iter().enumerate() {
            let strength = if is_swarm { swarm(dice, place as u64) } else { STRENGTH };
            strengths.push((nemesis.name(), strength));
            // Two of the same sort draw in series of their own.
            let number = series.entry(nemesis.name()).or_default();
            if strength > 0 {
                steps.extend(nemesis.draw((dice, *number), strength, self.during, victims));
            }
            *number += 1;
        }
        if is_swarm {
            note_nemeses(&strengths);
        }
        ChaosReport::plan(strengths, steps)
    }
}

/// Draws how strong a nemesis is, in sixteenths; 0 for none.
fn swarm(dice: Dice, place: u64) -> u32 {
    const STRENGTHS: [u32; 5] = [STRENGTH, 1, 2, 8, 16];
    if dice.happens("swarm without", place, Ratio::new(1, 2)) {
        return 0;
    }
    STRENGTHS[dice.index("swarm strength", place, STRENGTHS.len())]
}

impl Chaos {
    /// Returns what it has drawn and done so far.
    ///
    /// # Panics
    /// Outside of its run.
    #[must_use]
    pub fn report(&self) -> ChaosReport {
        self.engine.report()
    }

    /// Ends all faults: links are as they were, machines run. Clocks that have jumped stay as they are.
    pub fn end(mut self) -> ChaosReport {
        self.finish();
        self.engine.report()
    }

    /// Ends the faults for a core of the machines, and leaves everything else as it is for ever: the
    /// second phase. The core is drawn: all machines but at most as many as the budget admits; a majority
    /// at least, if it admits any number.
    ///
    /// # Panics
    /// Outside of its run.
    ///
    /// # Determinism
    /// One choice for how many stay outside (none by default), and one for each of them.
    ///
    /// Faults that heal by themselves hide that a program stands still for ever: the next fault wakes
    /// it up. So what is outside stays broken, and the core must get on without it.
    #[track_caller]
    pub fn liveness(mut self) -> Core {
        self.task = None;
        let (inside, outside) = self.engine.draw_core();
        for (_, active) in self.engine.take_all() {
            active.end_within(&inside);
        }
        Core::new(inside, outside, self.engine.report())
    }

    fn finish(&mut self) {
        self.task = None;
        for (_, active) in self.engine.take_all() {
            active.end();
        }
    }
}

impl Drop for Chaos {
    fn drop(&mut self) {
        // One that has outlived its run has nothing to end any more.
        if self.engine.nodes.iter().all(Node::can_be_acted_on) {
            self.finish();
        }
    }
}

/// What does the faults. Its state is never borrowed while machines and links are changed: that may
/// run destructors of the program.
#[derive(Debug)]
struct Engine {
    nodes: Vec<Node>,
    budget: Budget,
    dice: Dice,
    start: Instant,
    state: RefCell<State>,
}

#[derive(Debug, Default)]
struct State {
    report: ChaosReport,
    active: BTreeMap<usize, Running>,
    /// Until when machines that are back are counted as absent.
    recovering: BTreeMap<Arc<str>, Instant>,
}

#[derive(Debug)]
struct Running {
    active: Active,
    kind: FaultKind,
    /// Who is absent because of it.
    absent: Option<Arc<str>>,
}

impl Engine {
    #[track_caller]
    fn check(&self, plan: &FaultPlan) {
        for step in &plan.steps {
            for name in step.fault.machines() {
                assert!(
                    self.nodes.iter().any(|node| node.name() == &*name),
                    "the plan names `{name}`, which is none of the machines of the chaos"
                );
            }
        }
    }

    fn victims(&self) -> Vec<Victim> {
        let victim = |node: &Node| Victim {
            name: node.name().into(),
            domain: self.budget.domains().and_then(|kind| node.label(kind)),
        };
        self.nodes.iter().map(victim).collect()
    }

    fn report(&self) -> ChaosReport {
        let mut report = self.state.borrow().report.clone();
        for running in self.state.borrow().active.values() {
            report.count_effect(running.kind, running.active.fired());
        }
        report
    }

    /// Does the plan.
    async fn run(&self) {
        let mut agenda = Agenda::of(self.state.borrow().report.steps.clone());
        while let Some(at) = agenda.next_time() {
            let Some(deadline) = self.start.checked_add(at) else { break };
            let awaited = self.nodes.iter().filter(|node| agenda.waits_for(node.name()));
            let awaited: Vec<&Node> = awaited.collect();
            let turns = if awaited.is_empty() {
                sleep_until(deadline).await;
                agenda.take_due(at)
            } else {
                let ids = awaited.iter().map(|node| node.id());
                match timeout_at(deadline, next_packets(ids)).await {
                    Ok(ids) => {
                        let met = awaited.iter().filter(|node| ids.contains(&node.id()));
                        let met: Vec<&str> = met.map(|node| node.name()).collect();
                        agenda.take_waiting(self.now(), &met)
                    }
                    Err(_) => agenda.take_due(at),
                }
            };
            for turn in turns {
                match turn {
                    Turn::Begin(place) => self.begin(place),
                    Turn::End(place) => self.end(place),
                }
            }
        }
    }

    /// Returns the time since the start.
    fn now(&self) -> Duration {
        Instant::now().duration_since(self.start)
    }

    fn begin(&self, place: usize) {
        let (number, wanted) = {
            let state = self.state.borrow();
            let step = &state.report.steps[place];
            (step.number, step.fault.clone())
        };
        let at = self.now();
        let fault = self.within_budget(at, wanted);
        let kind = fault.kind();
        self.supersede(&fault);
        let absent = kind.is_absence().then(|| fault.machines().next()).flatten();
        let spared_actors = self.budget.spared_actors();
        let origin = Origin { dice: self.dice, spared_actors, number };
        let active = Active::begin(&fault, origin);
        note(|| format!("fault begins: {fault}"));
        let mut state = self.state.borrow_mut();
        state.report.count_begin(kind);
        count_faults(kind, 1, 0);
        state.active.insert(place, Running { active, kind, absent });
    }

    /// Ends what the fault would be hidden by, or would not give back when it ends: another one of its
    /// kind that has changed the same machine, or the options of links.
    fn supersede(&self, fault: &Fault) {
        let is_hidden =
            |running: &Running| running.kind == fault.kind() && running.active.is_hidden_by(fault);
        let places: Vec<_> = {
            let active = &self.state.borrow().active;
            active
                .iter()
                .filter(|(_, running)| is_hidden(running))
                .map(|(place, _)| *place)
                .collect()
        };
        places.into_iter().for_each(|place| self.end(place));
    }

    fn end(&self, place: usize) {
        let Some(running) = self.take(place) else { return };
        note(|| {
            let state = self.state.borrow();
            format!("fault ends: {}", state.report.steps[place].fault)
        });
        running.end();
    }

    /// Takes a fault out, and counts what it did.
    fn take(&self, place: usize) -> Option<Active> {
        let mut state = self.state.borrow_mut();
        let Running { active, kind, absent } = state.active.remove(&place)?;
        let fired = active.fired();
        state.report.count_effect(kind, fired);
        count_faults(kind, 0, fired);
        if let Some(absent) = absent {
            let end = Instant::now().checked_add(self.budget.recovery_time());
            end.into_iter().for_each(|end| {
                state.recovering.insert(absent.clone(), end);
            });
        }
        Some(active)
    }

    /// Takes all faults out, those that began last first.
    fn take_all(&self) -> Vec<(usize, Active)> {
        let places: Vec<_> = self.state.borrow().active.keys().copied().rev().collect();
        places.into_iter().filter_map(|place| Some((place, self.take(place)?))).collect()
    }

    /// Returns the fault, or a weaker one if it would exceed the budget.
    fn within_budget(&self, at: Duration, wanted: Fault) -> Fault {
        let Some(name) = wanted.machines().next().filter(|_| wanted.kind().is_absence()) else {
            return wanted;
        };
        let absent = self.absent();
        let Err(why) = self.budget.admits(&name, &absent, |name| self.unit(name)) else {
            return wanted;
        };
        let done = Fault::Slow(name, SLOWED_INSTEAD);
        let downgrade = Downgrade { at, wanted, done: done.clone(), why };
        note(|| format!("fault weakened: {downgrade}"));
        self.state.borrow_mut().report.downgraded.push(downgrade);
        done
    }

    /// Returns who is absent: because of a fault, or still recovering, or dead for another reason.
    fn absent(&self) -> Vec<Arc<str>> {
        let now = Instant::now();
        let mut state = self.state.borrow_mut();
        state.recovering.retain(|_, end| *end > now);
        let by_fault = state.active.values().filter_map(|running| running.absent.clone());
        let mut absent: Vec<_> = by_fault.chain(state.recovering.keys().cloned()).collect();
        drop(state);
        let is_absent = |node: &&Node| {
            matches!(node.state(), NodeStatus::Down | NodeStatus::Off)
                || self.budget.says_absent(node.name())
        };
        let others = self.nodes.iter().filter(is_absent);
        absent.extend(others.map(|node| Arc::from(node.name())));
        absent.sort();
        absent.dedup();
        absent
    }

    /// Returns what a machine is counted as: its failure domain, or itself.
    fn unit(&self, name: &Arc<str>) -> Arc<str> {
        let domain = || {
            let kind = self.budget.domains()?;
            self.nodes.iter().find(|node| node.name() == &**name)?.label(kind)
        };
        domain().unwrap_or_else(|| name.clone())
    }

    /// Draws who is of the core; gives the others too.
    #[track_caller]
    fn draw_core(&self) -> (Vec<Node>, Vec<Node>) {
        let mut units: Vec<_> =
            self.nodes.iter().map(|node| self.unit(&node.name().into())).collect();
        units.sort();
        units.dedup();
        let dice = Dice { at: Location::caller() };
        let most = self.budget.most_of(units.len()).min(units.len().saturating_sub(1));
        let count = dice.number("machines outside of the core", 0, most as u64);
        let mut outside = Vec::new();
        for place in 0..count {
            let unit = dice.index("outside of the core", place, units.len());
            outside.push(units.remove(unit));
        }
        let is_inside = |node: &Node| !outside.contains(&self.unit(&node.name().into()));
        self.nodes.iter().cloned().partition(is_inside)
    }
}

/// How much slower a machine becomes that the budget does not let die.
const SLOWED_INSTEAD: u32 = 16;
