//! Faults that a program makes itself.

mod buggify;
mod knob;
mod reports;
