//! Two machines and a scripted link.

mod wire;

mod handshake;

mod transfer;
