//! `explain`.

use serde_json::Value;

use crate::process::Workplace;
use crate::{CLEAN, FAILING};

/// Hunts a scenario and returns why it fails.
fn explanation(here: &Workplace, name: &str) -> Value {
    let token = here.token(name);
    let ended = here.run(&["explain", &token, "--format", "json"]).with_code(FAILING);
    let value: Value = serde_json::from_str(&ended.stdout).expect("it is JSON");
    assert_eq!(value["verdict"], "reproduced");
    assert_eq!(value["name"], name);
    value["explanation"].clone()
}

/// All texts of a part of the explanation.
fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::String(text) => vec![text.clone()],
        Value::Array(values) => values.iter().flat_map(texts).collect(),
        Value::Object(fields) => fields.values().flat_map(texts).collect(),
        _ => Vec::new(),
    }
}

#[track_caller]
fn says(value: &Value, parts: &[&str]) {
    let texts = texts(value);
    for part in parts {
        assert!(texts.iter().any(|text| text.contains(part)), "{part:?} is not in {texts:#?}");
    }
}

// What the page of each scenario says is wrong, as the explanation says it.

#[test]
fn a_lost_update_is_explained_by_a_read_between_read_and_write() {
    let why = explanation(&Workplace::new("explain_update"), "lost-update");
    let choices = why["choices"].as_array().expect("they are listed");
    assert_eq!(choices.len(), 1);
    assert_eq!(choices[0]["without"], "passes");
    // "When another handler reads in between, both write the same number."
    says(&choices[0]["difference"]["failing"][0], &["is preempted before: write Shared `visits`"]);
    says(&why["nearest"]["difference"]["failing"], &["read Shared `visits`"]);
    says(&why["past"], &["`handler-1` reads 0", "`handler-2` reads 0"]);
    says(&why["likelihood"]["decided_at"], &["write Shared `visits`"]);
}

#[test]
fn a_leaked_connection_is_explained_by_a_handshake_that_takes_longer_than_the_patience() {
    let why = explanation(&Workplace::new("explain_leak"), "cancel-leak");
    let choice = &why["choices"][0];
    // "A client whose patience ends during the handshake drops the future of acquire." It waits for 90 ms.
    says(choice, &["handshake takes"]);
    assert_eq!(choice["without"], "passes");
    assert_eq!(choice["range"]["text"], "any value ≥ 91");
    // Without it the connection comes back.
    says(&choice["difference"]["other"], &["put Queue `free connections`"]);
}

#[test]
fn philosophers_are_explained_by_one_who_is_interrupted_between_two_forks() {
    let why = explanation(&Workplace::new("explain_forks"), "philosophers");
    let choice = &why["choices"][0];
    assert_eq!(choice["without"], "passes");
    says(&choice["difference"]["failing"][0], &["is preempted before: lock Mutex `fork"]);
    says(&why["likelihood"]["decided_at"], &["lock Mutex `fork"]);
    // All of them have a part in it.
    says(
        &why["past"],
        &["`philosopher-1` waits", "`philosopher-2` waits", "`philosopher-3` waits"],
    );
}

#[test]
fn a_lost_wakeup_is_explained_by_what_comes_between_test_and_wait() {
    let why = explanation(&Workplace::new("explain_wakeup"), "lost-wakeup");
    // "It notifies between test and wait: nobody hears."
    let choice = &why["choices"][0];
    assert_eq!(choice["without"], "passes");
    says(&choice["difference"]["failing"][0], &["preempted before: wait Event `became_ready`"]);
    says(&why["past"], &["read Shared `is_ready`", "waits: wait Event `became_ready`"]);
}

#[test]
fn half_a_transfer_is_explained_by_two_calls_that_are_too_slow_together() {
    let why = explanation(&Workplace::new("explain_transfer"), "half-transfer");
    // "The time-out falls between debit and credit."
    let choices = why["choices"].as_array().expect("they are listed");
    assert_eq!(choices.len(), 2);
    for choice in choices {
        assert_eq!(choice["without"], "passes");
        says(choice, &["call takes", "any value ≥"]);
        // Without it the credit comes, too.
        says(&choice["difference"]["other"], &["update Shared `tea shop`"]);
    }
    says(&why["past"], &["update Shared `customer`"]);
}

#[test]
fn what_crashes_a_ledger_is_named() {
    let why = explanation(&Workplace::new("explain_restart"), "lost-at-restart");
    let choice = &why["choices"][0];
    says(choice, &["bad entry"]);
    says(&choice["difference"]["failing"][0], &["is_bad: true"]);
    says(&choice["difference"]["other"][0], &["is_bad: false"]);
}

// The command

#[test]
fn an_explanation_is_the_same_for_any_number_of_threads_and_in_words() {
    let here = Workplace::new("explain_threads");
    let token = here.token("lost-update");
    let text = |jobs: &str| {
        let ended = here.run(&["explain", &token, "--jobs", jobs]).with_code(FAILING);
        ended.stdout
    };
    let one = text("1");
    assert_eq!(one, text("4"));
    for part in ["  why ", "  nearest ", "  likely ", "  past ", "without it the run passes"] {
        assert!(one.contains(part), "{part:?} is not in:\n{one}");
    }
}

#[test]
fn endings_are_left_out_and_the_budget_is_kept_where_that_is_asked_for() {
    let here = Workplace::new("explain_budget");
    let token = here.token("lost-update");
    let json = |arguments: &[&str]| {
        let all = [&["explain", token.as_str(), "--format", "json"], arguments].concat();
        let ended = here.run(&all).with_code(FAILING);
        let value: Value = serde_json::from_str(&ended.stdout).expect("it is JSON");
        value["explanation"].clone()
    };
    let without = json(&["--endings", "0"]);
    assert!(without["likelihood"].is_null());
    assert_eq!((&without["runs"], &without["is_cut"]), (&Value::from(1), &Value::from(false)));
    let poor = json(&["--runs", "0"]);
    assert_eq!((&poor["runs"], &poor["is_cut"]), (&Value::from(0), &Value::from(true)));
    assert_eq!(poor["choices"][0]["without"], "untried");
}

#[test]
fn what_does_not_fail_any_more_is_not_explained() {
    use parcae::explore::ReplayToken;

    let here = Workplace::new("explain_repaired");
    let mut token: ReplayToken = here.token("lost-update").parse().unwrap();
    token.world.overrides.clear();
    let token = token.to_string();
    let ended = here.run(&["explain", &token, "--format", "json"]).with_code(CLEAN);
    let value: Value = serde_json::from_str(&ended.stdout).expect("it is JSON");
    assert_eq!(value["verdict"], "passes");
    assert!(value["explanation"].is_null() && value["failure"].is_null());
}
