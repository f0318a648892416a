//! What is said of a replay.

use expect_test::{Expect, expect};
use parcae::explore::{Check, Replay, ReplayMode, ReplayVerdict};
use parcae::report::{self, Detail};

use super::programs::{Edit, edited};
use super::{check, command, without_token};

fn replayed(edit: Edit, configure: impl FnOnce(Check) -> Check) -> Replay {
    let report = check("kv::sizes").run(|| edited(Edit::None));
    let token = report.finding().unwrap().token().unwrap();
    configure(check("kv::sizes")).replay(token, ReplayMode::Lenient, move || edited(edit)).unwrap()
}

fn expect_replay(edit: Edit, verdict: ReplayVerdict, expected: &Expect) {
    let replay = replayed(edit, |check| check);
    let text = report::replay_text_with(&replay, &command(), Detail::default().with_times(false));
    expected.assert_eq(&without_token(&text));
    assert_eq!(replay.verdict, verdict);
}

#[test]
fn a_replay_says_whether_the_failure_is_still_there() {
    expect_replay(
        Edit::None,
        ReplayVerdict::Reproduced,
        &expect![[r#"
            parcae: kv::sizes replayed: it fails again, event for event as recorded
              failure  panic in `main` at tests/it/report/programs.rs:332: size is 3
              forced
                1. `main` draws 3 for choose 0 (default 0) (tests/it/report/programs.rs:327)
              timeline
                         main
                0.000 s  draws 3 for choose 0 [1]
                         ✗ panics: size is 3
              replay   PARCAE_REPLAY=TOKEN cargo test -p kv counter
        "#]],
    );
    expect_replay(
        Edit::Repaired,
        ReplayVerdict::Passes,
        &expect![[r#"
        parcae: kv::sizes replayed: it does not fail any more
          differs  from the record, first between events 3 and 4; there this run did:
            at 0.000 s: `main` ends
            at 0.000 s: the run ends
    "#]],
    );
}

#[test]
fn a_replay_says_where_it_leaves_the_record() {
    expect_replay(
        Edit::OneMoreTask,
        ReplayVerdict::Reproduced,
        &expect![[r#"
            parcae: kv::sizes replayed: it fails again with the same failure, by another way than recorded
              failure  panic in `main` at tests/it/report/programs.rs:332: size is 3
              differs  from the record, first between events 2 and 3; there this run did:
                at 0.000 s: `main` spawns `idle` (tests/it/report/programs.rs:321)
                at 0.000 s: `main` waits: join `idle` (tests/it/report/programs.rs:321)
              forced
                1. `main` draws 3 for choose 0 (default 0) (tests/it/report/programs.rs:327)
              timeline
                         main                     │ idle
                0.000 s  spawns `idle`            │
                         waits: join `idle`       │
                                                  │ ends
                         draws 3 for choose 0 [1] │
                         ✗ panics: size is 3      │
              replay   PARCAE_REPLAY=TOKEN cargo test -p kv counter
        "#]],
    );
    expect_replay(
        Edit::OtherMessage,
        ReplayVerdict::Diverged,
        &expect![[r#"
            parcae: kv::sizes replayed: it takes the recorded way, event for event, but fails otherwise
              failure  panic in `main` at tests/it/report/programs.rs:331: broken by another reason
              forced
                1. `main` draws 3 for choose 0 (default 0) (tests/it/report/programs.rs:327)
              timeline
                         main
                0.000 s  draws 3 for choose 0 [1]
                         ✗ panics: broken by another…
              replay   PARCAE_REPLAY=TOKEN cargo test -p kv counter
        "#]],
    );
    expect_replay(
        Edit::OtherFailure,
        ReplayVerdict::Diverged,
        &expect![[r#"
            parcae: kv::sizes replayed: it fails, but otherwise than recorded
              failure  panic in `main` at tests/it/report/programs.rs:324: idle is broken
              stale    `main` draws 3 for choose 0
                Nothing in this run asked for what is stale, as after an edit of the program.
              differs  from the record, first between events 2 and 3; there this run did:
                at 0.000 s: `main` spawns `idle` (tests/it/report/programs.rs:324)
                at 0.000 s: `main` waits: join `idle` (tests/it/report/programs.rs:325)
              timeline
                         main                     │ idle
                0.000 s  spawns `idle`            │
                         waits: join `idle`       │
                                                  │ panics
                         ✗ panics: idle is broken │
              replay   PARCAE_REPLAY=TOKEN cargo test -p kv counter
        "#]],
    );
}

#[test]
fn what_is_stale_is_listed() {
    expect_replay(
        Edit::NoDraw,
        ReplayVerdict::Reproduced,
        &expect![[r#"
            parcae: kv::sizes replayed: it fails again with the same failure, by another way than recorded
              failure  panic in `main` at tests/it/report/programs.rs:332: size is 9
              stale    `main` draws 3 for choose 0
                Nothing in this run asked for what is stale, as after an edit of the program.
              differs  from the record, first between events 2 and 3; there this run did:
                at 0.000 s: `main` panics
                at 0.000 s: the run ends
              timeline
                         main
                0.000 s  ✗ panics: size is 9
              replay   PARCAE_REPLAY=TOKEN cargo test -p kv counter
        "#]],
    );
}

#[test]
fn a_replay_shows_what_was_traced_and_that_settings_differ() {
    let replay = replayed(Edit::None, |check| check.trace(tracing::Level::DEBUG).max_steps(77));
    let text = report::replay_text(&replay, &command());
    assert!(text.contains("  note     limits or epoch are not those of the record\n"), "{text}");
    let (_, trace) = text.split_once("  trace\n").unwrap();
    let of_program: Vec<&str> = trace.lines().filter(|line| !line.contains(" parcae: ")).collect();
    let [line] = of_program.as_slice() else { panic!("one line of the program: {text}") };
    assert!(line.contains("DEBUG") && line.ends_with("size is chosen size=3"), "{text}");
}
