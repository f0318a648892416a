//! What stands between the parentheses of `#[parcae::test(...)]`: reading and checking it.
//!
//! Every wrong option is reported, each at its own place, and all of them in one compilation.

use std::collections::BTreeSet;

use proc_macro2::{Ident, Literal, TokenTree};
use syn::ext::IdentExt as _;
use syn::parse::{Parse, ParseStream};
use syn::spanned::Spanned as _;
use syn::{Error, Expr, Lit, LitInt, LitStr, Path, Result, Token, parse_quote};

/// The options of one `#[parcae::test]`, checked; `None` where an option was not given.
///
/// Numbers are literals without a suffix, and variants are identifiers, both at the place of the
/// value the user wrote: if the library refuses one, the compiler points there.
pub(crate) struct Options {
    /// How many seeds are run.
    pub(crate) seeds: Option<Literal>,
    /// The pinned seeds, in the order in which they were written.
    pub(crate) regression_seeds: Vec<PinnedSeed>,
    /// A variant of `explore::Strategy`.
    pub(crate) strategy: Option<Ident>,
    /// How many seeds run side by side.
    pub(crate) jobs: Option<Literal>,
    /// A variant of `explore::Isolation`.
    pub(crate) isolation: Option<Ident>,
    /// The limit of steps.
    pub(crate) max_steps: Option<Literal>,
    /// The limit of virtual time.
    pub(crate) max_time_nanos: Option<Literal>,
    /// A variant of `explore::Determinism`.
    pub(crate) determinism: Option<Ident>,
    /// An expression of type `fn(Check) -> Check`.
    pub(crate) config: Option<Expr>,
    /// The path of the library.
    pub(crate) crate_path: Path,
}

/// A seed that once failed and is always run.
pub(crate) enum PinnedSeed {
    /// Written as an integer.
    Number(Literal),
    /// Written as a string that `Seed::parse` accepts.
    Text(LitStr),
}

impl Parse for Options {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let mut options = Self::new();
        let mut given = BTreeSet::new();
        let mut errors = Vec::new();
        while !input.is_empty() {
            if let Err(error) = options.parse_option(input, &mut given) {
                errors.push(error);
                skip_to_comma(input)?;
            }
            input.parse::<Option<Token![,]>>()?;
        }
        errors.into_iter().reduce(join).map_or(Ok(options), Err)
    }
}

impl Options {
    fn new() -> Self {
        Self {
            seeds: None,
            regression_seeds: Vec::new(),
            strategy: None,
            jobs: None,
            isolation: None,
            max_steps: None,
            max_time_nanos: None,
            determinism: None,
            config: None,
            crate_path: parse_quote!(::parcae),
        }
    }

    /// Reads `name = value`, up to the comma or the end.
    fn parse_option(&mut self, input: ParseStream<'_>, given: &mut BTreeSet<String>) -> Result<()> {
        // `crate` is a keyword, so plain `Ident::parse` would refuse it.
        let name = input.call(Ident::parse_any)?;
        let text = name.to_string();
        let Some((_, example)) = OPTIONS.iter().find(|(known, _)| *known == text) else {
            return Err(Error::new(name.span(), unknown_option(&text)));
        };
        if !given.insert(text.clone()) && text != "seed" {
            return Err(Error::new(name.span(), format!("option `{text}` is given twice")));
        }
        let has_equals = input.parse::<Option<Token![=]>>()?.is_some();
        if !has_equals || at_end(input) {
            let message = format!("option `{text}` needs a value, as in `{example}`");
            return Err(Error::new(name.span(), message));
        }
        self.parse_value(&text, input)?;
        if at_end(input) { Ok(()) } else { Err(input.error("expected `,`")) }
    }

    fn parse_value(&mut self, name: &str, input: ParseStream<'_>) -> Result<()> {
        if name == "crate" {
            self.crate_path = input.call(Path::parse_mod_style).map_err(|error| {
                Error::new(error.span(), "`crate` expects a path, such as `::parcae`")
            })?;
            return Ok(());
        }
        let value = ungroup(input.parse()?);
        match name {
            "seeds" => self.seeds = Some(parse_count(name, &value)?),
            "seed" => self.regression_seeds.push(parse_seed(&value)?),
            "strategy" => self.strategy = Some(parse_variant(name, &value, &STRATEGIES)?),
            "jobs" => self.jobs = Some(parse_count(name, &value)?),
            "isolation" => self.isolation = Some(parse_variant(name, &value, &ISOLATIONS)?),
            "max_steps" => self.max_steps = Some(parse_count(name, &value)?),
            "max_time" => self.max_time_nanos = Some(parse_duration_nanos(name, &value)?),
            "determinism" => self.determinism = Some(parse_variant(name, &value, &DETERMINISMS)?),
            "config" => self.config = Some(value),
            _ => unreachable!("option `{name}` is listed in OPTIONS but not read"),
        }
        Ok(())
    }
}

