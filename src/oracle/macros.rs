//! The macros. Each makes the static of its place and hands the condition on.
//!
//! What stands behind the message is a list of details: `name`, `name = value`, `name = %value`.

/// Makes the static of a property where the macro of a user's stands.
#[doc(hidden)]
#[macro_export]
macro_rules! __property {
    ($kind:ident, $aim:expr, $message:expr) => {{
        fn inside() -> &'static str {
            ::std::any::type_name_of_val(&inside)
        }
        static PROPERTY: $crate::oracle::Property = $crate::oracle::Property::new(
            $crate::oracle::PropertyKind::$kind,
            $message,
            $crate::oracle::written::CodePlace {
                module: ::std::module_path!(),
                inside,
                file: ::std::file!(),
                line: ::std::line!(),
                column: ::std::column!(),
            },
            $aim,
        );
        #[$crate::oracle::written::linkme::distributed_slice($crate::oracle::written::PROPERTIES)]
        #[linkme(crate = $crate::oracle::written::linkme)]
        static ENTRY: &'static $crate::oracle::Property = &PROPERTY;
        &PROPERTY
    }};
}

/// Adds details to a list, one after the other.
#[doc(hidden)]
#[macro_export]
macro_rules! __details {
    ($list:ident $(,)?) => {};
    ($list:ident, $name:ident = %$value:expr $(, $($rest:tt)*)?) => {
        $list.add_shown(::std::stringify!($name), &$value);
        $crate::__details!($list $(, $($rest)*)?);
    };
    ($list:ident, $name:ident = ?$value:expr $(, $($rest:tt)*)?) => {
        $list.add(::std::stringify!($name), &$value);
        $crate::__details!($list $(, $($rest)*)?);
    };
    ($list:ident, $name:ident = $value:expr $(, $($rest:tt)*)?) => {
        $list.add(::std::stringify!($name), &$value);
        $crate::__details!($list $(, $($rest)*)?);
    };
    ($list:ident, $name:ident $(, $($rest:tt)*)?) => {
        $list.add(::std::stringify!($name), &$name);
        $crate::__details!($list $(, $($rest)*)?);
    };
}

/// Evaluates a condition.
#[doc(hidden)]
#[macro_export]
macro_rules! __judge {
    ($kind:ident, $condition:expr, $message:expr $(, $($details:tt)*)?) => {
        $crate::oracle::written::judge(
            $crate::__property!($kind, ::std::option::Option::None, $message),
            $condition,
            |_details: &mut $crate::oracle::Details| {
                $crate::__details!(_details $(, $($details)*)?);
            },
        )
    };
}

/// Compares two numbers.
#[doc(hidden)]
#[macro_export]
macro_rules! __compare {
    ($kind:ident $comparison:ident $aim:ident, $left:expr, $right:expr, $message:expr
        $(, $($details:tt)*)?) => {
        $crate::oracle::written::compare(
            $crate::__property!(
                $kind,
                ::std::option::Option::Some((
                    $crate::oracle::written::Aim::$aim,
                    $crate::oracle::written::Subject::Numbers,
                )),
                $message
            ),
            ($left, $crate::oracle::written::Comparison::$comparison, $right),
            |_details: &mut $crate::oracle::Details| {
                $crate::__details!(_details $(, $($details)*)?);
            },
        )
    };
}

/// Judges a list of conditions with names.
#[doc(hidden)]
#[macro_export]
macro_rules! __conditions {
    ($kind:ident $is_all:literal $aim:ident, { $($name:ident: $condition:expr),+ $(,)? },
        $message:expr $(, $($details:tt)*)?) => {
        $crate::oracle::written::some_or_all(
            $crate::__property!(
                $kind,
                ::std::option::Option::Some((
                    $crate::oracle::written::Aim::$aim,
                    $crate::oracle::written::Subject::Conditions,
                )),
                $message
            ),
            $is_all,
            &[$((::std::stringify!($name), $condition)),+],
            |_details: &mut $crate::oracle::Details| {
                $crate::__details!(_details $(, $($details)*)?);
            },
        )
    };
}

/// States that a condition is true whenever this place is come to; a false one fails the run.
///
/// The task goes on until it next awaits; then the run is over. A check that asks for the place by
/// [`Check::expect_properties_of`](crate::explore::Check::expect_properties_of) fails, too, if no seed
/// comes to it. For what holds and where it counts see [`oracle`](crate::oracle).
///
/// # Examples
/// ```
/// let outcome = parcae::Sim::new(7).run(|| async {
///     let holders = 2;
///     parcae::always!(holders <= 1, "one holder", holders);
/// });
/// let failure = outcome.into_result().unwrap_err().to_string();
/// assert!(failure.starts_with("always!(\"one holder\") at ") && failure.ends_with(": holders=2"));
/// ```
#[macro_export]
macro_rules! always {
    ($condition:expr, $message:expr $(, $($details:tt)*)?) => {
        $crate::__judge!(Always, $condition, $message $(, $($details)*)?)
    };
}

