//! The same leaks without this crate: nothing here refers to it, so it is not linked.
#![cfg(target_os = "linux")]
#![expect(clippy::disallowed_methods, clippy::disallowed_types, reason = "leaks are planted here")]

mod matrix;

use parcae::Failure;
use parcae::explore::{Check, Determinism, Isolation};

use self::matrix::program_of_strangers;

const IS_LIVE: bool = false;

fn prepare() {}

#[test]
fn a_check_of_strangers_names_the_leak() {
    let check = Check::new("strangers").isolation(Isolation::Fork).jobs(1).seeds(20);
    let report = check.determinism(Determinism::EverySeed).run(program_of_strangers);
    match report.finding().unwrap().failure() {
        Failure::Nondeterminism { first, second, .. } => {
            assert!(first.contains("main") && second.contains("main"), "{first} / {second}");
        }
        failure => panic!("{failure}"),
    }
}
