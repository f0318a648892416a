//! The macro `select!`: reading its branches, and writing the future that polls them.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens as _, format_ident, quote, quote_spanned};
use syn::parse::{Parse, ParseStream};
use syn::spanned::Spanned as _;
use syn::{Error, Expr, FieldPat, Pat, PatRest, PatStruct, Result, Token};

/// Expands the macro with this input.
pub(crate) fn expand(input: TokenStream) -> TokenStream {
    match syn::parse2::<Select>(input) {
        Ok(select) => write_select(&select),
        Err(error) => error.into_compile_error(),
    }
}

/// Everything between the parentheses.
struct Select {
    is_biased: bool,
    branches: Vec<Branch>,
    otherwise: Option<Expr>,
}

/// `pattern = future [, if condition] => body`
struct Branch {
    pattern: Pat,
    future: Expr,
    condition: Option<Expr>,
    body: Expr,
}

impl Parse for Select {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let is_biased = parse_biased(input)?;
        let mut branches = Vec::new();
        let mut otherwise = None;
        while !input.is_empty() {
            if let Some(keyword) = input.parse::<Option<Token![else]>>()? {
                arrow(input, "`else`")?;
                otherwise = Some(parse_body(input)?);
                if !input.is_empty() {
                    return Err(Error::new(keyword.span, "`else` is the last branch"));
                }
            } else {
                branches.push(input.parse()?);
            }
        }
        if branches.is_empty() {
            return Err(Error::new(Span::call_site(), NEEDS_A_BRANCH));
        }
        Ok(Self { is_biased, branches, otherwise })
    }
}

/// Reads `biased;`, if that is what comes.
fn parse_biased(input: ParseStream<'_>) -> Result<bool> {
    let ahead = input.fork();
    let is_biased = ahead.parse::<Ident>().is_ok_and(|word| word == "biased")
        && ahead.parse::<Token![;]>().is_ok();
    if is_biased {
        input.parse::<Ident>()?;
        input.parse::<Token![;]>()?;
    }
    Ok(is_biased)
}

impl Parse for Branch {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let pattern = Pat::parse_multi_with_leading_vert(input)?;
        if !input.peek(Token![=]) || input.peek(Token![=>]) {
            return Err(input.error("expected `= future` after the pattern"));
        }
        input.parse::<Token![=]>()?;
        let future = input.parse()?;
        let mut condition = None;
        if input.parse::<Option<Token![,]>>()?.is_some() {
            if !input.peek(Token![if]) {
                return Err(input.error("expected `if condition` or, instead of the comma, `=>`"));
            }
            input.parse::<Token![if]>()?;
            condition = Some(input.parse()?);
        }
        arrow(input, "the future")?;
        Ok(Self { pattern, future, condition, body: parse_body(input)? })
    }
}

fn arrow(input: ParseStream<'_>, after: &str) -> Result<()> {
    if !input.peek(Token![=>]) {
        return Err(input.error(format!("expected `=> body` after {after}")));
    }
    input.parse::<Token![=>]>().map(drop)
}

/// Reads a body and the comma after it, which only a block can do without, or the last one.
fn parse_body(input: ParseStream<'_>) -> Result<Expr> {
    let body = Expr::parse_with_earlier_boundary_rule(input)?;
    let is_block = matches!(
        body,
        Expr::Block(_)
            | Expr::If(_)
            | Expr::Match(_)
            | Expr::While(_)
            | Expr::Loop(_)
            | Expr::ForLoop(_)
            | Expr::Unsafe(_)
    );
    if input.parse::<Option<Token![,]>>()?.is_none() && !is_block && !input.is_empty() {
        return Err(input.error("expected `,` between two branches"));
    }
    Ok(body)
}

