//! Of `parcae::pool`, `parcae::retry` and `parcae::rate`.

use std::cell::Cell;
use std::convert::Infallible;
use std::rc::Rc;
use std::time::Duration;

use parcae::kernel::Ratio;
use parcae::pool::{Manage, Pool, PoolBuilder};
use parcae::rate::{Breaker, BreakerState, Rate};
use parcae::retry::{Jitter, Retry, RetryBudget};
use parcae::sync::Semaphore;
use parcae::testing::{CancelAtEveryAwait, CancelReport};
use parcae::time::{Instant, sleep};

use super::{Case, World, add_one};
use crate::runs::secs;

pub(super) const CASES: &[Case] = &[
    Case { name: "PoolBuilder::build", check: pool_build },
    Case { name: "Pool::get", check: pool_get },
    Case { name: "Pool::close", check: pool_close },
    Case { name: "Retry::run", check: retry_run },
    Case { name: "Rate::acquire", check: rate_acquire },
    Case { name: "Rate::acquire_many", check: rate_acquire_many },
    Case { name: "Breaker::call", check: breaker_call },
    Case { name: "Breaker::call_when", check: breaker_call_when },
];

// Pools

/// A server that counts its connections.
#[derive(Clone, Default)]
struct Server {
    alive: Rc<Cell<usize>>,
}

struct Connection {
    server: Server,
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.server.alive.set(self.server.alive.get() - 1);
    }
}

impl Manage for Server {
    type Connection = Connection;
    type Error = Infallible;

    async fn connect(&self) -> Result<Connection, Infallible> {
        sleep(secs(1)).await;
        self.alive.set(self.alive.get() + 1);
        Ok(Connection { server: self.clone() })
    }

    async fn is_healthy(&self, _: &mut Connection) -> bool {
        sleep(secs(1)).await;
        true
    }
}

impl Server {
    fn pool(&self) -> PoolBuilder<Self> {
        Pool::builder(self.clone()).min(1).max(2).test_on_acquire(true)
    }
}

/// Uses a connection for a while, if the pool is open.
async fn use_one(pool: &Pool<Server>) {
    let connection = pool.get().await;
    sleep(secs(1)).await;
    drop(connection);
}

/// A pool of at most two connections, and three other clients.
async fn pool() -> World<Pool<Server>> {
    World::of(Server::default().pool().build().await.unwrap())
        .beside("first", async |(pool, _)| use_one(&pool).await)
        .beside("second", async |(pool, _)| use_one(&pool).await)
        .settled()
        .await
        .beside("behind", async |(pool, _)| use_one(&pool).await)
}

/// Waits until what is under way in the pool has ended.
async fn at_rest(pool: &Pool<Server>) {
    sleep(secs(60)).await;
    let (status, alive) = (pool.status(), pool.manager().alive.get());
    assert_eq!((status.borrowed, status.connecting, status.testing, status.waiting), (0, 0, 0, 0));
    assert_eq!(status.idle, alive, "the pool knows each connection");
}

fn pool_build(options: CancelAtEveryAwait) -> CancelReport {
    options.run(
        async || Server::default(),
        async |server| server.pool().min(2).build().await.unwrap(),
        async |server, pool| {
            sleep(secs(60)).await;
            let made = if pool.is_some() { 2 } else { 0 };
            assert_eq!(server.alive.get(), made);
            drop(pool);
            assert_eq!(server.alive.get(), 0);
        },
    )
}

fn pool_get(options: CancelAtEveryAwait) -> CancelReport {
    options.run(
        pool,
        async |pool| {
            let _connection = pool.get().await.unwrap();
            sleep(secs(1)).await;
        },
        async |pool, _| {
            pool.others_end().await;
            at_rest(pool).await;
            let late = (pool.get().await.unwrap(), pool.get().await.unwrap());
            assert_eq!(pool.status().borrowed, 2, "both are there for who comes late");
            drop(late);
        },
    )
}

fn pool_close(options: CancelAtEveryAwait) -> CancelReport {
    options.run(
        async || {
            let pool = pool().await;
            while pool.status().borrowed == 0 {
                sleep(secs(1) / 2).await;
            }
            pool
        },
        async |pool| pool.close().await,
        async |pool, _| {
            pool.others_end().await;
            pool.close().await;
            at_rest(pool).await;
            assert_eq!(pool.manager().alive.get(), 0);
        },
    )
}

