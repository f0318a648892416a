//! Faults: those that a program makes itself, and those that are drawn or planned. What a program sees
//! of each kind, what a budget keeps from it, and that it must get on afterwards.

mod actors;
mod buggify;
mod counted;
mod effects;
mod kinds;
mod knob;
mod liveness;
mod mailboxes;
mod plans;
mod promises;
mod reports;
mod with_packet;
