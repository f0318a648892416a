//! A workload: machines, their programs, and who does them harm.

use std::io;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;

use futures_lite::future::try_zip;
use futures_lite::{AsyncReadExt as _, AsyncWriteExt as _};
use parcae::net::{Shutdown, TcpListener, TcpStream};
use parcae::time::Instant;
use parcae::time::{sleep, sleep_until, timeout};
use parcae::world::{
    self, ConnectionRow, FaultCounters, LinkFault, LinkOptions, Netstat, Node, NodeStatus, TcpState,
};
use parcae::{Task, spawn};

use super::super::contents::piece;
use super::board::{Board, End, Fates, State, direction};
use super::plan::{EndPlan, FaultKind, FaultPlan, Plan, StreamPlan};
use crate::runs::{OnDrop, millis, secs};

impl Plan {
    /// Runs it, and asserts what has to be true.
    pub(super) async fn run(self) -> (FaultCounters, Fates) {
        let plan = Rc::new(self);
        let board = Board::new(plan.streams.len());
        world::network().set_links(plan.links.clone());
        let nodes: Vec<Node> = world::nodes("n", plan.nodes).start({
            let (plan, board) = (plan.clone(), board.clone());
            move |_| serve(plan.clone(), board.clone())
        });
        let clients: Vec<Task<()>> = (0..plan.streams.len())
            .map(|number| {
                let stream = &plan.streams[number];
                let address = nodes[stream.to].addresses()[usize::from(stream.is_v6)];
                let client =
                    client(plan.clone(), board.clone(), number, SocketAddr::new(address, 80));
                nodes[stream.from].spawn(client)
            })
            .collect();
        let faults: Vec<Task<()>> = plan
            .faults
            .iter()
            .map(|fault| spawn(strike(fault.clone(), plan.clone(), nodes.clone(), board.clone())))
            .collect();
        // What links do lasts that long at the least.
        sleep(secs(15)).await;
        for fault in faults {
            fault.await;
        }
        stop(&plan, &nodes);
        // What the faults have left behind has arrived by then.
        sleep(secs(10)).await;
        let owed = open(&plan, &board, &nodes);
        sleep(patience(&plan)).await;
        deliver(&plan, &board, &owed);
        drop(clients);
        let fates = Fates { owed: owed.len() as u64, ..board.fates() };
        end(&nodes).await;
        (world::network().counters(), fates)
    }
}

/// Ends all faults. Links keep their bandwidth and the size of their packets.
fn stop(plan: &Plan, nodes: &[Node]) {
    let mut links = LinkOptions::lan().with_mtu(plan.links.mtu);
    links.bandwidth = plan.links.bandwidth;
    world::network().set_links(links);
    for node in nodes {
        node.resume();
        node.power_on();
    }
}

/// The streams that are open at both ends, as their kernels know, and whose ends want to hear all.
fn open(plan: &Plan, board: &Board, nodes: &[Node]) -> Vec<usize> {
    let rows: Vec<ConnectionRow> =
        nodes.iter().flat_map(|node| node.netstat().connections).collect();
    let is_open = |end: End| {
        let is_it = |row: &ConnectionRow| Some((row.local, row.remote)) == end.addresses;
        end.state == State::Open
            && rows.iter().any(|row| is_it(row) && row.state != TcpState::Closed)
    };
    let is_owed = |number: &usize| {
        let stays = plan.streams[*number].ends.iter().all(|end| end.leaves_after.is_none());
        stays && board.get(*number).into_iter().all(is_open)
    };
    (0..plan.streams.len()).filter(is_owed).collect()
}

/// Who waits for the longest time-out has heard of it after 120 s.
fn patience(plan: &Plan) -> Duration {
    let size: u64 = plan.streams.iter().flat_map(|stream| stream.ends).map(|end| end.total).sum();
    let transfer = plan.links.bandwidth.map_or(0, |bandwidth| 2 * size * 1000 / bandwidth);
    secs(150) + millis(transfer)
}

fn deliver(plan: &Plan, board: &Board, owed: &[usize]) {
    for &number in owed {
        let ends = board.get(number);
        for side in [0, 1] {
            let (total, end) = (plan.streams[number].ends[1 - side].total, ends[side]);
            assert!(
                end.read == total && end.is_ended,
                "stream {number} was open when the faults stopped, and {end:?} has not read {total}"
            );
        }
    }
}

/// All machines close what they have; a while later nothing is left of it.
async fn end(nodes: &[Node]) {
    for node in nodes {
        node.kill();
    }
    sleep(secs(300)).await;
    for one in nodes {
        let netstat = one.netstat();
        assert!(netstat == Netstat::default(), "{one:?} has left\n{netstat}");
        for other in nodes {
            let left = world::network().link(one.name(), other.name()).in_flight();
            assert!(left.is_empty(), "{one:?} -> {other:?}: {left:?}");
        }
    }
}

async fn serve(plan: Rc<Plan>, board: Board) {
    let listener = TcpListener::bind("[::]:80").await.unwrap();
    loop {
        let (mut stream, _) = listener.accept().await.unwrap();
        let (plan, board) = (plan.clone(), board.clone());
        spawn(async move {
            let mut number = [0; 2];
            if stream.read_exact(&mut number).await.is_ok() {
                let number = usize::from(u16::from_be_bytes(number));
                talk(&board, (number, 1), plan.streams[number].ends[1], &stream).await;
            }
        })
        .background();
    }
}

