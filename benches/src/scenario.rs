//! What the scenarios of the command say of themselves, as they write it.

use std::future::Future;
use std::pin::Pin;

/// A small program with a known bug, and its repaired twin.
#[expect(dead_code, reason = "the command shows what is not needed here")]
pub(crate) struct Scenario {
    pub(crate) name: &'static str,
    pub(crate) summary: &'static str,
    pub(crate) defect: &'static str,
    pub(crate) source: &'static str,
    pub(crate) failure_kind: &'static str,
    pub(crate) seeds_until_found: u64,
    pub(crate) buggy: Program,
    pub(crate) fixed: Program,
}

/// Makes one run's future.
pub(crate) type Program = fn() -> Pin<Box<dyn Future<Output = ()>>>;
