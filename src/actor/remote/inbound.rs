//! What this machine has to do with a process that dials it: what came from there, and what it waits for.
//!
//! Parcels wait in a *slot* for each actor that they go to, as many as the window allows, and a task for
//! each slot hands them to the mailbox one by one, waiting for room. So an actor that is slow holds up those
//! who write to it, and nobody else.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use tracing::debug;

use super::association::{small, too_large};
use super::delivery::{Arrival, Incoming, Item, Outgoing, Window};
use super::entrance::{Answer, Doors, Entrance};
use super::error::{FrameError, LinkError};
use super::handshake::Identity;
use super::link::{FrameWriter, Traffic};
use super::options::FRAME_MIN;
use super::wire::{
    Body, FromDialer, FromListener, Parcel, Reason, Report, Request, Shared, Unanswered,
};
use crate::sync::{Notify, Queue};
use crate::task::{CancelToken, Task, spawn_named};

/// One process that dials this machine.
pub(super) struct Inbound {
    peer: Identity,
    doors: Doors,
    frame: usize,
    window: u32,
    /// Cancelled when it is known to be dead, or this machine takes part no more.
    pub(super) end: CancelToken,
    own: Weak<Self>,
    state: Mutex<State>,
    work: Notify,
}

struct State {
    /// The connection that is in force, and the number that the dialer gave it.
    attempt: u64,
    connection: Option<Connection>,
    session: Option<u64>,
    requests: Incoming,
    reports: Outgoing<Shared<Report>>,
    slots: Vec<Slot>,
    watches: BTreeMap<u64, Watch>,
    /// Questions in mailboxes: each is set when nobody waits for its answer any more.
    asks: BTreeMap<u64, Arc<AtomicBool>>,
    /// Questions in slots whose answers nobody waits for any more.
    forgotten: BTreeSet<u64>,
}

struct Connection {
    end: CancelToken,
    /// Frames that the dialer takes.
    limit: Option<u64>,
    is_begun: bool,
    has_said_began: Option<bool>,
    /// Requests up to here were acknowledged.
    acknowledged: u64,
    /// The slots by the channels that the dialer has opened.
    channels: Vec<usize>,
}

/// A task that waits for the end of an actor for the peer.
struct Watch {
    task: Task<()>,
    actor: String,
    /// The actor of the peer that is linked to it.
    linked: Option<String>,
}

/// What belonged to a session that has ended.
#[derive(Default)]
struct Gone {
    watches: Vec<Watch>,
}

struct Slot {
    actor: String,
    /// Of what is kept; outlives sessions, so that nothing comes twice.
    incoming: Incoming,
    /// Of the connection.
    window: Option<Window>,
    /// What was last said of it.
    said: u64,
    /// Parcels that came and are in no mailbox yet.
    held: u64,
    queue: Arc<Queue<(u64, Parcel)>>,
}

impl Inbound {
    pub(super) fn new(
        peer: Identity,
        doors: Doors,
        frame: usize,
        window: u32,
        end: CancelToken,
    ) -> Arc<Self> {
        let state = State {
            attempt: 0,
            connection: None,
            session: None,
            requests: Incoming::default(),
            reports: Outgoing::new(),
            slots: Vec::new(),
            watches: BTreeMap::new(),
            asks: BTreeMap::new(),
            forgotten: BTreeSet::new(),
        };
        Arc::new_cyclic(|own| Self {
            peer,
            doors,
            frame,
            window,
            end,
            own: own.clone(),
            state: Mutex::new(state),
            work: Notify::new().named("remote"),
        })
    }

