//! Tests of `parcae::pool`.

mod cancellation;
mod lifetimes;

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;
use std::time::Duration;

use parcae::executor::Watch;
use parcae::pool::{GetError, Manage, Pool, PoolBuilder, Pooled, Status};
use parcae::sync::Event;
use parcae::task::{settle, yield_now};
use parcae::time::{Instant, sleep, timeout};
use parcae::{Sim, Task, spawn, spawn_named};

use crate::runs::{Journal, SEEDS, fifo, millis, nanos, on_every_seed, panicked, secs};

/// A server that counts its connections.
#[derive(Clone, Default)]
struct Server(Rc<Data>);

#[derive(Default)]
struct Data {
    connect_time: Cell<Duration>,
    ping_time: Cell<Duration>,
    /// What the next tries to connect come to; after them all succeed.
    refused: RefCell<VecDeque<bool>>,
    made: Cell<usize>,
    alive: Cell<usize>,
    most: Cell<usize>,
    pings: Cell<usize>,
    /// Connections that answer no ping any more.
    broken: RefCell<Vec<usize>>,
}

#[derive(Debug, PartialEq, Eq)]
struct Refused(usize);

struct Connection {
    number: usize,
    server: Server,
}

impl Drop for Connection {
    fn drop(&mut self) {
        let alive = &self.server.0.alive;
        alive.set(alive.get() - 1);
    }
}

impl Server {
    fn new(connect_time: Duration) -> Self {
        let server = Self::default();
        server.0.connect_time.set(connect_time);
        server
    }

    fn pool(&self) -> PoolBuilder<Self> {
        Pool::builder(self.clone())
    }

    fn alive(&self) -> usize {
        self.0.alive.get()
    }

    fn made(&self) -> usize {
        self.0.made.get()
    }
}

impl Manage for Server {
    type Connection = Connection;
    type Error = Refused;

    async fn connect(&self) -> Result<Connection, Refused> {
        let number = self.made();
        self.0.made.set(number + 1);
        yield_now().await;
        if !self.0.connect_time.get().is_zero() {
            sleep(self.0.connect_time.get()).await;
        }
        if self.0.refused.borrow_mut().pop_front().unwrap_or(false) {
            return Err(Refused(number));
        }
        let (alive, most) = (&self.0.alive, &self.0.most);
        alive.set(alive.get() + 1);
        most.set(most.get().max(alive.get()));
        Ok(Connection { number, server: self.clone() })
    }

    async fn is_healthy(&self, connection: &mut Connection) -> bool {
        self.0.pings.set(self.0.pings.get() + 1);
        sleep(self.0.ping_time.get()).await;
        !self.0.broken.borrow().contains(&connection.number)
    }
}

/// A server whose connections may move between threads.
struct Plain;

impl Manage for Plain {
    type Connection = u8;
    type Error = ();

    async fn connect(&self) -> Result<u8, ()> {
        Ok(1)
    }

    async fn is_healthy(&self, _: &mut u8) -> bool {
        true
    }
}

/// Returns (idle, borrowed, connecting, testing, waiting).
fn counts(pool: &Pool<Server>) -> (usize, usize, usize, usize, usize) {
    let Status { idle, borrowed, connecting, testing, waiting, .. } = pool.status();
    (idle, borrowed, connecting, testing, waiting)
}

/// The number of a connection, or why there was none.
type Got = Result<usize, GetError<Refused>>;

