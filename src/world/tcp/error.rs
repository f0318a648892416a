//! What can become of a connection.

/// Why a connection does not go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TcpError {
    Refused,
    Reset,
    TimedOut,
    Unreachable,
    BrokenPipe,
    NotConnected,
}