/// Joins two errors into one that reports both.
pub(crate) fn join(mut first: Error, second: Error) -> Error {
    first.combine(second);
    first
}

fn at_end(input: ParseStream<'_>) -> bool {
    input.is_empty() || input.peek(Token![,])
}

fn skip_to_comma(input: ParseStream<'_>) -> Result<()> {
    while !at_end(input) {
        input.parse::<TokenTree>()?;
    }
    Ok(())
}

/// Takes a value out of the invisible groups around what a `macro_rules!` macro substituted.
fn ungroup(mut value: Expr) -> Expr {
    while let Expr::Group(group) = value {
        value = *group.expr;
    }
    value
}

fn unknown_option(name: &str) -> String {
    let expected = OPTIONS.map(|(known, _)| format!("`{known}`")).join(", ");
    // Of equally near names the first in the list is meant: `sedes` is `seeds`, not `seed`.
    let nearest = OPTIONS
        .iter()
        .map(|(known, _)| (edit_distance(name, known), known))
        .filter(|(distance, _)| *distance <= NEAR_DISTANCE)
        .min_by_key(|(distance, _)| *distance);
    let hint = nearest.map_or(String::new(), |(_, known)| format!("; did you mean `{known}`?"));
    format!("unknown option `{name}`: expected one of {expected}{hint}")
}

/// Returns the Levenshtein distance in characters.
fn edit_distance(source: &str, target: &str) -> usize {
    // `row[j]` is the distance between what was read of `source` and the first `j` of `target`.
    let mut row: Vec<usize> = (0..=target.chars().count()).collect();
    for (i, source_char) in source.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, target_char) in target.chars().enumerate() {
            let substitution = diagonal + usize::from(source_char != target_char);
            diagonal = row[j + 1];
            row[j + 1] = substitution.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[target.chars().count()]
}

fn parse_count(name: &str, value: &Expr) -> Result<Literal> {
    let expected = || error_at(value, format!("`{name}` expects an integer from 1 to 2^64 - 1"));
    let integer = integer_literal(value).ok_or_else(expected)?;
    let count = integer_value(integer).filter(|count| *count > 0).ok_or_else(expected)?;
    Ok(number_at(count, value))
}

fn parse_seed(value: &Expr) -> Result<PinnedSeed> {
    if let Some(text) = string_literal(value) {
        return if is_seed(&text.value()) {
            Ok(PinnedSeed::Text(text.clone()))
        } else {
            let message = format!("unknown seed `{}`: expected {SEED_FORMS}", text.value());
            Err(error_at(value, message))
        };
    }
    let Some(number) = integer_literal(value).and_then(integer_value) else {
        let message =
            format!("`seed` expects an integer below 2^64, or a string with {SEED_FORMS}");
        return Err(error_at(value, message));
    };
    Ok(PinnedSeed::Number(number_at(number, value)))
}

/// Tells whether the text is a seed. `Seed::parse` of the library accepts all that passes here, and
/// any number of zeros after `0x`, which nobody needs.
fn is_seed(text: &str) -> bool {
    let is_hexadecimal = |text: &str| text.bytes().all(|byte| byte.is_ascii_hexdigit());
    if let Some(digits) = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        return matches!(digits.len(), 1..=16) && is_hexadecimal(digits);
    }
    // The check of the digits is not idle: `u64::from_str` accepts a leading plus sign.
    let is_decimal = text.bytes().all(|byte| byte.is_ascii_digit()) && text.parse::<u64>().is_ok();
    is_decimal || (text.len() == 40 && is_hexadecimal(text))
}

/// Reads a string that names one of `variants`: pairs of that string and the library's identifier.
fn parse_variant(name: &str, value: &Expr, variants: &[(&str, &str)]) -> Result<Ident> {
    let names: Vec<String> = variants.iter().map(|(text, _)| format!("{text:?}")).collect();
    let names = names.join(" or ");
    let Some(text) = string_literal(value) else {
        return Err(error_at(value, format!("`{name}` expects {names}")));
    };
    let text = text.value();
    match variants.iter().find(|(known, _)| *known == text) {
        Some((_, variant)) => Ok(Ident::new(variant, value.span())),
        None => Err(error_at(value, format!("unknown {name} `{text}`: expected {names}"))),
    }
}

