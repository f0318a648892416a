//! A log on three machines, kept in their memory: what two of them have is safe as long as one machine
//! at a time is away. One program, with three bugs that can be switched on.
//!
//! It is Raft (Ongaro and Ousterhout, 2014) in small: terms, votes, a leader that sends its whole log with
//! each heartbeat, and commitment of what two of three have. A machine that starts again has lost its
//! log; it takes no part before both others have told it what they know.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;

use parcae::fault::{Budget, Chaos, Convergence};
use parcae::net::UdpSocket;
use parcae::time::{Instant, sleep, timeout};
use parcae::world::{self, Node};

use crate::scenario::Scenario;

/// The leader says that a value is stored as soon as it has it itself.
pub(crate) const EARLY_ACKNOWLEDGEMENT: Scenario = Scenario {
    name: "early-acknowledgement",
    summary: "A log on three machines, of which one at a time may die.",
    defect: "A value is acknowledged before a second machine has it; the twin waits for that.",
    source: "R. van Renesse and F. Schneider, Chain replication (2004): what an acknowledgement promises",
    failure_kind: "panic",
    seeds_until_found: 300,
    buggy: || Box::pin(run(Some(Bug::AcknowledgesEarly))),
    fixed: || Box::pin(run(None)),
};

/// A machine votes for all who ask.
pub(crate) const DOUBLE_VOTE: Scenario = Scenario {
    name: "double-vote",
    summary: "A log on three machines that vote for a leader.",
    defect: "A machine votes for two in one term, and both lead; the twin remembers that it has voted.",
    source: "D. Ongaro and J. Ousterhout, In search of an understandable consensus algorithm (2014), 5.2",
    failure_kind: "panic",
    seeds_until_found: 1000,
    buggy: || Box::pin(run(Some(Bug::VotesTwice))),
    fixed: || Box::pin(run(None)),
};

/// Who hears nothing, and is heard, has leaders step down for ever. All that is stored is right.
pub(crate) const DEAF_CANDIDATE: Scenario = Scenario {
    name: "deaf-candidate",
    summary: "A log on three machines, one of which is heard by the others and does not hear them.",
    defect: "It calls for a vote again and again, and each call ends a term; the twin's machines do not \
             listen while they have a leader.",
    source: "Cloudflare, A Byzantine failure in the real world (2020)",
    failure_kind: "panic",
    seeds_until_found: 1000,
    buggy: || Box::pin(run(Some(Bug::ListensToAll))),
    fixed: || Box::pin(run(None)),
};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Bug {
    AcknowledgesEarly,
    VotesTwice,
    ListensToAll,
}

const PORT: u16 = 7;
const VALUES: u64 = 10;
const HEARTBEAT: Duration = Duration::from_millis(100);
const ELECTION: Duration = Duration::from_millis(500);

async fn run(bug: Option<Bug>) {
    let observer = Rc::new(Observer::default());
    let nodes = world::nodes("log", 3).start({
        let observer = observer.clone();
        move |number| Replica::new(number, bug, observer.clone()).run()
    });
    let client = parcae::spawn_named("client", store_all(observer.clone()));
    let recovering = observer.clone();
    let budget = Budget::max_dead(1).absent_while(move |name| recovering.is_recovering(name));
    let chaos = Chaos::on(nodes).budget(budget).during(Duration::from_secs(10)).start();
    sleep(Duration::from_secs(10)).await;
    let core = chaos.liveness();
    let pending = || {
        let stored = observer.acknowledged.borrow().len() as u64;
        (stored < VALUES).then(|| format!("{stored} of {VALUES} values are stored"))
    };
    // Who has lost its memory needs both others.
    let recoverable = || match observer.recovering.borrow().first() {
        Some(name) if !core.outside().is_empty() => Err(format!("{name} needs both others")),
        _ => Ok(()),
    };
    match core.converge(Duration::from_secs(60), pending, recoverable).await {
        Ok(Convergence::Reached { .. }) => observer.check(),
        Ok(_) => {}
        Err(stuck) => panic!("{stuck}"),
    }
    drop(client);
}

/// Has one value after the other stored: asks all machines again and again.
async fn store_all(observer: Rc<Observer>) {
    let socket = UdpSocket::bind(("0.0.0.0", 0)).await.expect("the port is free");
    for value in 1..=VALUES {
        while !observer.acknowledged.borrow().contains(&value) {
            for machine in 1..=3 {
                // Refused while it is down.
                drop(send(&socket, (format!("log-{machine}"), PORT), &[SUBMIT, value]).await);
            }
            let answer = timeout(Duration::from_millis(200), receive(&socket)).await;
            if let Ok(Some((_, words))) = answer
                && let [ACKNOWLEDGED, value] = words[..]
            {
                observer.acknowledged.borrow_mut().insert(value);
            }
        }
        sleep(Duration::from_millis(300)).await;
    }
}

