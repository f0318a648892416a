//! Tests of `parcae::testing`; those of `Shared` are in `shared`.

mod cancel_safety;
mod cancelling;
mod mocks;
mod sequencing;
