//! What processes of one check tell each other, as bytes.

use std::time::Duration;

use super::super::signature::Signature;
use super::super::sim::Outcome;
use crate::executor::{Failure, Log, ProcessEnd};
use crate::fault::{FaultKind, KindCount};
use crate::oracle::{self, PropertyCount};

/// One run that is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Request {
    pub(crate) seed: u64,
    /// Whether its events come back as lines.
    pub(crate) is_logged: bool,
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
    pub(crate) signature: String,
    pub(crate) properties: Vec<PropertyCount>,
    pub(crate) faults: Vec<KindCount>,
    /// The events, if they were asked for.
    pub(crate) lines: Vec<String>,
}

impl Request {
    pub(super) fn encode(self) -> Vec<u8> {
        let mut bytes = self.seed.to_le_bytes().to_vec();
        bytes.push(u8::from(self.is_logged));
        bytes
    }

    pub(super) fn decode(bytes: [u8; Self::SIZE]) -> Self {
        let [seed @ .., is_logged] = bytes;
        Self { seed: u64::from_le_bytes(seed), is_logged: is_logged == 1 }
    }

    pub(super) const SIZE: usize = 9;
}

impl Facts {
    pub(super) fn of(mut outcome: Outcome) -> Self {
        let line = |log: &Log| log.entries.iter().map(|entry| log.describe(entry)).collect();
        let observed = outcome.take_observed();
        let signature = outcome.failure().map(|failure| Signature::of(failure).to_string());
        Self {
            chain: outcome.chain().get(),
            event_count: outcome.event_count(),
            steps: outcome.steps(),
            failure: outcome.failure().map(ToString::to_string),
            signature: signature.unwrap_or_default(),
            lines: outcome.log().map(line).unwrap_or_default(),
            properties: observed.properties,
            faults: observed.faults,
        }
    }

    fn encode_counts(&self, bytes: &mut Bytes) {
        bytes.number(self.properties.len() as u64);
        for count in &self.properties {
            let position = oracle::position(count.property()).map_or(u64::MAX, |it| it as u64);
            [position, count.held(), count.failed()].into_iter().for_each(|it| bytes.number(it));
        }
        bytes.number(self.faults.len() as u64);
        for KindCount { kind, planned, begun, fired } in &self.faults {
            let position = FaultKind::ALL.iter().position(|listed| listed == kind);
            let position = position.expect("all kinds are listed") as u64;
            [position, *planned, *begun, *fired].into_iter().for_each(|it| bytes.number(it));
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
        let mut bytes = Bytes(Vec::new());
        match self {
            Self::Ran(facts) => {
                let Facts { chain, event_count, steps, failure, signature, .. } = facts;
                [RAN, *chain, *event_count, *steps]
                    .into_iter()
                    .for_each(|number| bytes.number(number));
                bytes.number(u64::from(failure.is_some()));
                bytes.text(failure.as_deref().unwrap_or_default());
                bytes.text(signature);
                facts.encode_counts(&mut bytes);
                bytes.number(facts.lines.len() as u64);
                facts.lines.iter().for_each(|line| bytes.text(line));
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
                [kind, value].into_iter().for_each(|number| bytes.number(number));
                bytes.text(output);
            }
        }
        bytes.0
    }

    pub(super) fn decode(bytes: &[u8]) -> Option<Self> {
        let mut bytes = bytes;
        let kind = number(&mut bytes)?;
        if kind == RAN {
            return Some(Self::Ran(facts(&mut bytes)?));
        }
        let value = number(&mut bytes)?;
        let end = match kind {
            SIGNAL => ProcessEnd::Signal { number: i32::try_from(value).ok()? },
            EXIT => ProcessEnd::Exit { code: i32::try_from(value).ok()? },
            OVERFLOW => ProcessEnd::StackOverflow,
            MEMORY => ProcessEnd::OutOfMemory { limit_bytes: value },
            STUCK => ProcessEnd::Stuck { limit: Duration::from_nanos(value) },
            _ => return None,
        };
        Some(Self::Ended { end, output: text(&mut bytes)? })
    }
}

struct Bytes(Vec<u8>);

impl Bytes {
    fn number(&mut self, number: u64) {
        self.0.extend(number.to_le_bytes());
    }

