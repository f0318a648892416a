//! A process for each run, forked from one that has a single thread.
//!
//! A process with threads must not be forked: the child has one thread, and locks that the others held
//! (of the allocator, of the standard output) stay locked in it for ever. A test runs beside others, so
//! the check starts its own executable once more for each of its threads, with a variable that names
//! the check: a *server*. Under libtest it is started with the exact name of the test, and with
//! `RUST_MIN_STACK` larger than the address space: libtest then gets no thread for the test and runs it
//! on the main one, as on a machine that has no more threads. (`--test-threads=1` alone still makes one.)
//! Anything else is started with the arguments that this process has. The server comes to the same check, sees that it is the one that
//! is meant, makes sure that it has one thread, and then forks for each world that it is asked for:
//!
//! ```text
//! check ──world──> server ──fork──> run ──> what it came to (wire) ──> server ──> check
//!                     └ ends it when it is stuck; says how it ended when it did not come to its end
//! ```
//!
//! All runs begin from one state of the server, so that statics, thread-locals and lazy caches of other
//! crates are as new in each. The standard output of runs goes nowhere; the end of their standard
//! error stands in the failure, if the process did not survive.
#![expect(clippy::disallowed_methods, reason = "this executable is started again, as it was")]

mod child;
mod server;
mod wire;

use std::fmt;
use std::io::{self, Read as _, Write as _};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt as _;
use std::panic::Location;
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

pub(super) use self::server::serve;
use self::wire::Message;
pub(super) use self::wire::{Answer, Facts, Purpose, Request};
use super::host::SERVER_VARIABLE;
use super::strategy::Profile;
use crate::executor::{Failure, ProcessEnd};

/// What bounds the process of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Bounds {
    /// Most memory beyond what the server has.
    pub(super) memory_bytes: u64,
    /// Most real time.
    pub(super) stuck_after: Duration,
}

/// How to start this executable once more, so that it comes to the same check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Relaunch {
    key: String,
    arguments: Vec<String>,
    is_libtest: bool,
}

impl Relaunch {
    /// Takes the arguments from the thread: libtest gives it the name of its test.
    pub(super) fn of_here(name: &str, place: &Location<'_>, test: Option<&str>) -> Self {
        let thread = std::thread::current();
        let test = test.or_else(|| thread.name().filter(|name| *name != "main"));
        let arguments = match test {
            Some(test) => {
                let options = ["--exact", "--include-ignored", "--nocapture", "--test-threads=1"];
                [test].into_iter().chain(options).map(str::to_owned).collect()
            }
            None => std::env::args().skip(1).collect(),
        };
        Self { key: format!("{name} at {place}"), arguments, is_libtest: test.is_some() }
    }

    /// Tells whether this process was started to serve this check.
    pub(super) fn is_meant_here(&self) -> bool {
        std::env::var(SERVER_VARIABLE).is_ok_and(|key| key == self.key)
    }
}

/// The servers of one check: as many as there are threads that ask, and as many more for second runs.
#[derive(Debug)]
pub(super) struct Forks {
    relaunch: Relaunch,
    first: Mutex<Vec<Server>>,
    second: Mutex<Vec<Server>>,
    /// What pilots have shown; servers are told before their next run.
    profile: Mutex<Option<Profile>>,
}

impl Forks {
    pub(super) fn new(relaunch: Relaunch) -> Self {
        Self {
            relaunch,
            first: Mutex::default(),
            second: Mutex::default(),
            profile: Mutex::default(),
        }
    }

    /// Has all runs from here on know what pilots have shown.
    pub(super) fn know(&self, profile: Profile) {
        *self.profile.lock().unwrap_or_else(PoisonError::into_inner) = Some(profile);
    }

    /// Runs a world in a process of its own.
    pub(super) fn run(&self, request: Request) -> Result<Answer, NoProcess> {
        self.ask(&self.first, request)
    }

    /// Runs a world twice, in children of two servers: what depends on addresses differs.
    pub(super) fn run_twice(&self, request: &Request) -> Result<(Answer, Answer), NoProcess> {
        Ok((self.ask(&self.first, request.clone())?, self.ask(&self.second, request.clone())?))
    }

    /// Asks a server that nobody is asking meanwhile.
    fn ask(&self, idle: &Mutex<Vec<Server>>, request: Request) -> Result<Answer, NoProcess> {
        let lock = || idle.lock().unwrap_or_else(PoisonError::into_inner);
        let waiting = lock().pop();
        let mut server = waiting.map_or_else(|| Server::start(&self.relaunch), Ok)?;
        if !server.has_profile {
            let profile = self.profile.lock().unwrap_or_else(PoisonError::into_inner).clone();
            profile.map_or(Ok(()), |profile| server.know(profile))?;
        }
        let answer = server.ask(request)?;
        lock().push(server);
        Ok(answer)
    }

