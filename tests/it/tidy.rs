//! Rules of the source tree that no lint knows. Each has a test that plants a violation.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

// The rules

/// The rows of the layer table; a module may import those of its own row and of the rows above.
/// `oracle` is narrower, see [`may_import`].
const LAYERS: [&[&str]; 18] = [
    &["kernel"],
    &["context", "ending"],
    &["executor", "worker"],
    &["ambient", "backend"],
    &["task", "time", "rng", "sync"],
    &["stream", "retry", "pool", "rate", "load"],
    &["real"],
    &["world"],
    &["net", "fs"],
    &["actor"],
    &["fault"],
    &["oracle"],
    &["explore"],
    &["testing"],
    &["report"],
    &["corpus"],
    &["harness"],
    &["adapters"],
];

const FILE_LINES_MAX: usize = 800;

const MAY_BE_UNSAFE: [&str; 5] = [
    "src/actor/future_slot.rs",
    "src/executor/waker.rs",
    "src/explore/fork/child.rs",
    "src/sync/mutex.rs",
    "src/sync/spin.rs",
];

const MAY_BE_THREAD_LOCAL: [&str; 1] = ["src/context.rs"];

/// Joined at run time, or this file would break its own rules.
fn forbidden_words() -> [String; 5] {
    [["/ho", "me/"], ["/ro", "ot/"], ["/wo", "rk/"], ["/Us", "ers/"], ["/tm", "p/wt"]]
        .map(|halves| halves.concat())
}

fn row_of(module: &str) -> Option<usize> {
    LAYERS.iter().position(|row| row.contains(&module))
}

fn may_import(importer: &str, imported: &str) -> bool {
    match (importer, imported) {
        (importer, imported) if importer == imported => true,
        ("oracle", imported) => matches!(imported, "kernel" | "context" | "backend"),
        ("executor", "worker") | ("worker", "executor") => false,
        _ => row_of(imported) <= row_of(importer),
    }
}

/// Finds imports that go up the layer table. `exports` maps the names that the root of the crate
/// exports to the modules they come from.
fn imports_against_the_layers(
    path: &str,
    text: &str,
    exports: &BTreeMap<String, String>,
) -> Vec<String> {
    let Some(importer) = module_of(path) else { return Vec::new() };
    // Unit tests run what they test, so they need what is below.
    if path.ends_with("/tests.rs") || path.contains("/tests/") {
        return Vec::new();
    }
    if row_of(importer).is_none() {
        return vec![format!("{path}:1: `{importer}` is not in the table of layers")];
    }
    let mut violations = Vec::new();
    for (number, name) in imported_names(path, &code_of(text)) {
        let imported = exports.get(&name).map_or(name.as_str(), String::as_str);
        if row_of(imported).is_none() {
            violations.push(format!(
                "{path}:{number}: `crate::{name}` is neither a layer nor an export of the root"
            ));
        } else if !may_import(importer, imported) {
            violations.push(format!("{path}:{number}: `{importer}` imports `{imported}`"));
        }
    }
    violations
}

fn too_long(path: &str, text: &str) -> Vec<String> {
    let count = text.lines().count();
    if count <= FILE_LINES_MAX {
        return Vec::new();
    }
    vec![format!("{path}:{count}: a file has at most {FILE_LINES_MAX} lines")]
}

fn unfinished(path: &str, text: &str) -> Vec<String> {
    let (fix, todo) = (["FIX", "ME"].concat(), ["TO", "DO"].concat());
    let in_text = lines_where(text, |line| {
        line.contains(&fix)
            || line.match_indices(&todo).any(|(at, _)| !names_an_issue(&line[at + todo.len()..]))
    });
    let code = code_of(text);
    // The attribute macro passes `#[ignore]` on.
    let may_skip = path.starts_with("macros/");
    let in_code =
        lines_where(&code, |line| line.contains("todo!") || !may_skip && line.contains("#[ignore"));
    named(path, "unfinished work, without an issue or skipped", [in_text, in_code].concat())
}

