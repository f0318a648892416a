//! Who is told that an actor has ended, or its machine: each once.

use super::*;
use crate::choose;
use crate::retry::Backoff;
use crate::time::{Instant, timeout};

type Endings = Arc<Mutex<Vec<(Duration, Reason)>>>;

/// Watches, and writes down each ending with its time.
fn watch(path: &Path) -> (Endings, Option<u64>) {
    let endings: Endings = Arc::default();
    let (journal, start) = (endings.clone(), Instant::now());
    let id =
        path.watch(None, move |reason| journal.lock().unwrap().push((start.elapsed(), reason)));
    (endings, id)
}

fn reasons(endings: &Endings) -> Vec<Reason> {
    endings.lock().unwrap().iter().map(|(_, reason)| reason.clone()).collect()
}

/// A machine `server` with an actor `one` that the caller ends.
fn start_one() -> (world::Node, Fake) {
    let one = Fake::new("one", 10);
    let node = world::node("server").start({
        let one = one.clone();
        move || {
            let one = one.clone();
            async move {
                let _listener = serve_fakes(options("server"), &[one]).await;
                std::future::pending::<()>().await;
            }
        }
    });
    (node, one)
}

#[test]
fn the_end_of_an_actor_is_told_once() {
    on_seeds(SEEDS, || async {
        let (_server, one) = start_one();
        let listener = dialing().await;
        let path = path(&listener, "server", "one");
        let watches: Vec<_> = (0..3).map(|_| watch(&path).0).collect();
        sleep(millis(choose(0..2_000))).await;
        if choose(0..2) == 0 {
            world::reset("test", "server");
        }
        one.end();
        sleep(millis(choose(0..200))).await;
        world::reset("test", "server");
        sleep(secs(30)).await;
        for endings in watches {
            let reasons = reasons(&endings);
            // When it ended before the watch came there was nobody of this name.
            assert!(reasons == [Reason::Normal] || reasons == [Reason::NoActor], "{reasons:?}");
        }
        assert_eq!(reasons(&watch_and_wait(&path).await), [Reason::NoActor]);
    });
}

async fn watch_and_wait(path: &Path) -> Endings {
    let (endings, _) = watch(path);
    sleep(secs(5)).await;
    endings
}

#[test]
fn who_watches_no_more_hears_nothing() {
    on_seeds(20, || async {
        let (server, one) = start_one();
        let listener = dialing().await;
        let path = path(&listener, "server", "one");
        let (endings, id) = watch(&path);
        sleep(millis(choose(0..1_000))).await;
        path.unwatch(id.unwrap());
        one.end();
        sleep(secs(1)).await;
        server.power_off();
        sleep(secs(60)).await;
        assert_eq!(reasons(&endings), []);
    });
}

/// However the machine goes, and whether it comes back: one word, within the detector's patience.
#[test]
fn the_end_of_a_machine_is_told_once() {
    on_seeds(SEEDS, || async {
        let (server, _one) = start_one();
        let listener = dialing().await;
        let path = path(&listener, "server", "one");
        assert!(connected(&path).await);
        let (endings, _) = watch(&path);
        sleep(millis(choose(0..5_000))).await;
        let gone = Instant::now();
        match choose(0..4) {
            0 => server.kill(),
            1 => server.power_off(),
            2 => server.pause(),
            _ => world::partition("test", "server").keep(),
        }
        let hearing = async {
            while reasons(&endings).is_empty() {
                sleep(millis(10)).await;
            }
        };
        assert!(timeout(secs(15), hearing).await.is_ok(), "nobody is told");
        assert!(gone.elapsed() < secs(11), "it takes {:?}", gone.elapsed());
        world::heal_all();
        if choose(0..2) == 0 {
            server.resume();
        }
        sleep(secs(60)).await;
        assert_eq!(reasons(&endings), [Reason::NodeDown]);
    });
}

async fn connected(path: &Path) -> bool {
    let (sender, receiver) = crate::sync::oneshot::channel();
    path.try_ask("double", body(1), waits(move |result| drop(sender.send(result)))).unwrap();
    receiver.await.unwrap().is_ok()
}

/// A connection that breaks and is made again is no death.
#[test]
fn a_broken_connection_is_no_death() {
    on_seeds(SEEDS, || async {
        let (_server, one) = start_one();
        let listener = dialing().await;
        let path = path(&listener, "server", "one");
        assert!(connected(&path).await);
        let (endings, _) = watch(&path);
        for _ in 0..5 {
            sleep(millis(choose(0..3_000))).await;
            world::reset("test", "server");
        }
        sleep(secs(10)).await;
        assert_eq!(reasons(&endings), []);
        one.end();
        sleep(secs(2)).await;
        assert_eq!(reasons(&endings), [Reason::Normal]);
    });
}

/// A machine that was restarted is another process, and who watched the first one is told at the first word
/// of the second.
#[test]
fn a_machine_that_is_restarted_is_told_of_as_down() {
    on_seeds(SEEDS, || async {
        let (server, _one) = start_one();
        let listener = dialing().await;
        let path = path(&listener, "server", "one");
        assert!(connected(&path).await);
        let (endings, _) = watch(&path);
        sleep(millis(choose(0..1_000))).await;
        let restarted = Instant::now();
        server.restart();
        while reasons(&endings).is_empty() {
            sleep(millis(10)).await;
        }
        assert!(restarted.elapsed() < secs(2), "{:?}", restarted.elapsed());
        sleep(secs(20)).await;
        assert_eq!(reasons(&endings), [Reason::NodeDown]);
        // The way leads to the new one.
        assert!(connected(&path).await);
    });
}

