//! What goes over the network, as a file that other tools open.

use std::fs;

use parcae::Sim;
use parcae::time::sleep;
use parcae::world;

use crate::harness;
use crate::runs::{OnDrop, SEEDS, secs};

async fn two_machines() {
    world::node("db").start(|| sleep(secs(1)));
    world::node("web").start(|| sleep(secs(2)));
    sleep(secs(3)).await;
}

fn capture_of(seed: u64, is_capturing: bool) -> parcae::Outcome {
    let sim = Sim::builder().seed(seed).capture(is_capturing).build().unwrap();
    sim.run(two_machines)
}

#[test]
fn a_capture_names_the_machines() {
    let outcome = capture_of(7, true);
    let bytes = outcome.attachment("capture.pcapng").unwrap();
    assert_eq!(bytes[..4], [0x0a, 0x0d, 0x0d, 0x0a]);
    for name in ["test", "db", "web"] {
        let record = [name.as_bytes(), &[0]].concat();
        assert!(bytes.windows(record.len()).any(|found| found == record), "{name}");
    }
    // The address of `db`, before its name.
    let record = [&[10, 0, 0, 1][..], b"db"].concat();
    assert!(bytes.windows(record.len()).any(|found| found == record));
    assert_eq!(outcome.attachment("capture"), None);
}

#[test]
fn there_is_a_capture_only_of_a_world_and_only_when_it_is_asked_for() {
    assert_eq!(capture_of(7, false).attachment("capture.pcapng"), None);
    let outcome = Sim::builder().capture(true).build().unwrap().run(|| async {});
    assert_eq!(outcome.attachment("capture.pcapng"), None);
}

#[test]
fn a_capture_changes_nothing_of_the_run() {
    for seed in 0..SEEDS {
        let (with, without) = (capture_of(seed, true), capture_of(seed, false));
        assert_eq!((with.chain(), with.steps()), (without.chain(), without.steps()));
    }
}

/// Run by the test below, in a process of its own.
#[parcae::test(seeds = 3)]
#[should_panic(expected = "the world ends")]
async fn that_fails_with_a_world() {
    two_machines().await;
    panic!("the world ends");
}

#[test]
fn a_replay_and_a_failure_write_their_capture_into_a_folder() {
    let folder = std::env::temp_dir().join(format!("parcae-captures-{}", std::process::id()));
    let _cleanup = OnDrop(|| drop(fs::remove_dir_all(&folder)));
    let file = folder.join("it-captures-that_fails_with_a_world.capture.pcapng");
    let shown = folder.to_str().unwrap();
    let test = "captures::that_fails_with_a_world";
    let (_, text) = harness::run(test, &[("PARCAE_PCAP", shown)]);
    assert!(text.contains(&format!("capture: {}", file.display())), "{text}");
    let first = fs::read(&file).unwrap();
    fs::remove_file(&file).unwrap();
    let token = harness::token_of(test);
    let (_, text) = harness::run(test, &[("PARCAE_REPLAY", &token), ("PARCAE_PCAP", shown)]);
    assert!(text.contains("capture: "), "{text}");
    assert_eq!(fs::read(&file).unwrap(), first);
    // Without the variable nothing is written.
    fs::remove_file(&file).unwrap();
    harness::run(test, &[("PARCAE_REPLAY", &token)]);
    assert!(!file.exists());
}
