//! Properties of programs.

mod catalogue;
mod chance;
mod eventually;
mod failing;
mod histories;
mod invariants;
mod json;
mod logs;
mod logs_made;
mod numbers;
mod on_real_time;
mod recorded;
mod sequential;
mod sessions;
mod transactions;
mod transactions_made;
mod unmet;
mod whole;
