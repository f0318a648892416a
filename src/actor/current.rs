//! The actor whose task this thread polls.

use std::cell::RefMut;
use std::future::Future;
use std::mem::ManuallyDrop;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;

use super::any_ref::{ActorId, AnyRef};
use super::cell::AnyCell;
use super::state::Sender;
use crate::backend;
use crate::context::polled;

polled! {
    CURRENT: Own
}

/// An actor whose task is polled.
struct Own {
    cell: Arc<dyn AnyCell>,
    sender: Sender,
}

/// Returns the actor that asks, inside of its own task: not in tasks that it has spawned.
///
/// # Examples
/// ```
/// # parcae::Sim::new(7).run(|| async {
/// assert!(parcae::actor::current().is_none());
/// # }).unwrap();
/// ```
#[must_use]
pub fn current() -> Option<AnyRef> {
    let own = |own: &Own| AnyRef::local(own.cell.clone());
    CURRENT.try_with(|place| place.borrow().as_ref().map(own)).ok().flatten()
}

/// Returns who sends what is sent now.
#[inline]
pub(crate) fn sender() -> Sender {
    own_sender().unwrap_or_else(|| sender_of_task(backend::running_task()))
}

/// Returns the actor whose task is polled, or this task as a sender.
#[inline]
pub(crate) fn sender_or(task: u64) -> Sender {
    own_sender().unwrap_or_else(|| sender_of_task(task))
}

#[inline]
fn own_sender() -> Option<Sender> {
    let own = CURRENT.try_with(|place| place.borrow().as_ref().map(|own| own.sender));
    own.ok().flatten()
}

#[inline]
fn sender_of_task(task: u64) -> Sender {
    Sender(task & !ACTOR)
}

/// Returns an actor as a sender.
#[inline]
pub(crate) fn sender_of(actor: ActorId) -> Sender {
    Sender(actor.0 | ACTOR)
}

impl Sender {
    /// Returns the actor, if it is one.
    pub(crate) fn actor(self) -> Option<ActorId> {
        (self.0 & ACTOR != 0).then_some(ActorId(self.0 & !ACTOR))
    }
}

pin_project! {
    /// The task of an actor: while it is polled, [`current`] returns the actor.
    pub(crate) struct Inside<F> {
        // None while it is polled.
        own: Option<Arc<dyn AnyCell>>,
        #[pin]
        future: F,
    }
}

impl<F> Inside<F> {
    pub(crate) fn new(cell: Arc<dyn AnyCell>, future: F) -> Self {
        Self { own: Some(cell), future }
    }
}

impl<F: Future> Future for Inside<F> {
    type Output = F::Output;

    #[inline]
    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        let own = this.own.take().map(|cell| Own { sender: sender_of(cell.id()), cell });
        let outer = replace(own);
        // Also when it panics, which is its last poll.
        let _back = Back { outer, own: this.own };
        this.future.poll(context)
    }
}

struct Back<'a> {
    outer: Option<Own>,
    own: &'a mut Option<Arc<dyn AnyCell>>,
}

impl Drop for Back<'_> {
    #[inline]
    fn drop(&mut self) {
        *self.own = replace(self.outer.take()).map(|own| own.cell);
    }
}

#[inline]
fn replace(next: Option<Own>) -> Option<Own> {
    CURRENT.with(|place| {
        let mut place: RefMut<'_, ManuallyDrop<Option<Own>>> = place.borrow_mut();
        std::mem::replace(&mut **place, next)
    })
}

const ACTOR: u64 = 1 << 63;
