//! Random programs over random links: what is read is what was written, and all of it comes to an
//! end.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::rc::Rc;

use super::super::{KeepAlive, Linger, Path, Shutdown, TcpState, Tuning};
use super::wire::{Client, Fate, MILLISECOND, SECOND, Server, Side, Wire};
use crate::kernel::{Key, Seed, Site, StreamId, prf};

/// Numbers that follow from a seed.
struct Random {
    seed: Seed,
    stream: StreamId,
    count: u64,
}

impl Random {
    fn new(seed: u64, name: &str) -> Self {
        Self { seed: Seed::new(seed), stream: StreamId::ROOT.child(name, 0), count: 0 }
    }

    /// Below `bound`, which is not zero.
    fn below(&mut self, bound: u64) -> u64 {
        self.count += 1;
        prf(self.seed, Key::new(self.stream, Site::new("number"), self.count)) % bound
    }

    fn chance(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    /// Up to `most`, each order of magnitude as often.
    fn size(&mut self, most: u64) -> u64 {
        let bits = u64::from(64 - most.leading_zeros());
        let bound = 1 << (self.below(bits) + 1);
        self.below(bound).min(most)
    }
}

/// What the link does: percentages.
#[derive(Clone, Copy, Default)]
struct Faults {
    loss: u64,
    twice: u64,
    late: u64,
    late_nanos: u64,
    is_cut: bool,
}

/// What the program of one end is going to do.
struct Plan {
    side: Side,
    total: u64,
    write_most: u64,
    read_most: u64,
    /// How likely it acts when it could, in percent.
    pace: u64,
}

struct World {
    wire: Wire,
    random: Random,
    faults: Rc<Cell<Faults>>,
    plans: [Plan; 2],
    log: String,
}

impl World {
    fn new(seed: u64) -> Self {
        let mut random = Random::new(seed, "world");
        let latency =
            [1, 50_000, MILLISECOND, 10 * MILLISECOND, 50 * MILLISECOND, 300 * MILLISECOND]
                [usize::try_from(random.below(6)).unwrap()];
        let mut wire = Wire::new(latency);
        let mss = [536, 1460, 1460, 8960][usize::try_from(random.below(4)).unwrap()];
        let burst = if random.chance(25) { 65_536 } else { u32::from(mss) };
        wire.path = Path { mss, burst, ..wire.path };
        let mut most = u64::MAX;
        for side in [Client, Server] {
            let tuning = &mut wire.end_mut(side).tuning;
            tuning.nodelay = random.chance(50);
            if random.chance(25) {
                tuning.receive_buffer = 2304 + u32::try_from(random.size(20_000)).unwrap();
                tuning.send_buffer = 4608 + u32::try_from(random.size(20_000)).unwrap();
                most = 20_000;
            }
            if random.chance(10) {
                tuning.keepalive = Some(KeepAlive { idle: 30 * SECOND, ..Default::default() });
            }
        }
        let faults = Rc::new(Cell::new(Faults::default()));
        let (link, mut dice) = (faults.clone(), Random::new(seed, "link"));
        wire.script(move |_, _, _| {
            let faults = link.get();
            if faults.is_cut || dice.chance(faults.loss) {
                return Fate::Lose;
            }
            if dice.chance(faults.twice) {
                return Fate::Twice(dice.size(100 * SECOND));
            }
            if dice.chance(faults.late) {
                return Fate::Delay(dice.below(faults.late_nanos + 1));
            }
            Fate::Pass
        });
        let totals = [Client, Server]
            .map(|_| if random.chance(20) { 0 } else { random.size(200_000.min(most)) });
        // Not more than some hundred calls for all of it.
        let least = 1 + totals[0].max(totals[1]) / 300;
        let plans = [Client, Server].map(|side| Plan {
            side,
            total: totals[side as usize],
            write_most: least + random.size(100_000),
            read_most: least + random.size(100_000),
            pace: 5 + random.below(96),
        });
        Self { wire, random, faults, plans, log: format!("seed {seed}, latency {latency}") }
    }

    fn draw_faults(&mut self) {
        let random = &mut self.random;
        let mut draw = |most| if random.chance(50) { random.below(most) } else { 0 };
        let faults = Faults {
            loss: draw(31),
            twice: draw(31),
            late: draw(31),
            late_nanos: draw(6) * self.wire.latency,
            is_cut: draw(12) == 11,
        };
        self.faults.set(faults);
    }

