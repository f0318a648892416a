//! The search on one part of a history.

use std::mem;

use super::table::Table;
use super::taken::Taken;
use crate::oracle::history::{Effect, Operation};
use crate::oracle::model::Model;
use crate::oracle::verdict::Witness;

/// What has become of a search.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Progress {
    /// All operations that have ended took effect in some order.
    Linearized,
    /// There is no such order.
    Stuck,
    /// It may go on.
    Paused,
}

/// Tries orders of the operations of one part, depth first.
///
/// Invocations and ends stand in a list. From its head on, each invocation before the first end may take effect next; it is
/// then taken out of the list with its end. At an end, what it belongs to should have taken effect before: one goes back.
#[derive(Debug)]
pub(super) struct Search<'a, M: Model> {
    model: &'a M,
    operations: &'a [Operation<M::Input, M::Output>],
    /// Places in `operations`, in the order of invocations: the numbers of this search are places in it.
    part: Vec<usize>,
    events: Vec<Event>,
    cursor: usize,
    state: M::State,
    taken: Taken,
    /// How many that have ended have not taken effect yet.
    open: usize,
    done: Vec<(usize, M::State)>,
    tried: Table<M::State>,
    /// The latest end at which it had to go back.
    furthest: usize,
}

/// An invocation or an end, in a circular list whose head is number 0.
#[derive(Clone, Copy, Debug)]
struct Event {
    number: usize,
    /// Of an invocation: its end, or 0 if there is none.
    end: usize,
    is_end: bool,
    previous: usize,
    next: usize,
}

impl<'a, M: Model> Search<'a, M> {
    pub(super) fn new(
        model: &'a M,
        operations: &'a [Operation<M::Input, M::Output>],
        mut part: Vec<usize>,
    ) -> Self {
        part.sort_by_key(|&place| operations[place].invoked.order);
        let mut moments = Vec::new();
        for (number, &place) in part.iter().enumerate() {
            let operation = &operations[place];
            moments.push((operation.invoked.order, false, number));
            moments.extend(operation.ended.map(|end| (end.order, true, number)));
        }
        moments.sort_unstable();
        let count = moments.len() + 1;
        let mut events = vec![Event {
            number: usize::MAX,
            end: 0,
            is_end: true,
            previous: count - 1,
            next: 1 % count,
        }];
        let mut invocation = vec![0; part.len()];
        for (place, (_, is_end, number)) in (1..).zip(moments) {
            if is_end {
                let event: &mut Event = &mut events[invocation[number]];
                event.end = place;
            } else {
                invocation[number] = place;
            }
            events.push(Event {
                number,
                end: 0,
                is_end,
                previous: place - 1,
                next: (place + 1) % count,
            });
        }
        let open = part.iter().filter(|&&place| operations[place].ended.is_some()).count();
        Self {
            model,
            operations,
            taken: Taken::new(part.len()),
            part,
            cursor: events[0].next,
            events,
            state: model.initial(),
            open,
            done: Vec::new(),
            tried: Table::new(),
            furthest: 0,
        }
    }

    /// Goes on for so many steps; returns also how many it took.
    pub(super) fn run(&mut self, steps: u64) -> (Progress, u64) {
        for step in 0..steps {
            if self.open == 0 {
                return (Progress::Linearized, step);
            }
            let event = self.events[self.cursor];
            if event.is_end {
                self.furthest = self.furthest.max(self.cursor);
                if !self.go_back() {
                    return (Progress::Stuck, step + 1);
                }
            } else if !self.take(event.number) {
                self.cursor = event.next;
            }
        }
        let progress = if self.open == 0 { Progress::Linearized } else { Progress::Paused };
        (progress, steps)
    }

    /// Has the operation at the cursor take effect, if it can and that was not tried.
    fn take(&mut self, number: usize) -> bool {
        let operation = &self.operations[self.part[number]];
        let output = match &operation.effect {
            Effect::Returned(output) => Some(output),
            Effect::Failed | Effect::Unknown => None,
        };
        let Some(state) = self.model.step(&self.state, &operation.input, output) else {
            return false;
        };
        self.taken.insert(number);
        if !self.tried.insert(&self.taken, &state) {
            self.taken.remove(number);
            return false;
        }
        let end = self.events[self.cursor].end;
        self.unlink(self.cursor);
        if end > 0 {
            self.unlink(end);
            self.open -= 1;
        }
        self.done.push((self.cursor, mem::replace(&mut self.state, state)));
        self.cursor = self.events[0].next;
        true
    }

    /// Takes back what took effect last, and goes on behind it; tells whether there was any.
    fn go_back(&mut self) -> bool {
        let Some((place, state)) = self.done.pop() else { return false };
        let Event { number, end, .. } = self.events[place];
        if end > 0 {
            self.link(end);
            self.open += 1;
        }
        self.link(place);
        self.taken.remove(number);
        self.state = state;
        self.cursor = self.events[place].next;
        true
    }

    fn unlink(&mut self, place: usize) {
        let Event { previous, next, .. } = self.events[place];
        self.events[previous].next = next;
        self.events[next].previous = previous;
    }

    /// Puts an event back to where it was taken out; the last one first.
    fn link(&mut self, place: usize) {
        let Event { previous, next, .. } = self.events[place];
        self.events[previous].next = place;
        self.events[next].previous = place;
    }

    /// Searches again until the furthest end, where all orders go back, and tells what is there.
    pub(super) fn repeated_to_the_furthest(&self) -> Witness {
        let mut again = Search::new(self.model, self.operations, self.part.clone());
        while again.cursor != self.furthest {
            let _ = again.run(1);
        }
        let place = |number: usize| self.part[number];
        let linearized = again.done.iter().map(|(at, _)| place(again.events[*at].number)).collect();
        let mut conflict = Vec::new();
        let mut at = again.events[0].next;
        while at != self.furthest {
            conflict.push(place(again.events[at].number));
            at = again.events[at].next;
        }
        let unanswerable = place(again.events[self.furthest].number);
        Witness { linearized, unanswerable, conflict, state: format!("{:?}", again.state) }
    }
}
