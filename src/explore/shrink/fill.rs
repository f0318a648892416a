//! Whole groups of choices at once, by their defaults.

use std::cmp::Reverse;
use std::collections::BTreeSet;
use std::ops::ControlFlow;

use super::class::Class;
use super::reduce::Removal;
use super::{Pass, Shrinker};
use crate::kernel::{Key, Overrides, StreamId};

impl Shrinker<'_> {
    /// Leaves out all overrides, then those of each class and of each site.
    pub(super) fn fill_with_defaults(&mut self) -> Pass {
        let mut has_progressed = self.propose([Overrides::new()])?;
        for class in Class::ALL {
            let classes = self.classes();
            has_progressed |= self.leave_out(|key| classes.of_key(key) == class)?;
        }
        let sites: BTreeSet<u32> = self.overrides().keys().map(|key| key.site).collect();
        for site in sites {
            has_progressed |= self.leave_out(|key| key.site == site)?;
        }
        ControlFlow::Continue(has_progressed)
    }

    /// Leaves out the overrides of each task, link or other object.
    pub(super) fn fill_objects(&mut self) -> Pass {
        let mut has_progressed = false;
        let streams: BTreeSet<StreamId> = self.overrides().keys().map(|key| key.stream).collect();
        if streams.len() <= STREAMS_MAX {
            let mut streams: Vec<StreamId> = streams.into_iter().collect();
            if self.removal == Removal::ByTime {
                let keys = self.keys_by_time();
                streams.sort_by_key(|stream| {
                    Reverse(keys.iter().rposition(|key| key.stream == *stream))
                });
            }
            for stream in streams {
                has_progressed |= self.leave_out(|key| key.stream == stream)?;
            }
        }
        ControlFlow::Continue(has_progressed)
    }

    fn leave_out(&mut self, is_left_out: impl Fn(&Key) -> bool) -> Pass {
        let mut without = self.overrides().clone();
        without.retain(|key, _| !is_left_out(key));
        self.propose([without])
    }
}

/// More of them are left to the search by halves.
const STREAMS_MAX: usize = 32;
