//! What can be wrong with transactions.

use std::fmt;

/// Why transactions were not isolated as promised.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TransactionWitness {
    /// What was found that is against the promise: of cycles one of each kind in each group of transactions that hang together.
    pub anomalies: Vec<Anomaly>,
}

/// Something that went wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Anomaly {
    /// What.
    pub kind: AnomalyKind,
    /// Between whom: places in the slice of transactions; of a cycle each depends on the one before it, and the first on the last.
    pub transactions: Vec<usize>,
    /// Why: a line for each step.
    pub explanation: String,
}

/// Kinds of anomalies; see [the page](super).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum AnomalyKind {
    /// Somebody read what nobody wrote.
    Invented,
    /// Somebody read a list with one value twice.
    Duplicate,
    /// Of two lists that were read neither begins the other.
    IncompatibleOrders,
    /// A value stands behind one of a transaction that failed.
    DirtyUpdate,
    /// A cycle of writes, each behind the other.
    G0,
    /// Somebody read what a transaction wrote that failed.
    G1a,
    /// Somebody read what its writer itself replaced or went on with.
    G1b,
    /// A cycle of writes behind writes, and reads of writes.
    G1c,
    /// A transaction does not see what it did before.
    Internal,
    /// Two transactions read one version, and both wrote the next.
    LostUpdate,
    /// A cycle in which one read is of before a write.
    GSingle,
    /// A cycle in which several reads are of before a write, but no two of them follow each other.
    GNonadjacent,
    /// A cycle in which two reads that follow each other are of before a write.
    G2,
}

impl fmt::Display for Anomaly {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:?}: {}", self.kind, self.explanation)
    }
}

impl fmt::Display for TransactionWitness {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, anomaly) in self.anomalies.iter().enumerate() {
            let newline = if place > 0 { "\n" } else { "" };
            write!(formatter, "{newline}{anomaly}")?;
        }
        Ok(())
    }
}
