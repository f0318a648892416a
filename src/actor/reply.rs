//! The right to answer a question, and where the answer goes.

use std::fmt;
use std::sync::Arc;
use std::task::Waker;

use super::any_ref::AnyRef;
use super::cell::AnyCell;
use super::error::AskError;
use super::exit::ExitReason;
use crate::backend::WakeTarget;
use crate::sync::spin::SpinLock;

/// The right to answer one ask, for a [`Respond`](super::Respond) that answers later or from elsewhere.
///
/// Dropping it tells whoever asked that no answer comes: [`AskError::Dropped`], or
/// [`AskError::Died`] when the actor ends by the same.
#[must_use = "dropping it leaves the question without an answer"]
pub struct ReplyTo<R: Send + 'static> {
    /// None when it is used, or nobody asked.
    right: Option<Right<R>>,
}

struct Right<R> {
    slot: Arc<dyn ReplySlot<R>>,
    /// Whose question it is.
    owner: Arc<dyn AnyCell>,
}

impl<R: Send + 'static> ReplyTo<R> {
    /// That of a message that was told.
    #[inline]
    pub(crate) fn nobody() -> Self {
        Self { right: None }
    }

    #[inline]
    pub(crate) fn new(slot: Arc<dyn ReplySlot<R>>, owner: Arc<dyn AnyCell>) -> Self {
        Self { right: Some(Right { slot, owner }) }
    }

    /// Answers. An answer that nobody waits for any more is counted as a dead letter.
    #[inline]
    pub fn send(mut self, answer: R) {
        let Some(Right { slot, owner }) = self.right.take() else { return };
        if !slot.answer(Ok(answer)) {
            AnyRef::local(owner).note_late_reply();
        }
    }

    /// Tells whether nobody waits for the answer: nobody asked, or has given up.
    #[must_use]
    pub fn is_canceled(&self) -> bool {
        self.right.as_ref().is_none_or(|right| right.slot.is_canceled())
    }

    /// Lets whoever asked know that no answer comes, and why.
    pub(crate) fn fail(mut self, error: AskError) {
        if let Some(right) = self.right.take() {
            right.slot.fail(error);
        }
    }

    /// Gives the right away, to be another actor's.
    pub(crate) fn into_slot(mut self) -> Option<Arc<dyn ReplySlot<R>>> {
        self.right.take().map(|right| right.slot)
    }
}

impl<R: Send + 'static> Drop for ReplyTo<R> {
    #[inline]
    fn drop(&mut self) {
        if let Some(Right { slot, owner }) = self.right.take() {
            abandon(slot, owner);
        }
    }
}

/// Says why no answer comes, as soon as that is known: a question that is dropped inside of a handler may
/// be so because the actor is about to end.
#[cold]
fn abandon(slot: Arc<dyn FailSlot>, owner: Arc<dyn AnyCell>) {
    AnyRef::local(owner).orphan(slot);
}

impl<R: Send + 'static> fmt::Debug for ReplyTo<R> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("ReplyTo").field("is_canceled", &self.is_canceled()).finish()
    }
}

/// Where an answer goes, or the news that there is none.
pub(crate) trait FailSlot: Send + Sync {
    fn fail(&self, error: AskError);
}

/// Where an answer of this type goes: to a future, or to another machine.
pub(crate) trait ReplySlot<R>: FailSlot {
    /// Takes the answer; false when nobody waits for one. Only the first one counts.
    fn answer(&self, answer: Result<R, AskError>) -> bool;

    fn is_canceled(&self) -> bool;
}

/// The slot of an ask that waits on this machine.
pub(crate) struct AskSlot<R> {
    state: SpinLock<SlotState<R>>,
}

struct SlotState<R> {
    phase: Phase<R>,
    waker: Option<WakeTarget>,
}

/// ```text
///   waiting -> answered -> over
///         `-> over             given up
/// ```
enum Phase<R> {
    Waiting,
    Answered(Result<R, AskError>),
    Over,
}

impl<R> AskSlot<R> {
    pub(crate) fn new(waker: &Waker) -> Self {
        let waker = Some(WakeTarget::of(waker));
        Self { state: SpinLock::new(SlotState { phase: Phase::Waiting, waker }) }
    }

    /// Takes the answer if it is there; else it wakes this waker when it comes.
    #[inline]
    pub(crate) fn take(&self, waker: &Waker) -> Option<Result<R, AskError>> {
        let mut spare = None;
        loop {
            let mut state = self.state.lock();
            match std::mem::replace(&mut state.phase, Phase::Over) {
                Phase::Answered(answer) => return Some(answer),
                phase => state.phase = phase,
            }
            if state.waker.as_ref().is_some_and(|kept| kept.will_wake(waker)) {
                return None;
            }
            if let Some(target) = spare.take() {
                let replaced = state.waker.replace(target);
                drop(state);
                drop(replaced);
                return None;
            }
            drop(state);
            spare = Some(WakeTarget::of(waker));
        }
    }

    /// Gives up: an answer that comes from here on is late.
    pub(crate) fn close(&self) {
        let remains = self
            .state
            .with(|state| (std::mem::replace(&mut state.phase, Phase::Over), state.waker.take()));
        drop(remains);
    }
}

impl<R: Send> FailSlot for AskSlot<R> {
    fn fail(&self, error: AskError) {
        let _ = ReplySlot::<R>::answer(self, Err(error));
    }
}

impl<R: Send> ReplySlot<R> for AskSlot<R> {
    fn answer(&self, answer: Result<R, AskError>) -> bool {
        let mut answer = Some(answer);
        let waker = self.state.with(|state| {
            if !matches!(state.phase, Phase::Waiting) {
                return None;
            }
            if let Some(answer) = answer.take() {
                state.phase = Phase::Answered(answer);
            }
            state.waker.take()
        });
        if let Some(waker) = waker {
            waker.wake();
        }
        answer.is_none()
    }

    fn is_canceled(&self) -> bool {
        self.state.with(|state| matches!(state.phase, Phase::Over))
    }
}

/// What an ask fails with whose actor ended for this reason.
pub(crate) fn died(reason: &ExitReason) -> AskError {
    match reason {
        ExitReason::NodeDown => AskError::NodeDown,
        reason => AskError::Died(reason.clone()),
    }
}
