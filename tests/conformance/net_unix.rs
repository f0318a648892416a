//! Sockets within a machine.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use futures_lite::StreamExt as _;
use futures_lite::future::zip;
use parcae::net::{Shutdown, UnixDatagram, UnixListener, UnixStream, unix_remove};
use parcae::spawn;
use parcae::time::{sleep, timeout};

use crate::clock::{HOUR, beats};
use crate::net_ends::*;

/// A path of its own, which is removed when this is dropped.
#[derive(Debug)]
struct OwnPath(PathBuf);

impl OwnPath {
    fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("parcae-{}-{number}.socket", std::process::id());
        Self(std::env::temp_dir().join(name))
    }
}

impl AsRef<Path> for OwnPath {
    fn as_ref(&self) -> &Path {
        &self.0
    }
}

impl Drop for OwnPath {
    fn drop(&mut self) {
        // It may not have come to be.
        drop(unix_remove(&self.0));
    }
}

/// Both ends of a connection over a path.
async fn pair_at(path: &OwnPath) -> (UnixStream, UnixStream, UnixListener) {
    let listener = UnixListener::bind(path).unwrap();
    let client = UnixStream::connect(path).await.unwrap();
    let (server, _) = listener.accept().await.unwrap();
    (client, server, listener)
}

async fn receive(socket: &UnixDatagram) -> std::io::Result<Vec<u8>> {
    let mut buffer = vec![0; 1 << 16];
    let size = socket.recv(&mut buffer).await?;
    buffer.truncate(size);
    Ok(buffer)
}

