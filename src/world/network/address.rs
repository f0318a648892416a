//! Addresses: which there are, and who answers to them.
//!
//! An address is a number of 32 bits. Those that every machine has by itself are computed from the
//! number of the machine, so a world of automatic addresses keeps no table at all; others are interned.
//! An IPv4 address in IPv6 clothes (`::ffff:10.0.0.1`) is the IPv4 address: what a socket shows of it is
//! the business of the socket.
//!
//! Knows nothing of sockets and links.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use crate::world::node::NodeId;

/// An address, as a number of this run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct AddressId(pub(crate) u32);

impl AddressId {
    /// `0.0.0.0`.
    pub(crate) const ANY_V4: Self = Self(0);

    /// `::`.
    pub(crate) const ANY_V6: Self = Self(1);

    /// `127.0.0.1`.
    pub(crate) const LOOPBACK_V4: Self = Self(2);

    /// `::1`.
    pub(crate) const LOOPBACK_V6: Self = Self(3);

    /// Returns the automatic IPv4 address of a machine: `10.0.x.y`, or `10.255.0.1` of the test.
    pub(crate) fn automatic_v4(node: NodeId) -> Self {
        Self(AUTOMATIC | u32::from(node.number()) << 1)
    }

    /// Returns the automatic IPv6 address of a machine: `fd00::1:n`, or `fd00::ffff` of the test.
    pub(crate) fn automatic_v6(node: NodeId) -> Self {
        Self(AUTOMATIC | u32::from(node.number()) << 1 | 1)
    }
}

/// An address and a port: one end of what is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Endpoint {
    /// The address.
    pub(crate) address: AddressId,
    /// The port.
    pub(crate) port: u16,
}

const _: () = assert!(size_of::<Endpoint>() == 8);

/// Who answers to an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AddressOwner {
    /// A machine.
    Node(NodeId),
    /// Whoever asks: `127.0.0.0/8` and `::1`.
    Loopback,
    /// Every machine: `255.255.255.255` and `10.255.255.255`.
    Broadcast,
    /// The members of a group.
    Multicast,
    /// The wildcard: a target that means the own loopback.
    Wildcard,
    /// Nobody in this world.
    Nobody,
}

/// All addresses of a run.
#[derive(Debug, Default)]
pub(crate) struct AddressBook {
    /// Machines that exist; they are numbered from 0.
    nodes: usize,
    others: Vec<Other>,
    ids: BTreeMap<IpAddr, AddressId>,
}

/// An address that is not computed.
#[derive(Clone, Copy, Debug)]
struct Other {
    ip: IpAddr,
    owner: AddressOwner,
}

impl AddressBook {
    /// Adds a machine, with what it has beside its automatic addresses. Machines are added in the
    /// order of their numbers.
    ///
    /// # Panics
    /// When another machine has one of the addresses, or when it is none that a machine can be given.
    #[track_caller]
    pub(crate) fn add_node(&mut self, node: NodeId, given: &[IpAddr]) {
        assert_eq!(node.index(), self.nodes, "machines are numbered in the order of their making");
        self.nodes += 1;
        for ip in given {
            self.claim(node, *ip);
        }
    }

    /// Gives a machine one more address.
    #[track_caller]
    fn claim(&mut self, node: NodeId, ip: IpAddr) {
        let ip = ip.to_canonical();
        let id = self.intern(ip);
        match self.owner(id) {
            AddressOwner::Node(owner) if owner == node => return,
            AddressOwner::Nobody if id.0 & AUTOMATIC == 0 => {}
            AddressOwner::Node(_) => panic!("the address {ip} belongs to another machine"),
            AddressOwner::Nobody => panic!("the address {ip} is kept for a machine to come"),
            owner => panic!("the address {ip} cannot be that of a machine: {owner:?}"),
        }
        self.others[(id.0 - OTHERS) as usize].owner = AddressOwner::Node(node);
    }

    /// Returns the number of an address.
    pub(crate) fn intern(&mut self, ip: IpAddr) -> AddressId {
        let ip = ip.to_canonical();
        if let Some(id) = computed(ip) {
            return id;
        }
        if let Some(&id) = self.ids.get(&ip) {
            return id;
        }
        let number = u32::try_from(self.others.len()).expect("a run has fewer than 2^31 addresses");
        let id = AddressId(OTHERS + number);
        self.others.push(Other { ip, owner: kind_of(ip) });
        self.ids.insert(ip, id);
        id
    }

    /// Returns the number of an endpoint.
    pub(crate) fn endpoint(&mut self, address: SocketAddr) -> Endpoint {
        Endpoint { address: self.intern(address.ip()), port: address.port() }
    }

    /// Returns the address with this number.
    pub(crate) fn ip(&self, id: AddressId) -> IpAddr {
        match id.0 {
            number if number & AUTOMATIC != 0 => automatic_ip(number & !AUTOMATIC),
            number if number < OTHERS => FIXED[number as usize],
            number => self.others[(number - OTHERS) as usize].ip,
        }
    }

    /// Returns an endpoint as programs write it.
    pub(crate) fn socket_addr(&self, endpoint: Endpoint) -> SocketAddr {
        SocketAddr::new(self.ip(endpoint.address), endpoint.port)
    }

    /// Returns an endpoint as a socket shows it: one of IPv6 shows IPv4 addresses in IPv6 clothes.
    pub(crate) fn shown(&self, endpoint: Endpoint, is_v6: bool) -> SocketAddr {
        let address = self.socket_addr(endpoint);
        match address.ip() {
            IpAddr::V4(ip) if is_v6 && ip.is_unspecified() => {
                SocketAddr::new(Ipv6Addr::UNSPECIFIED.into(), endpoint.port)
            }
            IpAddr::V4(ip) if is_v6 => SocketAddr::new(ip.to_ipv6_mapped().into(), endpoint.port),
            _ => address,
        }
    }

