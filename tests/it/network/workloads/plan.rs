//! What a workload is going to do: streams, links and faults, chosen before it begins.

use std::time::Duration;

use parcae::choose;
use parcae::kernel::Ratio;
use parcae::world::{Latency, LinkOptions, Overflow};

use super::super::contents::PIECE_MAX;
use crate::runs::millis;

#[derive(Clone, Debug)]
pub(super) struct Plan {
    pub(super) nodes: usize,
    pub(super) links: LinkOptions,
    pub(super) streams: Vec<StreamPlan>,
    pub(super) faults: Vec<FaultPlan>,
}

/// A stream from one machine to another, perhaps itself.
#[derive(Clone, Debug)]
pub(super) struct StreamPlan {
    pub(super) from: usize,
    pub(super) to: usize,
    /// Whether it goes over IPv6.
    pub(super) is_v6: bool,
    pub(super) starts_at: Duration,
    /// That of the client, that of the server.
    pub(super) ends: [EndPlan; 2],
}

#[derive(Clone, Copy, Debug)]
pub(super) struct EndPlan {
    /// Bytes to write before it shuts its side.
    pub(super) total: u64,
    pub(super) write_most: usize,
    pub(super) read_most: usize,
    /// How long it waits before one in eight of its first calls, of each kind.
    pub(super) pause: Duration,
    /// How long it is silent after half of what it writes.
    pub(super) silence: Duration,
    pub(super) nodelay: bool,
    /// When it drops the stream, whatever has come by then.
    pub(super) leaves_after: Option<Duration>,
}

#[derive(Clone, Debug)]
pub(super) struct FaultPlan {
    pub(super) kind: FaultKind,
    pub(super) at: Duration,
    pub(super) lasts: Duration,
    /// Machines that it strikes: one, or the links between two.
    pub(super) one: usize,
    pub(super) other: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FaultKind {
    Partition,
    OneWay,
    Isolate,
    Hold,
    Clog,
    Flap,
    Reset,
    Kill,
    PowerOff,
    Pause,
    Restart,
}

use FaultKind::{
    Clog, Flap, Hold, Isolate, Kill, OneWay, Partition, Pause, PowerOff, Reset, Restart,
};

impl Plan {
    pub(super) fn draw() -> Self {
        let nodes = choose(2..=4);
        let links = draw_links();
        let streams = (0..choose(1..=20)).map(|_| StreamPlan::draw(nodes)).collect();
        let faults = (0..choose(0..=10)).map(|_| FaultPlan::draw(nodes)).collect();
        Self { nodes, links, streams, faults }
    }

    /// The same streams between machines and on links that do nothing to them.
    pub(super) fn without_faults(self) -> Self {
        Self { links: LinkOptions::lan(), ..self.without_verbs() }
    }

    /// The same streams on the same links, and nobody ends them early. A queue that may be full is not
    /// chance.
    pub(super) fn without_verbs(mut self) -> Self {
        self.links.bandwidth = None;
        self.faults.clear();
        for end in self.streams.iter_mut().flat_map(|stream| &mut stream.ends) {
            end.leaves_after = None;
        }
        self
    }
}

impl StreamPlan {
    fn draw(nodes: usize) -> Self {
        let totals = [0; 2].map(|_| if one_in(5) { 0 } else { draw_size(1 << 20) });
        Self {
            from: choose(0..nodes),
            to: choose(0..nodes),
            is_v6: choose(0..=1) == 1,
            starts_at: millis(choose(0..=8_000)),
            ends: [EndPlan::draw(totals[0], totals[1]), EndPlan::draw(totals[1], totals[0])],
        }
    }
}

impl EndPlan {
    fn draw(total: u64, heard: u64) -> Self {
        // Not more than some hundred calls for all of it.
        let piece = |all: u64| {
            let size = draw_size(PIECE_MAX as u64).max(all / 400);
            usize::try_from(size).unwrap()
        };
        Self {
            total,
            write_most: piece(total),
            read_most: if one_in(2) { piece(heard) } else { PIECE_MAX },
            pause: millis(if one_in(3) { choose(1..=50) } else { 0 }),
            silence: millis(if one_in(2) { draw_size(40_000) } else { 0 }),
            nodelay: one_in(2),
            leaves_after: one_in(8).then(|| millis(choose(0..=10_000))),
        }
    }
}

impl FaultPlan {
    fn draw(nodes: usize) -> Self {
        let kinds =
            [Partition, OneWay, Isolate, Hold, Clog, Flap, Reset, Kill, PowerOff, Pause, Restart];
        let kind = kinds[choose(0..kinds.len())];
        let one = choose(0..nodes);
        let other = (one + choose(1..nodes)) % nodes;
        let at = millis(choose(0..=8_000));
        // Some are over before anybody has had to send anything again.
        let lasts = millis(if one_in(3) { choose(1..=150) } else { choose(150..=15_000) });
        Self { kind, at, lasts, one, other }
    }
}

fn draw_links() -> LinkOptions {
    let latency = match choose(0..=4) {
        0 => LinkOptions::lan().latency,
        1 => Latency::constant(millis(choose(0..=100))),
        2 => Latency::exponential(millis(1), millis(choose(1..=50))),
        3 => Latency::bimodal(
            millis(1)..=millis(2),
            millis(30)..=millis(200),
            Ratio::percent(choose(1..=30)),
        ),
        _ => Latency::pareto(millis(1), millis(5), choose(15..=30)),
    };
    let share = |most| Ratio::percent(if one_in(2) { choose(0..=most) } else { 0 });
    let links = LinkOptions::lan()
        .with_latency(latency)
        .with_loss(share(30))
        .with_duplication(share(30), millis(500))
        .with_reordering(share(30), millis(50))
        .with_corruption(share(5))
        .with_mtu(choose(576..=9000));
    if one_in(2) {
        return links;
    }
    let packets = usize::from(choose(2..=20_u16));
    let overflow = [Overflow::DropTail, Overflow::DropRandom, Overflow::BackPressure];
    let queue = packets * usize::from(links.mtu);
    links.with_bandwidth(choose(500_000..=100_000_000)).with_queue(queue, overflow[choose(0..3)])
}

/// Sizes of all orders of magnitude up to a greatest one.
fn draw_size(most: u64) -> u64 {
    let bits = choose(0..=most.ilog2());
    choose(1..=most.min(2 << bits))
}

fn one_in(count: u32) -> bool {
    choose(0..count) == count - 1
}
