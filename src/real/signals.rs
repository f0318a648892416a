//! Ctrl-C and SIGTERM.

use std::future::pending;
use std::io;

use async_signal::Signal;
use futures_lite::StreamExt as _;

use super::options::Signals;
use crate::task::{CancelReason, CancelToken};

/// Hears of signals, if it was asked to.
#[derive(Debug)]
pub(super) struct SignalWatch(Option<async_signal::Signals>);

impl SignalWatch {
    pub(super) fn new(signals: Signals) -> io::Result<Self> {
        match signals {
            Signals::Ignore => Ok(Self(None)),
            Signals::Graceful => {
                async_signal::Signals::new([Signal::Int, Signal::Term]).map(|own| Self(Some(own)))
            }
        }
    }

    /// Cancels the token at the first signal, and is ready at the second. Returns why the token is
    /// cancelled.
    pub(super) async fn watch(&mut self, token: &CancelToken) -> CancelReason {
        token.cancel(self.next().await);
        self.next().await;
        token.cancelled().await
    }

    /// Waits for a signal; for ever, if none is heard of.
    pub(super) async fn next(&mut self) -> &'static str {
        let Some(signals) = &mut self.0 else { return pending().await };
        match signals.next().await {
            Some(Ok(Signal::Int)) => "SIGINT",
            Some(Ok(_)) => "SIGTERM",
            // It hears of no more.
            Some(Err(_)) | None => pending().await,
        }
    }
}
