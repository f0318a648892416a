//! Faults: what is done to a program, and what it is promised to survive.
//!
//! | you want | use |
//! |---|---|
//! | to find out which faults break a program | [`Chaos`], with a [`Budget`] |
//! | some sorts of faults only, or other rates | [`Nemesis`] |
//! | to state what happens, and when | [`FaultPlan`] |
//! | to see that a program gets on after the faults, without what stays broken | [`Chaos::liveness`], [`Core::converge`] |
//! | a single fault now | the verbs of [`world`](crate::world) |
//!
//! Everything here acts through the public verbs of [`world`](crate::world): what a chaos can do, a test
//! can do by hand.
//!
//! **A fault model is a contract.** A [`Budget`] says how much a program must survive; what would exceed
//! it is weakened, and said. So a failure is a bug, not a cluster of which all machines were dead.
//!
//! **Two phases.** First the chaos, then liveness: a core of the machines is healed, the rest stays
//! broken, nothing new happens, and the program has to get on. Faults that heal by chance would hide
//! that it stands still.

mod active;
mod budget;
mod chaos;
mod core;
mod dice;
mod kind;
mod nemesis;
mod plan;
mod report;
mod shape;

pub use self::budget::{Budget, Excess};
pub use self::chaos::{Chaos, ChaosBuilder};
pub use self::core::{Convergence, Core, NotConverged};
pub use self::kind::FaultKind;
pub use self::nemesis::Nemesis;
pub use self::plan::{Between, Fault, FaultPlan, Sides, Step};
pub use self::report::{ChaosReport, Downgrade, KindCount};
