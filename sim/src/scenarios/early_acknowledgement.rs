//! A log on three machines, kept in their memory: what two of them have is safe as long as one machine
//! at a time is away.
//!
//! What is wrong: the leader says that a value is stored as soon as it has it itself. When it dies, or is
//! cut off and another one is elected, the value is gone. The repair waits until a second machine has it.

use super::quorum_log::{Defect, run};
use crate::scenario::Scenario;

pub(crate) const SCENARIO: Scenario = Scenario {
    name: "early-acknowledgement",
    summary: "A log on three machines, of which one at a time may die.",
    defect: "A value is acknowledged before a second machine has it; the twin waits for that.",
    source: "R. van Renesse and F. Schneider, Chain replication (2004): what an acknowledgement promises",
    failure_kind: "panic",
    seeds_until_found: 300,
    buggy: || Box::pin(run(Defect::EarlyAcknowledgement)),
    fixed: || Box::pin(run(Defect::Nothing)),
};
