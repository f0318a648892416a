//! What the peer sends: in order, out of order, twice; and what it may send.

use super::connection::{Connection, Facts};
use super::effects::Effects;
use super::scoreboard::Ranges;
use super::segment::{Flags, SACKS_MAX, Sack, Segment};
use super::state::TcpState;
use super::timers::TIME_WAIT;

/// What came before that in front of it.
#[derive(Clone, Debug, Default)]
pub(super) struct Reassembly {
    ranges: Ranges,
    /// Offset of the peer's FIN, if that came too early.
    fin_at: Option<u64>,
    /// Offset in the range that grew last: it is told first.
    latest: u64,
    /// Up to here the other ranges were told; they take turns.
    told: u64,
}

impl Connection {
    /// Takes data and FIN of an acceptable segment.
    #[inline]
    pub(super) fn receive(&mut self, now: u64, segment: &Segment) -> Effects {
        let has_fin = segment.has(Flags::FIN);
        let end = segment.end();
        if end <= self.rcv_nxt {
            if self.asks_for_answer(segment) {
                self.facts.insert(Facts::ACK_NOW);
            }
            if has_fin && self.state == TcpState::TimeWait {
                self.timer_at = now + TIME_WAIT;
            }
            return Effects::NONE;
        }
        // What has no length says nothing by its place: its sender may have lost what is before it.
        if segment.seq == end || !self.state.may_receive() {
            return Effects::NONE;
        }
        let data_end = end - u64::from(has_fin);
        let is_shut = self.facts.contain(Facts::ORPHAN) || self.facts.contain(Facts::READ_SHUT);
        let has_news = segment.len > 0 && data_end > self.rcv_nxt;
        if is_shut && self.state != TcpState::Established && has_news {
            // Nobody will read it (RFC 1122, section 4.2.2.13; Linux: `TCPABORTONDATA`).
            return self.abort_on_data();
        }
        let edge = self.rcv_nxt + u64::from(self.rcv_edge);
        if end > edge {
            self.facts.insert(Facts::ACK_NOW);
            return self.receive_range(now, segment.seq, data_end.min(edge), None);
        }
        self.receive_range(now, segment.seq, end, has_fin.then_some(data_end))
    }

    #[inline]
    fn receive_range(&mut self, now: u64, start: u64, end: u64, fin_at: Option<u64>) -> Effects {
        if end <= self.rcv_nxt || start >= end {
            return Effects::NONE;
        }
        if start > self.rcv_nxt {
            let reassembly = &mut self.rare_mut().reassembly;
            reassembly.ranges.insert(start, end);
            reassembly.latest = start;
            reassembly.fin_at = reassembly.fin_at.or(fin_at);
            self.facts.insert(Facts::ACK_NOW);
            return Effects::NONE;
        }
        let (mut next, mut fin_at) = (end, fin_at);
        let mut fills_gap = false;
        if let Some(rare) = self.rare.as_deref_mut() {
            let reassembly = &mut rare.reassembly;
            fills_gap = !reassembly.ranges.is_empty();
            next = reassembly.ranges.take_from(next);
            fin_at = fin_at.or(reassembly.fin_at);
        }
        let is_ended = fin_at.is_some_and(|fin_at| fin_at < next);
        let count = distance(self.rcv_nxt, next);
        self.rcv_nxt = next;
        self.rcv_edge -= count;
        self.unread += count - u32::from(is_ended);
        self.owe(count, fills_gap || is_ended);
        if is_ended { self.on_fin(now) } else { Effects::READABLE }
    }

    /// Something came in order: it is acknowledged at once or a little later.
    #[inline]
    fn owe(&mut self, count: u32, is_urgent: bool) {
        if self.unacknowledged == 0 {
            self.owed_for = 0;
        }
        self.unacknowledged += count;
        let is_quick = self.quick_acks > 0;
        self.quick_acks = self.quick_acks.saturating_sub(1);
        if is_urgent || is_quick || self.unacknowledged >= self.update_step() {
            self.facts.insert(Facts::ACK_NOW);
        }
    }

