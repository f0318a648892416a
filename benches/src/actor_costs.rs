//! What actors cost, beside ractor and kameo on tokio's current-thread runtime.
//!
//! Each workload is written once per side, as its user would write it. A tell is one that is handled:
//! the actor gets a burst of messages and then an ask, and so on.

use std::convert::Infallible;
use std::hint::black_box;

use kameo::actor::Spawn as _;
use parcae::actor::{self, Actor, ActorRef, Context, Handler};
use parcae::message;
use ractor::{ActorProcessingErr, RpcReplyPort};

use crate::core_costs::{fifo, random, tokio};
use crate::counting::{self, Counts, counted};
use crate::measure::{Options, Side, Workload, per_operation, row, time_table};

/// Measures everything and returns the tables.
pub(crate) fn table(options: &Options) -> String {
    let times = time_table(workloads(), options);
    if options.is_partial() { times } else { format!("{times}\n{}", memory_table()) }
}

fn workloads() -> Vec<Workload> {
    vec![
        Workload {
            name: "tell, in bursts of 200",
            operation: "tell",
            operations: TELLS,
            sides: vec![
                Side::new("ractor", || tokio(ractor_tells())),
                Side::new("kameo", || tokio(kameo_tells())),
                Side::new("parcae", || fifo(tells())).with_target(0.2),
                Side::new("parcae, random", || random(tells())),
                Side::new("parcae, real", || real(tells())).with_target(1.0),
            ],
        },
        Workload {
            name: "ask",
            operation: "ask",
            operations: ASKS,
            sides: vec![
                Side::new("ractor", || tokio(ractor_asks())),
                Side::new("kameo", || tokio(kameo_asks())),
                Side::new("parcae", || fifo(asks())).with_target(0.25),
                Side::new("parcae, random", || random(asks())),
                Side::new("parcae, real", || real(asks())).with_target(1.0),
            ],
        },
        Workload {
            name: "ring of 10,000 actors, 100 rounds",
            operation: "hop",
            operations: RING * ROUNDS,
            sides: vec![
                Side::new("ractor", || tokio(ractor_ring())),
                Side::new("kameo", || tokio(kameo_ring())),
                Side::new("parcae", || fifo(ring())).with_target(0.15),
                Side::new("parcae, random", || random(ring())),
                Side::new("parcae, real", || real(ring())).with_target(1.0),
            ],
        },
        Workload {
            name: "spawn, 10,000 actors that are stopped",
            operation: "actor",
            operations: SPAWNS,
            sides: vec![
                Side::new("ractor", || tokio(ractor_spawns())),
                Side::new("kameo", || tokio(kameo_spawns())),
                Side::new("parcae", || fifo(spawns())).with_target(0.15),
                Side::new("parcae, random", || random(spawns())),
                Side::new("parcae, real", || real(spawns())).with_target(1.0),
            ],
        },
    ]
}

fn real(program: impl Future<Output = ()> + 'static) {
    parcae::real::run(program);
}

// parcae

struct Counter(u64);

#[derive(Debug)]
struct Add(u64);
message!(Add);

#[derive(Debug)]
struct Get;
message!(Get -> u64);

impl Actor for Counter {
    type Args = u64;
    type Error = Infallible;

    async fn start(first: u64, _: &mut Context<Self>) -> Result<Self, Infallible> {
        Ok(Self(first))
    }
}

impl Handler<Add> for Counter {
    async fn handle(&mut self, add: Add, _: &mut Context<Self>) -> Result<(), Infallible> {
        self.0 += add.0;
        Ok(())
    }
}

impl Handler<Get> for Counter {
    async fn handle(&mut self, _: Get, _: &mut Context<Self>) -> Result<u64, Infallible> {
        Ok(self.0)
    }
}

async fn tells() {
    let counter = actor::spawn::<Counter>(0);
    for _ in 0..TELLS / BURST {
        for number in 0..BURST {
            counter.tell(Add(number.into())).expect("it has a place");
        }
        black_box(counter.ask(Get).await.expect("it lives"));
    }
    counter.stop();
    counter.exited().await;
}

