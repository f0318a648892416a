//! Bytes of a pcapng file.
