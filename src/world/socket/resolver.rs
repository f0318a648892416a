//! Lookups of names: what each machine asks, what it remembers, when it is answered.
//!
//! An answer is that of the time at which it comes. A lookup belongs to the process that asks and is
//! gone with it; what a machine remembers is gone with its power.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::task::Poll;

use super::super::arena::{Arena, Key};
use super::super::event::WorldEvent;
use super::super::host::Host;
use super::super::node::NodeId;
use super::names::{NameError, NameTable};
use super::{Outside, Owner};
use crate::executor::{Phrase, Phrases, TimerKey, WakeTarget, Weight};
use crate::kernel::{Ratio, Site, Space, VirtualTime};

/// Names a lookup that goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct LookupKey(pub(crate) Key);

/// One lookup.
#[derive(Debug)]
pub(crate) struct Lookup {
    pub(crate) owner: Owner,
    /// Its number for points and reports.
    pub(crate) resource: u64,
    name: Box<str>,
    port: u16,
    state: Progress,
}

type Known = (Vec<IpAddr>, VirtualTime);

#[derive(Debug)]
enum Progress {
    /// The answer comes when the timer is due; it fails if that was drawn.
    Asked {
        timer: TimerKey,
        failure: Option<NameError>,
        waker: Option<WakeTarget>,
    },
    Answered(Result<Vec<IpAddr>, NameError>),
}

/// All lookups of a run, and what machines remember.
#[derive(Debug, Default)]
pub(crate) struct Resolver {
    pub(super) names: NameTable,
    lookups: Arena<Lookup>,
    /// What each machine remembers of a name, and until when.
    known: BTreeMap<(NodeId, Box<str>), Known>,
    /// How many lookups each machine has made: the ordinals of what is drawn for them.
    counts: BTreeMap<NodeId, u64>,
}

impl Resolver {
    /// Begins a lookup by a process.
    pub(crate) fn start<H: Host>(
        &mut self,
        outside: &mut Outside<'_, H>,
        owner: Owner,
        (name, port): (&str, u16),
        resource: u64,
    ) -> LookupKey {
        let asked = name.strip_suffix('.').unwrap_or(name);
        let state = match self.answer_at_once(outside, owner.node, asked) {
            Some(answer) => Progress::Answered(answer),
            None => Progress::Asked {
                // Set below: the event names the lookup.
                timer: TimerKey::NONE,
                failure: self.draw_failure(outside, owner.node, asked),
                waker: None,
            },
        };
        let is_asked = matches!(state, Progress::Asked { .. });
        let lookup = Lookup { owner, resource, name: asked.into(), port, state };
        let key = LookupKey(self.lookups.insert(lookup));
        if is_asked {
            self.ask(outside, key);
        }
        key
    }

    /// Returns the answer that needs nobody: of a numeric address, and of what is remembered.
    fn answer_at_once<H: Host>(
        &self,
        outside: &Outside<'_, H>,
        node: NodeId,
        name: &str,
    ) -> Option<Result<Vec<IpAddr>, NameError>> {
        let numeric = name.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
        if let Ok(address) = numeric.unwrap_or(name).parse() {
            return Some(Ok(vec![address]));
        }
        let (addresses, until) = self.known.get(&(node, name.into()))?;
        (outside.host.now() < *until).then(|| Ok(addresses.clone()))
    }

    fn draw_failure<H: Host>(
        &mut self,
        outside: &mut Outside<'_, H>,
        node: NodeId,
        name: &str,
    ) -> Option<NameError> {
        let ordinal = self.counts.get(&node).copied().unwrap_or(0);
        let (error, share) = self.names.entry(name).failure?;
        if share == Ratio::new(1, 1) {
            return Some(error);
        }
        let stream = outside.nodes.get(node).stream.child("dns", 0);
        let space = Space::Chance { probability: share };
        (outside.host.draw(stream, FAILURE, ordinal, space) == 1).then_some(error)
    }

    /// Sets when a lookup is answered; at once if that takes no time.
    fn ask<H: Host>(&mut self, outside: &mut Outside<'_, H>, key: LookupKey) {
        let Some(lookup) = self.lookups.get_mut(key.0) else { return };
        let count = self.counts.entry(lookup.owner.node).or_default();
        let (low, high) = self.names.entry(&lookup.name).delay;
        let stream = outside.nodes.get(lookup.owner.node).stream.child("dns", 0);
        let delay = outside.host.draw(stream, DELAY, *count, Space::Nanos { low, high });
        *count += 1;
        if delay == 0 {
            self.answer(outside, key);
            return;
        }
        let at = VirtualTime::from_nanos(outside.host.now().as_nanos().saturating_add(delay));
        let set = outside.host.set(at, WorldEvent::Lookup(key), Weight::Foreground);
        if let Progress::Asked { timer, .. } = &mut lookup.state {
            *timer = set;
        }
    }

