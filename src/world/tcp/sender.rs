//! What goes out, and in which order.

use super::connection::{Connection, Facts};
use super::receiver::distance;
use super::segment::{BARE, Flags, Path, Segment};
use super::state::TcpState;
use super::timers::{DELAYED_ACK, NEVER, RTO_INITIAL};

impl Connection {
    /// Returns the next segment that is to be sent now, or none. To be called until none after every
    /// other call.
    ///
    /// In this order: a RST; the SYN or its answer; what is sent again; new data; the FIN, with the
    /// last data if it can; a probe; an acknowledgement, unless one of those has carried it.
    #[inline]
    pub(crate) fn transmit(&mut self, now: u64, path: &Path) -> Option<Segment> {
        self.mss = path.mss.min(self.peer_mss);
        assert!(self.mss > 0, "a path carries something");
        if self.state == TcpState::Closed {
            return self.transmit_reset();
        }
        if self.state.is_opening() {
            return self.transmit_syn(now, path);
        }
        if let Some(segment) = self.transmit_stream(now, path) {
            return Some(segment);
        }
        self.begin_probing(now);
        if self.facts.contain(Facts::PROBE_NOW) {
            self.facts.remove(Facts::PROBE_NOW);
            // One before what the peer expects: it has to answer.
            return Some(self.stamped(self.snd_una - 1, 0, Flags::NONE));
        }
        let is_owed = self.facts.contain(Facts::ACK_NOW);
        is_owed.then(|| self.stamped(self.snd_una + u64::from(self.snd_nxt), 0, Flags::NONE))
    }

    /// Whether there is nothing to be sent, which is so nearly always; if not, it may be so all the same.
    #[inline]
    pub(crate) fn is_settled(&self) -> bool {
        let is_open = matches!(self.state, TcpState::Established | TcpState::CloseWait);
        is_open && self.queued == self.snd_nxt && self.rare.is_none() && !self.facts.are_urgent()
    }

    fn transmit_reset(&mut self) -> Option<Segment> {
        if !self.facts.contain(Facts::RESET_NOW) {
            return None;
        }
        self.facts.remove(Facts::RESET_NOW);
        let (seq, ack) = (self.snd_una + u64::from(self.snd_nxt), self.rcv_nxt);
        Some(Segment { to: self.peer, seq, ack, flags: Flags::RST | Flags::ACK, ..BARE })
    }

    fn transmit_syn(&mut self, now: u64, path: &Path) -> Option<Segment> {
        if !self.facts.contain(Facts::SYN_NOW) {
            return None;
        }
        self.facts.remove(Facts::SYN_NOW);
        if self.snd_nxt == 0 {
            self.measure(now, 1);
        }
        self.snd_nxt = 1;
        if self.timer_at == NEVER {
            self.timer_at = now + RTO_INITIAL;
        }
        let mut segment = Segment { to: self.peer, flags: Flags::SYN, mss: path.mss, ..BARE };
        if self.state == TcpState::SynReceived {
            self.stamp(&mut segment);
        } else {
            segment.window = self.tuning().receive_buffer;
        }
        Some(segment)
    }

    /// What is lost goes first. When there is nothing new, what may be lost goes, too.
    #[inline]
    fn transmit_stream(&mut self, now: u64, path: &Path) -> Option<Segment> {
        if let Some(hole) = self.next_hole(false) {
            return self.transmit_again(now, path, hole);
        }
        if let Some(segment) = self.transmit_new(now, path) {
            return Some(segment);
        }
        let hole = if self.queued > self.snd_nxt { None } else { self.next_hole(true) };
        self.transmit_again(now, path, hole?)
    }

    fn transmit_again(&mut self, now: u64, path: &Path, hole: (u64, u64)) -> Option<Segment> {
        let (start, gap_end) = hole;
        let mut room = self.congestion_room();
        if start == self.snd_una {
            // It holds up all the rest: it goes whatever is in flight (RFC 6675, section 5, step 4.3).
            room = room.max(u32::from(self.mss));
        }
        let end = start + u64::from(self.portion(distance(start, gap_end), room, path)?);
        self.note_resent(now, start, end);
        Some(self.piece(start, end))
    }

    #[inline]
    fn transmit_new(&mut self, now: u64, path: &Path) -> Option<Segment> {
        let unsent = self.queued.saturating_sub(self.snd_nxt);
        let has_fin = self.state.has_fin() && self.snd_nxt <= self.queued;
        if unsent == 0 && !has_fin {
            return None;
        }
        if self.snd_nxt == 0 && now - self.heard_at > self.rtt.timeout() {
            // After a silence, what was learnt about the path is old (RFC 5681, section 4.1).
            self.cwnd = self.cwnd.min(self.initial_window());
        }
        let window = self.snd_edge.saturating_sub(self.snd_nxt);
        let len = if unsent == 0 { 0 } else { self.sendable(unsent, window, path)? };
        let with_fin = has_fin && len == unsent && window > len;
        if len == 0 && !with_fin {
            return None;
        }
        let start = self.snd_una + u64::from(self.snd_nxt);
        self.snd_nxt += len + u32::from(with_fin);
        if len % u32::from(self.mss) != 0 {
            self.small = self.snd_nxt;
        }
        self.measure(now, self.snd_nxt);
        self.note_sent(now, len);
        Some(self.piece(start, self.snd_una + u64::from(self.snd_nxt)))
    }

