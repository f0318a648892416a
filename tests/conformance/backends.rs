//! What a test runs on: the macro that makes a test of each backend, and which one this is.

use std::future::Future;
use std::pin::Pin;

use parcae::Backend;

/// Declares tests of both backends. Each becomes a module with a test `simulation` (under `Fifo` and
/// 200 seeds) and a test `real`; what a function returns is looked at after the run, if it says by
/// which function.
macro_rules! conformance {
    ($(
        $(#[doc = $doc:literal])*
        $(#[after_the_run($check:ident)])?
        async fn $name:ident() $(-> $output:ty)? $body:block
    )+) => { $(
        $(#[doc = $doc])*
        async fn $name() $(-> $output)? $body

        mod $name {
            #[cfg(feature = "simulation")]
            #[test]
            fn simulation() {
                let program = || -> $crate::backends::Boxed<_> { Box::pin(super::$name()) };
                $crate::backends::simulate(program, conformance!(@check $($check)?));
            }

            #[cfg(feature = "real")]
            #[test]
            fn real() {
                let program = || -> $crate::backends::Boxed<_> { Box::pin(super::$name()) };
                $crate::backends::run_on_real_time(program, conformance!(@check $($check)?));
            }
        }
    )+ };
    (@check) => { |()| () };
    (@check $check:ident) => { super::$check };
}

/// A program. Boxed, or each of hundreds would have copies of both backends compiled for it.
pub(crate) type Boxed<T> = Pin<Box<dyn Future<Output = T>>>;

/// Runs a program under `Fifo` and many seeds.
#[cfg(feature = "simulation")]
#[track_caller]
pub(crate) fn simulate<T: 'static>(program: fn() -> Boxed<T>, check: fn(T)) {
    use parcae::Sim;
    use parcae::explore::Strategy;

    let fifo = Sim::builder().strategy(Strategy::Fifo).build().unwrap();
    match fifo.run(program).into_result() {
        Ok(output) => check(output),
        Err(failure) => panic!("under `Fifo`: {failure}"),
    }
    for seed in 0..SEEDS {
        match Sim::new(seed).run(program).into_result() {
            Ok(output) => check(output),
            Err(failure) => panic!("under seed {seed}: {failure}"),
        }
    }
}

/// Runs a program on real time.
#[cfg(feature = "real")]
#[track_caller]
pub(crate) fn run_on_real_time<T: 'static>(program: fn() -> Boxed<T>, check: fn(T)) {
    let outcome = real_outcome(program);
    let (seed, unfinished) = (outcome.seed, outcome.unfinished.clone());
    match outcome.into_result() {
        Ok(output) => check(output),
        Err(error) => panic!("on real time, with seed {seed:?}: {error}"),
    }
    assert!(unfinished.is_empty(), "they should have ended: {unfinished:?}");
}

/// Runs a program on real time. One that hangs fails, where it would never end.
#[cfg(feature = "real")]
pub(crate) fn real_outcome<T: 'static>(program: fn() -> Boxed<T>) -> parcae::real::Outcome<T> {
    use parcae::real::{Options, Runtime};
    use parcae::time::{Instant, timeout};

    Runtime::new(Options::default()).unwrap().run(async move {
        let start = Instant::now();
        let end = timeout(PATIENCE, program()).await;
        // A wake that was lost would be made good by the timer.
        assert!(start.elapsed() < PATIENCE, "it hung");
        end.expect("it is in time")
    })
}

/// Tells whether the running task is in a simulation.
pub(crate) fn is_simulated() -> bool {
    Backend::current() == Some(Backend::Simulation)
}

/// Seeds that each test runs under.
#[cfg(feature = "simulation")]
const SEEDS: u64 = 200;

/// When a test on real time has hung: no test takes a second on an idle machine.
#[cfg(feature = "real")]
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(60);
