//! What comes, how often, and in which order.

use std::future::IntoFuture as _;

use parcae::actor::{AskError, ExitReason, TellError};
use parcae::fault::mailboxes;
use parcae::kernel::Ratio;
use parcae::spawn;
use parcae::time::{Instant, timeout};

use super::*;

const ALWAYS: Ratio = Ratio::new(1, 1);

#[test]
fn an_answer_comes_from_another_machine() {
    on_seeds(|| async {
        let journal = Journal::new();
        start_server(&journal);
        let _listener = dialing().await;
        assert_eq!(notes().ask(Double(21)).await, Ok(42));
        notes().tell(Note(1)).unwrap();
        notes().send(Note(2)).await.unwrap();
        assert_eq!(notes().ask(Double(3)).await, Ok(6));
        assert_eq!(journal.take(), [21, 1, 2, 3]);
    });
}

#[test]
fn at_least_once_each_is_handled_once_and_in_order() {
    on_seeds(|| async {
        let journal = Journal::new();
        start_server(&journal);
        let _listener = dialing().await;
        let notes = notes();
        let trouble = spawn(trouble(4));
        for number in 0..30 {
            notes.send(Sure(number)).await.unwrap();
            sleep(millis(choose(0..300))).await;
        }
        trouble.await;
        let wait = async {
            while journal.count() < 30 {
                sleep(millis(100)).await;
            }
        };
        assert!(timeout(secs(300), wait).await.is_ok(), "{:?}", journal.take());
        sleep(secs(10)).await;
        assert_eq!(journal.take(), (0..30).collect::<Vec<_>>());
    });
}

#[test]
fn at_least_once_by_reference_too() {
    on_seeds(|| async {
        let journal = Journal::new();
        start_server(&journal);
        let _listener = dialing().await;
        let notes = remote::remote_with::<Notes>("server", "notes", Delivery::AtLeastOnce);
        for number in 0..10 {
            notes.send(Note(number)).await.unwrap();
            sleep(millis(choose(0..50))).await;
            if choose(0..4) == 0 {
                world::reset("test", "server");
            }
        }
        sleep(secs(20)).await;
        assert_eq!(journal.take(), (0..10).collect::<Vec<_>>());
    });
}

#[test]
fn at_most_once_none_is_handled_twice() {
    on_seeds(|| async {
        let journal = Journal::new();
        start_server(&journal);
        let _listener = dialing().await;
        let notes = notes();
        let trouble = spawn(trouble(4));
        for number in 0..50 {
            drop(notes.tell(Note(number)));
            sleep(millis(choose(0..300))).await;
        }
        trouble.await;
        sleep(secs(20)).await;
        let handled = journal.take();
        assert!(handled.is_sorted_by(|one, other| one < other), "{handled:?}");
    });
}

/// The default mailbox rejects: over the network it slows the sender all the same.
#[test]
fn a_mailbox_that_rejects_slows_who_writes_from_afar_and_loses_nothing() {
    on_seeds(|| async {
        let journal = Journal::new();
        start_server(&journal);
        let _listener = dialing().await;
        let notes = notes();
        for number in 0..600 {
            notes.send(Note(number)).await.unwrap();
        }
        assert_eq!(notes.ask(Double(600)).await, Ok(1_200));
        assert_eq!(journal.take(), (0..=600).collect::<Vec<_>>());
    });
}

#[test]
fn more_than_there_is_room_for_is_full() {
    on_seeds(|| async {
        let _listener = remote::serve(options("test").dial_only().outgoing(3)).await.unwrap();
        world::node("server").idle();
        let notes = notes();
        for number in 0..3 {
            notes.tell(Note(number)).unwrap();
        }
        assert!(matches!(notes.tell(Note(3)), Err(TellError::Full(Note(3)))));
    });
}

#[test]
fn what_cannot_go_comes_back_with_the_reason() {
    on_seeds(|| async {
        let journal = Journal::new();
        start_server(&journal);
        let _listener = dialing().await;
        let notes = notes();
        assert!(matches!(notes.tell(Local), Err(TellError::NotRemote(Local))));
        assert_eq!(notes.ask(Local).await, Err(AskError::NotRemote));
        let told = notes.tell(Big(vec![0; 2 << 20]));
        assert!(matches!(told, Err(TellError::TooLarge { limit: 0x10_0000, .. })), "{told:?}");
        notes.tell(Big(vec![0; 500_000])).unwrap();
        let nobody = actor::remote::<Notes>("server", "nobody");
        assert_eq!(nobody.ask(Double(1)).await, Err(AskError::NoProc));
        assert_eq!(notes.ask(Double(1)).await, Ok(2));
        assert_eq!(journal.take(), [500_000, 1]);
    });
}

#[test]
fn a_question_without_an_answer_ends_in_time() {
    on_seeds(|| async {
        let journal = Journal::new();
        start_server(&journal);
        let _listener = dialing().await;
        let start = Instant::now();
        let answer = notes().ask(Ignored).timeout(secs(2)).await;
        assert_eq!(answer, Err(AskError::Timeout { after: secs(2) }));
        assert_eq!(start.elapsed(), secs(2));
        // And one whose actor ends meanwhile, at once.
        let asking = spawn(async { notes().ask(Ignored).no_timeout().await });
        sleep(secs(1)).await;
        assert!(matches!(notes().ask(Fail).await, Err(AskError::Died(_))));
        assert!(matches!(asking.await, Err(AskError::Died(_))));
    });
}