    pub(super) fn peer(&self) -> &Identity {
        &self.peer
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a new connection, which ends the one before it. None if a later one is there already.
    pub(super) fn connected(&self, attempt: u64) -> Option<CancelToken> {
        let mut state = self.state();
        if attempt <= state.attempt {
            return None;
        }
        let end = self.end.child();
        state.attempt = attempt;
        let connection = Connection {
            end: end.clone(),
            limit: None,
            is_begun: false,
            has_said_began: None,
            acknowledged: 0,
            channels: Vec::new(),
        };
        let last = state.connection.replace(connection);
        for slot in &mut state.slots {
            slot.window = None;
        }
        state.reports.rewind();
        drop(state);
        if let Some(last) = last {
            last.end.cancel("a later connection has come");
        }
        Some(end)
    }

    /// The connection has ended. Says whether it was the last one.
    pub(super) fn disconnected(&self, attempt: u64) -> bool {
        let mut state = self.state();
        let is_last = state.attempt == attempt;
        if is_last {
            state.connection = None;
        }
        is_last
    }

    /// Forgets who waits and who watches, unless it has come back meanwhile.
    pub(super) fn forget(&self, attempt: u64) {
        let mut state = self.state();
        if state.attempt != attempt || state.connection.is_some() {
            return;
        }
        let gone = state.end_session();
        drop(state);
        self.cut(gone);
    }

    /// The process is dead: nothing that is held of it reaches anybody.
    pub(super) fn bury(&self) {
        self.end.cancel("the process that sent it is gone");
        let mut state = self.state();
        let gone = state.end_session();
        let queues: Vec<_> = state.slots.iter().map(|slot| slot.queue.clone()).collect();
        drop(state);
        self.cut(gone);
        for queue in queues {
            drop(queue.shutdown_now());
        }
    }

    /// Counts what is held in memory for mailboxes that are full.
    pub(super) fn held(&self) -> u64 {
        self.state().slots.iter().map(|slot| slot.held).sum()
    }

    fn report(&self, session: u64, report: Report) {
        let mut state = self.state();
        if state.session == Some(session) {
            state.reports.push_kept(Shared::new(report));
        }
        drop(state);
        self.work.notify_one();
    }

    fn answer(&self, session: u64, id: u64, result: Result<Body, Unanswered>) {
        let mut state = self.state();
        if state.session == Some(session) && state.asks.remove(&id).is_some() {
            drop(state);
            self.report(session, Report::Answer { id, result });
        }
    }

    // Slots

    /// Hands what comes for one actor to its mailbox, in order.
    async fn hand_over(self: Arc<Self>, slot: usize) {
        let (queue, actor) = {
            let state = self.state();
            (state.slots[slot].queue.clone(), state.slots[slot].actor.clone())
        };
        while let Ok((session, parcel)) = queue.get().await {
            self.hand(session, &actor, parcel).await;
            let mut state = self.state();
            state.slots[slot].held -= 1;
            if state.slots.iter().all(|slot| slot.held == 0) {
                state.forgotten.clear();
            }
            drop(state);
            self.work.notify_one();
        }
    }

    async fn hand(self: &Arc<Self>, session: u64, actor: &str, parcel: Parcel) {
        match parcel {
            Parcel::Tell { kind, body } => {
                if let Some(entrance) = self.doors.find(actor) {
                    entrance.tell(&kind, &body.0).await;
                } else {
                    debug!(actor, kind, "a message has come for nobody");
                }
            }
            Parcel::Ask { id, kind, body } if self.state().is_wanted(session, id) => {
                let Some(entrance) = self.doors.find(actor) else {
                    let result = Err(Unanswered::NoActor);
                    return self.report(session, Report::Answer { id, result });
                };
                self.ask(session, id, entrance, (kind, body)).await;
            }
            // Whoever asked has given up.
            Parcel::Ask { .. } | Parcel::Nothing => {}
            Parcel::Stop(reason) => self.signal(actor, |entrance| entrance.stop(&reason)),
            Parcel::Drain => self.signal(actor, |entrance| entrance.drain()),
        }
    }

    /// Puts a question into the mailbox, with the way back.
    async fn ask(
        self: &Arc<Self>,
        session: u64,
        id: u64,
        entrance: Box<dyn Entrance>,
        (kind, body): (String, Body),
    ) {
        let is_canceled = Arc::new(AtomicBool::new(false));
        self.state().asks.insert(id, is_canceled.clone());
        let (own, limit) = (self.own.clone(), self.frame);
        let then = Box::new(move |result| {
            if let Some(own) = own.upgrade() {
                own.answer(session, id, checked(result, limit));
            }
        });
        entrance.ask(&kind, &body.0, Answer { then, is_canceled }).await;
    }

    fn signal(&self, actor: &str, send: impl FnOnce(&dyn Entrance)) {
        if let Some(entrance) = self.doors.find(actor) {
            send(&*entrance);
        }
    }

    /// Who was linked to actors of this machine is gone with its own one.
    fn cut(&self, gone: Gone) {
        for Watch { task, actor, linked } in gone.watches {
            drop(task);
            if let Some(from) = linked {
                self.signal(&actor, |entrance| {
                    entrance.exit(&self.peer.name, &from, &Reason::NodeDown);
                });
            }
        }
    }

    /// Tells when an actor ends.
    fn watch(self: &Arc<Self>, session: u64, id: u64, actor: &str) -> Option<Task<()>> {
        let Some(entrance) = self.doors.find(actor) else {
            self.report(session, Report::Ended { id, reason: Reason::NoActor });
            return None;
        };
        let own = self.clone();
        Some(spawn_named("remote watch", async move {
            let reason = entrance.exited().await;
            let watch = own.state().watches.remove(&id);
            own.report(session, Report::Ended { id, reason });
            drop(watch);
        }))
    }

    fn on_request(self: &Arc<Self>, session: u64, request: Request) {
        match request {
            Request::Watch { id, actor, linked } => {
                if let Some(task) = self.watch(session, id, &actor) {
                    self.state().watches.insert(id, Watch { task, actor, linked });
                }
            }
            Request::Unwatch { id } => {
                let watch = self.state().watches.remove(&id);
                drop(watch);
            }
            Request::Forget { id } => {
                let mut state = self.state();
                match state.asks.remove(&id) {
                    Some(is_canceled) => is_canceled.store(true, Ordering::Relaxed),
                    None if state.slots.iter().any(|slot| slot.held > 0) => {
                        state.forgotten.insert(id);
                    }
                    None => {}
                }
            }
            Request::Kill { actor } => self.signal(&actor, |entrance| entrance.kill()),
            Request::Exit { actor, from, reason } => {
                self.signal(&actor, |entrance| entrance.exit(&self.peer.name, &from, &reason));
            }
        }
    }
}

/// An answer that is too long for a frame is none.
fn checked(result: Result<Body, Unanswered>, limit: usize) -> Result<Body, Unanswered> {
    match result {
        Ok(Body(bytes)) if bytes.len() + OVERHEAD > limit => Err(too_large(bytes.len(), limit)),
        result => result,
    }
}

/// Bytes of a frame beside the message: length, version, seal, numbers and names.
pub(super) const OVERHEAD: usize = 64;

impl State {
    /// Ends what belongs to a session. Returns what has to be dropped when nothing is held.
    fn end_session(&mut self) -> Gone {
        self.session = None;
        self.requests = Incoming::default();
        self.reports = Outgoing::new();
        for is_canceled in std::mem::take(&mut self.asks).into_values() {
            is_canceled.store(true, Ordering::Relaxed);
        }
        Gone { watches: std::mem::take(&mut self.watches).into_values().collect() }
    }

