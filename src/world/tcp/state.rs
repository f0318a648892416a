//! The states of RFC 9293.

use std::fmt;

/// Where a connection stands, as [`Netstat`](crate::world::Netstat) shows it.
///
/// ```text
///  Closed -connect: SYN-> SynSent -SYN+ACK: ACK-> Established
///                         SynSent -SYN: SYN+ACK-> SynReceived        (both connect at once)
///                         SynSent -RST for the SYN-> Closed
///  (listener) -SYN: SYN+ACK-> SynReceived -ACK-> Established
///                             SynReceived -RST, or its timer for the sixth time-> Closed
///  Established -shutdown, close: FIN-> FinWait1 -ACK-> FinWait2 -FIN: ACK-> TimeWait -60 s-> Closed
///                                      FinWait1 -FIN: ACK-> Closing -ACK-> TimeWait
///                                      FinWait1 -FIN and ACK: ACK-> TimeWait
///  Established -FIN: ACK-> CloseWait -shutdown, close: FIN-> LastAck -ACK-> Closed
///  any but TimeWait -RST with the right number-> Closed
///  FinWait2 without an owner -60 s-> Closed
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum TcpState {
    /// It is over.
    Closed,
    /// It connects.
    SynSent,
    /// It has answered one who connects.
    SynReceived,
    /// Both ends may send.
    Established,
    /// This end has ended, the peer has neither acknowledged that nor ended.
    FinWait1,
    /// This end has ended, the peer has not.
    FinWait2,
    /// The peer has ended, this end has not.
    CloseWait,
    /// Both have ended at once.
    Closing,
    /// Both have ended, the peer first; it has not acknowledged that.
    LastAck,
    /// Both have ended; what is still on its way is waited for.
    TimeWait,
}

impl fmt::Display for TcpState {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(match self {
            Self::Closed => "CLOSED",
            Self::SynSent => "SYN-SENT",
            Self::SynReceived => "SYN-RECEIVED",
            Self::Established => "ESTABLISHED",
            Self::FinWait1 => "FIN-WAIT-1",
            Self::FinWait2 => "FIN-WAIT-2",
            Self::CloseWait => "CLOSE-WAIT",
            Self::Closing => "CLOSING",
            Self::LastAck => "LAST-ACK",
            Self::TimeWait => "TIME-WAIT",
        })
    }
}

impl TcpState {
    /// Whether the peer may still send data.
    pub(super) fn may_receive(self) -> bool {
        matches!(self, Self::Established | Self::FinWait1 | Self::FinWait2)
    }

    /// Whether this end has a FIN that is not acknowledged, sent or not.
    pub(super) fn has_fin(self) -> bool {
        matches!(self, Self::FinWait1 | Self::Closing | Self::LastAck)
    }

    /// Whether the handshake is still going on.
    pub(crate) fn is_opening(self) -> bool {
        matches!(self, Self::SynSent | Self::SynReceived)
    }
}
