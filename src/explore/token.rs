//! The replay token: a world and what to expect of it, in one line.
//!
//! ```text
//! v1:BASE64URL   name, seed, fill, strategy, settings hash, expectation, overrides, checksum
//! ```
//!
//! Numbers are LEB128 where they are usually small. Streams stand in a table, as tasks occur in
//! several overrides. The checksum tells a token that was cut or mistyped from one that is old.

use std::fmt;

use data_encoding::BASE64URL_NOPAD;

use super::sim::Settings;
use super::strategy::Strategy;
use super::world::World;
use crate::executor::SCHEDULE;
use crate::kernel::{Fill, Key, Overrides, Seed, StreamId, fold, hash_text};

/// A world, the program it belongs to, and what its run is expected to be.
///
/// # Examples
/// ```
/// use parcae::explore::ReplayToken;
///
/// let error = "v1:nonsense".parse::<ReplayToken>().unwrap_err();
/// assert_eq!(error.to_string(), "the replay token is damaged: it was cut, or a character is wrong");
/// let error = "v9:AAAA".parse::<ReplayToken>().unwrap_err();
/// assert!(error.to_string().contains("version 9"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReplayToken {
    /// Name of the test or scenario.
    pub name: String,
    /// The world.
    pub world: World,
    /// The strategy, which matters for a world that is filled from the seed.
    pub strategy: Strategy,
    /// Hash of limits and epoch.
    pub(super) settings_hash: u32,
    /// What the run was when the token was made.
    pub(super) expected: Expectation,
}

/// What a run was when it was recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Expectation {
    pub(super) signature_hash: u32,
    pub(super) event_count: u64,
    pub(super) chain: u64,
    /// The upper 16 bits of the chain after every `checkpoint_distance`-th event.
    pub(super) checkpoints: Vec<u16>,
}

impl Expectation {
    /// Returns how many events lie between two checkpoints of a run.
    pub(super) fn checkpoint_distance(event_count: u64) -> u64 {
        event_count.div_ceil(CHECKPOINTS_MAX).max(1)
    }
}

impl ReplayToken {
    pub(super) fn new(
        name: &str,
        world: World,
        settings: &Settings,
        expected: Expectation,
    ) -> Self {
        Self {
            name: name.to_owned(),
            world,
            strategy: settings.strategy,
            settings_hash: settings_hash(settings),
            expected,
        }
    }

    /// Finds the first token in a text, such as a saved report.
    ///
    /// # Errors
    /// [`ParseTokenError`] when there is none, or the first one cannot be read.
    pub fn find_in(text: &str) -> Result<Self, ParseTokenError> {
        let is_end = |character: char| {
            character.is_whitespace() || matches!(character, '"' | '\'' | '`' | '=')
        };
        let is_token = |word: &&str| {
            word.strip_prefix('v').and_then(|rest| rest.split_once(':')).is_some_and(
                |(version, _)| {
                    !version.is_empty() && version.bytes().all(|byte| byte.is_ascii_digit())
                },
            )
        };
        let found = text.split(is_end).find(is_token);
        found.ok_or_else(|| ParseTokenError::NotAToken { text: abbreviate(text) })?.parse()
    }

    fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        put_number(&mut bytes, self.name.len() as u64);
        bytes.extend_from_slice(self.name.as_bytes());
        put_number(&mut bytes, self.world.seed.get());
        let fill = u8::from(self.world.fill == Fill::Seeded);
        let strategy = Strategy::ALL.iter().position(|strategy| *strategy == self.strategy);
        let strategy = strategy.expect("all strategies are in the list");
        bytes.push(fill | u8::try_from(strategy << 1).expect("fewer than 128 strategies"));
        bytes.extend_from_slice(&self.settings_hash.to_le_bytes());
        bytes.extend_from_slice(&self.expected.signature_hash.to_le_bytes());
        put_number(&mut bytes, self.expected.event_count);
        bytes.extend_from_slice(&self.expected.chain.to_le_bytes());
        put_number(&mut bytes, self.expected.checkpoints.len() as u64);
        for checkpoint in &self.expected.checkpoints {
            bytes.extend_from_slice(&checkpoint.to_le_bytes());
        }
        self.encode_overrides(&mut bytes);
        let checksum = checksum(&bytes);
        bytes.extend_from_slice(&checksum.to_le_bytes());
        bytes
    }

    fn encode_overrides(&self, bytes: &mut Vec<u8>) {
        let overrides = &self.world.overrides;
        let is_schedule = |key: &Key| key.site == SCHEDULE.id();
        let mut streams: Vec<u64> = overrides.keys().map(|key| key.stream.get()).collect();
        streams.extend(overrides.iter().filter(|(key, _)| is_schedule(key)).map(|(_, to)| *to));
        streams.sort_unstable();
        streams.dedup();
        put_number(bytes, streams.len() as u64);
        for stream in &streams {
            bytes.extend_from_slice(&stream.to_le_bytes());
        }
        let place =
            |stream: u64| streams.binary_search(&stream).expect("it is in the table") as u64;
        put_number(bytes, overrides.len() as u64);
        for (key, value) in overrides {
            // Schedules are by far the most: their site is the lowest bit of the stream's place.
            let stream = place(key.stream.get()) << 1;
            if is_schedule(key) {
                put_number(bytes, stream | 1);
                put_number(bytes, key.ordinal);
                put_number(bytes, place(*value));
            } else {
                put_number(bytes, stream);
                bytes.extend_from_slice(&key.site.to_le_bytes());
                put_number(bytes, key.ordinal);
                put_number(bytes, *value);
            }
        }
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let (body, sum) = bytes.split_last_chunk::<4>()?;
        if u32::from_le_bytes(*sum) != checksum(body) {
            return None;
        }
        let mut reader = Reader { rest: body };
        let name_length = usize::try_from(reader.number()?).ok()?;
        let name = std::str::from_utf8(reader.bytes(name_length)?).ok()?.to_owned();
        let seed = Seed::new(reader.number()?);
        let [flags] = reader.array::<1>()?;
        let fill = if flags & 1 == 1 { Fill::Seeded } else { Fill::Default };
        let strategy = *Strategy::ALL.get(usize::from(flags >> 1))?;
        let settings_hash = u32::from_le_bytes(reader.array()?);
        let signature_hash = u32::from_le_bytes(reader.array()?);
        let event_count = reader.number()?;
        let chain = u64::from_le_bytes(reader.array()?);
        let checkpoint_count = reader.number()?;
        let checkpoints = (0..checkpoint_count)
            .map(|_| Some(u16::from_le_bytes(reader.array()?)))
            .collect::<Option<Vec<u16>>>()?;
        let overrides = Self::decode_overrides(&mut reader)?;
        let expected = Expectation { signature_hash, event_count, chain, checkpoints };
        let world = World { seed, fill, overrides };
        let is_all = reader.rest.is_empty();
        is_all.then_some(Self { name, world, strategy, settings_hash, expected })
    }

    fn decode_overrides(reader: &mut Reader<'_>) -> Option<Overrides> {
        let stream_count = reader.number()?;
        let streams = (0..stream_count)
            .map(|_| Some(StreamId::from_bits(u64::from_le_bytes(reader.array()?))))
            .collect::<Option<Vec<StreamId>>>()?;
        let stream = |place: u64| streams.get(usize::try_from(place).ok()?).copied();
        let override_count = reader.number()?;
        let mut overrides = Overrides::new();
        for _ in 0..override_count {
            let place = reader.number()?;
            let asking = stream(place >> 1)?;
            let (site, ordinal, value) = if place & 1 == 1 {
                (SCHEDULE.id(), reader.number()?, stream(reader.number()?)?.get())
            } else {
                (u32::from_le_bytes(reader.array()?), reader.number()?, reader.number()?)
            };
            overrides.insert(Key { stream: asking, site, ordinal }, value);
        }
        Some(overrides)
    }
}