    fn text(&mut self, text: &str) {
        self.number(text.len() as u64);
        self.0.extend(text.as_bytes());
    }
}

fn number(bytes: &mut &[u8]) -> Option<u64> {
    let (number, rest) = bytes.split_first_chunk()?;
    *bytes = rest;
    Some(u64::from_le_bytes(*number))
}

fn text(bytes: &mut &[u8]) -> Option<String> {
    let size = usize::try_from(number(bytes)?).ok()?;
    let (text, rest) = bytes.split_at_checked(size)?;
    *bytes = rest;
    String::from_utf8(text.to_vec()).ok()
}

fn facts(bytes: &mut &[u8]) -> Option<Facts> {
    let (chain, event_count, steps) = (number(bytes)?, number(bytes)?, number(bytes)?);
    let has_failed = number(bytes)? == 1;
    let failure = Some(text(bytes)?).filter(|_| has_failed);
    let signature = text(bytes)?;
    let mut properties = Vec::new();
    for _ in 0..number(bytes)? {
        let (position, held, failed) = (number(bytes)?, number(bytes)?, number(bytes)?);
        let property = usize::try_from(position).ok().and_then(oracle::at);
        properties.extend(property.map(|property| PropertyCount::new(property, held, failed)));
    }
    let mut faults = Vec::new();
    for _ in 0..number(bytes)? {
        let kind = *FaultKind::ALL.get(usize::try_from(number(bytes)?).ok()?)?;
        let (planned, begun, fired) = (number(bytes)?, number(bytes)?, number(bytes)?);
        faults.push(KindCount { kind, planned, begun, fired });
    }
    let lines = (0..number(bytes)?).map(|_| text(bytes)).collect::<Option<Vec<_>>>()?;
    Some(Facts { chain, event_count, steps, failure, signature, properties, faults, lines })
}

const RAN: u64 = 0;
const SIGNAL: u64 = 1;
const EXIT: u64 = 2;
const OVERFLOW: u64 = 3;
const MEMORY: u64 = 4;
const STUCK: u64 = 5;

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Answer, Facts, Request};
    use crate::executor::ProcessEnd;
    use crate::fault::{FaultKind, KindCount};

    #[test]
    fn what_is_sent_is_what_is_received() {
        let facts = Facts {
            chain: 1,
            event_count: 2,
            steps: 3,
            failure: Some("a panic".to_owned()),
            signature: "panic".to_owned(),
            properties: Vec::new(),
            faults: vec![KindCount { kind: FaultKind::ALL[3], planned: 4, begun: 3, fired: 2 }],
            lines: vec!["one".to_owned(), String::new()],
        };
        let limit = Duration::from_secs(7);
        let ends = [
            ProcessEnd::Signal { number: 6 },
            ProcessEnd::Exit { code: 3 },
            ProcessEnd::StackOverflow,
            ProcessEnd::OutOfMemory { limit_bytes: 9 },
            ProcessEnd::Stuck { limit },
        ];
        let ended = |end| Answer::Ended { end, output: "last words".to_owned() };
        for answer in ends.map(ended).into_iter().chain([Answer::Ran(facts)]) {
            let bytes = answer.encode();
            let received = Answer::decode(&bytes).unwrap();
            assert_eq!(format!("{received:?}"), format!("{answer:?}"));
            assert!(Answer::decode(&bytes[..bytes.len() - 1]).is_none(), "cut short");
        }
    }

    #[test]
    fn a_request_says_which_seed_and_whether_with_a_log() {
        for is_logged in [true, false] {
            let request = Request { seed: 0x0123_4567_89ab_cdef, is_logged };
            let bytes = request.encode().try_into().unwrap();
            assert_eq!(Request::decode(bytes), request);
        }
    }
}
