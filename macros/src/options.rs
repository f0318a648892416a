//! What stands between the parentheses of an attribute: reading and checking it.
//!
//! Every wrong option is reported, each at its own place, and all of them in one compilation.

mod value;

use std::collections::BTreeSet;

use proc_macro2::{Ident, TokenStream, TokenTree};
use syn::ext::IdentExt as _;
use syn::parse::{Parse, ParseStream};
use syn::{Error, Expr, Path, Result, Token, parse_quote};

pub(crate) use value::{SeedValue, parse_count, parse_duration_nanos, parse_seed, parse_variant};

/// The options of one attribute, checked: its own, and those that every attribute has.
pub(crate) struct Options<O> {
    pub(crate) own: O,
    /// An expression whose type is a function from configuration to configuration.
    pub(crate) config: Option<Expr>,
    /// The path of the library.
    pub(crate) crate_path: Path,
}

/// The options that one attribute has and others have not; at first none is given.
pub(crate) trait OwnOptions: Default {
    /// Each option with an example, in the order in which messages list them.
    const KNOWN: &'static [(&'static str, &'static str)];

    /// The option that may be given more than once.
    const REPEATABLE: Option<&'static str>;

    /// Takes the value of one of the known options.
    fn set(&mut self, name: &str, value: &Expr) -> Result<()>;

    /// Writes the calls for the options that were given, in a fixed order.
    fn setters(&self, crate_path: &Path) -> TokenStream;
}

impl<O: OwnOptions> Parse for Options<O> {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let mut options =
            Self { own: O::default(), config: None, crate_path: parse_quote!(::parcae) };
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

impl<O: OwnOptions> Options<O> {
    /// Reads `name = value`, up to the comma or the end.
    fn parse_option(&mut self, input: ParseStream<'_>, given: &mut BTreeSet<String>) -> Result<()> {
        // `crate` is a keyword, so plain `Ident::parse` would refuse it.
        let name = input.call(Ident::parse_any)?;
        let text = name.to_string();
        let Some((_, example)) = known::<O>().find(|(known, _)| *known == text) else {
            return Err(Error::new(name.span(), unknown_option::<O>(&text)));
        };
        if !given.insert(text.clone()) && O::REPEATABLE != Some(&*text) {
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
        let value = value::ungroup(input.parse()?);
        if name == "config" {
            self.config = Some(value);
            return Ok(());
        }
        self.own.set(name, &value)
    }
}

/// Returns all options of an attribute, each with an example.
fn known<O: OwnOptions>() -> impl Iterator<Item = &'static (&'static str, &'static str)> {
    O::KNOWN.iter().chain(&IN_COMMON)
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

fn unknown_option<O: OwnOptions>(name: &str) -> String {
    let expected: Vec<String> = known::<O>().map(|(known, _)| format!("`{known}`")).collect();
    let expected = expected.join(", ");
    // Of equally near names the first in the list is meant: `sedes` is `seeds`, not `seed`.
    let nearest = known::<O>()
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

/// The options that every attribute has; messages list them last.
const IN_COMMON: [(&str, &str); 2] =
    [("config", "config = function"), ("crate", "crate = ::parcae")];

/// How many edits away a known name still counts as what was meant.
const NEAR_DISTANCE: usize = 2;

#[cfg(test)]
mod tests {
    use super::edit_distance;

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
