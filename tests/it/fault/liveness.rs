//! The second phase: a core is healed, what is outside stays broken, and the program must get on.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::convert::Infallible;
use std::rc::Rc;
use std::time::Duration;

use futures_lite::{AsyncReadExt as _, AsyncWriteExt as _};
use parcae::Sim;
use parcae::explore::{Check, Shrink};
use parcae::fault::{Budget, Chaos, Convergence, Nemesis};
use parcae::net::{TcpListener, TcpStream};
use parcae::task::group;
use parcae::time::{sleep, timeout};
use parcae::world::{self, NodeStatus};

use crate::runs::{SEEDS, millis};

/// Keeps the numbers that it is sent, and says so.
async fn serve() {
    let listener = TcpListener::bind("0.0.0.0:80").await.unwrap();
    loop {
        let (mut stream, _) = listener.accept().await.unwrap();
        parcae::spawn(async move {
            let mut byte = [0];
            while stream.read_exact(&mut byte).await.is_ok() {
                if stream.write_all(&byte).await.is_err() {
                    break;
                }
            }
        })
        .background();
    }
}

async fn store(server: usize, number: u8) -> std::io::Result<()> {
    let mut stream = TcpStream::connect((format!("kv-{server}"), 80)).await?;
    stream.write_all(&[number]).await?;
    stream.read_exact(&mut [0]).await
}

/// Has a number stored by so many of three servers before the next one comes.
async fn replicate(needed: usize, stored: Rc<Cell<u8>>) {
    for number in 0..20 {
        let done = Rc::new(RefCell::new(BTreeSet::new()));
        while done.borrow().len() < needed {
            let asked = group(async |group| {
                for server in 1..=3 {
                    let done = done.clone();
                    group.spawn(async move {
                        let answer = timeout(millis(500), store(server, number)).await;
                        if matches!(answer, Ok(Ok(()))) {
                            done.borrow_mut().insert(server);
                        }
                    });
                }
                Ok::<_, Infallible>(())
            });
            asked.await.unwrap();
            sleep(millis(200)).await;
        }
        stored.set(number + 1);
        sleep(millis(500)).await;
    }
}

async fn run(needed: usize) {
    let nodes = world::nodes("kv", 3).start(|_| serve());
    let stored = Rc::new(Cell::new(0));
    let client = parcae::spawn_named("client", replicate(needed, stored.clone()));
    let nemeses = [Nemesis::crashes(), Nemesis::pauses(), Nemesis::partitions()];
    let mut chaos = Chaos::on(nodes).budget(Budget::max_dead(1));
    for nemesis in nemeses {
        chaos = chaos.nemesis(nemesis);
    }
    let chaos = chaos.start();
    sleep(Duration::from_secs(5)).await;
    let core = chaos.liveness();
    let pending = || {
        let stored = stored.get();
        (stored < 20).then(|| format!("number {stored} is not stored"))
    };
    let converged = core.converge(Duration::from_secs(300), pending, || Ok(())).await;
    drop(client);
    if let Err(stuck) = converged {
        panic!("{stuck}");
    }
}

#[test]
fn a_program_that_waits_for_all_stands_still_without_one_and_that_is_found() {
    // Each run that fails lasts five minutes of its own time: too long to be shrunk here.
    let mut shrink = Shrink::default();
    shrink.runs = 0;
    let report = Check::new("all of three").seeds(100).shrink(shrink).run(|| run(3));
    let failure = report.finding().expect("one stays dead").failure().to_string();
    assert!(failure.contains("no progress within 300s"), "{failure}");
    assert!(failure.contains("is not stored"), "{failure}");
    assert!(failure.contains("it could have got on with kv-"), "{failure}");
}

#[test]
fn a_program_that_waits_for_a_majority_gets_on() {
    let report = Check::new("two of three").seeds(60).run(|| run(2));
    assert!(report.finding().is_none(), "{:?}", report.finding().unwrap().failure());
}

#[test]
fn faults_that_heal_hide_that_a_program_stands_still() {
    // The same program under the same faults, that end: there is nothing to be found.
    let report = Check::new("healing").seeds(60).run(|| async {
        let nodes = world::nodes("kv", 3).start(|_| serve());
        let stored = Rc::new(Cell::new(0));
        let client = parcae::spawn_named("client", replicate(3, stored.clone()));
        let chaos = Chaos::on(nodes).nemesis(Nemesis::crashes()).start();
        sleep(Duration::from_secs(5)).await;
        chaos.end();
        client.await;
        assert_eq!(stored.get(), 20);
    });
    assert!(report.finding().is_none(), "{:?}", report.finding().unwrap().failure());
}

#[test]
fn the_core_runs_and_is_connected_and_the_rest_stays_as_it_was() {
    let mut sizes = BTreeSet::new();
    let mut dead_for_ever = 0;
    for seed in 0..SEEDS {
        let (size, dead) = Sim::new(seed)
            .run(|| async {
                let nodes = world::nodes("kv", 5).start(|_| serve());
                let long = Duration::from_secs(1)..=Duration::from_secs(60);
                let chaos = Chaos::on(nodes)
                    .budget(Budget::max_dead(2))
                    .nemesis(Nemesis::crashes().lasting(long.clone()))
                    .nemesis(Nemesis::partitions().lasting(long))
                    .start();
                sleep(Duration::from_secs(20)).await;
                let core = chaos.liveness();
                let states =
                    || -> Vec<_> { core.outside().iter().map(world::Node::state).collect() };
                let before = states();
                sleep(Duration::from_secs(1)).await;
                for from in core.machines() {
                    for to in core.machines().iter().map(|to| to.name().to_owned()) {
                        from.spawn(async move {
                            let stream = TcpStream::connect((to, 80)).await;
                            stream.expect("the core is connected");
                        })
                        .await;
                    }
                }
                sleep(Duration::from_secs(300)).await;
                assert_eq!(states(), before, "what is outside has changed");
                let dead = before.iter().filter(|state| **state != NodeStatus::Running).count();
                (core.machines().len(), dead)
            })
            .unwrap();
        sizes.insert(size);
        dead_for_ever += dead;
    }
    assert_eq!(sizes, BTreeSet::from([3, 4, 5]));
    assert!(dead_for_ever > 20, "{dead_for_ever}");
}

#[test]
fn a_program_that_cannot_get_on_is_excused_by_its_own_rules() {
    Sim::new(7)
        .run(|| async {
            let nodes = world::nodes("kv", 3).idle();
            let core = Chaos::on(nodes).start().liveness();
            let waits = || Some("a copy of block 7".to_owned());
            let why = "the only copy is gone".to_owned();
            let excuse = why.clone();
            let answer = core.converge(Duration::from_secs(10), waits, || Err(excuse)).await;
            assert_eq!(answer, Ok(Convergence::Excused { why }));
        })
        .unwrap();
}