fn names_an_issue(rest: &str) -> bool {
    let number = rest.strip_prefix("(#").and_then(|rest| rest.split_once(')'));
    number.is_some_and(|(digits, _)| digits.parse::<u32>().is_ok())
}

fn second_thread_local(path: &str, text: &str) -> Vec<String> {
    if !path.starts_with("src/") || MAY_BE_THREAD_LOCAL.contains(&path) {
        return Vec::new();
    }
    let code = code_of(text);
    named(path, "a thread-local outside of the context", lines_with_word(&code, "thread_local"))
}

fn stray_unsafe(path: &str, text: &str) -> Vec<String> {
    if !path.starts_with("src/") || MAY_BE_UNSAFE.contains(&path) {
        return Vec::new();
    }
    let code = code_of(text);
    named(path, "unsafe code outside of its files", lines_with_word(&code, "unsafe"))
}

fn no_page(path: &str, text: &str) -> Vec<String> {
    if !path.starts_with("src/") || text.starts_with("//!") {
        return Vec::new();
    }
    vec![format!("{path}:1: a file begins with its page, `//! ...`")]
}

fn module_file(path: &str, _: &str) -> Vec<String> {
    if !path.ends_with("/mod.rs") {
        return Vec::new();
    }
    vec![format!("{path}:1: a module is `x.rs` beside `x/`")]
}

fn foreign_place(path: &str, text: &str) -> Vec<String> {
    let words = forbidden_words();
    let found = lines_where(text, |line| words.iter().any(|word| line.contains(word)));
    named(path, "a path of one machine", found)
}

/// Finds tests that a page names and that are not there: of `a::b::c`, `fn c` in `tests/it/a/b.rs`.
fn names_of_no_test(path: &str, page: &str, sources: &BTreeMap<String, String>) -> Vec<String> {
    let exists = |name: &str| {
        let (module, test) = name.rsplit_once("::").unwrap();
        ["it", "conformance"].iter().any(|folder| {
            let file = format!("tests/{folder}/{}.rs", module.replace("::", "/"));
            sources.get(&file).is_some_and(|text| text.contains(&format!("fn {test}(")))
        })
    };
    let missing = tests_named_in(page).into_iter().filter(|(_, name)| !exists(name));
    missing.map(|(number, name)| format!("{path}:{number}: there is no test `{name}`")).collect()
}

/// Returns the paths in backticks that are all of lower-case words, with their lines. What is meant
/// as API begins with `parcae`.
fn tests_named_in(page: &str) -> Vec<(usize, &str)> {
    let is_letter = |letter| matches!(letter, 'a'..='z' | '0'..='9' | '_');
    let is_word = |word: &str| !word.is_empty() && word.chars().all(is_letter);
    let is_test = |quoted: &&str| {
        quoted.contains("::") && !quoted.starts_with("parcae::") && quoted.split("::").all(is_word)
    };
    let mut names = Vec::new();
    for (number, line) in (1..).zip(page.lines()) {
        let quoted = line.split('`').skip(1).step_by(2);
        names.extend(quoted.filter(is_test).map(|name| (number, name)));
    }
    names
}

// The tree obeys them

#[test]
fn each_layer_imports_only_those_above_it() {
    let sources = files().into_iter().filter(|(path, _)| path.starts_with("src/"));
    let exports = exports_of(&fs::read_to_string(root().join("src/lib.rs")).unwrap());
    assert_eq!(exports.get("Sim").map(String::as_str), Some("explore"), "exports are found");
    let violations: Vec<String> = sources
        .flat_map(|(path, text)| imports_against_the_layers(&path, &text, &exports))
        .collect();
    assert!(violations.is_empty(), "imports against the layers:\n{}", violations.join("\n"));
}

