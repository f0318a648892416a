//! Primitives against models of them: the same operations in a drawn order, and after each of them the
//! same answers, and the same futures woken equally often.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::task::Poll;

use parcae::choose;
use parcae::sync::{
    Acquire, AcquireError, Barrier, BarrierError, BarrierWait, Get, Join, Notified, Notify, Permit,
    Put, Queue, Semaphore,
};

use super::{Hand, on_every_seed};

const OPERATIONS: usize = 150;

/// Futures by number, the latest last, and how often each should have been woken.
struct Crowd<F> {
    hands: BTreeMap<usize, (Hand<F>, Expected)>,
    made: usize,
}

#[derive(Default)]
struct Expected {
    wake_count: usize,
    /// It pends, and has not been woken since.
    is_armed: bool,
}

impl<F: Future> Crowd<F> {
    fn new() -> Self {
        Self { hands: BTreeMap::new(), made: 0 }
    }

    fn add(&mut self, future: F) -> usize {
        self.made += 1;
        self.hands.insert(self.made, (Hand::new(future), Expected::default()));
        self.made
    }

    fn pick(&self) -> Option<usize> {
        let count = self.hands.len();
        (count > 0).then(|| *self.hands.keys().nth(choose(0..count)).unwrap())
    }

    fn pinned(&mut self, number: usize) -> Pin<&mut F> {
        self.hands.get_mut(&number).unwrap().0.future.as_mut()
    }

    /// Polls one; one that is ready is dropped.
    fn poll(&mut self, number: usize) -> Option<F::Output> {
        let (hand, expected) = self.hands.get_mut(&number).unwrap();
        match hand.poll() {
            Poll::Pending => {
                expected.is_armed = true;
                None
            }
            Poll::Ready(output) => {
                self.remove(number);
                Some(output)
            }
        }
    }

    fn remove(&mut self, number: usize) {
        drop(self.hands.remove(&number).unwrap());
    }

    /// The model says that it is woken, if it waits to be.
    fn expect_wake(&mut self, number: usize) {
        if let Some((_, expected)) = self.hands.get_mut(&number) {
            expected.wake_count += usize::from(std::mem::take(&mut expected.is_armed));
        }
    }

    #[track_caller]
    fn check(&self) {
        for (number, (hand, expected)) in &self.hands {
            assert_eq!(hand.wake_count(), expected.wake_count, "wakes of {number}");
        }
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Given {
    Nothing,
    One,
    All,
}

/// What a [`Notify`] should do.
struct Notifies<'a> {
    crowd: Crowd<Notified<'a>>,
    given: BTreeMap<usize, Given>,
    /// In the order in which they came to wait.
    line: Vec<usize>,
    is_kept: bool,
}

impl Notifies<'_> {
    fn notify_one(&mut self) {
        let first = self.line.iter().find(|number| self.given[number] == Given::Nothing);
        match first.copied() {
            Some(first) => {
                self.given.insert(first, Given::One);
                self.crowd.expect_wake(first);
            }
            None => self.is_kept = true,
        }
    }

    fn notify_waiters(&mut self) {
        for (number, given) in &mut self.given {
            if *given == Given::Nothing {
                *given = Given::All;
                self.crowd.expect_wake(*number);
            }
        }
    }

    /// One looks, and goes on or stands in the line.
    fn look(&mut self, number: usize) -> bool {
        let is_in_line = self.line.contains(&number);
        let takes_kept = !is_in_line && self.given[&number] == Given::Nothing && self.is_kept;
        if takes_kept {
            self.is_kept = false;
        } else if self.given[&number] == Given::Nothing {
            if !is_in_line {
                self.line.push(number);
            }
            return false;
        }
        self.forget(number);
        true
    }

    fn forget(&mut self, number: usize) -> Option<Given> {
        self.line.retain(|other| *other != number);
        self.given.remove(&number)
    }
}

