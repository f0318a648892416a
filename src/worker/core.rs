//! A task, without its future and its output: what any thread may look at.

use std::borrow::Cow;
use std::fmt;
use std::panic::Location;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::task::{Poll, Waker};

use super::cleanup::Cleanups;
use super::run::Run;
use crate::kernel::StreamId;

/// A task of one worker. While its state is held no code of the user's runs: wakers are cloned, called
/// and dropped before or after.
///
/// ```text
///   running -> closing (its future is gone, its cleanups are not) -> ended
/// ```
pub(crate) struct TaskCore {
    pub(super) run: Arc<Run>,
    /// Index of the worker that it is pinned to.
    pub(crate) worker: usize,
    /// Its number among the tasks of the run.
    pub(super) serial: u64,
    pub(super) identity: Identity,
    /// Made when it is asked for.
    path: OnceLock<Arc<str>>,
    pub(crate) spawned_at: &'static Location<'static>,
    /// Whether it is what another task left behind, or works for that: the end of a run does not cancel it.
    pub(super) is_cleanup: bool,
    is_cancelled: AtomicBool,
    state: Mutex<State>,
}

/// Which task it is, the same as in a simulation of the program.
#[derive(Debug)]
pub(super) struct Identity {
    pub(super) stream: StreamId,
    name: Option<Cow<'static, str>>,
    /// How many siblings of this name came before.
    ordinal: u32,
    /// Path that its own begins with.
    parent: Option<Arc<str>>,
}

impl Identity {
    /// Makes that of a child of a stream.
    pub(super) fn of_child(
        parent: (StreamId, Option<Arc<str>>),
        name: Option<Cow<'static, str>>,
        ordinal: u32,
    ) -> Self {
        let (stream, parent) = parent;
        let stream = stream.child(name.as_deref().unwrap_or(UNNAMED), ordinal);
        Self { stream, name, ordinal, parent }
    }

    fn path(&self) -> String {
        let prefix = self.parent.as_ref().map_or_else(String::new, |parent| format!("{parent}/"));
        match (&self.name, self.ordinal) {
            (Some(name), 0) => format!("{prefix}{name}"),
            (Some(name), ordinal) => format!("{prefix}{name}#{ordinal}"),
            (None, ordinal) => format!("{prefix}{UNNAMED}#{ordinal}"),
        }
    }
}

pub(super) struct State {
    phase: Phase,
    pub(super) ownership: Ownership,
    has_failed: bool,
    /// Who schedules it; none before its first poll and after its end.
    waker: Option<Waker>,
    /// Who waits for it.
    joiner: Option<Waker>,
    pub(super) cleanups: Option<Box<Cleanups>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Running,
    Closing,
    Ended,
}

/// Who looks at how a task ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ownership {
    /// Whoever has its handle.
    Attached,
    /// Nobody: it was detached, or its handle was dropped.
    Nobody,
}

impl TaskCore {
    pub(super) fn new(
        run: Arc<Run>,
        worker: usize,
        identity: Identity,
        spawned_at: &'static Location<'static>,
    ) -> Self {
        let serial = run.next_serial();
        let state = State {
            phase: Phase::Running,
            ownership: Ownership::Attached,
            has_failed: false,
            waker: None,
            joiner: None,
            cleanups: None,
        };
        Self {
            run,
            worker,
            serial,
            identity,
            path: OnceLock::new(),
            spawned_at,
            is_cleanup: false,
            is_cancelled: AtomicBool::new(false),
            state: Mutex::new(state),
        }
    }

    /// Makes it a cleanup of another task.
    pub(super) fn of_cleanup(self) -> Self {
        Self { is_cleanup: true, ..self }
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    // Names

    /// Returns the name that reports use, as in the simulation.
    pub(crate) fn path(&self) -> &Arc<str> {
        self.path.get_or_init(|| self.identity.path().into())
    }

    /// Returns the path that names of its children begin with; those of the program have none.
    pub(super) fn path_as_parent(&self) -> Option<Arc<str>> {
        let is_program = self.identity.stream == StreamId::ROOT.child(PROGRAM, 0);
        (!is_program).then(|| self.path().clone())
    }

    // Its end, seen from outside

    /// Tells whether it has ended, and its cleanups with it.
    pub(crate) fn is_finished(&self) -> bool {
        self.lock().phase == Phase::Ended
    }

    /// Tells whether it has panicked, or returned an error that nobody may overlook.
    pub(crate) fn has_failed(&self) -> bool {
        self.lock().has_failed
    }

    /// Waits for it to end, and leaves its output to whoever joins it.
    pub(crate) fn poll_finished(&self, waker: &Waker) -> Poll<()> {
        let joiner = waker.clone();
        let mut state = self.lock();
        if state.phase == Phase::Ended {
            drop(state);
            drop(joiner);
            return Poll::Ready(());
        }
        let replaced = state.joiner.replace(joiner);
        drop(state);
        drop(replaced);
        Poll::Pending
    }

    /// Marks it: its future is destroyed at its next turn.
    pub(crate) fn cancel(&self) {
        if self.is_cancelled.swap(true, Ordering::AcqRel) {
            return;
        }
        let waker = self.lock().waker.clone();
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    /// Takes the task that joins it off, and says that nobody looks at its end any more. True if it has
    /// ended before.
    pub(super) fn let_go(&self) -> bool {
        let mut state = self.lock();
        state.ownership = Ownership::Nobody;
        let joiner = state.joiner.take();
        let has_ended = state.phase == Phase::Ended;
        drop(state);
        drop(joiner);
        has_ended
    }

    // Its end, seen from inside

    pub(super) fn is_cancelled(&self) -> bool {
        self.is_cancelled.load(Ordering::Acquire)
    }

    /// Keeps who schedules it.
    pub(super) fn keep_waker(&self, waker: &Waker) {
        let waker = waker.clone();
        let replaced = self.lock().waker.replace(waker);
        drop(replaced);
    }

    /// Ends it, unless cleanups are ahead: then it is closing, and woken when there are none. Returns
    /// who looks at how it ended.
    pub(super) fn end(&self, has_failed: bool) -> Poll<Ownership> {
        let mut state = self.lock();
        if state.cleanups.as_ref().is_some_and(|cleanups| cleanups.are_open()) {
            state.phase = Phase::Closing;
            let joiner = state.joiner.clone();
            drop(state);
            // Whoever waits for its output alone need not wait on.
            if let Some(joiner) = joiner {
                joiner.wake();
            }
            return Poll::Pending;
        }
        state.phase = Phase::Ended;
        state.has_failed = has_failed;
        let (waker, joiner, cleanups) =
            (state.waker.take(), state.joiner.take(), state.cleanups.take());
        let ownership = state.ownership;
        drop(state);
        drop((waker, cleanups));
        self.run.forget(self);
        if let Some(joiner) = joiner {
            joiner.wake();
        }
        Poll::Ready(ownership)
    }

    /// Lets it end without its cleanups, and ends the wait for them.
    pub(super) fn forget_cleanups(&self) {
        let cleanups = self.lock().cleanups.take();
        if let Some(cleanups) = cleanups {
            cleanups.forget();
        }
    }

    /// Wakes it if it is closing.
    pub(super) fn wake_if_closing(&self) {
        let state = self.lock();
        let waker = (state.phase == Phase::Closing).then(|| state.waker.clone()).flatten();
        drop(state);
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

impl fmt::Debug for TaskCore {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("TaskCore").field(&self.path()).finish()
    }
}

/// Name of the task that runs the program.
pub(crate) const PROGRAM: &str = "main";

/// What a task is called that was given no name.
pub(super) const UNNAMED: &str = "task";
