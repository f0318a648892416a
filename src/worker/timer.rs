//! A timer on real time.

use std::future::Future as _;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use async_io::Timer;

/// Ready when its instant has come, and from then on: late as the machine is, never early.
#[derive(Debug)]
pub(crate) struct RealTimer {
    /// None once it was ready: it would not be so again.
    ahead: Option<Timer>,
}

impl RealTimer {
    /// Makes one for an instant, or for the end of time.
    #[expect(clippy::disallowed_types, reason = "this is the real clock")]
    pub(super) fn at(instant: Option<std::time::Instant>) -> Self {
        Self { ahead: Some(instant.map_or_else(Timer::never, Timer::at)) }
    }

    /// Makes one for so long from now.
    #[inline]
    pub(crate) fn after(duration: Duration) -> Self {
        Self { ahead: Some(Timer::after(duration)) }
    }

    #[inline]
    pub(crate) fn poll(&mut self, context: &mut Context<'_>) -> Poll<()> {
        if let Some(timer) = &mut self.ahead {
            ready!(Pin::new(timer).poll(context));
            self.ahead = None;
        }
        Poll::Ready(())
    }
}
