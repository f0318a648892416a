//! Machines that give few threads, or none.

use std::process::Command;

use serde_json::Value;

use crate::process::{Ended, LIMIT, Workplace, end};
use crate::{CLEAN, FAILING, INFRASTRUCTURE};

#[test]
fn a_hunt_goes_on_with_the_threads_there_are() {
    let here = Workplace::new("few_threads");
    // One watches for Ctrl-C, so this many are left for workers and for runs.
    for threads in [2, 3, 4] {
        let arguments = ["hunt", "lost-update", "--fixed", "--seeds", "300", "--jobs", "16"];
        run(&here, threads, &arguments).with_code(CLEAN).says(&["300 seeds"]);
        let arguments = ["hunt", "check-then-act", "--jobs", "16", "--format", "json"];
        let found = run(&here, threads, &arguments).with_code(FAILING);
        let found: Value = serde_json::from_str(&found.stdout).unwrap();
        let expected = here.hunt(&["check-then-act", "--jobs", "1"]);
        for (field, value) in expected.as_object().unwrap() {
            if !["finding", "wall_seconds"].contains(&field.as_str()) {
                assert_eq!(found[field], *value, "{field}");
            }
        }
        assert_eq!(found["finding"]["token"], expected["finding"]["token"]);
    }
}

#[test]
fn without_a_thread_for_a_run_it_is_the_machine_that_failed() {
    let here = Workplace::new("no_thread");
    let token = here.token("lost-update");
    let check = |threads, arguments: &[&str], text| {
        let ended = run(&here, threads, arguments).with_code(INFRASTRUCTURE);
        assert_eq!(ended.stdout, "");
        let one_line = ended.stderr.lines().count() == 1;
        assert!(one_line, "no panic, which would be more than a line: {ended:?}");
        ended.complains(&["error: ", text, "os error"]);
    };
    check(1, &["hunt", "lost-update"], "the machine gives no thread for a run");
    check(1, &["hunt", "lost-update", "--jobs", "1"], "the machine gives no thread for a run");
    check(0, &["hunt", "lost-update"], "no thread can be made that watches for Ctrl-C");
    check(0, &["replay", &token], "the machine gives no thread for a run");
    check(0, &["replay", &token, "--lenient"], "the machine gives no thread for a run");
}

/// Runs the command where there is address space for the stacks of so many threads beside the main
/// one. A limit on processes would be the obvious choice, but root has none.
fn run(here: &Workplace, threads: u64, arguments: &[&str]) -> Ended {
    let kibibytes = (threads * STACK + OTHER_MEMORY) >> 10;
    let mut shell = Command::new("sh");
    shell.args(["-c", &format!("ulimit -v {kibibytes} && exec \"$0\" \"$@\"")]);
    shell.arg(env!("CARGO_BIN_EXE_parcae")).env("RUST_MIN_STACK", STACK.to_string());
    end(here.begin_as(&mut shell, arguments), LIMIT)
}

/// Address space only; so large that nothing else is as large.
const STACK: u64 = 4 << 30;
const OTHER_MEMORY: u64 = 2 << 30;
