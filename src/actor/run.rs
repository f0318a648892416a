//! The life of one incarnation: start, messages and signals, farewell.

use std::future::Future;
use std::panic::Location;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context as TaskContext, Poll};

use pin_project_lite::pin_project;

use super::behaviour::{Actor, Flow};
use super::cell::{AnyCell as _, Cell, RECEIVE};
use super::context::Context;
use super::dead_letters::Undelivered;
use super::envelope::Handling;
use super::error::AskError;
use super::exit::{ExitReason, Unobserved};
use super::farewell::{self, End};
use super::future_slot::{FutureSlot, Sealed};
use super::intercept::TakeVerdict;
use super::reply::{FailSlot, died};
use super::signal::{Signal, SystemEvent};
use super::state::{Activity, Idling, Phase, State};
use super::tenure::Owner;
use super::timers::Tick;
use crate::backend::{self, Point, Timer, WakeTarget, note_wait};
use crate::ending::TaskPanic;

/// Lives one incarnation. It must have been given its number.
#[expect(
    clippy::manual_async_fn,
    reason = "each argument of an async fn has two places in its future, which has to be small"
)]
pub(crate) fn live<A: Actor>(
    cell: Arc<Cell<A>>,
    args: A::Args,
    mut owner: Owner<A>,
    at: &'static Location<'static>,
) -> impl Future<Output = Result<(), Unobserved>> {
    async move {
        let mut context = Context::new(cell.clone());
        let mut actor = None;
        let failed = Box::pin(start(&cell, args, &mut context, &mut actor)).await;
        let end = match (failed, &mut actor) {
            (None, Some(actor)) => {
                owner.tell_started(Ok(()));
                serve(&cell, actor, &mut context, at).await
            }
            (Some(end), _) => {
                owner.tell_started(Err(end.reason.clone()));
                *end
            }
            (None, None) => unreachable!("it has started or failed"),
        };
        Box::pin(farewell::say(actor, context, owner, end)).await
    }
}

/// Starts the actor and puts it in its place, or returns how it has ended.
async fn start<A: Actor>(
    cell: &Arc<Cell<A>>,
    args: A::Args,
    context: &mut Context<A>,
    place: &mut Option<A>,
) -> Option<Box<End>> {
    let end = match Guarded::new(cell, A::start(args, context)).await {
        Ok(Ok(actor)) => {
            cell.mailbox.change(|state| state.core.phase = Phase::Running);
            *place = Some(actor);
            return None;
        }
        Ok(Err(error)) => End::new(ExitReason::StartFailed(error.into())),
        Err(broken) => broken.end(),
    };
    Some(Box::new(end))
}

/// Handles messages and signals until one of them ends it.
#[expect(clippy::manual_async_fn, reason = "see `live`")]
fn serve<A: Actor>(
    cell: &Arc<Cell<A>>,
    actor: &mut A,
    context: &mut Context<A>,
    at: &'static Location<'static>,
) -> impl Future<Output = End> {
    async move {
        let mut slot = FutureSlot::new();
        loop {
            if let Some(reason) = context.take_stop() {
                return End::new(reason);
            }
            // No wait is in here, so that what comes has no place in the future.
            let work = match (Receive { cell, context, point: Point::new(), at }).await {
                Next::Letter(letter) if cell.system.is_watched() => {
                    Work::<A>::Apart(Box::pin(suffer(cell, letter, actor, context)))
                }
                Next::Letter(letter) => {
                    backend::note(|| format!("handles {:?}", letter.message()));
                    Work::Handle(letter.handle(actor, context, &mut slot))
                }
                Next::Event(SystemEvent::Stop(reason)) => return End::new(reason),
                Next::Event(SystemEvent::Signal(signal)) => {
                    Work::Apart(Box::pin(tend(cell, Some(signal), actor, context)))
                }
                Next::Idle => Work::Apart(Box::pin(tend(cell, None, actor, context))),
                Next::Drained => return End::new(ExitReason::Normal),
                Next::Killed => return End::new(ExitReason::Killed),
            };
            match work {
                Work::Handle(handling) => match Guarded::new(cell, handling).await {
                    Ok(Ok(())) => {}
                    broken => return end_of::<A>(broken),
                },
                Work::Apart(work) => {
                    if let Some(end) = work.await {
                        return *end;
                    }
                }
            }
        }
    }
}

