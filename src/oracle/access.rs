//! What is read and written where checkers look at values only.

/// A read or a write of one key. Of a list, a write adds the value to its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Access<K, V> {
    /// Asks for the value, or the list, of a key.
    Read(K),
    /// Gives the key this value, or adds it to the list. No two write the same value to one key.
    Write(K, V),
}
