//! Levels of isolation.

use super::anomaly::AnomalyKind;

/// What transactions are promised; each level promises what those before it do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Isolation {
    /// Writes of transactions do not interleave (PL-1).
    ReadUncommitted,
    /// Nobody sees what is not committed (PL-2).
    ReadCommitted,
    /// Each reads what was committed at one time, and of two that write one key the second fails (PL-SI).
    Snapshot,
    /// There is an order in which each could have run alone (PL-3).
    Serializable,
    /// That order agrees with time (PL-SS).
    StrictSerializable,
}

impl Isolation {
    /// Tells whether an anomaly is against it.
    #[must_use]
    pub fn forbids(self, anomaly: AnomalyKind) -> bool {
        let first = match anomaly {
            AnomalyKind::Invented
            | AnomalyKind::Duplicate
            | AnomalyKind::IncompatibleOrders
            | AnomalyKind::DirtyUpdate
            | AnomalyKind::G0 => Self::ReadUncommitted,
            AnomalyKind::G1a | AnomalyKind::G1b | AnomalyKind::G1c => Self::ReadCommitted,
            AnomalyKind::Internal
            | AnomalyKind::LostUpdate
            | AnomalyKind::GSingle
            | AnomalyKind::GNonadjacent => Self::Snapshot,
            AnomalyKind::G2 => Self::Serializable,
        };
        self >= first
    }
}
