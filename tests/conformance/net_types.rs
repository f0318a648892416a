//! What the types of sockets are: shared between tasks and threads, and used by other crates.

use futures::future::join_all;
use futures_lite::io::copy;
use parcae::net::{
    Accept, Bind, Connect, ConnectSocket, Incoming, LookupHost, OwnedReadHalf, OwnedWriteHalf,
    ReadHalf, Ready, Receive, SendDatagram, Shutdown, TcpListener, TcpSocket, TcpStream, UdpBind,
    UdpConnect, UdpSendTo, UdpSocket, UnixAccept, UnixConnect, UnixDatagram, UnixIncoming,
    UnixListener, UnixSendTo, UnixStream, WriteHalf,
};
use parcae::spawn;

use crate::net_ends::*;

fn is_shared<T: Send + Sync>() {}

/// 151: as frameworks ask for. It compiles.
#[test]
fn sockets_and_their_futures_are_send_and_sync() {
    is_shared::<(TcpStream, TcpListener, TcpSocket, UdpSocket)>();
    is_shared::<(UnixStream, UnixListener, UnixDatagram)>();
    is_shared::<(Connect, ConnectSocket, Bind, LookupHost, UdpBind, UnixConnect)>();
    is_shared::<(Accept<'_>, Incoming<'_>, UnixAccept<'_>, UnixIncoming<'_>)>();
    is_shared::<(ReadHalf<'_>, WriteHalf<'_>, OwnedReadHalf, OwnedWriteHalf)>();
    is_shared::<(OwnedReadHalf<UnixStream>, OwnedWriteHalf<UnixStream>)>();
    is_shared::<(UdpConnect<'_>, UdpSendTo<'_>, UnixSendTo<'_>)>();
    is_shared::<(Ready<'_, std::net::TcpStream>, Receive<'_, std::net::UdpSocket>)>();
    is_shared::<SendDatagram<'_, std::net::UdpSocket>>();
}

/// As of all calls that need a runtime.
#[test]
#[should_panic(expected = "`TcpStream::connect` was called outside of a parcae runtime")]
fn a_call_outside_of_a_runtime_says_so() {
    drop(TcpStream::connect("127.0.0.1:80"));
}

conformance! {
    /// 152.
    async fn combinators_of_futures_io_copy_streams() {
        let ((client, server), (out, collected)) = (pair().await, pair().await);
        let data = pattern(300_000);
        let sent = data.clone();
        let source = spawn(async move { write_all(client, &sent).await });
        let copied = spawn(async move { copy(server, out).await.unwrap() });
        let heard = read_to_end(collected).await;
        assert!(heard == data);
        assert_eq!(copied.await, 300_000);
        source.await;
    }

    /// 154.
    async fn eight_streams_are_read_at_once_in_one_task() {
        let mut pairs = Vec::new();
        for _ in 0..8 {
            pairs.push(pair().await);
        }
        let (clients, servers): (Vec<_>, Vec<_>) = pairs.into_iter().unzip();
        let writer = spawn(async move {
            // The last one is served first.
            for (number, client) in (0..8_u8).zip(&clients).rev() {
                write_all(client, &[number]).await;
            }
            clients
        });
        let reads = join_all(servers.iter().map(|server| read_exactly(server, 1)));
        assert_eq!(reads.await.concat(), (0..8).collect::<Vec<u8>>());
        drop(writer.await);
    }

    /// A socket may be used in one task and then in another: its waiters go with whoever waits.
    async fn a_stream_is_handed_from_task_to_task() {
        let (client, server) = pair().await;
        pends(read(&server, 1)).await;
        let server = spawn(async move {
            pends(read(&server, 1)).await;
            server
        })
        .await;
        let reader = spawn(async move { read(&server, 1).await.unwrap() });
        client.writable().await.unwrap();
        write_all(&client, b"x").await;
        assert_eq!(reader.await, b"x");
        client.shutdown(Shutdown::Both).unwrap();
    }
}

#[cfg(feature = "tokio-io")]
mod tokio_io {
    use super::*;

    use std::io::IoSlice;
    use std::pin::Pin;

    use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

    fn is_vectored<W: AsyncWrite>(writer: &W) -> bool {
        writer.is_write_vectored()
    }

    async fn write(mut writer: impl AsyncWrite + Unpin, data: &[u8]) -> std::io::Result<usize> {
        std::future::poll_fn(|context| {
            Pin::new(&mut writer).poll_write_vectored(context, &[IoSlice::new(data)])
        })
        .await
    }

    async fn read(mut reader: impl AsyncRead + Unpin) -> std::io::Result<Vec<u8>> {
        let mut room = [0; 16];
        let mut buffer = ReadBuf::new(&mut room);
        buffer.put_slice(b">");
        std::future::poll_fn(|context| Pin::new(&mut reader).poll_read(context, &mut buffer))
            .await?;
        Ok(buffer.filled().to_vec())
    }

    async fn end(mut writer: impl AsyncWrite + Unpin) {
        std::future::poll_fn(|context| Pin::new(&mut writer).poll_flush(context)).await.unwrap();
        std::future::poll_fn(|context| Pin::new(&mut writer).poll_shutdown(context)).await.unwrap();
    }

    conformance! {
        /// 54, 153.
        async fn streams_and_halves_have_the_traits_of_tokio() {
            let (mut client, mut server) = pair().await;
            assert!(is_vectored(&client));
            assert_eq!(write(&mut client, b"ab").await.unwrap(), 2);
            assert_eq!(read(&mut server).await.unwrap(), b">ab");
            let (_reader, mut writer) = client.split();
            assert!(is_vectored(&writer));
            write(&mut writer, b"cd").await.unwrap();
            assert_eq!(read(server.split().0).await.unwrap(), b">cd");
            let ((mut reader, _server_writer), (_reader, mut writer)) =
                (server.into_split(), client.into_split());
            write(&mut writer, b"ef").await.unwrap();
            assert_eq!(read(&mut reader).await.unwrap(), b">ef");
            end(&mut writer).await;
            end(&mut writer).await;
            assert_eq!(read(&mut reader).await.unwrap(), b">");
            assert_eq!(code(write(&mut writer, b"x").await), PIPE);
        }

        /// 153.
        async fn unix_streams_have_the_traits_of_tokio() {
            let (one, other) = UnixStream::pair().unwrap();
            assert!(is_vectored(&one));
            write(one, b"ab").await.unwrap();
            let (mut reader, _writer) = other.into_split();
            assert_eq!(read(&mut reader).await.unwrap(), b">ab");
            assert_eq!(read(&mut reader).await.unwrap(), b">");
        }
    }
}
