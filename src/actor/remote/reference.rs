//! References to actors of other machines.

use std::any::{Any, TypeId};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::task::{Context, Poll, Waker};

use super::association::{Delivery, Wait};
use super::listener::{Listener, Machine, Shared};
use super::path::{Path, Untold};
use super::protocol::{Protocol, RemoteActor};
use super::reason;
use super::stranger::info;
use super::wire::{Body, Parcel};
use crate::actor::any_ref::{ActorId, ActorInfo, ActorStatus, AnyRef};
use crate::actor::behaviour::Actor;
use crate::actor::error::AskError;
use crate::actor::exit::ExitReason;
use crate::actor::reference::ActorRef;
use crate::actor::remote_target::{RemoteRefusal, RemoteReply, RemoteTarget};
use crate::actor::signal::{MonitorId, Signal};
use crate::actor::system::System;

/// Returns a reference to an actor of another machine, by the machine's address and the actor's name.
///
/// It is of the same type as one to an actor of this machine, and waits for nothing: the machine is dialed from
/// the first reference on, and again, with back-off, when it cannot be reached. All references of a machine
/// to another one share one connection. The port may be left out.
///
/// What is sent there is handled by whatever actor has this name when it comes.
///
/// # Panics
/// When the machine of the caller takes no part: see [`serve`](super::serve).
///
/// # Examples
/// See [the module](mod@crate::actor::remote).
#[must_use]
#[track_caller]
pub fn remote<A: RemoteActor>(machine: &str, actor: &str) -> ActorRef<A> {
    remote_with(machine, actor, Delivery::AtMostOnce)
}

/// As [`remote`](fn@super::remote), and all messages that are sent with it are as sure to come as this says, if their
/// protocol does not say that they are surer.
///
/// # Panics
/// When the machine of the caller takes no part: see [`serve`](super::serve).
#[must_use]
#[track_caller]
pub fn remote_with<A: RemoteActor>(machine: &str, actor: &str, delivery: Delivery) -> ActorRef<A> {
    let Some(shared) = Machine::of_task().first() else {
        panic!(
            "this machine takes no part: `actor::remote::serve` lets it, with `Options::dial_only` if \
             nobody is to reach it"
        )
    };
    reference(&shared, machine, actor, delivery)
}

impl Listener {
    /// As [`remote`](fn@super::remote), through this listener, where a process has several.
    #[must_use]
    #[track_caller]
    pub fn remote<A: RemoteActor>(&self, machine: &str, actor: &str) -> ActorRef<A> {
        reference(&self.shared, machine, actor, Delivery::AtMostOnce)
    }

    /// As [`remote_with`], through this listener, where a process has several.
    #[must_use]
    #[track_caller]
    pub fn remote_with<A: RemoteActor>(
        &self,
        machine: &str,
        actor: &str,
        delivery: Delivery,
    ) -> ActorRef<A> {
        reference(&self.shared, machine, actor, delivery)
    }
}

#[track_caller]
fn reference<A: RemoteActor>(
    shared: &Arc<Shared>,
    machine: &str,
    actor: &str,
    delivery: Delivery,
) -> ActorRef<A> {
    let path = Path::new(shared.association(machine), actor, shared.options.frame);
    let name = format!("{actor}@{}", path.target());
    let target = Arc::new_cyclic(|own| RemoteRef::<A> {
        own: own.clone(),
        id: System::here("parcae::actor::remote").next_id(),
        name,
        path,
        delivery,
        protocol: A::protocol(),
        state: Mutex::default(),
    });
    ActorRef::remote(target)
}

/// An actor of another machine.
struct RemoteRef<A: Actor> {
    own: Weak<Self>,
    id: ActorId,
    name: String,
    path: Path,
    delivery: Delivery,
    protocol: Protocol<A>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Actors of this machine that are linked to it, or monitor it, with the numbers of their watches.
    watches: Vec<Watch>,
    exited: Exited,
}

struct Watch {
    of: AnyRef,
    /// None for a link.
    monitor: Option<MonitorId>,
    /// Known when it has been asked for; none if it was told at once.
    number: Option<u64>,
}

/// Who waits for the end.
#[derive(Default)]
enum Exited {
    #[default]
    Unasked,
    Waited(Vec<Waker>),
    Over(ExitReason),
}

impl<A: RemoteActor> RemoteRef<A> {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn any(&self) -> AnyRef {
        let own = self.own.upgrade().expect("it is used through a reference");
        AnyRef::remote(own)
    }

    /// Has a link or monitor told.
    fn watch(&self, of: &AnyRef, monitor: Option<MonitorId>) {
        let is_link = monitor.is_none();
        {
            let mut state = self.state();
            let is_there =
                state.watches.iter().any(|watch| watch.of == *of && watch.monitor == monitor);
            if is_there {
                return;
            }
            state.watches.push(Watch { of: of.clone(), monitor, number: None });
        }
        // The watch keeps the reference: its signal names it.
        let (own, watcher) = (self.any(), of.clone());
        let kept = self.own.upgrade().expect("it is used through a reference");
        let linked = is_link.then(|| of.label().into_owned());
        let number = self.path.watch(linked, move |why| {
            if kept.take(&watcher, monitor).is_none() {
                return;
            }
            let reason = reason::of_wire(&why);
            let signal = match monitor {
                None => {
                    watcher.remove_link(&own);
                    Signal::Exit { from: own.clone(), reason }
                }
                Some(monitor) => Signal::Down { monitor, actor: own.clone(), reason },
            };
            watcher.push_signal(signal, &own);
        });
        let mut state = self.state();
        let found =
            state.watches.iter_mut().find(|watch| watch.of == *of && watch.monitor == monitor);
        if let Some(watch) = found {
            watch.number = number;
        }
    }

