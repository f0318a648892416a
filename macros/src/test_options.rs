//! The options of `#[parcae::test(...)]`.

use proc_macro2::{Ident, Literal, TokenStream};
use quote::quote;
use syn::{Expr, Path, Result};

use crate::options::{
    OwnOptions, SeedValue, parse_count, parse_duration_nanos, parse_seed, parse_variant,
};

/// The options of one `#[parcae::test]`; `None` where one was not given.
#[derive(Default)]
pub(crate) struct TestOptions {
    /// How many seeds are run.
    seeds: Option<Literal>,
    /// The pinned seeds, in the order in which they were written.
    regression_seeds: Vec<SeedValue>,
    /// A variant of `explore::Strategy`.
    strategy: Option<Ident>,
    /// How many seeds run side by side.
    jobs: Option<Literal>,
    /// A variant of `explore::Isolation`.
    isolation: Option<Ident>,
    /// The limit of steps.
    max_steps: Option<Literal>,
    /// The limit of virtual time.
    max_time_nanos: Option<Literal>,
    /// A variant of `explore::Determinism`.
    determinism: Option<Ident>,
}

impl OwnOptions for TestOptions {
    const KNOWN: &'static [(&'static str, &'static str)] = &[
        ("seeds", "seeds = 1000"),
        ("seed", "seed = 17"),
        ("strategy", "strategy = \"random\""),
        ("jobs", "jobs = 4"),
        ("isolation", "isolation = \"thread\""),
        ("max_steps", "max_steps = 100000"),
        ("max_time", "max_time = \"30s\""),
        ("determinism", "determinism = \"first\""),
    ];

    const REPEATABLE: Option<&'static str> = Some("seed");

    fn set(&mut self, name: &str, value: &Expr) -> Result<()> {
        match name {
            "seeds" => self.seeds = Some(parse_count(name, value)?),
            "seed" => self.regression_seeds.push(parse_seed(value)?),
            "strategy" => self.strategy = Some(parse_variant(name, value, &STRATEGIES)?),
            "jobs" => self.jobs = Some(parse_count(name, value)?),
            "isolation" => self.isolation = Some(parse_variant(name, value, &ISOLATIONS)?),
            "max_steps" => self.max_steps = Some(parse_count(name, value)?),
            "max_time" => self.max_time_nanos = Some(parse_duration_nanos(name, value)?),
            "determinism" => self.determinism = Some(parse_variant(name, value, &DETERMINISMS)?),
            _ => unreachable!("option `{name}` is listed in KNOWN but not read"),
        }
        Ok(())
    }

    fn setters(&self, crate_path: &Path) -> TokenStream {
        let mut setters = TokenStream::new();
        if let Some(count) = &self.seeds {
            setters.extend(quote!(.seeds(#count)));
        }
        for seed in &self.regression_seeds {
            let seed = seed.write(crate_path);
            setters.extend(quote!(.regression_seed(#seed)));
        }
        if let Some(variant) = &self.strategy {
            setters.extend(quote!(.strategy(#crate_path::explore::Strategy::#variant)));
        }
        if let Some(count) = &self.jobs {
            setters.extend(quote!(.jobs(#count)));
        }
        if let Some(variant) = &self.isolation {
            setters.extend(quote!(.isolation(#crate_path::explore::Isolation::#variant)));
        }
        if let Some(count) = &self.max_steps {
            setters.extend(quote!(.max_steps(#count)));
        }
        if let Some(nanos) = &self.max_time_nanos {
            setters.extend(quote!(.max_time(::core::time::Duration::from_nanos(#nanos))));
        }
        if let Some(variant) = &self.determinism {
            setters.extend(quote!(.determinism(#crate_path::explore::Determinism::#variant)));
        }
        setters
    }
}

const STRATEGIES: [(&str, &str); 9] = [
    ("random", "Random"),
    ("fifo", "Fifo"),
    ("portfolio", "Portfolio"),
    ("pct", "Pct"),
    ("pct-mix", "PctMix"),
    ("pos", "Pos"),
    ("urw", "Urw"),
    ("surw", "Surw"),
    ("delay", "Delay"),
];
const ISOLATIONS: [(&str, &str); 3] = [("thread", "Thread"), ("reuse", "Reuse"), ("fork", "Fork")];
const DETERMINISMS: [(&str, &str); 3] =
    [("first", "FirstSeed"), ("every", "EverySeed"), ("off", "Off")];

#[cfg(test)]
mod tests {
    use super::TestOptions;
    use crate::checks;
    use crate::options::{Options, SeedValue};
    use quote::ToTokens as _;

    fn parse(arguments: &str) -> Options<TestOptions> {
        syn::parse_str(arguments).unwrap()
    }

    #[track_caller]
    fn check_errors(arguments: &str, expected: &[(&str, &str)]) {
        let read = syn::parse_str::<Options<TestOptions>>(arguments);
        checks::check_errors(read, expected, arguments);
    }

    #[track_caller]
    fn check_error(arguments: &str, message: &str, place: &str) {
        check_errors(arguments, &[(message, place)]);
    }

    #[test]
    fn no_arguments_give_no_options() {
        let options = parse("");
        assert!(options.own.seeds.is_none());
        assert!(options.own.regression_seeds.is_empty());
        assert!(options.own.strategy.is_none());
        assert!(options.own.jobs.is_none());
        assert!(options.own.isolation.is_none());
        assert!(options.own.max_steps.is_none());
        assert!(options.own.max_time_nanos.is_none());
        assert!(options.own.determinism.is_none());
        assert!(options.config.is_none());
        assert_eq!(options.crate_path.to_token_stream().to_string(), ":: parcae");
    }

    #[test]
    fn integers_may_be_written_in_every_form() {
        for text in ["1000", "1_000", "0x3e8", "0b11_1110_1000", "1000u64"] {
            let options = parse(&format!("seeds = {text},"));
            assert_eq!(options.own.seeds.unwrap().to_string(), "1000", "for {text}");
        }
    }

    #[test]
    fn a_number_keeps_the_place_where_it_was_written() {
        let options = parse("jobs = 0x4, max_time = \"2us\"");
        assert_eq!(options.own.jobs.unwrap().span().source_text().as_deref(), Some("0x4"));
        let nanos = options.own.max_time_nanos.unwrap();
        assert_eq!(nanos.span().source_text().as_deref(), Some("\"2us\""));
    }

    #[test]
    fn counts_outside_their_range_are_refused() {
        for name in ["seeds", "jobs", "max_steps"] {
            let message = format!("`{name}` expects an integer from 1 to 2^64 - 1");
            for value in ["0", "-1", "\"5\"", "2 * 3", "18446744073709551616", "5u8", "1.5", "N"] {
                check_error(&format!("{name} = {value}"), &message, value);
            }
        }
    }

    #[test]
    fn seeds_are_pinned_in_the_order_they_are_written() {
        let hash = "0123456789abcdefABCDEF0123456789abcdef01";
        let options = parse(&format!(
            "seed = 7, seed = 18446744073709551615, seed = \"7\", seed = \"0xFf\", \
             seed = \"{hash}\""
        ));
        let seeds: Vec<String> = options
            .own
            .regression_seeds
            .iter()
            .map(|seed| match seed {
                SeedValue::Number(number) => number.to_string(),
                SeedValue::Text(text) => format!("{:?}", text.value()),
            })
            .collect();
        let hash = format!("{hash:?}");
        assert_eq!(seeds, ["7", "18446744073709551615", "\"7\"", "\"0xFf\"", &hash]);
    }

    #[test]
    fn a_seed_that_is_no_number_is_refused() {
        let forms = "a decimal number below 2^64, a hexadecimal one of up to 16 digits after `0x`, \
                     or a git hash of 40 digits";
        for text in ["", "+5", "-5", "5 ", "abc", "0x", "0x12345678123456781", "0xg"] {
            let message = format!("unknown seed `{text}`: expected {forms}");
            check_error(&format!("seed = {text:?}"), &message, &format!("{text:?}"));
        }
        for digits in [39, 41] {
            let text = "a".repeat(digits);
            let message = format!("unknown seed `{text}`: expected {forms}");
            check_error(&format!("seed = {text:?}"), &message, &format!("{text:?}"));
        }
        let message = format!("`seed` expects an integer below 2^64, or a string with {forms}");
        check_error("seed = 18446744073709551616", &message, "18446744073709551616");
        check_error("seed = -1", &message, "-1");
        check_error("seed = true", &message, "true");
    }

    #[test]
    fn names_become_variants_of_the_library() {
        let variants = |arguments| {
            let options = parse(arguments);
            [options.own.strategy, options.own.isolation, options.own.determinism]
                .map(|variant| variant.unwrap().to_string())
        };
        assert_eq!(
            variants("strategy = \"fifo\", isolation = \"thread\", determinism = \"first\""),
            ["Fifo", "Thread", "FirstSeed"]
        );
        assert_eq!(
            variants("strategy = \"pct-mix\", isolation = \"reuse\", determinism = \"off\""),
            ["PctMix", "Reuse", "Off"]
        );
    }

    #[test]
    fn an_unknown_name_is_answered_with_the_known_ones() {
        const NAMES: &str = "\"random\", \"fifo\", \"portfolio\", \"pct\", \"pct-mix\", \"pos\", \"urw\", \
             \"surw\" or \"delay\"";
        check_error(
            "strategy = \"x\"",
            &format!("unknown strategy `x`: expected {NAMES}"),
            "\"x\"",
        );
        check_error(
            "isolation = \"process\"",
            "unknown isolation `process`: expected \"thread\", \"reuse\" or \"fork\"",
            "\"process\"",
        );
        check_error(
            "determinism = \"all\"",
            "unknown determinism `all`: expected \"first\", \"every\" or \"off\"",
            "\"all\"",
        );
        check_error(
            "strategy = Strategy::Random",
            &format!("`strategy` expects {NAMES}"),
            "Strategy::Random",
        );
        check_error(
            "determinism = false",
            "`determinism` expects \"first\", \"every\" or \"off\"",
            "false",
        );
    }

    #[test]
    fn durations_become_nanoseconds() {
        let expected = [
            ("7ns", "7"),
            ("7us", "7000"),
            ("7ms", "7000000"),
            ("30s", "30000000000"),
            ("2m", "120000000000"),
            ("1h", "3600000000000"),
            ("007ns", "7"),
            ("18446744073709551615ns", "18446744073709551615"),
        ];
        for (text, nanos) in expected {
            let options = parse(&format!("max_time = {text:?}"));
            assert_eq!(options.own.max_time_nanos.unwrap().to_string(), nanos, "for {text}");
        }
    }

    #[test]
    fn a_duration_that_cannot_be_read_is_refused() {
        let message = "`max_time` expects a string such as \"30s\": an integer above 0 followed by \
                       `ns`, `us`, `ms`, `s`, `m` or `h`";
        for text in ["", "30", "s", "30 s", " 30s", "1.5s", "-1s", "30sec", "30S", "0s", "00ns"] {
            check_error(&format!("max_time = {text:?}"), message, &format!("{text:?}"));
        }
        check_error("max_time = 30", message, "30");
        check_error("max_time = Duration::MAX", message, "Duration::MAX");
    }

    #[test]
    fn a_duration_that_does_not_fit_is_refused() {
        let message = "`max_time` is at most 2^64 - 1 nanoseconds, which is 584 years";
        for text in ["18446744073709551616ns", "18446744074s", "99999999999999999999h"] {
            check_error(&format!("max_time = {text:?}"), message, &format!("{text:?}"));
        }
    }

    #[test]
    fn config_takes_any_expression() {
        for text in ["nightly", "config::nightly::<3>", "|check| check.seeds(3)"] {
            let config = parse(&format!("config = {text}, jobs = 1")).config.unwrap();
            let expected: syn::Expr = syn::parse_str(text).unwrap();
            assert_eq!(
                config.to_token_stream().to_string(),
                expected.to_token_stream().to_string()
            );
        }
    }

    #[test]
    fn crate_takes_a_path() {
        for (text, expected) in [
            ("crate", "crate"),
            ("::sim", ":: sim"),
            ("a::b", "a :: b"),
            ("super::a", "super :: a"),
        ] {
            let crate_path = parse(&format!("crate = {text}")).crate_path;
            assert_eq!(crate_path.to_token_stream().to_string(), expected);
        }
        check_error("crate = 5", "`crate` expects a path, such as `::parcae`", "5");
        check_error("crate = \"sim\"", "`crate` expects a path, such as `::parcae`", "\"sim\"");
    }

    #[test]
    fn an_unknown_option_is_answered_with_the_known_ones() {
        let expected = "expected one of `seeds`, `seed`, `strategy`, `jobs`, `isolation`, \
                        `max_steps`, `max_time`, `determinism`, `config`, `crate`";
        for (name, near) in
            [("sedes", "seeds"), ("sed", "seed"), ("job", "jobs"), ("max_step", "max_steps")]
        {
            let message = format!("unknown option `{name}`: {expected}; did you mean `{near}`?");
            check_error(&format!("{name} = 10"), &message, name);
        }
        let message = format!("unknown option `flavor`: {expected}");
        check_error("jobs = 1, flavor = \"current_thread\"", &message, "flavor");
    }

    #[test]
    fn an_option_given_twice_is_refused_at_the_second() {
        let values = [
            ("seeds", "1"),
            ("strategy", "\"fifo\""),
            ("jobs", "1"),
            ("isolation", "\"reuse\""),
            ("max_steps", "1"),
            ("max_time", "\"1s\""),
            ("determinism", "\"off\""),
            ("config", "nightly"),
            ("crate", "::parcae"),
        ];
        for (name, value) in values {
            let arguments = format!("{name} = {value}, seed = 1, {name} = {value}");
            let error = syn::parse_str::<Options<TestOptions>>(&arguments).map(drop).unwrap_err();
            assert_eq!(error.to_string(), format!("option `{name}` is given twice"));
            assert_eq!(error.span().start().column, arguments.rfind(name).unwrap());
        }
    }

    #[test]
    fn an_option_without_a_value_is_refused_with_an_example() {
        let message = "option `seeds` needs a value, as in `seeds = 1000`";
        for arguments in ["seeds", "seeds =", "seeds = , jobs = 1", "seeds(1)", "seeds: 1"] {
            check_error(arguments, message, "seeds");
        }
        let message = "option `strategy` needs a value, as in `strategy = \"random\"`";
        check_error("strategy", message, "strategy");
    }

    #[test]
    fn what_is_no_option_at_all_is_refused() {
        check_error("5", "expected ident", "5");
        check_error("seeds = 1 2", "expected `,`", "2");
        check_error("config =  +", "expected an expression", "+");
    }

    #[test]
    fn all_errors_are_reported_at_once() {
        check_errors(
            "seeds = 0, isolation = \"process\" \"x\", seeds = 3, jobs = 1, determinism",
            &[
                ("`seeds` expects an integer from 1 to 2^64 - 1", "0"),
                (
                    "unknown isolation `process`: expected \"thread\", \"reuse\" or \"fork\"",
                    "\"process\"",
                ),
                ("option `seeds` is given twice", "seeds"),
                (
                    "option `determinism` needs a value, as in `determinism = \"first\"`",
                    "determinism",
                ),
            ],
        );
    }

    #[test]
    fn values_substituted_by_a_macro_are_read() {
        use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};
        let group = Group::new(Delimiter::None, quote::quote!(12));
        let tokens: TokenStream =
            quote::quote!(seeds =).into_iter().chain([TokenTree::Group(group)]).collect();
        let options: Options<TestOptions> = syn::parse2(tokens).unwrap();
        assert_eq!(options.own.seeds.unwrap().to_string(), "12");
    }
}
