//! One set of tests that runs unchanged on both backends: what holds in the simulation has to hold in
//! production. A difference is a bug, or a line of `docs/BACKENDS.md`.
//!
//! Time is asserted exactly in the simulation, and on real time as a lower bound: no test says that
//! something is fast. An order is brought about by events, or by timers of one thread, which fire in
//! the order of their deadlines however late they are. What has to time out never ends by itself, and
//! what has to be in time has an hour.
#![expect(clippy::unwrap_used, reason = "a test reports a failure by panicking")]

#[macro_use]
mod backends;
mod actor;
#[cfg(feature = "remote")]
mod actor_remote;
mod clock;
mod journal;
mod page;
mod polling;

#[cfg(all(feature = "simulation", feature = "real"))]
mod draws;
mod foreign;
mod load;
mod net_connecting;
mod net_ending;
mod net_ends;
mod net_halves;
mod net_listening;
mod net_names;
mod net_reading;
mod net_types;
mod net_udp;
#[cfg(unix)]
mod net_unix;
mod pool;
mod properties;
mod rate;
mod retry;
mod rng;
mod runs;
mod stream;
mod sync;
mod task;
mod time;
