//! Tasks that take permits, give up waiting, are cancelled and return what they took, as bytes say.
//!
//! ```text
//! cargo +nightly fuzz run semaphore
//! ```
//!
//! Each byte is a choice of the run: who goes on, how many permits, how long. What libFuzzer finds is shrunk by
//! parcae, and printed with a token that needs neither the bytes nor the fuzzer.
#![no_main]

use std::sync::Arc;
use std::time::Duration;

use libfuzzer_sys::fuzz_target;
use parcae::explore::{Check, Isolation};
use parcae::sync::Semaphore;
use parcae::time::{sleep, timeout};

fuzz_target!(|bytes: &[u8]| {
    // Nothing here leaves a trace on its thread, so one thread does, and is much faster than one for each run.
    let check = Check::new("fuzz::semaphore").isolation(Isolation::Reuse);
    match check.run_bytes(bytes, permits) {
        Ok(None) => {}
        Ok(Some(finding)) => {
            let token = finding.token().map_or_else(|| "none".to_owned(), ToString::to_string);
            panic!("{}\n  choices  {:?}\n  token    {token}", finding.failure(), finding.world().overrides);
        }
        Err(error) => panic!("{error}"),
    }
});

async fn permits() {
    let semaphore = Arc::new(Semaphore::new(PERMITS));
    let tasks: Vec<_> = (0..4)
        .map(|_| {
            let semaphore = semaphore.clone();
            parcae::spawn(async move {
                for _ in 0..parcae::choose(1..=3_u32) {
                    let count = parcae::choose(1..=PERMITS);
                    let patience = Duration::from_millis(parcae::choose(0..=3_u64));
                    if let Ok(permits) = timeout(patience, semaphore.acquire_many(count)).await {
                        sleep(Duration::from_millis(parcae::choose(0..=3_u64))).await;
                        drop(permits);
                    }
                }
            })
        })
        .collect();
    for (index, task) in tasks.into_iter().enumerate() {
        if parcae::choose(0..=3_u32) == 3 {
            task.cancel().await;
        } else {
            task.await;
        }
        assert!(semaphore.available_permits() <= PERMITS, "more than there are, after task {index}");
    }
    assert_eq!(semaphore.available_permits(), PERMITS, "permits are lost");
}

const PERMITS: usize = 3;
