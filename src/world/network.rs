//! The network between machines: links that are slow, full, lossy or cut.
//!
//! ```text
//!  address   who answers to what
//!  packet    what travels                    flight   what is on its way
//!  latency, families, options                what a link does to packets by chance
//!  rules                                     what a program does to links
//!  links, link, shaper                       the way from each machine to each other
//!  fabric, chance                            sending and arriving
//!  shortness                                 calls of streams that move fewer bytes than they could
//!  control                                   rules, options and packets in the hands of a program
//!  verbs, guard, view, counters              what programs see of it
//!  capture, pcapng                           what went over it, as a file
//! ```
//!
//! Nothing here knows what a socket does: results are return values.

mod address;
mod capture;
mod chance;
mod control;
mod counters;
mod fabric;
mod families;
mod flight;
mod groups;
mod guard;
mod latency;
mod link;
mod links;
mod options;
mod packet;
mod pcapng;
mod rules;
mod shaper;
mod shortness;
mod sites;
#[cfg(test)]
mod tests;
mod verbs;
mod view;

pub(crate) use self::address::{AddressBook, AddressId, AddressOwner, Endpoint};
pub use self::counters::{FaultCounters, LinkCounters};
pub(crate) use self::fabric::{Arrival, BURST_MAX, Network, Sent};
pub(crate) use self::flight::FlightKey;
pub use self::guard::LinkFault;
pub use self::latency::Latency;
pub(crate) use self::link::LinkId;
pub use self::options::{LinkOptions, Overflow};
pub(crate) use self::packet::{Body, Flow, Packet, Payload, Refusal};
pub(crate) use self::rules::RuleId;
pub(crate) use self::shortness::Call;
pub(crate) use self::sites::PHRASES;
pub use self::verbs::{clog, flap, heal, heal_all, hold, isolate, partition, release, reset};
pub use self::view::{InFlight, Link, Network as NetworkView, PacketKind, PacketSummary, network};
