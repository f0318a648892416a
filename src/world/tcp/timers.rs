//! When something is done without being asked, and the constants of all of it.
//!
//! There are three deadlines and one timer: an acknowledgement that is owed, what the sender waits
//! for (a retransmission, or a probe), and keep-alive. The timer may be set lazily: when it comes too
//! early, [`Connection::on_timer`] does nothing.

use super::connection::{Connection, Facts};
use super::effects::Effects;
use super::error::TcpError;
use super::options::KeepAlive;
use super::state::TcpState;
use crate::executor::Weight;

/// What the sender waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Alarm {
    Retransmit,
    Probe,
    KeepAlive(KeepAlive),
}

impl Connection {
    /// Returns when `on_timer` is to be called at the latest.
    #[inline]
    pub(crate) fn deadline(&self) -> Option<(u64, Weight)> {
        if self.state == TcpState::Established
            && self.rare.is_none()
            && !self.facts.contain(Facts::PROBING)
        {
            // As below, where nothing but a retransmission and an acknowledgement can be due.
            let resent_at = if self.snd_nxt > 0 { self.timer_at } else { NEVER };
            let at = self.owed_at().map_or(resent_at, |owed_at| owed_at.min(resent_at));
            return (at != NEVER).then_some((at, Weight::Foreground));
        }
        let owed = self.owed_at().map(|at| (at, Weight::Foreground));
        let alarm = self.alarm().map(|(at, alarm)| (at, self.weight(alarm)));
        let (Some(owed), Some(alarm)) = (owed, alarm) else { return owed.or(alarm) };
        Some((owed.0.min(alarm.0), Weight::Foreground))
    }

    /// Returns when a connection that has no deadlines any more is over: call `expire` then, or
    /// whenever its port or its slot is wanted after that.
    pub(crate) fn expires_at(&self) -> Option<u64> {
        self.is_waiting_out().then_some(self.timer_at)
    }

    /// Ends a connection whose `expires_at` has passed.
    pub(crate) fn expire(&mut self, now: u64) -> Effects {
        if self.expires_at().is_some_and(|at| at <= now) { self.finish() } else { Effects::NONE }
    }

    /// Does what is due. Too early, it does nothing.
    pub(crate) fn on_timer(&mut self, now: u64) -> Effects {
        if self.owed_at().is_some_and(|at| at <= now) {
            self.facts.insert(Facts::ACK_NOW);
            // No answer has come to ride on.
            self.facts.remove(Facts::ANSWERS);
        }
        match self.alarm() {
            Some((at, alarm)) if at <= now => match alarm {
                Alarm::Retransmit if self.state.is_opening() => self.on_silent_handshake(now),
                Alarm::Retransmit => self.on_retransmit(now),
                Alarm::Probe => self.on_probe(now),
                Alarm::KeepAlive(options) => self.on_keepalive(now, &options),
            },
            _ => Effects::NONE,
        }
    }

    /// Returns when an acknowledgement is sent though there is nothing that it could ride on.
    #[inline]
    fn owed_at(&self) -> Option<u64> {
        let is_owed = self.unacknowledged > 0 && self.state != TcpState::Closed;
        is_owed.then(|| self.heard_at + DELAYED_ACK.saturating_sub(u64::from(self.owed_for)))
    }

    #[inline]
    fn alarm(&self) -> Option<(u64, Alarm)> {
        if self.state == TcpState::Closed || self.is_waiting_out() {
            return None;
        }
        if self.snd_nxt > 0 {
            return Some((self.bounded_timer(), Alarm::Retransmit));
        }
        if self.facts.contain(Facts::PROBING) {
            return Some((self.bounded_timer(), Alarm::Probe));
        }
        if self.facts.contain(Facts::ORPHAN) || self.state.is_opening() {
            return None;
        }
        let options = self.rare.as_deref()?.tuning.keepalive?;
        let asked_for = options.interval.saturating_mul(u64::from(self.unanswered));
        let silence = options.idle.saturating_add(asked_for);
        Some((self.heard_at.saturating_add(silence), Alarm::KeepAlive(options)))
    }

    /// Returns the sender's timer, or the end of the program's patience if that comes first.
    #[inline]
    fn bounded_timer(&self) -> u64 {
        match self.rare.as_deref() {
            Some(rare) if rare.tuning.user_timeout > 0 && self.is_stalled() => {
                self.timer_at.min(rare.stalled_at.saturating_add(rare.tuning.user_timeout))
            }
            _ => self.timer_at,
        }
    }

    /// Whether `stalled_at` counts: the timer has expired before. A SYN is counted from its sending.
    fn is_stalled(&self) -> bool {
        self.attempts > 0 || self.state == TcpState::SynSent
    }

    /// Whether it has waited longer than the program wants. None if the program has no wish.
    fn is_out_of_patience(&self, now: u64) -> Option<bool> {
        let rare = self.rare.as_deref()?;
        let patience = rare.tuning.user_timeout;
        (patience > 0).then(|| self.is_stalled() && now - rare.stalled_at >= patience)
    }

    /// The timer has expired: from the first time on it is counted how long nothing goes well.
    fn begin_stall(&mut self, now: u64) {
        if self.attempts == 0 {
            self.rare_mut().stalled_at = now;
        }
    }

    #[inline]
    fn weight(&self, alarm: Alarm) -> Weight {
        // Questions without an answer end with an error that the program sees.
        let is_calm = self.unanswered == 0 && !self.facts.contain(Facts::DOUBT);
        let is_background = match alarm {
            Alarm::Retransmit => false,
            Alarm::Probe => is_calm && self.attempts > 0,
            Alarm::KeepAlive(_) => is_calm,
        };
        if is_background { Weight::Background } else { Weight::Foreground }
    }

