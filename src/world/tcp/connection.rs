//! The machine: its numbers, and what comes in.

use super::congestion::Recovery;
use super::effects::Effects;
use super::error::TcpError;
use super::options::{BUFFER_MAX, Tuning};
use super::receiver::Reassembly;
use super::rtt::Rtt;
use super::segment::{Flags, Segment};
use super::state::TcpState;
use super::timers::NEVER;
use crate::world::socket::SocketKey;

/// One end of a connection; the module's page says how it is used.
///
/// Offsets are kept as distances of 32 bits from `snd_una` and `rcv_nxt`, and what only some
/// connections need stands in a box: there may be very many of them, most of them idle.
#[derive(Debug)]
pub(crate) struct Connection {
    /// First offset that the peer has not acknowledged.
    pub(super) snd_una: u64,
    /// First offset that has not come.
    pub(super) rcv_nxt: u64,
    /// When something is sent again, a probe is sent, or TIME-WAIT ends; `NEVER` if none of them.
    pub(super) timer_at: u64,
    /// When the peer was heard last.
    pub(super) heard_at: u64,
    pub(super) peer: Option<SocketKey>,
    pub(super) rare: Option<Box<Rare>>,
    /// From `snd_una`: end of what was sent, SYN and FIN counted.
    pub(super) snd_nxt: u32,
    /// From `snd_una`: end of what was written, SYN counted and FIN not.
    pub(super) queued: u32,
    /// From `snd_una`: end of what the peer lets us send. It never moves left.
    pub(super) snd_edge: u32,
    /// From `snd_una`: end of the last segment that was small, or zero if that is acknowledged.
    pub(super) small: u32,
    /// From `snd_una`: end of the segment whose round trip is measured, or zero.
    pub(super) timed: u32,
    /// Tick at which that was sent.
    pub(super) timed_at: u32,
    /// How much may be in flight.
    pub(super) cwnd: u32,
    pub(super) rtt: Rtt,
    /// Bytes that were received and not read.
    pub(super) unread: u32,
    /// From `rcv_nxt`: end of what the peer was told it may send. It never moves left.
    pub(super) rcv_edge: u32,
    /// What was received and not acknowledged yet; an acknowledgement is owed if it is not zero.
    pub(super) unacknowledged: u32,
    /// How long before `heard_at` the first of that came, in nanoseconds.
    pub(super) owed_for: u32,
    /// The largest segment: what the path carries and the peer takes.
    pub(super) mss: u16,
    pub(super) peer_mss: u16,
    pub(super) facts: Facts,
    pub(super) state: TcpState,
    /// Expiries of the timer since something went well; the time-out doubles with each.
    pub(super) attempts: u8,
    /// Probes since the peer was heard.
    pub(super) unanswered: u8,
    /// So many segments are acknowledged at once before acknowledgements are delayed.
    pub(super) quick_acks: u8,
    pub(super) error: Option<TcpError>,
}

/// What only some connections need: those with options, and those that have lost something.
#[derive(Clone, Debug)]
pub(super) struct Rare {
    pub(super) tuning: Tuning,
    pub(super) recovery: Recovery,
    pub(super) reassembly: Reassembly,
    /// When the timer expired for the first time since something went well.
    pub(super) stalled_at: u64,
}

/// What is true of a connection, as bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub(super) struct Facts(u16);

impl Connection {
    /// Begins to connect: the SYN is what `transmit` hands out first.
    pub(crate) fn connect(now: u64, tuning: &Tuning) -> Self {
        let mut connection = Self::new(now, tuning);
        connection.state = TcpState::SynSent;
        if let Some(rare) = connection.rare.as_deref_mut() {
            rare.stalled_at = now;
        }
        connection
    }

    /// Answers a SYN for a listener: the SYN+ACK is what `transmit` hands out first.
    pub(crate) fn accept(now: u64, syn: &Segment, tuning: &Tuning) -> Self {
        let mut connection = Self::new(now, tuning);
        connection.state = TcpState::SynReceived;
        connection.facts.insert(Facts::PASSIVE);
        connection.take_syn(syn);
        connection
    }

