//! A chaos and its run.

use super::*;
use crate::Sim;
use crate::time::sleep;
use crate::world;

/// Starts a chaos with something going on and gives it out of its run.
fn outliving(seed: u64) -> Chaos {
    let outcome = Sim::new(seed).run(|| async {
        let nodes = world::nodes("kv", 3).start(|_| std::future::pending::<()>());
        let plan = FaultPlan::new()
            .step(Duration::ZERO, Duration::from_secs(60), Fault::Pause("kv-1".into()))
            .step(Duration::ZERO, Duration::from_secs(60), Fault::Kill("kv-2".into()));
        let chaos = Chaos::on(nodes).budget(Budget::unlimited()).plan(plan).start();
        sleep(Duration::from_secs(1)).await;
        assert_eq!(chaos.engine.state.borrow().active.len(), 2);
        chaos
    });
    outcome.unwrap()
}

#[test]
fn one_that_outlives_its_run_is_dropped_without_harm() {
    drop(outliving(1));
    let chaos = outliving(1);
    let inside_of_another = Sim::new(2).run(move || async move {
        let node = world::node("kv-1").start(std::future::pending::<()>);
        node.pause();
        drop(chaos);
        node.state()
    });
    assert_eq!(inside_of_another.unwrap(), NodeStatus::Paused, "it is another kv-1");
}