/// What comes of what comes.
enum Work<'a, A: Actor> {
    Handle(Handling<'a, A>),
    /// Apart, so that few actors have room for it.
    Apart(Rare<'a>),
}

/// Something that seldom comes; it gives how the actor ends, if it does.
type Rare<'a> = Pin<Box<dyn Future<Output = Option<Box<End>>> + 'a>>;

#[cold]
fn end_of<A: Actor>(handled: Result<Result<(), A::Error>, Broken>) -> End {
    match handled {
        Ok(Ok(())) => unreachable!("it goes on"),
        Ok(Err(error)) => End::new(ExitReason::Error(error.into())),
        Err(broken) => broken.end(),
    }
}

/// Has the actor handle a signal, or that it was idle.
async fn tend<A: Actor>(
    cell: &Arc<Cell<A>>,
    signal: Option<Signal>,
    actor: &mut A,
    context: &mut Context<A>,
) -> Option<Box<End>> {
    let flow = match signal {
        Some(signal) => Guarded::new(cell, actor.on_signal(signal, context)).await,
        None => Guarded::new(cell, actor.on_idle(context)).await,
    };
    let end = match flow {
        Ok(Ok(Flow::Continue)) => return None,
        Ok(Ok(Flow::Stop)) => End::new(ExitReason::Normal),
        Ok(Ok(Flow::StopWith(reason))) => End::new(reason),
        Ok(Err(error)) => End::new(ExitReason::Error(error.into())),
        Err(broken) => broken.end(),
    };
    Some(Box::new(end))
}

/// Does to the actor what a fault wants before a message is handled, and handles it.
async fn suffer<A: Actor>(
    cell: &Arc<Cell<A>>,
    letter: Sealed<A>,
    actor: &mut A,
    context: &mut Context<A>,
) -> Option<Box<End>> {
    match cell.system.interception().judge_take(&cell.label(), letter.kind()) {
        TakeVerdict::Handle => {}
        TakeVerdict::Slow(duration) => crate::task::burn(duration).await,
        TakeVerdict::Crash => {
            let message = format!("a fault crashed it at a message `{}`", letter.kind()).into();
            let end = End::new(ExitReason::Panicked { message, place: None });
            cell.bury(letter, Undelivered::Ended, None, died(&end.reason));
            return Some(Box::new(end));
        }
    }
    backend::note(|| format!("handles {:?}", letter.message()));
    let mut slot = FutureSlot::new();
    match Guarded::new(cell, letter.handle(actor, context, &mut slot)).await {
        Ok(Ok(())) => None,
        broken => Some(Box::new(end_of::<A>(broken))),
    }
}

/// What comes next.
enum Next<A: Actor> {
    Letter(Sealed<A>),
    Event(SystemEvent),
    Idle,
    Drained,
    Killed,
}

/// Waits for what comes next.
struct Receive<'a, A: Actor> {
    cell: &'a Arc<Cell<A>>,
    context: &'a mut Context<A>,
    point: Point,
    at: &'static Location<'static>,
}

impl<A: Actor> Future for Receive<'_, A> {
    type Output = Next<A>;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, task: &mut TaskContext<'_>) -> Poll<Next<A>> {
        let this = &mut *self;
        let resource = this.cell.mailbox.resource();
        if this.point.poll(task, resource, &RECEIVE, this.at).is_pending() {
            return Poll::Pending;
        }
        if this.cell.is_killed() {
            return Poll::Ready(Next::Killed);
        }
        if this.context.cold.is_some()
            && let Some(next) = this.look_at_timers()
        {
            return Poll::Ready(next);
        }
        if this.cell.system.is_watched()
            && let Some(letter) = pick(this.cell)
        {
            this.note_active();
            return Poll::Ready(Next::Letter(letter));
        }
        match take_plain(this.cell, task) {
            Plain::Letter(letter) => {
                this.note_active();
                return Poll::Ready(Next::Letter(letter));
            }
            Plain::Idle => {}
            Plain::No => {
                if let Some(next) = take(this.cell, task) {
                    this.note_active();
                    return Poll::Ready(next);
                }
            }
        }
        if this.cell.is_killed() {
            return Poll::Ready(Next::Killed);
        }
        if this.context.cold.is_some() && this.poll_timer(task).is_ready() {
            task.waker().wake_by_ref();
            return Poll::Pending;
        }
        note_wait(resource, &RECEIVE, this.at);
        Poll::Pending
    }
}