// Retries

/// What an operation that is tried again uses.
struct Tries {
    retry: Retry<&'static str>,
    budget: RetryBudget,
    permit: Semaphore,
    begun: Cell<u32>,
}

fn retry_run(options: CancelAtEveryAwait) -> CancelReport {
    options.run(
        async || {
            let budget = RetryBudget::new(RESERVE, Ratio::new(0, 1));
            let retry = Retry::builder()
                .attempts(3)
                .exponential(secs(1), 2)
                .jitter(Jitter::None)
                .timeout_each(secs(5))
                .budget(&budget)
                .always();
            let (permit, begun) = (Semaphore::new(1).named("permit"), Cell::new(0));
            World::of(Tries { retry, budget, permit, begun }).beside("other", async |(tries, _)| {
                for _ in 0..3 {
                    let _permit = tries.permit.acquire().await.unwrap();
                    sleep(secs(1)).await;
                }
            })
        },
        async |tries| {
            let attempt = async |number| {
                add_one(&tries.begun);
                let _permit = tries.permit.acquire().await.unwrap();
                sleep(secs(1)).await;
                if number < 3 { Err("once more") } else { Ok(()) }
            };
            tries.retry.run(attempt).await.unwrap();
        },
        async |tries, output| {
            tries.others_end().await;
            assert_eq!(tries.permit.available_permits(), 1);
            let paid = RESERVE - tries.budget.available();
            assert_eq!(paid, tries.begun.get().saturating_sub(1), "who has not begun has not paid");
            assert!(output.is_none() || paid == 2);
        },
    )
}

const RESERVE: u32 = 5;

// Rates

/// Two tokens each second, of which the first two are gone.
async fn no_token() -> World<(Rate, Instant)> {
    World::of((Rate::per_second(2).burst(2).named("tokens"), Instant::now()))
        .beside("first", async |(rate, _)| rate.0.acquire_many(2).await)
        .settled()
        .await
        .beside("behind", async |(rate, done)| {
            rate.0.acquire_many(2).await;
            add_one(&done);
        })
}

/// Whoever was cancelled took none: three for the others, and as many as it took for the operation.
async fn no_token_is_lost(rate: &World<(Rate, Instant)>, took: u32) {
    rate.others_end().await;
    assert_eq!(rate.done.get(), 1);
    rate.0.acquire_many(2).await;
    let spent = 2 + 2 + took + 2;
    assert_eq!(rate.1.elapsed(), HALF_SECOND * (spent - 2), "two are there at the start");
}

const HALF_SECOND: Duration = Duration::from_millis(500);

fn rate_acquire(options: CancelAtEveryAwait) -> CancelReport {
    options.run(
        no_token,
        async |rate| rate.0.acquire().await,
        async |rate, output| no_token_is_lost(rate, u32::from(output.is_some())).await,
    )
}

fn rate_acquire_many(options: CancelAtEveryAwait) -> CancelReport {
    options.run(
        no_token,
        async |rate| rate.0.acquire_many(2).await,
        async |rate, output| no_token_is_lost(rate, 2 * u32::from(output.is_some())).await,
    )
}

/// A breaker that is half open: one call at a time may probe.
async fn half_open() -> Breaker {
    let breaker = Breaker::consecutive(1, secs(1)).named("breaker");
    breaker.call(async { Err::<(), _>("down") }).await.unwrap_err();
    sleep(secs(1)).await;
    breaker
}

async fn another_may_probe(breaker: &Breaker, output: Option<()>) {
    if output.is_none() {
        breaker.call(async { Ok::<_, ()>(()) }).await.unwrap();
    }
    assert_eq!(breaker.state(), BreakerState::Closed);
}

fn breaker_call(options: CancelAtEveryAwait) -> CancelReport {
    options.run(
        half_open,
        async |breaker| {
            let probe = async {
                sleep(secs(1)).await;
                Ok::<_, ()>(())
            };
            breaker.call(probe).await.unwrap();
        },
        another_may_probe,
    )
}

fn breaker_call_when(options: CancelAtEveryAwait) -> CancelReport {
    options.run(
        half_open,
        async |breaker| {
            let probe = async {
                sleep(secs(1)).await;
                Ok::<_, ()>(())
            };
            breaker.call_when(probe, |()| true).await.unwrap();
        },
        another_may_probe,
    )
}
