//! What the macro `select!` needs at run time.

use std::panic::Location;
use std::task::{Context, Poll};

use super::rotation::draw_rotation;
use crate::backend;
use crate::kernel::Site;

/// The branches of one `select!`: which are left, and which is polled first.
#[doc(hidden)]
#[derive(Debug)]
pub struct Select<const N: usize> {
    is_left: [bool; N],
    order: Order,
    at: &'static Location<'static>,
}

#[derive(Clone, Copy, Debug)]
enum Order {
    /// To be drawn at the first poll.
    Undrawn,
    /// This branch is polled first.
    From(usize),
}

impl<const N: usize> Select<N> {
    /// Takes for each branch whether its condition holds.
    #[must_use]
    #[track_caller]
    pub fn rotated(is_enabled: [bool; N]) -> Self {
        Self { is_left: is_enabled, order: Order::Undrawn, at: Location::caller() }
    }

    /// The same, but the branches are polled in their order.
    #[must_use]
    #[track_caller]
    pub fn biased(is_enabled: [bool; N]) -> Self {
        Self { is_left: is_enabled, order: Order::From(0), at: Location::caller() }
    }

    /// Polls the branches that are left, until one is ready with a value that its pattern takes;
    /// gives none when no branch is left. `poll` gives none for a value that the pattern refuses.
    pub fn poll<T>(
        &mut self,
        context: &mut Context<'_>,
        mut poll: impl FnMut(usize, &mut Context<'_>) -> Poll<Option<T>>,
    ) -> Poll<Option<T>> {
        let first = self.first();
        for branch in (first..N).chain(0..first) {
            if !self.is_left[branch] {
                continue;
            }
            match poll(branch, context) {
                Poll::Ready(Some(value)) => return Poll::Ready(Some(value)),
                Poll::Ready(None) => self.is_left[branch] = false,
                Poll::Pending => {
                    // Preempted is not "not ready": this branch has its say before the next.
                    if backend::is_preempted() {
                        context.waker().wake_by_ref();
                        return Poll::Pending;
                    }
                }
            }
        }
        if self.is_left.contains(&true) { Poll::Pending } else { Poll::Ready(None) }
    }

    fn first(&mut self) -> usize {
        if let Order::From(first) = self.order {
            return first;
        }
        // Only branches that can be polled are chosen between.
        let enabled: Vec<usize> = (0..N).filter(|branch| self.is_left[*branch]).collect();
        let drawn = draw_rotation(SELECT, enabled.len(), self.at);
        let first = enabled.get(drawn).copied().unwrap_or(0);
        self.order = Order::From(first);
        first
    }
}

const SELECT: Site = Site::new("select");
