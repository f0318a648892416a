//! Makes the clock, the entropy, the sleeping and the threads of the C library follow the world of a
//! [parcae](../parcae/index.html) simulation, for all crates in a binary. Linux only, for tests only.
//!
//! It defines functions of the C library itself, which the linker prefers. Inside of a simulation:
//!
//! | function | does |
//! |---|---|
//! | `clock_gettime`, `gettimeofday`, `time` | tell the time of the world; clocks of processor time are as ever |
//! | `getrandom`, `getentropy`, `syscall(SYS_getrandom)` | give bytes that the seed decides |
//! | `nanosleep`, `clock_nanosleep` | do not sleep, and fail the run with a backtrace |
//! | `pthread_create` | makes no thread, and fails the run with a backtrace |
//!
//! So `Instant::now`, `SystemTime::now`, `RandomState` and with it the order of a `HashMap`, `rand`,
//! `uuid` and the like follow the seed. Everywhere else, and inside of [`outside`], nothing changes.
//!
//! **Call [`assert_live`] in front of each check**: a crate that nothing refers to is not linked, and then
//! all would silently be real. What follows from the state of the process (statics that are filled once, numbers of threads)
//! follows the seed only together with `Isolation::Fork`.
//!
//! Not seen: system calls that are made without the C library (`rustix` with its Linux backend), `rdtsc`,
//! addresses, files, sockets. Not for binaries that link the C library statically.
//!
//! # Examples
//! ```
//! parcae_libc::assert_live();
//! parcae::check(10, || async {
//!     let start = std::time::Instant::now();
//!     parcae::time::sleep(std::time::Duration::from_secs(3600)).await;
//!     assert_eq!(start.elapsed().as_secs(), 3600);
//! });
//! ```
#![cfg(target_os = "linux")]
#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "this crate is what stands between them and the machine"
)]

mod interposed;
mod real;

use std::cell::Cell;
use std::time::{SystemTime, UNIX_EPOCH};

thread_local! {
    /// How many calls of `outside` this thread is in. Without a destructor, so it can be read at any time.
    static OUTSIDE: Cell<u32> = const { Cell::new(0) };
}

/// Calls `act` as if this thread were not inside of a simulation: it sees the machine's clock, entropy and
/// threads. For measuring and printing, nothing of which may reach the program.
pub fn outside<R>(act: impl FnOnce() -> R) -> R {
    struct Inside;
    impl Drop for Inside {
        fn drop(&mut self) {
            OUTSIDE.set(OUTSIDE.get() - 1);
        }
    }
    OUTSIDE.set(OUTSIDE.get() + 1);
    let _inside = Inside;
    act()
}

/// Makes sure that the functions of this crate are the ones that are called.
///
/// # Panics
/// When they are not: with a C library that is linked statically, or when another crate defines the same
/// functions.
#[track_caller]
pub fn assert_live() {
    interposed::refer();
    let outcome = parcae::Sim::new(0).run(|| async {
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        (since_epoch == parcae::time::SystemTime::now().since_epoch(), interposed::random_word())
    });
    let live = outcome.unwrap();
    let again = parcae::Sim::new(0).run(|| async { interposed::random_word() }).unwrap();
    assert!(
        live == (true, again),
        "parcae-libc is not live: the functions of the C library are called as ever (is that linked \
         statically?)"
    );
}

/// Tells whether this thread is to see the world.
fn is_inside() -> bool {
    OUTSIDE.try_with(Cell::get) == Ok(0) && parcae::ambient::is_inside()
}
