//! UDP in simulations. Numbers are those of the conformance tests of sockets.

use std::future::poll_fn;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use super::super::super::network::Network as Fabric;
use super::*;
use crate::kernel::Ratio;
use crate::time::{sleep, timeout};
use crate::world::node::NodeId;
use crate::world::socket::{self, Socket};
use crate::world::state::with_state;
use crate::world::{self, Latency, LinkOptions, Overflow};

/// A socket of a test.
#[derive(Clone, Copy, Debug)]
struct Udp(SocketHandle);

impl Udp {
    fn bind(local: &str) -> io::Result<Self> {
        Self::bind_with(UdpOptions::default(), local)
    }

    fn bind_with(options: UdpOptions, local: &str) -> io::Result<Self> {
        udp_bind(options, address(local)).map(Self)
    }

    async fn send_to(self, target: &str, data: &[u8]) -> io::Result<usize> {
        let target = Some(address(target));
        poll_fn(|context| udp_poll_send(self.0, context.waker(), target, data)).await
    }

    async fn send(self, data: &[u8]) -> io::Result<usize> {
        poll_fn(|context| udp_poll_send(self.0, context.waker(), None, data)).await
    }

    async fn read(self, most: usize, how: Take) -> io::Result<(Vec<u8>, SocketAddr)> {
        let mut buffer = vec![0; most];
        let receive =
            poll_fn(|context| udp_poll_receive(self.0, context.waker(), &mut buffer, how));
        let (count, source) = receive.await?;
        buffer.truncate(count);
        Ok((buffer, source))
    }

    /// Receives the next datagram.
    async fn recv(self) -> io::Result<(Vec<u8>, SocketAddr)> {
        self.read(70_000, Take::Consume).await
    }

    /// The bytes of the next datagram; none within a second is none.
    async fn next(self) -> Option<Vec<u8>> {
        timeout(Duration::from_secs(1), self.recv()).await.ok().map(|read| read.unwrap().0)
    }

    fn connect(self, remote: &str) -> io::Result<()> {
        udp_connect(self.0, Some(address(remote)))
    }

    fn set(self, option: UdpOption) -> io::Result<()> {
        udp_set_option(self.0, option)
    }

    fn look<R>(self, look: impl FnOnce(&socket::Udp, &Fabric) -> R) -> R {
        with_state("test", |state, _| match state.sockets.get(self.0.key) {
            Some(Socket::Udp(udp)) => look(udp, &state.network),
            other => panic!("{other:?}"),
        })
    }

    fn local(self) -> String {
        self.look(|udp, network| udp.local_address(&network.addresses).to_string())
    }

    fn port(self) -> u16 {
        self.look(|udp, network| udp.local_address(&network.addresses).port())
    }

    fn close(self) {
        with_state("test", |state, driver| {
            let node = state.sockets.owner(self.0.key).unwrap().node;
            let (sockets, mut outside) = state.parts(driver);
            sockets.close_udp(&mut outside, node, self.0.key);
        });
    }

    fn take_error(self) -> Option<i32> {
        with_state("test", |state, _| match state.sockets.get_mut(self.0.key) {
            Some(Socket::Udp(udp)) => udp.take_error(),
            other => panic!("{other:?}"),
        })
    }
}

fn address(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

#[track_caller]
fn check_error<R: std::fmt::Debug>(result: io::Result<R>, code: i32) {
    assert_eq!(result.map_err(|error| error.raw_os_error()).unwrap_err(), Some(code));
}

/// Runs a program under some seeds, on a machine that is alone, and sees that no buffer is left over.
fn alone<F: Future<Output = ()> + 'static>(
    program: impl Fn() -> F + Clone + Send + Sync + 'static,
) {
    crate::check(SEEDS, program);
}

fn used_chunks() -> usize {
    with_state("test", |state, _| state.network.chunks.used_count())
}

#[test]
fn a_datagram_comes_with_its_source() {
    alone(|| async {
        let (a, b) = (Udp::bind("127.0.0.1:0").unwrap(), Udp::bind("127.0.0.1:7").unwrap());
        assert_eq!(a.send_to("127.0.0.1:7", b"hello").await.unwrap(), 5);
        let (bytes, source) = b.recv().await.unwrap();
        assert_eq!((bytes, source.to_string()), (b"hello".to_vec(), a.local()));
    });
}