impl<A: Actor> Receive<'_, A> {
    /// Takes a timer that is due; events go before it.
    #[cold]
    fn look_at_timers(&mut self) -> Option<Next<A>> {
        let timers = &mut self.context.cold.as_mut()?.timers;
        let next = timers.next()?;
        let now = backend::local_now("an actor");
        if next > now {
            return None;
        }
        if let Some(event) = self.cell.mailbox.change(State::take_event) {
            return Some(Next::Event(event));
        }
        // Whoever has a message is not idle.
        let is_empty = self.cell.mailbox.read(|state| state.queued_count() == 0);
        if !is_empty && timers.watches_idle() {
            timers.be_active(now);
        }
        Some(match timers.take(now)? {
            Tick::Letter(letter) => {
                settle_orphans(self.cell);
                Next::Letter(letter)
            }
            Tick::Idle => Next::Idle,
        })
    }

    #[inline]
    fn note_active(&mut self) {
        if let Some(cold) = &mut self.context.cold
            && cold.timers.watches_idle()
        {
            cold.timers.be_active(backend::local_now("an actor"));
        }
    }

    fn poll_timer(&mut self, task: &mut TaskContext<'_>) -> Poll<()> {
        let Some(cold) = &mut self.context.cold else { return Poll::Pending };
        let Some(next) = cold.timers.next() else { return Poll::Pending };
        let timer = cold.timer.get_or_insert_with(|| Timer::new(next, self.at));
        if timer.deadline() != next {
            timer.reset(next);
        }
        timer.poll(task)
    }
}

impl<A: Actor> Drop for Receive<'_, A> {
    #[inline]
    fn drop(&mut self) {
        if let Some(cold) = &mut self.context.cold {
            cold.timer = None;
        }
    }
}

/// Takes the message that a fault picks, unless an event is due.
#[cold]
fn pick<A: Actor>(cell: &Arc<Cell<A>>) -> Option<Sealed<A>> {
    let has_event = cell.mailbox.read(State::has_event);
    if has_event { None } else { cell.take_picked().inspect(|_| settle_orphans(cell)) }
}

/// What comes of a look at the mailbox that expects nothing but messages.
enum Plain<A: Actor> {
    Letter(Sealed<A>),
    /// There is nothing, and the task will be woken.
    Idle,
    /// It has to be looked at more closely.
    No,
}

/// Takes a message, or notes that the actor is to be woken, where there is nothing else to be done.
#[inline]
fn take_plain<A: Actor>(cell: &Cell<A>, task: &TaskContext<'_>) -> Plain<A> {
    let mut target = None;
    loop {
        let mut state = cell.mailbox.hold();
        if let Some(letter) = state.take_plain() {
            return Plain::Letter(letter);
        }
        match state.idle_plain(task.waker(), &mut target) {
            Idling::Done => return Plain::Idle,
            Idling::NeedsTarget => drop(state),
            Idling::No => return Plain::No,
        }
        // Not while the state is held: that may run code of others.
        target = Some(WakeTarget::of(task.waker()));
    }
}

/// Takes what is there, or notes that the actor is to be woken.
#[inline(never)]
fn take<A: Actor>(cell: &Cell<A>, task: &TaskContext<'_>) -> Option<Next<A>> {
    let mut target = None;
    loop {
        let mut replaced = None;
        let mut orphans = Vec::new();
        let mut is_noted = true;
        let next = cell.mailbox.change(|state| {
            let before = std::mem::replace(&mut state.core.activity, Activity::Between);
            if before == Activity::Busy
                && let Some(cold) = &mut state.core.cold
            {
                orphans = std::mem::take(&mut cold.orphans);
            }
            if let Some(event) = state.take_event() {
                return Some(Next::Event(event));
            }
            if let Some(letter) = state.take_message() {
                state.core.activity = Activity::Busy;
                state.core.handled_count += 1;
                return Some(Next::Letter(letter));
            }
            if state.core.is_draining {
                return Some(Next::Drained);
            }
            state.core.activity = Activity::Idle;
            is_noted = state.core.task.as_ref().is_some_and(|kept| kept.will_wake(task.waker()));
            if !is_noted
                && let Some(target) = target.take().or_else(|| WakeTarget::of_task(task.waker()))
            {
                replaced = state.core.task.replace(target);
                is_noted = true;
            }
            None
        });
        drop(replaced);
        orphans.into_iter().for_each(|slot: Arc<dyn FailSlot>| slot.fail(AskError::Dropped));
        if next.is_some() || is_noted {
            return next;
        }
        target = Some(WakeTarget::of(task.waker()));
    }
}

/// Answers questions that the last handler dropped; another one begins.
fn settle_orphans<A: Actor>(cell: &Cell<A>) {
    let orphans = cell.mailbox.change(|state| {
        state.core.activity = Activity::Busy;
        state.core.cold.as_mut().map(|cold| std::mem::take(&mut cold.orphans))
    });
    orphans.into_iter().flatten().for_each(|slot| slot.fail(AskError::Dropped));
}

