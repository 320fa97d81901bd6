//! The patterns of the arms: the user's patterns with the enum added, and the fields that the method's parameters name.

use crate::event_handler::parse::pattern::{Alternative, FieldPatterns};
use crate::event_handler::parse::removal::{brackets, remove};
use crate::tokens;
use proc_macro2::{Ident, Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::{Path, PathArguments};

/// All full alternatives, joined. `parameters` become the fields of a bare variant; the names in `absent` are not bound.
pub(crate) fn joined(
    alternatives: &[Alternative],
    event: &Path,
    parameters: &[&Ident],
    absent: &[&Ident],
) -> TokenStream {
    let patterns = alternatives
        .iter()
        .map(|alternative| full(alternative, event, parameters, absent));
    quote!(#(#patterns)|*)
}

/// One full alternative.
fn full(
    alternative: &Alternative,
    event: &Path,
    parameters: &[&Ident],
    absent: &[&Ident],
) -> TokenStream {
    let Alternative {
        binding,
        variant,
        fields,
    } = alternative;
    let place = variant.span();
    let enum_path = enum_path(event, place);
    let bound = binding
        .as_ref()
        .filter(|binding| !absent.contains(&&binding.ident))
        .map(|binding| quote!(#binding @));
    match fields {
        FieldPatterns::Bare => {
            let taken = binding.as_ref().map(|binding| &binding.ident);
            let fields = parameters.iter().filter(|name| Some(**name) != taken);
            let fields = quote_spanned!(place=> { #(#fields,)* .. });
            quote!(#bound #enum_path::#variant #fields)
        }
        FieldPatterns::Written {
            pattern, tokens, ..
        } => {
            let mut tokens = tokens.clone();
            if !absent.is_empty() {
                let mut pattern = pattern.clone();
                for name in absent {
                    remove(&mut pattern, name);
                }
                tokens = brackets(&pattern);
            }
            quote!(#bound #enum_path::#variant #tokens)
        }
    }
}

/// The path of the enum for a pattern, with the span of the variant. Its type arguments get the `::` that patterns need.
pub(crate) fn enum_path(event: &Path, place: Span) -> TokenStream {
    let mut path = event.clone();
    for segment in &mut path.segments {
        if let PathArguments::AngleBracketed(arguments) = &mut segment.arguments {
            arguments.colon2_token = Some(syn::Token![::](place));
        }
    }
    tokens::located(&path, place)
}