#[test]
fn the_tree_is_tidy() {
    let rules_of_code =
        [too_long, unfinished, second_thread_local, stray_unsafe, no_page, module_file];
    let mut violations = Vec::new();
    let mut code_files = 0;
    for (path, text) in files() {
        violations.extend(foreign_place(&path, &text));
        if path.ends_with(".rs") {
            code_files += 1;
            violations.extend(rules_of_code.iter().flat_map(|rule| rule(&path, &text)));
        }
    }
    assert!(code_files > 40, "the walk found only {code_files} files of code");
    assert!(violations.is_empty(), "untidy:\n{}", violations.join("\n"));
}

#[test]
fn the_page_for_asyncio_names_tests_that_exist() {
    let path = "docs/ASYNCIO.md";
    let sources: BTreeMap<String, String> = files().into_iter().collect();
    let page = &sources[path];
    assert!(tests_named_in(page).len() > 150, "names of tests are found");
    let violations = names_of_no_test(path, page, &sources);
    assert!(violations.is_empty(), "tests that are not there:\n{}", violations.join("\n"));
}

#[test]
fn the_page_for_actors_names_tests_that_exist() {
    let path = "docs/ACTORS.md";
    let sources: BTreeMap<String, String> = files().into_iter().collect();
    let page = &sources[path];
    assert!(tests_named_in(page).len() > 60, "names of tests are found");
    let violations = names_of_no_test(path, page, &sources);
    assert!(violations.is_empty(), "tests that are not there:\n{}", violations.join("\n"));
}

// Planted violations

#[track_caller]
fn check(found: Vec<String>, expected: &[&str]) {
    assert_eq!(found, expected);
}

fn exports() -> BTreeMap<String, String> {
    exports_of(
        "pub use explore::{Outcome, Sim};\npub use task::spawn;\npub use kernel::Seed as S;\n",
    )
}

#[test]
fn a_planted_import_against_the_layers_is_named() {
    let text = "//! Page: crate::explore.\n// use crate::explore::Sim;\nuse crate::explore::Sim;\n";
    check(
        imports_against_the_layers("src/time/sleep.rs", text, &exports()),
        &["src/time/sleep.rs:3: `time` imports `explore`"],
    );
    check(imports_against_the_layers("src/time/sleep/tests.rs", text, &exports()), &[]);
    check(imports_against_the_layers("src/time/tests/sleep.rs", text, &exports()), &[]);
    check(
        imports_against_the_layers(
            "src/kernel.rs",
            "fn f() -> crate::time::Instant {}",
            &exports(),
        ),
        &["src/kernel.rs:1: `kernel` imports `time`"],
    );
    check(
        imports_against_the_layers(
            "src/rng.rs",
            "\npub(crate) use crate::world::Node;",
            &exports(),
        ),
        &["src/rng.rs:2: `rng` imports `world`"],
    );
}

#[test]
fn a_planted_import_is_named_in_groups_and_behind_exports_of_the_root() {
    let group = "use crate::{\n    kernel::{Seed, Key},\n    actor::{Actor},\n    net,\n};\n";
    check(
        imports_against_the_layers("src/world/disk.rs", group, &exports()),
        &[
            "src/world/disk.rs:3: `world` imports `actor`",
            "src/world/disk.rs:4: `world` imports `net`",
        ],
    );
    check(
        imports_against_the_layers("src/sync.rs", "use crate::{Sim, spawn, S};", &exports()),
        &["src/sync.rs:1: `sync` imports `explore`"],
    );
    check(
        imports_against_the_layers("src/sync.rs", "use crate::Mystery;", &exports()),
        &["src/sync.rs:1: `crate::Mystery` is neither a layer nor an export of the root"],
    );
}

#[test]
fn a_planted_import_through_the_parent_of_a_layer_is_named() {
    check(
        imports_against_the_layers("src/time.rs", "use super::explore::Sim;", &exports()),
        &["src/time.rs:1: `time` imports `explore`"],
    );
    check(
        imports_against_the_layers("src/time/sleep.rs", "use super::super::fault;", &exports()),
        &["src/time/sleep.rs:1: `time` imports `fault`"],
    );
    check(imports_against_the_layers("src/explore/sim.rs", "use super::net;", &exports()), &[]);
}