    /// Says where two runs of a world part, whose answers differed.
    pub(super) fn first_difference(&self, request: Request) -> Result<Failure, NoProcess> {
        let (first, second) = self.run_twice(&request.logged())?;
        let lines = |answer: &Answer| match answer {
            Answer::Ran(facts) => facts.lines.clone(),
            Answer::Ended { .. } => Vec::new(),
        };
        let end = |answer: &Answer| match answer {
            Answer::Ran(Facts { failure: Some(text), .. }) => text.clone(),
            Answer::Ran(_) => "has ended".to_owned(),
            Answer::Ended { end, .. } => end.to_string(),
        };
        let (left, right) = (lines(&first), lines(&second));
        let event = left
            .iter()
            .zip(&right)
            .position(|(left, right)| left != right)
            .unwrap_or_else(|| left.len().min(right.len()));
        let at =
            |lines: &[String], answer| lines.get(event).cloned().unwrap_or_else(|| end(answer));
        let (first, second) = (at(&left, &first), at(&right, &second));
        Ok(Failure::Nondeterminism { event, first, second })
    }
}

/// A process that forks one for each run.
#[derive(Debug)]
struct Server {
    process: Child,
    socket: UnixStream,
    has_profile: bool,
}

impl Server {
    fn start(relaunch: &Relaunch) -> Result<Self, NoProcess> {
        let (socket, theirs) = UnixStream::pair().map_err(|error| NoProcess::of(&error))?;
        let mut command = Command::new("/proc/self/exe");
        if let Some(name) = std::env::args_os().next() {
            command.arg0(name);
        }
        if relaunch.is_libtest {
            command.env("RUST_MIN_STACK", (1_u64 << 48).to_string());
        }
        let process = command
            // Ctrl-C is for the check, which ends this one.
            .process_group(0)
            .args(&relaunch.arguments)
            .env(SERVER_VARIABLE, &relaunch.key)
            .stdin(Stdio::from(OwnedFd::from(theirs)))
            .stdout(Stdio::null())
            .spawn()
            .map_err(|error| NoProcess::of(&error))?;
        // It holds the other end, which would never seem to close.
        drop(command);
        let mut server = Self { process, socket, has_profile: false };
        match server.receive().map_err(|_| NoProcess::unreached(relaunch))?.as_slice() {
            [] => Ok(server),
            message => Err(NoProcess { message: String::from_utf8_lossy(message).into_owned() }),
        }
    }

    fn ask(&mut self, request: Request) -> Result<Answer, NoProcess> {
        let exchange = || {
            self.send(&Message::Run(request))?;
            let answer = self.receive()?;
            Answer::decode(&answer).ok_or_else(|| io::Error::other("an answer that means nothing"))
        };
        exchange().map_err(|error| NoProcess::of(&error))
    }

    fn know(&mut self, profile: Profile) -> Result<(), NoProcess> {
        self.has_profile = true;
        self.send(&Message::Know(profile)).map_err(|error| NoProcess::of(&error))
    }

    fn send(&mut self, message: &Message) -> io::Result<()> {
        let bytes = message.encode();
        self.socket.write_all(&(bytes.len() as u64).to_le_bytes())?;
        self.socket.write_all(&bytes)
    }

    fn receive(&mut self) -> io::Result<Vec<u8>> {
        let mut size = [0; 8];
        self.socket.read_exact(&mut size)?;
        let mut message = Vec::new();
        (&self.socket).take(u64::from_le_bytes(size)).read_to_end(&mut message)?;
        Ok(message)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It ends when nobody asks any more; killed, as it may also be on the way to the check.
        let killed = self.process.kill();
        let waited = self.process.wait();
        debug_assert!(killed.is_ok() && waited.is_ok(), "{killed:?} {waited:?}");
    }
}

/// The machine gives no process to a run that asks for one of its own ([`Isolation::Fork`]).
///
/// [`Isolation::Fork`]: super::Isolation::Fork
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct NoProcess {
    /// Why.
    pub message: String,
}

impl NoProcess {
    fn of(error: &io::Error) -> Self {
        Self { message: error.to_string() }
    }

    fn unreached(relaunch: &Relaunch) -> Self {
        let Relaunch { key, arguments, .. } = relaunch;
        let message = format!(
            "this executable, started again with the arguments {arguments:?}, did not come to the \
             check {key}; checks of one program with processes of their own differ in name or line"
        );
        Self { message }
    }
}

impl fmt::Display for NoProcess {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "no process for a run: {}", self.message)
    }
}

impl std::error::Error for NoProcess {}

/// Returns the failure of a run whose process has ended.
pub(super) fn ended(end: ProcessEnd, output: String) -> Failure {
    Failure::Process { end, output }
}
