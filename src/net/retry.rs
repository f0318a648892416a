//! Trying again, where the system says that there is no room and not when there is.

use std::future::Future as _;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use crate::time::{Sleep, sleep};

/// Makes a call again and again, with a pause in between, until it need not wait.
///
/// For calls that no event announces: a queue of a Unix listener, or of a datagram socket that is
/// not the peer, has room again, and nobody is told. The pause is doubled up to 16 ms.
#[derive(Debug, Default)]
pub(super) struct Retry {
    pause: Option<Sleep>,
    tries: u32,
}

impl Retry {
    pub(super) fn poll<R>(
        &mut self,
        context: &mut Context<'_>,
        mut call: impl FnMut() -> io::Result<R>,
    ) -> Poll<io::Result<R>> {
        loop {
            if let Some(pause) = &mut self.pause {
                ready!(Pin::new(pause).poll(context));
                self.pause = None;
            }
            match call() {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    self.pause = Some(sleep(Duration::from_millis(1 << self.tries.min(4))));
                    self.tries += 1;
                }
                result => return Poll::Ready(result),
            }
        }
    }
}
