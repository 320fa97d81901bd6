//! Second stage: what the attributes say, found to be consistent.

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
pub(crate) struct VariantModel<'a> {
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

/// Checks the attributes against each other. The model is complete only if no mistake was recorded.
pub(crate) fn validate<'a>(parsed: ParsedEnum<'a>, errors: &mut Errors) -> EventModel<'a> {
    let mut names = Names::default();
    let variants = parsed.variants.into_iter().map(|variant| {
        let (name, aliases) = names.claim(&variant, errors);
        VariantModel {
            ident: variant.ident,
            fields: variant.fields,
            name,
            aliases,
            version: versions::current(&variant, errors),
            rename_all: variant.rename_all,
            upcasters: variant.upcasters.unwrap_or_default(),
        }
    });
    EventModel {
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
