//! Threads that run a program on real time.

use std::future::{Future, pending, poll_fn};
use std::panic::Location;
use std::rc::Rc;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use async_channel::{Receiver, Sender};
use futures_lite::future;

use super::error::{RunError, StartError};
use super::options::{Options, PanicPolicy};
use super::outcome::{Outcome, TaskFailure, Unfinished};
use super::signals::SignalWatch;
use crate::context;
use crate::ending::JoinEnd;
use crate::kernel::Seed;
use crate::task::{self, CancelToken};
use crate::worker::{Asked, Message, PROGRAM, Run, SpawnOptions, Worker, install_hook};

/// Threads that run a program on real time.
///
/// It is for one program: [`Runtime::run`] ends it. Before that, and meanwhile from other threads,
/// [`spawn_on`](crate::task::spawn_on) gives work to its [`workers`](Runtime::workers). Dropping it is
/// [`Runtime::shutdown`] without a report.
///
/// # Examples
/// Work for a thread of its own, from a program that is not asynchronous:
/// ```
/// use parcae::real::{Options, Runtime};
/// use parcae::task::spawn_on;
///
/// let runtime = Runtime::new(Options::default().with_workers(2))?;
/// let task = spawn_on(&runtime.workers()[1], || async { 6 * 7 });
/// assert_eq!(futures::executor::block_on(task), 42);
/// assert!(runtime.shutdown().unfinished.is_empty());
/// # Ok::<(), parcae::real::StartError>(())
/// ```
#[derive(Debug)]
pub struct Runtime {
    /// None once it has been run or shut down.
    parts: Option<Parts>,
}

#[derive(Debug)]
struct Parts {
    options: Options,
    run: Arc<Run>,
    inbox: Receiver<Message>,
    signals: SignalWatch,
    /// Says which worker has ended.
    ended: Receiver<usize>,
}

impl Runtime {
    /// Starts the threads.
    ///
    /// # Errors
    /// [`StartError`] when there is to be no worker, or the system gives no thread, no signals or no seed.
    pub fn new(options: Options) -> Result<Self, StartError> {
        install_hook();
        if options.workers == 0 {
            return Err(StartError::NoWorkers);
        }
        let seed = match options.seed {
            Some(seed) => seed,
            None => seed_of_system()?,
        };
        let signals = SignalWatch::new(options.signals).map_err(StartError::Signals)?;
        let ends_on_trouble = options.panics == PanicPolicy::ShutDown;
        let (run, inboxes) = Run::new(seed, options.workers, ends_on_trouble);
        let mut inboxes = (0..).zip(inboxes);
        let (_, inbox) = inboxes.next().expect("there is a worker");
        let (ends, ended) = async_channel::unbounded();
        // Dropped on an error, which ends the threads that there are.
        let parts = Parts { options, run: run.clone(), inbox, signals, ended };
        let runtime = Self { parts: Some(parts) };
        let mut start_all =
            inboxes.map(|(index, inbox)| start(run.clone(), index, inbox, ends.clone()));
        let started = start_all.try_for_each(|started| started);
        // Before the runtime, on an error: it waits for the threads that have one of these.
        drop(start_all);
        drop(ends);
        started.map(|()| runtime)
    }

    /// Returns the threads that run tasks, that of the program first.
    #[must_use]
    pub fn workers(&self) -> Vec<task::Worker> {
        self.parts().run.workers().map(task::Worker::of).collect()
    }

    /// Returns what random draws depend on.
    #[must_use]
    pub fn seed(&self) -> Seed {
        self.parts().run.seed
    }

    fn parts(&self) -> &Parts {
        self.parts.as_ref().expect("it is taken by what takes the runtime")
    }

    /// Runs a program on this thread, as its worker 0, and ends in good order: see [the module](super).
    ///
    /// # Panics
    /// When this thread is inside of a runtime already.
    #[track_caller]
    pub fn run<F>(mut self, future: F) -> Outcome<F::Output>
    where
        F: Future + 'static,
        F::Output: 'static,
    {
        let mut parts = self.parts.take().expect("it is taken once");
        let worker = Rc::new(Worker::new(parts.run.clone(), 0));
        let entered = match context::enter(worker.clone()) {
            Ok(entered) => entered,
            Err(nested) => {
                self.parts = Some(parts);
                panic!("{nested}")
            }
        };
        let spawned_at = Location::caller();
        let options = SpawnOptions { name: Some(PROGRAM.into()), is_eager: false, spawned_at };
        let program = worker.spawn(future, options);
        let end = parts.drive(&worker, poll_fn(|context| program.poll_left(context.waker())));
        program.detach();
        let unfinished = parts.end(Some(&worker));
        worker.clear();
        drop(entered);
        parts.outcome(end, unfinished)
    }

    /// Ends the threads in good order: tasks are cancelled, and their cleanups awaited within the grace.
    pub fn shutdown(mut self) -> Outcome<()> {
        let mut parts = self.parts.take().expect("it is taken once");
        let unfinished = parts.end(None);
        parts.outcome(End::Program(JoinEnd::Value(())), unfinished)
    }
}

impl Drop for Runtime {
    fn drop(&mut self) {
        if let Some(mut parts) = self.parts.take() {
            drop(parts.end(None));
        }
    }
}

