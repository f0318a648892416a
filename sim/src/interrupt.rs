//! Ctrl-C and SIGTERM: the first asks for a report of what was found so far, the second ends at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;

use crate::error::CommandError;

/// Whether the user asked the command to stop.
#[derive(Clone, Debug)]
pub(crate) struct Interrupt {
    is_raised: Arc<AtomicBool>,
}

impl Interrupt {
    /// Catches SIGINT and SIGTERM from now on.
    pub(crate) fn catch() -> Result<Self, CommandError> {
        let is_raised = Arc::new(AtomicBool::new(false));
        for signal in [SIGINT, SIGTERM] {
            // Actions run in this order: the first signal finds the flag down and raises it, the
            // second finds it up and does what it would do to a program that catches nothing.
            flag::register_conditional_default(signal, is_raised.clone())
                .map_err(CommandError::Signals)?;
            flag::register(signal, is_raised.clone()).map_err(CommandError::Signals)?;
        }
        Ok(Self { is_raised })
    }

    pub(crate) fn is_raised(&self) -> bool {
        self.is_raised.load(Ordering::Relaxed)
    }
}