conformance! {
    /// 126.
    async fn a_connect_to_no_path_finds_nothing() {
        let path = OwnPath::new();
        assert_eq!(code(UnixStream::connect(&path).await), NO_ENTRY);
    }

    /// 127.
    async fn a_connect_to_a_path_whose_socket_does_not_listen_is_refused() {
        let path = OwnPath::new();
        let _socket = UnixDatagram::bind(&path).unwrap();
        let refused = verdict(UnixStream::connect(&path).await).unwrap_err();
        assert!(matches!(refused, REFUSED | PROTOTYPE), "{refused}");
    }

    /// 128.
    async fn a_connect_to_a_path_whose_listener_is_gone_is_refused() {
        let path = OwnPath::new();
        drop(UnixListener::bind(&path).unwrap());
        assert_eq!(code(UnixStream::connect(&path).await), REFUSED);
    }

    /// 129.
    async fn a_path_that_exists_cannot_be_bound() {
        let path = OwnPath::new();
        let listener = UnixListener::bind(&path).unwrap();
        assert_eq!(code(UnixListener::bind(&path)), ADDRESS_IN_USE);
        drop(listener);
        assert_eq!(code(UnixListener::bind(&path)), ADDRESS_IN_USE, "its file stays");
        assert_eq!(code(UnixDatagram::bind(&path)), ADDRESS_IN_USE);
        unix_remove(&path).unwrap();
        assert_eq!(code(unix_remove(&path)), NO_ENTRY);
        UnixListener::bind(&path).unwrap();
    }

    /// 130.
    async fn who_listens_has_a_name_and_who_connects_has_none() {
        let path = OwnPath::new();
        let listener = UnixListener::bind(&path).unwrap();
        let client = UnixStream::connect(&path).await.unwrap();
        let (server, from) = listener.accept().await.unwrap();
        assert!(from.is_unnamed());
        for address in [client.local_addr(), server.peer_addr()] {
            assert_eq!(address.unwrap().path(), None);
        }
        for address in [client.peer_addr(), server.local_addr(), listener.local_addr()] {
            assert_eq!(address.unwrap().path(), Some(path.as_ref()));
        }
    }

    /// 131.
    async fn bytes_flow_both_ways_and_each_way_ends_for_itself() {
        let path = OwnPath::new();
        let (client, server, _listener) = pair_at(&path).await;
        write_all(&client, b"question").await;
        client.shutdown(Shutdown::Write).unwrap();
        assert_eq!(read_to_end(&server).await, b"question");
        write_all(&server, b"answer").await;
        drop(server);
        assert_eq!(read_to_end(&client).await, b"answer");
    }

    /// 132.
    async fn a_peer_that_closed_has_said_all_and_hears_nothing() {
        let (one, other) = UnixStream::pair().unwrap();
        write_all(&one, b"bye").await;
        drop(one);
        assert_eq!(read(&other, 8).await.unwrap(), b"bye");
        assert_eq!(read(&other, 8).await.unwrap(), b"");
        assert_eq!(code(write(&other, b"x").await), PIPE);
        assert_eq!(code(write(&other, b"x").await), PIPE);
        assert_eq!(read(&other, 8).await.unwrap(), b"");
    }

    /// 133.
    async fn a_peer_that_goes_with_something_unread_resets() {
        let (one, other) = UnixStream::pair().unwrap();
        write_all(&other, b"?").await;
        write_all(&one, b"last words").await;
        drop(one);
        assert_eq!(read(&other, 100).await.unwrap(), b"last words");
        assert_eq!(code(read(&other, 8).await), RESET);
        assert_eq!(read(&other, 8).await.unwrap(), b"");
    }

    /// 133: unlike over TCP, only reading tells of it.
    async fn a_writer_does_not_learn_that_the_peer_went_with_something_unread() {
        let (one, other) = UnixStream::pair().unwrap();
        write_all(&other, b"?").await;
        drop(one);
        let first = verdict(write(&other, b"x").await);
        let second = verdict(write(&other, b"x").await);
        let read = verdict(read(&other, 8).await);
        assert_eq!((first, second, read), (Err(PIPE), Err(PIPE), Err(RESET)));
    }

    /// 134.
    async fn nothing_is_written_after_the_own_shutdown() {
        let (one, _other) = UnixStream::pair().unwrap();
        for _ in 0..2 {
            one.shutdown(Shutdown::Write).unwrap();
        }
        assert_eq!(code(write(&one, b"x").await), PIPE);
    }

    /// 135.
    async fn a_queue_holds_one_more_than_its_backlog_and_the_next_connect_waits() {
        for backlog in [0, 1, 2, 5] {
            let path = OwnPath::new();
            let listener = UnixListener::bind_with_backlog(&path, backlog).unwrap();
            let mut queued = Vec::new();
            for _ in 0..=backlog {
                queued.push(UnixStream::connect(&path).await.unwrap());
            }
            let mut next = Box::pin(UnixStream::connect(&path));
            still_pends(next.as_mut()).await;
            listener.accept().await.unwrap();
            timeout(HOUR, next).await.unwrap().unwrap();
        }
    }

    /// 135: who waits goes on by itself.
    async fn a_connect_that_waits_goes_on_when_a_connection_is_accepted() {
        let path = OwnPath::new();
        let listener = UnixListener::bind_with_backlog(&path, 0).unwrap();
        let _first = UnixStream::connect(&path).await.unwrap();
        let target = path.0.clone();
        let second = spawn(async move { UnixStream::connect(target).await.unwrap() });
        sleep(beats(1)).await;
        listener.accept().await.unwrap();
        timeout(HOUR, second).await.unwrap();
        listener.accept().await.unwrap();
    }

    /// 136: and who waits to get in is refused.
    async fn a_connect_that_waits_is_refused_when_the_listener_goes() {
        let path = OwnPath::new();
        let listener = UnixListener::bind_with_backlog(&path, 0).unwrap();
        let _first = UnixStream::connect(&path).await.unwrap();
        let target = path.0.clone();
        let second = spawn(async move { code(UnixStream::connect(target).await) });
        sleep(beats(1)).await;
        drop(listener);
        assert_eq!(timeout(HOUR, second).await.unwrap(), REFUSED);
    }

    /// 136.
    async fn a_dropped_listener_resets_what_is_in_its_queue() {
        let path = OwnPath::new();
        let listener = UnixListener::bind(&path).unwrap();
        let client = UnixStream::connect(&path).await.unwrap();
        drop(listener);
        assert_eq!(code(read(&client, 8).await), RESET);
        assert_eq!(read(&client, 8).await.unwrap(), b"");
        assert_eq!(code(write(&client, b"x").await), PIPE);
    }

    /// 137.
    async fn a_peer_that_does_not_read_makes_the_writer_wait() {
        let (one, other) = UnixStream::pair().unwrap();
        let mut total = 0;
        let data = pattern(1 << 14);
        while let Ok(count) = timeout(beats(1), write(&one, &data)).await {
            total += count.unwrap();
            assert!(total < 64 << 20, "it takes without end");
        }
        assert!(total >= 4 << 10, "it takes no more than {total}");
        assert_eq!(code(one.try_write(&data)), AGAIN);
        drop(one);
        assert_eq!(read_to_end(&other).await.len(), total);
    }

    /// 138.
    async fn halves_read_and_write_at_once() {
        let (mut one, other) = UnixStream::pair().unwrap();
        let (reader, writer) = one.split();
        write_all(writer, b"ab").await;
        assert_eq!(read_exactly(&other, 2).await, b"ab");
        write_all(&other, b"cd").await;
        assert_eq!(read_exactly(reader, 2).await, b"cd");

        let (reader, writer) = one.into_split();
        let echo = spawn(async move {
            let heard = read_to_end(&other).await;
            write_all(&other, &heard).await;
        });
        let writing = async move { write_all(writer, b"echo").await };
        let (heard, ()) = zip(read_to_end(reader), writing).await;
        assert_eq!(heard, b"echo");
        echo.await;
    }

    /// 138.
    async fn halves_are_put_together_again() {
        let (one, other) = UnixStream::pair().unwrap();
        let (reader, writer) = one.into_split();
        let (other_reader, other_writer) = other.into_split();
        let error = reader.reunite(other_writer).unwrap_err();
        let one = error.0.reunite(writer).unwrap();
        let other = other_reader.reunite(error.1).unwrap();
        write_all(&one, b"x").await;
        assert_eq!(read_exactly(&other, 1).await, b"x");
    }

    /// 139.
    async fn datagrams_keep_their_borders() {
        let (one, other) = UnixDatagram::pair().unwrap();
        for word in [&b"a"[..], b"", b"abcdef", b"next"] {
            assert_eq!(one.send(word).await.unwrap(), word.len());
        }
        assert_eq!(receive(&other).await.unwrap(), b"a");
        assert_eq!(receive(&other).await.unwrap(), b"");
        let mut buffer = [0; 2];
        assert_eq!(other.recv(&mut buffer).await.unwrap(), 2);
        assert_eq!(receive(&other).await.unwrap(), b"next");
        assert_eq!(code(other.try_recv(&mut buffer)), AGAIN);
    }

    /// 139: and say where they are from.
    async fn datagrams_say_which_path_they_are_from() {
        let (path, target) = (OwnPath::new(), OwnPath::new());
        let one = UnixDatagram::bind(&path).unwrap();
        let other = UnixDatagram::bind(&target).unwrap();
        let nameless = UnixDatagram::unbound().unwrap();
        one.send_to(b"ab", &target).await.unwrap();
        nameless.send_to(b"c", &target).await.unwrap();
        let mut buffer = [0; 8];
        let (size, from) = other.recv_from(&mut buffer).await.unwrap();
        assert_eq!((size, from.path()), (2, Some(path.as_ref())));
        let (size, from) = other.recv_from(&mut buffer).await.unwrap();
        assert_eq!((size, from.path()), (1, None));
    }

    /// 140.
    async fn a_socket_without_a_peer_cannot_send_without_a_target() {
        let one = UnixDatagram::unbound().unwrap();
        assert_eq!(code(one.send(b"x").await), NOT_CONNECTED);
        assert_eq!(code(one.peer_addr()), NOT_CONNECTED);
    }

    /// 141.
    async fn a_datagram_to_a_path_without_its_like_fails() {
        let (none, stale, streams) = (OwnPath::new(), OwnPath::new(), OwnPath::new());
        drop(UnixDatagram::bind(&stale).unwrap());
        let _listener = UnixListener::bind(&streams).unwrap();
        let one = UnixDatagram::unbound().unwrap();
        let expected = [(&none, NO_ENTRY), (&stale, REFUSED), (&streams, PROTOTYPE)];
        for (path, expected) in expected {
            assert_eq!(code(one.send_to(b"x", path).await), expected);
            assert_eq!(code(one.connect(path)), expected);
        }
    }

    /// 142. How large is a setting of the system.
    async fn a_datagram_that_is_too_large_is_refused() {
        let (one, _other) = UnixDatagram::pair().unwrap();
        assert_eq!(code(one.send(&vec![0; 16 << 20]).await), MESSAGE_SIZE);
    }

    /// 143.
    async fn a_full_receiver_makes_the_sender_wait() {
        let (one, other) = UnixDatagram::pair().unwrap();
        let mut count = 0;
        while timeout(beats(1), one.send(b"x")).await.is_ok() {
            count += 1;
        }
        assert!(count >= 1);
        assert_eq!(code(one.try_send(b"x")), AGAIN);
        let mut next = Box::pin(one.send(b"last"));
        still_pends(next.as_mut()).await;
        for _ in 0..count {
            assert_eq!(receive(&other).await.unwrap(), b"x");
        }
        assert_eq!(next.await.unwrap(), 4);
        assert_eq!(receive(&other).await.unwrap(), b"last");
    }

    /// 143: one that is not the peer, too.
    async fn a_full_receiver_at_a_path_makes_the_sender_wait() {
        let path = OwnPath::new();
        let other = UnixDatagram::bind(&path).unwrap();
        let one = UnixDatagram::unbound().unwrap();
        let mut count = 0;
        while timeout(beats(1), one.send_to(b"x", &path)).await.is_ok() {
            count += 1;
        }
        let mut next = Box::pin(one.send_to(b"last", &path));
        still_pends(next.as_mut()).await;
        for _ in 0..count {
            assert_eq!(receive(&other).await.unwrap(), b"x");
        }
        assert_eq!(next.await.unwrap(), 4);
    }

    /// 143: who waits goes on by itself.
    async fn a_send_that_waits_goes_on_when_there_is_room() {
        let path = OwnPath::new();
        let other = UnixDatagram::bind(&path).unwrap();
        let (one, filler) = (UnixDatagram::unbound().unwrap(), UnixDatagram::unbound().unwrap());
        while filler.try_send_to(b"x", &path).is_ok() {}
        let target = path.0.clone();
        let next = spawn(async move { one.send_to(b"last", target).await.unwrap() });
        sleep(beats(1)).await;
        receive(&other).await.unwrap();
        assert_eq!(timeout(HOUR, next).await.unwrap(), 4);
    }

    /// 144.
    async fn a_socket_whose_peer_is_gone_learns_of_it_once() {
        let (one, other) = UnixDatagram::pair().unwrap();
        drop(other);
        assert_eq!(code(one.send(b"x").await), REFUSED);
        assert_eq!(code(one.send(b"x").await), NOT_CONNECTED);
    }

    /// Connections come as a stream, in their order.
    async fn connections_come_as_a_stream() {
        let path = OwnPath::new();
        let listener = UnixListener::bind(&path).unwrap();
        for word in [b"1", b"2"] {
            write_all(UnixStream::connect(&path).await.unwrap(), word).await;
        }
        let mut incoming = listener.incoming();
        for word in [b"1", b"2"] {
            assert_eq!(read_to_end(incoming.next().await.unwrap().unwrap()).await, word);
        }
        pends(incoming.next()).await;
    }

    /// A read into nothing waits, as that of a TCP stream.
    async fn a_read_into_nothing_waits_as_any_other() {
        let (one, other) = UnixStream::pair().unwrap();
        pends(read(&other, 0)).await;
        write_all(&one, b"x").await;
        assert_eq!(read(&other, 0).await.unwrap(), b"");
        assert_eq!(read_exactly(&other, 1).await, b"x");
    }
}
