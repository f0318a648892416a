//! Listening: the queue of those that connected, and who may have an address.

use std::rc::Rc;

use futures_lite::StreamExt as _;
use parcae::net::{Shutdown, TcpListener, TcpSocket, TcpStream};
use parcae::spawn;
use parcae::task::settle;
use parcae::time::timeout;

use crate::clock::HOUR;
use crate::net_ends::*;

/// Binds an address, with or without saying that it may be in use.
fn bind(address: std::net::SocketAddr, reuse: bool) -> std::io::Result<TcpSocket> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    socket.set_reuseaddr(reuse)?;
    socket.bind(address)?;
    Ok(socket)
}

/// As [`bind`], and listens there.
fn try_listen(address: std::net::SocketAddr, reuse: bool) -> std::io::Result<TcpListener> {
    bind(address, reuse)?.listen(8)
}

/// Ends a connection on the server's side first: what is left of it waits for a while there.
async fn end_server_first(client: TcpStream, server: TcpStream) {
    server.shutdown(Shutdown::Write).unwrap();
    assert_eq!(read_to_end(&client).await, b"");
    client.shutdown(Shutdown::Write).unwrap();
    assert_eq!(read_to_end(&server).await, b"");
}

/// As [`end_server_first`], on the client's side.
async fn end_client_first(client: TcpStream, server: TcpStream) {
    end_server_first(server, client).await;
}

/// Makes connections one after another, and ends each.
async fn connect_in_a_row(
    listener: &TcpListener,
    count: usize,
    end: impl AsyncFn(TcpStream, TcpStream),
) {
    let address = listener.local_addr().unwrap();
    for _ in 0..count {
        let (client, server) = pair_at(listener, address).await;
        end(client, server).await;
    }
}