pin_project! {
    /// A future of the user's, whose panic becomes a value, and which is dropped when the actor is killed.
    pub(crate) struct Guarded<'a, A: Actor, F> {
        cell: &'a Arc<Cell<A>>,
        // None when it is done.
        #[pin]
        future: Option<F>,
    }
}

/// Why a future of the user's gave nothing.
pub(crate) enum Broken {
    Killed,
    Panicked(Box<TaskPanic>),
}

impl Broken {
    fn end(self) -> End {
        match self {
            Self::Killed => End::new(ExitReason::Killed),
            Self::Panicked(panic) => End::of_panic(panic),
        }
    }
}

impl<'a, A: Actor, F: Future> Guarded<'a, A, F> {
    #[inline]
    pub(crate) fn new(cell: &'a Arc<Cell<A>>, future: F) -> Self {
        Self { cell, future: Some(future) }
    }
}

impl<A: Actor, F: Future> Future for Guarded<'_, A, F> {
    type Output = Result<F::Output, Broken>;

    // Called from several places; out of line, a tell has 8 % more instructions.
    #[inline(always)]
    fn poll(self: Pin<&mut Self>, task: &mut TaskContext<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        if this.cell.is_killed() {
            return Poll::Ready(Err(kill(this.future)));
        }
        let polled = backend::catch_panic(|| {
            let Some(future) = this.future.as_mut().as_pin_mut() else {
                unreachable!("a future is not polled again when it is done")
            };
            let polled = future.poll(task);
            if polled.is_ready() {
                this.future.set(None);
            }
            polled
        });
        match polled {
            Ok(Poll::Ready(output)) => Poll::Ready(Ok(output)),
            Ok(Poll::Pending) => {
                note_task(this.cell, task);
                if this.cell.is_killed() {
                    return Poll::Ready(Err(kill(this.future)));
                }
                Poll::Pending
            }
            Err(panic) => {
                kill(this.future);
                Poll::Ready(Err(Broken::Panicked(panic)))
            }
        }
    }
}

/// Drops a future where it waits.
#[cold]
fn kill<F>(mut future: Pin<&mut Option<F>>) -> Broken {
    if let Err(panic) = backend::catch_panic(|| future.set(None)) {
        tracing::warn!(target: "parcae", message = %panic.message(), "a destructor panicked in a handler that was dropped");
    }
    Broken::Killed
}

/// Notes who is to be woken when the actor is killed.
fn note_task<A: Actor>(cell: &Cell<A>, task: &TaskContext<'_>) {
    let mut target = None;
    loop {
        let mut replaced = None;
        let mut is_noted = true;
        cell.mailbox.change(|state| {
            is_noted = state.core.task.as_ref().is_some_and(|kept| kept.will_wake(task.waker()));
            if !is_noted
                && let Some(target) = target.take().or_else(|| WakeTarget::of_task(task.waker()))
            {
                replaced = state.core.task.replace(target);
                is_noted = true;
            }
        });
        drop(replaced);
        if is_noted {
            return;
        }
        target = Some(WakeTarget::of(task.waker()));
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::panic::Location;

    use super::super::behaviour::Actor;
    use super::super::cell::Cell;
    use super::super::context::Context;
    use super::super::current::Inside;
    use super::super::tenure::{Owner, Started, Tenure};
    use super::live;

    struct Small {
        _value: u64,
    }

    impl Actor for Small {
        type Args = u64;
        type Error = Infallible;

        async fn start(first: u64, _: &mut Context<Self>) -> Result<Self, Infallible> {
            Ok(Self { _value: first })
        }
    }

    fn size_of_result<T>(_: impl FnOnce() -> T) -> usize {
        size_of::<T>()
    }

    /// The table of the run has some 140 bytes for it besides.
    #[test]
    fn an_idle_actor_takes_few_bytes() {
        let task = size_of_result(|| {
            let tenure = Tenure::<Small>::new(None, None).expect("it has no name");
            let cell = tenure.cell().clone();
            let owner = Owner::Alone { tenure, started: Started::Overlooked };
            Inside::new(cell.clone(), live(cell, 0, owner, Location::caller()))
        });
        assert!(task <= TASK_BYTES_MAX, "its future has {task} bytes");
        let cell = size_of::<Cell<Small>>();
        assert!(cell <= CELL_BYTES_MAX, "its cell has {cell} bytes");
    }

    const TASK_BYTES_MAX: usize = 232;
    const CELL_BYTES_MAX: usize = 192;
}