#[test]
fn three_datagrams_keep_their_borders_and_a_small_buffer_clips() {
    alone(|| async {
        let (a, b) = (Udp::bind("127.0.0.1:0").unwrap(), Udp::bind("127.0.0.1:7").unwrap());
        for bytes in [&b"one"[..], b"", b"three"] {
            a.send_to("127.0.0.1:7", bytes).await.unwrap();
            sleep(Duration::from_millis(1)).await;
        }
        assert_eq!(b.read(9, Take::Peek).await.unwrap().0, b"one");
        assert_eq!(b.read(2, Take::Consume).await.unwrap().0, b"on");
        assert_eq!(b.recv().await.unwrap().0, b"");
        assert_eq!(b.recv().await.unwrap().0, b"three");
        assert_eq!(b.next().await, None, "the rest of what is clipped is gone");
    });
}

#[test]
fn a_datagram_has_a_greatest_size_and_comes_whole() {
    alone(|| async {
        let (a, b) = (Udp::bind("127.0.0.1:0").unwrap(), Udp::bind("127.0.0.1:7").unwrap());
        let data: Vec<u8> = (0..=65_528_u32).map(|place| place.to_le_bytes()[1] ^ 7).collect();
        assert_eq!(a.send_to("127.0.0.1:7", &data[..65_507]).await.unwrap(), 65_507);
        assert_eq!(b.next().await.as_deref(), Some(&data[..65_507]));
        check_error(a.send_to("127.0.0.1:7", &data[..65_508]).await, 90);
        let (a, b) = (Udp::bind("[::1]:0").unwrap(), Udp::bind("[::1]:7").unwrap());
        a.send_to("[::1]:7", &data[..65_527]).await.unwrap();
        assert_eq!(b.next().await.as_deref(), Some(&data[..65_527]));
        check_error(a.send_to("[::1]:7", &data[..65_528]).await, 90);
        assert_eq!(used_chunks(), 0);
    });
}

#[test]
fn what_has_no_target_or_peer_says_so() {
    alone(|| async {
        let socket = Udp::bind("0.0.0.0:0").unwrap();
        check_error(socket.send(b"x").await, 89);
        check_error(socket.send_to("127.0.0.1:0", b"x").await, 22);
        assert!(socket.look(|udp, network| udp.peer_address(&network.addresses).is_none()));
        check_error(socket.send_to("[::1]:7", b"x").await, 97);
        check_error(Udp::bind("192.0.2.1:0"), 99);
    });
}

#[test]
fn a_closed_port_is_told_to_who_is_connected_only_and_once() {
    alone(|| async {
        let open = Udp::bind("127.0.0.1:0").unwrap();
        for _ in 0..2 {
            open.send_to("127.0.0.1:7", b"x").await.unwrap();
            sleep(Duration::from_millis(1)).await;
        }
        assert_eq!(open.next().await, None);
        let socket = Udp::bind("127.0.0.1:0").unwrap();
        socket.connect("127.0.0.1:7").unwrap();
        let refused = || async {
            socket.send(b"x").await.unwrap();
            sleep(Duration::from_millis(1)).await;
        };
        refused().await;
        check_error(socket.send(b"x").await, 111);
        assert_eq!(socket.send(b"x").await.unwrap(), 1, "it is told once");
        check_error(socket.recv().await, 111);
        assert_eq!(socket.next().await, None);
        refused().await;
        assert_eq!(socket.take_error(), Some(111));
        socket.send(b"x").await.unwrap();
        assert_eq!(used_chunks(), 0);
    });
}

#[test]
fn a_refusal_wakes_who_waits_to_receive() {
    alone(|| async {
        let socket = Udp::bind("127.0.0.1:0").unwrap();
        socket.connect("127.0.0.1:7").unwrap();
        let waiting = crate::spawn(async move { socket.recv().await });
        sleep(Duration::from_millis(1)).await;
        socket.send(b"x").await.unwrap();
        check_error(waiting.await, 111);
    });
}

