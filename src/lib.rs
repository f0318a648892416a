//! Deterministic simulation of asynchronous programs: find, shrink and explain the run that breaks them.
//!
//! An asynchronous program (tasks, locks, queues, timers) runs in a simulated world on one thread under
//! a seed. The same seed gives the same run, bit for bit. parcae searches for a seed that breaks the
//! program, shrinks what it finds to the few choices that matter, and prints a line that replays it.
//!
//! # 1. A test
//!
//! ```
//! use std::sync::Arc;
//! use parcae::sync::Mutex;
//!
//! #[parcae::test(seeds = 200)]
//! async fn increments_are_not_lost() {
//!     let counter = Arc::new(Mutex::new(0));
//!     let tasks: Vec<_> = (0..3)
//!         .map(|_| {
//!             let counter = counter.clone();
//!             parcae::spawn_named("increment", async move { *counter.lock().await += 1 })
//!         })
//!         .collect();
//!     for task in tasks {
//!         task.await;
//!     }
//!     assert_eq!(*counter.lock().await, 3);
//! }
//! # fn main() {}
//! ```
//!
//! `cargo test` runs it under 200 seeds, spread over all cores. In each, the next task is picked
//! anew at every *point*: at each await of a lock, queue, timer or [`yield_now`](task::yield_now),
//! also when it need not wait. The first seed runs twice, to see that nothing but the seed decides.
//!
//! # 2. A failure
//!
//! Without the lock, an update is lost when a task is preempted between reading and writing.
//! [`testing::Shared`] is a plain cell whose reads and writes are points, to show such races:
//!
//! ```
//! use std::sync::Arc;
//! use parcae::explore::Check;
//! use parcae::testing::Shared;
//!
//! let report = Check::new("counter").seeds(200).run(|| async {
//!     let counter = Arc::new(Shared::new(0).named("counter"));
//!     let tasks: Vec<_> = (0..2)
//!         .map(|_| {
//!             let counter = counter.clone();
//!             parcae::spawn_named("increment", async move {
//!                 let value = counter.get().await;
//!                 counter.set(value + 1).await;
//!             })
//!         })
//!         .collect();
//!     for task in tasks {
//!         task.await;
//!     }
//!     assert_eq!(counter.peek(), 2, "an update was lost");
//! });
//!
//! let finding = report.finding().expect("some seed loses an update");
//! assert!(finding.failure().to_string().contains("an update was lost"));
//! // Whatever happened in the run that found it, one switch is enough:
//! assert_eq!(finding.shrink().unwrap().size.choices, 1);
//! ```
//!
//! In a test, the same comes as the panic's message: what failed and where, the choices that are
//! needed as sentences, a timeline with a column for each task, and a line to copy:
//!
//! ```text
//! PARCAE_REPLAY=v1:… cargo test -p my-crate increments_are_not_lost -- --exact
//! ```
//!
//! # 3. Time
//!
//! Time is virtual. It stands still while any task is ready, then jumps to the next timer; an hour of
//! sleeping costs nothing, and measured durations are exact.
//!
//! ```
//! use std::time::Duration;
//! use parcae::time::{Instant, sleep, timeout};
//!
//! parcae::check(10, || async {
//!     let start = Instant::now();
//!     assert!(timeout(Duration::from_secs(5), sleep(Duration::from_secs(3600))).await.is_err());
//!     assert_eq!(start.elapsed(), Duration::from_secs(5));
//! });
//! ```
//!
//! # 4. Structure
//!
//! Tasks that belong together are spawned in a [`group`](task::group()). It is ready when all of them
//! have ended, and the first that fails cancels the others. A [`timeout`](time::timeout()) around it
//! bounds all of them. What has to be awaited on the way out stands in a [`finally`](task::finally): it
//! runs however its body ends, also when the body is cancelled, and whoever cancelled waits for it.
//!
//! ```
//! use std::cell::Cell;
//! use std::convert::Infallible;
//! use std::rc::Rc;
//! use std::time::Duration;
//! use parcae::task::{finally, group};
//! use parcae::time::{Instant, sleep, timeout};
//!
//! parcae::check(100, || async {
//!     let (start, open) = (Instant::now(), Rc::new(Cell::new(0)));
//!     let sessions = group(async |group| {
//!         for _ in 0..3 {
//!             open.set(open.get() + 1);
//!             let open = open.clone();
//!             let farewell = async move || {
//!                 sleep(Duration::from_millis(20)).await;
//!                 open.set(open.get() - 1);
//!             };
//!             group.spawn(finally(sleep(Duration::from_secs(3600)), farewell));
//!         }
//!         Ok::<_, Infallible>(())
//!     });
//!     assert!(timeout(Duration::from_secs(1), sessions).await.is_err());
//!     assert_eq!(open.get(), 0, "a session was left open");
//!     assert_eq!(start.elapsed(), Duration::from_millis(1020));
//! });
//! ```
//!
//! A farewell after the sleep, instead of in a `finally`, would not be said: all three sessions would be
//! left open. And tasks of no group, let go, outlive the program; that fails the run and names them:
//!
//! ```
//! let outcome = parcae::Sim::new(7).run(|| async {
//!     let session = parcae::time::sleep(std::time::Duration::from_secs(3600));
//!     parcae::spawn_named("session", session).detach();
//! });
//! let failure = outcome.into_result().unwrap_err().to_string();
//! assert!(failure.starts_with("leak") && failure.contains("`session`"));
//! ```
//!
//! Single tasks are cancelled by dropping their [`Task`], several futures are waited for with [`select!`]
//! and what [`task`] lists. For who knows asyncio, `docs/ASYNCIO.md` in the repository translates.
//!
//! # 5. Choices
//!
//! What a test varies (sizes, delays, which request fails) it asks for with [`choose`]. Chosen values
//! are part of the search and are lowered when a failure is shrunk. What the program itself draws
//! (ids, jitter) comes from [`rng()`].
//!
//! ```
//! use parcae::explore::Check;
//!
//! let report = Check::new("sizes").seeds(200).run(|| async {
//!     let size = parcae::choose(0..1000);
//!     assert!(size < 300, "too large");
//! });
//! let world = report.finding().expect("two thirds of the seeds").world();
//! assert_eq!(world.overrides.values().copied().collect::<Vec<_>>(), [300]); // the least that fails
//! ```
//!
//! # 6. Production
//!
//! The same program runs on real time, on threads: with `#[parcae::main]`, or in [`real::run`]. Which
//! of the two it is in, a program need not know. `docs/BACKENDS.md` in the repository lists what differs.
//!
//! ```
//! use parcae::{spawn, time::sleep};
//! use std::time::Duration;
//!
//! async fn program() -> u32 {
//!     let task = spawn(async {
//!         sleep(Duration::from_millis(5)).await;
//!         42
//!     });
//!     task.await
//! }
//!
//! assert_eq!(parcae::Sim::new(7).run(program).unwrap(), 42);
//! assert_eq!(parcae::real::run(program()), 42);
//! ```
//!
//! Features `simulation` and `real`, both on by default, say which of the two are compiled.
//!
//! # 7. What counts as a failure
//!
//! A panic or error of the program; a panic in a task, or an error of [`spawn_try`], that nobody
//! observes; a deadlock (with who waits for what); a livelock, too many steps, too much virtual
//! time; a detached task that outlives the program; a wake from another thread; two runs of one
//! seed that differ. See [`Failure`]; bounds are in [`executor::Limits`]. If [`executor::Watch`] asks
//! for it, bad habits too, such as a lock whose holder sleeps.
//!
//! What a program states about itself counts, too, over all seeds: [`always!`] and [`oracle::invariant`]
//! fail a run, a [`sometimes!`] that no seed has shown fails the check. With [`buggify!`] and [`knob!`]
//! it takes its rare branches on purpose and varies its limits, in simulations only.
//!
//! ```
//! use parcae::explore::Check;
//!
//! let report = Check::new("batches").seeds(200).run(|| async {
//!     let limit = parcae::knob!("batch limit", 8, 1..=64);
//!     let waiting = parcae::choose(0..100);
//!     let batch = if parcae::buggify!("short batch") { waiting.min(1) } else { waiting.min(limit) };
//!     parcae::always!(batch <= limit, "a batch keeps its limit", batch, limit);
//!     parcae::sometimes!(batch == limit, "a batch is full");
//!     parcae::sometimes!(waiting > 100, "too many wait");
//! });
//! let unmet: Vec<_> = report.unmet().iter().map(|unmet| unmet.property().message()).collect();
//! assert_eq!(unmet, ["too many wait"]);
//! ```
//!
//! # 8. Map
//!
//! | module | for |
//! |---|---|
//! | [`task`] | spawn, join, cancel; groups, `gather`, `select!`; cleanup; blocking calls; variables |
//! | [`time`] | sleep, time-outs, intervals, clocks |
//! | [`sync`] | locks, semaphores, events, barriers, queues, channels; they work on any executor |
//! | [`stream`] | streams: written as functions, in pages, several items at a time |
//! | [`retry`] | trying again: back-off, jitter, budgets, deadlines |
//! | [`pool`] | connections that tasks share |
//! | [`rate`] | rate limits, circuit breakers |
//! | [`load`] | load and what came of it: outcomes, exact percentiles |
//! | [`world`] | simulated machines and the network between them: life, death, links, loss |
//! | [`net`] | sockets: TCP, UDP, Unix; simulated or real |
//! | [`actor`](mod@actor) | actors: messages, asks, links, monitors, supervisors, across machines too |
//! | [`fault`] | faults that are drawn within a budget, and that a program makes itself |
//! | [`oracle`] | what must hold, and what must be seen, over all seeds |
//! | [`rng`](mod@rng) | choices and random numbers |
//! | [`testing`] | a cell that shows races, cancelling at every await, mocks, blocks in a stated order |
//! | [`real`] | programs in production: threads, real time, shutdown |
//! | [`oracle`] | properties over all seeds: `always!`, `sometimes!`, invariants |
//! | [`fault`] | rare branches taken on purpose: `buggify!`, `knob!` |
//! | [`explore`] | one run ([`Sim`]), many runs ([`explore::Check`]), replay tokens |
//! | [`report`] | failures as text |
//! | [`harness`] | the test attribute and the environment variables it obeys |
//! | [`executor`], [`kernel`] | the machine below: limits, warnings, logs, keyed choices, the hash chain |
//!
//! # 9. What it does not do
//!
//! It runs code that uses its tasks, time and primitives; it does not intercept threads, system calls
//! or the clock of the standard library (what leaks in that way is found, not prevented). A blocking
//! call goes through [`task::unblock`], which takes virtual time and no thread. Futures that need no
//! runtime, such as channels and locks of `tokio::sync` and combinators of `futures`, work in it, but
//! their awaits are no points; `tokio::time` and `tokio::spawn` panic for want of a runtime.
//!
//! It switches tasks at awaits: it explores interleavings of awaits, not of atomic instructions, and a
//! `loop {}` without an await never ends. Disks are not in this version.