/// Writes a block that polls the futures, drops them, and then runs one body.
fn write_select(select: &Select) -> TokenStream {
    // Names of ours that the code of the user's cannot see. Items have no such names, so the type of
    // the output has one that nobody else gives.
    let [state, output, context, branch] =
        ["select", "output", "context", "branch"].map(|name| Ident::new(name, Span::mixed_site()));
    let output_type = format_ident!("__ParcaeSelectOutput");
    let count = select.branches.len();
    let types: Vec<Ident> = (0..count).map(|index| format_ident!("T{index}")).collect();
    let variants: Vec<Ident> = (0..count).map(|index| format_ident!("Branch{index}")).collect();
    let futures: Vec<Ident> =
        (0..count).map(|index| format_ident!("future{index}", span = Span::mixed_site())).collect();
    let order = if select.is_biased { quote!(biased) } else { quote!(rotated) };
    let conditions = select.branches.iter().map(|branch| match &branch.condition {
        Some(condition) => condition.to_token_stream(),
        None => quote!(true),
    });
    let starts = select.branches.iter().zip(&futures).map(|(branch, name)| {
        let future = &branch.future;
        // An error of a type that is no future points at it.
        let start = quote_spanned!(future.span()=> ::core::future::IntoFuture::into_future);
        quote!(let mut #name = ::core::pin::pin!(#start(#future));)
    });
    let polls = (0..count).map(|index| {
        let (name, variant) = (&futures[index], &variants[index]);
        let value = Ident::new("value", Span::mixed_site());
        let taken = quote!(::core::option::Option::Some(#output_type::#variant(#value)));
        let taken = match refutable(&select.branches[index].pattern) {
            None => taken,
            // The guard keeps a pattern that takes everything from making the second arm unreachable.
            Some(pattern) => quote! {
                match #value {
                    #pattern if true => #taken,
                    _ => ::core::option::Option::None,
                }
            },
        };
        quote! {
            #index => ::core::future::Future::poll(#name.as_mut(), #context).map(|#value| #taken),
        }
    });
    let bodies = select.branches.iter().zip(&variants).map(|(branch, variant)| {
        let (pattern, body) = (&branch.pattern, &branch.body);
        quote!((::core::option::Option::Some(#output_type::#variant(#pattern)), true) => #body,)
    });
    let otherwise = match &select.otherwise {
        Some(body) => body.to_token_stream(),
        None => quote!(::core::panic!(#NOTHING_LEFT)),
    };
    quote! {{
        enum #output_type<#(#types),*> { #(#variants(#types)),* }
        let #output = {
            let mut #state = ::parcae::task::Select::#order([#(#conditions),*]);
            #(#starts)*
            ::core::future::poll_fn(|#context| #state.poll(#context, |#branch, #context| {
                match #branch {
                    #(#polls)*
                    _ => ::core::unreachable!("a branch has a number below their count"),
                }
            })).await
        };
        // Beside a constant, so that the last arm is reachable whatever the patterns are.
        match (#output, true) {
            #(#bodies)*
            (::core::option::Option::None, _) => #otherwise,
            _ => ::core::unreachable!("a value that was taken is one that its pattern takes"),
        }
    }}
}

/// Returns the pattern without its bindings, or none if it takes every value, as far as one can see.
fn refutable(pattern: &Pat) -> Option<Pat> {
    (!takes_all(pattern)).then(|| without_bindings(pattern))
}

fn takes_all(pattern: &Pat) -> bool {
    match pattern {
        Pat::Wild(_) | Pat::Rest(_) => true,
        Pat::Ident(binding) => {
            is_binding(&binding.ident)
                && binding.subpat.as_ref().is_none_or(|(_, inner)| takes_all(inner))
        }
        Pat::Paren(inner) => takes_all(&inner.pat),
        Pat::Reference(inner) => takes_all(&inner.pat),
        Pat::Tuple(tuple) => tuple.elems.iter().all(takes_all),
        Pat::Type(typed) => takes_all(&typed.pat),
        _ => false,
    }
}

/// Tells a name that is bound from that of a constant or a variant, such as `None`, by its case.
fn is_binding(name: &Ident) -> bool {
    !name.to_string().starts_with(char::is_uppercase)
}

/// Returns a pattern that takes the same values and binds nothing, so that it moves nothing.
fn without_bindings(pattern: &Pat) -> Pat {
    let mut pattern = pattern.clone();
    match &mut pattern {
        Pat::Ident(binding) if binding.subpat.is_some() || is_binding(&binding.ident) => {
            return match &binding.subpat {
                Some((_, inner)) => without_bindings(inner),
                None => Pat::Verbatim(quote_spanned!(binding.ident.span()=> _)),
            };
        }
        Pat::Or(inner) => inner.cases.iter_mut().for_each(remove_bindings),
        Pat::Paren(inner) => remove_bindings(&mut inner.pat),
        Pat::Reference(inner) => remove_bindings(&mut inner.pat),
        Pat::Slice(inner) => inner.elems.iter_mut().for_each(remove_bindings),
        Pat::Struct(inner) => remove_fields(inner),
        Pat::Tuple(inner) => inner.elems.iter_mut().for_each(remove_bindings),
        Pat::TupleStruct(inner) => inner.elems.iter_mut().for_each(remove_bindings),
        Pat::Type(inner) => remove_bindings(&mut inner.pat),
        _ => {}
    }
    pattern
}

/// Leaves out the fields that take every value: lints read what is written here as if by hand.
fn remove_fields(pattern: &mut PatStruct) {
    let fields = std::mem::take(&mut pattern.fields);
    let count = fields.len();
    pattern.fields = fields
        .into_iter()
        .filter(|field| !takes_all(&field.pat))
        .map(|field| FieldPat { pat: Box::new(without_bindings(&field.pat)), ..field })
        .collect();
    if pattern.fields.len() < count && pattern.rest.is_none() {
        pattern.rest = Some(PatRest { attrs: Vec::new(), dot2_token: Token![..](pattern.span()) });
    }
}

fn remove_bindings(pattern: &mut Pat) {
    *pattern = without_bindings(pattern);
}

const NEEDS_A_BRANCH: &str = "`select!` needs a branch: `pattern = future => body`";
const NOTHING_LEFT: &str = "no branch of a `select!` is left, and there is no `else`";

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_error(input: &str, message: &str, place: &str) {
        let error = syn::parse_str::<Select>(input).err().expect("the input is refused");
        assert_eq!(error.to_string(), message);
        assert_eq!(error.span().source_text().as_deref(), Some(place));
    }

    fn parse(input: &str) -> Select {
        syn::parse_str(input).expect("the input is correct")
    }

    #[test]
    fn branches_are_read_with_and_without_commas() {
        let select = parse("biased; a = f() => { 1 } Some(b) = g(), if c == d => 2, else => 3");
        assert!(select.is_biased && select.otherwise.is_some());
        assert_eq!(select.branches.len(), 2);
        assert!(select.branches[1].condition.is_some());
        assert_eq!(parse("biased = f() => biased").branches.len(), 1);
        assert!(!parse("biased = f() => biased").is_biased);
    }

    #[test]
    fn what_cannot_be_read_is_refused_where_it_is() {
        check_error("a => 1", "expected `= future` after the pattern", "=");
        check_error("a = f(), 1", "expected `if condition` or, instead of the comma, `=>`", "1");
        check_error("a = f() 1", "expected `=> body` after the future", "1");
        check_error("a = f() => 1 b = g() => 2", "expected `,` between two branches", "b");
        check_error("a = f() => 1, else 2", "expected `=> body` after `else`", "2");
        check_error("else => 1, a = f() => 2", "`else` is the last branch", "else");
        let error = syn::parse_str::<Select>("").err().expect("the input is refused");
        assert_eq!(error.to_string(), NEEDS_A_BRANCH);
    }

    #[test]
    fn patterns_are_tested_without_moving_anything() {
        let checked = |pattern: &str| {
            let select = parse(&format!("{pattern} = f() => 1"));
            refutable(&select.branches[0].pattern)
                .map(|pattern| pattern.to_token_stream().to_string())
        };
        for pattern in ["_", "mut a", "(a, ref b)", "&a", "(a)", "a @ _"] {
            assert_eq!(checked(pattern), None, "{pattern}");
        }
        for (pattern, expected) in [
            ("Some(mut a)", "Some (_)"),
            ("None", "None"),
            ("a @ 1..=3", "1 ..= 3"),
            ("Point { x, y: 0, .. }", "Point { y : 0 , .. }"),
            ("Point { x, y: None }", "Point { y : None , .. }"),
            ("Ok(a) | Err(a)", "Ok (_) | Err (_)"),
            ("[first, .., None]", "[_ , .. , None]"),
            ("(Some(a), &b)", "(Some (_) , & _)"),
        ] {
            assert_eq!(checked(pattern).as_deref(), Some(expected));
        }
    }
}
