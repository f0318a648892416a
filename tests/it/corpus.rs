//! Failing worlds in files.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use parcae::Seed;
use parcae::corpus::{Corpus, CorpusError, FailingWorld, FormatError, Put, Standing};
use parcae::explore::{Check, ReplayToken, Strategy};
use parcae::kernel::{Key, Site, StreamId};

use crate::harness;
use crate::scenarios::{self, Noise};

async fn lost_update() {
    scenarios::lost_update(Noise::default()).await;
}

/// A folder that is removed with the value.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let name = format!("parcae-corpus-{name}-{}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        drop(fs::remove_dir_all(&folder));
        Self(folder)
    }

    fn corpus(&self) -> Corpus {
        Corpus::at(&self.0)
    }

    fn files(&self) -> BTreeMap<String, String> {
        let Ok(files) = fs::read_dir(&self.0) else { return BTreeMap::new() };
        let read = |file: fs::DirEntry| {
            let name = file.file_name().into_string().unwrap();
            (name, fs::read_to_string(file.path()).unwrap())
        };
        files.map(|file| read(file.unwrap())).collect()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        drop(fs::remove_dir_all(&self.0));
    }
}

fn check(name: &str) -> Check {
    Check::new(name).seeds(1_000).strategy(Strategy::Random)
}

fn token(name: &str) -> ReplayToken {
    let report = check(name).run(lost_update);
    report.finding().unwrap().token().unwrap().clone()
}

fn world(name: &str, seed: u64, build: &str) -> FailingWorld {
    let mut token = token(name);
    // Another world for each seed.
    token.world.seed = Seed::new(seed);
    let found_by = (Seed::new(seed), Strategy::Pos);
    FailingWorld::new(token, ("panic: a", "panic in `main`: a"), found_by, Vec::new(), build)
}

#[test]
fn a_world_is_read_as_it_was_written_whatever_its_texts_are() {
    let texts = [
        "",
        "a\nb",
        "\n\n a \r\n\tb\n\n  c \n",
        "token v1:AAAA",
        "\u{7}ä\u{1b}[31m",
        "          x",
    ];
    for text in texts {
        let found_by = (Seed::new(u64::MAX), Strategy::PctMix);
        let choices = vec![text.to_owned(), "one".to_owned(), "two\nlines".to_owned()];
        let world = FailingWorld::new(token("kv::a b"), (text, text), found_by, choices, text);
        let content = world.to_string();
        assert!(content.lines().all(|line| line.trim_end() == line), "{content:?}");
        assert_eq!(FailingWorld::parse(&content).as_ref(), Ok(&world), "{content}");
        // As a checkout on Windows has it.
        assert_eq!(FailingWorld::parse(&content.replace('\n', "\r\n")).as_ref(), Ok(&world));
        assert_eq!(ReplayToken::find_in(&content).as_ref(), Ok(&world.token), "`replay` takes it");
    }
}

#[test]
fn what_is_no_world_is_said_with_the_line_and_what_belongs_there() {
    let content = world("kv", 1, "b").to_string();
    let says = |content: &str, expected: &str| {
        let error = FailingWorld::parse(content).unwrap_err();
        assert!(error.to_string().contains(expected), "{error}, not {expected}");
    };
    says("", "begins with \"\" and not with \"parcae failing world, format 1\"");
    says("hello\n", "begins with \"hello\"");
    says(&content.replacen("format 1", "format 2", 1), "format 2, this parcae reads format 1");
    says(&format!("<<<<<<< HEAD\n{content}"), "begins with \"<<<<<<< HEAD\"");
    let lines: Vec<&str> = content.lines().collect();
    for (index, label) in
        ["token", "check", "signature", "failure", "seed", "strategy", "choices", "build"]
            .into_iter()
            .enumerate()
    {
        let cut = lines[..=index].join("\n");
        says(&cut, &format!("it ends before the line that begins with `{label}`"));
        let mut broken = lines.clone();
        broken[index + 1] = "=======";
        let number = index + 2;
        let expected =
            format!("line {number} is \"=======\", where one that begins with `{label}`");
        says(&broken.join("\n"), &expected);
    }
    says(&format!("{content}more"), "line 10 is \"more\", where the file should have ended");
    let token = lines[1];
    says(&content.replace(token, &token[..token.len() - 4]), "the replay token is damaged");
    says(
        &content.replace("check     kv", "check     other"),
        "its token is of `kv`, but the file says",
    );
    says(&content.replace("seed      1", "seed      x"), "its seed is \"x\"");
    says(&content.replace("strategy  pos", "strategy  best"), "its strategy is \"best\"");
}

