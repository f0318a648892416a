//! The page that lists the differences names tests that exist.

use std::fs;
use std::path::Path;

/// Returns the paths of tests that a page names: words of lower-case letters with colons between.
fn tests_named_in(page: &str) -> Vec<&str> {
    let is_letter = |letter| matches!(letter, 'a'..='z' | '0'..='9' | '_');
    let is_test = |quoted: &&str| {
        let mut words = quoted.split("::");
        quoted.matches("::").count() > 0
            && !quoted.starts_with("parcae::")
            && words.all(|word| !word.is_empty() && word.chars().all(is_letter))
    };
    let rows = page.lines().filter(|line| line.starts_with('|'));
    let last_columns = rows.filter_map(|row| row.trim_end_matches(" |").rsplit(" | ").next());
    last_columns.flat_map(|cell| cell.split('`').skip(1).step_by(2)).filter(is_test).collect()
}

/// Tells whether there is `fn c` in `a/b.rs` for `a::b::c`.
fn exists(test: &str) -> bool {
    let (module, name) = test.rsplit_once("::").unwrap();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/conformance");
    let file = folder.join(format!("{}.rs", module.replace("::", "/")));
    fs::read_to_string(file).is_ok_and(|text| text.contains(&format!("fn {name}(")))
}

#[test]
fn the_page_for_backends_names_tests_that_exist() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/BACKENDS.md");
    let page = fs::read_to_string(page).unwrap();
    let tests = tests_named_in(&page);
    assert!(tests.len() > 30, "names of tests are found: {tests:?}");
    let missing: Vec<_> = tests.into_iter().filter(|test| !exists(test)).collect();
    assert_eq!(missing, [""; 0]);
}

#[test]
fn a_planted_name_of_no_test_is_found() {
    let page = "| rows | `page::a_planted_name_of_no_test_is_found`, `page::missing`, `no::such` |";
    let missing: Vec<_> = tests_named_in(page).into_iter().filter(|test| !exists(test)).collect();
    assert_eq!(missing, ["page::missing", "no::such"]);
}
