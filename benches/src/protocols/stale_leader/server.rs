//! One server. Logs are short, so all of one is sent each time.

use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;

use parcae::choose;
use parcae::time::{Instant, timeout_at};

use super::super::{PORT, Post};
use super::{ANSWER, LEAD, LOST, READ, REFUSED, SERVERS, WRITE};

pub(super) struct Server {
    index: usize,
    confirms: bool,
    post: Post,
    peers: Rc<[SocketAddr]>,
    term: u64,
    role: Role,
    has_voted: bool,
    /// When it sends again as a leader, or becomes a candidate as anything else.
    deadline: Instant,
    /// Terms and values; a leader begins with the value that there was.
    log: Vec<(u64, u64)>,
    committed: usize,
    /// The term in which the log was taken over.
    log_term: u64,
    round: u64,
    votes: [bool; SERVERS],
    /// How much of the log each has, and the last round that it has answered.
    acknowledged: [(usize, u64); SERVERS],
    waiting: Vec<Waiting>,
}

/// A client that waits until so much of the log is committed and a round is answered.
struct Waiting {
    client: SocketAddr,
    length: usize,
    round: u64,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Role {
    Follower,
    Candidate,
    Leader,
}

impl Server {
    pub(super) async fn new(index: usize, confirms: bool, peers: Rc<[SocketAddr]>) -> Self {
        let mut server = Self {
            index,
            confirms,
            post: Post::open(PORT).await,
            peers,
            term: 0,
            role: Role::Follower,
            has_voted: false,
            deadline: Instant::now(),
            log: vec![(0, 0)],
            committed: 1,
            log_term: 0,
            round: 0,
            votes: [false; SERVERS],
            acknowledged: [(0, 0); SERVERS],
            waiting: Vec::new(),
        };
        server.be_patient();
        server
    }

    pub(super) async fn serve(mut self) {
        loop {
            match timeout_at(self.deadline, self.post.receive()).await {
                Ok((message, source)) => match message[..] {
                    [LEAD, _] if self.role != Role::Leader => self.stand().await,
                    [LEAD, _] => {}
                    [kind, value] => self.on_request(source, kind, value).await,
                    [kind, term, from, ..] => {
                        let from = usize::try_from(from).expect("one of three");
                        self.on_message(kind, term, (from, source), &message[3..]).await;
                    }
                    _ => unreachable!("nobody says less"),
                },
                Err(_) if self.role == Role::Leader => self.replicate().await,
                Err(_) => self.stand().await,
            }
            self.answer().await;
        }
    }

    fn be_patient(&mut self) {
        let micros = 3_000 + 1_000 * self.index as u64 + choose(0..=1_000);
        self.deadline = Instant::now() + Duration::from_micros(micros);
    }

    async fn stand(&mut self) {
        (self.term, self.role, self.has_voted) = (self.term + 1, Role::Candidate, true);
        self.votes = [false; SERVERS];
        self.votes[self.index] = true;
        self.be_patient();
        let (last, length) = (self.last_term(), self.log.len() as u64);
        self.tell_others(&[CANDIDATE, self.term, self.index as u64, last, length]).await;
    }

    fn last_term(&self) -> u64 {
        self.log[self.log.len() - 1].0
    }

    async fn tell_others(&self, message: &[u64]) {
        let others = self.peers.iter().enumerate().filter(|(index, _)| *index != self.index);
        self.post.send_all(others.map(|(_, peer)| peer), message).await;
    }

    async fn replicate(&mut self) {
        self.round += 1;
        self.acknowledged[self.index] = (self.log.len(), self.round);
        let mut message = vec![APPEND, self.term, self.index as u64];
        message.extend([self.round, self.committed as u64]);
        message.extend(self.log.iter().flat_map(|(term, value)| [*term, *value]));
        self.tell_others(&message).await;
        self.deadline = Instant::now() + HEARTBEAT;
    }

