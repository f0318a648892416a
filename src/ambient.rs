//! What a world says to code that asks the machine: the time, chance, and that it may not do something.
//!
//! For crates that stand in front of the machine, such as `parcae-libc`, and for nothing else: a program
//! uses [`crate::time`] and [`crate::rng`](mod@crate::rng). All of it may be called at any time, also while the library
//! itself is at work or the thread is being torn down: nothing here panics or waits.

use std::cell::Cell;
use std::time::Duration;

use crate::context;
use crate::executor::{Executor, Failure};
use crate::kernel::{Key, Seed, Site, StreamId, VirtualTime, prf};

/// What this thread's run has told so far.
#[derive(Debug)]
pub(crate) struct Ambient {
    seed: Seed,
    words_drawn: Cell<u64>,
    /// The last reading, and how many there were at that instant of the world.
    read_nanos: Cell<u64>,
    instant_nanos: Cell<u64>,
    reads: Cell<u64>,
}

context::slot!(Ambient, Simulation);

impl Ambient {
    pub(crate) fn new(seed: Seed) -> Self {
        Self {
            seed,
            words_drawn: Cell::new(0),
            read_nanos: Cell::new(0),
            instant_nanos: Cell::new(0),
            reads: Cell::new(0),
        }
    }

    fn read(&self, now_nanos: u64) -> u64 {
        let is_later = self.instant_nanos.replace(now_nanos) != now_nanos;
        let reads = if is_later { 0 } else { self.reads.get() + 1 };
        self.reads.set(reads);
        let creep = reads.saturating_sub(READS_WITHOUT_CREEP) * CREEP_NANOS;
        let nanos = now_nanos.saturating_add(creep).max(self.read_nanos.get());
        self.read_nanos.set(nanos);
        nanos
    }

    fn fill(&self, bytes: &mut [u8]) {
        for part in bytes.chunks_mut(8) {
            let ordinal = self.words_drawn.get();
            self.words_drawn.set(ordinal + 1);
            let word = prf(self.seed, Key::new(StreamId::ROOT, ENTROPY, ordinal)).to_le_bytes();
            part.copy_from_slice(&word[..part.len()]);
        }
    }
}

/// Two clocks of a world, at one instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Clocks {
    /// Time since the start of the run.
    pub elapsed: Duration,
    /// Time since 1970.
    pub since_epoch: Duration,
}

/// Returns the clocks of the world that this thread is inside of; none outside of a simulation.
///
/// They are those of the world, without the steps and the drift of a machine in it. After 100,000 readings at
/// one instant each moves them by a microsecond, so that who waits by reading comes to an end.
#[must_use]
pub fn clocks() -> Option<Clocks> {
    context::with(|ambient: &Ambient| {
        let world = context::with(|run: &Executor| (run.now_if_free(), run.epoch_nanos()));
        let (now, epoch_nanos) = world?;
        let nanos = now.map_or(ambient.instant_nanos.get(), VirtualTime::as_nanos);
        let nanos = ambient.read(nanos);
        let elapsed = Duration::from_nanos(nanos);
        Some(Clocks { elapsed, since_epoch: Duration::from_nanos(epoch_nanos) + elapsed })
    })
    .flatten()
}

/// Fills a buffer with bytes that the seed decides; false outside of a simulation, where it changes
/// nothing.
///
/// # Determinism
/// A stream of its own, which changes no other draw: the n-th word that the run asks for. Neither recorded
/// nor shrunk.
#[must_use]
pub fn fill(bytes: &mut [u8]) -> bool {
    context::with(|ambient: &Ambient| ambient.fill(bytes)).is_some()
}

/// Tells whether this thread is inside of a simulation.
#[must_use]
pub fn is_inside() -> bool {
    context::has::<Ambient>()
}

/// Fails the run that this thread is inside of, because the program asked the machine for something that no
/// seed decides; nothing outside of a simulation. The first failure of a run counts.
pub fn refuse(call: &'static str, backtrace: String) {
    let failure = Failure::ForeignCall { call, backtrace };
    let _outside: Option<()> = context::with(|run: &Executor| run.fail_when_free(failure));
}

const ENTROPY: Site = Site::new("ambient entropy");
const READS_WITHOUT_CREEP: u64 = 100_000;
const CREEP_NANOS: u64 = 1_000;
