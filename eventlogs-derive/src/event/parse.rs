//! First stage: the enum and its attributes, value by value.

use super::borrowed;
use crate::attribute::{self, entries};
use crate::errors::Errors;
use crate::keys::{self, Known, Place};
use crate::values::{Library, WordOrType};
use proc_macro2::{Ident, Span, TokenStream};
use quote::ToTokens;
use syn::{Attribute, Data, DeriveInput, Fields, GenericParam, Generics, LitStr, Path, Variant};

/// Stored versions fit into 16 bits with a sign, the smallest integer that databases have in common.
const GREATEST_VERSION: u64 = i16::MAX as u64;

/// An enum as it was written.
pub(crate) struct ParsedEnum<'a> {
    /// Its name.
    pub(crate) ident: &'a Ident,
    /// Its type parameters.
    pub(crate) generics: &'a Generics,
    /// Where generated code finds the library.
    pub(crate) library: Library,
    /// `codec = …`
    pub(crate) codec: Option<WordOrType>,
    /// `explicit_names`
    pub(crate) explicit_names: bool,
    /// `log_type = …`
    pub(crate) log_type: Option<LitStr>,
    /// Each `log_type_alias = …`
    pub(crate) log_type_aliases: Vec<LitStr>,
    /// Whether a `log_type` is there that could not be read, which was reported.
    pub(crate) spoilt_log_type: bool,
    /// Its variants.
    pub(crate) variants: Vec<ParsedVariant<'a>>,
}

/// A variant as it was written.
pub(crate) struct ParsedVariant<'a> {
    /// Its name in code.
    pub(crate) ident: &'a Ident,
    /// Its fields.
    pub(crate) fields: &'a Fields,
    /// `rename_all = …` of `#[serde(…)]`: the only one of serde's variant attributes that shapes a payload.
    pub(crate) rename_all: Vec<TokenStream>,
    /// `name = …`
    pub(crate) name: Option<LitStr>,
    /// Each `alias = …`
    pub(crate) aliases: Vec<LitStr>,
    /// `version = …`, and where its value stands.
    pub(crate) version: Option<(u16, Span)>,
    /// The entries of `upcast(…)`; `None` if some could not be read.
    pub(crate) upcasters: Option<Vec<Upcaster>>,
    /// Where `flatten` stands.
    pub(crate) flatten: Option<Span>,
    /// The other keys, which cannot stand beside `flatten`, and where they are.
    pub(crate) keys: Vec<(&'static str, Span)>,
}

/// `1 = path` in `upcast(…)`.
pub(crate) struct Upcaster {
    /// The version that it reads.
    pub(crate) from: u16,
    /// Where that version was written.
    pub(crate) span: Span,
    /// The function that makes an event of the old payload.
    pub(crate) path: Path,
}

/// Reads the item and all attributes of the macro on it.
pub(crate) fn parse<'a>(input: &'a DeriveInput, errors: &mut Errors) -> ParsedEnum<'a> {
    let mut parsed = ParsedEnum {
        ident: &input.ident,
        generics: &input.generics,
        library: Library::default(),
        codec: None,
        explicit_names: false,
        log_type: None,
        log_type_aliases: Vec::new(),
        spoilt_log_type: false,
        variants: Vec::new(),
    };
    let owner = format!("`enum {}`", input.ident);
    for known in keys::check(
        attribute::read(&input.attrs, "event", errors),
        Place::EventEnum,
        &owner,
        errors,
    ) {
        match known.facts.name {
            "codec" => {
                parsed.codec = errors.keep(known.word_or_type("codec", &["json", "msgpack"]));
            }
            "explicit_names" => {
                parsed.explicit_names = errors.keep(known.flag()).is_some();
            }
            "log_type" => {
                parsed.log_type = errors.keep(known.string()).cloned();
                parsed.spoilt_log_type = parsed.log_type.is_none();
            }
            "log_type_alias" => parsed
                .log_type_aliases
                .extend(errors.keep(known.string()).cloned()),
            _ => {
                parsed.library = errors
                    .keep(known.path())
                    .map_or_else(Library::default, Library::renamed);
            }
        }
    }
    refuse_borrowing(input, errors);
    match &input.data {
        Data::Enum(data) if data.variants.is_empty() => {
            errors.on(&input.ident, "an event enum needs at least one variant");
        }
        Data::Enum(data) => {
            parsed.variants = data.variants.iter().map(|found| variant(found, input, &owner, errors)).collect();
        }
        Data::Struct(data) => errors.on(
            &data.struct_token,
            "`Event` lists the events of a log, so it is derived on an enum; put this struct into a variant",
        ),
        Data::Union(data) => errors.on(
            &data.union_token,
            "`Event` lists the events of a log, so it is derived on an enum; turn this union into one",
        ),
    }
    parsed
}

