//! Sockets of simulated machines: what the simulation adds to what a kernel does. What both do is in
//! `tests/conformance`.

use std::collections::BTreeSet;
use std::future::poll_fn;
use std::io::ErrorKind;
use std::pin::Pin;
use std::rc::Rc;
use std::task::Poll;

use futures_lite::{AsyncRead as _, AsyncReadExt as _, AsyncWriteExt as _};
use parcae::net::{
    TcpListener, TcpStream, UdpSocket, UnixDatagram, UnixListener, UnixStream, unix_remove,
};
use parcae::task::settle;
use parcae::time::timeout;
use parcae::{Failure, spawn, world};

use crate::runs::{failure, fifo, on_every_seed, panicked, secs};

/// Returns the system's code of an error.
#[track_caller]
fn code<T: std::fmt::Debug>(result: std::io::Result<T>) -> i32 {
    result.unwrap_err().raw_os_error().expect("it is one of the system's")
}

/// Returns how many steps a run of a program takes.
fn steps<F: Future<Output = ()> + 'static>(program: impl FnOnce() -> F + 'static) -> u64 {
    let outcome = fifo(program);
    let steps = outcome.steps();
    outcome.unwrap();
    steps
}

// Points and reports

#[test]
fn each_operation_is_one_scheduling_point() {
    let of = |count| {
        steps(move || async move {
            let (mut one, mut other) = UnixStream::pair().unwrap();
            for _ in 0..count {
                one.write_all(b"x").await.unwrap();
                other.read_exact(&mut [0]).await.unwrap();
            }
        })
    };
    assert_eq!((of(1) - of(0), of(10) - of(0)), (2, 20));
}

#[test]
fn a_read_that_waits_comes_to_its_point_once() {
    let of = |polls| {
        steps(move || async move {
            let (mut one, _other) = UnixStream::pair().unwrap();
            poll_fn(|context| {
                for _ in 0..polls {
                    assert!(Pin::new(&mut one).poll_read(context, &mut [0]).is_pending());
                }
                Poll::Ready(())
            })
            .await;
        })
    };
    assert_eq!((of(1) - of(0), of(5) - of(0)), (1, 1));
}

#[test]
fn a_deadlock_names_the_operation_and_both_ends() {
    let outcome = fifo(|| async {
        world::node("server").start(|| async {
            let listener = TcpListener::bind("[::]:80").await?;
            let _accepted = listener.accept().await?;
            std::future::pending::<std::io::Result<()>>().await
        });
        let mut stream = TcpStream::connect("server:80").await.unwrap();
        stream.read_exact(&mut [0]).await.unwrap();
    });
    let text = failure(&outcome).to_string();
    assert!(matches!(failure(&outcome), Failure::Deadlock { .. }), "{text}");
    let wait = "`main` waits for TcpStream read of `test:32768->server:80` at tests/it/sockets.rs";
    assert!(text.contains(wait), "{text}");
}

#[test]
fn orders_of_two_writers_are_explored() {
    let heard = on_every_seed(|| async {
        let (one, mut other) = UnixStream::pair().unwrap();
        let one = Rc::new(one);
        let writers = [b"a", b"b"].map(|word| {
            let one = one.clone();
            spawn(async move { (&*one).write_all(word).await.unwrap() })
        });
        for writer in writers {
            writer.await;
        }
        let mut both = [0; 2];
        other.read_exact(&mut both).await.unwrap();
        both
    });
    assert_eq!(BTreeSet::from_iter(heard), BTreeSet::from([*b"ab", *b"ba"]));
}

// Whose they are

#[test]
fn a_socket_used_by_another_machine_panics_and_names_both() {
    let outcome = fifo(|| async {
        let socket = UdpSocket::bind("[::]:80").await.unwrap();
        let other = world::node("other").idle();
        other.spawn(async move { drop(socket.local_addr()) }).await;
    });
    panicked(&outcome, "a socket of `test` was used by a task of `other`");
}

#[test]
fn a_socket_of_a_dead_process_fails_and_its_drop_has_no_effect() {
    fifo(|| async {
        let node = world::node("node").idle();
        let kept = node.spawn(async { UdpSocket::bind("[::]:80").await.unwrap() }).await;
        node.kill();
        assert_eq!(kept.local_addr().unwrap_err().kind(), ErrorKind::NotConnected);
        node.power_on();
        let again = node.spawn(async { UdpSocket::bind("[::]:80").await.unwrap() }).await;
        drop(kept);
        let taken = node.spawn(async move { (UdpSocket::bind("[::]:80").await, again).0 }).await;
        assert_eq!(code(taken), 98);
    })
    .unwrap();
}

