//! Finding attributes by name, including those inside `#[cfg_attr(…)]`.

use crate::tokens::flat;
use proc_macro2::{Ident, TokenStream, TokenTree};
use quote::ToTokens;
use syn::Attribute;

/// The attributes that only this macro understands.
pub(crate) const HELPERS: &[&str] = &["on", "record", "context"];

/// Those of them that mark a parameter.
pub(crate) const OF_PARAMETERS: &[&str] = &["record", "context"];

/// Returns `true` if the attribute is `#[name]` or `#[eventlogs::name]`.
pub(crate) fn is_called(attribute: &Attribute, name: &str) -> bool {
    let segments = &attribute.path().segments;
    segments.len() <= 2 && segments.last().is_some_and(|segment| segment.ident == name)
}

/// Returns `true` if an attribute of the block or of a handler also applies to the generated code.
pub(crate) fn goes_along(attribute: &Attribute) -> bool {
    may_remove(attribute) || attribute.path().is_ident("allow") || has_only(attribute, &["allow"])
}

/// Returns `true` if the attribute is a condition, or a condition inside `#[cfg_attr(…)]`.
pub(crate) fn may_remove(attribute: &Attribute) -> bool {
    is_condition(attribute)
        || (has_only(attribute, &["cfg", "allow"]) && hidden(attribute, &["cfg"]).is_some())
}

/// Returns `true` if the attribute is `#[cfg(…)]`.
pub(crate) fn is_condition(attribute: &Attribute) -> bool {
    attribute.path().is_ident("cfg")
}

/// The name of the first attribute with one of `names` inside a `#[cfg_attr(…)]`, at any depth.
pub(crate) fn hidden(attribute: &Attribute, names: &[&str]) -> Option<Ident> {
    if !attribute.path().is_ident("cfg_attr") {
        return None;
    }
    conditional(attribute.meta.to_token_stream())
        .into_iter()
        .find(|name| names.iter().any(|wanted| name == wanted))
}

/// Returns `true` if a `#[cfg_attr(…)]` contains only attributes with these names.
pub(crate) fn has_only(attribute: &Attribute, names: &[&str]) -> bool {
    let found = if attribute.path().is_ident("cfg_attr") {
        conditional(attribute.meta.to_token_stream())
    } else {
        Vec::new()
    };
    !found.is_empty()
        && found
            .iter()
            .all(|name| names.iter().any(|wanted| name == wanted))
}

/// The names of the attributes in `cfg_attr(condition, first, second(…))`: the last segment of each path.
fn conditional(meta: TokenStream) -> Vec<Ident> {
    let Some(TokenTree::Group(list)) = meta.into_iter().last() else {
        return Vec::new();
    };
    let tokens = flat(list.stream());
    let entries = tokens
        .split(|token| matches!(token, TokenTree::Punct(punct) if punct.as_char() == ','))
        .skip(1);
    let mut found = Vec::new();
    for entry in entries {
        let path = entry
            .iter()
            .take_while(|token| match token {
                TokenTree::Ident(_) => true,
                TokenTree::Punct(punct) => punct.as_char() == ':',
                _ => false,
            })
            .filter_map(|token| match token {
                TokenTree::Ident(name) => Some(name.clone()),
                _ => None,
            });
        let path: Vec<Ident> = path.collect();
        match path.as_slice() {
            [name] if name == "cfg_attr" => {
                found.extend(conditional(entry.iter().cloned().collect()));
            }
            [name] | [_, name] => found.push(name.clone()),
            _ => {}
        }
    }
    found
}

/// Returns `true` if the attribute has one of these names, or contains an attribute that has.
pub(crate) fn is_or_hides(attribute: &Attribute, names: &[&str]) -> bool {
    names.iter().any(|name| is_called(attribute, name)) || hidden(attribute, names).is_some()
}

#[cfg(test)]
mod tests {
    use super::{has_only, hidden};
    use syn::{Attribute, parse_quote};

    #[test]
    fn attributes_are_found_behind_conditions() {
        let finds = |attribute: Attribute| hidden(&attribute, &["on", "record"]).is_some();
        assert!(finds(parse_quote!(#[cfg_attr(x, on(Shut))])));
        assert!(finds(
            parse_quote!(#[cfg_attr(all(x, y), inline, ::eventlogs::on(Shut),)])
        ));
        assert!(finds(parse_quote!(#[cfg_attr(x, cfg_attr(y, record))])));
        assert!(!finds(parse_quote!(#[cfg_attr(on, inline)])));
        assert!(!finds(parse_quote!(#[cfg_attr(x, doc = "on")])));
        assert!(!finds(parse_quote!(#[cfg_attr(x, allow(on))])));
        assert!(!finds(parse_quote!(#[cfg_attr])));
        assert!(!finds(parse_quote!(#[on(Shut)])));
        let only = |attribute: Attribute| has_only(&attribute, &["cfg", "allow"]);
        assert!(only(parse_quote!(#[cfg_attr(x, cfg(y), allow(unused))])));
        assert!(!only(parse_quote!(#[cfg_attr(x, cfg(y), inline)])));
        assert!(!only(parse_quote!(#[cfg(x)])));
    }
}
