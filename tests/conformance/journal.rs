//! What tests write down, and values whose end can be seen.

use std::cell::RefCell;
use std::rc::Rc;

/// What the tasks of a program write down, in order.
#[derive(Debug)]
pub(crate) struct Journal<T>(Rc<RefCell<Vec<T>>>);

impl<T> Clone for Journal<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T: 'static> Journal<T> {
    pub(crate) fn new() -> Self {
        Self(Rc::new(RefCell::new(Vec::new())))
    }

    pub(crate) fn add(&self, entry: T) {
        self.0.borrow_mut().push(entry);
    }

    /// Returns what was written, and begins a new page.
    pub(crate) fn take(&self) -> Vec<T> {
        self.0.take()
    }

    /// Makes a value that writes this entry when it is dropped.
    pub(crate) fn on_drop(&self, entry: T) -> OnDrop<T> {
        OnDrop { journal: self.clone(), entry: Some(entry) }
    }
}

/// Writes an entry into a journal when it is dropped; made by [`Journal::on_drop`].
#[derive(Debug)]
pub(crate) struct OnDrop<T: 'static> {
    journal: Journal<T>,
    entry: Option<T>,
}

impl<T> Drop for OnDrop<T> {
    fn drop(&mut self) {
        if let Some(entry) = self.entry.take() {
            self.journal.add(entry);
        }
    }
}
