//! What came of a load.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use crate::kernel::Ratio;

/// What came of one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    /// It did what it was for.
    Ok,
    /// It failed.
    Error,
    /// It took too long, as its client or the generator says.
    TimedOut,
    /// It was given up before it ended; nobody knows what came of it.
    Cancelled,
}

/// How many requests came to what.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counts {
    /// Requests of [`Class::Ok`].
    pub ok: u64,
    /// Requests of [`Class::Error`].
    pub error: u64,
    /// Requests of [`Class::TimedOut`].
    pub timed_out: u64,
    /// Requests of [`Class::Cancelled`].
    pub cancelled: u64,
}

impl Counts {
    /// Returns how many requests there were.
    #[must_use]
    pub const fn total(&self) -> u64 {
        self.ok + self.error + self.timed_out + self.cancelled
    }

    fn add(&mut self, class: Class) {
        match class {
            Class::Ok => self.ok += 1,
            Class::Error => self.error += 1,
            Class::TimedOut => self.timed_out += 1,
            Class::Cancelled => self.cancelled += 1,
        }
    }
}

/// What came of a load: how many requests of each class, and how long they took.
///
/// Latencies are those of all requests but the cancelled ones: leaving out what failed or timed out
/// makes a system look the faster the more of it is broken. Those of one class are in
/// [`Report::of`].
///
/// # Examples
/// ```
/// # parcae::Sim::new(7).run(|| async {
/// use parcae::load::{Arrivals, Class, open};
/// use parcae::time::sleep;
/// use std::time::Duration;
///
/// let request = |number| sleep(Duration::from_millis(number));
/// let report = open(Arrivals::per_second(100), 1_000).run(request, |()| Class::Ok).await;
/// assert_eq!(report.counts().ok, 1_000);
/// assert_eq!(report.p50(), Duration::from_millis(499));
/// assert_eq!(report.p99(), Duration::from_millis(989));
/// assert_eq!(report.max(), Duration::from_millis(999));
/// let text = report.to_string();
/// assert!(text.starts_with("1000 requests in 10.989s, 91.0 per second\n"), "{text}");
/// # }).unwrap();
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    elapsed: Duration,
    counts: Counts,
    /// How often each latency was seen, in each class.
    latencies: BTreeMap<Class, BTreeMap<u64, u64>>,
}

impl Report {
    pub(super) fn new() -> Self {
        Self { elapsed: Duration::ZERO, counts: Counts::default(), latencies: BTreeMap::new() }
    }

    /// Counts a request that ended so long after the start of the load.
    pub(super) fn add(&mut self, class: Class, latency: Duration, end: Duration) {
        let nanos = u64::try_from(latency.as_nanos()).unwrap_or(u64::MAX);
        self.elapsed = self.elapsed.max(end);
        self.counts.add(class);
        if class != Class::Cancelled {
            *self.latencies.entry(class).or_default().entry(nanos).or_default() += 1;
        }
    }

    /// Returns how many requests came to what.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.counts
    }

    /// Returns the time from the start to the end of the last request.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.elapsed
    }

    /// Returns the part of the report that is about one class. Its time is that of the whole.
    #[must_use]
    pub fn of(&self, class: Class) -> Self {
        let mut report = Self { elapsed: self.elapsed, ..Self::new() };
        match class {
            Class::Ok => report.counts.ok = self.counts.ok,
            Class::Error => report.counts.error = self.counts.error,
            Class::TimedOut => report.counts.timed_out = self.counts.timed_out,
            Class::Cancelled => report.counts.cancelled = self.counts.cancelled,
        }
        if let Some(latencies) = self.latencies.get(&class) {
            report.latencies.insert(class, latencies.clone());
        }
        report
    }

    /// Returns the least latency that this part of the requests did not exceed; zero if there are
    /// none.
    ///
    /// # Examples
    /// ```
    /// # parcae::Sim::new(7).run(|| async {
    /// # use parcae::{kernel::Ratio, load::{Class, closed}, time::sleep};
    /// # use std::time::Duration;
    /// # let report = closed(1, 1).run(|_| sleep(Duration::from_secs(1)), |()| Class::Ok).await;
    /// let ninety = report.quantile(Ratio::percent(90));
    /// # assert_eq!(ninety, Duration::from_secs(1));
    /// # }).unwrap();
    /// ```
    #[must_use]
    pub fn quantile(&self, part: Ratio) -> Duration {
        let latencies = self.merged();
        let total: u64 = latencies.values().sum();
        let wanted = u128::from(total) * u128::from(part.numerator());
        let wanted = wanted.div_ceil(u128::from(part.denominator())).max(1);
        let mut seen = 0;
        for (nanos, count) in latencies {
            seen += u128::from(count);
            if seen >= wanted {
                return Duration::from_nanos(nanos);
            }
        }
        Duration::ZERO
    }

    /// Returns the median of the latencies.
    #[must_use]
    pub fn p50(&self) -> Duration {
        self.quantile(Ratio::percent(50))
    }

    /// Returns the latency that 90 % did not exceed.
    #[must_use]
    pub fn p90(&self) -> Duration {
        self.quantile(Ratio::percent(90))
    }

    /// Returns the latency that 99 % did not exceed.
    #[must_use]
    pub fn p99(&self) -> Duration {
        self.quantile(Ratio::percent(99))
    }

    /// Returns the latency that 99.9 % did not exceed.
    #[must_use]
    pub fn p999(&self) -> Duration {
        self.quantile(Ratio::new(999, 1000))
    }

    /// Returns the longest latency.
    #[must_use]
    pub fn max(&self) -> Duration {
        self.quantile(Ratio::percent(100))
    }

    /// Returns the mean of the latencies, rounded down; zero if there are none.
    #[must_use]
    pub fn mean(&self) -> Duration {
        let latencies = self.merged();
        let total: u64 = latencies.values().sum();
        let sum: u128 =
            latencies.iter().map(|(nanos, count)| u128::from(*nanos) * u128::from(*count)).sum();
        let mean = sum.checked_div(u128::from(total));
        mean.map_or(Duration::ZERO, |mean| {
            Duration::from_nanos(u64::try_from(mean).expect("no more than the longest"))
        })
    }

    /// Returns how many requests ended in a second, whatever they came to; 0 if no time passed.
    #[must_use]
    pub fn rate(&self) -> f64 {
        if self.elapsed.is_zero() {
            return 0.0;
        }
        self.counts.total() as f64 / self.elapsed.as_secs_f64()
    }

    fn merged(&self) -> BTreeMap<u64, u64> {
        let mut merged = BTreeMap::new();
        for (nanos, count) in self.latencies.values().flatten() {
            *merged.entry(*nanos).or_default() += count;
        }
        merged
    }
}

impl fmt::Display for Report {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Counts { ok, error, timed_out, cancelled } = self.counts;
        let (total, elapsed, rate) = (self.counts.total(), self.elapsed, self.rate());
        writeln!(formatter, "{total} requests in {elapsed:?}, {rate:.1} per second")?;
        writeln!(
            formatter,
            "  ok {ok}  error {error}  timed out {timed_out}  cancelled {cancelled}"
        )?;
        let [p50, p90, p99, p999, max] =
            [self.p50(), self.p90(), self.p99(), self.p999(), self.max()];
        write!(formatter, "  p50 {p50:?}  p90 {p90:?}  p99 {p99:?}  p99.9 {p999:?}  max {max:?}")
    }
}
