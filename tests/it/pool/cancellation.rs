//! Callers of a pool that give up.

use parcae::executor::DomainId;
use parcae::task::Builder;

use super::*;
use crate::runs::{discard, dropped_after};

/// Nothing is under way, and each connection that is alive is one that the pool knows.
#[track_caller]
fn assert_at_rest(pool: &Pool<Server>, server: &Server) {
    let status = pool.status();
    assert_eq!((status.connecting, status.testing, status.waiting), (0, 0, 0), "{status:?}");
    assert_eq!(status.size(), server.alive(), "{status:?}");
}

#[test]
fn twenty_impatient_clients_of_a_slow_pool_leave_it_whole() {
    // sqlx#83, sqlx#1869, asyncpg#548: a caller was cancelled between taking an idle connection and
    // returning it to who asked, and the place of the connection was gone.
    on_every_seed(|| async {
        let server = Server::new(millis(30));
        server.0.ping_time.set(millis(40));
        let pool = server.pool().max(2).test_on_acquire(true).named("db").build().await.unwrap();
        let clients: Vec<_> = (0..20)
            .map(|_| {
                let pool = pool.clone();
                spawn(async move {
                    sleep(millis(parcae::choose(0..200))).await;
                    match timeout(millis(50), pool.get()).await {
                        Ok(connection) => {
                            sleep(millis(parcae::choose(0..20))).await;
                            drop(connection.expect("the server is up"));
                            1
                        }
                        Err(_) => 0,
                    }
                })
            })
            .collect();
        let mut served = 0;
        for client in clients {
            served += client.await;
            assert!(pool.status().size() <= 2);
        }
        sleep(secs(1)).await;
        assert_at_rest(&pool, &server);
        assert_eq!(pool.status().borrowed, 0);
        let late = pool.get().await.expect("a late client gets a connection");
        assert_eq!((pool.status().borrowed, server.alive()), (1, pool.status().size()));
        drop(late);
        served
    })
    .into_iter()
    .for_each(|served| assert!(served > 0, "somebody is served"));
}

#[test]
fn a_connection_that_was_made_for_a_caller_that_left_goes_to_the_next() {
    // sqlx#3513: the attempt to connect died with the caller, and each later caller began anew.
    on_every_seed(|| async {
        let server = Server::new(millis(100));
        let pool = server.pool().max(1).build().await.unwrap();
        let start = Instant::now();
        let impatient = spawn({
            let pool = pool.clone();
            async move { timeout(millis(60), pool.get()).await.is_err() }
        });
        settle().await;
        let next = spawn({
            let pool = pool.clone();
            async move { pool.get().await.unwrap().number }
        });
        assert!(impatient.await);
        assert_eq!((next.await, start.elapsed()), (0, millis(100)));
        assert_eq!(server.made(), 1);
    });
}

#[test]
fn a_connection_that_was_made_for_nobody_any_more_is_idle() {
    on_every_seed(|| async {
        let server = Server::new(millis(100));
        let pool = server.pool().max(1).build().await.unwrap();
        for _ in 0..5 {
            timeout(millis(15), pool.get()).await.err().expect("too early");
        }
        assert_eq!((counts(&pool), server.made()), ((0, 0, 1, 0, 0), 1), "one for all of them");
        sleep(millis(100)).await;
        assert_eq!(counts(&pool), (1, 0, 0, 0, 0));
    });
}

#[test]
fn an_assigned_connection_is_passed_on_before_the_drop_returns() {
    on_every_seed(|| async {
        let server = Server::default();
        let pool = server.pool().max(1).build().await.unwrap();
        let held = pool.get().await.unwrap();
        let mut first = Box::pin(pool.get());
        assert!(futures::poll!(first.as_mut()).is_pending());
        let mut second = Box::pin(pool.get());
        while pool.status().waiting < 2 {
            // The point in front may be preempted.
            assert!(futures::poll!(first.as_mut()).is_pending());
            assert!(futures::poll!(second.as_mut()).is_pending());
        }
        drop(held);
        drop(first); // it was its turn
        let connection = second.await.unwrap();
        assert_eq!((connection.number, server.made()), (0, 1));
    });
}

