//! A timer on real time.

use std::future::Future as _;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use async_io::Timer;

use super::Worker;
use super::time_limits::Limit;
use crate::context;

/// Ready when its instant has come, and from then on: late as the machine is, never early.
#[derive(Debug)]
pub(crate) enum RealTimer {
    Ahead(Timer),
    /// One that shares the timer of its worker; the duration is for another worker, if it is moved there.
    Shared(Limit, Duration),
    /// It was ready, and would not be so again.
    Over,
}

impl RealTimer {
    /// Makes one for an instant, or for the end of time.
    #[expect(clippy::disallowed_types, reason = "this is the real clock")]
    pub(super) fn at(instant: Option<std::time::Instant>) -> Self {
        Self::Ahead(instant.map_or_else(Timer::never, Timer::at))
    }

    /// Makes one for so long from now.
    #[inline]
    pub(crate) fn after(duration: Duration) -> Self {
        Self::Ahead(Timer::after(duration))
    }

    #[inline]
    pub(crate) fn poll(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let polled = match self {
            Self::Ahead(timer) => Pin::new(timer).poll(context).map(|_| ()),
            Self::Shared(limit, duration) => {
                let poll = |worker: &Worker| worker.time_limits.poll(*limit, context.waker());
                match context::with(poll).flatten() {
                    Some(polled) => polled,
                    None => {
                        // It counts anew on a thread that knows nothing of it.
                        *self = Self::after(*duration);
                        return self.poll(context);
                    }
                }
            }
            Self::Over => Poll::Ready(()),
        };
        if polled.is_ready() {
            *self = Self::Over;
        }
        polled
    }
}

impl Drop for RealTimer {
    #[inline]
    fn drop(&mut self) {
        if let Self::Shared(limit, _) = self {
            let _ = context::with(|worker: &Worker| worker.time_limits.end(*limit));
        }
    }
}
