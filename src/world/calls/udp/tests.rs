//! UDP in a simulation.
