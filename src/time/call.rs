//! Calling a function later.

use std::time::Duration;

use super::sleep;
use crate::backend;
use crate::task::{self, Task};

/// Calls a function after so long, in a task of its own.
///
/// Dropping the returned handle lets the call stand; [`Call::cancel`] takes it back. A call that is
/// still ahead when the program ends is not made.
///
/// # Panics
/// Outside of a parcae runtime.
///
/// # Examples
/// ```
/// # parcae::Sim::new(7).run(|| async {
/// use parcae::time::{call_after, sleep};
/// use std::time::Duration;
///
/// let call = call_after(Duration::from_secs(1), || panic!("not in time"));
/// call.cancel();
/// sleep(Duration::from_secs(2)).await;
/// # }).unwrap();
/// ```
#[track_caller]
pub fn call_after(delay: Duration, call: impl FnOnce() + 'static) -> Call {
    let _ = backend::local_now("parcae::time::call_after");
    let sleep = sleep(delay);
    let task = task::spawn_named("call_after", async move {
        sleep.await;
        call();
    });
    Call { task: Some(task) }
}

/// A call that is ahead; made by [`call_after`].
#[derive(Debug)]
pub struct Call {
    task: Option<Task<()>>,
}

impl Call {
    /// Takes the call back, also when it is due at this very instant but has not begun.
    pub fn cancel(mut self) {
        drop(self.task.take());
    }

    /// Tells whether the call was made.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        self.task.as_ref().is_none_or(Task::is_finished)
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        if let Some(task) = self.task.take() {
            task.background();
        }
    }
}
