//! Properties that a program states about itself, judged over all seeds of a check.
//!
//! | macro | over all seeds |
//! |---|---|
//! | [`always!`](crate::always!) | never false; a false one fails its run |
//! | [`always_or_unreached!`](crate::always_or_unreached!) | the same; that it is never come to is expected |
//! | [`sometimes!`](crate::sometimes!) | true at least once, or the check fails |
//! | [`reachable!`](crate::reachable!) | come to at least once, or the check fails |
//! | [`unreachable!`](crate::unreachable!) | never come to |
//! | [`invariant`] | a condition that holds between all steps of tasks |
//! | [`eventually`] | a condition that holds within a time |
//!
//! What clients saw is judged afterwards, as a [`History`] of operations:
//!
//! | checker | what is promised |
//! |---|---|
//! | [`linearizable`], with a [`Model`] (one of [`models`] or your own) | each operation takes effect at one instant between its beginning and its end |
//! | [`sequential_within`], with a [`Model`] | each client's operations in its order; no time between clients |
//! | [`sessions`] | a client reads its writes, and never goes back |
//! | [`transactions`] | isolation, at a level |
//!
//! Their [`HistoryVerdict`] is *consistent*, *violated* with a witness, or *unknown*, which is never one of the others. [`logs`] are
//! histories from elsewhere.
//!
//! What a test asserts says that a program is right; `sometimes!` and `reachable!` say that the test
//! has *looked*: that a leader was lost, a queue was full, a retry was made in some seed. Without one, a
//! check whose faults never bite is green.
//!
//! # Which to choose
//!
//! A plain `assert!` also fails a run, and is enough where one run is all there is. `always!` beside that
//! is counted, has a message that stays the same, and in production is a line of `tracing` instead of a
//! panic. Compare numbers by [`always_less_than!`](crate::always_less_than!) and its kin: the failure
//! shows both sides. Conditions of more than one place (no two leaders) are an [`invariant`].
//!
//! # What a property is
//!
//! Its kind and its message. Several places with one message are one property, and are counted together,
//! so a message is unique in a program. It is a constant; what varies goes into the details:
//!
//! ```
//! parcae::Sim::new(7).run(|| async {
//!     let (used, limit) = (3, 10);
//!     parcae::always!(used <= limit, "the pool stays within its limit", used, limit = limit);
//!     parcae::sometimes!(used == limit, "the pool is full");
//! }).unwrap();
//! ```
//!
//! Details are names with values, shown by `Debug`, or by `Display` with a `%` before the value. They are
//! formatted only for what fails or what somebody asked to see.
//!
//! # Where they count
//!
//! In a simulation. On real time those that are violated are said to `tracing`, at level `error` and with
//! target `parcae`, and nothing else happens. Outside of both they do nothing: the condition is
//! evaluated, and that is all.
//!
//! # Determinism
//!
//! A property that holds draws nothing and enters nothing into the chain: a run with it is the run
//! without it. It costs a few nanoseconds.
//!
//! **Absent on purpose**: how they are judged, which is the matter of `explore::Check`, and how they are
//! shown, which is that of `report`.

mod access;
mod catalogue;
mod compare;
mod details;
mod eventually;
mod graph;
mod history;
mod invariant;
mod judge;
mod linearizability;
pub mod logs;
mod macros;
mod model;
pub mod models;
mod property;
mod sequential;
mod sessions;
#[cfg(feature = "simulation")]
mod summary;
#[cfg(feature = "simulation")]
mod tally;
pub mod transactions;
mod tried;
mod verdict;

pub use self::access::Access;
pub use self::compare::Measure;
pub use self::details::Details;
pub use self::eventually::{Eventually, eventually};
pub use self::history::{Call, Effect, History, Moment, Operation};
pub use self::invariant::{Holds, invariant, invariant_every};
pub use self::linearizability::{linearizable, linearizable_within};
pub use self::model::Model;
pub use self::property::{Property, PropertyKind};
pub use self::sequential::{SequentialWitness, sequential_within};
pub use self::sessions::{Guarantee, Request, SessionStep, SessionWitness, sessions};
#[cfg(feature = "simulation")]
pub use self::summary::{Example, PropertySummary};
#[cfg(feature = "simulation")]
pub use self::tally::PropertyCount;
pub use self::verdict::{HistoryVerdict, Unjudged, Witness};

#[cfg(feature = "simulation")]
pub(crate) use self::catalogue::{at, position, under};
#[cfg(feature = "simulation")]
pub(crate) use self::compare::{Aim, Guidance, Number, Subject};
#[cfg(feature = "simulation")]
pub(crate) use self::summary::Summaries;
#[cfg(feature = "simulation")]
pub(crate) use self::tally::{Kept, Tally};

/// What the macros of this layer expand to. No part of the interface.
#[doc(hidden)]
pub mod written {
    pub use linkme;

    pub use super::catalogue::PROPERTIES;
    pub use super::compare::{Aim, Comparison, Number, Subject, compare, some_or_all};
    pub use super::judge::judge;
    pub use super::property::CodePlace;
}
