//! Help, lists and the page about the scenarios.

use std::fs;

use serde_json::Value;

use crate::process::Workplace;
use crate::{CLEAN, FAILING, SCENARIOS, USAGE};

#[test]
fn help_teaches_by_examples_and_lists_the_exit_codes() {
    let here = Workplace::new("help");
    here.run(&["--help"]).with_code(CLEAN).says(&[
        "parcae hunt lost-update",
        "parcae replay v1:...",
        "Exit codes:",
        "42  a seed fails",
        "NO_COLOR",
    ]);
    here.run(&["hunt", "--help"]).with_code(CLEAN).says(&[
        "Ctrl-C",
        "--time-limit",
        "target/parcae",
    ]);
    here.run(&["run", "--help"]).with_code(CLEAN).says(&["hash chain", "--trace"]);
    here.run(&["replay", "--help"]).with_code(CLEAN).says(&["--lenient", "TOKEN|FILE"]);
}

#[test]
fn no_arguments_show_the_help_and_are_a_usage_error() {
    Workplace::new("no_arguments").run(&[]).with_code(USAGE).complains(&["Usage:", "Examples:"]);
}

#[test]
fn the_list_names_each_scenario() {
    Workplace::new("list").run(&["list"]).with_code(CLEAN).says(&SCENARIOS);
}

#[test]
fn the_json_list_is_valid_and_complete() {
    let ended = Workplace::new("list_json").run(&["list", "--format", "json"]).with_code(CLEAN);
    let list: Value = serde_json::from_str(&ended.stdout).unwrap();
    let list = &list["scenarios"];
    let names: Vec<&str> =
        list.as_array().unwrap().iter().map(|item| item["name"].as_str().unwrap()).collect();
    assert_eq!(names, SCENARIOS);
    for item in list.as_array().unwrap() {
        for field in ["summary", "defect", "source", "failure_kind"] {
            assert!(item[field].as_str().is_some_and(|text| !text.is_empty()), "{field}: {item}");
        }
        assert!(item["seeds_until_found"].as_u64().is_some_and(|seeds| seeds <= 1000), "{item}");
    }
}

#[test]
fn the_page_about_scenarios_has_the_table_that_hunting_them_gives() {
    let here = Workplace::new("scenarios_page");
    let list = here.run(&["list", "--format", "json"]);
    let list: Value = serde_json::from_str(&list.stdout).unwrap();
    let row = |item: &Value| {
        let text = |field: &str| item[field].as_str().unwrap();
        let name = text("name");
        let finding = &here.hunt(&[name])["finding"];
        let seed = finding["seed"].as_str().unwrap();
        let (found, shrunk) = (&finding["found"]["choices"], &finding["shrunk"]["choices"]);
        let (defect, source, kind) = (text("defect"), text("source"), text("failure_kind"));
        let runs = &finding["shrunk"]["runs"];
        format!(
            "| `{name}` | {defect} | {source} | {kind} | {seed} | {found} | {shrunk} | {runs} | \
             `parcae hunt {name}` |\n"
        )
    };
    let table: String = list["scenarios"].as_array().unwrap().iter().map(row).collect();
    let page = fs::read_to_string(PAGE).unwrap();
    assert!(page.contains(&format!("|\n{table}\n")), "docs/SCENARIOS.md should have\n{table}");
}

#[test]
fn the_readme_shows_what_hunting_prints_and_its_token_replays() {
    let here = Workplace::new("readme");
    let readme = fs::read_to_string(README).unwrap();
    let report = here.run(&["hunt", "lost-update"]).with_code(FAILING).stdout;
    // Wall times, and how the command is called, are those of the machine.
    let of_machine = ["  found", "  shrunk", "  replay", "  report"];
    let is_shown = |line: &&str| !of_machine.iter().any(|start| line.starts_with(start));
    for line in report.lines().filter(is_shown) {
        assert!(readme.contains(line), "{line:?} is not in README.md, but in\n{report}");
    }
    let token = here.token("lost-update");
    assert!(readme.contains(&token), "README.md should show the token {token}");
    here.run(&["replay", &token]).with_code(FAILING);
}

const README: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../README.md");
const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/SCENARIOS.md");