    /// The peer's FIN came, and all before it.
    fn on_fin(&mut self, now: u64) -> Effects {
        self.facts.insert(Facts::FIN_RECEIVED);
        match self.state {
            TcpState::FinWait1 => self.state = TcpState::Closing,
            TcpState::FinWait2 => return Effects::READABLE | self.wait_out(now),
            _ => self.state = TcpState::CloseWait,
        }
        Effects::READABLE
    }

    /// Notes that the program has read so much. The peer is told once the window has opened by
    /// enough, however little is read at a time.
    #[inline]
    pub(crate) fn read(&mut self, now: u64, count: usize) {
        assert!(now >= self.heard_at, "time moved back: now={now} heard_at={}", self.heard_at);
        let count = u32::try_from(count).expect("no more is read than there is");
        self.unread = self.unread.checked_sub(count).expect("no more is read than there is");
        if !self.state.may_receive() {
            return;
        }
        // As Linux (`tcp_cleanup_rbuf`): a program that has read all and does not answer has its peer told
        // at once, who may be waiting for that to send a small segment more.
        let mss = u32::from(self.mss);
        let is_drained = self.unread == 0 && !self.facts.contain(Facts::ANSWERS);
        if self.unacknowledged > mss || is_drained && (1..mss).contains(&self.unacknowledged) {
            self.facts.insert(Facts::ACK_NOW);
        }
        // While the peer may still send half of the buffer, it is not waiting for this.
        let is_narrow = self.rcv_edge <= self.receive_buffer() / 2;
        if is_narrow && self.widening() >= self.update_step() {
            self.facts.insert(Facts::ACK_NOW);
        }
    }

    /// Returns by how much the right edge could move.
    #[inline]
    fn widening(&self) -> u32 {
        self.receive_buffer().saturating_sub(self.unread).saturating_sub(self.rcv_edge)
    }

    #[inline]
    fn update_step(&self) -> u32 {
        (2 * u32::from(self.mss)).min(self.receive_buffer() / 2)
    }

    #[inline]
    fn receive_buffer(&self) -> u32 {
        self.tuning().receive_buffer
    }

    /// Writes what was received and what may be sent into a segment that goes out.
    #[inline]
    pub(super) fn stamp(&mut self, segment: &mut Segment) {
        let step = u32::from(self.mss).min(self.receive_buffer() / 2);
        // The edge moves by whole segments: else the peer would send small ones for ever.
        if self.state.may_receive() && self.widening() >= step {
            self.rcv_edge += self.widening();
        }
        segment.flags = segment.flags | Flags::ACK;
        segment.ack = self.rcv_nxt;
        segment.window = self.rcv_edge;
        self.unacknowledged = 0;
        self.facts.remove(Facts::ACK_NOW);
        if let Some(rare) = self.rare.as_deref_mut()
            && !rare.reassembly.ranges.is_empty()
        {
            rare.reassembly.tell(segment);
        }
    }
}

impl Reassembly {
    /// Tells the range that grew last, and then others in turn, so that each is told at some time
    /// whatever is lost.
    fn tell(&mut self, segment: &mut Segment) {
        let ranges = self.ranges.as_slice();
        let latest = ranges.partition_point(|&(_, end)| end <= self.latest).min(ranges.len() - 1);
        let mut count = 1;
        segment.sacks[0] = sack(segment.ack, ranges[latest]);
        let begin = ranges.partition_point(|&(start, _)| start <= self.told);
        for offset in 0..ranges.len() {
            let index = (begin + offset) % ranges.len();
            if index == latest {
                continue;
            }
            if count == SACKS_MAX {
                break;
            }
            segment.sacks[count] = sack(segment.ack, ranges[index]);
            self.told = ranges[index].0;
            count += 1;
        }
        segment.sack_count = u8::try_from(count).expect("at most `SACKS_MAX`");
    }
}

fn sack(ack: u64, (start, end): (u64, u64)) -> Sack {
    Sack { from: distance(ack, start), len: distance(start, end) }
}

/// Returns how far it is from one offset to another.
#[inline]
pub(super) fn distance(from: u64, to: u64) -> u32 {
    u32::try_from(to - from).expect("buffers are small: offsets of one time are close together")
}
