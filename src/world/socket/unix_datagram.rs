//! Datagram sockets within a machine.

/// One end of datagrams.
#[derive(Debug)]
pub(crate) struct UnixDatagram {
    _part_e: (),
}
