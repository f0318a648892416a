//! One server.

use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;

use parcae::rng::choose_for;
use parcae::time::{Instant, timeout_at};

use super::super::Post;
use super::{ANSWER, READ, SERVERS, WRITE};

pub(super) struct Server {
    index: usize,
    confirms: bool,
    post: Post,
    peers: Rc<[SocketAddr]>,
    term: u64,
    role: Role,
    voted: bool,
    /// When it sends again as a leader, or becomes a candidate as anything else.
    deadline: Instant,
    elections: u32,
    /// Terms and values; the value of what a leader begins with is 0.
    log: Vec<(u64, u64)>,
    committed: usize,
    /// The term in which the log was taken over.
    log_term: u64,
    round: u64,
    votes: [bool; SERVERS],
    /// How much of the log each has, and the last round that it has answered.
    acknowledged: [(usize, u64); SERVERS],
    /// Who waits, for which request, and since which round for a read.
    waiting: Vec<(SocketAddr, [u64; 2], u64)>,
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
            post: Post::open().await,
            peers,
            term: 0,
            role: Role::Follower,
            voted: false,
            deadline: Instant::now(),
            elections: 0,
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
                    [kind @ (READ | WRITE), request] => {
                        self.on_request(source, [kind, request]).await;
                    }
                    [kind, term, from, ref rest @ ..] => {
                        let from = usize::try_from(from).expect("one of three");
                        self.on_message(kind, term, (from, source), rest).await;
                    }
                    _ => unreachable!("nobody says less"),
                },
                Err(_) if self.role == Role::Leader => self.replicate().await,
                Err(_) => self.stand().await,
            }
            self.answer().await;
        }
    }

    /// Waits for a leader: the longer, the more elections there were meanwhile without one.
    fn be_patient(&mut self) {
        let usual = 1_500 + 500 * self.index as u64;
        let micros = choose_for("patience in microseconds", usual, 1_500..=3_000);
        self.deadline =
            Instant::now() + Duration::from_micros(micros) * (1 << self.elections.min(7));
    }

    async fn stand(&mut self) {
        (self.term, self.role, self.voted) = (self.term + 1, Role::Candidate, true);
        self.votes = [false; SERVERS];
        self.votes[self.index] = true;
        self.elections += 1;
        self.be_patient();
        let (last, length) = (self.log[self.log.len() - 1].0, self.log.len() as u64);
        self.tell_others(&[CANDIDATE, self.term, self.index as u64, last, length]).await;
    }

    async fn tell_others(&self, message: &[u64]) {
        let others = self.peers.iter().enumerate().filter(|(index, _)| *index != self.index);
        self.post.send_all(others.map(|(_, peer)| peer), message).await;
    }

    async fn replicate(&mut self) {
        self.round += 1;
        self.acknowledged[self.index] = (self.log.len(), self.round);
        let (round, committed) = (self.round, self.committed as u64);
        let mut message = vec![APPEND, self.term, self.index as u64, round, committed];
        message.extend(self.log.iter().flat_map(|(term, value)| [*term, *value]));
        self.tell_others(&message).await;
        self.deadline = Instant::now() + HEARTBEAT;
    }

    async fn on_request(&mut self, client: SocketAddr, [kind, value]: [u64; 2]) {
        if self.role != Role::Leader {
            return;
        }
        self.waiting.push((client, [kind, value], self.round + 1));
        if kind == WRITE && !self.log.iter().any(|entry| entry.1 == value) {
            self.log.push((self.term, value));
        }
        if kind == WRITE || self.confirms {
            self.replicate().await;
        }
    }

    async fn on_message(
        &mut self,
        kind: u64,
        term: u64,
        (from, source): (usize, SocketAddr),
        rest: &[u64],
    ) {
        if term > self.term {
            if self.role == Role::Leader {
                self.be_patient();
                self.waiting.clear();
            }
            (self.term, self.role, self.voted) = (term, Role::Follower, false);
        }
        match (kind, rest) {
            (CANDIDATE, [last, length]) => {
                let own = (self.log[self.log.len() - 1].0, self.log.len() as u64);
                if term == self.term && !self.voted && (*last, *length) >= own {
                    self.voted = true;
                    self.be_patient();
                    self.post.send(source, &[VOTE, term, self.index as u64]).await;
                }
            }
            (VOTE, []) if term == self.term && self.role == Role::Candidate => {
                self.votes[from] = true;
                if self.votes.iter().filter(|vote| **vote).count() > SERVERS / 2 {
                    self.role = Role::Leader;
                    self.elections = 0;
                    self.acknowledged = [(0, 0); SERVERS];
                    self.log.push((term, 0));
                    self.replicate().await;
                }
            }
            (APPEND, [round, committed, log @ ..]) => {
                let length = log.len() / 2;
                if term == self.term {
                    (self.role, self.elections) = (Role::Follower, 0);
                    self.be_patient();
                    // Within a term a log only grows, and what was sent earlier may come later.
                    if self.log_term < term || length > self.log.len() {
                        self.log =
                            log.as_chunks().0.iter().map(|[term, value]| (*term, *value)).collect();
                        self.log_term = term;
                    }
                    let committed = usize::try_from(*committed).expect("short logs");
                    self.committed = self.committed.max(committed);
                }
                // To one that leads no more it tells the term.
                let answer = [APPENDED, self.term, self.index as u64, *round, length as u64];
                self.post.send(source, &answer).await;
            }
            (APPENDED, [round, length]) if term == self.term && self.role == Role::Leader => {
                let length = usize::try_from(*length).expect("short logs");
                let known = &mut self.acknowledged[from];
                *known = (known.0.max(length), known.1.max(*round));
                let stored = median(self.acknowledged.map(|(length, _)| length));
                if stored > self.committed && self.log[stored - 1].0 == term {
                    self.committed = stored;
                }
            }
            _ => {}
        }
    }

    /// Answers those that wait for what has become true.
    async fn answer(&mut self) {
        let committed = &self.log[..self.committed];
        // Else it may not know what its predecessor has committed.
        if self.role != Role::Leader || committed[committed.len() - 1].0 != self.term {
            return;
        }
        let value = committed.iter().map(|(_, value)| *value).max().expect("it is never empty");
        let confirmed = median(self.acknowledged.map(|(_, round)| round));
        let is_true = |[kind, request]: [u64; 2], since: u64| match kind {
            WRITE => committed.iter().any(|entry| entry.1 == request),
            _ => !self.confirms || confirmed >= since,
        };
        let (done, waiting) =
            self.waiting.iter().partition(|(_, request, since)| is_true(*request, *since));
        let done: Vec<_> = done;
        self.waiting = waiting;
        for (client, [_, request], _) in done {
            self.post.send(client, &[ANSWER, request, value]).await;
        }
    }
}

/// Returns what a majority has reached.
fn median<T: Ord + Copy>(mut values: [T; SERVERS]) -> T {
    values.sort_unstable();
    values[SERVERS / 2]
}

const HEARTBEAT: Duration = Duration::from_millis(1);

const CANDIDATE: u64 = 1;
const VOTE: u64 = 2;
const APPEND: u64 = 3;
const APPENDED: u64 = 4;