#[test]
fn a_notify_does_what_its_model_does() {
    on_every_seed(|| async {
        let notify = Notify::new();
        let crowd = Crowd::new();
        let mut model =
            Notifies { crowd, given: BTreeMap::new(), line: Vec::new(), is_kept: false };
        for _ in 0..OPERATIONS {
            let picked = model.crowd.pick();
            match (choose(0..12), picked) {
                (0, _) => {
                    notify.notify_waiters();
                    model.notify_waiters();
                }
                (1..=3, _) => {
                    notify.notify_one();
                    model.notify_one();
                }
                (4..=6, _) | (_, None) => {
                    let number = model.crowd.add(notify.notified());
                    model.given.insert(number, Given::Nothing);
                }
                (7..=8, Some(number)) => {
                    model.crowd.remove(number);
                    if model.forget(number) == Some(Given::One) {
                        model.notify_one();
                    }
                }
                (9, Some(number)) => {
                    let is_notified = model.crowd.pinned(number).enable();
                    assert_eq!(is_notified, model.look(number));
                    if is_notified {
                        model.crowd.remove(number);
                    }
                }
                (_, Some(number)) => {
                    assert_eq!(model.crowd.poll(number).is_some(), model.look(number));
                }
            }
            model.crowd.check();
        }
    });
}

/// What a [`Barrier`] should do.
struct Rounds<'a> {
    crowd: Crowd<BarrierWait<'a>>,
    parties: usize,
    filling: Vec<usize>,
    /// Those of the full round that have not gone on, and their indices.
    draining: BTreeMap<usize, usize>,
    has_leader: bool,
    sent_away: BTreeMap<usize, BarrierError>,
    is_broken: bool,
}

type Waited = Result<(usize, bool), BarrierError>;

impl Rounds<'_> {
    fn look(&mut self, number: usize) -> Option<Waited> {
        if let Some(why) = self.sent_away.remove(&number) {
            return Some(Err(why));
        }
        if let Some(index) = self.draining.remove(&number) {
            let is_leader = !std::mem::replace(&mut self.has_leader, true);
            self.fill();
            return Some(Ok((index, is_leader)));
        }
        if self.filling.contains(&number) {
            return None;
        }
        if self.is_broken {
            return Some(Err(BarrierError::Broken));
        }
        if self.filling.len() + 1 == self.parties && self.draining.is_empty() {
            self.drain();
            self.has_leader = true;
            return Some(Ok((self.parties - 1, true)));
        }
        self.filling.push(number);
        None
    }

    fn fill(&mut self) {
        if self.filling.len() >= self.parties && self.draining.is_empty() {
            self.drain();
            self.has_leader = false;
        }
    }

    fn drain(&mut self) {
        let count = self.parties.min(self.filling.len());
        for (index, number) in self.filling.drain(..count).enumerate() {
            self.draining.insert(number, index);
            self.crowd.expect_wake(number);
        }
    }

    fn send_away(&mut self, why: BarrierError) {
        for number in self.filling.drain(..) {
            self.sent_away.insert(number, why);
            self.crowd.expect_wake(number);
        }
    }

    fn forget(&mut self, number: usize) {
        self.filling.retain(|other| *other != number);
        self.sent_away.remove(&number);
        self.draining.remove(&number);
        self.fill();
    }
}

#[test]
fn a_barrier_does_what_its_model_does() {
    on_every_seed(|| async {
        let barrier = Barrier::new(choose(1..=4));
        let mut model = Rounds {
            crowd: Crowd::new(),
            parties: barrier.parties(),
            filling: Vec::new(),
            draining: BTreeMap::new(),
            has_leader: false,
            sent_away: BTreeMap::new(),
            is_broken: false,
        };
        for _ in 0..OPERATIONS {
            let picked = model.crowd.pick();
            match (choose(0..16), picked) {
                (0, _) => {
                    barrier.abort();
                    model.is_broken = true;
                    model.send_away(BarrierError::Broken);
                }
                (1..=2, _) => {
                    barrier.reset();
                    model.is_broken = false;
                    model.send_away(BarrierError::Reset);
                }
                (3..=8, _) | (_, None) => drop(model.crowd.add(barrier.wait())),
                (9, Some(number)) => {
                    model.crowd.remove(number);
                    model.forget(number);
                }
                (_, Some(number)) => {
                    let waited = model.crowd.poll(number);
                    let waited = waited
                        .map(|waited| waited.map(|result| (result.index(), result.is_leader())));
                    assert_eq!(waited, model.look(number));
                }
            }
            model.crowd.check();
            assert_eq!(barrier.n_waiting(), model.filling.len());
            assert_eq!(barrier.is_broken(), model.is_broken);
        }
    });
}

/// What a [`Semaphore`] should do.
struct Permits<'a> {
    crowd: Crowd<Acquire<'a>>,
    wanted: BTreeMap<usize, usize>,
    line: Vec<usize>,
    assigned: Vec<usize>,
    /// Those that nobody has, without the assigned ones.
    free: usize,
    is_closed: bool,
}

