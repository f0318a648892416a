//! Which strategy a seed takes when it is to be one of several.
//!
//! None is best everywhere: priorities find what one late task shows at once and never what needs
//! many switches, uniform walks the reverse. Of ten seeds in a row each member gets its share, in an
//! order that turns from ten to ten, so that no pattern of seeds meets one member only.

use super::Strategy;
use crate::kernel::{Key, Seed, Site, StreamId, prf};

/// Returns the strategy of a seed.
pub(super) fn member(seed: Seed) -> Strategy {
    let count = MEMBERS.len() as u64;
    let turn = prf(Seed::new(seed.get() / count), Key::new(StreamId::ROOT, PORTFOLIO, 0)) % count;
    let place = (seed.get() % count + turn) % count;
    MEMBERS[usize::try_from(place).expect("a place in the list")]
}

const MEMBERS: [Strategy; 10] = [
    Strategy::Surw,
    Strategy::PctMix,
    Strategy::Pos,
    Strategy::Surw,
    Strategy::PctMix,
    Strategy::Pos,
    Strategy::Surw,
    Strategy::PctMix,
    Strategy::Pos,
    Strategy::Random,
];
const PORTFOLIO: Site = Site::new("strategy portfolio");