    fn is_wanted(&mut self, session: u64, ask: u64) -> bool {
        self.session == Some(session) && !self.forgotten.remove(&ask)
    }

    fn begin(&mut self, session: u64, limit: u64, expected: u64) -> Result<Gone, LinkError> {
        let connection = self.connection.as_mut().ok_or(LinkError::OutOfTurn)?;
        if connection.is_begun || limit < FRAME_MIN {
            return Err(LinkError::OutOfTurn);
        }
        connection.is_begun = true;
        connection.limit = Some(limit);
        let is_resumed = self.session == Some(session);
        connection.has_said_began = Some(is_resumed);
        let mut gone = Gone::default();
        if is_resumed {
            drop(self.reports.acknowledge(expected).ok_or(LinkError::OutOfTurn)?);
        } else {
            gone = self.end_session();
            self.session = Some(session);
        }
        Ok(gone)
    }

    /// Notes the channel of a slot. Channels are opened when they are first used, in any order.
    fn connect(&mut self, channel: u32, slot: usize) -> Result<(), LinkError> {
        let channel = usize::try_from(channel).expect("64 bits hold 32");
        let (_, connection) = self.begun()?;
        if channel >= SLOTS_MAX {
            return Err(LinkError::OutOfTurn);
        }
        if channel >= connection.channels.len() {
            connection.channels.resize(channel + 1, NO_SLOT);
        }
        if connection.channels[channel] != NO_SLOT {
            return Err(LinkError::OutOfTurn);
        }
        connection.channels[channel] = slot;
        Ok(())
    }

