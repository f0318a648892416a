//! Messages: once, or until they are there; in order; and no more than there is room for.

use std::sync::atomic::AtomicBool;

use super::*;
use crate::choose;
use crate::rng::choose_for;
use crate::spawn;
use crate::time::timeout;

/// Breaks the connection between the two, again and again, in all ways.
async fn trouble(times: u64) {
    for time in 0..times {
        sleep(millis(choose_for("pause", time, 0..400))).await;
        match choose_for("trouble", time, 0..4) {
            0 => drop(world::reset("test", "server")),
            1 => {
                let cut = world::partition("test", "server");
                sleep(millis(choose_for("cut", time, 0..20_000))).await;
                cut.end();
            }
            2 => {
                let cut = world::partition("test", "server").one_way();
                sleep(millis(choose_for("cut", time, 0..20_000))).await;
                cut.end();
            }
            _ => {
                let hold = world::hold("test", "server");
                sleep(millis(choose_for("hold", time, 0..3_000))).await;
                hold.end();
            }
        }
    }
}

async fn until(is_so: impl Fn() -> bool) {
    let waiting = async {
        while !is_so() {
            sleep(millis(100)).await;
        }
    };
    assert!(timeout(secs(600), waiting).await.is_ok(), "it did not come to that");
}

#[test]
fn a_message_comes_and_an_answer_comes_back() {
    on_seeds(SEEDS, || async {
        let echo = Fake::new("echo", 10);
        world::node("server").start({
            let echo = echo.clone();
            move || {
                let echo = echo.clone();
                async move {
                    let _listener = serve_fakes(options("server"), &[echo]).await;
                    std::future::pending::<()>().await;
                }
            }
        });
        let listener = dialing().await;
        let path = path(&listener, "server", "echo");
        path.try_tell("note", body(1), Delivery::AtMostOnce).unwrap();
        assert_eq!(echo.next().await, 1);
        assert_eq!(ask(&path, 21).await, Ok(42));
    });
}

/// Asks, and waits for the answer.
async fn ask(path: &Path, question: u64) -> Result<u64, Failure> {
    let (sender, receiver) = crate::sync::oneshot::channel();
    let wait = move |result: Result<Body, Failure>| {
        drop(sender.send(result.map(|body| number(&body.0))));
    };
    if path.try_ask("double", body(question), waits(wait)).is_err() {
        return Err(Failure::NodeDown);
    }
    receiver.await.expect("whoever asks hears something")
}

#[test]
fn at_least_once_everything_comes_exactly_once_and_in_order() {
    on_seeds(SEEDS, || async {
        let (_server, journal) = start_sink(5);
        let listener = dialing().await;
        let path = path(&listener, "server", "sink");
        let trouble = spawn(trouble(6));
        for message in 0..60 {
            path.tell("note", body(message), Delivery::AtLeastOnce).await.unwrap();
            sleep(millis(choose(0..300))).await;
        }
        trouble.await;
        until(|| heard(&journal).len() >= 60).await;
        sleep(secs(10)).await;
        assert_eq!(heard(&journal), (0..60).collect::<Vec<_>>());
    });
}

#[test]
fn at_most_once_nothing_comes_twice_and_what_comes_is_in_order() {
    let lost = Arc::new(Mutex::new(0));
    on_seeds(SEEDS, {
        let lost = lost.clone();
        move || {
            let lost = lost.clone();
            async move {
                let (_server, journal) = start_sink(5);
                let listener = dialing().await;
                let path = path(&listener, "server", "sink");
                let trouble = spawn(trouble(6));
                let mut told = 0;
                for message in 0..100 {
                    told += u64::from(
                        path.try_tell("note", body(message), Delivery::AtMostOnce).is_ok(),
                    );
                    sleep(millis(choose(0..300))).await;
                }
                trouble.await;
                sleep(secs(30)).await;
                let heard = heard(&journal);
                assert!(heard.is_sorted_by(|a, b| a < b), "{heard:?}");
                *lost.lock().unwrap() += told - u64::try_from(heard.len()).unwrap();
            }
        }
    });
    assert!(*lost.lock().unwrap() > 0, "the trouble troubles nobody");
}

