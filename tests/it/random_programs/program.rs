//! Programs made at random: a few tasks that share a few things.

use std::cell::{Cell, RefCell};
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;

use futures::StreamExt as _;
use futures::future::{Either, join, select};
use futures::stream::FuturesUnordered;
use parcae::executor::DomainId;
use parcae::rng::choose_for;
use parcae::sync::{Event, Mutex, Queue};
use parcae::task::{Builder, settle, yield_now};
use parcae::testing::Shared;
use parcae::time::{sleep, timeout};
use parcae::{Task, choose};

use crate::runs::nanos;

/// What the tasks do; a value, so that it can be run again and again.
#[derive(Debug)]
pub(super) struct Program {
    tasks: Vec<Vec<Op>>,
    outside: [Arc<Event>; 2],
}

#[derive(Debug)]
enum Op {
    /// Reads a cell and writes one more, in two steps.
    Add(usize),
    /// In one step.
    AddAtOnce(usize),
    Locked(usize, Vec<Self>),
    Put(u64),
    Get,
    TryGet,
    Set(usize),
    Clear(usize),
    Wait(usize),
    Sleep(u64),
    Within(u64, Vec<Self>),
    Yield,
    Settle,
    /// Fails when the number is drawn and a cell has a value.
    Choose(u64, usize),
    /// The same for a label and number, under a name that the library uses too.
    ChooseFor(u64, usize),
    Draw,
    Spawn(Arc<[Self]>),
    SpawnInNode(Arc<[Self]>),
    /// What becomes of the child that was spawned first.
    Join,
    Cancel,
    Abandon,
    Both(Vec<Self>, Vec<Self>),
    Either(Vec<Self>, Vec<Self>),
    Pause,
    Resume,
    Busy(u64),
    Kill,
    Rate(i32),
    /// In a combinator that wraps wakers and polls only who was woken.
    Unordered(Vec<Vec<Self>>),
    SpawnDetached(Arc<[Self]>),
}

/// Knuth's generator: what programs are made must not depend on the library.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963);
        (self.0 >> 33) % end
    }

    fn index(&mut self) -> usize {
        usize::from(self.below(2) == 1)
    }

    fn ops(&mut self, most: u64, depth: u32) -> Vec<Op> {
        let count = 1 + self.below(most);
        (0..count).map(|_| self.op(depth)).collect()
    }

    fn op(&mut self, depth: u32) -> Op {
        // The first ones hold no other operations.
        match self.below(if depth == 0 { 21 } else { 34 }) {
            0..=3 => Op::Add(self.index()),
            4 => Op::AddAtOnce(self.index()),
            5 => Op::Put(self.below(100)),
            6 => Op::Get,
            7 => Op::TryGet,
            8 | 9 => Op::Set(self.index()),
            10 => Op::Clear(self.index()),
            11 => Op::Wait(self.index()),
            12 => Op::Sleep(self.below(4)),
            13 => Op::Yield,
            14 => Op::Settle,
            15 => Op::Choose(1 + self.below(20), self.index()),
            16 => Op::Draw,
            17 => Op::Join,
            18 => Op::Cancel,
            19 => Op::Abandon,
            20 => Op::ChooseFor(self.below(3), self.index()),
            21 => Op::Locked(self.index(), self.ops(3, depth - 1)),
            22 => Op::Within(self.below(5), self.ops(3, depth - 1)),
            23 | 24 => Op::Spawn(self.ops(4, depth - 1).into()),
            25 => Op::SpawnInNode(self.ops(4, depth - 1).into()),
            26 => Op::Both(self.ops(3, depth - 1), self.ops(3, depth - 1)),
            27 => Op::Either(self.ops(3, depth - 1), self.ops(3, depth - 1)),
            28 | 29 => {
                Op::Unordered((0..1 + self.below(3)).map(|_| self.ops(3, depth - 1)).collect())
            }
            30 => Op::SpawnDetached(self.ops(3, depth - 1).into()),
            _ => match self.below(7) {
                0 | 1 => Op::Pause,
                2 | 3 => Op::Resume,
                4 => Op::Busy(self.below(5)),
                5 => Op::Rate([-500_000, 1_000_000][self.index()]),
                _ => Op::Kill,
            },
        }
    }
}

/// What the tasks of one run share.
struct Things {
    cells: [Shared<u64>; 2],
    /// Made with the program, so that several runs use them at once. They are always set.
    outside: [Arc<Event>; 2],
    /// How much was added to each cell.
    added: [Cell<u64>; 2],
    locks: [Mutex<u64>; 2],
    events: [Event; 2],
    queue: Queue<u64>,
    node: DomainId,
}

/// Handles of one task's children.
type Children = Rc<RefCell<Vec<Task<()>>>>;

