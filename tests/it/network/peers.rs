//! What a peer sees of a machine whose process dies, that loses its power, that is stopped or frozen.

use std::cell::RefCell;
use std::rc::Rc;

use futures_lite::{AsyncReadExt as _, AsyncWriteExt as _};
use parcae::net::{Shutdown, TcpListener, TcpStream};
use parcae::spawn;
use parcae::task::{settle, shutdown_token};
use parcae::time::{Instant, sleep, timeout};
use parcae::world::{self, Node};

use super::{
    ECONNREFUSED, ECONNRESET, EMFILE, EPIPE, ETIMEDOUT, code, code_of, connect, echo, keep,
    port_of, read, serving, steady, with_usual_latencies,
};
use crate::runs::{Journal, OnDrop, millis, poll_once, secs};

/// Writes one byte.
async fn write(stream: &mut TcpStream) -> Result<(), i32> {
    stream.write_all(b"x").await.map_err(|error| code(&error))
}

// kill

#[test]
fn of_a_killed_process_peers_read_all_that_it_had_written_and_then_the_end() {
    with_usual_latencies(|| async {
        let node = serving("db", |mut stream| async move {
            stream.write_all(&[7; 100_000]).await.unwrap();
            Node::current().kill();
            // It runs on to its next wait, without effect.
            assert!(stream.write_all(b"ghost").await.is_err());
        });
        let mut stream = connect(&node).await;
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).await.unwrap();
        assert!(bytes == [7; 100_000], "{} bytes", bytes.len());
        // Nobody is there any more: the first write finds out, the second one is told.
        assert_eq!(write(&mut stream).await, Ok(()));
        sleep(secs(1)).await;
        assert_eq!(write(&mut stream).await, Err(EPIPE));
        assert_eq!(read(&mut stream).await, Ok(Vec::new()));
        // Its kernel answers for it.
        assert_eq!(code_of(TcpStream::connect(port_of(&node, 80)).await), ECONNREFUSED);
    });
}

#[test]
fn a_killed_process_that_had_not_read_all_resets_its_peers() {
    with_usual_latencies(|| async {
        let node = serving("db", keep);
        let mut stream = connect(&node).await;
        write(&mut stream).await.unwrap();
        let reading = spawn(async move { (read(&mut stream).await, stream) });
        sleep(secs(1)).await;
        node.kill();
        let (result, mut stream) = reading.await;
        assert_eq!(result, Err(ECONNRESET));
        assert_eq!(read(&mut stream).await, Ok(Vec::new()));
        assert_eq!(write(&mut stream).await, Err(EPIPE));
    });
}

#[test]
fn a_killed_process_resets_connections_that_nobody_had_accepted() {
    with_usual_latencies(|| async {
        let node = world::node("db").start(|| async {
            let listener = TcpListener::bind("[::]:80").await.unwrap();
            std::future::pending::<()>().await;
            drop(listener);
        });
        let mut stream = connect(&node).await;
        sleep(secs(1)).await;
        node.kill();
        assert_eq!(read(&mut stream).await, Err(ECONNRESET));
    });
}

#[test]
fn the_next_incarnation_has_the_port_and_none_of_the_old_streams() {
    with_usual_latencies(|| async {
        let node = serving("db", |mut stream| async move {
            let mut byte = [0];
            while stream.read_exact(&mut byte).await.is_ok() {
                let incarnation = Node::current().incarnation().to_string();
                stream.write_all(incarnation.as_bytes()).await.unwrap();
            }
        });
        let mut old = connect(&node).await;
        write(&mut old).await.unwrap();
        assert_eq!(read(&mut old).await.unwrap(), b"0");
        node.restart();
        settle().await;
        let mut new = connect(&node).await;
        write(&mut new).await.unwrap();
        assert_eq!(read(&mut new).await.unwrap(), b"1");
        assert_eq!(read(&mut old).await, Ok(Vec::new()));
        assert_eq!(write(&mut old).await, Ok(()));
        sleep(secs(1)).await;
        assert_eq!(write(&mut old).await, Err(EPIPE));
    });
}

// power_off

