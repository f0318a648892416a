//! Work that keeps the processor busy.

use std::future::Future;
use std::panic::Location;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use crate::backend;

/// Computes for so long: the whole simulated machine is busy, and none of its tasks runs meanwhile.
///
/// Timers of the machine that are due in that time fire late, at its end; other machines go on. That
/// is what a long computation, a blocking call or a pause of a garbage collector does between two
/// awaits. Times of several tasks add up. On real time it is ready at once: it stands for a computation that
/// takes its own time there.
///
/// **When not to use it**: to wait, which is [`sleep`](crate::time::sleep); for work that goes to
/// other threads ([`unblock`](super::unblock)).
///
/// # Panics
/// Outside of a parcae runtime.
///
/// # Cancel safety
/// The machine stays busy when the future is dropped after its first poll.
///
/// # Examples
/// ```
/// # parcae::Sim::new(7).run(|| async {
/// use parcae::task::burn;
/// use parcae::time::{Instant, sleep};
/// use std::time::Duration;
///
/// let heartbeat = parcae::spawn(async {
///     let start = Instant::now();
///     sleep(Duration::from_millis(10)).await;
///     start.elapsed()
/// });
/// parcae::task::settle().await;
/// burn(Duration::from_secs(1)).await;
/// assert_eq!(heartbeat.await, Duration::from_secs(1));
/// # }).unwrap();
/// ```
#[track_caller]
pub fn burn(duration: Duration) -> Burn {
    backend::expect("parcae::task::burn");
    Burn { ahead: Some(duration), at: Location::caller() }
}

/// Future of [`burn`].
#[derive(Debug)]
#[must_use = "futures do nothing unless you `.await` or poll them"]
pub struct Burn {
    /// None when it has begun.
    ahead: Option<Duration>,
    at: &'static Location<'static>,
}

impl Future for Burn {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let Some(duration) = self.ahead.take() else { return Poll::Ready(()) };
        if !backend::burn(duration, self.at) {
            return Poll::Ready(());
        }
        // Ready again at once, but held until the machine is.
        context.waker().wake_by_ref();
        Poll::Pending
    }
}
