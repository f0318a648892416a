//! Reading the value of one option.
//!
//! Numbers become literals without a suffix, and names become identifiers, both at the place of the value
//! the user wrote: if the library refuses one, the compiler points there.

use proc_macro2::{Ident, Literal, TokenStream};
use quote::quote;
use syn::spanned::Spanned as _;
use syn::{Error, Expr, Lit, LitInt, LitStr, Path, Result};

/// A seed as it was written.
pub(crate) enum SeedValue {
    /// Written as an integer.
    Number(Literal),
    /// Written as a string that `Seed::parse` accepts.
    Text(LitStr),
}

impl SeedValue {
    /// Writes the seed as the library has it.
    pub(crate) fn write(&self, crate_path: &Path) -> TokenStream {
        match self {
            Self::Number(number) => quote!(#crate_path::Seed::new(#number)),
            Self::Text(text) => {
                quote!(#crate_path::Seed::parse(#text).expect("the attribute checked the seed"))
            }
        }
    }
}

pub(crate) fn parse_count(name: &str, value: &Expr) -> Result<Literal> {
    let expected = || error_at(value, format!("`{name}` expects an integer from 1 to 2^64 - 1"));
    let integer = integer_literal(value).ok_or_else(expected)?;
    let count = integer_value(integer).filter(|count| *count > 0).ok_or_else(expected)?;
    Ok(number_at(count, value))
}

pub(crate) fn parse_seed(value: &Expr) -> Result<SeedValue> {
    if let Some(text) = string_literal(value) {
        return if is_seed(&text.value()) {
            Ok(SeedValue::Text(text.clone()))
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
    Ok(SeedValue::Number(number_at(number, value)))
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
pub(crate) fn parse_variant(name: &str, value: &Expr, variants: &[(&str, &str)]) -> Result<Ident> {
    let names: Vec<String> = variants.iter().map(|(text, _)| format!("{text:?}")).collect();
    let names = match names.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, others)) => format!("{} or {last}", others.join(", ")),
        None => String::new(),
    };
    let Some(text) = string_literal(value) else {
        return Err(error_at(value, format!("`{name}` expects {names}")));
    };
    let text = text.value();
    match variants.iter().find(|(known, _)| *known == text) {
        Some((_, variant)) => Ok(Ident::new(variant, value.span())),
        None => Err(error_at(value, format!("unknown {name} `{text}`: expected {names}"))),
    }
}

pub(crate) fn parse_duration_nanos(name: &str, value: &Expr) -> Result<Literal> {
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

/// Takes a value out of the invisible groups around what a `macro_rules!` macro substituted.
pub(super) fn ungroup(mut value: Expr) -> Expr {
    while let Expr::Group(group) = value {
        value = *group.expr;
    }
    value
}

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
