//! Reading EDN: the part of it that histories are written in, which is all but `#_` of what is no value and namespaced maps.

use super::error::LogError;
use super::value::{ESCAPED, NAMED, Value};

/// Reads one value after the other.
#[derive(Debug)]
pub(super) struct Reader<'a> {
    rest: &'a str,
    line: usize,
}

impl<'a> Reader<'a> {
    /// Begins at a line of a text.
    ///
    /// # Errors
    /// `TooLarge`.
    pub(super) fn new(text: &'a str, line: usize) -> Result<Self, LogError> {
        if text.len() > SIZE_MAX {
            return Err(LogError::TooLarge { size: text.len(), limit: SIZE_MAX });
        }
        Ok(Self { rest: text, line })
    }

    /// Returns the line of what comes next.
    pub(super) fn line(&mut self) -> Result<usize, LogError> {
        self.skip(0)?;
        Ok(self.line)
    }

    /// Returns what comes next, if anything does.
    pub(super) fn peek(&mut self) -> Result<Option<char>, LogError> {
        self.skip(0)?;
        Ok(self.rest.chars().next())
    }

    /// Steps over a character that was peeked at.
    pub(super) fn step(&mut self) {
        let mut characters = self.rest.chars();
        if characters.next() == Some('\n') {
            self.line += 1;
        }
        self.rest = characters.as_str();
    }

    /// Says what should stand here.
    pub(super) fn expected(&self, expected: &'static str) -> LogError {
        let found = self.rest.split_whitespace().next().unwrap_or("");
        let found = found.chars().take(FOUND_MAX).collect();
        LogError::Expected { line: self.line, expected, found }
    }

    /// Reads the next value, which stands within so many others.
    pub(super) fn value(&mut self, depth: usize) -> Result<Value, LogError> {
        if depth > DEPTH_MAX {
            return Err(LogError::TooDeep { line: self.line, limit: DEPTH_MAX });
        }
        self.skip(depth)?;
        match self.rest.chars().next() {
            Some('"') => self.text(),
            Some('[') => Ok(Value::Vector(self.items(1, ']', depth)?)),
            Some('(') => Ok(Value::List(self.items(1, ')', depth)?)),
            Some('{') => Ok(Value::Map(self.entries(depth)?)),
            Some('#') if self.rest.starts_with("#{") => Ok(Value::Set(self.items(2, '}', depth)?)),
            Some('#') => {
                self.step();
                let tag = self.word("a tag")?.to_owned();
                Ok(Value::Tagged(tag, Box::new(self.value(depth + 1)?)))
            }
            Some('\\') => self.character(),
            Some(']' | ')' | '}') | None => Err(self.expected("a value")),
            Some(_) => self.atom(),
        }
    }

    fn items(&mut self, open: usize, close: char, depth: usize) -> Result<Vec<Value>, LogError> {
        self.rest = &self.rest[open..];
        let mut items = Vec::new();
        loop {
            self.skip(depth)?;
            if self.rest.starts_with(close) {
                self.step();
                return Ok(items);
            }
            items.push(self.value(depth + 1)?);
        }
    }

    fn entries(&mut self, depth: usize) -> Result<Vec<(Value, Value)>, LogError> {
        self.step();
        let mut entries = Vec::new();
        loop {
            self.skip(depth)?;
            if self.rest.starts_with('}') {
                self.step();
                return Ok(entries);
            }
            let key = self.value(depth + 1)?;
            entries.push((key, self.value(depth + 1)?));
        }
    }

    fn text(&mut self) -> Result<Value, LogError> {
        let begin = self.line;
        self.step();
        let mut text = String::new();
        loop {
            let Some(character) = self.rest.chars().next() else {
                return Err(LogError::Expected {
                    line: begin,
                    expected: "the end of the text that begins here",
                    found: String::new(),
                });
            };
            self.step();
            match character {
                '"' => return Ok(Value::Text(text)),
                '\\' => {
                    let next = self.rest.chars().next();
                    let meant = ESCAPED.iter().find(|(letter, _)| Some(*letter) == next);
                    let Some((_, meant)) = meant else {
                        return Err(self.expected("one of \" \\ n r t behind a backslash"));
                    };
                    text.push(*meant);
                    self.step();
                }
                other => text.push(other),
            }
        }
    }

    fn character(&mut self) -> Result<Value, LogError> {
        self.step();
        let mut characters = self.rest.chars();
        let Some(first) = characters.next() else { return Err(self.expected("a character")) };
        if is_end(characters.next().unwrap_or(' ')) {
            self.step();
            return Ok(Value::Character(first));
        }
        let error = self.expected("a character or its name");
        let name = self.word("a character")?;
        let named = NAMED.iter().find(|(known, _)| *known == name);
        named.map(|(_, character)| Value::Character(*character)).ok_or(error)
    }

    fn atom(&mut self) -> Result<Value, LogError> {
        let error = self.expected("a number in the range of i64");
        let word = self.word("a value")?;
        if let Some(name) = word.strip_prefix(':') {
            return Ok(Value::Keyword(name.to_owned()));
        }
        let digits = word.trim_start_matches(['+', '-']);
        if !digits.starts_with(|first: char| first.is_ascii_digit()) {
            return Ok(match word {
                "nil" => Value::Nil,
                "true" => Value::Boolean(true),
                "false" => Value::Boolean(false),
                other => Value::Symbol(other.to_owned()),
            });
        }
        if digits.contains(['.', 'e', 'E', 'M', '/']) {
            return Ok(Value::Decimal(word.to_owned()));
        }
        word.trim_end_matches('N').parse().map(Value::Integer).map_err(|_| error)
    }

    fn word(&mut self, expected: &'static str) -> Result<&'a str, LogError> {
        let end = self.rest.find(is_end).unwrap_or(self.rest.len());
        if end == 0 {
            return Err(self.expected(expected));
        }
        let (word, rest) = self.rest.split_at(end);
        self.rest = rest;
        Ok(word)
    }

    /// Steps over spaces, commas, comments, and values behind `#_`.
    fn skip(&mut self, depth: usize) -> Result<(), LogError> {
        while let Some(character) = self.rest.chars().next() {
            if character.is_whitespace() || character == ',' {
                self.step();
            } else if character == ';' {
                self.rest = &self.rest[self.rest.find('\n').unwrap_or(self.rest.len())..];
            } else if let Some(rest) = self.rest.strip_prefix("#_") {
                self.rest = rest;
                drop(self.value(depth + 1)?);
            } else {
                break;
            }
        }
        Ok(())
    }
}

fn is_end(character: char) -> bool {
    character.is_whitespace()
        || matches!(character, ',' | ';' | '"' | '[' | ']' | '(' | ')' | '{' | '}')
}

const SIZE_MAX: usize = 256 << 20;
const DEPTH_MAX: usize = 64;
const FOUND_MAX: usize = 40;
