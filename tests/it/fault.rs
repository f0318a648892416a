//! Faults that are drawn or planned: what a program sees of each kind, what a budget keeps from it, and
//! that it must get on afterwards.

mod effects;
mod liveness;
mod plans;
mod promises;
