//! The code of a type, without the parts that cannot change its behaviour.

use crate::fingerprint::{Fingerprint, has_effect};
use proc_macro2::TokenStream;
use quote::quote;
use syn::{Data, DeriveInput, Fields, Visibility};

/// The value of `fingerprint = …`.
pub(crate) enum FingerprintValue {
    /// A string that becomes a part of the hash.
    Mixed(String),
    /// A number that replaces everything that would be hashed.
    Pinned(u64),
}

/// The part of a type's fingerprint that is known during expansion.
pub(crate) enum FingerprintModel {
    /// The hash of the type's own code. The hashes of its handlers and events are added in generated code.
    Hashed(u64),
    /// The whole fingerprint, independent of the code.
    Pinned(u64),
}

/// The fingerprint of a type with the value of its `fingerprint = …`. `further` are other parts of its own code.
pub(crate) fn fingerprint(
    input: &DeriveInput,
    given: Option<&FingerprintValue>,
    further: &[&str],
) -> FingerprintModel {
    let mut hash = Fingerprint::new(&code(input));
    for text in further {
        hash.text(text);
    }
    match given {
        Some(FingerprintValue::Pinned(number)) => return FingerprintModel::Pinned(*number),
        Some(FingerprintValue::Mixed(text)) => hash.text(text),
        None => {}
    }
    FingerprintModel::Hashed(hash.finish())
}

/// The type with its fields and the attributes that other macros may read, such as serde's.
fn code(input: &DeriveInput) -> TokenStream {
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
