//! System calls of Unix sockets. Part E's.
