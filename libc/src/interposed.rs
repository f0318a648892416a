//! The functions that are called instead of those of the C library.
//!
//! None of them panics: their callers do not expect them to unwind. Each asks the world first; where
//! that has no answer, the machine does.
#![expect(unsafe_code, reason = "functions of the C library are defined here, and called")]

use std::backtrace::Backtrace;
use std::slice;
use std::time::Duration;

use libc::{c_int, c_long, c_uint, c_void, clockid_t, size_t, ssize_t, time_t, timespec, timeval};
use parcae::ambient;

use crate::real::Real;
use crate::{is_inside, outside};

static CLOCK_GETTIME: Real = Real::named(c"clock_gettime");
static GETTIMEOFDAY: Real = Real::named(c"gettimeofday");
static TIME: Real = Real::named(c"time");
static GETRANDOM: Real = Real::named(c"getrandom");
static GETENTROPY: Real = Real::named(c"getentropy");
static SYSCALL: Real = Real::named(c"syscall");
static NANOSLEEP: Real = Real::named(c"nanosleep");
static CLOCK_NANOSLEEP: Real = Real::named(c"clock_nanosleep");
static PTHREAD_CREATE: Real = Real::named(c"pthread_create");

type Run = extern "C" fn(*mut c_void) -> *mut c_void;

/// Makes the linker keep this file's functions, because something refers to one.
pub(crate) fn refer() {
    std::hint::black_box(clock_gettime as *const c_void);
}

/// Returns what `getrandom` gives, by the name that the linker decides.
pub(crate) fn random_word() -> u64 {
    let mut word = 0_u64;
    // SAFETY: the word is that large.
    let size = unsafe { libc::getrandom((&raw mut word).cast(), 8, 0) };
    if size == 8 { word } else { 0 }
}

/// Returns the time on a clock of the world; none outside of one, and for clocks of processor time.
fn world_time(clock: clockid_t) -> Option<Duration> {
    if !is_inside() {
        return None;
    }
    let clocks = ambient::clocks()?;
    match clock {
        libc::CLOCK_REALTIME | libc::CLOCK_REALTIME_COARSE | libc::CLOCK_TAI => {
            Some(clocks.since_epoch)
        }
        // A day in front, as programs take an earlier time away from the first reading.
        libc::CLOCK_MONOTONIC
        | libc::CLOCK_MONOTONIC_COARSE
        | libc::CLOCK_MONOTONIC_RAW
        | libc::CLOCK_BOOTTIME => Some(clocks.elapsed + DAY),
        _ => None,
    }
}

/// Fills a buffer from the seed; false where the machine is to do it.
///
/// # Safety
/// The buffer is that large and nobody else uses it.
unsafe fn fill(buffer: *mut c_void, size: size_t) -> bool {
    if !is_inside() || buffer.is_null() {
        return false;
    }
    // SAFETY: as the caller says; any byte is a byte.
    let bytes = unsafe { slice::from_raw_parts_mut(buffer.cast::<u8>(), size) };
    ambient::fill(bytes)
}

/// Fails the run for a call; false where the machine is to do it.
fn is_refused(call: &'static str) -> bool {
    let is_inside = is_inside();
    if is_inside {
        // A backtrace reads files, and prints need locks.
        let backtrace = outside(|| Backtrace::force_capture().to_string());
        ambient::refuse(call, backtrace);
    }
    is_inside
}

fn seconds(time: Duration) -> time_t {
    time_t::try_from(time.as_secs()).unwrap_or(time_t::MAX)
}

/// # Safety
/// As of the C library.
#[unsafe(no_mangle)]
unsafe extern "C" fn clock_gettime(clock: clockid_t, result: *mut timespec) -> c_int {
    let Some(time) = world_time(clock) else {
        // SAFETY: this is its type.
        let real: unsafe extern "C" fn(clockid_t, *mut timespec) -> c_int =
            unsafe { CLOCK_GETTIME.function() };
        // SAFETY: the caller's arguments.
        return unsafe { real(clock, result) };
    };
    let time = timespec {
        tv_sec: seconds(time),
        tv_nsec: c_long::from(time.subsec_nanos().cast_signed()),
    };
    // SAFETY: the caller gives a place for it.
    unsafe { result.write(time) };
    0
}

/// # Safety
/// As of the C library.
#[unsafe(no_mangle)]
unsafe extern "C" fn gettimeofday(result: *mut timeval, zone: *mut c_void) -> c_int {
    let Some(time) = world_time(libc::CLOCK_REALTIME).filter(|_| !result.is_null()) else {
        // SAFETY: this is its type.
        let real: unsafe extern "C" fn(*mut timeval, *mut c_void) -> c_int =
            unsafe { GETTIMEOFDAY.function() };
        // SAFETY: the caller's arguments.
        return unsafe { real(result, zone) };
    };
    let micros = time.subsec_micros().cast_signed();
    let time = timeval { tv_sec: seconds(time), tv_usec: micros.into() };
    // SAFETY: the caller gives a place for it.
    unsafe { result.write(time) };
    0
}