    /// Lets one program do a little. Returns whether it did anything.
    fn act(&mut self, index: usize) -> bool {
        let plan = &self.plans[index];
        let side = plan.side;
        if self.wire.end(side).machine.is_none() || self.wire.state(side).is_opening() {
            return false;
        }
        let (write, read) =
            (self.random.size(plan.write_most) + 1, self.random.size(plan.read_most));
        let written = self.wire.end(side).written;
        let mut has_acted = self.wire.read(side, usize::try_from(read + 1).unwrap()) > 0;
        let left = plan.total.saturating_sub(written);
        if left > 0 {
            let count = usize::try_from(write.min(left)).unwrap();
            has_acted |= self.wire.write(side, count) > 0;
        } else if matches!(self.wire.state(side), TcpState::Established | TcpState::CloseWait) {
            self.wire.shutdown(side, Shutdown::Write).unwrap();
            has_acted = true;
        }
        self.check_memory();
        has_acted
    }

    /// What was written and not read is in one of two buffers.
    fn check_memory(&self) {
        for side in [Client, Server] {
            let (Tuning { send_buffer, .. }, Tuning { receive_buffer, .. }) =
                (self.wire.end(side).tuning, self.wire.end(side.other()).tuning);
            if self.wire.end(side.other()).machine.is_some() {
                let kept = self.wire.end(side).written - self.wire.end(side.other()).read;
                assert!(kept <= u64::from(send_buffer + receive_buffer), "{}", self.log);
            }
        }
    }

    /// Programs act and time passes until this time, or until nothing happens any more.
    fn run_until(&mut self, until: u64) {
        let mut steps = 0;
        while self.wire.now < until {
            steps += 1;
            assert!(steps < 200_000, "{}: it does not end", self.log);
            let mut has_acted = false;
            for index in 0..2 {
                if self.random.below(100) < self.plans[index].pace {
                    has_acted |= self.act(index);
                }
            }
            match self.wire.next_at() {
                Some(at) if at <= until => drop(self.wire.step()),
                // Slow programs get their turn before time passes with nothing to do.
                _ if has_acted || self.act(0) | self.act(1) => {}
                Some(_) => self.wire.now = until,
                None => return,
            }
        }
    }

    fn is_complete(&self) -> bool {
        [Client, Server].iter().zip(&self.plans).all(|(&side, plan)| {
            self.wire.end(side.other()).read == plan.total
                && matches!(self.wire.state(side), TcpState::Closed | TcpState::TimeWait)
        })
    }

