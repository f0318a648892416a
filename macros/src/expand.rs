//! The function under `#[parcae::test]`: checking it, and writing the test around it.

use proc_macro2::{Delimiter, Group, Span, TokenStream};
use quote::{ToTokens as _, quote, quote_spanned};
use syn::parse::{Parse, ParseStream};
use syn::spanned::Spanned as _;
use syn::{Attribute, Error, Result, ReturnType, Safety, Signature, Visibility};

use crate::options::{Options, PinnedSeed, join};

/// Expands the attribute with these arguments on this item.
///
/// After an error the item comes back as it was, beside the messages: what else calls it or is
/// wrong inside it is then reported as if the attribute were not there.
pub(crate) fn expand(arguments: TokenStream, item: TokenStream) -> TokenStream {
    expand_test(arguments, item.clone()).unwrap_or_else(|error| {
        let errors = error.into_compile_error();
        quote!(#errors #item)
    })
}

fn expand_test(arguments: TokenStream, item: TokenStream) -> Result<TokenStream> {
    // Both are read before an error is returned: one compilation shows what is wrong in either.
    match (syn::parse2::<Options>(arguments), syn::parse2::<TestFunction>(item)) {
        (Ok(options), Ok(function)) => Ok(write_test(&options, &function)),
        (Err(options), Err(function)) => Err(join(options, function)),
        (Err(error), Ok(_)) | (Ok(_), Err(error)) => Err(error),
    }
}

/// A function that can be a test.
struct TestFunction {
    attributes: Vec<Attribute>,
    visibility: Visibility,
    signature: Signature,
    /// The body stays unread: reading it would cost time, and the compiler reports its errors
    /// better. Besides, syn knows only the syntax that was there when it was released.
    body: TokenStream,
}

impl Parse for TestFunction {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let attributes = input.call(Attribute::parse_outer)?;
        let visibility = input.parse()?;
        let signature = input.parse().map_err(|error| Error::new(error.span(), NEEDS_ASYNC_FN))?;
        let function = Self { attributes, visibility, signature, body: input.parse()? };
        function.check()?;
        Ok(function)
    }
}

impl TestFunction {
    fn check(&self) -> Result<()> {
        let signature = &self.signature;
        let mut errors: Vec<Error> = self.attributes.iter().filter_map(refuse_attribute).collect();
        if signature.asyncness.is_none() {
            errors.push(Error::new(signature.fn_token.span, NEEDS_ASYNC_FN));
        }
        if let Safety::Unsafe(token) = &signature.safety {
            errors.push(Error::new(token.span, "a `#[parcae::test]` cannot be `unsafe`"));
        }
        if !signature.generics.params.is_empty() {
            let message = "a `#[parcae::test]` has no generics: nobody would choose them";
            errors.push(Error::new_spanned(&signature.generics, message));
        }
        if let Some(clause) = &signature.generics.where_clause {
            let message = "a `#[parcae::test]` has no `where` clause";
            errors.push(Error::new_spanned(clause, message));
        }
        if !signature.inputs.is_empty() {
            let message = "a `#[parcae::test]` takes no arguments: nobody would pass them";
            errors.push(Error::new_spanned(&signature.inputs, message));
        }
        errors.into_iter().reduce(join).map_or(Ok(()), Err)
    }
}

/// Returns the error when the attribute would make a second test of the function.
fn refuse_attribute(attribute: &Attribute) -> Option<Error> {
    let path = attribute.path();
    if path.segments.last()?.ident != "test" {
        return None;
    }
    let name = path.to_token_stream().to_string().replace(' ', "");
    // `#[test]`, also by its full path; any other runs the function in a way of its own.
    let is_standard = path.segments.len() == 1 || name.contains("prelude::");
    let reason = if is_standard { "`#[parcae::test]` adds it" } else { "only one makes the test" };
    let message = format!("remove `#[{name}]`: {reason}");
    Some(Error::new_spanned(path, message))
}

