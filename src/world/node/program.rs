//! The main task of a machine: it makes the program, runs it, and says how it has ended.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use super::super::socket::Owner;
use super::exit::{Exit, Exits};
use super::life;
use crate::backend::catch_panic;

/// A program in progress.
type BoxedProgram = Pin<Box<dyn Future<Output = Exit>>>;

/// Makes the program of a machine, again at each start.
#[derive(Clone)]
pub(super) struct MakeProgram(Rc<dyn Fn() -> BoxedProgram>);

impl MakeProgram {
    pub(super) fn new<P, F>(program: P) -> Self
    where
        P: Fn() -> F + 'static,
        F: Future + 'static,
        F::Output: Exits,
    {
        Self(Rc::new(move || {
            let future = program();
            Box::pin(async move { future.await.into_exit() })
        }))
    }
}

impl fmt::Debug for MakeProgram {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("MakeProgram")
    }
}

/// The main task of one incarnation. No supervisor watches it: it reports its end itself, from within
/// its last poll, so that nothing can happen between.
#[derive(Debug)]
pub(super) struct Program {
    owner: Owner,
    stage: Stage,
}

enum Stage {
    Made(MakeProgram),
    Running(BoxedProgram),
    Over,
}

impl fmt::Debug for Stage {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Made(_) => "Made",
            Self::Running(_) => "Running",
            Self::Over => "Over",
        })
    }
}

impl Program {
    pub(super) fn new(owner: Owner, make: MakeProgram) -> Self {
        Self { owner, stage: Stage::Made(make) }
    }
}

impl Future for Program {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let this = &mut *self;
        let polled = catch_panic(|| {
            // Made in the task, so that what it does belongs to its machine.
            if let Stage::Made(make) = &this.stage {
                this.stage = Stage::Running(make.0());
            }
            match &mut this.stage {
                Stage::Running(future) => future.as_mut().poll(context),
                Stage::Made(_) | Stage::Over => {
                    unreachable!("a program that is over is not polled")
                }
            }
        });
        let (exit, place) = match polled {
            Ok(Poll::Pending) => return Poll::Pending,
            Ok(Poll::Ready(exit)) => (exit, None),
            Err(panic) => (Exit::Panicked(panic.message()), panic.place()),
        };
        // What is left of a program that has panicked is destroyed before its machine is dead for it.
        let rest = std::mem::replace(&mut this.stage, Stage::Over);
        drop(catch_panic(|| drop(rest)));
        life::exited(this.owner, exit, place);
        Poll::Ready(())
    }
}
