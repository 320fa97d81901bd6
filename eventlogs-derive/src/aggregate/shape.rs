//! First stage: what an aggregate consists of, without anything that makes no difference to a state.

use crate::fingerprint::has_effect;
use proc_macro2::TokenStream;
use quote::quote;
use syn::{Data, DeriveInput, Fields, Visibility};

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
