//! A log on three machines: who has the votes of two of them leads, so there is one leader in each term.
//!
//! What is wrong: a machine forgets in a term that it has voted, and votes for whoever asks next, too. So
//! there are two leaders in one term, and their logs pass for one. The repair remembers the vote.

use super::quorum_log::{Defect, run};
use crate::scenario::Scenario;

pub(crate) const SCENARIO: Scenario = Scenario {
    name: "two-leaders",
    summary: "Three machines elect who of them leads, by two votes of three.",
    defect: "A machine votes twice in one term, and two lead; the twin remembers that it has voted.",
    source: "Ongaro and Ousterhout, Raft (2014): votedFor; Jepsen: two primaries in one term",
    failure_kind: "panic",
    seeds_until_found: 1000,
    buggy: || Box::pin(run(Defect::ForgottenVote)),
    fixed: || Box::pin(run(Defect::Nothing)),
};