#[test]
fn of_a_machine_without_power_nobody_hears_and_who_writes_times_out() {
    with_usual_latencies(|| async {
        let node = serving("db", keep);
        let (mut reader, mut writer) = (connect(&node).await, connect(&node).await);
        sleep(secs(1)).await;
        node.power_off();
        let before = world::network().link("db", "test").counters().sent;
        let start = Instant::now();
        write(&mut writer).await.unwrap();
        assert_eq!(read(&mut writer).await, Err(ETIMEDOUT));
        // 924.6 s after the first time-out, rounded up to the next of at most 120 s.
        assert!((secs(924)..secs(1050)).contains(&start.elapsed()), "{:?}", start.elapsed());
        assert!(timeout(secs(10_000), read(&mut reader)).await.is_err(), "it sent nothing");
        assert_eq!(world::network().link("db", "test").counters().sent, before);
        assert!(world::network().counters().dead > 10);
    });
}

#[test]
fn a_machine_that_has_lost_its_power_knows_nothing_of_old_streams() {
    with_usual_latencies(|| async {
        let node = serving("db", echo);
        let mut stream = connect(&node).await;
        sleep(secs(1)).await;
        node.power_off();
        sleep(secs(60)).await;
        node.power_on();
        settle().await;
        write(&mut stream).await.unwrap();
        assert_eq!(read(&mut stream).await, Err(ECONNRESET));
        assert!(connect(&node).await.peer_addr().is_ok());
    });
}

#[test]
fn what_was_on_its_way_from_a_machine_arrives_though_it_loses_its_power() {
    with_usual_latencies(|| async {
        world::network().set_links(steady(millis(10)));
        let node = serving("db", |mut stream| async move {
            stream.write_all(b"last words").await.unwrap();
            keep(stream).await;
        });
        let mut stream = connect(&node).await;
        // It is accepted after 30 ms, and the words are here at 40.
        sleep(millis(15)).await;
        node.power_off();
        assert_eq!(read(&mut stream).await.unwrap(), b"last words");
    });
}

// stop

#[test]
fn a_process_that_is_stopped_says_goodbye_in_its_own_words() {
    with_usual_latencies(|| async {
        let node = serving("db", |mut stream| async move {
            shutdown_token().cancelled().await;
            stream.write_all(b"bye").await.unwrap();
            // The stream ends, and then the program does.
            drop(stream);
            Node::current().kill();
        });
        let mut stream = connect(&node).await;
        sleep(secs(1)).await;
        let start = Instant::now();
        let stop = node.stop();
        let mut said = String::new();
        stream.read_to_string(&mut said).await.unwrap();
        assert_eq!(said, "bye");
        stop.await;
        assert!(start.elapsed() < millis(10), "{:?}", start.elapsed());
    });
}

#[test]
fn of_a_process_that_does_not_stop_peers_read_the_end_after_ten_seconds() {
    with_usual_latencies(|| async {
        world::network().set_links(steady(millis(10)));
        let node = serving("db", keep);
        let mut stream = connect(&node).await;
        sleep(secs(1)).await;
        let start = Instant::now();
        drop(node.stop());
        assert_eq!(read(&mut stream).await, Ok(Vec::new()));
        assert_eq!(start.elapsed(), secs(10) + millis(10));
    });
}

// pause

#[test]
fn the_kernel_of_a_frozen_process_takes_in_what_its_buffer_holds() {
    with_usual_latencies(|| async {
        let node = serving("db", echo);
        let stream = Rc::new(connect(&node).await);
        sleep(secs(1)).await;
        node.pause();
        let taken = Rc::new(RefCell::new(0));
        let writing = spawn({
            let (stream, taken) = (stream.clone(), taken.clone());
            async move {
                let mut stream = &*stream;
                for _ in 0..MEBIBYTE / 1024 {
                    stream.write_all(&[7; 1024]).await.unwrap();
                    *taken.borrow_mut() += 1024;
                }
            }
        });
        sleep(secs(60)).await;
        // Its own buffer, and what was acknowledged over there.
        let accepted = *taken.borrow();
        assert!((400_000..=2 * 262_144).contains(&accepted), "{accepted} bytes");
        sleep(secs(3600)).await;
        assert_eq!(*taken.borrow(), accepted);
        assert!(timeout(secs(1), (&*stream).read(&mut [0])).await.is_err(), "nobody has read it");
        node.resume();
        let mut back = 0;
        let mut buffer = vec![0; 64 * 1024];
        while back < MEBIBYTE {
            back += (&*stream).read(&mut buffer).await.unwrap();
        }
        writing.await;
    });
}

#[test]
fn the_kernel_of_a_frozen_process_shakes_hands() {
    with_usual_latencies(|| async {
        let node = serving("db", echo);
        settle().await;
        node.pause();
        let start = Instant::now();
        let mut stream = connect(&node).await;
        write(&mut stream).await.unwrap();
        assert!(start.elapsed() < millis(3), "{:?}", start.elapsed());
        assert!(timeout(secs(60), read(&mut stream)).await.is_err());
        node.resume();
        assert_eq!(read(&mut stream).await.unwrap(), b"x");
    });
}