#[test]
fn a_connected_socket_hears_its_peer_alone_and_may_send_to_others() {
    alone(|| async {
        let ([a, b], c) = (
            ["127.0.0.1:1", "127.0.0.1:2"].map(|local| Udp::bind(local).unwrap()),
            Udp::bind("0.0.0.0:3").unwrap(),
        );
        b.send_to("127.0.0.1:3", b"before").await.unwrap();
        sleep(Duration::from_millis(1)).await;
        c.connect("127.0.0.1:1").unwrap();
        assert_eq!(c.local(), "127.0.0.1:3");
        b.send_to("127.0.0.1:3", b"stranger").await.unwrap();
        a.send_to("127.0.0.1:3", b"peer").await.unwrap();
        assert_eq!(c.next().await.unwrap(), b"before", "what was queued is read");
        assert_eq!(c.next().await.unwrap(), b"peer");
        assert_eq!(c.next().await, None);
        c.send_to("127.0.0.1:2", b"aside").await.unwrap();
        assert_eq!(b.next().await.unwrap(), b"aside");
        c.connect("127.0.0.1:2").unwrap();
        b.send_to("127.0.0.1:3", b"now heard").await.unwrap();
        a.send_to("127.0.0.1:3", b"not now").await.unwrap();
        assert_eq!((c.next().await.unwrap(), c.next().await), (b"now heard".to_vec(), None));
        udp_connect(c.0, None).unwrap();
        assert_eq!(c.local(), "0.0.0.0:3");
        a.send_to("127.0.0.1:3", b"again").await.unwrap();
        assert_eq!(c.next().await.unwrap(), b"again");
        check_error(c.send(b"x").await, 89);
    });
}

#[test]
fn a_full_receive_buffer_drops_what_comes() {
    for (size, kept) in [(0, 256), (200, 166), (1_000, 92), (60_000, 3)] {
        crate::check(2, move || async move {
            let (a, b) = (Udp::bind("127.0.0.1:0").unwrap(), Udp::bind("127.0.0.1:7").unwrap());
            for _ in 0..300 {
                a.send_to("127.0.0.1:7", &vec![0; size]).await.unwrap();
            }
            sleep(Duration::from_millis(1)).await;
            let mut count = 0;
            while b.next().await.is_some() {
                count += 1;
            }
            assert_eq!(count, kept, "of {size} bytes");
            assert_eq!(b.look(|udp, _| udp.dropped()), 300 - kept);
            a.send_to("127.0.0.1:7", b"room again").await.unwrap();
            assert!(b.next().await.is_some());
            assert_eq!(used_chunks(), 0);
        });
    }
}

#[test]
fn two_tasks_that_receive_get_one_each_and_a_cancelled_receive_loses_nothing() {
    alone(|| async {
        let (a, b) = (Udp::bind("127.0.0.1:0").unwrap(), Udp::bind("127.0.0.1:7").unwrap());
        let gone = crate::spawn(async move { b.recv().await });
        let readers = [(); 2].map(|()| crate::spawn(async move { b.recv().await.unwrap().0 }));
        crate::task::yield_now().await;
        drop(gone);
        a.send_to("127.0.0.1:7", b"1").await.unwrap();
        sleep(Duration::from_millis(1)).await;
        a.send_to("127.0.0.1:7", b"2").await.unwrap();
        let mut read = Vec::new();
        for reader in readers {
            read.push(reader.await);
        }
        read.sort();
        assert_eq!(read, [b"1", b"2"]);
    });
}

#[test]
fn the_last_one_bound_of_equals_gets_it() {
    alone(|| async {
        check_error(Udp::bind("127.0.0.1:7").and_then(|_| Udp::bind("127.0.0.1:7")), 98);
        let reuse = UdpOptions { reuse_address: true, only_v6: false };
        let first = Udp::bind_with(reuse, "127.0.0.1:8").unwrap();
        let second = Udp::bind_with(reuse, "127.0.0.1:8").unwrap();
        let wide = Udp::bind_with(reuse, "0.0.0.0:8").unwrap();
        let a = Udp::bind("127.0.0.1:0").unwrap();
        a.send_to("127.0.0.1:8", b"x").await.unwrap();
        assert_eq!(second.next().await.unwrap(), b"x", "the specific one before the wildcard");
        a.send_to("127.0.0.2:8", b"y").await.unwrap();
        assert_eq!(wide.next().await.unwrap(), b"y");
        first.connect(&a.local()).unwrap();
        a.send_to("127.0.0.1:8", b"z").await.unwrap();
        assert_eq!(first.next().await.unwrap(), b"z", "the connected one before all");
        check_error(Udp::bind("127.0.0.1:8"), 98);
        for socket in [first, second, wide] {
            socket.close();
        }
        assert!(Udp::bind("127.0.0.1:8").is_ok(), "closing frees the port");
    });
}

