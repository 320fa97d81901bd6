//! Serde's attributes on the enum and on its variants that look as if they changed what is stored, and do not.
//!
//! An attribute that only names events is accepted if the stored names are given, too: the enum may have serde's derives for
//! another purpose. An attribute that only shapes payloads is always refused, because the same attribute on a field would count.

use crate::errors::Errors;
use crate::event::model::log_type::LogTypeModel;
use crate::event::model::stored_names;
use crate::event::parse::ParsedEnum;
use crate::event::parse::variant::ParsedVariant;
use crate::serde_attributes::{SerdeAttributes, written_as};
use crate::suggest;
use quote::ToTokens;
use syn::Meta;
use syn::ext::IdentExt;

/// Serde's attributes on an enum that have no effect on an event, and that nobody expects to have one.
const HARMLESS_ON_ENUM: &[&str] = &["bound", "crate", "expecting", "remote"];

/// Serde's other attributes on an enum.
const ON_ENUM: &[&str] = &[
    "content",
    "default",
    "deny_unknown_fields",
    "from",
    "into",
    "rename",
    "rename_all",
    "rename_all_fields",
    "tag",
    "transparent",
    "try_from",
    "untagged",
];

/// Serde's attributes on a variant that have an effect on an event, or that nobody expects to have one.
const HARMLESS_ON_VARIANT: &[&str] = &["borrow", "bound", "rename_all"];

/// Serde's other attributes on a variant.
const ON_VARIANT: &[&str] = &[
    "alias",
    "deserialize_with",
    "other",
    "rename",
    "serialize_with",
    "skip",
    "skip_deserializing",
    "skip_serializing",
    "untagged",
    "with",
];

/// Records every attribute that would be believed to have an effect.
pub(super) fn refuse(parsed: &ParsedEnum<'_>, log_type: &LogTypeModel, errors: &mut Errors) {
    refuse_unreadable(&parsed.serde, errors);
    for entry in &parsed.serde.entries {
        let name = name(entry);
        if let Some(message) = on_enum(&name, parsed, log_type, entry) {
            errors.on(entry, message);
        }
    }
    for variant in &parsed.variants {
        refuse_unreadable(&variant.serde, errors);
        for entry in &variant.serde.entries {
            if let Some(message) = on_variant(&name(entry), variant, entry) {
                errors.on(entry, message);
            }
        }
    }
}

/// Records an attribute that does not parse. Serde would report it only if the enum had serde's derives.
fn refuse_unreadable(serde: &SerdeAttributes<'_>, errors: &mut Errors) {
    if let Some(attribute) = serde.unreadable() {
        errors.on(
            attribute,
            "write serde's attributes in parentheses, as in `#[serde(rename_all = \"camelCase\")]`",
        );
    }
}

/// The message for an attribute on the enum, if it would be believed to have an effect.
fn on_enum(
    name: &str,
    parsed: &ParsedEnum<'_>,
    log_type: &LogTypeModel,
    entry: &Meta,
) -> Option<String> {
    let message = match name {
        "rename_all_fields" => {
            "`serde(rename_all_fields)` does not reach the stored fields; write `#[serde(rename_all = \"…\")]` on each variant".to_owned()
        }
        "default" => {
            "`serde(default)` does not reach the stored fields; write it on each field that may be missing".to_owned()
        }
        "deny_unknown_fields" => {
            "a stored field that the code does not know is always skipped; remove `deny_unknown_fields`".to_owned()
        }
        "transparent" | "from" | "try_from" | "into" => format!(
            "the payload of an event consists of the fields of its variant; remove `serde({name})`"
        ),
        "rename" if parsed.log_type.is_none() => format!(
            "`serde(rename)` does not name the logs, whose kind is `{}`; write `#[event(log_type = \"{}\")]`",
            log_type.name,
            suggested(entry)
        ),
        "rename" => return None,
        name if HARMLESS_ON_ENUM.contains(&name) => return None,
        name => {
            if let Some(message) = misspelt(name, HARMLESS_ON_ENUM, ON_ENUM) {
                return Some(message);
            }
            let unnamed = parsed.variants.iter().find(|variant| is_unnamed(variant))?;
            let variant = unnamed.ident.unraw();
            format!(
                "`serde({name})` does not change what is stored: `{variant}` is stored as `{variant}`; write `#[event(name = \"…\")]` on each variant"
            )
        }
    };
    Some(message)
}

/// The message for an attribute on a variant, if it would be believed to have an effect.
fn on_variant(name: &str, variant: &ParsedVariant<'_>, entry: &Meta) -> Option<String> {
    let ident = variant.ident.unraw();
    let message = match name {
        "skip" | "skip_serializing" | "skip_deserializing" => format!(
            "each event of a log is stored and read; remove `serde({name})`, or the variant"
        ),
        "other" => {
            "`serde(other)` does not take unknown events: reading one is an error; remove it"
                .to_owned()
        }
        "with" | "serialize_with" | "deserialize_with" => {
            format!("`serde({name})` does not reach the payload of a variant; write it on a field")
        }
        "flatten" => {
            "`serde(flatten)` has no effect on a variant; write `#[event(flatten)]`".to_owned()
        }
        name if HARMLESS_ON_VARIANT.contains(&name) => return None,
        name => {
            if let Some(message) = misspelt(name, HARMLESS_ON_VARIANT, ON_VARIANT) {
                return Some(message);
            }
            match name {
                _ if !is_unnamed(variant) => return None,
                "alias" if !variant.aliases.is_empty() => return None,
                "alias" => format!(
                    "`serde(alias)` is not a name that stored events are read by; write `#[event(alias = \"{}\")]`",
                    suggested(entry)
                ),
                "rename" => format!(
                    "`serde(rename)` does not name the stored event, which is stored as `{ident}`; write `#[event(name = \"{}\")]`",
                    suggested(entry)
                ),
                _ => format!(
                    "`serde({name})` does not change what is stored: the event is stored as `{ident}`; write `#[event(name = \"…\")]`"
                ),
            }
        }
    };
    Some(message)
}

/// The name of an attribute.
fn name(entry: &Meta) -> String {
    entry.path().to_token_stream().to_string()
}

/// Returns `true` if a variant is stored under its identifier. A flattened event has names of its own.
fn is_unnamed(variant: &ParsedVariant<'_>) -> bool {
    variant.name.is_none() && variant.flatten.is_none()
}

/// The string that was written for serde, if it can be a stored name.
fn suggested(entry: &Meta) -> String {
    written_as(entry)
        .filter(|name| stored_names::is_well_formed(name))
        .unwrap_or_else(|| "…".to_owned())
}

/// The message for a word that is nearly an attribute of serde. Serde reports it only if the enum has serde's derives.
fn misspelt(name: &str, harmless: &[&str], others: &[&str]) -> Option<String> {
    let known = || harmless.iter().chain(others).copied();
    if known().any(|word| word == name) {
        return None;
    }
    let closest = suggest::closest(name, known())?;
    Some(format!(
        "serde has no attribute `{name}` here; did you mean `{closest}`?"
    ))
}
