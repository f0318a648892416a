//! Strangers: without the key, on no list, with what they have heard, with anything but frames.

use futures_lite::{AsyncReadExt as _, AsyncWriteExt as _};

use super::*;
use crate::choose;
use crate::net::{TcpListener, TcpStream};
use crate::rng::choose_for;
use crate::spawn;

/// The server still serves who has the key.
async fn is_served(journal: &Arc<Mutex<Vec<u64>>>) {
    let count = heard(journal).len();
    let listener = serve(options("friend-2").dial_only()).await.unwrap();
    let path = path(&listener, "server", "sink");
    path.tell("note", body(1), Delivery::AtLeastOnce).await.unwrap();
    sleep(secs(1)).await;
    assert_eq!(heard(journal).len(), count + 1);
}

#[test]
fn without_the_key_nothing_comes_through() {
    on_seeds(20, || async {
        let (_server, journal) = start_sink(5);
        let stranger = serve(Options::new("stranger", b"another key").dial_only()).await.unwrap();
        let path = path(&stranger, "server", "sink");
        path.try_tell("note", body(1), Delivery::AtLeastOnce).unwrap();
        sleep(secs(30)).await;
        assert!(path.is_down());
        assert_eq!(heard(&journal), []);
        is_served(&journal).await;
    });
}

#[test]
fn who_is_on_no_list_is_not_let_in() {
    on_seeds(20, || async {
        let journal: Arc<Mutex<Vec<u64>>> = Arc::default();
        world::node("server").start({
            let journal = journal.clone();
            move || {
                let journal = journal.clone();
                async move {
                    let sink = Fake::new("sink", 5);
                    let options = options("server").allow(["friend-2"]);
                    let _listener = serve_fakes(options, std::slice::from_ref(&sink)).await;
                    sink.collect(journal).await;
                }
            }
        });
        let stranger = serve(options("stranger").dial_only()).await.unwrap();
        let path = path(&stranger, "server", "sink");
        path.try_tell("note", body(1), Delivery::AtLeastOnce).unwrap();
        sleep(secs(30)).await;
        assert!(path.is_down());
        assert_eq!(heard(&journal), []);
        is_served(&journal).await;
    });
}

/// Somebody between the two writes down all that the friend says, and says it again.
#[test]
fn what_was_heard_is_of_no_use_later() {
    on_seeds(20, || async {
        let (_server, journal) = start_sink(5);
        let tape: Arc<Mutex<Vec<u8>>> = Arc::default();
        world::node("middle").start({
            let tape = tape.clone();
            move || relay(tape.clone(), None)
        });
        let friend = serve(options("friend").dial_only()).await.unwrap();
        let path = path(&friend, "middle", "sink");
        path.try_tell("note", body(5), Delivery::AtLeastOnce).unwrap();
        sleep(secs(2)).await;
        assert_eq!(heard(&journal), [5], "the one in the middle passes all on");
        let tape = tape.lock().unwrap().clone();
        let mut stream = TcpStream::connect("server:7437").await.unwrap();
        drop(stream.write_all(&tape).await);
        drop(stream.read_to_end(&mut Vec::new()).await);
        sleep(secs(2)).await;
        assert_eq!(heard(&journal), [5]);
        is_served(&journal).await;
    });
}

/// Passes bytes on in both directions, keeps those of the dialer, and changes one bit of what it says.
async fn relay(tape: Arc<Mutex<Vec<u8>>>, damaged: Option<usize>) -> std::io::Result<()> {
    let listener = TcpListener::bind("[::]:7437").await?;
    loop {
        let (near, _) = listener.accept().await?;
        let far = TcpStream::connect("server:7437").await?;
        let (mut near_reader, mut near_writer) = near.into_split();
        let (mut far_reader, mut far_writer) = far.into_split();
        spawn(async move {
            drop(futures_lite::io::copy(&mut far_reader, &mut near_writer).await);
        })
        .background();
        let tape = tape.clone();
        spawn(async move {
            let mut buffer = [0; 1024];
            let mut passed = 0;
            while let Ok(count @ 1..) = near_reader.read(&mut buffer).await {
                if let Some(at) = damaged
                    && (passed..passed + count).contains(&at)
                {
                    buffer[at - passed] ^= 1;
                }
                passed += count;
                tape.lock().unwrap().extend(&buffer[..count]);
                if far_writer.write_all(&buffer[..count]).await.is_err() {
                    return;
                }
            }
        })
        .background();
    }
}

