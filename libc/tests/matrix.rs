//! The leak matrix: what is stopped, what is reported, and what is neither; see `docs/DETERMINISM.md`.

use std::collections::HashMap;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant, SystemTime};

use parcae::Failure;
use parcae::explore::{Check, CheckReport, Determinism, Finding, Isolation};

/// What the table says of a leak.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// All seeds are run twice, with equal chains: it is stopped, or nothing of it can be seen in one process.
    Equal,
    /// The check fails and says where two runs differ.
    Reported,
    /// The check fails and says which function was called.
    Refused,
}

use Fate::{Equal, Refused, Reported};

pub(crate) fn fate(report: &CheckReport) -> Fate {
    match report.finding().map(Finding::failure) {
        None => Equal,
        Some(Failure::Nondeterminism { .. }) => Reported,
        Some(Failure::ForeignCall { .. }) => Refused,
        Some(failure) => panic!("{failure}"),
    }
}

/// Makes a number an event: the run sleeps for as long.
pub(crate) async fn tell(number: u64) {
    parcae::time::sleep(Duration::from_nanos(1 + number % 1_000_000_007)).await;
}

/// Plants a leak, and compares with the columns of the table: thread and process without the crate, thread and
/// process with it.
macro_rules! leak {
    ($name:ident: $thread:ident, $fork:ident; $live_thread:ident, $live_fork:ident; $number:expr) => {
        #[test]
        fn $name() {
            crate::prepare();
            let check = |isolation| {
                let check = Check::new(stringify!($name)).isolation(isolation).jobs(1);
                check.seeds(20).determinism(Determinism::EverySeed)
            };
            let program = || async { tell($number).await };
            // First, or what the other leaves in the process would be in front of it.
            let forked = fate(&check(Isolation::Fork).run(program));
            let threaded = fate(&check(Isolation::Thread).run(program));
            let expected = match crate::IS_LIVE {
                true => ($live_thread, $live_fork),
                false => ($thread, $fork),
            };
            assert_eq!((threaded, forked), expected, "on threads, in processes");
        }
    };
}

pub(crate) fn hash_order() -> u64 {
    let map: HashMap<u64, ()> = (0..50).map(|key| (key, ())).collect();
    map.keys().fold(0, |order, key| order.wrapping_mul(31).wrapping_add(*key))
}

static VISITS: AtomicUsize = AtomicUsize::new(0);

leak!(the_order_of_a_hash_map: Reported, Reported; Equal, Equal; hash_order());
leak!(a_hash_of_a_random_state: Reported, Reported; Equal, Equal; RandomState::new().hash_one(7));
leak!(the_system_time: Reported, Reported; Equal, Equal; {
    u64::from(SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().subsec_nanos())
});
leak!(the_monotonic_time: Reported, Reported; Equal, Equal; {
    let start = Instant::now();
    let _work = hash_order();
    u64::try_from(start.elapsed().as_nanos()).unwrap()
});
leak!(a_generator_of_rand: Reported, Reported; Equal, Equal; rand::random::<u64>());
leak!(a_uuid: Reported, Reported; Equal, Equal; uuid::Uuid::new_v4().as_u64_pair().0);
leak!(the_number_of_a_thread_in_fastrand: Reported, Reported; Reported, Equal; fastrand::u64(..));
leak!(a_select_of_tokio: Reported, Reported; Reported, Equal; {
    // Twenty coins, so that two runs which differ are not the same by chance.
    let mut order = 0;
    for _ in 0..20 {
        let branch = tokio::select! {
            () = std::future::ready(()) => 0,
            () = std::future::ready(()) => 1,
        };
        order = 2 * order + branch;
    }
    order
});
leak!(a_static: Reported, Equal; Reported, Equal; VISITS.fetch_add(1, Ordering::Relaxed) as u64);
leak!(an_address: Equal, Reported; Equal, Reported; std::ptr::from_ref(&VISITS).addr() as u64);
leak!(an_address_in_ahash: Reported, Reported; Reported, Reported; {
    ahash::RandomState::new().hash_one(7)
});
leak!(a_process_number: Equal, Reported; Equal, Reported; u64::from(std::process::id()));
leak!(a_sleep: Equal, Equal; Refused, Refused; {
    std::thread::sleep(Duration::from_millis(1));
    0
});
leak!(a_thread: Equal, Equal; Refused, Refused; {
    let builder = std::thread::Builder::new().stack_size(1 << 20);
    builder.spawn(|| {}).map_or(0, |thread| u64::from(thread.join().is_ok()))
});

/// Uses what a crate uses that knows nothing of simulations.
pub(crate) async fn program_of_strangers() {
    let (first, second) = (tokio::sync::Notify::new(), tokio::sync::Notify::new());
    first.notify_one();
    second.notify_one();
    let branch = tokio::select! {
        () = first.notified() => 1,
        () = second.notified() => 2,
    };
    tell(branch).await;
    tell(hash_order()).await;
    tell(uuid::Uuid::new_v4().as_u64_pair().1).await;
    tell(rand::random_range(0..1_000_000)).await;
}