fn parse_duration_nanos(name: &str, value: &Expr) -> Result<Literal> {
    let Some((count, unit_nanos)) = string_literal(value).and_then(split_duration) else {
        let message = format!(
            "`{name}` expects a string such as \"30s\": an integer above 0 followed by `ns`, `us`, \
             `ms`, `s`, `m` or `h`"
        );
        return Err(error_at(value, message));
    };
    // All digits, so the only error is a number that is too large.
    let nanos = count.parse::<u64>().ok().and_then(|count| count.checked_mul(unit_nanos));
    let Some(nanos) = nanos else {
        let message = format!("`{name}` is at most 2^64 - 1 nanoseconds, which is 584 years");
        return Err(error_at(value, message));
    };
    Ok(number_at(nanos, value))
}

/// Splits `"30s"` into its digits, which are not all zero, and the nanoseconds in its unit.
fn split_duration(text: &LitStr) -> Option<(String, u64)> {
    let text = text.value();
    let (count, unit) = text.split_at(text.find(|digit: char| !digit.is_ascii_digit())?);
    let (_, unit_nanos) = UNITS.iter().find(|(known, _)| *known == unit)?;
    let is_positive = count.bytes().any(|digit| digit != b'0');
    is_positive.then(|| (count.to_owned(), *unit_nanos))
}

fn integer_literal(value: &Expr) -> Option<&LitInt> {
    match value {
        Expr::Lit(literal) => match &literal.lit {
            Lit::Int(integer) => Some(integer),
            _ => None,
        },
        _ => None,
    }
}

fn string_literal(value: &Expr) -> Option<&LitStr> {
    match value {
        Expr::Lit(literal) => match &literal.lit {
            Lit::Str(text) => Some(text),
            _ => None,
        },
        _ => None,
    }
}

/// Returns the number, unless it is too large or carries the suffix of a type that is not `u64`.
fn integer_value(integer: &LitInt) -> Option<u64> {
    let is_plain = matches!(integer.suffix(), "" | "u64");
    if is_plain { integer.base10_parse().ok() } else { None }
}

fn number_at(number: u64, place: &Expr) -> Literal {
    let mut literal = Literal::u64_unsuffixed(number);
    literal.set_span(place.span());
    literal
}

fn error_at(place: &Expr, message: String) -> Error {
    Error::new_spanned(place, message)
}

/// Each option with an example, in the order in which messages list them.
const OPTIONS: [(&str, &str); 10] = [
    ("seeds", "seeds = 1000"),
    ("seed", "seed = 17"),
    ("strategy", "strategy = \"random\""),
    ("jobs", "jobs = 4"),
    ("isolation", "isolation = \"thread\""),
    ("max_steps", "max_steps = 100000"),
    ("max_time", "max_time = \"30s\""),
    ("determinism", "determinism = \"first\""),
    ("config", "config = function"),
    ("crate", "crate = ::parcae"),
];

const STRATEGIES: [(&str, &str); 2] = [("fifo", "Fifo"), ("random", "Random")];
const ISOLATIONS: [(&str, &str); 2] = [("thread", "Thread"), ("reuse", "Reuse")];
const DETERMINISMS: [(&str, &str); 2] = [("first", "FirstSeed"), ("off", "Off")];

/// The units of a duration, with the nanoseconds in each.
const UNITS: [(&str, u64); 6] = [
    ("ns", 1),
    ("us", 1_000),
    ("ms", 1_000_000),
    ("s", 1_000_000_000),
    ("m", 60 * 1_000_000_000),
    ("h", 60 * 60 * 1_000_000_000),
];

const SEED_FORMS: &str = "a decimal number below 2^64, a hexadecimal one of up to 16 digits after \
                          `0x`, or a git hash of 40 digits";

/// How many edits away a known name still counts as what was meant.
const NEAR_DISTANCE: usize = 2;

#[cfg(test)]
mod tests {
    use super::{Options, PinnedSeed, edit_distance};
    use quote::ToTokens as _;

    fn parse(arguments: &str) -> Options {
        syn::parse_str(arguments).unwrap()
    }

