//! One of the machines of the log.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;

use parcae::net::UdpSocket;
use parcae::time::Instant;
use parcae::world::Node;

use super::{Defect, Observer, receive, send};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    term: u64,
    /// That of a leader's first entry, which commits those of others, is [`FIRST`] and its number.
    pub(super) value: u64,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Role {
    /// Started again, and knows nothing; what the others have said so far.
    Recovering(BTreeMap<u64, Known>),
    Follower,
    Candidate(BTreeSet<u64>),
    /// How much of its log each other machine has, and when it last said so.
    Leader(BTreeMap<u64, (usize, Instant)>),
}

/// What a machine tells one that recovers.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Known {
    term: u64,
    log_term: u64,
    log: Vec<Entry>,
}

pub(super) struct Replica {
    number: u64,
    defect: Defect,
    observer: Rc<Observer>,
    role: Role,
    term: u64,
    has_voted: bool,
    log: Vec<Entry>,
    /// The term of the leader that the log is from.
    log_term: u64,
    commit: usize,
    /// Who waits for which value.
    clients: Vec<(SocketAddr, u64)>,
    /// When a leader was last heard of.
    heard: Instant,
}

const FIRST: u64 = 1000;

pub(super) const PORT: u16 = 7;
const HEARTBEAT: Duration = Duration::from_millis(100);
const ELECTION: Duration = Duration::from_millis(500);

const VOTE: u64 = 1;
const VOTED: u64 = 2;
const APPEND: u64 = 3;
const APPENDED: u64 = 4;
pub(super) const SUBMIT: u64 = 5;
pub(super) const ACKNOWLEDGED: u64 = 6;
const RECOVER: u64 = 7;
const KNOWN: u64 = 8;

impl Replica {
    pub(super) fn new(index: usize, defect: Defect, observer: Rc<Observer>) -> Self {
        Self {
            number: index as u64 + 1,
            defect,
            observer,
            role: Role::Follower,
            term: 0,
            has_voted: false,
            log: Vec::new(),
            log_term: 0,
            commit: 0,
            clients: Vec::new(),
            heard: Instant::now(),
        }
    }

    pub(super) async fn run(mut self) {
        let node = Node::current();
        if node.incarnation() > 0 {
            self.role = Role::Recovering(BTreeMap::new());
            self.observer.recovering.borrow_mut().insert(node.name().to_owned());
        }
        let socket = UdpSocket::bind(("0.0.0.0", PORT)).await.expect("the port is free");
        self.heard = Instant::now();
        loop {
            let patience = match self.role {
                Role::Leader(_) | Role::Recovering(_) => HEARTBEAT,
                _ => ELECTION + Duration::from_millis(parcae::rng().next_u64() % 100),
            };
            let deadline = Instant::now() + patience;
            while let Ok(message) = parcae::time::timeout_at(deadline, receive(&socket)).await {
                let Some((from, words)) = message else { continue };
                let (role, heard) = (std::mem::discriminant(&self.role), self.heard);
                self.take(&socket, from, &words).await;
                if std::mem::discriminant(&self.role) != role || self.heard != heard {
                    break;
                }
            }
            if Instant::now() >= deadline {
                self.act(&socket).await;
            }
            if !matches!(self.role, Role::Recovering(_)) {
                self.observer.recovering.borrow_mut().remove(node.name());
            }
        }
    }

    /// Does what it does when its patience is over.
    async fn act(&mut self, socket: &UdpSocket) {
        match &self.role {
            Role::Recovering(_) => self.tell(socket, &[RECOVER, self.number]).await,
            Role::Leader(others) => {
                let is_recent = |(_, at): &&(usize, Instant)| at.elapsed() < ELECTION;
                let is_deaf = others.values().filter(is_recent).count() == 0;
                if is_deaf && self.defect != Defect::DeafLeader {
                    // Nobody hears it, or it hears nobody: it must not keep others from leading.
                    self.role = Role::Follower;
                    return;
                }
                self.send_log(socket).await;
            }
            Role::Follower | Role::Candidate(_) => {
                self.term += 1;
                self.has_voted = true;
                self.role = Role::Candidate(BTreeSet::from([self.number]));
                let (last, length) = self.last();
                self.tell(socket, &[VOTE, self.number, self.term, last, length]).await;
            }
        }
    }

    fn last(&self) -> (u64, u64) {
        (self.log.last().map_or(0, |entry| entry.term), self.log.len() as u64)
    }

    async fn send_log(&self, socket: &UdpSocket) {
        let mut words = vec![APPEND, self.number, self.term, self.commit as u64];
        words.extend(self.log.iter().flat_map(|entry| [entry.term, entry.value]));
        self.tell(socket, &words).await;
    }

    /// Sends something to both others.
    async fn tell(&self, socket: &UdpSocket, words: &[u64]) {
        for other in (1..=3).filter(|other| *other != self.number) {
            drop(send(socket, (format!("log-{other}"), PORT), words).await);
        }
    }

