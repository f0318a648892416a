//! From when on a failure is bound to happen.

use crate::kernel::VirtualTime;

/// How likely a failure is, from event to event of its run.
///
/// The run is repeated up to an event, and from there on everything is drawn anew, again and again. Where
/// the share of failures rises the failure is made; where it is whole, nothing helps any more.
///
/// # Source
/// The "bug likelihood over time" of Antithesis.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Likelihood {
    /// The points that were tried, in order.
    pub points: Vec<LikelihoodPoint>,
    /// How many endings were drawn from each.
    pub endings: u32,
    /// The event, as index of [`Log::entries`](crate::executor::Log::entries), after which every ending fails;
    /// none if some passes from the last point on.
    pub decided_at: Option<usize>,
}

/// Endings from one event on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LikelihoodPoint {
    /// How many events of the failing run were kept.
    pub events: u64,
    /// The last of them, as index of [`Log::entries`](crate::executor::Log::entries); none if none was kept.
    pub entry: Option<usize>,
    /// When that was.
    pub time: VirtualTime,
    /// How many endings fail in the same way.
    pub failing: u32,
    /// How many fail otherwise.
    pub failing_otherwise: u32,
}

impl Likelihood {
    /// Returns the share of endings of a point that fail in the same way, in percent, rounded down.
    #[must_use]
    pub fn percent(&self, point: &LikelihoodPoint) -> u32 {
        point.failing * 100 / self.endings.max(1)
    }
}
