//! Failing worlds in files: what once failed is run first by the next check of its name.
//!
//! A corpus is a folder, `.parcae/` unless told otherwise, that is meant to be committed. It holds a
//! file for each failure of each check, named after the check and the signature of the failure:
//!
//! ```text
//! parcae failing world, format 1
//! token     v1:…
//! check     kv::two_holders
//! signature panic at src/kv.rs:14:9: an update is lost
//! failure   panic in `main` at src/kv.rs:14: an update is lost
//! seed      3
//! strategy  portfolio
//! choices   `main` is preempted by `writer` before: write Shared `counter` (src/kv.rs:9)
//! build     93a1f4c02b7710de
//! ```
//!
//! Token and check are what is run; the rest says to people what it was, and which build found it. What a
//! world has become of since is its [`Standing`]: one that passes now is *stale*, and said to be so until it is
//! removed, by [`Corpus::remove`], by `parcae corpus prune` or by `PARCAE_CORPUS=prune`.
//!
//! # Two processes
//! A file appears as a whole or not at all. Of two worlds of one failure that one build has found, the one
//! of the lower seed stays, whoever comes first: so the folder is the same after the same sweep, however it is
//! cut into processes. A world of another build gives way, as it was asked first whether it still fails. On
//! Linux the folder is locked while two are compared; elsewhere two processes that find one failure within
//! the same instant may leave either world.
//!
//! **Absent on purpose**: a store of seeds. A seed is another run after any edit of the program; a world is a
//! handful of choices with names, and survives most edits.

mod error;
mod folder;
mod replayed;
mod text;

pub use error::{CorpusError, FormatError};
pub use folder::{Corpus, Put, Stored};
pub use replayed::{ReplayedWorld, Standing};
pub use text::FailingWorld;
