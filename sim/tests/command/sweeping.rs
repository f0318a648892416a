//! Hunts in shards, their lines of JSON, and `merge`.

use std::collections::BTreeSet;
use std::fs;
use std::process::Command;

use serde_json::Value;

use crate::process::{Ended, LIMIT, Workplace, end};
use crate::{CLEAN, FAILING, INFRASTRUCTURE, USAGE};

/// Runs the command with some variables.
fn run_with(here: &Workplace, variables: &[(&str, &str)], arguments: &[&str]) -> Ended {
    let mut program = Command::new("env");
    program.args(variables.iter().map(|(name, value)| format!("{name}={value}")));
    program.arg(env!("CARGO_BIN_EXE_parcae"));
    end(here.begin_as(&mut program, arguments), LIMIT)
}

/// Hunts one shard and keeps its lines in a file.
fn shard(here: &Workplace, hunt: &[&str], shard: &str, file: &str) -> Ended {
    let mut arguments = vec!["hunt", "--format", "jsonl", "--shard", shard];
    arguments.extend(hunt);
    let ended = here.run(&arguments);
    fs::write(here.folder.join(file), &ended.stdout).expect("it can be written");
    ended
}

fn lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).expect(line)).collect()
}

/// The failing seeds that lines of JSON hold.
fn failing(text: &str) -> BTreeSet<(String, String)> {
    let lines = lines(text).into_iter().filter(|line| line["line"] == "failing");
    lines.map(|line| failing_of(&line)).collect()
}

fn failing_of(item: &Value) -> (String, String) {
    let text = |field: &str| item[field].as_str().expect("a text").to_owned();
    (text("seed"), text("signature"))
}

#[test]
fn four_shards_merged_in_any_order_find_and_store_what_one_hunt_does() {
    // Two kinds of failure; races, under strategies with pilots.
    for (place, hunt) in [
        &["retries-everything", "--keep-going", "--seeds", "50", "--strategy", "random"][..],
        &["lost-update", "--keep-going", "--seeds", "60", "--seed", "1000", "--strategy", "pos"],
        &["check-then-act", "--keep-going", "--seeds", "41", "--strategy", "portfolio"],
    ]
    .into_iter()
    .enumerate()
    {
        let mut expected = None;
        for jobs in ["1", "2"] {
            let here = Workplace::keeping(&format!("whole_{place}_{jobs}"));
            let mut arguments = hunt.to_vec();
            arguments.extend(["--jobs", jobs]);
            let report = here.hunt(&arguments);
            let found = report["failing"].as_array().unwrap();
            let found: BTreeSet<_> = found.iter().map(failing_of).collect();
            assert!(found.len() > 3, "{report}");
            let whole = (found, here.corpus());
            assert!(!whole.1.is_empty());
            assert_eq!(*expected.get_or_insert(whole.clone()), whole, "{hunt:?}, {jobs} jobs");
        }
        let (found, corpus) = expected.expect("it was hunted");

        let here = Workplace::keeping(&format!("shards_{place}"));
        for number in ["1", "2", "3", "4"] {
            let mut arguments = hunt.to_vec();
            arguments.extend(["--jobs", if number < "3" { "1" } else { "2" }]);
            shard(&here, &arguments, &format!("{number}/4"), &format!("{number}.jsonl"));
        }
        assert!(here.corpus().is_empty(), "a shard leaves it to the merge");
        let mut merged = None;
        for order in ["1234", "4321", "2413", "34124", "1122334411"] {
            drop(fs::remove_dir_all(here.folder.join(".parcae")));
            let files: Vec<String> =
                order.chars().map(|number| format!("{number}.jsonl")).collect();
            let mut arguments = vec!["merge", "--format", "jsonl"];
            arguments.extend(files.iter().map(String::as_str));
            let ended = here.run(&arguments).with_code(FAILING);
            assert_eq!(failing(&ended.stdout), found, "{hunt:?} {order}");
            assert_eq!(here.corpus(), corpus, "{hunt:?} {order}");
            assert_eq!(*merged.get_or_insert(ended.stdout.clone()), ended.stdout, "{order}");
        }
        // A merge of merges is the merge of all.
        for (name, files) in [("a", ["1.jsonl", "2.jsonl"]), ("b", ["4.jsonl", "3.jsonl"])] {
            let arguments = ["merge", "--corpus", "off", "--format", "jsonl", files[0], files[1]];
            fs::write(here.folder.join(name), here.run(&arguments).stdout).unwrap();
        }
        let again = here.run(&["merge", "--format", "jsonl", "b", "a", "b"]).with_code(FAILING);
        assert_eq!(again.stdout, merged.expect("it was merged"));
        let text = here.run(&["merge", "a", "b"]).with_code(FAILING);
        text.says(&[&format!("{} failing runs", found.len()), "replay v1:"]);
    }
}

