//! Stream sockets within a machine.

/// One end of a stream.
#[derive(Debug)]
pub(crate) struct UnixStream {
    _part_e: (),
}

/// A path that listens.
#[derive(Debug)]
pub(crate) struct UnixListener {
    _part_e: (),
}