/// Whatever bit is changed on the way, nothing that was changed is delivered.
#[test]
fn what_is_changed_on_the_way_is_not_delivered() {
    on_seeds(SEEDS, || async {
        let (_server, journal) = start_sink(5);
        let damaged = choose(0..400);
        world::node("middle").start(move || relay(Arc::default(), Some(damaged)));
        let friend = serve(options("friend").dial_only()).await.unwrap();
        let path = path(&friend, "middle", "sink");
        for _ in 0..10 {
            let _ = path.try_tell("note", body(5), Delivery::AtMostOnce);
            sleep(millis(100)).await;
        }
        sleep(secs(5)).await;
        assert!(heard(&journal).iter().all(|message| *message == 5));
        is_served(&journal).await;
    });
}

#[test]
fn anything_but_frames_does_not_end_the_listener() {
    on_seeds(SEEDS, || async {
        let (_server, journal) = start_sink(5);
        for stranger in 0..8 {
            let Ok(mut stream) = TcpStream::connect("server:7437").await else { continue };
            let size = choose_for("size", stranger, 0..2_000_usize);
            let mut bytes = vec![0; size];
            crate::rng().fill_bytes(&mut bytes);
            match choose_for("form", stranger, 0..4) {
                0 => {}
                // A length that is far too long, and one of a short frame of another version.
                1 => bytes.splice(..0, [255; 4]).for_each(drop),
                2 => bytes.splice(..0, [10, 0, 0, 0, 77]).for_each(drop),
                _ => bytes.splice(..0, [200, 0, 0, 0, 1]).for_each(drop),
            }
            drop(stream.write_all(&bytes).await);
            if choose_for("stays", stranger, 0..2) == 0 {
                drop(stream);
            } else {
                spawn(async move {
                    sleep(secs(100)).await;
                    drop(stream);
                })
                .background();
            }
        }
        is_served(&journal).await;
    });
}

/// A wrong version is answered in words.
#[test]
fn another_version_is_refused_in_words() {
    on_seeds(1, || async {
        let (_server, _) = start_sink(5);
        let mut stream = TcpStream::connect("server:7437").await.unwrap();
        stream.write_all(&[10, 0, 0, 0, 77]).await.unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.unwrap();
        let mut reader = crate::actor::remote::frame::FrameReader::new(1024);
        reader.push(&answer);
        let greeting = crate::actor::remote::frame::decode(reader.next().unwrap().unwrap());
        use crate::actor::remote::error::Refusal;
        use crate::actor::remote::handshake::Greeting;
        assert_eq!(greeting, Ok(Greeting::Refused(Refusal::WrongVersion)));
    });
}

/// Strangers that say nothing take all the room there is for them, for a while.
#[test]
fn who_says_nothing_is_let_go() {
    on_seeds(3, || async {
        let (_server, journal) = start_sink(5);
        let mut silent = Vec::new();
        for _ in 0..100 {
            silent.push(TcpStream::connect("server:7437").await.unwrap());
        }
        sleep(secs(6)).await;
        is_served(&journal).await;
        drop(silent);
    });
}

/// A listener that has not the key learns nothing, and is not believed.
#[test]
fn a_listener_without_the_key_gets_no_message() {
    on_seeds(20, || async {
        let journal: Arc<Mutex<Vec<u64>>> = Arc::default();
        world::node("server").start({
            let journal = journal.clone();
            move || {
                let journal = journal.clone();
                async move {
                    let sink = Fake::new("sink", 5);
                    let options = Options::new("server", b"another key");
                    let _listener = serve_fakes(options, std::slice::from_ref(&sink)).await;
                    sink.collect(journal).await;
                }
            }
        });
        let listener = dialing().await;
        let path = path(&listener, "server", "sink");
        path.try_tell("note", body(1), Delivery::AtLeastOnce).unwrap();
        sleep(secs(30)).await;
        assert!(path.is_down());
        assert_eq!(heard(&journal), []);
    });
}

/// Who dials itself is told so, and waits for nobody.
#[test]
fn who_dials_itself_is_down() {
    on_seeds(20, || async {
        let listener = serve(options("test")).await.unwrap();
        let path = path(&listener, "localhost", "sink");
        path.try_tell("note", body(1), Delivery::AtMostOnce).unwrap();
        sleep(secs(2)).await;
        assert!(path.is_down());
    });
}