    fn take(&self, of: &AnyRef, monitor: Option<MonitorId>) -> Option<Watch> {
        let mut state = self.state();
        let place =
            state.watches.iter().position(|watch| watch.of == *of && watch.monitor == monitor)?;
        Some(state.watches.remove(place))
    }

    fn unwatch(&self, of: &AnyRef, monitor: Option<MonitorId>) {
        if let Some(Watch { number: Some(number), .. }) = self.take(of, monitor) {
            self.path.unwatch(number);
        }
    }
}

fn refusal(untold: Untold) -> RemoteRefusal {
    match untold {
        Untold::Full => RemoteRefusal::Full,
        Untold::Down => RemoteRefusal::Gone(ExitReason::NodeDown),
        Untold::TooLarge { size, limit } => RemoteRefusal::TooLarge { size, limit },
    }
}

impl<A: RemoteActor> RemoteTarget for RemoteRef<A> {
    fn id(&self) -> ActorId {
        self.id
    }

    fn name(&self) -> &str {
        &self.name
    }

    fn info(&self) -> ActorInfo {
        let is_over = matches!(self.state().exited, Exited::Over(_));
        let status = if is_over { ActorStatus::Ended } else { ActorStatus::Running };
        info(self.id, &self.name, status)
    }

    fn is_same(&self, other: &dyn RemoteTarget) -> bool {
        self.name == other.name()
    }

    fn send(
        &self,
        kind: TypeId,
        message: &dyn Any,
        reply: Option<Arc<dyn RemoteReply>>,
    ) -> Result<(), RemoteRefusal> {
        let entry = self.protocol.of_type(kind).ok_or(RemoteRefusal::NotRemote)?;
        let body = Body((entry.encode)(message).ok_or(RemoteRefusal::NotRemote)?);
        let Some(reply) = reply else {
            let is_sure = [self.delivery, entry.delivery].contains(&Delivery::AtLeastOnce);
            let delivery = if is_sure { Delivery::AtLeastOnce } else { Delivery::AtMostOnce };
            return self.path.try_tell(entry.name, body, delivery).map_err(refusal);
        };
        let decode = entry.decode_reply;
        let waiting = reply.clone();
        let wait = Wait {
            is_over: Box::new(move || waiting.is_canceled()),
            then: Box::new(move |answer| {
                reply.answer(match answer {
                    Ok(body) => decode(&body.0)
                        .ok_or_else(|| AskError::Refused("the answer is malformed".into())),
                    Err(failure) => Err(reason::ask_error(failure)),
                });
            }),
        };
        self.path.try_ask(entry.name, body, wait).map_err(refusal)
    }

    fn poll_room(&self, context: &mut Context<'_>) -> Poll<()> {
        self.path.poll_room(context)
    }

    fn stop(&self, reason: ExitReason) {
        // A machine that is down has none to stop.
        let _ = self.path.signal(Parcel::Stop(reason::to_wire(&reason)));
    }

    fn drain(&self) {
        let _ = self.path.signal(Parcel::Drain);
    }

    fn kill(&self) {
        let _ = self.path.kill();
    }

    fn poll_exited(&self, context: &mut Context<'_>) -> Poll<ExitReason> {
        let mut state = self.state();
        match &mut state.exited {
            Exited::Over(reason) => return Poll::Ready(reason.clone()),
            Exited::Waited(wakers) => {
                if !wakers.iter().any(|waker| waker.will_wake(context.waker())) {
                    wakers.push(context.waker().clone());
                }
                return Poll::Pending;
            }
            Exited::Unasked => state.exited = Exited::Waited(vec![context.waker().clone()]),
        }
        drop(state);
        let own = self.own.clone();
        self.path.watch(None, move |why| {
            let Some(own) = own.upgrade() else { return };
            let over = Exited::Over(reason::of_wire(&why));
            let last = std::mem::replace(&mut own.state().exited, over);
            if let Exited::Waited(wakers) = last {
                wakers.into_iter().for_each(Waker::wake);
            }
        });
        match &self.state().exited {
            Exited::Over(reason) => Poll::Ready(reason.clone()),
            Exited::Unasked | Exited::Waited(_) => Poll::Pending,
        }
    }

    fn link(&self, own: &AnyRef) {
        self.watch(own, None);
    }

    fn unlink(&self, own: &AnyRef) {
        self.unwatch(own, None);
    }

    fn monitor(&self, watcher: &AnyRef, id: MonitorId) {
        self.watch(watcher, Some(id));
    }

    fn demonitor(&self, watcher: &AnyRef, id: MonitorId) {
        self.unwatch(watcher, Some(id));
    }

    fn signal(&self, signal: Signal) {
        // Nothing on another machine monitors actors of this one through a reference of this one.
        if let Signal::Exit { from, reason } = signal {
            self.unwatch(&from, None);
            let _ = self.path.exit(from.label().into_owned(), reason::to_wire(&reason));
        }
    }
}
