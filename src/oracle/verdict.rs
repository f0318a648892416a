//! What a checker says of a history.

use std::fmt::{self, Write as _};

use super::history::{Effect, Operation};

/// What a checker says of a history. What the witness is depends on the checker.
///
/// `Unknown` is neither right nor wrong: nothing was found, and not everything was looked at. Both [`is_consistent`](Self::is_consistent)
/// and [`is_violated`](Self::is_violated) are then false, and [`unwrap`](Self::unwrap) panics.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "a verdict that nobody looks at finds nothing"]
pub enum HistoryVerdict<W = Witness> {
    /// A right system can have answered so.
    Consistent,
    /// No right system can have answered so.
    Violated(Box<W>),
    /// Neither is known.
    Unknown(Unjudged),
}

/// Why a checker does not know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Unjudged {
    /// The budget was used up.
    Budget {
        /// How many steps that was.
        steps: u64,
    },
    /// Two operations wrote one value to one key: who read it does not tell whose it was. Numbers are places in the slice of
    /// operations.
    WrittenTwice {
        /// Who wrote it.
        first: usize,
        /// Who wrote it, too.
        second: usize,
    },
}

impl fmt::Display for Unjudged {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Budget { steps } => write!(formatter, "after {steps} steps"),
            Self::WrittenTwice { first, second } => {
                write!(formatter, "operations {first} and {second} wrote the same value")
            }
        }
    }
}

/// Why a history is not that of a right system. Numbers are places in the slice of operations that was checked.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Witness {
    /// An order of operations that explains all answers before [`unanswerable`](Self::unanswerable) was known.
    pub linearized: Vec<usize>,
    /// The first operation whose answer nothing explains: the history up to its end, without it, is right; with it, it is
    /// not. Those under way then have the answers that they got later.
    pub unanswerable: usize,
    /// The operations that could have taken effect next: they were under way with it. It is among them.
    pub conflict: Vec<usize>,
    /// The state behind [`linearized`](Self::linearized), as `Debug` shows it.
    pub state: String,
}

impl<W: fmt::Display> HistoryVerdict<W> {
    /// Tells whether a right system can have answered so. `Unknown` is not.
    #[must_use]
    pub const fn is_consistent(&self) -> bool {
        matches!(self, Self::Consistent)
    }

    /// Tells whether no right system can have answered so. `Unknown` is not.
    #[must_use]
    pub const fn is_violated(&self) -> bool {
        matches!(self, Self::Violated(_))
    }

    /// Panics unless it is consistent.
    ///
    /// # Panics
    /// When the history is not that of a right system, and when that is unknown.
    #[track_caller]
    pub fn unwrap(&self) {
        match self {
            Self::Consistent => {}
            Self::Violated(witness) => panic!("{witness}"),
            Self::Unknown(cause) => panic!("unknown whether the history is right: {cause}"),
        }
    }
}

impl<W: fmt::Display> fmt::Display for HistoryVerdict<W> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Consistent => formatter.write_str("the history is right"),
            Self::Violated(witness) => witness.fmt(formatter),
            Self::Unknown(cause) => {
                write!(formatter, "unknown whether the history is right: {cause}")
            }
        }
    }
}

impl fmt::Display for Witness {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { linearized, unanswerable, state, .. } = self;
        write!(
            formatter,
            "no order explains the answer of operation {unanswerable}; {} others lead to {state}",
            linearized.len()
        )
    }
}

impl Witness {
    /// Returns it in words, one line for each operation that could have taken effect next, with what came before.
    #[must_use]
    pub fn text<I: fmt::Debug, O: fmt::Debug>(&self, operations: &[Operation<I, O>]) -> String {
        let line = |mark: &str, place| line(mark, place, operations);
        let mut text = String::new();
        let first = self.linearized.len().saturating_sub(LINES_BEFORE);
        if first > 0 {
            let _ = writeln!(text, "  {first} operations");
        }
        self.linearized[first..].iter().for_each(|&place| text += &line(" ", place));
        let _ = writeln!(text, "  the state is {}; what was under way:", self.state);
        for &place in &self.conflict {
            text += &line(if place == self.unanswerable { "!" } else { "?" }, place);
        }
        text
    }
}

/// Returns a line about an operation.
pub(super) fn line<I: fmt::Debug, O: fmt::Debug>(
    mark: &str,
    place: usize,
    operations: &[Operation<I, O>],
) -> String {
    let Operation { client, input, effect, .. } = &operations[place];
    let answer = match effect {
        Effect::Returned(output) => format!("{output:?}"),
        Effect::Failed => "failed".to_owned(),
        Effect::Unknown => "unknown".to_owned(),
    };
    format!("{mark} operation {place}, client {client}: {input:?} -> {answer}\n")
}

const LINES_BEFORE: usize = 5;
