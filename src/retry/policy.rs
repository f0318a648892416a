//! Trying again.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::backoff::{Backoff, Delays, Jitter};
use super::budget::RetryBudget;
use super::error::{Cause, RetryError};
use crate::time::{Instant, sleep, timeout_at};

/// Tries an operation until it succeeds, or it is no use to go on.
///
/// ```text
///   attempt -> Ok -> returns it
///      ^    `-> error or time-out
///      |           |-> an error not worth it -> NotRetryable
///      |           |-> it was the last       -> Exhausted
///      |           |-> the back-off would not end before the deadline -> DeadlineExceeded
///      |           `-> no token for a retry  -> BudgetExhausted
///      `- back-off -'
/// ```
///
/// A value of it is a policy, made once and used for many calls; it has no state but its budget. A
/// clone shares the budget.
///
/// # Examples
/// ```
/// # parcae::Sim::new(7).run(|| async {
/// use parcae::retry::{Jitter, Retry};
/// use parcae::time::Instant;
/// use std::time::Duration;
///
/// #[derive(Debug)]
/// struct Status(u16);
///
/// let retry = Retry::builder()
///     .attempts(3)
///     .exponential(Duration::from_secs(1), 2)
///     .jitter(Jitter::None)
///     .when(|status: &Status| status.0 >= 500);
///
/// let start = Instant::now();
/// let attempt = retry.run(async |attempt| if attempt < 3 { Err(Status(503)) } else { Ok(attempt) });
/// assert_eq!(attempt.await.unwrap(), 3);
/// assert_eq!(start.elapsed(), Duration::from_secs(1 + 2));
/// # }).unwrap();
/// ```
///
/// What is not worth it is not tried again:
/// ```
/// # parcae::Sim::new(7).run(|| async {
/// use parcae::retry::{Retry, RetryError};
///
/// let retry = Retry::builder().when(|status: &u16| *status >= 500);
/// assert_eq!(retry.run(async |_| Err::<(), _>(404)).await, Err(RetryError::NotRetryable(404)));
/// # }).unwrap();
/// ```
pub struct Retry<E> {
    options: RetryBuilder,
    when: Arc<WhenOf<E>>,
    retry_after: Option<Arc<RetryAfterOf<E>>>,
}

type WhenOf<E> = dyn Fn(&E) -> bool + Send + Sync;

type RetryAfterOf<E> = dyn Fn(&E) -> Option<Duration> + Send + Sync;

impl Retry<()> {
    /// Begins a policy: 3 attempts, [`Backoff::default`], no deadline, no time-outs, no budget.
    pub fn builder() -> RetryBuilder {
        RetryBuilder {
            attempts: 3,
            backoff: Backoff::default(),
            deadline: None,
            timeout_each: None,
            budget: None,
        }
    }
}

impl<E> Retry<E> {
    /// Waits at least as long as the server says with an error, where it says so.
    ///
    /// The longer one of it and the back-off counts; the cap does not bound it, the deadline does.
    ///
    /// # Examples
    /// ```
    /// # parcae::Sim::new(7).run(|| async {
    /// use parcae::retry::Retry;
    /// use parcae::time::Instant;
    /// use std::time::Duration;
    ///
    /// let busy_for = Duration::from_secs(60); // the error, here: when to come back
    /// let retry = Retry::builder().always().retry_after(|busy_for: &Duration| Some(*busy_for));
    /// let start = Instant::now();
    /// let reply = retry.run(async |attempt| if attempt == 1 { Err(busy_for) } else { Ok(()) });
    /// reply.await.unwrap();
    /// assert_eq!(start.elapsed(), busy_for);
    /// # }).unwrap();
    /// ```
    #[must_use]
    pub fn retry_after(
        mut self,
        retry_after: impl Fn(&E) -> Option<Duration> + Send + Sync + 'static,
    ) -> Self {
        self.retry_after = Some(Arc::new(retry_after));
        self
    }