#[test]
fn a_merge_shows_what_all_shards_have_reached_together() {
    let here = Workplace::new("reached");
    let hunt = ["early-acknowledgement", "--fixed", "--seeds", "20", "--strategy", "random"];
    let report = here.hunt(&hunt);
    for number in ["1", "2", "3"] {
        let ended = shard(&here, &hunt, &format!("{number}/3"), &format!("{number}.jsonl"));
        let last = lines(&ended.with_code(CLEAN).stdout).pop().expect("the end");
        assert!(last["coverage"]["fault_kinds"].as_u64() > Some(3), "{last}");
        // The runs of twenty seeds are all different, so that the bound is exact.
        let of_shard = last["coverage"]["fault_kinds_fired"].as_u64();
        assert!(of_shard <= report["coverage"]["fault_kinds_fired"].as_u64(), "{last}");
    }
    let count = |field: &str| report["coverage"][field].as_u64().expect("a number");
    let faults = format!(
        "kinds of faults: {} of {} met something",
        count("fault_kinds_fired"),
        count("fault_kinds")
    );
    let runs = format!("  coverage at most {} distinct runs", count("distinct_runs"));
    here.run(&["merge", "2.jsonl", "1.jsonl", "3.jsonl"]).with_code(CLEAN).says(&[&runs, &faults]);
    // Each kind is counted once, however many shards have seen it, and a file that is named twice adds nothing.
    let twice = ["merge", "1.jsonl", "1.jsonl", "2.jsonl", "3.jsonl"];
    here.run(&twice).with_code(CLEAN).says(&[&runs, &faults]);
}

#[test]
fn lines_say_what_is_hunted_how_far_it_is_and_how_it_ended() {
    let here = Workplace::new("jsonl");
    let hunt = ["hunt", "retries-everything", "--keep-going", "--seeds", "40", "--format", "jsonl"];
    let ended = here.run(&hunt).with_code(FAILING);
    let lines = lines(&ended.stdout);
    let first = &lines[0];
    assert_eq!((&first["line"], &first["format"]), (&"begin".into(), &1.into()));
    assert_eq!((&first["first_seed"], &first["shard"]), (&"0".into(), &"1/1".into()));
    assert_eq!(first["check"], "retries-everything");
    assert_eq!(first["build"].as_str().unwrap().len(), 16, "{first}");
    let last = lines.last().unwrap();
    assert_eq!((&last["line"], &last["seeds_run"]), (&"end".into(), &40.into()));
    assert!(last["coverage"]["distinct_runs"].as_u64().unwrap() > 3, "{last}");
    let findings: Vec<_> = lines.iter().filter(|line| line["line"] == "finding").collect();
    assert_eq!(findings.len(), 2);
    assert!(findings.iter().all(|finding| finding["token"].is_string()));

    let endless = ["lost-update", "--fixed", "--seeds", "1000000000", "--time-limit", "1s"];
    let mut arguments = vec!["hunt", "--format", "jsonl", "--heartbeat", "1ms"];
    arguments.extend(endless);
    let ended = here.run(&arguments).with_code(CLEAN);
    let lines = self::lines(&ended.stdout);
    let beats: Vec<u64> = lines
        .iter()
        .filter(|line| line["line"] == "heartbeat")
        .map(|line| line["seeds_done"].as_u64().unwrap())
        .collect();
    assert!(beats.len() > 2 && beats.is_sorted() && beats[0] < *beats.last().unwrap(), "{beats:?}");
    assert_eq!(lines.last().unwrap()["stop"], "time limit");

    // Without `--keep-going` the first failing seed is the only one.
    let ended = here.run(&["hunt", "lost-update", "--format", "jsonl"]).with_code(FAILING);
    assert_eq!(failing(&ended.stdout).len(), 1);
}