/// An event outlives the row that it was read from.
fn refuse_borrowing(input: &DeriveInput, errors: &mut Errors) {
    for parameter in &input.generics.params {
        if let GenericParam::Lifetime(lifetime) = parameter {
            let borrowed = format!("{}<{}>", input.ident, lifetime.lifetime);
            errors.on(
                lifetime,
                format!("events are decoded into owned values; `{borrowed}` cannot borrow"),
            );
        }
    }
}

/// Reads one variant.
fn variant<'a>(
    variant: &'a Variant,
    input: &DeriveInput,
    owner: &str,
    errors: &mut Errors,
) -> ParsedVariant<'a> {
    let mut parsed = ParsedVariant {
        ident: &variant.ident,
        fields: &variant.fields,
        rename_all: rename_all(&variant.attrs),
        name: None,
        aliases: Vec::new(),
        version: None,
        upcasters: Some(Vec::new()),
        flatten: None,
        keys: Vec::new(),
    };
    for known in keys::check(
        attribute::read(&variant.attrs, "event", errors),
        Place::EventVariant,
        owner,
        errors,
    ) {
        if known.facts.name == "flatten" {
            parsed.flatten = errors.keep(known.flag()).map(|()| known.key.span);
            continue;
        }
        parsed.keys.push((known.facts.name, known.key.span));
        match known.facts.name {
            "name" => parsed.name = errors.keep(known.string()).cloned(),
            "alias" => parsed.aliases.extend(errors.keep(known.string()).cloned()),
            "version" => parsed.version = errors.keep(version(&known)),
            _ => parsed.upcasters = upcasters(&known, errors),
        }
    }
    let owner = variant.ident.to_string();
    for field in &variant.fields {
        keys::check(
            attribute::read(&field.attrs, "event", errors),
            Place::EventField,
            &owner,
            errors,
        );
        borrowed::refuse(field, &input.generics, errors);
    }
    parsed
}

/// A version that a database can hold.
fn version(known: &Known) -> syn::Result<(u16, Span)> {
    let number = known.integer()?;
    if number > GREATEST_VERSION {
        return Err(syn::Error::new(
            known.span(),
            format!("versions go up to {GREATEST_VERSION}"),
        ));
    }
    if number == 0 {
        return Err(syn::Error::new(known.span(), "versions start at 1"));
    }
    // The check above leaves no number that would not fit.
    Ok((u16::try_from(number).unwrap_or(u16::MAX), known.span()))
}

/// The functions in `upcast(1 = f, 2 = g)`.
fn upcasters(known: &Known, errors: &mut Errors) -> Option<Vec<Upcaster>> {
    let list = errors.keep(known.list())?;
    if list.is_empty() {
        errors.at(
            known.key.span,
            "`upcast` takes a list of functions, as in `upcast(1 = from_v1)`",
        );
        return None;
    }
    let mut found = Vec::new();
    let mut is_whole = true;
    for entry in entries(list, errors) {
        let Ok(from) = entry.key.name.parse::<u16>() else {
            errors.at(
                entry.key.span,
                "an upcaster goes by the version that it reads, as in `upcast(1 = from_v1)`",
            );
            is_whole = false;
            continue;
        };
        let entry = Known {
            facts: known.facts,
            key: entry.key,
            value: entry.value,
        };
        let Ok(path) = entry.path() else {
            errors.at(
                entry.span(),
                "an upcaster is the path of a function, as in `upcast(1 = from_v1)`",
            );
            is_whole = false;
            continue;
        };
        found.push(Upcaster {
            from,
            span: entry.key.span,
            path: path.clone(),
        });
    }
    is_whole.then_some(found)
}

/// The `rename_all` entries of a variant's `#[serde(…)]`. What does not parse is left to serde to complain about.
fn rename_all(attributes: &[Attribute]) -> Vec<TokenStream> {
    let mut found = Vec::new();
    for attribute in attributes
        .iter()
        .filter(|attribute| attribute.path().is_ident("serde"))
    {
        let entries = attribute.parse_args_with(
            syn::punctuated::Punctuated::<syn::Meta, syn::Token![,]>::parse_terminated,
        );
        let entries = entries
            .into_iter()
            .flatten()
            .filter(|entry| entry.path().is_ident("rename_all"));
        found.extend(entries.map(|entry| entry.to_token_stream()));
    }
    found
}
