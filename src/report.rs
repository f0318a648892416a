//! Failures as people read them.
//!
//! ```text
//! parcae: kv::counter failed: panic in `main` at tests/kv.rs:14: an update is lost
//!   found    seed 3, run 4 of 100 (portfolio), 6 choices (all switches), 24 steps, 12 ms
//!   shrunk   to 1 choice in 9 runs, 3 ms; it is necessary:
//!     1. `main` is preempted by `writer` before: write Shared `counter` (tests/kv.rs:9)
//!   timeline
//!              main                    │ writer
//!     0.000 s  `counter`: reads 0      │
//!              ── preempted ── [1]     │
//!              …
//!   replay   PARCAE_REPLAY=v1:… cargo test -p kv counter -- --exact
//!   explain  the same line with PARCAE_EXPLAIN=on in front says why
//!   report   target/parcae/kv-counter-3.txt
//! ```
//!
//! | you want | use |
//! |---|---|
//! | the report of a check | [`text()`], or [`text_with`] for colours or without wall times |
//! | the report of a replay | [`replay_text`], [`replay_text_with`] |
//! | to keep it in a file | [`save`] |
//! | the replay line alone | [`replay_line`] |
//! | properties as lines of JSON | [`properties_json`], [`append_properties`] |
//!
//! Each sentence is made from the log of the run that is reported: where the log does not say why
//! something happened, the report says less. Reports are values: this layer prints nothing, writes a
//! file only in [`save`], cannot fail a run and cannot draw. But for wall times, the report of a
//! check is the same on every machine and with any number of threads.
//!
//! **Absent on purpose**: deciding about terminals and the environment, which is the caller's; see
//! [`Style::for_terminal`].

mod artefact;
mod command;
mod detail;
mod page;
mod properties;
mod story;
mod style;
mod sweep;
mod text;
mod timeline;
mod why;

pub use artefact::{SaveError, save, save_attachments};
pub(crate) use artefact::{safe_name, write_whole};
pub use command::{ReplayCommand, replay_line};
pub use detail::Detail;
pub use properties::{append_properties, properties_json};
pub use style::Style;
pub use text::{replay_text, replay_text_with, text, text_with};