#[test]
fn a_shard_that_is_missing_or_was_killed_is_said_and_what_it_printed_counts() {
    let here = Workplace::new("missing");
    let hunt = ["lost-update", "--fixed", "--seeds", "40"];
    for number in ["1", "2", "3"] {
        shard(&here, &hunt, &format!("{number}/3"), &format!("{number}.jsonl")).with_code(CLEAN);
    }
    let all = here.run(&["merge", "1.jsonl", "2.jsonl", "3.jsonl"]).with_code(CLEAN);
    all.says(&["lost-update-fixed: no failure in 40 of 40 seeds"]);
    let two = here.run(&["merge", "1.jsonl", "3.jsonl"]).with_code(INFRASTRUCTURE);
    two.says(&["in 27 of 40 seeds, not complete", "missing  shard 2/3 of 40 seeds from 0 on"]);

    let hunt = ["retries-everything", "--keep-going", "--seeds", "40", "--strategy", "random"];
    let whole = shard(&here, &hunt, "1/1", "whole.jsonl").with_code(FAILING).stdout;
    let found = failing(&whole);
    // Killed within a line, some way into its failing seeds.
    let cut = whole.match_indices("\"failing\"").nth(4).unwrap().0;
    fs::write(here.folder.join("killed.jsonl"), &whole[..cut + 12]).unwrap();
    let merge = ["merge", "--corpus", "off", "--format", "jsonl", "killed.jsonl"];
    let killed = here.run(&merge).with_code(FAILING);
    assert_eq!(failing(&killed.stdout).len(), 4);
    let text = here.run(&["merge", "--corpus", "off", "killed.jsonl"]).with_code(FAILING);
    text.says(&["missing  shard 1/1 of 40 seeds from 0 on has not ended: 4 run"]);
    // Started again it is whole, whichever file comes first.
    for files in [["killed.jsonl", "whole.jsonl"], ["whole.jsonl", "killed.jsonl"]] {
        let merge = ["merge", "--corpus", "off", "--format", "jsonl", files[0], files[1]];
        let ended = here.run(&merge).with_code(FAILING);
        assert_eq!(failing(&ended.stdout), found);
    }
}

#[test]
fn results_of_other_builds_checks_and_strategies_are_refused() {
    let here = Workplace::new("refused");
    let hunt = |file: &str, variables: &[(&str, &str)], arguments: &[&str]| {
        let mut all = vec!["hunt", "--seeds", "20", "--format", "jsonl"];
        all.extend(arguments);
        let ended = run_with(&here, variables, &all);
        fs::write(here.folder.join(file), ended.stdout).unwrap();
    };
    hunt("a", &[], &["lost-update", "--fixed"]);
    hunt("build", &[("PARCAE_BUILD", "c0ffee")], &["lost-update", "--fixed"]);
    hunt("check", &[], &["check-then-act", "--fixed"]);
    hunt("strategy", &[], &["lost-update", "--fixed", "--strategy", "delay"]);
    let refused = |file: &str, texts: &[&str]| {
        for files in [["a", file], [file, "a"]] {
            let ended = here.run(&["merge", files[0], files[1]]).with_code(USAGE);
            ended.complains(&["do not belong together", files[0], files[1]]).complains(texts);
        }
    };
    refused("build", &["the build of one is", "c0ffee", "PARCAE_BUILD"]);
    refused("check", &["the check of one is", "lost-update-fixed", "check-then-act-fixed"]);
    refused("strategy", &["the strategy of one is", "delay"]);
    // Other seeds of the same hunt belong to it.
    hunt("more", &[], &["lost-update", "--fixed", "--seed", "20"]);
    here.run(&["merge", "a", "more"]).with_code(CLEAN).says(&["no failure in 40 of 40 seeds"]);
}

#[test]
fn what_are_no_results_is_named_with_the_line() {
    let here = Workplace::new("no_results");
    let hunt = ["hunt", "lost-update", "--fixed", "--seeds", "5", "--format", "jsonl"];
    let good = here.run(&hunt).with_code(CLEAN).stdout;
    let check = |content: &str, texts: &[&str]| {
        fs::write(here.folder.join("x.jsonl"), content).unwrap();
        here.run(&["merge", "x.jsonl"]).with_code(USAGE).complains(texts);
    };
    check("", &["x.jsonl is empty", "none of the files holds a result"]);
    check("hello\n", &["x.jsonl, line 1", "hunt --format jsonl"]);
    check(&format!("{good}{{\"line\":\"tea\"}}\n"), &["x.jsonl, line 3", "tea"]);
    let (_, rest) = good.split_once('\n').unwrap();
    check(rest, &["x.jsonl does not begin with a line of the type `begin`"]);
    check(&good.replacen("\"format\":1", "\"format\":2", 1), &["format 2", "reads format 1"]);
    check(&good.replacen("1/1", "2/1", 1), &["x.jsonl", "`shard`"]);
    here.run(&["merge", "nowhere.jsonl"]).with_code(USAGE).complains(&["nowhere.jsonl"]);
    here.run(&["merge"]).with_code(USAGE).complains(&["<FILE>"]);
}

