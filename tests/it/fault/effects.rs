//! What a program sees of each kind of fault: bytes, order, time, loss.

use std::io::ErrorKind;
use std::ops::RangeInclusive;
use std::rc::Rc;
use std::time::Duration;

use futures_lite::{AsyncReadExt as _, AsyncWriteExt as _};
use parcae::Sim;
use parcae::explore::Strategy;
use parcae::fault::{Between, Chaos, Fault, FaultKind, FaultPlan};
use parcae::kernel::Ratio;
use parcae::net::{TcpListener, TcpStream, UdpSocket};
use parcae::task::burn;
use parcae::time::{Instant, SystemTime, sleep, timeout};
use parcae::world::{self, Latency, LinkOptions, Node, TimeStep};

use crate::runs::{Journal, millis};

/// What is seen hardly depends on the schedule.
const SEEDS: u64 = 40;

/// What came of one datagram: when it was sent and came back, in milliseconds, and its two bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Echo {
    sent: u64,
    back: u64,
    number: u16,
}

/// The fault begins after a second, lasts for one, and the program runs for three.
const FAULT: RangeInclusive<u64> = 1000..=2000;
const END: u64 = 3000;

/// Has `a` send a numbered datagram to `b` every 10 ms, each with the time, and notes what comes back.
fn echoes(fault: impl Fn() -> Fault + 'static) -> impl Fn(u64) -> (Vec<Echo>, u64) {
    let fault = Rc::new(fault);
    move |seed| {
        let fault = fault.clone();
        let strategy = if seed == 0 { Strategy::Fifo } else { Strategy::Random };
        let sim = Sim::builder().seed(seed).strategy(strategy).build().unwrap();
        sim.run(move || run_echoes(fault())).unwrap()
    }
}

/// Latencies as they usually are: what is seen is what the fault does.
fn set_usual_links() {
    let latency = Latency::uniform(Duration::from_micros(50), millis(1));
    world::network().set_links(LinkOptions::lan().with_latency(latency));
}

async fn run_echoes(fault: Fault) -> (Vec<Echo>, u64) {
    set_usual_links();
    let start = Instant::now();
    let kind = fault.kind();
    let b = world::node("b").start(|| async {
        let socket = UdpSocket::bind("0.0.0.0:7").await.unwrap();
        let mut bytes = [0; 64];
        loop {
            let (length, from) = socket.recv_from(&mut bytes).await.unwrap();
            socket.send_to(&bytes[..length], from).await.unwrap();
        }
    });
    let journal = Journal::new();
    let seen = journal.clone();
    let a = world::node("a").start(move || send_and_note(start, seen.clone()));
    let plan = FaultPlan::new().step(millis(*FAULT.start()), millis(1000), fault);
    let chaos = Chaos::on([a, b]).plan(plan).start();
    sleep(millis(END)).await;
    let report = chaos.end();
    let count = report.kinds.iter().find(|count| count.kind == kind).unwrap();
    assert_eq!((count.planned, count.begun), (1, 1));
    (journal.take(), count.fired)
}

async fn send_and_note(start: Instant, seen: Journal<Echo>) {
    let socket = Rc::new(UdpSocket::bind("0.0.0.0:0").await.unwrap());
    let sender = socket.clone();
    let sends = parcae::spawn(async move {
        for number in 0_u16.. {
            let sent = u32::try_from(start.elapsed().as_millis()).unwrap();
            let mut bytes = number.to_be_bytes().to_vec();
            bytes.extend(sent.to_be_bytes());
            // Refused while the other machine is down.
            drop(sender.send_to(&bytes, "b:7").await);
            sleep(millis(10)).await;
        }
    });
    let mut bytes = [0; 64];
    loop {
        let Ok((6, _)) = socket.recv_from(&mut bytes).await else { continue };
        let number = u16::from_be_bytes([bytes[0], bytes[1]]);
        let sent = u32::from_be_bytes([bytes[2], bytes[3], bytes[4], bytes[5]]).into();
        let back = start.elapsed().as_millis().try_into().unwrap();
        seen.add(Echo { sent, back, number });
        if back > END {
            break;
        }
    }
    drop(sends);
}

fn is_within(time: u64, range: RangeInclusive<u64>) -> bool {
    range.contains(&time)
}

