//! Budgets of retries.

use std::cell::Cell;
use std::rc::Rc;

use parcae::kernel::Ratio;
use parcae::retry::{Cause, Jitter, Retry, RetryBudget, RetryError};
use parcae::spawn;
use parcae::time::{sleep, timeout};

use crate::runs::{Journal, millis, on_every_seed, secs};

fn policy() -> parcae::retry::RetryBuilder {
    Retry::builder().attempts(3).exponential(millis(10), 2).jitter(Jitter::Full)
}

#[test]
fn an_empty_budget_ends_calls_at_their_first_failure() {
    on_every_seed(|| async {
        let budget = RetryBudget::new(3, Ratio::ZERO);
        let retry = policy().budget(&budget).always();
        let mut made = Vec::new();
        for _ in 0..4 {
            let attempts = Cell::new(0);
            let operation = async |_| {
                attempts.set(attempts.get() + 1);
                Err::<(), _>("down")
            };
            let error = retry.run(operation).await.unwrap_err();
            made.push((attempts.get(), error));
        }
        let last = Cause::Error("down");
        let exhausted = |attempts| (attempts, RetryError::BudgetExhausted { attempts, last });
        let all = (3, RetryError::Exhausted { attempts: 3, last });
        assert_eq!(made, [all, exhausted(2), exhausted(1), exhausted(1)]);
        assert_eq!(budget.available(), 0);
    });
}

#[test]
fn each_call_puts_its_part_in_and_the_bucket_does_not_overflow() {
    on_every_seed(|| async {
        let budget = RetryBudget::new(2, Ratio::new(1, 3));
        let retry = policy().budget(&budget).always::<()>();
        for _ in 0..10 {
            retry.run(async |_| Ok::<_, ()>(())).await.unwrap();
        }
        assert_eq!(budget.available(), 2, "full");
        let _ = retry.run(async |_| Err::<(), _>(())).await.unwrap_err();
        assert_eq!(budget.available(), 0);
        for expected in [0, 0, 1, 1, 1, 2] {
            retry.run(async |_| Ok::<_, ()>(())).await.unwrap();
            assert_eq!(budget.available(), expected);
        }
    });
}

/// Attempts at a server that always fails, of so many calls at a time.
async fn attempts_of(calls: u64, retry: Retry<()>) -> u64 {
    let attempts = Rc::new(Cell::new(0));
    let tasks: Vec<_> = (0..calls)
        .map(|_| {
            let (attempts, retry) = (attempts.clone(), retry.clone());
            spawn(async move {
                sleep(millis(parcae::choose(0..100))).await;
                let operation = async |_| {
                    attempts.set(attempts.get() + 1);
                    sleep(millis(1)).await;
                    Err::<(), _>(())
                };
                retry.run(operation).await.unwrap_err();
            })
        })
        .collect();
    for task in tasks {
        task.await;
    }
    attempts.get()
}

#[test]
fn a_budget_caps_what_retries_add_to_the_load() {
    on_every_seed(|| async {
        let budget = RetryBudget::new(5, Ratio::percent(10));
        let capped = attempts_of(100, policy().budget(&budget).always()).await;
        // The budget is full at first, and what goes in then is lost.
        assert!((105..=115).contains(&capped), "{capped} attempts of 100 calls");
        assert_eq!(attempts_of(100, policy().always()).await, 300);
    });
}

#[test]
fn three_layers_multiply_attempts_and_a_budget_at_each_does_not() {
    /// One call through three layers, each of which retries.
    async fn call(layers: &[Retry<()>], attempts: &Cell<u64>) -> Result<(), ()> {
        let Some((retry, below)) = layers.split_first() else {
            attempts.set(attempts.get() + 1);
            return Err(());
        };
        let operation = async |_| Box::pin(call(below, attempts)).await;
        retry.run(operation).await.map_err(|_| ())
    }
    on_every_seed(|| async {
        let attempts = Cell::new(0);
        let naive = [(); 3].map(|()| policy().always());
        call(&naive, &attempts).await.unwrap_err();
        assert_eq!(attempts.take(), 27);

        let capped =
            [(); 3].map(|()| policy().budget(&RetryBudget::new(1, Ratio::percent(10))).always());
        for _ in 0..100 {
            call(&capped, &attempts).await.unwrap_err();
        }
        let most = 100.0 * 1.1_f64.powi(3) + 5.0;
        assert!(attempts.get() as f64 <= most, "{} attempts of 100 calls", attempts.get());
    });
}

