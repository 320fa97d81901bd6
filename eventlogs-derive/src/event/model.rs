//! Second stage: the validated content of the attributes.

pub(crate) mod borrowed;
pub(crate) mod fields;
pub(crate) mod flatten;
pub(crate) mod log_type;
mod serde_without_effect;
pub(crate) mod stored_names;
pub(crate) mod versions;

use crate::codecs::BuiltInCodec;
use crate::errors::Errors;
use crate::event::parse::ParsedEnum;
use crate::event::parse::variant::Converter;
use crate::library::Library;
use crate::values::CodecValue;
use fields::FieldsModel;
use flatten::FlattenedModel;
use log_type::LogTypeModel;
use proc_macro2::{Ident, Span, TokenStream};
use quote::quote;
use stored_names::StoredNames;
use syn::{Generics, Meta, Visibility};

/// An event enum.
pub(crate) struct EventModel<'a> {
    /// Its name.
    pub(crate) ident: &'a Ident,
    /// Its visibility.
    pub(crate) visibility: &'a Visibility,
    /// Its type parameters.
    pub(crate) generics: &'a Generics,
    /// The path of the library in generated code.
    pub(crate) library: Library,
    /// The codec that payloads are written with.
    pub(crate) codec: CodecValue,
    /// The kind of its logs.
    pub(crate) log_type: LogTypeModel,
    /// Its variants.
    pub(crate) variants: Vec<VariantModel<'a>>,
}

/// A variant.
pub(crate) enum VariantModel<'a> {
    /// A variant that is itself an event.
    Stored(StoredModel<'a>),
    /// A variant that holds the events of another enum.
    Flattened(FlattenedModel<'a>),
}

/// A variant with a name and a payload of its own.
pub(crate) struct StoredModel<'a> {
    /// Its identifier.
    pub(crate) ident: &'a Ident,
    /// Its fields.
    pub(crate) fields: FieldsModel<'a>,
    /// Serde's `rename_all`, the only serde attribute on a variant that changes the payload.
    pub(crate) rename_all: Vec<Meta>,
    /// The name that it is stored under.
    pub(crate) name: String,
    /// The other names that it is read under.
    pub(crate) aliases: Vec<String>,
    /// The version that is written.
    pub(crate) version: u16,
    /// The upcasters: one function per older version.
    pub(crate) upcasters: Vec<Converter>,
    /// The functions that read newer versions.
    pub(crate) accepted: Vec<Converter>,
    /// `true` if it is no longer written.
    pub(crate) retired: bool,
}

impl<'a> EventModel<'a> {
    /// The variants that are stored under their own names.
    pub(crate) fn stored(&self) -> impl Iterator<Item = &StoredModel<'a>> {
        self.variants.iter().filter_map(|variant| match variant {
            VariantModel::Stored(stored) => Some(stored),
            VariantModel::Flattened(_) => None,
        })
    }

    /// The type that `Self` stands for: the enum with its type arguments.
    pub(crate) fn enum_type(&self) -> TokenStream {
        let (_, arguments, _) = self.generics.split_for_impl();
        let ident = self.ident;
        quote!(#ident #arguments)
    }
}

/// Checks the attributes against each other. The model is complete only if no mistake was recorded.
pub(crate) fn validate<'a>(parsed: ParsedEnum<'a>, errors: &mut Errors) -> EventModel<'a> {
    let log_type = log_type::claim(&parsed, errors);
    serde_without_effect::refuse(&parsed, &log_type, errors);
    let mut names = StoredNames::new(parsed.explicit_names);
    let generics = parsed.generics;
    let variants = parsed.variants.into_iter().filter_map(|variant| {
        let fields = FieldsModel::new(variant.fields, generics, errors);
        if let Some(place) = variant.flatten {
            return flatten::check(&variant, &fields, place, generics, errors)
                .map(VariantModel::Flattened);
        }
        let (name, aliases) = names.claim(&variant, errors);
        let version = versions::current(&variant, errors);
        versions::check_accepted(&variant, version, errors);
        Some(VariantModel::Stored(StoredModel {
            ident: variant.ident,
            fields,
            name,
            aliases,
            version,
            rename_all: variant.serde.called("rename_all").cloned().collect(),
            upcasters: variant.upcasters.unwrap_or_default(),
            accepted: variant.accepted.unwrap_or_default(),
            retired: variant.retired,
        }))
    });
    EventModel {
        log_type,
        variants: variants.collect(),
        ident: parsed.ident,
        visibility: parsed.visibility,
        generics: parsed.generics,
        library: parsed.library,
        codec: parsed
            .codec
            .unwrap_or_else(|| CodecValue::BuiltIn(BuiltInCodec::Json, Span::call_site())),
    }
}
