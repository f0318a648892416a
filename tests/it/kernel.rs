//! Seeds, keys and keyed draws: what they accept, that they never change, that they are even.

mod choosing;
mod draws;
mod golden;
mod statistics;

use parcae::Seed;
use parcae::kernel::{Chain, Event, EventKind, Ratio, StreamId, VirtualTime};

use crate::runs::{discard, nanos, panic_of};

#[test]
fn a_seed_is_read_from_decimal_hexadecimal_and_git_hashes() {
    let good = [
        ("0", 0),
        ("17", 17),
        ("007", 7),
        ("18446744073709551615", u64::MAX),
        ("0x11", 17),
        ("0X11", 17),
        ("0xfFfF", 65_535),
        ("0xffffffffffffffff", u64::MAX),
        ("0x0000000000000000000011", 17),
        ("00000000000000110000000000000000deadbeef", 17),
        ("DA39A3EE5E6B4B0D3255BFEF95601890AFD80709", 0xda39_a3ee_5e6b_4b0d),
        ("1234567890123456789012345678901234567890", 0x1234_5678_9012_3456),
    ];
    for (text, number) in good {
        assert_eq!(text.parse(), Ok(Seed::new(number)), "{text:?}");
        assert_eq!(Seed::parse(text), Ok(Seed::new(number)), "{text:?}");
    }
}

#[test]
fn a_text_that_is_no_seed_comes_back_in_the_error() {
    let bad = [
        "",
        " ",
        " 17",
        "17 ",
        "+17",
        "-1",
        "0x",
        "0x+1",
        "0x-1",
        "1_000",
        "1e3",
        "ff",
        "seventeen",
        "18446744073709551616",
        "0x10000000000000000",
        "da39a3ee5e6b4b0d3255bfef95601890afd8070",
        "da39a3ee5e6b4b0d3255bfef95601890afd807099",
        "ga39a3ee5e6b4b0d3255bfef95601890afd80709",
        "０",
    ];
    for text in bad {
        let error = text.parse::<Seed>().unwrap_err();
        assert_eq!(error.text, text);
    }
    assert_eq!(
        "seventeen".parse::<Seed>().unwrap_err().to_string(),
        "\"seventeen\" is not a seed: expected a decimal number up to 18446744073709551615, a \
         hexadecimal one such as 0x11, or a git hash of 40 digits"
    );
}

#[test]
fn a_seed_prints_as_what_it_is_read_from() {
    for number in [0, 1, 17, u64::MAX] {
        let seed = Seed::new(number);
        assert_eq!(seed.to_string(), number.to_string());
        assert_eq!(seed.to_string().parse(), Ok(seed));
        assert_eq!(format!("{seed:>4}").parse::<Seed>().is_ok(), number > 999, "width is kept");
    }
}

#[test]
fn a_ratio_is_between_nothing_and_one() {
    assert_eq!(panic_of(|| discard(Ratio::new(1, 0))), "a ratio needs a denominator above 0");
    assert_eq!(panic_of(|| discard(Ratio::new(2, 1))), "a ratio is at most 1");
    assert_eq!(panic_of(|| discard(Ratio::percent(101))), "a ratio is at most 1");
    assert_eq!(Ratio::new(0, 7).to_string(), "0/7");
    assert_eq!(Ratio::percent(100).to_string(), "100/100");
}

#[test]
fn virtual_time_stops_at_its_end_and_prints_in_groups() {
    assert_eq!(VirtualTime::MAX.after(nanos(1)), VirtualTime::MAX);
    assert_eq!(VirtualTime::ZERO.after(std::time::Duration::MAX), VirtualTime::MAX);
    let texts = [
        (0, "0.000 s"),
        (10_000_000, "0.010 s"),
        (1_000_250_000, "1.000250 s"),
        (1, "0.000000001 s"),
        (61_000_000_001, "61.000000001 s"),
    ];
    for (nanos, text) in texts {
        assert_eq!(VirtualTime::from_nanos(nanos).to_string(), text);
    }
}

#[test]
fn the_chain_depends_on_each_field_of_an_event_and_on_their_order() {
    let event = Event { kind: EventKind::Poll, task: StreamId::from_bits(3), subject: 5, value: 7 };
    let variants = [
        event,
        Event { kind: EventKind::Spawn, ..event },
        Event { task: StreamId::from_bits(4), ..event },
        Event { subject: 6, ..event },
        Event { value: 8, ..event },
        Event { subject: 7, value: 5, ..event },
        Event { task: StreamId::from_bits(5), subject: 3, ..event },
    ];
    let mut chains: Vec<Chain> =
        variants.iter().map(|variant| Chain::EMPTY.with(*variant)).collect();
    chains.push(Chain::EMPTY);
    chains.push(Chain::EMPTY.with(variants[0]).with(variants[1]));
    chains.push(Chain::EMPTY.with(variants[1]).with(variants[0]));
    chains.push(Chain::EMPTY.with(variants[0]).with(variants[0]));
    let count = chains.len();
    chains.sort();
    chains.dedup();
    assert_eq!(chains.len(), count, "two histories have one chain");
}