#[test]
fn the_oracle_imports_less_than_its_place_in_the_table_says() {
    check(
        imports_against_the_layers(
            "src/oracle.rs",
            "use crate::{context, kernel, time};",
            &exports(),
        ),
        &["src/oracle.rs:1: `oracle` imports `time`"],
    );
}

#[test]
fn imports_along_the_layers_are_fine() {
    let text = "use crate::kernel::Seed;\nuse crate::executor::{Failure, Log};\nuse crate::task;\n\
                const TEXT: &str = \"crate::report\";\nfn f() { crate::always!(true) }\n";
    check(imports_against_the_layers("src/explore/sim.rs", text, &exports()), &[]);
    check(
        imports_against_the_layers("src/testing.rs", "use crate::explore::Sim;", &exports()),
        &[],
    );
    check(imports_against_the_layers("src/report/text.rs", "use crate::testing;", &exports()), &[]);
    check(imports_against_the_layers("src/lib.rs", "use crate::report;", &exports()), &[]);
    check(
        imports_against_the_layers("src/extra.rs", "", &exports()),
        &["src/extra.rs:1: `extra` is not in the table of layers"],
    );
}

#[test]
fn a_planted_long_file_is_named() {
    check(
        too_long("src/long.rs", &"\n".repeat(801)),
        &["src/long.rs:801: a file has at most 800 lines"],
    );
    check(too_long("src/long.rs", &"\n".repeat(800)), &[]);
}

#[test]
fn planted_unfinished_work_is_named() {
    let (fix, todo) = (["FIX", "ME"].concat(), ["TO", "DO"].concat());
    let ignore = ["#[ign", "ore]"].concat();
    let text = format!(
        "// {fix}: wrong\n// {todo}: later\n// {todo}(#12): later\n{}!()\n{ignore}\n",
        todo.to_lowercase()
    );
    let problem = "unfinished work, without an issue or skipped";
    let expected = [1, 2, 4, 5].map(|line| format!("src/a.rs:{line}: {problem}"));
    check(unfinished("src/a.rs", &text), &expected.each_ref().map(String::as_str));
}

#[test]
fn a_planted_thread_local_is_named() {
    let text = "// thread_local!\nstd::thread_local! { static A: u8 = 0; }\n";
    check(
        second_thread_local("src/time.rs", text),
        &["src/time.rs:2: a thread-local outside of the context"],
    );
    check(second_thread_local("src/context.rs", text), &[]);
}

#[test]
fn planted_unsafe_code_is_named() {
    let text = "#![expect(unsafe_code)]\nlet quote = '\"'; // unsafe\nlet a = unsafe { b };\n\"unsafe\";\n";
    check(
        stray_unsafe("src/executor/core.rs", text),
        &["src/executor/core.rs:3: unsafe code outside of its files"],
    );
    check(stray_unsafe("src/executor/waker.rs", text), &[]);
}

#[test]
fn a_planted_file_without_a_page_is_named() {
    check(no_page("src/a.rs", "// A.\n"), &["src/a.rs:1: a file begins with its page, `//! ...`"]);
    check(no_page("src/a.rs", "//! A.\n"), &[]);
}

#[test]
fn a_planted_module_file_is_named() {
    check(module_file("src/a/mod.rs", ""), &["src/a/mod.rs:1: a module is `x.rs` beside `x/`"]);
    check(module_file("src/a/model.rs", ""), &[]);
}

#[test]
fn a_planted_name_of_no_test_is_named() {
    let source = ("tests/it/sync/mutex.rs".to_owned(), "fn one_holds_it() {}".to_owned());
    let page = "| `parcae::sync` | `sync::mutex::one_holds_it`, `sync::mutex::one` |\n\
                | `Job::done` | `mutex::one_holds_it` |\n";
    check(
        names_of_no_test("docs/a.md", page, &BTreeMap::from([source])),
        &[
            "docs/a.md:1: there is no test `sync::mutex::one`",
            "docs/a.md:2: there is no test `mutex::one_holds_it`",
        ],
    );
}

