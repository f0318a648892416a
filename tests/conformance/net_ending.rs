//! How a connection ends: closing, half-closing, resetting, and what each side is told of it.

use std::pin::pin;
use std::time::Duration;

use futures_lite::AsyncWriteExt as _;
use futures_lite::future::zip;
use parcae::net::{Shutdown, TcpStream};
use parcae::spawn;
use parcae::time::{sleep, timeout};

use crate::clock::beats;
use crate::net_ends::*;

/// Drops a stream so that it is reset.
fn reset(stream: TcpStream) {
    stream.set_linger(Some(Duration::ZERO)).unwrap();
    drop(stream);
}

/// Gives a stream a byte that nobody reads, and waits until it is there.
async fn leave_unread(from: &TcpStream, to: &TcpStream) {
    write_all(from, b"?").await;
    assert_eq!(to.peek(&mut [0]).await.unwrap(), 1);
}

/// Writes until that fails; while the peer does not read, it waits.
async fn write_on(stream: &TcpStream) -> i32 {
    let data = pattern(1 << 16);
    loop {
        if let Err(code) = verdict(write(stream, &data).await) {
            return code;
        }
    }
}

conformance! {
    /// 69; L11.
    async fn what_was_written_before_a_drop_is_all_read_and_then_the_end() {
        let (client, server) = pair().await;
        let data = pattern(100_000);
        let sent = data.clone();
        let writer = spawn(async move { write_all(&client, &sent).await });
        assert!(read_to_end(&server).await == data);
        writer.await;
    }

    /// 70.
    async fn the_end_is_told_as_often_as_it_is_asked_for() {
        let (client, server) = pair().await;
        drop(client);
        for _ in 0..3 {
            assert_eq!(read(&server, 8).await.unwrap(), b"");
        }
    }

    /// 71.
    async fn after_a_half_close_the_other_side_still_writes() {
        let (client, server) = pair().await;
        client.shutdown(Shutdown::Write).unwrap();
        assert_eq!(read(&server, 8).await.unwrap(), b"");
        write_all(&server, b"still here").await;
        assert_eq!(read_exactly(&client, 10).await, b"still here");
        drop(server);
        assert_eq!(read(&client, 8).await.unwrap(), b"");
    }

    /// 72; L5.
    async fn a_second_shutdown_changes_nothing() {
        let (client, _server) = pair().await;
        for _ in 0..3 {
            client.shutdown(Shutdown::Write).unwrap();
        }
        (&client).close().await.unwrap();
    }

    /// 73; L5.
    async fn a_shutdown_when_the_peer_has_closed_is_no_error() {
        let (client, server) = pair().await;
        drop(server);
        assert_eq!(read(&client, 8).await.unwrap(), b"");
        client.shutdown(Shutdown::Write).unwrap();
        client.shutdown(Shutdown::Write).unwrap();
        client.shutdown(Shutdown::Both).unwrap();
        (&client).close().await.unwrap();
    }

    /// 73; L5: the system says that it is not connected.
    async fn a_shutdown_of_what_was_reset_is_no_error() {
        let (client, server) = pair().await;
        reset(server);
        until_reset(&client).await;
        client.shutdown(Shutdown::Write).unwrap();
        (&client).close().await.unwrap();
    }

    /// 74; L6.
    async fn nothing_is_written_after_the_own_shutdown() {
        let (client, _server) = pair().await;
        client.shutdown(Shutdown::Write).unwrap();
        assert_eq!(code(write(&client, b"x").await), PIPE);
        assert_eq!(code(client.try_write(b"x")), PIPE);
    }

    /// 75; L7.
    async fn a_peer_that_goes_with_something_unread_resets() {
        let (client, server) = pair().await;
        leave_unread(&client, &server).await;
        drop(server);
        assert_eq!(code(read(&client, 8).await), RESET);
        assert_eq!(read(&client, 8).await.unwrap(), b"");
        assert_eq!(code(write(&client, b"x").await), PIPE);
    }

    /// 76; L8.
    async fn a_writer_is_told_of_a_reset_first_and_then_that_there_is_nobody() {
        let (client, server) = pair().await;
        leave_unread(&client, &server).await;
        drop(server);
        until_reset(&client).await;
        assert_eq!(code(write(&client, b"x").await), RESET);
        assert_eq!(code(write(&client, b"x").await), PIPE);
        assert_eq!(read(&client, 8).await.unwrap(), b"");
    }

    /// 77.
    async fn what_came_before_a_reset_is_still_read() {
        let (client, server) = pair().await;
        leave_unread(&client, &server).await;
        write_all(&server, b"last words").await;
        drop(server);
        until_reset(&client).await;
        assert_eq!(read(&client, 100).await.unwrap(), b"last words");
        assert_eq!(code(read(&client, 8).await), RESET);
        assert_eq!(read(&client, 8).await.unwrap(), b"");
    }

    /// 78.
    async fn what_came_before_a_reset_is_still_read_when_a_write_was_told_of_it() {
        let (client, server) = pair().await;
        leave_unread(&client, &server).await;
        write_all(&server, b"last words").await;
        drop(server);
        until_reset(&client).await;
        assert_eq!(code(write(&client, b"x").await), RESET);
        assert_eq!(code(write(&client, b"x").await), PIPE);
        assert_eq!(read(&client, 100).await.unwrap(), b"last words");
        assert_eq!(read(&client, 8).await.unwrap(), b"");
    }

    /// 79; L9.
    async fn whoever_writes_to_a_peer_that_closed_learns_of_it_by_the_second_write() {
        let (client, server) = pair().await;
        drop(server);
        assert_eq!(read(&client, 8).await.unwrap(), b"");
        assert_eq!(read(&client, 8).await.unwrap(), b"");
        assert_eq!(write(&client, b"x").await.unwrap(), 1);
        until_reset(&client).await;
        assert_eq!(code(write(&client, b"x").await), PIPE);
        assert_eq!(read(&client, 8).await.unwrap(), b"");
    }

    /// 80.
    async fn the_error_of_a_socket_is_taken_once_and_writing_fails_all_the_same() {
        let (client, server) = pair().await;
        drop(server);
        assert_eq!(read(&client, 8).await.unwrap(), b"");
        assert_eq!(write(&client, b"x").await.unwrap(), 1);
        until_reset(&client).await;
        assert_eq!(client.take_error().unwrap().unwrap().raw_os_error(), Some(PIPE));
        assert!(client.take_error().unwrap().is_none());
        assert_eq!(code(write(&client, b"x").await), PIPE);
    }

    /// 80: after a reset, a read finds nothing of it.
    async fn an_error_that_was_taken_is_not_told_by_a_read() {
        let (client, server) = pair().await;
        reset(server);
        until_reset(&client).await;
        assert_eq!(client.take_error().unwrap().unwrap().raw_os_error(), Some(RESET));
        assert_eq!(read(&client, 8).await.unwrap(), b"");
    }

    /// 81; L10.
    async fn a_drop_without_lingering_resets() {
        let (client, server) = pair().await;
        reset(client);
        assert_eq!(code(read(&server, 8).await), RESET);
        assert_eq!(read(&server, 8).await.unwrap(), b"");
    }

    /// 82.
    async fn what_was_written_before_a_drop_without_lingering_may_still_be_read() {
        let (client, server) = pair().await;
        write_all(&client, b"data").await;
        // It has come: else the reset might take it away.
        assert_eq!(server.peek(&mut [0; 4]).await.unwrap(), 4);
        reset(client);
        until_reset(&server).await;
        assert_eq!(read(&server, 8).await.unwrap(), b"data");
        assert_eq!(code(read(&server, 8).await), RESET);
        assert_eq!(read(&server, 8).await.unwrap(), b"");
    }

    /// 83.
    async fn a_peer_that_ended_and_then_reset_has_ended() {
        let (client, server) = pair().await;
        client.shutdown(Shutdown::Write).unwrap();
        assert_eq!(read(&server, 8).await.unwrap(), b"");
        reset(client);
        until_reset(&server).await;
        assert_eq!(read(&server, 8).await.unwrap(), b"");
        assert_eq!(code(write(&server, b"x").await), PIPE);
        assert_eq!(read(&server, 8).await.unwrap(), b"");
    }

    /// 84.
    async fn a_reset_wakes_who_reads() {
        let (client, server) = pair().await;
        let mut reading = pin!(read(&client, 8));
        still_pends(reading.as_mut()).await;
        reset(server);
        assert_eq!(code(reading.await), RESET);
    }

    /// 85.
    async fn a_reset_wakes_who_writes() {
        let (client, server) = pair().await;
        let mut writing = pin!(write_on(&client));
        still_pends(writing.as_mut()).await;
        reset(server);
        assert_eq!(writing.await, RESET);
        assert_eq!(code(write(&client, b"x").await), PIPE);
        assert_eq!(read(&client, 8).await.unwrap(), b"");
    }

    /// 86.
    async fn after_the_own_end_of_reading_what_comes_is_read_all_the_same() {
        let (client, server) = pair().await;
        let mut reading = pin!(read(&client, 8));
        still_pends(reading.as_mut()).await;
        client.shutdown(Shutdown::Read).unwrap();
        assert_eq!(reading.await.unwrap(), b"", "it ends who waits");
        assert_eq!(read(&client, 8).await.unwrap(), b"");
        write_all(&server, b"late").await;
        let mut heard = Vec::new();
        while heard.len() < 4 {
            // Nothing is the end for a read, so it does not wait.
            heard.extend(read(&client, 8).await.unwrap());
            sleep(beats(1) / 10).await;
        }
        assert_eq!(heard, b"late");
        assert_eq!(read(&client, 8).await.unwrap(), b"");
    }

    /// 87.
    async fn both_may_close_at_once() {
        let (client, server) = pair().await;
        client.shutdown(Shutdown::Write).unwrap();
        server.shutdown(Shutdown::Write).unwrap();
        assert_eq!(read(&client, 8).await.unwrap(), b"");
        assert_eq!(read(&server, 8).await.unwrap(), b"");
    }

    /// 88.
    async fn a_connection_that_both_have_closed_has_no_peer() {
        let (client, server) = pair().await;
        let (here, there) = (client.local_addr().unwrap(), client.peer_addr().unwrap());
        assert_eq!(there, server.local_addr().unwrap());
        server.shutdown(Shutdown::Write).unwrap();
        assert_eq!(read(&client, 8).await.unwrap(), b"");
        assert_eq!(client.peer_addr().unwrap(), there);
        client.shutdown(Shutdown::Write).unwrap();
        // The last acknowledgement may be under way.
        until_reset(&client).await;
        assert_eq!(code(client.peer_addr()), NOT_CONNECTED);
        assert_eq!(client.local_addr().unwrap(), here);
    }

    /// 89.
    async fn a_peer_that_ended_and_then_went_with_something_unread_has_ended() {
        let (client, server) = pair().await;
        server.shutdown(Shutdown::Write).unwrap();
        assert_eq!(read(&client, 8).await.unwrap(), b"");
        leave_unread(&client, &server).await;
        drop(server);
        until_reset(&client).await;
        assert_eq!(read(&client, 8).await.unwrap(), b"");
        assert_eq!(read(&client, 8).await.unwrap(), b"");
        assert_eq!(code(write(&client, b"x").await), PIPE);
    }

    /// 90.
    async fn a_task_that_is_cancelled_closes_its_streams() {
        let (client, server) = pair().await;
        let task = spawn(async move { read(&client, 8).await.unwrap() });
        pends(read(&server, 8)).await;
        task.cancel().await;
        assert_eq!(read(&server, 8).await.unwrap(), b"");
    }

    /// 86: and if it has ended writing as well, what comes resets both ends.
    async fn after_the_own_end_of_both_ways_what_comes_resets() {
        let (client, server) = pair().await;
        client.shutdown(Shutdown::Both).unwrap();
        assert_eq!(read(&client, 8).await.unwrap(), b"");
        assert_eq!(read(&server, 8).await.unwrap(), b"");
        assert_eq!(write(&server, b"late").await.unwrap(), 4);
        until_reset(&client).await;
        assert_eq!(code(read(&client, 8).await), RESET);
        assert_eq!(read(&client, 8).await.unwrap(), b"");
        until_reset(&server).await;
        assert_eq!(code(write(&server, b"x").await), PIPE);
        assert_eq!(read(&server, 8).await.unwrap(), b"");
    }

    /// 86: alone, the end of reading is not told to the peer.
    async fn a_peer_that_does_not_want_to_read_is_written_to_all_the_same() {
        let (client, server) = pair().await;
        client.shutdown(Shutdown::Read).unwrap();
        for _ in 0..3 {
            assert_eq!(write(&server, b"x").await.unwrap(), 1);
        }
        pends(read(&server, 8)).await;
    }

    /// What is on its way when its sender closes is not forgotten while the peer does not read.
    async fn more_than_the_peer_has_room_for_is_still_sent_after_a_drop() {
        let (client, server) = pair().await;
        let mut total = 0;
        while let Ok(count) = timeout(beats(3), write(&client, &pattern(1 << 16))).await {
            total += count.unwrap();
        }
        drop(client);
        assert_eq!(read_to_end(&server).await.len(), total);
    }

    /// A reset in the middle of a transfer fails both sides' calls, and neither waits for ever.
    async fn a_reset_ends_reading_and_writing_at_once() {
        let (client, server) = pair().await;
        let mut both = pin!(zip(read(&client, 8), write_on(&client)));
        still_pends(both.as_mut()).await;
        reset(server);
        let (read, written) = both.await;
        // Whichever comes first is told of the reset.
        let verdicts = (verdict(read), written);
        assert!(
            verdicts == (Err(RESET), PIPE) || verdicts == (Ok(Vec::new()), RESET),
            "{verdicts:?}"
        );
    }
}
