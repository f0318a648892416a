//! Aids for tests of concurrent programs.
//!
//! | you want | use |
//! |---|---|
//! | to show a race on plain shared state | [`Shared`] |

mod shared;

pub use shared::{Shared, SharedGet, SharedSet, SharedSwap, SharedUpdate};
