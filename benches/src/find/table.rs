//! The tables, in Markdown.

use std::fmt::Write as _;

use super::Cell;

/// Returns medians of the runs to the bug, and what they cost.
pub(super) fn text(sides: &[String], rows: &[(String, Vec<Cell>)]) -> String {
    let mut text =
        "Median of the runs to the bug, with the trials that found it where not all did:\n\n"
            .to_owned();
    head(&mut text, sides);
    for (name, cells) in rows {
        row(&mut text, name, cells.iter().map(median));
    }
    let means = (0..sides.len()).map(|side| {
        let medians = rows.iter().map(|(_, cells)| cells[side].median());
        format!("{:.1}", geometric_mean(medians))
    });
    row(&mut text, "geometric mean", means);
    text.push_str("\nRuns per second of wall time:\n\n");
    head(&mut text, sides);
    for (name, cells) in rows {
        row(&mut text, name, cells.iter().map(rate));
    }
    text.push_str("\nMilliseconds of wall time to the bug, mean of all trials:\n\n");
    head(&mut text, sides);
    for (name, cells) in rows {
        row(&mut text, name, cells.iter().map(mean_time));
    }
    text
}

fn head(text: &mut String, sides: &[String]) {
    row(text, "subject", sides.iter().cloned());
    row(text, "---", sides.iter().map(|_| "---:".to_owned()));
}

fn row(text: &mut String, name: &str, cells: impl Iterator<Item = String>) {
    let cells: Vec<String> = cells.collect();
    let _ = writeln!(text, "| {name} | {} |", cells.join(" | "));
}

fn median(cell: &Cell) -> String {
    let (found, trials) = (cell.found(), cell.trials.len());
    match (found == trials, cell.median() >= cell.cap) {
        (true, _) => cell.median().to_string(),
        (false, true) => format!("– ({found}/{trials})"),
        (false, false) => format!("{} ({found}/{trials})", cell.median()),
    }
}

fn mean_time(cell: &Cell) -> String {
    let trials = u32::try_from(cell.trials.len()).expect("few trials");
    format!("{:.1}", (cell.time() / trials).as_secs_f64() * 1e3)
}

#[expect(clippy::cast_precision_loss, reason = "rates are rounded")]
fn rate(cell: &Cell) -> String {
    format!("{:.0}", cell.runs_in_all() as f64 / cell.time().as_secs_f64().max(1e-9))
}

#[expect(clippy::cast_precision_loss, reason = "medians are far below 2^52")]
fn geometric_mean(values: impl Iterator<Item = u64>) -> f64 {
    let logarithms: Vec<f64> = values.map(|value| (value.max(1) as f64).ln()).collect();
    (logarithms.iter().sum::<f64>() / logarithms.len() as f64).exp()
}
