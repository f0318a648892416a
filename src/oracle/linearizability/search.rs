//! The search on one part of a history.

use crate::oracle::history::Operation;
use crate::oracle::model::Model;
use crate::oracle::tried::{States, Table, Taken};
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
///
/// Reads are not tried in orders: one that is right in a state takes effect at once. Were it to do so later, nothing else would
/// be different, so that where this leads nowhere, nothing does.
#[derive(Debug)]
pub(super) struct Search<'a, M: Model> {
    model: &'a M,
    operations: &'a [Operation<M::Input, M::Output>],
    /// Places in `operations`, in the order of invocations: the numbers of this search are places in it.
    part: Vec<usize>,
    events: Vec<Event>,
    /// By number: whether it is a read.
    reads: Vec<bool>,
    cursor: usize,
    states: States<M::State>,
    state: u32,
    taken: Taken,
    /// How many that have ended have not taken effect yet.
    open: usize,
    done: Vec<Done>,
    tried: Table,
    /// How many operations were tried in a state, and how often it went back.
    steps: u64,
    /// The latest end at which it had to go back.
    furthest: usize,
}

/// What took effect.
#[derive(Clone, Copy, Debug)]
struct Done {
    /// Where its invocation was.
    place: usize,
    /// The state before it.
    state: u32,
    /// Whether it is a read.
    is_read: bool,
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
        // A read of which nobody knows the answer says nothing.
        part.retain(|&place| {
            let operation = &operations[place];
            operation.ended.is_some() || !model.keeps_state(&operation.input, operation.output())
        });
        part.sort_by_key(|&place| operations[place].invoked.order);
        let reads = part.iter().map(|&place| {
            let operation = &operations[place];
            model.keeps_state(&operation.input, operation.output())
        });
        let reads = reads.collect();
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
        let mut states = States::new();
        let state = states.number(model.initial());
        let mut search = Self {
            model,
            operations,
            taken: Taken::new(part.len()),
            part,
            reads,
            cursor: events[0].next,
            events,
            states,
            state,
            open,
            done: Vec::new(),
            tried: Table::new(),
            steps: 0,
            furthest: 0,
        };
        search.take_reads();
        search.cursor = search.events[0].next;
        search
    }

    /// Goes on for so many steps, or a few more; returns also how many it took.
    pub(super) fn run(&mut self, steps: u64) -> (Progress, u64) {
        let start = self.steps;
        while self.open > 0 {
            if self.steps - start >= steps {
                return (Progress::Paused, self.steps - start);
            }
            if !self.advance() {
                return (Progress::Stuck, self.steps - start);
            }
        }
        (Progress::Linearized, self.steps - start)
    }

    /// Looks at the event at the cursor; tells whether there is anything left to try.
    fn advance(&mut self) -> bool {
        let event = self.events[self.cursor];
        if event.is_end {
            self.furthest = self.furthest.max(self.cursor);
            return self.go_back();
        }
        // A read that is right has taken effect when the state came to be.
        if self.reads[event.number] || !self.take(event.number) {
            self.cursor = event.next;
        }
        true
    }

    /// Has the operation at the cursor take effect, if it can and that was not tried.
    fn take(&mut self, number: usize) -> bool {
        let Some(state) = self.state_after(number) else { return false };
        let state = self.states.number(state);
        self.taken.insert(number);
        if !self.tried.insert(&self.taken, state) {
            self.taken.remove(number);
            return false;
        }
        self.move_out(self.cursor, false);
        self.state = state;
        self.take_reads();
        self.cursor = self.events[0].next;
        true
    }

    /// Has all reads take effect that are right in this state.
    fn take_reads(&mut self) {
        let mut at = self.events[0].next;
        while !self.events[at].is_end {
            let Event { number, end, next, .. } = self.events[at];
            let is_right = self.reads[number] && self.state_after(number).is_some();
            if is_right {
                self.taken.insert(number);
                self.move_out(at, true);
            }
            // The end of what is out of the list is out, too, and may have been next.
            at = if is_right && next == end { self.events[end].next } else { next };
        }
    }

    fn state_after(&mut self, number: usize) -> Option<M::State> {
        self.steps += 1;
        let operation = &self.operations[self.part[number]];
        self.model.step(self.states.state(self.state), &operation.input, operation.output())
    }

    fn move_out(&mut self, place: usize, is_read: bool) {
        let end = self.events[place].end;
        self.unlink(place);
        if end > 0 {
            self.unlink(end);
            self.open -= 1;
        }
        self.done.push(Done { place, state: self.state, is_read });
    }

    /// Takes back what took effect last, and goes on behind it; tells whether there was any. Reads only go with what made the
    /// state that they were right in.
    fn go_back(&mut self) -> bool {
        self.steps += 1;
        while let Some(Done { place, state, is_read }) = self.done.pop() {
            let Event { number, end, .. } = self.events[place];
            if end > 0 {
                self.link(end);
                self.open += 1;
            }
            self.link(place);
            self.taken.remove(number);
            self.state = state;
            self.cursor = self.events[place].next;
            if !is_read {
                return true;
            }
        }
        false
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
            let _ = again.advance();
        }
        let place = |number: usize| self.part[number];
        let linearized =
            again.done.iter().map(|done| place(again.events[done.place].number)).collect();
        let mut conflict = Vec::new();
        let mut at = again.events[0].next;
        while at != self.furthest {
            conflict.push(place(again.events[at].number));
            at = again.events[at].next;
        }
        let unanswerable = place(again.events[self.furthest].number);
        let state = format!("{:?}", again.states.state(again.state));
        Witness { linearized, unanswerable, conflict, state }
    }
}