async fn client(plan: Rc<Plan>, board: Board, number: usize, address: SocketAddr) {
    let StreamPlan { starts_at, ends, .. } = plan.streams[number];
    sleep(starts_at).await;
    let opened = async {
        let mut stream = TcpStream::connect(address).await?;
        stream.write_all(&u16::try_from(number).unwrap().to_be_bytes()).await?;
        Ok(stream)
    };
    match opened.await {
        Ok(stream) => talk(&board, (number, 0), ends[0], &stream).await,
        Err(error) => board.change(number, 0, |end| end.state = failed(&error)),
    }
}

fn failed(error: &io::Error) -> State {
    State::Failed(super::super::code(error))
}

/// Does what an end has planned, and writes down what becomes of it.
async fn talk(board: &Board, (number, side): (usize, usize), plan: EndPlan, stream: &TcpStream) {
    stream.set_nodelay(plan.nodelay).unwrap();
    let addresses = stream.local_addr().ok().zip(stream.peer_addr().ok());
    board.change(number, side, |end| (end.state, end.addresses) = (State::Open, addresses));
    let book = board.clone();
    // Also when its machine dies.
    let _over = OnDrop(move || {
        book.change(number, side, |end| {
            if end.state == State::Open {
                end.state = State::Over;
            }
        });
    });
    let both = try_zip(
        say(board, (number, side), plan, stream),
        hear(board, (number, side), plan, stream),
    );
    let result = match plan.leaves_after {
        None => both.await.map(drop),
        Some(time) => timeout(time, both).await.unwrap_or(Ok(((), ()))).map(drop),
    };
    if let Err(error) = result {
        board.change(number, side, |end| end.state = failed(&error));
    }
}

async fn say(
    board: &Board,
    (number, side): (usize, usize),
    plan: EndPlan,
    mut stream: &TcpStream,
) -> io::Result<()> {
    let mut offset = 0;
    let mut is_silent = !plan.silence.is_zero();
    for turn in 0_u64.. {
        if offset == plan.total {
            break;
        }
        if is_silent && offset >= plan.total / 2 {
            is_silent = false;
            sleep(plan.silence).await;
        }
        rest(turn, plan).await;
        let most = (plan.total - offset).min(plan.write_most as u64);
        let piece = piece(direction(number, side), offset, usize::try_from(most).unwrap());
        let count = stream.write(piece).await?;
        board.wrote(number, side, count);
        offset += count as u64;
    }
    stream.shutdown(Shutdown::Write)?;
    board.change(number, side, |end| end.is_shut = true);
    Ok(())
}

async fn hear(
    board: &Board,
    (number, side): (usize, usize),
    plan: EndPlan,
    mut stream: &TcpStream,
) -> io::Result<()> {
    let mut buffer = vec![0; plan.read_most];
    for turn in 0_u64.. {
        rest(turn, plan).await;
        let count = stream.read(&mut buffer).await?;
        if count == 0 {
            board.ended(number, side);
            break;
        }
        board.read(number, side, &buffer[..count]);
    }
    Ok(())
}

/// Waits a little before some calls.
async fn rest(turn: u64, plan: EndPlan) {
    if turn % 8 == 7 && turn < 400 && !plan.pause.is_zero() {
        sleep(plan.pause).await;
    }
}

/// Lets a fault begin, last and end.
async fn strike(fault: FaultPlan, plan: Rc<Plan>, nodes: Vec<Node>, board: Board) {
    sleep(fault.at).await;
    let (one, other) = (&nodes[fault.one], &nodes[fault.other]);
    let until = Instant::now() + fault.lasts;
    let guard: Option<LinkFault> = match fault.kind {
        FaultKind::Partition => Some(world::partition(one, other)),
        FaultKind::OneWay => Some(world::partition(one, other).one_way()),
        FaultKind::Isolate => Some(world::isolate(one)),
        FaultKind::Hold => Some(world::hold(one, other)),
        FaultKind::Clog => Some(world::clog(one, other, fault.lasts)),
        FaultKind::Flap => Some(world::flap(one, other, millis(300), millis(400))),
        FaultKind::Reset => {
            world::reset(one, other);
            None
        }
        FaultKind::Kill => {
            one.kill();
            None
        }
        FaultKind::PowerOff => {
            let of_node = |side: &StreamPlan| [side.from == fault.one, side.to == fault.one];
            let ends = plan.streams.iter().enumerate().flat_map(|(number, stream)| {
                (0..2).filter(move |side| of_node(stream)[*side]).map(move |side| (number, side))
            });
            board.silence(ends);
            one.power_off();
            None
        }
        FaultKind::Pause => {
            one.pause();
            None
        }
        FaultKind::Restart => {
            one.restart();
            None
        }
    };
    let facts = || (one.state(), one.incarnation(), world::network().counters().reset);
    let (before, sent) = (facts(), sent_by(one, &nodes));
    sleep_until(until).await;
    // Unless somebody has powered it on meanwhile, or a box on the way has spoken in its name.
    if before.0 == NodeStatus::Off && facts() == before {
        assert_eq!(sent_by(one, &nodes), sent, "{one:?} sends without power");
    }
    drop(guard);
    one.power_on();
    one.resume();
}

/// How many packets a machine has sent to others.
fn sent_by(one: &Node, nodes: &[Node]) -> u64 {
    let others = nodes.iter().filter(|other| *other != one);
    others.map(|other| world::network().link(one.name(), other.name()).counters().sent).sum()
}
