//! Removing bindings from patterns, for parameters that exist only under a condition.

use proc_macro2::{Ident, TokenStream};
use quote::ToTokens;
use syn::Pat;

/// The brackets of a pattern and their content.
pub(crate) fn brackets(pattern: &Pat) -> TokenStream {
    let mut tokens = TokenStream::new();
    match pattern {
        Pat::TupleStruct(tuple) => {
            tuple
                .paren_token
                .surround(&mut tokens, |inside| tuple.elems.to_tokens(inside));
        }
        Pat::Struct(fields) => {
            fields.brace_token.surround(&mut tokens, |inside| {
                fields.fields.to_tokens(inside);
                fields.rest.to_tokens(inside);
            });
        }
        // No other pattern has the fields of a variant.
        _ => {}
    }
    tokens
}

/// Removes the fields that are bound to `name`, at any depth. Returns `true` if there were any.
pub(crate) fn remove(pattern: &mut Pat, name: &Ident) -> bool {
    fn all<'a>(patterns: impl Iterator<Item = &'a mut Pat>, name: &Ident) -> bool {
        let mut any = false;
        for pattern in patterns {
            any |= remove(pattern, name);
        }
        any
    }
    match pattern {
        Pat::Struct(fields) => {
            let before = fields.fields.len();
            fields.fields = std::mem::take(&mut fields.fields)
                .into_pairs()
                .filter(|pair| !is_binding(&pair.value().pat, name))
                .collect();
            let removed = fields.fields.len() < before;
            all(fields.fields.iter_mut().map(|field| &mut *field.pat), name) || removed
        }
        Pat::TupleStruct(tuple) => all(tuple.elems.iter_mut(), name),
        Pat::Tuple(tuple) => all(tuple.elems.iter_mut(), name),
        Pat::Slice(slice) => all(slice.elems.iter_mut(), name),
        Pat::Or(or) => all(or.cases.iter_mut(), name),
        Pat::Paren(paren) => remove(&mut paren.pat, name),
        Pat::Reference(reference) => remove(&mut reference.pat, name),
        Pat::Ident(ident) => ident
            .subpat
            .as_mut()
            .is_some_and(|(_, inside)| remove(inside, name)),
        _ => false,
    }
}

/// Returns `true` if the pattern only binds its value to this name.
fn is_binding(pattern: &Pat, name: &Ident) -> bool {
    matches!(pattern, Pat::Ident(ident) if ident.ident == *name && ident.subpat.is_none())
}