#[test]
fn a_frozen_process_that_loses_its_power_is_as_silent_as_any() {
    with_usual_latencies(|| async {
        let node = serving("db", echo);
        let mut stream = connect(&node).await;
        sleep(secs(1)).await;
        node.pause();
        write(&mut stream).await.unwrap();
        sleep(secs(1)).await;
        node.power_off();
        node.resume();
        assert!(timeout(secs(3600), read(&mut stream)).await.is_err());
    });
}

// Limits

#[test]
fn a_machine_accepts_no_more_streams_than_it_may_have_sockets() {
    with_usual_latencies(|| async {
        // Else the second and the third one may change places.
        world::network().set_links(steady(millis(1)));
        let results = Journal::new();
        let node = world::node("db").open_sockets(3).start({
            let results = results.clone();
            move || {
                let results = results.clone();
                async move {
                    let listener = TcpListener::bind("[::]:80").await.unwrap();
                    let first = listener.accept().await.unwrap().0;
                    let _second = listener.accept().await.unwrap().0;
                    results.add(code_of(listener.accept().await));
                    results.add(code_of(TcpListener::bind("[::]:81").await));
                    results.add(code_of(TcpStream::connect("test:1").await));
                    sleep(secs(1)).await;
                    drop(first);
                    // It has stayed in the queue meanwhile.
                    let mut third = listener.accept().await.unwrap().0;
                    third.write_all(b"third").await.unwrap();
                    std::future::pending::<()>().await;
                }
            }
        });
        let mut streams = Vec::new();
        for _ in 0..3 {
            streams.push(connect(&node).await);
        }
        assert_eq!(read(&mut streams[2]).await.unwrap(), b"third");
        assert_eq!(results.take(), [EMFILE; 3]);
    });
}

// Destructors

/// A machine whose task tries to say something in its destructor, on its stream and on a new one.
fn haunted(refused: &Refused) -> Node {
    let refused = refused.clone();
    serving("db", move |stream| {
        let refused = refused.clone();
        async move {
            stream.readable().await.unwrap();
            stream.try_read(&mut [0; 8]).unwrap();
            let _guard = OnDrop(move || {
                refused.add(stream.try_write(b"ghost").is_err());
                drop(stream.shutdown(Shutdown::Write));
                drop(poll_once(&mut Box::pin(TcpStream::connect("test:90"))));
                world::partition("test", "other").keep();
                world::reset("test", "other");
            });
            std::future::pending::<()>().await;
        }
    })
}

type Refused = Journal<bool>;

#[test]
fn destructors_of_a_killed_process_say_nothing_to_anybody() {
    with_usual_latencies(|| async {
        let refused = Journal::new();
        let listener = TcpListener::bind("[::]:90").await.unwrap();
        let (node, other) = (haunted(&refused), serving("other", echo));
        let (mut stream, mut bystander) = (connect(&node).await, connect(&other).await);
        write(&mut stream).await.unwrap();
        sleep(secs(1)).await;
        node.kill();
        assert_eq!(refused.take(), [true]);
        // The end is what the kernel says.
        assert_eq!(read(&mut stream).await, Ok(Vec::new()));
        assert!(timeout(secs(200), listener.accept()).await.is_err(), "a ghost has connected");
        write(&mut bystander).await.unwrap();
        assert_eq!(read(&mut bystander).await.unwrap(), b"x");
    });
}

#[test]
fn destructors_of_a_machine_without_power_close_nothing() {
    with_usual_latencies(|| async {
        let refused = Journal::new();
        let listener = TcpListener::bind("[::]:90").await.unwrap();
        let (node, other) = (haunted(&refused), serving("other", echo));
        let (mut stream, mut bystander) = (connect(&node).await, connect(&other).await);
        write(&mut stream).await.unwrap();
        sleep(secs(1)).await;
        node.power_off();
        assert_eq!(refused.take(), [true]);
        assert!(timeout(secs(3600), read(&mut stream)).await.is_err(), "it has sent something");
        assert!(timeout(secs(200), listener.accept()).await.is_err(), "a ghost has connected");
        write(&mut bystander).await.unwrap();
        assert_eq!(read(&mut bystander).await.unwrap(), b"x");
    });
}

const MEBIBYTE: usize = 1 << 20;