impl fmt::Display for ReplayToken {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "v{VERSION}:{}", BASE64URL_NOPAD.encode(&self.encode()))
    }
}

impl std::str::FromStr for ReplayToken {
    type Err = ParseTokenError;

    fn from_str(text: &str) -> Result<Self, ParseTokenError> {
        let not_a_token = || ParseTokenError::NotAToken { text: abbreviate(text) };
        let (version, body) = text
            .trim()
            .strip_prefix('v')
            .and_then(|rest| rest.split_once(':'))
            .ok_or_else(not_a_token)?;
        let version: u32 = version.parse().map_err(|_| not_a_token())?;
        if version != VERSION {
            return Err(ParseTokenError::OtherVersion { version });
        }
        let bytes =
            BASE64URL_NOPAD.decode(body.as_bytes()).map_err(|_| ParseTokenError::Damaged)?;
        Self::decode(&bytes).ok_or(ParseTokenError::Damaged)
    }
}

/// A text that is no replay token of this version.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ParseTokenError {
    /// It does not look like one.
    NotAToken {
        /// How it begins.
        text: String,
    },
    /// It is of another version of the format.
    OtherVersion {
        /// Which.
        version: u32,
    },
    /// Its checksum is wrong.
    Damaged,
}

impl fmt::Display for ParseTokenError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotAToken { text } => write!(
                formatter,
                "{text:?} is not a replay token: expected `v{VERSION}:` and letters, as a failure \
                 prints them"
            ),
            Self::OtherVersion { version } => write!(
                formatter,
                "the replay token is of version {version}, this parcae reads version {VERSION}: \
                 find the failure again, or use the parcae that made the token"
            ),
            Self::Damaged => formatter
                .write_str("the replay token is damaged: it was cut, or a character is wrong"),
        }
    }
}

impl std::error::Error for ParseTokenError {}

pub(super) fn settings_hash(settings: &Settings) -> u32 {
    let text = format!("{:?} {:?}", settings.limits, settings.epoch);
    u32::try_from(hash_text(&text) >> 32).expect("the upper half of a word")
}

struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    fn bytes(&mut self, count: usize) -> Option<&'a [u8]> {
        let (bytes, rest) = self.rest.split_at_checked(count)?;
        self.rest = rest;
        Some(bytes)
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (bytes, rest) = self.rest.split_first_chunk::<N>()?;
        self.rest = rest;
        Some(*bytes)
    }

    fn number(&mut self) -> Option<u64> {
        let mut number = 0_u64;
        for shift in (0..64).step_by(7) {
            let [byte] = self.array::<1>()?;
            number |= u64::from(byte & 0x7f).checked_shl(shift)?;
            if byte & 0x80 == 0 {
                return Some(number);
            }
        }
        None
    }
}

fn put_number(bytes: &mut Vec<u8>, mut number: u64) {
    loop {
        let low = u8::try_from(number & 0x7f).expect("seven bits");
        number >>= 7;
        if number == 0 {
            bytes.push(low);
            return;
        }
        bytes.push(low | 0x80);
    }
}

fn checksum(bytes: &[u8]) -> u32 {
    let sum = bytes.iter().fold(u64::from(VERSION), |sum, byte| {
        fold(sum.rotate_left(8) ^ u64::from(*byte) ^ CHECKSUM_WORDS[0], CHECKSUM_WORDS[1])
    });
    u32::try_from(sum >> 32).expect("the upper half of a word")
}

fn abbreviate(text: &str) -> String {
    let mut short: String = text.chars().take(SHOWN_CHARACTERS_MAX).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    short
}

const VERSION: u32 = 1;
const CHECKPOINTS_MAX: u64 = 12;
const SHOWN_CHARACTERS_MAX: usize = 40;
const CHECKSUM_WORDS: [u64; 2] = [0x9e37_79b9_7f4a_7c15, 0xa076_1d64_78bd_642f];
