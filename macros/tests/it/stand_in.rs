//! The part of `parcae` that the attributes call.

/// As `parcae::Seed`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Seed(u64);

impl Seed {
    pub(crate) const fn new(number: u64) -> Self {
        Self(number)
    }

    pub(crate) fn parse(text: &str) -> Result<Self, std::num::ParseIntError> {
        text.parse().map(Self)
    }
}

pub(crate) mod explore {
    use std::time::Duration;

    use super::Seed;

    /// As `parcae::explore::Check`; each setter records its call.
    #[derive(Debug, Default)]
    pub(crate) struct Check {
        pub(crate) calls: Vec<String>,
    }

    impl Check {
        pub(crate) fn seeds(self, count: u64) -> Self {
            self.record(format!("seeds {count}"))
        }

        pub(crate) fn regression_seed(self, seed: Seed) -> Self {
            self.record(format!("regression_seed {seed:?}"))
        }

        pub(crate) fn strategy(self, strategy: Strategy) -> Self {
            self.record(format!("strategy {strategy:?}"))
        }

        pub(crate) fn jobs(self, count: usize) -> Self {
            self.record(format!("jobs {count}"))
        }

        pub(crate) fn isolation(self, isolation: Isolation) -> Self {
            self.record(format!("isolation {isolation:?}"))
        }

        pub(crate) fn max_steps(self, count: u64) -> Self {
            self.record(format!("max_steps {count}"))
        }

        pub(crate) fn max_time(self, time: Duration) -> Self {
            self.record(format!("max_time {time:?}"))
        }

        pub(crate) fn determinism(self, determinism: Determinism) -> Self {
            self.record(format!("determinism {determinism:?}"))
        }

        pub(crate) fn record(mut self, call: String) -> Self {
            self.calls.push(call);
            self
        }
    }

    #[derive(Debug)]
    pub(crate) enum Strategy {
        Fifo,
        Random,
    }

    #[derive(Debug)]
    pub(crate) enum Isolation {
        Thread,
        Reuse,
    }

    #[derive(Debug)]
    pub(crate) enum Determinism {
        FirstSeed,
        Off,
    }
}

pub(crate) mod harness {
    use std::future::Future;
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};

    use super::explore::Check;

    /// As `parcae::harness::TestCase`.
    #[derive(Debug)]
    pub(crate) struct TestCase {
        pub(crate) name: &'static str,
        pub(crate) package: &'static str,
        pub(crate) target: &'static str,
    }

    /// What a test may return.
    pub(crate) trait TestOutput {
        fn error(self) -> Option<String>;
    }

    impl TestOutput for () {
        fn error(self) -> Option<String> {
            None
        }
    }

    impl<E: std::fmt::Debug> TestOutput for Result<(), E> {
        fn error(self) -> Option<String> {
            self.err().map(|error| format!("{error:?}"))
        }
    }

    /// Runs the function once, then panics with what `written` expects to see.
    ///
    /// A test tells by `#[should_panic(expected = "...")]` what it expects of the calls: it cannot
    /// see them otherwise, because all of its text is behind the attribute.
    #[track_caller]
    pub(crate) fn run_test<F, T>(case: TestCase, configure: fn(Check) -> Check, test: F)
    where
        F: Fn() -> T,
        T: Future<Output: TestOutput>,
    {
        let check = configure(Check::default());
        let Poll::Ready(output) = pin!(test()).poll(&mut Context::from_waker(Waker::noop())) else {
            panic!("a test against the stand-in must not wait");
        };
        if let Some(error) = output.error() {
            panic!("{} failed: {error}", case.name);
        }
        assert!(check.calls.is_empty(), "calls: {}", check.calls.join(", "));
        assert_eq!((case.package, case.target), ("parcae-macros", "it"));
    }
}

pub(crate) mod real {
    use std::future::Future;
    use std::pin::pin;
    use std::process::Termination;
    use std::task::{Context, Poll, Waker};
    use std::time::Duration;

    use super::Seed;

    /// As `parcae::real::Options`; each setter records its call.
    #[derive(Debug, Default)]
    pub(crate) struct Options {
        calls: Vec<String>,
    }

    impl Options {
        pub(crate) fn with_workers(self, count: usize) -> Self {
            self.record(format!("workers {count}"))
        }

        pub(crate) fn with_seed(self, seed: Seed) -> Self {
            self.record(format!("seed {seed:?}"))
        }

        pub(crate) fn with_grace(self, grace: Duration) -> Self {
            self.record(format!("grace {grace:?}"))
        }

        pub(crate) fn with_panics(self, panics: PanicPolicy) -> Self {
            self.record(format!("panics {panics:?}"))
        }

        pub(crate) fn with_signals(self, signals: Signals) -> Self {
            self.record(format!("signals {signals:?}"))
        }

        pub(crate) fn record(mut self, call: String) -> Self {
            self.calls.push(call);
            self
        }
    }

    #[derive(Debug)]
    pub(crate) enum PanicPolicy {
        ShutDown,
        GoOn,
    }

    #[derive(Debug)]
    pub(crate) enum Signals {
        Ignore,
        Graceful,
    }

    /// As `parcae::real::RunError`; it holds the calls, for a test to see them.
    #[derive(Debug, PartialEq)]
    pub(crate) struct RunError(pub(crate) Vec<String>);

    /// Runs the program. If options were set, their calls are returned in place of its output.
    pub(crate) fn main<F>(
        configure: impl FnOnce(Options) -> Options,
        program: impl FnOnce() -> F,
    ) -> Result<F::Output, RunError>
    where
        F: Future<Output: Termination> + 'static,
    {
        let options = configure(Options::default());
        let Poll::Ready(output) = pin!(program()).poll(&mut Context::from_waker(Waker::noop()))
        else {
            panic!("a program against the stand-in must not wait");
        };
        if options.calls.is_empty() { Ok(output) } else { Err(RunError(options.calls)) }
    }
}
