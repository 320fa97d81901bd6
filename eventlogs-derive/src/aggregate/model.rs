//! Second stage: what the attributes say, found to be consistent.

use super::cache::{self, Deferred};
use super::parse::{FingerprintKey, ParsedAggregate, Rule};
use crate::errors::Errors;
use crate::fingerprint::Fingerprint;
use crate::values::Library;
use proc_macro2::Ident;
use syn::{Generics, Type};

/// An aggregate.
pub(crate) struct AggregateModel<'a> {
    /// Its name.
    pub(crate) ident: &'a Ident,
    /// Its type parameters.
    pub(crate) generics: &'a Generics,
    /// Where generated code finds the library.
    pub(crate) library: Library,
    /// The events that it is reduced from.
    pub(crate) event: Type,
    /// When it is cached; always, if there is no rule.
    pub(crate) rules: Vec<Rule>,
    /// What the compiler still has to compare.
    pub(crate) deferred: Vec<Deferred>,
    /// What changes with its code.
    pub(crate) fingerprint: FingerprintModel,
    /// Whether serde keeps all of its fields.
    pub(crate) whole: bool,
}

/// The part of the code fingerprint that is known here.
pub(crate) enum FingerprintModel {
    /// The hash of what the aggregate consists of; that of its handlers and events is added to it.
    Hashed(u64),
    /// All of it, whatever the code.
    Pinned(u64),
}

/// Checks the attributes against each other. The model is complete only if no mistake was recorded.
pub(crate) fn validate<'a>(
    parsed: ParsedAggregate<'a>,
    errors: &mut Errors,
) -> Option<AggregateModel<'a>> {
    if !parsed.event_given {
        errors.on(
            parsed.ident,
            "tell `Aggregate` what it is reduced from: `#[aggregate(event = YourEvent)]`",
        );
    }
    let deferred = cache::check(&parsed.cache, errors);
    let mut shape = Fingerprint::of(&parsed.shape);
    let fingerprint = match &parsed.fingerprint {
        Some(FingerprintKey::Pinned(number)) => FingerprintModel::Pinned(*number),
        Some(FingerprintKey::Mixed(text)) => {
            shape.text(text);
            FingerprintModel::Hashed(shape.finish())
        }
        None => FingerprintModel::Hashed(shape.finish()),
    };
    Some(AggregateModel {
        event: parsed.event?,
        ident: parsed.ident,
        generics: parsed.generics,
        library: parsed.library,
        rules: parsed.cache,
        deferred,
        fingerprint,
        whole: parsed.whole,
    })
}