    /// Tells who answers to an address.
    #[inline]
    pub(crate) fn owner(&self, id: AddressId) -> AddressOwner {
        if id.0 & AUTOMATIC != 0 {
            let number = (id.0 & !AUTOMATIC) >> 1;
            return match u16::try_from(number) {
                Ok(node) if usize::from(node) < self.nodes => {
                    AddressOwner::Node(NodeId::of_number(node))
                }
                _ => AddressOwner::Nobody,
            };
        }
        match id {
            AddressId::ANY_V4 | AddressId::ANY_V6 => AddressOwner::Wildcard,
            AddressId::LOOPBACK_V4 | AddressId::LOOPBACK_V6 => AddressOwner::Loopback,
            _ => self.others[(id.0 - OTHERS) as usize].owner,
        }
    }

    /// Tells whether a machine may bind a socket to an address: one of its own, loopback or a wildcard.
    pub(crate) fn is_local(&self, node: NodeId, id: AddressId) -> bool {
        match self.owner(id) {
            AddressOwner::Node(owner) => owner == node,
            AddressOwner::Loopback | AddressOwner::Wildcard => true,
            _ => false,
        }
    }

    /// Returns the address that a machine sends from when its socket is bound to none.
    ///
    /// The loopback for the loopback, its own address for that very address, else the first that it was
    /// given of the family, else the automatic one.
    pub(crate) fn source_for(&self, node: NodeId, target: AddressId) -> Option<AddressId> {
        let is_v4 = self.ip(target).is_ipv4();
        Some(match self.owner(target) {
            AddressOwner::Node(owner) if owner == node => target,
            AddressOwner::Loopback | AddressOwner::Wildcard if is_v4 => AddressId::LOOPBACK_V4,
            AddressOwner::Loopback | AddressOwner::Wildcard => AddressId::LOOPBACK_V6,
            _ => {
                let given = self.given_to(node).find(|id| self.ip(*id).is_ipv4() == is_v4);
                let automatic =
                    if is_v4 { AddressId::automatic_v4 } else { AddressId::automatic_v6 };
                given.unwrap_or_else(|| automatic(node))
            }
        })
    }

    fn given_to(&self, node: NodeId) -> impl Iterator<Item = AddressId> + '_ {
        let is_owned = move |other: &Other| other.owner == AddressOwner::Node(node);
        let numbered = (OTHERS..).zip(&self.others);
        numbered.filter(move |(_, other)| is_owned(other)).map(|(number, _)| AddressId(number))
    }
}

/// Returns the number of an address that needs no table.
fn computed(ip: IpAddr) -> Option<AddressId> {
    if let Some(place) = FIXED.iter().position(|fixed| *fixed == ip) {
        return Some(AddressId(u32::try_from(place).expect("there are four")));
    }
    let automatic = |node: u32, family: u32| Some(AddressId(AUTOMATIC | node << 1 | family));
    match ip {
        IpAddr::V4(ip) => match ip.octets() {
            [10, 255, 0, 1] => automatic(0, 0),
            [10, 0, 0, 0] => None,
            [10, 0, high, low] => automatic(u32::from(high) << 8 | u32::from(low), 0),
            _ => None,
        },
        IpAddr::V6(ip) => match ip.segments() {
            [0xfd00, 0, 0, 0, 0, 0, 0, 0xffff] => automatic(0, 1),
            [0xfd00, 0, 0, 0, 0, 0, 1, 0] => None,
            [0xfd00, 0, 0, 0, 0, 0, 1, node] => automatic(node.into(), 1),
            _ => None,
        },
    }
}

fn automatic_ip(number: u32) -> IpAddr {
    let [_, _, high, low] = (number >> 1).to_be_bytes();
    match (number >> 1, number & 1) {
        (0, 0) => IpAddr::V4(Ipv4Addr::new(10, 255, 0, 1)),
        (_, 0) => IpAddr::V4(Ipv4Addr::new(10, 0, high, low)),
        (0, _) => IpAddr::V6(Ipv6Addr::new(0xfd00, 0, 0, 0, 0, 0, 0, 0xffff)),
        _ => {
            let node = u16::from_be_bytes([high, low]);
            IpAddr::V6(Ipv6Addr::new(0xfd00, 0, 0, 0, 0, 0, 1, node))
        }
    }
}

/// Tells what an address is for that is neither computed nor given to a machine.
fn kind_of(ip: IpAddr) -> AddressOwner {
    match ip {
        ip if ip.is_loopback() => AddressOwner::Loopback,
        ip if ip.is_multicast() => AddressOwner::Multicast,
        IpAddr::V4(Ipv4Addr::BROADCAST | BROADCAST_OF_NET) => AddressOwner::Broadcast,
        _ => AddressOwner::Nobody,
    }
}

const FIXED: [IpAddr; 4] = [
    IpAddr::V4(Ipv4Addr::UNSPECIFIED),
    IpAddr::V6(Ipv6Addr::UNSPECIFIED),
    IpAddr::V4(Ipv4Addr::LOCALHOST),
    IpAddr::V6(Ipv6Addr::LOCALHOST),
];

/// The broadcast address of the network that all machines are in, `10.0.0.0/8`.
const BROADCAST_OF_NET: Ipv4Addr = Ipv4Addr::new(10, 255, 255, 255);

/// In the number of an automatic address; the rest is the machine, shifted by one, and the family.
const AUTOMATIC: u32 = 1 << 31;

/// Number of the first address that is interned.
const OTHERS: u32 = 4;

const _: () = assert!(FIXED.len() == OTHERS as usize);
