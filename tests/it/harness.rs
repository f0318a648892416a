//! The environment variables that a test obeys, seen from outside: the test binary runs itself.

use std::process::Command;

/// Runs one test of this binary in a new process with some variables; returns whether it passed,
/// and what it printed.
pub(crate) fn run(test: &str, variables: &[(&str, &str)]) -> (bool, String) {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args([test, "--exact", "--nocapture", "--include-ignored"]);
    for name in ["SEED", "SEEDS", "REPLAY", "JOBS", "STRATEGY", "TIME_LIMIT", "TRACE", "PCAP"] {
        command.env_remove(format!("PARCAE_{name}"));
    }
    for name in ["SHARD", "BUILD", "EXPLAIN"] {
        command.env_remove(format!("PARCAE_{name}"));
    }
    // What one test finds must not be what another one runs.
    command.env("PARCAE_CORPUS", "off");
    let output = command.envs(variables.iter().copied()).output().unwrap();
    let text = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8(text).unwrap())
}

const PASSING: &str = "attribute::without_options";
const FAILING: &str = "attribute::that_fails_with_the_report";
const TRACED: &str = "attribute::that_traces_and_fails";

/// The text of the replay line of a failing test.
pub(crate) fn token_of(test: &str) -> String {
    let (_, text) = run(test, &[]);
    let start = text.find("PARCAE_REPLAY=").expect("a replay line") + "PARCAE_REPLAY=".len();
    text[start..].split_whitespace().next().unwrap().to_owned()
}

#[test]
fn what_cannot_be_read_fails_the_test_and_says_what_is_accepted() {
    let cases = [
        ("PARCAE_SEED", "seven", "PARCAE_SEED=\"seven\" cannot be read: expected a decimal number"),
        ("PARCAE_SEEDS", "0", "PARCAE_SEEDS=\"0\" cannot be read: expected a number of seeds"),
        ("PARCAE_SEEDS", "9..3", "PARCAE_SEEDS=\"9..3\" cannot be read"),
        ("PARCAE_JOBS", "0", "expected a number of threads above 0"),
        ("PARCAE_STRATEGY", "best", "PARCAE_STRATEGY=\"best\" cannot be read: expected `random`"),
        ("PARCAE_ISOLATION", "jail", "PARCAE_ISOLATION=\"jail\" cannot be read: expected `thread`"),
        ("PARCAE_BUGGIFY", "80,101,5", "expected `off`, or three shares in percent such as"),
        ("PARCAE_TIME_LIMIT", "10", "expected a duration such as `500ms`, `30s` or `10m`"),
        (
            "PARCAE_EXPLAIN",
            "yes",
            "PARCAE_EXPLAIN=\"yes\" cannot be read: expected `on`, `off`, or the most runs",
        ),
        ("PARCAE_EXPLAIN", "0", "expected `on`, `off`, or the most runs"),
        ("PARCAE_TRACE", "loud", "expected `error`, `warn`, `info`, `debug` or `trace`"),
        (
            "PARCAE_SHARD",
            "5/4",
            "PARCAE_SHARD: \"5/4\" is not a shard: expected one of `1/4` to `4/4`",
        ),
        (
            "PARCAE_CORPUS",
            "prnue",
            "PARCAE_CORPUS=\"prnue\" cannot be read: expected `off`, `read`",
        ),
        ("PARCAE_REPLAY", "v1:AAAA", "the replay token is damaged"),
        ("PARCAE_REPLAY", "v7:AAAA", "the replay token is of version 7"),
        ("PARCAE_REPLAY", "@no/such/file", "PARCAE_REPLAY: cannot read no/such/file"),
    ];
    for (name, value, message) in cases {
        let (is_passed, text) = run(PASSING, &[(name, value)]);
        assert!(!is_passed && text.contains(message), "{name}={value}: {text}");
    }
}

#[test]
fn an_empty_variable_is_one_that_is_not_set() {
    let (is_passed, text) = run(PASSING, &[("PARCAE_SEED", ""), ("PARCAE_REPLAY", "")]);
    assert!(is_passed, "{text}");
}

