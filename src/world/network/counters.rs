//! What was done to packets, counted.

use std::fmt;
use std::ops::AddAssign;

/// How often each fault of the network has fired.
///
/// A fault that is switched on and never fires tests nothing: see to it that the counters of a search
/// are above 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct FaultCounters {
    /// Packets lost by chance or by hand.
    pub lost: u64,
    /// Packets of which there was a second one.
    pub duplicated: u64,
    /// Packets held up so that others overtake them.
    pub reordered: u64,
    /// Packets with a bit turned over; all of them are lost but datagrams with bytes.
    pub corrupted: u64,
    /// Packets lost because a queue was full.
    pub overflowed: u64,
    /// Packets lost in a partition.
    pub cut: u64,
    /// Packets kept by a hold.
    pub held: u64,
    /// Packets kept by a clog.
    pub clogged: u64,
    /// Packets lost while a link that flaps was down.
    pub flapped: u64,
    /// Connections reset.
    pub reset: u64,
    /// Packets that came to a machine without power.
    pub dead: u64,
    /// Reads of streams that gave fewer bytes than there were.
    pub short_reads: u64,
    /// Writes to streams that took fewer bytes than there was room for.
    pub short_writes: u64,
}

impl FaultCounters {
    const NAMES: [&str; 13] = [
        "lost",
        "duplicated",
        "reordered",
        "corrupted",
        "overflowed",
        "cut",
        "held",
        "clogged",
        "flapped",
        "reset",
        "dead",
        "short reads",
        "short writes",
    ];

    const fn values(self) -> [u64; 13] {
        [
            self.lost,
            self.duplicated,
            self.reordered,
            self.corrupted,
            self.overflowed,
            self.cut,
            self.held,
            self.clogged,
            self.flapped,
            self.reset,
            self.dead,
            self.short_reads,
            self.short_writes,
        ]
    }
}

impl AddAssign for FaultCounters {
    fn add_assign(&mut self, other: Self) {
        let fields: [(&mut u64, u64); 13] = [
            (&mut self.lost, other.lost),
            (&mut self.duplicated, other.duplicated),
            (&mut self.reordered, other.reordered),
            (&mut self.corrupted, other.corrupted),
            (&mut self.overflowed, other.overflowed),
            (&mut self.cut, other.cut),
            (&mut self.held, other.held),
            (&mut self.clogged, other.clogged),
            (&mut self.flapped, other.flapped),
            (&mut self.reset, other.reset),
            (&mut self.dead, other.dead),
            (&mut self.short_reads, other.short_reads),
            (&mut self.short_writes, other.short_writes),
        ];
        for (sum, value) in fields {
            *sum += value;
        }
    }
}

/// Prints what is not 0: `3 lost, 1 duplicated`, or `none`.
impl fmt::Display for FaultCounters {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut separator = "";
        for (name, value) in
            Self::NAMES.into_iter().zip(self.values()).filter(|(_, value)| *value > 0)
        {
            write!(formatter, "{separator}{value} {name}")?;
            separator = ", ";
        }
        if separator.is_empty() { formatter.write_str("none") } else { Ok(()) }
    }
}

/// What went over a link.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct LinkCounters {
    /// Packets that were put on it, lost ones included.
    pub sent: u64,
    /// Their bytes, headers included.
    pub sent_bytes: u64,
    /// Packets that came out of it, second ones included.
    pub delivered: u64,
    /// Their bytes, headers included.
    pub delivered_bytes: u64,
    /// Packets on their way or kept back.
    pub in_flight: u64,
    /// What was done to them.
    pub faults: FaultCounters,
}