    fn new(now: u64, tuning: &Tuning) -> Self {
        let mut connection = Self {
            snd_una: 0,
            rcv_nxt: 0,
            timer_at: NEVER,
            heard_at: now,
            peer: None,
            rare: None,
            snd_nxt: 0,
            queued: 1,
            snd_edge: 0,
            small: 0,
            timed: 0,
            timed_at: 0,
            cwnd: 0,
            rtt: Rtt::default(),
            unread: 0,
            rcv_edge: 0,
            unacknowledged: 0,
            owed_for: 0,
            mss: u16::MAX,
            peer_mss: u16::MAX,
            facts: Facts::SYN_NOW,
            state: TcpState::Closed,
            attempts: 0,
            unanswered: 0,
            quick_acks: QUICK_ACKS,
            error: None,
        };
        connection.set_tuning(tuning);
        connection
    }

    /// Sets the options. A smaller buffer takes effect as it empties.
    pub(crate) fn set_tuning(&mut self, tuning: &Tuning) {
        let size = tuning.send_buffer.max(tuning.receive_buffer);
        assert!(size <= BUFFER_MAX, "a buffer of {size} bytes, at most {BUFFER_MAX} are possible");
        self.facts.set(Facts::NODELAY, tuning.nodelay);
        let in_box = Tuning { nodelay: false, ..*tuning };
        if self.rare.is_some() || in_box != Tuning::default() {
            self.rare_mut().tuning = in_box;
        }
    }

    pub(crate) fn tuning(&self) -> Tuning {
        let in_box = self.rare.as_deref().map_or_else(Tuning::default, |rare| rare.tuning);
        Tuning { nodelay: self.facts.contain(Facts::NODELAY), ..in_box }
    }

    /// Takes what came from the peer. The caller has made sure that it is of this connection.
    #[inline]
    pub(crate) fn on_segment(&mut self, now: u64, segment: &Segment) -> Effects {
        match self.state {
            TcpState::Closed => Effects::NONE,
            TcpState::SynSent => self.on_answer(now, segment),
            TcpState::SynReceived
            | TcpState::Established
            | TcpState::FinWait1
            | TcpState::FinWait2
            | TcpState::CloseWait
            | TcpState::Closing
            | TcpState::LastAck
            | TcpState::TimeWait => self.on_synchronised(now, segment),
        }
    }

    /// A segment in SYN-SENT (RFC 9293, section 3.10.7.3).
    fn on_answer(&mut self, now: u64, segment: &Segment) -> Effects {
        let has_ack = segment.has(Flags::ACK);
        if has_ack && segment.ack != 1 {
            return if segment.has(Flags::RST) { Effects::NONE } else { Effects::RESET_PEER };
        }
        if segment.has(Flags::RST) {
            return if has_ack { self.fail(TcpError::Refused) } else { Effects::NONE };
        }
        if !segment.has(Flags::SYN) {
            return Effects::NONE;
        }
        self.hear(now);
        self.take_syn(segment);
        if has_ack {
            let effects = self.acknowledge(now, segment);
            self.facts.insert(Facts::ACK_NOW);
            return effects | self.establish();
        }
        // Both connect at once. The answer is another segment than the SYN: it is sent as often.
        self.state = TcpState::SynReceived;
        self.attempts = 0;
        self.timed = 0;
        self.timer_at = NEVER;
        self.facts.insert(Facts::SYN_NOW);
        Effects::NONE
    }

