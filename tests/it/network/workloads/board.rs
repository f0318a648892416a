//! What the programs of a workload have done, and what must be true of it at every step.

use std::cell::RefCell;
use std::net::SocketAddr;
use std::ops::AddAssign;
use std::rc::Rc;

use super::super::contents;
use super::super::{ECONNREFUSED, ECONNRESET, EPIPE};

/// The book of all streams.
#[derive(Clone, Debug)]
pub(super) struct Board(Rc<RefCell<Vec<[End; 2]>>>);

/// One end of a stream.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct End {
    pub(super) state: State,
    /// Its own and its peer's, while it is connected.
    pub(super) addresses: Option<(SocketAddr, SocketAddr)>,
    pub(super) written: u64,
    pub(super) read: u64,
    /// Whether it has said that it writes no more.
    pub(super) is_shut: bool,
    /// Whether it has read the end.
    pub(super) is_ended: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum State {
    /// Not connected, or not accepted.
    #[default]
    Missing,
    Open,
    /// Its program is through with it, or dead.
    Over,
    /// It was open when its machine lost its power: it cannot say anything any more.
    Silent,
    Failed(i32),
}

/// How many streams ended how.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Fates {
    /// Both ends have read all.
    pub(super) complete: u64,
    /// Both ends were open when the faults stopped.
    pub(super) owed: u64,
    /// One end has gone before all was said, or its machine.
    pub(super) left: u64,
    pub(super) reset: u64,
    pub(super) refused: u64,
    pub(super) other: u64,
}

impl Board {
    pub(super) fn new(streams: usize) -> Self {
        Self(Rc::new(RefCell::new(vec![Default::default(); streams])))
    }

    pub(super) fn get(&self, stream: usize) -> [End; 2] {
        self.0.borrow()[stream]
    }

    pub(super) fn change(&self, stream: usize, side: usize, change: impl FnOnce(&mut End)) {
        change(&mut self.0.borrow_mut()[stream][side]);
    }

    /// Notes what a write has taken. No more may be on its way than both buffers hold.
    pub(super) fn wrote(&self, stream: usize, side: usize, count: usize) {
        let mut book = self.0.borrow_mut();
        book[stream][side].written += count as u64;
        let [own, other] = [book[stream][side], book[stream][1 - side]];
        if other.state == State::Open {
            let unread = own.written - other.read;
            assert!(
                unread <= BUFFERS + HEADER,
                "{unread} bytes of stream {stream} are on their way"
            );
        }
    }

    /// Checks what a read has given, and notes it.
    pub(super) fn read(&self, stream: usize, side: usize, bytes: &[u8]) {
        let mut book = self.0.borrow_mut();
        let offset = book[stream][side].read;
        contents::check(direction(stream, 1 - side), offset, bytes);
        book[stream][side].read += bytes.len() as u64;
        let (read, written) = (book[stream][side].read, book[stream][1 - side].written);
        assert!(read <= written, "{read} bytes of stream {stream} are read, {written} written");
    }

    /// Checks that an end may be read now, and notes it.
    pub(super) fn ended(&self, stream: usize, side: usize) {
        let mut book = self.0.borrow_mut();
        let [own, other] = [book[stream][side], book[stream][1 - side]];
        assert_eq!(own.read, other.written, "stream {stream} ends early");
        let is_closed = other.is_shut || !matches!(other.state, State::Open | State::Silent);
        assert!(is_closed, "stream {stream} ends though {other:?} has not closed it");
        book[stream][side].is_ended = true;
    }

    /// Notes that the machine of these ends is about to lose its power.
    pub(super) fn silence(&self, ends: impl Iterator<Item = (usize, usize)>) {
        let mut book = self.0.borrow_mut();
        for (stream, side) in ends {
            let end = &mut book[stream][side];
            if end.state == State::Open {
                end.state = State::Silent;
            }
        }
    }

    pub(super) fn fates(&self) -> Fates {
        let mut fates = Fates::default();
        for ends in &*self.0.borrow() {
            let codes = ends.map(|end| match end.state {
                State::Failed(code) => code,
                State::Missing | State::Open | State::Over | State::Silent => 0,
            });
            let has = |code| codes.contains(&code);
            let counter = match () {
                () if ends.iter().all(|end| end.is_ended && end.is_shut) => &mut fates.complete,
                () if has(ECONNREFUSED) => &mut fates.refused,
                () if has(ECONNRESET) || has(EPIPE) => &mut fates.reset,
                () if ends.iter().any(|end| matches!(end.state, State::Over | State::Silent)) => {
                    &mut fates.left
                }
                () => &mut fates.other,
            };
            *counter += 1;
        }
        fates
    }
}

impl AddAssign for Fates {
    fn add_assign(&mut self, other: Self) {
        self.complete += other.complete;
        self.owed += other.owed;
        self.left += other.left;
        self.reset += other.reset;
        self.refused += other.refused;
        self.other += other.other;
    }
}

/// The number of a direction, for its contents.
pub(super) fn direction(stream: usize, writer: usize) -> u64 {
    (2 * stream + writer) as u64
}

/// What the buffers of a writer and a reader hold together.
const BUFFERS: u64 = 2 * 262_144;

/// What a client says first.
pub(super) const HEADER: u64 = 2;
