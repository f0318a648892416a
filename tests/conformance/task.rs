//! Tasks.

mod blocking;
mod choosing;
mod cleanup;
mod ending;
mod gathering;
mod groups;
mod leftovers;
mod panicking;
mod spawning;
mod tokens;
mod variables;
mod workers;
mod yielding;