/// Both kinds on one way keep their order.
#[test]
fn messages_of_both_kinds_keep_their_order() {
    on_seeds(SEEDS, || async {
        let (_server, journal) = start_sink(5);
        let listener = dialing().await;
        let path = path(&listener, "server", "sink");
        let trouble = spawn(trouble(4));
        for message in 0..60 {
            let delivery =
                if message % 3 == 0 { Delivery::AtLeastOnce } else { Delivery::AtMostOnce };
            let _ = path.try_tell("note", body(message), delivery);
            sleep(millis(choose(0..200))).await;
        }
        trouble.await;
        until(|| heard(&journal).contains(&57)).await;
        let heard = heard(&journal);
        assert!(heard.is_sorted_by(|a, b| a < b), "{heard:?}");
        let sure: Vec<u64> = heard.into_iter().filter(|message| message % 3 == 0).collect();
        assert_eq!(sure, (0..60).step_by(3).collect::<Vec<_>>());
    });
}

/// Writes numbers from this one on, for ever.
async fn write_from(first: u64) {
    let listener = serve(options("client").dial_only()).await.unwrap();
    let path = path(&listener, "server", "sink");
    for message in first.. {
        path.tell("note", body(message), Delivery::AtLeastOnce).await.unwrap();
        sleep(millis(20)).await;
    }
}

/// The machine `client` writes; it dies and comes back, and what its first process had sent comes before all
/// that its second one sends, or never.
#[test]
fn nothing_of_a_dead_process_comes_after_the_first_word_of_the_next() {
    on_seeds(SEEDS, || async {
        let (_server, journal) = start_sink(1);
        let client = world::node("client").start({
            let life = Arc::new(Mutex::new(0));
            move || {
                *life.lock().unwrap() += 1;
                let first = *life.lock().unwrap() * 1_000;
                write_from(first)
            }
        });
        let hold = world::hold("client", "server");
        sleep(millis(choose(0..100))).await;
        hold.end();
        for _ in 0..3 {
            sleep(millis(choose(0..500))).await;
            if choose(0..2) == 0 {
                client.restart();
            } else {
                client.power_off();
                sleep(millis(choose(0..500))).await;
                client.power_on();
            }
        }
        sleep(secs(5)).await;
        let heard = heard(&journal);
        assert!(heard.is_sorted_by(|a, b| a < b), "{heard:?}");
        assert!(heard.last().is_some_and(|last| *last >= 4_000), "{heard:?}");
    });
}

/// A process that takes the place of another has what was not acknowledged, in its order.
#[test]
fn what_was_not_acknowledged_goes_to_the_next_process() {
    on_seeds(SEEDS, || async {
        let (server, journal) = start_sink(5);
        let listener = dialing().await;
        let path = path(&listener, "server", "sink");
        for message in 0..40 {
            path.tell("note", body(message), Delivery::AtLeastOnce).await.unwrap();
            if message == 20 {
                server.power_off();
                sleep(millis(choose(0..20_000))).await;
                server.power_on();
            }
            sleep(millis(10)).await;
        }
        until(|| heard(&journal).contains(&39)).await;
        let mut heard = heard(&journal);
        // What the first one had in its mailbox died with it, and what it had not acknowledged came twice.
        heard.sort_unstable();
        heard.dedup();
        assert!(heard.len() >= 40 - 6, "{heard:?}");
    });
}

/// Serves an actor, and notes the most messages that were held for it.
async fn serve_and_measure(slow: Fake, held: Arc<Mutex<u64>>) {
    let listener = serve_fakes(options("server").window(4), &[slow]).await;
    loop {
        sleep(millis(10)).await;
        let mut most = held.lock().unwrap();
        *most = listener.held().max(*most);
    }
}

#[test]
fn a_full_mailbox_slows_the_sender_and_bounds_what_is_held() {
    on_seeds(20, || async {
        let slow = Fake::new("slow", 2);
        let held: Arc<Mutex<u64>> = Arc::default();
        world::node("server").start({
            let (slow, held) = (slow.clone(), held.clone());
            move || {
                let (slow, held) = (slow.clone(), held.clone());
                serve_and_measure(slow, held)
            }
        });
        let listener = serve(options("test").dial_only().outgoing(8)).await.unwrap();
        let path = path(&listener, "server", "slow");
        let mut told = 0;
        let more = async {
            loop {
                path.tell("note", body(told), Delivery::AtMostOnce).await.unwrap();
                told += 1;
            }
        };
        assert!(timeout(secs(5), more).await.is_err());
        // Two in the mailbox, four in the window (one of them at the door), eight here.
        assert_eq!(told, 2 + 4 + 8);
        assert_eq!(*held.lock().unwrap(), 4);
        assert_eq!(path.try_tell("note", body(99), Delivery::AtMostOnce), Err(Untold::Full));
        // One goes on when one is taken: the window is opened by halves.
        for expected in 0..4 {
            assert_eq!(slow.next().await, expected);
        }
        sleep(secs(1)).await;
        assert_eq!(path.try_tell("note", body(99), Delivery::AtMostOnce), Ok(()));
    });
}

