//! Chance.

use parcae::rng::choose_for;
use parcae::{choose, rng, spawn};

conformance! {
    async fn a_choice_is_from_its_range() {
        for _ in 0..100 {
            assert!((1..=5).contains(&choose(1..=5)));
            assert!((-3..3_i64).contains(&choose(-3..3_i64)));
            assert_eq!(choose(7..=7_u8), 7);
        }
    }

    async fn every_value_of_a_small_range_is_chosen() {
        let mut seen = [false; 4];
        for _ in 0..1_000 {
            seen[choose(0..4_usize)] = true;
        }
        assert_eq!(seen, [true; 4]);
    }

    async fn a_choice_for_a_thing_is_the_same_whenever_it_is_asked_for() {
        let ask = |number| choose_for("request size", number, 0..1_000_000_u32);
        let forward = [0, 1, 2].map(ask);
        let back = [2, 1, 0].map(ask);
        assert_eq!(forward, [back[2], back[1], back[0]]);
    }

    async fn a_generator_fills_bytes_and_goes_on() {
        let mut rng = rng();
        let (one, two) = (rng.next_u64(), rng.next_u64());
        assert_ne!(one, two);
        let mut bytes = [0; 64];
        rng.fill_bytes(&mut bytes);
        assert_ne!(bytes, [0; 64]);
    }

    async fn tasks_draw_different_streams() {
        let draw = || spawn(async { rng().next_u64() });
        let (one, two) = (draw().await, draw().await);
        assert_ne!(one, two);
        assert_ne!(one, rng().next_u64());
    }
}
