//! Connecting: who is reached, and what is said when nobody is.

use std::net::{IpAddr, SocketAddr};

use parcae::net::{TcpListener, TcpSocket, TcpStream};
use parcae::time::timeout;

use crate::clock::HOUR;
use crate::net_ends::*;

conformance! {
    /// 1; L1.
    async fn a_connect_succeeds_though_nobody_accepts() {
        let (_listener, address) = listen().await;
        let stream = TcpStream::connect(address).await.unwrap();
        assert_eq!(stream.peer_addr().unwrap(), address);
    }

    /// 2.
    async fn addresses_of_both_ends_mirror_each_other() {
        let (client, server) = pair().await;
        assert_eq!(client.local_addr().unwrap(), server.peer_addr().unwrap());
        assert_eq!(client.peer_addr().unwrap(), server.local_addr().unwrap());
    }

    /// 3; L3.
    async fn a_connect_to_a_port_that_nobody_bound_is_refused() {
        let (_guard, nobody_there) = apart();
        assert_eq!(code(TcpStream::connect(nobody_there).await), REFUSED);
    }

    /// 4.
    async fn a_connect_to_a_port_that_is_bound_and_does_not_listen_is_refused() {
        let (_socket, address) = nobody();
        assert_eq!(code(TcpStream::connect(address).await), REFUSED);
    }

    /// 5.
    async fn a_connect_to_port_0_is_refused() {
        assert_eq!(code(TcpStream::connect("127.0.0.1:0").await), REFUSED);
    }

    /// 6.
    async fn the_wildcard_as_target_reaches_loopback() {
        let (listener, address) = listen().await;
        let client = TcpStream::connect(("0.0.0.0", address.port())).await.unwrap();
        let (_server, from) = listener.accept().await.unwrap();
        assert_eq!(client.peer_addr().unwrap(), address);
        assert_eq!(from.ip().to_string(), "127.0.0.1");
    }

    /// 7.
    async fn a_wildcard_listener_is_reached_at_every_loopback_address() {
        let listener = TcpListener::bind("0.0.0.0:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let client = TcpStream::connect(("127.3.2.1", port)).await.unwrap();
        let (server, _) = listener.accept().await.unwrap();
        assert_eq!(client.local_addr().unwrap().ip().to_string(), "127.0.0.1");
        assert_eq!(server.local_addr().unwrap(), SocketAddr::new([127, 3, 2, 1].into(), port));
    }

    /// 8; L23.
    async fn a_listener_at_one_loopback_address_is_not_at_the_others() {
        let (_listener, address) = listen().await;
        assert_eq!(code(TcpStream::connect(("127.0.0.2", address.port())).await), REFUSED);
    }

    /// 9.
    async fn a_connect_comes_from_the_address_that_its_socket_is_bound_to() {
        let (listener, target) = listen().await;
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind(address("127.0.0.5:0")).unwrap();
        let bound = socket.local_addr().unwrap();
        let stream = socket.connect(target).await.unwrap();
        assert_eq!(stream.local_addr().unwrap(), bound);
        assert_eq!(listener.accept().await.unwrap().1, bound);
        assert_eq!(bound.ip(), IpAddr::from([127, 0, 0, 5]));
    }

    /// 10.
    async fn a_connect_to_the_broadcast_address_finds_no_network() {
        assert_eq!(code(TcpStream::connect("255.255.255.255:80").await), NETWORK_UNREACHABLE);
    }

    /// 11.
    async fn a_socket_that_connects_to_itself_hears_itself() {
        let (socket, address) = nobody();
        let stream = socket.connect(address).await.unwrap();
        assert_eq!(stream.local_addr().unwrap(), stream.peer_addr().unwrap());
        write_all(&stream, b"echo").await;
        assert_eq!(read_exactly(&stream, 4).await, b"echo");
    }

    /// 12.
    async fn of_several_addresses_the_first_that_answers_is_used() {
        let (_one, nobody_there) = nobody();
        let (_listener, there) = listen().await;
        let (_another, another) = listen().await;
        let stream = TcpStream::connect(&[nobody_there, there, another][..]).await.unwrap();
        assert_eq!(stream.peer_addr().unwrap(), there);
    }

    /// 12.
    async fn of_several_addresses_the_error_of_the_last_one_is_told() {
        let (_one, nobody_there) = nobody();
        let none: SocketAddr = address("255.255.255.255:80");
        assert_eq!(code(TcpStream::connect(&[none, nobody_there][..]).await), REFUSED);
        assert_eq!(
            code(TcpStream::connect(&[nobody_there, none][..]).await),
            NETWORK_UNREACHABLE
        );
    }

    /// 13.
    async fn a_connect_to_no_address_is_no_valid_call() {
        let none: [SocketAddr; 0] = [];
        let error = TcpStream::connect(&none[..]).await.unwrap_err();
        assert_eq!(error.kind(), std::io::ErrorKind::InvalidInput);
    }

    /// 14.
    async fn a_dropped_connect_leaves_no_socket_and_frees_its_port() {
        let (listener, target) = listen_with(0);
        let first = connect_queued(target).await;
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind(address("127.0.0.1:0")).unwrap();
        let bound = socket.local_addr().unwrap();
        pends(socket.connect(target)).await;

        let again = TcpSocket::new_v4().unwrap();
        again.bind(bound).unwrap();
        drop((listener, first));
    }

    /// 14: nobody comes of it when the queue has room again.
    async fn a_connect_that_was_dropped_before_its_handshake_is_never_accepted() {
        let (listener, target) = listen_with(0);
        let first = connect_queued(target).await;
        pends(TcpStream::connect(target)).await;
        let (_server, from) = listener.accept().await.unwrap();
        assert_eq!(from, first.local_addr().unwrap());
        // What comes next is who connects now.
        let second = timeout(HOUR, TcpStream::connect(target)).await.unwrap().unwrap();
        let (_server, from) = listener.accept().await.unwrap();
        assert_eq!(from, second.local_addr().unwrap());
    }

    /// 15; L27. The range is a setting of the system: ports of a bind to 0 are in it, too.
    async fn connects_have_different_ports_of_the_ephemeral_range() {
        let (_listener, target) = listen().await;
        let one = TcpStream::connect(target).await.unwrap().local_addr().unwrap();
        let streams = [
            TcpStream::connect(target).await.unwrap(),
            TcpStream::connect(target).await.unwrap(),
        ];
        let [first, second] = streams.each_ref().map(|stream| stream.local_addr().unwrap().port());
        assert_ne!(first, second);
        for port in [one.port(), first, second, target.port()] {
            assert!(port >= 1024, "{port} is not ephemeral");
        }
    }

    /// 16.
    async fn streams_are_made_over_the_loopback_of_ipv6() {
        let listener = TcpListener::bind("[::1]:0").await.unwrap();
        let (client, server) = pair_at(&listener, listener.local_addr().unwrap()).await;
        write_all(&client, b"six").await;
        assert_eq!(read_exactly(&server, 3).await, b"six");
        assert!(client.local_addr().unwrap().is_ipv6());
    }

    /// 17.
    async fn a_dual_listener_shows_clients_of_ipv4_at_mapped_addresses() {
        let listener = TcpListener::bind("[::]:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let _client = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
        let (server, from) = listener.accept().await.unwrap();
        assert_eq!(from.ip().to_string(), "::ffff:127.0.0.1");
        assert_eq!(server.local_addr().unwrap().ip().to_string(), "::ffff:127.0.0.1");
    }

    /// 18.
    async fn a_listener_for_ipv6_only_refuses_ipv4() {
        let socket = TcpSocket::new_v6().unwrap();
        socket.set_only_v6(true).unwrap();
        socket.bind(address("[::]:0")).unwrap();
        let listener = socket.listen(5).unwrap();
        let port = listener.local_addr().unwrap().port();
        assert_eq!(code(TcpStream::connect(("127.0.0.1", port)).await), REFUSED);
        TcpStream::connect(("::1", port)).await.unwrap();
    }

    /// A socket is of one family, and has one address.
    async fn a_socket_takes_addresses_of_its_family_and_one_of_its_own() {
        let four = TcpSocket::new_v4().unwrap();
        assert_eq!(code(four.bind(address("[::1]:0"))), FAMILY);
        four.bind(address("127.0.0.1:0")).unwrap();
        assert_eq!(code(four.bind(address("127.0.0.1:0"))), INVALID);
        assert_eq!(code(four.connect(address("[::1]:80")).await), FAMILY);

        let (_listener, target) = listen().await;
        let six = TcpSocket::new_v6().unwrap();
        assert_eq!(code(six.connect(target).await), INVALID);
        let mapped = format!("[::ffff:127.0.0.1]:{}", target.port());
        let six = TcpSocket::new_v6().unwrap();
        six.connect(address(&mapped)).await.unwrap();
    }

    /// Streams go to one machine each.
    async fn a_connect_to_a_group_finds_no_network() {
        assert_eq!(code(TcpStream::connect("239.7.7.7:80").await), NETWORK_UNREACHABLE);
    }
}
