//! The fields of a row that are marked.

use crate::errors::Errors;
use syn::{Attribute, Data, DeriveInput, Field, Meta};

/// A field with a mark.
#[derive(Clone, Copy)]
pub(crate) struct Marked<'a> {
    /// The mark.
    pub(crate) attribute: &'a Attribute,
    /// The field.
    pub(crate) field: &'a Field,
}

/// Finds the fields that are marked `#[name]`.
pub(super) fn find<'a>(input: &'a DeriveInput, name: &str, errors: &mut Errors) -> Vec<Marked<'a>> {
    let mut found = Vec::new();
    for field in fields(input) {
        for attribute in &field.attrs {
            if attribute.path().is_ident(name) {
                if !matches!(attribute.meta, Meta::Path(_)) {
                    errors.on(
                        attribute,
                        format!("`{name}` takes no value; write `#[{name}]`"),
                    );
                }
                found.push(Marked { attribute, field });
            }
        }
    }
    found
}

/// The fields of a struct, or of all variants.
fn fields(input: &DeriveInput) -> Vec<&Field> {
    match &input.data {
        Data::Struct(data) => data.fields.iter().collect(),
        Data::Enum(data) => {
            let variants = data.variants.iter();
            variants.flat_map(|variant| variant.fields.iter()).collect()
        }
        Data::Union(_) => Vec::new(),
    }
}
