//! A supervisor at work: it hears what happens to its children and does what its roster says.
//!
//! Everything that happens comes through one queue, the inbox: that a child has started or ended, that a
//! timer is due, that somebody asks for something. Each entry is dealt with without an await, so nothing
//! that takes long (a start, a stop) keeps a supervisor from hearing the next.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use super::child_info::{ChildCounts, ChildInfo};
use super::error::{ChildError, SpecError, SupervisorError};
use super::policy::{AutoShutdown, Restart};
use super::roster::{Action, ChildKey, End, Exit, Refusal, Reply, Roster, Rules, Token};
use super::seat::{Launch, Seat};
use crate::actor::{ActorId, ExitReason};
use crate::sync::{Queue, oneshot};
use crate::task::{Task, spawn_named};
use crate::time::{Instant, sleep};

/// What happens to a supervisor.
#[derive(Debug)]
pub(super) enum Event {
    /// The `start` of a child has returned.
    Started(ChildKey),
    /// A child is not needed: nothing was started.
    Ignored(ChildKey),
    Ended(ChildKey, ExitReason),
    TimeIsOver(ChildKey),
    Command(Command),
    /// It is asked to stop.
    Stop,
    /// It was killed, and so are its children.
    Killed,
}

/// What somebody asks of a supervisor, and where the answer goes.
#[derive(Debug)]
pub(super) enum Command {
    Add(Box<dyn Seat>, Answer<()>),
    Restart(ChildName, Answer<()>),
    Terminate(ChildName, Answer<()>),
    Delete(ChildName, Answer<()>),
    Which(oneshot::Sender<Vec<ChildInfo>>),
    Count(oneshot::Sender<ChildCounts>),
}

pub(super) type Answer<T> = oneshot::Sender<Result<T, ChildError>>;

/// How somebody names a child.
#[derive(Debug)]
pub(super) enum ChildName {
    Name(String),
    Id(ActorId),
}

/// Where everything that happens to a supervisor comes in.
pub(super) type Inbox = Queue<Event>;

/// What is found out about a supervisor's end, with the words that a roster has not.
#[derive(Clone, Debug)]
pub(super) struct Farewell {
    end: End,
    /// Whether all children had started before.
    pub(super) is_started: bool,
    /// The child that it is about, and how that ended.
    child: Option<(String, ExitReason)>,
}

impl Farewell {
    /// Whether it came to its end by itself.
    pub(super) fn is_own(&self) -> bool {
        self.end != End::Stopped
    }

    /// Returns what is to be said of the end if it is a failure.
    pub(super) fn error(&self, rules: Rules) -> Option<SupervisorError> {
        let (name, reason) = self.child.clone()?;
        match self.end {
            End::Stopped | End::AutoShutdown(_) => None,
            End::StartFailed(_) => Some(SupervisorError::Child { name, reason }),
            End::TooManyRestarts(_) => {
                let Rules { intensity: limit, period, .. } = rules;
                Some(SupervisorError::TooManyRestarts { name, reason, limit, period })
            }
        }
    }
}

/// A supervisor's children and what is known of them.
pub(super) struct Keeper {
    name: String,
    rules: Rules,
    /// So many children at most.
    children_max: usize,
    roster: Roster,
    places: BTreeMap<ChildKey, Place>,
    keys: BTreeMap<ActorId, ChildKey>,
    born: Instant,
    inbox: Inbox,
    next_token: u64,
    answers: BTreeMap<Token, (Answer<()>, Option<ChildKey>)>,
    /// How the last child has ended before the supervisor began to end, for its farewell.
    decisive: Option<(ChildKey, String, ExitReason)>,
    /// Called when all have started.
    ready: Option<Box<dyn FnOnce()>>,
    farewell: Option<Farewell>,
    /// Those that do not come back in this incarnation: of the next one they are children again.
    retired: Vec<(ChildKey, Box<dyn Seat>)>,
}

