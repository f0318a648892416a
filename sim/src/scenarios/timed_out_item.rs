//! A consumer takes letters from a box, and looks after something else when none comes for a while.
//!
//! What is wrong: `put` hands the letter to the first waiter, into a slot that the waiter has made,
//! and wakes it. When the time of the waiter is over at that very moment it is cancelled and does not
//! run any more: the letter lies in a slot that nobody opens.
//!
//! The repair hands over nothing. A waiter that is woken takes the letter from the box itself, and one
//! that is dropped has taken none.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;
use std::time::Duration;

use parcae::rng::choose_for;
use parcae::sync::{Event, Queue};
use parcae::time::{sleep, timeout};
use parcae::{spawn, spawn_named};

use crate::scenario::Scenario;

pub(crate) const SCENARIO: Scenario = Scenario {
    name: "timed-out-item",
    summary: "A consumer waits at most 30 ms for a letter, and letters come when they come.",
    defect: "A letter handed over at the end of the wait is lost; in the twin none is handed over.",
    source: "asyncio's `wait_for(queue.get())` (bpo-23812), tornado#2826",
    failure_kind: "panic",
    seeds_until_found: 300,
    buggy: || Box::pin(buggy()),
    fixed: || Box::pin(fixed()),
};

const LETTERS: u64 = 3;
const PATIENCE: Duration = Duration::from_millis(30);

#[derive(Default)]
struct Letterbox {
    letters: RefCell<VecDeque<u64>>,
    slots: RefCell<VecDeque<Rc<Slot>>>,
}

/// Where one waiter gets its letter.
#[derive(Default)]
struct Slot {
    letter: Cell<Option<u64>>,
    is_filled: Event,
    is_left: Cell<bool>,
}

impl Letterbox {
    fn put(&self, letter: u64) {
        let mut slots = self.slots.borrow_mut();
        while let Some(slot) = slots.pop_front() {
            if !slot.is_left.get() {
                slot.letter.set(Some(letter));
                slot.is_filled.set();
                return;
            }
        }
        self.letters.borrow_mut().push_back(letter);
    }

    async fn get(&self) -> u64 {
        if let Some(letter) = self.letters.borrow_mut().pop_front() {
            return letter;
        }
        let waits = Waits(Rc::default());
        self.slots.borrow_mut().push_back(waits.0.clone());
        waits.0.is_filled.wait().await;
        waits.0.letter.take().expect("it is filled")
    }
}

struct Waits(Rc<Slot>);

impl Drop for Waits {
    fn drop(&mut self) {
        // No letter is put there from here on; but one may be in it.
        self.0.is_left.set(true);
    }
}

async fn buggy() {
    let letterbox = Rc::new(Letterbox::default());
    let postman = spawn_named("postman", {
        let letterbox = letterbox.clone();
        async move {
            for letter in 1..=LETTERS {
                walk(letter).await;
                letterbox.put(letter);
            }
        }
    });
    let mut received = Vec::new();
    while !(postman.is_finished() && letterbox.letters.borrow().is_empty()) {
        // A task of its own, as `wait_for` makes one; it is cancelled when the time is over.
        let get = spawn({
            let letterbox = letterbox.clone();
            async move { letterbox.get().await }
        });
        received.extend(timeout(PATIENCE, get).await.ok());
    }
    assert_eq!(received, Vec::from_iter(1..=LETTERS), "a letter was lost");
}

async fn fixed() {
    let letterbox = Queue::unbounded().named("letterbox");
    let postman = spawn_named("postman", {
        let letterbox = letterbox.clone();
        async move {
            for letter in 1..=LETTERS {
                walk(letter).await;
                letterbox.put(letter).await.expect("it is open");
            }
        }
    });
    let mut received = Vec::new();
    while !(postman.is_finished() && letterbox.is_empty()) {
        let get = spawn({
            let letterbox = letterbox.clone();
            async move { letterbox.get().await.expect("it is open") }
        });
        received.extend(timeout(PATIENCE, get).await.ok());
    }
    assert_eq!(received, Vec::from_iter(1..=LETTERS), "a letter was lost");
}

async fn walk(letter: u64) {
    sleep(Duration::from_millis(10) * choose_for("walk takes", letter, 1..=6)).await;
}