async fn asks() {
    let counter = actor::spawn::<Counter>(0);
    for _ in 0..ASKS {
        black_box(counter.ask(Get).await.expect("it lives"));
    }
    counter.stop();
    counter.exited().await;
}

struct Node {
    next: Option<ActorRef<Self>>,
    last: Option<parcae::sync::oneshot::Sender<()>>,
}

#[derive(Debug)]
struct Next(ActorRef<Node>);
message!(Next);

#[derive(Debug)]
struct Token(u32);
message!(Token);

impl Actor for Node {
    type Args = Option<parcae::sync::oneshot::Sender<()>>;
    type Error = Infallible;

    async fn start(last: Self::Args, _: &mut Context<Self>) -> Result<Self, Infallible> {
        Ok(Self { next: None, last })
    }
}

impl Handler<Next> for Node {
    async fn handle(&mut self, next: Next, _: &mut Context<Self>) -> Result<(), Infallible> {
        self.next = Some(next.0);
        Ok(())
    }
}

impl Handler<Token> for Node {
    async fn handle(&mut self, token: Token, _: &mut Context<Self>) -> Result<(), Infallible> {
        match (token.0, &self.next) {
            (0, _) => drop(self.last.take().map(|last| last.send(()))),
            (left, Some(next)) => drop(next.tell(Token(left - 1))),
            _ => {}
        }
        Ok(())
    }
}

async fn ring() {
    let (sender, receiver) = parcae::sync::oneshot::channel();
    let first = actor::spawn::<Node>(Some(sender));
    let mut nodes = vec![first.clone()];
    nodes.extend((1..RING).map(|_| actor::spawn::<Node>(None)));
    for (at, node) in nodes.iter().enumerate() {
        let next = nodes[(at + 1) % nodes.len()].clone();
        node.tell(Next(next)).expect("it has a place");
    }
    first.tell(Token(RING * ROUNDS)).expect("it has a place");
    receiver.await.expect("the token comes back");
    for node in nodes {
        node.kill();
        node.exited().await;
    }
}

async fn spawns() {
    let actors: Vec<_> = (0..SPAWNS).map(|number| actor::spawn::<Counter>(number.into())).collect();
    for counter in actors {
        counter.stop();
        counter.exited().await;
    }
}

// ractor

struct RactorCounter;

enum RactorMessage {
    Add(u64),
    Get(RpcReplyPort<u64>),
}

impl ractor::Actor for RactorCounter {
    type Msg = RactorMessage;
    type State = u64;
    type Arguments = u64;

    async fn pre_start(
        &self,
        _: ractor::ActorRef<RactorMessage>,
        first: u64,
    ) -> Result<u64, ActorProcessingErr> {
        Ok(first)
    }

    async fn handle(
        &self,
        _: ractor::ActorRef<RactorMessage>,
        message: RactorMessage,
        state: &mut u64,
    ) -> Result<(), ActorProcessingErr> {
        match message {
            RactorMessage::Add(number) => *state += number,
            RactorMessage::Get(port) => drop(port.send(*state)),
        }
        Ok(())
    }
}

async fn ractor_counter() -> ractor::ActorRef<RactorMessage> {
    ractor::Actor::spawn(None, RactorCounter, 0).await.expect("it starts").0
}

async fn ractor_tells() {
    let counter = ractor_counter().await;
    for _ in 0..TELLS / BURST {
        for number in 0..BURST {
            counter.cast(RactorMessage::Add(number.into())).expect("it lives");
        }
        black_box(counter.call(RactorMessage::Get, None).await.expect("it lives"));
    }
    counter.stop_and_wait(None, None).await.expect("it stops");
}

async fn ractor_asks() {
    let counter = ractor_counter().await;
    for _ in 0..ASKS {
        black_box(counter.call(RactorMessage::Get, None).await.expect("it lives"));
    }
    counter.stop_and_wait(None, None).await.expect("it stops");
}