/// States that a condition is true whenever this place is come to, which need not happen.
///
/// Otherwise as [`always!`](crate::always!).
///
/// # Examples
/// ```
/// # parcae::Sim::new(7).run(|| async {
/// parcae::always_or_unreached!(1 + 1 == 2, "sums are right", sum = 1 + 1);
/// # }).unwrap();
/// ```
#[macro_export]
macro_rules! always_or_unreached {
    ($condition:expr, $message:expr $(, $($details:tt)*)?) => {
        $crate::__judge!(AlwaysOrUnreached, $condition, $message $(, $($details)*)?)
    };
}

/// States that a condition is true in some seed; a check in which it never was fails.
///
/// As [`Check::unmet`](crate::explore::Check::unmet) says, only checks of enough seeds that have all
/// been run are judged. A single run never fails for it.
///
/// # Examples
/// ```
/// use parcae::explore::Check;
///
/// let report = Check::new("dice").seeds(200).run(|| async {
///     let eyes = parcae::choose(1..=6);
///     parcae::sometimes!(eyes == 6, "a six is thrown", eyes);
///     parcae::sometimes!(eyes == 7, "a seven is thrown", eyes);
/// });
/// let unmet: Vec<_> = report.unmet().iter().map(|unmet| unmet.property().message()).collect();
/// assert_eq!(unmet, ["a seven is thrown"]);
/// assert!(!report.is_ok());
/// ```
#[macro_export]
macro_rules! sometimes {
    ($condition:expr, $message:expr $(, $($details:tt)*)?) => {
        $crate::__judge!(Sometimes, $condition, $message $(, $($details)*)?)
    };
}

/// States that this place is come to in some seed.
///
/// A place that no run has come to is not known to a check by itself: a test binary holds those of many
/// tests. So it is asked for, by its module:
/// [`Check::expect_properties_of`](crate::explore::Check::expect_properties_of).
///
/// # Examples
/// ```
/// use parcae::explore::Check;
///
/// let check = Check::new("coin").expect_properties_of(module_path!()).seeds(100);
/// let report = check.run(|| async {
///     let [heads, edge] = [parcae::choose(0..2) == 1, false];
///     if heads {
///         parcae::reachable!("heads");
///     }
///     if edge {
///         parcae::reachable!("the coin stands on its edge");
///     }
/// });
/// let unmet: Vec<_> = report.unmet().iter().map(|unmet| unmet.property().message()).collect();
/// assert_eq!(unmet, ["the coin stands on its edge"]);
/// ```
#[macro_export]
macro_rules! reachable {
    ($message:expr $(, $($details:tt)*)?) => {
        $crate::__judge!(Reachable, true, $message $(, $($details)*)?)
    };
}

/// States that this place is never come to; a run that comes to it fails.
///
/// Unlike the macro of `std` of that name it does not end the task and has the type `()`, so write it with
/// its path, `parcae::unreachable!`, and do not import it. In production it is a line of `tracing`.
///
/// # Examples
/// ```
/// let outcome = parcae::Sim::new(7).run(|| async {
///     parcae::unreachable!("a lease is renewed twice", lease = 3);
/// });
/// assert!(outcome.into_result().unwrap_err().to_string().ends_with(": lease=3"));
/// ```
#[macro_export]
macro_rules! unreachable {
    ($message:expr $(, $($details:tt)*)?) => {
        $crate::__judge!(Unreachable, false, $message $(, $($details)*)?)
    };
}

/// States that a number is always greater than another one; the failure shows both.
///
/// Otherwise as [`always!`](crate::always!). Numbers are [`Measure`](crate::oracle::Measure): whole ones, real
/// ones and durations, two of one type.
#[macro_export]
macro_rules! always_greater_than {
    ($left:expr, $right:expr, $message:expr $(, $($details:tt)*)?) => {
        $crate::__compare!(Always Greater Least, $left, $right, $message $(, $($details)*)?)
    };
}

/// States that a number is always greater than or equal to another one; the failure shows both.
///
/// Otherwise as [`always!`](crate::always!). Numbers are [`Measure`](crate::oracle::Measure): whole ones, real
/// ones and durations, two of one type.
#[macro_export]
macro_rules! always_greater_than_or_equal_to {
    ($left:expr, $right:expr, $message:expr $(, $($details:tt)*)?) => {
        $crate::__compare!(Always GreaterOrEqual Least, $left, $right, $message $(, $($details)*)?)
    };
}

