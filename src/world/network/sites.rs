//! What links draw, and how reports tell it.

use crate::executor::{Phrase, Phrases};

/// How reports tell what the world draws and does.
pub(crate) static PHRASES: Phrases = Phrases { draws: DRAWS, event: |_| None };

const DRAWS: &[Phrase] = &[];
