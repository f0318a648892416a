//! Datagram sockets.

/// A datagram socket.
#[derive(Debug)]
pub(crate) struct Udp {
    _part_b: (),
}