#[test]
fn a_wildcard_as_target_is_the_loopback() {
    alone(|| async {
        let (a, b) = (Udp::bind("0.0.0.0:0").unwrap(), Udp::bind("0.0.0.0:7").unwrap());
        a.send_to("0.0.0.0:7", b"x").await.unwrap();
        let (bytes, source) = b.recv().await.unwrap();
        assert_eq!((bytes, source), (b"x".to_vec(), SocketAddr::from(([127, 0, 0, 1], a.port()))));
        let specific = Udp::bind("127.0.0.1:8").unwrap();
        a.send_to("0.0.0.0:8", b"y").await.unwrap();
        assert_eq!(specific.next().await.unwrap(), b"y");
    });
}

#[test]
fn both_families_on_one_socket() {
    alone(|| async {
        let dual = Udp::bind("[::]:7").unwrap();
        let v4 = Udp::bind("127.0.0.1:8").unwrap();
        dual.send_to("[::ffff:127.0.0.1]:8", b"mapped").await.unwrap();
        let (bytes, source) = v4.recv().await.unwrap();
        assert_eq!((bytes, source.to_string()), (b"mapped".to_vec(), "127.0.0.1:7".into()));
        v4.send_to("127.0.0.1:7", b"back").await.unwrap();
        assert_eq!(dual.recv().await.unwrap().1.to_string(), "[::ffff:127.0.0.1]:8");
        let narrow =
            Udp::bind_with(UdpOptions { reuse_address: false, only_v6: true }, "[::]:9").unwrap();
        check_error(narrow.send_to("[::ffff:127.0.0.1]:8", b"x").await, 101);
        v4.send_to("127.0.0.1:9", b"not for IPv6 only").await.unwrap();
        assert_eq!(narrow.next().await, None);
        let wide = Udp::bind("0.0.0.0:9").unwrap();
        narrow.send_to("[::1]:9", b"not for IPv4").await.unwrap();
        assert_eq!(wide.next().await, None);
        assert_eq!(narrow.next().await.unwrap(), b"not for IPv4");
        check_error(Udp::bind("0.0.0.0:7"), 98);
    });
}

#[test]
fn broadcast_needs_the_flag_and_reaches_every_machine() {
    alone(|| async {
        let nodes = world::nodes("n", 3).idle();
        let listeners: Vec<_> = nodes
            .iter()
            .map(|node| node.spawn(async { Udp::bind("0.0.0.0:7").unwrap().next().await }))
            .collect();
        let deaf = nodes[0].spawn(async { Udp::bind("10.0.0.1:8").unwrap().next().await });
        let own = Udp::bind("0.0.0.0:7").unwrap();
        crate::task::yield_now().await;
        sleep(Duration::from_micros(1)).await;
        check_error(own.send_to("255.255.255.255:7", b"x").await, 13);
        own.set(UdpOption::Broadcast(true)).unwrap();
        own.send_to("255.255.255.255:7", &[7; 100]).await.unwrap();
        own.send_to("10.255.255.255:8", b"who is bound to an address hears none").await.unwrap();
        for listener in listeners {
            assert_eq!(listener.await.unwrap(), [7; 100]);
        }
        assert_eq!(own.next().await.unwrap(), [7; 100]);
        assert_eq!(deaf.await, None);
        assert_eq!(used_chunks(), 0);
    });
}

#[test]
fn a_group_reaches_its_members() {
    alone(|| async {
        let nodes = world::nodes("n", 2).idle();
        let latency = Latency::uniform(Duration::from_micros(50), Duration::from_millis(1));
        world::network().set_links(LinkOptions::lan().with_latency(latency));
        let listeners: Vec<_> = nodes
            .iter()
            .zip([true, false])
            .map(|(node, joins)| {
                node.spawn(async move {
                    let socket = Udp::bind("0.0.0.0:7").unwrap();
                    if joins {
                        udp_join(socket.0, group()).unwrap();
                    }
                    socket.next().await
                })
            })
            .collect();
        let own = Udp::bind("0.0.0.0:7").unwrap();
        udp_join(own.0, group()).unwrap();
        sleep(Duration::from_micros(1)).await;
        own.send_to("239.1.2.3:7", b"members").await.unwrap();
        assert_eq!(own.next().await.unwrap(), b"members", "it loops by default");
        sleep(Duration::from_millis(1)).await;
        own.set(UdpOption::MulticastLoopV4(false)).unwrap();
        own.send_to("239.1.2.3:7", b"others").await.unwrap();
        assert_eq!(own.next().await, None);
        let heard: Vec<_> = [listeners[0].is_finished(), listeners[1].is_finished()].into();
        assert_eq!(heard, [true, true]);
        let mut listeners = listeners.into_iter();
        assert_eq!(listeners.next().unwrap().await.unwrap(), b"members");
        assert_eq!(listeners.next().unwrap().await, None, "who has not joined");
        own.set(UdpOption::MulticastLoopV4(true)).unwrap();
        check_error(udp_join(own.0, group()), 98);
        check_error(udp_join(own.0, "10.0.0.1".parse().unwrap()), 22);
        udp_leave(own.0, group()).unwrap();
        check_error(udp_leave(own.0, group()), 99);
        own.send_to("239.1.2.3:7", b"nobody here").await.unwrap();
        assert_eq!(own.next().await, None);
        udp_join(own.0, group()).unwrap();
        own.close();
        assert!(with_state("test", |state, _| {
            let id = state.network.addresses.intern(group());
            state.network.groups.members(id).all(|node| node != NodeId::TEST)
        }));
    });
}