conformance! {
    /// Whether an address may be shared is looked up when another socket binds it.
    async fn an_address_may_be_reused_if_both_say_so_however_late_the_first_one_does() {
        let first = bind(address("127.0.0.1:0"), false).unwrap();
        let address = first.local_addr().unwrap();
        assert_eq!(code(bind(address, true)), ADDRESS_IN_USE);
        first.set_reuseaddr(true).unwrap();
        assert_eq!(code(bind(address, false)), ADDRESS_IN_USE);
        let second = bind(address, true).unwrap();
        first.set_reuseaddr(false).unwrap();
        second.set_reuseaddr(false).unwrap();
        assert_eq!(code(bind(address, true)), ADDRESS_IN_USE);
    }

    /// 19; L2.
    async fn a_queue_holds_one_more_than_its_backlog_and_the_next_connect_waits() {
        for backlog in [0, 1, 2, 5] {
            let (_listener, address) = listen_with(backlog);
            let mut queued = Vec::new();
            for _ in 0..=backlog {
                queued.push(timeout(HOUR, connect_queued(address)).await.unwrap());
            }
            pends(TcpStream::connect(address)).await;
        }
    }

    /// 20.
    async fn a_connect_that_waits_goes_on_when_a_connection_is_accepted() {
        let (listener, address) = listen_with(0);
        let first = connect_queued(address).await;
        let mut second = Box::pin(TcpStream::connect(address));
        still_pends(second.as_mut()).await;
        let (_one, from) = listener.accept().await.unwrap();
        assert_eq!(from, first.local_addr().unwrap());
        let second = second.await.unwrap();
        assert_eq!(listener.accept().await.unwrap().1, second.local_addr().unwrap());
    }

    /// 21; L4.
    async fn a_dropped_listener_resets_what_is_in_its_queue() {
        let (listener, address) = listen().await;
        let client = TcpStream::connect(address).await.unwrap();
        drop(listener);
        assert_eq!(code(read(&client, 1).await), RESET);
        assert_eq!(read(&client, 1).await.unwrap(), b"");
        assert_eq!(code(write(&client, b"x").await), PIPE);
    }

    /// 22; L4.
    async fn a_connect_to_a_listener_that_is_gone_is_refused() {
        let (_guard, address) = apart();
        let listener = TcpListener::bind(address).await.unwrap();
        let _client = TcpStream::connect(address).await.unwrap();
        drop(listener);
        assert_eq!(code(TcpStream::connect(address).await), REFUSED);
    }

    /// 23.
    async fn accepted_streams_outlive_their_listener() {
        let (listener, address) = listen().await;
        let (client, server) = pair_at(&listener, address).await;
        drop(listener);
        write_all(&client, b"to").await;
        assert_eq!(read_exactly(&server, 2).await, b"to");
        write_all(&server, b"fro").await;
        assert_eq!(read_exactly(&client, 3).await, b"fro");
    }

    /// 24; L12.
    async fn a_client_that_closed_in_the_queue_is_accepted_and_what_it_wrote_is_read() {
        let (listener, address) = listen().await;
        let client = TcpStream::connect(address).await.unwrap();
        write_all(&client, b"bye").await;
        drop(client);
        let (server, _) = listener.accept().await.unwrap();
        assert_eq!(read_to_end(&server).await, b"bye");
    }

    /// 25; L12.
    async fn a_client_that_reset_in_the_queue_is_accepted_and_reading_says_so() {
        let (listener, address) = listen().await;
        let client = TcpStream::connect(address).await.unwrap();
        client.set_linger(Some(std::time::Duration::ZERO)).unwrap();
        drop(client);
        let (server, _) = listener.accept().await.unwrap();
        until_reset(&server).await;
        assert_eq!(code(server.peer_addr()), NOT_CONNECTED);
        assert_eq!(code(read(&server, 1).await), RESET);
        assert_eq!(read(&server, 1).await.unwrap(), b"");
        assert_eq!(code(write(&server, b"x").await), PIPE);
    }

    /// 26.
    async fn connections_are_accepted_in_the_order_in_which_they_were_made() {
        let (listener, address) = listen().await;
        let mut clients = Vec::new();
        for _ in 0..5 {
            clients.push(connect_queued(address).await);
        }
        for client in &clients {
            assert_eq!(listener.accept().await.unwrap().1, client.local_addr().unwrap());
        }
    }

    /// 27.
    async fn a_cancelled_accept_loses_nobody() {
        let (listener, address) = listen().await;
        pends(listener.accept()).await;
        let client = TcpStream::connect(address).await.unwrap();
        // Dropped without a poll, and polled at last.
        drop(listener.accept());
        assert_eq!(listener.accept().await.unwrap().1, client.local_addr().unwrap());
    }

    /// 28.
    async fn of_two_tasks_that_accept_each_gets_one() {
        let (listener, address) = listen().await;
        let listener = Rc::new(listener);
        let tasks = [(); 2].map(|()| {
            let listener = listener.clone();
            spawn(async move { listener.accept().await.unwrap().1 })
        });
        settle().await;
        let one = TcpStream::connect(address).await.unwrap().local_addr().unwrap();
        let two = TcpStream::connect(address).await.unwrap().local_addr().unwrap();
        let [first, second] = tasks;
        let mut accepted = [first.await, second.await];
        accepted.sort_unstable();
        let mut made = [one, two];
        made.sort_unstable();
        assert_eq!(accepted, made);
    }

    /// 29.
    async fn a_server_may_speak_first() {
        let (listener, address) = listen().await;
        let server = spawn(async move {
            let (server, _) = listener.accept().await.unwrap();
            write_all(&server, b"welcome").await;
        });
        let client = TcpStream::connect(address).await.unwrap();
        assert_eq!(read_to_end(&client).await, b"welcome");
        server.await;
    }

    /// 30.
    async fn a_hundred_clients_connect_at_once() {
        let (listener, address) = listen().await;
        let clients: Vec<_> = (0..100_u8)
            .map(|number| {
                spawn(async move {
                    let client = TcpStream::connect(address).await.unwrap();
                    write_all(&client, &[number]).await;
                    read_exactly(&client, 1).await[0]
                })
            })
            .collect();
        let mut incoming = listener.incoming();
        let mut servers = Vec::new();
        for _ in 0..100 {
            let server = incoming.next().await.unwrap().unwrap();
            servers.push(spawn(async move {
                let heard = read_exactly(&server, 1).await;
                write_all(&server, &heard).await;
                assert_eq!(read_to_end(&server).await, b"");
            }));
        }
        for (number, client) in (0..).zip(clients) {
            assert_eq!(client.await, number);
        }
        for server in servers {
            server.await;
        }
    }

    /// 31.
    async fn a_port_that_is_taken_cannot_be_bound() {
        let (_socket, taken) = nobody();
        assert_eq!(code(bind(taken, false)), ADDRESS_IN_USE);
        assert_eq!(code(bind(taken, true)), ADDRESS_IN_USE);
    }

    /// 32.
    async fn a_port_with_a_listener_cannot_be_bound_whatever_both_said() {
        let (_listener, taken) = listen().await;
        assert_eq!(code(bind(taken, true)), ADDRESS_IN_USE);
        assert_eq!(code(TcpListener::bind(taken).await), ADDRESS_IN_USE);
    }

    /// 33.
    async fn a_port_that_is_only_bound_is_shared_by_those_who_said_so_until_one_listens() {
        let (_guard, address) = apart();
        let one = bind(address, true).unwrap();
        let another = bind(address, true).unwrap();
        let _listener = another.listen(1).unwrap();
        assert_eq!(code(one.listen(1)), ADDRESS_IN_USE);
    }

    /// 34; L21.
    async fn the_wildcard_overlaps_each_address() {
        let (_listener, specific) = listen().await;
        let wildcard = format!("0.0.0.0:{}", specific.port());
        assert_eq!(code(TcpListener::bind(wildcard.as_str()).await), ADDRESS_IN_USE);

        let listener = TcpListener::bind("0.0.0.0:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        assert_eq!(code(TcpListener::bind(("127.0.0.1", port)).await), ADDRESS_IN_USE);
    }

    /// 35; L22.
    async fn the_wildcard_of_ipv6_overlaps_that_of_ipv4() {
        let listener = TcpListener::bind("0.0.0.0:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        assert_eq!(code(TcpListener::bind(("::", port)).await), ADDRESS_IN_USE);

        let listener = TcpListener::bind("[::]:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        assert_eq!(code(TcpListener::bind(("0.0.0.0", port)).await), ADDRESS_IN_USE);
        assert_eq!(code(TcpListener::bind(("127.0.0.1", port)).await), ADDRESS_IN_USE);
    }

    /// 36.
    async fn a_socket_for_ipv6_only_stands_beside_one_of_ipv4() {
        // A port that is free for both is tried until it is.
        loop {
            let one = TcpListener::bind("0.0.0.0:0").await.unwrap();
            let port = one.local_addr().unwrap().port();
            let socket = TcpSocket::new_v6().unwrap();
            socket.set_only_v6(true).unwrap();
            match socket.bind(address(&format!("[::]:{port}"))) {
                Ok(()) => {
                    let two = socket.listen(1).unwrap();
                    let (client, _) = pair_at(&two, address(&format!("[::1]:{port}"))).await;
                    assert!(client.local_addr().unwrap().is_ipv6());
                    let (client, _) = pair_at(&one, address(&format!("127.0.0.1:{port}"))).await;
                    assert!(client.local_addr().unwrap().is_ipv4());
                    return;
                }
                Err(error) => {
                    let somebody = TcpListener::bind(("::1", port)).await;
                    assert!(somebody.is_err(), "nobody has it, and yet: {error}");
                }
            }
        }
    }

    /// 37; L23.
    async fn two_addresses_have_their_ports_for_themselves() {
        let (guard, one) = apart();
        let other = guard.local_addr().unwrap();
        let other = format!("127.7.7.8:{}", other.port());
        let _one = TcpListener::bind(one).await.unwrap();
        TcpListener::bind(other.as_str()).await.unwrap();
    }

    /// 38; L24.
    async fn an_address_with_a_live_connection_is_bound_again_by_those_who_say_so() {
        let (_guard, address) = apart();
        let listener = try_listen(address, true).unwrap();
        let (client, server) = pair_at(&listener, address).await;
        drop(listener);
        assert_eq!(code(try_listen(address, false)), ADDRESS_IN_USE);
        let again = try_listen(address, true).unwrap();
        let (_, other) = pair_at(&again, address).await;
        // The old connection is not mixed up with the new one.
        write_all(&client, b"old").await;
        assert_eq!(read_exactly(&server, 3).await, b"old");
        drop(other);
    }

    /// 38: the first listener has to have said so, too.
    async fn a_live_connection_of_a_listener_that_did_not_say_so_keeps_the_address() {
        let (_guard, address) = apart();
        let listener = try_listen(address, false).unwrap();
        let _ends = pair_at(&listener, address).await;
        drop(listener);
        assert_eq!(code(try_listen(address, true)), ADDRESS_IN_USE);
    }

    /// 39; L24.
    async fn an_address_whose_connection_has_just_ended_is_bound_again_by_those_who_say_so() {
        let (_guard, address) = apart();
        let listener = try_listen(address, true).unwrap();
        connect_in_a_row(&listener, 1, end_server_first).await;
        drop(listener);
        assert_eq!(code(try_listen(address, false)), ADDRESS_IN_USE);
        try_listen(address, true).unwrap();
    }

    /// 39: the first listener has to have said so, too.
    async fn what_is_left_of_a_connection_whose_listener_did_not_say_so_keeps_the_address() {
        let (_guard, address) = apart();
        let listener = try_listen(address, false).unwrap();
        connect_in_a_row(&listener, 1, end_server_first).await;
        drop(listener);
        assert_eq!(code(try_listen(address, true)), ADDRESS_IN_USE);
    }

    /// 38, 39; L24: what `TcpListener::bind` does.
    async fn a_server_that_is_started_again_has_its_address_at_once() {
        let (_guard, address) = apart();
        for _ in 0..3 {
            let listener = TcpListener::bind(address).await.unwrap();
            connect_in_a_row(&listener, 1, end_server_first).await;
        }
    }

    /// 40; L25. 192.0.2.0/24 is for documentation: no machine has it.
    async fn a_foreign_address_cannot_be_bound() {
        let error = TcpListener::bind("192.0.2.1:0").await.unwrap_err();
        assert_eq!(error.raw_os_error(), Some(ADDRESS_NOT_AVAILABLE));
        assert_eq!(error.to_string(), "Cannot assign requested address (os error 99)");
        assert_eq!(error.kind(), std::io::ErrorKind::AddrNotAvailable);
    }

    /// 41.
    async fn a_port_is_free_again_when_its_listener_is_gone() {
        let (_guard, address) = apart();
        for _ in 0..3 {
            let listener = try_listen(address, false).unwrap();
            assert_eq!(listener.local_addr().unwrap(), address);
        }
    }

    /// 42.
    async fn connections_one_after_another_whose_server_ends_first_do_not_run_out_of_ports() {
        connect_in_a_row(&listen().await.0, 200, end_server_first).await;
    }

    /// 43.
    async fn connections_one_after_another_whose_client_ends_first_do_not_run_out_of_ports() {
        connect_in_a_row(&listen().await.0, 200, end_client_first).await;
    }

    /// 44.
    async fn a_listener_keeps_a_ttl_from_1_to_255() {
        let (listener, _) = listen().await;
        assert_eq!(code(listener.set_ttl(0)), INVALID);
        assert_eq!(code(listener.set_ttl(256)), INVALID);
        for ttl in [1, 64, 255] {
            listener.set_ttl(ttl).unwrap();
            assert_eq!(listener.ttl().unwrap(), ttl);
        }
    }

    /// 45.
    async fn a_listener_at_port_0_has_a_port() {
        let (listener, _) = listen().await;
        let address = listener.local_addr().unwrap();
        assert_eq!(address.ip().to_string(), "127.0.0.1");
        assert_ne!(address.port(), 0);
    }
}

/// 42, 43: more than half of the ports that one side has, whose remains are kept for a while. On the kernel
/// this succeeds as well, but takes these ports away from other programs for a minute; a second run of the
/// tests would feel it.
#[cfg(feature = "simulation")]
#[test]
fn more_connections_than_half_of_the_ports_do_not_run_out_of_them() {
    use parcae::Sim;
    use parcae::explore::Strategy;

    let fifo = Sim::builder().strategy(Strategy::Fifo).build().unwrap();
    fifo.run(|| async {
        connect_in_a_row(&listen().await.0, 16_385, end_server_first).await;
        connect_in_a_row(&listen().await.0, 16_385, end_client_first).await;
    })
    .unwrap();
}
