//! The part of `parcae` that the attribute calls.

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
