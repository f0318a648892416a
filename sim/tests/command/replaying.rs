//! `replay`.

use parcae::explore::ReplayToken;

use crate::process::Workplace;
use crate::{CLEAN, DIVERGED, FAILING};

#[test]
fn the_repaired_twin_does_not_fail_any_more() {
    let here = Workplace::new("replay_fixed");
    for name in ["lost-update", "cancel-leak"] {
        let token = here.token(name);
        here.run(&["replay", &token]).with_code(FAILING);
        here.run(&["replay", &token, "--fixed"]).with_code(CLEAN);
        here.run(&["replay", &token, "--fixed", "--lenient"]).with_code(CLEAN);
    }
}

#[test]
fn a_run_that_fails_otherwise_diverges() {
    let here = Workplace::new("replay_diverges");
    let mut token: ReplayToken = here.token("lost-update").parse().unwrap();
    // As if the program had been rewritten into another that fails, too.
    "pipeline-sentinel".clone_into(&mut token.name);
    here.run(&["replay", &token.to_string()]).with_code(DIVERGED);
    here.run(&["replay", &token.to_string(), "--lenient"]).with_code(DIVERGED);
}

#[test]
fn another_way_to_the_same_failure_diverges_unless_lenient() {
    let here = Workplace::new("replay_lenient");
    let mut token: ReplayToken = here.token("worker-pool-join").parse().unwrap();
    for duration in token.world.overrides.values_mut() {
        *duration += 1;
    }
    here.run(&["replay", &token.to_string()]).with_code(DIVERGED);
    here.run(&["replay", &token.to_string(), "--lenient"]).with_code(FAILING);
}

#[test]
fn a_replay_can_be_traced() {
    let here = Workplace::new("replay_trace");
    let token = here.token("cancel-leak");
    let ended = here.run(&["replay", &token, "--trace=info"]).with_code(FAILING);
    ended.says(&["INFO task{name=client-1}"]);
}
