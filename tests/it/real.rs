//! The production backend: what only it has. What both have is in `tests/conformance`.

use parcae::real::{Options, Runtime};
use parcae::{Sim, choose, rng, spawn_named};

#[test]
fn a_program_draws_under_a_seed_what_it_draws_in_the_simulation() {
    async fn program() -> (u64, u32, u64, u32) {
        let of_child = spawn_named("child", async { (rng().next_u64(), choose(0..1000)) });
        let (number, chosen) = of_child.await;
        (rng().next_u64(), choose(0..1000), number, chosen)
    }

    for seed in [0, 17, u64::MAX] {
        let real = Runtime::new(Options::default().with_seed(seed)).unwrap().run(program());
        assert_eq!(real.unwrap(), Sim::new(seed).run(program).unwrap());
    }
}