#[test]
fn one_seed_runs_alone() {
    // No update is lost in the default schedule, whatever the seed.
    let variables = [("PARCAE_SEED", "0x11"), ("PARCAE_STRATEGY", "fifo")];
    let (is_passed, text) = run(FAILING, &variables);
    assert!(!is_passed && text.contains("test did not panic as expected"), "{text}");
}

#[test]
#[cfg(target_os = "linux")]
fn a_process_for_each_run_finds_the_same_failure() {
    let (is_passed, text) = run(FAILING, &[("PARCAE_ISOLATION", "fork")]);
    assert!(is_passed && text.contains("an update was lost"), "{text}");
    let token = |text: &str| {
        text.split("PARCAE_REPLAY=").nth(1).map(|rest| rest.split(' ').next().unwrap().to_owned())
    };
    assert_eq!(token(&text), Some(token_of(FAILING)));
    let replay = [("PARCAE_ISOLATION", "fork"), ("PARCAE_REPLAY", &token_of(FAILING))];
    let (is_passed, text) = run(FAILING, &replay);
    assert!(is_passed && text.contains("an update was lost"), "{text}");
}

#[test]
fn the_replay_line_replays_in_a_new_process() {
    let token = token_of(FAILING);
    let (is_passed, text) = run(FAILING, &[("PARCAE_REPLAY", &token)]);
    // It should panic, and does.
    assert!(is_passed && text.contains("an update was lost"), "{text}");
}

#[test]
fn a_token_of_another_test_is_refused_by_name() {
    let token = token_of(FAILING);
    let (is_passed, text) = run(PASSING, &[("PARCAE_REPLAY", &token)]);
    let message = "the replay token is of `it::attribute::that_fails_with_the_report` and cannot be \
                   replayed by `it::attribute::without_options`";
    assert!(!is_passed && text.contains(message), "{text}");
}

#[test]
fn a_check_without_a_name_leaves_tokens_of_tests_alone() {
    let token = token_of(FAILING);
    let (is_passed, text) = run("attribute::a_check_as_a_call", &[("PARCAE_REPLAY", &token)]);
    assert!(is_passed, "{text}");
}

#[test]
fn a_failure_is_explained_where_that_is_asked_for() {
    let sections = ["  why      in ", "this first: ", "  likely   ", "  past     "];
    let hint = "the same line with PARCAE_EXPLAIN=on in front says why";
    let (_, text) = run(FAILING, &[("PARCAE_EXPLAIN", "off")]);
    assert!(text.contains(hint) && !sections.iter().any(|it| text.contains(it)), "{text}");
    let token = token_of(FAILING);
    for variables in [
        &[("PARCAE_EXPLAIN", "on")][..],
        &[("PARCAE_EXPLAIN", "on"), ("PARCAE_REPLAY", token.as_str())],
    ] {
        let (is_passed, text) = run(FAILING, variables);
        // It should panic, and does.
        assert!(is_passed && sections.iter().all(|it| text.contains(it)), "{text}");
        assert!(!text.contains(hint), "{text}");
    }
    let (_, text) = run(FAILING, &[("PARCAE_EXPLAIN", "10")]);
    assert!(text.contains("the budget of runs was used up"), "{text}");
}

#[test]
fn a_trace_is_printed_for_the_replayed_world_only() {
    let (_, quiet) = run(TRACED, &[("PARCAE_TRACE", "debug")]);
    assert!(!quiet.contains("the cup is empty"), "{quiet}");
    let token = token_of(TRACED);
    let variables = [("PARCAE_REPLAY", token.as_str()), ("PARCAE_TRACE", "debug")];
    let (_, text) = run(TRACED, &variables);
    let line = text.lines().find(|line| line.contains("the cup is empty")).expect(&text);
    assert!(line.contains("0.250 s") && line.contains("task{name=main}"), "{line}");
    assert!(line.contains("cups=3"), "{line}");
    let louder = [("PARCAE_REPLAY", token.as_str()), ("PARCAE_TRACE", "info")];
    assert!(!run(TRACED, &louder).1.contains("the cup is empty"), "debug is below info");
}
