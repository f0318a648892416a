//! A timer on real time.

use std::future::Future as _;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use async_io::Timer;

/// Ready when its instant has come: late as the machine is, never early.
#[derive(Debug)]
pub(crate) struct RealTimer(Timer);

impl RealTimer {
    /// Makes one for an instant, or for the end of time.
    #[expect(clippy::disallowed_types, reason = "this is the real clock")]
    pub(super) fn at(instant: Option<std::time::Instant>) -> Self {
        Self(instant.map_or_else(Timer::never, Timer::at))
    }

    #[inline]
    pub(crate) fn poll(&mut self, context: &Context<'_>) -> Poll<()> {
        let mut context = Context::from_waker(context.waker());
        ready!(Pin::new(&mut self.0).poll(&mut context));
        Poll::Ready(())
    }
}
