//! Links between machines: what is in flight, how long it takes, what is lost, kept or cut.
//!
//! The fabric never calls sockets; what becomes of a packet is a return value.

mod address;
mod capture;
mod fabric;
mod packet;
mod pcapng;
mod sites;

pub(crate) use self::address::{AddressBook, AddressId, AddressOwner, Endpoint};
pub(crate) use self::capture::{Capture, Fate};
pub(crate) use self::fabric::{Arrival, FlightKey, LinkId, Network, RuleId, Sent};
pub(crate) use self::packet::{Body, Flow, Packet, Payload, Refusal};
pub(crate) use self::sites::PHRASES;