#[test]
fn a_process_has_so_many_sockets_and_no_more() {
    fifo(|| async {
        let node = world::node("node").open_sockets(3).idle();
        node.spawn(async {
            let listener = UnixListener::bind("path").unwrap();
            let _one = UnixStream::connect("path").await.unwrap();
            let two = UnixStream::connect("path").await.unwrap();
            assert_eq!(code(UnixStream::pair()), 24);
            assert_eq!(code(UnixDatagram::pair()), 24);
            assert_eq!(code(listener.accept().await), 24);
            drop(two);
            assert_eq!(code(UnixStream::pair()), 24, "there is room for one of them");
            listener.accept().await.unwrap();
        })
        .await;
    })
    .unwrap();
}

#[test]
fn a_process_with_all_its_sockets_is_told_so_before_anything_else() {
    fifo(|| async {
        let node = world::node("node").open_sockets(2).idle();
        node.spawn(async {
            let listener = TcpListener::bind("[::]:80").await.unwrap();
            let paths = UnixListener::bind("path").unwrap();
            // Nobody has connected.
            assert_eq!(code(listener.accept().await), EMFILE);
            assert_eq!(code(paths.accept().await), EMFILE);
            // Neither is the address this machine's, nor the port or the path free.
            for address in ["1.2.3.4:1", "[::]:80"] {
                assert_eq!(code(TcpListener::bind(address).await), EMFILE);
            }
            assert_eq!(code(TcpStream::connect("255.255.255.255:80").await), EMFILE);
            assert_eq!(code(UdpSocket::bind("1.2.3.4:1").await), EMFILE);
            assert_eq!(code(UnixListener::bind("path")), EMFILE);
            assert_eq!(code(UnixStream::connect("nowhere").await), EMFILE);
            assert_eq!(code(UnixDatagram::bind("path")), EMFILE);
        })
        .await;
    })
    .unwrap();
}

// Unix sockets

#[test]
fn each_machine_has_paths_of_its_own() {
    fifo(|| async {
        let _listener = UnixListener::bind("path").unwrap();
        let node = world::node("node").idle();
        node.spawn(async {
            assert_eq!(code(UnixStream::connect("path").await), 2);
            let _own = UnixListener::bind("path").unwrap();
            UnixStream::connect("path").await.unwrap();
            unix_remove("path").unwrap();
        })
        .await;
        UnixStream::connect("path").await.unwrap();
    })
    .unwrap();
}

#[test]
fn a_path_outlives_its_process_and_the_power() {
    fifo(|| async {
        let node = world::node("node").idle();
        for die in [world::Node::kill, world::Node::power_off] {
            node.spawn(async { drop(UnixListener::bind("path").unwrap()) }).await;
            die(&node);
            node.power_on();
            node.spawn(async {
                assert_eq!(code(UnixStream::connect("path").await), 111);
                assert_eq!(code(UnixListener::bind("path")), 98);
                unix_remove("path").unwrap();
            })
            .await;
        }
    })
    .unwrap();
}

#[test]
fn sockets_of_a_process_that_was_killed_are_gone() {
    fifo(|| async {
        let node = world::node("node").idle();
        node.spawn(async {
            let listener = UnixListener::bind("path").unwrap();
            let streams = (UnixStream::connect("path").await, UnixStream::pair());
            let datagrams = (UnixDatagram::bind("datagrams"), UnixDatagram::pair());
            spawn(async move {
                let _all = (listener, streams, datagrams);
                std::future::pending::<()>().await;
            })
            .detach();
            settle().await;
        })
        .await;
        assert!(node.netstat().to_string().contains("7 sockets open"), "{}", node.netstat());
        node.kill();
        assert!(node.netstat().to_string().contains("0 sockets open"), "{}", node.netstat());
    })
    .unwrap();
}

#[test]
fn as_many_datagrams_wait_as_on_linux() {
    fifo(|| async {
        let _receiver = UnixDatagram::bind("path").unwrap();
        let stranger = UnixDatagram::unbound().unwrap();
        let (one, _peer) = UnixDatagram::pair().unwrap();
        let kept = |send: &dyn Fn() -> bool| (0..1000).take_while(|_| send()).count();
        assert_eq!(kept(&|| stranger.try_send_to(b"x", "path").is_ok()), 11);
        assert_eq!(kept(&|| one.try_send(b"x").is_ok()), 278);
    })
    .unwrap();
}

#[test]
fn a_reader_of_a_unix_socket_is_woken_under_every_seed() {
    on_every_seed(|| async {
        let (mut one, mut other) = UnixStream::pair().unwrap();
        let reader = spawn(async move {
            let mut heard = Vec::new();
            other.read_to_end(&mut heard).await.unwrap();
            heard.len()
        });
        // More than the buffer holds.
        let data = vec![7; 500_000];
        timeout(secs(1), one.write_all(&data)).await.unwrap().unwrap();
        drop(one);
        assert_eq!(reader.await, data.len());
    });
}

const EMFILE: i32 = 24;