#[test]
fn machines_send_each_other_datagrams_through_loss_and_partitions() {
    alone(|| async {
        world::network().set_links(LinkOptions::lan().with_loss(Ratio::percent(20)));
        let echo = world::node("echo").start(echo);
        let socket = Udp::bind("0.0.0.0:0").unwrap();
        socket.connect("10.0.0.1:7").unwrap();
        assert_eq!(socket.local(), format!("10.255.0.1:{}", socket.port()));
        let mut asked = 0;
        loop {
            asked += 1;
            // It may be asked before it listens: then this, or the receive, is told so.
            drop(socket.send(b"ping").await);
            match timeout(Duration::from_secs(1), socket.recv()).await {
                Ok(Ok((bytes, _))) => break assert_eq!(bytes, b"ping"),
                Ok(Err(error)) => assert_eq!(error.raw_os_error(), Some(111)),
                Err(_) => assert!(asked < 100, "20 % loss each way"),
            }
        }
        world::network().set_links(LinkOptions::lan());
        let cut = world::partition("test", &echo);
        socket.send(b"lost").await.unwrap();
        assert_eq!((socket.next().await, cut.fired()), (None, 1));
        drop(cut);
        let hold = world::hold("test", "echo").one_way();
        socket.send(b"kept").await.unwrap();
        assert_eq!(socket.next().await, None);
        let kept = world::network().link("test", "echo").in_flight();
        assert_eq!(
            kept[0].summary().to_string(),
            format!("datagram {} -> 10.0.0.1:7, 32 bytes, is kept back", socket.local())
        );
        assert_eq!(hold.fired(), 1);
        hold.end();
        assert_eq!(socket.next().await.unwrap(), b"kept");
        assert_eq!(world::network().counters().held, 1);
        echo.power_off();
        socket.send(b"into the dark").await.unwrap();
        assert_eq!(socket.next().await, None);
        assert_eq!(world::network().counters().dead, 1);
    });
}

#[test]
fn an_address_of_nobody_is_unreachable_after_three_seconds() {
    alone(|| async {
        let socket = Udp::bind("0.0.0.0:0").unwrap();
        socket.connect("192.0.2.1:7").unwrap();
        socket.send(b"x").await.unwrap();
        let start = crate::time::Instant::now();
        check_error(socket.recv().await, 113);
        assert_eq!(start.elapsed(), Duration::from_secs(3));
    });
}

#[test]
fn a_loopback_address_does_not_reach_other_machines() {
    alone(|| async {
        world::node("other").idle();
        let socket = Udp::bind("127.0.0.1:0").unwrap();
        check_error(socket.send_to("10.0.0.1:7", b"x").await, 22);
        check_error(socket.connect("10.0.0.1:7"), 22);
        assert_eq!(socket.send_to("10.255.0.1:7", b"own address").await.unwrap(), 11);
    });
}

#[test]
fn a_link_that_holds_back_makes_a_sender_wait() {
    alone(|| async {
        let node = world::node("other").idle();
        let narrow =
            LinkOptions::perfect().with_bandwidth(100_000).with_queue(100, Overflow::BackPressure);
        world::network().set_links(narrow);
        let reader = node.spawn(async {
            let socket = Udp::bind("0.0.0.0:7").unwrap();
            let mut read = Vec::new();
            while read.len() < 4 {
                read.push(socket.recv().await.unwrap().0[0]);
            }
            read
        });
        let start = crate::time::Instant::now();
        let socket = Udp::bind("0.0.0.0:0").unwrap();
        for number in 0..4 {
            // 100 bytes with their headers: a millisecond each.
            socket.send_to("10.0.0.1:7", &[number; 72]).await.unwrap();
        }
        assert_eq!(start.elapsed(), Duration::from_millis(3));
        assert_eq!(reader.await, [0, 1, 2, 3]);
    });
}

