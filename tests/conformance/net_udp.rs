//! Datagrams: borders, losses, refusals, groups.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::rc::Rc;

use parcae::net::UdpSocket;
use parcae::spawn;
use parcae::task::settle;
use parcae::time::{sleep, timeout};

use crate::clock::{HOUR, beats};
use crate::net_ends::*;

/// A socket of loopback at a free port, and its address.
async fn socket() -> (UdpSocket, SocketAddr) {
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let address = socket.local_addr().unwrap();
    (socket, address)
}

/// Two sockets, each connected to the other.
async fn connected() -> (UdpSocket, UdpSocket) {
    let ((one, one_address), (other, other_address)) = (socket().await, socket().await);
    one.connect(other_address).await.unwrap();
    other.connect(one_address).await.unwrap();
    (one, other)
}

/// An address at which no socket of datagrams is while the first value lives.
async fn nobody_there() -> (UdpSocket, SocketAddr) {
    let guard = UdpSocket::bind("127.9.9.9:0").await.unwrap();
    let port = guard.local_addr().unwrap().port();
    (guard, SocketAddr::from(([127, 7, 7, 7], port)))
}

async fn receive(socket: &UdpSocket) -> std::io::Result<Vec<u8>> {
    let mut buffer = vec![0; 70_000];
    let size = socket.recv(&mut buffer).await?;
    buffer.truncate(size);
    Ok(buffer)
}

/// Sends to the peer, and waits until it has come: those that are on their way at once may overtake each other.
async fn send_alone(socket: &UdpSocket, data: &[u8]) {
    assert_eq!(socket.send(data).await.unwrap(), data.len());
    sleep(beats(1) / 10).await;
}

/// Waits until a refusal has come to a connected socket, and leaves it there.
async fn until_refused(socket: &UdpSocket) {
    // An error counts as readable, and there is no datagram.
    timeout(HOUR, socket.readable()).await.unwrap().unwrap();
}

/// Returns how many of so many datagrams are kept when nobody receives.
async fn kept_of(sent: u32, data: &[u8]) -> u32 {
    let (one, other) = connected().await;
    for _ in 0..sent {
        one.send(data).await.unwrap();
    }
    // On loopback of the system all has come, or is gone, when the last one was sent.
    sleep(beats(1)).await;
    let mut count = 0;
    let mut buffer = vec![0; data.len() + 1];
    while let Ok(size) = timeout(beats(1), other.recv(&mut buffer)).await {
        assert!(&buffer[..size.unwrap()] == data);
        count += 1;
    }
    count
}