#[test]
fn what_was_assigned_to_the_only_caller_and_not_taken_is_kept_and_an_error_is_not() {
    on_every_seed(|| async {
        let server = Server::new(millis(10));
        let pool = server.pool().max(1).build().await.unwrap();
        for is_refused in [true, false] {
            server.0.refused.borrow_mut().push_back(is_refused);
            let mut caller = Box::pin(pool.get());
            while pool.status().waiting == 0 {
                assert!(futures::poll!(caller.as_mut()).is_pending());
            }
            sleep(millis(10)).await;
            settle().await;
            assert_eq!(pool.status().waiting, 1, "it does not know yet");
            drop(caller);
            assert_eq!(counts(&pool), (usize::from(!is_refused), 0, 0, 0, 0));
        }
        let connection = pool.get().await.expect("nobody gets the error of long ago");
        assert_eq!((connection.number, server.made()), (1, 2));
    });
}

#[test]
fn an_error_for_a_caller_that_left_is_the_next_ones() {
    on_every_seed(|| async {
        let server = Server::new(millis(10));
        server.0.refused.borrow_mut().push_back(true);
        let pool = server.pool().max(1).build().await.unwrap();
        let impatient = spawn({
            let pool = pool.clone();
            async move { timeout(millis(5), pool.get()).await.is_err() }
        });
        settle().await;
        let journal = Journal::new();
        let next = client(&pool, millis(0), &journal, "next");
        assert!(impatient.await);
        next.await;
        assert_eq!(journal.take(), [("next", Err(GetError::Connect(Refused(0))))]);
        assert_at_rest(&pool, &server);
    });
}

#[test]
fn a_caller_may_be_dropped_at_each_of_its_polls() {
    for is_tested in [false, true] {
        for polls in 0..12 {
            on_every_seed(move || async move {
                let server = Server::new(millis(3));
                server.0.ping_time.set(millis(2));
                let pool = server.pool().max(2).test_on_acquire(is_tested).build().await.unwrap();
                let journal = Journal::new();
                let before = client(&pool, millis(4), &journal, "before");
                let own = pool.clone();
                let dropped = spawn(async move { drop(dropped_after(polls, own.get()).await) });
                let after = [(); 2].map(|()| client(&pool, millis(1), &journal, "after"));
                dropped.await;
                before.await;
                for task in after {
                    task.await;
                }
                assert_eq!(journal.count(), 3);
                settle().await;
                sleep(millis(20)).await;
                assert_at_rest(&pool, &server);
                assert!(pool.status().size() <= 2);
                drop(pool.get().await.unwrap());
            });
        }
    }
}

#[test]
fn a_close_may_be_dropped_at_each_of_its_polls() {
    for polls in 0..5 {
        on_every_seed(move || async move {
            let server = Server::new(millis(1));
            let pool = server.pool().max(1).build().await.unwrap();
            let journal = Journal::new();
            let clients = [(); 2].map(|()| client(&pool, millis(2), &journal, "client"));
            yield_now().await;
            discard(dropped_after(polls, pool.close()).await);
            for client in clients {
                client.await;
            }
            pool.close().await;
            sleep(millis(5)).await;
            assert_eq!((server.alive(), pool.status().size()), (0, 0));
        });
    }
}

#[test]
fn a_storm_without_pauses_loses_no_connection() {
    // Random schedules, nothing settles: only that all ends, and that nothing is lost.
    on_every_seed(|| async {
        let server = Server::default();
        let pool = server.pool().max(3).build().await.unwrap();
        let gate = Rc::new(Event::new());
        let tasks: Vec<_> = (0..20)
            .map(|_| {
                let (pool, gate) = (pool.clone(), gate.clone());
                spawn(async move {
                    passes(&gate).await;
                    let polls = parcae::choose(0..8);
                    let got = dropped_after(polls, pool.get()).await;
                    yield_now().await;
                    drop(got);
                    drop(pool.get().await.unwrap());
                })
            })
            .collect();
        gate.set();
        for task in tasks {
            task.await;
        }
        settle().await;
        assert_at_rest(&pool, &server);
    });
}

#[test]
fn who_waits_for_a_connection_that_died_with_a_domain_has_another_made() {
    on_every_seed(|| async {
        let server = Server::new(millis(10));
        let pool = server.pool().max(1).build().await.unwrap();
        let (domain, start) = (DomainId::create("node", 0), Instant::now());
        let own = pool.clone();
        let inhabitant = Builder::new().domain(domain).spawn(async move {
            drop(own.get().await);
        });
        settle().await;
        let journal = Journal::new();
        let waiters = [(); 2].map(|()| client(&pool, millis(0), &journal, "waiter"));
        sleep(millis(4)).await;
        assert_eq!(counts(&pool), (0, 0, 1, 0, 3));
        domain.kill();
        for waiter in waiters {
            waiter.await;
        }
        drop(inhabitant);
        assert_eq!(journal.take(), [("waiter", Ok(1)), ("waiter", Ok(1))]);
        assert_eq!(start.elapsed(), millis(14));
        assert_at_rest(&pool, &server);
    });
}

