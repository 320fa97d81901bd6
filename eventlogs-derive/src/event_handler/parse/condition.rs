//! The conditions in `#[cfg(…)]`.
//!
//! The attribute of a block is expanded before the conditions inside the block are evaluated, so this macro must read them.

use crate::event_handler::parse::marks::is_condition;
use crate::spelling::spelled;
use crate::tokens::flat;
use proc_macro2::{Delimiter, Group, Ident, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::ext::IdentExt;
use syn::parse::{ParseStream, Parser};
use syn::{Attribute, LitStr, Meta, Token, parenthesized, token};

/// The condition that all `#[cfg(…)]` attributes on one item make together.
#[derive(Clone)]
pub(crate) struct Condition {
    /// The predicate that must hold.
    predicate: TokenStream,
    /// The first of the attributes, for messages.
    pub(crate) written: TokenStream,
}

impl Condition {
    /// The condition that the attributes make, if there is one. Malformed attributes are left out, because the compiler reports
    /// them.
    pub(crate) fn read(attributes: &[Attribute]) -> Option<Self> {
        let written: Vec<(TokenStream, &Attribute)> = attributes
            .iter()
            .filter(|attribute| is_condition(attribute))
            .filter_map(|attribute| match &attribute.meta {
                Meta::List(list) if is_predicate(&list.tokens) => {
                    Some((without_last_comma(&list.tokens), attribute))
                }
                _ => None,
            })
            .collect();
        let first = written.first()?.1.to_token_stream();
        let predicate = match &written[..] {
            [(only, _)] => only.clone(),
            several => {
                let predicates = several.iter().map(|(predicate, _)| predicate);
                quote!(all(#(#predicates),*))
            }
        };
        Some(Self {
            predicate,
            written: first,
        })
    }

    /// The attribute for code that exists if the condition holds (`true`) or if it does not hold (`false`).
    pub(crate) fn attribute(&self, holds: bool) -> TokenStream {
        let predicate = &self.predicate;
        if holds {
            quote!(#[cfg(#predicate)])
        } else {
            quote!(#[cfg(not(#predicate))])
        }
    }

    /// Returns `true` if the other condition is the same, `false` if it is the opposite, and `None` if it is neither.
    pub(crate) fn agrees(&self, other: &Self) -> Option<bool> {
        let (own, others) = (spelled(&self.predicate), spelled(&other.predicate));
        if own == others {
            return Some(true);
        }
        let is_opposite = own == format!("not({others})") || others == format!("not({own})");
        is_opposite.then_some(false)
    }
}

/// The predicate without trailing commas, on every level.
fn without_last_comma(tokens: &TokenStream) -> TokenStream {
    let mut tokens: Vec<TokenTree> = tokens.clone().into_iter().collect();
    if matches!(tokens.last(), Some(TokenTree::Punct(punct)) if punct.as_char() == ',') {
        tokens.pop();
    }
    let tokens = tokens.into_iter().map(|token| match token {
        TokenTree::Group(group) => {
            let mut inside = Group::new(group.delimiter(), without_last_comma(&group.stream()));
            inside.set_span(group.span());
            TokenTree::Group(inside)
        }
        other => other,
    });
    tokens.collect()
}

/// The predicates of all `#[cfg(…)]` and `cfg!(…)` in a piece of code, without duplicates.
pub(crate) fn predicates(code: TokenStream) -> Vec<TokenStream> {
    let mut found = Vec::new();
    collect(code, &mut found);
    let mut seen = Vec::new();
    found.retain(|predicate| {
        let spelling = spelled(predicate);
        let is_new = !seen.contains(&spelling);
        seen.push(spelling);
        is_new
    });
    found
}

/// Adds the predicates of one level and of the levels inside.
fn collect(code: TokenStream, found: &mut Vec<TokenStream>) {
    let tokens = flat(code);
    for (index, token) in tokens.iter().enumerate() {
        let TokenTree::Group(group) = token else {
            continue;
        };
        let is = |offset: usize, text: &str| {
            index
                .checked_sub(offset)
                .and_then(|index| tokens.get(index))
                .is_some_and(|token| token.to_string() == text)
        };
        let predicate = if is(1, "!") && is(2, "cfg") {
            Some(group.stream())
        } else if is(1, "#") && group.delimiter() == Delimiter::Bracket {
            match flat(group.stream()).as_slice() {
                [TokenTree::Ident(name), TokenTree::Group(list)] if name == "cfg" => {
                    Some(list.stream())
                }
                _ => None,
            }
        } else {
            None
        };
        match predicate.filter(is_predicate) {
            Some(predicate) => found.push(predicate),
            None => collect(group.stream(), found),
        }
    }
}

/// Returns `true` if the tokens are a predicate that the compiler accepts: `unix`, `feature = "…"`, `not(…)`.
fn is_predicate(tokens: &TokenStream) -> bool {
    fn one(input: ParseStream<'_>) -> syn::Result<()> {
        input.call(Ident::parse_any)?;
        if input.peek(token::Paren) {
            let inside;
            parenthesized!(inside in input);
            while !inside.is_empty() {
                one(&inside)?;
                if !inside.is_empty() {
                    inside.parse::<Token![,]>()?;
                }
            }
        } else if input.peek(Token![=]) {
            input.parse::<Token![=]>()?;
            input.parse::<LitStr>()?;
        }
        Ok(())
    }
    let whole = |input: ParseStream<'_>| {
        one(input)?;
        input.parse::<Option<Token![,]>>().map(drop)
    };
    whole.parse2(tokens.clone()).is_ok()
}

#[cfg(test)]
mod tests {
    use super::{Condition, predicates};
    use proc_macro2::TokenStream;
    use quote::quote;
    use syn::{Attribute, parse_quote};

    #[test]
    fn conditions_are_compared_by_what_they_say() {
        let condition =
            |attributes: &[Attribute]| Condition::read(attributes).expect("there is one");
        let unix = condition(&[parse_quote!(#[cfg(unix)])]);
        for (other, expected) in [
            (parse_quote!(#[cfg(unix,)]), Some(true)),
            (parse_quote!(#[cfg(not(unix,),)]), Some(false)),
            (parse_quote!(#[cfg(not(unix))]), Some(false)),
            (parse_quote!(#[cfg(not(not(unix)))]), None),
            (parse_quote!(#[cfg(windows)]), None),
        ] {
            let other = condition(&[parse_quote!(#[allow(unused)]), other]);
            assert_eq!(unix.agrees(&other), expected);
            assert_eq!(other.agrees(&unix), expected);
        }
        let both = condition(&[
            parse_quote!(#[cfg(unix)]),
            parse_quote!(#[cfg(feature = "x")]),
        ]);
        assert_eq!(
            both.attribute(false).to_string(),
            quote!(#[cfg(not(all(unix, feature = "x")))]).to_string()
        );
    }

    #[test]
    fn what_is_no_condition_is_left_alone() {
        for attribute in [
            parse_quote!(#[cfg]),
            parse_quote!(#[cfg()]),
            parse_quote!(#[cfg(a b)]),
            parse_quote!(#[cfg = "x"]),
            parse_quote!(#[cfg_attr(x, cfg(y))]),
            parse_quote!(#[allow(unused)]),
        ] {
            assert!(Condition::read(&[attribute]).is_none());
        }
    }

    #[test]
    fn conditions_are_found_at_every_depth() {
        let code = "fn open(&mut self, #[cfg(a)] x: u8) {
            if cfg!(any(b, feature = \"c\")) { #[cfg(a)] { macro_call!(#[cfg(d)] e) } }
            let cfg = other!(f);
            quote!(#[cfg(#g)] h);
        }";
        let code: TokenStream = code.parse().expect("the code consists of tokens");
        let found: Vec<String> = predicates(code).iter().map(ToString::to_string).collect();
        assert_eq!(found, ["a", "any (b , feature = \"c\")", "d"]);
    }
}