    /// Calls the operation with the number of the attempt, 1 for the first, until it succeeds or it
    /// is no use to go on.
    ///
    /// The first attempt begins at once. There is no back-off after the last one, and none that would
    /// not end before the deadline. An attempt that is under way at the deadline is cancelled.
    ///
    /// # Errors
    /// [`RetryError`] says why it gave up, and how the last attempt failed.
    ///
    /// # Panics
    /// Outside of a parcae runtime, when it has to look at the clock.
    ///
    /// # Cancel safety
    /// As cancel safe as the operation: dropping it drops the attempt under way, and a token that
    /// was taken for a retry that did not begin goes back into the budget.
    ///
    /// # Determinism
    /// The delays are drawn as [`Delays`] says.
    pub async fn run<T>(
        &self,
        mut operation: impl AsyncFnMut(u32) -> Result<T, E>,
    ) -> Result<T, RetryError<E>> {
        let options = &self.options;
        let deadline = options.deadline.and_then(|deadline| Instant::now().checked_add(deadline));
        if let Some(budget) = &options.budget {
            budget.deposit();
        }
        let mut delays = options.backoff.delays();
        let mut last = None;
        let mut attempts = 0;
        loop {
            attempts += 1;
            let cause = match self.attempt(operation(attempts), deadline).await {
                Ok(value) => return Ok(value),
                Err(Some(Cause::Error(error))) if !(self.when)(&error) => {
                    return Err(RetryError::NotRetryable(error));
                }
                Err(Some(cause)) => cause,
                Err(None) => return Err(RetryError::DeadlineExceeded { attempts, last }),
            };
            if attempts == options.attempts {
                return Err(RetryError::Exhausted { attempts, last: cause });
            }
            let delay = self.delay(&cause, &mut delays);
            if deadline.is_some_and(|deadline| !ends_before(delay, deadline)) {
                return Err(RetryError::DeadlineExceeded { attempts, last: Some(cause) });
            }
            let token = options.budget.as_ref().map(RetryBudget::withdraw);
            if matches!(token, Some(None)) {
                return Err(RetryError::BudgetExhausted { attempts, last: cause });
            }
            last = Some(cause);
            sleep(delay).await;
            if let Some(Some(token)) = token {
                token.spend();
            }
        }
    }

    /// Waits for one attempt, within its time and the deadline; no cause when the deadline cut it off.
    async fn attempt<T>(
        &self,
        operation: impl Future<Output = Result<T, E>>,
        deadline: Option<Instant>,
    ) -> Result<T, Option<Cause<E>>> {
        let each = self.options.timeout_each;
        let own_end = each.and_then(|each| Instant::now().checked_add(each));
        let result = match (own_end, deadline) {
            (None, None) => return operation.await.map_err(|error| Some(Cause::Error(error))),
            (Some(own_end), Some(deadline)) => timeout_at(own_end.min(deadline), operation).await,
            (Some(end), None) | (None, Some(end)) => timeout_at(end, operation).await,
        };
        match (result, each) {
            (Ok(Ok(value)), _) => Ok(value),
            (Ok(Err(error)), _) => Err(Some(Cause::Error(error))),
            (Err(_), Some(after))
                if own_end.is_some_and(|end| deadline.is_none_or(|d| end < d)) =>
            {
                Err(Some(Cause::TimedOut { after }))
            }
            (Err(_), _) => Err(None),
        }
    }

    fn delay(&self, cause: &Cause<E>, delays: &mut Delays) -> Duration {
        let delay = delays.next().expect("delays have no end");
        let told = match (cause, &self.retry_after) {
            (Cause::Error(error), Some(retry_after)) => retry_after(error),
            _ => None,
        };
        told.map_or(delay, |told| told.max(delay))
    }
}

impl<E> Clone for Retry<E> {
    fn clone(&self) -> Self {
        let (options, when) = (self.options.clone(), self.when.clone());
        Self { options, when, retry_after: self.retry_after.clone() }
    }
}

impl<E> fmt::Debug for Retry<E> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Retry").field("options", &self.options).finish_non_exhaustive()
    }
}