    /// A segment in any state after that (RFC 9293, section 3.10.7.4, and RFC 5961).
    #[inline]
    fn on_synchronised(&mut self, now: u64, segment: &Segment) -> Effects {
        let is_opening = self.state == TcpState::SynReceived;
        let repeats_syn = segment.has(Flags::SYN) && segment.seq == 0 && is_opening;
        if repeats_syn && !segment.has(Flags::ACK) {
            self.facts.insert(Facts::SYN_NOW);
            return Effects::NONE;
        }
        // As Linux: from what was acknowledged last up to the edge itself. If a segment at the edge
        // were not acceptable, two ends with full windows could not hear each other.
        let first = self.rcv_nxt - u64::from(self.unacknowledged);
        let edge = self.rcv_nxt + u64::from(self.rcv_edge);
        let is_acceptable = segment.end() >= first && segment.seq <= edge;
        if segment.has(Flags::RST) {
            return self.on_reset(segment, edge);
        }
        if !is_acceptable || segment.has(Flags::SYN) && !repeats_syn {
            if segment.seq > edge || self.asks_for_answer(segment) {
                self.facts.insert(Facts::ACK_NOW);
            }
            return Effects::NONE;
        }
        if !segment.has(Flags::ACK) {
            return Effects::NONE;
        }
        if segment.ack > self.snd_una + u64::from(self.snd_nxt) || is_opening && segment.ack == 0 {
            if is_opening {
                return Effects::RESET_PEER;
            }
            self.facts.insert(Facts::ACK_NOW);
            return Effects::NONE;
        }
        self.hear(now);
        let mut effects = self.acknowledge(now, segment);
        if is_opening {
            effects |= self.establish();
        }
        if repeats_syn {
            self.facts.insert(Facts::ACK_NOW);
        }
        if self.state == TcpState::Closed {
            return effects;
        }
        let more = self.receive(now, segment);
        if self.state == TcpState::Closed { more } else { effects | more }
    }

    /// Whether a segment that brings nothing new wants an acknowledgement: it has a length, so its
    /// sender has missed one, or it is a probe.
    ///
    /// What has no length and is merely late is not answered: two ends whose segments overtake each
    /// other would answer answers, ever more of them (Linux limits their rate for that reason).
    pub(super) fn asks_for_answer(&self, segment: &Segment) -> bool {
        segment.end() > segment.seq || segment.seq + 1 == self.rcv_nxt
    }

    /// A RST: with the very number that is expected it is believed, near it asked about.
    fn on_reset(&mut self, segment: &Segment, edge: u64) -> Effects {
        if self.state == TcpState::TimeWait || segment.seq < self.rcv_nxt || segment.seq > edge {
            return Effects::NONE;
        }
        if segment.seq > self.rcv_nxt {
            self.facts.insert(Facts::ACK_NOW);
            return Effects::NONE;
        }
        let is_half_closed = self.state == TcpState::CloseWait;
        self.fail(if is_half_closed { TcpError::BrokenPipe } else { TcpError::Reset })
    }

    /// Takes the numbers of the peer's SYN.
    fn take_syn(&mut self, syn: &Segment) {
        self.rcv_nxt = syn.seq + 1;
        self.rcv_edge = self.tuning().receive_buffer;
        // Our first byte is 1.
        self.snd_edge = syn.window + 1;
        // Else a window that is smaller than two segments could not be used well (RFC 9293, 3.8.6.2.1).
        let half = u16::try_from(syn.window / 2).unwrap_or(u16::MAX);
        self.peer_mss = syn.mss.min(half).max(1);
        self.mss = self.mss.min(self.peer_mss);
    }

    fn establish(&mut self) -> Effects {
        self.state = TcpState::Established;
        self.facts.remove(Facts::SYN_NOW);
        self.cwnd = self.initial_window();
        if self.facts.contain(Facts::PASSIVE) {
            Effects::ACCEPTABLE
        } else {
            Effects::CONNECTED | Effects::WRITABLE
        }
    }

    /// The peer lives, and what it has sent has come.
    #[inline]
    fn hear(&mut self, now: u64) {
        assert!(now >= self.heard_at, "time moved back: now={now} heard_at={}", self.heard_at);
        if self.unacknowledged > 0 {
            let silence = u32::try_from(now - self.heard_at).unwrap_or(u32::MAX);
            self.owed_for = self.owed_for.saturating_add(silence);
        }
        self.heard_at = now;
        // Only an answer says that the peer is still there: anything else may have been sent before.
        if self.unanswered > 0 {
            self.facts.remove(Facts::DOUBT);
        }
        self.unanswered = 0;
    }

    /// Notes that the path has changed, or that a segment to this end was lost: its timers count
    /// until the peer has answered a question.
    pub(crate) fn doubt(&mut self) {
        self.facts.insert(Facts::DOUBT);
    }

    /// Notes that the network knows no way to the peer.
    pub(crate) fn on_unreachable(&mut self) -> Effects {
        if self.state.is_opening() {
            return self.fail(TcpError::Unreachable);
        }
        // It may be back in time; who gives up says so.
        self.facts.insert(Facts::UNREACHABLE);
        Effects::NONE
    }

    pub(crate) fn state(&self) -> TcpState {
        self.state
    }

