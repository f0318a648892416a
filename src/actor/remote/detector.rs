//! When a machine that says nothing is taken for dead: the phi accrual failure detector, and a plain time-out.
//!
//! Sans-io: heartbeats come in with their times, and out comes the time at which suspicion begins if no
//! other comes. So one timer is enough, and nothing is asked again and again.

use std::collections::VecDeque;
use std::time::Duration;

/// How it is decided that a machine is dead.
///
/// Either is a guess: a machine that is slow, paused or cut off looks like one that has died.
///
/// # Examples
/// ```
/// use parcae::actor::remote::Detection;
/// use std::time::Duration;
///
/// // Sooner, and more often wrong.
/// let hasty = Detection::phi().with_pause(Duration::from_secs(1));
/// let plain = Detection::timeout(Duration::from_secs(10));
/// # let _ = (hasty, plain);
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Detection {
    /// By how unlikely such a silence is, given the heartbeats before it.
    ///
    /// # Source
    /// N. Hayashibara, X. Défago, R. Yared, T. Katayama, "The φ accrual failure detector", 2004; with the changes
    /// and the defaults of Akka's (`akka.cluster.failure-detector`).
    Phi(Phi),
    /// When nothing was heard for so long.
    Timeout(Duration),
}

impl Detection {
    /// Returns the accrual detector with Akka's settings.
    #[must_use]
    pub fn phi() -> Self {
        Self::Phi(Phi::default())
    }

    /// Returns a plain time-out.
    #[must_use]
    pub fn timeout(silence: Duration) -> Self {
        Self::Timeout(silence)
    }

    /// Lets heartbeats be late by so much; a plain time-out becomes this long.
    #[must_use]
    pub fn with_pause(self, pause: Duration) -> Self {
        match self {
            Self::Phi(phi) => Self::Phi(Phi { acceptable_pause: pause, ..phi }),
            Self::Timeout(_) => Self::Timeout(pause),
        }
    }
}

impl Default for Detection {
    fn default() -> Self {
        Self::phi()
    }
}

/// Settings of the accrual detector.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Phi {
    /// From this on it is suspected: that it is wrong has, by what was seen, a chance of 1 in 10 to this power. 8.
    pub threshold: f64,
    /// Heartbeats that are taken into account, 1 or more. 1,000.
    pub samples: usize,
    /// The deviation of the intervals counts as this at least. 100 ms.
    pub deviation_min: Duration,
    /// So late may a heartbeat be before it counts. 3 s.
    pub acceptable_pause: Duration,
    /// The interval that is assumed before there was any, with a quarter of it as deviation. 1 s.
    pub first_estimate: Duration,
}

impl Default for Phi {
    fn default() -> Self {
        Self {
            threshold: 8.0,
            samples: 1_000,
            deviation_min: Duration::from_millis(100),
            acceptable_pause: Duration::from_secs(3),
            first_estimate: Duration::from_secs(1),
        }
    }
}

/// What was heard of one machine. Times are nanoseconds of a clock that does not go back.
#[derive(Clone, Debug)]
pub(super) struct Detector {
    detection: Detection,
    last: u64,
    intervals: Intervals,
    suspected_at: u64,
}

impl Detector {
    /// Makes the detector of a machine that was heard of just now for the first time.
    pub(super) fn new(detection: Detection, now: u64) -> Self {
        let mut intervals = Intervals::default();
        if let Detection::Phi(phi) = &detection {
            // Two that have this mean and deviation.
            let mean = micros(phi.first_estimate);
            intervals.add(mean - mean / 4, phi.samples.max(2));
            intervals.add(mean + mean / 4, phi.samples.max(2));
        }
        let mut detector = Self { detection, last: now, intervals, suspected_at: 0 };
        detector.suspected_at = detector.end_of_patience();
        detector
    }

    /// Takes a heartbeat.
    pub(super) fn heartbeat(&mut self, now: u64) {
        if let Detection::Phi(phi) = &self.detection {
            // The silence that led to a suspicion says nothing of how heartbeats come, and one
            // after it would be waited for as long.
            if now < self.suspected_at {
                self.intervals.add(now.saturating_sub(self.last) / 1_000, phi.samples);
            }
        }
        self.restart(now);
    }

    /// Begins to listen anew, without having heard: at a new connection.
    pub(super) fn restart(&mut self, now: u64) {
        self.last = now;
        self.suspected_at = self.end_of_patience();
    }

    /// Returns when it is suspected if nothing is heard until then.
    pub(super) fn suspected_at(&self) -> u64 {
        self.suspected_at
    }

    /// The first nanosecond (to a microsecond) at which the threshold is reached.
    fn end_of_patience(&self) -> u64 {
        let silence = match &self.detection {
            Detection::Timeout(silence) => micros(*silence),
            Detection::Phi(phi) => {
                // Suspicion only grows with the silence.
                let (mut calm, mut suspicious) = (0, SILENCE_MAX_MICROS);
                while suspicious - calm > 1 {
                    let middle = calm + (suspicious - calm) / 2;
                    if self.intervals.phi(phi, middle) < phi.threshold {
                        calm = middle;
                    } else {
                        suspicious = middle;
                    }
                }
                suspicious
            }
        };
        self.last.saturating_add(silence.saturating_mul(1_000))
    }
}

/// The last intervals between heartbeats, in microseconds, with their sums.
#[derive(Clone, Debug, Default)]
struct Intervals {
    last: VecDeque<u64>,
    sum: u128,
    sum_of_squares: u128,
}

impl Intervals {
    fn add(&mut self, interval: u64, samples: usize) {
        // So that no square is out of range; nobody's heartbeat takes a year.
        let interval = interval.min(SILENCE_MAX_MICROS);
        while self.last.len() >= samples.max(1) {
            let Some(oldest) = self.last.pop_front() else { break };
            self.sum -= u128::from(oldest);
            self.sum_of_squares -= u128::from(oldest) * u128::from(oldest);
        }
        self.last.push_back(interval);
        self.sum += u128::from(interval);
        self.sum_of_squares += u128::from(interval) * u128::from(interval);
    }

    /// How sure one may be, after such a silence, that no heartbeat will come: the negative decimal logarithm of
    /// the chance that one comes still. Akka's approximation of the normal distribution by a logistic curve.
    #[expect(clippy::cast_precision_loss, reason = "a suspicion is no exact number")]
    fn phi(&self, settings: &Phi, silence: u64) -> f64 {
        let count = self.last.len().max(1) as f64;
        let mean = self.sum as f64 / count;
        let variance = (self.sum_of_squares as f64 / count - mean * mean).max(0.0);
        let deviation = libm::sqrt(variance).max(micros(settings.deviation_min).max(1) as f64);
        let late = silence as f64 - (mean + micros(settings.acceptable_pause) as f64);
        let y = late / deviation;
        let e = libm::exp(-y * (1.597_6 + 0.070_566 * y * y));
        if late > 0.0 { -libm::log10(e / (1.0 + e)) } else { -libm::log10(1.0 - 1.0 / (1.0 + e)) }
    }
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX).min(SILENCE_MAX_MICROS)
}

/// A year: what is later is never.
const SILENCE_MAX_MICROS: u64 = 365 * 24 * 3_600 * 1_000_000;

#[cfg(test)]
mod tests;
