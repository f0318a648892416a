//! How many seeds it takes to the bug of a distributed program: with latencies that are always spread evenly, and with a
//! family of latencies that is drawn by seed.
//!
//! Seeds are run one by one, and the mean is how many there are to a failure. Nothing but latencies differs between the
//! columns; the schedule is random in all of them.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use parcae::Sim;
use parcae::explore::Strategy;
use parcae::kernel::{Fill, Key, Overrides, Site, StreamId};
use parcae::world::{self, Latency, LinkOptions};

use crate::find::Options;
use crate::protocols::{self, Protocol, Run};

/// How latencies are spread.
#[derive(Clone, Copy, Debug)]
enum Side {
    /// From 50 µs to 1 ms, evenly, in each seed.
    Even,
    /// As the default link has it: by a family that is drawn.
    Drawn,
    /// By this family in each seed.
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
            let links = StreamId::from_bits(0x6c69_6e6b).child("link", 0);
            let family = Site::new("latency family");
            overrides.insert(Key::new(links, family, 0), 1);
            overrides.insert(Key::new(links, family, 1), which);
        }
        let sim = Sim::builder().seed(seed).strategy(Strategy::Random);
        sim.overrides(Fill::Seeded, overrides).build().expect("the limits are above zero")
    }

    /// Returns whether the program fails under a seed, and how.
    fn run(self, program: fn() -> Run, seed: u64) -> Option<String> {
        let outcome = self.sim(seed).run(move || {
            if let Self::Even = self {
                let even = Latency::uniform(Duration::from_micros(50), Duration::from_millis(1));
                world::network().set_links(LinkOptions::lan().with_latency(even));
            }
            program()
        });
        outcome.failure().map(ToString::to_string)
    }
}

pub(crate) fn table(options: &Options, progress: impl Fn(&str)) -> String {
    std::panic::set_hook(Box::new(|_| {}));
    let mut text = String::new();
    for protocol in protocols::ALL.iter().filter(|protocol| protocol.name.contains(&options.only)) {
        let Protocol { name, buggy, right } = *protocol;
        for side in Side::ALL.iter().filter(|side| side.name().contains(&options.side)) {
            let begun = Instant::now();
            let mut failures = 0;
            let mut last = String::new();
            for seed in 0..options.cap {
                if let Some(failure) = side.run(buggy, seed) {
                    failures += 1;
                    last = failure;
                }
            }
            let rate = options.cap as f64 / begun.elapsed().as_secs_f64();
            for seed in 0..options.trials {
                if let Some(failure) = side.run(right, seed) {
                    progress(&format!(
                        "{name} {}: the twin fails at {seed}: {failure}",
                        side.name()
                    ));
                    break;
                }
            }
            progress(&format!(
                "{name} {}: {failures} of {}, {:.0} seeds; {rate:.0}/s {}",
                side.name(),
                options.cap,
                options.cap as f64 / failures as f64,
                last.lines().next().unwrap_or_default().chars().take(70).collect::<String>()
            ));
        }
    }
    let _ = writeln!(text);
    text
}
