//! That a program survives what it promises to survive, and does not survive more.

use std::collections::BTreeSet;
use std::time::Duration;

use futures_lite::{AsyncReadExt as _, AsyncWriteExt as _};
use parcae::explore::Check;
use parcae::fault::{Budget, Chaos, FaultKind, Nemesis};
use parcae::net::{TcpListener, TcpStream};
use parcae::time::{sleep, timeout};
use parcae::world;

/// Answers each request with its square, whoever asks and how often.
async fn serve() {
    let listener = TcpListener::bind("0.0.0.0:80").await.unwrap();
    loop {
        let Ok((mut stream, _)) = listener.accept().await else { continue };
        parcae::spawn(async move {
            let mut bytes = [0; 4];
            while stream.read_exact(&mut bytes).await.is_ok() {
                let number = u32::from_be_bytes(bytes);
                if stream.write_all(&(number * number).to_be_bytes()).await.is_err() {
                    break;
                }
            }
        })
        .background();
    }
}

async fn ask(server: usize, number: u32) -> std::io::Result<u32> {
    let mut stream = TcpStream::connect((format!("kv-{server}"), 80)).await?;
    stream.write_all(&number.to_be_bytes()).await?;
    let mut bytes = [0; 4];
    stream.read_exact(&mut bytes).await?;
    Ok(u32::from_be_bytes(bytes))
}

/// Asks one server after the other until one answers; gives after how many attempts.
async fn ask_any(number: u32) -> usize {
    for attempt in 0.. {
        let answer = timeout(Duration::from_secs(1), ask(1 + attempt % 3, number)).await;
        if let Ok(Ok(answer)) = answer {
            assert_eq!(answer, number * number, "a wrong answer");
            return attempt;
        }
        assert!(attempt < 60, "nobody answers");
        sleep(Duration::from_millis(100)).await;
    }
    unreachable!("the loop has no end")
}

/// Keeps a stream to a server, with a request now and then; and another one when it has ended.
async fn watch(server: usize) {
    loop {
        let mut stream = TcpStream::connect((format!("kv-{server}"), 80)).await.ok();
        while let Some(open) = &mut stream {
            let mut bytes = 7_u32.to_be_bytes();
            let answer = async {
                open.write_all(&bytes).await?;
                open.read_exact(&mut bytes).await
            };
            match timeout(Duration::from_secs(2), answer).await {
                Ok(Ok(())) => assert_eq!(u32::from_be_bytes(bytes), 49, "a wrong answer"),
                _ => stream = None,
            }
            sleep(Duration::from_millis(100)).await;
        }
        sleep(Duration::from_millis(100)).await;
    }
}

/// Has a client on a fourth machine ask a hundred times, under a chaos that may meet it too.
async fn work(budget: Budget, nemesis: Nemesis) {
    let mut nodes = world::nodes("kv", 3).start(|_| serve());
    let client = world::node("client").start(std::future::pending::<()>);
    nodes.push(client.clone());
    let chaos = Chaos::on(nodes).nemesis(nemesis).budget(budget.spare("client")).start();
    let requests = async {
        let watches = (1..=3).map(|server| parcae::spawn(watch(server))).collect::<Vec<_>>();
        for number in 0..100 {
            ask_any(number).await;
            sleep(Duration::from_millis(300)).await;
        }
        drop(watches);
    };
    client.spawn(requests).await;
    drop(chaos);
}

#[test]
fn each_nemesis_is_harmless_within_the_budget_for_who_asks_another_one() {
    let of_actors = Nemesis::of_actors();
    let mut met = BTreeSet::new();
    for nemesis in Nemesis::all().into_iter().filter(|nemesis| !of_actors.contains(nemesis)) {
        let name = nemesis.name();
        let report = Check::new(name).seeds(20).run(move || {
            let nemesis = nemesis.clone();
            work(Budget::max_dead(1), nemesis)
        });
        assert!(report.finding().is_none(), "{name}: {:?}", report.finding().unwrap().failure());
        met.extend(report.faults().iter().filter(|it| it.fired > 0).map(|it| it.kind));
    }
    let of_machines = FaultKind::ALL.into_iter().filter(|kind| !kind.is_of_actors());
    assert_eq!(met, of_machines.collect(), "all of them have had an effect");
}

#[test]
fn who_asks_one_server_only_is_found_out_by_crashes() {
    let report = Check::new("one server").seeds(200).run(|| async {
        let nodes = world::nodes("kv", 3).start(|_| serve());
        let chaos = Chaos::on(nodes).nemesis(Nemesis::crashes()).start();
        for number in 0..30 {
            let answer = timeout(Duration::from_secs(1), ask(1, number)).await;
            assert!(matches!(answer, Ok(Ok(_))), "no answer");
            sleep(Duration::from_millis(500)).await;
        }
        drop(chaos);
    });
    assert!(report.finding().is_some());
}

#[test]
fn without_a_budget_all_die_at_once() {
    let forever = Duration::from_secs(100)..=Duration::from_secs(200);
    let report = Check::new("no budget").seeds(20).run(move || {
        let nemesis = Nemesis::crashes().every(Duration::from_secs(2)).lasting(forever.clone());
        work(Budget::unlimited(), nemesis)
    });
    let failure = report.finding().expect("all three die").failure().to_string();
    assert!(failure.contains("nobody answers"), "{failure}");
}