#[test]
fn who_asks_a_dead_machine_is_told_when_it_is_suspected_and_then_at_once() {
    on_seeds(SEEDS, || async {
        let (server, _one) = start_one();
        let listener = dialing().await;
        let path = path(&listener, "server", "one");
        assert!(connected(&path).await);
        sleep(secs(choose(1..20))).await;
        server.power_off();
        let start = Instant::now();
        let (sender, receiver) = crate::sync::oneshot::channel();
        path.try_ask("double", body(1), waits(move |result| drop(sender.send(result)))).unwrap();
        assert_eq!(receiver.await.unwrap(), Err(Failure::NodeDown));
        assert!(start.elapsed() > secs(3) && start.elapsed() < secs(11), "{:?}", start.elapsed());
        let start = Instant::now();
        assert_eq!(path.try_ask("double", body(1), waits(drop)), Err(Untold::Down));
        assert_eq!(path.try_tell("note", body(1), Delivery::AtMostOnce), Err(Untold::Down));
        assert_eq!(watch(&path).1, None);
        assert_eq!(start.elapsed(), Duration::ZERO);
    });
}

#[test]
fn a_machine_that_is_not_there_is_down() {
    on_seeds(20, || async {
        world::node("server").idle();
        let listener = dialing().await;
        for target in ["server", "no-such-machine"] {
            let path = path(&listener, target, "one");
            let (endings, _) = watch(&path);
            sleep(secs(10)).await;
            assert_eq!(reasons(&endings), [Reason::NodeDown]);
        }
    });
}

/// After a death that was none: all is as before, and who watched before is not told again.
#[test]
fn who_was_taken_for_dead_can_come_back() {
    on_seeds(SEEDS, || async {
        let (_server, one) = start_one();
        let listener = dialing().await;
        let path = path(&listener, "server", "one");
        assert!(connected(&path).await);
        let (before, _) = watch(&path);
        let cut = world::partition("test", "server");
        sleep(secs(choose(15..120))).await;
        cut.end();
        sleep(secs(15)).await;
        assert_eq!(reasons(&before), [Reason::NodeDown]);
        assert!(connected(&path).await);
        let (after, _) = watch(&path);
        sleep(secs(1)).await;
        one.end();
        sleep(secs(1)).await;
        assert_eq!(
            (reasons(&before), reasons(&after)),
            (vec![Reason::NodeDown], vec![Reason::Normal])
        );
    });
}

/// The listener has forgotten the session while the dialer was only lost.
#[test]
fn what_the_other_side_has_forgotten_is_told_as_a_death() {
    on_seeds(20, || async {
        let one = Fake::new("one", 10);
        world::node("server").start({
            let one = one.clone();
            move || {
                let one = one.clone();
                async move {
                    let _listener = serve_fakes(options("server").linger(millis(1)), &[one]).await;
                    std::future::pending::<()>().await;
                }
            }
        });
        let patient = Backoff::constant(secs(1));
        let listener = serve(options("test").dial_only().backoff(patient)).await.unwrap();
        let path = path(&listener, "server", "one");
        assert!(connected(&path).await);
        let (endings, _) = watch(&path);
        sleep(secs(1)).await;
        world::reset("test", "server");
        sleep(secs(10)).await;
        assert_eq!(reasons(&endings), [Reason::NodeDown]);
        assert!(connected(&path).await);
    });
}

/// Who waits is told when its own machine takes part no more.
#[test]
fn a_listener_that_is_dropped_leaves_nobody_waiting() {
    on_seeds(20, || async {
        let (_server, _one) = start_one();
        let listener = dialing().await;
        let path = path(&listener, "server", "one");
        assert!(connected(&path).await);
        let (endings, _) = watch(&path);
        drop(listener);
        assert_eq!(reasons(&endings), [Reason::NodeDown]);
        assert_eq!(path.try_tell("note", body(1), Delivery::AtLeastOnce), Err(Untold::Down));
        sleep(secs(1)).await;
    });
}

/// What is linked to an actor of a machine that dies is told, when it is taken for dead over there.
#[test]
fn links_end_with_the_machine_of_who_is_linked() {
    on_seeds(20, || async {
        let one = Fake::new("one", 10);
        world::node("server").start({
            let one = one.clone();
            move || {
                let one = one.clone();
                async move {
                    let _listener = serve_fakes(options("server").linger(secs(1)), &[one]).await;
                    std::future::pending::<()>().await;
                }
            }
        });
        let client = world::node("client").start(|| async {
            let listener = serve(options("client").dial_only()).await.unwrap();
            let path = path(&listener, "server", "one");
            path.watch(Some("mine".to_owned()), drop);
            std::future::pending::<()>().await;
        });
        sleep(secs(2)).await;
        assert_eq!(one.signals(), Vec::<String>::new());
        if choose(0..2) == 0 {
            client.kill();
        } else {
            client.power_off();
        }
        sleep(secs(30)).await;
        assert_eq!(one.signals(), ["exit client mine NodeDown"]);
    });
}

/// The system of a machine whose process has died says so itself.
#[test]
fn a_process_that_is_killed_is_down_as_soon_as_nobody_listens() {
    on_seeds(20, || async {
        let (server, _one) = start_one();
        let listener = dialing().await;
        let path = path(&listener, "server", "one");
        assert!(connected(&path).await);
        let (endings, _) = watch(&path);
        sleep(millis(choose(0..1_000))).await;
        server.kill();
        sleep(millis(500)).await;
        assert_eq!(reasons(&endings), [Reason::NodeDown]);
    });
}
