//! A program on machines whose report is looked at.

use std::time::Duration;

use futures_lite::{AsyncReadExt as _, AsyncWriteExt as _};
use parcae::net::{TcpListener, TcpStream};
use parcae::time::sleep;
use parcae::{spawn_named, world};

/// A client is cut off from a server and served after that; then much is done to the server.
pub(super) async fn cut_off() {
    let server = world::node("kv").start(|| async {
        let listener = TcpListener::bind("[::]:80").await.unwrap();
        let (mut stream, _) = listener.accept().await.unwrap();
        stream.write_all(b"pong").await.unwrap();
        sleep(Duration::from_secs(60)).await;
    });
    let cut = world::partition("test", "kv");
    let connecting = spawn_named("connecting", TcpStream::connect("kv:80"));
    sleep(Duration::from_secs(3)).await;
    drop(cut);
    let mut answer = [0; 4];
    connecting.await.unwrap().read_exact(&mut answer).await.unwrap();
    server.pause();
    world::isolate("kv").keep();
    server.power_off();
    panic!("the answer is {answer:?}");
}