    /// Returns the session and the connection, once the dialer has begun.
    fn begun(&mut self) -> Result<(u64, &mut Connection), LinkError> {
        match (self.session, self.connection.as_mut()) {
            (Some(session), Some(connection)) if connection.is_begun => Ok((session, connection)),
            _ => Err(LinkError::OutOfTurn),
        }
    }
}

impl Traffic for Inbound {
    type In = FromDialer;
    type Out = FromListener;

    const HEARTBEAT: FromListener = FromListener::Heartbeat;

    fn is_heartbeat(frame: &FromDialer) -> bool {
        matches!(frame, FromDialer::Heartbeat)
    }

    fn receive(&self, frame: FromDialer) -> Result<(), LinkError> {
        let mut state = self.state();
        match frame {
            FromDialer::Heartbeat => {}
            FromDialer::Begin { session, limit, expected } => {
                let gone = state.begin(session, limit, expected)?;
                drop(state);
                self.cut(gone);
            }
            FromDialer::Open { channel, actor } => {
                state.begun()?;
                let slot = self.open(&mut state, actor)?;
                state.connect(channel, slot)?;
            }
            FromDialer::Parcel { channel, number, parcel } => {
                let (session, connection) = state.begun()?;
                let channel = usize::try_from(channel).expect("64 bits hold 32");
                let slot = connection.channels.get(channel).copied().unwrap_or(NO_SLOT);
                let slot = state.slots.get_mut(slot).ok_or(LinkError::OutOfTurn)?;
                slot.receive(session, number, parcel)?;
            }
            FromDialer::Request { number, request } => {
                let (session, _) = state.begun()?;
                match state.requests.on(number) {
                    Arrival::New => {
                        drop(state);
                        let own = self.own.upgrade().ok_or(LinkError::Closed)?;
                        if let Some(request) = request.into_inner() {
                            own.on_request(session, request);
                        }
                    }
                    Arrival::Again => {}
                    Arrival::TooEarly => return Err(LinkError::OutOfTurn),
                }
            }
            FromDialer::Received { expected } => {
                drop(state.reports.acknowledge(expected).ok_or(LinkError::OutOfTurn)?);
            }
        }
        self.work.notify_one();
        Ok(())
    }