impl Permits<'_> {
    fn assign(&mut self) {
        while !self.is_closed
            && let Some(first) = self.line.first().copied()
            && self.wanted[&first] <= self.free
        {
            self.free -= self.wanted[&first];
            self.line.remove(0);
            self.assigned.push(first);
            self.crowd.expect_wake(first);
        }
    }

    fn try_take(&mut self, count: usize) -> bool {
        let is_taken = !self.is_closed && self.line.is_empty() && count <= self.free;
        self.free -= if is_taken { count } else { 0 };
        is_taken
    }

    fn look(&mut self, number: usize) -> Option<Result<usize, AcquireError>> {
        let count = self.wanted[&number];
        let is_assigned = self.assigned.contains(&number);
        let is_waiting = self.line.contains(&number);
        if is_assigned || (!is_waiting && self.try_take(count)) {
            self.leave(number);
            return Some(Ok(count));
        }
        if self.is_closed {
            self.leave(number);
            return Some(Err(AcquireError::Closed));
        }
        if !is_waiting {
            self.line.push(number);
        }
        None
    }

    fn leave(&mut self, number: usize) {
        self.line.retain(|other| *other != number);
        self.assigned.retain(|other| *other != number);
        self.wanted.remove(&number);
    }

    fn close(&mut self) {
        self.is_closed = true;
        self.line.iter().for_each(|number| self.crowd.expect_wake(*number));
    }

    /// One that waited is dropped.
    fn forget(&mut self, number: usize) {
        if self.assigned.contains(&number) {
            self.free += self.wanted[&number];
        }
        self.leave(number);
        self.assign();
    }
}

#[test]
fn a_semaphore_does_what_its_model_does() {
    on_every_seed(|| async {
        let semaphore = Semaphore::new(choose(0..=4));
        let mut held: Vec<Permit<'_>> = Vec::new();
        let mut model = Permits {
            crowd: Crowd::new(),
            wanted: BTreeMap::new(),
            line: Vec::new(),
            assigned: Vec::new(),
            free: semaphore.available_permits(),
            is_closed: false,
        };
        for operation in 0..OPERATIONS {
            match (choose(0..16), model.crowd.pick()) {
                (0, _) => {
                    let count = choose(0..=2);
                    semaphore.add_permits(count);
                    model.free += count;
                    model.assign();
                }
                (1, _) => {
                    let count = choose(0..=3);
                    let taken = semaphore.try_acquire_many(count);
                    assert_eq!(taken.is_ok(), model.try_take(count));
                    held.extend(taken);
                }
                (2..=4, _) if !held.is_empty() => {
                    let permit = held.swap_remove(choose(0..held.len()));
                    if choose(0..6) == 0 {
                        permit.forget();
                        continue;
                    }
                    model.free += permit.num_permits();
                    drop(permit);
                    model.assign();
                }
                (5, _) if operation > OPERATIONS / 2 => {
                    semaphore.close();
                    model.close();
                }
                (2..=8, _) | (_, None) => {
                    let count = choose(0..=3);
                    let number = model.crowd.add(semaphore.acquire_many(count));
                    model.wanted.insert(number, count);
                }
                (9..=10, Some(number)) => {
                    model.crowd.remove(number);
                    model.forget(number);
                }
                (_, Some(number)) => {
                    let taken = model.crowd.poll(number);
                    let count = taken.as_ref().map(|taken| match taken {
                        Ok(permit) => Ok(permit.num_permits()),
                        Err(error) => Err(*error),
                    });
                    assert_eq!(count, model.look(number));
                    held.extend(taken.and_then(Result::ok));
                }
            }
            model.crowd.check();
            assert_eq!(semaphore.available_permits(), model.free);
        }
    });
}

/// What a [`Queue`] should do.
struct Items<'a> {
    puts: Crowd<Put<'a, usize>>,
    gets: Crowd<Get<'a, usize>>,
    joins: Crowd<Join<'a, usize>>,
    putters: Vec<usize>,
    getters: Vec<usize>,
    items: Vec<usize>,
    capacity: usize,
    unfinished: usize,
    is_closed: bool,
}

fn place(line: &[usize], number: usize) -> usize {
    line.iter().position(|other| *other == number).unwrap_or(line.len())
}

fn stand_in(line: &mut Vec<usize>, number: usize) {
    if !line.contains(&number) {
        line.push(number);
    }
}

