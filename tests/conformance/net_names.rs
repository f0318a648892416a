//! Names and texts of addresses.

use std::io::ErrorKind;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};

use parcae::net::{TcpListener, TcpStream, UdpSocket, lookup_host};

use crate::net_ends::*;

conformance! {
    /// 145.
    async fn a_numeric_host_needs_no_resolver() {
        let found: Vec<_> = lookup_host("192.0.2.7:80").await.unwrap().collect();
        assert_eq!(found, [address("192.0.2.7:80")]);
        let found: Vec<_> = lookup_host(("2001:db8::7", 80)).await.unwrap().collect();
        assert_eq!(found, [address("[2001:db8::7]:80")]);
        // The port is what stands behind the last colon.
        let found: Vec<_> = lookup_host("2001:db8::7:80").await.unwrap().collect();
        assert_eq!(found, [address("[2001:db8::7]:80")]);
        let (listener, target) = listen().await;
        let text = target.to_string();
        TcpStream::connect(text.as_str()).await.unwrap();
        TcpStream::connect(text).await.unwrap();
        drop(listener);
    }

    /// 146.
    async fn localhost_is_the_loopback() {
        let found: Vec<_> = lookup_host("localhost:80").await.unwrap().collect();
        assert!(!found.is_empty());
        assert!(found.iter().all(|found| found.ip().is_loopback() && found.port() == 80));
        let (_listener, target) = listen().await;
        let stream = TcpStream::connect(("localhost", target.port())).await.unwrap();
        assert_eq!(stream.peer_addr().unwrap(), target);
    }

    /// 147. The end of the text is that of the resolver, and depends on what there is to ask.
    async fn an_unknown_name_is_told() {
        for result in [
            lookup_host("nobody.invalid:80").await.map(|_| ()),
            TcpStream::connect("nobody.invalid:80").await.map(|_| ()),
        ] {
            let text = result.unwrap_err().to_string();
            assert!(text.starts_with("failed to lookup address information: "), "{text}");
        }
    }

    /// 148.
    async fn a_text_without_a_port_is_no_address() {
        for text in ["127.0.0.1", "localhost", ""] {
            let error = lookup_host(text).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidInput, "{text:?}: {error}");
        }
        let error = TcpListener::bind("127.0.0.1").await.unwrap_err();
        assert_eq!(error.to_string(), "invalid socket address");
    }

    /// 149.
    async fn a_port_has_16_bits() {
        for text in ["127.0.0.1:65536", "127.0.0.1:-1", "127.0.0.1:", "localhost:http"] {
            let error = lookup_host(text).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidInput, "{text:?}: {error}");
            assert_eq!(error.to_string(), "invalid port value");
        }
        assert_eq!(lookup_host("127.0.0.1:65535").await.unwrap().next().unwrap().port(), 65_535);
    }

    /// 150.
    async fn addresses_come_in_many_types() {
        let (_listener, target) = listen().await;
        let SocketAddr::V4(v4) = target else { panic!("it listens on IPv4") };
        let port = target.port();
        TcpStream::connect(target).await.unwrap();
        TcpStream::connect(v4).await.unwrap();
        let by_reference: &SocketAddr = &target;
        TcpStream::connect(by_reference).await.unwrap();
        TcpStream::connect((target.ip(), port)).await.unwrap();
        TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await.unwrap();
        TcpStream::connect(("127.0.0.1", port)).await.unwrap();
        TcpStream::connect(("127.0.0.1".to_owned(), port)).await.unwrap();
        TcpStream::connect([target]).await.unwrap();
        TcpStream::connect(vec![target]).await.unwrap();
        TcpStream::connect(&[target][..]).await.unwrap();
        let six = UdpSocket::bind((Ipv6Addr::LOCALHOST, 0)).await.unwrap();
        let SocketAddr::V6(v6) = six.local_addr().unwrap() else { panic!("it is of IPv6") };
        six.connect(v6).await.unwrap();
    }

    /// 150: all that are found are returned, in their order.
    async fn a_lookup_of_addresses_returns_them() {
        let addresses = [address("127.0.0.1:1"), address("[::1]:2"), address("127.0.0.1:1")];
        let found: Vec<_> = lookup_host(&addresses[..]).await.unwrap().collect();
        assert_eq!(found, addresses);
        assert_eq!(lookup_host(&addresses[..0]).await.unwrap().count(), 0);
    }
}
