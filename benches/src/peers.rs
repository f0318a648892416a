//! turmoil and madsim, each in a process of its own: `benches/peers`, a crate beside this workspace.
//!
//! It is built at the first use. A side is asked for one figure at a time, so that its rounds come in turn
//! with those of the others, and it looks at its own time.

use std::cell::RefCell;
use std::io::{self, BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

use crate::counting::Counts;

/// What a workload cost.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Figures {
    pub(crate) time: Duration,
    /// Nothing, unless the workload counts.
    pub(crate) counts: Counts,
}

/// One of them. Its process starts at the first question, and ends with its input.
#[derive(Debug)]
pub(crate) struct Peer {
    pub(crate) name: &'static str,
    process: RefCell<Option<Process>>,
}

#[derive(Debug)]
struct Process {
    questions: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
    child: Child,
}

/// Returns the folder of the commands.
fn built() -> Result<PathBuf, String> {
    let own =
        std::env::current_exe().map_err(|error| format!("this command is nowhere: {error}"))?;
    let target = own.ancestors().nth(2).ok_or("this command is not in a target folder")?;
    let target = target.join("peers");
    let status = Command::new("cargo")
        .args(["build", "--release", "--locked", "--target-dir"])
        .arg(&target)
        // Where a file says which flags madsim needs; the variable would stand above it.
        .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/peers"))
        .env_remove("RUSTFLAGS")
        .status();
    match status {
        Ok(status) if status.success() => Ok(target.join("release")),
        Ok(status) => Err(format!("building the peers failed: {status}")),
        Err(error) => Err(format!("cargo did not start: {error}")),
    }
}

impl Peer {
    pub(crate) fn new(name: &'static str) -> Self {
        Self { name, process: RefCell::new(None) }
    }

    /// Lets it do a workload of some size.
    ///
    /// # Panics
    /// When it cannot be built or started, or dies of the workload; it has said why.
    pub(crate) fn ask(&self, workload: &str, size: u32) -> Figures {
        let mut process = self.process.borrow_mut();
        let process = process.get_or_insert_with(|| {
            let started = built().and_then(|folder| Process::start(self.name, &folder));
            started.unwrap_or_else(|message| panic!("{}: {message}", self.name))
        });
        let answer = process.ask(workload, size);
        match answer.as_ref().map(|answer| figures(answer)) {
            Ok(Some(figures)) => figures,
            _ => panic!("{} has no answer to `{workload} {size}`: {answer:?}", self.name),
        }
    }
}

impl Process {
    fn start(name: &str, folder: &Path) -> Result<Self, String> {
        let mut command = Command::new(folder.join(format!("{name}_side")));
        let child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
        let mut child = child.map_err(|error| format!("it did not start: {error}"))?;
        let questions = child.stdin.take();
        let answers = child.stdout.take().map(BufReader::new).ok_or("it has no output")?;
        Ok(Self { questions, answers, child })
    }

    fn ask(&mut self, workload: &str, size: u32) -> io::Result<String> {
        let Some(questions) = &mut self.questions else { return Ok(String::new()) };
        writeln!(questions, "{workload} {size}")?;
        let mut answer = String::new();
        self.answers.read_line(&mut answer)?;
        Ok(answer)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.questions = None;
        drop(self.child.wait());
    }
}

/// Reads `NANOS ALLOCATIONS BYTES`.
fn figures(answer: &str) -> Option<Figures> {
    let mut words = answer.split_whitespace();
    let time = Duration::from_nanos(words.next()?.parse().ok()?);
    let counts = Counts {
        allocations: words.next()?.parse().ok()?,
        live_bytes: words.next()?.parse().ok()?,
    };
    Some(Figures { time, counts })
}
