//! The end of an incarnation.
//!
//! ```text
//!   no more messages -> on_stop -> state and tasks dropped -> children, the last one first, or a supervisor's
//!     -> name released -> asks fail -> leftovers are dead letters -> Exit and Down, `exited` wakes
//! ```
//! Where a supervisor keeps the cell, messages go on to be taken and neither name nor leftovers are touched:
//! it decides what becomes of them.

use std::sync::Arc;
use std::time::Duration;

use super::any_ref::AnyRef;
use super::behaviour::Actor;
use super::cell::{AnyCell as _, Cell};
use super::context::Context;
use super::dead_letters::Undelivered;
use super::exit::{ExitReason, Unobserved, drop_caught};
use super::future_slot::Sealed;
use super::reply::{FailSlot, died};
use super::run::{Broken, Guarded};
use super::signal::{Monitor, Signal};
use super::state::{Activity, CoreState, Phase};
use super::tenure::Owner;
use crate::ending::TaskPanic;
use crate::time::timeout;

/// How an incarnation has ended.
pub(crate) struct End {
    pub(crate) reason: ExitReason,
    panic: Option<Box<TaskPanic>>,
}

impl End {
    pub(crate) fn new(reason: ExitReason) -> Self {
        Self { reason, panic: None }
    }

    pub(crate) fn of_panic(panic: Box<TaskPanic>) -> Self {
        Self { reason: ExitReason::of_panic(&panic), panic: Some(panic) }
    }
}

/// Ends an incarnation in order.
///
/// # Errors
/// [`Unobserved`] when it failed and nobody observes that.
pub(crate) async fn say<A: Actor>(
    actor: Option<A>,
    mut context: Context<A>,
    owner: Owner<A>,
    mut end: End,
) -> Result<(), Unobserved> {
    let cell = context.cell.clone();
    cell.mailbox.change(|state| {
        state.core.phase = Phase::Stopping;
        state.core.cold().reason = Some(end.reason.clone());
    });
    if let Some(mut actor) = actor {
        if end.reason != ExitReason::Killed {
            let stopping = Guarded::new(&cell, actor.on_stop(&end.reason, &mut context));
            note_broken(stopping.await, &mut end, &cell);
        }
        drop_caught(actor);
    }
    end_children(&cell, &mut context, &end).await;
    let leftovers = take_stash(&mut context);
    if let Some(cold) = context.cold.take() {
        let own = cell.any_ref();
        for (id, other) in &cold.monitored {
            other.demonitor(&own, *id);
        }
        drop_caught(cold);
    }
    context.put_in_front(leftovers);
    let mut is_observed = owner.is_observed();
    let (news, owner) = match owner {
        Owner::Alone { tenure, .. } => (tenure.finish(&end.reason), None),
        owner @ Owner::Kept(_) => (pause(&cell, &end.reason), Some(owner)),
    };
    is_observed |= news.is_observed;
    news.tell(&cell.any_ref(), &end.reason);
    if let Some(owner) = owner {
        owner.tell_ended(end.reason.clone());
    }
    if is_observed || !end.reason.is_failure() {
        return Ok(());
    }
    match end.panic {
        Some(panic) => panic.resume(),
        None => Err(Unobserved(end.reason)),
    }
}

fn note_broken<A: Actor>(result: Result<(), Broken>, end: &mut End, cell: &Cell<A>) {
    match result {
        Ok(()) => {}
        Err(Broken::Killed) => {
            *end = End::new(ExitReason::Killed);
            let reason = end.reason.clone();
            cell.mailbox.change(|state| state.core.cold().reason = Some(reason));
        }
        Err(Broken::Panicked(panic)) => tracing::warn!(
            target: "parcae", actor = %cell.label(), message = %panic.message(),
            "an actor panicked at its farewell"
        ),
    }
}

/// Stops the children, the last one first, and cancels what else belongs to the incarnation.
async fn end_children<A: Actor>(cell: &Arc<Cell<A>>, context: &mut Context<A>, end: &End) {
    let Some(cold) = &mut context.cold else { return };
    drop_caught(std::mem::take(&mut cold.tasks));
    let children = std::mem::take(&mut cold.children);
    let own = cell.any_ref();
    for child in children.iter().rev() {
        child.unlink(&own);
        if end.reason == ExitReason::Killed || cell.is_killed() {
            child.kill();
        } else {
            child.stop(ExitReason::Shutdown);
            if timeout(SHUTDOWN_TIME, child.exited()).await.is_ok() {
                continue;
            }
            child.kill();
        }
        drop(child.exited().await);
    }
    if let Some(last_wait) = cold.last_wait.take() {
        last_wait.await;
    }
}

fn take_stash<A: Actor>(context: &mut Context<A>) -> Vec<Sealed<A>> {
    context.cold.as_mut().map(|cold| std::mem::take(&mut cold.stash)).unwrap_or_default()
}

/// Whom the end of an incarnation concerns.
pub(crate) struct News {
    links: Vec<AnyRef>,
    monitors: Vec<Monitor>,
    orphans: Vec<Arc<dyn FailSlot>>,
    is_observed: bool,
}

impl News {
    fn tell(self, own: &AnyRef, reason: &ExitReason) {
        for slot in self.orphans {
            slot.fail(died(reason));
        }
        for link in self.links {
            link.remove_link(own);
            link.push_signal(Signal::Exit { from: own.clone(), reason: reason.clone() }, own);
        }
        for Monitor { id, watcher } in self.monitors {
            let down = Signal::Down { monitor: id, actor: own.clone(), reason: reason.clone() };
            watcher.push_signal(down, own);
        }
    }
}

/// Ends an incarnation whose cell is kept.
fn pause<A: Actor>(cell: &Cell<A>, reason: &ExitReason) -> News {
    cell.mailbox.change(|state| {
        let news = take_news(&mut state.core, reason);
        state.core.phase = Phase::Waiting;
        state.forget_incarnation();
        news
    })
}

fn take_news(core: &mut CoreState, reason: &ExitReason) -> News {
    core.activity = Activity::Between;
    let cold = core.cold();
    cold.reason = Some(reason.clone());
    let is_observed =
        !cold.links.is_empty() || !cold.monitors.is_empty() || !cold.exited.is_empty();
    News {
        links: std::mem::take(&mut cold.links),
        monitors: std::mem::take(&mut cold.monitors),
        orphans: std::mem::take(&mut cold.orphans),
        is_observed,
    }
}

/// Ends a cell for good: its name is free, and what is left is no longer handled.
pub(crate) fn end_cell<A: Actor>(cell: &Arc<Cell<A>>, reason: &ExitReason) -> News {
    let (news, lost) = cell.mailbox.change(|state| {
        let lost = state.apart.as_mut().map(|apart| std::mem::take(&mut apart.lost));
        (take_news(&mut state.core, reason), lost)
    });
    if let Some(name) = &cell.name {
        cell.system.release(name, &cell.any_ref());
    }
    for letter in lost.into_iter().flatten() {
        letter.refuse(died(reason));
    }
    let (letters, orphans) = cell.close(reason);
    for slot in orphans {
        slot.fail(died(reason));
    }
    for letter in letters {
        cell.bury(letter, Undelivered::Ended, None, died(reason));
    }
    news
}

/// As [`end_cell`], and tells whom it concerns.
pub(crate) fn end_and_tell<A: Actor>(cell: &Arc<Cell<A>>, reason: &ExitReason) {
    end_cell(cell, reason).tell(&cell.any_ref(), reason);
}

const SHUTDOWN_TIME: Duration = Duration::from_secs(5);
