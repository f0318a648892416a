//! Connections that are idle for too long, or too old.

use super::*;

#[test]
fn a_connection_that_was_idle_for_too_long_is_closed() {
    on_every_seed(|| async {
        let server = Server::default();
        let pool = server.pool().max(3).idle_timeout(secs(10)).build().await.unwrap();
        drop(pool.get().await.unwrap());
        sleep(secs(10) - nanos(1)).await;
        assert_eq!(pool.get().await.unwrap().number, 0, "in time");
        sleep(secs(10)).await;
        assert_eq!(pool.get().await.unwrap().number, 1);
        assert_eq!(server.alive(), 1);
    });
}

#[test]
fn the_least_number_of_connections_is_kept_however_idle() {
    on_every_seed(|| async {
        let server = Server::default();
        let pool = server.pool().min(2).max(5).idle_timeout(secs(10)).build().await.unwrap();
        let burst: Vec<_> = {
            let mut burst = Vec::new();
            for _ in 0..5 {
                burst.push(pool.get().await.unwrap());
            }
            burst
        };
        drop(burst);
        assert_eq!(pool.status().idle, 5);
        sleep(secs(60)).await;
        drop(pool.get().await.unwrap());
        assert_eq!((pool.status().idle, server.alive(), server.made()), (2, 2, 5));
    });
}

#[test]
fn the_connection_in_use_last_is_used_first_so_that_the_others_age() {
    on_every_seed(|| async {
        let server = Server::default();
        let pool = server.pool().max(3).idle_timeout(secs(10)).build().await.unwrap();
        let burst =
            [pool.get().await.unwrap(), pool.get().await.unwrap(), pool.get().await.unwrap()];
        drop(burst);
        for _ in 0..5 {
            sleep(secs(5)).await;
            assert_eq!(pool.get().await.unwrap().number, 2);
        }
        assert_eq!((pool.status().idle, server.alive()), (1, 1));
    });
}

#[test]
fn a_connection_that_is_too_old_is_closed_when_it_comes_back_or_is_idle() {
    on_every_seed(|| async {
        let server = Server::default();
        let pool = server.pool().min(1).max(2).max_lifetime(secs(60)).build().await.unwrap();
        sleep(secs(60) - nanos(1)).await;
        let connection = pool.get().await.unwrap();
        assert_eq!((connection.number, server.alive()), (0, 1), "in time");
        sleep(secs(1)).await;
        drop(connection);
        // It came back too old, and another is made for the least number.
        settle().await;
        assert_eq!((server.made(), counts(&pool)), (2, (1, 0, 0, 0, 0)));
        sleep(secs(60)).await;
        assert_eq!(pool.get().await.unwrap().number, 2, "the one that is idle is too old too");
        settle().await;
        assert_eq!(server.alive(), pool.status().size());
    });
}
