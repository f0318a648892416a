//! Stored worlds: what has failed is run first, and what passes is told of and pruned.

use std::fs;

use parcae::explore::ReplayToken;

use crate::process::Workplace;
use crate::{CLEAN, FAILING, USAGE};

/// Hunts until something is stored; returns the path of its file.
fn stored(here: &Workplace, scenario: &str) -> String {
    here.run(&["hunt", scenario]).with_code(FAILING);
    let files: Vec<String> = here.corpus().into_keys().collect();
    let name = files.iter().find(|name| name.starts_with(&format!("{scenario}-")));
    format!(".parcae/{}", name.expect("a file of the scenario"))
}

/// Changes the token in a file.
fn change(here: &Workplace, path: &str, change: impl FnOnce(&mut ReplayToken)) {
    let path = here.folder.join(path);
    let content = fs::read_to_string(&path).expect("a stored world is text");
    let mut token = ReplayToken::find_in(&content).expect("a stored world has a token");
    let old = token.to_string();
    change(&mut token);
    let changed = content.replace(&old, &token.to_string());
    fs::write(path, changed).expect("it can be written");
}

#[test]
fn what_has_failed_is_run_before_any_seed_by_the_next_hunt() {
    let here = Workplace::keeping("corpus_first");
    let path = stored(&here, "lost-update");
    let files = here.corpus();
    assert_eq!(files.len(), 1, "{files:?}");
    // In the default schedule no seed fails.
    let fifo = ["hunt", "lost-update", "--strategy", "fifo"];
    let ended = here.run(&fifo).with_code(FAILING);
    ended.says(&["it fails again, event for event", "a visit was lost", &path, "no seed was run"]);
    let report = here.hunt(&["lost-update", "--strategy", "fifo"]);
    assert_eq!(
        (&report["seeds_run"], &report["stored"][0]["standing"]),
        (&0.into(), &"fails".into())
    );
    assert_eq!(report["finding"]["failure_kind"], "panic");
    assert_eq!(here.corpus(), files, "it stays as it is");
    here.run(&["replay", &path]).with_code(FAILING);
    // Another program, another name.
    here.run(&["hunt", "lost-update", "--fixed"]).with_code(CLEAN);
    here.run(&["hunt", "lost-update", "--strategy", "fifo", "--corpus", "off"]).with_code(CLEAN);
}

#[test]
fn a_hunt_that_keeps_going_runs_the_seeds_behind_a_stored_world_too() {
    let here = Workplace::keeping("corpus_keep_going");
    stored(&here, "lost-update");
    let files = here.corpus();
    let arguments = ["lost-update", "--keep-going", "--seeds", "300", "--strategy", "random"];
    let report = here.hunt(&arguments);
    assert!(report["failing"].as_array().unwrap().len() > 1, "{report}");
    assert_eq!(report["stored"][0]["standing"], "fails");
    assert_eq!(here.corpus(), files, "that failure has its file");
}

#[test]
fn with_read_nothing_is_stored() {
    let here = Workplace::keeping("corpus_read");
    here.run(&["hunt", "lost-update", "--corpus", "read"]).with_code(FAILING);
    assert!(here.corpus().is_empty());
    here.run(&["hunt", "lost-update", "--corpus", "ci/worlds"]).with_code(FAILING);
    assert!(here.corpus().is_empty());
    assert_eq!(fs::read_dir(here.folder.join("ci/worlds")).unwrap().count(), 1);
}

#[test]
fn a_stale_world_is_told_of_and_its_failure_is_stored_anew_when_it_is_found() {
    let here = Workplace::keeping("corpus_stale");
    let path = stored(&here, "lost-update");
    let files = here.corpus();
    change(&here, &path, |token| token.world.overrides.clear());
    let ended = here.run(&["hunt", "lost-update", "--strategy", "fifo"]).with_code(CLEAN);
    ended.complains(&[&format!("{path} is stale: it passes now")]);
    here.run(&["hunt", "lost-update"]).with_code(FAILING);
    assert_eq!(here.corpus(), files);
}

