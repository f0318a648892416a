//! Which of several futures is polled first.

use std::panic::Location;

use crate::backend;
use crate::kernel::{Site, Space};

/// Draws which of so many futures is polled first; the others follow in their order, the first after
/// the last. One choice at the site if there are two or more; outside of a runtime the first.
pub(super) fn draw_rotation(site: Site, count: usize, at: &'static Location<'static>) -> usize {
    if count < 2 {
        return 0;
    }
    let space = Space::Index { count: count as u64 };
    let drawn = backend::choose_if_inside(site, None, space, at);
    usize::try_from(drawn.unwrap_or(0)).expect("an index below a count of this type")
}
