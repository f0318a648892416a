//! Rounds, medians and the table.
//!
//! One round runs every side of a workload once; the side that begins moves on by one each round.
//! What is compared is the processor time of this thread. A ratio is the median of the rounds'
//! ratios, so that a slow stretch of the machine hits both of its halves.

use std::fmt::Write as _;

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
    pub(crate) target: Option<f64>,
    /// Does all operations of the workload once.
    pub(crate) work: fn(),
}

impl Side {
    pub(crate) fn new(name: &'static str, work: fn()) -> Self {
        Self { name, target: None, work }
    }

    pub(crate) fn with_target(self, ratio: f64) -> Self {
        Self { target: Some(ratio), ..self }
    }
}

/// Measures the workloads that the options ask for and returns the table.
pub(crate) fn time_table(workloads: Vec<Workload>, options: &Options) -> String {
    let mut table = String::from(
        "| workload | side | ns per operation, median [min-max] | ratio, median [min-max] | target | met |\n\
         |---|---|--:|--:|--:|---|\n",
    );
    for mut workload in workloads {
        workload.sides.retain(|side| options.side.is_empty() || side.name == options.side);
        if workload.name.contains(&options.only) && !workload.sides.is_empty() {
            rows(&mut table, &workload, &rounds(&workload, options.rounds));
        }
    }
    table
}

/// Returns the nanoseconds per operation: of each side, of each round.
fn rounds(workload: &Workload, count: usize) -> Vec<Vec<f64>> {
    let sides = &workload.sides;
    let mut nanos = vec![Vec::new(); sides.len()];
    for round in 0..count {
        for turn in 0..sides.len() {
            let side = (round + turn) % sides.len();
            let start = ThreadTime::now();
            (sides[side].work)();
            let elapsed = start.elapsed().as_secs_f64() * 1e9;
            nanos[side].push(elapsed / f64::from(workload.operations));
        }
    }
    nanos
}

fn rows(table: &mut String, workload: &Workload, nanos: &[Vec<f64>]) {
    for (side, own) in workload.sides.iter().zip(nanos) {
        let ratios: Vec<f64> = own.iter().zip(&nanos[0]).map(|(own, first)| own / first).collect();
        let ratio = Spread::of(ratios);
        let (target, verdict) = match side.target {
            None => (String::new(), ""),
            Some(target) => {
                (format!("{target:.2}"), if ratio.median <= target { "yes" } else { "**no**" })
            }
        };
        row(
            table,
            &[
                &format!("{} ({})", workload.name, workload.operation),
                side.name,
                &Spread::of(own.clone()).text(),
                &ratio.text(),
                &target,
                verdict,
            ],
        );
    }
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
struct Spread {
    least: f64,
    median: f64,
    greatest: f64,
}

impl Spread {
    fn of(mut figures: Vec<f64>) -> Self {
        figures.sort_by(f64::total_cmp);
        let (least, greatest) = (figures[0], figures[figures.len() - 1]);
        Self { least, median: figures[figures.len() / 2], greatest }
    }

    fn text(&self) -> String {
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
