//! What this machine has to do with another one that it dials: who writes there, who waits for answers, who is
//! watched.
//!
//! ```text
//! New ----> Up <----> Lost ----> Down         dialed on, with back-off, in New, Lost and Down
//!  |         ^                    | ^
//!  |         '--------------------' |
//!  '--------------------------------'
//! ```
//!
//! *Lost* is a connection that has broken and may come back: nothing is told to anybody. *Down* is when the failure
//! detector suspects the machine, or it is another process by now, or it does not want this one: all that
//! watch learn of it, each once, and what waits for an answer fails.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Waker;

use super::delivery::{Credit, Incoming, Item, Outgoing};
use super::error::LinkError;
use super::handshake::Identity;
use super::link::{FrameWriter, Traffic};
use super::options::FRAME_MIN;
use super::wire::{
    Body, FromDialer, FromListener, Parcel, Reason, Report, Request, Shared, Unanswered,
};
use crate::sync::{Notify, OwnedPermit, Semaphore};

/// One machine as this one sees it.
pub(super) struct Association {
    pub(super) target: String,
    pub(super) line: u64,
    /// This side's limit of frames, told to the other.
    frame: usize,
    outgoing: usize,
    state: Mutex<State>,
    work: Notify,
}

struct State {
    status: Status,
    peer: Option<Identity>,
    session: u64,
    /// The listener has heard of the session.
    has_begun: bool,
    /// On this connection.
    connection: Connection,
    requests: Outgoing<Shared<Request>>,
    reports: Incoming,
    channels: Vec<Channel>,
    /// The channel to begin with, so that each has its turn.
    turn: usize,
    next_id: u64,
    waits: BTreeMap<u64, Wait>,
    watches: BTreeMap<u64, OnEnd>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Status {
    New,
    Up,
    Lost,
    Down,
    /// This machine takes part no more.
    Closed,
}

#[derive(Clone, Copy, Default)]
struct Connection {
    has_said_begin: bool,
    has_begun: bool,
    limit: Option<u64>,
    /// Reports up to here were acknowledged.
    acknowledged: u64,
}

struct Channel {
    actor: String,
    room: Arc<Semaphore>,
    /// Who waits for room, or for the end of the machine.
    waiting: Vec<Waker>,
    outgoing: Outgoing<Arc<Kept>>,
    credit: Credit,
    is_open: bool,
}

/// A parcel, and the room that it takes until it has gone.
struct Kept {
    parcel: Mutex<Shared<Parcel>>,
    /// Whether another process of the same name is to have it, too.
    is_lasting: bool,
    /// None for signals.
    _room: Option<OwnedPermit>,
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Failure {
    Unanswered(Unanswered),
    NodeDown,
}

/// Told once why an actor has ended.
type OnEnd = Box<dyn FnOnce(Reason) + Send>;

/// What is left to do when nothing is held any more.
type Finish = Box<dyn FnOnce()>;

/// Who waits for an answer.
pub(super) struct Wait {
    pub(super) then: Box<dyn FnOnce(Result<Body, Failure>) + Send>,
    /// Tells whether nobody waits any more.
    pub(super) is_over: Box<dyn Fn() -> bool + Send>,
}

/// How sure a message is to come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Delivery {
    /// It comes once, or not at all: when a connection breaks, what was on it is lost.
    #[default]
    AtMostOnce,
    /// It is sent until a process on the other machine has taken it, which is before it is handled. The same process
    /// gets it once; one that has taken its place gets it again, for what the first one did with it is not known.
    AtLeastOnce,
}

/// A parcel was not taken: the other machine is down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Refused;

impl Association {
    pub(super) fn new(target: String, line: u64, frame: usize, outgoing: u32) -> Self {
        let state = State {
            status: Status::New,
            peer: None,
            session: 0,
            has_begun: false,
            connection: Connection::default(),
            requests: Outgoing::new(),
            reports: Incoming::default(),
            channels: Vec::new(),
            turn: 0,
            next_id: 0,
            waits: BTreeMap::new(),
            watches: BTreeMap::new(),
        };
        Self {
            target,
            line,
            frame,
            outgoing: usize::try_from(outgoing).expect("64 bits hold 32"),
            state: Mutex::new(state),
            work: Notify::new().named("remote"),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn status(&self) -> Status {
        self.state().status
    }

    // For references

    /// Returns the channel to an actor, and what its room is counted by.
    pub(super) fn channel(&self, actor: &str) -> (usize, Arc<Semaphore>) {
        let mut state = self.state();
        if let Some(index) = state.channels.iter().position(|channel| channel.actor == actor) {
            return (index, state.channels[index].room.clone());
        }
        let room = Arc::new(Semaphore::new(self.outgoing).named("remote"));
        state.channels.push(Channel {
            actor: actor.to_owned(),
            room: room.clone(),
            waiting: Vec::new(),
            outgoing: Outgoing::new(),
            credit: Credit::default(),
            is_open: false,
        });
        (state.channels.len() - 1, room)
    }

    /// Wakes this one when there may be room.
    pub(super) fn note_waiting(&self, channel: usize, waker: &Waker) {
        let waiting = &mut self.state().channels[channel].waiting;
        if !waiting.iter().any(|other| other.will_wake(waker)) {
            waiting.push(waker.clone());
        }
    }

    /// Sends a message, in the room that was got for it.
    pub(super) fn tell(
        &self,
        channel: usize,
        parcel: Parcel,
        delivery: Delivery,
        room: OwnedPermit,
    ) -> Result<(), Refused> {
        let mut state = self.state();
        let is_lasting = delivery == Delivery::AtLeastOnce;
        match state.status {
            Status::Closed => return Err(Refused),
            Status::Down if !is_lasting => return Err(Refused),
            _ => {}
        }
        let kept = Arc::new(Kept {
            parcel: Mutex::new(Shared::new(parcel)),
            is_lasting,
            _room: Some(room),
        });
        let outgoing = &mut state.channels[channel].outgoing;
        if is_lasting {
            outgoing.push_kept(kept);
        } else {
            outgoing.push_once(kept);
        }
        drop(state);
        self.work.notify_one();
        Ok(())
    }

    /// Sends what must come if this process of the other machine lives: a signal, or a question with who waits for
    /// the answer. Returns the number of the question.
    pub(super) fn send_sure(
        &self,
        channel: usize,
        room: impl Into<Option<OwnedPermit>>,
        make: impl FnOnce(u64) -> Parcel,
        wait: Option<Wait>,
    ) -> Result<u64, Refused> {
        let mut state = self.state();
        if matches!(state.status, Status::Down | Status::Closed) {
            return Err(Refused);
        }
        let id = state.number();
        let parcel = Mutex::new(Shared::new(make(id)));
        let kept = Arc::new(Kept { parcel, is_lasting: false, _room: room.into() });
        state.channels[channel].outgoing.push_kept(kept);
        if let Some(wait) = wait {
            state.waits.insert(id, wait);
        }
        drop(state);
        self.work.notify_one();
        Ok(id)
    }

    /// Calls `then` once when the actor ends, or the machine is taken for dead.
    pub(super) fn watch(
        &self,
        actor: &str,
        linked: Option<String>,
        then: impl FnOnce(Reason) + Send + 'static,
    ) -> Option<u64> {
        let mut state = self.state();
        if matches!(state.status, Status::Down | Status::Closed) {
            drop(state);
            then(Reason::NodeDown);
            return None;
        }
        let id = state.number();
        state.watches.insert(id, Box::new(then));
        state.requests.push_kept(Shared::new(Request::Watch {
            id,
            actor: actor.to_owned(),
            linked,
        }));
        drop(state);
        self.work.notify_one();
        Some(id)
    }

    pub(super) fn unwatch(&self, id: u64) {
        let mut state = self.state();
        let watch = state.watches.remove(&id);
        if watch.is_some() {
            state.requests.push_kept(Shared::new(Request::Unwatch { id }));
        }
        drop(state);
        drop(watch);
        self.work.notify_one();
    }

    /// Sends what does not wait for its turn.
    pub(super) fn request(&self, request: Request) -> Result<(), Refused> {
        let mut state = self.state();
        if matches!(state.status, Status::Down | Status::Closed) {
            return Err(Refused);
        }
        state.requests.push_kept(Shared::new(request));
        drop(state);
        self.work.notify_one();
        Ok(())
    }

    // For the driver

    /// Takes a new connection; says whether it is to the same process as the last one.
    pub(super) fn connected(&self, peer: &Identity) -> bool {
        let mut state = self.state();
        let is_other = state.peer.as_ref().is_some_and(|last| last != peer);
        let told = if is_other { state.down(Status::Lost, true) } else { Told::default() };
        let is_same = state.peer.replace(peer.clone()).is_some() && !is_other;
        state.status = Status::Up;
        state.connection = Connection::default();
        state.requests.rewind();
        for channel in &mut state.channels {
            channel.outgoing.rewind();
            channel.credit = Credit::default();
            channel.is_open = false;
        }
        drop(state);
        told.tell();
        self.work.notify_one();
        is_same
    }

    /// The connection has broken.
    pub(super) fn lost(&self) {
        let mut state = self.state();
        if state.status == Status::Up {
            state.status = Status::Lost;
        }
    }

    /// The machine is taken for dead.
    pub(super) fn down(&self, status: Status) {
        let mut state = self.state();
        if state.status == Status::Closed || state.status == status {
            return;
        }
        let told = state.down(status, false);
        drop(state);
        told.tell();
    }
}

/// Who has to be told that the machine is down, when nothing is held any more.
#[derive(Default)]
struct Told {
    waits: Vec<Wait>,
    watches: Vec<OnEnd>,
    /// Dropped late: room that gets free wakes others.
    parcels: Vec<Arc<Kept>>,
    waiting: Vec<Waker>,
}

impl Told {
    fn tell(self) {
        for wait in self.waits {
            (wait.then)(Err(Failure::NodeDown));
        }
        for watch in self.watches {
            watch(Reason::NodeDown);
        }
        drop(self.parcels);
        self.waiting.into_iter().for_each(Waker::wake);
    }
}

impl State {
    fn number(&mut self) -> u64 {
        self.next_id += 1;
        self.next_id
    }

    fn take_waiting(&mut self) -> Vec<Waker> {
        self.channels.iter_mut().flat_map(|channel| std::mem::take(&mut channel.waiting)).collect()
    }

    /// Ends the session. The other end may be the same process still, which is told of a new session, or
    /// another one (`is_other`), which knows of nothing.
    fn down(&mut self, status: Status, is_other: bool) -> Told {
        self.status = status;
        self.session += 1;
        self.has_begun = false;
        self.requests = Outgoing::new();
        self.reports = Incoming::default();
        let mut told = Told {
            waits: std::mem::take(&mut self.waits).into_values().collect(),
            watches: std::mem::take(&mut self.watches).into_values().collect(),
            parcels: Vec::new(),
            waiting: self.take_waiting(),
        };
        for channel in &mut self.channels {
            let parcels = if is_other {
                channel.outgoing.restart(|kept| kept.is_lasting)
            } else {
                channel.outgoing.for_each_kept(|kept| kept.withdraw());
                channel.outgoing.drop_once()
            };
            told.parcels.extend(parcels);
        }
        told
    }

    /// Takes back a question as far as that can be done; says whether it was never sent.
    fn withdraw(&self, id: u64) -> bool {
        let mut is_unsent = false;
        for channel in &self.channels {
            channel.outgoing.for_each_unsent(|kept| is_unsent |= kept.is_question(id));
            // Also what waits to be sent again: it may not have come.
            channel.outgoing.for_each_kept(|kept| {
                if kept.is_question(id) {
                    kept.withdraw();
                }
            });
        }
        is_unsent
    }
}

impl Kept {
    fn parcel(&self) -> MutexGuard<'_, Shared<Parcel>> {
        self.parcel.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_question(&self, id: u64) -> bool {
        matches!(&*self.parcel().0, Parcel::Ask { id: own, .. } if *own == id)
    }

    /// Leaves nothing but its number, unless it is to last.
    fn withdraw(&self) {
        if !self.is_lasting {
            *self.parcel() = Shared::new(Parcel::Nothing);
        }
    }
}

impl Traffic for Association {
    type In = FromListener;
    type Out = FromDialer;

    const HEARTBEAT: FromDialer = FromDialer::Heartbeat;

    fn is_heartbeat(frame: &FromListener) -> bool {
        matches!(frame, FromListener::Heartbeat)
    }

    fn receive(&self, frame: FromListener) -> Result<(), LinkError> {
        let mut state = self.state();
        match frame {
            FromListener::Heartbeat => {}
            FromListener::Began { is_resumed, limit, expected } => {
                let told = state.began(is_resumed, limit, expected)?;
                drop(state);
                told.tell();
                self.work.notify_one();
            }
            FromListener::Grant { channel, granted, expected } => {
                let index = usize::try_from(channel).expect("64 bits hold 32");
                let channel = state.channels.get_mut(index).ok_or(LinkError::OutOfTurn)?;
                channel.credit.grant(granted);
                let done = channel.outgoing.acknowledge(expected).ok_or(LinkError::OutOfTurn)?;
                let waiting = std::mem::take(&mut channel.waiting);
                drop(state);
                drop(done);
                waiting.into_iter().for_each(Waker::wake);
                self.work.notify_one();
            }
            FromListener::Report { number, report } => {
                let Some(report) = state.on_report(number, report)? else { return Ok(()) };
                drop(state);
                report();
                self.work.notify_one();
            }
            FromListener::Received { expected } => {
                let done = state.requests.acknowledge(expected).ok_or(LinkError::OutOfTurn)?;
                drop(done);
            }
        }
        Ok(())
    }

    fn send(&self, frames: &mut FrameWriter) {
        let mut state = self.state();
        if !state.connection.has_said_begin {
            state.connection.has_said_begin = true;
            let limit = u64::try_from(self.frame).expect("64 bits hold a size");
            let (session, expected) = (state.session, state.reports.expected());
            small(frames, &FromDialer::Begin { session, limit, expected });
        }
        if !state.connection.has_begun {
            return;
        }
        if let Some(limit) = state.connection.limit {
            frames.lower_limit(limit);
        }
        let expected = state.reports.expected();
        if state.connection.acknowledged < expected {
            state.connection.acknowledged = expected;
            small(frames, &FromDialer::Received { expected });
        }
        while !frames.is_full()
            && let Some(item) = state.requests.take()
        {
            let Item::Kept(number, request) = item else { continue };
            // A name that is too long for a frame is refused when the reference is made.
            small(frames, &FromDialer::Request { number, request });
        }
        let mut done = state.send_parcels(frames);
        if !done.gone.is_empty() {
            done.waiting = state.take_waiting();
        }
        if frames.is_full() {
            self.work.notify_one();
        }
        drop(state);
        done.finish();
    }

    /// Takes back the questions that nobody waits for the answers of any more.
    fn tick(&self) {
        let mut state = self.state();
        let over: Vec<u64> =
            state.waits.iter().filter(|(_, wait)| (wait.is_over)()).map(|(id, _)| *id).collect();
        let gone: Vec<Wait> = over.iter().filter_map(|id| state.waits.remove(id)).collect();
        for id in over {
            // It may not have gone yet, and then need not.
            if !state.withdraw(id) {
                state.requests.push_kept(Shared::new(Request::Forget { id }));
            }
        }
        drop(state);
        drop(gone);
    }

    fn work(&self) -> &Notify {
        &self.work
    }
}

/// Adds a frame of the protocol itself, for which every limit has room.
pub(super) fn small<T: serde::Serialize>(frames: &mut FrameWriter, frame: &T) {
    frames.add(frame).expect("names are checked, and every limit has room for them");
}

/// What has to be done when nothing is held any more.
#[derive(Default)]
struct Done {
    gone: Vec<Arc<Kept>>,
    failed: Vec<(Wait, Failure)>,
    waiting: Vec<Waker>,
}

impl Done {
    fn finish(self) {
        drop(self.gone);
        self.waiting.into_iter().for_each(Waker::wake);
        for (wait, failure) in self.failed {
            (wait.then)(Err(failure));
        }
    }
}

impl State {
    fn began(&mut self, is_resumed: bool, limit: u64, expected: u64) -> Result<Told, LinkError> {
        if !self.connection.has_said_begin || self.connection.has_begun {
            return Err(LinkError::OutOfTurn);
        }
        if limit < FRAME_MIN {
            return Err(LinkError::OutOfTurn);
        }
        self.connection.has_begun = true;
        self.connection.limit = Some(limit);
        let mut told = Told::default();
        if is_resumed {
            drop(self.requests.acknowledge(expected).ok_or(LinkError::OutOfTurn)?);
        } else if self.has_begun {
            // It has forgotten the session, so nobody there knows who waits and who watches. The listener
            // has begun the new one under the old number.
            let session = self.session;
            told = self.down(Status::Up, false);
            self.session = session;
        }
        self.has_begun = true;
        Ok(told)
    }

    fn on_report(
        &mut self,
        number: u64,
        report: Shared<Report>,
    ) -> Result<Option<Finish>, LinkError> {
        use super::delivery::Arrival;
        match self.reports.on(number) {
            Arrival::New => {}
            Arrival::Again => return Ok(None),
            Arrival::TooEarly => return Err(LinkError::OutOfTurn),
        }
        Ok(match report.into_inner() {
            Some(Report::Answer { id, result }) => {
                let Some(wait) = self.waits.remove(&id) else { return Ok(None) };
                Some(Box::new(move || (wait.then)(result.map_err(Failure::Unanswered))))
            }
            Some(Report::Ended { id, reason }) => {
                let Some(watch) = self.watches.remove(&id) else { return Ok(None) };
                Some(Box::new(move || watch(reason)))
            }
            None => None,
        })
    }

    /// Sends of each channel in turn what there is credit for.
    fn send_parcels(&mut self, frames: &mut FrameWriter) -> Done {
        let mut done = Done::default();
        let count = self.channels.len();
        let mut idle = 0;
        while idle < count && !frames.is_full() {
            self.turn = (self.turn + 1) % count;
            let number = u32::try_from(self.turn).expect("so many channels are not made");
            let Self { channels, waits, .. } = self;
            let channel = &mut channels[self.turn];
            if !channel.outgoing.has_waiting() {
                idle += 1;
                continue;
            }
            if !channel.is_open {
                channel.is_open = true;
                small(frames, &FromDialer::Open { channel: number, actor: channel.actor.clone() });
            }
            if !channel.credit.is_there() {
                idle += 1;
                continue;
            }
            idle = 0;
            let Some(item) = channel.outgoing.take() else { continue };
            channel.credit.spend();
            let (kept_number, kept) = match item {
                Item::Once(kept) => (None, kept),
                Item::Kept(number, kept) => (Some(number), kept),
            };
            let parcel = kept.parcel().clone();
            let frame = FromDialer::Parcel { channel: number, number: kept_number, parcel };
            if let Err(error) = frames.add(&frame) {
                // The other side takes less than this one. Its number has to come all the same.
                let super::error::FrameError::TooLarge { size, limit } = error else { continue };
                let FromDialer::Parcel { parcel, .. } = frame else { continue };
                if let Parcel::Ask { id, .. } = &*parcel.0
                    && let Some(wait) = waits.remove(id)
                {
                    done.failed.push((wait, Failure::Unanswered(too_large(size, limit))));
                }
                *kept.parcel() = Shared::new(Parcel::Nothing);
                let parcel = Shared::new(Parcel::Nothing);
                small(frames, &FromDialer::Parcel { channel: number, number: kept_number, parcel });
            }
            if kept_number.is_none() {
                done.gone.push(kept);
            }
        }
        done
    }
}

pub(super) fn too_large(size: usize, limit: usize) -> Unanswered {
    let [size, limit] = [size, limit].map(|n| u64::try_from(n).expect("64 bits hold a size"));
    Unanswered::TooLarge { size, limit }
}
