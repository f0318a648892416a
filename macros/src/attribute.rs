//! What `#[parcae::test]` and `#[parcae::main]` have in common: the function under them, and the call
//! that they write.

use proc_macro2::{Delimiter, Group, Ident, Span, TokenStream};
use quote::{ToTokens as _, quote, quote_spanned};
use syn::parse::{ParseStream, Parser as _};
use syn::spanned::Spanned as _;
use syn::{Error, Path, Result, ReturnType, Safety, Signature, Visibility};

use crate::options::{Options, OwnOptions, join};

/// An attribute that makes something to run of an `async fn`.
pub(crate) trait Attribute {
    /// The name that users write.
    const NAME: &'static str;

    /// The options that it alone has.
    type Own: OwnOptions;

    /// Returns why an attribute with this path cannot stand at the same function, if so. The path is
    /// given as text, too.
    fn refuse(path: &Path, text: &str) -> Option<&'static str>;

    /// Writes what the function becomes.
    fn write(options: &Options<Self::Own>, function: &AsyncFunction) -> TokenStream;
}

/// Expands the attribute with these arguments on this item.
///
/// After an error the item comes back as it was, beside the messages: what else calls it or is
/// wrong inside it is then reported as if the attribute were not there.
pub(crate) fn expand<A: Attribute>(arguments: TokenStream, item: TokenStream) -> TokenStream {
    try_expand::<A>(arguments, item.clone()).unwrap_or_else(|error| {
        let errors = error.into_compile_error();
        quote!(#errors #item)
    })
}

fn try_expand<A: Attribute>(arguments: TokenStream, item: TokenStream) -> Result<TokenStream> {
    // Both are read before an error is returned: one compilation shows what is wrong in either.
    let function = AsyncFunction::parse::<A>.parse2(item);
    match (syn::parse2::<Options<A::Own>>(arguments), function) {
        (Ok(options), Ok(function)) => Ok(A::write(&options, &function)),
        (Err(options), Err(function)) => Err(join(options, function)),
        (Err(error), Ok(_)) | (Ok(_), Err(error)) => Err(error),
    }
}

/// A function that can be run: asynchronous, without arguments and generics.
pub(crate) struct AsyncFunction {
    pub(crate) attributes: Vec<syn::Attribute>,
    pub(crate) visibility: Visibility,
    pub(crate) signature: Signature,
    /// The body stays unread: reading it would cost time, and the compiler reports its errors
    /// better. Besides, syn knows only the syntax that was there when it was released.
    pub(crate) body: TokenStream,
}

impl AsyncFunction {
    pub(crate) fn parse<A: Attribute>(input: ParseStream<'_>) -> Result<Self> {
        let attributes = input.call(syn::Attribute::parse_outer)?;
        let visibility = input.parse()?;
        let signature =
            input.parse().map_err(|error| Error::new(error.span(), needs_async_fn::<A>()))?;
        let function = Self { attributes, visibility, signature, body: input.parse()? };
        function.check::<A>()?;
        Ok(function)
    }

    fn check<A: Attribute>(&self) -> Result<()> {
        let (name, signature) = (A::NAME, &self.signature);
        let mut errors: Vec<Error> =
            self.attributes.iter().filter_map(refuse_attribute::<A>).collect();
        if signature.asyncness.is_none() {
            errors.push(Error::new(signature.fn_token.span, needs_async_fn::<A>()));
        }
        if let Safety::Unsafe(token) = &signature.safety {
            errors.push(Error::new(token.span, format!("a `#[{name}]` cannot be `unsafe`")));
        }
        if !signature.generics.params.is_empty() {
            let message = format!("a `#[{name}]` has no generics: nobody would choose them");
            errors.push(Error::new_spanned(&signature.generics, message));
        }
        if let Some(clause) = &signature.generics.where_clause {
            let message = format!("a `#[{name}]` has no `where` clause");
            errors.push(Error::new_spanned(clause, message));
        }
        if !signature.inputs.is_empty() {
            let message = format!("a `#[{name}]` takes no arguments: nobody would pass them");
            errors.push(Error::new_spanned(&signature.inputs, message));
        }
        errors.into_iter().reduce(join).map_or(Ok(()), Err)
    }

    /// Writes a call of a function of the library. A type of output that it does not take is refused
    /// by the bounds of the call: the error points at that type.
    pub(crate) fn write_call(&self, callee: TokenStream, arguments: TokenStream) -> TokenStream {
        let place = match &self.signature.output {
            ReturnType::Default => Span::call_site(),
            ReturnType::Type(_, output) => output.span(),
        };
        let mut arguments = Group::new(Delimiter::Parenthesis, arguments);
        arguments.set_span(place);
        let callee = at(callee, place);
        quote!(#callee #arguments)
    }
}

fn needs_async_fn<A: Attribute>() -> String {
    format!("`#[{}]` needs an `async fn`", A::NAME)
}

fn refuse_attribute<A: Attribute>(attribute: &syn::Attribute) -> Option<Error> {
    let path = attribute.path();
    let text = path.to_token_stream().to_string().replace(' ', "");
    let reason = A::refuse(path, &text)?;
    Some(Error::new_spanned(path, format!("remove `#[{text}]`: {reason}")))
}

/// Writes the closure that applies the options to a configuration of this type. It stands in a
/// variable of this name.
pub(crate) fn write_configure<O: OwnOptions>(
    options: &Options<O>,
    variable: &str,
    configuration: &TokenStream,
) -> TokenStream {
    // Hygiene of `macro_rules!`: an expression of the user with the same name means their own.
    let variable = Ident::new(variable, Span::mixed_site());
    let setters = options.own.setters(&options.crate_path);
    let Some(config) = &options.config else {
        return quote!(|#variable: #configuration| #variable #setters);
    };
    // The type comes before the expression, so that a closure needs no types of its own.
    let apply = quote_spanned!(Span::mixed_site()=> config);
    quote! {
        |#variable: #configuration| {
            let #apply: fn(#configuration) -> #configuration = #config;
            #apply(#variable #setters)
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
