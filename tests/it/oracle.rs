//! Properties of programs.

mod catalogue;
mod chance;
mod eventually;
mod failing;
mod histories;
mod invariants;
mod json;
mod logs;
mod numbers;
mod on_real_time;
mod recorded;
mod unmet;
mod whole;
