//! The code of an aggregate, without the parts that cannot change a state.

use crate::fingerprint::has_effect;
use crate::serde_attributes::SerdeAttributes;
use proc_macro2::TokenStream;
use quote::quote;
use syn::{Data, DeriveInput, Fields, Visibility};

/// The serde attributes with which a field is skipped, in one direction or in both.
const SKIPPING: &[&str] = &["skip", "skip_serializing", "skip_deserializing"];

/// Returns `true` if serde keeps all fields. (Skipped variants do no harm, because serde cannot write them at all.)
pub(crate) fn is_whole(input: &DeriveInput) -> bool {
    let skipped = |fields: &Fields| {
        let mut attributes = fields
            .iter()
            .map(|field| SerdeAttributes::new(&field.attrs));
        attributes.any(|serde| serde.have_any(SKIPPING))
    };
    match &input.data {
        Data::Struct(data) => !skipped(&data.fields),
        Data::Enum(data) => !data.variants.iter().any(|variant| skipped(&variant.fields)),
        Data::Union(_) => true,
    }
}

/// The type with its fields and the attributes that other macros may read, such as serde's.
pub(crate) fn code(input: &DeriveInput) -> TokenStream {
    let ident = &input.ident;
    let mut attributes = input.attrs.clone();
    attributes.retain(has_effect);
    let kind = match input.data.clone() {
        Data::Struct(mut data) => {
            strip(&mut data.fields);
            let fields = &data.fields;
            quote!(struct #ident #fields)
        }
        Data::Enum(mut data) => {
            for variant in &mut data.variants {
                variant.attrs.retain(has_effect);
                strip(&mut variant.fields);
            }
            let variants = &data.variants;
            quote!(enum #ident { #variants })
        }
        Data::Union(_) => TokenStream::new(),
    };
    quote!(#(#attributes)* #kind)
}

/// Reduces the fields to their names, their types and the attributes with effect.
fn strip(fields: &mut Fields) {
    for field in fields {
        field.attrs.retain(has_effect);
        field.vis = Visibility::Inherited;
    }
}
