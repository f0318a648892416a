//! Pools of connections.

use std::cell::Cell;
use std::future::pending;
use std::rc::Rc;

use parcae::pool::{GetError, Manage, Pool, Pooled};
use parcae::spawn;
use parcae::sync::Event;
use parcae::task::{gather, settle, yield_now};
use parcae::time::{sleep, timeout};

use crate::clock::{HOUR, Stopwatch, beats};
use crate::journal::Journal;

/// Makes connections that have numbers, from 0 on.
#[derive(Clone)]
struct Database {
    made: Rc<Cell<u32>>,
    closed: Journal<u32>,
    is_down: Rc<Cell<bool>>,
    is_healthy: Rc<Cell<bool>>,
    /// Unset while connecting hangs.
    answers: Rc<Event>,
}

impl Database {
    fn new() -> Self {
        let answers = Event::new();
        answers.set();
        Self {
            made: Rc::default(),
            closed: Journal::new(),
            is_down: Rc::default(),
            is_healthy: Rc::new(Cell::new(true)),
            answers: Rc::new(answers),
        }
    }
}

struct Connection {
    number: u32,
    closed: Journal<u32>,
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.closed.add(self.number);
    }
}

impl Manage for Database {
    type Connection = Connection;
    type Error = &'static str;

    async fn connect(&self) -> Result<Connection, &'static str> {
        self.answers.wait().await;
        yield_now().await;
        if self.is_down.get() {
            return Err("down");
        }
        let number = self.made.replace(self.made.get() + 1);
        Ok(Connection { number, closed: self.closed.clone() })
    }

    async fn is_healthy(&self, _: &mut Connection) -> bool {
        yield_now().await;
        self.is_healthy.get()
    }
}

/// Spawns a task that gets a connection and tells its number.
fn getter(pool: &Pool<Database>) -> parcae::Task<Result<u32, GetError<&'static str>>> {
    let pool = pool.clone();
    spawn(async move { pool.get().await.map(|connection| connection.number) })
}

/// Gets a connection that is in use until it is dropped.
async fn get(pool: &Pool<Database>) -> Pooled<Database> {
    pool.get().await.unwrap()
}

