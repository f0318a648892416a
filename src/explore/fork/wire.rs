//! What processes of one check tell each other, as bytes.

mod bytes;
mod counts;
#[cfg(test)]
mod tests;

use std::time::Duration;

use self::bytes::{Bytes, Reader};
use super::super::signature::Signature;
use super::super::sim::{Outcome, Settings, Sim};
use super::super::strategy::{Profile, Strategy};
use super::super::world::World;
use crate::executor::{Failure, Log, Place, ProcessEnd};
use crate::fault::{BuggifyCount, KindCount};
use crate::kernel::{Fill, Key, Seed, StreamId};
use crate::oracle::PropertyCount;

/// What a check says to a server.
#[derive(Clone, Debug)]
pub(crate) enum Message {
    /// Run this, and answer.
    Run(Request),
    /// What pilots have shown, for all runs from here on. It is not answered.
    Know(Profile),
}

/// One run that is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Request {
    world: World,
    purpose: Purpose,
    strategy: Strategy,
    /// Most polls and points, and nanoseconds of virtual time.
    steps: u64,
    nanos: u64,
}

/// What a run is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// Whether it fails, and what it counts.
    Visit,
    /// The same, and its events as lines.
    Log,
    /// What strategies have to know of the program.
    Pilot,
}

/// What became of it.
#[derive(Clone, Debug)]
pub(crate) enum Answer {
    /// It came to its end.
    Ran(Facts),
    /// Its process ended first.
    Ended { end: ProcessEnd, output: String },
}

/// What a search needs to know of a run.
#[derive(Clone, Debug, Default)]
pub(crate) struct Facts {
    pub(crate) chain: u64,
    pub(crate) event_count: u64,
    pub(crate) steps: u64,
    /// The failure as text, and what it is compared by.
    pub(crate) failure: Option<String>,
    pub(crate) signature: Option<Signature>,
    pub(crate) properties: Vec<PropertyCount>,
    pub(crate) faults: Vec<KindCount>,
    pub(crate) buggified: Vec<BuggifyCount>,
    /// The events, if they were asked for.
    pub(crate) lines: Vec<String>,
    /// What a pilot has shown.
    pub(crate) profile: Option<Box<Profile>>,
}

impl Message {
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut bytes = Bytes::default();
        match self {
            Self::Run(request) => {
                bytes.number(RUN);
                request.add_to(&mut bytes);
            }
            Self::Know(profile) => {
                bytes.number(KNOW);
                bytes.list(profile.to_numbers(), Bytes::number);
            }
        }
        bytes.0
    }

    pub(super) fn decode(bytes: &[u8]) -> Option<Self> {
        let mut reader = Reader(bytes);
        match reader.number()? {
            RUN => Request::read(&mut reader).map(Self::Run),
            KNOW => {
                let numbers = reader.list(Reader::number)?;
                Profile::of_numbers(&numbers).map(Self::Know)
            }
            _ => None,
        }
    }
}

impl Request {
    pub(crate) fn new(world: World, settings: &Settings, purpose: Purpose) -> Self {
        let nanos = u64::try_from(settings.limits.time.as_nanos()).unwrap_or(u64::MAX);
        let (strategy, steps) = (settings.strategy, settings.limits.steps);
        Self { world, purpose, strategy, steps, nanos }
    }

    /// Asks for the events of the same run as lines.
    pub(super) fn logged(self) -> Self {
        Self { purpose: Purpose::Log, ..self }
    }

    /// Returns the run, by the settings of the check where it says nothing else.
    pub(super) fn sim(&self, settings: &Settings) -> Sim {
        let mut settings = settings.clone();
        settings.strategy = self.strategy;
        settings.limits.steps = self.steps;
        settings.limits.time = Duration::from_nanos(self.nanos);
        let sim = self.world.sim(&settings);
        match self.purpose {
            Purpose::Visit => sim,
            Purpose::Log => sim.logged(true),
            Purpose::Pilot => sim.piloting(),
        }
    }

    fn add_to(&self, bytes: &mut Bytes) {
        let Self { world: World { seed, fill, overrides }, purpose, strategy, steps, nanos } = self;
        let purpose = match purpose {
            Purpose::Visit => 0,
            Purpose::Log => 1,
            Purpose::Pilot => 2,
        };
        bytes.numbers([seed.get(), u64::from(*fill == Fill::Default), purpose, *steps, *nanos]);
        bytes.text(strategy.name());
        bytes.list(overrides, |bytes, (key, value)| {
            bytes.numbers([key.stream.get(), key.site.into(), key.ordinal, *value]);
        });
    }

    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let seed = Seed::new(reader.number()?);
        let fill = if reader.number()? == 1 { Fill::Default } else { Fill::Seeded };
        let purpose = match reader.number()? {
            0 => Purpose::Visit,
            1 => Purpose::Log,
            _ => Purpose::Pilot,
        };
        let (steps, nanos) = (reader.number()?, reader.number()?);
        let strategy = reader.text()?.parse().ok()?;
        let overrides = reader.list(|reader| {
            let stream = StreamId::from_bits(reader.number()?);
            let (site, ordinal) = (u32::try_from(reader.number()?).ok()?, reader.number()?);
            Some((Key { stream, site, ordinal }, reader.number()?))
        })?;
        let world = World { seed, fill, overrides: overrides.into_iter().collect() };
        Some(Self { world, purpose, strategy, steps, nanos })
    }
}

