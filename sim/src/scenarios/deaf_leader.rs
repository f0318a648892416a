//! A log on three machines, whose leader can be heard and hears nothing: the way back to it is cut.
//!
//! What is wrong: it goes on leading. The others hear of it, so they elect nobody else, and none of their
//! answers comes back, so nothing is stored ever again. All machines are busy, and none has a wrong value: only who asks
//! whether the log gets on sees it. The repair has a leader that hears of nobody step down.
//!
//! Faults that heal would hide it: when the cut ends, the log gets on. Here the leader stays outside of the core
//! that the program must get on with.

use super::quorum_log::{Defect, run_with_one_deaf};
use crate::scenario::Scenario;

pub(crate) const SCENARIO: Scenario = Scenario {
    name: "deaf-leader",
    summary: "A leader is heard by both others, and does not hear their answers.",
    defect: "It leads for ever, and nothing is stored; the twin steps down when it hears of nobody.",
    source: "Cloudflare: A Byzantine failure in the real world (2020); CheckQuorum in etcd's Raft",
    failure_kind: "panic",
    seeds_until_found: 1000,
    buggy: || Box::pin(run_with_one_deaf(Defect::DeafLeader)),
    fixed: || Box::pin(run_with_one_deaf(Defect::Nothing)),
};
