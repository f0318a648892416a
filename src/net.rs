//! Sockets: TCP, UDP, Unix, and names of the network; one type each, on both backends.