/// A policy that is not told yet what to retry; made by [`Retry::builder`].
#[derive(Clone, Debug)]
#[must_use = "a builder does nothing before `when` or `always`"]
pub struct RetryBuilder {
    attempts: u32,
    backoff: Backoff,
    deadline: Option<Duration>,
    timeout_each: Option<Duration>,
    budget: Option<RetryBudget>,
}

impl RetryBuilder {
    /// Makes so many attempts at most, the first one among them.
    ///
    /// # Panics
    /// When it is 0.
    #[track_caller]
    pub fn attempts(mut self, attempts: u32) -> Self {
        assert!(attempts > 0, "the first attempt counts too: at least 1");
        self.attempts = attempts;
        self
    }

    /// Waits so between attempts.
    pub fn backoff(mut self, backoff: Backoff) -> Self {
        self.backoff = backoff;
        self
    }

    /// Waits `first`, `first * factor` and so on; with the cap and jitter of [`Backoff::exponential`]
    /// unless they are set after this.
    ///
    /// # Panics
    /// When the factor is 0.
    #[track_caller]
    pub fn exponential(self, first: Duration, factor: u32) -> Self {
        self.backoff(Backoff::exponential(first, factor))
    }

    /// Makes no back-off longer than this.
    pub fn cap(mut self, cap: Duration) -> Self {
        self.backoff = self.backoff.cap(cap);
        self
    }

    /// Spreads the back-offs.
    pub fn jitter(mut self, jitter: Jitter) -> Self {
        self.backoff = self.backoff.jitter(jitter);
        self
    }

    /// Gives up so long after the first poll of the call, whatever is under way then.
    ///
    /// # Examples
    /// ```
    /// # parcae::Sim::new(7).run(|| async {
    /// use parcae::retry::{Retry, RetryError};
    /// use parcae::time::Instant;
    /// use std::time::Duration;
    ///
    /// let start = Instant::now();
    /// let retry = Retry::builder().deadline(Duration::from_secs(5)).always::<()>();
    /// let error = retry.run(async |_| std::future::pending::<Result<(), ()>>().await).await;
    /// assert_eq!(error, Err(RetryError::DeadlineExceeded { attempts: 1, last: None }));
    /// assert_eq!(start.elapsed(), Duration::from_secs(5));
    /// # }).unwrap();
    /// ```
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = Some(deadline);
        self
    }

    /// Cancels an attempt that takes longer, and makes the next one: a time-out is always worth a
    /// retry. The attempt may have had its effect, so the operation must be one that may happen
    /// twice.
    ///
    /// # Examples
    /// ```
    /// # parcae::Sim::new(7).run(|| async {
    /// use parcae::retry::Retry;
    /// use parcae::time::sleep;
    /// use std::time::Duration;
    ///
    /// let retry = Retry::builder().timeout_each(Duration::from_secs(1)).always::<()>();
    /// let operation = async |attempt| {
    ///     sleep(Duration::from_millis(if attempt == 1 { 60_000 } else { 10 })).await;
    ///     Ok(attempt)
    /// };
    /// assert_eq!(retry.run(operation).await, Ok(2));
    /// # }).unwrap();
    /// ```
    pub fn timeout_each(mut self, timeout: Duration) -> Self {
        self.timeout_each = Some(timeout);
        self
    }

    /// Pays for retries from this budget.
    pub fn budget(mut self, budget: &RetryBudget) -> Self {
        self.budget = Some(budget.clone());
        self
    }

    /// Retries what fails with an error of which this holds, and nothing else.
    pub fn when<E>(self, when: impl Fn(&E) -> bool + Send + Sync + 'static) -> Retry<E> {
        Retry { options: self, when: Arc::new(when), retry_after: None }
    }

    /// Retries whatever the error is. Right where no error is final; a rejected password is.
    pub fn always<E>(self) -> Retry<E> {
        self.when(|_| true)
    }
}

fn ends_before(delay: Duration, deadline: Instant) -> bool {
    Instant::now().checked_add(delay).is_some_and(|end| end < deadline)
}
