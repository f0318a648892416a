//! x
mod explore;
