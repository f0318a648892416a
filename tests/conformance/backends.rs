//! What a test runs on: the macro that makes a test of each backend, and which one this is.

use std::future::Future;

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
                $crate::backends::simulate(super::$name, conformance!(@check $($check)?));
            }
        }
    )+ };
    (@check) => { |()| () };
    (@check $check:ident) => { super::$check };
}

/// Runs a program under `Fifo` and many seeds.
#[cfg(feature = "simulation")]
#[track_caller]
pub(crate) fn simulate<F>(program: fn() -> F, check: impl Fn(F::Output))
where
    F: Future + 'static,
{
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

/// Tells whether the running task is in a simulation.
pub(crate) fn is_simulated() -> bool {
    true
}

/// Seeds that each test runs under.
#[cfg(feature = "simulation")]
const SEEDS: u64 = 200;
