//! What a program may set on a connection.

/// The options of a connection that its machine needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Tuning {
    /// Bytes that may be written and not yet acknowledged.
    pub(crate) send_buffer: u32,
    /// Bytes that may be received and not yet read.
    pub(crate) receive_buffer: u32,
    /// Whether small segments go out at once, without waiting for what is out (no Nagle algorithm).
    pub(crate) nodelay: bool,
    /// Whether a silent peer is asked for a sign of life.
    pub(crate) keepalive: Option<KeepAlive>,
    /// Nanoseconds after which data that is not acknowledged ends the connection, in place of 15
    /// retransmissions; counted from the first retransmission. Zero is none.
    pub(crate) user_timeout: u64,
}

/// When a silent peer is asked for a sign of life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct KeepAlive {
    /// How long the peer is silent before the first question, in nanoseconds.
    pub(crate) idle: u64,
    /// Time between two questions, in nanoseconds.
    pub(crate) interval: u64,
    /// How many questions go without an answer before the connection is given up.
    pub(crate) count: u32,
}

/// Which direction ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shutdown {
    Read,
    Write,
    Both,
}

/// What closing does with bytes that are not acknowledged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Linger {
    /// They are sent in the background, and then the FIN.
    Background,
    /// They are thrown away and the peer gets a RST (`SO_LINGER` of zero).
    Reset,
}

impl Default for Tuning {
    fn default() -> Self {
        Self {
            send_buffer: 256 * 1024,
            receive_buffer: 256 * 1024,
            nodelay: false,
            keepalive: None,
            user_timeout: 0,
        }
    }
}

impl Default for KeepAlive {
    /// Linux: two hours, then nine times 75 s.
    fn default() -> Self {
        Self { idle: 7200 * 1_000_000_000, interval: 75 * 1_000_000_000, count: 9 }
    }
}

/// Buffers are below it: distances of offsets are 32 bits in a [`Connection`](super::Connection).
pub(super) const BUFFER_MAX: u32 = 1 << 30;
