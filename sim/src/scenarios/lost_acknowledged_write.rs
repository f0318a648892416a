//! A store on three machines: an actor on each, of which one leads. What is put into it is in memory only, so it
//! has to be on a second machine before it may be said to be stored.
//!
//! What is wrong: the leader says so as soon as it has a value itself, and copies it meanwhile. And when it is
//! gone, the next machine that answers is made the leader, whatever it has. If the leader is cut off from the
//! others for a while and dies then, values are gone that were acknowledged.
//!
//! The repair acknowledges what a second machine has. To make a leader, it asks all machines to follow no earlier
//! one; of the two that answer at least, one has all that was acknowledged: it is the one whose log is of the
//! latest leader, and the longest of that.

use std::time::Duration;

use parcae::actor::remote::{self, Detection, Options, Protocol, RemoteActor};
use parcae::actor::{self, ActorRef, Context, Crash, Handler};
use parcae::rng::choose_for;
use parcae::time::sleep;
use parcae::world::Node;
use parcae::{spawn_named, world};
use serde::{Deserialize, Serialize};
use tracing::info;

use crate::scenario::Scenario;

pub(crate) const SCENARIO: Scenario = Scenario {
    name: "lost-acknowledged-write",
    summary: "A store of actors on three machines, one of which may be cut off and one die.",
    defect: "Acknowledged by one machine, led by any; in the twin two have it, and the best one leads.",
    source: "R. van Renesse and F. Schneider, Chain replication (2004); Redis: failover loses writes",
    failure_kind: "panic",
    seeds_until_found: 500,
    buggy: || Box::pin(run(Safety::None)),
    fixed: || Box::pin(run(Safety::Majority)),
};

#[derive(Clone, Copy, PartialEq, Eq)]
enum Safety {
    None,
    Majority,
}

const STORES: [&str; 3] = ["store-1", "store-2", "store-3"];
const VALUES: u64 = 4;
/// Between two values.
const PAUSE: Duration = Duration::from_millis(500);
const COPY_LIMIT: Duration = Duration::from_millis(200);
const ASK_LIMIT: Duration = Duration::from_millis(600);

/// Dials the machine, if that has not been done.
fn store(machine: &str) -> ActorRef<Store> {
    actor::remote(machine, "store")
}

/// What a machine has, and of which leader: the later one counts, then the longer log.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
struct Log {
    term: u64,
    values: Vec<u64>,
}

struct Store {
    index: usize,
    safety: Safety,
    /// The latest of which it knows.
    term: u64,
    /// Those that it leads.
    others: Option<Vec<ActorRef<Self>>>,
    log: Log,
}
parcae::actor!(Store);

impl Store {
    fn lead(&mut self, term: u64) {
        (self.term, self.log.term) = (term, term);
        let others = STORES.iter().filter(|name| **name != STORES[self.index]);
        self.others = Some(others.map(|name| store(name)).collect());
    }
}

impl RemoteActor for Store {
    fn protocol() -> Protocol<Self> {
        let protocol = Protocol::new().message::<Put>("put").message::<Copy>("copy");
        protocol.message::<Seal>("seal").message::<Lead>("lead").message::<Read>("read")
    }
}

/// Tells whether the value is stored.
#[derive(Debug, Serialize, Deserialize)]
struct Put(u64);
parcae::message!(Put -> bool);

impl Handler<Put> for Store {
    async fn handle(&mut self, Put(value): Put, _: &mut Context<Self>) -> Result<bool, Crash> {
        let Some(others) = &self.others else { return Ok(false) };
        // It may be there from an attempt before.
        if !self.log.values.contains(&value) {
            self.log.values.push(value);
        }
        let mut copies = 1;
        for other in others {
            let copy = Copy(self.log.clone());
            match self.safety {
                Safety::None => drop(other.tell(copy)),
                Safety::Majority => {
                    let is_copied = other.ask(copy).timeout(COPY_LIMIT).await == Ok(true);
                    copies += u32::from(is_copied);
                }
            }
        }
        Ok(copies >= 2 || self.safety == Safety::None)
    }
}

/// The whole log of a leader. Tells whether it was taken.
#[derive(Debug, Serialize, Deserialize)]
struct Copy(Log);
parcae::message!(Copy -> bool);

impl Handler<Copy> for Store {
    async fn handle(&mut self, Copy(log): Copy, _: &mut Context<Self>) -> Result<bool, Crash> {
        if log.term < self.term {
            return Ok(false);
        }
        (self.term, self.others) = (log.term, None);
        // A shorter one of the same leader has come late.
        self.log = log.max(std::mem::take(&mut self.log));
        Ok(true)
    }
}

/// Has it follow no leader before this term. Tells what it has.
#[derive(Debug, Serialize, Deserialize)]
struct Seal(u64);
parcae::message!(Seal -> Log);

