//! First stage: the type and its attributes, each value on its own.

pub(crate) mod rules;

use crate::attribute::{self, Key, entries};
use crate::errors::Errors;
use crate::keys::table::AggregateKey;
use crate::keys::{self, Given};
use crate::library::Library;
use crate::suggest;
use rules::Rule;
use syn::{Attribute, Data, DeriveInput, Fields, Type};

/// The value of `fingerprint = …`.
pub(crate) enum FingerprintValue {
    /// A string that becomes a part of the hash.
    Mixed(String),
    /// A number that replaces everything that would be hashed.
    Pinned(u64),
}

/// A type as it was written.
pub(crate) struct ParsedAggregate<'a> {
    /// The type itself.
    pub(crate) input: &'a DeriveInput,
    /// The path of the library in generated code.
    pub(crate) library: Library,
    /// `event = …`
    pub(crate) event: Option<Type>,
    /// `true` if there was an attempt to write `event`, so that its absence needs no message.
    pub(crate) event_given: bool,
    /// `cache(…)`
    pub(crate) cache: Vec<Rule>,
    /// `fingerprint = …`
    pub(crate) fingerprint: Option<FingerprintValue>,
}

/// Reads the item and the attributes of the macro on it.
pub(crate) fn parse<'a>(input: &'a DeriveInput, errors: &mut Errors) -> ParsedAggregate<'a> {
    let mut parsed = ParsedAggregate {
        input,
        library: Library::default(),
        event: None,
        event_given: false,
        cache: Vec::new(),
        fingerprint: None,
    };
    if let Data::Union(data) = &input.data {
        errors.on(
            &data.union_token,
            "an aggregate must be a struct or an enum; turn this union into one of them",
        );
    }
    refuse_on_parts(input, errors);
    let owner = format!("`{}`", input.ident);
    let entries = attribute::read(&input.attrs, "aggregate", errors);
    parsed.event_given = entries.iter().any(|entry| means_event(&entry.key))
        || (entries.is_empty() && !errors.is_empty());
    for (key, given) in keys::check(entries, &owner, errors) {
        match key {
            AggregateKey::Event => parsed.event = errors.keep(given.any_type()).cloned(),
            AggregateKey::Cache => parsed.cache = cache(&given, &mut parsed.event_given, errors),
            AggregateKey::Fingerprint => parsed.fingerprint = errors.keep(fingerprint(&given)),
            AggregateKey::Crate => parsed.library = given.library(errors),
        }
    }
    parsed
}

/// Reads a string or a number.
fn fingerprint(given: &Given) -> syn::Result<FingerprintValue> {
    match given.integer() {
        Ok(number) => Ok(FingerprintValue::Pinned(number)),
        // The message of the error names both kinds of value.
        Err(_) => Ok(FingerprintValue::Mixed(given.string()?.value())),
    }
}

/// Refuses the attribute on a part of the type, where it would have no effect.
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
            "`#[aggregate(…)]` applies to the whole type; move it up to `{}`",
            input.ident
        );
        errors.on(attribute, message);
    }
}

/// Returns `true` if the key is `event` or a misspelling of it.
fn means_event(key: &Key) -> bool {
    suggest::closest(&key.name, ["event"]).is_some()
}

/// Reads the rules in `cache(…)`.
fn cache(given: &Given, event_given: &mut bool, errors: &mut Errors) -> Vec<Rule> {
    let Some(list) = errors.keep(given.list()) else {
        return Vec::new();
    };
    if list.is_empty() {
        errors.at(
            given.key.span,
            "`cache` takes a list of rules, as in `cache(min_events = 10)`",
        );
    }
    let entries = entries(list, errors);
    *event_given |= entries.iter().any(|entry| means_event(&entry.key));
    rules::parse(entries, errors)
}