struct RactorNode;

#[derive(Default)]
struct RactorNodeState {
    next: Option<ractor::ActorRef<RactorToken>>,
    last: Option<tokio::sync::oneshot::Sender<()>>,
}

enum RactorToken {
    Next(ractor::ActorRef<Self>),
    Token(u32),
}

impl ractor::Actor for RactorNode {
    type Msg = RactorToken;
    type State = RactorNodeState;
    type Arguments = Option<tokio::sync::oneshot::Sender<()>>;

    async fn pre_start(
        &self,
        _: ractor::ActorRef<RactorToken>,
        last: Self::Arguments,
    ) -> Result<RactorNodeState, ActorProcessingErr> {
        Ok(RactorNodeState { next: None, last })
    }

    async fn handle(
        &self,
        _: ractor::ActorRef<RactorToken>,
        message: RactorToken,
        state: &mut RactorNodeState,
    ) -> Result<(), ActorProcessingErr> {
        match (message, &state.next) {
            (RactorToken::Next(next), _) => state.next = Some(next),
            (RactorToken::Token(0), _) => drop(state.last.take().map(|last| last.send(()))),
            (RactorToken::Token(left), Some(next)) => {
                drop(next.cast(RactorToken::Token(left - 1)));
            }
            _ => {}
        }
        Ok(())
    }
}

async fn ractor_ring() {
    let (sender, receiver) = tokio::sync::oneshot::channel();
    let mut nodes = Vec::new();
    let mut sender = Some(sender);
    for _ in 0..RING {
        let spawned = ractor::Actor::spawn(None, RactorNode, sender.take());
        nodes.push(spawned.await.expect("it starts"));
    }
    for at in 0..nodes.len() {
        let next = nodes[(at + 1) % nodes.len()].0.clone();
        nodes[at].0.cast(RactorToken::Next(next)).expect("it lives");
    }
    nodes[0].0.cast(RactorToken::Token(RING * ROUNDS)).expect("it lives");
    receiver.await.expect("the token comes back");
    for (node, handle) in nodes {
        node.kill();
        handle.await.expect("it ends");
    }
}

async fn ractor_spawns() {
    let mut actors = Vec::new();
    for number in 0..SPAWNS {
        let spawned = ractor::Actor::spawn(None, RactorCounter, number.into());
        actors.push(spawned.await.expect("it starts"));
    }
    for (counter, handle) in actors {
        counter.stop(None);
        handle.await.expect("it ends");
    }
}

// kameo

#[derive(kameo::Actor)]
struct KameoCounter(u64);

impl kameo::message::Message<Add> for KameoCounter {
    type Reply = ();

    async fn handle(&mut self, add: Add, _: &mut kameo::message::Context<Self, ()>) {
        self.0 += add.0;
    }
}

impl kameo::message::Message<Get> for KameoCounter {
    type Reply = u64;

    async fn handle(&mut self, _: Get, _: &mut kameo::message::Context<Self, u64>) -> u64 {
        self.0
    }
}

async fn kameo_tells() {
    let counter = KameoCounter::spawn_with_mailbox(KameoCounter(0), kameo::mailbox::unbounded());
    for _ in 0..TELLS / BURST {
        for number in 0..BURST {
            counter.tell(Add(number.into())).await.expect("it lives");
        }
        black_box(counter.ask(Get).await.expect("it lives"));
    }
    counter.stop_gracefully().await.expect("it lives");
    counter.wait_for_shutdown().await;
}

async fn kameo_asks() {
    let counter = KameoCounter::spawn_with_mailbox(KameoCounter(0), kameo::mailbox::unbounded());
    for _ in 0..ASKS {
        black_box(counter.ask(Get).await.expect("it lives"));
    }
    counter.stop_gracefully().await.expect("it lives");
    counter.wait_for_shutdown().await;
}