/// What is seen from above: no machine knows this.
#[derive(Debug, Default)]
struct Observer {
    /// What is committed, by its place, whoever said so first.
    committed: RefCell<Vec<Entry>>,
    acknowledged: RefCell<BTreeSet<u64>>,
    recovering: RefCell<BTreeSet<String>>,
}

impl Observer {
    fn is_recovering(&self, name: &str) -> bool {
        self.recovering.borrow().contains(name)
    }

    /// Fails if a machine has committed something else than another one.
    fn commit(&self, log: &[Entry]) {
        let mut committed = self.committed.borrow_mut();
        let both = log.len().min(committed.len());
        assert_eq!(log[..both], committed[..both], "two machines have committed different values");
        committed.extend_from_slice(&log[both..]);
    }

    /// Fails if a value that was acknowledged is not stored, or stored twice.
    fn check(&self) {
        let committed = self.committed.borrow();
        for value in &*self.acknowledged.borrow() {
            let count = committed.iter().filter(|entry| entry.value == *value).count();
            assert_eq!(count, 1, "value {value} was acknowledged and is stored {count} times");
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Entry {
    term: u64,
    /// That of a leader's first entry, which commits those of others, is [`FIRST`] and its number.
    value: u64,
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

struct Replica {
    number: u64,
    bug: Option<Bug>,
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

const VOTE: u64 = 1;
const VOTED: u64 = 2;
const APPEND: u64 = 3;
const APPENDED: u64 = 4;
const SUBMIT: u64 = 5;
const ACKNOWLEDGED: u64 = 6;
const RECOVER: u64 = 7;
const KNOWN: u64 = 8;

impl Replica {
    fn new(index: usize, bug: Option<Bug>, observer: Rc<Observer>) -> Self {
        Self {
            number: index as u64 + 1,
            bug,
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

    async fn run(mut self) {
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
                Role::Candidate(_) if self.bug == Some(Bug::ListensToAll) => HEARTBEAT,
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
                if others.values().filter(is_recent).count() == 0 {
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
        let answer = match *words {
            [RECOVER, _] if matches!(self.role, Role::Recovering(_)) => None,
            [RECOVER, _] => {
                let mut answer = vec![KNOWN, self.number, self.term, self.log_term];
                answer.extend(self.log.iter().flat_map(|entry| [entry.term, entry.value]));
                Some(answer)
            }
            [KNOWN, other, term, log_term, ref log @ ..] => {
                self.recover(other, Known { term, log_term, log: entries(log) });
                None
            }
            _ if matches!(self.role, Role::Recovering(_)) => None,
            [VOTE, _, term, last, length] => self.vote(term, (last, length)),
            [VOTED, other, term] => {
                if self.count_vote(other, term) {
                    self.send_log(socket).await;
                }
                None
            }
            [APPEND, _, term, commit, ref log @ ..] => self.append(term, commit, entries(log)),
            [APPENDED, other, term, length] => {
                self.count_copy(other, term, length);
                self.acknowledge(socket).await;
                None
            }
            [SUBMIT, value] => {
                self.submit(from, value);
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
        if self.bug == Some(Bug::ListensToAll) {
            // And waits for whoever calls to lead.
            self.heard = Instant::now();
        } else if self.has_leader() {
            return None;
        }
        self.see_term(term);
        let has_voted = self.has_voted && self.bug != Some(Bug::VotesTwice);
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
        let safe = match self.bug {
            Some(Bug::AcknowledgesEarly) => self.log.len(),
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

async fn send(
    socket: &UdpSocket,
    to: impl parcae::net::ToSocketAddrs,
    words: &[u64],
) -> std::io::Result<usize> {
    let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_be_bytes()).collect();
    socket.send_to(&bytes, to).await
}

/// Waits for a message; none when there is an error to be told instead.
async fn receive(socket: &UdpSocket) -> Option<(SocketAddr, Vec<u64>)> {
    let mut bytes = [0; 2048];
    let (length, from) = socket.recv_from(&mut bytes).await.ok()?;
    let word = |chunk: &[u8]| u64::from_be_bytes(chunk.try_into().expect("eight bytes"));
    Some((from, bytes[..length].chunks_exact(8).map(word).collect()))
}
