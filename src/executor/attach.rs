//! What layers above the executor keep for a run.

use std::any::Any;
use std::fmt;

/// Puts the state of other layers into its slots when a run begins; what it returns takes it away when
/// the run is over and its last destructor has run.
#[derive(Default)]
pub(crate) struct Attach(Option<AttachAll>);

type AttachAll = Box<dyn FnOnce() -> Box<dyn Any>>;

impl Attach {
    pub(crate) fn new(attach: impl FnOnce() -> Box<dyn Any> + 'static) -> Self {
        Self(Some(Box::new(attach)))
    }

    pub(super) fn now(self) -> Option<Box<dyn Any>> {
        self.0.map(|attach| attach())
    }
}

impl fmt::Debug for Attach {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Attach")
    }
}