/// States that a number is always less than another one; the failure shows both.
///
/// Otherwise as [`always!`](crate::always!). Numbers are [`Measure`](crate::oracle::Measure): whole ones, real
/// ones and durations, two of one type.
#[macro_export]
macro_rules! always_less_than {
    ($left:expr, $right:expr, $message:expr $(, $($details:tt)*)?) => {
        $crate::__compare!(Always Less Greatest, $left, $right, $message $(, $($details)*)?)
    };
}

/// States that a number is always less than or equal to another one; the failure shows both.
///
/// Otherwise as [`always!`](crate::always!). Numbers are [`Measure`](crate::oracle::Measure): whole ones, real
/// ones and durations, two of one type.
#[macro_export]
macro_rules! always_less_than_or_equal_to {
    ($left:expr, $right:expr, $message:expr $(, $($details:tt)*)?) => {
        $crate::__compare!(Always LessOrEqual Greatest, $left, $right, $message $(, $($details)*)?)
    };
}

/// States that a number is sometimes greater than another one; the failure shows both.
///
/// Otherwise as [`sometimes!`](crate::sometimes!). Numbers are [`Measure`](crate::oracle::Measure): whole ones, real
/// ones and durations, two of one type.
#[macro_export]
macro_rules! sometimes_greater_than {
    ($left:expr, $right:expr, $message:expr $(, $($details:tt)*)?) => {
        $crate::__compare!(Sometimes Greater Greatest, $left, $right, $message $(, $($details)*)?)
    };
}

/// States that a number is sometimes greater than or equal to another one; the failure shows both.
///
/// Otherwise as [`sometimes!`](crate::sometimes!). Numbers are [`Measure`](crate::oracle::Measure): whole ones, real
/// ones and durations, two of one type.
#[macro_export]
macro_rules! sometimes_greater_than_or_equal_to {
    ($left:expr, $right:expr, $message:expr $(, $($details:tt)*)?) => {
        $crate::__compare!(Sometimes GreaterOrEqual Greatest, $left, $right, $message $(, $($details)*)?)
    };
}

/// States that a number is sometimes less than another one; the failure shows both.
///
/// Otherwise as [`sometimes!`](crate::sometimes!). Numbers are [`Measure`](crate::oracle::Measure): whole ones, real
/// ones and durations, two of one type.
#[macro_export]
macro_rules! sometimes_less_than {
    ($left:expr, $right:expr, $message:expr $(, $($details:tt)*)?) => {
        $crate::__compare!(Sometimes Less Least, $left, $right, $message $(, $($details)*)?)
    };
}

/// States that a number is sometimes less than or equal to another one; the failure shows both.
///
/// Otherwise as [`sometimes!`](crate::sometimes!). Numbers are [`Measure`](crate::oracle::Measure): whole ones, real
/// ones and durations, two of one type.
#[macro_export]
macro_rules! sometimes_less_than_or_equal_to {
    ($left:expr, $right:expr, $message:expr $(, $($details:tt)*)?) => {
        $crate::__compare!(Sometimes LessOrEqual Least, $left, $right, $message $(, $($details)*)?)
    };
}

/// States that one or more of several conditions are true whenever this place is come to.
///
/// Otherwise as [`always!`](crate::always!). All conditions are evaluated; the failure shows each.
///
/// # Examples
/// ```
/// # parcae::Sim::new(7).run(|| async {
/// let (has_leader, is_electing) = (true, false);
/// parcae::always_some!({ leads: has_leader, elects: is_electing }, "there is a leader, or will be");
/// # }).unwrap();
/// ```
#[macro_export]
macro_rules! always_some {
    ($conditions:tt, $message:expr $(, $($details:tt)*)?) => {
        $crate::__conditions!(Always false Least, $conditions, $message $(, $($details)*)?)
    };
}

/// States that several conditions are true together in some seed.
///
/// Otherwise as [`sometimes!`](crate::sometimes!). All conditions are evaluated.
///
/// # Examples
/// ```
/// # parcae::Sim::new(7).run(|| async {
/// let (is_full, is_retrying) = (true, false);
/// parcae::sometimes_all!({ full: is_full, retries: is_retrying }, "a retry meets a full queue");
/// # }).unwrap();
/// ```
#[macro_export]
macro_rules! sometimes_all {
    ($conditions:tt, $message:expr $(, $($details:tt)*)?) => {
        $crate::__conditions!(Sometimes true Greatest, $conditions, $message $(, $($details)*)?)
    };
}