#[test]
fn a_planted_path_of_one_machine_is_named() {
    for word in forbidden_words() {
        check(
            foreign_place("docs/a.md", &format!("See\n{word}somebody/notes.\n")),
            &["docs/a.md:2: a path of one machine"],
        );
    }
    check(foreign_place("docs/a.md", "See docs/homework/roots.\n"), &[]);
}

// Reading code

/// Returns the top-level module that a file belongs to; none for the root of the crate.
fn module_of(path: &str) -> Option<&str> {
    let inner = path.strip_prefix("src/")?;
    let module = inner.split('/').next()?.trim_end_matches(".rs");
    (module != "lib").then_some(module)
}

/// Returns which names the root of the crate exports, and from which modules.
fn exports_of(root_text: &str) -> BTreeMap<String, String> {
    let code = code_of(root_text);
    let mut exports = BTreeMap::new();
    for statement in code.split(';') {
        let Some((_, path)) = statement.split_once("pub use ") else { continue };
        let Some((module, names)) = path.split_once("::") else { continue };
        for name in names.trim_matches(['{', '}', ' ', '\n']).split(',') {
            let name = name.split(" as ").last().unwrap().rsplit("::").next().unwrap().trim();
            exports.insert(name.to_owned(), module.trim().to_owned());
        }
    }
    exports
}

/// Returns the first names of all paths from the root of the crate, with the lines they stand in.
fn imported_names(path: &str, code: &str) -> Vec<(usize, String)> {
    let depth = path.trim_end_matches(".rs").split('/').count() - 1;
    let to_root = "super::".repeat(depth);
    let mut names = Vec::new();
    for (at, _) in code.match_indices("crate::") {
        names.extend(names_at(code, at + "crate::".len()));
    }
    for (at, _) in code.match_indices(&to_root) {
        // Inner modules of a file have parents too: only names of layers count.
        let found = names_at(code, at + to_root.len());
        names.extend(found.into_iter().filter(|(_, name)| row_of(name).is_some()));
    }
    names
}

/// Returns the names that a path goes on with: one, or all first ones of a group in braces.
fn names_at(code: &str, start: usize) -> Vec<(usize, String)> {
    let mut names = Vec::new();
    let mut depth = 0_usize;
    let mut is_first = true;
    let mut at = start;
    while let Some(character) = code[at..].chars().next() {
        let word = word_at(code, at);
        match character {
            '{' => depth += 1,
            '}' => depth = depth.saturating_sub(1),
            ',' if depth == 1 => is_first = true,
            _ if is_first && !word.is_empty() => {
                is_first = false;
                if !code[at + word.len()..].starts_with('!') && word != "self" {
                    names.push((line_of(code, at), word.to_owned()));
                }
            }
            _ => {}
        }
        at += word.len().max(character.len_utf8());
        if depth == 0 {
            break;
        }
    }
    names
}

fn word_at(code: &str, at: usize) -> &str {
    let is_end = |character: char| !character.is_alphanumeric() && character != '_';
    let end = code[at..].find(is_end).map_or(code.len(), |length| at + length);
    &code[at..end]
}

fn line_of(code: &str, at: usize) -> usize {
    code[..at].matches('\n').count() + 1
}

fn lines_where(text: &str, is_wanted: impl Fn(&str) -> bool) -> Vec<usize> {
    let numbered = (1..).zip(text.lines()).filter(|(_, line)| is_wanted(line));
    numbered.map(|(number, _)| number).collect()
}

fn lines_with_word(code: &str, word: &str) -> Vec<usize> {
    let is_part = |character: char| character.is_alphanumeric() || character == '_';
    lines_where(code, |line| {
        line.match_indices(word).any(|(at, _)| {
            !line[..at].ends_with(is_part) && !line[at + word.len()..].starts_with(is_part)
        })
    })
}