    /// Whether it only waits: in TIME-WAIT, or in FIN-WAIT-2 without an owner.
    #[inline]
    pub(super) fn is_waiting_out(&self) -> bool {
        match self.state {
            TcpState::TimeWait => true,
            TcpState::FinWait2 => self.facts.contain(Facts::ORPHAN),
            _ => false,
        }
    }

    fn on_silent_handshake(&mut self, now: u64) -> Effects {
        let (most, interval) = if self.state == TcpState::SynSent {
            // Four times a second, then doubling (`tcp_syn_linear_timeouts`).
            let doublings = (self.attempts + 1).saturating_sub(SYN_LINEAR);
            (SYN_LINEAR + SYN_RETRIES, RTO_INITIAL << doublings)
        } else {
            self.begin_stall(now);
            (SYNACK_RETRIES, RTO_INITIAL << (self.attempts + 1))
        };
        if self.attempts == most || self.is_out_of_patience(now) == Some(true) {
            return self.fail(TcpError::TimedOut);
        }
        self.attempts += 1;
        self.timed = 0;
        self.timer_at = now + interval;
        self.facts.insert(Facts::SYN_NOW);
        Effects::NONE
    }

    fn on_retransmit(&mut self, now: u64) -> Effects {
        let is_orphan = self.facts.contain(Facts::ORPHAN);
        self.begin_stall(now);
        let stalled_at = self.rare_mut().stalled_at;
        let is_over = self.is_out_of_patience(now).unwrap_or(if is_orphan {
            self.attempts >= ORPHAN_RETRIES
        } else {
            self.attempts > 0 && now - stalled_at >= GIVE_UP
        });
        if is_over {
            return self.fail(TcpError::TimedOut);
        }
        self.lose_all();
        self.attempts = self.attempts.saturating_add(1);
        self.timer_at = now + self.rtt.backed_off(self.attempts);
        Effects::NONE
    }

    fn on_probe(&mut self, now: u64) -> Effects {
        self.begin_stall(now);
        let is_over = if self.facts.contain(Facts::ORPHAN) {
            // Also if the peer answers: nobody waits for it. Ten doublings take some 200 s.
            self.unanswered >= ORPHAN_RETRIES || self.attempts >= ORPHAN_PROBES
        } else {
            self.unanswered >= PROBES
        };
        if is_over || self.is_out_of_patience(now) == Some(true) {
            return self.fail(TcpError::TimedOut);
        }
        self.attempts = self.attempts.saturating_add(1);
        self.unanswered += 1;
        self.timer_at = now + self.rtt.backed_off(self.attempts);
        self.facts.insert(Facts::PROBE_NOW);
        Effects::NONE
    }

    fn on_keepalive(&mut self, now: u64, options: &KeepAlive) -> Effects {
        let patience = self.tuning().user_timeout;
        let is_over = if patience > 0 {
            self.unanswered > 0 && now - self.heard_at >= patience
        } else {
            u32::from(self.unanswered) >= options.count.min(KEEPALIVE_COUNT_MAX)
        };
        if is_over {
            self.facts.insert(Facts::RESET_NOW);
            return self.fail(TcpError::TimedOut);
        }
        self.unanswered = self.unanswered.saturating_add(1);
        self.facts.insert(Facts::PROBE_NOW);
        Effects::NONE
    }
}

pub(super) const NEVER: u64 = u64::MAX;

pub(super) const MILLISECOND: u64 = 1_000_000;

pub(super) const SECOND: u64 = 1000 * MILLISECOND;

/// RFC 6298, section 2.1.
pub(super) const RTO_INITIAL: u64 = SECOND;

/// Linux: `tcp_rto_min_us`.
pub(super) const RTO_MIN: u64 = 200 * MILLISECOND;

/// Linux: `tcp_rto_max_ms`.
pub(super) const RTO_MAX: u64 = 120 * SECOND;

/// Linux: `TCP_DELACK_MIN`.
pub(super) const DELAYED_ACK: u64 = 40 * MILLISECOND;

/// Linux: `TCP_TIMEWAIT_LEN`, and `tcp_fin_timeout`.
pub(super) const TIME_WAIT: u64 = 60 * SECOND;

/// Linux: `tcp_retries2` of 15, counted as time: ten intervals doubling from 200 ms, then six of
/// the longest.
pub(super) const GIVE_UP: u64 = ((2 << 9) - 1) * RTO_MIN + 6 * RTO_MAX;

/// Linux: `tcp_syn_linear_timeouts`.
const SYN_LINEAR: u8 = 4;

/// Linux: `tcp_syn_retries`.
const SYN_RETRIES: u8 = 6;

/// Linux: `tcp_synack_retries`.
const SYNACK_RETRIES: u8 = 5;

/// Linux: what `tcp_orphan_retries` of 0 means.
const ORPHAN_RETRIES: u8 = 8;

/// Probes of an orphan: when the interval has come to the longest.
const ORPHAN_PROBES: u8 = 10;

/// Linux: `MAX_TCP_KEEPCNT`.
const KEEPALIVE_COUNT_MAX: u32 = 127;

/// Linux: `tcp_retries2`.
const PROBES: u8 = 15;

const _: () = assert!(GIVE_UP == 924_600 * MILLISECOND, "as in the manual of Linux");
