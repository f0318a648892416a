//! What a scenario is, and how one is found by name.

use std::error::Error;
use std::fmt;
use std::future::Future;
use std::pin::Pin;

use crate::scenarios::ALL;

/// A small program with a known bug, and its repaired twin.
#[derive(Debug)]
pub(crate) struct Scenario {
    /// Name on the command line; that of the twin ends in `-fixed`.
    pub(crate) name: &'static str,
    /// What it is, in one line.
    pub(crate) summary: &'static str,
    /// What is wrong, and what the twin does about it.
    pub(crate) defect: &'static str,
    /// Where the bug is known from.
    pub(crate) source: &'static str,
    /// Kind of the failure, as `parcae::Failure::kind` names it.
    pub(crate) failure_kind: &'static str,
    /// Seeds, from 0 on and under the default strategy, within which it is found.
    pub(crate) seeds_until_found: u64,
    /// The program with the bug.
    pub(crate) buggy: Program,
    /// The repaired twin.
    pub(crate) fixed: Program,
}

/// Makes one run's future. A pointer, so that it can be called on any thread, for any seed.
pub(crate) type Program = fn() -> Pin<Box<dyn Future<Output = ()>>>;

/// One of the two programs of a scenario.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ScenarioProgram {
    pub(crate) scenario: &'static Scenario,
    pub(crate) variant: Variant,
}

/// Which of the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Variant {
    /// With the bug.
    Buggy,
    /// Repaired.
    Fixed,
}

impl ScenarioProgram {
    /// Finds a program by the name that reports and tokens use.
    pub(crate) fn parse(text: &str) -> Result<Self, UnknownScenario> {
        let (name, variant) = match text.strip_suffix(FIXED_SUFFIX) {
            Some(name) => (name, Variant::Fixed),
            None => (text, Variant::Buggy),
        };
        let scenario = ALL.iter().find(|scenario| scenario.name == name);
        scenario
            .map(|scenario| Self { scenario, variant })
            .ok_or_else(|| UnknownScenario::new(text))
    }

    /// Returns the repaired twin if it is asked for, or else the program itself.
    pub(crate) fn fixed_if(self, is_fixed: bool) -> Self {
        if is_fixed { Self { variant: Variant::Fixed, ..self } } else { self }
    }

    /// Returns the name that reports and tokens use.
    pub(crate) fn name(self) -> String {
        match self.variant {
            Variant::Buggy => self.scenario.name.to_owned(),
            Variant::Fixed => format!("{}{FIXED_SUFFIX}", self.scenario.name),
        }
    }

    pub(crate) fn program(self) -> Program {
        match self.variant {
            Variant::Buggy => self.scenario.buggy,
            Variant::Fixed => self.scenario.fixed,
        }
    }
}

/// A name that no scenario has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct UnknownScenario {
    text: String,
    nearest: Vec<&'static str>,
}

impl UnknownScenario {
    fn new(text: &str) -> Self {
        let mut names: Vec<(f64, &'static str)> = ALL
            .iter()
            .map(|scenario| (strsim::jaro_winkler(text, scenario.name), scenario.name))
            .filter(|(likeness, _)| *likeness >= LIKENESS_MIN)
            .collect();
        names.sort_by(|(first, _), (second, _)| second.total_cmp(first));
        let nearest = names.into_iter().map(|(_, name)| name).take(NEAREST_MAX).collect();
        Self { text: text.to_owned(), nearest }
    }
}

impl fmt::Display for UnknownScenario {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "there is no scenario {:?}", self.text)?;
        if !self.nearest.is_empty() {
            write!(formatter, "; did you mean `{}`?", self.nearest.join("` or `"))?;
        }
        formatter.write_str(" (`parcae list` shows all)")
    }
}

impl Error for UnknownScenario {}

const FIXED_SUFFIX: &str = "-fixed";
const LIKENESS_MIN: f64 = 0.7;
const NEAREST_MAX: usize = 3;