/// Why a program is over.
enum End<T> {
    Program(JoinEnd<T>),
    /// Nobody observed that a task failed.
    Trouble,
    /// It was asked to end and did not, or could not.
    Overdue(RunError),
}

impl Parts {
    /// Runs tasks until the program has ended, or is not to go on.
    fn drive<T>(&mut self, worker: &Worker, program: impl Future<Output = JoinEnd<T>>) -> End<T> {
        let (token, grace) = (task::shutdown_token(), self.options.grace);
        let (inbox, signals) = (&self.inbox, &mut self.signals);
        let program = async { End::Program(program.await) };
        let asked = async {
            match worker.attend(inbox).await {
                Asked::ToShutDown => End::Trouble,
                Asked::ToEnd => pending().await,
            }
        };
        let overdue = async {
            let error = overdue(signals, &token, grace).await;
            End::Overdue(error)
        };
        worker.drive(future::or(program, future::or(asked, overdue)))
    }

    /// Refuses new tasks, cancels those that there are, and waits for them and their cleanups, for its grace
    /// or until a signal comes. Returns what has not ended.
    fn end(&mut self, worker: Option<&Worker>) -> Vec<Unfinished> {
        self.run.cancel_all();
        let others = self.options.workers - 1;
        self.tell_others(|| Message::Close);
        // Nobody is there any more to do what this thread was sent.
        empty(&self.inbox);
        let run = self.run.clone();
        let ended = self.ended.clone();
        let quiet = async move {
            run.quiet(0).await;
            for _ in 0..others {
                let _ = ended.recv().await;
            }
        };
        let grace = self.options.grace;
        let signals = &mut self.signals;
        let cut = async {
            signals.next().await;
        };
        wait(worker, future::or(quiet, cut), grace);
        let unfinished: Vec<_> = self.run.close().iter().map(|core| Unfinished::of(core)).collect();
        for task in &unfinished {
            tracing::warn!(target: "parcae", %task, "a task has not ended");
        }
        if !unfinished.is_empty() {
            self.tell_others(|| Message::Abandon);
            let ended = self.ended.clone();
            // Closed when all threads that can end have. One that is stuck is left alone.
            let gone = async move { while ended.recv().await.is_ok() {} };
            wait(worker, gone, ABANDONED);
        }
        unfinished
    }

    fn tell_others(&self, message: impl Fn() -> Message) {
        (1..self.options.workers).for_each(|index| self.run.send(index, message()));
    }

    fn outcome<T>(&self, end: End<T>, unfinished: Vec<Unfinished>) -> Outcome<T> {
        let mut failures: Vec<_> =
            self.run.take_troubles().into_iter().map(TaskFailure::of).collect();
        let is_failed = self.options.panics == PanicPolicy::ShutDown && !failures.is_empty();
        let result = match end {
            End::Program(JoinEnd::Panicked(panic)) => {
                Err(RunError::Program(TaskFailure::of_program(*panic)))
            }
            _ if is_failed => Err(RunError::Task(failures.remove(0))),
            End::Program(JoinEnd::Value(value)) => Ok(value),
            End::Overdue(error) => Err(error),
            End::Program(JoinEnd::Cancelled | JoinEnd::Gone) | End::Trouble => {
                unreachable!("nobody else cancels the program, and trouble is kept")
            }
        };
        Outcome { result, unfinished, failures, seed: self.run.seed }
    }
}

/// Waits until the program has been asked to end and its grace is over, or a second signal has come.
async fn overdue(signals: &mut SignalWatch, token: &CancelToken, grace: Duration) -> RunError {
    let grace_is_over = async {
        let reason = token.cancelled().await;
        async_io::Timer::after(grace).await;
        RunError::Overdue { reason, grace }
    };
    let second_signal = async {
        let reason = signals.watch(token).await;
        RunError::Interrupted { reason }
    };
    future::or(second_signal, grace_is_over).await
}

/// Waits for a future, but no longer than so long; tasks go on meanwhile.
fn wait(worker: Option<&Worker>, until: impl Future<Output = ()>, grace: Duration) {
    let timer = async {
        async_io::Timer::after(grace).await;
    };
    let bounded = future::or(until, timer);
    match worker {
        Some(worker) => worker.drive(bounded),
        None => async_io::block_on(bounded),
    }
}

/// Refuses messages, and drops those that have come: their tasks have ended before they began.
fn empty(inbox: &Receiver<Message>) {
    inbox.close();
    while inbox.try_recv().is_ok() {}
}

fn start(
    run: Arc<Run>,
    index: usize,
    inbox: Receiver<Message>,
    ends: Sender<usize>,
) -> Result<(), StartError> {
    let work = move || {
        let worker = Rc::new(Worker::new(run, index));
        let entered = context::enter(worker.clone()).expect("a new thread is inside of no run");
        worker.drive(worker.attend(&inbox));
        empty(&inbox);
        worker.clear();
        drop(entered);
        let _ = ends.try_send(index);
    };
    let thread = thread::Builder::new().name(format!("parcae-{index}")).spawn(work);
    thread.map(drop).map_err(|error| StartError::Thread { worker: index, error })
}

fn seed_of_system() -> Result<Seed, StartError> {
    let bits = getrandom::u64();
    bits.map(Seed::new).map_err(|error| StartError::Seed(error.into()))
}

/// How long threads have that are asked to drop what they have.
const ABANDONED: Duration = Duration::from_secs(1);
