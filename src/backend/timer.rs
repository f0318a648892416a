//! A timer of one future, on the clock of the backend that it is first polled in.

use std::panic::Location;
use std::task::{Context, Poll};
use std::time::Duration;

use super::on;
use crate::context;
#[cfg(feature = "simulation")]
use crate::executor::{Executor, TimerKey};
#[cfg(feature = "real")]
use crate::worker::{RealTimer, Worker};

/// Set when it is first polled, removed when it is dropped.
#[derive(Debug)]
pub(crate) struct Timer {
    deadline: u64,
    set: Set,
    at: &'static Location<'static>,
}

#[derive(Debug)]
enum Set {
    Not,
    #[cfg(feature = "simulation")]
    Simulated {
        key: Option<TimerKey>,
        run: u16,
    },
    #[cfg(feature = "real")]
    Real(RealTimer),
}

impl Timer {
    /// Makes a timer for when the clock shows so many nanoseconds.
    pub(crate) fn new(deadline: u64, at: &'static Location<'static>) -> Self {
        Self { deadline, set: Set::Not, at }
    }

    /// Makes a timer for so long from now, whose deadline nobody asks for.
    #[inline]
    #[track_caller]
    pub(crate) fn after(call: &str, duration: Duration, at: &'static Location<'static>) -> Self {
        on!(context::backend(call),
            simulation: {
                let nanos = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
                let now = context::expect(call, Executor::local_now);
                Self::new(now.saturating_add(nanos), at)
            },
            // It is never asked for its deadline: that would cost as much again.
            real: Self { deadline: 0, set: Set::Real(RealTimer::after(duration)), at },
        )
    }

    /// Makes a timer for so long from now and polls it once, at the price of one. It is for a wait that most
    /// often ends before.
    #[inline]
    #[track_caller]
    pub(crate) fn begin(
        call: &str,
        duration: Duration,
        context: &mut Context<'_>,
        at: &'static Location<'static>,
    ) -> (Self, Poll<()>) {
        #[cfg(feature = "simulation")]
        {
            let nanos = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
            let begin = |executor: &Executor| {
                let set = executor.begin_timer(nanos, context.waker(), at);
                set.map(|set| (set, executor.run()))
            };
            if let Some(((deadline, key), run)) = context::with(begin).flatten() {
                let set = Set::Simulated { key: Some(key), run };
                return (Self { deadline, set, at }, Poll::Pending);
            }
        }
        #[cfg(feature = "real")]
        if !duration.is_zero() {
            let begin = |worker: &Worker| worker.time_limit(duration, context.waker());
            if let Some(timer) = context::with(begin) {
                return (Self { deadline: 0, set: Set::Real(timer), at }, Poll::Pending);
            }
        }
        let mut timer = Self::after(call, duration, at);
        let polled = timer.poll(context);
        (timer, polled)
    }

    /// Returns the deadline that it was made for, or moved to.
    pub(crate) fn deadline(&self) -> u64 {
        self.deadline
    }

    pub(crate) fn place(&self) -> &'static Location<'static> {
        self.at
    }

    /// Moves the deadline; the timer is set anew at the next poll.
    pub(crate) fn reset(&mut self, deadline: u64) {
        self.cancel();
        self.set = Set::Not;
        self.deadline = deadline;
    }

    #[inline]
    fn cancel(&mut self) {
        #[cfg(feature = "simulation")]
        if let Set::Simulated { key: Some(key), run } = self.set {
            let is_of = |executor: &Executor| run == executor.run();
            let cancel = |executor: &Executor| is_of(executor).then(|| executor.cancel_timer(key));
            let _ = context::with(cancel);
        }
    }

    #[inline]
    pub(crate) fn poll(&mut self, context: &mut Context<'_>) -> Poll<()> {
        match &mut self.set {
            #[cfg(feature = "simulation")]
            Set::Simulated { key, run } => {
                poll_simulated((key, *run), self.deadline, context, self.at)
            }
            #[cfg(feature = "real")]
            Set::Real(timer) => timer.poll(context),
            Set::Not => self.set(context),
        }
    }

    fn set(&mut self, context: &mut Context<'_>) -> Poll<()> {
        self.set = on!(context::backend("a timer"),
            simulation: {
                let run = context::expect("a timer", Executor::run);
                Set::Simulated { key: None, run }
            },
            real: Set::Real(context::expect("a timer", |worker: &Worker| worker.timer(self.deadline))),
        );
        self.poll(context)
    }

    /// Tells a watch for bad habits that the running task goes to sleep on this timer.
    #[inline]
    pub(crate) fn note_sleep(&self) {
        #[cfg(feature = "simulation")]
        if let Set::Simulated { .. } = self.set {
            let _ = context::with(|executor: &Executor| {
                if executor.watches_holders {
                    executor.note_sleep(self.deadline, self.at);
                }
            });
        }
    }
}

#[cfg(feature = "simulation")]
#[track_caller]
fn poll_simulated(
    (key, run): (&mut Option<TimerKey>, u16),
    deadline: u64,
    context: &Context<'_>,
    at: &'static Location<'static>,
) -> Poll<()> {
    context::expect("a timer", |executor: &Executor| {
        assert!(
            run == executor.run(),
            "a timer was polled inside of another simulation than its own"
        );
        executor.poll_timer(key, deadline, context.waker(), at)
    })
}

impl Drop for Timer {
    #[inline]
    fn drop(&mut self) {
        self.cancel();
    }
}
