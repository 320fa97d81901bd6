//! The rules for versions, upcasters and accepted versions.

use crate::errors::Errors;
use crate::event::parse::variant::{Converter, GREATEST_VERSION, ParsedVariant};

/// The current version of a variant. Every older version needs exactly one upcaster.
pub(crate) fn current(variant: &ParsedVariant<'_>, errors: &mut Errors) -> u16 {
    let current = variant.version.map_or(1, |(version, _)| version);
    let mut read: Vec<&Converter> = Vec::new();
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

/// Checks the functions that read newer versions. Each version between the current one and the greatest accepted one needs
/// exactly one: the release that writes the greatest one has upcasters for all others, so any of them may be stored.
pub(crate) fn check_accepted(variant: &ParsedVariant<'_>, current: u16, errors: &mut Errors) {
    // Functions that could not be read are already reported, and perhaps no others are missing.
    let (Some(accepted), Some(upcasters)) = (&variant.accepted, &variant.upcasters) else {
        return;
    };
    let mut read: Vec<&Converter> = Vec::new();
    for converter in accepted {
        let Converter { from, span, .. } = converter;
        if *from > GREATEST_VERSION {
            errors.at(
                *span,
                format!("the greatest possible version is {GREATEST_VERSION}"),
            );
        } else if let Some(upcaster) = upcasters.iter().find(|upcaster| upcaster.from == *from) {
            errors.at(
                *span,
                format!("version {from} already has an upcaster; `accept` is for versions newer than the one that is written"),
            );
            errors.at(upcaster.span, "its upcaster is here");
        } else if *from <= current {
            errors.at(
                *span,
                format!("`accept` reads a version newer than the one that is written, which is {current}; remove this version"),
            );
        } else if let Some(first) = read.iter().find(|first| first.from == *from) {
            errors.at(*span, format!("version {from} is given twice"));
            errors.at(first.span, "first given here");
        } else {
            read.push(converter);
        }
    }
    let Some(greatest) = read.iter().max_by_key(|converter| converter.from) else {
        return;
    };
    let mut between = current.saturating_add(1)..greatest.from;
    if let Some(missing) =
        between.find(|version| read.iter().all(|converter| converter.from != *version))
    {
        errors.at(
            greatest.span,
            format!("version {} is accepted, but not version {missing} before it; add `accept({missing} = …)`", greatest.from),
        );
    }
}
