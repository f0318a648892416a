//! A ledger is told ten entries; one of them may be such that it crashes, and its supervisor restarts it.
//!
//! What is wrong: the restarted ledger begins with an empty mailbox. The entries that waited behind the bad
//! one are gone, and nobody is told.
//!
//! The repair keeps the mailbox over the restart: only the entry that the ledger crashed at is lost.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use parcae::actor::{Actor, ChildSpec, Context, Crash, Handler, OnRestart, Strategy, Supervisor};
use parcae::rng::choose_for;
use parcae::time::sleep;

use crate::scenario::Scenario;

pub(crate) const SCENARIO: Scenario = Scenario {
    name: "lost-at-restart",
    summary: "A ledger crashes at a bad entry and is restarted by its supervisor.",
    defect: "What waited in its mailbox is gone with it; in the twin the mailbox is kept.",
    source: "kameo#335, #359, #364: messages lost when an actor is restarted",
    failure_kind: "panic",
    seeds_until_found: 50,
    buggy: || Box::pin(book_all(OnRestart::DropMailbox)),
    fixed: || Box::pin(book_all(OnRestart::KeepMailbox)),
};

const ENTRIES: u64 = 10;

struct Ledger {
    book: Rc<RefCell<Vec<u64>>>,
}

#[derive(Debug)]
struct Entry {
    number: u64,
    is_bad: bool,
}
parcae::message!(Entry -> ());

impl Actor for Ledger {
    type Args = Rc<RefCell<Vec<u64>>>;
    type Error = Crash;

    async fn start(book: Self::Args, _: &mut Context<Self>) -> Result<Self, Crash> {
        Ok(Self { book })
    }
}

impl Handler<Entry> for Ledger {
    async fn handle(&mut self, entry: Entry, _: &mut Context<Self>) -> Result<(), Crash> {
        if entry.is_bad {
            return Err(Crash::new("a bad entry"));
        }
        self.book.borrow_mut().push(entry.number);
        Ok(())
    }
}

async fn book_all(on_restart: OnRestart) {
    let book = Rc::new(RefCell::new(Vec::new()));
    let mut supervisor = Supervisor::new(Strategy::OneForOne);
    let args = book.clone();
    let spec = ChildSpec::<Ledger>::new(move || args.clone()).on_restart(on_restart);
    let ledger = supervisor.child("ledger", spec);
    let _supervisor = supervisor.start().await.expect("a ledger starts");
    let bad = choose_for("bad entry", 0, 0..=ENTRIES);
    for number in 1..=ENTRIES {
        let entry = Entry { number, is_bad: number == bad };
        ledger.tell(entry).expect("it has a place for ten");
    }
    sleep(Duration::from_secs(1)).await;
    let expected: Vec<_> = (1..=ENTRIES).filter(|&number| number != bad).collect();
    assert_eq!(*book.borrow(), expected, "entries are lost");
}