conformance! {
    /// 97.
    async fn a_datagram_says_where_it_is_from() {
        let ((one, from), (other, to)) = (socket().await, socket().await);
        assert_eq!(one.send_to(b"hello", to).await.unwrap(), 5);
        let mut buffer = [0; 16];
        assert_eq!(other.recv_from(&mut buffer).await.unwrap(), (5, from));
        assert_eq!(&buffer[..5], b"hello");
    }

    /// 98.
    async fn datagrams_keep_their_borders() {
        let (one, other) = connected().await;
        for word in [&b"a"[..], b"bc", b"def"] {
            send_alone(&one, word).await;
        }
        for word in [&b"a"[..], b"bc", b"def"] {
            assert_eq!(receive(&other).await.unwrap(), word);
        }
    }

    /// 99.
    async fn what_does_not_fit_into_the_buffer_is_gone() {
        let (one, other) = connected().await;
        send_alone(&one, b"abcdef").await;
        send_alone(&one, b"next").await;
        let mut buffer = [0; 2];
        assert_eq!(other.recv(&mut buffer).await.unwrap(), 2);
        assert_eq!(&buffer, b"ab");
        assert_eq!(receive(&other).await.unwrap(), b"next");
    }

    /// 100; L26.
    async fn an_empty_datagram_arrives() {
        let (one, other) = connected().await;
        assert_eq!(one.send(b"").await.unwrap(), 0);
        let mut buffer = [0; 2];
        let (size, from) = other.recv_from(&mut buffer).await.unwrap();
        assert_eq!((size, from), (0, one.local_addr().unwrap()));
        pends(other.recv(&mut buffer)).await;
    }

    /// 101; L18.
    async fn a_datagram_has_at_most_65507_bytes() {
        let (one, other) = connected().await;
        assert_eq!(one.send(&pattern(65_507)).await.unwrap(), 65_507);
        assert!(receive(&other).await.unwrap() == pattern(65_507));
        assert_eq!(code(one.send(&pattern(65_508)).await), MESSAGE_SIZE);
    }

    /// 101.
    async fn a_datagram_over_ipv6_has_at_most_65527_bytes() {
        let one = UdpSocket::bind("[::1]:0").await.unwrap();
        let other = UdpSocket::bind("[::1]:0").await.unwrap();
        let target = other.local_addr().unwrap();
        assert_eq!(one.send_to(&pattern(65_527), target).await.unwrap(), 65_527);
        assert!(receive(&other).await.unwrap() == pattern(65_527));
        assert_eq!(code(one.send_to(&pattern(65_528), target).await), MESSAGE_SIZE);
    }

    /// 102; L17.
    async fn a_socket_without_a_peer_cannot_send_without_a_target() {
        let (one, _) = socket().await;
        assert_eq!(code(one.send(b"x").await), DESTINATION_REQUIRED);
        assert_eq!(code(one.try_send(b"x")), DESTINATION_REQUIRED);
    }

    /// 103.
    async fn a_socket_without_a_peer_has_no_address_of_it() {
        let (one, _) = socket().await;
        assert_eq!(code(one.peer_addr()), NOT_CONNECTED);
        let (_other, target) = socket().await;
        one.connect(target).await.unwrap();
        assert_eq!(one.peer_addr().unwrap(), target);
        one.disconnect().unwrap();
        assert_eq!(code(one.peer_addr()), NOT_CONNECTED);
    }

    /// 104; L15.
    async fn nobody_tells_an_unconnected_socket_that_nobody_is_there() {
        let ((one, _), (_guard, target)) = (socket().await, nobody_there().await);
        for _ in 0..3 {
            assert_eq!(one.send_to(b"x", target).await.unwrap(), 1);
        }
        pends(one.recv(&mut [0])).await;
        assert!(one.take_error().unwrap().is_none());
    }

    /// 105; L16.
    async fn a_connected_socket_learns_once_that_nobody_is_there() {
        let ((one, _), (_guard, target)) = (socket().await, nobody_there().await);
        one.connect(target).await.unwrap();
        assert_eq!(one.send(b"x").await.unwrap(), 1);
        until_refused(&one).await;
        assert_eq!(code(one.send(b"x").await), REFUSED);
        // The one that failed was not sent.
        assert_eq!(one.send(b"x").await.unwrap(), 1);
    }

    /// 106.
    async fn a_receive_is_told_once_that_nobody_is_there() {
        let ((one, _), (_guard, target)) = (socket().await, nobody_there().await);
        one.connect(target).await.unwrap();
        one.send(b"x").await.unwrap();
        assert_eq!(code(receive(&one).await), REFUSED);
        pends(receive(&one)).await;
    }

    /// 107.
    async fn a_refusal_is_taken_as_the_error_of_the_socket() {
        let ((one, _), (_guard, target)) = (socket().await, nobody_there().await);
        one.connect(target).await.unwrap();
        one.send(b"x").await.unwrap();
        until_refused(&one).await;
        assert_eq!(one.take_error().unwrap().unwrap().raw_os_error(), Some(REFUSED));
        assert_eq!(one.send(b"x").await.unwrap(), 1);
    }

    /// 108.
    async fn a_connected_socket_hears_its_peer_only() {
        let (one, other) = connected().await;
        let (stranger, _) = socket().await;
        stranger.send_to(b"psst", other.local_addr().unwrap()).await.unwrap();
        pends(receive(&other)).await;
        one.send(b"hello").await.unwrap();
        assert_eq!(receive(&other).await.unwrap(), b"hello");
    }

    /// 109.
    async fn what_was_there_before_the_connect_is_received() {
        let ((one, target), (stranger, _)) = (socket().await, socket().await);
        let (_peer, peer) = socket().await;
        stranger.send_to(b"early", target).await.unwrap();
        one.readable().await.unwrap();
        one.connect(peer).await.unwrap();
        assert_eq!(receive(&one).await.unwrap(), b"early");
    }

    /// 110.
    async fn a_connected_socket_may_send_to_others() {
        let (one, _peer) = connected().await;
        let (other, target) = socket().await;
        assert_eq!(one.send_to(b"hello", target).await.unwrap(), 5);
        assert_eq!(receive(&other).await.unwrap(), b"hello");
    }

    /// 111.
    async fn another_connect_changes_who_is_heard() {
        let (one, first) = connected().await;
        let (second, second_address) = socket().await;
        let here = one.local_addr().unwrap();
        one.connect(second_address).await.unwrap();
        first.send_to(b"old", here).await.unwrap();
        second.send_to(b"new", here).await.unwrap();
        assert_eq!(receive(&one).await.unwrap(), b"new");
        pends(receive(&one)).await;
    }

    /// 111: without a peer it hears all.
    async fn a_socket_whose_peer_was_taken_away_hears_everybody() {
        let (_guard, here) = nobody_there().await;
        let one = UdpSocket::bind(here).await.unwrap();
        let (_peer, peer) = socket().await;
        one.connect(peer).await.unwrap();
        one.disconnect().unwrap();
        assert_eq!(one.local_addr().unwrap(), here);
        let (stranger, _) = socket().await;
        stranger.send_to(b"hello", here).await.unwrap();
        assert_eq!(receive(&one).await.unwrap(), b"hello");
        assert_eq!(code(one.send(b"x").await), DESTINATION_REQUIRED);
    }

    /// 111: what the system chose it takes back.
    async fn a_port_that_was_not_asked_for_goes_with_the_peer() {
        let (one, _peer) = connected().await;
        one.disconnect().unwrap();
        assert_eq!(one.local_addr().unwrap(), address("127.0.0.1:0"));
        // It has one again when it sends.
        let (other, target) = socket().await;
        one.send_to(b"hello", target).await.unwrap();
        let mut buffer = [0; 8];
        let (_, from) = other.recv_from(&mut buffer).await.unwrap();
        assert_eq!(one.local_addr().unwrap(), from);
        assert_ne!(from.port(), 0);
    }

    /// 112; L19. How many is a setting of the system; larger ones are kept in smaller numbers, and small ones
    /// cost no less than some least size.
    async fn a_full_buffer_drops_what_comes() {
        let mut kept = Vec::new();
        for size in [0, 4, 1472, 4000, 16_000, 60_000] {
            let data = pattern(size);
            let mut sent = 8;
            kept.push(loop {
                let count = kept_of(sent, &data).await;
                assert!(count > 0, "a datagram of {size} bytes fits in");
                if count < sent {
                    break count;
                }
                sent *= 2;
                assert!(sent < 1 << 20, "it keeps all");
            });
        }
        assert_eq!(kept[0], kept[1], "the least size: {kept:?}");
        assert!(kept[1..].windows(2).all(|pair| pair[0] > pair[1]), "{kept:?}");
    }

    /// 113.
    async fn a_peek_leaves_the_datagram() {
        let (one, other) = connected().await;
        one.send(b"abc").await.unwrap();
        let from = one.local_addr().unwrap();
        let mut buffer = [0; 8];
        assert_eq!(other.peek_from(&mut buffer).await.unwrap(), (3, from));
        assert_eq!(other.peek(&mut buffer[..1]).await.unwrap(), 1);
        assert_eq!(other.recv_from(&mut buffer).await.unwrap(), (3, from));
        pends(other.peek(&mut buffer)).await;
    }

    /// 114.
    async fn a_cancelled_receive_loses_nothing() {
        let (one, other) = connected().await;
        pends(receive(&other)).await;
        one.send(b"abc").await.unwrap();
        drop(other.recv(&mut [0; 8]));
        assert_eq!(receive(&other).await.unwrap(), b"abc");
    }

    /// 115.
    async fn a_receive_that_does_not_wait_says_that_there_is_nothing() {
        let (one, other) = connected().await;
        let mut buffer = [0; 8];
        assert_eq!(code(other.try_recv(&mut buffer)), AGAIN);
        assert_eq!(code(other.try_recv_from(&mut buffer)), AGAIN);
        one.writable().await.unwrap();
        assert_eq!(one.try_send(b"ab").unwrap(), 2);
        other.readable().await.unwrap();
        assert_eq!(one.try_send_to(b"c", other.local_addr().unwrap()).unwrap(), 1);
        other.readable().await.unwrap();
        assert_eq!(other.try_recv(&mut buffer).unwrap(), 2);
        other.readable().await.unwrap();
        assert_eq!(other.try_recv_from(&mut buffer).unwrap(), (1, one.local_addr().unwrap()));
    }

    /// 116.
    async fn an_address_that_is_taken_cannot_be_bound() {
        let (_one, taken) = socket().await;
        assert_eq!(code(UdpSocket::bind(taken).await), ADDRESS_IN_USE);
        assert_eq!(code(UdpSocket::bind(taken).reuseaddr(true).await), ADDRESS_IN_USE);
    }

    /// 117.
    async fn of_two_who_share_an_address_the_later_gets_all() {
        let (_guard, address) = nobody_there().await;
        let one = UdpSocket::bind(address).reuseaddr(true).await.unwrap();
        let other = UdpSocket::bind(address).reuseaddr(true).await.unwrap();
        let (sender, _) = socket().await;
        for _ in 0..2 {
            sender.send_to(b"x", address).await.unwrap();
            assert_eq!(receive(&other).await.unwrap(), b"x");
        }
        drop(other);
        sender.send_to(b"y", address).await.unwrap();
        assert_eq!(receive(&one).await.unwrap(), b"y");
    }

    /// 118.
    async fn the_wildcard_overlaps_each_address() {
        let wildcard = UdpSocket::bind("0.0.0.0:0").await.unwrap();
        let port = wildcard.local_addr().unwrap().port();
        assert_eq!(code(UdpSocket::bind(("127.0.0.1", port)).await), ADDRESS_IN_USE);
        let (_one, specific) = socket().await;
        assert_eq!(code(UdpSocket::bind(("0.0.0.0", specific.port())).await), ADDRESS_IN_USE);
    }

    /// 119; L20.
    async fn broadcasts_need_permission() {
        let (one, _) = socket().await;
        assert!(!one.broadcast().unwrap());
        assert_eq!(code(one.send_to(b"x", "255.255.255.255:9").await), ACCESS);
        one.set_broadcast(true).unwrap();
        assert!(one.broadcast().unwrap());
        // Whether there is a network to send it to is another question.
        let sent = verdict(one.send_to(b"x", "255.255.255.255:9").await);
        assert_ne!(sent, Err(ACCESS));
        one.set_broadcast(false).unwrap();
        assert_eq!(code(one.send_to(b"x", "255.255.255.255:9").await), ACCESS);
    }

    /// 120.
    async fn nothing_is_sent_to_port_0() {
        let (one, _) = socket().await;
        assert_eq!(code(one.send_to(b"x", "127.0.0.1:0").await), INVALID);
    }

    /// 121.
    async fn the_wildcard_as_target_reaches_loopback() {
        let ((one, from), (other, target)) = (socket().await, socket().await);
        one.send_to(b"x", ("0.0.0.0", target.port())).await.unwrap();
        let mut buffer = [0; 8];
        assert_eq!(other.recv_from(&mut buffer).await.unwrap(), (1, from));
    }

    /// 122.
    async fn a_socket_of_ipv6_reaches_mapped_addresses() {
        let one = UdpSocket::bind("[::]:0").await.unwrap();
        let (other, target) = socket().await;
        let mapped = SocketAddr::new(Ipv4Addr::LOCALHOST.to_ipv6_mapped().into(), target.port());
        one.send_to(b"x", mapped).await.unwrap();
        let mut buffer = [0; 8];
        let (_, from) = other.recv_from(&mut buffer).await.unwrap();
        assert_eq!(from.ip(), IpAddr::from(Ipv4Addr::LOCALHOST));
        other.send_to(b"back", from).await.unwrap();
        assert_eq!(one.recv_from(&mut buffer).await.unwrap(), (4, mapped));
    }

    /// 123.
    async fn members_of_a_group_hear_it_until_they_leave() {
        let (group, here) = (Ipv4Addr::new(239, 7, 7, 7), Ipv4Addr::LOCALHOST);
        let member = UdpSocket::bind("0.0.0.0:0").await.unwrap();
        let target = SocketAddr::from((group, member.local_addr().unwrap().port()));
        let (sender, _) = socket().await;
        member.join_multicast_v4(group, here).unwrap();
        sender.send_to(b"one", target).await.unwrap();
        assert_eq!(receive(&member).await.unwrap(), b"one");

        member.leave_multicast_v4(group, here).unwrap();
        sender.send_to(b"too late", target).await.unwrap();
        pends(receive(&member)).await;
    }

    /// 123: over the loopback interface, members of the machine hear it whatever was set.
    async fn the_loop_of_a_group_does_not_matter_over_loopback() {
        let (group, here) = (Ipv4Addr::new(239, 7, 7, 7), Ipv4Addr::LOCALHOST);
        let member = UdpSocket::bind("0.0.0.0:0").await.unwrap();
        let target = SocketAddr::from((group, member.local_addr().unwrap().port()));
        member.join_multicast_v4(group, here).unwrap();
        let (sender, _) = socket().await;
        assert!(sender.multicast_loop_v4().unwrap());
        sender.set_multicast_loop_v4(false).unwrap();
        assert!(!sender.multicast_loop_v4().unwrap());
        sender.send_to(b"heard", target).await.unwrap();
        assert_eq!(receive(&member).await.unwrap(), b"heard");
        pends(receive(&member)).await;
    }

    /// 123.
    async fn who_is_in_a_group_is_kept_strictly() {
        let (group, here) = (Ipv4Addr::new(239, 7, 7, 7), Ipv4Addr::LOCALHOST);
        let member = UdpSocket::bind("0.0.0.0:0").await.unwrap();
        assert_eq!(code(member.join_multicast_v4(here, here)), INVALID);
        assert_eq!(code(member.leave_multicast_v4(group, here)), ADDRESS_NOT_AVAILABLE);
        member.join_multicast_v4(group, here).unwrap();
        assert_eq!(code(member.join_multicast_v4(group, here)), ADDRESS_IN_USE);
        member.leave_multicast_v4(group, here).unwrap();
        assert_eq!(code(member.leave_multicast_v4(group, here)), ADDRESS_NOT_AVAILABLE);
    }

    /// 124.
    async fn of_two_tasks_that_receive_each_gets_one() {
        let (one, other) = connected().await;
        let other = Rc::new(other);
        let tasks = [(); 2].map(|()| {
            let other = other.clone();
            spawn(async move { receive(&other).await.unwrap() })
        });
        settle().await;
        one.send(b"a").await.unwrap();
        one.send(b"b").await.unwrap();
        let [first, second] = tasks;
        let mut received = [first.await, second.await];
        received.sort_unstable();
        assert_eq!(received, [b"a", b"b"]);
    }

    /// 125.
    async fn a_port_is_free_again_when_its_socket_is_gone() {
        let (_guard, address) = nobody_there().await;
        for _ in 0..3 {
            assert_eq!(UdpSocket::bind(address).await.unwrap().local_addr().unwrap(), address);
        }
    }

    /// Options are kept.
    async fn a_ttl_from_1_to_255_is_kept() {
        let (one, _) = socket().await;
        assert_eq!(code(one.set_ttl(0)), INVALID);
        assert_eq!(code(one.set_ttl(256)), INVALID);
        one.set_ttl(9).unwrap();
        assert_eq!(one.ttl().unwrap(), 9);
    }

    /// Futures written by hand send and receive.
    async fn datagrams_are_polled_for() {
        use std::future::poll_fn;

        let ((one, from), (other, target)) = (socket().await, socket().await);
        let sent = poll_fn(|context| one.poll_send_to(context, b"abc", target)).await;
        assert_eq!(sent.unwrap(), 3);
        let mut buffer = [0; 8];
        let received = poll_fn(|context| other.poll_recv_from(context, &mut buffer)).await;
        assert_eq!(received.unwrap(), (3, from));
    }

    /// A socket of IPv4 has nothing to do with IPv6; the other way round, it has.
    async fn a_socket_takes_targets_of_its_family() {
        let (four, target) = socket().await;
        assert_eq!(code(four.send_to(b"x", "[::1]:80").await), FAMILY);
        assert_eq!(code(four.connect("[::1]:80").await), FAMILY);
        let six = UdpSocket::bind("[::]:0").await.unwrap();
        six.connect(target).await.unwrap();
        six.send(b"x").await.unwrap();
        assert_eq!(receive(&four).await.unwrap(), b"x");
    }
}
