//! The states of RFC 9293.

/// Where a connection stands.
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
pub(crate) enum TcpState {
    Closed,
    SynSent,
    SynReceived,
    Established,
    FinWait1,
    FinWait2,
    CloseWait,
    Closing,
    LastAck,
    TimeWait,
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
    pub(super) fn is_opening(self) -> bool {
        matches!(self, Self::SynSent | Self::SynReceived)
    }
}
