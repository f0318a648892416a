//! Choices: spaces, fills, overrides.

use std::collections::BTreeSet;
use std::time::Duration;

use parcae::Seed;
use parcae::kernel::{Choices, Draw, Fill, Key, Overrides, Ratio, Site, Source, Space, StreamId};

use crate::runs::panic_of;

fn key(ordinal: u64) -> Key {
    Key::new(StreamId::ROOT.child("main", 0), Site::new("dice"), ordinal)
}

fn draws(space: Space, count: u64) -> Vec<u64> {
    let mut choices = Choices::new(Seed::new(7), Fill::Seeded, Overrides::new());
    (0..count).map(|ordinal| choices.draw(key(ordinal), space).value).collect()
}

#[test]
fn every_drawn_value_is_in_its_space_and_every_small_value_is_drawn() {
    let spaces = [
        (Space::Integer { low: 1, high: 6, default: 1 }, 1..=6),
        (Space::Integer { low: 250, high: 260, default: 255 }, 250..=260),
        (
            Space::Integer { low: u64::MAX - 2, high: u64::MAX, default: u64::MAX },
            u64::MAX - 2..=u64::MAX,
        ),
        (Space::Index { count: 5 }, 0..=4),
        (Space::Nanos { low: 10, high: 20 }, 10..=20),
        (Space::Chance { probability: Ratio::percent(50) }, 0..=1),
        (Space::Integer { low: 9, high: 9, default: 9 }, 9..=9),
        (Space::Index { count: 1 }, 0..=0),
    ];
    for (space, values) in spaces {
        let drawn = draws(space, 1_000);
        assert!(drawn.iter().all(|value| space.contains(*value)), "{space:?}");
        let seen: BTreeSet<u64> = drawn.into_iter().collect();
        assert!(seen.into_iter().eq(values), "{space:?}: not every value was drawn");
    }
}

#[test]
fn the_whole_range_of_64_bits_is_drawn_from() {
    let space = Space::Integer { low: 0, high: u64::MAX, default: 0 };
    let drawn = draws(space, 1_000);
    assert!(drawn.iter().any(|value| *value < u64::MAX / 100));
    assert!(drawn.iter().any(|value| *value > u64::MAX / 100 * 99));
    assert_eq!(drawn.iter().collect::<BTreeSet<_>>().len(), 1_000);
}

#[test]
fn a_chance_is_as_likely_as_its_ratio() {
    let hits = |ratio| {
        draws(Space::Chance { probability: ratio }, 10_000)
            .into_iter()
            .filter(|hit| *hit == 1)
            .count()
    };
    assert_eq!(hits(Ratio::ZERO), 0);
    assert_eq!(hits(Ratio::new(0, 5)), 0);
    assert_eq!(hits(Ratio::new(1, 1)), 10_000);
    assert_eq!(hits(Ratio::new(u32::MAX, u32::MAX)), 10_000);
    // Five standard deviations of a binomial distribution either way.
    assert!((2_283..=2_717).contains(&hits(Ratio::new(1, 4))));
    assert!((50..=150).contains(&hits(Ratio::percent(1))));
    assert!(hits(Ratio::new(1, u32::MAX)) <= 1);
}

#[test]
fn the_default_world_takes_the_defaults() {
    let spaces = [
        (Space::Integer { low: 1, high: 6, default: 4 }, 4),
        (Space::Index { count: 5 }, 0),
        (Space::Chance { probability: Ratio::percent(100) }, 0),
        (Space::Nanos { low: 10, high: 20 }, 10),
    ];
    let mut choices = Choices::new(Seed::new(7), Fill::Default, Overrides::new());
    for (space, default) in spaces {
        assert_eq!(space.default_value(), default);
        let draw = choices.draw(key(0), space);
        assert_eq!((draw.value, draw.source), (default, Source::Filled), "{space:?}");
    }
}

