//! The shapes of partitions.

use super::nemesis::Strike;
use super::plan::{Between, Sides};
use crate::kernel::Ratio;

/// Draws which links a partition lies on; none when there is nobody to be cut off from.
pub(super) fn partition(strike: Strike<'_>) -> Option<Between> {
    let count = strike.victims.len();
    if count < 2 {
        return None;
    }
    let sides = match strike.dice.index(strike.labels.shape, strike.slot, 6) {
        1 => vec![part_of_any_size(strike, count)],
        2 => vec![coin_for_each(strike)],
        3 if count > 2 => vec![bridge(strike, count)],
        4 if count > 3 => ring(strike),
        5 if strike.victims.iter().any(|victim| victim.domain.is_some()) => vec![domain(strike)],
        _ => vec![strike.part(1)],
    };
    let sides: Vec<_> = sides.into_iter().filter(|(a, b)| !a.is_empty() && !b.is_empty()).collect();
    let is_one_way = strike.dice.happens(strike.labels.one_way, strike.slot, Ratio::new(1, 2));
    (!sides.is_empty()).then_some(Between { sides, is_one_way })
}

fn part_of_any_size(strike: Strike<'_>, count: usize) -> Sides {
    // The ordinal of a machine that no draw of a part is about.
    let size = strike.dice.number(strike.labels.who, strike.slot << 16 | 0xffff, count as u64 - 2);
    strike.part(1 + usize::try_from(size).expect("it is below a `usize`"))
}

fn coin_for_each(strike: Strike<'_>) -> Sides {
    let mut sides = (Vec::new(), Vec::new());
    for (number, victim) in strike.victims.iter().enumerate() {
        let ordinal = strike.slot << 16 | number as u64;
        let side = match strike.dice.happens(strike.labels.coin, ordinal, Ratio::new(1, 2)) {
            true => &mut sides.0,
            false => &mut sides.1,
        };
        side.push(victim.name.clone());
    }
    sides
}

/// One machine sees both sides, which do not see each other.
fn bridge(strike: Strike<'_>, count: usize) -> Sides {
    let (mut one, other) = strike.part(1 + count / 2);
    one.remove(0);
    (one, other)
}

/// Each machine sees its two neighbours only, in the order that is drawn.
fn ring(strike: Strike<'_>) -> Vec<Sides> {
    let (ring, _) = strike.part(strike.victims.len());
    let count = ring.len();
    let mut cuts = Vec::new();
    for (place, one) in ring.iter().enumerate() {
        // Those after it that are neither the next one nor, around the end, the one before it.
        let last = if place == 0 { count - 1 } else { count };
        let far: Vec<_> = ring[(place + 2).min(last)..last].to_vec();
        cuts.push((vec![one.clone()], far));
    }
    cuts
}

/// The failure domain of one machine, and the others.
fn domain(strike: Strike<'_>) -> Sides {
    let first = strike.dice.index(strike.labels.who, strike.slot << 16, strike.victims.len());
    let domain = &strike.victims[first].domain;
    let (inside, outside): (Vec<_>, Vec<_>) =
        strike.victims.iter().partition(|victim| victim.domain == *domain);
    let names = |side: Vec<&super::nemesis::Victim>| {
        side.into_iter().map(|victim| victim.name.clone()).collect()
    };
    (names(inside), names(outside))
}
