//! The rules of `#[event(flatten)]`: the variant is a place for another event, and has nothing of its own.

use super::model::FlattenedModel;
use super::parse::ParsedVariant;
use crate::errors::Errors;
use crate::tokens;
use proc_macro2::Span;
use quote::ToTokens;
use syn::{Field, Fields, GenericParam, Generics};

/// The event that the variant holds, if it is nothing but a place for it.
pub(crate) fn check<'a>(
    variant: &ParsedVariant<'a>,
    flatten: Span,
    generics: &Generics,
    errors: &mut Errors,
) -> Option<FlattenedModel<'a>> {
    for (key, span) in &variant.keys {
        errors.at(
            *span,
            format!("a flattened event has its own names and versions; remove `{key}`"),
        );
    }
    for entry in &variant.rename_all {
        errors.on(
            entry,
            "a flattened event names its own fields; remove `rename_all`",
        );
    }
    let Some(field) = only_field(variant.fields) else {
        errors.at(
            flatten,
            "`flatten` takes a variant that holds one event, as in `Shipping(ShippingEvent)`",
        );
        return None;
    };
    for attribute in field
        .attrs
        .iter()
        .filter(|found| found.path().is_ident("serde"))
    {
        errors.on(
            attribute,
            "a flattened event writes its own payload; remove this attribute",
        );
    }
    // The schema is one constant for all types that stand for a parameter.
    for parameter in &generics.params {
        let name = match parameter {
            GenericParam::Type(parameter) => &parameter.ident,
            GenericParam::Const(parameter) => &parameter.ident,
            GenericParam::Lifetime(_) => continue,
        };
        if tokens::mention(field.ty.to_token_stream(), name) {
            errors.on(
                &field.ty,
                format!("a flattened event cannot depend on `{name}`; name the type that it is meant for"),
            );
        }
    }
    Some(FlattenedModel {
        ident: variant.ident,
        event: &field.ty,
    })
}

/// The field of a variant such as `Shipping(ShippingEvent)`.
fn only_field(fields: &Fields) -> Option<&Field> {
    match fields {
        Fields::Unnamed(fields) if fields.unnamed.len() == 1 => fields.unnamed.first(),
        _ => None,
    }
}