impl Handler<Seal> for Store {
    async fn handle(&mut self, Seal(term): Seal, _: &mut Context<Self>) -> Result<Log, Crash> {
        (self.term, self.others) = (term, None);
        Ok(self.log.clone())
    }
}

/// Has it lead from now on.
#[derive(Debug, Serialize, Deserialize)]
struct Lead(u64);
parcae::message!(Lead -> ());

impl Handler<Lead> for Store {
    async fn handle(&mut self, Lead(term): Lead, _: &mut Context<Self>) -> Result<(), Crash> {
        self.lead(term);
        Ok(())
    }
}

#[derive(Debug, Serialize, Deserialize)]
struct Read;
parcae::message!(Read -> Vec<u64>);

impl Handler<Read> for Store {
    async fn handle(&mut self, _: Read, _: &mut Context<Self>) -> Result<Vec<u64>, Crash> {
        Ok(self.log.values.clone())
    }
}

async fn run(safety: Safety) {
    let nodes = world::nodes("store", STORES.len()).start(move |index| serve(index, safety));
    let _listener = remote::serve(options("client").dial_only()).await.expect("it dials");
    let faults = spawn_named("faults", fail(nodes));
    let mut client = Client::new(safety);
    for value in 1..=VALUES {
        client.put(value).await;
        sleep(PAUSE).await;
    }
    faults.await;
    // What is acknowledged is there, and another one can be put in.
    client.put(VALUES + 1).await;
    let stored = client.leader().ask(Read).await.expect("it has answered just now");
    for value in 1..=VALUES {
        assert!(
            stored.contains(&value),
            "value {value} was acknowledged, and there are {stored:?}"
        );
    }
}

fn options(name: &str) -> Options {
    let options = Options::new(name, b"32 random bytes from a safe place");
    options
        .heartbeat(Duration::from_secs(10))
        .detection(Detection::timeout(Duration::from_secs(30)))
}

async fn serve(index: usize, safety: Safety) {
    let options = options(STORES[index]).expose::<Store>();
    let _listener = remote::serve(options).await.expect("the port is free");
    let mut store = Store { index, safety, term: 0, others: None, log: Log::default() };
    if index == 0 {
        store.lead(1);
    }
    actor::spawn_named::<Store>("store", store).expect("the only one").exited().await;
}

/// Cuts one machine off for some seconds, and kills one; either, both or none of it.
async fn fail(nodes: Vec<Node>) {
    let pick = |what, place| {
        usize::try_from(choose_for(what, place, 0..=STORES.len() as u64 - 1)).expect("few")
    };
    let seconds = |what| choose_for(what, 0, 0..=2);
    let (cut, killed) = (pick("who is cut off", 0), pick("who dies", 0));
    let (cut_end, kill_at) = (seconds("seconds of cut"), seconds("second of death"));
    let mut others: Vec<_> = STORES.into_iter().filter(|name| *name != STORES[cut]).collect();
    if choose_for("from the client too", 0, 0..=1) == 1 {
        others.push("test");
    }
    sleep(PAUSE / 2).await;
    let mut fault = (cut_end > 0).then(|| world::partition(STORES[cut], others));
    for second in 1..=2 {
        sleep(Duration::from_secs(1)).await;
        if second == kill_at {
            nodes[killed].kill();
        }
        if second == cut_end {
            drop(fault.take());
        }
    }
}

/// Puts values in, and makes another machine the leader when one is mute.
struct Client {
    safety: Safety,
    leader: usize,
    term: u64,
}

impl Client {
    fn new(safety: Safety) -> Self {
        Self { safety, leader: 0, term: 1 }
    }

    fn leader(&self) -> ActorRef<Store> {
        store(STORES[self.leader])
    }

    async fn put(&mut self, value: u64) {
        while self.leader().ask(Put(value)).timeout(ASK_LIMIT).await != Ok(true) {
            self.term += 1;
            let leader = match self.safety {
                Safety::None => Some((self.leader + 1) % STORES.len()),
                Safety::Majority => self.best().await,
            };
            if let Some(leader) = leader {
                info!(leader, term = self.term, "another one leads");
                self.leader = leader;
                // If it does not answer, it is the next one's turn.
                drop(self.leader().ask(Lead(self.term)).timeout(ASK_LIMIT).await);
            }
        }
    }

    /// Returns who has all that was acknowledged, if two machines answer.
    async fn best(&self) -> Option<usize> {
        let mut logs = Vec::new();
        for (index, name) in STORES.iter().enumerate() {
            if let Ok(log) = store(name).ask(Seal(self.term)).timeout(ASK_LIMIT).await {
                logs.push((log, index));
            }
        }
        if logs.len() < 2 {
            return None;
        }
        logs.into_iter().max().map(|(_, index)| index)
    }
}
