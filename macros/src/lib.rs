//! The attribute [`test`](macro@test) of `parcae`.
//!
//! Use it as `#[parcae::test]`, through the crate `parcae`: the code it writes calls that crate.
//! This package is separate only because the compiler wants procedural macros in one of their own.
//! What is absent: `#[parcae::main]`, and tests of functions that are not asynchronous (nothing in
//! them depends on a seed, so the `#[test]` of the standard library serves).

mod expand;
mod options;

use proc_macro::TokenStream;

/// Turns an `async fn` into a test that runs it inside the simulation, once for each of many seeds.
///
/// The function takes no arguments, has no generics, and returns `()` or `Result<(), E>`. It fails
/// when it panics, when it returns an error, or when the simulation finds a failure of its own (a
/// deadlock, a livelock, a leaked task); the test then shrinks the failing run and panics with
/// a report whose last lines say how to replay it.
///
/// ```text
/// #[parcae::test]
/// async fn a_queue_keeps_its_order() {
///     let queue = parcae::sync::Queue::bounded(1);
///     ...
/// }
///
/// #[parcae::test(seeds = 1000, strategy = "random", max_time = "10m")]
/// async fn an_elected_leader_keeps_its_log() -> Result<(), raft::Error> {
///     ...
/// }
/// ```
///
/// Everything else written at the function stays with the test: its visibility, its documentation,
/// `#[should_panic]`, `#[ignore]`, `#[cfg(...)]`, `#[expect(...)]`. A `#[test]` beside it is
/// refused, because this attribute adds one.
///
/// # Options
///
/// All are optional. An option that is not given keeps the value it has in
/// `parcae::explore::Check`; `parcae::harness` says what the environment (`PARCAE_SEEDS` and so on)
/// can override. Each may be given once, except `seed`.
///
/// | option | value | meaning | default |
/// |---|---|---|---|
/// | `seeds = 1000` | integer, at least 1 | how many seeds are run | 100 |
/// | `seed = 17` | integer below 2^64, or a string | a seed that once failed and is run before all others; repeat it to pin several | none |
/// | `strategy = "random"` | `"fifo"`, `"random"` | which ready task runs next | `"random"` |
/// | `jobs = 4` | integer, at least 1 | how many seeds run side by side | one for each core |
/// | `isolation = "thread"` | `"thread"`, `"reuse"` | whether each seed has a fresh thread | `"thread"` |
/// | `max_steps = 100000` | integer, at least 1 | the polls and points after which a run fails | 10,000,000 |
/// | `max_time = "30s"` | an integer followed by `ns`, `us`, `ms`, `s`, `m` or `h` | the virtual time after which a run fails | `"24h"` |
/// | `determinism = "first"` | `"first"`, `"off"` | whether the first seed is run twice and compared | `"first"` |
/// | `config = expression` | `fn(parcae::explore::Check) -> parcae::explore::Check` | anything else; applied after all other options | none |
/// | `crate = path` | a path | the crate `parcae`, when it is known under another name | `::parcae` |
///
/// A string for `seed` holds a decimal number, a hexadecimal one after `0x`, or the 40 digits of a
/// git commit hash. A wrong value is an error of the compiler at the value, never one of the run.
///
/// # Pinned seeds
///
/// A seed that once found a bug is worth keeping for as long as the program makes the same choices:
///
/// ```text
/// #[parcae::test(seeds = 200, seed = 17, seed = "0xdeadbeef")]
/// async fn no_lease_has_two_holders() { ... }
/// ```
///
/// # A configuration in common
///
/// `config` takes the path of a function, or a closure that captures nothing:
///
/// ```text
/// fn nightly(check: parcae::explore::Check) -> parcae::explore::Check {
///     check.seeds(100_000).jobs(8)
/// }
///
/// #[parcae::test(config = nightly)]
/// async fn a_crash_loses_no_acknowledged_write() { ... }
///
/// #[parcae::test(config = |check| check.max_steps(1_000))]
/// async fn a_short_test() { ... }
/// ```
///
/// # Determinism
///
/// The attribute draws nothing. The name of the test stands in its reports and replay tokens, and
/// decides nothing in a run.
#[proc_macro_attribute]
pub fn test(arguments: TokenStream, item: TokenStream) -> TokenStream {
    expand::expand(arguments.into(), item.into()).into()
}
