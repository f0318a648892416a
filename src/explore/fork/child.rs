//! One forked process: its bounds, what it says, how it ends.
#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "a process is watched on real time"
)]
#![expect(unsafe_code, reason = "fork, and the end of a process without its destructors")]

use std::fs;
use std::io::{self, PipeReader, Read as _, Write as _};
use std::os::fd::AsFd as _;
use std::panic::{self, AssertUnwindSafe};
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::libc;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::{ForkResult, Pid, dup2_stderr, fork};

use super::Bounds;
use crate::executor::ProcessEnd;

/// How a child ended.
pub(super) enum End {
    /// With these bytes.
    Answer(Vec<u8>),
    /// Before it had any.
    Ended(ProcessEnd, String),
}

/// Calls `run` in a child of this process and returns what it returned there.
pub(super) fn run(bounds: Bounds, run: impl FnOnce() -> Vec<u8>) -> io::Result<End> {
    let (answer, answer_writer) = io::pipe()?;
    let (errors, errors_writer) = io::pipe()?;
    // SAFETY: the server has seen that this process has one thread, so no lock is held by another.
    let pid = match unsafe { fork() }? {
        ForkResult::Child => {
            let code = in_child(bounds, run, answer_writer, &errors_writer);
            // SAFETY: ends the process; what the parent registered to run at its exit is the parent's.
            unsafe { libc::_exit(code) }
        }
        ForkResult::Parent { child } => child,
    };
    drop((answer_writer, errors_writer));
    let mut watched = Watched { pid, bounds, answer: Vec::new(), output: Vec::new() };
    let is_stuck = !watched.read(answer, errors)?;
    watched.end(is_stuck)
}

fn in_child(
    bounds: Bounds,
    run: impl FnOnce() -> Vec<u8>,
    mut answer: io::PipeWriter,
    errors: &io::PipeWriter,
) -> i32 {
    let prepared = dup2_stderr(errors).is_ok() && limit(bounds).is_ok();
    if !prepared {
        return UNPREPARED;
    }
    // A panic of a run is a value; one that comes here is the library's, and has been printed.
    match panic::catch_unwind(AssertUnwindSafe(run)) {
        Ok(bytes) if answer.write_all(&bytes).is_ok() => 0,
        _ => UNPREPARED,
    }
}

/// Bounds the memory, and writes no memory image of a process that is aborted.
fn limit(bounds: Bounds) -> io::Result<()> {
    let pages = fs::read_to_string("/proc/self/statm")?;
    let pages = pages.split(' ').next().and_then(|pages| pages.parse::<u64>().ok());
    let used = pages.map_or(0, |pages| pages.saturating_mul(PAGE_BYTES));
    let (_, hard) = getrlimit(Resource::RLIMIT_AS)?;
    setrlimit(
        Resource::RLIMIT_AS,
        used.saturating_add(ARENA_BYTES).saturating_add(bounds.memory_bytes).min(hard),
        hard,
    )?;
    let (_, hard) = getrlimit(Resource::RLIMIT_CORE)?;
    Ok(setrlimit(Resource::RLIMIT_CORE, 0, hard)?)
}

struct Watched {
    pid: Pid,
    bounds: Bounds,
    answer: Vec<u8>,
    output: Vec<u8>,
}

impl Watched {
    /// Reads both pipes until the child has closed them; false when that takes too long.
    fn read(&mut self, mut answer: PipeReader, mut errors: PipeReader) -> io::Result<bool> {
        let begin = Instant::now();
        let (mut answers, mut complains) = (true, true);
        while answers || complains {
            let left = self.bounds.stuck_after.saturating_sub(begin.elapsed());
            if left.is_zero() {
                return Ok(false);
            }
            let left = PollTimeout::try_from(left.min(LONGEST_WAIT)).unwrap_or(PollTimeout::MAX);
            let watch = |is_open| if is_open { PollFlags::POLLIN } else { PollFlags::empty() };
            let mut ends = [
                PollFd::new(answer.as_fd(), watch(answers)),
                PollFd::new(errors.as_fd(), watch(complains)),
            ];
            match poll(&mut ends, left) {
                Err(Errno::EINTR) => continue,
                result => result?,
            };
            let [is_answer, is_error] = ends.map(|end| end.any().unwrap_or(false));
            if answers && is_answer {
                answers = read_some(&mut answer, &mut self.answer)?;
            }
            if complains && is_error {
                complains = read_some(&mut errors, &mut self.output)?;
                let excess = self.output.len().saturating_sub(OUTPUT_BYTES_MAX);
                self.output.drain(..excess);
            }
        }
        Ok(true)
    }

    fn end(self, is_stuck: bool) -> io::Result<End> {
        if is_stuck {
            kill(self.pid, Signal::SIGKILL)?;
        }
        let status = loop {
            match waitpid(self.pid, None) {
                Err(Errno::EINTR) => {}
                status => break status?,
            }
        };
        let output = String::from_utf8_lossy(&self.output).trim().to_owned();
        let Bounds { memory_bytes: limit_bytes, stuck_after: limit } = self.bounds;
        let end = match status {
            _ if is_stuck => ProcessEnd::Stuck { limit },
            WaitStatus::Exited(_, 0) if !self.answer.is_empty() => {
                return Ok(End::Answer(self.answer));
            }
            // As the standard library says it before it aborts.
            _ if output.contains("has overflowed its stack") => ProcessEnd::StackOverflow,
            _ if output.contains("memory allocation of") => ProcessEnd::OutOfMemory { limit_bytes },
            WaitStatus::Exited(_, code) => ProcessEnd::Exit { code },
            WaitStatus::Signaled(_, signal, _) => ProcessEnd::Signal { number: signal as i32 },
            status => return Err(io::Error::other(format!("a child is {status:?}"))),
        };
        Ok(End::Ended(end, output))
    }
}

/// Reads what is there; false at the end.
fn read_some(pipe: &mut PipeReader, bytes: &mut Vec<u8>) -> io::Result<bool> {
    let mut part = [0; 4096];
    let count = pipe.read(&mut part)?;
    bytes.extend_from_slice(&part[..count]);
    Ok(count > 0)
}

/// The smallest there is; with larger ones the limit is lower than asked for by what the server has.
const PAGE_BYTES: u64 = 4096;
/// Address space that malloc reserves for the thread of the run, and its stack.
const ARENA_BYTES: u64 = 132 << 20;
const OUTPUT_BYTES_MAX: usize = 2048;
const LONGEST_WAIT: Duration = Duration::from_secs(60);
const UNPREPARED: i32 = 125;
