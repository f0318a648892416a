//! The future of a task, as its worker polls it.

use std::any::Any;
use std::collections::BTreeMap;
use std::future::Future;
use std::panic::{self, AssertUnwindSafe};
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use pin_project_lite::pin_project;
use rand_chacha::ChaCha8Rng;

use super::Worker;
use super::cleanup::OwnedCleanup;
use super::core::TaskCore;
use super::handle::Handle;
use super::run::Trouble;
use crate::context;
use crate::ending::{JoinEnd, TaskPanic};

/// A task that is polled, with what only its own thread may touch.
pub(super) struct Running {
    pub(super) core: Arc<TaskCore>,
    unnamed_children: u32,
    pub(super) locals: Option<Box<Locals>>,
}

/// What few tasks have.
#[derive(Default)]
pub(super) struct Locals {
    /// Context variables, of a type that the layer above knows.
    pub(super) variables: Option<Rc<dyn Any>>,
    pub(super) rng: Option<ChaCha8Rng>,
    /// How often each site was drawn at.
    draws: Vec<(u32, u64)>,
    /// How many children of each name there were, by its hash.
    children: BTreeMap<u64, u32>,
}

impl Running {
    pub(super) fn locals(&mut self) -> &mut Locals {
        self.locals.get_or_insert_default()
    }

    /// Returns how many children of this name there were, and counts one more.
    pub(super) fn next_child(&mut self, name: Option<u64>) -> u32 {
        let count = match name {
            None => &mut self.unnamed_children,
            Some(hash) => self.locals().children.entry(hash).or_default(),
        };
        *count += 1;
        *count - 1
    }
}

impl Locals {
    /// Returns how often a site was drawn at, and counts once more.
    pub(super) fn count_up(&mut self, site: u32) -> u64 {
        let place = self.draws.iter().position(|(counted, _)| *counted == site);
        let place = place.unwrap_or_else(|| {
            self.draws.push((site, 0));
            self.draws.len() - 1
        });
        self.draws[place].1 += 1;
        self.draws[place].1 - 1
    }
}

pin_project! {
    /// The future of a task: polled and destroyed in the context of the task, and after its end kept
    /// until its cleanups have ended.
    pub(super) struct Polled<F: Future> {
        #[pin]
        future: Option<F>,
        handle: Handle<F::Output>,
        // None while it is polled.
        running: Option<Running>,
        // For a task that is a cleanup of another.
        cleanup: Option<OwnedCleanup>,
        has_waker: bool,
        has_ended: bool,
    }

    impl<F: Future> PinnedDrop for Polled<F> {
        fn drop(this: Pin<&mut Self>) {
            if !this.has_ended {
                // Left over when its worker ends.
                let _ = context::with(|worker: &Worker| this.destroy_in(worker));
            }
        }
    }
}

impl<F: Future> Polled<F> {
    pub(super) fn new(
        future: F,
        handle: Handle<F::Output>,
        variables: Option<Rc<dyn Any>>,
        cleanup: Option<OwnedCleanup>,
    ) -> Self {
        let core = handle.core.clone();
        let locals = variables
            .map(|variables| Box::new(Locals { variables: Some(variables), ..Locals::default() }));
        let running = Some(Running { core, unnamed_children: 0, locals });
        let future = Some(future);
        Self { future, handle, running, cleanup, has_waker: false, has_ended: false }
    }

    /// Polls it before it is scheduled. It is polled again when its turn comes, so nobody need wake it.
    pub(super) fn poll_unscheduled(self: Pin<&mut Self>, worker: &Worker) -> Poll<()> {
        self.poll_in(worker, &mut Context::from_waker(Waker::noop()))
    }

    fn poll_in(mut self: Pin<&mut Self>, worker: &Worker, context: &mut Context<'_>) -> Poll<()> {
        let outer = worker.running.replace(self.as_mut().project().running.take());
        let poll = self.as_mut().step(worker, context);
        let this = self.project();
        *this.running = worker.running.replace(outer);
        if poll.is_ready() {
            *this.has_ended = true;
            let running = this.running.take();
            // Values of context variables are the user's.
            this.handle.watch_over(worker, || drop(running));
            drop(this.cleanup.take());
        }
        poll
    }

    fn step(self: Pin<&mut Self>, worker: &Worker, context: &mut Context<'_>) -> Poll<()> {
        let mut this = self.project();
        let core = &this.handle.core;
        if let Some(future) = this.future.as_mut().as_pin_mut() {
            let end = match core.is_cancelled() {
                true => None,
                false => match catch(worker, || future.poll(context)) {
                    Ok(Poll::Ready(value)) => Some(JoinEnd::Value(value)),
                    Ok(Poll::Pending) => None,
                    Err(panic) => Some(JoinEnd::Panicked(panic)),
                },
            };
            // One that was cancelled while it ran is destroyed now, still in its own context.
            if end.is_none() && !core.is_cancelled() {
                return Poll::Pending;
            }
            let end = end.unwrap_or(JoinEnd::Cancelled);
            let end = match (catch(worker, || this.future.set(None)), end) {
                (Err(panic), end) if !matches!(end, JoinEnd::Panicked(_)) => {
                    JoinEnd::Panicked(panic)
                }
                (_, end) => end,
            };
            this.handle.leave(end);
        }
        this.handle.end()
    }

    /// Destroys the future of a task that has not ended, in its own context.
    fn destroy_in(mut self: Pin<&mut Self>, worker: &Worker) {
        let outer = worker.running.replace(self.as_mut().project().running.take());
        let mut this = self.project();
        this.handle.watch_over(worker, || this.future.set(None));
        this.handle.watch_over(worker, || drop(worker.running.replace(outer)));
        this.handle.end_now();
    }
}

impl<F: Future> Future for Polled<F> {
    type Output = ();

    #[inline]
    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        if !self.has_waker {
            *self.as_mut().project().has_waker = true;
            self.handle.core.keep_waker(context.waker());
        }
        context::expect("a task", |worker: &Worker| self.poll_in(worker, context))
    }
}

impl<T> Handle<T> {
    /// Calls destructors of the user's, whose panics nobody can observe.
    fn watch_over(&self, worker: &Worker, call: impl FnOnce()) {
        if let Err(panic) = catch(worker, call) {
            self.core.run.tell(Trouble::panicked(&self.core, *panic));
        }
    }
}

fn catch<R>(worker: &Worker, call: impl FnOnce() -> R) -> Result<R, Box<TaskPanic>> {
    panic::catch_unwind(AssertUnwindSafe(call)).map_err(|payload| {
        let note = worker.note_of(&*payload);
        Box::new(TaskPanic::new(payload, note))
    })
}
