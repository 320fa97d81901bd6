//! First stage: the enum and its attributes, each value on its own.

pub(crate) mod variant;

use crate::attribute;
use crate::errors::Errors;
use crate::keys;
use crate::keys::table::EventKey;
use crate::library::Library;
use crate::serde_attributes::SerdeAttributes;
use crate::values::CodecValue;
use proc_macro2::Ident;
use syn::{Data, DeriveInput, GenericParam, Generics, LitStr, Visibility};
use variant::ParsedVariant;

/// An enum as it was written.
pub(crate) struct ParsedEnum<'a> {
    /// Its name.
    pub(crate) ident: &'a Ident,
    /// Its visibility.
    pub(crate) visibility: &'a Visibility,
    /// Its type parameters.
    pub(crate) generics: &'a Generics,
    /// Serde's attributes on it.
    pub(crate) serde: SerdeAttributes<'a>,
    /// The path of the library in generated code.
    pub(crate) library: Library,
    /// `codec = …`
    pub(crate) codec: Option<CodecValue>,
    /// `explicit_names`
    pub(crate) explicit_names: bool,
    /// `log_type = …`
    pub(crate) log_type: Option<LitStr>,
    /// Each `log_type_alias = …`
    pub(crate) log_type_aliases: Vec<LitStr>,
    /// `true` if there is a `log_type` that could not be read, which is already reported.
    pub(crate) spoilt_log_type: bool,
    /// Its variants.
    pub(crate) variants: Vec<ParsedVariant<'a>>,
}

/// Reads the item and all attributes of the macro on it.
pub(crate) fn parse<'a>(input: &'a DeriveInput, errors: &mut Errors) -> ParsedEnum<'a> {
    let mut parsed = ParsedEnum {
        ident: &input.ident,
        visibility: &input.vis,
        generics: &input.generics,
        serde: SerdeAttributes::new(&input.attrs),
        library: Library::default(),
        codec: None,
        explicit_names: false,
        log_type: None,
        log_type_aliases: Vec::new(),
        spoilt_log_type: false,
        variants: Vec::new(),
    };
    let owner = format!("`enum {}`", input.ident);
    let entries = attribute::read(&input.attrs, "event", errors);
    for (key, given) in keys::check(entries, &owner, errors) {
        match key {
            EventKey::Codec => parsed.codec = errors.keep(given.codec()),
            EventKey::ExplicitNames => {
                parsed.explicit_names = errors.keep(given.flag()).is_some();
            }
            EventKey::LogType => {
                parsed.log_type = errors.keep(given.string()).cloned();
                parsed.spoilt_log_type = parsed.log_type.is_none();
            }
            EventKey::LogTypeAlias => parsed
                .log_type_aliases
                .extend(errors.keep(given.string()).cloned()),
            EventKey::Crate => parsed.library = given.library(errors),
        }
    }
    refuse_lifetimes(input, errors);
    match &input.data {
        Data::Enum(data) if data.variants.is_empty() => {
            errors.on(&input.ident, "an event enum needs at least one variant");
        }
        Data::Enum(data) => {
            let variants = data.variants.iter();
            parsed.variants = variants
                .map(|found| variant::parse(found, &owner, errors))
                .collect();
        }
        Data::Struct(data) => errors.on(
            &data.struct_token,
            "`Event` can be derived for an enum only; put this struct into a variant of one",
        ),
        Data::Union(data) => errors.on(
            &data.union_token,
            "`Event` can be derived for an enum only; turn this union into one",
        ),
    }
    parsed
}

/// Refuses lifetime parameters, because an event outlives the row that it is read from.
fn refuse_lifetimes(input: &DeriveInput, errors: &mut Errors) {
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
