//! Reasons and errors, as they go between machines.

use super::association::Failure;
use super::wire::{Reason, Unanswered};
use crate::actor::error::{AskError, Crash};
use crate::actor::exit::ExitReason;

pub(super) fn to_wire(reason: &ExitReason) -> Reason {
    match reason {
        ExitReason::Normal => Reason::Normal,
        ExitReason::Shutdown => Reason::Shutdown,
        ExitReason::ShutdownFor(words) => Reason::ShutdownFor(short(words)),
        ExitReason::Killed => Reason::Killed,
        ExitReason::Error(crash) => Reason::Error(short(crash.text())),
        ExitReason::Panicked { message, .. } => Reason::Panicked(short(message)),
        ExitReason::StartFailed(crash) => Reason::StartFailed(short(crash.text())),
        ExitReason::Overflow { capacity } => Reason::Overflow(*capacity),
        ExitReason::NoProc => Reason::NoActor,
        ExitReason::NodeDown => Reason::NodeDown,
    }
}

pub(super) fn of_wire(reason: &Reason) -> ExitReason {
    match reason {
        Reason::Normal => ExitReason::Normal,
        Reason::Shutdown => ExitReason::Shutdown,
        Reason::ShutdownFor(words) => ExitReason::ShutdownFor(words.clone().into()),
        Reason::Killed => ExitReason::Killed,
        Reason::Error(text) => ExitReason::Error(Crash::new(text.as_str())),
        Reason::Panicked(message) => {
            ExitReason::Panicked { message: message.as_str().into(), place: None }
        }
        Reason::StartFailed(text) => ExitReason::StartFailed(Crash::new(text.as_str())),
        Reason::Overflow(capacity) => ExitReason::Overflow { capacity: *capacity },
        Reason::NoActor => ExitReason::NoProc,
        Reason::NodeDown => ExitReason::NodeDown,
    }
}

pub(super) fn unanswered(error: &AskError) -> Unanswered {
    match error {
        AskError::NoProc => Unanswered::NoActor,
        AskError::Died(reason) => Unanswered::Died(to_wire(reason)),
        AskError::Full => Unanswered::Full,
        AskError::NodeDown => Unanswered::Died(Reason::NodeDown),
        AskError::NotRemote => Unanswered::UnknownMessage,
        AskError::Timeout { .. } | AskError::Dropped | AskError::Refused(_) => Unanswered::Dropped,
    }
}

pub(super) fn ask_error(failure: Failure) -> AskError {
    match failure {
        Failure::NodeDown => AskError::NodeDown,
        Failure::Unanswered(unanswered) => match unanswered {
            Unanswered::NoActor => AskError::NoProc,
            Unanswered::UnknownMessage => AskError::NotRemote,
            Unanswered::Malformed => AskError::Refused("the message is malformed".into()),
            Unanswered::Full => AskError::Full,
            Unanswered::Died(Reason::NodeDown) => AskError::NodeDown,
            Unanswered::Died(reason) => AskError::Died(of_wire(&reason)),
            Unanswered::Dropped => AskError::Dropped,
            Unanswered::TooLarge { size, limit } => {
                AskError::Refused(format!("{size} bytes, where {limit} fit into a frame").into())
            }
        },
    }
}

/// Words that fit into the smallest frame.
fn short(words: &str) -> String {
    short_to(words.to_owned(), WORDS_MAX)
}

/// Cuts words to so many bytes, where a character ends.
pub(super) fn short_to(mut words: String, most: usize) -> String {
    if words.len() > most {
        let end = (0..=most).rev().find(|end| words.is_char_boundary(*end));
        words.truncate(end.expect("0 is a boundary"));
    }
    words
}

const WORDS_MAX: usize = 512;
