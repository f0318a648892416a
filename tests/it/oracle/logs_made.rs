//! Histories of our own, made in a simulation by `parcae-benches histories --write tests/it/data/histories`.

use std::fs;

use parcae::oracle::linearizable;
use parcae::oracle::logs::{self, from_edn, from_lines, to_edn, to_lines};
use parcae::oracle::models::{CasRegister, TextInput, TextStore};

use super::chance::by_brute_force;
use super::logs::{RegisterInput, data};

/// Returns the histories of a file of our own: seed, whether it is right, text.
fn sections(name: &str) -> Vec<(String, bool, String)> {
    let text = fs::read_to_string(data("histories").join(name)).unwrap();
    let mut sections = Vec::new();
    for section in text.split("; ").skip(1) {
        let (title, log) = section.split_once('\n').unwrap();
        let (seed, word) = title.split_once(' ').unwrap();
        assert!(matches!(word, "good" | "bad"), "{title}");
        sections.push((seed.to_owned(), word == "good", log.to_owned()));
    }
    sections
}

#[test]
fn logs_of_our_own_have_the_verdicts_that_all_orders_give_them() {
    let (mut right, mut wrong) = (0, 0);
    let mut count = |seed: &str, is_right: bool, verdicts: [bool; 3]| {
        assert_eq!(verdicts, [is_right, !is_right, is_right], "seed {seed}");
        *(if is_right { &mut right } else { &mut wrong }) += 1;
    };
    for (seed, is_right, text) in sections("registers.log") {
        let events = from_lines(&text).unwrap();
        assert_eq!(to_lines(&events), text, "seed {seed}");
        let operations = logs::operations::<RegisterInput>(&events).unwrap();
        assert_eq!(to_lines(&logs::events(&operations)), text, "seed {seed}");
        let model = CasRegister::new(None);
        let verdict = linearizable(&model, &operations);
        let all_orders = by_brute_force(&model, &operations);
        count(&seed, is_right, [verdict.is_consistent(), verdict.is_violated(), all_orders]);
    }
    for (seed, is_right, text) in sections("texts.edn") {
        let events = from_edn(&text).unwrap();
        assert_eq!(to_edn(&events), text, "seed {seed}");
        let operations = logs::operations::<TextInput>(&events).unwrap();
        assert_eq!(to_edn(&logs::events(&operations)), text, "seed {seed}");
        let verdict = linearizable(&TextStore, &operations);
        // All orders of one key at a time: they do not touch each other.
        let all_orders = ["0", "1", "2"].iter().all(|key| {
            let of_key = |input: &TextInput| match input {
                TextInput::Get(it) | TextInput::Put(it, _) | TextInput::Append(it, _) => it == key,
            };
            let part = operations.iter().filter(|it| of_key(&it.input)).cloned().collect();
            by_brute_force(&TextStore, &part)
        });
        count(&seed, is_right, [verdict.is_consistent(), verdict.is_violated(), all_orders]);
    }
    assert_eq!((right, wrong), (64, 64));
}
