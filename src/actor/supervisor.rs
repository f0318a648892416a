//! Supervisors.

mod policy;
mod roster;
mod window;