#[test]
fn a_failure_has_one_file_and_the_lower_seed_of_a_build_stays_whoever_comes_first() {
    let worlds = [world("kv", 9, "b"), world("kv", 4, "b"), world("kv", 7, "b")];
    let mut contents = Vec::new();
    for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
        let folder = Folder::new("lower");
        for index in order {
            folder.corpus().put(&worlds[index]).unwrap();
        }
        contents.push(folder.files());
    }
    let expected = BTreeMap::from([(worlds[1].file_name(), worlds[1].to_string())]);
    assert!(contents.iter().all(|files| *files == expected), "{contents:?}");
}

#[test]
fn a_world_of_another_build_gives_way_unless_it_is_the_same() {
    let folder = Folder::new("builds");
    let corpus = folder.corpus();
    assert_eq!(corpus.put(&world("kv", 4, "old")).unwrap(), Put::New);
    assert_eq!(corpus.put(&world("kv", 4, "new")).unwrap(), Put::Kept);
    assert_eq!(corpus.put(&world("kv", 9, "new")).unwrap(), Put::Replaced);
    let stored = corpus.of_check("kv").unwrap();
    assert_eq!((stored.len(), stored[0].world.seed.get()), (1, 9));
}

#[test]
fn checks_whose_names_give_one_name_of_a_file_do_not_meet() {
    let folder = Folder::new("names");
    let corpus = folder.corpus();
    for name in ["kv::a", "kv-a", "kv", "kv-a-0123456789abcdef"] {
        assert_eq!(corpus.put(&world(name, 1, "b")).unwrap(), Put::New, "{name}");
    }
    for name in ["kv::a", "kv-a", "kv"] {
        let stored = corpus.of_check(name).unwrap();
        assert_eq!(stored.len(), 1, "{name}");
        assert_eq!(stored[0].world.check(), name);
    }
    assert_eq!(corpus.all().unwrap().len(), 4);
}

#[test]
fn a_file_that_is_damaged_is_named_for_its_check_and_for_no_other() {
    let folder = Folder::new("damaged");
    let corpus = folder.corpus();
    let damaged = world("kv", 1, "b");
    corpus.put(&damaged).unwrap();
    corpus.put(&world("log", 1, "b")).unwrap();
    let path = folder.0.join(damaged.file_name());
    fs::write(&path, "<<<<<<< ours\n").unwrap();
    fs::write(folder.0.join("README.md"), "what this folder is").unwrap();
    let error = corpus.of_check("kv").unwrap_err();
    assert!(matches!(&error, CorpusError::Format { problem: FormatError::Foreign { .. }, .. }));
    let text = error.to_string();
    assert!(text.contains(&path.display().to_string()), "{text}");
    assert!(text.contains("restore the file from version control, or delete it"), "{text}");
    // It is not written over either.
    assert!(corpus.put(&damaged).is_err());
    assert_eq!(fs::read_to_string(&path).unwrap(), "<<<<<<< ours\n");
    assert_eq!(corpus.of_check("log").unwrap().len(), 1);
    let all = corpus.all().unwrap();
    assert_eq!((all.len(), all.iter().filter(|it| it.is_err()).count()), (2, 1));
}

