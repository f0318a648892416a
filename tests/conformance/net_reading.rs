//! Reading and writing: bytes in their order, and how many there is room for.

use std::io::{IoSlice, IoSliceMut};
use std::pin::pin;
use std::rc::Rc;
use std::time::Duration;

use futures_lite::future::{self, zip};
use futures_lite::{AsyncReadExt as _, AsyncWriteExt as _};
use parcae::net::{KeepAlive, Shutdown, TcpSocket, TcpStream};
use parcae::spawn;
use parcae::task::{settle, yield_now};
use parcae::time::{Instant, sleep, timeout};

use crate::clock::beats;
use crate::net_ends::*;

/// Fills a stream whose other end does not read, until writing waits for a while. Returns how many bytes it
/// took.
async fn fill(stream: &TcpStream) -> usize {
    let data = pattern(1 << 16);
    let mut total = 0;
    // What is on its way makes room again: it is full when nothing happens for a while.
    while let Ok(count) = timeout(beats(3), write(stream, &data[total % 251..])).await {
        total += count.unwrap();
        assert!(total < 64 << 20, "it takes without end");
    }
    total
}

/// A connection whose buffers were asked for at so many bytes.
async fn small_pair(size: usize) -> (TcpStream, TcpStream) {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(size).unwrap();
    socket.bind(address("127.0.0.1:0")).unwrap();
    let listener = socket.listen(1).unwrap();
    let target = listener.local_addr().unwrap();
    let client = TcpSocket::new_v4().unwrap();
    client.set_send_buffer_size(size).unwrap();
    let client = client.connect(target).await.unwrap();
    (client, listener.accept().await.unwrap().0)
}

