//! The guard of a fault of mailboxes.

use std::fmt;
use std::sync::Arc;

use super::board::{Board, Rule};
use crate::actor::intercept::Interception;
use crate::backend;

/// A fault of mailboxes, until it is dropped.
///
/// Messages that it has delayed come nevertheless. A guard that goes with its machine ends its fault, too.
#[must_use = "dropping the guard ends the fault"]
pub struct MailboxFault {
    rule: Arc<Rule>,
    board: Arc<Board>,
    interception: Interception,
    is_kept: bool,
}

impl MailboxFault {
    pub(super) fn new(rule: Arc<Rule>, board: Arc<Board>, interception: Interception) -> Self {
        Self { rule, board, interception, is_kept: false }
    }

    /// Returns how often it has fired.
    ///
    /// A fault that has not fired has tested nothing.
    #[must_use]
    pub fn fired(&self) -> u64 {
        self.rule.fired()
    }

    /// Ends it, as dropping it does.
    pub fn end(self) {
        drop(self);
    }

    /// Ends it on some machines, and leaves it until the run ends on the others that it names.
    pub(in crate::fault) fn end_within(mut self, is_inside: impl Fn(&str) -> bool) {
        self.is_kept = self.rule.leave(is_inside);
    }

    /// Leaves it as it is until the run ends.
    pub fn keep(mut self) {
        self.is_kept = true;
    }
}

impl Drop for MailboxFault {
    fn drop(&mut self) {
        if self.is_kept {
            return;
        }
        backend::note(|| format!("ends {}", self.rule));
        if self.board.remove(&self.rule) {
            self.interception.set(None);
        }
    }
}

impl fmt::Debug for MailboxFault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.rule.to_string();
        formatter.debug_struct("MailboxFault").field("rule", &text).finish_non_exhaustive()
    }
}
