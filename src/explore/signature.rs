//! Which failures count as the same one.

use std::fmt;

use crate::executor::{Failure, Place, StalledTask};
use crate::kernel::hash_text;

/// What stays the same of a failure while it is shrunk: its kind, its place, its message without
/// numbers, and the waits that it names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signature {
    kind: &'static str,
    place: Option<Place>,
    text: String,
}

impl Signature {
    /// Returns the signature of a failure.
    #[must_use]
    pub fn of(failure: &Failure) -> Self {
        let (place, text) = match failure {
            Failure::Panic { message, place, .. } => (place.clone(), message.clone()),
            Failure::Error { message, .. } => (None, message.clone()),
            Failure::Deadlock { tasks, .. }
            | Failure::TimeLimit { tasks, .. }
            | Failure::Leak { tasks, .. } => (None, waits(tasks)),
            Failure::TaskLimit { spawner, .. } => (None, spawner.clone()),
            Failure::ForeignCall { call, .. } => (None, (*call).to_owned()),
            Failure::ForeignWake { task, .. } => (None, task.clone()),
            // The message is written in the program: its numbers belong to it.
            Failure::Property { violation, .. } => {
                let text = format!("{}({:?})", violation.rule, violation.message);
                return Self { kind: failure.kind(), place: None, text };
            }
            Failure::Warning { warning } => (warning.place().cloned(), warning.subject()),
            // Who ran most when the limit came is chance; that the limit came is the failure.
            _ => (None, String::new()),
        };
        Self { kind: failure.kind(), place, text: without_numbers(&text) }
    }

    /// Returns what it consists of, for another process.
    #[cfg(target_os = "linux")]
    pub(super) fn parts(&self) -> (&'static str, Option<&Place>, &str) {
        (self.kind, self.place.as_ref(), &self.text)
    }

    /// Makes that of a failure in another process.
    #[cfg(target_os = "linux")]
    pub(super) fn of_parts(kind: &'static str, place: Option<Place>, text: String) -> Self {
        Self { kind, place, text }
    }

    /// Returns the kind in one word.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        self.kind
    }

    /// Returns a hash that survives moved lines and files: of kind and text, but not of the place.
    #[must_use]
    pub(super) fn hash(&self) -> u32 {
        let hash = hash_text(&format!("{}\n{}", self.kind, self.text));
        u32::try_from(hash >> 32).expect("the upper half of a word")
    }
}

impl fmt::Display for Signature {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.kind)?;
        if let Some(place) = &self.place {
            write!(formatter, " at {place}")?;
        }
        if self.text.is_empty() { Ok(()) } else { write!(formatter, ": {}", self.text) }
    }
}

/// Returns the set of waits: task names without ordinals, what they wait for, no places and no
/// holders, who are among those that wait wherever they matter.
fn waits(tasks: &[StalledTask]) -> String {
    let mut waits: Vec<String> = tasks
        .iter()
        .map(|task| match &task.wait {
            Some(wait) => {
                let name = wait.name.as_deref().unwrap_or_default();
                format!("{} waits for {} {} {name}", task.name, wait.kind, wait.verb)
            }
            None => format!("{} could run", task.name),
        })
        .map(|wait| without_numbers(&wait))
        .collect();
    waits.sort();
    waits.dedup();
    waits.join("; ")
}

/// Replaces each run of digits, with the sign and dots in it, by one `#`.
fn without_numbers(text: &str) -> String {
    let mut result = String::with_capacity(text.len());
    let mut is_in_number = false;
    for character in text.chars() {
        let is_digit = character.is_ascii_digit();
        if is_digit && !is_in_number {
            if result.ends_with('-') || result.ends_with('#') {
                result.pop();
            }
            result.push('#');
        }
        if !is_digit {
            result.push(character);
        }
        is_in_number = is_digit;
    }
    result
}
