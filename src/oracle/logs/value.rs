//! Values as they stand in EDN.

use std::fmt::{self, Write as _};

/// A value as it stands in EDN, the notation of Jepsen's histories. Shown, it is EDN again.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Value {
    /// `nil`.
    Nil,
    /// `true` or `false`.
    Boolean(bool),
    /// A whole number; with an `N` behind it, as well.
    Integer(i64),
    /// Another number, as it stands there.
    Decimal(String),
    /// `"text"`.
    Text(String),
    /// `\c`.
    Character(char),
    /// `:keyword`, without the colon.
    Keyword(String),
    /// Any other word.
    Symbol(String),
    /// `[a b]`.
    Vector(Vec<Self>),
    /// `(a b)`.
    List(Vec<Self>),
    /// `#{a b}`, in the order of the text.
    Set(Vec<Self>),
    /// `{a b, c d}`, in the order of the text.
    Map(Vec<(Self, Self)>),
    /// `#tag value`.
    Tagged(String, Box<Self>),
}

impl Value {
    /// Returns the number, if it is a whole one.
    #[must_use]
    pub const fn as_integer(&self) -> Option<i64> {
        match self {
            Self::Integer(number) => Some(*number),
            _ => None,
        }
    }

    /// Returns the text, if it is one.
    #[must_use]
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Returns the name, if it is a keyword.
    #[must_use]
    pub fn as_keyword(&self) -> Option<&str> {
        match self {
            Self::Keyword(name) => Some(name),
            _ => None,
        }
    }

    /// Returns the items of a vector or a list.
    #[must_use]
    pub fn as_items(&self) -> Option<&[Self]> {
        match self {
            Self::Vector(items) | Self::List(items) => Some(items),
            _ => None,
        }
    }

    /// Makes a keyword.
    #[must_use]
    pub fn keyword(name: &str) -> Self {
        Self::Keyword(name.to_owned())
    }
}

impl From<Option<i64>> for Value {
    fn from(number: Option<i64>) -> Self {
        number.map_or(Self::Nil, Self::Integer)
    }
}

impl fmt::Display for Value {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nil => formatter.write_str("nil"),
            Self::Boolean(boolean) => write!(formatter, "{boolean}"),
            Self::Integer(number) => write!(formatter, "{number}"),
            Self::Decimal(text) | Self::Symbol(text) => formatter.write_str(text),
            Self::Text(text) => quoted(text, formatter),
            Self::Character(character) => match NAMED.iter().find(|(_, it)| it == character) {
                Some((name, _)) => write!(formatter, "\\{name}"),
                None => write!(formatter, "\\{character}"),
            },
            Self::Keyword(name) => write!(formatter, ":{name}"),
            Self::Vector(items) => within("[", items, "]", formatter),
            Self::List(items) => within("(", items, ")", formatter),
            Self::Set(items) => within("#{", items, "}", formatter),
            Self::Map(entries) => {
                formatter.write_char('{')?;
                for (place, (key, value)) in entries.iter().enumerate() {
                    let comma = if place > 0 { ", " } else { "" };
                    write!(formatter, "{comma}{key} {value}")?;
                }
                formatter.write_char('}')
            }
            Self::Tagged(tag, value) => write!(formatter, "#{tag} {value}"),
        }
    }
}

fn quoted(text: &str, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
    formatter.write_char('"')?;
    for character in text.chars() {
        match ESCAPED.iter().find(|(_, it)| *it == character) {
            Some((letter, _)) => write!(formatter, "\\{letter}")?,
            None => formatter.write_char(character)?,
        }
    }
    formatter.write_char('"')
}

fn within(
    open: &str,
    items: &[Value],
    close: &str,
    formatter: &mut fmt::Formatter<'_>,
) -> fmt::Result {
    formatter.write_str(open)?;
    for (place, item) in items.iter().enumerate() {
        let space = if place > 0 { " " } else { "" };
        write!(formatter, "{space}{item}")?;
    }
    formatter.write_str(close)
}

/// What stands behind a backslash in a text, and what it means.
pub(super) const ESCAPED: [(char, char); 5] =
    [('"', '"'), ('\\', '\\'), ('n', '\n'), ('r', '\r'), ('t', '\t')];

/// Characters that have names.
pub(super) const NAMED: [(&str, char); 4] =
    [("newline", '\n'), ("return", '\r'), ("space", ' '), ("tab", '\t')];
