//! Machines that live and die, and the network between them.

#[cfg_attr(not(test), expect(dead_code, unused_imports, reason = "sockets use it next"))]
mod tcp;
