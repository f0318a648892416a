//! How a connection ends, and what its program then sees.

use super::connection::{Connection, Facts};
use super::effects::Effects;
use super::error::TcpError;
use super::options::{Linger, Shutdown};
use super::state::TcpState;
use super::timers::{NEVER, TIME_WAIT};

impl Connection {
    /// Returns what a read gives that finds no bytes: `Ok` at the end, an error once; none if it has
    /// to wait.
    #[inline]
    pub(crate) fn read_end(&mut self) -> Option<Result<(), TcpError>> {
        if self.unread > 0 {
            return None;
        }
        if self.facts.contain(Facts::FIN_RECEIVED) {
            return Some(Ok(()));
        }
        if let Some(error) = self.error.take() {
            return Some(Err(error));
        }
        (self.facts.contain(Facts::READ_SHUT) || self.state == TcpState::Closed).then_some(Ok(()))
    }

    /// Returns what a write gives that cannot go on; none if it can, or has to wait for room.
    #[inline]
    pub(crate) fn write_end(&mut self) -> Option<TcpError> {
        let is_shut = self.facts.contain(Facts::WRITE_SHUT) || self.is_over();
        self.error.take().or_else(|| is_shut.then_some(TcpError::BrokenPipe))
    }

    /// Takes the error that has not been told yet (`SO_ERROR`).
    pub(crate) fn take_error(&mut self) -> Option<TcpError> {
        self.error.take()
    }

    /// Whether nothing goes in either direction any more; the peer has no address then.
    #[inline]
    pub(crate) fn is_over(&self) -> bool {
        matches!(self.state, TcpState::Closed | TcpState::TimeWait)
    }

    /// Whether a read would not wait.
    pub(crate) fn is_readable(&self) -> bool {
        self.unread > 0
            || self.error.is_some()
            || self.facts.contain(Facts::FIN_RECEIVED)
            || self.facts.contain(Facts::READ_SHUT)
            || self.state == TcpState::Closed
    }

    /// Whether a write would not wait: a third of the buffer is free, or writing fails.
    pub(crate) fn is_writable(&self) -> bool {
        let send_buffer = self.tuning().send_buffer as usize;
        let has_room = !self.state.is_opening() && self.send_room() * 3 >= send_buffer;
        has_room || self.error.is_some() || self.facts.contain(Facts::WRITE_SHUT) || self.is_over()
    }

    /// Whether it has an address at the other end.
    pub(crate) fn has_peer(&self) -> bool {
        !self.is_over() && !self.state.is_opening()
    }

    /// Whether its process has closed it.
    pub(crate) fn is_orphan(&self) -> bool {
        self.facts.contain(Facts::ORPHAN)
    }

    /// Ends reading, writing or both. Again is fine as long as the connection exists.
    ///
    /// # Errors
    /// [`NotConnected`](TcpError::NotConnected) before it is established and when both sides are
    /// closed.
    pub(crate) fn shutdown(&mut self, how: Shutdown) -> Result<(), TcpError> {
        if self.is_over() || self.state.is_opening() {
            return Err(TcpError::NotConnected);
        }
        if how != Shutdown::Write {
            self.facts.insert(Facts::READ_SHUT);
        }
        if how != Shutdown::Read {
            self.queue_fin();
        }
        Ok(())
    }

    /// Closes it for its program: from here on it is an orphan of the kernel. With unread bytes the
    /// peer gets a RST, else a FIN after what was written.
    pub(crate) fn close(&mut self, now: u64, linger: Linger) -> Effects {
        let was_orphan = self.facts.contain(Facts::ORPHAN);
        self.facts.insert(Facts::ORPHAN);
        match self.state {
            TcpState::Closed => return Effects::RELEASED,
            TcpState::TimeWait => return Effects::TIME_WAIT,
            TcpState::SynSent => return self.finish(),
            TcpState::SynReceived => return self.abort(),
            _ => {}
        }
        if self.unread > 0 {
            return self.abort();
        }
        if linger == Linger::Reset {
            // Both FINs are out: a RST would say nothing new (Linux: `tcp_need_reset`).
            let is_said = matches!(self.state, TcpState::Closing | TcpState::LastAck)
                && self.snd_nxt > self.queued;
            return if is_said { self.finish() } else { self.abort() };
        }
        self.queue_fin();
        if self.state == TcpState::FinWait2 && !was_orphan {
            self.timer_at = now + TIME_WAIT;
            return Effects::TIME_WAIT;
        }
        Effects::NONE
    }

    /// Ends it at once, with a RST.
    fn abort(&mut self) -> Effects {
        self.facts.insert(Facts::RESET_NOW);
        self.finish()
    }

    /// Data came that nobody can read any more.
    pub(super) fn abort_on_data(&mut self) -> Effects {
        self.facts.insert(Facts::RESET_NOW);
        self.fail(TcpError::Reset)
    }

    fn queue_fin(&mut self) {
        self.facts.insert(Facts::WRITE_SHUT);
        self.state = match self.state {
            TcpState::Established => TcpState::FinWait1,
            TcpState::CloseWait => TcpState::LastAck,
            other => other,
        };
    }

    /// Both sides have ended: it waits for what may still be on its way.
    pub(super) fn wait_out(&mut self, now: u64) -> Effects {
        self.state = TcpState::TimeWait;
        self.timer_at = now + TIME_WAIT;
        self.facts.remove(Facts::PROBING);
        Effects::TIME_WAIT
    }

    /// Ends it with an error for its program.
    pub(super) fn fail(&mut self, error: TcpError) -> Effects {
        let was_opening = self.state.is_opening();
        let is_unreachable = self.facts.contain(Facts::UNREACHABLE);
        self.error = Some(match error {
            TcpError::TimedOut if is_unreachable => TcpError::Unreachable,
            other => other,
        });
        let is_child = self.facts.contain(Facts::PASSIVE);
        let effects = self.finish();
        match was_opening {
            // Nobody knows of it yet.
            true if is_child => Effects::RELEASED,
            true => effects | Effects::REFUSED,
            false => effects,
        }
    }

    /// Ends it. What was received can still be read.
    pub(super) fn finish(&mut self) -> Effects {
        self.state = TcpState::Closed;
        self.timer_at = NEVER;
        self.unacknowledged = 0;
        self.queued = 0;
        self.facts.remove(Facts::PROBING);
        self.facts.remove(Facts::PROBE_NOW);
        self.facts.remove(Facts::SYN_NOW);
        self.facts.remove(Facts::ACK_NOW);
        if self.facts.contain(Facts::ORPHAN) {
            return Effects::RELEASED;
        }
        Effects::ENDED | Effects::READABLE | Effects::WRITABLE
    }
}