#[test]
fn fragments_count_as_packets() {
    alone(|| async {
        world::node("other").idle();
        let socket = Udp::bind("0.0.0.0:0").unwrap();
        for (bytes, sent, size) in
            [(1_472, 1, 1_500), (1_473, 2, 1_521), (2_952, 2, 3_000), (2_953, 3, 3_021)]
        {
            let before = world::network().link("test", "other").counters();
            socket.send_to("10.0.0.1:7", &vec![0; bytes]).await.unwrap();
            let after = world::network().link("test", "other").counters();
            let counted = (after.sent - before.sent, after.sent_bytes - before.sent_bytes);
            assert_eq!(counted, (sent, size), "of {bytes} bytes");
        }
    });
}

#[test]
fn fragments_carry_multiples_of_8() {
    alone(|| async {
        world::node("other").idle();
        world::network().set_links(LinkOptions::lan().with_mtu(1_006));
        let socket = Udp::bind("0.0.0.0:0").unwrap();
        // 984 of the 986 bytes that would fit.
        for (bytes, sent) in [(1_960, 2), (1_961, 3)] {
            let before = world::network().link("test", "other").counters().sent;
            socket.send_to("10.0.0.1:7", &vec![0; bytes]).await.unwrap();
            let after = world::network().link("test", "other").counters().sent;
            assert_eq!(after - before, sent, "of {bytes} bytes");
        }
    });
}

#[test]
fn faults_act_in_their_directions_on_their_machines() {
    alone(|| async {
        world::nodes("n", 2).idle();
        let own = Udp::bind("0.0.0.0:7").unwrap();
        let delivered = |from: &str, to: &str| world::network().link(from, to).counters().delivered;
        let cut = world::partition("n-1", "test").one_way();
        own.send_to("10.0.0.1:9", b"there, and nobody has the port").await.unwrap();
        sleep(Duration::from_secs(1)).await;
        assert_eq!((delivered("test", "n-1"), delivered("n-1", "test")), (1, 0));
        assert_eq!(cut.fired(), 1, "the refusal");
        cut.end();
        let alone = world::isolate("n-1");
        for target in ["10.0.0.1:9", "10.0.0.2:9"] {
            own.send_to(target, b"x").await.unwrap();
        }
        sleep(Duration::from_secs(1)).await;
        assert_eq!((delivered("test", "n-1"), delivered("test", "n-2")), (1, 1));
        assert_eq!(alone.fired(), 1);
    });
}

#[test]
fn what_connect_has_chosen_is_sent_from() {
    alone(|| async {
        world::node("other").idle();
        let socket = Udp::bind("0.0.0.0:0").unwrap();
        socket.connect("127.0.0.1:7").unwrap();
        check_error(socket.send_to("10.0.0.1:7", b"x").await, 22);
        udp_connect(socket.0, None).unwrap();
        socket.send_to("10.0.0.1:7", b"x").await.unwrap();
    });
}

#[test]
fn a_time_to_live_is_between_1_and_255() {
    alone(|| async {
        let socket = Udp::bind("0.0.0.0:0").unwrap();
        check_error(socket.set(UdpOption::Ttl(0)), 22);
        check_error(socket.set(UdpOption::Ttl(256)), 22);
        socket.set(UdpOption::Ttl(255)).unwrap();
    });
}

#[test]
#[should_panic(expected = "a socket of `test` was used by a task of `other`")]
fn a_socket_is_used_by_its_own_machine() {
    alone(|| async {
        let socket = Udp::bind("0.0.0.0:0").unwrap();
        world::node("other").idle().spawn(async move { drop(socket.send(b"x").await) }).await;
    });
}

/// Sends back what it receives.
async fn echo() -> io::Result<()> {
    let socket = Udp::bind("0.0.0.0:7")?;
    loop {
        let (bytes, source) = socket.recv().await?;
        socket.send_to(&source.to_string(), &bytes).await?;
    }
}

fn group() -> IpAddr {
    "239.1.2.3".parse().unwrap()
}

const SEEDS: u64 = 20;