/// Calls `check` with what was seen under `Fifo` and many seeds; gives how many seeds it holds for.
fn seeds_where(fault: impl Fn() -> Fault + 'static, check: impl Fn(&[Echo], u64) -> bool) -> usize {
    let run = echoes(fault);
    (0..=SEEDS)
        .filter(|seed| {
            let (seen, fired) = run(*seed);
            assert!(seen.iter().filter(|echo| echo.sent < 950).count() >= 90, "seed {seed}");
            check(&seen, fired)
        })
        .count()
}

/// `Fifo` is one more.
const ALL_SEEDS: usize = 41;

#[test]
fn a_cut_loses_what_is_sent_while_it_lasts_and_nothing_else() {
    let cut = || Fault::Cut(Between::new(["a"], ["b"]));
    let seeds = seeds_where(cut, |seen, fired| {
        let during = seen.iter().filter(|echo| is_within(echo.sent, 1001..=1998)).count();
        let after = seen.iter().filter(|echo| is_within(echo.sent, 2001..=2900)).count();
        during == 0 && after >= 85 && fired >= 95
    });
    assert_eq!(seeds, ALL_SEEDS);
}

#[test]
fn a_cut_one_way_loses_the_answers_only() {
    // `b` still gets what `a` sends; nothing comes back.
    let cut = || Fault::Cut(Between::new(["b"], ["a"]).one_way());
    let seeds = seeds_where(cut, |seen, fired| {
        seen.iter().all(|echo| !is_within(echo.sent, 1001..=1990)) && fired >= 95
    });
    assert_eq!(seeds, ALL_SEEDS);
}

#[test]
fn a_clog_delivers_what_is_sent_when_it_ends() {
    let clog = || Fault::Clog(Between::new(["a"], ["b"]));
    let seeds = seeds_where(clog, |seen, fired| {
        let during: Vec<_> = seen.iter().filter(|echo| is_within(echo.sent, 1001..=1995)).collect();
        during.len() >= 95 && during.iter().all(|echo| echo.back >= 2000) && fired >= 95
    });
    assert_eq!(seeds, ALL_SEEDS);
}

#[test]
fn a_flap_loses_in_turns() {
    let between = || Between::new(["a"], ["b"]);
    let flap = move || Fault::Flap { between: between(), up: millis(100), down: millis(100) };
    let seeds = seeds_where(flap, |seen, fired| {
        let came = |from: u64| seen.iter().any(|echo| is_within(echo.sent, from + 20..=from + 90));
        let is_turn = |turn: u64| came(1000 + 200 * turn) && !came(1100 + 200 * turn);
        (0..5).all(is_turn) && fired >= 40
    });
    assert_eq!(seeds, ALL_SEEDS);
}

#[test]
fn a_share_of_the_packets_is_lost() {
    let loss = || Fault::Loss(Between::new(["a"], ["b"]), Ratio::percent(30));
    let seeds = seeds_where(loss, |seen, fired| {
        let during = seen.iter().filter(|echo| is_within(echo.sent, 1000..=2000)).count();
        // Half of them come back on average: there is a way back too.
        (25..=75).contains(&during) && fired >= 25
    });
    assert_eq!(seeds, ALL_SEEDS);
}

#[test]
fn a_share_of_the_packets_comes_twice() {
    let twice = || Fault::Duplication(Between::new(["a"], ["b"]), Ratio::percent(30));
    let seeds = seeds_where(twice, |seen, fired| {
        let mut numbers: Vec<_> = seen.iter().map(|echo| echo.number).collect();
        numbers.sort_unstable();
        let doubles = numbers.windows(2).filter(|pair| pair[0] == pair[1]).count();
        doubles >= 25 && fired >= 25
    });
    assert_eq!(seeds, ALL_SEEDS);
}

#[test]
fn packets_overtake_each_other() {
    let late = || Fault::Reordering(Between::new(["a"], ["b"]), Ratio::percent(30));
    // Each is held up by a millisecond at most, and they are sent 10 ms apart: none is overtaken.
    assert_eq!(seeds_where(late, |seen, _| !seen.is_sorted_by_key(|echo| echo.number)), 0);
    // What is sent at once is.
    let overtaken = (0..=SEEDS)
        .filter(|seed| {
            let numbers = Sim::new(*seed).run(burst).unwrap();
            !numbers.is_sorted()
        })
        .count();
    assert!(overtaken >= 30, "{overtaken}");
}

