//! Two machines, the link between them, and two programs that are scripted call by call.
//!
//! The link keeps its own books of what arrived where, and checks after each step that no machine
//! knows more than that: nothing is read that no segment has brought, nothing is acknowledged that
//! the other end does not have, no right edge of a window moves left.

use std::collections::{BTreeMap, BTreeSet};

use super::super::{
    Connection, Effects, Flags, Linger, Path, Segment, Shutdown, TcpError, TcpState, Tuning,
    reset_for,
};
use crate::executor::Weight;
use crate::world::arena::Key;
use crate::world::network::LinkId;
use crate::world::socket::SocketKey;

/// One of the two ends, and at the same time the direction that begins there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Side {
    Client,
    Server,
}

pub(super) use Side::{Client, Server};

/// What happens to a segment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// It arrives after the latency of the link.
    Pass,
    Lose,
    /// It arrives later by so much, and what is sent after it may overtake it.
    Delay(u64),
    /// It arrives, and again after so much.
    Twice(u64),
}

/// A segment that went onto the link.
#[derive(Clone, Debug)]
pub(super) struct Sent {
    pub(super) at: u64,
    pub(super) from: Side,
    pub(super) segment: Segment,
    pub(super) is_lost: bool,
}

/// What one end and its program have done.
pub(super) struct End {
    pub(super) machine: Option<Connection>,
    pub(super) tuning: Tuning,
    pub(super) effects: Effects,
    pub(super) written: u64,
    pub(super) read: u64,
    number: u32,
    key: SocketKey,
    /// Bytes that segments have brought: start and end of each range.
    arrived: Vec<(u64, u64)>,
    edge_told: u64,
    /// From here on bytes may be sent again; what is below is forgotten.
    needed_from: u64,
}

type Script = Box<dyn FnMut(u64, Side, &Segment) -> Fate>;

pub(super) struct Wire {
    pub(super) now: u64,
    pub(super) latency: u64,
    pub(super) path: Path,
    pub(super) sent: Vec<Sent>,
    /// Whether the server's end answers a SYN.
    pub(super) is_listening: bool,
    /// Which states came after which.
    pub(super) transitions: BTreeSet<(TcpState, TcpState)>,
    states: [TcpState; 2],
    script: Script,
    ends: [End; 2],
    in_flight: BTreeMap<(u64, u64), (Side, Segment, SocketKey)>,
    sequence: u64,
    last_arrival: [u64; 2],
}

impl Wire {
    /// Two machines that do not know each other, and a link that loses nothing.
    pub(super) fn new(latency: u64) -> Self {
        let path = Path { mss: 1460, burst: 1460, link: LinkId(0) };
        let ends = [End::new(1), End::new(2)];
        Self {
            now: 0,
            latency,
            path,
            sent: Vec::new(),
            is_listening: true,
            transitions: BTreeSet::new(),
            states: [TcpState::Closed; 2],
            script: Box::new(|_, _, _| Fate::Pass),
            ends,
            in_flight: BTreeMap::new(),
            sequence: 0,
            last_arrival: [0; 2],
        }
    }

    /// Two machines that have shaken hands; the client has connected at time 0.
    pub(super) fn connected(latency: u64) -> Self {
        let mut wire = Self::new(latency);
        wire.connect(Client);
        wire.run_until(3 * latency);
        assert_eq!(wire.state(Client), TcpState::Established);
        assert_eq!(wire.state(Server), TcpState::Established);
        wire
    }

    /// Decides about each segment: its number on the link, who sends it, the segment.
    pub(super) fn script(&mut self, script: impl FnMut(u64, Side, &Segment) -> Fate + 'static) {
        self.script = Box::new(script);
    }

    /// From now on nothing passes, or all does.
    pub(super) fn cut(&mut self, is_cut: bool) {
        self.script(move |_, _, _| if is_cut { Fate::Lose } else { Fate::Pass });
    }

    /// Loses the first `count` segments of one side, from now on, that are as `wanted`.
    pub(super) fn lose_first(
        &mut self,
        count: usize,
        side: Side,
        wanted: impl Fn(&Segment) -> bool + 'static,
    ) {
        let mut left = count;
        self.script(move |_, from, segment| {
            if left == 0 || from != side || !wanted(segment) {
                return Fate::Pass;
            }
            left -= 1;
            Fate::Lose
        });
    }

