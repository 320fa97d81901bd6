//! Helpers for reading and changing tokens.

use proc_macro2::{Delimiter, Group, Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::{GenericParam, Generics, Type};

/// An identifier of the macro, with hygiene: it never clashes with a user's identifier of the same spelling.
pub(crate) fn local(name: &str) -> Ident {
    Ident::new(name, Span::mixed_site())
}

/// Moves the tokens to the location `place`, where the compiler then reports their errors.
///
/// Name resolution does not change: each token is still resolved where it was written, so that a `$crate` in the user's own
/// macro refers to the user's crate.
pub(crate) fn located(tokens: &impl ToTokens, place: Span) -> TokenStream {
    map(tokens.to_token_stream(), &|mut token| {
        token.set_span(token.span().located_at(place));
        token.into()
    })
}

/// The type without the invisible brackets that a `macro_rules!` macro puts around its fragments.
pub(crate) fn ungrouped(found: &Type) -> &Type {
    match found {
        Type::Group(group) => ungrouped(&group.elem),
        other => other,
    }
}

/// Replaces `Self` by the name of the type, for types that move into another item.
pub(crate) fn without_self(tokens: &impl ToTokens, name: &TokenStream) -> TokenStream {
    map(tokens.to_token_stream(), &|token| match token {
        TokenTree::Ident(ident) if ident == "Self" => name.clone(),
        token => token.into(),
    })
}

/// Replaces these lifetimes by `'_`, for types that move out of the item that declares them.
pub(crate) fn without_lifetimes(tokens: &impl ToTokens, names: &[&Ident]) -> TokenStream {
    let tokens = tokens.to_token_stream();
    if names.is_empty() {
        return tokens;
    }
    let mut is_lifetime = false;
    let tokens = tokens.into_iter().map(|token| match token {
        TokenTree::Group(group) => {
            let inside = without_lifetimes(&group.stream(), names);
            TokenTree::Group(regroup(&group, inside))
        }
        TokenTree::Ident(ident) if is_lifetime && names.contains(&&ident) => {
            is_lifetime = false;
            TokenTree::Ident(Ident::new("_", ident.span()))
        }
        token => {
            is_lifetime = matches!(&token, TokenTree::Punct(punct) if punct.as_char() == '\'');
            token
        }
    });
    tokens.collect()
}

/// The where clause of an item, with further predicates.
///
/// The result consists of tokens, because parsing the user's predicates again could fail.
pub(crate) fn where_clause(generics: &Generics, further: &TokenStream) -> TokenStream {
    let clause = generics.where_clause.as_ref();
    let own = clause
        .map(|clause| &clause.predicates)
        .filter(|own| !own.is_empty());
    if own.is_none() && further.is_empty() {
        return TokenStream::new();
    }
    let separator = own.filter(|own| !own.trailing_punct()).map(|_| quote!(,));
    quote!(where #own #separator #further)
}

/// Returns `true` if the identifier occurs anywhere in the tokens.
pub(crate) fn mention(tokens: TokenStream, name: &Ident) -> bool {
    tokens.into_iter().any(|token| match token {
        TokenTree::Ident(ident) => ident == *name,
        TokenTree::Group(group) => mention(group.stream(), name),
        TokenTree::Punct(_) | TokenTree::Literal(_) => false,
    })
}

/// Returns `true` if the type depends on one of these parameters.
pub(crate) fn depends_on(found: &Type, generics: &Generics) -> bool {
    let mut names = generics.params.iter().filter_map(parameter_name);
    names.any(|name| mention(found.to_token_stream(), name))
}

/// The name of a type or constant parameter.
pub(crate) fn parameter_name(parameter: &GenericParam) -> Option<&Ident> {
    match parameter {
        GenericParam::Type(parameter) => Some(&parameter.ident),
        GenericParam::Const(parameter) => Some(&parameter.ident),
        GenericParam::Lifetime(_) => None,
    }
}

/// Removes the attributes with one of `names` from tokens that could not be parsed.
pub(crate) fn without_attributes(tokens: TokenStream, names: &[&str]) -> TokenStream {
    let mut kept: Vec<TokenTree> = Vec::new();
    for token in tokens {
        match token {
            TokenTree::Group(group) if is_attribute(&group, names) && ends_with(&kept, "#") => {
                kept.pop();
            }
            TokenTree::Group(group) => kept.push(TokenTree::Group(regroup(
                &group,
                without_attributes(group.stream(), names),
            ))),
            token => kept.push(token),
        }
    }
    kept.into_iter().collect()
}

/// Returns `true` if the group is the `[name …]` of an attribute with one of `names`.
fn is_attribute(group: &Group, names: &[&str]) -> bool {
    let mut tokens = group.stream().into_iter();
    matches!(tokens.next(), Some(TokenTree::Ident(first)) if names.iter().any(|name| first == *name))
        && matches!(tokens.next(), None | Some(TokenTree::Group(_)))
        && tokens.next().is_none()
}

/// Returns `true` if the identifier is not a keyword. `Self` is a keyword, but may be called.
pub(crate) fn is_name(ident: &Ident) -> bool {
    ident == "Self" || syn::parse2::<Ident>(ident.to_token_stream()).is_ok()
}

/// The tokens of one level, without documentation and without invisible brackets, which depend on how the compiler handles
/// `macro_rules!`.
pub(crate) fn flat(tokens: TokenStream) -> Vec<TokenTree> {
    let mut found: Vec<TokenTree> = Vec::new();
    for token in tokens {
        match token {
            TokenTree::Group(group) if group.delimiter() == Delimiter::None => {
                found.extend(flat(group.stream()));
            }
            TokenTree::Group(group) if is_documentation(&group) && ends_with(&found, "#") => {
                found.pop();
            }
            TokenTree::Group(group) if is_documentation(&group) && ends_with(&found, "#!") => {
                found.truncate(found.len().saturating_sub(2));
            }
            token => found.push(token),
        }
    }
    found
}

/// Returns `true` if the group is the `[doc …]` of an attribute.
fn is_documentation(group: &Group) -> bool {
    group.delimiter() == Delimiter::Bracket
        && matches!(group.stream().into_iter().next(), Some(TokenTree::Ident(first)) if first == "doc")
}

/// Returns `true` if the tokens end with these characters.
fn ends_with(tokens: &[TokenTree], characters: &str) -> bool {
    let mut last = tokens.iter().rev();
    characters.chars().rev().all(
        |character| matches!(last.next(), Some(TokenTree::Punct(punct)) if punct.as_char() == character),
    )
}

/// The tokens in a usual spelling: the compiler's own spelling puts spaces everywhere.
pub(crate) fn compact(tokens: &TokenStream) -> String {
    tokens
        .to_string()
        .replace(" <", "<")
        .replace("< ", "<")
        .replace(" >", ">")
        .replace(" :", ":")
        .replace(" ,", ",")
        .replace("& ", "&")
}

/// Applies `change` to every token that is not a group, at every depth. Groups keep their spans.
fn map(tokens: TokenStream, change: &impl Fn(TokenTree) -> TokenStream) -> TokenStream {
    tokens
        .into_iter()
        .flat_map(|token| match token {
            TokenTree::Group(group) => {
                TokenTree::Group(regroup(&group, map(group.stream(), change))).into()
            }
            token => change(token),
        })
        .collect()
}

/// The group with other tokens inside.
fn regroup(group: &Group, inside: TokenStream) -> Group {
    let mut changed = Group::new(group.delimiter(), inside);
    changed.set_span(group.span());
    changed
}

#[cfg(test)]
mod tests {
    use super::{without_attributes, without_lifetimes, without_self};
    use quote::{format_ident, quote};

    #[test]
    fn lifetimes_are_left_out_at_every_depth() {
        let found = without_lifetimes(
            &quote!(Option<(&'a str, Cow<'b, a>)>),
            &[&format_ident!("a")],
        );
        assert_eq!(
            found.to_string(),
            quote!(Option<(&'_ str, Cow<'b, a>)>).to_string()
        );
    }

    #[test]
    fn attributes_are_removed_at_every_depth() {
        let tokens = quote!(impl A { #[on(B)] #[inline] fn b(&mut self, #[record] r: &R) {} });
        let kept = without_attributes(tokens, &["on", "record"]);
        assert_eq!(
            kept.to_string(),
            quote!(impl A { #[inline] fn b(&mut self, r: &R) {} }).to_string()
        );
    }

    #[test]
    fn self_is_spelled_out_at_every_depth() {
        let spelled = without_self(&quote!(Vec<(Self, u8)>), &quote!(Tree<T>));
        assert_eq!(spelled.to_string(), quote!(Vec<(Tree<T>, u8)>).to_string());
    }
}
