//! A line of waiters as asyncio's primitives keep one: a deque of futures, each to be set once.
//!
//! What goes wrong in the primitives built on it is in their scenarios, not here.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;

use parcae::sync::Event;

/// Waiters in the order of their arrival.
#[derive(Debug, Default)]
pub(super) struct Line {
    waiters: RefCell<VecDeque<Waiter>>,
}

/// One that waits: set when it may go on.
pub(super) type Waiter = Rc<Event>;

impl Line {
    pub(super) fn is_empty(&self) -> bool {
        self.waiters.borrow().is_empty()
    }

    /// Puts a new waiter at the end.
    pub(super) fn push(&self, name: &'static str) -> Waiter {
        let waiter = Rc::new(Event::new().named(name));
        self.waiters.borrow_mut().push_back(waiter.clone());
        waiter
    }

    pub(super) fn first(&self) -> Option<Waiter> {
        self.waiters.borrow().front().cloned()
    }

    /// Returns the first that has not been set.
    pub(super) fn first_asleep(&self) -> Option<Waiter> {
        self.waiters.borrow().iter().find(|waiter| !waiter.is_set()).cloned()
    }

    /// Takes the first out of the line.
    pub(super) fn pop(&self) -> Option<Waiter> {
        self.waiters.borrow_mut().pop_front()
    }

    /// Takes a waiter out of the line, wherever it stands.
    pub(super) fn remove(&self, waiter: &Waiter) {
        self.waiters.borrow_mut().retain(|other| !Rc::ptr_eq(other, waiter));
    }
}