    pub(super) fn connect(&mut self, side: Side) {
        let tuning = self.end(side).tuning;
        let now = self.now;
        self.end_mut(side).renew();
        self.end_mut(side).machine = Some(Connection::connect(now, &tuning));
        self.pump(side);
    }

    /// Writes as much as there is room for, at most `count`; returns how much that was.
    pub(super) fn write(&mut self, side: Side, count: usize) -> usize {
        let room = self.machine(side).send_room().min(count);
        self.machine_mut(side).wrote(room);
        self.end_mut(side).written += room as u64;
        self.pump(side);
        room
    }

    /// Reads at most `count` bytes; returns how many there were.
    pub(super) fn read(&mut self, side: Side, count: usize) -> usize {
        let now = self.now;
        let there = self.machine(side).readable().min(count);
        self.machine_mut(side).read(now, there);
        self.end_mut(side).read += there as u64;
        self.pump(side);
        there
    }

    pub(super) fn read_all(&mut self, side: Side) -> usize {
        self.read(side, usize::MAX)
    }

    pub(super) fn shutdown(&mut self, side: Side, how: Shutdown) -> Result<(), TcpError> {
        let result = self.machine_mut(side).shutdown(how);
        self.pump(side);
        result
    }

    pub(super) fn close(&mut self, side: Side, linger: Linger) -> Effects {
        let now = self.now;
        let effects = self.machine_mut(side).close(now, linger);
        self.after(side, effects);
        effects
    }

    /// What a program sees that reads now: bytes, an end, an error, or that it has to wait.
    pub(super) fn try_read(&mut self, side: Side) -> Option<Result<usize, TcpError>> {
        if self.machine(side).readable() > 0 {
            return Some(Ok(self.read_all(side)));
        }
        self.machine_mut(side).read_end().map(|end| end.map(|()| 0))
    }

    /// What a program sees that writes one byte now.
    pub(super) fn try_write(&mut self, side: Side) -> Option<Result<usize, TcpError>> {
        if let Some(error) = self.machine_mut(side).write_end() {
            return Some(Err(error));
        }
        let count = self.write(side, 1);
        (count > 0).then_some(Ok(count))
    }

    /// Lets time pass until nothing is due before `until`, and then to it.
    pub(super) fn run_until(&mut self, until: u64) {
        let (mut steps, most) = (0, 20_000);
        while self.next_at().is_some_and(|at| at <= until) {
            self.step();
            steps += 1;
            assert!(steps < most, "it does not end: at {}, {:?}", self.now, self.sent.last());
        }
        self.now = self.now.max(until);
    }

    /// Lets time pass until nothing is due any more, at most `most` steps.
    pub(super) fn run_until_still(&mut self, most: usize) {
        for _ in 0..most {
            if !self.step() {
                return;
            }
        }
        panic!("still something to do after {most} steps, at {}", self.now);
    }

    pub(super) fn next_at(&self) -> Option<u64> {
        let arrival = self.in_flight.keys().next().map(|&(at, _)| at);
        let deadlines = self.ends.iter().filter_map(|end| end.machine.as_ref()?.deadline());
        deadlines.map(|(at, _)| at.max(self.now)).chain(arrival).min()
    }

    /// Does what is due next; returns whether there was something.
    pub(super) fn step(&mut self) -> bool {
        let Some(at) = self.next_at() else { return false };
        self.now = at;
        if let Some((&key, _)) = self.in_flight.iter().next()
            && key.0 <= at
        {
            let (from, segment, key) = self.in_flight.remove(&key).unwrap();
            self.arrive(from, &segment, key);
            return true;
        }
        for side in [Client, Server] {
            let deadline = self.end(side).machine.as_ref().and_then(Connection::deadline);
            if deadline.is_some_and(|(due, _)| due <= at) {
                let effects = self.machine_mut(side).on_timer(at);
                self.after(side, effects);
                return true;
            }
        }
        unreachable!("something was due at {at}")
    }

