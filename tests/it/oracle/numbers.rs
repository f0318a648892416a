//! Properties that compare numbers, or list conditions.

use std::time::Duration;

use parcae::Sim;
use parcae::explore::Check;

/// Returns which of the eight comparisons of two numbers do not hold.
fn failing(left: i64, right: i64) -> Vec<String> {
    let mut failing = Vec::new();
    for choice in 0..4 {
        let outcome = Sim::new(7).run(move || async move {
            match choice {
                0 => parcae::always_greater_than!(left, right, "gt"),
                1 => parcae::always_greater_than_or_equal_to!(left, right, "ge"),
                2 => parcae::always_less_than!(left, right, "lt"),
                _ => parcae::always_less_than_or_equal_to!(left, right, "le", more = 5),
            }
        });
        failing.extend(outcome.into_result().err().map(|failure| failure.to_string()));
    }
    let outcome = Sim::new(7).run(move || async move {
        parcae::sometimes_greater_than!(left, right, "sgt");
        parcae::sometimes_greater_than_or_equal_to!(left, right, "sge");
        parcae::sometimes_less_than!(left, right, "slt");
        parcae::sometimes_less_than_or_equal_to!(left, right, "sle");
    });
    let counts = outcome.properties().iter().filter(|count| count.held() == 0);
    failing.extend(counts.map(|count| count.property().message().to_owned()));
    failing
}

#[test]
fn numbers_are_compared_as_they_are_named() {
    let messages = |left, right| -> Vec<String> {
        let message = |text: String| match text.split('"').nth(1) {
            Some(quoted) => quoted.to_owned(),
            None => text,
        };
        failing(left, right).into_iter().map(message).collect()
    };
    assert_eq!(messages(1, 2), ["gt", "ge", "sgt", "sge"]);
    assert_eq!(messages(2, 2), ["gt", "lt", "sgt", "slt"]);
    assert_eq!(messages(2, -2), ["lt", "le", "slt", "sle"]);
    assert!(failing(3, 2)[1].ends_with(": left=3, right=2, more=5"), "{:?}", failing(3, 2));
}

#[test]
fn durations_are_numbers() {
    let outcome = Sim::new(7).run(|| async {
        let (took, limit) = (Duration::from_millis(3), Duration::from_millis(2));
        parcae::always_less_than!(took, limit, "it is in time");
    });
    let failure = outcome.into_result().unwrap_err().to_string();
    assert!(failure.ends_with(": left=3ms, right=2ms"), "{failure}");
}

#[test]
fn real_numbers_are_numbers_and_what_is_none_is_not_compared() {
    let run = |left: f64, right: f64| {
        Sim::new(7).run(move || async move {
            parcae::sometimes_less_than!(left, right, "less");
            parcae::always_less_than_or_equal_to!(left, right, "not greater");
        })
    };
    for (left, right, is_less) in [(0.25, 0.5, 1), (0.5, 0.5, 0), (-0.5, f64::INFINITY, 1)] {
        let outcome = run(left, right);
        assert_eq!(outcome.properties()[0].held(), is_less, "{left} {right}");
        outcome.unwrap();
    }
    let outcome = Sim::new(7).run(|| async {
        parcae::always_less_than!(0.25_f32, 0.5, "of less bits");
    });
    outcome.unwrap();
    let failure = |left, right| run(left, right).into_result().unwrap_err().to_string();
    assert!(failure(0.5, 0.25).ends_with(": left=0.5, right=0.25"));
    assert!(failure(f64::NAN, 0.25).ends_with(": left=NaN, right=0.25"));
}

#[test]
fn lists_of_conditions_show_each_of_them() {
    let run = |left: bool, right: bool| {
        Sim::new(7).run(move || async move {
            parcae::sometimes_all!({ left: left, right: right }, "both");
            parcae::always_some!({ left: left, right: right, }, "one of them", more = 1);
        })
    };
    for (left, right) in [(true, true), (true, false), (false, true), (false, false)] {
        let outcome = run(left, right);
        assert_eq!(outcome.properties()[0].held(), u64::from(left && right));
        let failure = outcome.into_result().err().map(|failure| failure.to_string());
        assert_eq!(failure.is_some(), !left && !right);
        if let Some(text) = failure {
            assert!(
                text.ends_with("): left=false, right=false, more=1")
                    || text.ends_with(": left=false, right=false, more=1")
            );
        }
    }
}

#[test]
fn two_that_are_true_apart_are_unmet_together() {
    let report = Check::new("apart").seeds(200).run(|| async {
        let number = parcae::choose(0..2);
        parcae::sometimes_all!({ heads: number == 0, tails: number == 1 }, "heads and tails");
    });
    assert_eq!(report.unmet().len(), 1);
}
