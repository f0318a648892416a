//! The queue of ready tasks: in order of arrival, with removal from any place in it.
//!
//! A strategy takes tasks out of the middle, and the rest keep their order: the default world and
//! every override count on it. So a removal moves what stands behind the gap. Beyond
//! [`LANE_TASKS_MAX`] tasks the queue is cut into lanes, so that a removal moves no more than one
//! lane and counts over the others.

use std::collections::VecDeque;

#[derive(Debug, Default)]
pub(super) struct ReadyQueue {
    /// Earlier arrivals, earliest first. No lane in it is empty.
    older: VecDeque<Lane>,
    older_count: usize,
    /// Where new ones arrive; all that there is, nearly always.
    recent: Lane,
}

impl ReadyQueue {
    /// Returns how many tasks are ready.
    #[inline]
    pub(super) fn len(&self) -> usize {
        self.older_count + self.recent.len()
    }

    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    #[inline]
    pub(super) fn push_back(&mut self, task: u32) {
        if self.recent.len() == LANE_TASKS_MAX {
            self.begin_lane();
        }
        self.recent.push_back(task);
    }

    #[cold]
    #[inline(never)]
    fn begin_lane(&mut self) {
        self.older_count += LANE_TASKS_MAX;
        self.older.push_back(std::mem::take(&mut self.recent));
    }

    #[inline]
    pub(super) fn pop_front(&mut self) -> Option<u32> {
        if self.older_count == 0 && self.recent.len() > 0 {
            return Some(self.recent.pop_front());
        }
        (self.older_count > 0).then(|| self.remove(0))
    }

    /// Returns the task at a place in the queue.
    #[inline]
    pub(super) fn get(&self, index: usize) -> u32 {
        if index >= self.older_count {
            return self.recent.get(index - self.older_count);
        }
        let (lane, index) = self.find_older(index);
        self.older[lane].get(index)
    }

    /// Returns the place of a task in the queue.
    pub(super) fn position(&self, task: u32) -> Option<usize> {
        let mut before = 0;
        for lane in self.older.iter().chain([&self.recent]) {
            let tasks = &lane.places[lane.head..lane.tail];
            if let Some(index) = tasks.iter().position(|queued| *queued == task) {
                return Some(before + index);
            }
            before += lane.len();
        }
        None
    }

    /// Takes the task at a place in the queue out.
    #[inline]
    pub(super) fn remove(&mut self, index: usize) -> u32 {
        if index >= self.older_count {
            return self.recent.remove(index - self.older_count);
        }
        self.remove_older(index)
    }

    #[cold]
    fn remove_older(&mut self, index: usize) -> u32 {
        let (lane, index) = self.find_older(index);
        let task = self.older[lane].remove(index);
        self.older_count -= 1;
        if self.older[lane].len() == 0 {
            self.older.remove(lane);
        }
        task
    }

    /// Returns the lane and the place in it of a task that is not among the recent ones.
    fn find_older(&self, mut index: usize) -> (usize, usize) {
        for (lane, tasks) in self.older.iter().enumerate() {
            if index < tasks.len() {
                return (lane, index);
            }
            index -= tasks.len();
        }
        unreachable!("the lanes hold as many tasks as were counted")
    }

    /// Keeps the tasks that `is_kept` says yes to, in their order.
    pub(super) fn retain(&mut self, mut is_kept: impl FnMut(u32) -> bool) {
        let all: Vec<u32> = (0..self.len()).map(|index| self.get(index)).collect();
        *self = Self::default();
        for task in all.into_iter().filter(|task| is_kept(*task)) {
            self.push_back(task);
        }
    }
}

/// A run of tasks in a flat buffer, `head..tail` of it; room for one window is kept behind.
#[derive(Debug, Default)]
struct Lane {
    places: Vec<u32>,
    head: usize,
    tail: usize,
}

impl Lane {
    #[inline]
    fn len(&self) -> usize {
        self.tail - self.head
    }

    #[inline]
    fn get(&self, index: usize) -> u32 {
        assert!(index < self.len(), "place {index} of {} in the queue", self.len());
        self.places[self.head + index]
    }

    #[inline]
    fn push_back(&mut self, task: u32) {
        if self.tail + WINDOW >= self.places.len() {
            self.make_room();
        }
        self.places[self.tail] = task;
        self.tail += 1;
    }

    /// Moves the tasks to the front of the buffer, or doubles it when more than half is in use.
    #[cold]
    fn make_room(&mut self) {
        if self.len() > self.places.len() / 2 || self.places.is_empty() {
            self.places.resize((2 * self.places.len()).max(4 * WINDOW), 0);
        }
        self.places.copy_within(self.head..self.tail, 0);
        (self.head, self.tail) = (0, self.len());
    }

    #[inline]
    fn pop_front(&mut self) -> u32 {
        let task = self.places[self.head];
        self.head += 1;
        if self.head == self.tail {
            (self.head, self.tail) = (0, 0);
        }
        task
    }

    #[inline]
    fn remove(&mut self, index: usize) -> u32 {
        let task = self.get(index);
        let gap = self.head + index;
        if self.len() <= WINDOW {
            // As many places whatever the index: no branch that depends on what was drawn, which
            // a processor would guess wrong half of the time.
            self.places.copy_within(gap + 1..gap + 1 + WINDOW, gap);
            self.tail -= 1;
        } else if index < self.len() / 2 {
            self.places.copy_within(self.head..gap, self.head + 1);
            self.head += 1;
        } else {
            self.places.copy_within(gap + 1..self.tail, gap);
            self.tail -= 1;
        }
        task
    }
}

/// More tasks than are ready at a time in most worlds. A removal moves a quarter of that.
const LANE_TASKS_MAX: usize = 4096;

/// As many tasks as one removal moves at once.
const WINDOW: usize = 16;

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use super::{LANE_TASKS_MAX, ReadyQueue};

    #[test]
    fn does_what_a_deque_does() {
        let (mut queue, mut model) = (ReadyQueue::default(), VecDeque::new());
        let mut state = 7_u64;
        for step in 0..200_000_u32 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            // Grows past several lanes, shrinks to nothing, and grows again.
            let is_growing = step / 40_000 % 2 == 0;
            let places = usize::try_from(state >> 33).expect("31 bits");
            match state >> 62 {
                0 => assert_eq!(queue.pop_front(), model.pop_front()),
                1 if !model.is_empty() && (!is_growing || step % 8 == 0) => {
                    let index = places % model.len();
                    assert_eq!(queue.get(index), model[index]);
                    // Tasks are numbered by their steps here, so each is there once.
                    assert_eq!(queue.position(model[index]), Some(index));
                    assert_eq!(queue.position(u32::MAX), None);
                    assert_eq!(Some(queue.remove(index)), model.remove(index));
                }
                _ if is_growing || step % 8 == 0 => {
                    queue.push_back(step);
                    model.push_back(step);
                }
                _ => {}
            }
            assert_eq!(queue.len(), model.len());
        }
        while queue.len() < 3 * LANE_TASKS_MAX {
            queue.push_back(1);
            queue.push_back(2);
        }
        queue.retain(|task| task != 1);
        assert!((0..queue.len()).all(|index| queue.get(index) != 1));
    }
}