    fn arrive(&mut self, from: Side, segment: &Segment, key: SocketKey) {
        let to = from.other();
        let now = self.now;
        let is_plain_syn = segment.flags == Flags::SYN && segment.to.is_none();
        // One connection in all: the books are those of its bytes.
        let is_first = self.end(to).number <= 2;
        if is_plain_syn && is_first && self.is_listening {
            self.end_mut(to).renew();
            let child = Connection::accept(now, segment, &self.end(to).tuning);
            self.end_mut(to).machine = Some(child);
            self.machine_mut(to).set_peer(key);
            self.pump(to);
            return;
        }
        let is_known = self.end(to).machine.as_ref().is_some_and(|machine| {
            let is_ours = machine.peer().is_none_or(|peer| peer == key);
            is_ours && segment.to.is_none_or(|target| target == self.end(to).key)
        });
        if !is_known {
            self.answer(from, to, segment);
            return;
        }
        if segment.len > 0 {
            let end = segment.seq - 1 + u64::from(segment.len);
            self.end_mut(to).arrived.push((segment.seq - 1, end));
        }
        let effects = self.machine_mut(to).on_segment(now, segment);
        if self.machine(to).peer().is_none() && self.state(to) != TcpState::SynSent {
            self.machine_mut(to).set_peer(key);
        }
        if effects.has(Effects::RESET_PEER) {
            self.answer(from, to, segment);
        }
        self.after(to, effects);
    }

    /// Sends the RST for a segment that is of no connection.
    fn answer(&mut self, from: Side, to: Side, segment: &Segment) {
        if let Some(reset) = reset_for(segment) {
            let key = self.end(from).key;
            self.put(to, Segment { to: Some(key), ..reset });
        }
    }

    /// Sends what is to be sent, and gives the slot back if it is not needed.
    pub(super) fn after(&mut self, side: Side, effects: Effects) {
        self.end_mut(side).effects |= effects;
        self.pump(side);
        if effects.has(Effects::RELEASED) {
            self.end_mut(side).machine = None;
            self.note_state(side);
        }
    }

    pub(super) fn pump(&mut self, side: Side) {
        let (now, path) = (self.now, self.path);
        let most = self.sent.len() + 10_000;
        while let Some(segment) = self.machine_mut(side).transmit(now, &path) {
            self.put(side, segment);
            assert!(self.sent.len() < most, "it sends and sends: {:?}", self.machine(side));
        }
        self.check();
    }

    fn put(&mut self, from: Side, segment: Segment) {
        let number = self.sent.len() as u64;
        self.check_segment(from, &segment);
        let fate = (self.script)(number, from, &segment);
        let is_lost = fate == Fate::Lose;
        self.sent.push(Sent { at: self.now, from, segment, is_lost });
        let at = self.now + self.latency.max(1);
        match fate {
            Fate::Lose => {}
            Fate::Pass => {
                let last = &mut self.last_arrival[from as usize];
                *last = at.max(*last);
                let at = *last;
                self.launch(at, from, segment);
            }
            Fate::Delay(by) => self.launch(at + by, from, segment),
            Fate::Twice(after) => {
                self.launch(at, from, segment);
                self.launch(at + after, from, segment);
            }
        }
    }

    fn launch(&mut self, at: u64, from: Side, segment: Segment) {
        self.sequence += 1;
        let key = self.end(from).key;
        self.in_flight.insert((at, self.sequence), (from, segment, key));
    }

    fn check_segment(&mut self, from: Side, segment: &Segment) {
        if segment.has(Flags::RST) {
            return;
        }
        let end = self.end_mut(from);
        let edge = segment.ack + u64::from(segment.window);
        if segment.has(Flags::ACK) {
            assert!(edge >= end.edge_told, "the window's right edge moved left: {segment:?}");
            end.edge_told = edge;
        }
        if segment.len > 0 {
            let (start, past) = (segment.seq - 1, segment.seq - 1 + u64::from(segment.len));
            assert!(start >= end.needed_from, "{start} was said not to be needed any more");
            assert!(past <= end.written, "bytes are sent that were not written: {segment:?}");
            let told = self.end(from.other()).edge_told;
            // Before its first segment the other end has not told anything.
            let told = if told == 0 { u64::MAX } else { told };
            assert!(past < told, "{segment:?} goes beyond the window, which ends at {told}");
        }
    }

    /// Nobody knows more than what has arrived.
    fn check(&mut self) {
        for side in [Client, Server] {
            self.note_state(side);
            let other_written = self.end(side.other()).written;
            let end = self.end_mut(side);
            let Some(machine) = end.machine.as_ref() else { continue };
            let known = end.read + machine.readable() as u64;
            assert!(known <= other_written, "more can be read than was written");
            end.arrived.sort_unstable();
            end.arrived.dedup();
            let mut reach = 0;
            for &(start, past) in &end.arrived {
                if start <= reach {
                    reach = reach.max(past);
                }
            }
            assert!(known <= reach, "{known} bytes can be read, {reach} have come");
            end.arrived.retain(|&(start, _)| start > reach);
            end.arrived.insert(0, (0, reach));
            if machine.state() != TcpState::Closed {
                end.needed_from = end.needed_from.max(machine.needed_from());
            }
            let (needed_from, state) = (end.needed_from, machine.state());
            let has = self.end(side.other()).arrived.first().map_or(0, |&(_, past)| past);
            assert!(
                needed_from <= has.max(self.end(side).written) && state >= TcpState::Closed,
                "{needed_from} bytes are acknowledged, {has} have come"
            );
            assert!(needed_from.min(self.end(side).written) <= has, "acknowledged before it came");
        }
    }