#[derive(Debug)]
struct Place {
    seat: Box<dyn Seat>,
    timer: Option<Task<()>>,
    /// How its last incarnation has ended.
    last: Option<ExitReason>,
}

impl Place {
    /// Returns why it is not there.
    fn reason(&self) -> ExitReason {
        self.last.clone().unwrap_or(ExitReason::Shutdown)
    }
}

impl Keeper {
    pub(super) fn new(name: String, rules: Rules, children_max: usize, inbox: Inbox) -> Self {
        Self {
            name,
            rules,
            children_max,
            roster: Roster::new(rules),
            places: BTreeMap::new(),
            keys: BTreeMap::new(),
            born: Instant::now(),
            inbox,
            next_token: 0,
            answers: BTreeMap::new(),
            decisive: None,
            ready: None,
            farewell: None,
            retired: Vec::new(),
        }
    }

    /// Adds the children of the specification.
    pub(super) fn seat_all(&mut self, seats: Vec<Box<dyn Seat>>) {
        for seat in seats {
            let key = self.roster.add_first(seat.policy());
            self.seat(key, seat);
        }
    }

    /// Begins to start the children. `ready` is called when all have started; it is dropped when that comes
    /// to nothing.
    pub(super) fn begin(&mut self, ready: Box<dyn FnOnce()>) {
        self.ready = Some(ready);
        let actions = self.roster.begin();
        self.obey(actions);
    }

    /// Ends before any child is started.
    pub(super) fn give_up(&mut self) {
        self.take(Event::Stop);
    }

    /// Deals with what happens until all is over.
    pub(super) async fn work(&mut self) -> Farewell {
        loop {
            if let Some(farewell) = self.farewell.take() {
                self.inbox.close();
                return farewell;
            }
            let event = self.inbox.get().await.expect("only the keeper closes its inbox");
            self.take(event);
        }
    }

    /// Returns the children of the specification, for another incarnation of the supervisor.
    pub(super) fn into_seats(mut self) -> Vec<Box<dyn Seat>> {
        let places = std::mem::take(&mut self.places);
        let mut seats = std::mem::take(&mut self.retired);
        for (key, mut place) in places {
            if self.roster.is_first(key) {
                seats.push((key, place.seat));
            } else {
                let reason = place.reason();
                place.seat.retire(&reason);
            }
        }
        seats.sort_by_key(|(key, _)| *key);
        seats.into_iter().map(|(_, seat)| seat).collect()
    }

    fn take(&mut self, event: Event) {
        let now = self.born.elapsed();
        let actions = match event {
            Event::Started(key) => self.roster.started(key, now),
            Event::Ended(key, reason) => {
                let exit = exit_of(&reason);
                self.note_exit(key, reason);
                self.roster.ended(key, exit, now)
            }
            Event::Ignored(key) => self.roster.ignored(key),
            Event::TimeIsOver(key) => self.time_is_over(key),
            Event::Command(command) => self.take_command(command),
            Event::Stop => self.roster.stop(),
            Event::Killed => {
                let actions = self.roster.stop();
                self.places.values().rev().for_each(|place| place.seat.any().kill());
                actions
            }
        };
        self.obey(actions);
    }

    fn time_is_over(&mut self, key: ChildKey) -> Vec<Action> {
        // A timer that was due and then forgotten may still be in the inbox.
        let Some(place) = self.places.get_mut(&key) else { return Vec::new() };
        if place.timer.take_if(|timer| timer.is_finished()).is_none() {
            return Vec::new();
        }
        self.roster.time_is_over(key)
    }

    // Commands

