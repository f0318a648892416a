//! Tests of the `parcae` command as a process: its output, its files, its exit codes.
#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "a process is waited for in wall time, and ended when it takes too long"
)]

mod process;

mod bad_input;
mod corpus;
mod explaining;
mod hunting;
mod replaying;
#[cfg(target_os = "linux")]
mod stopping;
mod sweeping;
mod teaching;
#[cfg(target_os = "linux")]
mod threads;

/// All scenarios.
const SCENARIOS: [&str; 57] = [
    "lost-update",
    "check-then-act",
    "lost-wakeup",
    "pipeline-sentinel",
    "pipeline-orphan",
    "one-sentinel",
    "worker-pool-join",
    "cancel-leak",
    "cancelled-as-success",
    "status-blind",
    "retries-everything",
    "retry-waves",
    "retry-storm",
    "permit-held-in-backoff",
    "rollback-skipped",
    "endless-pages",
    "duplicate-charge",
    "cancelled-wakeup",
    "double-acquire",
    "stuck-semaphore",
    "stranded-permits",
    "lost-notification",
    "timed-out-item",
    "overtaking-put",
    "lock-across-rpc",
    "futurelock",
    "reentrant-read",
    "philosophers",
    "half-read-frame",
    "half-transfer",
    "swallowed-cancel",
    "interrupted-cleanup",
    "orphan-worker",
    "late-reply",
    "split-brain-lock",
    "zombie-leader",
    "clock-skew-lease",
    "dual-write",
    "half-open-connection",
    "thundering-herd",
    "early-acknowledgement",
    "two-leaders",
    "deaf-leader",
    "lost-at-restart",
    "stale-reference",
    "start-that-asks",
    "restart-storm",
    "unsliding-window",
    "untold-failure",
    "stop-behind-work",
    "ask-cycle",
    "evicted-stop",
    "mutual-back-pressure",
    "zombie-in-a-group",
    "stale-timer",
    "state-of-yesterday",
    "lost-acknowledged-write",
];

const CLEAN: i32 = 0;
const USAGE: i32 = 2;
const DIVERGED: i32 = 3;
const FAILING: i32 = 42;
const INFRASTRUCTURE: i32 = 75;
