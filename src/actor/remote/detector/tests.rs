//! When suspicion begins.

use super::*;

const SECOND: u64 = 1_000_000_000;

fn settings() -> Phi {
    Phi::default()
}

/// Intervals of so many milliseconds.
fn intervals(millis: &[u64]) -> Intervals {
    let mut intervals = Intervals::default();
    for interval in millis {
        intervals.add(interval * 1_000, 1_000);
    }
    intervals
}

fn phi_at(settings: &Phi, heard: &[u64], silence_millis: u64) -> f64 {
    intervals(heard).phi(settings, silence_millis * 1_000)
}

/// Values of the normal distribution; the approximation is within a twentieth of them.
#[test]
fn phi_is_the_chance_of_such_a_silence() {
    let without_pause = Phi {
        acceptable_pause: Duration::ZERO,
        deviation_min: Duration::from_millis(1),
        ..settings()
    };
    // Mean 1,000 ms, deviation 100 ms. At the mean the chance is a half; each deviation more is rarer.
    let heard = [900, 1_100];
    let expected = [(1_000, 0.301), (1_100, 0.800), (1_200, 1.643), (1_300, 2.870), (1_400, 4.499)];
    for (silence, phi) in expected {
        let found = phi_at(&without_pause, &heard, silence);
        assert!((found - phi).abs() < 0.055 * phi, "phi({silence}) = {found}, not {phi}");
    }
    // Below the mean too, where the other formula holds.
    assert!((phi_at(&without_pause, &heard, 900) - 0.0748).abs() < 0.01);
}

#[test]
fn suspicion_only_grows_with_the_silence() {
    let mut last = 0.0;
    for silence in (0..20_000).step_by(50) {
        let phi = phi_at(&settings(), &[1_000, 950, 1_200, 800], silence);
        assert!(phi >= last, "at {silence} ms");
        last = phi;
    }
    assert!(last.is_infinite() || last > 100.0);
}

#[test]
fn before_any_interval_one_of_a_second_is_assumed() {
    let detector = Detector::new(Detection::phi(), 5 * SECOND);
    let at = detector.suspected_at();
    // A second, three of pause, and somewhat more than five deviations of a quarter.
    assert!((10 * SECOND..11 * SECOND).contains(&at), "{at}");
}

#[test]
fn regular_heartbeats_are_trusted_less_long() {
    let mut detector = Detector::new(Detection::phi(), 0);
    let first = detector.suspected_at();
    for beat in 1..=1_000 {
        assert!(beat * SECOND < detector.suspected_at());
        detector.heartbeat(beat * SECOND);
    }
    let patience = detector.suspected_at() - 1_000 * SECOND;
    assert!(patience < first);
    // A second, three of pause, and at the least deviation of 100 ms more than half a second.
    assert!((4_500_000_000..4_650_000_000).contains(&patience), "{patience}");
}

#[test]
fn irregular_heartbeats_are_trusted_longer() {
    let patience = |millis: [u64; 2]| {
        let mut detector = Detector::new(Detection::phi(), 0);
        let mut now = 0;
        for beat in 0..200 {
            now += millis[beat % 2] * 1_000_000;
            detector.heartbeat(now);
        }
        detector.suspected_at() - now
    };
    assert!(patience([200, 1_800]) > patience([900, 1_100]) + 2 * SECOND);
}

#[test]
fn suspicion_begins_exactly_where_the_threshold_is() {
    let detector = Detector::new(Detection::phi(), 0);
    let at = detector.suspected_at() / 1_000;
    assert!(detector.intervals.phi(&settings(), at) >= settings().threshold);
    assert!(detector.intervals.phi(&settings(), at - 1) < settings().threshold);
}

#[test]
fn a_longer_pause_is_longer_patience() {
    let at = |pause| {
        Detector::new(Detection::phi().with_pause(Duration::from_secs(pause)), 0).suspected_at()
    };
    assert!(at(10) - at(3) >= 7 * SECOND - 1_000 && at(10) - at(3) <= 7 * SECOND + 1_000);
}

#[test]
fn the_silence_before_a_suspicion_is_not_a_sample() {
    let mut detector = Detector::new(Detection::phi(), 0);
    for beat in 1..=20 {
        detector.heartbeat(beat * SECOND);
    }
    let patience = detector.suspected_at() - 20 * SECOND;
    detector.heartbeat(1_000 * SECOND);
    assert_eq!(detector.suspected_at() - 1_000 * SECOND, patience);
}

#[test]
fn only_the_last_samples_count() {
    let few = Detection::Phi(Phi { samples: 10, ..settings() });
    let mut detector = Detector::new(few.clone(), 0);
    let mut now = 0;
    for interval in [4_000; 20].into_iter().chain([1_000; 10]) {
        now += interval * 1_000_000;
        detector.heartbeat(now);
    }
    let patience = detector.suspected_at() - now;
    assert!(patience < 4_700_000_000, "{patience}");
    assert_eq!(detector.intervals.last.len(), 10);
    assert_eq!(detector.intervals.sum, 10_000_000);
}

#[test]
fn a_plain_timeout_counts_from_the_last_heartbeat() {
    let mut detector = Detector::new(Detection::timeout(Duration::from_secs(2)), SECOND);
    assert_eq!(detector.suspected_at(), 3 * SECOND);
    detector.heartbeat(2 * SECOND);
    assert_eq!(detector.suspected_at(), 4 * SECOND);
    detector.restart(3 * SECOND);
    assert_eq!(detector.suspected_at(), 5 * SECOND);
}

#[test]
fn extreme_settings_are_no_trouble() {
    let never = Detector::new(Detection::timeout(Duration::MAX), u64::MAX - 5);
    assert_eq!(never.suspected_at(), u64::MAX);
    let odd = Phi {
        threshold: f64::INFINITY,
        samples: 0,
        deviation_min: Duration::ZERO,
        acceptable_pause: Duration::MAX,
        first_estimate: Duration::ZERO,
    };
    let mut detector = Detector::new(Detection::Phi(odd), 0);
    for now in [0, 0, 1, u64::MAX / 2, 3] {
        detector.heartbeat(now);
    }
}