    fn take_command(&mut self, command: Command) -> Vec<Action> {
        match command {
            Command::Add(seat, answer) => self.add(seat, answer),
            Command::Restart(name, answer) => self.on_child(&name, answer, Roster::restart),
            Command::Terminate(name, answer) => self.on_child(&name, answer, Roster::terminate),
            Command::Delete(name, answer) => self.on_child(&name, answer, |roster, key, token| {
                let mut actions = roster.delete(key)?;
                actions.push(Action::Reply(token, Reply::Gone));
                Ok(actions)
            }),
            Command::Which(answer) => {
                let infos = self.places.iter().filter_map(|(&key, place)| {
                    let (status, restarts) = self.roster.status(key)?;
                    let policy = place.seat.policy();
                    let (name, reference) = (place.seat.name().to_owned(), place.seat.any());
                    Some(ChildInfo { name, reference, kind: policy.kind, status, restarts })
                });
                // Whoever asked may be gone.
                drop(answer.send(infos.collect()));
                Vec::new()
            }
            Command::Count(answer) => {
                answer.send(self.roster.counts()).ok();
                Vec::new()
            }
        }
    }

    fn add(&mut self, seat: Box<dyn Seat>, answer: Answer<()>) -> Vec<Action> {
        if let Err(error) = self.look_at_new(&*seat) {
            drop(answer.send(Err(error)));
            return Vec::new();
        }
        let token = self.token(answer);
        let (key, actions) = self.roster.add(seat.policy(), token);
        if let Some((_, child)) = self.answers.get_mut(&token) {
            *child = Some(key);
        }
        self.seat(key, seat);
        actions
    }

    fn look_at_new(&self, seat: &dyn Seat) -> Result<(), ChildError> {
        if self.roster.is_ending() {
            return Err(ChildError::Ending);
        }
        if self.places.len() >= self.children_max {
            return Err(ChildError::TooMany { limit: self.children_max });
        }
        if !self.rules.is_dynamic && self.find_by_name(seat.name()).is_some() {
            return Err(ChildError::Spec(SpecError::NameTaken { name: seat.name().to_owned() }));
        }
        check_significance(seat, self.rules.auto_shutdown).map_err(ChildError::Spec)
    }

    fn on_child(
        &mut self,
        name: &ChildName,
        answer: Answer<()>,
        call: impl FnOnce(&mut Roster, ChildKey, Token) -> Result<Vec<Action>, Refusal>,
    ) -> Vec<Action> {
        let Some(key) = self.find(name) else {
            drop(answer.send(Err(ChildError::Unknown)));
            return Vec::new();
        };
        let token = self.token(answer);
        self.answers.get_mut(&token).expect("it was just made").1 = Some(key);
        call(&mut self.roster, key, token).unwrap_or_else(|refusal| {
            let (answer, _) = self.answers.remove(&token).expect("a refused command is not kept");
            let error = match refusal {
                Refusal::Unknown => ChildError::Unknown,
                Refusal::Running => ChildError::Running,
                Refusal::Restarting => ChildError::Restarting,
                Refusal::Ending => ChildError::Ending,
            };
            drop(answer.send(Err(error)));
            Vec::new()
        })
    }

    fn find(&self, name: &ChildName) -> Option<ChildKey> {
        match name {
            ChildName::Id(id) => self.keys.get(id).copied(),
            ChildName::Name(name) => self.find_by_name(name),
        }
    }

    fn find_by_name(&self, name: &str) -> Option<ChildKey> {
        self.places.iter().find(|(_, place)| place.seat.name() == name).map(|(&key, _)| key)
    }

    fn token(&mut self, answer: Answer<()>) -> Token {
        let token = Token(self.next_token);
        self.next_token += 1;
        self.answers.insert(token, (answer, None));
        token
    }

    // Actions

    fn obey(&mut self, actions: Vec<Action>) {
        for action in actions {
            match action {
                Action::Start(key) => {
                    let launch = Launch { key, inbox: self.inbox.clone() };
                    self.place(key).seat.start(launch);
                }
                Action::Stop(key) => self.place(key).seat.any().stop(ExitReason::Shutdown),
                Action::Kill(key) => self.place(key).seat.any().kill(),
                Action::Arm(key, after) => self.arm(key, after),
                Action::Disarm(key) => self.place(key).timer = None,
                Action::Close(key) => {
                    let place = self.place(key);
                    let reason = place.reason();
                    place.seat.close(&reason);
                }
                Action::Forget(key) => self.forget(key),
                Action::Reply(token, reply) => self.reply(token, reply),
                Action::Ready => self.ready.take().expect("it is ready once")(),
                Action::End(end) => self.end(end),
            }
        }
    }

