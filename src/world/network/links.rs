//! All links, made when they first carry something, and which options each of them has.
//!
//! Knows nothing of streams.

use std::collections::BTreeMap;
use std::rc::Rc;

use super::link::{LinkId, LinkState};
use super::options::{LinkOptions, Profile};
use super::rules::Set;
use super::sites::LINKS;
use crate::kernel::StreamId;
use crate::world::node::NodeId;

/// The links of a run.
///
/// A machine that has sent nothing costs its name and two words; a link costs 96 bytes, and 4 in the
/// list of its sender for each machine that was made before its receiver.
#[derive(Debug)]
pub(super) struct Links {
    stations: Vec<Station>,
    links: Vec<LinkState>,
    profiles: Vec<Rc<Profile>>,
    /// Which links have other options than the usual ones; the last one counts.
    exceptions: Vec<OptionsRule>,
    /// How many connections there were on a link, by the port of who listens.
    flows: BTreeMap<(LinkId, u16), u32>,
}

/// What the fabric keeps of a machine.
#[derive(Debug)]
struct Station {
    name: Rc<str>,
    /// Number of the link to each machine, by its number; 0 is none yet.
    links: Vec<u32>,
    has_power: bool,
}

const _: () = assert!(size_of::<Station>() <= 48);

#[derive(Debug)]
struct OptionsRule {
    from: Set,
    to: Set,
    profile: u16,
}

impl Default for Links {
    fn default() -> Self {
        let usual = [LinkOptions::lan(), LinkOptions::loopback()];
        Self {
            stations: Vec::new(),
            links: Vec::new(),
            profiles: usual.into_iter().map(|options| Rc::new(Profile::new(options))).collect(),
            exceptions: Vec::new(),
            flows: BTreeMap::new(),
        }
    }
}

impl Links {
    pub(super) fn add_node(&mut self, node: NodeId, name: Rc<str>) {
        assert_eq!(node.index(), self.stations.len(), "machines are numbered in order");
        self.stations.push(Station { name, links: Vec::new(), has_power: true });
    }

    pub(super) fn set_power(&mut self, node: NodeId, has_power: bool) {
        self.stations[node.index()].has_power = has_power;
    }

    #[inline]
    pub(super) fn has_power(&self, node: NodeId) -> bool {
        self.stations[node.index()].has_power
    }

    pub(super) fn name(&self, node: NodeId) -> &str {
        &self.stations[node.index()].name
    }

    /// Returns the link between two machines, and makes it if there is none yet.
    #[inline]
    pub(super) fn between(&mut self, from: NodeId, to: NodeId) -> LinkId {
        match self.find(from, to) {
            Some(id) => id,
            None => self.make(from, to),
        }
    }

    /// Returns the link between two machines if it exists.
    #[inline]
    pub(super) fn find(&self, from: NodeId, to: NodeId) -> Option<LinkId> {
        match self.stations[from.index()].links.get(to.index()) {
            None | Some(0) => None,
            Some(number) => Some(LinkId(*number)),
        }
    }

    #[cold]
    fn make(&mut self, from: NodeId, to: NodeId) -> LinkId {
        let stream = self.stream_of(from, to);
        self.links.push(LinkState::new(stream, from, to));
        let number = u32::try_from(self.links.len()).expect("two nodes have two links");
        let known = &mut self.stations[from.index()].links;
        if known.len() <= to.index() {
            known.resize(to.index() + 1, 0);
        }
        known[to.index()] = number;
        LinkId(number)
    }

    /// Counts a connection to a port; returns how many there were before.
    pub(super) fn count_flow(&mut self, link: LinkId, port: u16) -> u32 {
        let count = self.flows.entry((link, port)).or_default();
        *count += 1;
        *count - 1
    }

    /// Returns whom the draws of a link belong to: a matter of two names.
    pub(super) fn stream_of(&self, from: NodeId, to: NodeId) -> StreamId {
        LINKS.child(self.name(from), 0).child(self.name(to), 0)
    }

    #[inline]
    pub(super) fn get(&self, id: LinkId) -> &LinkState {
        &self.links[id.0 as usize - 1]
    }

    #[inline]
    pub(super) fn get_mut(&mut self, id: LinkId) -> &mut LinkState {
        &mut self.links[id.0 as usize - 1]
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &LinkState> {
        self.links.iter()
    }

    /// Sets the options of all links but loopbacks that no exception is for.
    pub(super) fn set_usual(&mut self, options: LinkOptions) {
        self.profiles[usize::from(USUAL)] = Rc::new(Profile::new(options));
    }

    /// Sets the options of the links from some machines to others, in this direction.
    pub(super) fn set_between(&mut self, from: Set, to: Set, options: LinkOptions) {
        let known = self.profiles.iter().skip(OWN);
        let place = known.map(|profile| &profile.options).position(|known| *known == options);
        let place = place.map_or(self.profiles.len(), |place| place + OWN);
        if place == self.profiles.len() {
            self.profiles.push(Rc::new(Profile::new(options)));
        }
        let profile = u16::try_from(place).expect("a run has fewer than 65,536 kinds of links");
        self.exceptions.push(OptionsRule { from, to, profile });
    }

    /// Returns the number of the options of the links from one machine to another.
    pub(super) fn profile_between(&self, from: NodeId, to: NodeId) -> u16 {
        let concerns = |rule: &&OptionsRule| rule.from.contains(from) && rule.to.contains(to);
        match self.exceptions.iter().rev().find(concerns) {
            Some(rule) => rule.profile,
            None if from == to => LOOPBACK,
            None => USUAL,
        }
    }

    #[inline]
    pub(super) fn profile(&self, number: u16) -> &Rc<Profile> {
        &self.profiles[usize::from(number)]
    }
}

/// Number of the options of links that no exception is for.
const USUAL: u16 = 0;

/// Number of the options of loopbacks that no exception is for.
const LOOPBACK: u16 = 1;

/// Number of the first options that an exception is for.
const OWN: usize = 2;
