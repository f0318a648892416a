//! Ctrl-C.

use std::fs;
use std::io::{BufRead as _, BufReader, Error, ErrorKind, Write as _};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use crate::process::{Workplace, end};

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
    let here = Workplace::new("ctrl_c_twice");
    // Its report has no room, so that it cannot have ended by itself when the second signal comes.
    let (stdout, _reader) = full_pipe();
    let mut program = Command::new(env!("CARGO_BIN_EXE_parcae"));
    let mut child = here.begin_into(&mut program, &ENDLESS_HUNT, stdout);
    wait_until_it_listens(&child);
    signal(&child, "INT");
    let mut stderr = BufReader::new(child.stderr.take().expect("it is a pipe"));
    let mut line = String::new();
    stderr.read_line(&mut line).expect("it prints UTF-8");
    assert!(line.contains("once more ends it at once"), "{line}");
    signal(&child, "TERM");
    assert_eq!(end(child, END_LIMIT).code, None, "a signal ended it before it could report");
}

/// Makes something to write to that has no room, and what it could be read from.
fn full_pipe() -> (Stdio, UnixStream) {
    let (mut writer, reader) = UnixStream::pair().expect("two sockets");
    writer.set_nonblocking(true).expect("it is a socket");
    for size in [4096, 1] {
        let is_full = |error: &Error| error.kind() == ErrorKind::WouldBlock;
        while writer.write(&vec![b' '; size]).map_or_else(|error| !is_full(&error), |_| true) {}
    }
    writer.set_nonblocking(false).expect("it is a socket");
    (OwnedFd::from(writer).into(), reader)
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