/// Sends twenty datagrams at once over links of one latency, and gives in what order they came.
async fn burst() -> Vec<u8> {
    let options = LinkOptions::lan().with_latency(Latency::constant(millis(1)));
    world::network().set_links(options);
    let journal = Journal::new();
    let seen = journal.clone();
    let b = world::node("b").start(move || {
        let seen = seen.clone();
        async move {
            let socket = UdpSocket::bind("0.0.0.0:7").await.unwrap();
            let mut byte = [0];
            while socket.recv_from(&mut byte).await.is_ok() {
                seen.add(byte[0]);
            }
        }
    });
    let a = world::node("a").idle();
    let fault = Fault::Reordering(Between::new(["a"], ["b"]), Ratio::percent(30));
    let plan = FaultPlan::new().step(Duration::ZERO, Duration::from_secs(1), fault);
    let chaos = Chaos::on([a.clone(), b]).plan(plan).start();
    sleep(millis(10)).await;
    let send = async {
        let socket = UdpSocket::bind("0.0.0.0:0").await.unwrap();
        for number in 0..20 {
            socket.send_to(&[number], "b:7").await.unwrap();
        }
        sleep(millis(100)).await;
    };
    a.restart();
    a.spawn(send).await;
    drop(chaos);
    journal.take()
}

#[test]
fn a_bit_is_turned_over() {
    let corruption = || Fault::Corruption(Between::new(["a"], ["b"]), Ratio::percent(30));
    let seeds = seeds_where(corruption, |seen, fired| {
        // A number or a time that nobody sent together.
        let wrong = seen.iter().filter(|echo| u64::from(echo.number) * 10 > echo.sent + 60);
        let wrong = wrong.count() + seen.iter().filter(|echo| echo.sent > END).count();
        wrong > 0 && fired > 0
    });
    assert!(seeds > ALL_SEEDS / 2, "{seeds}");
}

#[test]
fn a_far_machine_takes_longer() {
    let far = || Fault::Latency(Between::new(["a"], ["b"]), Latency::constant(millis(200)));
    let seeds = seeds_where(far, |seen, fired| {
        let during: Vec<_> = seen.iter().filter(|echo| is_within(echo.sent, 1001..=1700)).collect();
        let is_far = |echo: &&&Echo| is_within(echo.back - echo.sent, 399..=401);
        during.iter().filter(is_far).count() == during.len() && during.len() > 60 && fired > 0
    });
    assert_eq!(seeds, ALL_SEEDS);
}

#[test]
fn a_frozen_machine_answers_late() {
    let seeds = seeds_where(
        || Fault::Pause("b".into()),
        |seen, fired| {
            let during = seen.iter().filter(|echo| is_within(echo.sent, 1001..=1990));
            let during: Vec<_> = during.collect();
            // Its kernel has kept them.
            during.len() >= 95 && during.iter().all(|echo| echo.back >= 2000) && fired == 1
        },
    );
    assert_eq!(seeds, ALL_SEEDS);
}

#[test]
fn a_killed_machine_loses_what_comes_and_is_there_again_afterwards() {
    for fault in [Fault::Kill("b".into()), Fault::PowerOff("b".into())] {
        let seeds = seeds_where(
            move || fault.clone(),
            |seen, fired| {
                let during = seen.iter().filter(|echo| is_within(echo.sent, 1001..=1990)).count();
                let after = seen.iter().filter(|echo| is_within(echo.sent, 2010..=2900)).count();
                during == 0 && after >= 80 && fired == 1
            },
        );
        assert_eq!(seeds, ALL_SEEDS);
    }
}