#[test]
fn an_override_is_used_at_its_key_and_nowhere_else() {
    let space = Space::Integer { low: 1, high: 6, default: 1 };
    for fill in [Fill::Seeded, Fill::Default] {
        let mut plain = Choices::new(Seed::new(7), fill, Overrides::new());
        let mut forced = Choices::new(Seed::new(7), fill, Overrides::from([(key(3), 6)]));
        for ordinal in 0..10 {
            let expected = match ordinal {
                3 => Draw { key: key(3), space, value: 6, source: Source::Overridden },
                _ => plain.draw(key(ordinal), space),
            };
            assert_eq!(forced.draw(key(ordinal), space), expected);
        }
    }
}

#[test]
fn an_override_outside_of_the_space_is_stale_and_not_used() {
    let spaces = [
        (Space::Integer { low: 1, high: 6, default: 2 }, 7),
        (Space::Integer { low: 1, high: 6, default: 2 }, 0),
        (Space::Index { count: 5 }, 5),
        (Space::Chance { probability: Ratio::percent(50) }, 2),
        (Space::Nanos { low: 10, high: 20 }, 21),
    ];
    for (space, value) in spaces {
        for fill in [Fill::Seeded, Fill::Default] {
            let draw = |overrides| Choices::new(Seed::new(7), fill, overrides).draw(key(0), space);
            let (plain, stale) = (draw(Overrides::new()), draw(Overrides::from([(key(0), value)])));
            assert_eq!(stale.source, Source::Stale, "{space:?}");
            assert_eq!(stale.value, plain.value, "{space:?}");
        }
    }
}

#[test]
fn a_draw_does_not_depend_on_the_draws_before_it() {
    let space = Space::Integer { low: 0, high: u64::MAX, default: 0 };
    let forward = draws(space, 100);
    let mut choices = Choices::new(Seed::new(7), Fill::Seeded, Overrides::new());
    let backward: Vec<u64> = (0..100).rev().map(|at| choices.draw(key(at), space).value).collect();
    assert!(forward.iter().eq(backward.iter().rev()));
}

#[test]
fn an_empty_space_is_refused_with_its_bounds() {
    let refused = [
        (Space::Integer { low: 2, high: 1, default: 2 }, "an empty range to choose from: 2..=1"),
        (Space::Integer { low: 2, high: 4, default: 5 }, "the default 5 is outside of 2..=4"),
        (Space::Integer { low: 2, high: 4, default: 1 }, "the default 1 is outside of 2..=4"),
        (Space::Index { count: 0 }, "nothing to choose from"),
        (Space::Nanos { low: 2, high: 1 }, "an empty range of durations: 2 ns..=1 ns"),
    ];
    for (space, message) in refused {
        assert_eq!(panic_of(|| drop(draws(space, 1))), message);
    }
}

#[test]
fn a_duration_that_does_not_fit_counts_as_the_longest() {
    let space = Space::duration(Duration::from_nanos(3), Duration::MAX);
    assert_eq!(space, Space::Nanos { low: 3, high: u64::MAX });
}

#[test]
fn regression_no_seed_forgets_the_stream_and_no_stream_the_seed() {
    // One operand of the first fold was zero for this seed, and then the other did not matter.
    let key = |name| Key::new(StreamId::ROOT.child(name, 0), Site::new("site"), 0);
    for seed in [0xa076_1d64_78bd_642f, 0, u64::MAX] {
        assert_ne!(
            parcae::kernel::prf(Seed::new(seed), key("one")),
            parcae::kernel::prf(Seed::new(seed), key("two"))
        );
    }
    let zero = |seed| {
        let stream = StreamId::from_bits(0xe703_7ed1_a0b4_28db);
        parcae::kernel::prf(Seed::new(seed), Key::new(stream, Site::new("site"), 0))
    };
    assert_ne!(zero(1), zero(2));
}

#[test]
fn a_label_is_no_site_of_the_library() {
    for name in ["schedule", "choose", "rng"] {
        assert_ne!(Site::label(name).id(), Site::new(name).id());
    }
}
