//! The process that forks one for each run.
#![expect(
    clippy::exit,
    clippy::disallowed_methods,
    reason = "the process was started to serve only"
)]

use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::os::fd::AsFd as _;
use std::os::unix::net::UnixStream;
use std::panic;
use std::sync::Arc;
use std::thread;

use super::super::host::STACK_BYTES;
use super::super::sim::{Settings, Sim};
use super::super::world::Program;
use super::Bounds;
use super::child;
use super::wire::{Answer, Facts, Message};

/// Serves the check that started this process, on the socket that is its standard input, and ends the
/// process when nobody asks any more.
pub(crate) fn serve(program: &Program, settings: &Settings, bounds: Bounds) -> ! {
    let code =
        match Serving::begin().and_then(|socket| answer_all(socket, program, settings, bounds)) {
            Ok(()) => 0,
            // Whoever asks sees the socket close.
            Err(_) => 1,
        };
    std::process::exit(code)
}

struct Serving;

impl Serving {
    fn begin() -> io::Result<UnixStream> {
        let mut socket = UnixStream::from(io::stdin().as_fd().try_clone_to_owned()?);
        // A program that reads its standard input must not take requests away.
        nix::unistd::dup2_stdin(File::open("/dev/null")?)?;
        let threads = fs::read_dir("/proc/self/task")?.count();
        if threads == 1 {
            show_panics();
            send(&mut socket, &[])?;
            return Ok(socket);
        }
        let message = format!(
            "a process is forked while it has one thread, but at this check it has {threads}: start \
             no thread in front of it"
        );
        send(&mut socket, message.as_bytes())?;
        Err(io::Error::other(message))
    }
}

fn answer_all(
    mut socket: UnixStream,
    program: &Program,
    settings: &Settings,
    bounds: Bounds,
) -> io::Result<()> {
    let mut settings = settings.clone();
    while let Some(message) = receive(&mut socket)? {
        let sim = match Message::decode(&message) {
            Some(Message::Run(request)) => request.sim(&settings),
            Some(Message::Know(profile)) => {
                settings.profile = Some(Arc::new(profile));
                continue;
            }
            None => return Err(io::Error::other("a request that means nothing")),
        };
        let run = || on_a_thread(|| Answer::Ran(Facts::of(program.run(sim))).encode());
        let answer = match child::run(bounds, run)? {
            child::End::Answer(bytes) => bytes,
            child::End::Ended(end, output) => Answer::Ended { end, output }.encode(),
        };
        send(&mut socket, &answer)?;
    }
    Ok(())
}

/// Receives a message; none when nobody asks any more.
fn receive(socket: &mut UnixStream) -> io::Result<Option<Vec<u8>>> {
    let mut size = [0; 8];
    match socket.read_exact(&mut size) {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        result => result?,
    }
    let mut message = Vec::new();
    socket.take(u64::from_le_bytes(size)).read_to_end(&mut message)?;
    Ok(Some(message))
}

/// Prints panics of runs, too, which are else only noted: the last ones before an abort say why.
fn show_panics() {
    // The hook that notes them is set by the first run, and this one stands in front of it.
    let empty = Sim::new(0).run(|| async {});
    assert!(empty.is_ok(), "an empty program passes: {empty:?}");
    let note = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        // Where it cannot be written, the run still fails as it would.
        let _written = writeln!(io::stderr(), "{info}");
        note(info);
    }));
}

/// Calls `run` on a thread of its own, whose thread-locals are new: those of the main thread may hold what
/// the system has drawn before.
fn on_a_thread(run: impl FnOnce() -> Vec<u8> + Send) -> Vec<u8> {
    thread::scope(|scope| {
        let builder = thread::Builder::new().name("parcae run".to_owned()).stack_size(STACK_BYTES);
        let thread = builder.spawn_scoped(scope, run).expect("a process has one thread more");
        thread.join().unwrap_or_else(|payload| panic::resume_unwind(payload))
    })
}

fn send(socket: &mut UnixStream, message: &[u8]) -> io::Result<()> {
    socket.write_all(&(message.len() as u64).to_le_bytes())?;
    socket.write_all(message)
}
