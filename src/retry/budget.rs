//! A bound on how much retries add to the load.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::kernel::Ratio;

/// A bucket of tokens that retries are paid from: a bound on what they add to the load.
///
/// Each call puts in `ratio` of a token, and each retry takes one out; the bucket begins full. So `n`
/// calls make at most `n * (1 + ratio) + reserve` attempts, however many fail, where attempts alone
/// would make `n * attempts`. While the bucket is empty, a call that fails is not tried again.
///
/// A clone is another handle of the same bucket: share one among all calls to one server.
///
/// # Examples
/// ```
/// # parcae::Sim::new(7).run(|| async {
/// use parcae::kernel::Ratio;
/// use parcae::retry::{Retry, RetryBudget, RetryError};
///
/// let budget = RetryBudget::new(1, Ratio::percent(10));
/// let retry = Retry::builder().attempts(3).budget(&budget).always::<&str>();
/// let error = retry.run(async |_| Err::<(), _>("down")).await.unwrap_err();
/// assert!(matches!(error, RetryError::BudgetExhausted { attempts: 2, .. }));
/// # }).unwrap();
/// ```
///
/// # Source
/// Finagle's `RetryBudget`; M. Brooker, "Fixing retries with token buckets and circuit breakers", 2022.
#[derive(Clone, Debug)]
pub struct RetryBudget {
    bucket: Arc<Bucket>,
}

#[derive(Debug)]
struct Bucket {
    ratio: Ratio,
    /// All in parts of a token, of which the denominator of the ratio make one.
    capacity: u64,
    parts: Mutex<u64>,
}

impl RetryBudget {
    /// Makes a full bucket: `reserve` retries at once, and `ratio` of a retry for each call. Without a
    /// reserve it begins empty and holds one token.
    #[must_use]
    pub fn new(reserve: u32, ratio: Ratio) -> Self {
        let token = u64::from(ratio.denominator());
        // With room for none, the parts that calls put in would never add up to a token.
        let capacity = u64::from(reserve.max(1)) * token;
        let parts = Mutex::new(u64::from(reserve) * token);
        Self { bucket: Arc::new(Bucket { ratio, capacity, parts }) }
    }

    /// Returns how many retries could be paid for now.
    #[must_use]
    pub fn available(&self) -> u32 {
        let tokens = *self.parts() / u64::from(self.bucket.ratio.denominator());
        u32::try_from(tokens).expect("at most the reserve, or 1")
    }

    /// Puts in what one call is worth.
    pub(super) fn deposit(&self) {
        let mut parts = self.parts();
        *parts = self.bucket.capacity.min(*parts + u64::from(self.bucket.ratio.numerator()));
    }

    /// Takes a token out, if there is one.
    pub(super) fn withdraw(&self) -> Option<RetryToken<'_>> {
        let token = u64::from(self.bucket.ratio.denominator());
        let mut parts = self.parts();
        *parts = parts.checked_sub(token)?;
        Some(RetryToken { budget: self, is_spent: false })
    }

    fn parts(&self) -> MutexGuard<'_, u64> {
        self.bucket.parts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A token for a retry that has not begun; it goes back when it is dropped unspent.
#[derive(Debug)]
pub(super) struct RetryToken<'a> {
    budget: &'a RetryBudget,
    is_spent: bool,
}

impl RetryToken<'_> {
    pub(super) fn spend(mut self) {
        self.is_spent = true;
    }
}

impl Drop for RetryToken<'_> {
    fn drop(&mut self) {
        if !self.is_spent {
            let token = u64::from(self.budget.bucket.ratio.denominator());
            let mut parts = self.budget.parts();
            *parts = self.budget.bucket.capacity.min(*parts + token);
        }
    }
}