    pub(crate) fn peer(&self) -> Option<SocketKey> {
        self.peer
    }

    /// Notes which socket is at the other end.
    pub(crate) fn set_peer(&mut self, peer: SocketKey) {
        self.peer = Some(peer);
    }

    /// Whether a RST is still to be sent.
    pub(crate) fn owes_reset(&self) -> bool {
        self.facts.contain(Facts::RESET_NOW)
    }

    /// Whether an acknowledgement is to be sent now.
    #[inline]
    pub(crate) fn has_to_acknowledge(&self) -> bool {
        self.facts.contain(Facts::ACK_NOW)
    }

    /// Returns the offset that is expected next, which is the one that a RST must have.
    pub(crate) fn expected(&self) -> u64 {
        self.rcv_nxt
    }

    /// Returns how often the timer has expired since something went well.
    pub(crate) fn attempts(&self) -> u8 {
        self.attempts
    }

    /// Returns how many bytes were received and not read.
    #[inline]
    pub(crate) fn readable(&self) -> usize {
        self.unread as usize
    }

    /// Returns how many bytes were written and not acknowledged.
    pub(crate) fn unsettled(&self) -> usize {
        (self.queued - u32::from(self.snd_una == 0).min(self.queued)) as usize
    }

    /// Returns the number of bytes at the front of what was written that will not be sent again.
    #[inline]
    pub(crate) fn needed_from(&self) -> u64 {
        match self.state {
            TcpState::Closed => u64::MAX,
            // SYN and FIN are offsets, too.
            TcpState::FinWait2 | TcpState::TimeWait => self.snd_una - 2,
            _ => self.snd_una.saturating_sub(1),
        }
    }

    pub(super) fn rare_mut(&mut self) -> &mut Rare {
        self.rare.get_or_insert_with(|| {
            Box::new(Rare {
                tuning: Tuning::default(),
                recovery: Recovery::new(),
                reassembly: Reassembly::default(),
                stalled_at: 0,
            })
        })
    }
}

impl Facts {
    pub(super) const READ_SHUT: Self = Self(1);
    pub(super) const WRITE_SHUT: Self = Self(1 << 1);
    pub(super) const FIN_RECEIVED: Self = Self(1 << 2);
    /// Its process has closed it.
    pub(super) const ORPHAN: Self = Self(1 << 3);
    /// It is a listener's child.
    pub(super) const PASSIVE: Self = Self(1 << 4);
    pub(super) const NODELAY: Self = Self(1 << 5);
    pub(super) const DOUBT: Self = Self(1 << 6);
    pub(super) const UNREACHABLE: Self = Self(1 << 7);
    /// There is something to send, but the peer's window has no room for it.
    pub(super) const PROBING: Self = Self(1 << 8);
    pub(super) const RESET_NOW: Self = Self(1 << 9);
    pub(super) const SYN_NOW: Self = Self(1 << 10);
    pub(super) const PROBE_NOW: Self = Self(1 << 11);
    pub(super) const ACK_NOW: Self = Self(1 << 12);
    /// Its program answers what comes: acknowledgements can ride on answers.
    pub(super) const ANSWERS: Self = Self(1 << 13);

    #[inline]
    pub(super) fn contain(self, facts: Self) -> bool {
        self.0 & facts.0 == facts.0
    }

    /// Whether something is to be sent now.
    #[inline]
    pub(super) fn are_urgent(self) -> bool {
        let urgent = Self::RESET_NOW.0 | Self::SYN_NOW.0 | Self::PROBE_NOW.0 | Self::ACK_NOW.0;
        self.0 & urgent != 0
    }

    #[inline]
    pub(super) fn insert(&mut self, facts: Self) {
        self.0 |= facts.0;
    }

    #[inline]
    pub(super) fn remove(&mut self, facts: Self) {
        self.0 &= !facts.0;
    }

    pub(super) fn set(&mut self, facts: Self, is_true: bool) {
        if is_true {
            self.insert(facts);
        } else {
            self.remove(facts);
        }
    }
}

/// Linux: `TCP_MAX_QUICKACKS`.
const QUICK_ACKS: u8 = 16;

const _: () = assert!(size_of::<Connection>() <= 112, "memory of an idle connection");