/// Spawns a task that gets a connection, holds it for so long and journals what it was.
fn client(
    pool: &Pool<Server>,
    hold: Duration,
    journal: &Journal<(&'static str, Got)>,
    name: &'static str,
) -> Task<()> {
    let (pool, journal) = (pool.clone(), journal.clone());
    spawn(async move {
        let connection = pool.get().await;
        journal.add((name, connection.as_ref().map(number_of).map_err(copy)));
        sleep(hold).await;
        drop(connection);
    })
}

fn number_of(connection: &Pooled<Server>) -> usize {
    connection.number
}

fn copy(error: &GetError<Refused>) -> GetError<Refused> {
    match error {
        GetError::Connect(Refused(number)) => GetError::Connect(Refused(*number)),
        GetError::TimedOut { after } => GetError::TimedOut { after: *after },
        _ => GetError::Closed,
    }
}

// Getting and giving back

#[test]
fn a_connection_is_made_when_it_is_needed_and_used_again() {
    on_every_seed(|| async {
        let server = Server::new(millis(10));
        let pool = server.pool().max(3).build().await.unwrap();
        assert_eq!((server.made(), counts(&pool)), (0, (0, 0, 0, 0, 0)));
        let start = Instant::now();
        let first = pool.get().await.unwrap();
        assert_eq!((first.number, start.elapsed()), (0, millis(10)));
        let second = pool.get().await.unwrap();
        assert_eq!((second.number, counts(&pool)), (1, (0, 2, 0, 0, 0)));
        drop(first);
        drop(second);
        assert_eq!(counts(&pool), (2, 0, 0, 0, 0));
        let again = pool.get().await.unwrap();
        assert_eq!(again.number, 1, "the one that was in use last");
        assert_eq!((server.made(), start.elapsed()), (2, millis(20)));
    });
}

#[test]
fn the_first_connections_are_made_beside_each_other_before_there_is_a_pool() {
    on_every_seed(|| async {
        let server = Server::new(millis(10));
        let start = Instant::now();
        let pool = server.pool().min(5).max(20).build().await.unwrap();
        assert_eq!((start.elapsed(), counts(&pool)), (millis(10), (5, 0, 0, 0, 0)));

        server.0.refused.borrow_mut().extend([false, true, false]);
        let error = server.pool().min(3).build().await.unwrap_err();
        assert!(matches!(error, Refused(5..=7)));
        settle().await;
        assert_eq!(server.alive(), 5, "what was made for it is closed");
    });
}

#[test]
fn callers_get_connections_in_the_order_in_which_they_came() {
    on_every_seed(|| async {
        let server = Server::new(millis(1));
        let pool = server.pool().max(2).build().await.unwrap();
        let journal = Journal::new();
        let mut tasks = Vec::new();
        for name in ["a", "b", "c", "d", "e", "f"] {
            tasks.push(client(&pool, millis(10), &journal, name));
            settle().await;
        }
        assert_eq!(pool.status().waiting, 6, "two of them for what is being made");
        for task in tasks {
            task.await;
        }
        let names: Vec<_> = journal.take().into_iter().map(|(name, _)| name).collect();
        // Two at a time go on in one instant, in the order that the schedule gives them.
        for (pair, expected) in names.chunks(2).zip([["a", "b"], ["c", "d"], ["e", "f"]]) {
            assert!(pair == expected || pair == [expected[1], expected[0]], "{names:?}");
        }
        assert_eq!(server.made(), 2);
    });
}

#[test]
fn a_connection_that_is_assigned_cannot_be_taken_by_a_newcomer() {
    on_every_seed(|| async {
        let server = Server::default();
        let pool = server.pool().max(1).build().await.unwrap();
        let held = pool.get().await.unwrap();
        let journal = Journal::new();
        let waiter = client(&pool, millis(0), &journal, "waiter");
        settle().await;
        drop(held);
        // The waiter has not run yet.
        let newcomer = pool.get().await.unwrap();
        journal.add(("newcomer", Ok(newcomer.number)));
        drop(newcomer);
        waiter.await;
        assert_eq!(journal.take(), [("waiter", Ok(0)), ("newcomer", Ok(0))]);
    });
}

#[test]
fn a_connection_that_comes_back_is_not_kept_waiting_by_one_that_is_being_made() {
    on_every_seed(|| async {
        let server = Server::new(secs(1));
        let pool = server.pool().max(2).build().await.unwrap();
        let held = pool.get().await.unwrap();
        let (start, journal) = (Instant::now(), Journal::new());
        let waiter = client(&pool, millis(0), &journal, "waiter");
        sleep(millis(100)).await;
        assert_eq!(counts(&pool), (0, 1, 1, 0, 1));
        drop(held);
        waiter.await;
        assert_eq!(start.elapsed(), millis(100));
        sleep(secs(1)).await;
        assert_eq!(counts(&pool), (2, 0, 0, 0, 0), "the new one is idle");
    });
}

#[test]
fn there_are_never_more_connections_than_may_be() {
    on_every_seed(|| async {
        let server = Server::new(millis(5));
        server.0.ping_time.set(millis(1));
        let pool = server.pool().min(1).max(4).test_on_acquire(true).build().await.unwrap();
        let tasks: Vec<_> = (0..30)
            .map(|_| {
                let (pool, server) = (pool.clone(), server.clone());
                spawn(async move {
                    sleep(millis(parcae::choose(0..40))).await;
                    let patience = millis(parcae::choose(1..30));
                    let got = timeout(patience, pool.get()).await;
                    assert!(pool.status().size() <= 4 && server.alive() <= 4, "{pool:?}");
                    if let Ok(Ok(mut connection)) = got {
                        sleep(millis(parcae::choose(0..10))).await;
                        (parcae::choose(0..4) == 0).then(|| connection.poison());
                    }
                    assert!(pool.status().size() <= 4 && server.alive() <= 4, "{pool:?}");
                })
            })
            .collect();
        for task in tasks {
            task.await;
        }
        assert!(server.0.most.get() <= 4);
        sleep(secs(1)).await;
        let (idle, borrowed, connecting, testing, waiting) = counts(&pool);
        assert_eq!((borrowed, connecting, testing, waiting), (0, 0, 0, 0));
        assert_eq!(idle, server.alive(), "each one is idle, and none is lost");
        assert!(idle >= 1, "the least number is kept");
        drop(pool.get().await.unwrap());
    });
}

#[test]
fn a_burst_overflows_and_what_is_too_many_is_closed_afterwards() {
    on_every_seed(|| async {
        let server = Server::new(millis(1));
        let pool = server.pool().max(10).overflow(20).build().await.unwrap();
        let journal = Journal::new();
        let clients: Vec<_> =
            (0..40).map(|_| client(&pool, millis(50), &journal, "client")).collect();
        sleep(millis(25)).await;
        assert_eq!((counts(&pool), server.alive()), ((0, 30, 0, 0, 10), 30));
        for client in clients {
            client.await;
        }
        settle().await;
        assert_eq!((counts(&pool), server.alive()), ((10, 0, 0, 0, 0), 10));
        assert_eq!((server.0.most.get(), journal.count()), (30, 40));
    });
}

// Failing

#[test]
fn an_error_goes_to_the_caller_that_waited_longest_and_the_next_one_tries_again() {
    on_every_seed(|| async {
        let server = Server::new(millis(10));
        server.0.refused.borrow_mut().extend([true, false]);
        let pool = server.pool().max(1).build().await.unwrap();
        let journal = Journal::new();
        let first = client(&pool, millis(0), &journal, "first");
        settle().await;
        let second = client(&pool, millis(0), &journal, "second");
        let start = Instant::now();
        first.await;
        second.await;
        let refused = Err(GetError::Connect(Refused(0)));
        assert_eq!(journal.take(), [("first", refused), ("second", Ok(1))]);
        assert_eq!((start.elapsed(), counts(&pool)), (millis(20), (1, 0, 0, 0, 0)));
    });
}

#[test]
fn a_pool_that_cannot_connect_does_not_try_for_ever() {
    on_every_seed(|| async {
        let server = Server::new(millis(10));
        let pool = server.pool().min(2).build().await.unwrap();
        server.0.refused.borrow_mut().extend([true; 100]);
        for _ in 0..2 {
            pool.get().await.unwrap().poison();
        }
        sleep(secs(10)).await;
        assert!(server.made() < 10, "{} tries", server.made());
        let error = pool.get().await.err();
        assert!(matches!(error, Some(GetError::Connect(_))));
        server.0.refused.borrow_mut().clear();
        drop(pool.get().await.unwrap());
        sleep(secs(1)).await;
        assert_eq!(counts(&pool), (2, 0, 0, 0, 0), "the least number is back");
    });
}

#[test]
fn a_caller_waits_no_longer_than_it_may_and_a_connection_at_that_very_time_counts() {
    on_every_seed(|| async {
        let server = Server::new(millis(10));
        let pool = server.pool().max(1).acquire_timeout(millis(100)).build().await.unwrap();
        let held = pool.get().await.unwrap();
        let start = Instant::now();
        let error = pool.get().await.err();
        assert_eq!(error, Some(GetError::TimedOut { after: millis(100) }));
        assert_eq!((start.elapsed(), pool.status().waiting), (millis(100), 0));

        let giver = spawn(async move {
            sleep(millis(100)).await;
            drop(held);
        });
        settle().await;
        let start = Instant::now();
        let got = pool.get().await;
        // Which of two timers of one instant comes first is for the schedule to say.
        assert_eq!(start.elapsed(), millis(100));
        if let Err(error) = got.as_ref() {
            assert_eq!(*error, GetError::TimedOut { after: millis(100) });
        }
        drop(got);
        giver.await;
        assert_eq!(counts(&pool), (1, 0, 0, 0, 0));
    });
}

#[test]
fn a_poisoned_connection_is_closed_and_never_seen_again() {
    on_every_seed(|| async {
        let server = Server::default();
        let pool = server.pool().max(1).build().await.unwrap();
        let journal = Journal::new();
        let mut held = pool.get().await.unwrap();
        let waiter = client(&pool, millis(0), &journal, "waiter");
        settle().await;
        held.poison();
        held.clear_poison();
        assert!(!held.is_poisoned());
        held.poison();
        assert!(held.is_poisoned());
        drop(held);
        waiter.await;
        assert_eq!(journal.take(), [("waiter", Ok(1))], "a new one is made for who waits");
        assert_eq!(server.alive(), 1);
        for _ in 0..5 {
            assert_eq!(pool.get().await.unwrap().number, 1);
        }
    });
}

// Testing

#[test]
fn an_idle_connection_is_tested_and_replaced_if_it_is_broken() {
    on_every_seed(|| async {
        let server = Server::new(millis(10));
        server.0.ping_time.set(millis(2));
        let pool = server.pool().max(2).test_on_acquire(true).build().await.unwrap();
        let start = Instant::now();
        drop(pool.get().await.unwrap());
        assert_eq!((start.elapsed(), server.0.pings.get()), (millis(10), 0), "a new one is not");
        assert_eq!(pool.get().await.unwrap().number, 0);
        assert_eq!((start.elapsed(), server.0.pings.get()), (millis(12), 1));
        server.0.broken.borrow_mut().push(0);
        let replaced = pool.get().await.unwrap();
        assert_eq!((replaced.number, server.alive()), (1, 1));
        assert_eq!(start.elapsed(), millis(24), "a test, and a new one");
    });
}

#[test]
fn of_two_idle_connections_the_sound_one_is_found() {
    on_every_seed(|| async {
        let server = Server::default();
        let pool = server.pool().max(2).test_on_acquire(true).build().await.unwrap();
        let (first, second) = (pool.get().await.unwrap(), pool.get().await.unwrap());
        drop((first, second));
        server.0.broken.borrow_mut().push(1);
        assert_eq!(pool.get().await.unwrap().number, 0);
        assert_eq!((server.made(), server.alive()), (2, 1));
    });
}

// Closing

#[test]
fn a_closed_pool_refuses_wakes_who_waits_and_waits_for_what_is_in_use() {
    on_every_seed(|| async {
        let server = Server::new(millis(1));
        let pool = server.pool().max(2).build().await.unwrap();
        let [first, second] = [pool.get().await.unwrap(), pool.get().await.unwrap()];
        let journal = Journal::new();
        let mut waiters = Vec::new();
        for name in ["a", "b", "c"] {
            waiters.push(client(&pool, millis(0), &journal, name));
            settle().await;
        }
        let start = Instant::now();
        let closer = spawn({
            let pool = pool.clone();
            async move {
                pool.close().await;
                start.elapsed()
            }
        });
        for waiter in waiters {
            waiter.await;
        }
        let mut refused = journal.take();
        refused.sort_by_key(|(name, _)| *name);
        assert_eq!(refused, ["a", "b", "c"].map(|name| (name, Err(GetError::Closed))));
        assert!(pool.is_closed() && !closer.is_finished());
        assert_eq!(pool.get().await.err(), Some(GetError::Closed));
        sleep(secs(1)).await;
        drop(first);
        sleep(secs(1)).await;
        assert!(!closer.is_finished());
        drop(second);
        assert_eq!(closer.await, secs(2));
        assert_eq!((server.alive(), pool.status().size()), (0, 0));
        pool.close().await; // again
    });
}

#[test]
fn under_fifo_waiters_learn_of_the_end_in_their_order() {
    let order = fifo(|| async {
        let pool = Server::default().pool().max(1).build().await.unwrap();
        let held = pool.get().await.unwrap();
        let journal = Journal::new();
        let waiters = ["a", "b", "c"].map(|name| client(&pool, millis(0), &journal, name));
        settle().await;
        drop(held);
        pool.close().await;
        for waiter in waiters {
            waiter.await;
        }
        journal.take().into_iter().map(|(name, got)| (name, got.is_ok())).collect::<Vec<_>>()
    });
    // The connection came back before the end, but nobody had run with it.
    assert_eq!(order.unwrap(), [("a", false), ("b", false), ("c", false)]);
}

#[test]
fn what_is_being_made_when_the_pool_closes_is_closed_when_it_is_there() {
    on_every_seed(|| async {
        let server = Server::new(millis(10));
        let pool = server.pool().max(2).build().await.unwrap();
        let journal = Journal::new();
        let waiter = client(&pool, millis(0), &journal, "waiter");
        settle().await;
        pool.close().await;
        waiter.await;
        assert_eq!(journal.take(), [("waiter", Err(GetError::Closed))]);
        assert_eq!(counts(&pool), (0, 0, 1, 0, 0));
        sleep(millis(10)).await;
        settle().await;
        assert_eq!((server.made(), server.alive(), pool.status().size()), (1, 0, 0));
    });
}

#[test]
fn what_is_being_tested_when_the_pool_closes_is_closed_when_that_is_over() {
    on_every_seed(|| async {
        let server = Server::default();
        server.0.ping_time.set(millis(10));
        let pool = server.pool().min(1).test_on_acquire(true).build().await.unwrap();
        let journal = Journal::new();
        let waiter = client(&pool, millis(0), &journal, "waiter");
        settle().await;
        assert_eq!(counts(&pool), (0, 0, 0, 1, 1));
        pool.close().await;
        waiter.await;
        assert_eq!(journal.take(), [("waiter", Err(GetError::Closed))]);
        assert_eq!((counts(&pool), server.alive()), ((0, 0, 0, 1, 0), 1));
        sleep(millis(10)).await;
        settle().await;
        assert_eq!((server.made(), server.alive(), pool.status().size()), (1, 0, 0));
    });
}

#[test]
fn a_close_that_is_given_up_has_closed_the_pool_all_the_same() {
    on_every_seed(|| async {
        let server = Server::default();
        let pool = server.pool().build().await.unwrap();
        let held = pool.get().await.unwrap();
        timeout(millis(1), pool.close()).await.unwrap_err();
        assert_eq!(pool.get().await.err(), Some(GetError::Closed));
        drop(held);
        assert_eq!(server.alive(), 0);
    });
}

// Rules

#[test]
fn sizes_that_cannot_be_are_refused() {
    let outcome = fifo(|| async { Server::default().pool().max(0).build().await.is_ok() });
    panicked(&outcome, "a pool has at least one connection");
    let outcome = fifo(|| async { Server::default().pool().min(3).max(2).build().await.is_ok() });
    panicked(&outcome, "a pool keeps 3 connections and has at most 2");
}

#[test]
fn regression_connections_that_live_for_no_time_are_not_kept() {
    // Each was closed and made anew, for ever and without time moving.
    let builder = || Server::default().pool().max_lifetime(secs(0));
    let outcome = fifo(move || async move { builder().min(1).build().await.is_ok() });
    panicked(&outcome, "a pool keeps 1 connections, but none for any time");
    on_every_seed(move || async move {
        let pool = builder().build().await.unwrap();
        for number in 0..3 {
            assert_eq!(pool.get().await.unwrap().number, number, "each is used once");
        }
    });
}

#[test]
fn regression_sizes_without_a_bound_do_not_overflow() {
    on_every_seed(|| async {
        let pool = Server::default().pool().max(usize::MAX).overflow(1).build().await.unwrap();
        drop(pool.get().await.unwrap());
        assert_eq!(pool.status().size(), 1);
    });
}

#[test]
fn regression_a_caller_that_need_not_wait_leaves_no_unpolled_timer() {
    for seed in 0..SEEDS {
        let watch = Watch::default().with_unpolled(true);
        let outcome = Sim::builder().seed(seed).watch(watch).build().unwrap().run(|| async {
            let server = Server::default();
            let pool = server.pool().min(1).acquire_timeout(secs(1)).build().await.unwrap();
            drop(pool.get().await.unwrap());
        });
        assert_eq!(outcome.warnings(), []);
        outcome.unwrap();
    }
}

#[test]
fn a_manager_that_panics_fails_the_run() {
    struct Broken;
    impl Manage for Broken {
        type Connection = ();
        type Error = ();
        async fn connect(&self) -> Result<(), ()> {
            yield_now().await;
            panic!("no route")
        }
        async fn is_healthy(&self, (): &mut ()) -> bool {
            true
        }
    }
    let outcome = fifo(|| async {
        let pool = Pool::builder(Broken).build().await.unwrap();
        pool.get().await.is_ok()
    });
    panicked(&outcome, "no route");
}

#[test]
fn handles_move_between_threads_if_connections_do() {
    fn check<T: Send + Sync>() {}
    check::<Pool<Plain>>();
    check::<Pooled<Plain>>();
    check::<parcae::pool::Get<'_, Plain>>();
    check::<parcae::pool::Close<'_, Plain>>();
}

#[test]
fn regression_a_connection_that_comes_back_on_another_thread_wakes_who_waits() {
    for is_tested in [false, true] {
        let outcome = fifo(move || async move {
            let pool =
                Pool::builder(Plain).max(1).test_on_acquire(is_tested).build().await.unwrap();
            let held = pool.get().await.unwrap();
            let own = pool.clone();
            let waiter = spawn_named("waiter", async move { drop(own.get().await.unwrap()) });
            settle().await;
            drop_on_a_thread(held);
            waiter.await;
        });
        // It is not left to wait for ever: the run says who has let it go on.
        let failure = outcome.failure().expect("a run has one thread").to_string();
        assert_eq!(failure, "foreign wake: `waiter` was woken by another thread");
    }
}

fn drop_on_a_thread(value: impl Send) {
    std::thread::scope(|scope| {
        scope.spawn(|| drop(value));
    });
}

#[test]
fn a_connection_that_outlives_its_run_is_closed_without_a_sound() {
    let server = Rc::new(RefCell::new(None));
    let kept = fifo({
        let server = server.clone();
        || async move {
            let own = Server::default();
            *server.borrow_mut() = Some(own.clone());
            let pool = own.pool().min(1).build().await.unwrap();
            let mut connection = pool.get().await.unwrap();
            connection.poison();
            (pool, connection)
        }
    });
    let (pool, connection) = kept.unwrap();
    drop(connection);
    assert_eq!(server.borrow().as_ref().unwrap().alive(), 0);
    assert_eq!(pool.status().size(), 0);
}

/// Waits for an event without a name.
async fn passes(event: &Event) {
    event.wait().await;
}
