//! What other threads ask of a worker.

use std::fmt;
use std::future::Future;
use std::sync::Arc;

use async_channel::Receiver;
use futures_lite::future;

use super::handle::Handle;
use super::run::Run;
use super::{SpawnOptions, Worker};
use crate::context;

/// What is sent to a worker.
pub(crate) enum Message {
    /// Make a task.
    Begin(Begin),
    /// End when the tasks have, which are cancelled.
    Close,
    /// End at once.
    Abandon,
    /// A panic or an error was overlooked, and that ends the run.
    Trouble,
}

/// Makes a task on the worker that it is sent to.
pub(crate) type Begin = Box<dyn FnOnce(&Worker) + Send>;

impl fmt::Debug for Message {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Begin(_) => "Begin",
            Self::Close => "Close",
            Self::Abandon => "Abandon",
            Self::Trouble => "Trouble",
        })
    }
}

/// A worker, for any thread.
#[derive(Clone)]
pub(crate) struct WorkerRef {
    pub(super) run: Arc<Run>,
    pub(super) index: usize,
}

impl WorkerRef {
    /// Returns which of the run's workers it is.
    pub(crate) fn index(&self) -> usize {
        self.index
    }

    /// Makes a task on the worker: its future is made there. Where the run takes none any more, the task
    /// has ended before it began.
    pub(crate) fn spawn<M, F>(&self, make: M, options: SpawnOptions) -> Handle<F::Output>
    where
        M: FnOnce() -> F + Send + 'static,
        F: Future + 'static,
        F::Output: Send + 'static,
    {
        let SpawnOptions { name, spawned_at, .. } = options;
        // A child of the task that asks, as any other.
        let of_asker = context::with(|asker: &Worker| {
            Arc::ptr_eq(&asker.run, &self.run)
                .then(|| asker.child(self.index, name.clone(), spawned_at))
        });
        let core = of_asker
            .flatten()
            .unwrap_or_else(|| self.run.child_of_nobody(self.index, name, spawned_at));
        let handle = Handle::new(core, |_| None);
        let unbegun = Unbegun { handle: Some(handle.clone()) };
        if self.run.admit(&handle.core).is_ok() {
            let begin = move |worker: &Worker| {
                worker.adopt(async move { make().await }, unbegun.begin());
            };
            self.begin(begin);
        }
        handle
    }

    /// Makes a task there: at once on this thread, so that it is ready from then on, as any other.
    fn begin(&self, begin: impl FnOnce(&Worker) + Send + 'static) {
        let mut begin = Some(begin);
        let _ = context::with(|asker: &Worker| {
            if Arc::ptr_eq(&asker.run, &self.run) && asker.index == self.index {
                begin.take().into_iter().for_each(|begin| begin(asker));
            }
        });
        if let Some(begin) = begin {
            self.run.send(self.index, Message::Begin(Box::new(begin)));
        }
    }
}

impl fmt::Debug for WorkerRef {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Worker").field(&self.index).finish()
    }
}

/// A task that is on its way to its worker. Dropped there or before, it has ended.
struct Unbegun<T> {
    handle: Option<Handle<T>>,
}

impl<T> Unbegun<T> {
    fn begin(mut self) -> Handle<T> {
        self.handle.take().expect("a task begins once")
    }
}

impl<T> Drop for Unbegun<T> {
    fn drop(&mut self) {
        if let Some(handle) = &self.handle {
            handle.end_now();
        }
    }
}

impl Worker {
    /// Does what other threads ask for, until they ask for an end.
    pub(crate) async fn attend(&self, inbox: &Receiver<Message>) -> Asked {
        let mut is_closing = false;
        loop {
            let message = match is_closing {
                false => inbox.recv().await.ok(),
                true => {
                    let quiet = async {
                        self.run.quiet(self.index).await;
                        None
                    };
                    future::or(async { inbox.recv().await.ok() }, quiet).await
                }
            };
            match message {
                Some(Message::Begin(begin)) => begin(self),
                Some(Message::Close) => is_closing = true,
                Some(Message::Trouble) => return Asked::ToShutDown,
                Some(Message::Abandon) | None => return Asked::ToEnd,
            }
        }
    }
}

/// What a worker was asked for last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Asked {
    /// To end the whole run.
    ToShutDown,
    /// To end itself; it has nothing left to do, or nobody waits for that.
    ToEnd,
}