impl Program {
    pub(super) fn random(number: u64) -> Self {
        let mut numbers = Numbers(number.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let _ = numbers.below(2);
        let count = 2 + numbers.below(3);
        let tasks = (0..count).map(|_| numbers.ops(5, 2)).collect();
        let program = Self { tasks, outside: [(); 2].map(|()| Arc::new(Event::new())) };
        program.outside.iter().for_each(|event| event.set());
        program
    }

    pub(super) fn run(self: &Arc<Self>) -> impl Future<Output = ()> + use<> {
        let program = self.clone();
        async move {
            let things = Rc::new(Things {
                cells: [Shared::new(0), Shared::new(0)],
                outside: program.outside.clone(),
                added: [Cell::new(0), Cell::new(0)],
                locks: [Mutex::new(0), Mutex::new(0)],
                events: [Event::new(), Event::new()],
                queue: Queue::bounded(2),
                node: DomainId::create("node", 0),
            });
            let tasks: Vec<Task<()>> = (0..program.tasks.len())
                .map(|place| {
                    let (program, things) = (program.clone(), things.clone());
                    parcae::spawn(async move {
                        all(&program.tasks[place], &things, &Children::default()).await;
                    })
                })
                .collect();
            for task in tasks {
                task.await;
            }
            for (cell, added) in things.cells.iter().zip(&things.added) {
                assert_eq!(cell.peek(), added.get(), "an addition was lost");
            }
        }
    }
}

/// Does operations one after the other. Boxed, because they hold others.
fn all<'a>(
    ops: &'a [Op],
    things: &'a Rc<Things>,
    children: &'a Children,
) -> Pin<Box<dyn Future<Output = ()> + 'a>> {
    Box::pin(async move {
        for op in ops {
            one(op, things, children).await;
        }
    })
}

#[expect(clippy::too_many_lines, reason = "a table of all operations")]
async fn one(op: &Op, things: &Rc<Things>, children: &Children) {
    let first_child = || {
        let mut children = children.borrow_mut();
        (!children.is_empty()).then(|| children.remove(0))
    };
    match op {
        Op::Add(at) => {
            let value = things.cells[*at].get().await;
            things.cells[*at].set(value + 1).await;
            things.added[*at].set(things.added[*at].get() + 1);
        }
        Op::AddAtOnce(at) => {
            things.cells[*at].update(|value| *value += 1).await;
            things.added[*at].set(things.added[*at].get() + 1);
        }
        Op::Locked(at, ops) => {
            let mut guard = things.locks[*at].lock().await;
            *guard += 1;
            all(ops, things, children).await;
        }
        Op::Put(value) => drop(things.queue.put(*value).await),
        Op::Get => drop(things.queue.get().await),
        Op::TryGet => drop(things.queue.try_get()),
        Op::Set(at) => things.events[*at].set(),
        Op::Clear(at) => things.events[*at].clear(),
        Op::Wait(at) => things.events[*at].wait().await,
        Op::Sleep(time) => sleep(nanos(*time)).await,
        Op::Within(time, ops) => {
            let _ = timeout(nanos(*time), all(ops, things, children)).await;
        }
        Op::Yield => yield_now().await,
        Op::Settle => settle().await,
        Op::Choose(end, at) => {
            let drawn = choose(0..=*end);
            let value = things.cells[*at].get().await;
            assert!(drawn + value != *end + 1, "drew {drawn} at {value}");
        }
        Op::ChooseFor(number, at) => {
            let drawn = choose_for("schedule", *number, 0..10);
            things.outside[*at].wait().await;
            things.cells[*at].update(|value| *value += drawn).await;
            things.added[*at].set(things.added[*at].get() + drawn);
        }
        Op::Draw => {
            if parcae::rng().next_u32().is_multiple_of(2) {
                yield_now().await;
            }
        }
        Op::Spawn(ops) | Op::SpawnInNode(ops) => {
            let is_in_node = matches!(op, Op::SpawnInNode(_));
            let builder = match is_in_node {
                true => Builder::new().name("inhabitant").domain(things.node),
                false => Builder::new(),
            };
            let (ops, things) = (ops.clone(), things.clone());
            let child =
                builder.spawn(async move { all(&ops, &things, &Children::default()).await });
            children.borrow_mut().push(child);
        }
        Op::Join => {
            if let Some(child) = first_child() {
                drop(child.join().await);
            }
        }
        Op::Cancel => {
            if let Some(child) = first_child() {
                child.cancel().await;
            }
        }
        Op::Abandon => drop(first_child()),
        Op::Both(left, right) => {
            join(all(left, things, children), all(right, things, children)).await;
        }
        Op::Either(left, right) => {
            match select(all(left, things, children), all(right, things, children)).await {
                Either::Left(_) | Either::Right(_) => {}
            }
        }
        Op::Pause => things.node.pause(),
        Op::Resume => things.node.resume(),
        Op::Busy(time) => things.node.busy_for(nanos(*time)),
        Op::Kill => things.node.kill(),
        Op::Rate(rate) => things.node.set_clock_rate(*rate),
        Op::Unordered(all_ops) => {
            let futures = all_ops.iter().map(|ops| all(ops, things, children));
            let mut futures: FuturesUnordered<_> = futures.collect();
            while futures.next().await.is_some() {}
        }
        Op::SpawnDetached(ops) => {
            let (ops, things) = (ops.clone(), things.clone());
            let child = async move { all(&ops, &things, &Children::default()).await };
            parcae::spawn(child).detach();
        }
    }
}
