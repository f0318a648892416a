//! What the tests of sockets share: both ends of a connection, single reads and writes, and codes of
//! errors.
//!
//! What pends is looked at for a while; on a machine that is too slow to see it end, such a test
//! passes for nothing. What has to come to pass is waited for without a bound, but that of every test.
//! Figures that are settings of a system are compared with each other, never with a number.

use std::fmt::Debug;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::LazyLock;

use futures_lite::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use parcae::net::{TcpListener, TcpSocket, TcpStream};
use parcae::time::{sleep, timeout};

use crate::clock::beats;

// Codes of the system, the same in the simulation on every platform

pub(crate) const NO_ENTRY: i32 = 2;
pub(crate) const AGAIN: i32 = 11;
pub(crate) const ACCESS: i32 = 13;
pub(crate) const INVALID: i32 = 22;
pub(crate) const PIPE: i32 = 32;
pub(crate) const DESTINATION_REQUIRED: i32 = 89;
pub(crate) const MESSAGE_SIZE: i32 = 90;
pub(crate) const PROTOTYPE: i32 = 91;
pub(crate) const FAMILY: i32 = 97;
pub(crate) const ADDRESS_IN_USE: i32 = 98;
pub(crate) const ADDRESS_NOT_AVAILABLE: i32 = 99;
pub(crate) const NETWORK_UNREACHABLE: i32 = 101;
pub(crate) const RESET: i32 = 104;
pub(crate) const NOT_CONNECTED: i32 = 107;
pub(crate) const REFUSED: i32 = 111;

/// Returns the system's code of an error.
#[track_caller]
pub(crate) fn code<T: Debug>(result: io::Result<T>) -> i32 {
    let error = result.expect_err("it should fail");
    error.raw_os_error().unwrap_or_else(|| panic!("it has no code: {error:?}"))
}

/// Returns what was returned, with the code if it is an error.
pub(crate) fn verdict<T>(result: io::Result<T>) -> Result<T, i32> {
    result.map_err(|error| error.raw_os_error().unwrap_or_else(|| panic!("no code: {error:?}")))
}

// Ends

pub(crate) fn address(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

/// Listens on loopback, at a port that is free.
pub(crate) async fn listen() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    (listener, address)
}

/// Listens at a free port without saying that the address may be in use still.
pub(crate) fn listen_with(backlog: u32) -> (TcpListener, SocketAddr) {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind(address("127.0.0.1:0")).unwrap();
    let listener = socket.listen(backlog).unwrap();
    let address = listener.local_addr().unwrap();
    (listener, address)
}

/// Returns both ends of a connection: who connected and who accepted.
pub(crate) async fn pair() -> (TcpStream, TcpStream) {
    let (listener, address) = listen().await;
    pair_at(&listener, address).await
}

pub(crate) async fn pair_at(listener: &TcpListener, address: SocketAddr) -> (TcpStream, TcpStream) {
    let client = TcpStream::connect(address).await.unwrap();
    let (server, from) = listener.accept().await.unwrap();
    assert_eq!(from, client.local_addr().unwrap(), "another client was in the queue");
    (client, server)
}

/// Connects, and waits until the connection is in the queue: whoever connects may know it before the one who
/// listens does.
pub(crate) async fn connect_queued(address: SocketAddr) -> TcpStream {
    let client = TcpStream::connect(address).await.unwrap();
    sleep(beats(1) / 10).await;
    client
}

/// Returns an address at which nobody listens; its port is kept from others by the socket.
pub(crate) fn nobody() -> (TcpSocket, SocketAddr) {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind(address("127.0.0.1:0")).unwrap();
    let address = socket.local_addr().unwrap();
    (socket, address)
}

/// Returns an address of loopback that nobody else is given while the first value lives: no test binds
/// or listens there unless it asked for it.
pub(crate) fn apart() -> (TcpSocket, SocketAddr) {
    loop {
        let guard = TcpSocket::new_v4().unwrap();
        // Whoever asks for any port at any address gets another one than this.
        guard.bind(address("127.9.9.9:0")).unwrap();
        let port = guard.local_addr().unwrap().port();
        let apart = SocketAddr::from(([127, 7, 7, 7], port));
        // Something may be left there of a test that has ended.
        if TcpSocket::new_v4().unwrap().bind(apart).is_ok() {
            return (guard, apart);
        }
    }
}

// Single calls

/// Makes one read of up to so many bytes.
pub(crate) async fn read<S: AsyncRead + Unpin>(mut stream: S, size: usize) -> io::Result<Vec<u8>> {
    let mut buffer = vec![0; size];
    let count = stream.read(&mut buffer).await?;
    buffer.truncate(count);
    Ok(buffer)
}

/// Reads so many bytes, in as many reads as it takes.
pub(crate) async fn read_exactly<S: AsyncRead + Unpin>(mut stream: S, size: usize) -> Vec<u8> {
    let mut buffer = vec![0; size];
    stream.read_exact(&mut buffer).await.unwrap();
    buffer
}

/// Reads to the end.
pub(crate) async fn read_to_end<S: AsyncRead + Unpin>(mut stream: S) -> Vec<u8> {
    let mut all = Vec::new();
    stream.read_to_end(&mut all).await.unwrap();
    all
}

/// Makes one write.
pub(crate) async fn write<S: AsyncWrite + Unpin>(mut stream: S, data: &[u8]) -> io::Result<usize> {
    stream.write(data).await
}

/// Writes all of it.
pub(crate) async fn write_all<S: AsyncWrite + Unpin>(mut stream: S, data: &[u8]) {
    stream.write_all(data).await.unwrap();
}

// Waiting

/// Checks that a future is not ready for a while, and drops it.
#[track_caller]
pub(crate) fn pends<F: Future>(future: F) -> impl Future<Output = ()>
where
    F::Output: Debug,
{
    let place = std::panic::Location::caller();
    async move {
        if let Ok(output) = timeout(beats(1), future).await {
            panic!("it should wait, and gave {output:?} (called at {place})");
        }
    }
}

/// As [`pends`], of a future that is used on.
pub(crate) async fn still_pends<F: Future>(future: Pin<&mut F>) -> Pin<&mut F>
where
    F::Output: Debug,
{
    let mut future = future;
    if let Ok(output) = timeout(beats(1), future.as_mut()).await {
        panic!("it should wait, and gave {output:?}");
    }
    future
}

/// Waits until something is so.
pub(crate) async fn until(mut is_so: impl FnMut() -> bool) {
    while !is_so() {
        sleep(beats(1) / 10).await;
    }
}

/// Waits until the other side's reset has come.
pub(crate) async fn until_reset(stream: &TcpStream) {
    until(|| stream.peer_addr().is_err()).await;
}

/// Bytes that say where in the stream they are, up to a MiB of them.
pub(crate) fn pattern(size: usize) -> Vec<u8> {
    // Once for all runs of a test: without optimisation they take longer to make than to send.
    static BYTES: LazyLock<Vec<u8>> = LazyLock::new(|| {
        (0..1_usize << 20).map(|at| u8::try_from((at ^ (at >> 8)) % 251).unwrap()).collect()
    });
    BYTES[..size].to_vec()
}
