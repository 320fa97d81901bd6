//! The arms of the `match`: each calls a method with the fields of the event.

use crate::event_handler::expand::full_patterns;
use crate::event_handler::model::{HandlerModel, Target};
use crate::event_handler::parse::arguments::Ignored;
use crate::event_handler::parse::handler::{ParsedHandler, Passed};
use crate::event_handler::parse::parameter::Parameter;
use crate::library::Library;
use crate::tokens;
use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::{PathArguments, ReturnType, Signature, Type};

/// The variables of the function that the `match` is in.
pub(crate) struct Variables {
    /// The record of the event.
    pub(crate) event_record: Ident,
    /// The context of a projection's handlers.
    pub(crate) context: Ident,
}

/// All arms of the `match`.
///
/// The compiler suggests a missing arm after the last one, which would be in the middle of an attribute. It makes no suggestion
/// if the last two arms come from different expansions. Adjacent arms therefore alternate between the two kinds of span that a
/// macro has, and a single arm gets a neighbour that never matches.
pub(crate) fn arms(model: &HandlerModel<'_>, variables: &Variables) -> Vec<TokenStream> {
    let HandlerModel {
        handlers,
        ignored,
        retired,
        ..
    } = model;
    let hygienes = [Span::mixed_site(), Span::call_site()];
    let mut hygienes = hygienes.into_iter().cycle();
    let mut next = || hygienes.next().unwrap_or_else(Span::mixed_site);
    let mut arms = Vec::new();
    let is_single = handlers.len() == 1
        && retired.is_none()
        && matches!(ignored, Ignored::Listed(listed) if listed.is_empty());
    if is_single {
        let place = next();
        let nothing = nothing(&model.target, place);
        arms.push(quote_spanned!(place=> _ if false => #nothing));
    }
    arms.extend(
        handlers
            .iter()
            .map(|handler| handler_arm(model, handler, variables, next())),
    );
    let mut place = next();
    if let Some(arm) = ignored_arm(model, place) {
        arms.push(arm);
        place = next();
    }
    arms.extend(
        retired
            .as_ref()
            .map(|retired| retired_arm(model, retired, place)),
    );
    arms
}

/// The arm of one handler, or two arms if its parameters have a condition. The compiler then keeps one of them.
fn handler_arm(
    model: &HandlerModel<'_>,
    handler: &ParsedHandler<'_>,
    variables: &Variables,
    hygiene: Span,
) -> TokenStream {
    let arm = |holds| arm(model, handler, variables, hygiene, holds);
    match &handler.condition {
        None => arm(None),
        Some(condition) => {
            let arms = [true, false].map(|holds| {
                let attribute = condition.attribute(holds);
                let arm = arm(Some(holds));
                quote!(#attribute #arm)
            });
            quote!(#(#arms)*)
        }
    }
}

/// An arm with the parameters that exist if the condition `holds`, or if it does not; `None` if there is no condition.
fn arm(
    model: &HandlerModel<'_>,
    handler: &ParsedHandler<'_>,
    variables: &Variables,
    hygiene: Span,
    holds: Option<bool>,
) -> TokenStream {
    let ParsedHandler {
        attributes,
        alternatives,
        parameters,
        ..
    } = handler;
    let is_there = |passed: &&Passed<'_>| passed.when.is_none() || passed.when == holds;
    let (present, absent): (Vec<&Passed<'_>>, Vec<&Passed<'_>>) =
        parameters.iter().partition(is_there);
    let names: Vec<&Ident> = present
        .iter()
        .filter_map(|passed| passed.parameter.name())
        .collect();
    let absent: Vec<&Ident> = absent
        .iter()
        .filter_map(|passed| passed.parameter.name())
        .collect();
    let pattern = full_patterns::joined(alternatives, &model.event, &names, &absent);
    let pattern = grouped(&pattern, hygiene);
    let arguments = present
        .iter()
        .map(|passed| argument(model, handler, &passed.parameter, variables));
    let method = handler.method();
    let place = hygiene.located_at(method.span());
    // `self` needs the hygiene of the signature of `handle`, which not every arm has.
    let receiver = quote!(self);
    let call = quote_spanned!(place=> Self::#method(#receiver, #(#arguments),*));
    let call = match &model.target {
        Target::Aggregate => call,
        Target::Subscriber { .. } => {
            let outcome = outcome(handler.signature, &model.library, place);
            quote_spanned!(place=> #outcome(#call.await))
        }
    };
    quote!(#(#attributes)* #pattern => #call,)
}

/// The value that a parameter receives.
fn argument(
    model: &HandlerModel<'_>,
    handler: &ParsedHandler<'_>,
    parameter: &Parameter<'_>,
    variables: &Variables,
) -> TokenStream {
    match parameter {
        Parameter::Record { place } => tokens::located(&variables.event_record, *place),
        Parameter::Context { place, .. } => tokens::located(&variables.context, *place),
        Parameter::Bound { name, found } => {
            let lifetimes = handler.signature.generics.lifetimes();
            let lifetimes: Vec<&Ident> = lifetimes.map(|found| &found.lifetime.ident).collect();
            field(name, found, &lifetimes, &model.library)
        }
    }
}

/// The value of a parameter that receives a field.
///
/// The type is written out, so that the compiler compares it here with that of the field. As an argument, the field would get
/// suggestions to convert it or to put it elsewhere, in the signature of the handler.
fn field(name: &Ident, found: &Type, lifetimes: &[&Ident], library: &Library) -> TokenStream {
    let place = Span::mixed_site().located_at(name.span());
    let written = tokens::without_lifetimes(found, lifetimes);
    if matches!(found, Type::Reference(_)) {
        let value = Ident::new("value", place);
        return quote_spanned!(place=> { let #value: #written = #name; #value });
    }
    let library = library.written_at(place);
    quote_spanned!(place=> <#written as #library::__private::FieldValue<_>>::of(#name))
}

/// The function that turns what a handler returns into the outcome.
///
/// The type that the handler returns is written out, so that the compiler reports there that it is no outcome. That is
/// impossible for a type that has no name here: `impl Trait`, or a type with a lifetime of the signature.
fn outcome(signature: &Signature, library: &Library, place: Span) -> TokenStream {
    let ReturnType::Type(_, returned) = &signature.output else {
        return quote_spanned!(place=> #library::HandlerOutcome::outcome);
    };
    let tokens = returned.to_token_stream();
    let mut parameters = signature.generics.lifetimes();
    let is_nameless = tokens::mention(tokens.clone(), &Ident::new("impl", Span::call_site()))
        || parameters.any(|parameter| tokens::mention(tokens.clone(), &parameter.lifetime.ident));
    if is_nameless {
        return quote_spanned!(place=> #library::HandlerOutcome::outcome);
    }
    quote_spanned!(place=> <#returned as #library::HandlerOutcome>::outcome)
}

/// The arm of the ignored variants.
fn ignored_arm(model: &HandlerModel<'_>, hygiene: Span) -> Option<TokenStream> {
    match &model.ignored {
        Ignored::Listed(alternatives) if alternatives.is_empty() => None,
        Ignored::Listed(alternatives) => {
            let pattern = full_patterns::joined(alternatives, &model.event, &[], &[]);
            let pattern = grouped(&pattern, hygiene);
            let nothing = nothing(&model.target, hygiene);
            Some(quote!(#pattern => #nothing))
        }
        Ignored::Rest(underscore) => {
            let nothing = nothing(&model.target, Span::call_site());
            Some(quote! {
                #[allow(unreachable_patterns, reason = "there may be nothing left to ignore")]
                #underscore => #nothing
            })
        }
    }
}

/// The arm of the retired variants that no other arm matches.
///
/// This macro does not see the enum. Its derive therefore makes a macro with the name of the enum, which is imported together with
/// it, and which expands to the pattern of the retired variants.
fn retired_arm(model: &HandlerModel<'_>, retired: &Ident, hygiene: Span) -> TokenStream {
    let place = retired.span();
    let mut name = model.event.clone();
    for segment in &mut name.segments {
        segment.arguments = PathArguments::None;
    }
    let name = tokens::located(&name, place);
    let event = full_patterns::enum_path(&model.event, place);
    let pattern = grouped(&quote!(#name!(#event)), hygiene);
    let nothing = nothing(&model.target, hygiene);
    quote! {
        #[allow(unreachable_patterns, reason = "all retired variants may have handlers")]
        #pattern => #nothing
    }
}

/// The body of an arm that does nothing.
fn nothing(target: &Target<'_>, hygiene: Span) -> TokenStream {
    match target {
        Target::Aggregate => quote_spanned!(hygiene=> {}),
        Target::Subscriber { .. } => {
            quote_spanned!(hygiene=> { ::core::result::Result::Ok(()) })
        }
    }
}

/// The pattern in parentheses that have the span of the arm's hygiene. The pattern keeps the spans of the user's code: lints
/// use the span of the pattern, and the compiler's suggestion of another arm uses the span of the parentheses.
fn grouped(pattern: &TokenStream, hygiene: Span) -> TokenStream {
    quote_spanned!(hygiene=> (#pattern))
}
