//! First stage: what an aggregate consists of, without anything that makes no difference to a state.

use crate::fingerprint::has_effect;
use proc_macro2::TokenStream;
use quote::quote;
use syn::punctuated::Punctuated;
use syn::{Attribute, Data, DeriveInput, Fields, Meta, Token, Visibility};

/// What serde leaves out of a field's type, in one direction or in both.
const SKIPPING: &[&str] = &["skip", "skip_serializing", "skip_deserializing"];

/// Whether serde keeps all fields. (A variant that it skips cannot be written at all, so there it can do no harm.)
pub(crate) fn is_whole(input: &DeriveInput) -> bool {
    let skipped = |fields: &Fields| fields.iter().any(|field| field.attrs.iter().any(skips));
    match &input.data {
        Data::Struct(data) => !skipped(&data.fields),
        Data::Enum(data) => !data.variants.iter().any(|variant| skipped(&variant.fields)),
        Data::Union(_) => true,
    }
}

/// Whether the attribute is serde's and has it skip a field. What serde cannot read is for serde to report.
fn skips(attribute: &Attribute) -> bool {
    if !attribute.path().is_ident("serde") {
        return false;
    }
    let metas = attribute.parse_args_with(Punctuated::<Meta, Token![,]>::parse_terminated);
    metas.is_ok_and(|metas| {
        metas
            .iter()
            .any(|meta| SKIPPING.iter().any(|word| meta.path().is_ident(word)))
    })
}

/// The type with its fields and the attributes that other macros may read, those of serde first of all.
pub(crate) fn shape(input: &DeriveInput) -> TokenStream {
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

/// Leaves the fields' names, types and attributes with effect.
fn strip(fields: &mut Fields) {
    for field in fields {
        field.attrs.retain(has_effect);
        field.vis = Visibility::Inherited;
    }
}
