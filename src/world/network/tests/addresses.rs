//! Who answers to what.

use std::net::{IpAddr, SocketAddr};

use super::super::address::{AddressBook, AddressId, AddressOwner};
use super::node;
use crate::world::node::automatic_addresses;

fn book(nodes: u16) -> AddressBook {
    let mut book = AddressBook::default();
    (0..nodes).for_each(|number| book.add_node(node(number), &[]));
    book
}

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

#[track_caller]
fn check_owner(book: &mut AddressBook, text: &str, expected: AddressOwner) {
    let id = book.intern(ip(text));
    assert_eq!((book.owner(id), book.ip(id)), (expected, ip(text)));
    assert_eq!(book.intern(ip(text)), id, "an address keeps its number");
}

#[test]
fn each_address_has_its_owner() {
    let mut book = book(300);
    for (text, owner) in [
        ("10.0.0.1", AddressOwner::Node(node(1))),
        ("10.0.1.0", AddressOwner::Node(node(256))),
        ("10.0.1.43", AddressOwner::Node(node(299))),
        ("10.0.1.44", AddressOwner::Nobody),
        ("10.0.0.0", AddressOwner::Nobody),
        ("10.1.0.1", AddressOwner::Nobody),
        ("10.255.0.1", AddressOwner::Node(node(0))),
        ("fd00::ffff", AddressOwner::Node(node(0))),
        ("fd00::1:12b", AddressOwner::Node(node(299))),
        ("fd00::1:12c", AddressOwner::Nobody),
        ("fd00::1:0", AddressOwner::Nobody),
        ("fd00::1", AddressOwner::Nobody),
        ("127.0.0.1", AddressOwner::Loopback),
        ("127.8.9.10", AddressOwner::Loopback),
        ("::1", AddressOwner::Loopback),
        ("0.0.0.0", AddressOwner::Wildcard),
        ("::", AddressOwner::Wildcard),
        ("255.255.255.255", AddressOwner::Broadcast),
        ("10.255.255.255", AddressOwner::Broadcast),
        ("224.0.0.1", AddressOwner::Multicast),
        ("ff02::1", AddressOwner::Multicast),
        ("192.0.2.1", AddressOwner::Nobody),
    ] {
        check_owner(&mut book, text, owner);
    }
}

#[test]
fn an_address_of_a_machine_to_come_is_its_own_once_it_is_made() {
    let mut book = book(2);
    let id = book.intern(ip("10.0.0.2"));
    assert_eq!(book.owner(id), AddressOwner::Nobody);
    book.add_node(node(2), &[]);
    assert_eq!(book.owner(id), AddressOwner::Node(node(2)));
}

#[test]
fn automatic_addresses_are_those_that_machines_are_told() {
    let mut book = book(2_000);
    for number in [0, 1, 255, 256, 1_999] {
        let [v4, v6] = automatic_addresses(node(number));
        for (ip, id) in [
            (v4, AddressId::automatic_v4(node(number))),
            (v6, AddressId::automatic_v6(node(number))),
        ] {
            assert_eq!((book.intern(ip), book.ip(id)), (id, ip));
            assert_eq!(book.owner(id), AddressOwner::Node(node(number)));
        }
    }
}

#[test]
fn a_mapped_address_is_the_one_it_maps() {
    let mut book = book(2);
    let mapped: SocketAddr = "[::ffff:10.0.0.1]:80".parse().unwrap();
    let endpoint = book.endpoint(mapped);
    assert_eq!(book.socket_addr(endpoint), "10.0.0.1:80".parse().unwrap());
}

#[test]
fn a_given_address_is_the_source_of_its_family_only() {
    let mut book = book(1);
    book.add_node(node(1), &[ip("192.0.2.1"), ip("192.0.2.2")]);
    check_owner(&mut book, "192.0.2.2", AddressOwner::Node(node(1)));
    for (target, source) in [
        ("10.255.0.1", "192.0.2.1"),
        ("fd00::ffff", "fd00::1:1"),
        ("127.0.0.9", "127.0.0.1"),
        ("0.0.0.0", "127.0.0.1"),
        ("::", "::1"),
        ("::1", "::1"),
        ("192.0.2.2", "192.0.2.2"),
        ("10.0.0.1", "10.0.0.1"),
        ("255.255.255.255", "192.0.2.1"),
    ] {
        let target = book.intern(ip(target));
        let found = book.source_for(node(1), target);
        assert_eq!(found.map(|id| book.ip(id)), Some(ip(source)), "to {}", book.ip(target));
    }
}

#[test]
fn a_machine_may_bind_what_is_its_own() {
    let mut book = book(3);
    for (text, expected) in [
        ("10.0.0.1", true),
        ("fd00::1:1", true),
        ("127.3.2.1", true),
        ("0.0.0.0", true),
        ("::", true),
        ("10.0.0.2", false),
        ("192.0.2.1", false),
        ("255.255.255.255", false),
    ] {
        let id = book.intern(ip(text));
        assert_eq!(book.is_local(node(1), id), expected, "{text}");
    }
}

#[test]
#[should_panic(expected = "the address 192.0.2.1 belongs to another machine")]
fn an_address_is_given_once() {
    let mut book = book(1);
    book.add_node(node(1), &[ip("192.0.2.1")]);
    book.add_node(node(2), &[ip("192.0.2.1")]);
}

#[test]
#[should_panic(expected = "the address 10.0.0.7 is kept for a machine to come")]
fn an_automatic_address_is_not_given() {
    book(1).add_node(node(1), &[ip("10.0.0.7")]);
}

#[test]
#[should_panic(expected = "the address 127.0.0.1 cannot be that of a machine: Loopback")]
fn the_loopback_is_not_given() {
    book(1).add_node(node(1), &[ip("127.0.0.1")]);
}