    async fn take(&mut self, socket: &UdpSocket, from: SocketAddr, words: &[u64]) {
        let answer = match words {
            [RECOVER, _] if matches!(self.role, Role::Recovering(_)) => None,
            [RECOVER, _] => {
                let mut answer = vec![KNOWN, self.number, self.term, self.log_term];
                answer.extend(self.log.iter().flat_map(|entry| [entry.term, entry.value]));
                Some(answer)
            }
            [KNOWN, other, term, log_term, log @ ..] => {
                let (term, log_term) = (*term, *log_term);
                self.recover(*other, Known { term, log_term, log: entries(log) });
                None
            }
            _ if matches!(self.role, Role::Recovering(_)) => None,
            [VOTE, _, term, last, length] => self.vote(*term, (*last, *length)),
            [VOTED, other, term] => {
                if self.count_vote(*other, *term) {
                    self.send_log(socket).await;
                }
                None
            }
            [APPEND, _, term, commit, log @ ..] => self.append(*term, *commit, entries(log)),
            [APPENDED, other, term, length] => {
                self.count_copy(*other, *term, *length);
                self.acknowledge(socket).await;
                None
            }
            [SUBMIT, value] => {
                self.submit(from, *value);
                self.send_if_leader(socket).await;
                self.acknowledge(socket).await;
                None
            }
            _ => None,
        };
        if let Some(answer) = answer {
            drop(send(socket, from, &answer).await);
        }
    }

    async fn send_if_leader(&self, socket: &UdpSocket) {
        if matches!(self.role, Role::Leader(_)) {
            self.send_log(socket).await;
        }
    }

    /// Takes what another machine knows; with both it is back.
    fn recover(&mut self, other: u64, known: Known) {
        let Role::Recovering(others) = &mut self.role else { return };
        others.insert(other, known);
        if others.len() < 2 {
            return;
        }
        let term = others.values().map(|known| known.term).max().unwrap_or_default();
        let best = others.values().max_by_key(|known| (known.log_term, known.log.len()));
        let best = best.expect("there are two").clone();
        self.log = best.log;
        self.log_term = best.log_term;
        self.term = term;
        // It may have voted in this term, and does not know.
        self.has_voted = true;
        self.role = Role::Follower;
        self.heard = Instant::now();
    }

    /// Goes into a later term, if this one is later.
    fn see_term(&mut self, term: u64) {
        if term > self.term {
            self.term = term;
            self.has_voted = false;
            self.role = Role::Follower;
        }
    }

    fn has_leader(&self) -> bool {
        match &self.role {
            Role::Leader(_) => true,
            _ => self.heard.elapsed() < ELECTION,
        }
    }

    fn vote(&mut self, term: u64, last: (u64, u64)) -> Option<Vec<u64>> {
        // Who hears nothing, and is heard, would have leaders step down for ever.
        if self.has_leader() {
            return None;
        }
        self.see_term(term);
        let has_voted = self.has_voted && self.defect != Defect::ForgottenVote;
        if term < self.term || has_voted || last < self.last() {
            return None;
        }
        self.has_voted = true;
        Some(vec![VOTED, self.number, self.term])
    }

    /// Counts a vote; tells whether it leads by it.
    fn count_vote(&mut self, other: u64, term: u64) -> bool {
        let Role::Candidate(votes) = &mut self.role else { return false };
        if term != self.term {
            return false;
        }
        votes.insert(other);
        if votes.len() < 2 {
            return false;
        }
        let now = Instant::now();
        let others = (1..=3).filter(|other| *other != self.number);
        self.role = Role::Leader(others.map(|other| (other, (0, now))).collect());
        self.log.push(Entry { term: self.term, value: FIRST + self.number });
        self.log_term = self.term;
        true
    }

    fn append(&mut self, term: u64, commit: u64, log: Vec<Entry>) -> Option<Vec<u64>> {
        if term < self.term {
            return Some(vec![APPENDED, self.number, self.term, 0]);
        }
        self.see_term(term);
        if !matches!(self.role, Role::Leader(_)) {
            self.role = Role::Follower;
        }
        self.heard = Instant::now();
        // A log of the same leader only grows: a shorter one has come late.
        if self.log_term < term || log.len() >= self.log.len() {
            self.log = log;
            self.log_term = term;
        }
        let commit = usize::try_from(commit).unwrap_or_default().min(self.log.len());
        if commit > self.commit {
            self.commit = commit;
            self.observer.commit(&self.log[..commit]);
        }
        Some(vec![APPENDED, self.number, self.term, self.log.len() as u64])
    }

    fn count_copy(&mut self, other: u64, term: u64, length: u64) {
        self.see_term(term);
        let Role::Leader(others) = &mut self.role else { return };
        if term != self.term {
            return;
        }
        let copied = usize::try_from(length).unwrap_or_default();
        let before = others.get(&other).map_or(0, |(copied, _)| *copied);
        others.insert(other, (copied.max(before), Instant::now()));
        // Its own copy and the longer one of the others make two.
        let safe = others.values().map(|(copied, _)| *copied).max().unwrap_or_default();
        let safe = safe.min(self.log.len());
        if safe > self.commit && self.log[safe - 1].term == self.term {
            self.commit = safe;
            self.observer.commit(&self.log[..safe]);
        }
    }

    fn submit(&mut self, from: SocketAddr, value: u64) {
        if !matches!(self.role, Role::Leader(_)) {
            return;
        }
        if !self.log.iter().any(|entry| entry.value == value) {
            self.log.push(Entry { term: self.term, value });
        }
        self.clients.push((from, value));
    }

    /// Tells clients what is safe.
    async fn acknowledge(&mut self, socket: &UdpSocket) {
        let safe = match self.defect {
            Defect::EarlyAcknowledgement => self.log.len(),
            _ => self.commit,
        };
        let is_safe = |value: u64| self.log[..safe].iter().any(|entry| entry.value == value);
        let (done, waiting): (Vec<_>, Vec<_>) =
            self.clients.drain(..).partition(|(_, value)| is_safe(*value));
        self.clients = waiting;
        for (client, value) in done {
            drop(send(socket, client, &[ACKNOWLEDGED, value]).await);
        }
    }
}

fn entries(words: &[u64]) -> Vec<Entry> {
    words.chunks_exact(2).map(|pair| Entry { term: pair[0], value: pair[1] }).collect()
}
