//! What actors are sent.

use std::any::type_name;
use std::fmt;

/// A message, with the type of the answer that it gets.
///
/// [`message!`](crate::message) implements it in one line.
///
/// # Examples
/// ```
/// use parcae::actor::Message;
///
/// #[derive(Debug)]
/// struct Add(u32);
/// impl Message for Add {
///     type Reply = u32;
/// }
/// assert_eq!(Add::kind(), "Add");
/// ```
pub trait Message: fmt::Debug + Send + 'static {
    /// What an ask for it gives; `()` for what is only told.
    type Reply: Send + 'static;

    /// Returns what reports and faults call messages of this type; normally its name without the path.
    #[must_use]
    fn kind() -> &'static str
    where
        Self: Sized,
    {
        short_name::<Self>()
    }

    /// Returns a copy, for a fault that delivers it twice; none for what cannot be copied, which is never
    /// delivered twice.
    fn try_clone(&self) -> Option<Self>
    where
        Self: Sized,
    {
        None
    }
}

/// Returns the name of a type without its path, and without what is in angle brackets.
pub(crate) fn short_name<T: ?Sized>() -> &'static str {
    let full = type_name::<T>();
    // By bytes: each actor that is started is named.
    let (mut start, mut end) = (0, full.len());
    for (at, byte) in full.bytes().enumerate() {
        match byte {
            b':' => start = at + 1,
            b'<' => {
                end = at;
                break;
            }
            _ => {}
        }
    }
    &full[start..end]
}

#[cfg(test)]
mod tests {
    use super::short_name;

    #[test]
    fn a_short_name_has_no_path_and_no_parameters() {
        assert_eq!(short_name::<u8>(), "u8");
        assert_eq!(short_name::<std::collections::VecDeque<Vec<u8>>>(), "VecDeque");
    }
}
