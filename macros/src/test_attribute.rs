//! `#[parcae::test]`: a test that runs an `async fn` under many seeds.

use proc_macro2::TokenStream;
use quote::quote;
use syn::Path;

use crate::attribute::{AsyncFunction, Attribute, write_configure};
use crate::options::Options;
use crate::test_options::TestOptions;

/// The attribute.
pub(crate) enum TestAttribute {}

impl Attribute for TestAttribute {
    const NAME: &'static str = "parcae::test";

    type Own = TestOptions;

    /// Refuses what would make a second test of the function.
    fn refuse(path: &Path, text: &str) -> Option<&'static str> {
        if path.segments.last()?.ident != "test" {
            return None;
        }
        // `#[test]`, also by its full path; any other runs the function in a way of its own.
        let is_standard = path.segments.len() == 1 || text.contains("prelude::");
        Some(if is_standard { "`#[parcae::test]` adds it" } else { "only one makes the test" })
    }

    fn write(options: &Options<TestOptions>, function: &AsyncFunction) -> TokenStream {
        let AsyncFunction { attributes, visibility, signature, body } = function;
        let name = &signature.ident;
        // With its `r#`, if it has one: so does the name by which `cargo test` selects the test.
        let name_text = name.to_string();
        let crate_path = &options.crate_path;
        let configure = write_configure(options, "check", &quote!(#crate_path::explore::Check));
        let arguments = quote! {
            #crate_path::harness::TestCase {
                name: ::core::concat!(::core::module_path!(), "::", #name_text),
                package: ::core::env!("CARGO_PKG_NAME"),
                target: ::core::env!("CARGO_CRATE_NAME"),
            },
            #configure,
            #name,
        };
        let call = function.write_call(quote!(#crate_path::harness::run_test), arguments);
        quote! {
            #[::core::prelude::v1::test]
            #(#attributes)*
            #visibility fn #name() {
                #signature #body

                #call;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::TestAttribute;
    use crate::attribute::{AsyncFunction, expand};
    use crate::checks;
    use proc_macro2::TokenStream;
    use quote::quote;
    use syn::parse::Parser as _;

    #[track_caller]
    fn check(arguments: TokenStream, item: TokenStream, expected: TokenStream) {
        assert_eq!(expand::<TestAttribute>(arguments, item).to_string(), expected.to_string());
    }

    #[track_caller]
    fn check_errors(item: &str, expected: &[(&str, &str)]) {
        let read = AsyncFunction::parse::<TestAttribute>.parse_str(item);
        checks::check_errors(read, expected, item);
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
        let output =
            expand::<TestAttribute>(quote!(), quote!(async fn from_the_future() { 1 ~ 2 }));
        assert!(output.to_string().contains("async fn from_the_future () { 1 ~ 2 }"));
    }

    #[test]
    fn a_raw_name_stays_raw() {
        let output = expand::<TestAttribute>(
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
                ::core::compile_error! {
                    "unknown strategy `x`: expected \"random\", \"fifo\", \"portfolio\", \"pct\", \"pct-mix\", \"pos\", \"urw\", \"surw\" or \"delay\""
                }
                ::core::compile_error! { "`#[parcae::test]` needs an `async fn`" }
                ::core::compile_error! {
                    "a `#[parcae::test]` takes no arguments: nobody would pass them"
                }
                #item
            },
        );
    }
}