#[test]
fn many_that_write_at_once_leave_the_lowest_and_nobody_reads_a_half() {
    let folder = Folder::new("at_once");
    let corpus = folder.corpus();
    let worlds: Vec<FailingWorld> = (0..64).map(|seed| world("kv", seed, "b")).collect();
    std::thread::scope(|scope| {
        for part in 0..4 {
            let (corpus, worlds) = (&corpus, &worlds);
            scope.spawn(move || {
                for index in (0..16).rev() {
                    corpus.put(&worlds[index * 4 + part]).unwrap();
                }
            });
        }
        for _ in 0..200 {
            assert!(corpus.of_check("kv").unwrap().len() <= 1);
        }
    });
    let expected = BTreeMap::from([(worlds[0].file_name(), worlds[0].to_string())]);
    // Where folders cannot be locked, one of the worlds is there, and it is whole.
    if cfg!(target_os = "linux") {
        assert_eq!(folder.files(), expected);
    }
    assert_eq!(folder.files().len(), 1, "nothing temporary is left");
}

#[test]
fn what_has_become_of_a_world_is_said() {
    let folder = Folder::new("standing");
    let corpus = folder.corpus();
    let report = check("kv").run(lost_update);
    let mut world = FailingWorld::of(report.finding().unwrap(), "b").unwrap();
    corpus.put(&world).unwrap();
    let stored = corpus.of_check("kv").unwrap().remove(0);
    let path = stored.path.display();

    let replayed = stored.replay(&check("kv"), lost_update).unwrap();
    assert_eq!((replayed.standing(), replayed.stale()), (Standing::Fails, None));
    assert_eq!(replayed.signature().as_ref(), Some(&world.signature));

    let replayed = stored.replay(&check("kv"), scenarios::lost_update_fixed).unwrap();
    assert_eq!(replayed.standing(), Standing::Passes);
    assert!(replayed.stale().unwrap().starts_with(&format!("{path} is stale: it passes now")));

    let other = || async { panic!("something else") };
    let replayed = stored.replay(&check("kv"), other).unwrap();
    assert_eq!(replayed.standing(), Standing::FailsOtherwise);
    let stale = replayed.stale().unwrap();
    assert!(stale.contains("it fails otherwise now, as panic at tests/it/corpus.rs"), "{stale}");
    assert!(stale.ends_with("nothing in its run asks for 1 of its 1 choices"), "{stale}");

    let nobody = Key::new(StreamId::ROOT.child("nobody", 0), Site::new("nothing"), 0);
    world.token.world.overrides.insert(nobody, 1);
    corpus.remove(&stored).unwrap();
    corpus.put(&world).unwrap();
    let stored = corpus.of_check("kv").unwrap().remove(0);
    let replayed = stored.replay(&check("kv"), lost_update).unwrap();
    assert_eq!(replayed.standing(), Standing::Fails);
    let stale = replayed.stale().unwrap();
    assert!(
        stale.ends_with("fails as it did; nothing in its run asks for 1 of its 2 choices"),
        "{stale}"
    );
    corpus.remove(&stored).unwrap();
    corpus.remove(&stored).expect("somebody else may have been faster");
}

// As tests use it

const FAILING: &str = "attribute::that_fails_with_the_report";