#[test]
fn a_full_mailbox_holds_up_nobody_else() {
    on_seeds(20, || async {
        let (slow, quick) = (Fake::new("slow", 1), Fake::new("quick", 1));
        world::node("server").start({
            let fakes = [slow, quick.clone()];
            move || {
                let fakes = fakes.clone();
                async move {
                    let _listener = serve_fakes(options("server"), &fakes).await;
                    std::future::pending::<()>().await;
                }
            }
        });
        let listener = dialing().await;
        let [slow, to_quick] = ["slow", "quick"].map(|name| path(&listener, "server", name));
        while slow.try_tell("note", body(0), Delivery::AtLeastOnce).is_ok() {}
        sleep(secs(1)).await;
        for message in 0..10 {
            to_quick.tell("note", body(message), Delivery::AtMostOnce).await.unwrap();
            assert_eq!(timeout(secs(1), quick.next()).await.unwrap(), message);
        }
    });
}

#[test]
fn what_is_too_long_is_refused_at_once() {
    on_seeds(1, || async {
        let listener = serve(options("test").dial_only().frame(3_000)).await.unwrap();
        let path = path(&listener, "server", "sink");
        let told = path.try_tell("note", Body(vec![0; 3_000]), Delivery::AtMostOnce);
        assert!(matches!(told, Err(Untold::TooLarge { limit: 3_000, .. })));
        assert!(path.try_tell("note", Body(vec![0; 2_900]), Delivery::AtMostOnce).is_ok());
    });
}

/// The other side takes less: it is not sent, and what comes after it comes.
#[test]
fn what_is_too_long_for_the_other_side_does_not_break_the_connection() {
    on_seeds(20, || async {
        let echo = Fake::new("echo", 10);
        world::node("server").start({
            let echo = echo.clone();
            move || {
                let echo = echo.clone();
                async move {
                    let _listener = serve_fakes(options("server").frame(3_000), &[echo]).await;
                    std::future::pending::<()>().await;
                }
            }
        });
        let listener = dialing().await;
        let path = path(&listener, "server", "echo");
        path.try_tell("note", Body(vec![0; 5_000]), Delivery::AtLeastOnce).unwrap();
        let (sender, receiver) = crate::sync::oneshot::channel();
        let wait = move |result| drop(sender.send(result));
        path.try_ask("double", Body(vec![0; 5_000]), waits(wait)).unwrap();
        path.try_tell("note", body(7), Delivery::AtLeastOnce).unwrap();
        assert_eq!(echo.next().await, 7);
        let answer = receiver.await.unwrap();
        assert!(matches!(
            answer,
            Err(Failure::Unanswered(Unanswered::TooLarge { limit: 3_000, .. }))
        ));
        assert_eq!(echo.signals(), Vec::<String>::new());
    });
}

#[test]
fn a_signal_comes_after_what_was_sent_before_it_and_a_kill_does_not_wait() {
    on_seeds(20, || async {
        let slow = Fake::new("slow", 1);
        world::node("server").start({
            let slow = slow.clone();
            move || {
                let slow = slow.clone();
                async move {
                    let _listener = serve_fakes(options("server"), &[slow]).await;
                    std::future::pending::<()>().await;
                }
            }
        });
        let listener = dialing().await;
        let path = path(&listener, "server", "slow");
        for message in 0..10 {
            path.try_tell("note", body(message), Delivery::AtMostOnce).unwrap();
        }
        path.signal(Parcel::Stop(Reason::Normal)).unwrap();
        path.signal(Parcel::Drain).unwrap();
        sleep(secs(1)).await;
        assert_eq!(slow.signals(), Vec::<String>::new());
        for message in 0..10 {
            assert_eq!(slow.next().await, message);
        }
        sleep(secs(1)).await;
        assert_eq!(slow.signals(), ["stop", "drain"]);
        for message in 0..10 {
            path.try_tell("note", body(message), Delivery::AtMostOnce).unwrap();
        }
        path.exit("mine".to_owned(), Reason::Killed).unwrap();
        path.kill().unwrap();
        sleep(secs(1)).await;
        assert_eq!(slow.signals(), ["stop", "drain", "exit test mine Killed", "kill"]);
    });
}

