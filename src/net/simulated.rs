//! The place of the simulated sockets.
//!
//! **Absent yet**: the sockets. There is no value of this type, so what a simulated socket would do
//! is an empty match; constructors panic in a simulation. The world brings handles here.

/// A socket of a simulated machine; none can be made yet.
#[derive(Clone, Copy, Debug)]
pub(super) enum SimulatedSocket {}