#[derive(kameo::Actor)]
struct KameoNode {
    next: Option<kameo::actor::ActorRef<Self>>,
    last: Option<tokio::sync::oneshot::Sender<()>>,
}

struct KameoNext(kameo::actor::ActorRef<KameoNode>);

impl kameo::message::Message<KameoNext> for KameoNode {
    type Reply = ();

    async fn handle(&mut self, next: KameoNext, _: &mut kameo::message::Context<Self, ()>) {
        self.next = Some(next.0);
    }
}

impl kameo::message::Message<Token> for KameoNode {
    type Reply = ();

    async fn handle(&mut self, token: Token, _: &mut kameo::message::Context<Self, ()>) {
        match (token.0, &self.next) {
            (0, _) => drop(self.last.take().map(|last| last.send(()))),
            (left, Some(next)) => drop(next.tell(Token(left - 1)).await),
            _ => {}
        }
    }
}

async fn kameo_ring() {
    let (sender, receiver) = tokio::sync::oneshot::channel();
    let mut last = Some(sender);
    let spawn = |_| KameoNode::spawn(KameoNode { next: None, last: last.take() });
    let nodes: Vec<_> = (0..RING).map(spawn).collect();
    for (at, node) in nodes.iter().enumerate() {
        let next = nodes[(at + 1) % nodes.len()].clone();
        node.tell(KameoNext(next)).await.expect("it lives");
    }
    nodes[0].tell(Token(RING * ROUNDS)).await.expect("it lives");
    receiver.await.expect("the token comes back");
    for node in nodes {
        node.kill();
        node.wait_for_shutdown().await;
    }
}

async fn kameo_spawns() {
    let actors: Vec<_> =
        (0..SPAWNS).map(|number| KameoCounter::spawn(KameoCounter(number.into()))).collect();
    for counter in actors {
        counter.stop_gracefully().await.expect("it lives");
        counter.wait_for_shutdown().await;
    }
}

// Memory

fn memory_table() -> String {
    let mut table = String::from(
        "| what is counted | side | allocations per operation | bytes kept per operation |\n\
         |---|---|--:|--:|\n",
    );
    let mut add = |side: &str, counts: Counts| {
        let (allocations, bytes) = per_operation(counts, SPAWNS);
        row(&mut table, &["idle actor with its task", side, &allocations, &bytes]);
    };
    add("ractor", counted(|| tokio(idle_ractors())).0);
    add("kameo", counted(|| tokio(idle_kameos())).0);
    add("parcae", crate::core_costs::counted_in_run(idle_actors()));
    table
}

async fn idle_actors() -> Counts {
    // The run itself has to have its place for tasks.
    let mut actors = Vec::with_capacity(SPAWNS as usize);
    let before = counting::now();
    actors.extend((0..SPAWNS).map(|number| actor::spawn::<Counter>(number.into())));
    parcae::task::settle().await;
    let counts = counting::now().since(before);
    drop(actors);
    counts
}

async fn idle_ractors() -> Counts {
    let mut actors = Vec::with_capacity(SPAWNS as usize);
    let before = counting::now();
    for _ in 0..SPAWNS {
        actors.push(ractor_counter().await);
    }
    tokio::task::yield_now().await;
    let counts = counting::now().since(before);
    actors.iter().for_each(|actor| actor.kill());
    counts
}

async fn idle_kameos() -> Counts {
    let mut actors = Vec::with_capacity(SPAWNS as usize);
    let before = counting::now();
    actors.extend((0..SPAWNS).map(|number| KameoCounter::spawn(KameoCounter(number.into()))));
    tokio::task::yield_now().await;
    let counts = counting::now().since(before);
    drop(actors);
    counts
}

const TELLS: u32 = 1_000_000;
const BURST: u32 = 200;
const ASKS: u32 = 300_000;
const RING: u32 = 10_000;
const ROUNDS: u32 = 100;
const SPAWNS: u32 = 10_000;