#[test]
fn without_the_key_nobody_is_heard() {
    on_seeds(|| async {
        let journal = Journal::new();
        start_server(&journal);
        let stranger =
            remote::serve(Options::new("stranger", b"a guess").dial_only()).await.unwrap();
        let notes = stranger.remote::<Notes>("server", "notes");
        drop(notes.tell(Note(1)));
        assert_eq!(notes.ask(Double(2)).no_timeout().await, Err(AskError::NodeDown));
        sleep(secs(10)).await;
        assert_eq!(journal.take(), Vec::<u64>::new());
        drop(stranger);
        let _listener = dialing().await;
        assert_eq!(super::notes().ask(Double(21)).await, Ok(42));
    });
}

/// A machine whose mailbox of `notes` has faults, from its start.
fn start_faulty(journal: &Journal<u64>, rule: fn() -> parcae::fault::MailboxFault) {
    let journal = journal.clone();
    world::node("server").start(move || {
        let journal = journal.clone();
        async move {
            rule().keep();
            let _listener = remote::serve(options("server").expose::<Notes>()).await.unwrap();
            let _notes = actor::spawn_named::<Notes>("notes", journal).unwrap();
            std::future::pending::<Result<(), Infallible>>().await
        }
    });
}

#[test]
fn a_message_from_afar_may_be_lost_at_the_mailbox() {
    on_seeds(|| async {
        let journal = Journal::new();
        start_faulty(&journal, || mailboxes().of("notes").message::<Double>().drop(ALWAYS));
        let _listener = dialing().await;
        let asked = notes().ask(Double(1)).timeout(secs(3)).await;
        assert_eq!(asked, Err(AskError::Timeout { after: secs(3) }));
        // It came there: what is told at least once is not sent again for that.
        notes().send(Sure(2)).await.unwrap();
        sleep(secs(10)).await;
        assert_eq!(journal.take(), [2]);
    });
}

#[test]
fn a_message_from_afar_may_be_late_at_the_mailbox() {
    on_seeds(|| async {
        let journal = Journal::new();
        let late = || mailboxes().of("notes").message::<Note>().delay(ALWAYS, secs(5)..=secs(5));
        start_faulty(&journal, late);
        let _listener = dialing().await;
        notes().tell(Note(1)).unwrap();
        assert_eq!(notes().ask(Double(2)).await, Ok(4));
        assert_eq!(journal.take(), [2]);
        sleep(secs(10)).await;
        assert_eq!(journal.take(), [1]);
    });
}

#[test]
fn an_actor_may_crash_at_a_message_from_afar() {
    on_seeds(|| async {
        let journal = Journal::new();
        start_faulty(&journal, || mailboxes().of("notes").message::<Double>().crash_at(2));
        let _listener = dialing().await;
        let exited = spawn(async { notes().exited().await });
        assert_eq!(notes().ask(Double(1)).await, Ok(2));
        let asked = notes().ask(Double(2)).no_timeout().await;
        assert!(matches!(asked, Err(AskError::Died(ExitReason::Panicked { .. }))), "{asked:?}");
        assert!(matches!(exited.await, ExitReason::Panicked { .. }));
        assert_eq!(journal.take(), [1]);
    });
}

#[test]
fn of_several_machines_that_are_asked_at_once_the_one_that_is_down_is_told_apart() {
    const NAMES: [&str; 3] = ["one", "two", "three"];
    on_seeds(|| async {
        let journals = [(); 3].map(|()| Journal::new());
        let machines = [0, 1, 2].map(|place| start_machine(NAMES[place], &journals[place]));
        let _listener = dialing().await;
        let nodes = NAMES.map(|name| actor::remote::<Notes>(name, "notes"));
        for notes in &nodes {
            assert_eq!(notes.ask(Double(1)).await, Ok(2));
        }
        machines[1].kill();
        let asks = nodes.iter().map(|notes| notes.ask(Double(2)).into_future());
        let answers = futures::future::join_all(asks).await;
        assert_eq!(answers, [Ok(4), Err(AskError::NodeDown), Ok(4)]);
        assert_eq!(journals.map(|journal| journal.take()), [vec![1, 2], vec![1], vec![1, 2]]);
    });
}

#[test]
fn what_is_not_exposed_is_not_there() {
    on_seeds(|| async {
        world::node("server").start(|| async {
            let _listener = remote::serve(options("server")).await.unwrap();
            let notes = actor::spawn_named::<Notes>("notes", Journal::new()).unwrap();
            notes.exited().await;
        });
        let _listener = dialing().await;
        assert_eq!(notes().ask(Double(1)).await, Err(AskError::NoProc));
    });
}

#[test]
fn whoever_takes_no_part_is_told_so() {
    let outcome = crate::runs::fifo(|| async { drop(notes()) });
    crate::runs::panicked(&outcome, "this machine takes no part");
}

/// Serves `notes`, and asks those of the other machine.
async fn ask_the_other(own: &str, other: &str, answers: Rc<RefCell<Vec<u64>>>) {
    let _listener = remote::serve(options(own).expose::<Notes>()).await.unwrap();
    let _notes = actor::spawn_named::<Notes>("notes", Journal::new()).unwrap();
    sleep(secs(1)).await;
    let notes = actor::remote::<Notes>(other, "notes");
    for number in 0..5 {
        let answer = notes.ask(Double(number)).await.unwrap();
        answers.borrow_mut().push(answer);
    }
    std::future::pending::<()>().await;
}

/// Both dial each other at once: each direction has a connection of its own.
#[test]
fn two_machines_may_ask_each_other_at_once() {
    on_seeds(|| async {
        let answers: Rc<RefCell<Vec<u64>>> = Rc::default();
        for (own, other) in [("one", "two"), ("two", "one")] {
            let answers = answers.clone();
            world::node(own).start(move || ask_the_other(own, other, answers.clone()));
        }
        sleep(secs(10)).await;
        let mut answers = answers.take();
        answers.sort_unstable();
        assert_eq!(answers, [0, 0, 2, 2, 4, 4, 6, 6, 8, 8]);
    });
}
