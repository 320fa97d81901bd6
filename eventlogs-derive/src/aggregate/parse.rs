//! First stage: the type and its attributes, value by value.

use super::shape;
use crate::attribute::{self, Key, entries};
use crate::errors::Errors;
use crate::keys::{self, Known, Place};
use crate::suggest;
use crate::values::{Length, Library, Number};
use proc_macro2::{Ident, Span, TokenStream};
use syn::{Attribute, Data, DeriveInput, Fields, Generics, Path, Type};

/// What `fingerprint = …` says.
pub(crate) enum FingerprintKey {
    /// A text that is mixed in.
    Mixed(String),
    /// A number that takes the place of everything that would be hashed.
    Pinned(u64),
}

/// A type as it was written.
pub(crate) struct ParsedAggregate<'a> {
    /// Its name.
    pub(crate) ident: &'a Ident,
    /// Its type parameters.
    pub(crate) generics: &'a Generics,
    /// Where generated code finds the library.
    pub(crate) library: Library,
    /// `event = …`
    pub(crate) event: Option<Type>,
    /// Whether there was an attempt at `event`, so that its absence needs no message of its own.
    pub(crate) event_given: bool,
    /// `cache(…)`
    pub(crate) cache: Vec<Rule>,
    /// `fingerprint = …`
    pub(crate) fingerprint: Option<FingerprintKey>,
    /// What it consists of.
    pub(crate) shape: TokenStream,
    /// Whether serde keeps all of its fields.
    pub(crate) whole: bool,
}

/// One rule in `cache(…)`.
pub(crate) struct Rule {
    /// Its key, which is the name of the builder method, too.
    pub(crate) name: &'static str,
    /// Where the key stands.
    pub(crate) key: Span,
    /// What it says.
    pub(crate) setting: Setting,
}

/// The value of a rule.
pub(crate) enum Setting {
    /// A number of events.
    Number(Number),
    /// A length of time.
    Length(Length),
    /// A function that decides.
    Function(Path),
    /// `never`
    Never,
}

/// Reads the item and the attributes of the macro on it.
pub(crate) fn parse<'a>(input: &'a DeriveInput, errors: &mut Errors) -> ParsedAggregate<'a> {
    let mut parsed = ParsedAggregate {
        ident: &input.ident,
        generics: &input.generics,
        library: Library::default(),
        event: None,
        event_given: false,
        cache: Vec::new(),
        fingerprint: None,
        shape: shape::shape(input),
        whole: shape::is_whole(input),
    };
    if let Data::Union(data) = &input.data {
        errors.on(
            &data.union_token,
            "an aggregate is a struct or an enum; turn this union into one of them",
        );
    }
    refuse_on_parts(input, errors);
    let owner = format!("`{}`", input.ident);
    let entries = attribute::read(&input.attrs, "aggregate", errors);
    parsed.event_given = entries.iter().any(|entry| means_event(&entry.key))
        || (entries.is_empty() && !errors.is_empty());
    for known in keys::check(entries, Place::Aggregate, &owner, errors) {
        match known.facts.name {
            "event" => parsed.event = errors.keep(known.any_type()).cloned(),
            "cache" => parsed.cache = cache(&known, &mut parsed.event_given, errors),
            "fingerprint" => parsed.fingerprint = errors.keep(fingerprint(&known)),
            _ => {
                parsed.library = errors
                    .keep(known.path())
                    .map_or_else(Library::default, Library::renamed);
            }
        }
    }
    parsed
}

/// A text, or a number.
fn fingerprint(known: &Known) -> syn::Result<FingerprintKey> {
    match known.integer() {
        Ok(number) => Ok(FingerprintKey::Pinned(number)),
        // Of the two, the message of the text names both.
        Err(_) => Ok(FingerprintKey::Mixed(known.string()?.value())),
    }
}

/// The attribute on a part of the type, where it would have no effect.
fn refuse_on_parts(input: &DeriveInput, errors: &mut Errors) {
    let fields = |fields: &Fields| -> Vec<Attribute> {
        fields
            .iter()
            .flat_map(|field| &field.attrs)
            .cloned()
            .collect()
    };
    let parts: Vec<Attribute> = match &input.data {
        Data::Struct(data) => fields(&data.fields),
        Data::Enum(data) => {
            let variants = data.variants.iter();
            variants
                .flat_map(|variant| variant.attrs.iter().cloned().chain(fields(&variant.fields)))
                .collect()
        }
        Data::Union(_) => Vec::new(),
    };
    for attribute in parts
        .iter()
        .filter(|attribute| attribute.path().is_ident("aggregate"))
    {
        let message = format!(
            "`#[aggregate(…)]` is about the whole type; move it up to `{}`",
            input.ident
        );
        errors.on(attribute, message);
    }
}

/// Whether the key is `event`, or a slip of the hand away from it.
fn means_event(key: &Key) -> bool {
    suggest::closest(&key.name, ["event"]).is_some()
}

/// The rules in `cache(…)`.
fn cache(known: &Known, event_given: &mut bool, errors: &mut Errors) -> Vec<Rule> {
    let Some(list) = errors.keep(known.list()) else {
        return Vec::new();
    };
    if list.is_empty() {
        errors.at(
            known.key.span,
            "`cache` takes a list of rules, as in `cache(min_events = 10)`",
        );
    }
    let entries = entries(list, errors);
    *event_given |= entries.iter().any(|entry| means_event(&entry.key));
    let mut rules = Vec::new();
    for known in keys::check(entries, Place::Cache, "`cache(…)`", errors) {
        let name = known.facts.name;
        let setting = match name {
            "min_events" | "max_events" | "every" => known.number().map(Setting::Number),
            "min_age" | "max_age" | "ttl" => known.length().map(Setting::Length),
            "when" => known.path().cloned().map(Setting::Function),
            _ => known.flag().map(|()| Setting::Never),
        };
        rules.extend(errors.keep(setting).map(|setting| Rule {
            name,
            key: known.key.span,
            setting,
        }));
    }
    rules
}