impl Facts {
    pub(super) fn of(mut outcome: Outcome) -> Self {
        let line = |log: &Log| log.entries.iter().map(|entry| log.describe(entry)).collect();
        let observed = outcome.take_observed();
        Self {
            chain: outcome.chain().get(),
            event_count: outcome.event_count(),
            steps: outcome.steps(),
            failure: outcome.failure().map(ToString::to_string),
            signature: outcome.failure().map(Signature::of),
            lines: outcome.log().map(line).unwrap_or_default(),
            properties: observed.properties,
            faults: observed.faults,
            buggified: observed.buggified,
            profile: outcome.take_profile(),
        }
    }

    /// Says how this run differs from that of the same seed in the process of the check, if it does.
    pub(crate) fn differs_here(&self, outcome: &Outcome) -> Option<Failure> {
        let is_same =
            self.chain == outcome.chain().get() && self.event_count == outcome.event_count();
        let say = |failure: Option<String>| failure.unwrap_or_else(|| "it passes".to_owned());
        (!is_same).then(|| Failure::Nondeterminism {
            event: 0,
            first: format!("in a process of its own: {}", say(self.failure.clone())),
            second: format!(
                "where other runs have left what they leave in statics: {}",
                say(outcome.failure().map(ToString::to_string))
            ),
        })
    }

    /// Tells whether two runs were the same.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        let key = |facts: &Self| (facts.chain, facts.event_count, facts.signature.clone());
        key(self) == key(other)
    }

    fn add_to(&self, bytes: &mut Bytes) {
        bytes.numbers([self.chain, self.event_count, self.steps]);
        bytes.option(self.failure.as_deref(), Bytes::text);
        bytes.option(self.signature.as_ref(), add_signature);
        bytes.list(&self.properties, counts::add_property);
        bytes.list(&self.faults, counts::add_fault);
        bytes.list(&self.buggified, counts::add_buggified);
        bytes.list(&self.lines, |bytes, line| bytes.text(line));
        bytes.option(self.profile.as_deref(), |bytes, profile| {
            bytes.list(profile.to_numbers(), Bytes::number);
        });
    }

    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        Some(Self {
            chain: reader.number()?,
            event_count: reader.number()?,
            steps: reader.number()?,
            failure: reader.option(Reader::text)?,
            signature: reader.option(read_signature)?,
            properties: reader.list(counts::read_property)?.into_iter().flatten().collect(),
            faults: reader.list(counts::read_fault)?,
            buggified: reader.list(counts::read_buggified)?,
            lines: reader.list(Reader::text)?,
            profile: reader.option(|reader| {
                Profile::of_numbers(&reader.list(Reader::number)?).map(Box::new)
            })?,
        })
    }
}

fn add_signature(bytes: &mut Bytes, signature: &Signature) {
    let (kind, place, text) = signature.parts();
    bytes.text(kind);
    bytes.option(place, |bytes, Place { file, line, column }| {
        bytes.text(file);
        bytes.numbers([u64::from(*line), u64::from(*column)]);
    });
    bytes.text(text);
}

fn read_signature(reader: &mut Reader<'_>) -> Option<Signature> {
    let kind = reader.name()?;
    let place = reader.option(|reader| {
        let (file, line, column) = (reader.text()?, reader.number()?, reader.number()?);
        let (line, column) = (u32::try_from(line).ok()?, u32::try_from(column).ok()?);
        Some(Place { file, line, column })
    })?;
    Some(Signature::of_parts(kind, place, reader.text()?))
}

impl Answer {
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Ran(facts), Self::Ran(other)) => facts.is_same(other),
            (Self::Ended { end, .. }, Self::Ended { end: other, .. }) => end == other,
            _ => false,
        }
    }

    pub(super) fn encode(&self) -> Vec<u8> {
        let mut bytes = Bytes::default();
        match self {
            Self::Ran(facts) => {
                bytes.number(RAN);
                facts.add_to(&mut bytes);
            }
            Self::Ended { end, output } => {
                let (kind, value) = match *end {
                    ProcessEnd::Signal { number } => (SIGNAL, u64::from(number.unsigned_abs())),
                    ProcessEnd::Exit { code } => (EXIT, u64::from(code.unsigned_abs())),
                    ProcessEnd::StackOverflow => (OVERFLOW, 0),
                    ProcessEnd::OutOfMemory { limit_bytes } => (MEMORY, limit_bytes),
                    ProcessEnd::Stuck { limit } => {
                        (STUCK, u64::try_from(limit.as_nanos()).unwrap_or(u64::MAX))
                    }
                };
                bytes.numbers([kind, value]);
                bytes.text(output);
            }
        }
        bytes.0
    }

    pub(super) fn decode(bytes: &[u8]) -> Option<Self> {
        let mut reader = Reader(bytes);
        let kind = reader.number()?;
        if kind == RAN {
            return Facts::read(&mut reader).map(Self::Ran);
        }
        let value = reader.number()?;
        let end = match kind {
            SIGNAL => ProcessEnd::Signal { number: i32::try_from(value).ok()? },
            EXIT => ProcessEnd::Exit { code: i32::try_from(value).ok()? },
            OVERFLOW => ProcessEnd::StackOverflow,
            MEMORY => ProcessEnd::OutOfMemory { limit_bytes: value },
            STUCK => ProcessEnd::Stuck { limit: Duration::from_nanos(value) },
            _ => return None,
        };
        Some(Self::Ended { end, output: reader.text()? })
    }
}

const RUN: u64 = 0;
const KNOW: u64 = 1;

const RAN: u64 = 0;
const SIGNAL: u64 = 1;
const EXIT: u64 = 2;
const OVERFLOW: u64 = 3;
const MEMORY: u64 = 4;
const STUCK: u64 = 5;
