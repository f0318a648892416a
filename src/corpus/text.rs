//! A failing world as text.

use std::fmt;

use super::error::FormatError;
use crate::explore::{Finding, ReplayToken, Signature, Strategy};
use crate::kernel::{Fill, Seed, hash_text};
use crate::report;

/// A world that failed, and what was known of it then.
///
/// Its `Display` is the content of its file, and [`FailingWorld::parse`] reads that again.
///
/// # Examples
/// ```
/// use parcae::corpus::FailingWorld;
/// use parcae::explore::Check;
///
/// let report = Check::new("kv::starts").run(|| async { Err::<(), _>("no config") });
/// let finding = report.finding().expect("it always fails");
/// let world = FailingWorld::of(finding, "build 7").expect("it can be replayed");
/// assert_eq!(world.signature, "error: \"no config\"");
/// assert_eq!(FailingWorld::parse(&world.to_string()), Ok(world));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FailingWorld {
    /// The run.
    pub token: ReplayToken,
    /// What was the failure, without numbers: with the name of the check, what tells it from others.
    pub signature: String,
    /// What was the failure.
    pub failure: String,
    /// The seed that found it.
    pub seed: Seed,
    /// The strategy that found it.
    pub strategy: Strategy,
    /// The choices that differ from the default world's, in words.
    pub choices: Vec<String>,
    /// Which build of the program found it.
    pub build: String,
}

impl FailingWorld {
    /// Takes the world of a finding; none of one that no world decides, nor of one that is still a seed: to run that again
    /// takes the pilots, which are other runs.
    #[must_use]
    pub fn of(finding: &Finding, build: &str) -> Option<Self> {
        let token = finding.token().filter(|_| finding.world().fill == Fill::Default)?.clone();
        let overrides = &finding.world().overrides;
        let choices = overrides
            .iter()
            .map(|(key, value)| finding.log().describe_override(*key, *value))
            .collect();
        Some(Self::new(
            token,
            (&Signature::of(finding.failure()).to_string(), &finding.failure().to_string()),
            (finding.seed(), finding.strategy()),
            choices,
            build,
        ))
    }

    /// Makes a world of its token, the failure and its signature as texts, and who found it. Texts are stripped
    /// of what a file of lines would not keep.
    #[must_use]
    pub fn new(
        token: ReplayToken,
        (signature, failure): (&str, &str),
        (seed, strategy): (Seed, Strategy),
        choices: Vec<String>,
        build: &str,
    ) -> Self {
        Self {
            token,
            signature: kept(signature),
            failure: kept(failure),
            seed,
            strategy,
            choices: choices
                .iter()
                .map(|text| kept(&text.replace('\n', " ")))
                .filter(|text| !text.is_empty())
                .collect(),
            build: kept(&build.replace('\n', " ")),
        }
    }

    /// Returns the name of the check.
    #[must_use]
    pub fn check(&self) -> &str {
        &self.token.name
    }

    /// Returns the name of its file: of the check, and a hash of check and signature.
    #[must_use]
    pub fn file_name(&self) -> String {
        let hash = hash_text(&format!("{}\n{}", self.check(), self.signature));
        format!("{}{hash:016x}.{EXTENSION}", file_prefix(self.check()))
    }

    /// Reads what `Display` has written. Ends of lines may be those of Windows.
    ///
    /// # Errors
    /// [`FormatError`] says which line is wrong, and what would be right.
    pub fn parse(text: &str) -> Result<Self, FormatError> {
        let mut lines = text.lines();
        let first = lines.next().unwrap_or_default();
        let version = first.trim_end().strip_prefix(TITLE).ok_or_else(|| FormatError::Foreign {
            found: first.to_owned(),
            expected: format!("{TITLE}{FORMAT}"),
        })?;
        if version != FORMAT {
            return Err(FormatError::OtherVersion { found: version.to_owned(), read: FORMAT });
        }
        let mut reader =
            Reader { rest: lines.enumerate().collect::<Vec<_>>().into_iter().peekable() };
        let token: ReplayToken = reader.value("token")?.parse().map_err(FormatError::Token)?;
        let check = reader.value("check")?;
        if check != token.name {
            return Err(FormatError::OtherCheck { token: token.name, check });
        }
        let (signature, failure) = (reader.value("signature")?, reader.value("failure")?);
        let seed = reader.value("seed")?;
        let seed =
            Seed::parse(&seed).map_err(|_| FormatError::Value { label: "seed", found: seed })?;
        let strategy = reader.value("strategy")?;
        let strategy = strategy
            .parse()
            .map_err(|_| FormatError::Value { label: "strategy", found: strategy })?;
        let choices = reader.value("choices")?;
        let choices = choices.lines().map(str::to_owned).collect();
        let build = reader.value("build")?;
        reader.end()?;
        Ok(Self { token, signature, failure, seed, strategy, choices, build })
    }

