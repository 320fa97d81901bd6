//! A handler: its signature, its parameters, and the mistakes in them.

use crate::errors::Errors;
use crate::event_handler::parse::block::Method;
use crate::event_handler::parse::condition::Condition;
use crate::event_handler::parse::conditional_parameters as conditional;
use crate::event_handler::parse::kind::Kind;
use crate::event_handler::parse::marks::{goes_along, may_remove};
use crate::event_handler::parse::parameter::{self, Parameter};
use crate::event_handler::parse::pattern::{Alternative, FieldPatterns};
use crate::event_handler::parse::signature;
use crate::tokens;
use proc_macro2::Ident;
use syn::{Attribute, FnArg, Pat, Path, Signature, Type};

/// A method with `#[on(…)]`.
pub(crate) struct ParsedHandler<'a> {
    /// Its signature.
    pub(crate) signature: &'a Signature,
    /// Its conditions, and the lints that are allowed in it.
    pub(crate) attributes: Vec<&'a Attribute>,
    /// The alternatives of its pattern.
    pub(crate) alternatives: Vec<Alternative>,
    /// Its parameters.
    pub(crate) parameters: Vec<Passed<'a>>,
    /// The condition that some of the parameters have.
    pub(crate) condition: Option<Condition>,
}

/// A parameter and its condition.
pub(crate) struct Passed<'a> {
    /// The parameter.
    pub(crate) parameter: Parameter<'a>,
    /// `Some(true)` if the parameter exists when the handler's condition holds, `Some(false)` if it exists when the condition
    /// does not hold, `None` if it always exists.
    pub(crate) when: Option<bool>,
}

impl<'a> ParsedHandler<'a> {
    /// Its name.
    pub(crate) fn method(&self) -> &'a Ident {
        &self.signature.ident
    }

    /// The parameters `&mut T` that receive the context, each with its type `T`.
    pub(crate) fn contexts(&self) -> impl Iterator<Item = &'a Type> {
        self.parameters
            .iter()
            .filter_map(|passed| match passed.parameter {
                Parameter::Context { context, .. } => Some(context),
                Parameter::Record { .. } | Parameter::Bound { .. } => None,
            })
    }

    /// Returns `true` if it has a parameter that receives the record, in some builds at least.
    pub(crate) fn takes_record(&self) -> bool {
        let mut parameters = self.parameters.iter();
        parameters.any(|passed| matches!(passed.parameter, Parameter::Record { .. }))
    }

    /// The parameter of a bare variant whose type is that of the events, and the variant.
    fn takes_whole_event(&self, event: &Path) -> Option<(&'a Ident, &Alternative)> {
        let enum_name = &event.segments.last()?.ident;
        let bare = self.alternatives.iter().find(|alternative| {
            alternative.binding.is_none() && matches!(alternative.fields, FieldPatterns::Bare)
        })?;
        let typed = self
            .signature
            .inputs
            .iter()
            .filter_map(|input| match input {
                FnArg::Typed(typed) => Some((&*typed.pat, &*typed.ty)),
                FnArg::Receiver(_) => None,
            });
        let mut names = typed
            .filter(|(_, found)| is_called(found, enum_name))
            .filter_map(|(pattern, _)| match pattern {
                Pat::Ident(name) => Some(&name.ident),
                _ => None,
            });
        // With another name it may be a field, in a `Box`.
        let name =
            names.find(|name| ["e", "ev", "evt", "event"].contains(&name.to_string().as_str()))?;
        Some((name, bare))
    }

    /// Refuses a parameter of a bare variant that is to receive the whole event: its name would be that of a field.
    pub(crate) fn refuse_whole_event(&self, event: &Path, errors: &mut Errors) {
        if let Some((name, bare)) = self.takes_whole_event(event) {
            let variant = &bare.variant;
            errors.on(
                name,
                format!("a parameter receives a field; for the whole event, write `#[on({name} @ {variant})]`"),
            );
        }
    }

    /// Returns `true` if the handler exists only under a condition.
    pub(crate) fn is_conditional(&self) -> bool {
        self.attributes
            .iter()
            .any(|attribute| may_remove(attribute))
    }
}

/// Returns `true` if the type is a path that ends with this name, or a reference to it.
fn is_called(found: &Type, name: &Ident) -> bool {
    match tokens::ungrouped(found) {
        Type::Reference(reference) => is_called(&reference.elem, name),
        Type::Path(path) => {
            let mut segments = path.path.segments.iter();
            segments.next_back().is_some_and(|last| last.ident == *name)
        }
        _ => false,
    }
}

/// Reads a handler's signature.
pub(crate) fn parse<'a>(
    method: &'a Method,
    alternatives: Vec<Alternative>,
    kind: Kind,
    errors: &mut Errors,
) -> ParsedHandler<'a> {
    let signature = &method.signature;
    let kind = signature::check(signature, kind, errors);
    conditional::check_receiver(signature, errors);
    let bare = alternatives
        .iter()
        .all(|alternative| matches!(alternative.fields, FieldPatterns::Bare));
    let mut common = None;
    let mut all_bound = true;
    let parameters = signature.inputs.iter().filter_map(|input| match input {
        FnArg::Receiver(_) => None,
        FnArg::Typed(typed) => {
            let when = conditional::when(typed, &mut common, errors);
            let parameter = parameter::parse(typed, bare, kind, errors);
            all_bound &= parameter.is_some();
            let parameter = parameter?;
            if let Parameter::Bound { name, .. } = &parameter {
                let is_bound = parameter::check_bound(name, &alternatives, errors);
                all_bound &= is_bound;
                if is_bound
                    && when.is_some()
                    && let Some(condition) = Condition::read(&typed.attrs)
                {
                    conditional::check_removable(name, &condition, &alternatives, errors);
                }
            }
            Some(Passed { parameter, when })
        }
    });
    let parameters: Vec<_> = parameters.collect();
    check_one_context(&parameters, errors);
    // A parameter with a mistake may be the one that a binding is for.
    if all_bound {
        let names: Vec<&Ident> = parameters
            .iter()
            .filter_map(|passed| passed.parameter.name())
            .collect();
        parameter::refuse_unused(&alternatives, &names, errors);
    }
    let attributes = method
        .attributes
        .iter()
        .filter(|attribute| goes_along(attribute))
        .collect();
    ParsedHandler {
        signature,
        attributes,
        alternatives,
        parameters,
        condition: common.map(|(_, condition)| condition),
    }
}

/// Refuses a second context, unless the first one does not exist together with it.
fn check_one_context(parameters: &[Passed<'_>], errors: &mut Errors) {
    let mut contexts = parameters
        .iter()
        .filter_map(|passed| match passed.parameter {
            Parameter::Context { mark, .. } => Some((mark, passed.when)),
            Parameter::Record { .. } | Parameter::Bound { .. } => None,
        });
    let Some((first, when)) = contexts.next() else {
        return;
    };
    for (second, other) in contexts {
        if when.is_none() || other.is_none() || when == other {
            errors.on(
                second,
                "`#[context]` is given twice; a handler has one context",
            );
            errors.on(first, "first given here");
        }
    }
}
