//! A variant and its attributes.

use crate::attribute::{self, entries};
use crate::errors::Errors;
use crate::keys::table::{FieldKey, Keys, VariantKey};
use crate::keys::{self, Given};
use crate::serde_attributes::SerdeAttributes;
use proc_macro2::{Ident, Span};
use syn::{Fields, LitStr, Path, Variant};

/// The greatest version: stored versions fit into a signed 16-bit integer, the smallest integer that the databases share.
pub(crate) const GREATEST_VERSION: u16 = i16::MAX.unsigned_abs();

/// A variant as it was written.
pub(crate) struct ParsedVariant<'a> {
    /// Its name in code.
    pub(crate) ident: &'a Ident,
    /// Its fields.
    pub(crate) fields: &'a Fields,
    /// Serde's attributes on it.
    pub(crate) serde: SerdeAttributes<'a>,
    /// `name = …`
    pub(crate) name: Option<LitStr>,
    /// Each `alias = …`
    pub(crate) aliases: Vec<LitStr>,
    /// `version = …` and the span of its value.
    pub(crate) version: Option<(u16, Span)>,
    /// The entries of `upcast(…)`; `None` if some could not be read.
    pub(crate) upcasters: Option<Vec<Converter>>,
    /// The entries of `accept(…)`; `None` if some could not be read.
    pub(crate) accepted: Option<Vec<Converter>>,
    /// `true` if the variant is `retired`.
    pub(crate) retired: bool,
    /// The span of `flatten`.
    pub(crate) flatten: Option<Span>,
    /// The keys that cannot be combined with `flatten`, and their spans.
    pub(crate) keys: Vec<(&'static str, Span)>,
}

/// `1 = path` in `upcast(…)` or `accept(…)`.
pub(crate) struct Converter {
    /// The version that it reads.
    pub(crate) from: u16,
    /// The span of that version.
    pub(crate) span: Span,
    /// The function that converts the payload of that version into an event.
    pub(crate) path: Path,
}

/// Reads one variant of the enum, which messages call `owner`.
pub(crate) fn parse<'a>(
    variant: &'a Variant,
    owner: &str,
    errors: &mut Errors,
) -> ParsedVariant<'a> {
    let mut parsed = ParsedVariant {
        ident: &variant.ident,
        fields: &variant.fields,
        serde: SerdeAttributes::new(&variant.attrs),
        name: None,
        aliases: Vec::new(),
        version: None,
        upcasters: Some(Vec::new()),
        accepted: Some(Vec::new()),
        retired: false,
        flatten: None,
        keys: Vec::new(),
    };
    let entries = attribute::read(&variant.attrs, "event", errors);
    let written = entries.len();
    let entries = keys::check(entries, owner, errors);
    let any_refused = entries.len() < written;
    for (key, given) in entries {
        match key {
            VariantKey::Name => parsed.name = errors.keep(given.string()).cloned(),
            VariantKey::Alias => parsed.aliases.extend(errors.keep(given.string()).cloned()),
            VariantKey::Version => parsed.version = errors.keep(version(&given)),
            VariantKey::Upcast => parsed.upcasters = converters(&given, &UPCAST, errors),
            VariantKey::Accept => parsed.accepted = converters(&given, &ACCEPT, errors),
            VariantKey::Retired => parsed.retired = errors.keep(given.flag()).is_some(),
            VariantKey::Flatten => {
                parsed.flatten = errors.keep(given.flag()).map(|()| given.key.span);
                continue;
            }
        }
        parsed.keys.push((key.facts().name, given.key.span));
    }
    if any_refused {
        // Perhaps one of them is a misspelt `upcast`.
        parsed.upcasters = None;
    }
    let owner = variant.ident.to_string();
    for field in &variant.fields {
        let entries = attribute::read(&field.attrs, "event", errors);
        let found = keys::check::<FieldKey>(entries, &owner, errors);
        // A field has no keys, so nothing is ever found. As soon as there is a key, this `if` becomes a loop.
        if let Some((key, _)) = found.into_iter().next() {
            match key {}
        }
    }
    parsed
}

/// Reads a version that a database can store.
fn version(given: &Given) -> syn::Result<(u16, Span)> {
    let number = given.integer()?;
    if number > u64::from(GREATEST_VERSION) {
        return Err(syn::Error::new(
            given.span(),
            format!("the greatest possible version is {GREATEST_VERSION}"),
        ));
    }
    if number == 0 {
        return Err(syn::Error::new(given.span(), "versions start at 1"));
    }
    // After the check above, every number fits.
    Ok((u16::try_from(number).unwrap_or(u16::MAX), given.span()))
}

/// The texts of the messages about a key with functions that read other versions.
struct ConverterKey {
    /// The function.
    one: &'static str,
    /// The function, in messages about the version that is its key.
    of_one: &'static str,
}

/// `upcast(…)`
const UPCAST: ConverterKey = ConverterKey {
    one: "an upcaster",
    of_one: "an upcaster",
};

/// `accept(…)`
const ACCEPT: ConverterKey = ConverterKey {
    one: "the reader of an accepted version",
    of_one: "an accepted version",
};

/// Reads the functions in `upcast(1 = f, 2 = g)` or `accept(2 = f)`.
fn converters(given: &Given, key: &ConverterKey, errors: &mut Errors) -> Option<Vec<Converter>> {
    let example = given.facts.example;
    let list = errors.keep(given.list())?;
    if list.is_empty() {
        errors.at(
            given.key.span,
            format!(
                "`{}` takes a list of functions, as in `{example}`",
                given.facts.name
            ),
        );
        return None;
    }
    let mut found = Vec::new();
    let mut unreadable = Errors::default();
    let entries = entries(list, &mut unreadable);
    let mut is_whole = unreadable.is_empty();
    errors.append(unreadable);
    for entry in entries {
        let Ok(from) = entry.key.name.parse::<u16>() else {
            errors.at(
                entry.key.span,
                format!(
                    "the key of {} is the version that it reads, as in `{example}`",
                    key.of_one
                ),
            );
            is_whole = false;
            continue;
        };
        let converter = Given {
            facts: given.facts,
            key: entry.key,
            value: entry.value,
        };
        let Ok(path) = converter.path() else {
            errors.at(
                converter.span(),
                format!(
                    "{} must be the path of a function, as in `{example}`",
                    key.one
                ),
            );
            is_whole = false;
            continue;
        };
        found.push(Converter {
            from,
            span: converter.key.span,
            path: path.clone(),
        });
    }
    is_whole.then_some(found)
}