#[test]
fn what_a_test_has_found_is_run_before_any_seed_the_next_time() {
    let folder = Folder::new("test");
    let shown = format!("{}/", folder.0.display());
    let with_corpus = [("PARCAE_CORPUS", shown.as_str()), ("PARCAE_BUILD", "mine")];
    let (_, text) = harness::run(FAILING, &with_corpus);
    let files = folder.files();
    assert_eq!(files.len(), 1, "{text}");
    let (name, content) = files.first_key_value().unwrap();
    assert!(text.contains(&format!("stored: {}", folder.0.join(name).display())), "{text}");
    assert!(name.starts_with("it-attribute-that_fails_with_the_report-"), "{name}");
    let stored = FailingWorld::parse(content).unwrap();
    assert_eq!(stored.build, "mine");
    // In the default schedule no seed fails, so it can only be the stored world.
    let fifo = [with_corpus[0], ("PARCAE_STRATEGY", "fifo")];
    let (has_panicked, text) = harness::run(FAILING, &fifo);
    assert!(has_panicked && text.contains("an update was lost"), "{text}");
    assert!(text.contains("it failed, so no seed was run"), "{text}");
    assert_eq!(folder.files(), files, "it stays as it is");
    // One seed or one world that is asked for is all that is run.
    let seed = [fifo[0], fifo[1], ("PARCAE_SEED", "3")];
    let (has_panicked, text) = harness::run(FAILING, &seed);
    assert!(!has_panicked && text.contains("did not panic as expected"), "{text}");
}

#[test]
fn a_world_that_passes_is_told_of_and_removed_when_that_is_asked_for() {
    let folder = Folder::new("stale");
    let shown = format!("{}/", folder.0.display());
    let mut token = harness::token_of(FAILING).parse::<ReplayToken>().unwrap();
    token.world.overrides.clear();
    let found_by = (Seed::new(1), Strategy::Random);
    let stale = FailingWorld::new(token, ("panic: x", "panic: x"), found_by, Vec::new(), "b");
    folder.corpus().put(&stale).unwrap();
    let variables = [("PARCAE_CORPUS", shown.as_str()), ("PARCAE_STRATEGY", "fifo")];
    let (_, text) = harness::run(FAILING, &variables);
    let path = folder.0.join(stale.file_name());
    assert!(text.contains(&format!("{} is stale: it passes now", path.display())), "{text}");
    assert!(path.exists(), "it is not silently dropped");
}

#[test]
fn a_file_that_cannot_be_read_fails_its_test() {
    let folder = Folder::new("unreadable");
    let shown = format!("{}/", folder.0.display());
    let variables = [("PARCAE_CORPUS", shown.as_str())];
    harness::run(FAILING, &variables);
    let path = folder.0.join(folder.files().first_key_value().unwrap().0);
    fs::write(&path, "parcae failing world, format 7\n").unwrap();
    let (_, text) = harness::run(FAILING, &variables);
    assert!(text.contains(&path.display().to_string()), "{text}");
    assert!(text.contains("format 7, this parcae reads format 1"), "{text}");
}

#[test]
fn a_check_without_a_name_of_its_own_stores_nothing() {
    let folder = Folder::new("call");
    let shown = format!("{}/", folder.0.display());
    let (_, text) = harness::run("attribute::a_call_that_fails", &[("PARCAE_CORPUS", &shown)]);
    assert!(text.contains("PARCAE_REPLAY=v1:"), "it has failed: {text}");
    assert_eq!(folder.files(), BTreeMap::new());
}

#[test]
fn a_world_that_somebody_has_replaced_meanwhile_is_not_removed() {
    let folder = Folder::new("replaced");
    let corpus = folder.corpus();
    corpus.put(&world("kv", 9, "b")).unwrap();
    let stored = corpus.of_check("kv").unwrap().remove(0);
    corpus.put(&world("kv", 4, "b")).unwrap();
    corpus.remove(&stored).unwrap();
    assert_eq!(corpus.of_check("kv").unwrap()[0].world.seed.get(), 4);
    // One that is known to be stale gives way to any other.
    let stale = world("kv", 4, "b");
    assert_eq!(corpus.put(&world("kv", 7, "b")).unwrap(), Put::Kept);
    assert_eq!(corpus.put_over(&world("kv", 7, "b"), Some(&stale)).unwrap(), Put::Replaced);
    assert_eq!(corpus.put_over(&world("kv", 9, "b"), Some(&stale)).unwrap(), Put::Kept);
}
