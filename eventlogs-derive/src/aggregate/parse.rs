//! First stage: the type and its attributes, each value on its own.

pub(crate) mod rules;

use crate::attribute::{self, Key, entries};
use crate::contents::FingerprintValue;
use crate::errors::Errors;
use crate::keys::table::AggregateKey;
use crate::keys::{self, Given};
use crate::library::Library;
use crate::spelling::spelled;
use crate::suggest;
use rules::Rule;
use syn::{Data, DeriveInput, Type};

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
    attribute::refuse_on_parts(input, "aggregate", errors);
    let owner = format!("`{}`", input.ident);
    let entries = attribute::read(&input.attrs, "aggregate", errors);
    parsed.event_given = entries.iter().any(|entry| means_event(&entry.key))
        || (entries.is_empty() && !errors.is_empty());
    for (key, given) in keys::check(entries, &owner, errors) {
        match key {
            AggregateKey::Event => {
                parsed.event = errors.keep(event(&given)).cloned();
            }
            AggregateKey::Cache => parsed.cache = cache(&given, &mut parsed.event_given, errors),
            AggregateKey::Fingerprint => parsed.fingerprint = errors.keep(given.fingerprint()),
            AggregateKey::Crate => parsed.library = given.library(errors),
        }
    }
    parsed
}

/// Reads the type of the events, which is no reference.
fn event(given: &Given) -> syn::Result<&Type> {
    let found = given.any_type()?;
    match found {
        Type::Reference(reference) => {
            let shown = spelled(&reference.elem);
            let message = format!("an aggregate is reduced from an enum; write `event = {shown}`");
            Err(syn::Error::new_spanned(found, message))
        }
        _ => Ok(found),
    }
}

/// Returns `true` if the key is `event`, the name of a type without a key, or a misspelling of it.
fn means_event(key: &Key) -> bool {
    suggest::closest(&key.name, ["event"]).is_some() || keys::is_type_name(&key.name)
}

/// Reads the rules in `cache(…)`.
fn cache(given: &Given, event_given: &mut bool, errors: &mut Errors) -> Vec<Rule> {
    if given.path().is_ok_and(|path| path.is_ident("never")) {
        errors.at(
            given.span(),
            "the rules of a cache are in parentheses; write `cache(never)`",
        );
        return Vec::new();
    }
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