#[test]
fn a_budget_lets_through_what_the_literature_says() {
    // M. Brooker, 2022: with errors at p = 0.5, a bucket of 5 and a tenth of a token for each call, the
    // load is 1 + 0.1 and (1 - p)(1 + 0.1) of the calls succeed. With three retries and no budget
    // they are 1.875 and 0.9375.
    let run = |budget: Option<RetryBudget>| async move {
        let builder = Retry::builder().attempts(4).exponential(millis(1), 1);
        let retry = match &budget {
            Some(budget) => builder.budget(budget).always(),
            None => builder.always(),
        };
        let (attempts, mut ok) = (Cell::new(0_u32), 0_u32);
        for _ in 0..4_000 {
            let operation = async |_| {
                attempts.set(attempts.get() + 1);
                if parcae::rng().next_u32().is_multiple_of(2) { Ok(()) } else { Err(()) }
            };
            ok += u32::from(retry.run(operation).await.is_ok());
        }
        (f64::from(attempts.get()) / 4_000.0, f64::from(ok) / 4_000.0)
    };
    for seed in 0..5 {
        let budget = Some(RetryBudget::new(5, Ratio::percent(10)));
        let (load, success) = parcae::Sim::new(seed).run(move || run(budget)).unwrap();
        assert!((1.085..1.115).contains(&load), "load {load}");
        assert!((0.52..0.58).contains(&success), "success {success}");
        let (load, success) = parcae::Sim::new(seed).run(move || run(None)).unwrap();
        assert!((1.80..1.95).contains(&load), "load {load}");
        assert!((0.92..0.955).contains(&success), "success {success}");
    }
}

#[test]
fn a_call_that_is_dropped_during_its_backoff_gives_its_token_back() {
    on_every_seed(|| async {
        let budget = RetryBudget::new(1, Ratio::ZERO);
        let retry = Retry::builder()
            .exponential(secs(10), 1)
            .jitter(Jitter::None)
            .budget(&budget)
            .always::<()>();
        let operation = async |_| Err::<(), _>(());
        timeout(secs(9), retry.run(operation)).await.unwrap_err();
        assert_eq!(budget.available(), 1);
        timeout(secs(11), retry.run(operation)).await.unwrap().unwrap_err();
        assert_eq!(budget.available(), 0, "spent by a retry that began");
    });
}

#[test]
fn the_token_is_taken_before_the_backoff() {
    on_every_seed(|| async {
        let (journal, budget) = (Journal::new(), RetryBudget::new(1, Ratio::ZERO));
        let tasks = [0, 1].map(|_| {
            let (journal, budget) = (journal.clone(), budget.clone());
            spawn(async move {
                let retry = policy().budget(&budget).always::<()>();
                let result = retry.run(async |attempt| if attempt == 1 { Err(()) } else { Ok(()) });
                journal.add(result.await.is_ok());
            })
        });
        for task in tasks {
            task.await;
        }
        let mut results = journal.take();
        results.sort_unstable();
        assert_eq!(results, [false, true], "one token, one retry");
    });
}

#[test]
fn regression_a_budget_without_a_reserve_pays_from_what_calls_put_in() {
    on_every_seed(|| async {
        let budget = RetryBudget::new(0, Ratio::percent(50));
        let retry = policy().budget(&budget).always::<()>();
        let attempts = Cell::new(0);
        for calls in 1..=10 {
            let operation = async |_| {
                attempts.set(attempts.get() + 1);
                Err::<(), _>(())
            };
            retry.run(operation).await.unwrap_err();
            assert_eq!(attempts.get(), calls + calls / 2, "one retry for two calls");
        }
    });
}
