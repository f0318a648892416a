//! Time.

mod clocks;
mod intervals;
mod sleeping;
mod timeouts;
