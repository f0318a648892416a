//! What a program does to links.
//!
//! Verbs act at once, on what is in flight too, and draw nothing: a test that wants to cut links at
//! some time draws that itself, with [`choose`](crate::choose). Called by a destructor of a machine that
//! has died they do nothing.

use std::time::Duration;

use super::guard::{LinkFault, told_between};
use super::latency::nanos_of;
use super::rules::{RuleKind, Set};
use crate::executor::{DomainState, note};
use crate::world::host::Driver;
use crate::world::node::{Nodes, Targets};
use crate::world::state::{State, with_state};

/// Loses everything between two sets of machines, in flight too, until the guard goes.
///
/// Within a set nothing is lost, and nothing on a loopback.
///
/// # Panics
/// When there is no machine of a name.
///
/// # Examples
/// ```
/// use parcae::world;
///
/// parcae::check(10, || async {
///     world::nodes("kv", 3).idle();
///     // A majority and a minority, as clients see it too: only one side can be written to.
///     let cut = world::partition(["kv-1", "kv-2", "test"], "kv-3");
///     drop(cut);
/// });
/// ```
#[track_caller]
pub fn partition(a: impl Targets, b: impl Targets) -> LinkFault {
    between("world::partition", |_| RuleKind::Cut, &a, &b)
}

/// Partitions machines from all others, those that are made later included.
///
/// Between them nothing is lost.
///
/// # Panics
/// When there is no machine of a name.
#[track_caller]
pub fn isolate(nodes: impl Targets) -> LinkFault {
    LinkFault::begin("world::isolate", |_| RuleKind::Cut, &|known| {
        let inside = set(known, &nodes);
        let outside = inside.others();
        (inside, outside)
    })
}

/// Keeps what arrives between two sets of machines; it arrives, in its order, when the guard goes.
///
/// # Panics
/// When there is no machine of a name.
#[track_caller]
pub fn hold(a: impl Targets, b: impl Targets) -> LinkFault {
    between("world::hold", |_| RuleKind::Hold, &a, &b)
}

/// Keeps what arrives between two sets of machines, for so long at the most.
///
/// # Panics
/// When there is no machine of a name.
#[track_caller]
pub fn clog(a: impl Targets, b: impl Targets, duration: Duration) -> LinkFault {
    let kind = |now: u64| RuleKind::Clog { until: now.saturating_add(nanos_of(duration)) };
    between("world::clog", kind, &a, &b)
}

/// Leaves links open for `up` and cuts them for `down`, in turn, until the guard goes.
///
/// # Panics
/// When there is no machine of a name, or one of the times is 0.
#[track_caller]
pub fn flap(a: impl Targets, b: impl Targets, up: Duration, down: Duration) -> LinkFault {
    assert!(
        !up.is_zero() && !down.is_zero(),
        "a link that flaps needs both times: {up:?}, {down:?}"
    );
    let (up, down) = (nanos_of(up), nanos_of(down));
    between("world::flap", |since| RuleKind::Flap { since, up, down }, &a, &b)
}

/// Ends all faults between two sets of machines, in both directions, also those with a guard.
///
/// A fault that lies on other links too goes on there.
///
/// # Panics
/// When there is no machine of a name.
#[track_caller]
pub fn heal(a: impl Targets, b: impl Targets) {
    act("world::heal", |state, driver| {
        let (one, other) = (set(&state.nodes, &a), set(&state.nodes, &b));
        note(|| told_between("heal", &state.nodes, (&one, &other)));
        state.network.heal(driver, &one, &other);
    });
}

/// Ends those faults between two sets of machines that keep packets, as [`hold`] and [`clog`] do.
///
/// # Panics
/// When there is no machine of a name.
#[track_caller]
pub fn release(a: impl Targets, b: impl Targets) {
    act("world::release", |state, driver| {
        let (one, other) = (set(&state.nodes, &a), set(&state.nodes, &b));
        note(|| told_between("release", &state.nodes, (&one, &other)));
        state.network.release_between(driver, &one, &other);
    });
}

/// Ends all faults on links.
#[track_caller]
pub fn heal_all() {
    act("world::heal_all", |state, driver| {
        note(|| "heal_all".to_owned());
        state.network.heal_all(driver);
    });
}

/// Resets each connection between two sets of machines, as a box on the way would: both ends get a RST.
/// Returns how many there were.
///
/// # Panics
/// When there is no machine of a name.
#[track_caller]
pub fn reset(a: impl Targets, b: impl Targets) -> usize {
    let count = act("world::reset", |state, driver| {
        let (from, to) = (state.nodes.resolve(&a), state.nodes.resolve(&b));
        note(|| {
            let (one, other) = (Set::of(from.clone()), Set::of(to.clone()));
            told_between("reset", &state.nodes, (&one, &other))
        });
        let (sockets, mut outside) = state.parts(driver);
        let count = sockets.reset_between(&mut outside, &from, &to);
        state.network.count_resets(count as u64);
        count
    });
    count.unwrap_or_default()
}

#[track_caller]
fn between(
    call: &str,
    kind: impl FnOnce(u64) -> RuleKind,
    a: &dyn Targets,
    b: &dyn Targets,
) -> LinkFault {
    LinkFault::begin(call, kind, &|nodes| (set(nodes, a), set(nodes, b)))
}

fn set(nodes: &Nodes, targets: &dyn Targets) -> Set {
    Set::of(nodes.resolve(targets))
}

/// Calls `change` unless the machine of the running task is dead, then tells sockets that wait for a
/// change of links.
#[track_caller]
pub(super) fn act<R>(
    call: &str,
    change: impl FnOnce(&mut State, &mut Driver<'_>) -> R,
) -> Option<R> {
    with_state(call, |state, driver| {
        if driver.executor().domain_of_running().1 == DomainState::Dead {
            return None;
        }
        let result = change(state, driver);
        let (sockets, mut outside) = state.parts(driver);
        sockets.path_changed(&mut outside);
        Some(result)
    })
}
