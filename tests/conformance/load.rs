//! Load.

use std::future::pending;

use parcae::load::{Arrivals, Class, closed, open};
use parcae::time::{Instant, sleep};

use crate::clock::{HOUR, assert_time, beats};
use crate::journal::Journal;

conformance! {
    async fn requests_of_an_open_load_come_whatever_the_replies_take() {
        let (starts, begin) = (Journal::new(), Instant::now());
        let entries = starts.clone();
        let request = move |number: u64| {
            let entries = entries.clone();
            async move {
                entries.add((number, begin.elapsed()));
                sleep(beats(2)).await;
            }
        };
        let report = open(Arrivals::per_second(100), 5).run(request, |()| Class::Ok).await;
        assert_eq!((report.counts().ok, report.counts().total()), (5, 5));
        assert!(report.p50() >= beats(2) && report.max() >= report.p50());
        assert_time(report.elapsed(), std::time::Duration::from_millis(40) + beats(2));
        let starts = starts.take();
        assert_eq!(starts.len(), 5);
        for (number, start) in starts {
            assert_time(start, std::time::Duration::from_millis(10 * number));
        }
    }

    async fn users_of_a_closed_load_wait_for_their_replies() {
        let request = |user: u64| async move {
            sleep(beats(1)).await;
            if user == 1 { Err("not found") } else { Ok(user) }
        };
        let classify =
            |reply: &Result<u64, &str>| if reply.is_ok() { Class::Ok } else { Class::Error };
        let report = closed(3, 2).think(beats(1)).run(request, classify).await;
        assert_eq!((report.counts().ok, report.counts().error), (4, 2));
        assert_time(report.elapsed(), beats(3));
        assert_time(report.p50(), beats(1));
    }

    async fn a_request_that_takes_too_long_is_cancelled_and_counted_as_that() {
        let journal = Journal::new();
        let entries = journal.clone();
        let request = move |_| {
            let guard = entries.on_drop("cut off");
            async move {
                let _guard = guard;
                pending::<()>().await;
            }
        };
        let report = closed(2, 1).timeout(beats(2)).run(request, |()| Class::Ok).await;
        assert_eq!(report.counts().timed_out, 2);
        assert_eq!(journal.take(), ["cut off"; 2]);
        assert_time(report.max(), beats(2));
        let quick = closed(2, 1).timeout(HOUR).run(|_| async {}, |()| Class::Ok).await;
        assert_eq!(quick.counts().ok, 2);
    }

    async fn random_arrivals_all_come() {
        let arrivals = Arrivals::per_second(2_000).poisson();
        let report = open(arrivals, 50).run(|_| async {}, |()| Class::Ok).await;
        assert_eq!(report.counts().ok, 50);
    }
}
