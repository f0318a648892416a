//! Streams: values that come one after the other, each with a wait before it.
//!
//! | you want | use |
//! |---|---|
//! | to write a stream as a function that emits | [`generate`]; [`try_generate`] with `?` |
//! | all records of something that comes in pages | [`pages`] |
//! | to work on `n` items at a time | [`ConcurrentExt::map_concurrent`] |
//! | the same, each result as soon as it is there | [`ConcurrentExt::map_concurrent_unordered`] |
//! | `next`, `map`, `take`, `collect` and the like | [`StreamExt`] |
//!
//! Everything here is *pulled*: nothing runs ahead of the consumer but the `n` calls that
//! `map_concurrent` was told to have under way. [`Stream`], [`StreamExt`] and [`iter`] are those of
//! `futures-lite`, and any adapter for `futures_core::Stream` will do.
//!
//! [`generate`] and [`pages`] work on any executor. `map_concurrent` spawns tasks and needs a
//! parcae runtime.
//!
//! **When not to use them**: between tasks, where a [`crate::sync::Queue`] has a place of its own for
//! items and both sides run; for a sequence without waits, which is an [`Iterator`].
//!
//! **Absent on purpose**: `buffered`. It polls its futures only while the consumer waits for the next
//! item, so that requests under way stall, and time out, while the loop's body runs.

mod concurrent;
mod generate;
mod pages;

pub use futures_lite::stream::{Stream, StreamExt, iter};

pub use concurrent::{ConcurrentExt, MapConcurrent, MapConcurrentUnordered};
pub use generate::{Emit, Emitter, Generate, TryGenerate, generate, try_generate};
pub use pages::{Page, pages};
