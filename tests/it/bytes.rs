//! Runs that a fuzzer's bytes drive.

use parcae::Sim;
use parcae::explore::{Check, ReplayMode, ReplayVerdict, from_bytes};
use parcae::kernel::{Fill, Overrides};

use crate::scenarios::{self, Noise};

async fn lost_update() {
    scenarios::lost_update(Noise::default()).await;
}

fn chain(bytes: &[u8]) -> u64 {
    let outcome = from_bytes(bytes).build().unwrap().run(lost_update);
    outcome.chain().get()
}

#[test]
fn without_bytes_it_is_the_default_world_and_so_with_zeros() {
    let default = Sim::builder().overrides(Fill::Default, Overrides::new()).build().unwrap();
    let default = default.run(lost_update).chain().get();
    for size in 0..40 {
        assert_eq!(chain(&vec![0; size]), default, "{size} zeros");
    }
}

#[test]
fn the_same_bytes_are_the_same_run_and_others_another_order() {
    let inputs: Vec<Vec<u8>> = (0..=u8::MAX).map(|byte| vec![byte, byte >> 2, 1, byte]).collect();
    let chains = || inputs.iter().map(|bytes| chain(bytes)).collect::<Vec<u64>>();
    let first = chains();
    assert_eq!(first, chains());
    let mut distinct = first;
    distinct.sort_unstable();
    distinct.dedup();
    assert!(distinct.len() > 3, "bytes decide who goes on: {}", distinct.len());
}

#[test]
fn each_choice_takes_bytes_in_the_order_in_which_it_is_asked() {
    let drawn = |bytes: &[u8]| {
        let outcome = from_bytes(bytes).build().unwrap().run(|| async {
            let small: u64 = parcae::choose(0..=9);
            let large: u64 = parcae::choose(1_000..=9_000);
            let last: u64 = parcae::choose(0..=9);
            [small, large, last]
        });
        outcome.unwrap()
    };
    assert_eq!(drawn(&[7]), [7, 1_000, 0]);
    assert_eq!(drawn(&[7, 2, 1]), [7, 1_258, 0]);
    assert_eq!(drawn(&[7, 2, 1, 13]), [7, 1_258, 3]);
    assert_eq!(drawn(&[7, 2, 1, 13, 255, 255]), [7, 1_258, 3], "more than is asked for is left");
}

#[test]
fn a_failure_of_bytes_is_shrunk_to_a_token_that_needs_none() {
    let check = || Check::new("bytes");
    let failing = |bytes: &[u8]| check().run_bytes(bytes, lost_update).unwrap();
    assert!(failing(&[]).is_none(), "it does not fail by default");
    let inputs = (0..=u8::MAX).map(|byte| vec![byte; 16]);
    let finding = inputs.into_iter().find_map(|bytes| failing(&bytes)).expect("a byte breaks it");
    assert_eq!(finding.world().overrides.len(), 1, "{:?}", finding.world());
    let token = finding.token().unwrap();
    let replay = check().replay(token, ReplayMode::Strict, lost_update).unwrap();
    assert_eq!(replay.verdict, ReplayVerdict::Reproduced);
}