impl Items<'_> {
    fn try_put(&mut self, item: usize, rank: usize) -> bool {
        let is_put = !self.is_closed && rank == 0 && self.items.len() < self.capacity;
        if is_put {
            self.items.push(item);
            self.unfinished += 1;
        }
        is_put
    }

    fn look_to_put(&mut self, number: usize) -> Option<bool> {
        if self.try_put(number, place(&self.putters, number)) {
            self.putters.retain(|other| *other != number);
            return Some(true);
        }
        if self.is_closed {
            self.putters.retain(|other| *other != number);
            return Some(false);
        }
        stand_in(&mut self.putters, number);
        None
    }

    fn try_get(&mut self, rank: usize) -> Option<Option<usize>> {
        if rank < self.items.len() {
            return Some(Some(self.items.remove(rank)));
        }
        (self.is_closed && self.items.is_empty()).then_some(None)
    }

    fn look_to_get(&mut self, number: usize) -> Option<Option<usize>> {
        let got = self.try_get(place(&self.getters, number));
        if got.is_some() {
            self.getters.retain(|other| *other != number);
        } else {
            stand_in(&mut self.getters, number);
        }
        got
    }

    /// Whoever may go on has been woken.
    fn expect_wakes(&mut self) {
        let may_end = self.is_closed && self.items.is_empty();
        for (rank, number) in self.getters.iter().enumerate() {
            if may_end || rank < self.items.len() {
                self.gets.expect_wake(*number);
            }
        }
        for (rank, number) in self.putters.iter().enumerate() {
            if self.is_closed || (rank == 0 && self.items.len() < self.capacity) {
                self.puts.expect_wake(*number);
            }
        }
        if self.unfinished == 0 {
            let numbers: Vec<_> = self.joins.hands.keys().copied().collect();
            numbers.into_iter().for_each(|number| self.joins.expect_wake(number));
        }
    }

    /// One of the futures is polled or dropped.
    fn use_one(&mut self) {
        let is_dropped = choose(0..4) == 0;
        match choose(0..5) {
            0 => {
                let Some(number) = self.joins.pick() else { return };
                if is_dropped {
                    self.joins.remove(number);
                } else {
                    assert_eq!(self.joins.poll(number).is_some(), self.unfinished == 0);
                }
            }
            1..=2 => {
                let Some(number) = self.puts.pick() else { return };
                if is_dropped {
                    self.puts.remove(number);
                    self.putters.retain(|other| *other != number);
                } else {
                    let was_put = self.puts.poll(number).map(|result| result.is_ok());
                    assert_eq!(was_put, self.look_to_put(number));
                }
            }
            _ => {
                let Some(number) = self.gets.pick() else { return };
                if is_dropped {
                    self.gets.remove(number);
                    self.getters.retain(|other| *other != number);
                } else {
                    let got = self.gets.poll(number).map(Result::ok);
                    assert_eq!(got, self.look_to_get(number));
                }
            }
        }
    }
}

#[test]
fn a_queue_does_what_its_model_does() {
    on_every_seed(|| async {
        let capacity = choose(1..=3);
        let queue = Queue::bounded(capacity);
        let mut model = Items {
            puts: Crowd::new(),
            gets: Crowd::new(),
            joins: Crowd::new(),
            putters: Vec::new(),
            getters: Vec::new(),
            items: Vec::new(),
            capacity,
            unfinished: 0,
            is_closed: false,
        };
        for operation in 0..OPERATIONS {
            match choose(0..24) {
                0 if operation > OPERATIONS / 2 => {
                    queue.close();
                    model.is_closed = true;
                }
                1 if operation > OPERATIONS / 2 => {
                    assert_eq!(queue.shutdown_now(), model.items);
                    model.is_closed = true;
                    model.unfinished -= model.items.len().min(model.unfinished);
                    model.items.clear();
                }
                0..=1 => drop(model.joins.add(queue.join())),
                2 => {
                    let is_put = queue.try_put(0).is_ok();
                    assert_eq!(is_put, model.try_put(0, model.putters.len()));
                }
                3 => {
                    let got = queue.try_get().ok();
                    assert_eq!(got, model.try_get(model.getters.len()).flatten());
                }
                4..=5 if model.unfinished > 0 => {
                    queue.task_done();
                    model.unfinished -= 1;
                }
                4..=8 => {
                    let number = model.puts.made + 1;
                    model.puts.add(queue.put(number));
                }
                9..=12 => drop(model.gets.add(queue.get())),
                _ => model.use_one(),
            }
            model.expect_wakes();
            model.puts.check();
            model.gets.check();
            model.joins.check();
            assert_eq!(
                (queue.len(), queue.unfinished()),
                (model.items.len(), model.unfinished as u64)
            );
        }
    });
}
