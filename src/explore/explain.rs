//! Why a failure happens: what each choice of its world is needed for, and from when on it is bound to happen.
//!
//! ```text
//! each override      without it the run passes, or fails otherwise; the first thing that is different then
//! values             which others fail in the same way: any delay from 37 ms on
//! orders             what has to come before what: all that a delay of 37 ms is for
//! likelihood         of so many endings that are drawn anew from an event on, how many fail
//! causal past        what happened before the failure and may have had a part in it
//! nearest passing    the run that passes and goes the same way for longest
//! ```
//!
//! All of it are runs, so it is made when [`Check::explain`](super::Check::explain) asks for it. Like
//! shrinking it has a budget of runs and comes to the same for any number of threads.

mod difference;
mod explainer;
mod likelihood;
mod order;
mod part;
mod past;

use self::explainer::Explainer;
use super::check::Check;
use super::finding::Finding;
use super::host::Isolation;
use super::world::Program;
use crate::executor::Failure;

pub use self::difference::{Change, Difference, NearestPass};
pub use self::likelihood::{Likelihood, LikelihoodPoint};
pub use self::order::Order;
pub use self::part::{Part, ValueRange, Without};

/// How much is spent on explaining a failure.
///
/// # Examples
/// ```
/// use parcae::explore::Explain;
/// let explain = Explain::default().with_runs(500).with_endings(20);
/// assert_eq!((explain.runs, explain.cut_points), (500, 20));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Explain {
    /// Most runs. Default 3,000.
    pub runs: u64,
    /// From how many events on endings are drawn anew; 0 for none. Default 20.
    pub cut_points: u32,
    /// How many endings are drawn from each. Default 50.
    pub endings: u32,
}

impl Default for Explain {
    fn default() -> Self {
        Self { runs: 3_000, cut_points: 20, endings: 50 }
    }
}

impl Explain {
    /// Sets the most runs.
    #[must_use]
    pub const fn with_runs(self, runs: u64) -> Self {
        Self { runs, ..self }
    }

    /// Sets from how many events on endings are drawn anew.
    #[must_use]
    pub const fn with_cut_points(self, cut_points: u32) -> Self {
        Self { cut_points, ..self }
    }

    /// Sets how many endings are drawn from each.
    #[must_use]
    pub const fn with_endings(self, endings: u32) -> Self {
        Self { endings, ..self }
    }
}

/// What is known of why a failure happens.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Explanation {
    /// The choices that its world forces, in the order of their keys.
    pub parts: Vec<Part>,
    /// How likely the failure is from which event on; none if that was not asked for or not paid for.
    pub likelihood: Option<Likelihood>,
    /// How many more runs the likelihood would have taken; 0 if it is there, or was not asked for.
    pub missing_runs: u64,
    /// What happened before the failure and may have had a part in it: indices of [`Log::entries`](crate::executor::Log::entries), in order.
    pub past: Vec<usize>,
    /// The run that passes and goes the same way as the failing one for longest.
    pub nearest: Option<NearestPass>,
    /// Runs that it took.
    pub runs: u64,
    /// Whether the budget, a stop, or a lack of threads ended it.
    pub is_cut: bool,
}

/// Adds an explanation to a finding, if the check asks for one and the failure is one that a world decides. What runs in
/// processes of their own gets none: the runs of an explanation are made here, and may end this process.
pub(super) fn explained(check: &Check, program: &Program, finding: Finding) -> Finding {
    let is_decided = finding.token().is_some()
        && check.isolation != Isolation::Fork
        && !matches!(finding.failure(), Failure::Nondeterminism { .. } | Failure::Process { .. });
    let finding = finding.with_is_explainable(is_decided);
    let Some(options) = check.explain.filter(|_| is_decided) else { return finding };
    let explanation = Explainer::new(check, program, options, &finding).explain();
    finding.with_explanation(explanation)
}
