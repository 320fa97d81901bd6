//! The rules for versions and upcasters.

use crate::errors::Errors;
use crate::event::parse::variant::{ParsedVariant, Upcaster};

/// The current version of a variant. Every older version needs exactly one upcaster.
pub(crate) fn current(variant: &ParsedVariant<'_>, errors: &mut Errors) -> u16 {
    let current = variant.version.map_or(1, |(version, _)| version);
    let mut read: Vec<&Upcaster> = Vec::new();
    // Upcasters that could not be read are already reported, and perhaps no others are missing.
    let Some(upcasters) = &variant.upcasters else {
        return current;
    };
    for upcaster in upcasters {
        if upcaster.from == 0 {
            errors.at(upcaster.span, "versions start at 1");
        } else if variant.version.is_none() {
            let next = upcaster.from.saturating_add(1);
            errors.at(
                upcaster.span,
                format!(
                    "an upcaster reads a version older than the current one, but this variant has no `version`; write `version = {next}`"
                ),
            );
        } else if upcaster.from >= current {
            errors.at(
                upcaster.span,
                format!("an upcaster reads a version older than the current one, which is {current}; remove this upcaster"),
            );
        } else if let Some(first) = read.iter().find(|first| first.from == upcaster.from) {
            errors.at(
                upcaster.span,
                format!("version {} is given twice", upcaster.from),
            );
            errors.at(first.span, "first given here");
        } else {
            read.push(upcaster);
        }
    }
    if let Some((version, span)) = variant.version
        && let Some(missing) =
            (1..version).find(|from| read.iter().all(|upcaster| upcaster.from != *from))
    {
        errors.at(
            span,
            format!("version {version} also needs an upcaster from version {missing}; add `upcast({missing} = …)`"),
        );
    }
    current
}