    /// Both programs close; after a while nothing is left of either end.
    fn close_both(&mut self) {
        for side in [Client, Server] {
            if self.wire.end(side).machine.is_some() {
                self.wire.close(side, Linger::Background);
            }
        }
        self.wire.run_until(self.wire.now + 2000 * SECOND);
        for side in [Client, Server] {
            self.wire.expire(side);
            let is_gone = self.wire.end(side).machine.is_none();
            assert!(is_gone, "{}: {side:?} is left in {:?}", self.log, self.wire.state(side));
        }
        assert_eq!(self.wire.next_at(), None, "{}", self.log);
    }
}

/// Faults while they talk, and then none: all that was written comes, and both ends.
fn all_comes(seed: u64) -> BTreeSet<(TcpState, TcpState)> {
    let mut world = World::new(seed);
    world.wire.connect(Client);
    world.wire.run_until(10 * SECOND);
    assert_eq!(world.wire.state(Server), TcpState::Established);
    for _ in 0..world.random.below(8) {
        world.draw_faults();
        let period = if world.random.chance(20) { 100 * SECOND } else { SECOND };
        let until = world.wire.now + world.random.below(period);
        world.run_until(until);
    }
    world.faults.set(Faults::default());
    // A timer of two minutes, then small windows over a long way.
    let end = world.wire.now + 300 * SECOND;
    while !world.is_complete() && world.wire.now < end {
        let until = (world.wire.now + 5 * SECOND).min(end);
        world.run_until(until);
        if world.wire.next_at().is_none() && !(world.act(0) | world.act(1)) {
            break;
        }
    }
    assert!(
        world.is_complete(),
        "{}: at {} {:?} {:?}, of {} and {} have come {} and {}",
        world.log,
        world.wire.now,
        world.wire.state(Client),
        world.wire.state(Server),
        world.plans[0].total,
        world.plans[1].total,
        world.wire.end(Server).read,
        world.wire.end(Client).read,
    );
    for side in [Client, Server] {
        assert_eq!(world.wire.try_read(side), Some(Ok(0)), "{}", world.log);
        assert_eq!(world.wire.machine(side).unsettled(), 0, "{}", world.log);
    }
    world.close_both();
    world.wire.transitions
}

/// Faults from the first segment on, and programs that leave in the middle: no more than what was
/// written comes, and nothing is left.
fn all_ends(seed: u64) -> BTreeSet<(TcpState, TcpState)> {
    let mut world = World::new(seed);
    world.draw_faults();
    world.wire.is_listening = world.random.chance(90);
    world.wire.connect(Client);
    if world.random.chance(20) {
        world.wire.connect(Server);
    }
    for _ in 0..world.random.below(8) {
        let until = world.wire.now + world.random.size(20 * SECOND);
        world.run_until(until);
        world.draw_faults();
        let side = if world.random.chance(50) { Client } else { Server };
        let fate = world.random.below(24);
        if world.wire.end(side).machine.is_none() {
            continue;
        }
        // What is closed is not written to any more.
        match fate {
            0 => drop_end(&mut world, side, Some(Linger::Background)),
            1 => drop_end(&mut world, side, Some(Linger::Reset)),
            2 => drop_end(&mut world, side, None),
            3 => drop(world.wire.shutdown(side, Shutdown::Both)),
            _ => {}
        }
    }
    if world.random.chance(70) {
        world.faults.set(Faults::default());
    }
    let until = world.wire.now + 200 * SECOND;
    world.run_until(until);
    world.close_both();
    world.wire.transitions
}

/// The program closes its socket, or its machine loses power.
fn drop_end(world: &mut World, side: Side, linger: Option<Linger>) {
    let index = side as usize;
    // From here on it does not act.
    world.plans[index].pace = 0;
    world.plans[index].total = 0;
    match linger {
        Some(linger) => drop(world.wire.close(side, linger)),
        None => world.wire.end_mut(side).machine = None,
    }
}

#[cfg(debug_assertions)]
const SEEDS: u64 = 200;

#[cfg(not(debug_assertions))]
const SEEDS: u64 = 20_000;

#[test]
fn all_that_was_written_comes_when_the_faults_stop() {
    for seed in 0..SEEDS {
        all_comes(seed);
    }
}

#[test]
fn whatever_happens_both_ends_end() {
    for seed in 0..SEEDS {
        all_ends(seed);
    }
}

#[test]
fn every_arrow_between_states_is_taken() {
    use TcpState::{
        CloseWait, Closed, Closing, Established, FinWait1, FinWait2, LastAck, SynReceived, SynSent,
        TimeWait,
    };
    let arrows = [
        (Closed, SynSent),
        (Closed, SynReceived),
        (SynSent, Established),
        (SynSent, SynReceived),
        (SynSent, Closed),
        (SynReceived, Established),
        (SynReceived, Closed),
        (Established, FinWait1),
        (Established, CloseWait),
        (Established, Closed),
        (FinWait1, FinWait2),
        (FinWait1, Closing),
        (FinWait1, TimeWait),
        (FinWait1, Closed),
        (FinWait2, TimeWait),
        (FinWait2, Closed),
        (CloseWait, LastAck),
        (CloseWait, Closed),
        (Closing, TimeWait),
        (LastAck, Closed),
        (TimeWait, Closed),
    ];
    let mut taken = BTreeSet::new();
    for seed in 0..500 {
        taken.extend(all_comes(seed));
        taken.extend(all_ends(seed));
    }
    for arrow in arrows {
        assert!(taken.contains(&arrow), "{arrow:?} is never taken");
    }
    let backwards = taken.iter().filter(|(from, _)| *from == TimeWait);
    assert!(backwards.clone().all(|(_, to)| *to == Closed), "{taken:?}");
}
