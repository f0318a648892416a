//! What the peer says it has, and how much it lets us send.

use super::connection::{Connection, Facts};
use super::effects::Effects;
use super::receiver::distance;
use super::rtt::tick;
use super::segment::Segment;
use super::state::TcpState;
use super::timers::{NEVER, TIME_WAIT};

impl Connection {
    /// Takes acknowledgement, window and ranges of an acceptable segment; its `ack` is not beyond what
    /// was sent.
    #[inline]
    pub(super) fn acknowledge(&mut self, now: u64, segment: &Segment) -> Effects {
        let mut effects = Effects::NONE;
        if segment.ack > self.snd_una {
            effects = self.settle(now, distance(self.snd_una, segment.ack));
        }
        // An old segment may say less than a later one did, but no end ever takes back a window.
        let edge = (segment.ack + u64::from(segment.window)).max(self.snd_una);
        self.snd_edge = self.snd_edge.max(distance(self.snd_una, edge));
        if segment.sack_count > 0 && self.snd_nxt > 0 {
            self.take_sacks(segment);
        }
        effects
    }

    /// So much more is acknowledged.
    #[inline]
    fn settle(&mut self, now: u64, count: u32) -> Effects {
        let in_flight = self.in_flight();
        if self.timed > 0 && count >= self.timed {
            self.rtt.sample(self.timed_at, tick(now));
        }
        let has_fin = count > self.queued;
        let is_first = self.snd_una == 0;
        self.snd_una += u64::from(count);
        self.snd_nxt -= count;
        self.queued = self.queued.saturating_sub(count);
        self.snd_edge = self.snd_edge.saturating_sub(count);
        self.small = self.small.saturating_sub(count);
        self.timed = self.timed.saturating_sub(count);
        self.attempts = 0;
        self.facts.remove(Facts::UNREACHABLE);
        self.timer_at = if self.snd_nxt == 0 { NEVER } else { now + self.rtt.timeout() };
        if !is_first {
            self.grow(count, in_flight);
        }
        if has_fin {
            return self.on_fin_acknowledged(now);
        }
        let send_buffer = self.tuning().send_buffer as usize;
        if self.send_room() * 3 >= send_buffer { Effects::WRITABLE } else { Effects::NONE }
    }

    fn on_fin_acknowledged(&mut self, now: u64) -> Effects {
        let is_orphan = self.facts.contain(Facts::ORPHAN);
        match self.state {
            TcpState::FinWait1 if is_orphan => {
                self.state = TcpState::FinWait2;
                self.timer_at = now + TIME_WAIT;
                Effects::TIME_WAIT
            }
            TcpState::FinWait1 => {
                self.state = TcpState::FinWait2;
                Effects::NONE
            }
            TcpState::Closing => self.wait_out(now),
            _ => self.finish(),
        }
    }
}
