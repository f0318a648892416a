//! The attributes [`test`](macro@test) and [`main`](macro@main) and the macro [`select!`] of `parcae`.
//!
//! Use them as `#[parcae::test]`, `#[parcae::main]` and `parcae::select!`, through the crate `parcae`: the
//! code they write calls that crate.
//! This package is separate only because the compiler wants procedural macros in one of their own.
//! What is absent: tests of functions that are not asynchronous (nothing in them depends on a seed, so
//! the `#[test]` of the standard library serves).

mod attribute;
#[cfg(test)]
mod checks;
mod main_attribute;
mod main_options;
mod options;
mod select;
mod test_attribute;
mod test_options;

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
/// | `strategy = "surw"` | `"random"`, `"fifo"`, `"portfolio"`, `"pct"`, `"pct-mix"`, `"pos"`, `"urw"`, `"surw"`, `"delay"` | which ready task runs next | `"portfolio"` |
/// | `jobs = 4` | integer, at least 1 | how many seeds run side by side | one for each core |
/// | `isolation = "thread"` | `"thread"`, `"reuse"`, `"fork"` | whether each seed has a fresh thread, or a process | `"thread"` |
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
    attribute::expand::<test_attribute::TestAttribute>(arguments.into(), item.into()).into()
}

/// Turns an `async fn` into a function that runs it on the production backend: real time, real threads.
///
/// The function takes no arguments and has no generics. It is mostly `main`, and may have any name.
/// What `main` returns must implement `std::process::Termination`, as without the attribute: `()`,
/// `Result<(), E>`, `ExitCode` and others; so an error is printed and the process ends with exit code 1.
///
/// ```text
/// #[parcae::main]
/// async fn main() -> Result<(), Error> {
///     let stop = parcae::task::shutdown_token(); // cancelled by Ctrl-C and SIGTERM
///     serve(stop).await
/// }
///
/// #[parcae::main(workers = 4, grace = "30s")]
/// async fn main() {
///     ...
/// }
/// ```
///
/// At Ctrl-C or SIGTERM the program is asked to end and has its `grace` to do so; at a second one it is
/// cut short. When it has ended, what it left is shut down: tasks are cancelled, and their cleanups have
/// `grace` to end.
///
/// The same program runs in the simulation when a `#[parcae::test]` calls what it consists of; a function
/// under this attribute makes a runtime of its own and cannot be called there.
///
/// What is written at the function stays with it: visibility, documentation, `#[cfg(...)]`,
/// `#[expect(...)]`. The function that is made returns `Result<T, parcae::real::RunError>`, where `T` is
/// what the `async fn` returns; the error is that of the run: why there is no `T`. For a function that
/// never returns it is some `impl Termination`.
///
/// # Options
///
/// All are optional. An option that is not given keeps the value it has in `parcae::real::Options`,
/// but for `signals`. Each may be given once.
///
/// | option | value | meaning | default |
/// |---|---|---|---|
/// | `workers = 4` | integer, at least 1 | how many threads run tasks, the calling one among them; the others do what `parcae::task::spawn_on` gives them | 1 |
/// | `seed = 17` | integer below 2^64, or a string | what `parcae::rng` and `parcae::choose` draw from | from the operating system |
/// | `grace = "30s"` | an integer followed by `ns`, `us`, `ms`, `s`, `m` or `h` | how long a program that is asked to end may take, and then how long cleanups may | `"10s"` |
/// | `panics = "go_on"` | `"shut_down"`, `"go_on"` | whether a panic or error of a task that nobody observed ends the run | `"shut_down"` |
/// | `signals = "ignore"` | `"ignore"`, `"graceful"` | whether Ctrl-C and SIGTERM cancel `parcae::task::shutdown_token()` | `"graceful"` |
/// | `config = expression` | `fn(parcae::real::Options) -> parcae::real::Options` | anything else; applied after all other options | none |
/// | `crate = path` | a path | the crate `parcae`, when it is known under another name | `::parcae` |
///
/// A string for `seed` holds a decimal number, a hexadecimal one after `0x`, or the 40 digits of a
/// git commit hash. A wrong value is an error of the compiler at the value, never one of the run.
/// `config` takes the path of a function, or a closure that captures nothing.
///
/// # A test on the production backend
///
/// A `#[test]` below the attribute makes a test of the function, in real time (not together with
/// `#[should_panic]`, which wants a function without a result):
///
/// ```text
/// #[parcae::main(signals = "ignore")]
/// #[test]
/// async fn a_second_is_a_second() { ... }
/// ```
///
/// # Determinism
///
/// There is none but that of the random numbers under a `seed`: the operating system decides which task
/// is ready when.
#[proc_macro_attribute]
pub fn main(arguments: TokenStream, item: TokenStream) -> TokenStream {
    attribute::expand::<main_attribute::MainAttribute>(arguments.into(), item.into()).into()
}

/// Waits for the first of several futures to be ready, and runs the code that belongs to it.
///
/// ```text
/// parcae::select! {
///     biased;                                            // optional: the branches in their order
///     job = queue.get() => work(job),                    // pattern = future => body
///     Some(tick) = ticks.next(), if is_on => { ... }     // polled only if the condition holds
///     else => { ... }                                    // when no branch is left
/// }
/// ```
///
/// * A branch is left out when its condition is false, and from the moment its future gives a value that
///   its pattern does not take. When no branch is left, `else` runs; without one, the task panics.
/// * All futures are made, also those of branches that are left out; these are never polled.
/// * All futures are dropped before a body or `else` runs. So the bodies may use what the futures
///   borrowed. To go on with a future later, make it before and give `&mut future`.
/// * Bodies stand outside of the futures: `return`, `break`, `?` and `.await` mean what they mean around
///   the macro.
/// * All branches have one type of body, as the arms of a `match`. There is no limit to their number.
/// * A task that is preempted in one branch does not go on to the next: preempted is not "not ready".
///
/// It works on any executor.
///
/// **When not to use it**: for futures of one type without code for each, use `parcae::task::race`; to
/// bound one future, use `parcae::time::timeout`.
///
/// # Panics
/// When no branch is left and there is no `else`.
///
/// # Cancel safety
/// The futures that lose are dropped: what they do must be cancel safe, or they must outlive the macro as
/// `&mut future`. All primitives of `parcae::sync` are cancel safe.
///
/// # Determinism
/// Which branch is polled first is one choice at site `select` of the running task, drawn at the first
/// poll among those whose conditions hold, if there are two or more; the others follow in their order, the
/// first after the last. The default, to which a failure shrinks, is the first of them. With `biased;`, and
/// outside of a runtime, it always is the first, and nothing is drawn: there a branch that is always
/// ready starves those behind it.
#[proc_macro]
pub fn select(input: TokenStream) -> TokenStream {
    select::expand(input.into()).into()
}