    fn note_state(&mut self, side: Side) {
        let (before, after) = (self.states[side as usize], self.state(side));
        if before != after {
            self.transitions.insert((before, after));
            self.states[side as usize] = after;
        }
    }

    /// Lets an end that only waits wait until it is over.
    pub(super) fn expire(&mut self, side: Side) {
        let Some(at) = self.end(side).machine.as_ref().and_then(Connection::expires_at) else {
            return;
        };
        self.now = self.now.max(at);
        let now = self.now;
        let effects = self.machine_mut(side).expire(now);
        self.after(side, effects);
    }

    pub(super) fn end(&self, side: Side) -> &End {
        &self.ends[side as usize]
    }

    pub(super) fn end_mut(&mut self, side: Side) -> &mut End {
        &mut self.ends[side as usize]
    }

    #[track_caller]
    pub(super) fn machine(&self, side: Side) -> &Connection {
        self.end(side).machine.as_ref().expect("the machine is there")
    }

    #[track_caller]
    pub(super) fn machine_mut(&mut self, side: Side) -> &mut Connection {
        self.end_mut(side).machine.as_mut().expect("the machine is there")
    }

    /// Its state; a machine that is gone is closed.
    pub(super) fn state(&self, side: Side) -> TcpState {
        self.end(side).machine.as_ref().map_or(TcpState::Closed, Connection::state)
    }

    /// Takes out what its last calls brought about.
    pub(super) fn take_effects(&mut self, side: Side) -> Effects {
        std::mem::take(&mut self.end_mut(side).effects)
    }

    pub(super) fn weight(&self, side: Side) -> Option<Weight> {
        self.machine(side).deadline().map(|(_, weight)| weight)
    }

    /// Times at which this side sent a segment that is as `wanted`, in milliseconds.
    pub(super) fn times(&self, from: Side, wanted: impl Fn(&Segment) -> bool) -> Vec<u64> {
        let sent = self.sent.iter().filter(|sent| sent.from == from && wanted(&sent.segment));
        sent.map(|sent| sent.at / MILLISECOND).collect()
    }

    pub(super) fn count(&self, from: Side, wanted: impl Fn(&Segment) -> bool) -> usize {
        self.times(from, wanted).len()
    }
}

impl End {
    fn new(number: u32) -> Self {
        Self {
            machine: None,
            tuning: Tuning::default(),
            effects: Effects::NONE,
            written: 0,
            read: 0,
            number,
            key: SocketKey(Key::unpacked(u64::from(number) << 32 | 1)),
            arrived: Vec::new(),
            edge_told: 0,
            needed_from: 0,
        }
    }

    /// Another socket takes the place of the one that was here.
    fn renew(&mut self) {
        *self = Self { tuning: self.tuning, ..Self::new(self.number + 2) };
    }
}

impl Side {
    pub(super) fn other(self) -> Self {
        match self {
            Client => Server,
            Server => Client,
        }
    }
}

pub(super) fn is_data(segment: &Segment) -> bool {
    segment.len > 0
}

pub(super) fn is_syn(segment: &Segment) -> bool {
    segment.has(Flags::SYN)
}

pub(super) fn is_fin(segment: &Segment) -> bool {
    segment.has(Flags::FIN)
}

pub(super) fn is_reset(segment: &Segment) -> bool {
    segment.has(Flags::RST)
}

/// Nothing but an acknowledgement.
pub(super) fn is_bare(segment: &Segment) -> bool {
    segment.flags == Flags::ACK && segment.len == 0
}

pub(super) const MILLISECOND: u64 = 1_000_000;

pub(super) const SECOND: u64 = 1000 * MILLISECOND;

/// One-way latencies under which each loss is tried.
pub(super) const LATENCIES: [u64; 4] =
    [MILLISECOND, 10 * MILLISECOND, 50 * MILLISECOND, 300 * MILLISECOND];
