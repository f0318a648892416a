//! Faults: what is done to a program, and what it is promised to survive.
//!
//! | you want | use |
//! |---|---|
//! | to find out which faults break a program | [`Chaos`], with a [`Budget`] |
//! | some sorts of faults only, or other rates | [`Nemesis`] |
//! | to state what happens, and when | [`FaultPlan`] |
//! | to see that a program gets on after the faults, without what stays broken | [`Chaos::liveness`], [`Core::converge`] |
//! | a single fault now | the verbs of `world` |
//! | messages to actors that are lost, late or doubled, actors that crash | [`mailboxes`]; drawn: [`Chaos::of_actors`], [`Nemesis::of_actors`] |
//! | a rare branch of the program taken on purpose | [`buggify!`](crate::buggify!) |
//! | a limit of the program set to extremes | [`knob!`](crate::knob!) |
//!
//! All but the last two are of the simulation only. They act through the public verbs of `world`: what a
//! chaos can do, a test can do by hand.
//!
//! **A fault model is a contract.** A [`Budget`] says how much a program must survive; what would exceed
//! it is weakened, and said. So a failure is a bug, not a cluster of which all machines were dead.
//!
//! **Two phases.** First the chaos, then liveness: a core of the machines is healed, the rest stays
//! broken, nothing new happens, and the program has to get on. Faults that heal by chance would hide
//! that it stands still.
//!
//! # Faults that a program makes itself
//!
//! A program has branches that a test comes to once in a million runs: the buffer that is full, the
//! reply that is late, the cache that has just been dropped. [`buggify!`](crate::buggify!) takes them on
//! purpose, in the program, where one knows what is allowed to happen: *only what the program must survive
//! anyhow*. In production it is false, and a [`knob!`](crate::knob!) has its usual value.
//!
//! In 20 % of the runs nothing of this happens, so that the plain program is tested, too. In the others
//! each place of a `buggify!` is active with 25 %, and one that is active fires with 25 %, or with its
//! own probability: so most runs have a few things that go wrong often, and no two runs the same. A knob
//! has its usual value in half of them, an end of its range in a quarter, and any value of it in the rest.
//!
//! Both are on in every simulation, and cost a program without them nothing; `Check::buggify` and
//! `SimBuilder::buggify` switch them off, `Check::buggify_rates` sets other shares, and so does
//! `PARCAE_BUGGIFY`.
//!
//! # Determinism
//!
//! Each part of a chaos is a choice with a label and an ordinal of its own, each firing is one of the task,
//! by the name of the place and the number of times that the task has come to it, and each knob is one of
//! the run, by its name. A failure shrinks to the faults and firings that it needs, and to usual values.
//!
//! # Source
//! `Buggify.h` of `FoundationDB`, its randomised knobs and its simulator; `TigerBeetle`'s simulator, for the
//! two phases.

#[cfg(feature = "simulation")]
mod active;
#[cfg(feature = "simulation")]
mod agenda;
#[cfg(feature = "simulation")]
mod budget;
mod buggify;
#[cfg(feature = "simulation")]
mod chaos;
#[cfg(feature = "simulation")]
mod core;
#[cfg(feature = "simulation")]
mod dice;
#[cfg(feature = "simulation")]
mod kind;
mod knob;
#[cfg(feature = "simulation")]
mod mailbox;
#[cfg(feature = "simulation")]
mod nemesis;
#[cfg(feature = "simulation")]
mod plan;
#[cfg(feature = "simulation")]
mod rates;
#[cfg(feature = "simulation")]
mod report;
#[cfg(feature = "simulation")]
mod run;
#[cfg(feature = "simulation")]
mod shape;
#[cfg(feature = "simulation")]
mod summary;

pub use self::buggify::BuggifyPlace;
pub use self::knob::{KnobPlace, Tunable};
#[cfg(feature = "simulation")]
pub use self::{
    budget::{Budget, Excess},
    chaos::{Chaos, ChaosBuilder},
    core::{Convergence, Core, NotConverged},
    kind::FaultKind,
    mailbox::{MailboxFault, Mailboxes, mailboxes},
    nemesis::Nemesis,
    plan::{Actors, Between, Fault, FaultPlan, Sides, Step},
    rates::{BuggifyRates, ParseRatesError},
    report::{ChaosReport, Downgrade, KindCount},
    run::{BuggifyCount, BuggifySummary, KnobSetting},
    summary::FaultSummary,
};

#[cfg(feature = "simulation")]
pub(crate) use self::{
    nemesis::{STRENGTH, StrikePart, strike_part},
    run::{FaultRun, Firings},
    summary::FaultSummaries,
};

/// What the macros of this layer expand to. No part of the interface.
#[doc(hidden)]
pub mod written {
    pub use super::buggify::fires;
    pub use super::knob::{of_list, of_range};
}
