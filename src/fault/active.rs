//! One fault from its begin to its end.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::dice::Dice;
use super::mailbox::{Effect as Rule, MailboxFault, mailboxes};
use super::plan::{Actors, Between, Fault};
use crate::world::{self, FaultCounters, Link, LinkFault, LinkOptions, Node, NodeStatus};

/// A fault that has begun, with what ends it.
#[derive(Debug)]
pub(super) struct Active {
    effect: Effect,
    /// How often it had fired when it began, for those that the network counts.
    before: u64,
}

#[derive(Debug)]
enum Effect {
    /// It happened once; whether there was anything that it happened to.
    Once(u64),
    /// Links under a rule.
    Links(Vec<LinkFault>),
    /// Links with other options.
    Options(Field, Vec<(Link, LinkOptions)>),
    /// A machine that is to be started again.
    Dead(Node),
    Paused(Node),
    Slow(Node),
    Drift(Node),
    /// Actors under a rule.
    Messages(MailboxFault),
}

/// What a fault needs to know of the chaos that it is of.
#[derive(Clone, Copy, Debug)]
pub(super) struct Origin<'a> {
    pub(super) dice: Dice,
    pub(super) spared_actors: &'a [Arc<str>],
    /// What the draws of the fault are numbered by.
    pub(super) number: u64,
}

impl Effect {
    /// Returns the machine that has it, if it is one's and not links'.
    const fn machine(&self) -> Option<&Node> {
        match self {
            Self::Dead(node) | Self::Paused(node) | Self::Slow(node) | Self::Drift(node) => {
                Some(node)
            }
            Self::Once(_) | Self::Links(_) | Self::Options(..) | Self::Messages(_) => None,
        }
    }
}

/// What of a link's options a fault has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Field {
    Loss,
    Duplication,
    Reordering,
    Corruption,
    Latency,
}

impl Field {
    fn set(self, options: &mut LinkOptions, from: &LinkOptions) {
        match self {
            Self::Loss => options.loss = from.loss,
            Self::Duplication => options.duplication = from.duplication,
            Self::Reordering => options.reordering = from.reordering,
            Self::Corruption => options.corruption = from.corruption,
            Self::Latency => options.latency = from.latency,
        }
    }

    /// Returns how often faults of its kind have fired on all links.
    fn fired(self, counters: FaultCounters, links: &[(Link, LinkOptions)]) -> u64 {
        match self {
            Self::Loss => counters.lost,
            Self::Duplication => counters.duplicated,
            Self::Reordering => counters.reordered,
            Self::Corruption => counters.corrupted,
            Self::Latency => links.iter().map(|(link, _)| link.counters().sent).sum(),
        }
    }
}

impl Active {
    /// Begins a fault.
    ///
    /// # Panics
    /// When there is no machine of a name.
    #[track_caller]
    pub(super) fn begin(fault: &Fault, origin: Origin<'_>) -> Self {
        let effect = match fault {
            Fault::Cut(between) => links(between, |a, b| world::partition(a, b)),
            // Ended by its guard, so that it can outlast its time in a core's outside.
            Fault::Clog(between) => links(between, |a, b| world::hold(a, b)),
            Fault::Flap { between, up, down } => {
                links(between, |a, b| world::flap(a, b, *up, *down))
            }
            Fault::Loss(between, share) => {
                options(between, Field::Loss, |options| options.loss = *share)
            }
            Fault::Duplication(between, share) => {
                options(between, Field::Duplication, |options| options.duplication = *share)
            }
            Fault::Reordering(between, share) => {
                options(between, Field::Reordering, |options| options.reordering = *share)
            }
            Fault::Corruption(between, share) => {
                options(between, Field::Corruption, |options| options.corruption = *share)
            }
            Fault::Latency(between, latency) => {
                options(between, Field::Latency, |options| options.latency = *latency)
            }
            Fault::Reset(between) => {
                let resets = between.sides.iter().map(|(a, b)| world::reset(names(a), names(b)));
                Effect::Once(resets.sum::<usize>() as u64)
            }
            Fault::Kill(name) => die(name, Node::kill),
            Fault::PowerOff(name) => die(name, Node::power_off),
            Fault::Pause(name) => {
                let node = found(name);
                node.pause();
                Effect::Paused(node)
            }
            Fault::Slow(name, factor) => {
                let node = found(name);
                node.slow(*factor);
                Effect::Slow(node)
            }
            Fault::ClockStep(name, by) => {
                found(name).step_clock(*by);
                Effect::Once(1)
            }
            Fault::ClockDrift(name, rate) => {
                let node = found(name);
                node.set_clock_rate(*rate);
                Effect::Drift(node)
            }
            Fault::MessageLoss(actors, share) => origin.messages(actors, Rule::Drop(*share)),
            Fault::MessageDelay(actors, share, by) => {
                origin.messages(actors, Rule::Delay(*share, by.clone()))
            }
            Fault::MessageDuplication(actors, share) => {
                origin.messages(actors, Rule::Duplicate(*share))
            }
            Fault::MessageReordering(actors, share) => {
                origin.messages(actors, Rule::Reorder(*share))
            }
            Fault::SlowActors(actors, share, by) => {
                origin.messages(actors, Rule::Slow(*share, by.clone()))
            }
            Fault::ActorCrash(actors, number) => origin.messages(actors, Rule::CrashAt(*number)),
        };
        let mut active = Self { effect, before: 0 };
        active.before = active.counted();
        active
    }