    /// Returns which of two worlds of one failure and one build stays: the lower.
    pub(super) fn order(&self) -> (u64, String) {
        (self.seed.get(), self.to_string())
    }
}

impl fmt::Display for FailingWorld {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(formatter, "{TITLE}{FORMAT}")?;
        let choices = self.choices.join("\n");
        let (seed, strategy) = (self.seed.to_string(), self.strategy.name());
        let token = self.token.to_string();
        let values: [(&str, &str); 8] = [
            ("token", &token),
            ("check", self.check()),
            ("signature", &self.signature),
            ("failure", &self.failure),
            ("seed", &seed),
            ("strategy", strategy),
            ("choices", &choices),
            ("build", &self.build),
        ];
        for (label, value) in values {
            for (index, line) in value.split('\n').enumerate() {
                let label = if index == 0 { label } else { "" };
                let line = format!("{label:LABEL_WIDTH$}{line}");
                writeln!(formatter, "{}", line.trim_end())?;
            }
        }
        Ok(())
    }
}

/// Returns how the files of a check begin. Other checks' may begin alike.
pub(super) fn file_prefix(check: &str) -> String {
    format!("{}-", report::safe_name(check))
}

/// The lines after the first.
struct Reader<'a> {
    rest: std::iter::Peekable<std::vec::IntoIter<(usize, &'a str)>>,
}

impl Reader<'_> {
    /// Returns the value behind a label, which may go on in lines that are indented or empty.
    fn value(&mut self, label: &'static str) -> Result<String, FormatError> {
        let wrong = |found: Option<(usize, &str)>| FormatError::Line {
            // From 1, and behind the title.
            number: found.map(|(index, _)| index + 2),
            found: found.map(|(_, line)| line.to_owned()).unwrap_or_default(),
            expected: label,
        };
        let next = self.rest.next();
        let value = next
            .and_then(|(_, line)| line.strip_prefix(label))
            .filter(|rest| rest.is_empty() || rest.starts_with(' '))
            .ok_or_else(|| wrong(next))?;
        let padding = LABEL_WIDTH - label.len();
        let mut value =
            value.get(padding.min(value.len())..).ok_or_else(|| wrong(next))?.to_owned();
        let indent = " ".repeat(LABEL_WIDTH);
        let is_more = |line: &str| line.is_empty() || line.starts_with(&indent);
        while let Some((_, line)) = self.rest.next_if(|(_, line)| is_more(line)) {
            value.push('\n');
            value.push_str(line.strip_prefix(&indent).unwrap_or(line));
        }
        Ok(kept(&value))
    }

    fn end(&mut self) -> Result<(), FormatError> {
        match self.rest.next() {
            None => Ok(()),
            Some((index, line)) => Err(FormatError::Line {
                number: Some(index + 2),
                found: line.to_owned(),
                expected: "",
            }),
        }
    }
}

/// Returns a text as a file keeps it: no control characters but ends of lines, nothing at the ends of lines,
/// no empty lines around it.
pub(super) fn kept(text: &str) -> String {
    let line = |line: &str| {
        let shown = |character: char| match character.is_control() {
            true => character.escape_default().to_string(),
            false => character.to_string(),
        };
        line.trim_end().chars().map(shown).collect::<String>()
    };
    let lines: Vec<String> = text.lines().map(line).collect();
    lines.join("\n").trim_matches('\n').to_owned()
}

/// What the file of a failing world ends in. Other files may lie beside them.
pub(super) const EXTENSION: &str = "world";
const TITLE: &str = "parcae failing world, format ";
const FORMAT: &str = "1";
/// As in saved reports.
const LABEL_WIDTH: usize = 10;