    /// The answer of a lookup has come.
    pub(crate) fn on_due<H: Host>(&mut self, outside: &mut Outside<'_, H>, key: LookupKey) {
        self.answer(outside, key);
    }

    fn answer<H: Host>(&mut self, outside: &mut Outside<'_, H>, key: LookupKey) {
        let Some(lookup) = self.lookups.get_mut(key.0) else { return };
        let Progress::Asked { failure, waker, .. } = &mut lookup.state else { return };
        let (failure, waker) = (*failure, waker.take());
        let answer = match failure {
            Some(error) => Err(error),
            None => self.names.addresses(outside.nodes, &lookup.name),
        };
        // An address list that was told to be empty stands for nobody.
        let answer = answer
            .and_then(|found| if found.is_empty() { Err(NameError::NotFound) } else { Ok(found) });
        let ttl = self.names.entry(&lookup.name).ttl;
        if let Ok(addresses) = &answer
            && ttl > 0
        {
            let node = lookup.owner.node;
            let until = outside.host.after(outside.nodes.clock_domain(node), ttl);
            self.known.insert((node, lookup.name.clone()), (addresses.clone(), until));
        }
        lookup.state = Progress::Answered(answer);
        waker.into_iter().for_each(|waker| outside.wakes.wake(waker));
    }

    /// Returns a lookup that goes on or was answered.
    pub(crate) fn get(&self, key: LookupKey) -> Option<&Lookup> {
        self.lookups.get(key.0)
    }

    /// Returns the answer, or has a task woken when it comes.
    pub(crate) fn poll<H>(
        &mut self,
        outside: &mut Outside<'_, H>,
        key: LookupKey,
        target: WakeTarget,
    ) -> Poll<io::Result<Vec<SocketAddr>>> {
        let lookup = self.lookups.get_mut(key.0).expect("who polls a lookup holds it");
        match &mut lookup.state {
            Progress::Asked { waker, .. } => {
                waker.replace(target).into_iter().for_each(|old| outside.wakes.let_go(old));
                Poll::Pending
            }
            Progress::Answered(answer) => {
                outside.wakes.let_go(target);
                let with_port = |address: &IpAddr| SocketAddr::new(*address, lookup.port);
                Poll::Ready(match answer {
                    Ok(addresses) => Ok(addresses.iter().map(with_port).collect()),
                    Err(error) => Err((*error).into()),
                })
            }
        }
    }

    /// Forgets a lookup.
    pub(crate) fn remove<H: Host>(&mut self, outside: &mut Outside<'_, H>, key: LookupKey) {
        let Some(lookup) = self.lookups.remove(key.0) else { return };
        if let Progress::Asked { timer, waker, .. } = lookup.state {
            outside.host.cancel(timer);
            waker.into_iter().for_each(|waker| outside.wakes.let_go(waker));
        }
    }

    /// Forgets what a process has asked; and what its machine remembers, when that has lost its power.
    pub(crate) fn close_all<H: Host>(
        &mut self,
        outside: &mut Outside<'_, H>,
        owner: Owner,
        has_lost_power: bool,
    ) {
        let own = self.lookups.iter().filter(|(_, lookup)| lookup.owner == owner);
        let keys: Vec<LookupKey> = own.map(|(key, _)| LookupKey(key)).collect();
        keys.into_iter().for_each(|key| self.remove(outside, key));
        if has_lost_power {
            self.known.retain(|(node, _), _| *node != owner.node);
        }
    }

    /// Returns what reports call the lookup with this resource number: the name that it asks for.
    pub(crate) fn name_of(&self, resource: u64) -> Option<String> {
        let found = self.lookups.iter().find(|(_, lookup)| lookup.resource == resource)?;
        Some(found.1.name.to_string())
    }
}

/// How reports tell what lookups draw. The name of the machine goes before it.
pub(crate) static PHRASES: Phrases = Phrases {
    draws: &[
        Phrase {
            site: DELAY,
            text: |ordinal, value| {
                format!("lookup {ordinal} takes {:?}", std::time::Duration::from_nanos(value))
            },
        },
        Phrase {
            site: FAILURE,
            text: |ordinal, value| {
                let what = if value == 1 { "fails" } else { "is answered" };
                format!("lookup {ordinal} {what}")
            },
        },
    ],
    event: |_| None,
};

const DELAY: Site = Site::new("dns delay");
const FAILURE: Site = Site::new("dns failure");