    /// Returns how much of the new data may go now.
    #[inline]
    fn sendable(&self, unsent: u32, window: u32, path: &Path) -> Option<u32> {
        let is_probe = self.facts.contain(Facts::PROBE_NOW) && window > 0;
        if is_probe && window < u32::from(self.mss) {
            // It has waited long enough for more (RFC 9293, section 3.8.6.2.1, rule 4).
            return Some(unsent.min(window));
        }
        let len = self.portion(unsent, self.congestion_room().min(window), path)?;
        let rest = len % u32::from(self.mss);
        let may_be_small = self.facts.contain(Facts::NODELAY)
            || self.small == 0
            || self.facts.contain(Facts::WRITE_SHUT);
        if rest == 0 || may_be_small {
            return Some(len);
        }
        // Nagle's algorithm as Minshall changed it, as in Linux: only a small segment that is out
        // makes a small one wait. What is of full size goes.
        (len > rest).then_some(len - rest)
    }

    /// Returns how much of `len` bytes goes in one segment, if it is worth one: all of them, or whole
    /// packets.
    #[inline]
    fn portion(&self, len: u32, room: u32, path: &Path) -> Option<u32> {
        let segment_size = u32::from(self.mss);
        let most = path.burst.max(segment_size);
        if len <= room && len <= most {
            return Some(len);
        }
        let whole = room.min(most).min(len);
        (whole >= segment_size).then_some(whole - whole % segment_size)
    }

    #[inline]
    fn congestion_room(&self) -> u32 {
        let in_flight = self.in_flight();
        // A path may have come to carry larger segments than the whole window.
        let most = if in_flight == 0 { self.cwnd.max(u32::from(self.mss)) } else { self.cwnd };
        u32::try_from(u64::from(most).saturating_sub(in_flight)).unwrap_or(u32::MAX)
    }

    /// New data or the FIN goes out.
    #[inline]
    fn note_sent(&mut self, now: u64, len: u32) {
        if len > 0 && self.rcv_nxt > 1 && now - self.heard_at < DELAYED_ACK {
            // It answers what came: from here on acknowledgements can ride on answers.
            self.quick_acks = 0;
            self.facts.insert(Facts::ANSWERS);
        }
        if self.facts.contain(Facts::PROBING) {
            self.facts.remove(Facts::PROBING);
            self.facts.remove(Facts::PROBE_NOW);
            self.attempts = 0;
            self.timer_at = NEVER;
        }
        if self.timer_at == NEVER {
            self.timer_at = now + self.rtt.timeout();
        }
    }

    /// Nothing more goes out. If nothing is on its way that could bring an answer, somebody has to
    /// ask: the peer's word that its window is open may be lost.
    #[inline]
    fn begin_probing(&mut self, now: u64) {
        let has_more = self.queued > 0 || self.state.has_fin();
        if self.snd_nxt > 0 || !has_more || self.facts.contain(Facts::PROBING) {
            return;
        }
        self.facts.insert(Facts::PROBING);
        self.attempts = 0;
        self.unanswered = 0;
        self.timer_at = now + self.rtt.timeout();
    }

    /// Returns the segment of a range of the stream, with the FIN if it goes beyond the data.
    #[inline]
    fn piece(&mut self, start: u64, end: u64) -> Segment {
        let data_end = self.snd_una + u64::from(self.queued);
        let mut flags = if end >= data_end { Flags::PUSH } else { Flags::NONE };
        if end > data_end {
            flags = flags | Flags::FIN;
        }
        self.stamped(start, distance(start, end.min(data_end)), flags)
    }

    #[inline]
    fn stamped(&mut self, seq: u64, len: u32, flags: Flags) -> Segment {
        let mut segment = Segment { to: self.peer, seq, len, flags, mss: self.mss, ..BARE };
        self.stamp(&mut segment);
        segment
    }

    /// Returns how many bytes may be written now.
    #[inline]
    pub(crate) fn send_room(&self) -> usize {
        match self.state {
            TcpState::Established | TcpState::CloseWait => {
                self.tuning().send_buffer.saturating_sub(self.queued) as usize
            }
            _ => 0,
        }
    }

    /// Notes that the program has written so many bytes.
    #[inline]
    pub(crate) fn wrote(&mut self, count: usize) {
        let room = self.send_room();
        assert!(count <= room, "{count} bytes were written where {room} had room");
        self.queued += u32::try_from(count).expect("there was room");
    }
}
