//! Ctrl-C.

use std::fs;
use std::process::{Child, Command};
use std::thread;
use std::time::Duration;

use crate::process::{Ended, Workplace, end};

const INTERRUPTED: i32 = 130;
const ENDLESS_HUNT: [&str; 5] = ["hunt", "lost-update", "--fixed", "--seeds", "1000000000"];

#[test]
fn ctrl_c_ends_a_hunt_with_what_was_done_so_far() {
    let here = Workplace::new("ctrl_c");
    for (format, stopped) in [("text", "stopped early by request"), ("json", "interrupted")] {
        let mut arguments = ENDLESS_HUNT.to_vec();
        arguments.extend(["--format", format]);
        let child = here.begin(&arguments);
        wait_until_it_listens(&child);
        signal(&child, "INT");
        end(child, END_LIMIT).with_code(INTERRUPTED).says(&[stopped]);
    }
}

#[test]
fn a_second_signal_ends_at_once() {
    let child = Workplace::new("ctrl_c_twice").begin(&ENDLESS_HUNT);
    wait_until_it_listens(&child);
    // Stopped in between, so that both have come when it goes on.
    for name in ["STOP", "INT", "TERM", "CONT"] {
        signal(&child, name);
    }
    let Ended { code, stdout, .. } = end(child, END_LIMIT);
    assert_eq!((code, stdout.as_str()), (None, ""), "a signal ended it before it could report");
}

/// Waits until the process catches SIGINT and SIGTERM, as Linux shows it: bits 1 and 14 of a mask.
fn wait_until_it_listens(child: &Child) {
    let path = format!("/proc/{}/status", child.id());
    let is_listening = || {
        let status = fs::read_to_string(&path).expect("the command runs");
        let mask = status.lines().find_map(|line| line.strip_prefix("SigCgt:"));
        let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
        mask.expect("a mask in hexadecimal") & CAUGHT == CAUGHT
    };
    for _ in 0..1000 {
        if is_listening() {
            return;
        }
        thread::sleep(Duration::from_millis(5));
    }
    panic!("the command does not catch signals");
}

fn signal(child: &Child, name: &str) {
    let status = Command::new("kill").args(["-s", name, &child.id().to_string()]).status();
    assert!(status.expect("`kill` is there").success());
}

const CAUGHT: u64 = 1 << 1 | 1 << 14;
const END_LIMIT: Duration = Duration::from_secs(5);
