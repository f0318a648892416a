//! The scenarios: one file for each, written as a user would write the program.
//!
//! Each file holds the program with its bug, `buggy`, and the repaired twin, `fixed`. The bug is of a
//! kind that has been met in real code; its comment says what is wrong and why the repair helps.

mod cancel_leak;
mod check_then_act;
mod lost_update;
mod lost_wakeup;
mod one_sentinel;
mod pipeline_orphan;
mod pipeline_sentinel;
mod worker_pool_join;

use crate::scenario::Scenario;

/// All scenarios, the simplest first.
pub(crate) const ALL: &[Scenario] = &[
    lost_update::SCENARIO,
    check_then_act::SCENARIO,
    lost_wakeup::SCENARIO,
    pipeline_sentinel::SCENARIO,
    pipeline_orphan::SCENARIO,
    one_sentinel::SCENARIO,
    worker_pool_join::SCENARIO,
    cancel_leak::SCENARIO,
];