fn named(path: &str, problem: &str, lines: Vec<usize>) -> Vec<String> {
    lines.into_iter().map(|line| format!("{path}:{line}: {problem}")).collect()
}

/// Returns the code with comments and the insides of texts blanked, line for line.
fn code_of(text: &str) -> String {
    let mut code = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(character) = rest.chars().next() {
        let (length, is_code) = token(rest, character);
        let (piece, after) = rest.split_at(length);
        if is_code {
            code.push_str(piece);
        } else {
            code.extend(piece.chars().map(|blanked| if blanked == '\n' { '\n' } else { ' ' }));
        }
        rest = after;
    }
    code
}

/// Returns the length of the next piece of a text, and whether it is code.
fn token(rest: &str, character: char) -> (usize, bool) {
    let until = |end: &str, from: usize| rest[from..].find(end).map_or(rest.len(), |at| from + at);
    let word = word_at(rest, 0);
    if rest.starts_with("//") {
        (until("\n", 2), false)
    } else if rest.starts_with("/*") {
        (length_of_block_comment(rest), false)
    } else if character == '"' {
        (length_of_text(rest), false)
    } else if matches!(word, "r" | "br") && rest[word.len()..].starts_with(['"', '#']) {
        let hashes = rest[word.len()..].chars().take_while(|hash| *hash == '#').count();
        let open = word.len() + hashes + 1;
        let end = format!("\"{}", "#".repeat(hashes));
        ((until(&end, open) + end.len()).min(rest.len()), false)
    } else if character == '\'' {
        (length_of_character(rest), true)
    } else {
        (word.len().max(character.len_utf8()), true)
    }
}

fn length_of_text(rest: &str) -> usize {
    let mut is_escaped = false;
    for (at, character) in rest.char_indices().skip(1) {
        match character {
            _ if is_escaped => is_escaped = false,
            '\\' => is_escaped = true,
            '"' => return at + 1,
            _ => {}
        }
    }
    rest.len()
}

fn length_of_block_comment(rest: &str) -> usize {
    let mut depth = 0_usize;
    let mut at = 0;
    while at < rest.len() {
        if rest[at..].starts_with("/*") {
            depth += 1;
            at += 2;
        } else if rest[at..].starts_with("*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                break;
            }
        } else {
            at += rest[at..].chars().next().map_or(1, char::len_utf8);
        }
    }
    at
}

/// A character with its quotes, or the quote of a lifetime.
fn length_of_character(rest: &str) -> usize {
    let mut characters = rest.char_indices().skip(1);
    match (characters.next(), characters.next()) {
        (Some((_, '\\')), Some((at, _))) => rest[at + 1..].find('\'').map_or(1, |end| at + end + 2),
        (Some(_), Some((at, '\''))) => at + 1,
        _ => 1,
    }
}

#[test]
fn comments_and_texts_are_not_code() {
    let text = "a // b\n/* c /* d */ e */ f \"g \\\" h\" r#\"i \" j\"# k 'l' '\\'' '\"' <'m> \"http://n\" o\n";
    let code = code_of(text);
    assert_eq!(code.len(), text.len());
    let words: Vec<&str> = code.split_whitespace().collect();
    assert_eq!(words, ["a", "f", "k", "'l'", "'\\''", "'\"'", "<'m>", "o"]);
}

// Reading the tree

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Returns all text files of the project by their paths from its root.
fn files() -> Vec<(String, String)> {
    let mut files = Vec::new();
    collect(&root(), "", &mut files);
    files.sort();
    files
}

fn collect(folder: &Path, prefix: &str, files: &mut Vec<(String, String)>) {
    for entry in fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        let path = format!("{prefix}{name}");
        let kind = entry.file_type().unwrap();
        if kind.is_dir() && !name.starts_with('.') && name != "target" {
            collect(&entry.path(), &format!("{path}/"), files);
        } else if kind.is_file()
            && name != ".git"
            && let Ok(text) = fs::read_to_string(entry.path())
        {
            files.push((path, text));
        }
    }
}