#[cfg(not(target_pointer_width = "64"))]
compile_error!("parcae needs a target with 64-bit pointers: a waker is an integer of 64 bits");

#[cfg(not(any(feature = "simulation", feature = "real")))]
compile_error!("parcae needs a backend: switch on its feature `simulation`, `real` or both");

pub mod kernel;

mod context;
mod ending;

#[cfg(feature = "simulation")]
pub mod executor;

#[cfg(feature = "real")]
mod worker;

#[cfg(feature = "simulation")]
pub mod ambient;

mod backend;

pub mod task;

pub mod time;

pub mod rng;

pub mod sync;

pub mod stream;

pub mod retry;

pub mod pool;

pub mod rate;

pub mod load;

#[cfg(feature = "real")]
pub mod real;

#[cfg(feature = "simulation")]
pub mod world;

pub mod net;

pub mod actor;

pub mod fault;

pub mod oracle;

#[cfg(feature = "simulation")]
pub mod explore;

#[cfg(feature = "simulation")]
pub mod testing;

#[cfg(feature = "simulation")]
pub mod report;

#[cfg(feature = "simulation")]
pub mod corpus;

#[cfg(feature = "simulation")]
pub mod harness;

pub use context::Backend;
#[cfg(feature = "simulation")]
pub use executor::Failure;
#[cfg(feature = "simulation")]
pub use explore::{Outcome, Sim, SimBuilder};
#[cfg(feature = "simulation")]
pub use harness::check;
pub use kernel::Seed;
#[cfg(feature = "real")]
pub use parcae_macros::main;
pub use parcae_macros::select;
#[cfg(feature = "simulation")]
pub use parcae_macros::test;
pub use rng::{Rng, choose, rng};
pub use task::{Task, spawn, spawn_named, spawn_try};

/// The examples of the README, which run with the other doc tests.
#[cfg(all(doctest, feature = "simulation"))]
#[doc = include_str!("../README.md")]
struct Readme;
