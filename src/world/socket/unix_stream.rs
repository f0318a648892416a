//! Stream sockets within a machine.

use std::io::{self, IoSlice, IoSliceMut};
use std::task::{Poll, Waker};

use super::super::calls::{Side, Take};
use super::super::host::Host;
use super::super::tcp::Shutdown;
use super::{Outside, SocketKey, Sockets};
use crate::executor::WakeTarget;

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

impl Sockets {
    /// Reads what there is, as `stream_poll_read` says.
    pub(super) fn read_unix<H: Host>(
        &mut self,
        outside: &mut Outside<'_, H>,
        key: SocketKey,
        buffers: &mut [IoSliceMut<'_>],
        how: Take,
    ) -> Poll<io::Result<usize>> {
        panic!("part E")
    }

    /// Writes what there is room for, as `stream_poll_write` says.
    pub(super) fn write_unix<H: Host>(
        &mut self,
        outside: &mut Outside<'_, H>,
        key: SocketKey,
        buffers: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        panic!("part E")
    }

    pub(super) fn shutdown_unix<H: Host>(
        &mut self,
        outside: &mut Outside<'_, H>,
        key: SocketKey,
        how: Shutdown,
    ) -> io::Result<()> {
        panic!("part E")
    }

    /// Tells whether a call of this side would not wait. Of any kind of Unix socket.
    pub(super) fn is_unix_ready(&self, key: SocketKey, side: Side) -> bool {
        panic!("part E")
    }

    /// Registers who waits for a side. Of any kind of Unix socket.
    pub(super) fn wait_for_unix(
        &mut self,
        key: SocketKey,
        side: Side,
        waiter: (&mut Option<WakeTarget>, &Waker),
    ) {
        panic!("part E")
    }

    /// Closes a Unix socket of any kind: its peer is told, its place is free, its path stays.
    pub(super) fn close_unix<H: Host>(&mut self, outside: &mut Outside<'_, H>, key: SocketKey) {
        panic!("part E")
    }
}
