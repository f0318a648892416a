//! Things that are sent once, and things that are sent until they are acknowledged, sans-io.
//!
//! ```text
//! waiting --take--> (sent once: gone)
//!         --take--> unacknowledged --acknowledge--> gone
//!            ^             |
//!            '---rewind----'            a new connection to the same process
//! ```
//!
//! The order is that of [`Outgoing::push`], also after a rewind: a stream loses only its end, so what is
//! behind a thing that was lost was lost too, and goes out behind it again.

use std::collections::VecDeque;

/// What one side has to send to the other, in order.
#[derive(Debug)]
pub(super) struct Outgoing<T> {
    unacknowledged: VecDeque<(u64, T)>,
    waiting: VecDeque<Item<T>>,
    /// Number of the next thing that is kept.
    next: u64,
    /// Number after the last one that was ever sent to the process at the other end.
    sent: u64,
}

/// A thing to send.
#[derive(Debug)]
pub(super) enum Item<T> {
    /// It is gone when it is sent.
    Once(T),
    /// It is kept, under this number, until the other side has it.
    Kept(u64, T),
}

impl<T> Outgoing<T> {
    pub(super) fn new() -> Self {
        Self { unacknowledged: VecDeque::new(), waiting: VecDeque::new(), next: 0, sent: 0 }
    }

    pub(super) fn push_once(&mut self, value: T) {
        self.waiting.push_back(Item::Once(value));
    }

    /// Adds what is kept until it is acknowledged, and returns its number.
    pub(super) fn push_kept(&mut self, value: T) -> u64 {
        let number = self.next;
        self.next += 1;
        self.waiting.push_back(Item::Kept(number, value));
        number
    }

    /// Returns how much is held in memory.
    #[cfg(test)]
    pub(super) fn count(&self) -> usize {
        self.unacknowledged.len() + self.waiting.len()
    }

    pub(super) fn has_waiting(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// Takes what is to be sent next.
    pub(super) fn take(&mut self) -> Option<Item<T>>
    where
        T: Clone,
    {
        let item = self.waiting.pop_front()?;
        if let Item::Kept(number, value) = &item {
            self.unacknowledged.push_back((*number, value.clone()));
            self.sent = self.sent.max(number + 1);
        }
        Some(item)
    }

    /// Forgets what the other side has: all numbers below `expected`, and returns it. None if the number
    /// cannot be true.
    ///
    /// Also what waits to be sent again: it may have come, and its acknowledgement been lost.
    #[must_use]
    pub(super) fn acknowledge(&mut self, expected: u64) -> Option<Vec<T>> {
        if expected > self.sent {
            return None;
        }
        let mut done = Vec::new();
        while self.unacknowledged.front().is_some_and(|(number, _)| *number < expected) {
            done.extend(self.unacknowledged.pop_front().map(|(_, value)| value));
        }
        while self.waiting.front().is_some_and(|item| item.is_below(expected)) {
            done.extend(self.waiting.pop_front().map(Item::into_value));
        }
        Some(done)
    }

    /// What was sent and is not acknowledged is to be sent again, before all else.
    pub(super) fn rewind(&mut self) {
        while let Some((number, value)) = self.unacknowledged.pop_back() {
            self.waiting.push_front(Item::Kept(number, value));
        }
    }

    /// Calls a function with all that is kept, wherever it stands.
    pub(super) fn for_each_kept(&self, mut call: impl FnMut(&T)) {
        self.unacknowledged.iter().for_each(|(_, value)| call(value));
        for item in &self.waiting {
            if let Item::Kept(_, value) = item {
                call(value);
            }
        }
    }

    /// Calls a function with all that is kept and was never sent.
    pub(super) fn for_each_unsent(&self, mut call: impl FnMut(&T)) {
        for item in &self.waiting {
            if let Item::Kept(number, value) = item
                && *number >= self.sent
            {
                call(value);
            }
        }
    }

    /// Takes out what would be sent once.
    pub(super) fn drop_once(&mut self) -> Vec<T> {
        let all = std::mem::take(&mut self.waiting);
        let (once, kept) = all.into_iter().partition(|item| matches!(item, Item::Once(_)));
        self.waiting = kept;
        let once: VecDeque<Item<T>> = once;
        once.into_iter().map(Item::into_value).collect()
    }

    /// Begins anew, with another process at the other end that knows of nothing: what `stays` is numbered
    /// from 0 in its order, the rest is returned.
    pub(super) fn restart(&mut self, mut stays: impl FnMut(&T) -> bool) -> Vec<T> {
        self.rewind();
        let mut refused = Vec::new();
        (self.next, self.sent) = (0, 0);
        for item in std::mem::take(&mut self.waiting) {
            match item {
                Item::Once(value) if stays(&value) => self.push_once(value),
                Item::Kept(_, value) if stays(&value) => drop(self.push_kept(value)),
                Item::Once(value) | Item::Kept(_, value) => refused.push(value),
            }
        }
        refused
    }
}

impl<T> Item<T> {
    fn is_below(&self, expected: u64) -> bool {
        matches!(self, Self::Kept(number, _) if *number < expected)
    }

    fn into_value(self) -> T {
        match self {
            Self::Once(value) | Self::Kept(_, value) => value,
        }
    }
}

/// Which of the things that are numbered have come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Incoming {
    expected: u64,
}

/// What to do with a thing that came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Arrival {
    /// It is the next one.
    New,
    /// It came before.
    Again,
    /// One before it is missing, which no honest peer does.
    TooEarly,
}

impl Incoming {
    pub(super) fn on(&mut self, number: u64) -> Arrival {
        if number < self.expected {
            return Arrival::Again;
        }
        if number > self.expected {
            return Arrival::TooEarly;
        }
        self.expected += 1;
        Arrival::New
    }

    /// Returns the number of the next new one, which acknowledges all before it.
    pub(super) fn expected(self) -> u64 {
        self.expected
    }
}

/// How many more a sender may send over a connection.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Credit {
    granted: u64,
    sent: u64,
}

impl Credit {
    /// Takes the number of all that were ever granted on this connection. It never falls.
    pub(super) fn grant(&mut self, granted: u64) {
        self.granted = self.granted.max(granted);
    }

    pub(super) fn is_there(&self) -> bool {
        self.sent < self.granted
    }

    pub(super) fn spend(&mut self) {
        assert!(self.is_there(), "no credit is left: {self:?}");
        self.sent += 1;
    }
}

/// How many a receiver lets come over a connection: so many as it has room for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Window {
    limit: u64,
    /// What has come over this connection.
    received: u64,
    granted: u64,
}

impl Window {
    pub(super) fn new(limit: u64) -> Self {
        Self { limit: limit.max(1), received: 0, granted: 0 }
    }

    /// Takes one that came. Says whether it was allowed to.
    #[must_use]
    pub(super) fn receive(&mut self) -> bool {
        self.received += 1;
        self.received <= self.granted
    }

    /// Returns the sum of all grants.
    pub(super) fn granted(&self) -> u64 {
        self.granted
    }

    /// Returns the new sum of all grants if it is worth a frame, given how many are held that came in.
    pub(super) fn grant(&mut self, held: u64) -> Option<u64> {
        let allowed = self.received + self.limit.saturating_sub(held);
        let is_worth_it = allowed >= self.granted + self.limit.div_ceil(2)
            || self.granted <= self.received && allowed > self.granted;
        if !is_worth_it {
            return None;
        }
        self.granted = allowed;
        Some(allowed)
    }
}

#[cfg(test)]
mod tests;
