//! Rounds, medians and the table.
//!
//! One round runs every side of a workload once; the side that begins moves on by one each round.
//! What is compared is the processor time of this thread. A ratio is the median of the rounds'
//! ratios, so that a slow stretch of the machine hits both of its halves.

use std::fmt::Write as _;
use std::time::Duration;

use cpu_time::ThreadTime;

use crate::counting::Counts;

/// What the command line says.
#[derive(Debug)]
pub(crate) struct Options {
    rounds: usize,
    only: String,
    side: String,
}

impl Options {
    /// Reads options in pairs of name and value.
    ///
    /// # Errors
    /// A sentence for whoever typed them.
    pub(crate) fn parse(arguments: &[String]) -> Result<Self, String> {
        let mut options = Self { rounds: ROUNDS, only: String::new(), side: String::new() };
        for pair in arguments.chunks(2) {
            let [name, value] = pair else { return Err(format!("{} needs a value", pair[0])) };
            match name.as_str() {
                "--rounds" => match value.parse() {
                    Ok(rounds) if rounds > 0 => options.rounds = rounds,
                    _ => return Err(format!("{value:?} is not a number of rounds")),
                },
                "--only" => options.only.clone_from(value),
                "--side" => options.side.clone_from(value),
                _ => return Err(format!("unknown option {name:?}")),
            }
        }
        Ok(options)
    }

    /// Tells whether something was left out.
    pub(crate) fn is_partial(&self) -> bool {
        !(self.only.is_empty() && self.side.is_empty())
    }
}

/// One thing to do, and who does it.
pub(crate) struct Workload {
    pub(crate) name: &'static str,
    /// What one operation is called: `spawn`, `run`.
    pub(crate) operation: &'static str,
    pub(crate) operations: u32,
    /// The first is what the others are compared with.
    pub(crate) sides: Vec<Side>,
}

/// Who does it.
pub(crate) struct Side {
    pub(crate) name: &'static str,
    /// Greatest ratio to the first side that is good enough.
    target: Option<f64>,
    /// Another side to be compared with, and the greatest ratio to it.
    beside: Option<(&'static str, f64)>,
    /// Does all operations of the workload once and returns the processor time that they took.
    work: Box<dyn Fn() -> Duration>,
}

impl Side {
    pub(crate) fn new(name: &'static str, work: impl Fn() + 'static) -> Self {
        Self::measured(name, move || {
            let start = ThreadTime::now();
            work();
            start.elapsed()
        })
    }

    /// Makes a side that looks at the time by itself.
    pub(crate) fn measured(name: &'static str, work: impl Fn() -> Duration + 'static) -> Self {
        Self { name, target: None, beside: None, work: Box::new(work) }
    }

    pub(crate) fn with_target(self, ratio: f64) -> Self {
        Self { target: Some(ratio), ..self }
    }

    pub(crate) fn with_target_beside(self, other: &'static str, ratio: f64) -> Self {
        Self { beside: Some((other, ratio)), ..self }
    }
}

/// Measures the workloads that the options ask for and returns the table.
pub(crate) fn time_table(workloads: Vec<Workload>, options: &Options) -> String {
    let mut table = String::from(
        "| workload | side | ns per operation, median [min-max] | ratio, median [min-max] | target | met |\n\
         |---|---|--:|--:|--:|---|\n",
    );
    for mut workload in workloads {
        if let Some(nanos) = rounds(&mut workload, options) {
            rows(&mut table, &workload, &nanos);
        }
    }
    table
}

/// Measures the sides that the options ask for, and removes the others. Returns the nanoseconds per
/// operation: of each side, of each round; none if nothing is asked for.
pub(crate) fn rounds(workload: &mut Workload, options: &Options) -> Option<Vec<Vec<f64>>> {
    let sides = &mut workload.sides;
    sides.retain(|side| options.side.is_empty() || side.name == options.side);
    if sides.is_empty() || !workload.name.contains(&options.only) {
        return None;
    }
    let mut nanos = vec![Vec::new(); sides.len()];
    for round in 0..options.rounds {
        for turn in 0..sides.len() {
            let side = (round + turn) % sides.len();
            let elapsed = (sides[side].work)().as_secs_f64() * 1e9;
            nanos[side].push(elapsed / f64::from(workload.operations));
        }
    }
    Some(nanos)
}

fn rows(table: &mut String, workload: &Workload, nanos: &[Vec<f64>]) {
    for (side, own) in workload.sides.iter().zip(nanos) {
        let mut add = |name: &str, other: &[f64], target: Option<f64>| {
            let ratio = Spread::of(own.iter().zip(other).map(|(own, other)| own / other).collect());
            let (target, verdict) = match target {
                None => (String::new(), ""),
                Some(target) => (format!("{target:.2}"), verdict(ratio.median <= target)),
            };
            let workload = format!("{} ({})", workload.name, workload.operation);
            let (time, ratio) = (Spread::of(own.clone()).text(), ratio.text());
            row(table, &[&workload, name, &time, &ratio, &target, verdict]);
        };
        add(side.name, &nanos[0], side.target);
        let other = |name| workload.sides.iter().position(|side| side.name == name);
        if let Some((name, target)) = side.beside
            && let Some(other) = other(name)
        {
            add(&format!("{}, beside {name}", side.name), &nanos[other], Some(target));
        }
    }
}

/// Formats whether a goal is met.
pub(crate) fn verdict(is_met: bool) -> &'static str {
    if is_met { "yes" } else { "**no**" }
}

/// Adds a row to a table in Markdown.
pub(crate) fn row(table: &mut String, cells: &[&str]) {
    let _ = writeln!(table, "| {} |", cells.join(" | "));
}

/// Formats what was counted, per operation.
pub(crate) fn per_operation(counts: Counts, operations: u32) -> (String, String) {
    let operations = f64::from(operations);
    #[expect(clippy::cast_precision_loss, reason = "far below 2^53")]
    let (allocations, bytes) = (counts.allocations as f64, counts.live_bytes as f64);
    (format!("{:.3}", allocations / operations), format!("{:.1}", bytes / operations))
}

/// Median and range of some figures.
pub(crate) struct Spread {
    least: f64,
    pub(crate) median: f64,
    greatest: f64,
}

impl Spread {
    pub(crate) fn of(mut figures: Vec<f64>) -> Self {
        figures.sort_by(f64::total_cmp);
        let (least, greatest) = (figures[0], figures[figures.len() - 1]);
        Self { least, median: figures[figures.len() / 2], greatest }
    }

    pub(crate) fn text(&self) -> String {
        format!("{} [{}-{}]", digits(self.median), digits(self.least), digits(self.greatest))
    }
}

/// Three significant digits, or whole numbers.
fn digits(figure: f64) -> String {
    match figure {
        figure if figure < 1.0 => format!("{figure:.3}"),
        figure if figure < 10.0 => format!("{figure:.2}"),
        figure if figure < 100.0 => format!("{figure:.1}"),
        figure => format!("{figure:.0}"),
    }
}

const ROUNDS: usize = 9;
