//! `hunt` and `run`.

use std::fs;

use parcae::explore::ReplayToken;
use serde_json::Value;

use crate::process::{Ended, Workplace};
use crate::{CLEAN, FAILING, INFRASTRUCTURE, SCENARIOS, USAGE};

#[test]
fn every_scenario_is_found_within_its_seeds_made_small_and_replayed() {
    let here = Workplace::new("every_scenario");
    let list = here.run(&["list", "--format", "json"]);
    let list: Value = serde_json::from_str(&list.stdout).unwrap();
    for item in list["scenarios"].as_array().unwrap() {
        let name = item["name"].as_str().unwrap();
        let report = here.hunt(&[name, "--seeds", &item["seeds_until_found"].to_string()]);
        let finding = &report["finding"];
        assert_eq!(finding["failure_kind"], item["failure_kind"], "{name}");
        assert_eq!(finding["shrunk"]["is_minimal"], true, "{name}: {finding}");
        // That a fault happens, how long it lasts and whom it meets are three choices; and of two leaders one has to
        // be kept from hearing of the other.
        let most = match name {
            "early-acknowledgement" => 3,
            "two-leaders" => 8,
            _ => 2,
        };
        assert!(finding["shrunk"]["choices"].as_u64().unwrap() <= most, "{name}: {finding}");
        // In a new process, and so in one that has run nothing before.
        here.run(&["replay", finding["token"].as_str().unwrap()]).with_code(FAILING);
    }
}

#[test]
fn every_scenario_is_found_within_its_seeds_wherever_they_begin() {
    let here = Workplace::new("first_seeds");
    let list = here.run(&["list", "--format", "json"]);
    let list: Value = serde_json::from_str(&list.stdout).unwrap();
    for item in list["scenarios"].as_array().unwrap() {
        let name = item["name"].as_str().unwrap();
        let seeds = item["seeds_until_found"].to_string();
        for first in (0..20).map(|place| place * (u64::MAX / 20)) {
            let first_seed = first.to_string();
            let report =
                here.hunt(&[name, "--no-shrink", "--seed", &first_seed, "--seeds", &seeds]);
            assert!(report["finding"]["shrunk"].is_null(), "{report}");
            let kind = &report["finding"]["failure_kind"];
            assert_eq!(*kind, item["failure_kind"], "{name} from seed {first}: {report}");
        }
    }
}

#[test]
#[cfg(target_os = "linux")]
fn a_hunt_with_a_process_for_each_run_finds_the_same() {
    let here = Workplace::new("isolation");
    let [threads, processes] = ["thread", "fork"].map(|isolation| {
        let report =
            here.hunt(&["check-then-act", "--isolation", isolation, "--strategy", "portfolio"]);
        let finding = &report["finding"];
        (finding["seed"].clone(), finding["token"].clone(), finding["shrunk"]["runs"].clone())
    });
    assert_eq!(threads, processes);
    here.run(&["hunt", "lost-update", "--isolation", "jail"])
        .with_code(USAGE)
        .complains(&["is not an isolation: expected one of `thread`, `reuse`, `fork`"]);
}

#[test]
fn an_orphan_and_those_without_a_sentinel_are_named() {
    let here = Workplace::new("named_waits");
    let check = |scenario: &str, failure: &[&str]| {
        here.run(&["hunt", scenario]).with_code(FAILING).says(failure);
    };
    check("pipeline-orphan", &["failed: leak", "`consumer` waits for Queue get of `amounts`"]);
    check("one-sentinel", &["failed: deadlock", "`consumer-2` waits for Queue get of `pages`"]);
}

#[test]
fn a_cycle_of_asks_is_named_from_its_first_actor_to_the_same() {
    let here = Workplace::new("named_cycle");
    here.run(&["hunt", "ask-cycle"]).with_code(FAILING).says(&[
        "failed: deadlock: actors wait for each other's answers",
        "ask_cycle.rs:61",
        "ask_cycle.rs:89",
        "cycle: `stock` -> `shop` (MayWait ask of `shop`) -> `stock` (SetAside ask of `stock`)",
    ]);
}

#[test]
fn a_finding_is_printed_and_saved_with_its_token() {
    let here = Workplace::new("finding");
    let ended = here.run(&["hunt", "lost-update"]).with_code(FAILING);
    assert!(!ended.stdout.contains('\u{1b}'), "colour, but no terminal: {ended:?}");
    assert_eq!(ended.stderr, "", "a progress bar, but no terminal");
    let printed = ReplayToken::find_in(&ended.stdout).unwrap();
    let reports: Vec<_> = fs::read_dir(here.folder.join("target/parcae")).unwrap().collect();
    let [Ok(report)] = reports.as_slice() else { panic!("one report: {reports:?}") };
    let saved = fs::read_to_string(report.path()).unwrap();
    assert_eq!(ReplayToken::find_in(&saved).unwrap(), printed);
    let path = format!("target/parcae/{}", report.file_name().to_str().unwrap());
    ended.says(&["replay", &path]);
    here.run(&["replay", &path]).with_code(FAILING);
    here.run(&["replay", &format!("@{path}")]).with_code(FAILING);
    assert_eq!(here.hunt(&["lost-update"])["report"], path.as_str());
}