    /// Tells whether a fault of the same kind would change what this one has changed. Those that take
    /// the life of a machine, and rules of links, may lie upon each other.
    pub(super) fn is_hidden_by(&self, fault: &Fault) -> bool {
        match &self.effect {
            Effect::Options(..) => true,
            Effect::Paused(node) | Effect::Slow(node) | Effect::Drift(node) => {
                fault.machines().any(|name| *name == *node.name())
            }
            Effect::Once(_) | Effect::Links(_) | Effect::Dead(_) | Effect::Messages(_) => false,
        }
    }

    fn counted(&self) -> u64 {
        match &self.effect {
            Effect::Options(field, links) => field.fired(world::network().counters(), links),
            _ => 0,
        }
    }

    /// Returns how often it has had an effect: packets and messages that it met, connections, machines.
    pub(super) fn fired(&self) -> u64 {
        match &self.effect {
            Effect::Once(count) => *count,
            Effect::Links(guards) => guards.iter().map(LinkFault::fired).sum(),
            Effect::Options(..) => self.counted() - self.before,
            Effect::Messages(guard) => guard.fired(),
            Effect::Dead(_) | Effect::Paused(_) | Effect::Slow(_) | Effect::Drift(_) => 1,
        }
    }

    /// Ends it: links are as they were, machines run.
    pub(super) fn end(self) {
        match self.effect {
            Effect::Once(_) => {}
            Effect::Links(guards) => drop(guards),
            Effect::Options(field, links) => restore(field, &links, |_| true),
            Effect::Dead(node) => node.power_on(),
            Effect::Paused(node) => node.resume(),
            Effect::Slow(node) => node.slow(1),
            Effect::Drift(node) => node.set_clock_rate(0),
            Effect::Messages(guard) => guard.end(),
        }
    }

    /// Ends it for the machines of a core, and leaves it for ever as it is elsewhere.
    pub(super) fn end_within(self, core: &[Node]) {
        match self.effect {
            Effect::Links(guards) => guards.into_iter().for_each(LinkFault::keep),
            Effect::Options(field, links) => {
                let is_inside = |link: &Link| {
                    let is_of_it = |name: &str| core.iter().any(|node| node.name() == name);
                    let (from, to) = link.ends();
                    is_of_it(&from) && is_of_it(&to)
                };
                restore(field, &links, is_inside);
            }
            Effect::Messages(guard) => {
                guard.end_within(|name| core.iter().any(|node| node.name() == name));
            }
            effect => {
                let is_outside = effect.machine().is_some_and(|node| !core.contains(node));
                if !is_outside {
                    Self { effect, before: self.before }.end();
                }
            }
        }
    }
}

impl Origin<'_> {
    /// Begins a rule about messages.
    fn messages(self, actors: &Actors, rule: Rule) -> Effect {
        let Self { dice, spared_actors, number } = self;
        let all = mailboxes().except(spared_actors.to_vec());
        let mailboxes = match &actors.machines {
            Some(machines) => all.on_machines(machines.iter().cloned()),
            None => all,
        };
        Effect::Messages(mailboxes.begin_numbered(rule, dice, Some(number)))
    }
}

fn restore(field: Field, links: &[(Link, LinkOptions)], is_restored: impl Fn(&Link) -> bool) {
    for (link, before) in links.iter().filter(|(link, _)| is_restored(link)) {
        let mut options = link.options();
        field.set(&mut options, before);
        link.set_options(options);
    }
}

fn die(name: &str, kill: fn(&Node)) -> Effect {
    let node = found(name);
    if matches!(node.state(), NodeStatus::Down | NodeStatus::Off) {
        return Effect::Once(0);
    }
    kill(&node);
    Effect::Dead(node)
}

#[track_caller]
fn found(name: &str) -> Node {
    Node::find(name).unwrap_or_else(|| panic!("there is no machine `{name}`"))
}

fn names(side: &[Arc<str>]) -> Vec<String> {
    side.iter().map(ToString::to_string).collect()
}

fn links(between: &Between, begin: impl Fn(Vec<String>, Vec<String>) -> LinkFault) -> Effect {
    let guards = between.sides.iter().map(|(a, b)| {
        let guard = begin(names(a), names(b));
        if between.is_one_way { guard.one_way() } else { guard }
    });
    Effect::Links(guards.collect())
}

fn options(between: &Between, field: Field, change: impl Fn(&mut LinkOptions)) -> Effect {
    let mut links: Vec<(Link, LinkOptions)> = Vec::new();
    let mut known = BTreeSet::new();
    let mut add = |from: &str, to: &str| {
        if from == to || !known.insert((from.to_owned(), to.to_owned())) {
            return;
        }
        let link = world::network().link(from, to);
        let before = link.options();
        let mut options = before.clone();
        change(&mut options);
        link.set_options(options);
        links.push((link, before));
    };
    for (a, b) in &between.sides {
        for (one, other) in a.iter().flat_map(|one| b.iter().map(move |other| (one, other))) {
            add(one, other);
            if !between.is_one_way {
                add(other, one);
            }
        }
    }
    Effect::Options(field, links)
}
