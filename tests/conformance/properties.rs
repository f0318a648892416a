//! Properties and knobs that a program has on both backends. What only one of them does (counting,
//! firing, tracing) is in `tests/it/oracle` and `tests/it/fault`.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use parcae::kernel::Ratio;
use parcae::oracle::{eventually, invariant};
use parcae::spawn;
use parcae::time::sleep;

conformance! {
    async fn properties_that_hold_let_the_program_go_on() {
        let mut evaluated = 0;
        parcae::always!({ evaluated += 1; true }, "conformance: always", evaluated);
        parcae::sometimes!({ evaluated += 1; false }, "conformance: sometimes");
        parcae::always_less_than!({ evaluated += 1; evaluated }, 4, "conformance: compared");
        parcae::reachable!("conformance: come to");
        parcae::always_some!({ one: true, two: false }, "conformance: some");
        assert_eq!(evaluated, 3);
    }

    async fn an_invariant_that_holds_lets_the_program_go_on() {
        let sum = Rc::new(Cell::new(0));
        let seen = sum.clone();
        invariant("conformance: the sum is even", move || seen.get() % 2 == 0);
        for _ in 0..3 {
            sum.set(sum.get() + 1);
            sum.set(sum.get() + 1);
            sleep(Duration::from_millis(1)).await;
        }
    }

    async fn what_happens_eventually_ends_the_wait() {
        let flag = Rc::new(Cell::new(false));
        let seen = flag.clone();
        let task = spawn(async move {
            sleep(Duration::from_millis(5)).await;
            flag.set(true);
        });
        let hour = Duration::from_secs(3600);
        assert!(eventually("conformance: it happens", hour, move || seen.get()).await);
        task.await;
        assert!(eventually("conformance: it holds at once", Duration::ZERO, || true).await);
    }

    async fn a_knob_is_the_same_wherever_it_is_asked_for() {
        let ask = || parcae::knob!("conformance", 8, 1..=64);
        let first = ask();
        assert!((1..=64).contains(&first));
        assert_eq!((spawn(async move { ask() }).await, ask()), (first, first));
        let listed = parcae::knob!("conformance list", "one", ["two", "three"]);
        assert!(["one", "two", "three"].contains(&listed));
    }

    async fn what_never_fires_does_not() {
        for _ in 0..100 {
            assert!(!parcae::buggify!("conformance", Ratio::ZERO));
        }
    }
}
