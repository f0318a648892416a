//! Lines of a report: labels, indentation, numbers in words.

use std::fmt::Display;
use std::time::Duration;

use super::style::{Ink, Style};

/// A report as it grows.
#[derive(Debug)]
pub(super) struct Page {
    text: String,
    style: Style,
}

impl Page {
    pub(super) fn new(style: Style) -> Self {
        Self { text: String::new(), style }
    }

    pub(super) fn style(&self) -> Style {
        self.style
    }

    /// Adds a line as it is.
    pub(super) fn line(&mut self, line: &str) {
        self.text.push_str(line.trim_end());
        self.text.push('\n');
    }

    /// Adds a text of one line or more in front of all sections.
    pub(super) fn headline(&mut self, ink: Ink, text: &str) {
        let mut lines = text.lines();
        let first = self.style.paint(ink, lines.next().unwrap_or_default());
        self.line(&first);
        lines.for_each(|line| self.indented(line));
    }

    /// Adds a section: a label and a text of one line or more.
    pub(super) fn section(&mut self, label: &str, text: &str) {
        let mut lines = text.lines();
        let label = self.style.paint(Ink::Label, &format!("{label:LABEL_WIDTH$}"));
        self.line(&format!("  {label} {}", lines.next().unwrap_or_default()));
        lines.for_each(|line| self.indented(line));
    }

    /// Adds a line that belongs to what is above it. What is indented already stays so.
    pub(super) fn indented(&mut self, line: &str) {
        let is_indented = line.is_empty() || line.starts_with(INDENT);
        self.line(&if is_indented { line.to_owned() } else { format!("{INDENT}{line}") });
    }

    pub(super) fn into_text(self) -> String {
        self.text
    }
}

/// Returns a number with its noun: `1 run`, `12,345 runs`.
pub(super) fn counted(count: u64, noun: &str) -> String {
    let ending = if count == 1 { "" } else { "s" };
    format!("{} {noun}{ending}", number(count))
}

/// Returns a number; from five digits on, with a comma for each thousand.
pub(super) fn number(number: u64) -> String {
    let digits = number.to_string();
    if digits.len() < GROUPED_FROM_DIGITS {
        return digits;
    }
    let mut grouped = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// Returns a wall time with a comma in front, or nothing when times are left out.
pub(super) fn wall_time(time: Duration, is_shown: bool) -> String {
    if !is_shown {
        return String::new();
    }
    let millis = time.as_millis();
    match millis {
        0..100 => format!(", {millis} ms"),
        100..10_000 => format!(", {}.{} s", millis / 1_000, millis % 1_000 / 100),
        _ => format!(", {} s", millis / 1_000),
    }
}

/// Returns the first line of a text, with a mark if there are more.
pub(super) fn first_line(text: impl Display) -> String {
    let text = text.to_string();
    match text.split_once('\n') {
        Some((first, _)) => format!("{first} …"),
        None => text,
    }
}

/// Returns a text of at most so many characters; one that is longer ends in `…`.
pub(super) fn clipped(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    let mut short: String = text.chars().take(width.saturating_sub(1)).collect();
    short.push('…');
    short
}

const INDENT: &str = "    ";
const LABEL_WIDTH: usize = 8;
const GROUPED_FROM_DIGITS: usize = 5;
