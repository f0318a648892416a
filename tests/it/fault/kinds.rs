//! Of each kind of fault: a program that observes it, and one that it does not harm within its budget.

use std::collections::BTreeMap;

use parcae::fault::FaultKind;

/// The test in which a program observes it (bytes, order, time, loss), and the one in which it does no harm.
const PAIRS: [(FaultKind, &str, &str); 21] = [
    (FaultKind::Cut, "a_cut_loses_what_is_sent_while_it_lasts_and_nothing_else", OF_MACHINES),
    (FaultKind::Clog, "a_clog_delivers_what_is_sent_when_it_ends", OF_MACHINES),
    (FaultKind::Flap, "a_flap_loses_in_turns", OF_MACHINES),
    (FaultKind::Loss, "a_share_of_the_packets_is_lost", OF_MACHINES),
    (FaultKind::Duplication, "a_share_of_the_packets_comes_twice", OF_MACHINES),
    (FaultKind::Reordering, "packets_overtake_each_other", OF_MACHINES),
    (FaultKind::Corruption, "a_bit_is_turned_over", OF_MACHINES),
    (FaultKind::Latency, "a_far_machine_takes_longer", OF_MACHINES),
    (FaultKind::Reset, "a_reset_ends_the_streams_of_both", OF_MACHINES),
    (FaultKind::Kill, "a_kill_is_told_to_the_peer_at_once_and_a_loss_of_power_never", OF_MACHINES),
    (
        FaultKind::PowerOff,
        "a_kill_is_told_to_the_peer_at_once_and_a_loss_of_power_never",
        OF_MACHINES,
    ),
    (FaultKind::Pause, "a_frozen_machine_answers_late", OF_MACHINES),
    (FaultKind::Slow, "a_slow_machine_takes_longer_for_its_work", OF_MACHINES),
    (FaultKind::ClockStep, "a_wall_clock_jumps_and_the_monotonic_one_does_not", OF_MACHINES),
    (FaultKind::ClockDrift, "a_clock_that_drifts_makes_timers_early_or_late", OF_MACHINES),
    (FaultKind::MessageLoss, "lost_messages_never_come", OF_ACTORS),
    (FaultKind::MessageDelay, "delayed_messages_come_later", OF_ACTORS),
    (FaultKind::MessageDuplication, "duplicated_messages_come_twice", OF_ACTORS),
    (
        FaultKind::MessageReordering,
        "reordered_messages_of_several_senders_change_places",
        OF_ACTORS,
    ),
    (FaultKind::SlowActors, "slow_actors_take_longer", OF_ACTORS),
    (FaultKind::ActorCrash, "an_actor_that_crashes_loses_what_it_is_asked", OF_ACTORS),
];

/// Each of them asserts that all of its kinds have had an effect.
const OF_MACHINES: &str = "each_nemesis_is_harmless_within_the_budget_for_who_asks_another_one";
const OF_ACTORS: &str = "each_fault_of_actors_is_harmless_for_who_asks_again";

#[test]
fn each_kind_has_who_observes_it_and_whom_it_does_not_harm() {
    let sources =
        concat!(include_str!("effects.rs"), include_str!("actors.rs"), include_str!("promises.rs"));
    let pairs: BTreeMap<FaultKind, [&str; 2]> =
        PAIRS.into_iter().map(|(kind, observed, harmless)| (kind, [observed, harmless])).collect();
    for kind in FaultKind::ALL {
        let tests = pairs.get(&kind).unwrap_or_else(|| panic!("`{kind}` has no pair of tests"));
        for test in tests {
            assert!(sources.contains(&format!("#[test]\nfn {test}()")), "`{kind}`: no test {test}");
        }
    }
}
