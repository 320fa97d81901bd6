//! A variant and its attributes.

use crate::attribute::{self, entries};
use crate::errors::Errors;
use crate::keys::table::{FieldKey, Keys, VariantKey};
use crate::keys::{self, Given};
use crate::serde_attributes::SerdeAttributes;
use proc_macro2::{Ident, Span};
use syn::{Fields, LitStr, Path, Variant};

/// The greatest version: stored versions fit into a signed 16-bit integer, the smallest integer that the databases share.
const GREATEST_VERSION: u64 = i16::MAX as u64;

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
    pub(crate) upcasters: Option<Vec<Upcaster>>,
    /// The span of `flatten`.
    pub(crate) flatten: Option<Span>,
    /// The keys that cannot be combined with `flatten`, and their spans.
    pub(crate) keys: Vec<(&'static str, Span)>,
}

/// `1 = path` in `upcast(…)`.
pub(crate) struct Upcaster {
    /// The version that it reads.
    pub(crate) from: u16,
    /// The span of that version.
    pub(crate) span: Span,
    /// The function that converts the old payload into an event.
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
            VariantKey::Upcast => parsed.upcasters = upcasters(&given, errors),
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
    if number > GREATEST_VERSION {
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

/// Reads the functions in `upcast(1 = f, 2 = g)`.
fn upcasters(given: &Given, errors: &mut Errors) -> Option<Vec<Upcaster>> {
    let list = errors.keep(given.list())?;
    if list.is_empty() {
        errors.at(
            given.key.span,
            "`upcast` takes a list of functions, as in `upcast(1 = from_v1)`",
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
                "the key of an upcaster is the version that it reads, as in `upcast(1 = from_v1)`",
            );
            is_whole = false;
            continue;
        };
        let upcaster = Given {
            facts: given.facts,
            key: entry.key,
            value: entry.value,
        };
        let Ok(path) = upcaster.path() else {
            errors.at(
                upcaster.span(),
                "an upcaster must be the path of a function, as in `upcast(1 = from_v1)`",
            );
            is_whole = false;
            continue;
        };
        found.push(Upcaster {
            from,
            span: upcaster.key.span,
            path: path.clone(),
        });
    }
    is_whole.then_some(found)
}