#[test]
fn prune_removes_what_passes_and_says_what_it_did() {
    let here = Workplace::keeping("corpus_prune");
    let (stale, failing) = (stored(&here, "lost-update"), stored(&here, "pipeline-sentinel"));
    here.run(&["corpus", "list"]).with_code(CLEAN).says(&[&stale, &failing, "a visit was lost"]);
    change(&here, &stale, |token| {
        token.world.overrides = token
            .world
            .overrides
            .iter()
            .map(|(key, value)| {
                let mut key = *key;
                key.ordinal += 1_000;
                (key, *value)
            })
            .collect();
    });
    let unknown = here.folder.join(".parcae/other-0123456789abcdef.world");
    let content = fs::read_to_string(here.folder.join(&failing)).unwrap();
    let mut token = ReplayToken::find_in(&content).unwrap();
    let old = token.to_string();
    "other".clone_into(&mut token.name);
    let content = content.replace(&old, &token.to_string());
    fs::write(&unknown, content.replace("check     pipeline-sentinel", "check     other")).unwrap();
    fs::write(here.folder.join(".parcae/notes.md"), "ours").unwrap();

    let dry = here.run(&["corpus", "prune", "--dry-run"]).with_code(CLEAN);
    dry.says(&[&format!("would be removed: {stale}"), "1 would be removed, 2 kept"]);
    assert_eq!(here.corpus().len(), 4);
    let ended = here.run(&["corpus", "prune"]).with_code(CLEAN);
    ended.says(&[
        &format!("removed  {stale}: it passes now"),
        &format!("kept     {failing} fails as it did"),
        "there is no scenario `other` here",
        "1 removed, 2 kept",
    ]);
    assert_eq!(here.corpus().len(), 3);
}

#[test]
fn a_world_that_fails_otherwise_is_told_of_and_still_a_failure() {
    let here = Workplace::keeping("corpus_otherwise");
    let path = stored(&here, "lost-update");
    let content = fs::read_to_string(here.folder.join(&path)).unwrap();
    let mut token = ReplayToken::find_in(&content).unwrap();
    let old = token.to_string();
    // As if the program had been rewritten into another that fails, too.
    "pipeline-sentinel".clone_into(&mut token.name);
    let content = content.replace(&old, &token.to_string());
    let content = content.replace("check     lost-update", "check     pipeline-sentinel");
    let other = ".parcae/pipeline-sentinel-0123456789abcdef.world";
    fs::write(here.folder.join(other), content).unwrap();
    let ended = here.run(&["hunt", "pipeline-sentinel", "--seeds", "1"]).with_code(FAILING);
    ended
        .complains(&[other, "is stale: it fails otherwise now, as "])
        .says(&["otherwise than recorded"]);
    let ended = here.run(&["corpus", "prune"]).with_code(CLEAN);
    ended.says(&["0 removed, 2 kept", "it fails otherwise now"]);
}

#[test]
fn what_is_no_failing_world_is_named_with_what_would_be_right() {
    let here = Workplace::keeping("corpus_foreign");
    let path = stored(&here, "lost-update");
    let content = fs::read_to_string(here.folder.join(&path)).unwrap();
    let check = |content: &str, texts: &[&str]| {
        fs::write(here.folder.join(&path), content).unwrap();
        for arguments in [&["hunt", "lost-update"][..], &["corpus", "list"], &["corpus", "prune"]] {
            let ended = here.run(arguments).with_code(USAGE);
            ended.complains(&[&path]).complains(texts);
        }
        assert!(here.folder.join(&path).exists(), "it is not removed");
    };
    check("", &["begins with \"\"", "delete it"]);
    check("<<<<<<< HEAD\n", &["\"<<<<<<< HEAD\"", "restore the file from version control"]);
    check(&content.replacen("format 1", "format 2", 1), &["format 2", "reads format 1"]);
    check(&content.replacen("v1:", "v9:", 1), &["version 9"]);
    check(&content[..content.len() / 2], &[]);
    check(&format!("{content}>>>>>>> theirs\n"), &["\">>>>>>> theirs\""]);
    // The checks of other names are not disturbed.
    here.run(&["hunt", "lost-update", "--fixed", "--seeds", "10"]).with_code(CLEAN);
}

#[test]
fn the_folder_is_that_of_hunts_and_one_that_is_not_there_is_an_error() {
    let here = Workplace::keeping("corpus_folder");
    here.run(&["hunt", "lost-update", "--corpus", "./kept"]).with_code(FAILING);
    here.run(&["corpus", "list", "--folder", "./kept"]).says(&["lost-update: panic"]);
    here.run(&["corpus", "list", "--folder", "./gone"])
        .with_code(USAGE)
        .complains(&["--folder ./gone: there is no such folder"]);
    let listed = here.run(&["corpus", "list"]).with_code(CLEAN);
    listed.says(&["no failing worlds are stored in .parcae"]);
}
