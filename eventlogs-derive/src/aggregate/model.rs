//! Second stage: the validated content of the attributes.

pub(crate) mod contradictions;
mod whole;

use crate::aggregate::parse::ParsedAggregate;
use crate::aggregate::parse::rules::Rule;
use crate::contents::{self, FingerprintModel};
use crate::errors::Errors;
use crate::library::Library;
use contradictions::Deferred;
use proc_macro2::Ident;
use syn::{Generics, Type};

/// An aggregate.
pub(crate) struct AggregateModel<'a> {
    /// Its name.
    pub(crate) ident: &'a Ident,
    /// Its type parameters.
    pub(crate) generics: &'a Generics,
    /// The path of the library in generated code.
    pub(crate) library: Library,
    /// The events that it is reduced from.
    pub(crate) event: Type,
    /// The rules of its cache. Without rules it is always cached.
    pub(crate) rules: Vec<Rule>,
    /// The comparisons that only the compiler can make.
    pub(crate) deferred: Vec<Deferred>,
    /// The part of its code fingerprint that is known during expansion.
    pub(crate) fingerprint: FingerprintModel,
    /// `true` if serde keeps all of its fields.
    pub(crate) whole: bool,
}

/// Checks the attributes against each other. The model is complete only if no mistake was recorded.
pub(crate) fn validate<'a>(
    parsed: ParsedAggregate<'a>,
    errors: &mut Errors,
) -> Option<AggregateModel<'a>> {
    if !parsed.event_given {
        errors.on(
            &parsed.input.ident,
            "the event type is missing; write `#[aggregate(event = YourEvent)]`",
        );
    }
    let deferred = contradictions::check(&parsed.cache, errors);
    let fingerprint = contents::fingerprint(parsed.input, parsed.fingerprint.as_ref(), &[]);
    Some(AggregateModel {
        event: parsed.event?,
        ident: &parsed.input.ident,
        generics: &parsed.input.generics,
        library: parsed.library,
        rules: parsed.cache,
        deferred,
        fingerprint,
        whole: whole::is_whole(parsed.input),
    })
}
