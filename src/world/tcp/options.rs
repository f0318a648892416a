//! What a connection is told to do otherwise than by default.

/// Settings of one end. Kept in a box, and only when they are not the defaults.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Tuning {
    pub(crate) send_buffer: u32,
    pub(crate) receive_buffer: u32,
    pub(crate) nodelay: bool,
    pub(crate) keepalive: Option<KeepAlive>,
    /// Nanoseconds that bound how long data may stay unacknowledged; 0 is no bound of its own.
    pub(crate) user_timeout: u64,
}

impl Default for Tuning {
    fn default() -> Self {
        Self {
            send_buffer: 262_144,
            receive_buffer: 262_144,
            nodelay: false,
            keepalive: None,
            user_timeout: 0,
        }
    }
}

/// When an idle connection asks whether its peer is there, in nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct KeepAlive {
    pub(crate) idle: u64,
    pub(crate) interval: u64,
    pub(crate) count: u32,
}

/// What closing does with what is not sent yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Linger {
    /// It is sent in the background.
    Background,
    /// It is thrown away, and the peer is reset.
    Reset,
}

/// Which direction ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shutdown {
    Read,
    Write,
    Both,
}
