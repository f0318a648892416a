//! What kernels answer: the error numbers of Linux, which a simulation has on every platform.

use std::io;

use super::super::tcp::TcpError;

pub(crate) const EPERM: i32 = 1;
pub(crate) const ENOENT: i32 = 2;
pub(crate) const EBADF: i32 = 9;
pub(crate) const EACCES: i32 = 13;
pub(crate) const EINVAL: i32 = 22;
pub(crate) const EMFILE: i32 = 24;
pub(crate) const EPIPE: i32 = 32;
pub(crate) const EDESTADDRREQ: i32 = 89;
pub(crate) const EMSGSIZE: i32 = 90;
pub(crate) const EPROTOTYPE: i32 = 91;
pub(crate) const EAFNOSUPPORT: i32 = 97;
pub(crate) const EADDRINUSE: i32 = 98;
pub(crate) const EADDRNOTAVAIL: i32 = 99;
pub(crate) const ENETUNREACH: i32 = 101;
pub(crate) const ECONNRESET: i32 = 104;
pub(crate) const ENOTCONN: i32 = 107;
pub(crate) const ETIMEDOUT: i32 = 110;
pub(crate) const ECONNREFUSED: i32 = 111;
pub(crate) const EHOSTUNREACH: i32 = 113;

/// Returns the error of the standard library for a number: kind and text are its own.
pub(crate) fn os(code: i32) -> io::Error {
    io::Error::from_raw_os_error(code)
}

impl From<TcpError> for io::Error {
    fn from(error: TcpError) -> Self {
        os(match error {
            TcpError::Refused => ECONNREFUSED,
            TcpError::Reset => ECONNRESET,
            TcpError::BrokenPipe => EPIPE,
            TcpError::TimedOut => ETIMEDOUT,
            TcpError::Unreachable => EHOSTUNREACH,
            TcpError::NotConnected => ENOTCONN,
        })
    }
}