conformance! {
    async fn a_connection_is_used_again() {
        let database = Database::new();
        let pool = Pool::builder(database.clone()).max(5).build().await.unwrap();
        for _ in 0..3 {
            assert_eq!(get(&pool).await.number, 0);
        }
        assert_eq!((database.made.get(), pool.status().idle), (1, 1));
    }

    async fn the_least_number_of_connections_is_made_at_the_start() {
        let database = Database::new();
        let pool = Pool::builder(database.clone()).min(3).build().await.unwrap();
        assert_eq!((database.made.get(), pool.status().idle), (3, 3));
        database.is_down.set(true);
        assert!(matches!(Pool::builder(database).min(1).build().await, Err("down")));
    }

    async fn no_more_connections_are_made_than_there_may_be() {
        let database = Database::new();
        let pool = Pool::builder(database.clone()).max(2).build().await.unwrap();
        let users: Vec<_> = (0..10)
            .map(|_| {
                let pool = pool.clone();
                spawn(async move {
                    let _connection = pool.get().await.unwrap();
                    assert!(pool.status().size() <= 2);
                    yield_now().await;
                })
            })
            .collect();
        gather(users).await;
        assert!(database.made.get() <= 2);
    }

    async fn callers_are_served_in_the_order_in_which_they_asked() {
        let pool = Pool::builder(Database::new()).max(1).build().await.unwrap();
        let journal = Journal::new();
        let held = get(&pool).await;
        let mut callers = Vec::new();
        for name in ["one", "two", "three"] {
            let (pool, journal) = (pool.clone(), journal.clone());
            callers.push(spawn(async move {
                let _connection = pool.get().await.unwrap();
                journal.add(name);
            }));
            settle().await;
        }
        assert_eq!(pool.status().waiting, 3);
        drop(held);
        gather(callers).await;
        assert_eq!(journal.take(), ["one", "two", "three"]);
    }

    async fn a_connection_that_was_handed_to_who_is_dropped_goes_to_the_next() {
        let pool = Pool::builder(Database::new()).max(1).build().await.unwrap();
        let held = get(&pool).await;
        let first = getter(&pool);
        settle().await;
        let second = getter(&pool);
        settle().await;
        drop(held);
        assert!(first.cancel().await.is_none());
        assert_eq!(second.await, Ok(0));
        assert_eq!(pool.status().idle, 1);
    }

    async fn a_connection_on_its_way_to_who_gives_up_is_kept() {
        let database = Database::new();
        let pool = Pool::builder(database.clone()).max(1).build().await.unwrap();
        database.answers.clear();
        assert!(timeout(beats(1), pool.get()).await.is_err());
        assert_eq!(pool.status().connecting, 1);
        database.answers.set();
        settle().await;
        assert_eq!((pool.status().idle, database.made.get()), (1, 1));
    }

    async fn a_caller_gives_up_when_its_time_is_over() {
        let pool =
            Pool::builder(Database::new()).max(1).acquire_timeout(beats(2)).build().await.unwrap();
        let held = loop {
            // On real time the first one may take too long as well.
            if let Ok(connection) = pool.get().await {
                break connection;
            }
        };
        let watch = Stopwatch::start();
        let error = pool.get().await.map(|_| ()).unwrap_err();
        assert_eq!(error, GetError::TimedOut { after: beats(2) });
        watch.took(beats(2));
        drop(held);
        assert_eq!(pool.status().waiting, 0);
    }

    async fn a_connection_that_cannot_be_made_is_an_error_of_who_waits() {
        let database = Database::new();
        let pool = Pool::builder(database.clone()).build().await.unwrap();
        database.is_down.set(true);
        assert_eq!(getter(&pool).await, Err(GetError::Connect("down")));
        database.is_down.set(false);
        assert_eq!(getter(&pool).await, Ok(0));
    }

    async fn a_poisoned_connection_is_closed_and_not_used_again() {
        let database = Database::new();
        let pool = Pool::builder(database.clone()).max(1).build().await.unwrap();
        let mut connection = get(&pool).await;
        connection.poison();
        assert!(connection.is_poisoned());
        drop(connection);
        assert_eq!(get(&pool).await.number, 1);
        assert_eq!(database.closed.take(), [0]);
    }

    async fn a_cancelled_user_gives_its_connection_back() {
        let database = Database::new();
        let pool = Pool::builder(database.clone()).max(1).build().await.unwrap();
        let user = spawn({
            let pool = pool.clone();
            async move {
                let _connection = get(&pool).await;
                pending::<()>().await;
            }
        });
        settle().await;
        assert_eq!(pool.status().borrowed, 1);
        drop(user);
        assert_eq!(get(&pool).await.number, 0);
    }

    async fn a_connection_that_was_idle_for_too_long_is_closed_at_the_next_use() {
        let database = Database::new();
        let pool = Pool::builder(database.clone()).idle_timeout(beats(1)).build().await.unwrap();
        drop(get(&pool).await);
        sleep(beats(2)).await;
        assert_eq!(get(&pool).await.number, 1);
        assert_eq!(database.closed.take(), [0]);
    }

    async fn a_connection_that_is_too_old_is_closed_when_it_is_idle() {
        let database = Database::new();
        let pool = Pool::builder(database.clone()).max_lifetime(beats(1)).build().await.unwrap();
        let old = get(&pool).await;
        sleep(beats(2)).await;
        drop(old);
        assert!(get(&pool).await.number >= 1);
        assert_eq!(database.closed.take().first(), Some(&0));
    }

    async fn a_connection_that_lives_long_enough_is_kept() {
        let database = Database::new();
        let pool = Pool::builder(database.clone())
            .idle_timeout(HOUR)
            .max_lifetime(HOUR)
            .build()
            .await
            .unwrap();
        drop(get(&pool).await);
        sleep(beats(1)).await;
        assert_eq!(get(&pool).await.number, 0);
    }

    async fn a_connection_that_is_ill_is_replaced_before_it_is_handed_out() {
        let database = Database::new();
        let pool = Pool::builder(database.clone()).test_on_acquire(true).build().await.unwrap();
        drop(get(&pool).await);
        assert_eq!(get(&pool).await.number, 0);
        database.is_healthy.set(false);
        assert_eq!(get(&pool).await.number, 1);
        assert_eq!(database.closed.take(), [0]);
    }

    async fn surplus_connections_are_closed_when_they_come_back() {
        let database = Database::new();
        let pool = Pool::builder(database.clone()).max(1).overflow(1).build().await.unwrap();
        let (one, two) = (get(&pool).await, get(&pool).await);
        assert_eq!(pool.status().borrowed, 2);
        drop((one, two));
        assert_eq!((pool.status().idle, database.closed.take().len()), (1, 1));
    }

    async fn a_pool_is_closed_when_all_connections_have_come_back() {
        let database = Database::new();
        let pool = Pool::builder(database.clone()).max(1).build().await.unwrap();
        let held = get(&pool).await;
        let waiter = getter(&pool);
        settle().await;
        let closing = spawn({
            let pool = pool.clone();
            async move { pool.close().await }
        });
        assert_eq!(waiter.await, Err(GetError::Closed));
        assert!(!closing.is_finished());
        drop(held);
        closing.await;
        assert!(pool.is_closed());
        assert_eq!(getter(&pool).await, Err(GetError::Closed));
        assert_eq!(database.closed.take(), [0]);
    }
}
