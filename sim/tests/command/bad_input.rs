//! What bad input gets: the text that was wrong, what is accepted, and exit code 2.

use std::fs;

use parcae::explore::ReplayToken;

use crate::USAGE;
use crate::process::Workplace;

#[test]
fn what_cannot_be_read_is_shown_with_what_is_accepted() {
    let here = Workplace::new("bad_input");
    let check = |arguments: &[&str], texts: &[&str]| {
        here.run(arguments).with_code(USAGE).complains(texts);
    };
    check(
        &["hunt", "lost-updat"],
        &["\"lost-updat\"", "did you mean `lost-update`", "parcae list"],
    );
    check(&["hunt", "worker-pool"], &["`worker-pool-join`"]);
    check(&["hunt", "zzz"], &["\"zzz\"", "`parcae list`"]);
    check(&["hunt"], &["<NAME>"]);
    check(&["hnut"], &["'hnut'", "hunt"]);
    check(&["run", "lost-update"], &["--seed"]);
    check(&["run", "lost-update", "--seed", "seven"], &["\"seven\"", "decimal", "git hash"]);
    check(&["hunt", "lost-update", "--seed", "-1"], &["-1"]);
    check(&["hunt", "lost-update", "--seeds", "0"], &["'0'", "--seeds"]);
    check(&["hunt", "lost-update", "--seeds", "many"], &["'many'", "--seeds"]);
    check(&["hunt", "lost-update", "--jobs", "0"], &["'0'", "from 1"]);
    check(&["hunt", "lost-update", "--strategy", "fair"], &["\"fair\"", "`random`, `fifo`"]);
    check(&["hunt", "lost-update", "--time-limit", "soon"], &["'soon'", "`30s`"]);
    check(&["hunt", "lost-update", "--time-limit", "30"], &["'30'", "`30s`"]);
    check(&["hunt", "lost-update", "--format", "xml"], &["'xml'", "text, json"]);
    check(&["run", "lost-update", "--seed", "1", "--trace=loud"], &["'loud'", "`debug`"]);
    let last = u64::MAX.to_string();
    check(&["hunt", "lost-update", "--seed", &last], &[&last, "no more than 1"]);
}

#[test]
fn tokens_that_are_none_of_ours_are_told_apart() {
    let here = Workplace::new("bad_tokens");
    let token = here.token("lost-update");
    let check = |argument: &str, texts: &[&str]| {
        here.run(&["replay", argument]).with_code(USAGE).complains(texts);
    };
    check(&token[..token.len() - 3], &["damaged"]);
    let flipped = if token.as_bytes()[30] == b'A' { "B" } else { "A" };
    check(&format!("{}{flipped}{}", &token[..30], &token[31..]), &["damaged"]);
    check("v1:", &["damaged"]);
    check("v1:///", &["damaged"]);
    check(&token.replacen("v1:", "v9:", 1), &["version 9", "version 1"]);
    check("nothing", &["nothing", "v1:", "file"]);
    check("@nothing.txt", &["nothing.txt"]);
    let mut other: ReplayToken = token.parse().unwrap();
    "lost-uptade".clone_into(&mut other.name);
    check(&other.to_string(), &["\"lost-uptade\"", "did you mean `lost-update`"]);
}

#[test]
fn files_without_a_token_are_told_apart() {
    let here = Workplace::new("bad_files");
    let check = |content: &[u8], texts: &[&str]| {
        fs::write(here.folder.join("report.txt"), content).unwrap();
        here.run(&["replay", "report.txt"]).with_code(USAGE).complains(texts);
    };
    check(b"", &["report.txt", "not a replay token"]);
    check(b"no token here", &["report.txt", "not a replay token"]);
    check(b"token v1:AAAA", &["report.txt", "damaged"]);
    check(b"\xff\xfe", &["report.txt"]);
    let folder = here.run(&["replay", "."]).with_code(USAGE);
    folder.complains(&["neither a replay token", "nor a file"]);
}
