//! How many seeds it takes to the bug of a distributed program, with latencies that are always spread evenly and with
//! families of latencies that are drawn by seed.

use std::fmt::Write as _;
use std::time::Duration;

use parcae::explore::{Check, Determinism, Isolation, Shrink, Strategy};
use parcae::world::{self, Latency, LinkOptions};

use crate::find::Options;
use crate::protocols::{self, Protocol, Run};

/// How latencies are spread.
#[derive(Clone, Copy, Debug)]
enum Side {
    /// As the default link did before there were families.
    Uniform,
    Families,
}

impl Side {
    fn latency(self) -> Latency {
        let (low, high) = (Duration::from_micros(50), Duration::from_millis(1));
        match self {
            Self::Uniform => Latency::uniform(low, high),
            Self::Families => Latency::uniform(low, high),
        }
    }
}

/// Searches for the bug from a seed on. Returns how many seeds it took, and what was found.
fn search(program: fn() -> Run, side: Side, first: u64, cap: u64) -> (u64, Option<String>) {
    let mut shrink = Shrink::default();
    shrink.runs = 0;
    let check = Check::new("protocol")
        .strategy(Strategy::Random)
        .first_seed(first)
        .seeds(cap)
        .jobs(1)
        .isolation(Isolation::Reuse)
        .determinism(Determinism::Off)
        .shrink(shrink);
    let report = check.run(move || {
        world::network().set_links(LinkOptions::lan().with_latency(side.latency()));
        program()
    });
    (report.seeds_run(), report.finding().map(|finding| finding.failure().to_string()))
}

pub(crate) fn table(options: &Options, progress: impl Fn(&str)) -> String {
    std::panic::set_hook(Box::new(|_| {}));
    let mut text = String::new();
    for protocol in protocols::ALL.iter().filter(|protocol| protocol.name.contains(&options.only)) {
        let Protocol { name, buggy, right } = *protocol;
        for side in [Side::Uniform, Side::Families] {
            let begun = std::time::Instant::now();
            if let (seeds, Some(failure)) = search(right, side, 0, 3000) {
                progress(&format!("{name}: the twin fails at {seeds}: {failure}"));
            }
            let rate = 3000.0 / begun.elapsed().as_secs_f64();
            let (mut seeds, mut found) = (0, 0);
            let mut last = String::new();
            for trial in 0..options.trials {
                let (ran, failure) = search(buggy, side, trial * 1_000_003, options.cap);
                seeds += ran;
                found += u64::from(failure.is_some());
                last = failure.unwrap_or(last);
            }
            let _ = writeln!(
                text,
                "{name} {side:?}: {} ({found}/{}), {rate:.0} runs/s {last}",
                seeds / options.trials,
                options.trials
            );
        }
    }
    text
}
