//! Strategies on programs that are lists: each task writes so many times to one resource or another.

use std::collections::BTreeMap;

use super::pct::Pct;
use super::pos::Pos;
use super::profile::Profile;
use super::surw::Surw;
use crate::executor::{Candidate, Decision, Operation, Pick};
use crate::kernel::{Access, Seed, StreamId, Verb};

static WRITE: Verb = Verb::new("write", Access::Write);

/// The resources that each task writes to, in order.
type Program<'a> = [&'a [u64]];

fn task(number: usize) -> StreamId {
    StreamId::from_bits(100 + number as u64)
}

/// Runs a program and returns who went on, step by step; `seen` is told of each step.
fn run(program: &Program<'_>, pick: &mut dyn Pick, mut seen: impl FnMut(Candidate)) -> String {
    let mut done = vec![0; program.len()];
    let mut order = String::new();
    (0..program.len()).for_each(|number| pick.spawned(StreamId::ROOT, task(number)));
    loop {
        let mut numbers = Vec::new();
        let mut candidates = Vec::new();
        for (number, operations) in program.iter().enumerate() {
            if let Some(resource) = operations.get(done[number]) {
                let operation = Operation { resource: *resource, verb: &WRITE };
                numbers.push(number);
                candidates.push(Candidate { task: task(number), operation });
            }
        }
        let index = match candidates.len() {
            0 => return order,
            1 => {
                pick.went_on(candidates[0]);
                0
            }
            _ => pick.pick(&Decision::between(&candidates)),
        };
        seen(candidates[index]);
        done[numbers[index]] += 1;
        order.push(char::from(b'a' + u8::try_from(numbers[index]).unwrap()));
    }
}

/// Counts what a run would show a pilot.
fn profile(program: &Program<'_>) -> Profile {
    let mut profile = Profile::of_one_run(Seed::new(0));
    (0..program.len()).for_each(|number| profile.count_task(StreamId::ROOT, task(number)));
    run(program, &mut Pos::new(Seed::new(0)), |candidate| {
        profile.count_decision();
        profile.count_operation(candidate);
    });
    profile
}

fn orders(program: &Program<'_>, of_seed: impl Fn(Seed) -> Box<dyn Pick>) -> BTreeMap<String, u32> {
    let mut orders = BTreeMap::new();
    for seed in 0..RUNS {
        let order = run(program, &mut *of_seed(Seed::new(seed.into())), |_| {});
        *orders.entry(order).or_default() += 1;
    }
    orders
}

/// Asserts that there are so many orders, and each about equally often.
#[track_caller]
fn check_alike(orders: &BTreeMap<String, u32>, count: usize) {
    assert_eq!(orders.len(), count, "{orders:?}");
    let expected = f64::from(RUNS) / count as f64;
    // Five standard deviations of a number of rare events.
    let is_near = |count: &u32| (f64::from(*count) - expected).abs() < 5.0 * expected.sqrt();
    assert!(orders.values().all(is_near), "{orders:?}");
}

#[test]
fn without_change_points_tasks_run_to_their_ends_in_each_order_alike() {
    let program: &Program<'_> = &[&[1, 1, 1], &[1, 1], &[1]];
    let pct = |seed| -> Box<dyn Pick> { Box::new(Pct::with_depth(seed, 1, &profile(program))) };
    let orders = orders(program, pct);
    check_alike(&orders, 6);
    let whole = ["aaabbc", "aaacbb", "bbaaac", "bbcaaa", "caaabb", "cbbaaa"];
    assert!(orders.keys().eq(whole), "{orders:?}");
}

#[test]
fn one_change_point_switches_once() {
    let program: &Program<'_> = &[&[1, 1, 1], &[1, 1, 1]];
    let profile = profile(program);
    let pct = |seed| -> Box<dyn Pick> { Box::new(Pct::with_depth(seed, 2, &profile)) };
    let orders = orders(program, pct);
    let switches =
        |order: &String| order.as_bytes().windows(2).filter(|pair| pair[0] != pair[1]).count();
    assert!(orders.keys().all(|order| switches(order) <= 2), "{orders:?}");
    // Each place of the switch, and with each first task.
    for order in ["aabbba", "abbbaa", "bbaaab", "baaabb", "aaabbb", "bbbaaa"] {
        assert!(orders.get(order).is_some_and(|count| *count > RUNS / 20), "{order}: {orders:?}");
    }
}

#[test]
fn all_interleavings_are_alike_to_a_uniform_walk_however_uneven_tasks_are() {
    let program: &Program<'_> = &[&[1, 1, 1, 1, 1, 1, 1], &[1], &[1]];
    let profile = profile(program);
    let urw = |seed| -> Box<dyn Pick> { Box::new(Surw::of_all(seed, &profile)) };
    check_alike(&orders(program, urw), 9 * 8);
}

#[test]
fn a_selective_walk_is_uniform_on_what_is_selected() {
    // Resource 7 is private, so it is never selected, and its operations do not count.
    let program: &Program<'_> = &[&[7, 7, 7, 1, 1], &[1, 1]];
    let profile = profile(program);
    let mut orders: BTreeMap<String, u32> = BTreeMap::new();
    for seed in 0..RUNS {
        let mut selected = String::new();
        let mut surw = Surw::of_one(Seed::new(seed.into()), &profile);
        run(program, &mut surw, |candidate| {
            if candidate.operation.resource == 1 {
                selected.push(if candidate.task == task(0) { 'a' } else { 'b' });
            }
        });
        *orders.entry(selected).or_default() += 1;
    }
    check_alike(&orders, 6);
}

#[test]
fn who_wins_a_race_says_nothing_of_the_next_one() {
    // Of one race after another a task wins each with one half, where the other has its own draw.
    let program: &Program<'_> = &[&[1, 1], &[1, 1]];
    let orders = orders(program, |seed| Box::new(Pos::new(seed)));
    for start in ["aa", "ab", "ba", "bb"] {
        let begins = orders.iter().filter(|(order, _)| order.starts_with(start));
        let count: u32 = begins.map(|(_, count)| *count).sum();
        assert!(count.abs_diff(RUNS / 4) < 250, "{start}: {orders:?}");
    }
}

#[test]
fn operations_that_do_not_race_keep_their_priorities() {
    // `a` races with nobody; first it is as often as any other.
    let program: &Program<'_> = &[&[2], &[1], &[1]];
    let orders = orders(program, |seed| Box::new(Pos::new(seed)));
    let place = |wanted: usize| -> u32 {
        orders.iter().filter(|(order, _)| order.find('a') == Some(wanted)).map(|(_, n)| *n).sum()
    };
    assert!(place(0).abs_diff(RUNS / 3) < 250, "{orders:?}");
    // If it is not the first, its priority has a mean of 3/8, and that of who lost the race is new.
    assert!(place(1).abs_diff(RUNS * 2 / 3 * 3 / 8) < 250, "{orders:?}");
    assert!(place(2).abs_diff(RUNS * 2 / 3 * 5 / 8) < 250, "{orders:?}");
}

const RUNS: u32 = 7_200;

#[test]
fn a_pilot_that_has_shown_nothing_is_a_pilot_and_counts_for_nothing() {
    let shown = profile(&[&[1, 1], &[2, 2]]);
    let mut with_another = shown.clone();
    with_another.add_pilot(Seed::new(9));
    assert!(with_another.is_pilot(Seed::new(9)) && !shown.is_pilot(Seed::new(9)));
    assert_eq!(with_another.run_count(), shown.run_count());
    #[cfg(target_os = "linux")]
    assert_eq!(Profile::of_numbers(&with_another.to_numbers()), Some(with_another));
}
