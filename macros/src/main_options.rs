//! The options of `#[parcae::main(...)]`.

use proc_macro2::{Ident, Literal, TokenStream};
use quote::quote;
use syn::{Expr, Path, Result};

use crate::options::{
    OwnOptions, SeedValue, parse_count, parse_duration_nanos, parse_seed, parse_variant,
};

/// The options of one `#[parcae::main]`; `None` where one was not given.
#[derive(Default)]
pub(crate) struct MainOptions {
    /// How many threads there are, the one of `main` among them.
    workers: Option<Literal>,
    /// What random numbers come from.
    seed: Option<SeedValue>,
    /// How long a shutdown waits.
    grace_nanos: Option<Literal>,
    /// A variant of `real::PanicPolicy`.
    panics: Option<Ident>,
    /// A variant of `real::Signals`.
    signals: Option<Ident>,
}

impl OwnOptions for MainOptions {
    const KNOWN: &'static [(&'static str, &'static str)] = &[
        ("workers", "workers = 4"),
        ("seed", "seed = 17"),
        ("grace", "grace = \"30s\""),
        ("panics", "panics = \"go_on\""),
        ("signals", "signals = \"ignore\""),
    ];

    const REPEATABLE: Option<&'static str> = None;

    fn set(&mut self, name: &str, value: &Expr) -> Result<()> {
        match name {
            "workers" => self.workers = Some(parse_count(name, value)?),
            "seed" => self.seed = Some(parse_seed(value)?),
            "grace" => self.grace_nanos = Some(parse_duration_nanos(name, value)?),
            "panics" => self.panics = Some(parse_variant(name, value, &PANICS)?),
            "signals" => self.signals = Some(parse_variant(name, value, &SIGNALS)?),
            _ => unreachable!("option `{name}` is listed in KNOWN but not read"),
        }
        Ok(())
    }

    fn setters(&self, crate_path: &Path) -> TokenStream {
        let mut setters = TokenStream::new();
        if let Some(count) = &self.workers {
            setters.extend(quote!(.with_workers(#count)));
        }
        if let Some(seed) = &self.seed {
            let seed = seed.write(crate_path);
            setters.extend(quote!(.with_seed(#seed)));
        }
        if let Some(nanos) = &self.grace_nanos {
            setters.extend(quote!(.with_grace(::core::time::Duration::from_nanos(#nanos))));
        }
        if let Some(variant) = &self.panics {
            setters.extend(quote!(.with_panics(#crate_path::real::PanicPolicy::#variant)));
        }
        if let Some(variant) = &self.signals {
            setters.extend(quote!(.with_signals(#crate_path::real::Signals::#variant)));
        }
        setters
    }
}

const PANICS: [(&str, &str); 2] = [("shut_down", "ShutDown"), ("go_on", "GoOn")];
const SIGNALS: [(&str, &str); 2] = [("ignore", "Ignore"), ("graceful", "Graceful")];

#[cfg(test)]
mod tests {
    use super::MainOptions;
    use crate::checks;
    use crate::options::{Options, OwnOptions as _, SeedValue};

    fn parse(arguments: &str) -> MainOptions {
        syn::parse_str::<Options<MainOptions>>(arguments).unwrap().own
    }

    #[track_caller]
    fn check_errors(arguments: &str, expected: &[(&str, &str)]) {
        let read = syn::parse_str::<Options<MainOptions>>(arguments);
        checks::check_errors(read, expected, arguments);
    }

    #[track_caller]
    fn check_error(arguments: &str, message: &str, place: &str) {
        check_errors(arguments, &[(message, place)]);
    }

    #[test]
    fn no_arguments_give_no_options() {
        let options: Options<MainOptions> = syn::parse_str("").unwrap();
        assert!(options.own.setters(&options.crate_path).is_empty());
        assert!(options.config.is_none());
    }

    #[test]
    fn workers_are_at_least_one() {
        assert_eq!(parse("workers = 0x10").workers.unwrap().to_string(), "16");
        let message = "`workers` expects an integer from 1 to 2^64 - 1";
        for value in ["0", "-1", "\"4\"", "2 * 3", "18446744073709551616", "5u8", "N"] {
            check_error(&format!("workers = {value}"), message, value);
        }
    }

    #[test]
    fn there_is_one_seed() {
        for (value, expected) in [("17", "17"), ("\"0xFf\"", "\"0xFf\"")] {
            let seed = match parse(&format!("seed = {value}")).seed.unwrap() {
                SeedValue::Number(number) => number.to_string(),
                SeedValue::Text(text) => format!("{:?}", text.value()),
            };
            assert_eq!(seed, expected);
        }
        check_error("seed = 1, seed = 2", "option `seed` is given twice", "seed");
        let forms = "a decimal number below 2^64, a hexadecimal one of up to 16 digits after `0x`, \
                     or a git hash of 40 digits";
        check_error("seed = \"x\"", &format!("unknown seed `x`: expected {forms}"), "\"x\"");
        let message = format!("`seed` expects an integer below 2^64, or a string with {forms}");
        check_error("seed = -1", &message, "-1");
    }

    #[test]
    fn grace_is_a_duration() {
        assert_eq!(parse("grace = \"2m\"").grace_nanos.unwrap().to_string(), "120000000000");
        let message = "`grace` expects a string such as \"30s\": an integer above 0 followed by \
                       `ns`, `us`, `ms`, `s`, `m` or `h`";
        for value in ["\"30\"", "\"0s\"", "\"1.5s\"", "30", "Duration::MAX"] {
            check_error(&format!("grace = {value}"), message, value);
        }
        let message = "`grace` is at most 2^64 - 1 nanoseconds, which is 584 years";
        check_error("grace = \"18446744074s\"", message, "\"18446744074s\"");
    }

    #[test]
    fn names_become_variants_of_the_library() {
        let variants = |arguments| {
            let options = parse(arguments);
            [options.panics, options.signals].map(|variant| variant.unwrap().to_string())
        };
        let first = variants("panics = \"shut_down\", signals = \"ignore\"");
        assert_eq!(first, ["ShutDown", "Ignore"]);
        let second = variants("panics = \"go_on\", signals = \"graceful\"");
        assert_eq!(second, ["GoOn", "Graceful"]);
    }

    #[test]
    fn an_unknown_name_is_answered_with_the_known_ones() {
        check_error(
            "panics = \"abort\"",
            "unknown panics `abort`: expected \"shut_down\" or \"go_on\"",
            "\"abort\"",
        );
        check_error(
            "signals = \"term\"",
            "unknown signals `term`: expected \"ignore\" or \"graceful\"",
            "\"term\"",
        );
        check_error("panics = true", "`panics` expects \"shut_down\" or \"go_on\"", "true");
        check_error("signals = SIGINT", "`signals` expects \"ignore\" or \"graceful\"", "SIGINT");
    }

    #[test]
    fn an_unknown_option_is_answered_with_the_known_ones() {
        let expected = "expected one of `workers`, `seed`, `grace`, `panics`, `signals`, `config`, \
                        `crate`";
        let message = format!("unknown option `worker`: {expected}; did you mean `workers`?");
        check_error("worker = 1", &message, "worker");
        // Options of the other attribute are not of this one.
        let message = format!("unknown option `jobs`: {expected}");
        check_error("jobs = 1", &message, "jobs");
    }

    #[test]
    fn an_option_given_twice_or_without_a_value_is_refused() {
        let examples = [
            ("workers", "workers = 4"),
            ("seed", "seed = 17"),
            ("grace", "grace = \"30s\""),
            ("panics", "panics = \"go_on\""),
            ("signals", "signals = \"ignore\""),
            ("config", "config = function"),
            ("crate", "crate = ::parcae"),
        ];
        for (name, example) in examples {
            let message = format!("option `{name}` is given twice");
            check_error(&format!("{example}, {example}"), &message, name);
            let message = format!("option `{name}` needs a value, as in `{example}`");
            check_error(name, &message, name);
        }
    }

    #[test]
    fn all_errors_are_reported_at_once() {
        check_errors(
            "workers = 0, signals = \"term\", grace",
            &[
                ("`workers` expects an integer from 1 to 2^64 - 1", "0"),
                ("unknown signals `term`: expected \"ignore\" or \"graceful\"", "\"term\""),
                ("option `grace` needs a value, as in `grace = \"30s\"`", "grace"),
            ],
        );
    }
}
