//! Numbers and texts as bytes, one after the other.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

/// What is sent.
#[derive(Debug, Default)]
pub(super) struct Bytes(pub(super) Vec<u8>);

impl Bytes {
    pub(super) fn number(&mut self, number: u64) {
        self.0.extend(number.to_le_bytes());
    }

    pub(super) fn numbers<const N: usize>(&mut self, numbers: [u64; N]) {
        numbers.into_iter().for_each(|number| self.number(number));
    }

    pub(super) fn text(&mut self, text: &str) {
        self.number(text.len() as u64);
        self.0.extend(text.as_bytes());
    }

    /// Adds how many there are, and each.
    pub(super) fn list<T>(
        &mut self,
        list: impl IntoIterator<Item = T, IntoIter: ExactSizeIterator>,
        mut add: impl FnMut(&mut Self, T),
    ) {
        let list = list.into_iter();
        self.number(list.len() as u64);
        list.for_each(|item| add(self, item));
    }

    /// Adds whether there is one, and it.
    pub(super) fn option<T>(&mut self, option: Option<T>, add: impl FnOnce(&mut Self, T)) {
        self.number(u64::from(option.is_some()));
        if let Some(item) = option {
            add(self, item);
        }
    }
}

/// What was received, from where it is not yet read. Nothing is read past its end.
#[derive(Debug)]
pub(super) struct Reader<'a>(pub(super) &'a [u8]);

impl Reader<'_> {
    pub(super) fn number(&mut self) -> Option<u64> {
        let (number, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(u64::from_le_bytes(*number))
    }

    pub(super) fn text(&mut self) -> Option<String> {
        let size = usize::try_from(self.number()?).ok()?;
        let (text, rest) = self.0.split_at_checked(size)?;
        self.0 = rest;
        String::from_utf8(text.to_vec()).ok()
    }

    /// Reads a text that the program has written down, as a name.
    pub(super) fn name(&mut self) -> Option<&'static str> {
        self.text().map(interned)
    }

    pub(super) fn list<T>(
        &mut self,
        mut read: impl FnMut(&mut Self) -> Option<T>,
    ) -> Option<Vec<T>> {
        (0..self.number()?).map(|_| read(self)).collect()
    }

    pub(super) fn option<T>(
        &mut self,
        read: impl FnOnce(&mut Self) -> Option<T>,
    ) -> Option<Option<T>> {
        match self.number()? {
            0 => Some(None),
            _ => read(self).map(Some),
        }
    }
}

/// Returns a text that lives as long as this process, one for all that are equal: a program has only so many
/// names.
fn interned(text: String) -> &'static str {
    static NAMES: Mutex<BTreeSet<&'static str>> = Mutex::new(BTreeSet::new());
    let mut names = NAMES.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = names.get(text.as_str()) {
        return known;
    }
    let name: &'static str = text.leak();
    names.insert(name);
    name
}
