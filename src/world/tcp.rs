//! One end of a TCP connection, as a machine without input and output.
//!
//! A [`Connection`] is told what happens (a segment came, its timer is due, the program wrote or
//! read) and only takes note of it. Then [`Connection::transmit`] hands out what is to be sent, one
//! [`Segment`] at a time until there is none, and [`Connection::deadline`] says when it wants to be
//! called again. In this order after each call:
//!
//! ```text
//! on_segment | on_timer | wrote | read | shutdown | close | ...    what happened, and its Effects
//! transmit until None                                              what the peer gets
//! deadline                                                         the one timer, and its weight
//! ```
//!
//! It knows no bytes (only how many there are), no addresses, no executor and no chance; times are
//! nanoseconds on the global clock. So each rule can be tested with two machines and a scripted link.
//!
//! # Level
//! Segments, as in RFC 9293, with selective acknowledgement (RFC 2018, 6675), timers of RFC 6298,
//! congestion control of RFC 5681 and 6928, resets of RFC 5961, and the constants of Linux. Sequence
//! numbers are offsets in the stream and do not wrap: 0 is the SYN, the first byte is 1. Absent:
//! timestamps, ECN, RACK, tail loss probes, autotuning of buffers, urgent data.

pub(in crate::world) mod segment;

mod options;

mod error;

mod effects;

mod state;

mod connection;

mod receiver;

mod sender;

mod acknowledge;

mod congestion;

mod scoreboard;

mod rtt;

mod timers;

mod close;

mod backlog;

#[cfg(test)]
mod tests;

pub(crate) use self::backlog::Backlog;
pub(crate) use self::connection::Connection;
pub(crate) use self::effects::Effects;
pub(crate) use self::error::TcpError;
pub(crate) use self::options::{KeepAlive, Linger, Shutdown, Tuning};
pub(crate) use self::segment::{Flags, Path, Segment, reset_for};
pub use self::state::TcpState;