    fn send(&self, frames: &mut FrameWriter) {
        let mut state = self.state();
        let State { connection, reports, requests, slots, .. } = &mut *state;
        let Some(connection) = connection else { return };
        if let Some(is_resumed) = connection.has_said_began.take() {
            let limit = u64::try_from(self.frame).expect("64 bits hold a size");
            let expected = requests.expected();
            connection.acknowledged = expected;
            small(frames, &FromListener::Began { is_resumed, limit, expected });
        }
        if !connection.is_begun {
            return;
        }
        if let Some(limit) = connection.limit {
            frames.lower_limit(limit);
        }
        let expected = requests.expected();
        if connection.acknowledged < expected {
            connection.acknowledged = expected;
            small(frames, &FromListener::Received { expected });
        }
        for (channel, slot) in connection.channels.iter().enumerate() {
            let Some(slot) = slots.get_mut(*slot) else { continue };
            let channel = u32::try_from(channel).expect("channels are counted");
            slot.say(channel, frames);
        }
        while !frames.is_full()
            && let Some(Item::Kept(number, report)) = reports.take()
        {
            let frame = FromListener::Report { number, report };
            if let Err(FrameError::TooLarge { size, limit }) = frames.add(&frame) {
                let FromListener::Report { report, .. } = frame else { continue };
                let Report::Answer { id, .. } = &*report.0 else { continue };
                let answer = Report::Answer { id: *id, result: Err(too_large(size, limit)) };
                let report = Shared::new(answer);
                small(frames, &FromListener::Report { number, report });
            }
        }
        if frames.is_full() {
            self.work.notify_one();
        }
    }

    fn work(&self) -> &Notify {
        &self.work
    }
}

impl Inbound {
    /// Returns the slot of an actor; makes it and its task if there is none.
    fn open(&self, state: &mut State, actor: String) -> Result<usize, LinkError> {
        if actor.len() > NAME_MAX {
            return Err(LinkError::OutOfTurn);
        }
        let found = state.slots.iter().position(|slot| slot.actor == actor);
        let index = match found {
            Some(index) => index,
            None if state.slots.len() >= SLOTS_MAX => return Err(LinkError::OutOfTurn),
            None => {
                let own = self.own.upgrade().ok_or(LinkError::Closed)?;
                let (index, end) = (state.slots.len(), self.end.clone());
                state.slots.push(Slot::new(actor));
                let work = async move { drop(end.run(own.hand_over(index)).await) };
                spawn_named("remote mailbox", work).background();
                index
            }
        };
        let slot = &mut state.slots[index];
        if slot.window.is_some() {
            return Err(LinkError::OutOfTurn);
        }
        slot.window = Some(Window::new(self.window.into()));
        slot.said = 0;
        Ok(index)
    }
}

impl Slot {
    fn new(actor: String) -> Self {
        Self {
            actor,
            incoming: Incoming::default(),
            window: None,
            said: 0,
            held: 0,
            queue: Arc::new(Queue::unbounded().named("remote mailbox")),
        }
    }

    fn receive(
        &mut self,
        session: u64,
        number: Option<u64>,
        parcel: Shared<Parcel>,
    ) -> Result<(), LinkError> {
        let window = self.window.as_mut().ok_or(LinkError::OutOfTurn)?;
        // Whoever sends more than it may would fill the memory.
        if !window.receive() {
            return Err(LinkError::OutOfTurn);
        }
        match number.map_or(Arrival::New, |number| self.incoming.on(number)) {
            Arrival::New => {}
            Arrival::Again => return Ok(()),
            Arrival::TooEarly => return Err(LinkError::OutOfTurn),
        }
        let Some(parcel) = parcel.into_inner() else { return Ok(()) };
        if !matches!(parcel, Parcel::Nothing) {
            self.held += 1;
            // Closed when the process is known to be dead; then it does not matter.
            drop(self.queue.try_put((session, parcel)));
        }
        Ok(())
    }

    /// Says what may come and what has come, if it is news.
    fn say(&mut self, channel: u32, frames: &mut FrameWriter) {
        let Some(window) = &mut self.window else { return };
        let expected = self.incoming.expected();
        let grant = window.grant(self.held);
        if grant.is_some() || self.said != expected {
            self.said = expected;
            let granted = window.granted();
            small(frames, &FromListener::Grant { channel, granted, expected });
        }
    }
}

/// Actors of this machine that one process may write to.
const SLOTS_MAX: usize = 4_096;

/// Bytes of a name.
pub(super) const NAME_MAX: usize = 256;

/// A channel that was not opened.
const NO_SLOT: usize = usize::MAX;
