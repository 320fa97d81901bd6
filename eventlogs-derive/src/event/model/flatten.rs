//! The rules of `#[event(flatten)]`: the variant only holds another event, and has no name, version or payload of its own.

use crate::errors::Errors;
use crate::event::model::fields::{FieldModel, FieldsModel};
use crate::event::parse::variant::ParsedVariant;
use crate::tokens;
use proc_macro2::{Ident, Span};
use quote::ToTokens;
use syn::{Generics, Type};

/// A variant whose only field is another event. The variants of that event are stored as if they belonged to this enum.
pub(crate) struct FlattenedModel<'a> {
    /// Its identifier.
    pub(crate) ident: &'a Ident,
    /// The other event.
    pub(crate) event: &'a Type,
}

/// Checks that the variant only holds another event. `place` is the span of `flatten`.
pub(crate) fn check<'a>(
    variant: &ParsedVariant<'a>,
    fields: &FieldsModel<'a>,
    place: Span,
    generics: &Generics,
    errors: &mut Errors,
) -> Option<FlattenedModel<'a>> {
    for (key, span) in &variant.keys {
        errors.at(
            *span,
            format!("a flattened event has its own names and versions; remove `{key}`"),
        );
    }
    for entry in variant.serde.called("rename_all") {
        errors.on(
            entry,
            "a flattened event names its own fields; remove `rename_all`",
        );
    }
    let Some(field) = only_field(fields) else {
        errors.at(
            place,
            "`flatten` needs a variant that holds exactly one event, as in `Shipping(ShippingEvent)`",
        );
        return None;
    };
    for attribute in &field.serde.written {
        errors.on(
            attribute,
            "a flattened event writes its own payload; remove this attribute",
        );
    }
    // The schema is one constant for all arguments of a type parameter.
    for name in generics.params.iter().filter_map(tokens::parameter_name) {
        if tokens::mention(field.ty.to_token_stream(), name) {
            errors.on(
                field.ty,
                format!("a flattened event cannot depend on the parameter `{name}`; write a concrete type"),
            );
        }
    }
    Some(FlattenedModel {
        ident: variant.ident,
        event: field.ty,
    })
}

/// The field of a variant such as `Shipping(ShippingEvent)`.
fn only_field<'f, 'a>(fields: &'f FieldsModel<'a>) -> Option<&'f FieldModel<'a>> {
    match fields {
        FieldsModel::Unnamed(fields) => match fields.as_slice() {
            [only] => Some(only),
            _ => None,
        },
        FieldsModel::Named(_) => None,
    }
}
