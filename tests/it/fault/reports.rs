//! What a failure says of knobs, firings and properties.

use expect_test::{Expect, expect};
use parcae::explore::{Check, ReplayMode, Strategy};
use parcae::report::{Detail, ReplayCommand, replay_text_with, text_with};
use parcae::task::yield_now;
use parcae::{buggify, knob};

async fn program() {
    let size = knob!("queue size", 8, 1..=64_usize);
    let mut queue = Vec::new();
    for item in 0..3 {
        if buggify!("worker is late") {
            yield_now().await;
        } else {
            queue.clear();
        }
        queue.push(item);
        parcae::sometimes!(size == 65, "the queue is too long");
        parcae::always_less_than_or_equal_to!(queue.len(), size, "the queue keeps its limit", item);
    }
}

fn check_text(actual: &str, expected: &Expect) {
    let token = actual.find("v1:").map(|at| {
        let end = actual[at..].find(' ').map_or(actual.len(), |length| at + length);
        actual[at..end].to_owned()
    });
    let text = token.map_or_else(|| actual.to_owned(), |token| actual.replace(&token, "v1:…"));
    expected.assert_eq(&text);
}

#[test]
fn a_failure_shows_knobs_firings_and_what_was_checked() {
    let check = Check::new("queues").strategy(Strategy::Random).seeds(1_000);
    let report = check.clone().run(program);
    let command = ReplayCommand::from_prefix("cargo test -p kv queues");
    let detail = Detail::default().with_times(false);
    check_text(
        &text_with(&report, &command, detail, None),
        &expect![[r#"
            parcae: queues failed: always!("the queue keeps its limit") at tests/it/fault/reports.rs:20: left=2, right=1, item=2
              found    seed 24, run 25 of 1000 (random), 4 choices, 1 fault among them, 2 steps
              shrunk   to 2 choices in 11 runs; each one is necessary:
                1. knob `queue size` is 1 (usually 8)
                2. `main`: buggify `worker is late` fires (tests/it/fault/reports.rs:13)
              knobs    `queue size` is 1 (usually 8)
              fired    buggify `worker is late` fired once
              checked  2 properties in 25 seeds; not met by any of them so far:
                sometimes!("the queue is too long") at tests/it/fault/reports.rs:19
              timeline
                         main
                0.000 s  buggify `worker is late` fires [2]
                         yields
                         violates always!("the queue keeps its limit")
                         ends
              replay   PARCAE_REPLAY=v1:… cargo test -p kv queues
              explain  the same line with PARCAE_EXPLAIN=on in front says why
        "#]],
    );
    let token = report.finding().unwrap().token().unwrap();
    let replay = check.replay(token, ReplayMode::Strict, program).unwrap();
    check_text(
        &replay_text_with(&replay, &command, detail),
        &expect![[r#"
        parcae: queues replayed: it fails again, event for event as recorded
          failure  always!("the queue keeps its limit") at tests/it/fault/reports.rs:20: left=2, right=1, item=2
          knobs    `queue size` is 1 (usually 8)
          fired    buggify `worker is late` fired once
          forced
            1. knob `queue size` is 1 (usually 8)
            2. `main`: buggify `worker is late` fires (tests/it/fault/reports.rs:13)
          timeline
                     main
            0.000 s  buggify `worker is late` fires [2]
                     yields
                     violates always!("the queue keeps its limit")
                     ends
          replay   PARCAE_REPLAY=v1:… cargo test -p kv queues
    "#]],
    );
}
