//! Reports as people read them: each sentence is checked against what the program did.
//!
//! Tokens stand as `TOKEN` in what is expected here: they hold hashes of the run.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use expect_test::{Expect, expect};
use parcae::executor::Limits;
use parcae::explore::{Check, CheckReport, Control, Isolation, ReplayToken, Shrink};
use parcae::report::{self, Detail, ReplayCommand, SaveError, Style};

mod machines;
mod programs;
mod replays;

// Failures

#[test]
fn a_turn_that_was_forced_is_told_with_what_came_before_it() {
    expect_report(
        check("kv::counter").run(programs::lost_update),
        &expect![[r#"
            parcae: kv::counter failed: panic in `main` at tests/it/report/programs.rs:26: assertion `left == right` failed: an update is lost
                  left: 1
                 right: 2
              found    seed 0, run 1 of 100 (portfolio), 1 choice (a switch), 5 steps
              shrunk   to 1 choice in 2 runs; it is necessary:
                1. when `main` waits (join `quick` at tests/it/report/programs.rs:24), `slow` goes on before `quick`
              timeline
                         main                         │ quick │ slow
                0.000 s  spawns `quick`               │       │
                         spawns `slow`                │       │
                         waits: join `quick`          │       │
                                                      │       │ goes on [1]
                                                      │       │ yields
                                                      │ ends  │
                                                      │       │ ends
                         ✗ panics: assertion `left =… │       │
              replay   PARCAE_REPLAY=TOKEN cargo test -p kv counter
              explain  the same line with PARCAE_EXPLAIN=on in front says why
        "#]],
    );
    expect_report(
        check("kv::turns").run(programs::turns),
        &expect![[r#"
            parcae: kv::turns failed: panic in `main` at tests/it/report/programs.rs:153: assertion `left != right` failed: in reverse
                  left: 210
                 right: 210
              found    seed 2, run 3 of 100 (portfolio), 2 choices (all switches), 8 steps
              shrunk   to 2 choices in 11 runs; each one is necessary:
                1. when `main` waits (join `one` at tests/it/report/programs.rs:150), `three` goes on before `one`
                2. when `three` has ended, `two` goes on before `one`
              timeline
                         main                         │ one           │ two           │ three
                0.000 s  spawns `one`                 │               │               │
                         spawns `two`                 │               │               │
                         spawns `three`               │               │               │
                         waits: join `one`            │               │               │
                                                      │               │               │ goes on [1]
                                                      │               │               │ timer 0.020 s
                                                      │ timer 0.020 s │               │
                                                      │               │ timer 0.020 s │
                0.020 s                               │               │               │ ends
                                                      │               │ goes on [2]   │
                                                      │               │ ends          │
                                                      │ ends          │               │
                         ✗ panics: assertion `left !… │               │               │
              replay   PARCAE_REPLAY=TOKEN cargo test -p kv counter
              explain  the same line with PARCAE_EXPLAIN=on in front says why
        "#]],
    );
}

#[test]
fn a_preemption_is_told_with_the_operation_that_came_too_late() {
    expect_report(
        check("kv::counter").run(programs::shared_lost_update),
        &expect![[r#"
            parcae: kv::counter failed: panic in `main` at tests/it/report/programs.rs:166: an update is lost
              found    seed 1, run 2 of 100 (portfolio), 1 choice (a switch), 7 steps
              shrunk   to 1 choice in 2 runs; it is necessary:
                1. `main` is preempted by `writer` before: write Shared `counter` (tests/it/report/programs.rs:161)
              timeline
                         main                        │ writer
                0.000 s  spawns `writer`             │
                         `counter`: reads 0          │
                         ── preempted ── [1]         │
                                                     │ `counter`: reads 0
                                                     │ `counter`: writes 1
                                                     │ ends
                         `counter`: writes 1         │
                         ✗ panics: an update is lost │
              replay   PARCAE_REPLAY=TOKEN cargo test -p kv counter
              explain  the same line with PARCAE_EXPLAIN=on in front says why
        "#]],
    );
    expect_report(
        check("bank::transfer").run(programs::opposite_locks),
        &expect![[r#"
            parcae: bank::transfer failed: deadlock: no task is ready and no timer is pending
                `main` waits for Task join of `back` at tests/it/report/programs.rs:186
                `back` waits for Mutex lock of `left` at tests/it/report/programs.rs:175 (spawned at tests/it/report/programs.rs:173), held by `forth` since tests/it/report/programs.rs:181
                `forth` waits for Mutex lock of `right` at tests/it/report/programs.rs:182 (spawned at tests/it/report/programs.rs:180), held by `back` since tests/it/report/programs.rs:174
                cycle: `back` -> `forth` (Mutex lock of `left`) -> `back` (Mutex lock of `right`)
              found    seed 3, run 4 of 100 (portfolio), 2 choices (all switches), 9 steps
              shrunk   to 1 choice in 5 runs; it is necessary:
                1. `back` is preempted by `forth` before: lock Mutex `left` (tests/it/report/programs.rs:175)
              timeline
                         main                 │ back                 │ forth
                0.000 s  spawns `back`        │                      │
                         spawns `forth`       │                      │
                         waits: join `back`   │                      │
                                              │ lock `right`         │
                                              │ ── preempted ── [1]  │
                                              │                      │ lock `left`
                                              │                      │ waits: lock `right`
                                              │ waits: lock `left`   │
                         ✗ waits: join `back` │ ✗ waits: lock `left` │ ✗ waits: lock `right`
              replay   PARCAE_REPLAY=TOKEN cargo test -p kv counter
              explain  the same line with PARCAE_EXPLAIN=on in front says why
        "#]],
    );
}

#[test]
fn what_came_before_a_turn_is_told_as_it_was() {
    let sentences = |report: CheckReport| {
        let text = shown(&report);
        let is_sentence = |line: &&str| line.starts_with("    1. ") || line.starts_with("    2. ");
        let lines: Vec<&str> = text.lines().filter(is_sentence).collect();
        lines.join("\n")
    };
    expect!["    1. `main` yields and goes on all the same, before `other`"]
        .assert_eq(&sentences(check("kv").run(programs::overtakes)));
    expect!["    1. when `main` waits (join `early` at tests/it/report/programs.rs:238), `late` goes on before `early`"].assert_eq(&sentences(check("kv").run(programs::due_together)));
    expect!["    1. when `main` waits (join `gone` at tests/it/report/programs.rs:253), `two` goes on before `dropped`"].assert_eq(&sentences(check("kv").run(programs::cancelled)));
    expect!["    1. when `one` waits (lock Mutex `list` at tests/it/report/programs.rs:266), `three` goes on before `two`"].assert_eq(&sentences(check("kv").run(programs::waits_for_a_lock)));
    expect!["    1. when `main` waits (join `broken` at tests/it/report/programs.rs:284), `two` goes on before `broken`"].assert_eq(&sentences(check("kv").run(programs::panics_and_goes_on)));
}

/// Checks that each number of the list stands at one row of the timeline, for failures of all kinds
/// of overrides, shrunk and half shrunk.
#[test]
fn each_sentence_has_its_row() {
    let reports = |seed: u64, runs: u64| {
        let mut shrink = Shrink::default();
        shrink.runs = runs;
        let check = || check("kv").first_seed(seed * 1_000).shrink(shrink.clone());
        [
            check().run(programs::lost_update),
            check().run(programs::turns),
            check().run(programs::shared_lost_update),
            check().run(programs::opposite_locks),
            check().run(programs::fails_in_two_ways),
            check().run(programs::overtakes),
            check().run(programs::due_together),
            check().run(programs::cancelled),
            check().run(programs::panics_and_goes_on),
            check().run(programs::yields_and_writes),
        ]
    };
    let mut seen = BTreeSet::new();
    let texts = (0..30).flat_map(|seed| [1, 3, 500].map(|runs| reports(seed, runs))).flatten();
    for text in texts.map(|report| shown(&report)) {
        let (list, timeline) = text.split_once("  timeline").unwrap();
        let timeline = timeline.split_once('\n').unwrap().1;
        let timeline = Timeline::read(timeline);
        for line in list.lines().filter_map(|line| line.strip_prefix("    ")) {
            let Some((number, sentence)) = line.split_once(". ") else { continue };
            let Ok(number) = number.parse() else { continue };
            seen.insert(
                timeline.check(number, sentence).unwrap_or_else(|| panic!("{line}: {text}")),
            );
        }
    }
    let all =
        ["at", "cancelled", "draws", "ended", "panicked", "preempted", "same", "waits", "yields"];
    assert_eq!(Vec::from_iter(seen), all);
}

/// A timeline as it was printed: names of columns, and the cells of each row.
struct Timeline<'a> {
    names: Vec<&'a str>,
    rows: Vec<Vec<&'a str>>,
}

impl<'a> Timeline<'a> {
    fn read(text: &'a str) -> Self {
        let mut lines = text.lines().take_while(|line| !line.starts_with("  replay"));
        let cells = |line: &'a str| -> Vec<&'a str> {
            let line = line.get("    0.000 s  ".len()..).unwrap();
            line.split(" │").map(str::trim).collect()
        };
        Self { names: cells(lines.next().unwrap()), rows: lines.map(cells).collect() }
    }

    fn column(&self, name: &str) -> usize {
        self.names.iter().position(|known| *known == name).unwrap()
    }

    /// Returns what kind of sentence this is, if the rows around its number say the same.
    fn check(&self, number: usize, sentence: &str) -> Option<&'static str> {
        let mark = format!("[{number}]");
        let marked: Vec<usize> =
            (0..self.rows.len()).filter(|row| self.rows[*row].concat().contains(&mark)).collect();
        let [row] = marked[..] else { return None };
        let names: Vec<&str> = sentence.split('`').skip(1).step_by(2).collect();
        let cell = |row: usize, name: &str| self.rows[row].get(self.column(name)).copied();
        let before = |name: &str| {
            (0..row).rev().find_map(|row| cell(row, name).filter(|text| !text.is_empty()))
        };
        let is_marked = |name: &str| cell(row, name).is_some_and(|text| text.contains(&mark));
        let (first, last) = (names[0], names[names.len().saturating_sub(2)]);
        let is_told = |what: &str| {
            is_marked(last) && before(first).is_some_and(|text| text.starts_with(what))
        };
        let kinds: [(&str, &str, bool); 9] = [
            ("at", "at 0.", is_marked(first)),
            ("cancelled", "has been cancelled, ", is_told("is cancelled")),
            ("draws", " draws ", cell(row, first).is_some_and(|text| text.starts_with("draws "))),
            ("ended", "has ended, ", is_told("ends")),
            ("panicked", "has panicked, ", is_told("panics")),
            (
                "preempted",
                "is preempted by",
                cell(row, first).is_some_and(|text| text.starts_with("── preempted ── ["))
                    && cell(row + 1, names[1]).is_some_and(|text| !text.is_empty()),
            ),
            (
                "same",
                "yields and goes on all the same",
                is_marked(first) && before(first) == Some("yields"),
            ),
            ("waits", "` waits (", is_told("waits: ") || is_told("timer ")),
            ("yields", "` yields, ", is_told("yields")),
        ];
        kinds
            .iter()
            .find(|(_, text, _)| sentence.contains(text))
            .filter(|kind| kind.2)
            .map(|kind| kind.0)
    }
}

#[test]
fn what_fails_in_the_default_world_needs_no_choice() {
    expect_report(
        check("kv::counter").run(programs::always_lost_update),
        &expect![[r#"
            parcae: kv::counter failed: panic in `main` at tests/it/report/programs.rs:46: assertion `left == right` failed
                  left: 1
                 right: 2
              found    seed 0, run 1 of 100 (portfolio), 1 choice (a switch), 6 steps
              shrunk   to 0 choices in 2 runs; it fails in the default world, no choice is needed
              timeline
                         main                         │ a      │ b
                0.000 s  spawns `a`                   │        │
                         spawns `b`                   │        │
                         waits: join `a`              │        │
                                                      │ yields │
                                                      │        │ yields
                                                      │ ends   │
                                                      │        │ ends
                         ✗ panics: assertion `left =… │        │
              replay   PARCAE_REPLAY=TOKEN cargo test -p kv counter
              explain  the same line with PARCAE_EXPLAIN=on in front says why
        "#]],
    );
}

#[test]
fn machines_faults_and_sockets_are_told_by_their_names() {
    let text = shown(&check("kv::cut").run(machines::cut_off));
    for told in [
        "makes `kv`",
        "partition: test | kv",
        "waits: connect `test:32768->kv:80`",
        "ends partition: test | kv",
        "read `test:32768->kv:80`",
        "pauses `kv`",
        "powers off `kv`",
        "isolate: kv | all but kv",
    ] {
        assert!(text.contains(told), "{told:?} is not told in\n{text}");
    }
}

#[test]
fn a_choice_is_told_with_its_default_and_what_is_not_needed_is_left_out() {
    expect_report(
        check("kv::sizes").run(programs::fails_for_large_sizes),
        &expect![[r#"
            parcae: kv::sizes failed: error from `main`: "no room for 7"
              found    seed 0, run 1 of 100 (portfolio), 2 choices, 2 steps
              shrunk   to 1 choice in 10 runs; it is necessary:
                1. `main` draws 7 for choose 0 (default 0) (tests/it/report/programs.rs:107)
              timeline
                         main
                0.000 s  draws 7 for choose 0 [1]
                         draws 0 for delay 3
                         yields
                         ends
                         ✗ error: "no room for 7"
              replay   PARCAE_REPLAY=TOKEN cargo test -p kv counter
              explain  the same line with PARCAE_EXPLAIN=on in front says why
        "#]],
    );
}

#[test]
fn tasks_that_wait_for_ever_are_told_with_what_they_wait_for() {
    expect_report(
        check("kv::joins").run(programs::deadlock),
        &expect![[r#"
            parcae: kv::joins failed: deadlock: no task is ready and no timer is pending
                `main` waits for Task join of `right` at tests/it/report/programs.rs:55
                `left` waits for a future that parcae does not know (spawned at tests/it/report/programs.rs:51)
                `right` waits for Task join of `left` at tests/it/report/programs.rs:53 (spawned at tests/it/report/programs.rs:52)
              hint     is that future of a thread, a socket or another runtime? No simulation sees those: use parcae::time, parcae::sync
              found    seed 0, run 1 of 100 (portfolio), 1 choice (a switch), 3 steps
              shrunk   to 0 choices in 2 runs; it fails in the default world, no choice is needed
              timeline
                         main                  │ left    │ right
                0.000 s  spawns `left`         │         │
                         spawns `right`        │         │
                         waits: join `right`   │         │
                                               │         │ waits: join `left`
                         ✗ waits: join `right` │ ✗ waits │ ✗ waits: join `left`
              replay   PARCAE_REPLAY=TOKEN cargo test -p kv counter
              explain  the same line with PARCAE_EXPLAIN=on in front says why
        "#]],
    );
    expect_report(
        check("kv::leak").run(programs::leak),
        &expect![[r#"
            parcae: kv::leak failed: leak: detached tasks were alive when the program had ended
                `heartbeat` waits for the time 5.000 s at tests/it/report/programs.rs:60 (spawned at tests/it/report/programs.rs:60)
              found    seed 0, run 1 of 100 (portfolio), 0 choices, 3 steps
              shrunk   to 0 choices in 1 run; it fails in the default world, no choice is needed
              timeline
                         main               │ heartbeat
                0.000 s  spawns `heartbeat` │
                         timer 0.010 s      │
                                            │ timer 5.000 s
                0.010 s  ends               │
                                            │ ✗ waits until 5.000 s
              replay   PARCAE_REPLAY=TOKEN cargo test -p kv counter
              explain  the same line with PARCAE_EXPLAIN=on in front says why
        "#]],
    );
}

#[test]
fn a_failure_from_outside_of_the_simulation_comes_with_a_hint() {
    // As tokio says it.
    let reactor =
        "there is no reactor running, must be called from the context of a Tokio 1.x runtime";
    let text = shown(&check("kv::foreign").run(move || async move { panic!("{reactor}") }));
    assert!(text.contains("\n  hint     a simulation has no Tokio runtime: "), "{text}");
    let text = shown(&check("kv::unknown").run(std::future::pending::<()>));
    assert!(text.contains("\n  hint     is that future of a thread, "), "{text}");
}

#[test]
fn a_long_run_loses_its_middle() {
    let text = shown(&check("kv::patient").run(programs::sleeps_again_and_again));
    let rows: Vec<&str> = text.lines().skip_while(|line| !line.contains("timeline")).collect();
    // Label, name, 60 rows, the gap, and the lines that replay and explain it.
    assert_eq!(rows.len(), 65, "{text}");
    assert_eq!(rows[41].trim(), "… 42 rows …", "{text}");
}

#[test]
fn what_led_to_a_panic_is_not_left_out_of_a_long_run() {
    let text = shown(&check("kv::middle").run(programs::panics_long_before_the_end));
    let rows: Vec<&str> = text.lines().skip_while(|line| !line.contains("timeline")).collect();
    assert_eq!(rows.iter().filter(|row| row.contains(" rows …")).count(), 2, "{text}");
    let panic = rows.iter().position(|row| row.ends_with("│ panics")).expect(&text);
    assert!(rows[panic - 1].contains("timer 0.050 s"), "{text}");
}

#[test]
fn entries_that_were_not_kept_are_missing_before_the_failure() {
    let mut limits = Limits::default();
    limits.logged_events = 50;
    let text = shown(&check("kv::kept").limits(limits).run(programs::sleeps_again_and_again));
    let rows: Vec<&str> = text.lines().map(str::trim).collect();
    let gap = rows.iter().position(|row| row.ends_with("more entries were not kept …"));
    assert!(rows[gap.expect(&text) + 1].contains("✗ error: \"no more\""), "{text}");
}

#[test]
fn a_run_that_spins_is_told_by_a_few_rows() {
    let mut limits = Limits::default();
    limits.steps_per_instant = 500;
    let text = shown(&check("kv::polite").limits(limits).run(programs::livelock));
    let rows: Vec<&str> = text.lines().skip_while(|line| !line.contains("timeline")).collect();
    let kept: Vec<&str> = ["kept"].into_iter().chain(rows[1..22].iter().copied()).collect();
    expect![[r#"
        kept
                     main                 │ polite                │ polite#1
            0.000 s  spawns `polite`      │                       │
                     spawns `polite#1`    │                       │
                     waits: join `polite` │                       │
                                          │ yields                │
                                          │                       │ yields
                                          │ yields                │
                                          │                       │ yields
                                          │ yields                │
                                          │                       │ yields
                                          │ yields                │
                     … 483 rows …
            0.000 s                       │ yields                │
                                          │                       │ yields
                                          │ yields                │
                                          │                       │ yields
                                          │ yields                │
                                          │                       │ yields
                                          │ yields                │
                                          │                       │ yields
                                          │ yields                │"#]]
    .assert_eq(&kept.join("\n"));
}

#[test]
fn a_long_message_is_indented_below_the_headline() {
    expect_report(
        check("kv::worker").run(programs::panics_in_a_task),
        &expect![[r#"
            parcae: kv::worker failed: panic in `worker` at tests/it/report/programs.rs:99: out of cheese
                redo from start
              found    seed 0, run 1 of 100 (portfolio), 0 choices, 3 steps
              shrunk   to 0 choices in 1 run; it fails in the default world, no choice is needed
              timeline
                         main            │ worker
                0.000 s  spawns `worker` │
                         timer 1.000 s   │
                                         │ timer 0.250 s
                0.250 s                  │ ✗ panics: out of cheese …
              replay   PARCAE_REPLAY=TOKEN cargo test -p kv counter
              explain  the same line with PARCAE_EXPLAIN=on in front says why
        "#]],
    );
}

#[test]
fn values_are_noted_beside_the_operation() {
    expect_report(
        check("kv::cell").run(programs::swaps_and_updates),
        &expect![[r#"
            parcae: kv::cell failed: panic in `main` at tests/it/report/programs.rs:197: the cell holds 8
              found    seed 0, run 1 of 100 (portfolio), 0 choices, 5 steps
              shrunk   to 0 choices in 1 run; it fails in the default world, no choice is needed
              timeline
                         main
                0.000 s  swap `cell`: reads 1, writes 7
                         update `cell`: reads 7, writes 8
                         `cell`: reads 8
                         Shared of programs.rs:193: writes 8
                         ✗ panics: the cell holds 8
              replay   PARCAE_REPLAY=TOKEN cargo test -p kv counter
              explain  the same line with PARCAE_EXPLAIN=on in front says why
        "#]],
    );
}

#[test]
fn more_tasks_than_there_is_room_for_are_counted() {
    let text = shown(&check("kv::crowd").run(programs::crowd));
    assert!(text.contains("timeline (7 other tasks not shown, for lack of room)\n"), "{text}");
    assert!(text.lines().all(|line| !line.contains('│') || line.chars().count() <= 120), "{text}");
}

#[test]
fn a_run_that_the_seed_does_not_decide_has_no_token_but_advice() {
    // Fresh for this test: the program counts its runs.
    expect_report(
        check("kv::static").run(programs::depends_on_a_static),
        &expect![[r#"
            parcae: kv::static failed: nondeterminism: two runs of one seed differ from event 3 on
                first run:  at 0.000 s: `main` sets a timer at 0.002 s (tests/it/report/programs.rs:131)
                second run: at 0.000 s: `main` sets a timer at 0.003 s (tests/it/report/programs.rs:131)
              found    seed 0, run 1 of 100 (portfolio), 1 choice, 2 steps
              replay   none: the seed does not decide this run, something outside of it does
                Look, at the event above, for what the simulation does not control:
                * hash maps and sets of std, whose order is random: use BTreeMap, BTreeSet;
                * real time, threads, files, sockets, the environment, addresses as keys;
                * statics and thread-locals that keep something from run to run;
                * generators seeded by the system: draw from parcae::rng() or parcae::choose().
        "#]],
    );
}

// How it was shrunk

#[test]
fn other_failures_are_listed() {
    expect_report(
        check("kv::ways").run(programs::fails_in_two_ways),
        &expect![[r#"
            parcae: kv::ways failed: panic in `main` at tests/it/report/programs.rs:116: both are large: 5, 1
              found    seed 0, run 1 of 100 (portfolio), 2 choices, 1 step
              shrunk   to 2 choices in 16 runs; each one is necessary:
                1. `main` draws 5 for choose 0 (default 0) (tests/it/report/programs.rs:115)
                2. `main` draws 1 for choose 1 (default 0) (tests/it/report/programs.rs:115)
              also     seen while shrinking (# stands for any number):
                panic at tests/it/report/programs.rs:117: the first one is large: #
              timeline
                         main
                0.000 s  draws 5 for choose 0 [1]
                         draws 1 for choose 1 [2]
                         ✗ panics: both are large: 5…
              replay   PARCAE_REPLAY=TOKEN cargo test -p kv counter
              explain  the same line with PARCAE_EXPLAIN=on in front says why
        "#]],
    );
}

#[test]
fn what_was_not_shrunk_to_the_end_says_so() {
    let line = |shrink: Shrink| {
        let report = check("kv::sums").shrink(shrink).run(programs::fails_for_large_sums);
        let text = shown(&report);
        text.lines().find(|line| line.starts_with("  shrunk")).unwrap().to_owned()
    };
    let runs = |runs| {
        let mut shrink = Shrink::default();
        shrink.runs = runs;
        shrink
    };
    expect!["  shrunk   no: this is the run of the seed as it was found"].assert_eq(&line(runs(0)));
    expect![
        "  shrunk   to 65 choices in 20 runs; the budget of runs was used up, may not be minimal:"
    ]
    .assert_eq(&line(runs(20)));
    let check = check("kv::sums").time_limit(Duration::ZERO);
    let text = shown(&check.run(programs::fails_for_large_sums));
    expect!["  shrunk   to 69 choices in 1 run; cut short by the time limit, by request or for want of a thread, may not be minimal:"].assert_eq(text.lines().find(|line| line.starts_with("  shrunk")).unwrap());
}

#[test]
fn a_list_that_is_long_is_cut_but_in_the_file() {
    let mut shrink = Shrink::default();
    shrink.runs = 1;
    let report = check("kv::sums").shrink(shrink).run(programs::fails_for_large_sums);
    let count = report.finding().unwrap().world().overrides.len();
    let text = shown(&report);
    assert!(text.contains("\n    20. ") && !text.contains("\n    21. "), "{text}");
    assert!(text.contains(&format!("\n    … and {} more\n", count - 20)), "{text}");
    let text =
        report::text_with(&report, &command(), Detail::default().with_complete_lists(true), None);
    assert!(text.contains(&format!("\n    {count}. ")), "{text}");
}

// No failure

#[test]
fn a_check_that_found_nothing_is_one_line() {
    let report = check("kv::fine").seeds(1_000).run(|| async { parcae::task::yield_now().await });
    expect_report(
        report,
        &expect![[r#"
            parcae: kv::fine ok: 1000 seeds (portfolio), 2000 steps
        "#]],
    );
    let report = check("kv::fine").only_seed(17).run(|| async {});
    expect_report(
        report,
        &expect![[r#"
            parcae: kv::fine ok: 1 seed (portfolio), 1 step
        "#]],
    );
}

#[test]
fn a_check_that_was_stopped_does_not_say_ok() {
    let control = Control::new();
    control.stop();
    expect_report(
        check("kv::fine").control(control).run(|| async {}),
        &expect![[r#"
            parcae: kv::fine stopped early by request: no failure in 1 seed of 100 (portfolio), 1 step
        "#]],
    );
    expect_report(
        check("kv::fine").time_limit(Duration::ZERO).run(|| async {}),
        &expect![[r#"
            parcae: kv::fine stopped early by the time limit: no failure in 1 seed of 100 (portfolio), 1 step
        "#]],
    );
}

// Files

#[test]
fn a_saved_report_holds_the_token_and_the_world_in_words() {
    let folder = Folder::new("saved");
    let report = check("kv::two holders: <1>").run(programs::shared_lost_update);
    let path = report::save(&report, &command(), &folder.path.join("deep/er")).unwrap();
    assert_eq!(path, folder.path.join("deep/er/kv-two-holders-1-1.txt"));
    let content = fs::read_to_string(&path).unwrap();
    assert_eq!(Some(&ReplayToken::find_in(&content).unwrap()), report.finding().unwrap().token());
    let twin: Vec<&str> = content.lines().skip(1).take(6).collect();
    expect![[r#"
        name      kv::two holders: <1>
        seed      1
        strategy  portfolio
        choices   the defaults, but for 1
                  after step 2 of `main`, `writer` goes on
    "#]]
    .assert_eq(&twin.join("\n"));
    assert!(content.contains(&format!("\n  report   {}\n", path.display())), "{content}");
    // Nothing is left of how it was written, and a second save replaces the first.
    assert_eq!(report::save(&report, &command(), &folder.path.join("deep/er")).unwrap(), path);
    assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
}

#[test]
fn a_message_that_looks_like_a_token_is_not_taken_for_one() {
    let folder = Folder::new("lookalike");
    let report =
        check("kv::version").run(|| async { Err::<(), _>("v1:AAAA and v2: are no versions") });
    let path = report::save(&report, &command(), &folder.path).unwrap();
    let token = ReplayToken::find_in(&fs::read_to_string(path).unwrap()).unwrap();
    assert_eq!(Some(&token), report.finding().unwrap().token());
}

#[test]
fn a_long_token_is_replayed_from_the_file() {
    let folder = Folder::new("long tokens");
    let mut shrink = Shrink::default();
    shrink.runs = 1;
    let report = check("kv::sums").shrink(shrink).run(programs::fails_for_large_sums);
    let token = report.finding().unwrap().token().unwrap().to_string();
    assert!(token.len() > 400, "{token}");
    let path = report::save(&report, &command(), &folder.path).unwrap();
    let replay_line = |saved| {
        let text = report::text_with(&report, &command(), Detail::default(), saved);
        text.lines().find(|line| line.starts_with("  replay")).unwrap().to_owned()
    };
    let file = path.display();
    assert_eq!(
        replay_line(Some(Ok(&path))),
        format!("  replay   PARCAE_REPLAY='@{file}' cargo test -p kv counter")
    );
    // Without a file the line holds all of it.
    assert!(replay_line(None).contains(&token));
    let cli =
        report::replay_line(&ReplayCommand::of_cli("parcae"), &token.parse().unwrap(), Some(&path));
    assert_eq!(cli, format!("parcae replay '@{file}'"));
}

#[test]
fn a_report_that_cannot_be_saved_says_why_and_hides_nothing() {
    let folder = Folder::new("refused");
    let file = folder.path.join("a file");
    fs::write(&file, "").unwrap();
    let report = check("kv::counter").run(programs::lost_update);
    let error = report::save(&report, &command(), &file.join("parcae")).unwrap_err();
    assert!(matches!(error, SaveError::Folder { .. }), "{error:?}");
    let text = report::text_with(&report, &command(), Detail::default(), Some(Err(&error)));
    assert!(text.contains("failed: panic in `main`") && text.contains("PARCAE_REPLAY="), "{text}");
    let line = text.lines().last().unwrap();
    assert!(
        line.starts_with("  report   not saved: the folder ") && line.contains(": Not a dir"),
        "{text}"
    );

    let passing = check("kv::fine").run(|| async {});
    let error = report::save(&passing, &command(), &folder.path).unwrap_err();
    assert!(matches!(error, SaveError::NoFailure), "{error:?}");
}

#[test]
fn a_failing_test_leaves_a_file_that_replays_it() {
    let folder = Folder::new("test");
    let run = |replay: Option<&str>| {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["attribute::that_fails_with_the_report", "--exact", "--nocapture"]);
        command.env("CARGO_TARGET_DIR", &folder.path).env("RUST_BACKTRACE", "0");
        command.env("PARCAE_CORPUS", "off");
        command.env_remove("PARCAE_REPLAY").envs(replay.map(|file| ("PARCAE_REPLAY", file)));
        let output = command.output().unwrap();
        (output.status.success(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    let (_, text) = run(None);
    let path = fs::read_dir(folder.path.join("parcae")).unwrap().next().unwrap().unwrap().path();
    assert!(text.contains(&format!("  report   {}\n", path.display())), "{text}");
    let (has_panicked, text) = run(Some(&format!("@{}", path.display())));
    assert!(has_panicked && text.contains("it fails again, event for event as recorded"), "{text}");
}

// Form

#[test]
fn colours_change_nothing_but_colour() {
    let report = check("kv::counter").run(programs::shared_lost_update);
    let detail = Detail::default().with_times(false);
    let plain = report::text_with(&report, &command(), detail, None);
    let coloured = detail.with_style(Style::Coloured);
    let coloured = report::text_with(&report, &command(), coloured, None);
    assert!(!plain.contains('\u{1b}'));
    let headline = coloured.lines().next().unwrap();
    assert!(headline.starts_with("\u{1b}[1;31mparcae: ") && headline.ends_with("\u{1b}[0m"));
    assert!(coloured.contains("\u{1b}[33m── preempted ── [1]\u{1b}[0m"), "{coloured:?}");
    let mut stripped = String::new();
    for piece in coloured.split('\u{1b}') {
        let code = piece.find('m').filter(|_| piece.starts_with('[')).map_or(0, |at| at + 1);
        stripped.push_str(&piece[code..]);
    }
    assert_eq!(stripped, plain);
}

#[test]
fn a_report_is_the_same_with_any_number_of_threads() {
    let reports = |jobs, isolation| {
        let check = |name| check(name).jobs(jobs).isolation(isolation);
        [
            shown(&check("shared").run(programs::shared_lost_update)),
            shown(&check("locks").run(programs::opposite_locks)),
            shown(&check("ways").run(programs::fails_in_two_ways)),
            shown(&check("sums").run(programs::fails_for_large_sums)),
            shown(&check("fine").run(|| async {})),
        ]
    };
    let expected = reports(1, Isolation::Thread);
    assert_eq!(reports(4, Isolation::Thread), expected);
    assert_eq!(reports(3, Isolation::Reuse), expected);
}

#[test]
fn wall_times_can_be_left_out() {
    let report = check("kv::counter").run(programs::lost_update);
    let found = |detail| {
        let text = report::text_with(&report, &command(), detail, None);
        text.lines().find(|line| line.starts_with("  found")).unwrap().to_owned()
    };
    let without = found(Detail::default().with_times(false));
    let with = found(Detail::default());
    let time = with.strip_prefix(&without).unwrap();
    assert!(time.starts_with(", ") && time.ends_with('s'), "{with}");
}

// Helpers

fn check(name: &str) -> Check {
    Check::new(name).jobs(1)
}

fn command() -> ReplayCommand {
    ReplayCommand::from_prefix("cargo test -p kv counter")
}

/// Returns the report without wall times.
fn shown(report: &CheckReport) -> String {
    report::text_with(report, &command(), Detail::default().with_times(false), None)
}

#[track_caller]
fn expect_report(report: CheckReport, expected: &Expect) {
    expected.assert_eq(&without_token(&shown(&report)));
}

fn without_token(text: &str) -> String {
    let Some((before, rest)) = text.split_once("v1:") else { return text.to_owned() };
    let rest = rest.split_once(' ').map_or("", |(_, rest)| rest);
    format!("{before}TOKEN {rest}")
}

/// A folder for one test, removed in the end.
struct Folder {
    path: PathBuf,
}

impl Folder {
    fn new(name: &str) -> Self {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("report").join(name);
        drop(fs::remove_dir_all(&path));
        fs::create_dir_all(&path).unwrap();
        Self { path }
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        drop(fs::remove_dir_all(&self.path));
    }
}