#[test]
fn a_shard_is_given_or_taken_from_who_starts_the_hunt() {
    let here = Workplace::new("shard");
    let first = ["hunt", "lost-update", "--fixed", "--seeds", "40", "--format", "json"];
    let check = |variables: &[(&str, &str)], arguments: &[&str], shard: &str, seeds: u64| {
        let mut all = first.to_vec();
        all.extend(arguments);
        let ended = run_with(&here, variables, &all).with_code(CLEAN);
        let report: Value = serde_json::from_str(&ended.stdout).unwrap();
        assert_eq!((&report["shard"], &report["seeds_run"]), (&shard.into(), &seeds.into()));
    };
    check(&[], &[], "1/1", 40);
    check(&[], &["--shard", "3/4"], "3/4", 10);
    check(&[("PARCAE_SHARD", "2/3")], &[], "2/3", 13);
    // What is said on the command line wins, and is not looked for elsewhere.
    check(&[("PARCAE_SHARD", "nonsense")], &["--shard", "1/2"], "1/2", 20);
    let index = ("JOB_COMPLETION_INDEX", "7");
    check(&[index], &["--shard", "auto/8"], "8/8", 5);
    check(&[index, ("PARCAE_SHARD", "auto/8")], &[], "8/8", 5);
    check(&[index], &["--shard", "1/2"], "1/2", 20);
    check(&[index], &[], "1/1", 40);
    check(&[("CI_NODE_INDEX", "2"), ("CI_NODE_TOTAL", "2")], &["--shard", "auto"], "2/2", 20);
    // More shards than seeds: nothing to do, and nothing wrong.
    check(&[], &["--shard", "100/100"], "100/100", 0);

    let refused = |variables: &[(&str, &str)], arguments: &[&str], texts: &[&str]| {
        let mut all = first.to_vec();
        all.extend(arguments);
        run_with(&here, variables, &all).with_code(USAGE).complains(texts);
    };
    refused(&[], &["--shard", "0/4"], &["\"0/4\" is not a shard", "`1/4` to `4/4`"]);
    refused(&[], &["--shard", "half"], &["\"half\"", "`1/4`", "`auto`"]);
    refused(&[("PARCAE_SHARD", "5/4")], &[], &["PARCAE_SHARD: \"5/4\"", "`1/4` to `4/4`"]);
    refused(&[index], &["--shard", "auto"], &["JOB_COMPLETION_INDEX", "of how many", "`auto/4`"]);
}

#[test]
fn a_hunt_ends_when_nothing_is_new_whatever_the_number_of_threads() {
    let here = Workplace::new("nothing_new");
    let hunt = |jobs| {
        let arguments = ["retries-everything", "--fixed", "--seeds", "100000", "--jobs", jobs];
        let mut arguments = arguments.to_vec();
        arguments.extend(["--until-nothing-new", "100"]);
        here.hunt(&arguments)
    };
    let (one, two) = (hunt("1"), hunt("2"));
    assert_eq!(one["stop"], "nothing new");
    assert!(one["seeds_run"].as_u64().unwrap() < 100_000);
    assert_eq!((&one["seeds_run"], &one["coverage"]), (&two["seeds_run"], &two["coverage"]));
    let text =
        ["hunt", "lost-update", "--fixed", "--seeds", "100000", "--until-nothing-new", "100"];
    let ended = here.run(&text).with_code(CLEAN);
    ended.says(&["  coverage ", "distinct runs", "nothing new in the last 100 seeds"]);
}

#[test]
fn a_failing_seed_costs_nothing_of_the_others() {
    let here = Workplace::new("keep_going");
    let arguments = ["hunt", "retries-everything", "--keep-going", "--seeds", "50"];
    let ended = here.run(&arguments).with_code(FAILING);
    let ended = ended.says(&["failing runs of 2 kinds in 50 seeds:", "  coverage "]);
    assert_eq!(ended.stdout.matches(" replay v1:").count(), 2, "{ended:?}");
}

#[test]
fn a_hunt_that_a_stored_world_ends_says_so_on_its_lines_and_merge_does() {
    let here = Workplace::keeping("stored_lines");
    here.run(&["hunt", "lost-update"]).with_code(FAILING);
    let ended = here.run(&["hunt", "lost-update", "--format", "jsonl"]).with_code(FAILING);
    let last = lines(&ended.stdout).pop().expect("there are lines");
    assert_eq!((&last["line"], &last["stop"]), (&"end".into(), &"stored world".into()));
    fs::write(here.folder.join("1.jsonl"), &ended.stdout).unwrap();
    let merged = here.run(&["merge", "--corpus", "off", "1.jsonl"]).with_code(FAILING);
    merged.says(&["lost-update failed: a stored world fails; 0 of 1000 seeds were run"]);
    let json = here.hunt(&["lost-update", "--corpus", "read"]);
    assert_eq!((&json["stop"], &json["failing"]), (&"stored world".into(), &Value::Array(vec![])));
}
