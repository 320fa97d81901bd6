//! Second stage: what the attributes say, found to be consistent.

use super::flatten;
use super::log_type::{self, LogTypeModel};
use super::names::Names;
use super::parse::{ParsedEnum, Upcaster};
use super::versions;
use crate::errors::Errors;
use crate::values::{Library, WordOrType};
use proc_macro2::{Ident, Span, TokenStream};
use syn::{Fields, Generics, Type};

/// An event enum.
pub(crate) struct EventModel<'a> {
    /// Its name.
    pub(crate) ident: &'a Ident,
    /// Its type parameters.
    pub(crate) generics: &'a Generics,
    /// Where generated code finds the library.
    pub(crate) library: Library,
    /// The codec that payloads are written with.
    pub(crate) codec: CodecModel,
    /// The kind of its logs.
    pub(crate) log_type: LogTypeModel,
    /// Its variants.
    pub(crate) variants: Vec<VariantModel<'a>>,
}

/// The codec of an enum.
pub(crate) enum CodecModel {
    /// The library's JSON, and where it was asked for.
    Json(Span),
    /// The library's MessagePack, and where it was asked for.
    MsgPack(Span),
    /// A type of the user's.
    Custom(Box<Type>),
}

/// A variant.
pub(crate) enum VariantModel<'a> {
    /// One that is an event of its own.
    Stored(StoredModel<'a>),
    /// One that holds the events of another enum.
    Flattened(FlattenedModel<'a>),
}

/// A variant with a name and a payload of its own.
pub(crate) struct StoredModel<'a> {
    /// Its name in code.
    pub(crate) ident: &'a Ident,
    /// Its fields.
    pub(crate) fields: &'a Fields,
    /// How serde is to rename its fields.
    pub(crate) rename_all: Vec<TokenStream>,
    /// The name that it is stored under.
    pub(crate) name: String,
    /// The other names that it is read under.
    pub(crate) aliases: Vec<String>,
    /// The version that is written.
    pub(crate) version: u16,
    /// How older versions are read: one function for each.
    pub(crate) upcasters: Vec<Upcaster>,
}

/// A variant whose only field is another event, which is stored as if its variants were this enum's.
pub(crate) struct FlattenedModel<'a> {
    /// Its name in code.
    pub(crate) ident: &'a Ident,
    /// The other event.
    pub(crate) event: &'a Type,
}

impl<'a> EventModel<'a> {
    /// The variants that are stored under names of their own.
    pub(crate) fn stored(&self) -> impl Iterator<Item = &StoredModel<'a>> {
        self.variants.iter().filter_map(|variant| match variant {
            VariantModel::Stored(stored) => Some(stored),
            VariantModel::Flattened(_) => None,
        })
    }
}

/// Checks the attributes against each other. The model is complete only if no mistake was recorded.
pub(crate) fn validate<'a>(parsed: ParsedEnum<'a>, errors: &mut Errors) -> EventModel<'a> {
    let log_type = log_type::claim(&parsed, errors);
    let mut names = Names::new(parsed.explicit_names);
    let generics = parsed.generics;
    let variants = parsed.variants.into_iter().filter_map(|variant| {
        if let Some(flatten) = variant.flatten {
            return flatten::check(&variant, flatten, generics, errors)
                .map(VariantModel::Flattened);
        }
        let (name, aliases) = names.claim(&variant, errors);
        Some(VariantModel::Stored(StoredModel {
            ident: variant.ident,
            fields: variant.fields,
            name,
            aliases,
            version: versions::current(&variant, errors),
            rename_all: variant.rename_all,
            upcasters: variant.upcasters.unwrap_or_default(),
        }))
    });
    EventModel {
        log_type,
        variants: variants.collect(),
        ident: parsed.ident,
        generics: parsed.generics,
        library: parsed.library,
        codec: match parsed.codec {
            None => CodecModel::Json(Span::call_site()),
            Some(WordOrType::Word("msgpack", span)) => CodecModel::MsgPack(span),
            Some(WordOrType::Word(_, span)) => CodecModel::Json(span),
            Some(WordOrType::Type(custom)) => CodecModel::Custom(custom),
        },
    }
}
