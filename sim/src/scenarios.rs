//! The scenarios: one file for each, the program first.

mod lost_update;

use crate::scenario::Scenario;

/// All scenarios, in the order in which they are listed.
pub(crate) const ALL: &[Scenario] = &[lost_update::SCENARIO];