    /// Checks the errors: each message, and the text it points at.
    #[track_caller]
    fn check_errors(arguments: &str, expected: &[(&str, &str)]) {
        let error = syn::parse_str::<Options>(arguments).map(drop).unwrap_err();
        let errors: Vec<(String, String)> = error
            .into_iter()
            .map(|error| (error.to_string(), error.span().source_text().unwrap()))
            .collect();
        let errors: Vec<(&str, &str)> =
            errors.iter().map(|(message, place)| (message.as_str(), place.as_str())).collect();
        assert_eq!(errors, expected, "in `{arguments}`");
    }

    #[track_caller]
    fn check_error(arguments: &str, message: &str, place: &str) {
        check_errors(arguments, &[(message, place)]);
    }

    #[test]
    fn no_arguments_give_no_options() {
        let options = parse("");
        assert!(options.seeds.is_none());
        assert!(options.regression_seeds.is_empty());
        assert!(options.strategy.is_none());
        assert!(options.jobs.is_none());
        assert!(options.isolation.is_none());
        assert!(options.max_steps.is_none());
        assert!(options.max_time_nanos.is_none());
        assert!(options.determinism.is_none());
        assert!(options.config.is_none());
        assert_eq!(options.crate_path.to_token_stream().to_string(), ":: parcae");
    }

    #[test]
    fn integers_may_be_written_in_every_form() {
        for text in ["1000", "1_000", "0x3e8", "0b11_1110_1000", "1000u64"] {
            let options = parse(&format!("seeds = {text},"));
            assert_eq!(options.seeds.unwrap().to_string(), "1000", "for {text}");
        }
    }

    #[test]
    fn a_number_keeps_the_place_where_it_was_written() {
        let options = parse("jobs = 0x4, max_time = \"2us\"");
        assert_eq!(options.jobs.unwrap().span().source_text().as_deref(), Some("0x4"));
        let nanos = options.max_time_nanos.unwrap();
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
            .regression_seeds
            .iter()
            .map(|seed| match seed {
                PinnedSeed::Number(number) => number.to_string(),
                PinnedSeed::Text(text) => format!("{:?}", text.value()),
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
            [options.strategy, options.isolation, options.determinism]
                .map(|variant| variant.unwrap().to_string())
        };
        assert_eq!(
            variants("strategy = \"fifo\", isolation = \"thread\", determinism = \"first\""),
            ["Fifo", "Thread", "FirstSeed"]
        );
        assert_eq!(
            variants("strategy = \"random\", isolation = \"reuse\", determinism = \"off\""),
            ["Random", "Reuse", "Off"]
        );
    }

    #[test]
    fn an_unknown_name_is_answered_with_the_known_ones() {
        check_error(
            "strategy = \"x\"",
            "unknown strategy `x`: expected \"fifo\" or \"random\"",
            "\"x\"",
        );
        check_error(
            "isolation = \"fork\"",
            "unknown isolation `fork`: expected \"thread\" or \"reuse\"",
            "\"fork\"",
        );
        check_error(
            "determinism = \"all\"",
            "unknown determinism `all`: expected \"first\" or \"off\"",
            "\"all\"",
        );
        check_error(
            "strategy = Strategy::Random",
            "`strategy` expects \"fifo\" or \"random\"",
            "Strategy::Random",
        );
        check_error("determinism = false", "`determinism` expects \"first\" or \"off\"", "false");
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
            assert_eq!(options.max_time_nanos.unwrap().to_string(), nanos, "for {text}");
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
            let error = syn::parse_str::<Options>(&arguments).map(drop).unwrap_err();
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
            "seeds = 0, isolation = \"fork\" \"x\", seeds = 3, jobs = 1, determinism",
            &[
                ("`seeds` expects an integer from 1 to 2^64 - 1", "0"),
                ("unknown isolation `fork`: expected \"thread\" or \"reuse\"", "\"fork\""),
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
        let options: Options = syn::parse2(tokens).unwrap();
        assert_eq!(options.seeds.unwrap().to_string(), "12");
    }

    #[test]
    fn edit_distance_counts_insertions_deletions_and_substitutions() {
        for (source, target, expected) in [
            ("", "", 0),
            ("", "abc", 3),
            ("abc", "", 3),
            ("seeds", "seeds", 0),
            ("sedes", "seeds", 2),
            ("sed", "seed", 1),
            ("kitten", "sitting", 3),
        ] {
            assert_eq!(edit_distance(source, target), expected, "from {source:?} to {target:?}");
        }
    }
}