    fn place(&mut self, key: ChildKey) -> &mut Place {
        self.places.get_mut(&key).expect("a child has a place until it is forgotten")
    }

    fn arm(&mut self, key: ChildKey, after: Duration) {
        let inbox = self.inbox.clone();
        let place = self.places.get_mut(&key).expect("a child with a timer has a place");
        let name = format!("{}: time of {}", self.name, place.seat.name());
        place.timer = Some(spawn_named(name, async move {
            sleep(after).await;
            // The supervisor may have ended at this instant.
            drop(inbox.try_put(Event::TimeIsOver(key)));
        }));
    }

    fn seat(&mut self, key: ChildKey, seat: Box<dyn Seat>) {
        self.keys.insert(seat.any().id(), key);
        self.places.insert(key, Place { seat, timer: None, last: None });
    }

    fn forget(&mut self, key: ChildKey) {
        let mut place = self.places.remove(&key).expect("a child is forgotten once");
        self.keys.remove(&place.seat.any().id());
        let reason = place.reason();
        place.seat.retire(&reason);
        if self.roster.is_first(key) {
            self.retired.push((key, place.seat));
        }
    }

    fn reply(&mut self, token: Token, reply: Reply) {
        let (answer, key) = self.answers.remove(&token).expect("each command is answered once");
        let result = match reply {
            Reply::Started | Reply::Gone => Ok(()),
            Reply::Ignored => Err(ChildError::NotNeeded),
            Reply::Stopped => Err(ChildError::Stopped),
            Reply::Failed => {
                let key = key.expect("a start is of a child");
                Err(ChildError::Start(self.place(key).reason()))
            }
        };
        // Whoever asked may be gone.
        drop(answer.send(result));
    }

    fn end(&mut self, end: End) {
        let about = match end {
            End::Stopped => None,
            End::StartFailed(key) | End::TooManyRestarts(key) | End::AutoShutdown(key) => Some(key),
        };
        let child = self.decisive.take().filter(|(key, ..)| Some(*key) == about);
        let is_started = self.ready.is_none();
        let child = child.map(|(_, name, reason)| (name, reason));
        self.farewell = Some(Farewell { end, is_started, child });
        self.ready = None;
    }

    /// Keeps how a child has ended, until the next one does. Of those that end when the supervisor ends
    /// nobody asks.
    fn note_exit(&mut self, key: ChildKey, reason: ExitReason) {
        if !self.roster.is_ending() {
            let name = self.places[&key].seat.name().to_owned();
            self.decisive = Some((key, name, reason.clone()));
        }
        self.place(key).last = Some(reason);
    }
}

impl Drop for Keeper {
    /// Whoever waits for an answer learns that none will come.
    fn drop(&mut self) {
        drop(self.inbox.shutdown_now());
    }
}

impl fmt::Debug for Keeper {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Keeper")
            .field("name", &self.name)
            .field("roster", &self.roster)
            .finish()
    }
}

/// Looks whether a child may be significant.
pub(super) fn check_significance(seat: &dyn Seat, auto: AutoShutdown) -> Result<(), SpecError> {
    let (policy, name) = (seat.policy(), seat.name().to_owned());
    match (policy.is_significant, policy.restart, auto) {
        (true, Restart::Permanent, _) => Err(SpecError::SignificantPermanent { name }),
        (true, _, AutoShutdown::Never) => Err(SpecError::SignificantInVain { name }),
        _ => Ok(()),
    }
}

fn exit_of(reason: &ExitReason) -> Exit {
    if reason.is_planned() { Exit::Normal } else { Exit::Abnormal }
}