/// Runs a program on the machine `a` beside a fault that begins after a second and lasts for one.
fn on_machine<T, F>(seed: u64, fault: Fault, program: impl Fn() -> F + 'static) -> (T, u64)
where
    T: 'static,
    F: Future<Output = T> + 'static,
{
    let outcome = Sim::new(seed).run(move || async move {
        set_usual_links();
        let a = world::node("a").start(std::future::pending::<()>);
        let b = world::node("b").start(serve_streams);
        let kind = fault.kind();
        let plan = FaultPlan::new().step(millis(1000), millis(1000), fault);
        let chaos = Chaos::on([a.clone(), b]).plan(plan).start();
        let result = a.spawn(program()).await;
        let fired = |kind: FaultKind| {
            let report = chaos.report();
            report.kinds.into_iter().find(|count| count.kind == kind).unwrap().fired
        };
        (result, fired(kind))
    });
    outcome.unwrap()
}

/// Says hello to each stream, and keeps it.
async fn serve_streams() {
    let listener = TcpListener::bind("0.0.0.0:80").await.unwrap();
    let mut streams = Vec::new();
    loop {
        let (mut stream, _) = listener.accept().await.unwrap();
        stream.write_all(b"hello").await.unwrap();
        streams.push(stream);
    }
}

/// Connects, reads the hello, and gives how the next read ends, if it does within ten minutes, and when.
async fn read_to_the_end() -> (Option<Result<usize, ErrorKind>>, u64) {
    let start = Instant::now();
    let mut stream = TcpStream::connect("b:80").await.unwrap();
    let mut bytes = [0; 5];
    stream.read_exact(&mut bytes).await.unwrap();
    assert_eq!(&bytes, b"hello");
    let end = timeout(Duration::from_secs(600), stream.read(&mut bytes)).await.ok();
    let end = end.map(|end| end.map_err(|error| error.kind()));
    (end, start.elapsed().as_millis().try_into().unwrap())
}

#[test]
fn a_reset_ends_the_streams_of_both() {
    for seed in 0..SEEDS {
        let fault = Fault::Reset(Between::new(["a"], ["b"]));
        let (seen, fired) = on_machine(seed, fault, read_to_the_end);
        assert_eq!((seen, fired), ((Some(Err(ErrorKind::ConnectionReset)), 1000), 1));
    }
}

#[test]
fn a_kill_is_told_to_the_peer_at_once_and_a_loss_of_power_never() {
    for seed in 0..SEEDS {
        let (seen, fired) = on_machine(seed, Fault::Kill("b".into()), read_to_the_end);
        let (end, at) = seen;
        assert_eq!((end, fired), (Some(Ok(0)), 1));
        assert!((1000..=1002).contains(&at), "{at}");
        let (seen, fired) = on_machine(seed, Fault::PowerOff("b".into()), read_to_the_end);
        assert_eq!((seen.0, fired), (None, 1), "who only reads never finds out");
    }
}

#[test]
fn a_slow_machine_takes_longer_for_its_work() {
    for seed in 0..SEEDS {
        let work = || async {
            sleep(millis(1100)).await;
            let start = Instant::now();
            burn(millis(10)).await;
            start.elapsed()
        };
        let (took, fired) = on_machine(seed, Fault::Slow("a".into(), 8), work);
        assert!(took >= millis(80), "{took:?}");
        assert_eq!(fired, 1);
    }
}

#[test]
fn a_wall_clock_jumps_and_the_monotonic_one_does_not() {
    for (step, expected) in [
        (TimeStep::Forward(Duration::from_secs(3600)), 3601),
        (TimeStep::Back(Duration::from_secs(3600)), -3599),
    ] {
        let look = || async {
            sleep(millis(500)).await;
            let (wall, monotonic) = (SystemTime::now(), Instant::now());
            sleep(millis(1000)).await;
            assert_eq!(monotonic.elapsed(), millis(1000));
            let now = SystemTime::now();
            let forward = now.duration_since(wall).map(|by| by.as_secs().cast_signed());
            forward.unwrap_or_else(|| -wall.duration_since(now).unwrap().as_secs().cast_signed())
        };
        let fault = Fault::ClockStep("a".into(), step);
        assert_eq!(on_machine(7, fault, look), (expected, 1));
    }
}

#[test]
fn a_clock_that_drifts_makes_timers_early_or_late() {
    for (rate, expected) in [(50_000, 950), (-50_000, 1050)] {
        let look = || async {
            sleep(millis(500)).await;
            // The time of the test's own machine, which has no fault.
            let test = Node::find("test").unwrap();
            let start = test.spawn(async { Instant::now() }).await;
            sleep(millis(1500)).await;
            let end = test.spawn(async { Instant::now() }).await;
            end.duration_since(start)
        };
        let fault = Fault::ClockDrift("a".into(), rate);
        let (took, fired) = on_machine(7, fault, look);
        // Half a second as it should be, then a second that is too short or too long.
        let expected = millis(500 + expected);
        let off = took.abs_diff(expected);
        assert!(off < millis(5), "{took:?}, not {expected:?}");
        assert_eq!(fired, 1);
    }
}
