//! Addresses of Unix sockets.

use std::fmt;
use std::os::unix::net;
use std::path::{Path, PathBuf};

/// The address of a Unix socket: a path, or none.
///
/// # Examples
/// ```
/// # #[cfg(feature = "real")]
/// # parcae::real::run(async {
/// let (stream, _) = parcae::net::UnixStream::pair()?;
/// assert_eq!(stream.local_addr()?.path(), None);
/// # std::io::Result::Ok(())
/// # }).unwrap();
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UnixAddress {
    path: Option<PathBuf>,
}

impl UnixAddress {
    #[cfg(feature = "simulation")]
    pub(super) const UNNAMED: Self = Self { path: None };

    /// Returns the address of a socket that was bound to this path, if to any.
    #[cfg(feature = "simulation")]
    pub(super) fn at(path: Option<PathBuf>) -> Self {
        Self { path }
    }

    #[cfg(feature = "real")]
    pub(super) fn of(address: &net::SocketAddr) -> Self {
        Self { path: address.as_pathname().map(Path::to_owned) }
    }

    /// Returns the path that the socket was bound to; none if it was not.
    #[must_use]
    pub fn path(&self) -> Option<&Path> {
        self.path.as_deref()
    }

    /// Tells whether the socket was not bound to a path.
    #[must_use]
    pub fn is_unnamed(&self) -> bool {
        self.path.is_none()
    }
}

impl fmt::Debug for UnixAddress {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.path {
            Some(path) => path.fmt(formatter),
            None => formatter.write_str("(unnamed)"),
        }
    }
}

/// Returns a path that the system would take for that of a socket.
///
/// # Errors
/// What the standard library says of one that is too long or has a zero byte.
#[cfg(feature = "simulation")]
pub(super) fn checked(path: &Path) -> std::io::Result<&Path> {
    net::SocketAddr::from_pathname(path).map(|_| path)
}
