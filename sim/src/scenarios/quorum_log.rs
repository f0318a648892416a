//! A log on three machines, kept in their memory: what two of them have is safe as long as one machine
//! at a time is away.
//!
//! It is Raft (Ongaro and Ousterhout, 2014) in small: terms, votes, a leader that sends its whole log with
//! each heartbeat, and commitment of what two of three have. A machine that starts again has lost its
//! log; it takes no part before both others have told it what they know.
//!
//! What goes wrong with it is in the scenarios that leave out a part of it, not here.

mod replica;
#[cfg(test)]
mod tests;

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;

use parcae::fault::{Between, Budget, Chaos, ChaosBuilder, Convergence, Core, Fault, FaultPlan};
use parcae::net::UdpSocket;
use parcae::rng::choose_for;
use parcae::time::{sleep, timeout};
use parcae::world;

use self::replica::{ACKNOWLEDGED, Entry, PORT, Replica, SUBMIT};

/// What is left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Defect {
    Nothing,
    /// A leader says that a value is stored as soon as it has it itself, and not when a second machine does.
    EarlyAcknowledgement,
    /// A machine does not remember in a term that it has voted.
    ForgottenVote,
    /// A leader goes on leading though it hears of nobody.
    DeafLeader,
}

const VALUES: u64 = 10;

/// Stores values under all faults, within the budget: one machine at a time.
pub(super) async fn run(defect: Defect) {
    let observer = Rc::new(Observer::default());
    let chaos = store_under(defect, |chaos| chaos.budget(budget(&observer)), &observer).await;
    converge(&chaos.liveness(), &observer, Duration::from_secs(60)).await;
}

/// Stores values while one machine, or none, hears nothing from the others, and is heard by them.
pub(super) async fn run_with_one_deaf(defect: Defect) {
    let observer = Rc::new(Observer::default());
    let plan = plan_of_deafness();
    let chaos = store_under(defect, |chaos| chaos.plan(plan), &observer).await;
    converge(&chaos.liveness(), &observer, Duration::from_secs(20)).await;
}

/// Draws which machine is deaf, and from when on.
fn plan_of_deafness() -> FaultPlan {
    let machines = [1, 2, 3].map(|number| format!("log-{number}"));
    let deaf = choose_for("deaf machine", 0, 0..=machines.len());
    let begin = Duration::from_secs(choose_for("second of its deafness", 0, 1..=9));
    let Some(deaf) = deaf.checked_sub(1) else { return FaultPlan::new() };
    let (deaf, others): (Vec<_>, Vec<_>) =
        machines.iter().cloned().partition(|name| *name == machines[deaf]);
    let cut = Fault::Cut(Between::new(others, deaf).one_way());
    FaultPlan::new().step(begin, Duration::from_secs(60), cut)
}

/// Admits that one machine is absent: one that has lost its memory is, until it has that of the others.
fn budget(observer: &Rc<Observer>) -> Budget {
    let recovering = observer.clone();
    Budget::max_dead(1).absent_while(move |name| recovering.is_recovering(name))
}

/// Has values stored for ten seconds under a chaos, and gives that.
async fn store_under(
    defect: Defect,
    configure: impl FnOnce(ChaosBuilder) -> ChaosBuilder,
    observer: &Rc<Observer>,
) -> Chaos {
    let nodes = world::nodes("log", 3).start({
        let observer = observer.clone();
        move |number| Replica::new(number, defect, observer.clone()).run()
    });
    parcae::spawn_named("client", store_all(observer.clone())).background();
    let chaos = configure(Chaos::on(nodes)).during(Duration::from_secs(10)).start();
    sleep(Duration::from_secs(10)).await;
    chaos
}

/// Waits until all is stored, and looks whether it is.
async fn converge(core: &Core, observer: &Observer, within: Duration) {
    let pending = || {
        let stored = observer.acknowledged.borrow().len() as u64;
        (stored < VALUES).then(|| format!("{stored} of {VALUES} values are stored"))
    };
    // Who has lost its memory needs both others.
    let recoverable = || match observer.recovering.borrow().first() {
        Some(name) if !core.outside().is_empty() => Err(format!("{name} needs both others")),
        _ => Ok(()),
    };
    match core.converge(within, pending, recoverable).await {
        Ok(Convergence::Reached { .. }) => observer.check(),
        Ok(_) => {}
        Err(stuck) => panic!("{stuck}"),
    }
}

/// Has one value after the other stored: asks all machines again and again.
async fn store_all(observer: Rc<Observer>) {
    let socket = UdpSocket::bind(("0.0.0.0", 0)).await.expect("the port is free");
    for value in 1..=VALUES {
        while !observer.acknowledged.borrow().contains(&value) {
            for machine in 1..=3 {
                // Refused while it is down.
                drop(send(&socket, (format!("log-{machine}"), PORT), &[SUBMIT, value]).await);
            }
            let answer = timeout(Duration::from_millis(200), receive(&socket)).await;
            if let Ok(Some((_, words))) = answer
                && let [ACKNOWLEDGED, value] = words[..]
            {
                observer.acknowledged.borrow_mut().insert(value);
            }
        }
        sleep(Duration::from_millis(300)).await;
    }
}

/// What is seen from above: no machine knows this.
#[derive(Debug, Default)]
pub(super) struct Observer {
    /// What is committed, by its place, whoever said so first.
    committed: RefCell<Vec<Entry>>,
    acknowledged: RefCell<BTreeSet<u64>>,
    recovering: RefCell<BTreeSet<String>>,
}

impl Observer {
    fn is_recovering(&self, name: &str) -> bool {
        self.recovering.borrow().contains(name)
    }

    /// Fails if a machine has committed something else than another one.
    fn commit(&self, log: &[Entry]) {
        let mut committed = self.committed.borrow_mut();
        let both = log.len().min(committed.len());
        assert_eq!(log[..both], committed[..both], "two machines have committed different values");
        committed.extend_from_slice(&log[both..]);
    }

    /// Fails if a value that was acknowledged is not stored, or stored twice.
    fn check(&self) {
        let committed = self.committed.borrow();
        for value in &*self.acknowledged.borrow() {
            let count = committed.iter().filter(|entry| entry.value == *value).count();
            assert_eq!(count, 1, "value {value} was acknowledged and is stored {count} times");
        }
    }
}

async fn send(
    socket: &UdpSocket,
    to: impl parcae::net::ToSocketAddrs,
    words: &[u64],
) -> std::io::Result<usize> {
    let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_be_bytes()).collect();
    socket.send_to(&bytes, to).await
}

/// Waits for a message; none when there is an error to be told instead.
async fn receive(socket: &UdpSocket) -> Option<(SocketAddr, Vec<u64>)> {
    let mut bytes = [0; 2048];
    let (length, from) = socket.recv_from(&mut bytes).await.ok()?;
    let word = |chunk: &[u8]| u64::from_be_bytes(chunk.try_into().expect("eight bytes"));
    Some((from, bytes[..length].chunks_exact(8).map(word).collect()))
}