fn write_test(options: &Options, function: &TestFunction) -> TokenStream {
    let TestFunction { attributes, visibility, signature, body } = function;
    let name = &signature.ident;
    // With its `r#`, if it has one: so does the name by which `cargo test` selects the test.
    let name_text = name.to_string();
    let crate_path = &options.crate_path;
    let configure = write_configure(options);
    // A type that cannot be returned is refused by the bounds of this call: the error points at it.
    let place = match &signature.output {
        ReturnType::Default => Span::call_site(),
        ReturnType::Type(_, output) => output.span(),
    };
    let mut arguments = Group::new(
        Delimiter::Parenthesis,
        quote! {
            #crate_path::harness::TestCase {
                name: ::core::concat!(::core::module_path!(), "::", #name_text),
                package: ::core::env!("CARGO_PKG_NAME"),
                target: ::core::env!("CARGO_CRATE_NAME"),
            },
            #configure,
            #name,
        },
    );
    arguments.set_span(place);
    let run_test = at(quote!(#crate_path::harness::run_test), place);
    quote! {
        #[::core::prelude::v1::test]
        #(#attributes)*
        #visibility fn #name() {
            #signature #body

            #run_test #arguments;
        }
    }
}

/// Moves tokens to a place in the source, for messages of the compiler.
fn at(tokens: TokenStream, place: Span) -> TokenStream {
    let moved = tokens.into_iter().map(|mut token| {
        token.set_span(place);
        token
    });
    moved.collect()
}

/// Writes the closure that applies the options to a `Check`.
fn write_configure(options: &Options) -> TokenStream {
    let crate_path = &options.crate_path;
    // Hygiene of `macro_rules!`: an expression of the user that says `check` means their own.
    let check = quote_spanned!(Span::mixed_site()=> check);
    let check_type = quote!(#crate_path::explore::Check);
    let setters = write_setters(options);
    let Some(config) = &options.config else {
        return quote!(|#check: #check_type| #check #setters);
    };
    // The type comes before the expression, so that a closure needs no types of its own.
    let apply = quote_spanned!(Span::mixed_site()=> config);
    quote! {
        |#check: #check_type| {
            let #apply: fn(#check_type) -> #check_type = #config;
            #apply(#check #setters)
        }
    }
}

/// Writes the calls for the options that were given, in a fixed order.
fn write_setters(options: &Options) -> TokenStream {
    let crate_path = &options.crate_path;
    let mut setters = TokenStream::new();
    if let Some(count) = &options.seeds {
        setters.extend(quote!(.seeds(#count)));
    }
    for seed in &options.regression_seeds {
        let seed = match seed {
            PinnedSeed::Number(number) => quote!(#crate_path::Seed::new(#number)),
            PinnedSeed::Text(text) => {
                quote!(#crate_path::Seed::parse(#text).expect("the attribute checked the seed"))
            }
        };
        setters.extend(quote!(.regression_seed(#seed)));
    }
    if let Some(variant) = &options.strategy {
        setters.extend(quote!(.strategy(#crate_path::explore::Strategy::#variant)));
    }
    if let Some(count) = &options.jobs {
        setters.extend(quote!(.jobs(#count)));
    }
    if let Some(variant) = &options.isolation {
        setters.extend(quote!(.isolation(#crate_path::explore::Isolation::#variant)));
    }
    if let Some(count) = &options.max_steps {
        setters.extend(quote!(.max_steps(#count)));
    }
    if let Some(nanos) = &options.max_time_nanos {
        setters.extend(quote!(.max_time(::core::time::Duration::from_nanos(#nanos))));
    }
    if let Some(variant) = &options.determinism {
        setters.extend(quote!(.determinism(#crate_path::explore::Determinism::#variant)));
    }
    setters
}

const NEEDS_ASYNC_FN: &str = "`#[parcae::test]` needs an `async fn`";

#[cfg(test)]
mod tests {
    use super::{TestFunction, expand};
    use proc_macro2::TokenStream;
    use quote::quote;

    #[track_caller]
    fn check(arguments: TokenStream, item: TokenStream, expected: TokenStream) {
        assert_eq!(expand(arguments, item).to_string(), expected.to_string());
    }

    /// Checks the errors in a function: each message, and the text it points at.
    #[track_caller]
    fn check_errors(item: &str, expected: &[(&str, &str)]) {
        let errors: Vec<(String, String)> = syn::parse_str::<TestFunction>(item)
            .err()
            .into_iter()
            .flatten()
            .map(|error| (error.to_string(), error.span().source_text().unwrap()))
            .collect();
        let errors: Vec<(&str, &str)> =
            errors.iter().map(|(message, place)| (message.as_str(), place.as_str())).collect();
        assert_eq!(errors, expected, "in `{item}`");
    }

    #[test]
    fn a_function_without_options_becomes_a_test() {
        check(
            quote!(),
            quote! {
                async fn leader_is_elected() {
                    work().await;
                }
            },
            quote! {
                #[::core::prelude::v1::test]
                fn leader_is_elected() {
                    async fn leader_is_elected() {
                        work().await;
                    }

                    ::parcae::harness::run_test(
                        ::parcae::harness::TestCase {
                            name: ::core::concat!(
                                ::core::module_path!(), "::", "leader_is_elected"
                            ),
                            package: ::core::env!("CARGO_PKG_NAME"),
                            target: ::core::env!("CARGO_CRATE_NAME"),
                        },
                        |check: ::parcae::explore::Check| check,
                        leader_is_elected,
                    );
                }
            },
        );
    }

    #[test]
    fn every_option_becomes_a_call_in_a_fixed_order() {
        check(
            quote! {
                crate = crate::sim,
                config = nightly,
                determinism = "off",
                max_time = "30s",
                max_steps = 5_000,
                isolation = "reuse",
                jobs = 4,
                strategy = "fifo",
                seed = 7,
                seed = "0xff",
                seeds = 1000,
            },
            quote! {
                /// Documentation.
                #[should_panic(expected = "no")]
                #[ignore]
                pub(crate) async fn full() -> Result<(), Error> {
                    Ok(())
                }
            },
            quote! {
                #[::core::prelude::v1::test]
                /// Documentation.
                #[should_panic(expected = "no")]
                #[ignore]
                pub(crate) fn full() {
                    async fn full() -> Result<(), Error> {
                        Ok(())
                    }

                    crate::sim::harness::run_test(
                        crate::sim::harness::TestCase {
                            name: ::core::concat!(::core::module_path!(), "::", "full"),
                            package: ::core::env!("CARGO_PKG_NAME"),
                            target: ::core::env!("CARGO_CRATE_NAME"),
                        },
                        |check: crate::sim::explore::Check| {
                            let config: fn(crate::sim::explore::Check)
                                -> crate::sim::explore::Check = nightly;
                            config(
                                check
                                    .seeds(1000)
                                    .regression_seed(crate::sim::Seed::new(7))
                                    .regression_seed(
                                        crate::sim::Seed::parse("0xff")
                                            .expect("the attribute checked the seed")
                                    )
                                    .strategy(crate::sim::explore::Strategy::Fifo)
                                    .jobs(4)
                                    .isolation(crate::sim::explore::Isolation::Reuse)
                                    .max_steps(5000)
                                    .max_time(::core::time::Duration::from_nanos(30000000000))
                                    .determinism(crate::sim::explore::Determinism::Off)
                            )
                        },
                        full,
                    );
                }
            },
        );
    }

    #[test]
    fn the_body_is_not_read() {
        let output = expand(quote!(), quote!(async fn from_the_future() { 1 ~ 2 }));
        assert!(output.to_string().contains("async fn from_the_future () { 1 ~ 2 }"));
    }

    #[test]
    fn a_raw_name_stays_raw() {
        let output = expand(
            quote!(),
            quote!(
                async fn r#try() {}
            ),
        )
        .to_string();
        assert!(output.contains("fn r#try ()"), "{output}");
        assert!(output.contains("\"r#try\""), "{output}");
    }

    #[test]
    fn what_is_not_an_async_fn_is_refused() {
        let message = "`#[parcae::test]` needs an `async fn`";
        check_errors("fn plain() {}", &[(message, "fn")]);
        check_errors("pub(super) fn plain() {}", &[(message, "fn")]);
        check_errors("struct NoFunction;", &[(message, "struct")]);
        check_errors("pub const NO_FUNCTION: u8 = 1;", &[(message, "NO_FUNCTION")]);
    }

    #[test]
    fn arguments_are_refused() {
        let message = "a `#[parcae::test]` takes no arguments: nobody would pass them";
        check_errors("async fn f(a: u8, b: u8) {}", &[(message, "a: u8, b: u8")]);
        check_errors("async fn f(&self) {}", &[(message, "&self")]);
    }

    #[test]
    fn generics_are_refused() {
        let message = "a `#[parcae::test]` has no generics: nobody would choose them";
        check_errors("async fn f<T: Copy>() {}", &[(message, "<T: Copy>")]);
        check_errors("async fn f<'a>() {}", &[(message, "<'a>")]);
        let message = "a `#[parcae::test]` has no `where` clause";
        check_errors("async fn f() where u8: Copy {}", &[(message, "where u8: Copy")]);
    }

    #[test]
    fn unsafe_functions_are_refused() {
        check_errors(
            "async unsafe fn f() {}",
            &[("a `#[parcae::test]` cannot be `unsafe`", "unsafe")],
        );
    }

    #[test]
    fn a_second_attribute_that_makes_a_test_is_refused() {
        check_errors(
            "#[test] async fn f() {}",
            &[("remove `#[test]`: `#[parcae::test]` adds it", "test")],
        );
        check_errors(
            "#[core::prelude::v1::test] async fn f() {}",
            &[(
                "remove `#[core::prelude::v1::test]`: `#[parcae::test]` adds it",
                "core::prelude::v1::test",
            )],
        );
        check_errors(
            "#[tokio::test(start_paused = true)] async fn f() {}",
            &[("remove `#[tokio::test]`: only one makes the test", "tokio::test")],
        );
        check_errors("#[ignore] #[test_case] #[cfg(test)] async fn f() {}", &[]);
    }

    #[test]
    fn all_errors_of_a_function_are_reported_at_once() {
        check_errors(
            "#[test] fn f<T>(value: T) {}",
            &[
                ("remove `#[test]`: `#[parcae::test]` adds it", "test"),
                ("`#[parcae::test]` needs an `async fn`", "fn"),
                ("a `#[parcae::test]` has no generics: nobody would choose them", "<T>"),
                ("a `#[parcae::test]` takes no arguments: nobody would pass them", "value: T"),
            ],
        );
    }

    #[test]
    fn after_an_error_the_function_comes_back_as_it_was() {
        let item = quote! {
            /// Documentation.
            pub fn plain(argument: u8) -> u8 {
                argument
            }
        };
        check(
            quote!(strategy = "x"),
            item.clone(),
            quote! {
                ::core::compile_error! { "unknown strategy `x`: expected \"fifo\" or \"random\"" }
                ::core::compile_error! { "`#[parcae::test]` needs an `async fn`" }
                ::core::compile_error! {
                    "a `#[parcae::test]` takes no arguments: nobody would pass them"
                }
                #item
            },
        );
    }
}
