//! A simulated world: machines that live and die, and a network between them.
//!
//! ```text
//! node     machines: incarnations, start and death, restart policies, clocks, labels
//! socket   their kernels: sockets, ports, pipes, names           tcp   one end of a connection
//! network  links between them, faults, what is in flight
//! state    all of it, hung under the run       host   what it asks of the run
//! calls    what `net` asks of a kernel
//! ```
//!
//! A machine is a domain of tasks for each incarnation, and a kernel that outlives them. What the world
//! sets timers for happens on global time, between the steps of tasks. It is made at its first use, so a
//! run without one pays nothing.
//!
//! **Absent on purpose**: disks, and real machines; on real time there is no world.
#![deny(clippy::float_arithmetic)]

mod arena;
mod arrivals;
pub(crate) mod calls;
mod event;
mod host;
mod network;
mod node;
mod socket;
mod state;
mod tcp;

pub(crate) use self::arrivals::next_packets;
pub use self::network::{
    FaultCounters, InFlight, Latency, Link, LinkCounters, LinkFault, LinkOptions,
    NetworkView as Network, Overflow, PacketKind, PacketSummary, clog, flap, heal, heal_all, hold,
    isolate, network, partition, release, reset,
};
pub use self::node::{
    ClockOptions, ClockSteps, Everyone, Exit, Exited, Exits, Label, Node, NodeBuilder, NodeStatus,
    NodesBuilder, RestartPolicy, Stop, Target, Targets, TimeStep, everyone, label, node, nodes,
};
pub use self::socket::{ConnectionRow, DatagramRow, ListenerRow, NameBuilder, NameError, Netstat};
pub use self::tcp::TcpState;
