//! The event enums of a projection.

use crate::errors::Errors;
use crate::keys::Given;
use crate::spelling::spelled;
use std::collections::HashMap;
use syn::parse::Parser;
use syn::punctuated::Punctuated;
use syn::{Token, Type};

/// Reads the types in `events(…)`.
pub(super) fn read(given: &Given, errors: &mut Errors) -> Vec<Type> {
    let Some(list) = errors.keep(given.list()) else {
        return Vec::new();
    };
    if list.is_empty() {
        errors.push(given.wrong_kind());
        return Vec::new();
    }
    let parser = Punctuated::<Type, Token![,]>::parse_terminated;
    let Some(types) = errors.keep(parser.parse2(list)) else {
        return Vec::new();
    };
    let types: Vec<Type> = types.into_iter().collect();
    let mut first: HashMap<String, &Type> = HashMap::new();
    for found in &types {
        let spelling = spelled(found);
        if let Some(first) = first.get(&spelling) {
            errors.on(found, format!("`{spelling}` is given twice; remove one"));
            errors.on(*first, "first given here");
        } else {
            first.insert(spelling, found);
        }
    }
    types
}
