//! What a run is made of: seed, keyed choices, overrides, virtual time, events and their hash chain.
//!
//! ```text
//! World       = (program, config, seed, overrides)
//! choice(key) = overrides[key], or else the space of that choice applied to PRF(seed, key)
//! key         = (stream, site, ordinal)
//! ```
//!
//! Every undetermined thing in a run is one *choice*, and every choice has a [`Key`] of its own
//! instead of a position in one global sequence. A draw that is added or removed in one stream
//! therefore changes nothing in another; this is what makes failures shrink well.
//!
//! Which type to use:
//! * [`Seed`] names a run; [`Key`] names a choice in it; [`Space`] says which values it may take.
//! * [`Choices`] answers draws. It is the only source of chance in a run.
//! * [`Event`] and [`Chain`] witness a run: two runs are equal when their chains are.
//!
//! This layer knows nothing of tasks, sockets or strategies, holds no state outside of its values
//! and never reads a clock or the environment.

mod seed;

mod ratio;

mod key;

mod distribution;

mod space;

#[cfg(feature = "simulation")]
mod bytes;

mod choices;

mod time;

mod event;

mod mix;

mod verb;

mod place;

mod violation;

#[cfg(feature = "simulation")]
pub(crate) use choices::Reseed;
pub use choices::{Choices, Draw, Fill, Overrides, Source};
pub use distribution::Shape;
pub use event::{Chain, Event, EventKind};
pub(crate) use key::rng_seed;
pub use key::{Key, Site, StreamId};
#[cfg(feature = "simulation")]
pub(crate) use mix::fold;
pub(crate) use mix::hash_text;
pub use mix::prf;
pub use place::Place;
pub use ratio::Ratio;
pub use seed::{ParseSeedError, Seed};
pub use space::Space;
pub use time::VirtualTime;
pub use verb::{Access, Verb};
pub use violation::Violation;
