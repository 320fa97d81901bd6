//! The event enums of a projection.

use crate::errors::Errors;
use crate::keys::Given;
use crate::spelling::spelled;
use std::collections::HashMap;
use syn::parse::{Parse, ParseStream, Parser};
use syn::punctuated::Punctuated;
use syn::{Ident, Path, Result, Token, Type};

/// An event enum in the list.
pub(crate) struct ParsedEvents {
    /// The enum.
    pub(crate) event: Type,
    /// `by function`: what returns the keys of the rows that an event changes.
    pub(crate) by: Option<Path>,
}

impl Parse for ParsedEvents {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let event = input.parse().map_err(|error: syn::Error| {
            syn::Error::new(
                error.span(),
                "expected an event enum, as in `events(YourEvent)`",
            )
        })?;
        if let Type::Reference(reference) = &event {
            let shown = spelled(&reference.elem);
            return Err(syn::Error::new_spanned(
                &event,
                format!("expected an event enum; write `{shown}`"),
            ));
        }
        let mut by = None;
        if input.peek(Ident) {
            let word = input.parse::<Ident>()?;
            if word != "by" {
                return Err(syn::Error::new(
                    word.span(),
                    "expected `,` or `by`, as in `events(YourEvent by your_function)`",
                ));
            }
            by = Some(input.parse().map_err(|error: syn::Error| {
                syn::Error::new(
                    error.span(),
                    "expected the path of a function, as in `events(YourEvent by your_function)`",
                )
            })?);
        }
        Ok(Self { event, by })
    }
}

/// Reads the types in `events(…)`.
pub(super) fn read(given: &Given, errors: &mut Errors) -> Vec<ParsedEvents> {
    let Some(list) = errors.keep(given.list()) else {
        return Vec::new();
    };
    if list.is_empty() {
        errors.push(given.wrong_kind());
        return Vec::new();
    }
    let parser = Punctuated::<ParsedEvents, Token![,]>::parse_terminated;
    let Some(enums) = errors.keep(parser.parse2(list)) else {
        return Vec::new();
    };
    let enums: Vec<ParsedEvents> = enums.into_iter().collect();
    let mut first: HashMap<String, &Type> = HashMap::new();
    for ParsedEvents { event, .. } in &enums {
        let spelling = spelled(event);
        if let Some(first) = first.get(&spelling) {
            errors.on(event, format!("`{spelling}` is given twice; remove one"));
            errors.on(*first, "first given here");
        } else {
            first.insert(spelling, event);
        }
    }
    enums
}
