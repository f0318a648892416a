//! What verbs of the network act on.

use super::super::state::with_state;
use super::{NodeId, Targets, everyone, label, node, nodes};
use crate::explore::Sim;

/// Returns the numbers of the machines that are meant.
fn resolved(targets: impl Targets) -> Vec<u16> {
    with_state("a test", |state, _| {
        state.nodes.resolve(&targets).into_iter().map(NodeId::number).collect()
    })
}

#[test]
fn targets_are_names_groups_labels_handles_and_lists_of_them() {
    let outcome = Sim::new(7).run(|| async {
        let db = node("db").label("zone", "a").idle();
        let kv = nodes("kv", 3).label("zone", "b").idle();
        node("web").label("zone", "b").label("zone", "a").label("rack", "1").idle();
        assert_eq!(resolved("db"), [1]);
        assert_eq!(resolved(String::from("test")), [0]);
        assert_eq!(resolved("kv"), [2, 3, 4]);
        assert_eq!(resolved(&db), [1]);
        assert_eq!(resolved(kv.clone()), [2, 3, 4]);
        assert_eq!(resolved(["kv-3", "db", "kv"]), [1, 2, 3, 4]);
        assert_eq!(resolved(&kv[1..]), [3, 4]);
        assert_eq!(resolved(label("zone", "a")), [1, 5]);
        assert_eq!(resolved([label("rack", "1"), label("zone", "b")]), [2, 3, 4, 5]);
        assert_eq!(resolved(everyone()), [0, 1, 2, 3, 4, 5]);
        assert_eq!(resolved(Vec::<&str>::new()), []);
    });
    outcome.unwrap();
}

#[test]
fn an_unknown_target_names_those_that_there_are() {
    for (unknown, is_label) in [("dbb", false), ("zone=c", true)] {
        let outcome = Sim::new(7).run(move || async move {
            node("db").label("zone", "a").idle();
            nodes("kv", 1).idle();
            if is_label { resolved(label("zone", "c")) } else { resolved("dbb") }
        });
        let message = outcome.into_result().expect_err("it panics").to_string();
        let wanted = format!("is `{unknown}`; there are: db, kv-1, test, kv");
        assert!(message.contains(&wanted), "{message}");
    }
}

#[test]
fn a_domain_belongs_to_the_process_whose_tasks_it_has() {
    let outcome = Sim::new(7).run(|| async {
        let db = node("db").idle();
        let owner = || {
            let domain =
                crate::context::expect("a test", crate::executor::Executor::running_domain);
            with_state("a test", |state, _| {
                let owner = state.nodes.owner_of(domain);
                (owner.node.number(), owner.incarnation, state.nodes.is_alive(owner))
            })
        };
        assert_eq!(owner(), (0, 0, true));
        assert_eq!(db.spawn(async move { owner() }).await, (1, 0, true));
        db.restart();
        assert_eq!(db.spawn(async move { owner() }).await, (1, 1, true));
        let own_domain = crate::executor::DomainId::create("mine", 0);
        let task = crate::task::Builder::new().domain(own_domain).spawn(async move { owner() });
        assert_eq!(task.await, (0, 0, true), "a domain of the test's");
    });
    outcome.unwrap();
}
