//! The scenarios: one file for each, written as a user would write the program.
//!
//! Each file holds the program with its bug, `buggy`, and the repaired twin, `fixed`. The bug is of a
//! kind that has been met in real code; its comment says what is wrong and why the repair helps.

mod ask_cycle;
mod cancel_leak;
mod cancelled_as_success;
mod cancelled_wakeup;
mod check_then_act;
mod clock_skew_lease;
mod deaf_leader;
mod double_acquire;
mod dual_write;
mod duplicate_charge;
mod early_acknowledgement;
mod endless_pages;
mod evicted_stop;
mod futurelock;
mod half_open_connection;
mod half_read_frame;
mod half_transfer;
mod interrupted_cleanup;
mod late_reply;
mod line;
mod lock_across_rpc;
mod lost_acknowledged_write;
mod lost_at_restart;
mod lost_notification;
mod lost_update;
mod lost_wakeup;
mod mutual_back_pressure;
mod one_sentinel;
mod orphan_worker;
mod overtaking_put;
mod permit_held_in_backoff;
mod philosophers;
mod pipeline_orphan;
mod pipeline_sentinel;
mod quorum_log;
mod reentrant_read;
mod restart_storm;
mod retries_everything;
mod retry_storm;
mod retry_waves;
mod rollback_skipped;
mod split_brain_lock;
mod stale_reference;
mod stale_timer;
mod start_that_asks;
mod state_of_yesterday;
mod status_blind;
mod stop_behind_work;
mod stranded_permits;
mod stuck_semaphore;
mod swallowed_cancel;
mod thundering_herd;
mod timed_out_item;
mod two_leaders;
mod unsliding_window;
mod untold_failure;
mod wire;
mod worker_pool_join;
mod zombie_in_a_group;
mod zombie_leader;

use crate::scenario::Scenario;

/// All scenarios: races, jobs and queues, clients and servers, hand-made primitives, locks held too
/// long, cancellation, machines that fail, actors.
pub(crate) const ALL: &[Scenario] = &[
    lost_update::SCENARIO,
    check_then_act::SCENARIO,
    lost_wakeup::SCENARIO,
    pipeline_sentinel::SCENARIO,
    pipeline_orphan::SCENARIO,
    one_sentinel::SCENARIO,
    worker_pool_join::SCENARIO,
    cancel_leak::SCENARIO,
    cancelled_as_success::SCENARIO,
    status_blind::SCENARIO,
    retries_everything::SCENARIO,
    retry_waves::SCENARIO,
    retry_storm::SCENARIO,
    permit_held_in_backoff::SCENARIO,
    rollback_skipped::SCENARIO,
    endless_pages::SCENARIO,
    duplicate_charge::SCENARIO,
    cancelled_wakeup::SCENARIO,
    double_acquire::SCENARIO,
    stuck_semaphore::SCENARIO,
    stranded_permits::SCENARIO,
    lost_notification::SCENARIO,
    timed_out_item::SCENARIO,
    overtaking_put::SCENARIO,
    lock_across_rpc::SCENARIO,
    futurelock::SCENARIO,
    reentrant_read::SCENARIO,
    philosophers::SCENARIO,
    half_read_frame::SCENARIO,
    half_transfer::SCENARIO,
    swallowed_cancel::SCENARIO,
    interrupted_cleanup::SCENARIO,
    orphan_worker::SCENARIO,
    late_reply::SCENARIO,
    split_brain_lock::SCENARIO,
    zombie_leader::SCENARIO,
    clock_skew_lease::SCENARIO,
    dual_write::SCENARIO,
    half_open_connection::SCENARIO,
    thundering_herd::SCENARIO,
    early_acknowledgement::SCENARIO,
    two_leaders::SCENARIO,
    deaf_leader::SCENARIO,
    lost_at_restart::SCENARIO,
    stale_reference::SCENARIO,
    start_that_asks::SCENARIO,
    restart_storm::SCENARIO,
    unsliding_window::SCENARIO,
    untold_failure::SCENARIO,
    stop_behind_work::SCENARIO,
    ask_cycle::SCENARIO,
    evicted_stop::SCENARIO,
    mutual_back_pressure::SCENARIO,
    zombie_in_a_group::SCENARIO,
    stale_timer::SCENARIO,
    state_of_yesterday::SCENARIO,
    lost_acknowledged_write::SCENARIO,
];
