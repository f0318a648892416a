//! Properties of programs.

mod catalogue;
mod eventually;
mod failing;
mod histories;
mod invariants;
mod json;
mod numbers;
mod on_real_time;
mod unmet;
mod whole;