conformance! {
    /// 46.
    async fn small_writes_are_one_stream() {
        let (client, server) = pair().await;
        for word in ["one ", "two ", "three"] {
            write_all(&client, word.as_bytes()).await;
        }
        drop(client);
        assert_eq!(read_to_end(&server).await, b"one two three");
    }

    /// 47.
    async fn a_read_of_less_than_there_is_leaves_the_rest() {
        let (client, server) = pair().await;
        write_all(&client, b"abcdef").await;
        let mut heard = Vec::new();
        while heard.len() < 6 {
            let part = read(&server, 2).await.unwrap();
            assert!(matches!(part.len(), 1 | 2), "a read of 2 gives 1 or 2");
            heard.extend(part);
        }
        assert_eq!(heard, b"abcdef");
    }

    /// 48; L13.
    async fn a_read_into_nothing_waits_as_any_other() {
        let (client, server) = pair().await;
        pends(read(&server, 0)).await;
        let mut reader = &server;
        pends(reader.read_vectored(&mut [])).await;
        pends(reader.read_vectored(&mut [IoSliceMut::new(&mut [])])).await;
        pends(server.peek(&mut [])).await;

        write_all(&client, b"x").await;
        assert_eq!(read(&server, 0).await.unwrap(), b"");
        assert_eq!(server.peek(&mut []).await.unwrap(), 0);
        assert_eq!(read_exactly(&server, 1).await, b"x");
        client.shutdown(Shutdown::Write).unwrap();
        assert_eq!(read(&server, 0).await.unwrap(), b"");
    }

    /// 49.
    async fn an_empty_write_is_no_end_and_fails_where_any_other_would() {
        let (client, server) = pair().await;
        assert_eq!(write(&client, b"").await.unwrap(), 0);
        assert_eq!((&client).write_vectored(&[IoSlice::new(b"")]).await.unwrap(), 0);
        pends(read(&server, 1)).await;
        client.shutdown(Shutdown::Write).unwrap();
        assert_eq!(code(write(&client, b"").await), PIPE);
        assert_eq!(code((&client).write_vectored(&[IoSlice::new(b"")]).await), PIPE);
        assert_eq!(code((&client).write_vectored(&[]).await), PIPE);
    }

    /// 50.
    async fn a_peek_leaves_what_it_shows() {
        let (client, server) = pair().await;
        write_all(&client, b"abc").await;
        let mut buffer = [0; 8];
        assert_eq!(server.peek(&mut buffer[..1]).await.unwrap(), 1);
        assert_eq!(buffer[0], b'a');
        write_all(&client, b"def").await;
        while server.peek(&mut buffer).await.unwrap() < 6 {
            sleep(beats(1) / 10).await;
        }
        assert_eq!(&buffer[..6], b"abcdef");
        assert_eq!(read_exactly(&server, 6).await, b"abcdef");
    }

    /// 51.
    async fn a_peek_at_the_end_is_0() {
        let (client, server) = pair().await;
        drop(client);
        let mut buffer = [0; 8];
        assert_eq!(server.peek(&mut buffer).await.unwrap(), 0);
        assert_eq!(server.peek(&mut buffer).await.unwrap(), 0);
        assert_eq!(read(&server, 8).await.unwrap(), b"");
    }

    /// 52.
    async fn a_peek_waits_for_data() {
        let (client, server) = pair().await;
        let mut buffer = [0; 8];
        pends(server.peek(&mut buffer)).await;
        let (peeked, ()) = zip(server.peek(&mut buffer), write_all(&client, b"x")).await;
        assert_eq!((peeked.unwrap(), buffer[0]), (1, b'x'));
    }

    /// 53.
    async fn vectored_calls_keep_the_order_and_skip_what_is_empty() {
        let (client, server) = pair().await;
        let data = [b"ab".as_slice(), b"", b"cde"].map(IoSlice::new);
        assert_eq!((&client).write_vectored(&data).await.unwrap(), 5);
        // All of it is there at once: it was one write.
        assert_eq!(read_exactly(&server, 0).await, b"");
        let mut one = [0; 1];
        let mut none = [0; 0];
        let mut rest = [0; 8];
        let mut buffers = [&mut one[..], &mut none, &mut rest].map(IoSliceMut::new);
        assert_eq!((&server).read_vectored(&mut buffers).await.unwrap(), 5);
        assert_eq!((&one, &rest[..4]), (b"a", &b"bcde"[..]));
    }

    /// 53: without waiting.
    async fn vectored_calls_that_do_not_wait_keep_the_order() {
        let (client, server) = pair().await;
        let data = [b"ab".as_slice(), b"", b"cde"].map(IoSlice::new);
        assert_eq!(client.try_write_vectored(&data).unwrap(), 5);
        server.readable().await.unwrap();
        let mut parts = [[0; 2], [0; 2]];
        let mut buffers = parts.each_mut().map(|part| IoSliceMut::new(part));
        assert_eq!(server.try_read_vectored(&mut buffers).unwrap(), 4);
        assert_eq!(parts, [*b"ab", *b"cd"]);
        assert_eq!(read_exactly(&server, 1).await, b"e");
    }

    /// 55; L14.
    async fn a_peer_that_does_not_read_makes_the_writer_wait() {
        let (client, _server) = pair().await;
        let total = fill(&client).await;
        assert!(total >= 64 << 10, "it takes no more than {total}");
    }

    /// 56. The window is opened by 1 KiB at a time.
    async fn the_rest_flows_when_the_peer_reads_a_little_at_a_time() {
        let (client, server) = small_pair(8 << 10).await;
        let data = pattern(100 << 10);
        let mut writer = pin!(write_all(&client, &data));
        still_pends(writer.as_mut()).await;
        let reader = async {
            let mut heard = Vec::new();
            while heard.len() < data.len() {
                let part = read(&server, 1 << 10).await.unwrap();
                assert!(!part.is_empty(), "it has not ended");
                heard.extend(part);
            }
            heard
        };
        let (heard, ()) = zip(reader, writer).await;
        assert_eq!(heard, data);
    }

    /// 57.
    async fn smaller_buffers_take_less() {
        // On a machine that is busy it may look full when it is not.
        loop {
            let (client, _server) = small_pair(8 << 10).await;
            let small = fill(&client).await;
            let (client, _other) = small_pair(128 << 10).await;
            if small * 2 < fill(&client).await {
                return;
            }
        }
    }

    /// 58.
    async fn a_megabyte_is_read_in_odd_sizes() {
        let (client, server) = pair().await;
        let data = pattern(1 << 20);
        let sent = data.clone();
        let writer = spawn(async move {
            write_all(&client, &sent).await;
        });
        let mut heard = Vec::new();
        for size in [1, 7, 4093, 65_537, 3].into_iter().cycle() {
            let part = read(&server, size).await.unwrap();
            if part.is_empty() {
                break;
            }
            heard.extend(part);
        }
        assert!(heard == data, "{} bytes of {}", heard.len(), data.len());
        writer.await;
    }

    /// 59.
    async fn both_write_a_megabyte_and_read_at_once() {
        let (client, server) = pair().await;
        let data = Rc::new(pattern(1 << 20));
        let tasks = [client, server].map(|stream| {
            let data = data.clone();
            spawn(async move {
                let writer = async {
                    write_all(&stream, &data).await;
                    stream.shutdown(Shutdown::Write).unwrap();
                };
                zip(read_to_end(&stream), writer).await.0
            })
        });
        for task in tasks {
            assert!(task.await == *data);
        }
    }

    /// 60.
    async fn both_wait_when_neither_reads() {
        let (client, server) = pair().await;
        zip(fill(&client), fill(&server)).await;
        // Each has waited for the other.
        assert!(client.try_read(&mut [0]).is_ok() && server.try_read(&mut [0]).is_ok());
    }

    /// 61.
    async fn calls_that_do_not_wait_say_so() {
        let (client, server) = pair().await;
        assert_eq!(code(server.try_read(&mut [0])), AGAIN);
        assert_eq!(code(server.try_read_vectored(&mut [IoSliceMut::new(&mut [0])])), AGAIN);
        fill(&client).await;
        // A little room may still come, when the system tidies up.
        let data = pattern(1 << 16);
        until(|| verdict(client.try_write(&data)) == Err(AGAIN)).await;
        until(|| verdict(client.try_write_vectored(&[IoSlice::new(&data)])) == Err(AGAIN)).await;
    }

    /// 62.
    async fn readiness_tells_what_is_then_found() {
        let (client, server) = pair().await;
        client.writable().await.unwrap();
        assert_eq!(client.try_write(b"x").unwrap(), 1);
        let mut buffer = [0; 4];
        loop {
            server.readable().await.unwrap();
            match server.try_read(&mut buffer) {
                Ok(count) => break assert_eq!((count, buffer[0]), (1, b'x')),
                Err(error) => assert_eq!(error.raw_os_error(), Some(AGAIN)),
            }
        }
        pends(server.readable()).await;
        // Several tasks wait at once, and all learn of it.
        let both = zip(server.readable(), server.readable());
        let (both, ()) = zip(both, write_all(&client, b"y")).await;
        assert!(both.0.is_ok() && both.1.is_ok());
    }

    /// 63.
    async fn a_reader_and_a_writer_of_one_stream_are_each_woken_for_their_side() {
        let (client, server) = pair().await;
        fill(&client).await;
        let client = Rc::new(client);
        let reader = spawn({
            let client = client.clone();
            async move { read(&*client, 8).await.unwrap() }
        });
        let writer = spawn({
            let client = client.clone();
            async move { write(&*client, b"x").await.unwrap() }
        });
        settle().await;
        write_all(&server, b"for you").await;
        assert_eq!(reader.await, b"for you");
        let mut rest = [0; 1 << 16];
        while !writer.is_finished() {
            // What is read until then makes room.
            if let Ok(count) = timeout(beats(1), (&server).read(&mut rest)).await {
                assert_ne!(count.unwrap(), 0);
            }
        }
        assert_eq!(writer.await, 1);
    }

    /// 64.
    async fn a_cancelled_read_loses_no_byte() {
        let (client, server) = pair().await;
        let data = pattern(1 << 10);
        let sent = data.clone();
        let writer = spawn(async move {
            for part in sent.chunks(16) {
                write_all(&client, part).await;
                yield_now().await;
            }
        });
        let mut heard = Vec::new();
        loop {
            let mut buffer = [0; 7];
            // Polled once and dropped, as often as it is not ready at once.
            let count = match future::poll_once((&server).read(&mut buffer)).await {
                Some(count) => count.unwrap(),
                None => (&server).read(&mut buffer).await.unwrap(),
            };
            if count == 0 {
                break;
            }
            heard.extend_from_slice(&buffer[..count]);
        }
        writer.await;
        assert_eq!(heard, data);
    }

    /// 65.
    async fn what_is_read_of_a_cancelled_write_is_a_prefix() {
        let (client, server) = pair().await;
        let data = pattern(251).repeat(1 << 18);
        pends(write_all(&client, &data)).await;
        drop(client);
        let heard = read_to_end(&server).await;
        assert!(!heard.is_empty() && heard.len() < data.len());
        assert!(heard == data[..heard.len()]);
    }

    /// 66; the simulation does it over packets of several sizes.
    async fn what_does_not_fit_into_one_packet_arrives_whole() {
        let (client, server) = pair().await;
        let data = pattern(200_000);
        let sent = data.clone();
        let writer = spawn(async move { write_all(&client, &sent).await });
        assert!(read_to_end(&server).await == data);
        writer.await;
    }

    /// 67. Each turn but the first costs 40 ms, or what the system has instead.
    async fn small_writes_wait_for_acknowledgements_unless_told_not_to() {
        let patient = turns(false).await;
        assert!(patient >= beats(2), "nine of ten turns wait: {patient:?}");
        // On a machine that is busy it may take as long, but not for ever.
        while turns(true).await >= patient / 2 {}
    }

    /// 67: a peer that only reads acknowledges what it has read.
    async fn small_writes_to_a_peer_that_only_reads_do_not_wait() {
        let patient = turns(false).await;
        while one_way_turns().await >= patient / 2 {}
    }

    /// 68.
    async fn options_are_kept() {
        let (client, _server) = pair().await;
        assert!(!client.nodelay().unwrap());
        client.set_nodelay(true).unwrap();
        assert!(client.nodelay().unwrap());

        assert_eq!(client.linger().unwrap(), None);
        for linger in [Some(Duration::from_secs(3)), Some(Duration::ZERO), None] {
            client.set_linger(linger).unwrap();
            assert_eq!(client.linger().unwrap(), linger);
        }

        assert_eq!(code(client.set_ttl(0)), INVALID);
        assert_eq!(code(client.set_ttl(256)), INVALID);
        client.set_ttl(200).unwrap();
        assert_eq!(client.ttl().unwrap(), 200);
    }

    /// 68: those that are set before connecting.
    async fn options_that_are_set_before_connecting_are_kept() {
        let (_listener, target) = listen().await;
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_nodelay(true).unwrap();
        socket.set_linger(Some(Duration::from_secs(2))).unwrap();
        socket.set_keepalive(&KeepAlive::default().with_time(Duration::from_secs(60))).unwrap();
        let stream = socket.connect(target).await.unwrap();
        assert!(stream.nodelay().unwrap());
        assert_eq!(stream.linger().unwrap(), Some(Duration::from_secs(2)));
    }
}

/// Returns how long ten turns of a question in two writes, and an answer, take.
async fn turns(nodelay: bool) -> Duration {
    let (client, server) = pair().await;
    client.set_nodelay(nodelay).unwrap();
    let answers = spawn(async move {
        for _ in 0..10 {
            read_exactly(&server, 2).await;
            write_all(&server, b"a").await;
        }
    });
    let start = Instant::now();
    for _ in 0..10 {
        write_all(&client, b"q").await;
        write_all(&client, b"q").await;
        read_exactly(&client, 1).await;
    }
    answers.await;
    start.elapsed()
}

/// Returns how long it takes to say the same with nobody answering.
async fn one_way_turns() -> Duration {
    let (client, server) = pair().await;
    let start = Instant::now();
    for _ in 0..40 {
        write_all(&client, b"q").await;
        write_all(&client, b"q").await;
        read_exactly(&server, 2).await;
    }
    start.elapsed()
}