    async fn on_request(&mut self, client: SocketAddr, kind: u64, value: u64) {
        if self.role != Role::Leader {
            self.post.send(client, &[REFUSED]).await;
            return;
        }
        if kind == WRITE {
            self.log.push((self.term, value));
        }
        let asks = kind == READ && self.confirms;
        let round = if asks { self.round + 1 } else { 0 };
        // What its predecessor has committed it knows when an entry of its own is.
        let own = self.log.partition_point(|(term, _)| *term < self.term) + 1;
        let length = if kind == WRITE { self.log.len() } else { own };
        self.waiting.push(Waiting { client, length, round });
        if kind == WRITE || asks {
            self.replicate().await;
        }
    }

    /// Leads no more, if it did: there is a later term.
    async fn follow(&mut self, term: u64) {
        if self.role == Role::Leader {
            self.be_patient();
            for Waiting { client, .. } in std::mem::take(&mut self.waiting) {
                self.post.send(client, &[LOST]).await;
            }
        }
        (self.term, self.role, self.has_voted) = (term, Role::Follower, false);
    }

    async fn on_message(
        &mut self,
        kind: u64,
        term: u64,
        (from, source): (usize, SocketAddr),
        rest: &[u64],
    ) {
        if term > self.term {
            self.follow(term).await;
        }
        // What is said in an earlier term is not answered: who leads now tells everybody.
        if term < self.term {
            return;
        }
        match (kind, rest) {
            (CANDIDATE, [last, length])
                if !self.has_voted
                    && (*last, *length) >= (self.last_term(), self.log.len() as u64) =>
            {
                self.has_voted = true;
                self.be_patient();
                self.post.send(source, &[VOTE, term, self.index as u64]).await;
            }
            (VOTE, []) if self.role == Role::Candidate => {
                self.votes[from] = true;
                if self.votes.iter().filter(|vote| **vote).count() > SERVERS / 2 {
                    self.role = Role::Leader;
                    self.acknowledged = [(0, 0); SERVERS];
                    self.log.push((term, self.log[self.log.len() - 1].1));
                    self.replicate().await;
                }
            }
            (APPEND, [round, committed, log @ ..]) => {
                self.role = Role::Follower;
                self.be_patient();
                let length = log.len() / 2;
                // Within a term a log only grows, and what was sent earlier may come later.
                if self.log_term < term || length > self.log.len() {
                    let entries = log.as_chunks().0.iter();
                    self.log = entries.map(|[term, value]| (*term, *value)).collect();
                    self.log_term = term;
                }
                let committed = usize::try_from(*committed).expect("short logs");
                self.committed = self.committed.max(committed);
                let answer = [APPENDED, term, self.index as u64, *round, length as u64];
                self.post.send(source, &answer).await;
            }
            (APPENDED, [round, length]) if self.role == Role::Leader => {
                let length = usize::try_from(*length).expect("short logs");
                let known = &mut self.acknowledged[from];
                *known = (known.0.max(length), known.1.max(*round));
                let stored = majority(self.acknowledged.map(|(length, _)| length));
                if stored > self.committed && self.log[stored - 1].0 == term {
                    self.committed = stored;
                }
            }
            _ => {}
        }
    }

    /// Answers those for whom everything is done.
    async fn answer(&mut self) {
        let (committed, value) = (self.committed, self.log[self.committed - 1].1);
        let round = majority(self.acknowledged.map(|(_, round)| round));
        let is_done = |waiting: &mut Waiting| waiting.length <= committed && waiting.round <= round;
        let done: Vec<Waiting> = self.waiting.extract_if(.., is_done).collect();
        for Waiting { client, .. } in done {
            self.post.send(client, &[ANSWER, value]).await;
        }
    }
}

/// Returns what a majority has reached.
fn majority<T: Ord + Copy>(mut values: [T; SERVERS]) -> T {
    values.sort_unstable();
    values[SERVERS / 2]
}

const HEARTBEAT: Duration = Duration::from_millis(1);

const CANDIDATE: u64 = 11;
const VOTE: u64 = 12;
const APPEND: u64 = 13;
const APPENDED: u64 = 14;
