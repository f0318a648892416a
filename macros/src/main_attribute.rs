//! `#[parcae::main]`: a function that runs an `async fn` on the production backend.

use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::spanned::Spanned as _;
use syn::{Path, ReturnType, Type};

use crate::attribute::{AsyncFunction, Attribute, write_configure};
use crate::main_options::MainOptions;
use crate::options::Options;

/// The attribute.
pub(crate) enum MainAttribute {}

impl Attribute for MainAttribute {
    const NAME: &'static str = "parcae::main";

    type Own = MainOptions;

    /// Refuses what would run the function too. A plain `#[test]` does not: it calls what this makes.
    fn refuse(path: &Path, text: &str) -> Option<&'static str> {
        let runs = match &*path.segments.last()?.ident.to_string() {
            "main" => true,
            "test" => path.segments.len() > 1 && !text.contains("prelude::"),
            _ => false,
        };
        runs.then_some("only one runs the function")
    }

    fn write(options: &Options<MainOptions>, function: &AsyncFunction) -> TokenStream {
        let AsyncFunction { attributes, visibility, signature, body } = function;
        let name = &signature.ident;
        let crate_path = &options.crate_path;
        let result = write_result(crate_path, &signature.output);
        let configure = write_configure(options, "options", &quote!(#crate_path::real::Options));
        let call = function.write_call(quote!(#crate_path::real::main), quote!(#configure, #name));
        quote! {
            #(#attributes)*
            #visibility fn #name() -> #result {
                #signature #body

                #call
            }
        }
    }
}

/// Writes what the function returns: its output, or why there is none. It is at the place of the
/// output: what `main` cannot return is refused there.
fn write_result(crate_path: &Path, output: &ReturnType) -> TokenStream {
    let (output, place) = match output {
        ReturnType::Default => (quote!(()), Span::call_site()),
        // `!` cannot be written here yet, only be inferred.
        ReturnType::Type(_, output) if matches!(**output, Type::Never(_)) => {
            return quote!(impl ::std::process::Termination);
        }
        ReturnType::Type(_, output) => (quote!(#output), output.span()),
    };
    // The error stays at the attribute, or the user would be told of paths that could be shorter.
    let error = quote!(#crate_path::real::RunError);
    quote_spanned!(place=> ::core::result::Result<#output, #error>)
}

#[cfg(test)]
mod tests {
    use super::MainAttribute;
    use crate::attribute::{AsyncFunction, expand};
    use crate::checks;
    use proc_macro2::{TokenStream, TokenTree};
    use quote::quote;
    use syn::parse::Parser as _;

    #[track_caller]
    fn check(arguments: TokenStream, item: TokenStream, expected: TokenStream) {
        assert_eq!(expand::<MainAttribute>(arguments, item).to_string(), expected.to_string());
    }

    #[track_caller]
    fn check_errors(item: &str, expected: &[(&str, &str)]) {
        let read = AsyncFunction::parse::<MainAttribute>.parse_str(item);
        checks::check_errors(read, expected, item);
    }

    #[test]
    fn a_function_without_options_runs_on_the_production_backend() {
        check(
            quote!(),
            quote! {
                async fn main() {
                    work().await;
                }
            },
            quote! {
                fn main() -> ::core::result::Result<(), ::parcae::real::RunError> {
                    async fn main() {
                        work().await;
                    }

                    ::parcae::real::main(|options: ::parcae::real::Options| options, main)
                }
            },
        );
    }

    #[test]
    fn every_option_becomes_a_call_in_a_fixed_order() {
        check(
            quote! {
                crate = crate::sim,
                config = of_production,
                signals = "ignore",
                panics = "go_on",
                grace = "30s",
                seed = 17,
                workers = 4,
            },
            quote! {
                /// Documentation.
                #[expect(clippy::print_stdout)]
                pub(crate) async fn serve() -> Result<(), Error> {
                    Ok(())
                }
            },
            quote! {
                /// Documentation.
                #[expect(clippy::print_stdout)]
                pub(crate) fn serve()
                    -> ::core::result::Result<Result<(), Error>, crate::sim::real::RunError>
                {
                    async fn serve() -> Result<(), Error> {
                        Ok(())
                    }

                    crate::sim::real::main(
                        |options: crate::sim::real::Options| {
                            let config: fn(crate::sim::real::Options)
                                -> crate::sim::real::Options = of_production;
                            config(
                                options
                                    .with_workers(4)
                                    .with_seed(crate::sim::Seed::new(17))
                                    .with_grace(::core::time::Duration::from_nanos(30000000000))
                                    .with_panics(crate::sim::real::PanicPolicy::GoOn)
                                    .with_signals(crate::sim::real::Signals::Ignore)
                            )
                        },
                        serve
                    )
                }
            },
        );
    }

    #[test]
    fn a_seed_may_be_text() {
        let output = expand::<MainAttribute>(
            quote!(seed = "0xff"),
            quote!(
                async fn main() {}
            ),
        )
        .to_string();
        let expected = quote!(
            options
                .with_seed(::parcae::Seed::parse("0xff").expect("the attribute checked the seed"))
        );
        assert!(output.contains(&expected.to_string()), "{output}");
    }

    #[test]
    fn what_never_returns_has_a_result_that_can_be_written() {
        check(
            quote!(),
            quote!(
                async fn main() -> ! {
                    serve().await
                }
            ),
            quote! {
                fn main() -> impl ::std::process::Termination {
                    async fn main() -> ! {
                        serve().await
                    }

                    ::parcae::real::main(|options: ::parcae::real::Options| options, main)
                }
            },
        );
    }

    #[test]
    fn an_output_that_is_refused_is_pointed_at() {
        let item: TokenStream = "async fn main() -> u32 { 3 }".parse().unwrap();
        let output: Vec<TokenTree> = expand::<MainAttribute>(quote!(), item).into_iter().collect();
        let result = output.iter().find(|token| token.to_string() == "Result").unwrap();
        assert_eq!(result.span().source_text().as_deref(), Some("u32"));
        let Some(TokenTree::Group(body)) = output.last() else { panic!("no body: {output:?}") };
        let body: Vec<TokenTree> = body.stream().into_iter().collect();
        let [.., callee, arguments] = &*body else { panic!("no call: {body:?}") };
        assert_eq!(callee.to_string(), "main");
        for token in [callee, arguments] {
            assert_eq!(token.span().source_text().as_deref(), Some("u32"));
        }
    }

    #[test]
    fn the_body_is_not_read() {
        let output = expand::<MainAttribute>(quote!(), quote!(async fn main() { 1 ~ 2 }));
        assert!(output.to_string().contains("async fn main () { 1 ~ 2 }"));
    }

    #[test]
    fn what_cannot_be_run_is_refused() {
        let message = "`#[parcae::main]` needs an `async fn`";
        check_errors("fn main() {}", &[(message, "fn")]);
        check_errors("struct NoFunction;", &[(message, "struct")]);
        let message = "a `#[parcae::main]` takes no arguments: nobody would pass them";
        check_errors("async fn main(port: u16) {}", &[(message, "port: u16")]);
        let message = "a `#[parcae::main]` has no generics: nobody would choose them";
        check_errors("async fn main<T: Copy>() {}", &[(message, "<T: Copy>")]);
        let message = "a `#[parcae::main]` has no `where` clause";
        check_errors("async fn main() where u8: Copy {}", &[(message, "where u8: Copy")]);
        let message = "a `#[parcae::main]` cannot be `unsafe`";
        check_errors("async unsafe fn main() {}", &[(message, "unsafe")]);
    }

    #[test]
    fn a_second_attribute_that_runs_the_function_is_refused() {
        for path in ["main", "tokio::main", "parcae::main", "parcae::test", "tokio::test"] {
            let message = format!("remove `#[{path}]`: only one runs the function");
            check_errors(&format!("#[{path}] async fn f() {{}}"), &[(&message, path)]);
        }
        check_errors("#[cfg(test)] #[inline] async fn main() {}", &[]);
    }

    #[test]
    fn a_test_may_call_what_it_makes() {
        for path in ["test", "core::prelude::v1::test"] {
            check_errors(&format!("#[{path}] async fn f() {{}}"), &[]);
        }
    }

    #[test]
    fn after_an_error_the_function_comes_back_as_it_was() {
        let item = quote! {
            pub fn main(argument: u8) -> u8 {
                argument
            }
        };
        check(
            quote!(workers = 0),
            item.clone(),
            quote! {
                ::core::compile_error! { "`workers` expects an integer from 1 to 2^64 - 1" }
                ::core::compile_error! { "`#[parcae::main]` needs an `async fn`" }
                ::core::compile_error! {
                    "a `#[parcae::main]` takes no arguments: nobody would pass them"
                }
                #item
            },
        );
    }
}