#[test]
fn the_printed_replay_line_works_as_it_is() {
    let here = Workplace::new("replay_line");
    let ended = here.run(&["hunt", "check-then-act"]).with_code(FAILING);
    let line = ended.stdout.lines().find(|line| line.contains(" replay v1:")).unwrap();
    let (_, line) = line.trim().split_once(char::is_whitespace).unwrap();
    let arguments: Vec<&str> = line.split_whitespace().collect();
    assert_eq!(arguments[..2], [env!("CARGO_BIN_EXE_parcae"), "replay"]);
    here.run(&arguments[1..]).with_code(FAILING);
}

#[test]
fn repaired_twins_are_clean() {
    let here = Workplace::new("twins");
    for name in SCENARIOS {
        let ended = here.run(&["hunt", name, "--fixed", "--seeds", "300"]).with_code(CLEAN);
        ended.says(&[&format!("{name}-fixed"), "300 seeds"]);
    }
    assert!(!here.folder.join("target").exists(), "nothing is saved where nothing was found");
}

#[test]
fn the_number_of_threads_does_not_change_the_report() {
    let here = Workplace::new("threads");
    for name in SCENARIOS {
        let report = |jobs| without_wall_times(here.hunt(&[name, "--jobs", jobs]));
        assert_eq!(report("1"), report("2"), "{name}");
        let text = |jobs| {
            let ended = here.run(&["hunt", name, "--no-shrink", "--jobs", jobs]);
            let lines = ended.stdout.lines().map(str::to_owned);
            // These two hold wall times; the JSON report has the rest of what they say.
            lines
                .filter(|line| !line.starts_with("  found") && !line.starts_with("  shrunk"))
                .collect::<Vec<String>>()
        };
        assert_eq!(text("1"), text("2"), "{name}");
    }
}

#[test]
fn a_report_that_cannot_be_saved_is_printed_all_the_same() {
    let here = Workplace::new("not_saved");
    fs::write(here.folder.join("target"), "a file where the folder should be").unwrap();
    let ended = here.run(&["hunt", "lost-update"]).with_code(INFRASTRUCTURE);
    let ended = ended.says(&["a visit was lost"]).complains(&["error: ", "target/parcae"]);
    assert!(ReplayToken::find_in(&ended.stdout).is_ok());
}

#[test]
fn a_time_limit_ends_a_hunt_early_and_says_so() {
    let here = Workplace::new("time_limit");
    let arguments = ["lost-update", "--fixed", "--seeds", "1000000000", "--time-limit", "200ms"];
    let report = here.hunt(&arguments);
    assert_eq!(report["stop"], "time limit");
    assert_eq!(report["finding"], Value::Null);
    let mut text = vec!["hunt"];
    text.extend(arguments);
    here.run(&text).with_code(CLEAN).says(&["the time limit"]);
}

#[test]
fn the_first_seed_can_be_decimal_hexadecimal_or_a_git_hash() {
    let here = Workplace::new("first_seed");
    for (text, seed) in
        [("17", "17"), ("0x11", "17"), ("00000000000000110000000000000000deadbeef", "17")]
    {
        let report = here.hunt(&["pipeline-sentinel", "--seed", text]);
        assert_eq!(report["finding"]["seed"], seed, "{text}");
    }
}

#[test]
fn one_seed_gives_one_chain_and_other_seeds_others() {
    let here = Workplace::new("one_seed");
    let run = |seed| here.run(&["run", "lost-update", "--fixed", "--seed", seed]).with_code(CLEAN);
    let chain = |ended: Ended| {
        let (_, chain) = ended.stdout.split_once("chain 0x").expect("the chain in hexadecimal");
        chain.trim().to_owned()
    };
    assert_eq!(chain(run("7")), chain(run("7")));
    assert_ne!(chain(run("7")), chain(run("8")));
    run("7").says(&["passes", "events", "steps", "virtual time"]);
}

#[test]
fn a_failing_run_says_how_to_make_it_small() {
    let here = Workplace::new("failing_run");
    let found = here.hunt(&["lost-update"]);
    let seed = found["finding"]["seed"].as_str().unwrap();
    let ended = here.run(&["run", "lost-update", "--seed", seed]).with_code(FAILING);
    let again = format!("hunt lost-update --seed {seed} --seeds 1");
    ended.says(&["a visit was lost", &again]);
    let arguments: Vec<&str> = again.split(' ').collect();
    here.run(&arguments).with_code(FAILING);
    let fifo = ["run", "lost-update", "--seed", seed, "--strategy", "fifo"];
    here.run(&fifo).with_code(CLEAN).says(&["(fifo)"]);
}

#[test]
fn trace_shows_what_the_tasks_do_and_changes_nothing() {
    let here = Workplace::new("trace");
    let plain = here.run(&["run", "cancel-leak", "--seed", "0"]);
    let info = here.run(&["run", "cancel-leak", "--seed", "0", "--trace=info"]);
    let debug = here.run(&["run", "cancel-leak", "--seed", "0", "--trace"]);
    assert_eq!(info.code, plain.code);
    assert!(info.stdout.ends_with(&plain.stdout), "{info:?}");
    assert!(debug.stdout.ends_with(&plain.stdout), "{debug:?}");
    info.says(&["INFO task{name=client-1}"]);
}

fn without_wall_times(mut report: Value) -> Value {
    report["wall_seconds"] = Value::Null;
    report["finding"]["shrunk"]["wall_seconds"] = Value::Null;
    report
}

#[test]
fn the_last_seed_of_all_can_be_hunted() {
    let last = u64::MAX.to_string();
    let here = Workplace::new("last_seed");
    let report = here.hunt(&["pipeline-sentinel", "--seed", &last, "--seeds", "1"]);
    assert_eq!(report["finding"]["seed"], last.as_str());
}