#[test]
fn answers_come_through_trouble_once_or_the_machine_is_down() {
    on_seeds(SEEDS, || async {
        let echo = Fake::new("echo", 10);
        world::node("server").start({
            let echo = echo.clone();
            move || {
                let echo = echo.clone();
                async move {
                    let _listener = serve_fakes(options("server"), &[echo]).await;
                    std::future::pending::<()>().await;
                }
            }
        });
        let listener = dialing().await;
        let path = path(&listener, "server", "echo");
        let trouble = spawn(trouble(4));
        for question in 0..30 {
            let answer =
                timeout(secs(60), ask(&path, question)).await.expect("nobody waits for ever");
            assert!(answer == Ok(question * 2) || answer == Err(Failure::NodeDown), "{answer:?}");
            sleep(millis(choose(0..300))).await;
        }
        trouble.await;
        // Each was asked once at most.
        let mut asked = echo.signals();
        let count = asked.len();
        asked.sort();
        asked.dedup();
        assert_eq!(asked.len(), count);
    });
}

#[test]
fn a_question_that_is_not_waited_for_is_taken_back() {
    on_seeds(20, || async {
        let echo = Fake::new("echo", 10);
        world::node("server").start({
            let echo = echo.clone();
            move || {
                let echo = echo.clone();
                async move {
                    let _listener = serve_fakes(options("server"), &[echo]).await;
                    std::future::pending::<()>().await;
                }
            }
        });
        let listener = dialing().await;
        let path = path(&listener, "server", "echo");
        let (is_called, is_over): (Arc<Mutex<bool>>, Arc<AtomicBool>) = Default::default();
        let wait = || {
            let (is_called, is_over) = (is_called.clone(), is_over.clone());
            Wait {
                then: Box::new(move |_| *is_called.lock().unwrap() = true),
                is_over: Box::new(move || is_over.load(Ordering::Relaxed)),
            }
        };
        // The machine is not connected yet when the first one is over.
        path.try_ask("double", body(1), wait()).unwrap();
        is_over.store(true, Ordering::Relaxed);
        assert_eq!(ask(&path, 2).await, Ok(4));
        assert_eq!(echo.signals(), ["asked 2"]);
        is_over.store(false, Ordering::Relaxed);
        path.try_ask("double", body(1_000), wait()).unwrap();
        sleep(secs(1)).await;
        is_over.store(true, Ordering::Relaxed);
        sleep(secs(2)).await;
        echo.end();
        sleep(secs(1)).await;
        assert!(!*is_called.lock().unwrap());
        assert_eq!(echo.signals(), ["asked 2", "asked 1000", "canceled: true"]);
    });
}

#[test]
fn unknown_names_and_messages_are_said_so() {
    on_seeds(20, || async {
        let (_server, journal) = start_sink(5);
        let listener = dialing().await;
        let nobody = path(&listener, "server", "nobody");
        nobody.try_tell("note", body(1), Delivery::AtLeastOnce).unwrap();
        assert_eq!(ask(&nobody, 1).await, Err(Failure::Unanswered(Unanswered::NoActor)));
        let sink = path(&listener, "server", "sink");
        let (sender, receiver) = crate::sync::oneshot::channel();
        sink.try_ask("triple", body(1), waits(move |result| drop(sender.send(result)))).unwrap();
        let answer = receiver.await.unwrap();
        assert_eq!(answer, Err(Failure::Unanswered(Unanswered::UnknownMessage)));
        sink.try_tell("note", body(2), Delivery::AtLeastOnce).unwrap();
        until(|| heard(&journal) == [2]).await;
    });
}

#[test]
fn references_to_one_machine_share_a_connection() {
    on_seeds(20, || async {
        let (server, journal) = start_sink(5);
        let listener = dialing().await;
        for name in ["sink", "other", "sink"] {
            let path = path(&listener, "server:7437", name);
            path.try_tell("note", body(1), Delivery::AtMostOnce).unwrap();
        }
        let same: Arc<Association> = listener.shared.association("server");
        assert!(Arc::ptr_eq(&same, &listener.shared.association("server:7437")));
        until(|| heard(&journal).len() == 2).await;
        let connections = server.netstat().to_string().matches("ESTABLISHED").count();
        assert_eq!(connections, 1, "{}", server.netstat());
    });
}
