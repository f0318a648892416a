//! How many seeds it takes to the bug of a distributed program: with latencies that are always spread evenly, and with a family
//! of latencies that is drawn by seed.
//!
//! Seeds are run one by one, also behind one that fails: the mean is how many there are to a failure. Nothing but latencies
//! differs between the columns; the schedule of tasks is random in all of them. The twin of a program, which is right, is run
//! under the same seeds and must not fail in any.

use std::fmt::Write as _;
use std::time::Duration;

use parcae::Sim;
use parcae::explore::Strategy;
use parcae::kernel::{Fill, Key, Overrides, Site, StreamId};
use parcae::world::{self, Latency, LinkOptions};

use crate::protocols::{self, Protocol, Run};

/// What the command line says.
#[derive(Debug)]
pub(crate) struct Options {
    seeds: u64,
    only: String,
    side: String,
}

impl Options {
    /// Reads options in pairs of name and value.
    ///
    /// # Errors
    /// A sentence for whoever typed them.
    pub(crate) fn parse(arguments: &[String]) -> Result<Self, String> {
        let mut options = Self { seeds: SEEDS, only: String::new(), side: String::new() };
        for pair in arguments.chunks(2) {
            let [name, value] = pair else { return Err(format!("{} needs a value", pair[0])) };
            match (name.as_str(), value.parse()) {
                ("--seeds", Ok(seeds)) if seeds > 0 => options.seeds = seeds,
                ("--seeds", _) => return Err(format!("{value:?} is not a number above 0")),
                ("--only", _) => options.only.clone_from(value),
                ("--side", _) => options.side.clone_from(value),
                _ => return Err(format!("unknown option {name:?}")),
            }
        }
        Ok(options)
    }
}

/// How latencies are spread.
#[derive(Clone, Copy, Debug)]
enum Side {
    /// From 50 µs to 1 ms, evenly, in each seed.
    Even,
    /// As the default link has it: by a family that is drawn.
    Drawn,
    /// By the family of this number in each seed.
    Always(u64, &'static str),
}

impl Side {
    const ALL: [Self; 6] = [
        Self::Even,
        Self::Drawn,
        Self::Always(0, "least"),
        Self::Always(1, "heavy tail"),
        Self::Always(2, "slow links"),
        Self::Always(3, "chains"),
    ];

    fn name(self) -> &'static str {
        match self {
            Self::Even => "even",
            Self::Drawn => "drawn",
            Self::Always(_, name) => name,
        }
    }

    fn sim(self, seed: u64) -> Sim {
        let mut overrides = Overrides::new();
        if let Self::Always(which, _) = self {
            // All links, as `parcae::world` numbers them.
            let links = StreamId::from_bits(0x6c69_6e6b).child("link", 0);
            let family = Site::new("latency family");
            overrides.insert(Key::new(links, family, 0), 1);
            overrides.insert(Key::new(links, family, 1), which);
        }
        let sim = Sim::builder().seed(seed).strategy(Strategy::Random);
        sim.overrides(Fill::Seeded, overrides).build().expect("the limits are above zero")
    }

    /// Returns under how many seeds the program fails.
    fn failures(self, program: fn() -> Run, seeds: u64) -> u64 {
        let fails = |seed: &u64| {
            let outcome = self.sim(*seed).run(move || {
                if let Self::Even = self {
                    let even =
                        Latency::uniform(Duration::from_micros(50), Duration::from_millis(1));
                    world::network().set_links(LinkOptions::lan().with_latency(even));
                }
                program()
            });
            !outcome.is_ok()
        };
        (0..seeds).filter(fails).count() as u64
    }
}

/// Measures all programs and returns the table, in Markdown.
///
/// # Panics
/// When a twin fails.
pub(crate) fn table(options: &Options, progress: impl Fn(&str)) -> String {
    // A run that fails panics: that is what is looked for.
    std::panic::set_hook(Box::new(|_| {}));
    let sides: Vec<Side> =
        Side::ALL.into_iter().filter(|side| side.name().contains(&options.side)).collect();
    let names = sides.iter().map(|side| side.name()).collect::<Vec<_>>().join(" | ");
    let mut text = format!("| program | {names} |\n|---|{}\n", "---:|".repeat(sides.len()));
    let seeds = options.seeds;
    for protocol in protocols::ALL.iter().filter(|protocol| protocol.name.contains(&options.only)) {
        let Protocol { name, buggy, right } = *protocol;
        let cells = sides.iter().map(|side| {
            let failures = side.failures(buggy, seeds);
            let of_twin = side.failures(right, seeds / 10);
            progress(&format!("{name}, {}: {failures} of {seeds}, twin {of_twin}", side.name()));
            match failures {
                0 => format!("> {seeds}"),
                _ => format!("{} ({failures})", seeds.div_ceil(failures)),
            }
        });
        let cells: Vec<String> = cells.collect();
        let _ = writeln!(text, "| {name} | {} |", cells.join(" | "));
    }
    text
}

const SEEDS: u64 = 10_000;