#[test]
fn a_connection_that_cannot_be_made_in_a_dead_domain_is_made_by_who_waits() {
    on_every_seed(|| async {
        let server = Server::default();
        let pool = server.pool().max(1).build().await.unwrap();
        let (domain, own) = (DomainId::create("node", 0), pool.clone());
        let holder = Builder::new().domain(domain).spawn(async move {
            let mut connection = own.get().await.unwrap();
            connection.poison();
            sleep(secs(60)).await;
        });
        settle().await;
        let journal = Journal::new();
        let waiter = client(&pool, millis(0), &journal, "waiter");
        settle().await;
        domain.kill();
        waiter.await;
        drop(holder);
        assert_eq!(journal.take(), [("waiter", Ok(1))]);
        assert_at_rest(&pool, &server);
    });
}

#[test]
fn a_pool_goes_on_when_a_domain_dies_that_uses_it() {
    on_every_seed(|| async {
        let server = Server::new(millis(10));
        let pool = server.pool().max(1).build().await.unwrap();
        let domain = DomainId::create("node", 0);
        let inhabitants: Vec<_> = (0..3)
            .map(|_| {
                let pool = pool.clone();
                Builder::new().domain(domain).spawn(async move {
                    let connection = pool.get().await;
                    sleep(secs(60)).await;
                    drop(connection);
                })
            })
            .collect();
        sleep(nanos(parcae::choose(1..20_000_000))).await;
        domain.kill();
        settle().await;
        drop(inhabitants);
        let connection = pool.get().await.unwrap();
        assert_eq!((pool.status().borrowed, server.alive()), (1, 1));
        drop(connection);
        assert_at_rest(&pool, &server);
    });
}

#[test]
fn everything_at_once_loses_no_connection_and_leaves_nobody_waiting() {
    on_every_seed(|| async {
        let server = Server::new(millis(parcae::choose(0..6)));
        server.0.ping_time.set(millis(parcae::choose(0..4)));
        let refused = (0..40).map(|_| parcae::choose(0..5) == 4);
        server.0.refused.borrow_mut().push_back(false);
        server.0.refused.borrow_mut().extend(refused);
        let pool =
            server.pool().min(1).max(2).overflow(1).test_on_acquire(parcae::choose(0..2) == 1);
        let pool = pool.idle_timeout(millis(20)).max_lifetime(millis(40));
        let pool = pool.acquire_timeout(millis(parcae::choose(1..30))).build().await.unwrap();
        let domains = [0, 1].map(|incarnation| DomainId::create("node", incarnation));
        let tasks: Vec<_> = (0..12)
            .map(|client| {
                let domain = [domains[0], domains[1], DomainId::ROOT][client % 3];
                Builder::new().domain(domain).spawn(reckless(pool.clone(), server.clone()))
            })
            .collect();
        sleep(millis(parcae::choose(0..60))).await;
        domains[0].kill();
        for (client, task) in tasks.into_iter().enumerate() {
            assert!(task.join().await.is_ok() || client % 3 == 0);
        }
        server.0.refused.borrow_mut().clear();
        sleep(secs(1)).await;
        assert_at_rest(&pool, &server);
        let all = [at_last(&pool).await, at_last(&pool).await, at_last(&pool).await];
        assert_eq!((pool.status().borrowed, server.alive()), (3, 3));
        drop(all);
        pool.close().await;
        sleep(secs(1)).await;
        assert_at_rest(&pool, &server);
        assert_eq!(server.alive(), 0);
    });
}

/// A client that gives up, poisons and breaks connections.
async fn reckless(pool: Pool<Server>, server: Server) {
    for _ in 0..4 {
        sleep(millis(parcae::choose(0..20))).await;
        let got = timeout(millis(parcae::choose(1..20)), pool.get()).await;
        assert!(pool.status().size() <= 3 && server.alive() <= 3, "{pool:?}");
        let Ok(Ok(mut connection)) = got else { continue };
        sleep(millis(parcae::choose(0..10))).await;
        match parcae::choose(0..4) {
            2 => connection.poison(),
            3 => server.0.broken.borrow_mut().push(connection.number),
            _ => {}
        }
    }
}

/// Gets a connection, however long that takes and how often the time is over.
async fn at_last(pool: &Pool<Server>) -> Pooled<Server> {
    loop {
        match pool.get().await {
            Ok(connection) => return connection,
            Err(GetError::TimedOut { .. }) => sleep(millis(1)).await,
            Err(error) => panic!("{error:?}"),
        }
    }
}