/// # Safety
/// As of the C library.
#[unsafe(no_mangle)]
unsafe extern "C" fn time(result: *mut time_t) -> time_t {
    let Some(time) = world_time(libc::CLOCK_REALTIME) else {
        // SAFETY: this is its type.
        let real: unsafe extern "C" fn(*mut time_t) -> time_t = unsafe { TIME.function() };
        // SAFETY: the caller's argument.
        return unsafe { real(result) };
    };
    if !result.is_null() {
        // SAFETY: the caller gives a place for it.
        unsafe { result.write(seconds(time)) };
    }
    seconds(time)
}

/// # Safety
/// As of the C library.
#[unsafe(no_mangle)]
unsafe extern "C" fn getrandom(buffer: *mut c_void, size: size_t, flags: c_uint) -> ssize_t {
    // SAFETY: the caller's buffer.
    if unsafe { fill(buffer, size) } {
        return size.cast_signed();
    }
    // SAFETY: this is its type.
    let real: unsafe extern "C" fn(*mut c_void, size_t, c_uint) -> ssize_t =
        unsafe { GETRANDOM.function() };
    // SAFETY: the caller's arguments.
    unsafe { real(buffer, size, flags) }
}

/// # Safety
/// As of the C library.
#[unsafe(no_mangle)]
unsafe extern "C" fn getentropy(buffer: *mut c_void, size: size_t) -> c_int {
    // SAFETY: the caller's buffer.
    if unsafe { fill(buffer, size) } {
        return 0;
    }
    // SAFETY: this is its type.
    let real: unsafe extern "C" fn(*mut c_void, size_t) -> c_int = unsafe { GETENTROPY.function() };
    // SAFETY: the caller's arguments.
    unsafe { real(buffer, size) }
}

/// Takes as many arguments as any system call has: what the caller did not give is not looked at, and on
/// 64-bit Linux they are passed as to a function of C with a variable number of them.
///
/// # Safety
/// As of the C library.
#[unsafe(no_mangle)]
unsafe extern "C" fn syscall(
    number: c_long,
    first: usize,
    second: usize,
    third: usize,
    fourth: usize,
    fifth: usize,
    sixth: usize,
) -> c_long {
    // SAFETY: the first two arguments of this call are a buffer and its size.
    if number == libc::SYS_getrandom && unsafe { fill(first as *mut c_void, second) } {
        return second.cast_signed() as c_long;
    }
    // SAFETY: this is how it takes them.
    let real: unsafe extern "C" fn(c_long, usize, usize, usize, usize, usize, usize) -> c_long =
        unsafe { SYSCALL.function() };
    // SAFETY: the caller's arguments.
    unsafe { real(number, first, second, third, fourth, fifth, sixth) }
}

/// # Safety
/// As of the C library.
#[unsafe(no_mangle)]
unsafe extern "C" fn nanosleep(time: *const timespec, left: *mut timespec) -> c_int {
    if is_refused("nanosleep") {
        return 0;
    }
    // SAFETY: this is its type.
    let real: unsafe extern "C" fn(*const timespec, *mut timespec) -> c_int =
        unsafe { NANOSLEEP.function() };
    // SAFETY: the caller's arguments.
    unsafe { real(time, left) }
}

/// # Safety
/// As of the C library.
#[unsafe(no_mangle)]
unsafe extern "C" fn clock_nanosleep(
    clock: clockid_t,
    flags: c_int,
    time: *const timespec,
    left: *mut timespec,
) -> c_int {
    if is_refused("clock_nanosleep") {
        return 0;
    }
    // SAFETY: this is its type.
    let real: unsafe extern "C" fn(clockid_t, c_int, *const timespec, *mut timespec) -> c_int =
        unsafe { CLOCK_NANOSLEEP.function() };
    // SAFETY: the caller's arguments.
    unsafe { real(clock, flags, time, left) }
}

/// # Safety
/// As of the C library.
#[unsafe(no_mangle)]
unsafe extern "C" fn pthread_create(
    thread: *mut libc::pthread_t,
    attributes: *const libc::pthread_attr_t,
    run: Run,
    argument: *mut c_void,
) -> c_int {
    if is_refused("pthread_create") {
        return libc::EAGAIN;
    }
    // SAFETY: this is its type.
    let real: unsafe extern "C" fn(
        *mut libc::pthread_t,
        *const libc::pthread_attr_t,
        Run,
        *mut c_void,
    ) -> c_int = unsafe { PTHREAD_CREATE.function() };
    // SAFETY: the caller's arguments.
    unsafe { real(thread, attributes, run, argument) }
}

const DAY: Duration = Duration::from_secs(24 * 60 * 60);
