//! Two machines and a scripted link.

mod wire;

mod handshake;

mod transfer;

mod window;

mod loss;

mod timers;

mod closing;

mod random;

mod parts;
