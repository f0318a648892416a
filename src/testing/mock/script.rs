//! How the calls of a mock are answered.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

/// The answers, the first one for the next call.
pub(super) struct Script<A, T> {
    pub(super) steps: VecDeque<Step<A, T>>,
    pub(super) otherwise: Otherwise<A, T>,
}

/// How one call is answered.
pub(super) struct Step<A, T> {
    pub(super) answer: Answer<A, T>,
    pub(super) delay: Duration,
}

pub(super) enum Answer<A, T> {
    Value(T),
    Made(Once<A, T>),
    MadeAgain(Repeated<A, T>),
    Never,
}

/// How calls beyond the script are answered.
pub(super) enum Otherwise<A, T> {
    /// Not at all: the call panics.
    Panics,
    Never,
    Made(Repeated<A, T>),
}

type Once<A, T> = Box<dyn FnOnce(&A) -> T + Send>;
type Repeated<A, T> = Arc<dyn Fn(&A) -> T + Send + Sync>;

impl<A, T> Script<A, T> {
    pub(super) fn new() -> Self {
        Self { steps: VecDeque::new(), otherwise: Otherwise::Panics }
    }

    /// Takes the answer of the next call, if there is one.
    pub(super) fn next(&mut self) -> Option<Step<A, T>> {
        self.steps.pop_front().or_else(|| {
            let answer = match &self.otherwise {
                Otherwise::Panics => return None,
                Otherwise::Never => Answer::Never,
                Otherwise::Made(make) => Answer::MadeAgain(make.clone()),
            };
            Some(Step { answer, delay: Duration::ZERO })
        })
    }

    /// Sets the delay of the step that was added last; tells whether there is one.
    pub(super) fn delay_last(&mut self, delay: Duration) -> bool {
        let last = self.steps.back_mut();
        last.map(|step| step.delay = delay).is_some()
    }
}

impl<A, T> Answer<A, T> {
    /// Returns the output of the call; none if it never returns.
    pub(super) fn give(self, args: &A) -> Option<T> {
        match self {
            Self::Value(value) => Some(value),
            Self::Made(make) => Some(make(args)),
            Self::MadeAgain(make) => Some(make(args)),
            Self::Never => None,
        }
    }
}
