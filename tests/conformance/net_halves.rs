//! Halves of a stream.

use futures_lite::AsyncWriteExt as _;
use futures_lite::future::zip;
use futures_lite::io::copy;
use parcae::net::{Shutdown, TcpStream};
use parcae::spawn;

use crate::net_ends::*;

conformance! {
    /// 91.
    async fn borrowed_halves_read_and_write_at_once() {
        let (mut client, server) = pair().await;
        let data = pattern(1 << 20);
        let echo = spawn(async move {
            copy(&server, &mut &server).await.unwrap();
        });
        let (reader, mut writer) = client.split();
        let writing = async {
            write_all(&mut writer, &data).await;
            writer.as_ref().shutdown(Shutdown::Write).unwrap();
        };
        let (heard, ()) = zip(read_to_end(reader), writing).await;
        assert!(heard == data);
        echo.await;
    }

    /// 92.
    async fn owned_halves_read_and_write_in_two_tasks() {
        let (client, server) = pair().await;
        let echo = spawn(async move {
            copy(&server, &mut &server).await.unwrap();
        });
        let (reader, writer) = client.into_split();
        let writer = spawn(async move { write_all(writer, &pattern(1 << 20)).await });
        let reader = spawn(read_to_end(reader));
        writer.await;
        assert!(reader.await == pattern(1 << 20));
        echo.await;
    }

    /// 93.
    async fn halves_of_one_stream_are_put_together_again() {
        let (client, server) = pair().await;
        let here = client.local_addr().unwrap();
        let (reader, writer) = client.into_split();
        let client: TcpStream = reader.reunite(writer).unwrap();
        assert_eq!(client.local_addr().unwrap(), here);
        let (reader, writer) = client.into_split();
        let client = writer.reunite(reader).unwrap();
        // Writing goes on: no half has ended it.
        write_all(&client, b"x").await;
        assert_eq!(read_exactly(&server, 1).await, b"x");
    }

    /// 93.
    async fn halves_of_two_streams_come_back_as_they_were() {
        let (client, server) = pair().await;
        let (client_reader, client_writer) = client.into_split();
        let (server_reader, server_writer) = server.into_split();
        let error = client_reader.reunite(server_writer).unwrap_err();
        assert_eq!(error.to_string(), "the halves are not of one stream");
        let (client_reader, server_writer) = (error.0, error.1);
        let client = client_reader.reunite(client_writer).unwrap();
        let server = server_reader.reunite(server_writer).unwrap();
        write_all(&client, b"x").await;
        assert_eq!(read_exactly(&server, 1).await, b"x");
    }

    /// 94.
    async fn a_write_half_that_is_dropped_ends_what_the_peer_reads() {
        let (client, server) = pair().await;
        let (reader, writer) = client.into_split();
        drop(writer);
        assert_eq!(read(&server, 8).await.unwrap(), b"");
        write_all(&server, b"answer").await;
        assert_eq!(read_exactly(reader, 6).await, b"answer");
    }

    /// 95.
    async fn a_write_half_that_is_forgotten_ends_nothing_before_the_other_is_gone() {
        let (client, server) = pair().await;
        let (reader, writer) = client.into_split();
        writer.forget();
        pends(read(&server, 8)).await;
        drop(reader);
        assert_eq!(read(&server, 8).await.unwrap(), b"");
    }

    /// 96.
    async fn a_read_half_that_is_dropped_changes_nothing_for_the_peer() {
        let (client, server) = pair().await;
        let (reader, mut writer) = client.into_split();
        drop(reader);
        write_all(&server, b"unheard").await;
        write_all(&mut writer, b"heard").await;
        assert_eq!(read_exactly(&server, 5).await, b"heard");
        drop(writer);
        // What was not read resets the connection, but the end came before.
        until_reset(&server).await;
        assert_eq!(read(&server, 8).await.unwrap(), b"");
        assert_eq!(code(write(&server, b"x").await), PIPE);
    }

    /// A half that reads looks without taking, as its stream does.
    async fn a_read_half_peeks() {
        let (mut client, server) = pair().await;
        write_all(&server, b"ab").await;
        let mut buffer = [0; 1];
        assert_eq!(client.split().0.peek(&mut buffer).await.unwrap(), 1);
        let (mut reader, _writer) = client.into_split();
        assert_eq!(reader.peek(&mut buffer).await.unwrap(), 1);
        assert_eq!(read_exactly(reader, 1).await, b"a");
    }

    /// The traits close a stream, and halves that write, without dropping them: the peer reads to the end.
    async fn closing_through_the_traits_ends_writing() {
        let (client, server) = pair().await;
        (&client).close().await.unwrap();
        assert_eq!(read(&server, 8).await.unwrap(), b"");

        let (mut client, server) = pair().await;
        client.split().1.close().await.unwrap();
        assert_eq!(read(&server, 8).await.unwrap(), b"");

        let (client, server) = pair().await;
        let (_reader, mut writer) = client.into_split();
        writer.flush().await.unwrap();
        writer.close().await.unwrap();
        assert_eq!(read(&server, 8).await.unwrap(), b"");
        assert_eq!(code(write(&mut writer, b"x").await), PIPE);
    }
}
