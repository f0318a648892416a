//! How long it takes to check histories.

use std::fs;
use std::path::Path;

use cpu_time::ThreadTime;
use parcae::oracle::models::{KeyValue, TextStore};
use parcae::oracle::{HistoryVerdict, Model, Operation, linearizable_within};

use crate::histories_large::{self as large, Size};
use crate::histories_made;
use crate::measure::{Options, Side, Spread, Workload, rounds, row, verdict};

/// Writes the histories of the tests into a folder.
///
/// # Errors
/// What the operating system says.
pub(crate) fn write(folder: &Path) -> std::io::Result<()> {
    fs::create_dir_all(folder)?;
    for (name, text) in histories_made::files() {
        fs::write(folder.join(name), text)?;
    }
    Ok(())
}

type Operations<M> = Vec<Operation<<M as Model>::Input, <M as Model>::Output>>;

/// Measures everything and returns the table.
pub(crate) fn table(options: &Options) -> String {
    let mut table = String::from(
        "| history | operations | verdict | ms, median [min-max] | goal | met |\n\
         |---|--:|---|--:|--:|---|\n",
    );
    let size = |operations, clients, keys, is_stale| Size { operations, clients, keys, is_stale };
    let mut of_texts = |name, goal, size| {
        judged(&mut table, options, (name, goal), &TextStore, (large::texts(size), BUDGET));
    };
    of_texts("50 clients, 10 keys of growing texts, right", None, size(2_000, 50, 10, false));
    of_texts("the same, one answer stale", Some(50.0), size(2_000, 50, 10, true));
    let mut of_numbers = |name, goal, size| {
        judged(&mut table, options, (name, goal), &KeyValue::new(), (large::numbers(size), BUDGET));
    };
    of_numbers("10 clients, 100 keys", Some(1_000.0), size(100_000, 10, 100, false));
    of_numbers("50 clients, 100 keys", Some(1_000.0), size(100_000, 50, 100, false));
    of_numbers("the same, one answer stale", Some(1_000.0), size(100_000, 50, 100, true));
    let one_key = large::numbers(size(10_000, 50, 1, false));
    let name = "50 clients, one key, 1000000 steps";
    judged(&mut table, options, (name, None), &KeyValue::new(), (one_key, 1_000_000));
    for budget in [1_000_000, 10_000_000] {
        let name = format!("40 writes at once, an answer of nobody, {budget} steps");
        let goal = (name.as_str(), None);
        judged(&mut table, options, goal, &KeyValue::new(), (large::hopeless(40), budget));
    }
    table
}

fn judged<M: Model + Clone + 'static>(
    table: &mut String,
    options: &Options,
    (name, goal): (&str, Option<f64>),
    model: &M,
    (operations, budget): (Operations<M>, u64),
) {
    let count = operations.len().to_string();
    let word = match linearizable_within(model, &operations, budget) {
        HistoryVerdict::Consistent => "right",
        HistoryVerdict::Violated(_) => "violated",
        HistoryVerdict::Unknown(_) => "unknown",
    };
    let model = model.clone();
    let side = Side::measured("parcae", move || {
        let start = ThreadTime::now();
        let verdict = linearizable_within(&model, &operations, budget);
        let elapsed = start.elapsed();
        drop(verdict);
        elapsed
    });
    let name: &'static str = name.to_owned().leak();
    let mut workload = Workload { name, operation: "check", operations: 1, sides: vec![side] };
    let Some(nanos) = rounds(&mut workload, options) else { return };
    for nanos in nanos {
        let millis = Spread::of(nanos.into_iter().map(|nanos| nanos / 1e6).collect());
        let met = goal.map_or("", |goal| verdict(millis.median < goal));
        let goal = goal.map_or(String::new(), |goal| format!("< {goal}"));
        row(table, &[name, &count, word, &millis.text(), &goal, met]);
    }
}

const BUDGET: u64 = 100_000_000;
